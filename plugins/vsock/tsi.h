/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transparent socket impersonation: a guest kernel that knows it makes sockets of its programs into
 * sockets of the host.
 *
 * The guest speaks in datagrams (type 3, feature bit 3) to well-known ports of the host; numbers
 *are little-endian, addresses are Linux's sockaddr_storage, results 0 or a negative errno.  A reply
 *comes from the port that was asked, to the port that asked.
 *
 *	1024 create       {peer_port 4, family 2, type 2}
 *	1025 connect      {peer_port 4, address}                         -> {result 4}
 *	1026 getname      {peer_port 4, local_port 4, peer 4}            -> {result 4, size 4,
 *address} 1027 sendto-addr  {peer_port 4, address} 1028 sendto-data  the bytes of a datagram, from
 *peer_port 1029 listen       {peer_port 4, vm_port 4, backlog 4, address}   -> {result 4} 1030
 *accept       {peer_port 4, flags 4}                         -> {result 4} 1031 release {peer_port
 *4, local_port 4}
 *
 * peer_port is the port of the guest's own vsock socket and names the proxy.  Once connected, a
 *stream is a vsock stream from peer_port to port 620; an accepted one is a stream from a port of
 *the host to vm_port; datagrams go from peer_port to port 620 and back, of a listening one to
 *vm_port.
 */
#ifndef PLUGINS_VSOCK_TSI_H
#define PLUGINS_VSOCK_TSI_H

#include "tsi_rules.h"
#include "vsock.h"

#define TSI_CREATE      1024u
#define TSI_CONNECT     1025u
#define TSI_GETNAME     1026u
#define TSI_SENDTO_ADDR 1027u
#define TSI_SENDTO_DATA 1028u
#define TSI_LISTEN      1029u
#define TSI_ACCEPT      1030u
#define TSI_RELEASE     1031u
#define TSI_DATA_PORT   620u

#define TSI_STREAM   1u
#define TSI_DGRAM    2u
#define TSI_NONBLOCK 0x800u /* Linux's O_NONBLOCK, in the flags of accept */
#define TSI_ADDRESS  128u   /* bytes of an address in a reply */

#define TSI_BUCKETS    256u
#define TSI_WAITERS    64u /* accepts that wait at one listener */
#define TSI_RESULTS    (TSI_WAITERS + 1u)
#define TSI_CALLERS    16u   /* whom a listening datagram socket may answer */
#define TSI_MOST_TURNS 1024u /* ports of a range that are tried */

enum proxy_state {
	PROXY_IDLE,
	PROXY_CONNECTING,
	PROXY_CONNECTED,
	PROXY_LISTENING,
};

/* A result that the guest waits for. */
struct tsi_result {
	uint32_t control, guest_port;
	int32_t result;
};

struct proxy {
	struct source source;
	struct sender sender;
	struct proxy *next; /* in its bucket */
	uint32_t peer_port;
	int family, type; /* AF_*, SOCK_* */
	enum proxy_state state;
	bool readable;
	uint32_t asked_from; /* the port that waits for the connect's result */
	struct tsi_result results[TSI_RESULTS];
	uint32_t first_result, n_results;
	struct tsi_address own; /* as the guest knows it, listening */
	/* streams that listen */
	uint32_t vm_port, backlog;
	uint32_t announced,
		n_open; /* the guest is asked; has answered, and not been told by accept */
	uint32_t waiters[TSI_WAITERS], first_waiter, n_waiters;
	bool unlinks; /* the path of own is ours */
	/* datagrams */
	struct tsi_address to;
	struct tsi_address callers[TSI_CALLERS]; /* the last one at last_caller */
	uint32_t last_caller;
};

struct tsi {
	struct tsi_rules rules;
	struct proxy *proxies[TSI_BUCKETS];
};

/* ---- tsi.c: what the guest says ---- */

int tsi_create(struct vsock *v, const struct tenon_config *config);
void tsi_reset(struct vsock *v); /* all proxies go */
void tsi_destroy(struct vsock *v);
/* The @index-th path at which the guest may listen, or NULL. */
const char *tsi_listens_at(const struct vsock *v, uint32_t index);
void tsi_datagram(struct vsock *v, const struct header *h, const struct tenon_chain *chain);
void tsi_request(struct vsock *v, const struct header *h);
/* The guest has accepted what a listener announced; or it is gone before. */
void tsi_conn_open(struct vsock *v, struct conn *c);
void tsi_conn_gone(struct vsock *v, struct conn *c);

/* ---- tsi_proxy.c: sockets of the host ---- */

struct proxy *proxy_find(const struct vsock *v, uint32_t peer_port);
struct proxy *proxy_create(struct vsock *v, uint32_t peer_port, int family, int type);
void proxy_free(struct vsock *v, struct proxy *p);
/* 0, -EINPROGRESS or another error. */
int proxy_connect(struct vsock *v, struct proxy *p, const struct tsi_address *to);
int proxy_listen(struct vsock *v, struct proxy *p, const struct tsi_address *own, uint32_t vm_port,
	uint32_t backlog);
void proxy_send_to(struct vsock *v, struct proxy *p, const struct tenon_chain *chain, uint32_t len,
	bool to_address);
void proxy_result(
	struct vsock *v, struct proxy *p, uint32_t control, uint32_t guest_port, int32_t result);
/* Listeners that could not accept try again. */
void tsi_retry(struct vsock *v);
/* What waits at a listener is announced; those who wait in accept are answered. */
void proxy_accept(struct vsock *v, struct proxy *p);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the vsock device share.
 *
 *	vsock.c     the class: settings, life, queues' callbacks
 *	queue.c     packets from the guest are told apart; packets for the guest find their buffers
 *	conn.c      connections: their table, their beginning and their end
 *	stream.c    a connection's bytes, both ways, and the credit for them
 *	message.c   the same for SEQPACKET
 *	host.c      the unix sockets that the host side sees
 *	tsi*.c      transparent socket impersonation: sockets of the host for the guest's programs
 *
 * Everything runs on the device's loop under the instance's lock.  What has something for the guest
 * is a `sender` in one list; whenever the guest has buffers, the senders take turns.
 */
#ifndef PLUGINS_VSOCK_VSOCK_H
#define PLUGINS_VSOCK_VSOCK_H

#include <stdbool.h>
#include <stdint.h>

#include <tenon/tenon.h>

#include "packet.h"
#include "poll.h"

#define QUEUE_RX    0u
#define QUEUE_TX    1u
#define QUEUE_EVENT 2u
#define N_QUEUES    3u

#define F_STREAM    (1ull << 0)
#define F_SEQPACKET (1ull << 1)
#define F_DGRAM     (1ull << 3) /* not in the specification */

#define STREAM_BUFFER  (256u << 10) /* a stream's credit, and what is kept of it at most */
#define MESSAGE_BUFFER (128u << 10) /* the same for SEQPACKET: the longest message */
#define MOST_PACKETS   64u          /* before others get their turn */
#define MOST_REPLIES   64u          /* wait for the guest; then its packets wait */
#define REPLY_BYTES    144u         /* the longest that is no connection's */
#define MOST_IOVECS    128u
#define MOST_BURST     32u

extern const struct tenon_host *vsock_host;
extern const struct tenon_virtio *vsock_virtio;
extern const struct tenon_event *vsock_event;
extern const struct tenon_clock *vsock_clock;

/* ---- senders ---- */

enum sent {
	SENT_ALL,  /* there is no more for now */
	SENT_MORE, /* there may be more */
	NO_ROOM,   /* the guest has no buffer left */
	SENT_LAST, /* and the sender is gone */
};

struct sender {
	struct sender *prev, *next; /* in the list; NULL = not in it */
	enum sent (*send)(struct vsock *v, struct sender *sender);
};

/* ---- connections ---- */

enum conn_state {
	CONN_CONNECTING, /* the guest asked; the host's listener is full */
	CONN_REQUESTED,  /* the guest is asked */
	CONN_OPEN,
	CONN_CLOSED,   /* but the guest must still hear of it */
	CONN_DRAINING, /* the guest has forgotten it, the host has not got everything; in no table
			*/
};

#define WANT_REQUEST        (1u << 0)
#define WANT_RESPONSE       (1u << 1)
#define WANT_CREDIT_UPDATE  (1u << 2)
#define WANT_CREDIT_REQUEST (1u << 3)
#define WANT_SHUTDOWN       (1u << 4)
#define WANT_RST            (1u << 5)

struct conn {
	struct source source; /* the host's socket */
	struct sender sender;
	struct conn *next;                /* in its bucket */
	struct conn *prev_all, *next_all; /* in the list of all */
	uint16_t type;
	enum conn_state state;
	uint32_t guest_port, host_port;
	uint32_t want;        /* WANT_*: packets without data that are due */
	uint64_t deadline_ns; /* CONN_CONNECTING */
	bool greets;          /* the host is told "OK" */
	bool readable, writable, eof, hup;
	uint32_t guest_shut; /* SHUT_*: what the guest will not do any more */
	uint32_t host_shut;  /* what the host will not */
	uint32_t told_shut;  /* of it, what the guest knows */
	bool wrote_end;      /* the host has been told the end of what the guest sends */

	/* to the guest */
	uint32_t peer_buf_alloc, peer_fwd_cnt, tx_cnt;
	bool asked_credit;
	/* from the guest */
	uint8_t *kept;            /* a ring: what the host did not take */
	uint32_t kept_size;       /* bytes of it */
	uint32_t kept_at, n_kept; /* where it begins, how much there is */
	uint32_t rx_cnt, fwd_cnt; /* received, and done with */
	uint32_t told_fwd_cnt;    /* as the guest knows it */
	/* SEQPACKET alone */
	uint8_t *message;                  /* from the host, on its way to the guest */
	uint32_t message_size, message_at; /* ... all of it, and what has gone */
	bool has_message;
	uint32_t partial; /* bytes at the end of kept: no message yet */

	/* of the TSI */
	bool tsi;
	uint16_t tsi_port;      /* of its own, as the guest knows it; 0 = as the host does */
	struct proxy *listener; /* who accepted it, until the guest knows it */
};

struct reply {
	struct header header;
	uint8_t bytes[REPLY_BYTES];
};

/* Packets of one stream, one behind the other, that are written at once. */
struct burst {
	struct conn *conn; /* NULL = none */
	struct tenon_chain chains[MOST_BURST];
	unsigned n_chains;
	struct iovec iov[MOST_IOVECS];
	unsigned n_iov;
	uint32_t bytes;
};

/* One unix socket path. */
struct map {
	uint32_t port;
	char *path;
};

struct maps {
	struct map *at;
	uint32_t n;
};

struct tsi;

struct vsock {
	struct tenon_dev *dev;
	/* settings */
	uint64_t cid;
	const char *path, *seqpacket_path;
	struct maps connects, listens;
	uint32_t most_conns;
	/* the loop */
	struct tenon_watch *watch;
	struct tenon_timer *turn;  /* the queues are to be looked at again */
	struct tenon_timer *retry; /* something on the host's side is to be tried again */
	struct source *dead;       /* to be freed when nobody's events name them any more */
	int poll;
	bool active, quiesced;
	uint64_t features;
	/* connections */
	struct conn **table;
	uint32_t table_size;
	struct conn *all;
	uint32_t n_conns; /* those that wait for their "CONNECT" included */
	uint32_t next_port;
	/* to the guest */
	struct sender senders; /* the list's head */
	struct burst burst;
	struct reply replies[MOST_REPLIES];
	uint32_t first_reply, n_replies;
	bool tx_waits;  /* for replies to go */
	bool pushed;    /* chains, since the last notification */
	bool reset_due; /* the guest is to be told that the transport was reset */
	bool doors_open, starved;
	/* the host's side */
	struct door *doors;
	uint32_t n_doors;
	struct client *clients;
	struct tsi *tsi; /* NULL = not allowed */
};

/* ---- vsock.c ---- */

void vsock_soon(struct vsock *v);  /* the queues are looked at in the next round */
void vsock_retry(struct vsock *v); /* conn_retry() and door_retry() are called in a while */
uint64_t vsock_now(void);
void vsock_free_dead(struct vsock *v);
/* To be freed when it is safe; its fd is closed. */
void vsock_bury(struct vsock *v, struct source *source);

/* ---- state.c ---- */

extern const struct tenon_state *vsock_state; /* NULL: save and load are not called */
int vsock_save(struct tenon_dev *dev, struct tenon_state_w *w);
int vsock_load(struct tenon_dev *dev, struct tenon_state_r *r, uint32_t version);
void vsock_tell_reset(struct vsock *v); /* if it is due, and the guest has a buffer for it */

/* ---- queue.c ---- */

void sender_add(struct vsock *v, struct sender *sender); /* one that is in is fine */
void sender_remove(struct sender *sender);
bool queue_reply_room(const struct vsock *v);
/* To the guest, when it has a buffer; there must be room. */
void queue_reply(struct vsock *v, const struct header *header, const void *bytes);
void queue_reset_reply(struct vsock *v, const struct header *to);
/* The next buffer of the guest that can hold a header. */
bool queue_take(struct vsock *v, struct tenon_chain *ret_chain);
/* One more; while others are held that may be put back, none is returned unused. */
bool queue_take_more(struct vsock *v, struct tenon_chain *ret_chain);
void queue_put_back(struct vsock *v, const struct tenon_chain *chain);
/* Fills it: the header, and behind it @header->len bytes that are there already. */
void queue_send(struct vsock *v, const struct tenon_chain *chain, const struct header *header);
void queue_run(struct vsock *v);
void queue_reset(struct vsock *v);

/* ---- conn.c ---- */

struct conn *conn_find(struct vsock *v, uint16_t type, uint32_t guest_port, uint32_t host_port);
/* NULL when there are too many or no memory.  The socket is the connection's from now on, also
 * when this fails; -1 = none yet. */
struct conn *conn_create(struct vsock *v, uint16_t type, uint32_t guest_port, uint32_t host_port,
	int fd, enum conn_state state);
int conn_attach_fd(struct vsock *v, struct conn *c, int fd); /* closes @fd when it fails */
void conn_free(struct vsock *v, struct conn *c);
/* Ends it from this side: the guest is told by RST. */
void conn_abort(struct vsock *v, struct conn *c);
void conn_want(struct vsock *v, struct conn *c, uint32_t want);
/* A port of the host that no connection with @guest_port has. */
uint32_t conn_port(struct vsock *v, uint16_t type, uint32_t guest_port);
/* One from the host's side: asks the guest. */
struct conn *conn_request(struct vsock *v, uint16_t type, uint32_t guest_port, int fd);
/* True when the chain is part of the burst. */
bool conn_packet(
	struct vsock *v, struct conn *c, const struct header *h, struct tenon_chain *chain);
void conn_header(const struct vsock *v, const struct conn *c, uint16_t op, struct header *ret);
void conn_retry(struct vsock *v);
void conn_free_all(struct vsock *v);
/* The guest has done with it, and will not say so again. */
void conn_release(struct vsock *v, struct conn *c);
/* Something that counted as a connection is gone; whoever waits may have its place. */
void conn_one_less(struct vsock *v);
uint32_t conn_peer_room(const struct conn *c);
/* Ends what is at its end on both sides. */
void conn_settle(struct vsock *v, struct conn *c);

/* ---- stream.c, message.c ---- */

/* The pieces of an iovec from @skip on, @len bytes of it, at most @most pieces; returns how many.
 */
size_t iov_pieces(const struct iovec *from, uint32_t n_from, size_t skip, size_t len,
	struct iovec *to, size_t most);

/* @chain's readable part holds the header and @len bytes behind it; true when it is part of the
 * burst now, which returns it.  May end the connection. */
bool stream_from_guest(
	struct vsock *v, struct conn *c, const struct tenon_chain *chain, uint32_t len);
/* Writes the burst. */
void stream_end_burst(struct vsock *v);
void stream_flush(struct vsock *v, struct conn *c);
enum sent stream_to_guest(struct vsock *v, struct conn *c);
void message_from_guest(
	struct vsock *v, struct conn *c, const struct tenon_chain *chain, const struct header *h);
void message_flush(struct vsock *v, struct conn *c);
enum sent message_to_guest(struct vsock *v, struct conn *c);
/* The host's end will take no more. */
void stream_host_closed(struct vsock *v, struct conn *c);

/* ---- host.c ---- */

int door_attach(struct vsock *v);
void door_detach(struct vsock *v);
void door_open(struct vsock *v, bool on);
void door_retry(struct vsock *v);
void door_free_clients(struct vsock *v);
/* The guest asks for a connection with a port of the host. */
void host_request(struct vsock *v, const struct header *h);
/* Tries once more for CONN_CONNECTING; 0, -EAGAIN when the listener is full, or another error. */
int host_connect_again(const struct vsock *v, const struct conn *c, int *ret_fd);
int maps_parse(
	struct vsock *v, const struct tenon_config *config, const char *key, struct maps *ret_maps);
void maps_free(struct maps *maps);

#endif

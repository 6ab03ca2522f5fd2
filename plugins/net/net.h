/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the net plugin share: one device, its pairs of queues, and the table that a
 * back end fills in.
 *
 * Everything here runs under the instance's lock, on the device's loop or in a control callback.
 * Sizes are in bytes; "frame" is an Ethernet frame without the virtio header.
 */
#ifndef TENON_NET_H
#define TENON_NET_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <tenon/tenon.h>

#include "net_filter.h"
#include "net_limit.h"

#define NET_HEADER     12u    /* 5.1.6: with VERSION_1 num_buffers is always there */
#define NET_ETHERNET   14u    /* the least a frame has */
#define NET_VLAN       4u     /* what a tag adds to the MTU's frame */
#define NET_MAX_FRAME  65550u /* 5.1.6.3.1 */
#define NET_MTU        1500u
#define NET_QUEUE_SIZE 256u
#define NET_MAX_PAIRS  8u
#define NET_SHORT      1524u /* bytes of a frame that is nothing but a packet */
#define NET_RX_PIECES  256u  /* of memory that one frame is read into directly */
#define NET_RX_BATCH   32u
#define NET_TX_BATCH   32u
#define NET_TX_PIECES  64u /* of a frame; one in more pieces is copied together */

/* Feature bits (5.1.3). */
#define NET_F_CSUM                (1ull << 0)
#define NET_F_GUEST_CSUM          (1ull << 1)
#define NET_F_CTRL_GUEST_OFFLOADS (1ull << 2)
#define NET_F_MTU                 (1ull << 3)
#define NET_F_MAC                 (1ull << 5)
#define NET_F_GUEST_TSO4          (1ull << 7)
#define NET_F_GUEST_TSO6          (1ull << 8)
#define NET_F_GUEST_ECN           (1ull << 9)
#define NET_F_GUEST_UFO           (1ull << 10)
#define NET_F_HOST_TSO4           (1ull << 11)
#define NET_F_HOST_TSO6           (1ull << 12)
#define NET_F_HOST_ECN            (1ull << 13)
#define NET_F_HOST_UFO            (1ull << 14)
#define NET_F_MRG_RXBUF           (1ull << 15)
#define NET_F_STATUS              (1ull << 16)
#define NET_F_CTRL_VQ             (1ull << 17)
#define NET_F_CTRL_RX             (1ull << 18)
#define NET_F_CTRL_RX_EXTRA       (1ull << 20)
#define NET_F_GUEST_ANNOUNCE      (1ull << 21)
#define NET_F_MQ                  (1ull << 22)
#define NET_F_CTRL_MAC_ADDR       (1ull << 23)

/* Those of them that the driver may also change while it runs. */
#define NET_GUEST_OFFLOADS                                                                         \
	(NET_F_GUEST_CSUM | NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6 | NET_F_GUEST_ECN | NET_F_GUEST_UFO)

/* The virtio header (5.1.6). */
#define NET_HDR_NEEDS_CSUM 1u
#define NET_GSO_NONE       0u
#define NET_GSO_TCPV4      1u
#define NET_GSO_UDP        3u
#define NET_GSO_TCPV6      4u
#define NET_GSO_ECN        0x80u

/* The configuration (5.1.4), little-endian, and its status bits. */
struct net_space {
	uint8_t mac[6], status[2], max_pairs[2], mtu[2];
};

#define NET_S_LINK_UP  1u
#define NET_S_ANNOUNCE 2u

struct net;
struct net_pair;

/* One frame that the guest sends: checked, its header taken off. */
struct net_frame {
	struct tenon_chain chain;
	uint8_t header[NET_HEADER];
	struct iovec *iov;
	uint32_t n;
	size_t size;
};

/* Where one frame of several is to go. */
struct net_slice {
	struct iovec *iov;
	unsigned n;
};

/*
 * A back end.  open() and close() belong to attach and detach; between run() and stop() the guest's
 * queues live and the back end may have callbacks.  What is optional may be NULL.
 */
struct net_backend {
	const char *name;
	size_t state_size; /* bytes, zeroed, in net->state */

	int (*check)(const struct net *n); /* more about the settings; optional; says why */
	/* Claims what the settings name; fills net->offers, net->vnet_header and the pairs' fds.
	 * Says why it fails. */
	int (*open)(struct net *n);
	void (*close)(struct net *n); /* accepts a half-done open() */

	int (*activate)(struct net *n, uint64_t features); /* optional */
	void (*run)(struct net *n);                        /* optional */
	void (*stop)(struct net *n);                       /* optional */

	/*
	 * A source of frames: next() says how long the next one may be, 0 when there is none now,
	 * -errno when the peer is gone.  read() takes it into @iov, which is that large, and
	 * returns its size, 0 when there is none after all, -EMSGSIZE for one that was longer and
	 * is lost, else -errno.  With vnet_header the iovecs begin with room for the header.
	 * A back end that has no source calls net_rx_frame() by itself, and receive() tells it that
	 * the guest has new buffers.
	 */
	ssize_t (*next)(struct net_pair *p);
	ssize_t (*read)(struct net_pair *p, struct iovec *iov, unsigned n);
	/* Several at once, without a header, one into each slice: how many, with their sizes as
	 * read() returns them; -errno when the peer is gone.  Optional. */
	int (*read_many)(
		struct net_pair *p, const struct net_slice *slices, unsigned n, ssize_t *sizes);
	void (*receive)(struct net_pair *p);

	/* Takes frames in order; how many, or -errno when the peer is gone.  Fewer than @n: it
	 * cannot take more now, and has set p->tx_blocked if it is the descriptor to wait for. */
	int (*send)(struct net_pair *p, struct net_frame *frames, unsigned n);

	/* The descriptor is writable again: goes on with what it kept; -errno when the peer is
	 * gone.  Optional. */
	int (*flush)(struct net_pair *p);

	int (*set_offloads)(struct net *n, uint64_t offloads); /* optional */
	int (*set_pairs)(struct net *n, unsigned pairs);       /* optional */
	/* Reaches the peer anew after net_lost(); optional. */
	int (*reconnect)(struct net *n);
};

/* A receive and a transmit queue. */
struct net_pair {
	struct net *net;
	unsigned index;
	struct tenon_vq *rx, *tx;

	int fd; /* -1 = none */
	struct tenon_watch *watch;
	uint32_t watched; /* what the watch asks for */

	/* Receive buffers that were popped and are not used yet, in order. */
	struct tenon_chain *staged; /* NET_QUEUE_SIZE */
	uint32_t n_staged, first;
	uint64_t staged_bytes;
	struct iovec *iov; /* NET_RX_PIECES and one */

	/* A frame that came before the guest had room for all of it: a header, then the frame. */
	uint8_t *kept; /* NET_HEADER + NET_MAX_FRAME */
	size_t kept_size;
	bool rx_long; /* the last frame of a tap was longer than NET_SHORT */

	uint8_t *flat;        /* for a frame in too many pieces: NET_HEADER + NET_MAX_FRAME */
	unsigned rx_expected; /* frames that may be there at once */
	bool starved;         /* the guest has no buffer: wait for its kick */
	bool rx_again;        /* go on in the next round */
	bool tx_again;
	bool tx_blocked;          /* wait for the descriptor to be writable */
	struct net_frame *frames; /* NET_TX_BATCH */
};

/* Reasons for which frames are dropped; each is said once and counted. */
enum net_drop {
	DROP_RX_LONG,    /* longer than the guest's buffers or the MTU */
	DROP_RX_SHORT,   /* no Ethernet frame */
	DROP_RX_FULL,    /* neither the guest nor the queue had room */
	DROP_TX_BAD,     /* a header that was not negotiated, or no Ethernet frame */
	DROP_TX_LINK,    /* while the link was down */
	DROP_TX_REFUSED, /* by the peer */
	N_DROPS,
};

struct net_counters {
	uint64_t rx_frames, tx_frames;
	uint64_t dropped[N_DROPS];
};

struct net {
	struct tenon_dev *dev;
	const struct net_backend *backend;
	void *state; /* the back end's own */

	/* as configured; strings live until destroy */
	const struct tenon_config *config;
	const char *interface, *path;
	char resolver[PATH_MAX]; /* the folder of the host's name servers; net_path()'s */
	int conf_fd;             /* -1 = not set */
	unsigned n_pairs;
	uint32_t mtu; /* 0 = not set */
	uint8_t mac[6];
	bool has_mac, want_link, vfkit;
	const char *network, *host, *dns, *hostname;
	bool restricted, loopback, ipv6;
	uint32_t n_forwards;
	const char *const *forwards; /* n_forwards */

	/* as the back end is */
	uint64_t offers; /* feature bits */
	bool vnet_header;
	size_t max_frame; /* that a source of unknown length may yield, as negotiated */

	/* as the driver is */
	uint64_t features, offloads; /* negotiated; of the guest's, those that are in use */
	bool active, running;        /* between activate and reset / and not quiesced */
	bool moved;                  /* loaded, and not yet started */
	unsigned cur_pairs;
	struct net_space space; /* what the driver reads */
	struct net_filter filter;

	/* the peer */
	bool lost;
	uint64_t backoff_ns;
	struct tenon_timer *retry;

	struct net_throttle rx_limit, tx_limit;
	struct tenon_timer *again; /* go on in the next round of the loop */
	bool ctrl_again;
	struct net_pair pairs[NET_MAX_PAIRS];
	struct net_counters count;
};

extern const struct tenon_host *net_host;
extern const struct tenon_virtio *net_virtio;
extern const struct tenon_event *net_event;
extern const struct tenon_clock *net_clock;

extern const struct net_backend net_user, net_tap, net_stream, net_dgram;

/* ---- net.c ---- */

void net_drop(struct net *n, enum net_drop why);
void net_go_on(struct net *n); /* runs what has its `again` set, in the next round */

/* ---- net_pair.c: memory and descriptors of the pairs ---- */

int net_pairs_open(struct net *n);
void net_pairs_close(struct net *n);
void net_pair_update(struct net_pair *p); /* asks the loop for what the pair waits for */
void net_pair_unwatch(struct net_pair *p);
void net_pair_close_fd(struct net_pair *p);

/* ---- net_rx.c ---- */

void net_rx_run(struct net_pair *p);
/* Hands the guest a frame; false when it has no room now and the frame is still the caller's. */
bool net_rx_frame(struct net_pair *p, const void *frame, size_t size);
void net_rx_flush(struct net_pair *p);  /* interrupts the driver, after net_rx_frame() */
void net_rx_forget(struct net_pair *p); /* the driver took them back */

/* ---- net_tx.c ---- */

void net_tx_run(struct net_pair *p);
void net_tx_writable(struct net_pair *p); /* the peer takes frames again */
/* The frame in one piece, of at most NET_TX_PIECES otherwise. */
void net_tx_flatten(struct net_pair *p, struct net_frame *f);

/* ---- net_ctrl.c ---- */

void net_ctrl_run(struct net *n, struct tenon_vq *vq);

/* ---- net_link.c ---- */

void net_link_init(struct net *n);
bool net_link_is_up(const struct net *n);
/* The peer is gone: says so once, takes the link down, and tries again where it can. */
void net_lost(struct net *n, int err, const char *what);
void net_link_update(struct net *n, bool announce);
void net_link_run(struct net *n);
void net_link_stop(struct net *n);
void net_announced(struct net *n);
void net_space_restore(struct net *n);
void net_link_retry(struct tenon_dev *dev, void *arg); /* of the timer */

/* ---- net_state.c ---- */

extern const struct tenon_state *net_state; /* NULL: save and load are not called */
int net_save(struct tenon_dev *dev, struct tenon_state_w *w);
int net_load(struct tenon_dev *dev, struct tenon_state_r *r, uint32_t version);
int net_start(struct tenon_dev *dev);

/* ---- net_socket.c: what the socket back ends share ---- */

/* Connects to the unix socket @path, non-blocking; -errno. */
int net_socket_connect(const char *path, int type, const char *own_path);
int net_socket_adopt(struct net *n, int type, int other_type);

static inline void net_put16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

static inline uint32_t net_get16(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of vhost-user on a socket: a header, a payload, and descriptors beside them.
 *
 * The socket does not block; a message that comes in pieces is put together.
 */
#ifndef TENON_CORE_SERVE_WIRE_H
#define TENON_CORE_SERVE_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include <tenon/vhost_user.h>

struct error;

struct serve_message {
	struct vhost_user_header header;
	union {
		uint8_t bytes[VHOST_USER_MAX_PAYLOAD];
		uint64_t u64;
		struct vhost_user_vring_state state;
		struct vhost_user_vring_addr addr;
		struct vhost_user_memory memory;
		struct vhost_user_memory_one memory_one;
		struct vhost_user_log log;
		struct vhost_user_config config;
		struct vhost_user_inflight inflight;
	} payload;
	int fds[VHOST_USER_MAX_FDS]; /* owned; -1 where somebody took it */
	uint32_t n_fds;
};

struct serve_wire {
	int fd;      /* owned; -1 = closed */
	size_t have; /* bytes of the message that are here */
	struct serve_message message;
};

void serve_wire_init(struct serve_wire *wire, int fd);
void serve_wire_close(struct serve_wire *wire); /* with what came with half a message */

/* 1 when wire->message is whole, 0 when more is to come, -EPIPE when the peer is gone, or -errno
 * with a sentence. */
int serve_wire_read(struct serve_wire *wire, struct error *err);
/* Takes descriptor @index out of the message. */
int serve_message_take_fd(struct serve_message *message, uint32_t index);
/* The next message may come: closes what nobody took. */
void serve_wire_next(struct serve_wire *wire);

/* @send_fd -1: none goes along.  -EAGAIN from a peer that does not read.  [loop] */
int serve_send(
	int fd, uint32_t request, uint32_t flags, const void *payload, size_t size, int send_fd);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to a back end: requests, answers, and what it said of itself.
 *
 * A sequence of requests has one deadline; when it passes, or the back end breaks the protocol,
 * the connection is of no use any more: every function then fails, and `why` says what happened.
 */
#ifndef VHOST_USER_PEER_H
#define VHOST_USER_PEER_H

#include <stdbool.h>

#include "wire.h"

struct peer {
	int fd;   /* -1 = none */
	int back; /* our end of the socket for the back end's own requests; -1 = none */
	int timeout_ms;
	int64_t deadline_ms;
	uint64_t features, protocol; /* protocol: what both can do */
	uint32_t n_queues;           /* the most it has; 0 = it does not say */
	uint64_t n_slots;            /* of memory regions, one by one; 0 = it does not say */
	bool knows_memory;           /* it was told region by region */
	bool is_prepared;            /* it knows what this driver runs it with */
	bool has_stalled;            /* it let time pass, and the loop with it */
	bool config_changed;         /* it has said so, and nobody has looked */
	char why[160];
};

void peer_init(struct peer *p, int timeout_ms);
/* Takes a connection, or makes one. */
void peer_take(struct peer *p, int fd);
int peer_connect(struct peer *p, const char *path);
void peer_close(struct peer *p);

/* Gives what follows its time. */
void peer_begin(struct peer *p);
/* Asks the first question, and does not wait for the answer. */
int peer_greet(struct peer *p);
/* That answer, then protocol, limits, and the socket for its own requests. */
int peer_handshake(struct peer *p);
static inline bool peer_has(const struct peer *p, unsigned protocol_feature)
{
	return p->protocol >> protocol_feature & 1;
}

/* One request without an answer; where the protocol has acknowledgements, with one. */
int peer_tell(struct peer *p, const struct wire_msg *msg);
int peer_tell_number(struct peer *p, uint32_t request, uint64_t number);
int peer_tell_state(struct peer *p, uint32_t request, uint32_t index, uint32_t number);
/* @fd goes along; -1 = none. */
int peer_tell_vring_fd(struct peer *p, uint32_t request, uint32_t index, int fd);
/* One with an answer, which is checked; descriptors in it are the caller's. */
int peer_ask(struct peer *p, const struct wire_msg *msg, struct wire_msg *ret_reply);
int peer_ask_number(struct peer *p, uint32_t request, uint64_t *ret_number);
/* The configuration from its beginning, and a part of it that the driver wrote. */
int peer_get_config(struct peer *p, void *to, uint32_t size);
int peer_set_config(struct peer *p, uint32_t offset, const void *from, uint32_t size);

/* `back` can be read: takes one request of the back end's own and answers it. */
int peer_serve(struct peer *p);

/* A sequence failed: keeps the reason, as it comes first; returns @err. */
int peer_fail(struct peer *p, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif

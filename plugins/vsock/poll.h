/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sockets of one device, thousands of them, behind one descriptor that the event loop watches.
 *
 * Edges, not levels: a socket is told of once when it becomes readable or writable, and keeps that
 * in mind until it is not.  So one that the guest has no room for costs nothing while it waits.
 */
#ifndef PLUGINS_VSOCK_POLL_H
#define PLUGINS_VSOCK_POLL_H

#include <stdbool.h>
#include <stdint.h>

#define POLL_READ  1u
#define POLL_WRITE 2u
#define POLL_EOF   4u /* the other side will write no more */
#define POLL_HUP   8u /* both directions are at their end, or there was an error */

struct vsock;

/* One socket; embedded first in what it belongs to. */
struct source {
	int fd; /* -1 = none */
	void (*ready)(struct vsock *v, struct source *source, uint32_t events);
	struct source *next_dead;
};

int poll_create(void); /* a descriptor to be watched for reading, or -errno */
/* Edges of everything. */
int poll_add(int poll, struct source *source);
/* A listening socket, by its level: as long as @on. */
int poll_add_listener(int poll, struct source *source);
int poll_listen(int poll, struct source *source, bool on);
/* Takes the socket out and returns it. */
int poll_take(int poll, struct source *source);
/* Takes the socket out and closes it; one without is fine. */
void poll_close(int poll, struct source *source);
/* Calls ready() of those that have something, a batch of them.  A source must not be freed from
 * within; one whose fd is -1 is passed over. */
void poll_run(int poll, struct vsock *v);

#endif

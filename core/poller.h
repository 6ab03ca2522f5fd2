/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the event loop that differs between hosts: waiting for descriptors.  One file per
 * host implements it (epoll on Linux).
 */
#ifndef TENON_CORE_POLLER_H
#define TENON_CORE_POLLER_H

#include <stddef.h>
#include <stdint.h>

struct poller;

#define POLLER_READ  1u
#define POLLER_WRITE 2u
#define POLLER_HUP   4u

struct poller_event {
	void *tag;
	uint32_t events; /* POLLER_* */
};

int poller_create(struct poller **ret_poller); /* 0 or -errno */
void poller_destroy(struct poller *poller);    /* NULL is fine */

/* Level-triggered; @tag comes back with each event.  POLLER_HUP comes unasked: again and again
 * while something is waited for, once where @events is 0.  [any] */
int poller_add(struct poller *poller, int fd, uint32_t events, void *tag);
int poller_modify(struct poller *poller, int fd, uint32_t events, void *tag);
void poller_remove(struct poller *poller, int fd);

/* Makes a wait, or the next one, return.  [any] */
void poller_wake(struct poller *poller);
/*
 * Waits until something is ready, a wake-up, or @timeout_ns (UINT64_MAX = for ever) has passed.
 * Returns how many events were written, 0 for a wake-up or time-out, or -errno.
 */
int poller_wait(
	struct poller *poller, struct poller_event *events, size_t room, uint64_t timeout_ns);

#endif

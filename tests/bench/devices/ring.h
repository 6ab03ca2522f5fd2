/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A driver's ring, worked on in place, so that little but the device is measured: the descriptors
 * are written once, with tk_set_desc(), and a chain that came back is offered anew by its head.
 */
#ifndef TENON_BENCH_RING_H
#define TENON_BENCH_RING_H

#include <stdbool.h>
#include <stdint.h>

#include <tenon/testkit.h>

#define RING_DESC_NEXT  1u
#define RING_DESC_WRITE 2u

struct ring {
	struct tk_dev *d;
	unsigned queue, size;
	volatile uint16_t *avail, *used;
	uint16_t made, seen, kicked;
};

void ring_open(struct ring *r, struct tk_dev *d, unsigned queue);
/* The device sees it from the next ring_kick() on. */
void ring_offer(struct ring *r, uint16_t head);
/* Publishes what was offered, and kicks when the device wants to know. */
void ring_kick(struct ring *r);
/* The next chain that came back, and the bytes in it; false when there is none. */
bool ring_take(struct ring *r, uint16_t *ret_head, uint32_t *ret_size);

/* Asks for an interrupt with the next chain that comes back, and waits for it, unless one is there:
 * for devices in other processes. */
void ring_wait(struct ring *r);
/* The first half of that: whether there is something to wait for, and no chain that came back. */
bool ring_arm(struct ring *r);

#endif

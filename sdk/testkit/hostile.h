/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hostile driver's cases.
 *
 * Before each the device is reset, features are negotiated and every queue is set up; a case of the
 * registers begins with a device that was only reset.  What a case does is judged by hostile.c.
 */
#ifndef TENON_TESTKIT_HOSTILE_H
#define TENON_TESTKIT_HOSTILE_H

#include "sdk/testkit/driver.h"

/* What has to come of it. */
#define MUST_FAULT 1u /* once the device looks at the queue: NEEDS_RESET */
#define MUST_CHECK 2u /* the case itself checks that it was refused */
#define HARMLESS   4u /* anything, as long as nothing is touched and the device lives on */
/* When it applies. */
#define IN_QUEUES     0x10u /* once for each queue, running */
#define AT_REGISTERS  0x20u /* once, after a reset */
#define NEEDS_CONFIG  0x40u /* the device has a configuration */
#define WITH_INDIRECT 0x80u /* indirect descriptors are negotiated */
#define WITH_EVENT    0x100u
#define WITHOUT       0x200u /* only with as few features as can be */
#define AT_SETUP      0x400u /* once for each queue: FEATURES_OK, the other queues are set up */

struct hostile {
	struct tk_dev *d;
	unsigned queue;
	uint64_t features;
};

struct hostile_case {
	const char *name, *what;
	unsigned flags;
	void (*run)(struct hostile *h);
};

extern const struct hostile_case hostile_ring_cases[];
extern const struct hostile_case hostile_indirect_cases[];
extern const struct hostile_case hostile_register_cases[];

/* One direct descriptor as the only chain. */
void hostile_one(
	const struct hostile *h, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next);
/* Memory that the device may write. */
uint64_t hostile_room(uint32_t size);
/* Entries of the queue. */
uint32_t hostile_size(const struct hostile *h);
/* Makes what is on the queue visible to the device and has it look. */
void hostile_offer(const struct hostile *h, uint16_t n);
/* Fails the test for the case. */
__attribute__((format(printf, 2, 3), noreturn)) void hostile_fail(
	const struct hostile *h, const char *format, ...);
void hostile_write_queue(const struct hostile *h, uint32_t size, uint64_t desc, uint64_t avail,
	uint64_t used, bool ready);
/* Pseudo-random, the same each time. */
uint32_t hostile_random(uint64_t *state);

#endif

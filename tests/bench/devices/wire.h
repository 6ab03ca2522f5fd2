/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the network device is at one end of: a pair of unix sockets whose other end a second thread
 * serves, or a TAP interface in a network namespace of this process's own.
 */
#ifndef TENON_BENCH_WIRE_H
#define TENON_BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_PREFIX 4u  /* of a frame on a stream: its length */
#define WIRE_VNET   10u /* of a frame on a TAP: the virtio header */

enum wire_kind { WIRE_DGRAM, WIRE_STREAM, WIRE_TAP };

struct wire {
	enum wire_kind kind;
	bool to_guest;
	uint32_t size; /* of each frame */
	int near, far;
};

/* NULL, or why there can be no TAP here. */
const char *wire_no_tap(void);
/* Kind, direction and size are set; fails as a test does. */
void wire_open(struct wire *w);
/* Its other end begins: to send without end, or to take all that comes. */
void wire_start(struct wire *w);
void wire_wait(const struct wire *w);         /* until the near end can go on */
void wire_frame(uint8_t *frame, size_t size); /* one that no kernel answers */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: a guest's side of vsock on the test kit's driver.  It keeps receive buffers out, tells
 * packets apart and keeps the credit of its sockets as a guest must.
 */
#ifndef PLUGINS_VSOCK_SPEAKER_H
#define PLUGINS_VSOCK_SPEAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tenon/testkit.h>

#include "packet.h"

#define SPEAKER_CID 3u

/* One socket of the guest. */
struct guest_socket {
	uint16_t type;
	uint32_t guest_port, host_port;
	uint32_t buf_alloc, fwd_cnt, tx_cnt; /* ours */
	uint32_t peer_alloc, peer_fwd;       /* as the device said last */
};

struct packet {
	struct header h;
	uint8_t bytes[65536];
};

/* Takes the device over with @n receive buffers of @size bytes for data each. */
void speaker_start(struct tk_dev *dev, unsigned n, size_t size);
/* No more receive buffers from now on (0), or again up to @n. */
void speaker_buffers(unsigned n);
/* A packet as it is. */
void speaker_raw(const struct header *h, const void *bytes, size_t size);
/* One of the socket's, with its credit. */
void speaker_send(
	struct guest_socket *g, uint16_t op, uint32_t flags, const void *bytes, uint32_t size);
uint32_t speaker_credit(const struct guest_socket *g);
/* The next packet from the device, in order; false when there is none. */
bool speaker_next(struct packet *ret);
/* It must be there and have @op; its credit is the socket's then, if one is given. */
struct packet *speaker_expect(struct guest_socket *g, uint16_t op);
/* Nothing must come. */
void speaker_silence(void);
/* A stream from the guest to @host_port, accepted. */
struct guest_socket speaker_connect(uint16_t type, uint32_t guest_port, uint32_t host_port);

#endif

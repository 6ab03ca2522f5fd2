/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small virtio device whose class has a state of every type: what fuzz_state.c loads into, and
 * what its seeds are saved from.
 */
#ifndef TENON_TESTS_FUZZ_STATE_DEVICE_H
#define TENON_TESTS_FUZZ_STATE_DEVICE_H

#include <stdlib.h>
#include <string.h>

#include "sdk/virtio/device_state.h"
#include "tests/fuzz/fake_memory.h"

#define STATE_QUEUES 2u
#define STATE_SIZE   8u
#define STATE_HELD   32u

/* Where its driver's first queue is. */
#define STATE_DESC  0x100u
#define STATE_AVAIL 0x400u
#define STATE_USED  0x800u

struct state_device {
	struct virtio_device vd;
	struct tenon_chain held[STATE_HELD];
	uint32_t held_queue[STATE_HELD], n_held;
	bool keeps;
	/* of the class */
	uint8_t u8, bytes[16];
	uint16_t u16;
	uint32_t u32, n_bytes;
	uint64_t u64;
	char text[16];
};

static inline struct state_device *state_device_of(struct tenon_dev *dev)
{
	return (struct state_device *)(void *)dev;
}

static inline void state_device_ready(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index)
{
	struct state_device *d = state_device_of(dev);
	struct tenon_chain c;

	for (unsigned n = 0; n < 2 * STATE_SIZE && vq_pop(vq, &c) > 0; n++) {
		fake_memory_check(&c);
		if (d->keeps && d->n_held < STATE_HELD) {
			d->held_queue[d->n_held] = index;
			d->held[d->n_held++] = c;
		} else {
			vq_push(vq, &c, (uint32_t)c.in_bytes);
		}
	}
	vq_notify(vq);
}

static inline int state_device_activate(struct tenon_dev *dev, uint64_t features)
{
	struct state_device *d = state_device_of(dev);
	struct tenon_chain c;

	/* One that is loaded finds nothing yet. */
	if (d->vd.held && vq_pop(virtio_queue(&d->vd, 0), &c) != 0)
		abort();
	return features & (1u << 4) ? -5 : 0;
}

static inline void state_device_reset(struct tenon_dev *dev)
{
	state_device_of(dev)->n_held = 0;
}

static inline void state_device_nothing(void *opaque)
{
	(void)opaque;
}

static inline void state_device_make(struct state_device *d)
{
	static const uint16_t sizes[STATE_QUEUES] = { STATE_SIZE, STATE_SIZE };
	static const struct tenon_virtio_ops ops = {
		.struct_size = sizeof(ops),
		.activate = state_device_activate,
		.queue_ready = state_device_ready,
		.reset = state_device_reset,
	};
	const struct tenon_virtio_desc desc = { .struct_size = sizeof(desc),
		.device_id = 63,
		.features = 3u << 3,
		.n_queues = STATE_QUEUES,
		.config_size = 12,
		.queue_sizes = sizes,
		.ops = &ops };
	const struct virtio_env env = { .memory = fake_memory,
		.interrupt = state_device_nothing,
		.defer = state_device_nothing,
		.opaque = d };

	memset(d, 0, sizeof(*d));
	if (virtio_device_init(&d->vd, (struct tenon_dev *)(void *)d, &desc, &env) < 0)
		abort();
}

/* ---- the class ---- */

static inline int state_device_save_class(void *opaque, struct tenon_state_w *w)
{
	const struct state_device *d = opaque;

	(void)state_service.put_u8(w, 1, d->u8);
	(void)state_service.put_u16(w, 2, d->u16);
	(void)state_service.begin(w, 3, "inner", 2);
	(void)state_service.put_u32(w, 1, d->u32);
	(void)state_service.put_u64(w, 2, d->u64);
	(void)state_service.end(w);
	(void)state_service.put_string(w, 4, d->text);
	return state_service.put_bytes(w, 5, d->bytes, d->n_bytes);
}

static inline int state_device_load_class(void *opaque, struct tenon_state_r *r, uint32_t version)
{
	struct state_device *d = opaque;
	int ret;

	(void)state_service.get_u8(r, TENON_STATE_NEED | 1, &d->u8);
	(void)state_service.get_u16(r, 2, &d->u16);
	ret = state_service.enter(r, 3, "inner", 2, &version);
	if (ret > 0) {
		(void)state_service.get_u32(r, 1, &d->u32);
		(void)state_service.get_u64(r, 2, &d->u64);
		(void)state_service.leave(r);
	}
	(void)state_service.get_string(r, 4, d->text, sizeof(d->text));
	return state_service.get_bytes(r, 5, d->bytes, sizeof(d->bytes), &d->n_bytes);
}

static inline struct saved_device state_device_parts(struct state_device *d)
{
	return (struct saved_device){
		.name = "one",
		.type = "fuzz",
		.version = 1,
		.virtio = &d->vd,
		.save = state_device_save_class,
		.load = state_device_load_class,
		.opaque = d,
	};
}

static inline int state_device_save(struct state_device *d, struct tenon_state_w *w)
{
	const struct saved_device parts = state_device_parts(d);

	(void)state_write_begin(w);
	(void)state_service.begin(w, 1, DEVICE_STATE_SECTION, DEVICE_STATE_VERSION);
	(void)device_state_save(w, &parts);
	(void)state_service.end(w);
	return state_write_end(w);
}

#endif

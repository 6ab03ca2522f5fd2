/* SPDX-License-Identifier: Apache-2.0 */
/* States of a device: without a driver, running, and with chains in use. */
#include "tests/fuzz/seeds.h"

#include "tests/fuzz/state_device.h"

#define F_DEVICE   (1u << 3)
#define F_INDIRECT (1u << 28)

static void set(struct state_device *d, uint64_t reg, uint32_t value)
{
	virtio_mmio_write(&d->vd, reg, 4, value);
}

static void drive(struct state_device *d, uint32_t features)
{
	set(d, 0x70, 1);
	set(d, 0x70, 3);
	set(d, 0x24, 1);
	set(d, 0x20, 1);
	set(d, 0x24, 0);
	set(d, 0x20, features);
	set(d, 0x70, 11);
	set(d, 0x38, STATE_SIZE);
	set(d, 0x80, STATE_DESC);
	set(d, 0x90, STATE_AVAIL);
	set(d, 0xa0, STATE_USED);
	set(d, 0x44, 1);
	set(d, 0x70, 15);
	virtio_device_run_deferred(&d->vd);
}

static void store(struct seed *s, uint16_t address, const uint8_t *bytes, uint16_t n)
{
	fake_memory_store(address, bytes, n);
	seed_le(s, address, 2);
	seed_le(s, n, 2);
	seed_put(s, bytes, n);
}

/* Four chains of 32 writable bytes; puts what lies in memory into the seed. */
static void offer(struct seed *s)
{
	uint8_t desc[4 * 16] = { 0 }, avail[4 + 8] = { 0, 0, 4, 0 };

	for (unsigned i = 0; i < 4; i++) {
		desc[16 * i + 1] = (uint8_t)(0x10 + i);
		desc[16 * i + 8] = 32;
		desc[16 * i + 12] = 2;
		avail[4 + 2 * i] = (uint8_t)i;
	}
	store(s, STATE_DESC, desc, sizeof(desc));
	store(s, STATE_AVAIL, avail, sizeof(avail));
}

static void finish(struct state_device *d, struct seed *s, const char *name)
{
	struct tenon_state_w w;

	d->u8 = 1;
	d->u64 = 0x0102030405060708;
	d->n_bytes = 5;
	memcpy(d->text, "text", 5);
	if (state_device_save(d, &w) < 0)
		abort();
	seed_put(s, w.bytes + STATE_HEADER, w.size - STATE_HEADER);
	seed_save("fuzz_state", name, s);
	state_write_free(&w);
	virtio_device_finish(&d->vd);
}

void seeds_state(void)
{
	static struct state_device d;
	static struct seed s;

	fake_memory_reset();
	s = (struct seed){ .n = 0 };
	seed_le(&s, 0, 2);
	state_device_make(&d);
	finish(&d, &s, "no_driver");

	s = (struct seed){ .n = 0 };
	seed_le(&s, 0x0200, 2); /* no flags, two stores */
	offer(&s);
	state_device_make(&d);
	drive(&d, F_DEVICE | F_INDIRECT);
	finish(&d, &s, "running");

	for (unsigned event_idx = 0; event_idx < 2; event_idx++) {
		fake_memory_reset();
		s = (struct seed){ .n = 0 };
		seed_le(&s, 0x0202, 2);
		offer(&s);
		state_device_make(&d);
		d.keeps = true;
		drive(&d, F_DEVICE | event_idx << 29);
		vq_push(virtio_queue(&d.vd, 0), &d.held[1], 7);
		finish(&d, &s, event_idx ? "in_use_event_idx" : "in_use");
	}
}

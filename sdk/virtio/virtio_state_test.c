/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layer's state: a device goes on where another was, chains that it holds come once more and in
 * their order, and what no driver could have brought about is refused.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/state/state.h"
#include "sdk/virtio/virtio_device.h"

#include <cmocka.h> /* last: it has a macro named fail */

#define RAM      0x10000u
#define RAM_SIZE 0x10000u
#define DESC     RAM
#define AVAIL    (RAM + 0x2000u)
#define USED     (RAM + 0x3000u)
#define DATA     (RAM + 0x4000u)
#define SIZE     8u

static uint8_t ram[RAM_SIZE];

struct device {
	struct virtio_device vd;
	unsigned interrupts, defers, activations, resets, ready;
	int activate_error;
	bool pops; /* in queue_ready */
	struct tenon_chain popped[SIZE];
	unsigned n_popped;
};

static struct device a, b;
static struct tenon_state_w w;
static struct tenon_state_r r;

/* ---- the device ---- */

static struct device *of(struct tenon_dev *dev)
{
	return (struct device *)(void *)dev;
}

static int activate(struct tenon_dev *dev, uint64_t features)
{
	struct device *d = of(dev);
	struct tenon_chain c;

	(void)features;
	d->activations++;
	assert_int_equal(vq_pop(virtio_queue(&d->vd, 0), &c), 0); /* not yet */
	assert_int_equal(vq_want_kicks(virtio_queue(&d->vd, 0), 1), 0);
	(void)vq_want_kicks(virtio_queue(&d->vd, 0), 0);
	return d->activate_error;
}

static void pop_all(struct device *d)
{
	struct tenon_vq *vq = virtio_queue(&d->vd, 0);

	while (d->n_popped < SIZE && vq_pop(vq, &d->popped[d->n_popped]) > 0)
		d->n_popped++;
}

static void queue_ready(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index)
{
	(void)vq;
	(void)index;
	of(dev)->ready++;
	if (of(dev)->pops)
		pop_all(of(dev));
}

static void config_written(struct tenon_dev *dev, uint32_t offset, uint32_t size)
{
	(void)dev;
	(void)offset;
	(void)size;
}

static void reset(struct tenon_dev *dev)
{
	of(dev)->resets++;
}

static const struct tenon_virtio_ops ops = {
	.struct_size = sizeof(ops),
	.activate = activate,
	.queue_ready = queue_ready,
	.config_written = config_written,
	.reset = reset,
};

static void *env_map(void *opaque, uint64_t gpa, uint64_t *size, bool write)
{
	(void)opaque;
	(void)write;
	if (gpa < RAM || gpa - RAM >= RAM_SIZE)
		return NULL;
	if (*size > RAM_SIZE - (gpa - RAM))
		*size = RAM_SIZE - (gpa - RAM);
	return ram + (gpa - RAM);
}

static void env_interrupt(void *opaque)
{
	((struct device *)opaque)->interrupts++;
}

static void env_defer(void *opaque)
{
	((struct device *)opaque)->defers++;
}

static void make(struct device *d)
{
	static const uint16_t sizes[] = { SIZE, SIZE };
	static const uint8_t config[] = { 1, 2, 3, 4 };
	const struct tenon_virtio_desc desc = { .struct_size = sizeof(desc),
		.device_id = 63,
		.features = 1u << 3,
		.n_queues = 2,
		.config_size = sizeof(config),
		.queue_sizes = sizes,
		.config = config,
		.ops = &ops };
	const struct virtio_env env = { .memory = { .map = env_map },
		.interrupt = env_interrupt,
		.defer = env_defer,
		.opaque = d };

	memset(d, 0, sizeof(*d));
	assert_int_equal(virtio_device_init(&d->vd, (struct tenon_dev *)(void *)d, &desc, &env), 0);
}

static void put(uint32_t at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		ram[at - RAM + i] = (uint8_t)(value >> (8 * i));
}

static uint16_t get16(uint32_t at)
{
	return (uint16_t)(ram[at - RAM] | ram[at - RAM + 1] << 8);
}

static void set(struct device *d, uint64_t reg, uint32_t value)
{
	virtio_mmio_write(&d->vd, reg, 4, value);
}

/* A driver that has queue 0. */
static void drive(struct device *d)
{
	memset(ram, 0, sizeof(ram));
	set(d, 0x70, 1);
	set(d, 0x70, 3);
	set(d, 0x24, 1);
	set(d, 0x20, 1);
	set(d, 0x24, 0);
	set(d, 0x20, 1u << 3);
	set(d, 0x70, 11);
	set(d, 0x38, SIZE);
	set(d, 0x80, DESC);
	set(d, 0x90, AVAIL);
	set(d, 0xa0, USED);
	set(d, 0x44, 1);
	set(d, 0x70, 15);
	virtio_device_run_deferred(&d->vd);
	assert_true(d->vd.activated);
}

static void offer(unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		put(DESC + i % SIZE * 16, DATA + i % SIZE * 64, 8);
		put(DESC + i % SIZE * 16 + 8, 64, 4);
		put(DESC + i % SIZE * 16 + 12, 2, 2);
		put(AVAIL + 4 + i % SIZE * 2, i % SIZE, 2);
	}
	put(AVAIL + 2, to, 2);
}

static void save(struct device *d)
{
	assert_int_equal(state_write_begin(&w), 0);
	assert_int_equal(virtio_device_save(&d->vd, &w), 0);
	assert_int_equal(state_write_end(&w), 0);
}

static int load(struct device *d)
{
	make(d);
	assert_int_equal(state_read_begin(&r, w.bytes, w.size), 0);
	return virtio_device_load(&d->vd, &r);
}

static int begin(void **unused)
{
	(void)unused;
	make(&a);
	drive(&a);
	return 0;
}

static int finish(void **unused)
{
	(void)unused;
	virtio_device_finish(&a.vd);
	virtio_device_finish(&b.vd);
	state_write_free(&w);
	return 0;
}

/* ---- it goes on ---- */

static void registers_and_configuration_come_back(void **unused)
{
	struct tenon_state_w first;

	(void)unused;
	assert_int_equal(virtio_config_set(&a.vd, 1, "\x42", 1), 0);
	set(&a, 0x30, 1);
	set(&a, 0x14, 7);
	save(&a);
	first = w;
	assert_int_equal(load(&b), 0);
	virtio_device_loaded(&b.vd);
	assert_int_equal(b.activations, 1);
	save(&b);
	assert_int_equal(w.size, first.size);
	assert_memory_equal(w.bytes, first.bytes, w.size);
	state_write_free(&first);
	assert_int_equal(virtio_mmio_read(&b.vd, 0x70, 4), 15);
	assert_int_equal(virtio_mmio_read(&b.vd, 0x101, 1), 0x42);
	assert_int_equal(virtio_mmio_read(&b.vd, 0xfc, 4), 1);
	assert_int_equal(virtio_mmio_read(&b.vd, 0x60, 4), VIRTIO_INT_CONFIG);
	assert_int_equal(b.vd.queue_sel, 1);
	/* An edge of before may be lost. */
	b.interrupts = 0;
	virtio_device_go(&b.vd);
	assert_int_equal(b.interrupts, 1);
	assert_int_equal(b.ready, 1);
}

static void chains_in_use_come_first_and_in_order(void **unused)
{
	struct tenon_vq *vq = virtio_queue(&a.vd, 0);
	static const uint16_t order[] = { 0, 2, 3, 4, 5 };

	(void)unused;
	offer(0, 4);
	pop_all(&a);
	assert_int_equal(a.n_popped, 4);
	vq_push(vq, &a.popped[1], 10);
	offer(4, 6);
	save(&a);
	assert_int_equal(load(&b), 0);
	b.pops = true;
	virtio_device_go(&b.vd);
	assert_int_equal(b.n_popped, 5);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(b.popped[i].head, order[i]);
		assert_int_equal(b.popped[i].in_bytes, 64);
		vq_push(virtio_queue(&b.vd, 0), &b.popped[i], i);
	}
	assert_int_equal(get16(USED + 2), 6);
	assert_int_equal(get16(USED + 4 + 8), 0);
}

static void twice_over_their_order_stays(void **unused)
{
	struct tenon_chain c;

	(void)unused;
	offer(0, 4);
	pop_all(&a);
	vq_unpop(virtio_queue(&a.vd, 0), &a.popped[3]);
	save(&a);
	assert_int_equal(load(&b), 0);
	virtio_device_go(&b.vd);
	assert_int_equal(vq_pop(virtio_queue(&b.vd, 0), &c), 1);
	assert_int_equal(c.head, 0);
	vq_unpop(virtio_queue(&b.vd, 0), &c);
	assert_int_equal(vq_pop(virtio_queue(&b.vd, 0), &c), 1);
	assert_int_equal(c.head, 0);
	/* One of the three is popped anew, and the others are still to come. */
	state_write_free(&w);
	save(&b);
	virtio_device_finish(&b.vd);
	assert_int_equal(load(&b), 0);
	b.pops = true;
	virtio_device_go(&b.vd);
	assert_int_equal(b.n_popped, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(b.popped[i].head, i);
}

static void wanted_kicks_come_back(void **unused)
{
	(void)unused;
	(void)vq_want_kicks(virtio_queue(&a.vd, 0), 1);
	save(&a);
	assert_int_equal(load(&b), 0);
	assert_false(virtio_queue(&b.vd, 0)->ring.kicks); /* activate has changed it */
	virtio_device_loaded(&b.vd);
	assert_true(virtio_queue(&b.vd, 0)->ring.kicks);
}

static void a_broken_ring_stays_broken(void **unused)
{
	struct tenon_chain c;

	(void)unused;
	put(AVAIL + 2, 100, 2);
	assert_int_equal(vq_pop(virtio_queue(&a.vd, 0), &c), -EPROTO);
	save(&a);
	offer(0, 1);
	assert_int_equal(load(&b), 0);
	virtio_device_go(&b.vd);
	assert_int_equal(vq_pop(virtio_queue(&b.vd, 0), &c), 0);
	assert_int_equal(virtio_mmio_read(&b.vd, 0x70, 4), 15 | VIRTIO_STATUS_NEEDS_RESET);
	set(&b, 0x70, 0);
	virtio_device_run_deferred(&b.vd);
	assert_int_equal(b.resets, 1);
	assert_int_equal(virtio_mmio_read(&b.vd, 0x70, 4), 0);
}

static void an_activation_that_was_due_is_made(void **unused)
{
	(void)unused;
	virtio_device_finish(&a.vd);
	make(&a);
	set(&a, 0x70, 1);
	set(&a, 0x24, 1);
	set(&a, 0x20, 1);
	set(&a, 0x70, 15); /* and the loop has not come to it */
	assert_int_equal(a.activations, 0);
	save(&a);
	assert_int_equal(load(&b), 0);
	assert_int_equal(b.activations, 0);
	virtio_device_go(&b.vd);
	assert_int_equal(b.defers, 1);
	virtio_device_run_deferred(&b.vd);
	assert_int_equal(b.activations, 1);
}

static void a_reset_that_was_due_is_made_first(void **unused)
{
	(void)unused;
	set(&a, 0x70, 0); /* the loop has not come to it; the wait is bounded */
	assert_int_equal(a.resets, 0);
	save(&a);
	assert_int_equal(a.resets, 1);
	assert_int_equal(load(&b), 0);
	assert_int_equal(b.activations, 0);
	assert_int_equal(virtio_mmio_read(&b.vd, 0x70, 4), 0);
}

/* ---- what is refused ---- */

static bool search(size_t at, size_t end, uint16_t tag, uint8_t type, struct state_value *ret)
{
	while (state_value_at(w.bytes, at, end, ret)) {
		struct state_value v = *ret;

		if (v.tag == tag && v.type == type)
			return true;
		if (v.type == STATE_SECTION_TYPE && search(v.values, v.end, tag, type, ret))
			return true;
		at = v.end;
	}
	return false;
}

/* The bytes of the first value with this tag and type, at any depth. */
static uint8_t *value(uint16_t tag, uint8_t type)
{
	struct state_value v;

	if (!search(STATE_HEADER, w.size, tag, type, &v))
		fail_msg("there is no tag %u", tag);
	return w.bytes + v.payload;
}

static void refused(const char *why)
{
	assert_int_equal(load(&b), -EPROTO);
	assert_string_equal(r.why, why);
	/* And no driver has it. */
	assert_int_equal(virtio_mmio_read(&b.vd, 0x70, 4), 0);
	assert_false(b.vd.activated || b.vd.running || b.vd.held);
	virtio_device_finish(&b.vd);
}

static void registers_that_cannot_be(void **unused)
{
	uint8_t *at;

	(void)unused;
	save(&a);
	at = value(1, STATE_U32);
	*at = 4;
	refused("it is virtio device 4; wanted 63");
	*at = 63;
	at = value(2, STATE_U8);
	*at = 7;
	refused("the device status is 0x7: DRIVER_OK without FEATURES_OK");
	*at = 11;
	refused("it is said to be active (2) with a device status of 0xb");
	*at = 15;
	at = value(3, STATE_U64);
	at[0] |= 1;
	refused("the driver uses features 0x100000009; this device offers 0x130000008");
	at[0] &= 0xfe;
	at[4] = 0;
	refused("the driver uses features 0x8; this device offers 0x130000008");
	at[4] = 1;
	at = value(6, STATE_U8);
	*at = 4;
	refused("the interrupt status is 0x4; only two bits are known");
	*at = 0;
	at = value(11, STATE_U8);
	*at = 3;
	refused("it is said to be active (3) with a device status of 0xf");
}

static void queues_that_cannot_be(void **unused)
{
	uint8_t *at;

	(void)unused;
	save(&a);
	/* The first u32 with tag 1 behind the registers is the size of queue 0. */
	at = value(0x100, STATE_SECTION_TYPE) + STATE_SECTION + strlen("queue") + STATE_VALUE;
	at[0] = 16;
	refused("queue 0 has 16 entries; wanted at most 8");
	at[0] = 3;
	refused("queue 0: the queue's size is not a power of two up to 32768");
	at[0] = SIZE;
	at = value(0x100, STATE_SECTION_TYPE) + STATE_SECTION + strlen("queue") + 12 + 9 +
	     STATE_VALUE;
	at[3] = 0x80;
	refused("queue 0: the descriptor table is not in memory");
	at[3] = 0;
	at += 16;
	at[3] = 0x80;
	refused("queue 0: the available ring is not in memory");
	at[3] = 0;
	at += 16;
	at[3] = 0x80;
	refused("queue 0: the used ring is not in memory");
}

static uint8_t *ring(void)
{
	return value(6, STATE_SECTION_TYPE) + STATE_SECTION + strlen("ring");
}

static void rings_that_cannot_be(void **unused)
{
	uint8_t *heads;

	(void)unused;
	offer(0, 2);
	pop_all(&a);
	save(&a);
	heads = value(6, STATE_BYTES);
	heads[0] = 8;
	refused("queue 0: a chain in use lies past the descriptor table");
	heads[0] = 1;
	refused("queue 0: a chain is in use twice");
	heads[0] = 0;
	ring()[STATE_VALUE] = 3; /* last_avail */
	refused("queue 0: its indices do not agree with the chains in use");
	ring()[STATE_VALUE] = 2;
	ring()[3 * (STATE_VALUE + 2) + STATE_VALUE] = 2; /* kicks */
	refused("whether kicks are wanted is 2; wanted 0 or 1");
}

static void a_device_that_does_not_want_it(void **unused)
{
	(void)unused;
	save(&a);
	make(&b);
	b.activate_error = -EIO;
	assert_int_equal(state_read_begin(&r, w.bytes, w.size), 0);
	assert_int_equal(virtio_device_load(&b.vd, &r), -EIO);
	assert_string_equal(r.why, "the device could not be activated with features 0x100000008");
	assert_int_equal(b.resets, 0);
}

static void a_device_that_is_in_use(void **unused)
{
	(void)unused;
	save(&a);
	assert_int_equal(state_read_begin(&r, w.bytes, w.size), 0);
	assert_int_equal(virtio_device_load(&a.vd, &r), -EBUSY);
	assert_true(a.vd.activated);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)
	const struct CMUnitTest tests[] = {
		TEST(registers_and_configuration_come_back),
		TEST(chains_in_use_come_first_and_in_order),
		TEST(twice_over_their_order_stays),
		TEST(wanted_kicks_come_back),
		TEST(a_broken_ring_stays_broken),
		TEST(an_activation_that_was_due_is_made),
		TEST(a_reset_that_was_due_is_made_first),
		TEST(registers_that_cannot_be),
		TEST(queues_that_cannot_be),
		TEST(rings_that_cannot_be),
		TEST(a_device_that_does_not_want_it),
		TEST(a_device_that_is_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Rings that somebody else works on: what is offered, what is handed on, what is left alone. */
#include "sdk/virtio/virtio_device.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define RAM_SIZE 0x10000u

#define FEATURES     0x010u
#define FEATURES_SEL 0x014u
#define ACKED        0x020u
#define ACKED_SEL    0x024u
#define INT_ACK      0x064u
#define QUEUE_NUM    0x038u
#define QUEUE_READY  0x044u
#define STATUS       0x070u
#define QUEUE_DESC   0x080u
#define QUEUE_DRIVER 0x090u
#define QUEUE_DEVICE 0x0a0u
#define INT_STATUS   0x060u

static uint8_t ram[RAM_SIZE];

static struct fixture {
	struct virtio_device vd;
	unsigned interrupts, activations, resets;
	uint32_t base_at_activate;
	struct tenon_vq_setup setup;
} f;

static int activate(struct tenon_dev *dev, uint64_t features)
{
	(void)dev;
	(void)features;
	f.activations++;
	f.setup = (struct tenon_vq_setup){ .struct_size = sizeof(f.setup) };
	assert_int_equal(vq_setup(virtio_queue(&f.vd, 0), &f.setup), 0);
	f.base_at_activate = vq_base(virtio_queue(&f.vd, 0));
	return 0;
}

static void queue_ready(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index)
{
	(void)dev;
	(void)vq;
	(void)index;
	fail_msg("the device was asked to look at a ring that is not its own");
}

static void reset(struct tenon_dev *dev)
{
	(void)dev;
	f.resets++;
}

static const struct tenon_virtio_ops ops = {
	.struct_size = sizeof(ops),
	.activate = activate,
	.queue_ready = queue_ready,
	.reset = reset,
};

static void *env_map(void *opaque, uint64_t gpa, uint64_t *size, bool write)
{
	(void)opaque;
	(void)write;
	if (gpa >= RAM_SIZE)
		return NULL;
	if (*size > RAM_SIZE - gpa)
		*size = RAM_SIZE - gpa;
	return ram + gpa;
}

static void env_interrupt(void *opaque)
{
	(void)opaque;
	f.interrupts++;
}

static void env_defer(void *opaque)
{
	(void)opaque;
	virtio_device_run_deferred(&f.vd);
}

static void make(uint64_t features, uint32_t flags)
{
	static const uint16_t sizes[] = { 64 };
	const struct tenon_virtio_desc desc = {
		.struct_size = sizeof(desc),
		.device_id = 2,
		.features = features,
		.n_queues = 1,
		.queue_sizes = sizes,
		.ops = &ops,
		.flags = flags,
	};
	const struct virtio_env env = {
		.memory = { .map = env_map },
		.interrupt = env_interrupt,
		.defer = env_defer,
	};

	f = (struct fixture){ .interrupts = 0 };
	memset(ram, 0, sizeof(ram));
	assert_int_equal(virtio_device_init(&f.vd, NULL, &desc, &env), 0);
}

static int finish(void **state)
{
	(void)state;
	virtio_device_finish(&f.vd);
	return 0;
}

static void set(uint32_t reg, uint32_t value)
{
	virtio_mmio_write(&f.vd, reg, 4, value);
}

static uint64_t offered(void)
{
	uint64_t low;

	set(FEATURES_SEL, 0);
	low = virtio_mmio_read(&f.vd, FEATURES, 4);
	set(FEATURES_SEL, 1);
	return low | virtio_mmio_read(&f.vd, FEATURES, 4) << 32;
}

static void drive(uint32_t desc, uint32_t avail, uint32_t used)
{
	set(STATUS, 3);
	set(ACKED_SEL, 1);
	set(ACKED, 1);
	set(STATUS, 11);
	set(QUEUE_NUM, 16);
	set(QUEUE_DESC, desc);
	set(QUEUE_DRIVER, avail);
	set(QUEUE_DEVICE, used);
	set(QUEUE_READY, 1);
	set(STATUS, 15);
}

/* ---- tests ---- */

static void ring_features_are_those_that_both_can_do(void **state)
{
	(void)state;
	/* Packed rings, in order, notification data and the protocol's bits are not carried. */
	make(1ull << 5 | VIRTIO_F_EVENT_IDX | 1ull << 26 | 1ull << 30 | 1ull << 34 | 1ull << 35 |
			1ull << 38 | 1ull << 41,
		TENON_VIRTIO_EXTERNAL_RINGS);
	assert_int_equal(
		offered(), 1ull << 5 | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1 | 1ull << 41);
}

static void the_setup_is_handed_on(void **state)
{
	(void)state;
	make(0, TENON_VIRTIO_EXTERNAL_RINGS);
	drive(0x1000, 0x2002, 0x3004);
	assert_int_equal(f.activations, 1);
	assert_int_equal(f.setup.size, 16);
	assert_int_equal(f.setup.desc, 0x1000);
	assert_int_equal(f.setup.avail, 0x2002);
	assert_int_equal(f.setup.used, 0x3004);
	assert_int_equal(vq_size(virtio_queue(&f.vd, 0)), 16);
	set(STATUS, 0);
	assert_int_equal(f.resets, 1);
	assert_int_equal(vq_size(virtio_queue(&f.vd, 0)), 0);
}

static void a_shorter_setup_is_filled_as_far_as_it_goes(void **state)
{
	struct tenon_vq_setup s;

	(void)state;
	make(0, TENON_VIRTIO_EXTERNAL_RINGS);
	drive(0x1000, 0x2000, 0x3000);
	memset(&s, 0xee, sizeof(s));
	s.struct_size = offsetof(struct tenon_vq_setup, avail);
	assert_int_equal(vq_setup(virtio_queue(&f.vd, 0), &s), 0);
	assert_int_equal(s.struct_size, offsetof(struct tenon_vq_setup, avail));
	assert_int_equal(s.desc, 0x1000);
	assert_int_equal(s.avail, 0xeeeeeeeeeeeeeeee);
}

static void rings_outside_of_memory_are_refused(void **state)
{
	static const uint32_t bad[][3] = { { RAM_SIZE, 0x2000, 0x3000 },
		{ 0x1000, RAM_SIZE - 4, 0x3000 }, { 0x1000, 0x2000, RAM_SIZE - 16 },
		{ 0x1008, 0x2000, 0x3000 }, { 0x1000, 0x2001, 0x3000 },
		{ 0x1000, 0x2000, 0x3002 } };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		make(0, TENON_VIRTIO_EXTERNAL_RINGS);
		drive(bad[i][0], bad[i][1], bad[i][2]);
		assert_int_equal(f.activations, 0);
		assert_true(virtio_mmio_read(&f.vd, STATUS, 4) & VIRTIO_STATUS_NEEDS_RESET);
		(void)finish(state);
	}
	make(0, TENON_VIRTIO_EXTERNAL_RINGS);
}

static void the_ring_is_left_alone(void **state)
{
	const struct tenon_chain chain = { .generation = 1 };
	uint8_t before[RAM_SIZE];
	struct tenon_chain got;
	struct tenon_vq *vq;

	(void)state;
	make(VIRTIO_F_EVENT_IDX, TENON_VIRTIO_EXTERNAL_RINGS);
	vq = virtio_queue(&f.vd, 0);
	ram[0x2002] = 3; /* three chains are available */
	memcpy(before, ram, sizeof(before));
	drive(0x1000, 0x2000, 0x3000);
	assert_int_equal(vq_pop(vq, &got), 0);
	vq_push(vq, &chain, 0);
	vq_unpop(vq, &chain);
	vq_notify(vq);
	assert_int_equal(vq_want_kicks(vq, 1), 0);
	assert_memory_equal(before, ram, sizeof(before));
	assert_int_equal(f.interrupts, 0);
}

static void interrupts_come_while_a_driver_is_there(void **state)
{
	(void)state;
	make(0, TENON_VIRTIO_EXTERNAL_RINGS);
	vq_interrupt(virtio_queue(&f.vd, 0));
	assert_int_equal(f.interrupts, 0);
	drive(0x1000, 0x2000, 0x3000);
	vq_interrupt(virtio_queue(&f.vd, 0));
	assert_int_equal(f.interrupts, 1);
	assert_int_equal(virtio_mmio_read(&f.vd, INT_STATUS, 4), VIRTIO_INT_QUEUE);
	set(STATUS, 0);
	vq_interrupt(virtio_queue(&f.vd, 0));
	assert_int_equal(f.interrupts, 1);
}

/* Nobody calls vq_interrupt(): the driver finds its reason in the ring. */
static void with_direct_calls_the_ring_says_what_is_new(void **state)
{
	(void)state;
	make(0, TENON_VIRTIO_EXTERNAL_RINGS);
	f.vd.env.direct_calls = true;
	drive(0x1000, 0x2000, 0x3000);
	assert_int_equal(virtio_mmio_read(&f.vd, INT_STATUS, 4), 0);
	ram[0x3002] = 1;
	assert_int_equal(virtio_mmio_read(&f.vd, INT_STATUS, 4), VIRTIO_INT_QUEUE);
	ram[0x3002] = 2; /* not seen yet: it is still news after this */
	set(INT_ACK, VIRTIO_INT_QUEUE);
	assert_int_equal(virtio_mmio_read(&f.vd, INT_STATUS, 4), VIRTIO_INT_QUEUE);
	set(INT_ACK, VIRTIO_INT_QUEUE);
	assert_int_equal(virtio_mmio_read(&f.vd, INT_STATUS, 4), 0);
	ram[0x3002] = 3;
	set(STATUS, 0);
	assert_int_equal(virtio_mmio_read(&f.vd, INT_STATUS, 4), 0);
}

static void the_base_is_kept_until_the_next_driver(void **state)
{
	struct tenon_vq *vq;

	(void)state;
	make(0, TENON_VIRTIO_EXTERNAL_RINGS);
	vq = virtio_queue(&f.vd, 0);
	drive(0x1000, 0x2000, 0x3000);
	vq_set_base(vq, 0x1fffe);
	assert_int_equal(vq_base(vq), 0xfffe);
	set(STATUS, 0);
	drive(0x1000, 0x2000, 0x3000);
	assert_int_equal(f.base_at_activate, 0);
}

static void own_rings_have_none_of_it(void **state)
{
	struct tenon_vq_setup s = { .struct_size = sizeof(s) };
	struct tenon_vq *vq;

	(void)state;
	make(0, 0);
	vq = virtio_queue(&f.vd, 0);
	assert_int_equal(offered(), VIRTIO_LAYER_FEATURES);
	assert_int_equal(vq_setup(vq, &s), -ENOTSUP);
	vq_set_base(vq, 7);
	assert_int_equal(vq_base(vq), 0);
	vq_interrupt(vq);
	assert_int_equal(f.interrupts, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, finish)
	const struct CMUnitTest tests[] = {
		TEST(ring_features_are_those_that_both_can_do),
		TEST(the_setup_is_handed_on),
		TEST(a_shorter_setup_is_filled_as_far_as_it_goes),
		TEST(rings_outside_of_memory_are_refused),
		TEST(the_ring_is_left_alone),
		TEST(interrupts_come_while_a_driver_is_there),
		TEST(with_direct_calls_the_ring_says_what_is_new),
		TEST(the_base_is_kept_until_the_next_driver),
		TEST(own_rings_have_none_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

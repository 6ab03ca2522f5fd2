/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registers, the status machine and what is deferred to the loop (2.1 to 2.5, 4.2.2 of the
 * specification), with a device that only counts.
 */
#include "sdk/virtio/virtio_device.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RAM      0x10000u
#define RAM_SIZE 0x10000u

#define DESC  RAM
#define AVAIL (RAM + 0x2000u)
#define USED  (RAM + 0x3000u)

#define MAGIC        0x000u
#define FEATURES     0x010u
#define FEATURES_SEL 0x014u
#define ACKED        0x020u
#define ACKED_SEL    0x024u
#define QUEUE_SEL    0x030u
#define QUEUE_MAX    0x034u
#define QUEUE_NUM    0x038u
#define QUEUE_READY  0x044u
#define QUEUE_NOTIFY 0x050u
#define INT_STATUS   0x060u
#define INT_ACK      0x064u
#define STATUS       0x070u
#define QUEUE_DESC   0x080u
#define QUEUE_DRIVER 0x090u
#define QUEUE_DEVICE 0x0a0u
#define SHM_SEL      0x0acu
#define SHM_LEN      0x0b0u
#define SHM_BASE     0x0b8u
#define GENERATION   0x0fcu
#define CONFIG       0x100u

#define OWN_FEATURES (1ull << 3 | 1ull << 40)
#define UP           (VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER)
#define UP_OK        (UP | VIRTIO_STATUS_FEATURES_OK)
#define RUNNING      (UP_OK | VIRTIO_STATUS_DRIVER_OK)

static uint8_t ram[RAM_SIZE];

static struct fixture {
	struct virtio_device vd;
	unsigned interrupts, defers, kicks, last_kick, logs;
	char log[256];
	bool defer_at_once;
	unsigned activations, resets, ready, config_writes;
	uint64_t features;
	uint32_t written_at, written_size;
	uint8_t written_bytes[16];
	uint64_t written_sum; /* of the first bytes, in order */
	int activate_error;
	struct tenon_chain held; /* popped by queue_ready when `hold` */
	bool hold;
	int pop_result;
	atomic_int deferred; /* for the threaded test */
} f;

/* ---- the device ---- */

static int activate(struct tenon_dev *dev, uint64_t features)
{
	(void)dev;
	f.activations++;
	f.features = features;
	return f.activate_error;
}

static void queue_ready(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index)
{
	(void)dev;
	(void)index;
	f.ready++;
	if (f.hold)
		f.pop_result = vq_pop(vq, &f.held);
}

static void config_written(struct tenon_dev *dev, uint32_t offset, uint32_t size)
{
	(void)dev;
	f.config_writes++;
	f.written_at = offset;
	f.written_size = size;
	assert_int_equal(virtio_config_get(&f.vd, offset, f.written_bytes, size), 0);
	f.written_sum = f.written_sum * 31 + f.written_bytes[0];
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
	.config_written = config_written,
	.reset = reset,
};

/* ---- what embeds it ---- */

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
	(void)opaque;
	f.interrupts++;
}

static void env_defer(void *opaque)
{
	(void)opaque;
	f.defers++;
	atomic_fetch_add(&f.deferred, 1);
	if (f.defer_at_once)
		virtio_device_run_deferred(&f.vd);
}

static void env_kick(void *opaque, uint32_t index)
{
	(void)opaque;
	f.kicks++;
	f.last_kick = index;
}

static void env_log(void *opaque, const char *text)
{
	(void)opaque;
	f.logs++;
	strncpy(f.log, text, sizeof(f.log) - 1);
}

static const uint16_t sizes[] = { 8, 16 };
static const uint8_t config[] = { 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa };

static struct tenon_virtio_desc make_desc(void)
{
	return (struct tenon_virtio_desc){
		.struct_size = sizeof(struct tenon_virtio_desc),
		.device_id = 42,
		.features = OWN_FEATURES,
		.n_queues = 2,
		.config_size = sizeof(config),
		.queue_sizes = sizes,
		.config = config,
		.ops = &ops,
	};
}

static const struct virtio_env env = {
	.memory = { .map = env_map },
	.interrupt = env_interrupt,
	.defer = env_defer,
	.kick = env_kick,
	.log = env_log,
};

static int set_up(void **state)
{
	const struct tenon_virtio_desc desc = make_desc();

	(void)state;
	memset(&f, 0, sizeof(f));
	memset(ram, 0, sizeof(ram));
	f.defer_at_once = true;
	return virtio_device_init(&f.vd, NULL, &desc, &env);
}

static int tear_down(void **state)
{
	(void)state;
	virtio_device_finish(&f.vd);
	return 0;
}

/* ---- the driver ---- */

static uint32_t get(uint64_t offset)
{
	return (uint32_t)virtio_mmio_read(&f.vd, offset, 4);
}

static void set(uint64_t offset, uint32_t value)
{
	virtio_mmio_write(&f.vd, offset, 4, value);
}

static void accept(uint64_t features)
{
	set(ACKED_SEL, 0);
	set(ACKED, (uint32_t)features);
	set(ACKED_SEL, 1);
	set(ACKED, (uint32_t)(features >> 32));
}

static void set_queue(uint32_t index, uint32_t size, uint64_t desc)
{
	set(QUEUE_SEL, index);
	set(QUEUE_NUM, size);
	set(QUEUE_DESC, (uint32_t)desc);
	set(QUEUE_DESC + 4, (uint32_t)(desc >> 32));
	set(QUEUE_DRIVER, AVAIL);
	set(QUEUE_DRIVER + 4, 0);
	set(QUEUE_DEVICE, USED);
	set(QUEUE_DEVICE + 4, 0);
	set(QUEUE_READY, 1);
}

static void bring_up(void)
{
	set(STATUS, VIRTIO_STATUS_ACKNOWLEDGE);
	set(STATUS, UP);
	accept(VIRTIO_F_VERSION_1 | OWN_FEATURES);
	set(STATUS, UP_OK);
	set_queue(0, 8, DESC);
	set(STATUS, RUNNING);
}

/* One descriptor, made available. */
static void offer(uint16_t head, uint64_t gpa)
{
	uint8_t *d = ram + (DESC - RAM) + head * (size_t)16;
	uint8_t *a = ram + (AVAIL - RAM);

	memset(d, 0, 16);
	d[0] = (uint8_t)gpa;
	d[1] = (uint8_t)(gpa >> 8);
	d[2] = (uint8_t)(gpa >> 16);
	d[8] = 16;
	d[12] = 2;
	a[4 + (a[2] % 8) * 2] = (uint8_t)head;
	a[2]++;
}

/* ---- what is not a device ---- */

static void descriptions_are_checked(void **state)
{
	static const uint16_t wrong[][2] = { { 0, 8 }, { 8, 3 }, { 8, 32769 } };
	struct tenon_virtio_desc desc;
	struct virtio_device vd;

	for (unsigned i = 0; i < 9; i++) {
		desc = make_desc();
		switch (i) {
		case 0:
			desc.device_id = 0;
			break;
		case 1:
			desc.n_queues = 0;
			break;
		case 2:
			desc.n_queues = VIRTIO_MAX_QUEUES + 1;
			break;
		case 3:
			desc.config_size = VIRTIO_MAX_CONFIG + 1;
			break;
		case 4:
			desc.queue_sizes = NULL;
			break;
		case 5:
			desc.ops = NULL;
			break;
		default:
			desc.queue_sizes = wrong[i - 6];
			break;
		}
		assert_int_equal(virtio_device_init(&vd, NULL, &desc, &env), -EINVAL);
	}
}

static void finishing_nothing_is_fine(void **state)
{
	struct virtio_device vd = { .dev = NULL };

	virtio_device_finish(&vd);
}

/* ---- identity, features ---- */

static void says_what_it_is(void **state)
{
	assert_int_equal(get(MAGIC), 0x74726976);
	assert_int_equal(get(4), 2);
	assert_int_equal(get(8), 42);
	assert_int_equal(get(0xc), 0x4e4e4554);
	set(MAGIC, 0);
	set(8, 1);
	assert_int_equal(get(MAGIC), 0x74726976);
	assert_int_equal(get(8), 42);
}

static void offers_its_features_and_the_layers(void **state)
{
	const uint64_t all = OWN_FEATURES | VIRTIO_LAYER_FEATURES;

	set(FEATURES_SEL, 0);
	assert_int_equal(get(FEATURES), (uint32_t)all);
	set(FEATURES_SEL, 1);
	assert_int_equal(get(FEATURES), (uint32_t)(all >> 32));
	set(FEATURES_SEL, 2);
	assert_int_equal(get(FEATURES), 0);
	set(FEATURES_SEL, UINT32_MAX);
	assert_int_equal(get(FEATURES), 0);
}

static void features_that_are_not_offered_are_refused(void **state)
{
	set(STATUS, UP);
	accept(VIRTIO_F_VERSION_1 | 1ull << 4);
	set(STATUS, UP_OK);
	assert_int_equal(get(STATUS), UP);
	accept(OWN_FEATURES); /* not a driver of version 1 */
	set(STATUS, UP_OK);
	assert_int_equal(get(STATUS), UP);
	accept(VIRTIO_F_VERSION_1); /* it may try again */
	set(STATUS, UP_OK);
	assert_int_equal(get(STATUS), UP_OK);
}

static void features_are_settled_by_features_ok(void **state)
{
	set(STATUS, UP);
	accept(VIRTIO_F_VERSION_1 | 1ull << 3);
	set(STATUS, UP_OK);
	accept(VIRTIO_F_VERSION_1 | OWN_FEATURES);
	set(STATUS, RUNNING);
	assert_int_equal(f.features, VIRTIO_F_VERSION_1 | 1ull << 3);
}

/* ---- status ---- */

static void driver_ok_activates_once(void **state)
{
	bring_up();
	assert_int_equal(get(STATUS), RUNNING);
	assert_int_equal(f.activations, 1);
	assert_int_equal(f.features, VIRTIO_F_VERSION_1 | OWN_FEATURES);
	assert_int_equal(f.ready, 1); /* the one queue that is set up */
	set(STATUS, RUNNING);
	assert_int_equal(f.activations, 1);
}

static void driver_ok_needs_features_ok(void **state)
{
	set(STATUS, UP);
	set(STATUS, UP | VIRTIO_STATUS_DRIVER_OK);
	assert_int_equal(get(STATUS), UP);
	assert_int_equal(f.activations, 0);
	assert_int_equal(f.defers, 0);
}

static void bits_go_only_by_a_reset(void **state)
{
	bring_up();
	set(STATUS, VIRTIO_STATUS_ACKNOWLEDGE);
	assert_int_equal(get(STATUS), RUNNING);
	set(STATUS, 0);
	assert_int_equal(get(STATUS), 0);
}

static void needs_reset_is_the_devices(void **state)
{
	set(STATUS, UP | VIRTIO_STATUS_NEEDS_RESET);
	assert_int_equal(get(STATUS), UP);
	bring_up();
	virtio_fault(&f.vd, "why");
	assert_int_equal(get(STATUS), RUNNING | VIRTIO_STATUS_NEEDS_RESET);
	set(STATUS, RUNNING);
	assert_int_equal(get(STATUS), RUNNING | VIRTIO_STATUS_NEEDS_RESET);
}

static void a_fault_is_told_once(void **state)
{
	virtio_fault(&f.vd, "before it runs");
	assert_int_equal(get(STATUS), 0);
	assert_int_equal(f.logs, 0);
	bring_up();
	virtio_fault(&f.vd, "first");
	virtio_fault(&f.vd, "second");
	assert_string_equal(f.log, "first");
	assert_int_equal(f.logs, 1);
	assert_int_equal(f.interrupts, 1);
	assert_int_equal(get(INT_STATUS), VIRTIO_INT_CONFIG);
}

static void a_bad_chain_asks_for_a_reset(void **state)
{
	struct tenon_chain c;

	bring_up();
	offer(0, 0x900000);
	assert_int_equal(vq_pop(virtio_queue(&f.vd, 0), &c), -EPROTO);
	assert_int_equal(get(STATUS), RUNNING | VIRTIO_STATUS_NEEDS_RESET);
	assert_string_equal(f.log,
		"the driver put a descriptor that points outside of memory on queue 0; "
		"it must reset the device");
	assert_int_equal(vq_pop(virtio_queue(&f.vd, 0), &c), 0);
}

static void an_activation_that_fails_asks_for_a_reset(void **state)
{
	f.activate_error = -EIO;
	bring_up();
	assert_int_equal(get(STATUS), RUNNING | VIRTIO_STATUS_NEEDS_RESET);
	assert_int_equal(f.ready, 0);
	set(STATUS, 0);
	assert_int_equal(f.resets, 0); /* it was never activated */
}

static void a_ring_that_cannot_be_used_asks_for_a_reset(void **state)
{
	set(STATUS, UP);
	accept(VIRTIO_F_VERSION_1);
	set(STATUS, UP_OK);
	set_queue(0, 8, DESC);
	set_queue(1, 8, 0x900000);
	set(STATUS, RUNNING);
	assert_int_equal(f.activations, 0);
	assert_int_equal(get(STATUS), RUNNING | VIRTIO_STATUS_NEEDS_RESET);
	assert_string_equal(f.log, "queue 1 cannot be used: the descriptor table is not in memory");
	assert_int_equal(vq_size(virtio_queue(&f.vd, 0)), 0);
}

/* ---- queues ---- */

static void queues_are_found_by_number(void **state)
{
	set(QUEUE_SEL, 0);
	assert_int_equal(get(QUEUE_MAX), 8);
	set(QUEUE_SEL, 1);
	assert_int_equal(get(QUEUE_MAX), 16);
	set(QUEUE_SEL, 2);
	assert_int_equal(get(QUEUE_MAX), 0);
	set(QUEUE_READY, 1);
	assert_int_equal(get(QUEUE_READY), 0);
	assert_null(virtio_queue(&f.vd, 2));
	assert_int_equal(vq_size(virtio_queue(&f.vd, 0)), 0);
	bring_up();
	assert_int_equal(vq_size(virtio_queue(&f.vd, 0)), 8);
	assert_int_equal(vq_size(virtio_queue(&f.vd, 1)), 0);
}

static void a_size_past_the_largest_is_not_taken(void **state)
{
	set(STATUS, UP);
	accept(VIRTIO_F_VERSION_1);
	set(STATUS, UP_OK);
	set_queue(0, 16, DESC);
	set(STATUS, RUNNING);
	assert_int_equal(f.activations, 0);
	assert_int_equal(get(STATUS), RUNNING | VIRTIO_STATUS_NEEDS_RESET);
}

static void queues_stay_as_they_are_while_it_runs(void **state)
{
	bring_up();
	set(QUEUE_SEL, 0);
	set(QUEUE_READY, 0);
	assert_int_equal(get(QUEUE_READY), 1);
	set_queue(1, 16, DESC);
	assert_int_equal(get(QUEUE_READY), 0);
}

static void high_halves_of_addresses_count(void **state)
{
	set(STATUS, UP);
	accept(VIRTIO_F_VERSION_1);
	set(STATUS, UP_OK);
	set_queue(0, 8, DESC | 1ull << 32);
	set(STATUS, RUNNING);
	assert_int_equal(get(STATUS), RUNNING | VIRTIO_STATUS_NEEDS_RESET);
}

static void kicks_name_a_queue(void **state)
{
	set(QUEUE_NOTIFY, 1);
	assert_int_equal(f.kicks, 1);
	assert_int_equal(f.last_kick, 1);
	set(QUEUE_NOTIFY, 2);
	set(QUEUE_NOTIFY, UINT32_MAX);
	virtio_mmio_write(&f.vd, QUEUE_NOTIFY, 2, 1);
	assert_int_equal(f.kicks, 1);
	virtio_device_queue_ready(&f.vd, 0); /* too early */
	virtio_device_queue_ready(&f.vd, 7);
	assert_int_equal(f.ready, 0);
}

static void what_is_pushed_interrupts(void **state)
{
	struct tenon_vq *vq = virtio_queue(&f.vd, 0);
	struct tenon_chain c;

	bring_up();
	offer(0, RAM + 0x8000);
	assert_int_equal(vq_pop(vq, &c), 1);
	vq_push(vq, &c, 4);
	assert_int_equal(f.interrupts, 0);
	vq_notify(vq);
	assert_int_equal(f.interrupts, 1);
	vq_notify(vq);
	assert_int_equal(f.interrupts, 1);
	assert_int_equal(get(INT_STATUS), VIRTIO_INT_QUEUE);
	set(INT_ACK, 2);
	assert_int_equal(get(INT_STATUS), VIRTIO_INT_QUEUE);
	set(INT_ACK, 1);
	assert_int_equal(get(INT_STATUS), 0);
}

/* ---- accesses ---- */

static void registers_take_whole_words_only(void **state)
{
	virtio_mmio_write(&f.vd, STATUS, 1, 1);
	virtio_mmio_write(&f.vd, STATUS, 2, 1);
	virtio_mmio_write(&f.vd, STATUS, 8, 1);
	virtio_mmio_write(&f.vd, STATUS + 1, 4, 1);
	assert_int_equal(get(STATUS), 0);
	assert_int_equal(virtio_mmio_read(&f.vd, MAGIC, 1), 0);
	assert_int_equal(virtio_mmio_read(&f.vd, MAGIC + 2, 4), 0);
}

static void the_configuration_takes_every_size(void **state)
{
	assert_int_equal(virtio_mmio_read(&f.vd, CONFIG, 1), 0x11);
	assert_int_equal(virtio_mmio_read(&f.vd, CONFIG + 1, 2), 0x3322);
	assert_int_equal(virtio_mmio_read(&f.vd, CONFIG + 3, 4), 0x77665544);
	assert_int_equal(virtio_mmio_read(&f.vd, CONFIG + 2, 8), 0xaa99887766554433);
	assert_int_equal(virtio_mmio_read(&f.vd, CONFIG + 3, 8), 0); /* one past the end */
	assert_int_equal(virtio_mmio_read(&f.vd, CONFIG + 10, 1), 0);
	assert_int_equal(virtio_mmio_read(&f.vd, UINT64_MAX, 1), 0);
}

static void configuration_writes_are_told_on_the_loop(void **state)
{
	f.defer_at_once = false;
	virtio_mmio_write(&f.vd, CONFIG + 2, 2, 0xbeef);
	virtio_mmio_write(&f.vd, CONFIG + 7, 1, 0x42);
	virtio_mmio_write(&f.vd, CONFIG + 9, 2, 0xffff); /* past the end */
	assert_int_equal(f.config_writes, 0);
	virtio_device_run_deferred(&f.vd);
	assert_int_equal(f.config_writes, 2);
	assert_int_equal(f.written_at, 7);
	assert_int_equal(f.written_size, 1);
	assert_int_equal(virtio_mmio_read(&f.vd, CONFIG + 2, 2), 0xbeef);
	assert_int_equal(virtio_mmio_read(&f.vd, CONFIG + 9, 1), 0xaa);
	virtio_device_run_deferred(&f.vd);
	assert_int_equal(f.config_writes, 2);
}

/* A register that is written again and again is a stream of values. */
static void every_configuration_write_is_told_with_its_own_value(void **state)
{
	uint64_t sum = 0;
	uint8_t now;

	f.defer_at_once = false;
	for (unsigned i = 1; i < VIRTIO_MAX_WRITES; i++) {
		virtio_mmio_write(&f.vd, CONFIG + 4, 1, i);
		sum = sum * 31 + i;
	}
	virtio_device_run_deferred(&f.vd);
	assert_int_equal(f.config_writes, VIRTIO_MAX_WRITES - 1);
	assert_int_equal(f.written_sum, sum);
	virtio_mmio_write(&f.vd, CONFIG + 4, 1, 99);
	assert_int_equal(virtio_config_get(&f.vd, 4, &now, 1), 0);
	assert_int_equal(now, 99);
}

static void too_many_configuration_writes_end_as_one(void **state)
{
	f.defer_at_once = false;
	for (unsigned i = 1; i < VIRTIO_MAX_WRITES; i++)
		virtio_mmio_write(&f.vd, CONFIG + 4, 1, i);
	virtio_mmio_write(&f.vd, CONFIG + 5, 1, 1);
	virtio_mmio_write(&f.vd, CONFIG + 2, 2, 0x0102);
	virtio_mmio_write(&f.vd, CONFIG + 7, 1, 2);
	virtio_mmio_write(&f.vd, CONFIG + 4, 1, 200);
	virtio_device_run_deferred(&f.vd);
	assert_int_equal(f.config_writes, VIRTIO_MAX_WRITES);
	assert_int_equal(f.written_at, 2);
	assert_int_equal(f.written_size, 6);
	assert_int_equal(f.written_bytes[2], 200);
	assert_int_equal(f.written_bytes[5], 2);
}

static void a_change_moves_the_generation(void **state)
{
	const uint8_t same[] = { 0x11, 0x22 }, other[] = { 0x12, 0x22 };
	uint32_t before = get(GENERATION);
	uint8_t read[2];

	assert_int_equal(virtio_config_set(&f.vd, 0, same, 2), 0);
	assert_int_equal(get(GENERATION), before);
	assert_int_equal(virtio_config_set(&f.vd, 0, other, 2), 0);
	assert_int_not_equal(get(GENERATION), before);
	assert_int_equal(f.interrupts, 0); /* nobody is there to hear it */
	bring_up();
	assert_int_equal(virtio_config_set(&f.vd, 0, same, 2), 0);
	assert_int_equal(f.interrupts, 1);
	assert_int_equal(get(INT_STATUS), VIRTIO_INT_CONFIG);
	assert_int_equal(virtio_config_get(&f.vd, 0, read, 2), 0);
	assert_memory_equal(read, same, 2);
	assert_int_equal(virtio_config_set(&f.vd, 9, same, 2), -ERANGE);
	assert_int_equal(virtio_config_get(&f.vd, UINT32_MAX, read, 2), -ERANGE);
}

/* ---- a configuration in pages ---- */

static const struct tenon_virtio_page the_pages[] = {
	{ .key = { 1, 0 }, .size = 3, .bytes = "one" },
	{ .key = { 1, 2, 99 }, .size = 8, .bytes = "onetwo!!" }, /* the key has two bytes */
	{ .key = { 7, 0 }, .size = 0 },
};

static const struct tenon_virtio_ops no_ops = { .struct_size = sizeof(no_ops) };

static struct tenon_virtio_desc paged_desc(const struct tenon_virtio_ops *with)
{
	struct tenon_virtio_desc desc = make_desc();

	desc.pages = the_pages;
	desc.n_pages = 3;
	desc.page_key = 2;
	desc.ops = with;
	return desc;
}

static uint64_t page_of(uint8_t select, uint8_t subsel)
{
	virtio_mmio_write(&f.vd, CONFIG, 1, select);
	virtio_mmio_write(&f.vd, CONFIG + 1, 1, subsel);
	return virtio_mmio_read(&f.vd, CONFIG + 2, 8);
}

static void a_key_shows_its_page_at_once(void **state)
{
	const struct tenon_virtio_desc desc = paged_desc(&no_ops);

	virtio_device_finish(&f.vd);
	assert_int_equal(virtio_device_init(&f.vd, NULL, &desc, &env), 0);
	f.defer_at_once = false;
	assert_int_equal(virtio_mmio_read(&f.vd, CONFIG + 2, 1), 0x33); /* the first contents */
	assert_int_equal(page_of(1, 0), 0x656e6f);
	assert_int_equal(page_of(1, 2), 0x21216f7774656e6f);
	assert_int_equal(page_of(1, 1), 0);
	assert_int_equal(page_of(7, 0), 0);
	assert_int_equal(virtio_mmio_read(&f.vd, CONFIG, 2), 7);
	virtio_mmio_write(&f.vd, CONFIG, 2, 1); /* in one write */
	assert_int_equal(virtio_mmio_read(&f.vd, CONFIG + 2, 4), 0x656e6f);
	virtio_mmio_write(&f.vd, CONFIG + 1, 2, 0); /* half of it is not the key */
	virtio_mmio_write(&f.vd, CONFIG + 2, 1, 0xff);
	assert_int_equal(virtio_mmio_read(&f.vd, CONFIG + 2, 4), 0x656e6f);
	assert_int_equal(f.interrupts, 0);
}

static void a_key_is_told_where_writes_are(void **state)
{
	const struct tenon_virtio_desc desc = paged_desc(&ops);

	virtio_device_finish(&f.vd);
	assert_int_equal(virtio_device_init(&f.vd, NULL, &desc, &env), 0);
	assert_int_equal(page_of(1, 0), 0x656e6f);
	assert_int_equal(f.config_writes, 2);
	virtio_mmio_write(&f.vd, CONFIG + 4, 1, 0x42);
	assert_int_equal(virtio_mmio_read(&f.vd, CONFIG + 2, 4), 0x426e6f);
	assert_int_equal(f.config_writes, 3);
}

static void pages_that_cannot_be_are_refused(void **state)
{
	struct tenon_virtio_page page = { .key = { 1 }, .size = 9, .bytes = "123456789" };
	struct virtio_device vd;

	for (int i = 0; i < 4; i++) {
		struct tenon_virtio_desc desc = paged_desc(&ops);

		if (i == 0)
			desc.page_key = 0;
		else if (i == 1)
			desc.page_key = 5;
		else if (i == 2)
			desc.pages = &page; /* one byte too many */
		else
			desc.config_size = 1;
		desc.n_pages = 1;
		assert_int_equal(virtio_device_init(&vd, NULL, &desc, &env), -EINVAL);
	}
}

static void shared_memory_is_found_by_number(void **state)
{
	assert_int_equal(virtio_device_set_shm(&f.vd, 1, 0x123456789000, 0x200000000), 0);
	assert_int_equal(virtio_device_set_shm(&f.vd, VIRTIO_MAX_SHM, 0, 0), -EINVAL);
	set(SHM_SEL, 1);
	assert_int_equal(get(SHM_LEN), 0);
	assert_int_equal(get(SHM_LEN + 4), 2);
	assert_int_equal(get(SHM_BASE), 0x56789000);
	assert_int_equal(get(SHM_BASE + 4), 0x1234);
	for (uint32_t sel = 0; sel < 6; sel++) {
		set(SHM_SEL, sel);
		if (sel == 1)
			continue;
		assert_int_equal(get(SHM_LEN), UINT32_MAX);
		assert_int_equal(get(SHM_LEN + 4), UINT32_MAX);
	}
}

/* ---- resets ---- */

static void a_reset_is_back_to_the_beginning(void **state)
{
	bring_up();
	virtio_fault(&f.vd, "why");
	set(STATUS, 0);
	assert_int_equal(f.resets, 1);
	assert_int_equal(get(STATUS), 0);
	assert_int_equal(get(INT_STATUS), 0);
	set(QUEUE_SEL, 0);
	assert_int_equal(get(QUEUE_READY), 0);
	assert_int_equal(vq_size(virtio_queue(&f.vd, 0)), 0);
	set(STATUS, 0);
	assert_int_equal(f.resets, 1);
	memset(ram, 0, sizeof(ram));
	bring_up();
	assert_int_equal(f.activations, 2);
	assert_int_equal(get(STATUS), RUNNING);
}

static void a_chain_of_before_the_reset_is_refused(void **state)
{
	struct tenon_vq *vq = virtio_queue(&f.vd, 0);
	struct tenon_chain old, now;

	bring_up();
	offer(0, RAM + 0x8000);
	assert_int_equal(vq_pop(vq, &old), 1);
	set(STATUS, 0);
	memset(ram, 0, sizeof(ram));
	bring_up();
	offer(0, RAM + 0x8000);
	assert_int_equal(vq_pop(vq, &now), 1);
	vq_push(vq, &old, 1);
	vq_unpop(vq, &old);
	assert_int_equal(ram[USED - RAM + 2], 0);
	vq_push(vq, &now, 1);
	assert_int_equal(ram[USED - RAM + 2], 1);
}

static void a_reset_that_overtakes_driver_ok(void **state)
{
	f.defer_at_once = false;
	bring_up();
	f.defer_at_once = true;
	set(STATUS, 0);
	assert_int_equal(f.activations, 0);
	assert_int_equal(f.resets, 0);
	virtio_device_run_deferred(&f.vd);
	assert_int_equal(f.activations, 0);
}

static void a_reset_of_the_machine_needs_no_driver(void **state)
{
	bring_up();
	virtio_device_machine_reset(&f.vd);
	assert_int_equal(f.resets, 1);
	assert_int_equal(get(STATUS), 0);
	virtio_device_machine_reset(&f.vd);
	assert_int_equal(f.resets, 1);
	bring_up();
	assert_int_equal(f.activations, 2);
}

/* 2.4.1: until the device has let go of the driver's memory, the status is not 0.  A driver that
 * does not look is kept waiting for a while only. */
static void the_status_says_when_a_reset_is_over(void **state)
{
	bring_up();
	f.defer_at_once = false;
	set(STATUS, 0);
	assert_int_not_equal(get(STATUS), 0);
	assert_int_equal(f.resets, 0);
	virtio_device_run_deferred(&f.vd);
	assert_int_equal(f.resets, 1);
	assert_int_equal(get(STATUS), 0);
}

static void a_driver_that_does_not_look_comes_again(void **state)
{
	bring_up();
	f.defer_at_once = false;
	set(STATUS, 0);
	bring_up();
	virtio_device_run_deferred(&f.vd);
	assert_int_equal(f.resets, 1);
	assert_int_equal(f.activations, 2);
	assert_int_equal(get(STATUS), RUNNING);
}

static void *vcpu_main(void *arg)
{
	(void)arg;
	set(STATUS, 0);
	return NULL;
}

/* A vCPU resets while the loop has a chain in its hands: the write returns once it let go. */
static void a_reset_waits_for_the_loop(void **state)
{
	struct tenon_vq *vq = virtio_queue(&f.vd, 0);

	for (int i = 0; i < 20; i++) {
		pthread_t vcpu;
		int before;

		memset(ram, 0, sizeof(ram));
		f.defer_at_once = f.hold = true;
		offer(0, RAM + 0x8000);
		bring_up();
		assert_int_equal(f.pop_result, 1);
		f.defer_at_once = false;
		before = atomic_load(&f.deferred);
		assert_int_equal(pthread_create(&vcpu, NULL, vcpu_main, NULL), 0);
		while (atomic_load(&f.deferred) == before)
			(void)sched_yield();
		vq_push(vq, &f.held, 16); /* comes too late */
		vq_notify(vq);
		assert_int_equal(f.resets, i);
		virtio_device_run_deferred(&f.vd);
		assert_int_equal(pthread_join(vcpu, NULL), 0);
		assert_int_equal(f.resets, i + 1);
		assert_int_equal(ram[USED - RAM + 2], 0);
		assert_int_equal(get(INT_STATUS), 0);
	}
}

#define DEVICE_TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DEVICE_TEST(descriptions_are_checked),
		DEVICE_TEST(finishing_nothing_is_fine),
		DEVICE_TEST(says_what_it_is),
		DEVICE_TEST(offers_its_features_and_the_layers),
		DEVICE_TEST(features_that_are_not_offered_are_refused),
		DEVICE_TEST(features_are_settled_by_features_ok),
		DEVICE_TEST(driver_ok_activates_once),
		DEVICE_TEST(driver_ok_needs_features_ok),
		DEVICE_TEST(bits_go_only_by_a_reset),
		DEVICE_TEST(needs_reset_is_the_devices),
		DEVICE_TEST(a_fault_is_told_once),
		DEVICE_TEST(a_bad_chain_asks_for_a_reset),
		DEVICE_TEST(an_activation_that_fails_asks_for_a_reset),
		DEVICE_TEST(a_ring_that_cannot_be_used_asks_for_a_reset),
		DEVICE_TEST(queues_are_found_by_number),
		DEVICE_TEST(a_size_past_the_largest_is_not_taken),
		DEVICE_TEST(queues_stay_as_they_are_while_it_runs),
		DEVICE_TEST(high_halves_of_addresses_count),
		DEVICE_TEST(kicks_name_a_queue),
		DEVICE_TEST(what_is_pushed_interrupts),
		DEVICE_TEST(registers_take_whole_words_only),
		DEVICE_TEST(the_configuration_takes_every_size),
		DEVICE_TEST(configuration_writes_are_told_on_the_loop),
		DEVICE_TEST(every_configuration_write_is_told_with_its_own_value),
		DEVICE_TEST(too_many_configuration_writes_end_as_one),
		DEVICE_TEST(a_key_shows_its_page_at_once),
		DEVICE_TEST(a_key_is_told_where_writes_are),
		DEVICE_TEST(pages_that_cannot_be_are_refused),
		DEVICE_TEST(a_change_moves_the_generation),
		DEVICE_TEST(shared_memory_is_found_by_number),
		DEVICE_TEST(a_reset_is_back_to_the_beginning),
		DEVICE_TEST(a_chain_of_before_the_reset_is_refused),
		DEVICE_TEST(a_reset_that_overtakes_driver_ok),
		DEVICE_TEST(a_reset_of_the_machine_needs_no_driver),
		DEVICE_TEST(the_status_says_when_a_reset_is_over),
		DEVICE_TEST(a_driver_that_does_not_look_comes_again),
		DEVICE_TEST(a_reset_waits_for_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

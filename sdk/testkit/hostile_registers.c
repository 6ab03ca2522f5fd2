/* SPDX-License-Identifier: Apache-2.0 */
/* What a driver may write to registers that it must not (2.1, 2.2, 2.5, 4.2.2). */
#include <pthread.h>
#include <sched.h>

#include "sdk/testkit/hostile.h"

#define FINE (TK_S_ACKNOWLEDGE | TK_S_DRIVER)

static void acknowledge(const struct hostile *h, uint64_t features)
{
	tk_set_reg(h->d, REG_STATUS, TK_S_ACKNOWLEDGE);
	tk_set_reg(h->d, REG_STATUS, FINE);
	tk_set_reg(h->d, REG_DRIVER_FEATURES_SEL, 1);
	tk_set_reg(h->d, REG_DRIVER_FEATURES, (uint32_t)(features >> 32));
	tk_set_reg(h->d, REG_DRIVER_FEATURES_SEL, 0);
	tk_set_reg(h->d, REG_DRIVER_FEATURES, (uint32_t)features);
	tk_set_reg(h->d, REG_STATUS, FINE | TK_S_FEATURES_OK);
}

/* ---- features and status ---- */

static void unknown_features(struct hostile *h)
{
	uint64_t offered = tk_features(h->d);

	for (unsigned bit = 0; bit < 64; bit++) {
		if (offered >> bit & 1)
			continue;
		tk_driver_reset(h->d);
		acknowledge(h, TK_F_VERSION_1 | 1ull << bit);
		if (tk_status(h->d) & TK_S_FEATURES_OK)
			hostile_fail(h, "feature %u is not offered and was accepted", bit);
	}
}

static void no_version_1(struct hostile *h)
{
	acknowledge(h, tk_features(h->d) & ~TK_F_VERSION_1);
	if (tk_status(h->d) & TK_S_FEATURES_OK)
		hostile_fail(h, "a driver of the old kind was accepted");
}

static void high_feature_words(struct hostile *h)
{
	for (uint32_t sel = 2; sel != 0; sel *= 2) {
		tk_set_reg(h->d, REG_DEVICE_FEATURES_SEL, sel);
		if (tk_reg(h->d, REG_DEVICE_FEATURES) != 0)
			hostile_fail(h, "word %u offers features", sel);
		tk_set_reg(h->d, REG_DRIVER_FEATURES_SEL, sel);
		tk_set_reg(h->d, REG_DRIVER_FEATURES, UINT32_MAX);
	}
}

static void features_after_ok(struct hostile *h)
{
	if (tk_negotiate(h->d, h->features) < 0)
		hostile_fail(h, "the features were refused");
	tk_set_reg(h->d, REG_DRIVER_FEATURES_SEL, 0);
	tk_set_reg(h->d, REG_DRIVER_FEATURES, UINT32_MAX);
	tk_set_reg(h->d, REG_DRIVER_FEATURES_SEL, 1);
	tk_set_reg(h->d, REG_DRIVER_FEATURES, UINT32_MAX);
	for (unsigned i = 0; i < tk_n_queues(h->d); i++)
		(void)tk_queue(h->d, i, 0);
	if (tk_driver_ok(h->d) < 0)
		hostile_fail(h, "features that came too late were not ignored");
}

static void ok_without_features_ok(struct hostile *h)
{
	tk_set_reg(h->d, REG_STATUS, FINE);
	tk_set_reg(h->d, REG_STATUS, FINE | TK_S_DRIVER_OK);
	tk_run_until_idle(h->d);
	if (tk_status(h->d) & TK_S_DRIVER_OK)
		hostile_fail(h, "DRIVER_OK was accepted without FEATURES_OK");
}

static void ok_at_once(struct hostile *h)
{
	tk_set_reg(h->d, REG_STATUS, TK_S_DRIVER_OK);
	tk_run_until_idle(h->d);
	if (tk_status(h->d) & TK_S_DRIVER_OK)
		hostile_fail(h, "DRIVER_OK was accepted as the first of all");
}

static void needs_reset_by_driver(struct hostile *h)
{
	tk_set_reg(h->d, REG_STATUS, FINE | TK_S_NEEDS_RESET);
	if (tk_status(h->d) & TK_S_NEEDS_RESET)
		hostile_fail(h, "the driver could set DEVICE_NEEDS_RESET");
}

static void every_status(struct hostile *h)
{
	for (uint32_t status = 1; status < 256; status++) {
		tk_set_reg(h->d, REG_STATUS, status);
		tk_run_until_idle(h->d);
		if (status % 3 == 0)
			tk_driver_reset(h->d);
	}
}

static void status_wide(struct hostile *h)
{
	tk_set_reg(h->d, REG_STATUS, 0xffffff00u);
	tk_run_until_idle(h->d);
	tk_set_reg(h->d, REG_STATUS, 0xffffffffu);
	tk_run_until_idle(h->d);
}

static void status_clears_bits(struct hostile *h)
{
	if (tk_driver(h->d, h->features, 0) < 0)
		hostile_fail(h, "the driver could not start");
	tk_set_reg(h->d, REG_STATUS, TK_S_ACKNOWLEDGE);
	tk_run_until_idle(h->d);
	if (!(tk_status(h->d) & TK_S_DRIVER_OK))
		hostile_fail(h, "a status bit went without a reset");
}

static void ok_twice(struct hostile *h)
{
	if (tk_driver(h->d, h->features, 0) < 0)
		hostile_fail(h, "the driver could not start");
	for (int i = 0; i < 3; i++)
		if (tk_driver_ok(h->d) < 0)
			hostile_fail(h, "DRIVER_OK once more was no good");
}

static void failed(struct hostile *h)
{
	if (tk_driver(h->d, h->features, 0) < 0)
		hostile_fail(h, "the driver could not start");
	tk_set_reg(h->d, REG_STATUS, tk_status(h->d) | TK_S_FAILED);
	tk_run_until_idle(h->d);
}

static void ok_without_queues(struct hostile *h)
{
	if (tk_negotiate(h->d, h->features) < 0)
		hostile_fail(h, "the features were refused");
	(void)tk_driver_ok(h->d);
	for (unsigned i = 0; i < tk_n_queues(h->d); i++)
		tk_set_reg(h->d, REG_QUEUE_NOTIFY, i);
	tk_run_until_idle(h->d);
}

/* ---- queues ---- */

static struct tk_ring good_ring(void)
{
	struct tk_ring r = { 4, tk_alloc(64, 16), tk_alloc(14, 2), tk_alloc(38, 4) };

	tk_mem_allow(r.used, 38);
	return r;
}

static void set_up(const struct hostile *h, const struct tk_ring *r)
{
	hostile_write_queue(h, r->size, r->desc, r->avail, r->used, true);
}

static void size_zero(struct hostile *h)
{
	struct tk_ring r = good_ring();

	r.size = 0;
	set_up(h, &r);
}

static void size_three(struct hostile *h)
{
	struct tk_ring r = good_ring();

	r.size = 3;
	set_up(h, &r);
}

static void size_too_large(struct hostile *h)
{
	struct tk_ring r = good_ring();

	tk_set_reg(h->d, REG_QUEUE_SEL, h->queue);
	r.size = tk_reg(h->d, REG_QUEUE_NUM_MAX) * 2;
	set_up(h, &r);
}

static void size_max(struct hostile *h)
{
	struct tk_ring r = good_ring();

	r.size = UINT32_MAX;
	set_up(h, &r);
}

static void size_wraps_16(struct hostile *h)
{
	struct tk_ring r = good_ring();

	r.size = 0x10004;
	set_up(h, &r);
}

static void ready_unset(struct hostile *h)
{
	tk_set_reg(h->d, REG_QUEUE_SEL, h->queue);
	tk_set_reg(h->d, REG_QUEUE_READY, 1);
}

#define BAD_RING(name, member, value)                                                              \
	static void name(struct hostile *h)                                                        \
	{                                                                                          \
		struct tk_ring r = good_ring();                                                    \
                                                                                                   \
		r.member = value;                                                                  \
		set_up(h, &r);                                                                     \
	}

BAD_RING(desc_off_by_one, desc, r.desc + 1)
BAD_RING(desc_off_by_8, desc, r.desc + 8)
BAD_RING(avail_off_by_one, avail, r.avail + 1)
BAD_RING(used_off_by_one, used, r.used + 1)
BAD_RING(used_off_by_2, used, r.used + 2)
BAD_RING(desc_nowhere, desc, TK_HOLE)
BAD_RING(avail_nowhere, avail, TK_HOLE)
BAD_RING(used_nowhere, used, TK_HOLE)
BAD_RING(desc_runs_out, desc, TK_RAM_C + TK_RAM_SIZE - 48)
BAD_RING(avail_runs_out, avail, TK_RAM_C + TK_RAM_SIZE - 12)
BAD_RING(used_runs_out, used, TK_RAM_C + TK_RAM_SIZE - 36)
BAD_RING(desc_straddles, desc, TK_RAM_B - 32)
BAD_RING(avail_straddles, avail, TK_RAM_B - 8)
BAD_RING(used_straddles, used, TK_RAM_B - 20)
BAD_RING(desc_wraps, desc, UINT64_MAX - 31)
BAD_RING(avail_wraps, avail, UINT64_MAX - 7)
BAD_RING(used_wraps, used, UINT64_MAX - 19)
BAD_RING(used_in_rom, used, TK_ROM)
BAD_RING(desc_in_rom, desc, TK_ROM)
BAD_RING(avail_in_rom, avail, TK_ROM)

static void all_in_one_place(struct hostile *h)
{
	struct tk_ring r = good_ring();

	tk_mem_allow(r.desc, 64);
	r.avail = r.used = r.desc;
	set_up(h, &r);
}

static void rings_of_another(struct hostile *h)
{
	struct tk_ring r = good_ring();

	if (tk_n_queues(h->d) < 2)
		return;
	r = tk_ring(h->d, h->queue ? 0 : 1);
	set_up(h, &r);
}

static void absent_queue(struct hostile *h)
{
	const uint32_t absent[] = { tk_n_queues(h->d), 0xffff, 0x10000, UINT32_MAX };

	for (unsigned i = 0; i < 4; i++) {
		tk_set_reg(h->d, REG_QUEUE_SEL, absent[i]);
		tk_set_reg(h->d, REG_QUEUE_NUM, 4);
		tk_set_reg(h->d, REG_QUEUE_READY, 1);
		if (tk_reg(h->d, REG_QUEUE_NUM_MAX) || tk_reg(h->d, REG_QUEUE_READY))
			hostile_fail(h, "queue %u is there", absent[i]);
	}
}

static void notify_absent(struct hostile *h)
{
	const uint32_t absent[] = { tk_n_queues(h->d), 0xffff, 0x10000, UINT32_MAX };

	if (tk_driver(h->d, h->features, 0) < 0)
		hostile_fail(h, "the driver could not start");
	for (unsigned i = 0; i < 4; i++)
		tk_set_reg(h->d, REG_QUEUE_NOTIFY, absent[i]);
	tk_run_until_idle(h->d);
}

static void notify_early(struct hostile *h)
{
	for (unsigned i = 0; i < tk_n_queues(h->d); i++)
		tk_set_reg(h->d, REG_QUEUE_NOTIFY, i);
	tk_run_until_idle(h->d);
}

/* ---- configuration, odd accesses ---- */

static void config_out_of_range(struct hostile *h)
{
	struct tenon_region *r = kit_virtio_window(h->d);
	uint32_t size = kit_virtio_layer(h->d)->desc.config_size;

	for (uint32_t width = 1; width <= 8; width *= 2) {
		const uint64_t at[] = { size, size + 1, size - width + 1, 4096 - 256 - width,
			4096 - 256, UINT64_MAX - 256, UINT32_MAX };

		for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
			(void)kit_region_read(r, REG_CONFIG + at[i], width);
			kit_region_write(r, REG_CONFIG + at[i], width, UINT64_MAX);
		}
	}
	tk_run_until_idle(h->d);
}

static void config_every_byte(struct hostile *h)
{
	uint32_t size = kit_virtio_layer(h->d)->desc.config_size;

	for (uint32_t at = 0; at < size; at++)
		for (uint32_t width = 1; width <= 8; width *= 2) {
			uint64_t old = tk_config(h->d, at, width);

			tk_set_config(h->d, at, width, ~old);
			tk_run_until_idle(h->d);
			tk_set_config(h->d, at, width, old);
			tk_run_until_idle(h->d);
		}
}

static void odd_sizes(struct hostile *h)
{
	struct tenon_region *r = kit_virtio_window(h->d);

	for (uint64_t at = 0; at < REG_CONFIG + 16; at++)
		for (uint32_t width = 0; width <= 16; width++) {
			if (width == 4 && at % 4 == 0)
				continue;
			(void)kit_region_read(r, at, width);
			kit_region_write(r, at, width, UINT64_MAX);
		}
	tk_run_until_idle(h->d);
	if (tk_status(h->d) != 0)
		hostile_fail(h, "an access that was not 32 bits wide changed the status");
}

static void window_end(struct hostile *h)
{
	struct tenon_region *r = kit_virtio_window(h->d);

	for (uint64_t at = 4080; at < 4112; at++)
		for (uint32_t width = 1; width <= 8; width *= 2) {
			(void)kit_region_read(r, at, width);
			kit_region_write(r, at, width, UINT64_MAX);
		}
}

static void every_register(struct hostile *h)
{
	static const uint32_t values[] = { 0, 1, 0x80000000u, UINT32_MAX };

	for (uint32_t at = 0; at < REG_CONFIG; at += 4)
		for (unsigned i = 0; i < 4; i++) {
			if (at == REG_STATUS)
				continue;
			(void)tk_reg(h->d, at);
			tk_set_reg(h->d, at, values[i]);
		}
	tk_run_until_idle(h->d);
}

static void shm_of_nothing(struct hostile *h)
{
	tk_set_reg(h->d, REG_SHM_SEL, UINT32_MAX);
	if (tk_reg(h->d, 0xb0) != UINT32_MAX || tk_reg(h->d, 0xb4) != UINT32_MAX)
		hostile_fail(h, "there is a shared memory region with the last of all numbers");
}

static void random_registers(struct hostile *h, uint64_t seed)
{
	struct tenon_region *r = kit_virtio_window(h->d);

	for (unsigned i = 0; i < 3000; i++) {
		uint64_t at = hostile_random(&seed) % (i % 4 ? 0x110 : 0x1100);
		uint32_t width = 1u << (hostile_random(&seed) % 4);
		uint64_t value = hostile_random(&seed);

		if (hostile_random(&seed) % 3) {
			at &= ~3ull;
			width = 4;
		}
		if (hostile_random(&seed) % 2)
			value &= 0xff;
		if (hostile_random(&seed) % 4)
			kit_region_write(r, at, width, value);
		else
			(void)kit_region_read(r, at, width);
		if (i % 16 == 0)
			(void)tk_step();
	}
	tk_run_until_idle(h->d);
}

static void random_1(struct hostile *h)
{
	random_registers(h, 1);
}

static void random_2(struct hostile *h)
{
	random_registers(h, 0x9e3779b97f4a7c15);
}

static void random_3(struct hostile *h)
{
	random_registers(h, 0x123456789);
}

/* Random writes to a device that runs. */
static void random_running(struct hostile *h)
{
	if (tk_driver(h->d, h->features, 0) < 0)
		hostile_fail(h, "the driver could not start");
	random_registers(h, 0xdeadbeef);
}

/* ---- resets ---- */

/* The first @steps of taking a device over; true when there are no more. */
static bool take_over(const struct hostile *h, unsigned steps)
{
	unsigned n = tk_n_queues(h->d);

	if (steps-- == 0)
		return false;
	tk_set_reg(h->d, REG_STATUS, TK_S_ACKNOWLEDGE);
	if (steps-- == 0)
		return false;
	tk_set_reg(h->d, REG_STATUS, FINE);
	if (steps-- == 0)
		return false;
	if (tk_negotiate(h->d, h->features) < 0)
		hostile_fail(h, "the features were refused");
	for (unsigned i = 0; i < n; i++) {
		if (steps-- == 0)
			return false;
		if (tk_queue(h->d, i, 8) < 0)
			hostile_fail(h, "queue %u was refused", i);
	}
	if (steps-- == 0)
		return false;
	tk_set_reg(h->d, REG_STATUS, tk_status(h->d) | TK_S_DRIVER_OK);
	if (steps-- == 0)
		return false; /* not yet activated: the loop has not run */
	tk_run_until_idle(h->d);
	for (unsigned i = 0; i < n; i++) {
		if (steps-- == 0)
			return false;
		(void)tk_in(h->d, i, 32);
		tk_set_reg(h->d, REG_QUEUE_NOTIFY, i);
		if (steps-- == 0)
			return false;
		tk_run_until_idle(h->d);
	}
	return steps == 0;
}

static void reset_at_every_step(struct hostile *h)
{
	bool end = false;

	for (unsigned steps = 0; !end; steps++) {
		end = take_over(h, steps);
		tk_driver_reset(h->d);
		if (tk_status(h->d) != 0)
			hostile_fail(h, "the status is 0x%x after a reset at step %u",
				tk_status(h->d), steps);
		if (tk_driver(h->d, h->features, 0) < 0)
			hostile_fail(h, "no new start after a reset at step %u", steps);
		tk_driver_reset(h->d);
	}
}

static void reset_often(struct hostile *h)
{
	for (int i = 0; i < 50; i++)
		tk_driver_reset(h->d);
	for (int i = 0; i < 5; i++) {
		if (tk_driver(h->d, h->features, 0) < 0)
			hostile_fail(h, "no start after %d resets", i);
		tk_driver_reset(h->d);
		tk_driver_reset(h->d);
	}
}

struct thread {
	const struct hostile *h;
	atomic_bool done;
};

static void *reset_main(void *arg)
{
	struct thread *t = arg;

	tk_set_reg(t->h->d, REG_STATUS, 0);
	while (tk_status(t->h->d) != 0)
		(void)sched_yield();
	atomic_store(&t->done, true);
	return NULL;
}

/* Another vCPU resets while the loop works on the queues. */
static void reset_from_thread(struct hostile *h)
{
	for (int i = 0; i < 4; i++) {
		struct thread t = { .h = h };
		pthread_t thread;

		if (tk_driver(h->d, h->features, 0) < 0)
			hostile_fail(h, "no start after %d resets", i);
		for (unsigned q = 0; q < tk_n_queues(h->d); q++)
			for (int n = 0; n < 4; n++) {
				(void)tk_in(h->d, q, 16);
				tk_kick(h->d, q);
			}
		if (pthread_create(&thread, NULL, reset_main, &t) != 0)
			hostile_fail(h, "cannot start a thread");
		while (!atomic_load(&t.done))
			if (!tk_step())
				(void)sched_yield();
		(void)pthread_join(thread, NULL);
		tk_run_until_idle(h->d);
		kit_driver_forget(h->d);
	}
}

#define REG(name, what, flags)                                                                     \
	{                                                                                          \
#name, what, AT_REGISTERS | (flags), name                                          \
	}
#define SETUP(name, what, flags)                                                                   \
	{                                                                                          \
#name, what, AT_SETUP | (flags), name                                              \
	}

const struct hostile_case hostile_register_cases[] = {
	REG(unknown_features, "each feature that is not offered", MUST_CHECK),
	REG(no_version_1, "no VERSION_1", MUST_CHECK),
	REG(high_feature_words, "feature words past the second", MUST_CHECK),
	REG(features_after_ok, "features after FEATURES_OK", MUST_CHECK),
	REG(ok_without_features_ok, "DRIVER_OK without FEATURES_OK", MUST_CHECK),
	REG(ok_at_once, "DRIVER_OK as the first write", MUST_CHECK),
	REG(needs_reset_by_driver, "NEEDS_RESET written by the driver", MUST_CHECK),
	REG(every_status, "every status there is", HARMLESS),
	REG(status_wide, "a status of more than eight bits", HARMLESS),
	REG(status_clears_bits, "a status that takes bits back", MUST_CHECK),
	REG(ok_twice, "DRIVER_OK again", MUST_CHECK),
	REG(failed, "FAILED while it runs", HARMLESS),
	REG(ok_without_queues, "DRIVER_OK with no queue set up", HARMLESS),
	SETUP(size_zero, "a queue of no entries", MUST_FAULT),
	SETUP(size_three, "a queue of three entries", MUST_FAULT),
	SETUP(size_too_large, "a queue twice as large as can be", MUST_FAULT),
	SETUP(size_max, "a queue of 2^32-1 entries", MUST_FAULT),
	SETUP(size_wraps_16, "a queue of 65536+4 entries", MUST_FAULT),
	SETUP(ready_unset, "QueueReady with nothing else written", MUST_FAULT),
	SETUP(desc_off_by_one, "a descriptor table off by 1", MUST_FAULT),
	SETUP(desc_off_by_8, "a descriptor table off by 8", MUST_FAULT),
	SETUP(avail_off_by_one, "an available ring off by 1", MUST_FAULT),
	SETUP(used_off_by_one, "a used ring off by 1", MUST_FAULT),
	SETUP(used_off_by_2, "a used ring off by 2", MUST_FAULT),
	SETUP(desc_nowhere, "a descriptor table in a hole", MUST_FAULT),
	SETUP(avail_nowhere, "an available ring in a hole", MUST_FAULT),
	SETUP(used_nowhere, "a used ring in a hole", MUST_FAULT),
	SETUP(desc_runs_out, "a descriptor table past the end of memory", MUST_FAULT),
	SETUP(avail_runs_out, "an available ring past the end of memory", MUST_FAULT),
	SETUP(used_runs_out, "a used ring past the end of memory", MUST_FAULT),
	SETUP(desc_straddles, "a descriptor table across two regions", HARMLESS),
	SETUP(avail_straddles, "an available ring across two regions", HARMLESS),
	SETUP(used_straddles, "a used ring across two regions", HARMLESS),
	SETUP(desc_wraps, "a descriptor table that wraps around", MUST_FAULT),
	SETUP(avail_wraps, "an available ring that wraps around", MUST_FAULT),
	SETUP(used_wraps, "a used ring that wraps around", MUST_FAULT),
	SETUP(used_in_rom, "a used ring in read-only memory", MUST_FAULT),
	SETUP(desc_in_rom, "a descriptor table in read-only memory", HARMLESS),
	SETUP(avail_in_rom, "an available ring in read-only memory", HARMLESS),
	SETUP(all_in_one_place, "all three parts of a ring in one place", HARMLESS),
	SETUP(rings_of_another, "two queues in the same ring", HARMLESS),
	REG(absent_queue, "setting up a queue that is not there", MUST_CHECK),
	REG(notify_absent, "QueueNotify of a queue that is not there", HARMLESS),
	REG(notify_early, "QueueNotify before DRIVER_OK", HARMLESS),
	REG(config_out_of_range, "accesses past the configuration", HARMLESS),
	REG(config_every_byte, "every byte of the configuration written", HARMLESS),
	REG(odd_sizes, "accesses that are not 32 bits or not aligned", MUST_CHECK),
	REG(window_end, "accesses at the end of the window", HARMLESS),
	REG(every_register, "every register read and written", HARMLESS),
	REG(shm_of_nothing, "a shared memory region that is not there", MUST_CHECK),
	REG(random_1, "3000 random accesses", HARMLESS),
	REG(random_2, "3000 other random accesses", HARMLESS),
	REG(random_3, "3000 more", HARMLESS),
	REG(random_running, "3000 random accesses to a running device", HARMLESS),
	REG(reset_at_every_step, "a reset after each step of the start", MUST_CHECK),
	REG(reset_often, "many resets", MUST_CHECK),
	REG(reset_from_thread, "a reset by another vCPU while queues are served", MUST_CHECK),
	{ NULL, NULL, 0, NULL },
};

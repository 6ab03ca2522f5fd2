/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conformance suite: what the Virtio specification 1.2 demands of a device, as tests that any
 * device can be put to.  sdk/virtio/CONFORMANCE.md lists the demands and the tests for them.
 *
 * A test is given a device that was started and that no driver has touched.  It fails through
 * CHECK_FAIL() or TK_EQ() and its like, and returns NULL or why it does not apply to this device.
 */
#ifndef TENON_CHECK_CONFORMANCE_H
#define TENON_CHECK_CONFORMANCE_H

#include <tenon/testkit.h>

/* Without a place in the suite. */
#define CHECK_FAIL(...) tk_fail_at(NULL, 0, __VA_ARGS__)

struct conformance {
	const char *name;
	const char *section;
	const char *(*run)(struct tk_dev *d);
};

extern const struct conformance conformance[];
extern const unsigned n_conformance;

/* The registers of virtio-mmio that the kit has no function for (4.2.2). */
enum {
	REG_MAGIC = 0x000,
	REG_VERSION = 0x004,
	REG_DEVICE_FEATURES = 0x010,
	REG_DEVICE_FEATURES_SEL = 0x014,
	REG_DRIVER_FEATURES = 0x020,
	REG_DRIVER_FEATURES_SEL = 0x024,
	REG_QUEUE_SEL = 0x030,
	REG_QUEUE_NUM_MAX = 0x034,
	REG_QUEUE_NUM = 0x038,
	REG_QUEUE_READY = 0x044,
	REG_QUEUE_NOTIFY = 0x050,
	REG_INTERRUPT_STATUS = 0x060,
	REG_INTERRUPT_ACK = 0x064,
	REG_STATUS = 0x070,
	REG_QUEUE_DESC = 0x080,
	REG_QUEUE_DRIVER = 0x090,
	REG_QUEUE_DEVICE = 0x0a0,
	REG_SHM_SEL = 0x0ac,
	REG_SHM_LEN_LOW = 0x0b0,
	REG_SHM_LEN_HIGH = 0x0b4,
	REG_CONFIG_GENERATION = 0x0fc,
};

#define INT_QUEUE  1u
#define INT_CONFIG 2u

#define DESC_NEXT     1u
#define DESC_WRITE    2u
#define DESC_INDIRECT 4u

/* A request that the device answers by itself, found by trying: which queue, and what it is made
 * of.  Ring tests use it. */
struct willing {
	unsigned queue;
	uint32_t out, in; /* bytes; zeroes */
};

#define NOT_WILLING "no queue answers a plain request by itself"

/* Leaves the device with a driver that accepted everything; false when no queue does. */
int find_willing(struct tk_dev *d, struct willing *ret_willing);
struct tk_buf *add_willing(struct tk_dev *d, const struct willing *w);
/* Adds one, kicks, and waits; the length that was used, or fails the test. */
long long ask_willing(struct tk_dev *d, const struct willing *w);
/* Puts the descriptors of such a request at @index on with no allocation of the kit's; for tests
 * that write rings themselves.  Returns how many descriptors it took (one or two). */
unsigned write_willing(struct tk_dev *d, const struct willing *w, unsigned index, uint64_t out_gpa,
	uint64_t in_gpa);

/* conformance_status.c */
const char *status_is_zero_after_reset(struct tk_dev *d);
const char *nothing_moves_before_driver_ok(struct tk_dev *d);
const char *error_sets_needs_reset(struct tk_dev *d);
const char *needs_reset_is_notified(struct tk_dev *d);
const char *features_bring_what_they_need(struct tk_dev *d);
const char *ring_features_are_the_layers(struct tk_dev *d);
const char *any_subset_is_accepted(struct tk_dev *d);
const char *features_not_offered_are_refused(struct tk_dev *d);
const char *same_features_again_are_accepted(struct tk_dev *d);
const char *version_1_is_offered(struct tk_dev *d);
const char *reset_is_silent(struct tk_dev *d);
const char *reset_gives_a_working_device(struct tk_dev *d);

/* conformance_mmio.c */
const char *magic_value(struct tk_dev *d);
const char *version_2(struct tk_dev *d);
const char *device_id_is_set(struct tk_dev *d);
const char *feature_words_past_the_end_are_zero(struct tk_dev *d);
const char *queues_past_the_end_have_no_size(struct tk_dev *d);
const char *interrupt_status_lasts_until_ack(struct tk_dev *d);
const char *interrupt_status_has_no_other_bits(struct tk_dev *d);
const char *reset_clears_interrupt_status(struct tk_dev *d);
const char *reset_clears_queue_ready(struct tk_dev *d);
const char *queue_that_is_not_ready_is_left_alone(struct tk_dev *d);
const char *shm_that_is_not_there_has_all_ones(struct tk_dev *d);
const char *config_is_readable_before_features_ok(struct tk_dev *d);
const char *config_reads_alike_in_every_width(struct tk_dev *d);
const char *generation_rests_while_config_does(struct tk_dev *d);
const char *generation_follows_config(struct tk_dev *d);
const char *config_change_is_notified(struct tk_dev *d);

/* conformance_ring.c */
const char *every_queue_size_works(struct tk_dev *d);
const char *framing_does_not_matter(struct tk_dev *d);
const char *readable_memory_is_left_alone(struct tk_dev *d);
const char *indirect_ignores_the_write_flag(struct tk_dev *d);
const char *indirect_after_direct(struct tk_dev *d);
const char *used_len_comes_before_idx(struct tk_dev *d);
const char *used_len_was_written(struct tk_dev *d);
const char *used_len_fits(struct tk_dev *d);
const char *each_chain_is_used_once(struct tk_dev *d);
const char *indices_wrap(struct tk_dev *d);

/* conformance_notify.c */
const char *used_event_is_ignored_without_event_idx(struct tk_dev *d);
const char *flag_0_brings_a_notification(struct tk_dev *d);
const char *flag_1_brings_none(struct tk_dev *d);
const char *flag_is_ignored_with_event_idx(struct tk_dev *d);
const char *used_event_brings_a_notification(struct tk_dev *d);
const char *other_indices_bring_none(struct tk_dev *d);
const char *used_flags_are_0_or_1(struct tk_dev *d);
const char *used_flags_are_0_with_event_idx(struct tk_dev *d);
const char *spurious_kicks_are_harmless(struct tk_dev *d);

#endif

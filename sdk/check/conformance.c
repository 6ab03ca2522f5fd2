/* SPDX-License-Identifier: Apache-2.0 */
/* The list of the suite, and the request that its ring tests are made with. */
#include "sdk/check/conformance.h"

#define TEST(section, name)                                                                        \
	{                                                                                          \
#name, section, name                                                               \
	}

const struct conformance conformance[] = {
	TEST("2.1.2", status_is_zero_after_reset),
	TEST("2.1.2", nothing_moves_before_driver_ok),
	TEST("2.1.2", error_sets_needs_reset),
	TEST("2.1.2", needs_reset_is_notified),
	TEST("2.2.2", features_bring_what_they_need),
	TEST("2.2.2", ring_features_are_the_layers),
	TEST("2.2.2", any_subset_is_accepted),
	TEST("2.2.2", features_not_offered_are_refused),
	TEST("2.2.2", same_features_again_are_accepted),
	TEST("2.4.1", reset_is_silent),
	TEST("2.4.1", reset_gives_a_working_device),
	TEST("2.5.2", config_is_readable_before_features_ok),
	TEST("2.7", every_queue_size_works),
	TEST("2.7.4.1", framing_does_not_matter),
	TEST("2.7.5.1", readable_memory_is_left_alone),
	TEST("2.7.5.3.2", indirect_ignores_the_write_flag),
	TEST("2.7.5.3.2", indirect_after_direct),
	TEST("2.7.7.2", used_event_is_ignored_without_event_idx),
	TEST("2.7.7.2", flag_0_brings_a_notification),
	TEST("2.7.7.2", flag_1_brings_none),
	TEST("2.7.7.2", flag_is_ignored_with_event_idx),
	TEST("2.7.7.2", used_event_brings_a_notification),
	TEST("2.7.7.2", other_indices_bring_none),
	TEST("2.7.8", each_chain_is_used_once),
	TEST("2.7.8", indices_wrap),
	TEST("2.7.8.2", used_len_comes_before_idx),
	TEST("2.7.8.2", used_len_was_written),
	TEST("2.7.8.2", used_len_fits),
	TEST("2.7.10.2", used_flags_are_0_or_1),
	TEST("2.7.10.2", used_flags_are_0_with_event_idx),
	TEST("2.7.10.2", spurious_kicks_are_harmless),
	TEST("4.2.2", device_id_is_set),
	TEST("4.2.2", feature_words_past_the_end_are_zero),
	TEST("4.2.2", queues_past_the_end_have_no_size),
	TEST("4.2.2", shm_that_is_not_there_has_all_ones),
	TEST("4.2.2", config_reads_alike_in_every_width),
	TEST("4.2.2.1", magic_value),
	TEST("4.2.2.1", version_2),
	TEST("4.2.2.1", interrupt_status_lasts_until_ack),
	TEST("4.2.2.1", interrupt_status_has_no_other_bits),
	TEST("4.2.2.1", reset_clears_interrupt_status),
	TEST("4.2.2.1", reset_clears_queue_ready),
	TEST("4.2.2.1", generation_rests_while_config_does),
	TEST("4.2.2.1", generation_follows_config),
	TEST("4.2.2.1", config_change_is_notified),
	TEST("4.2.2.1", queue_that_is_not_ready_is_left_alone),
	TEST("6.2", version_1_is_offered),
};

const unsigned n_conformance = sizeof(conformance) / sizeof(conformance[0]);

/* ---- a request that is answered ---- */

struct tk_buf *add_willing(struct tk_dev *d, const struct willing *w)
{
	static const uint8_t zeroes[64];

	return tk_request(d, w->queue, w->out ? zeroes : NULL, w->out, w->in);
}

static int answers(struct tk_dev *d, const struct willing *w)
{
	struct tk_buf *b;

	if (tk_driver(d, UINT64_MAX, 0) < 0)
		CHECK_FAIL("a driver cannot take it over");
	b = add_willing(d, w);
	tk_kick(d, w->queue);
	tk_run_until_idle(d);
	return tk_used_len(b) >= 0 && !(tk_status(d) & TK_S_NEEDS_RESET);
}

int find_willing(struct tk_dev *d, struct willing *ret_willing)
{
	/* To read from, to write to, to read a disk's first sector with, to ask and be told. */
	static const struct willing shapes[] = { { 0, 0, 64 }, { 0, 64, 0 }, { 0, 16, 513 },
		{ 0, 64, 64 } };
	unsigned n = tk_n_queues(d);

	for (unsigned queue = 0; queue < n && queue < 8; queue++)
		for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
			struct willing w = shapes[i];

			w.queue = queue;
			if (!answers(d, &w))
				continue;
			if (tk_driver(d, UINT64_MAX, 0) < 0)
				CHECK_FAIL("a driver cannot take it over again");
			*ret_willing = w;
			return 1;
		}
	return 0;
}

long long ask_willing(struct tk_dev *d, const struct willing *w)
{
	struct tk_buf *b = add_willing(d, w);
	long long len;

	tk_kick(d, w->queue);
	tk_run_until_idle(d);
	len = tk_used_len(b);
	if (len < 0)
		CHECK_FAIL("a request on queue %u is not answered any more", w->queue);
	tk_free(b);
	return len;
}

unsigned write_willing(struct tk_dev *d, const struct willing *w, unsigned index, uint64_t out_gpa,
	uint64_t in_gpa)
{
	unsigned n = 0;

	if (w->out)
		tk_set_desc(d, w->queue, index + n++, out_gpa, w->out, w->in ? DESC_NEXT : 0,
			(uint16_t)(index + 1));
	if (w->in)
		tk_set_desc(d, w->queue, index + n++, in_gpa, w->in, DESC_WRITE, 0);
	return n;
}

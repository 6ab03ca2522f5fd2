/* SPDX-License-Identifier: Apache-2.0 */
/* console: both directions under pressure, sizes, the emergency write, life, the hostile driver. */
#include <errno.h>
#include <stdlib.h>

#include <tenon/testkit.h>

#define RX 0u
#define TX 1u

#define F_SIZE  (1ull << 0)
#define F_EMERG (1ull << 2)

#define EMERGENCY 8u

static void put(struct tk_dev *d, const char *text)
{
	(void)tk_out(d, TX, text, strlen(text));
	tk_kick(d, TX);
	tk_run_until_idle(d);
}

/* ---- what it is ---- */

TK_TEST(is_a_console)
{
	struct tk_dev *d = tk_device("console", "");

	TK_EQ(tk_device_id(d), 3);
	TK_EQ(tk_n_queues(d), 2);
	TK_EQ(tk_features(d) & 0xffffff, F_SIZE | F_EMERG);
	TK_EQ(tk_config(d, 0, 2), 80);
	TK_EQ(tk_config(d, 2, 2), 25);
	TK_EQ(tk_config(d, 4, 4), 1);
}

TK_TEST(a_pipe_has_no_size)
{
	tk_no_terminal();
	TK_EQ(tk_features(tk_device("console", "")) & F_SIZE, 0);
}

/* ---- output ---- */

/* On a pipe, where no change of size interrupts. */
static struct tk_dev *without_size(void)
{
	tk_no_terminal();
	return tk_device("console", "");
}

TK_TEST(writes_what_the_guest_sends)
{
	struct tk_dev *d = without_size();
	struct tk_buf *b = tk_out(d, TX, "hello", 5);

	tk_kick(d, TX);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 0);
	TK_STR(tk_output(), "hello");
	TK_EQ(tk_irqs(d), 1);
}

TK_TEST(writes_raw_bytes)
{
	struct tk_dev *d = tk_device("console", "");
	char bytes[256];

	for (int i = 0; i < 256; i++)
		bytes[i] = (char)i;
	(void)tk_out(d, TX, bytes, 256);
	tk_kick(d, TX);
	tk_run_until_idle(d);
	TK_EQ(tk_output_size(), 256);
	TK_MEM_EQ(tk_output(), bytes, 256);
}

TK_TEST(writes_chains_of_many_parts_in_order)
{
	struct tk_dev *d = tk_device("console", "");
	const struct tk_part parts[] = { { 0, "one", 3, 0 }, { 0, "two", 3, 0 },
		{ 0, "three", 5, 0 }, { 0, "four", 4, 0 }, { 0, "five", 4, 0 } };

	(void)tk_chain(d, TX, parts, 5);
	tk_kick(d, TX);
	tk_run_until_idle(d);
	TK_STR(tk_output(), "onetwothreefourfive");
}

TK_TEST(holds_what_the_terminal_does_not_take)
{
	struct tk_dev *d = without_size();
	const struct tk_part parts[] = { { 0, "abc", 3, 0 }, { 0, "defg", 4, 0 } };
	struct tk_buf *b, *next;

	tk_output_room(5);
	b = tk_chain(d, TX, parts, 2);
	next = tk_out(d, TX, "hij", 3);
	tk_kick(d, TX);
	tk_run_until_idle(d);
	TK_STR(tk_output(), "abcde");
	TK_EQ(tk_used_len(b), -1);
	TK_EQ(tk_irqs(d), 0);
	for (size_t room = 0; room < 3; room++) {
		tk_output_room(1);
		tk_run_until_idle(d);
	}
	TK_STR(tk_output(), "abcdefgh");
	TK_EQ(tk_used_len(b), 0);
	TK_EQ(tk_used_len(next), -1);
	tk_output_room(SIZE_MAX);
	tk_run_until_idle(d);
	TK_STR(tk_output(), "abcdefghij");
	TK_EQ(tk_used_len(next), 0);
}

TK_TEST(a_kick_does_not_push_past_a_full_terminal)
{
	struct tk_dev *d = tk_device("console", "");

	tk_output_room(2);
	put(d, "abcd");
	put(d, "efgh");
	TK_STR(tk_output(), "ab");
	tk_output_room(SIZE_MAX);
	tk_run_until_idle(d);
	TK_STR(tk_output(), "abcdefgh");
}

TK_TEST(a_flood_gives_others_their_turn_and_loses_nothing)
{
	struct tk_dev *d = tk_device("console", "");

	for (int i = 0; i < 256; i++)
		(void)tk_out(d, TX, "x", 1);
	tk_kick(d, TX);
	(void)tk_step();
	TK_TRUE(tk_output_size() < 256);
	tk_run_until_idle(d);
	TK_EQ(tk_output_size(), 256);
	TK_EQ(tk_reap(d, TX), 256);
}

TK_TEST(nothing_to_print_is_given_back)
{
	struct tk_dev *d = tk_device("console", "");
	struct tk_buf *b = tk_in(d, TX, 16);

	tk_kick(d, TX);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 0);
	TK_EQ(tk_output_size(), 0);
}

/* ---- input ---- */

TK_TEST(gives_the_guest_what_is_typed)
{
	struct tk_dev *d = without_size();
	struct tk_buf *b = tk_in(d, RX, 64);

	tk_kick(d, RX);
	tk_run_until_idle(d);
	tk_type("ls\r");
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 3);
	TK_MEM_EQ(tk_in_data(b), "ls\r", 3);
	TK_EQ(tk_irqs(d), 1);
}

TK_TEST(passes_raw_bytes_in)
{
	struct tk_dev *d = tk_device("console", "");
	struct tk_buf *b = tk_in(d, RX, 256);
	unsigned char bytes[256];

	for (int i = 0; i < 256; i++)
		bytes[i] = (unsigned char)(255 - i);
	tk_type_bytes(bytes, 256);
	tk_kick(d, RX);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 256);
	TK_MEM_EQ(tk_in_data(b), bytes, 256);
}

TK_TEST(input_fills_one_buffer_after_the_other)
{
	struct tk_dev *d = tk_device("console", "");
	struct tk_buf *a = tk_in(d, RX, 3), *b = tk_in(d, RX, 3), *c = tk_in(d, RX, 3);

	tk_type("12345");
	tk_kick(d, RX);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(a), 3);
	TK_EQ(tk_used_len(b), 2);
	TK_EQ(tk_used_len(c), -1);
	TK_MEM_EQ(tk_in_data(b), "45", 2);
}

TK_TEST(input_waits_for_buffers)
{
	struct tk_dev *d = tk_device("console", "");
	struct tk_buf *a, *b;

	tk_type("0123456789");
	tk_run_until_idle(d);
	TK_EQ(tk_input_left(), 10);
	a = tk_in(d, RX, 4);
	tk_kick(d, RX);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(a), 4);
	TK_EQ(tk_input_left(), 6);
	b = tk_in(d, RX, 64);
	tk_kick(d, RX);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 6);
	TK_MEM_EQ(tk_in_data(b), "456789", 6);
	TK_EQ(tk_input_left(), 0);
}

TK_TEST(buffers_with_no_room_do_not_stop_it)
{
	struct tk_dev *d = tk_device("console", "");
	struct tk_buf *b;

	for (int i = 0; i < 200; i++)
		(void)tk_out(d, RX, "x", 1);
	b = tk_in(d, RX, 8);
	tk_type("abc");
	tk_kick(d, RX);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 3);
}

/* A guest that gives back at once what it gets must not keep the loop. */
TK_TEST(a_turn_of_input_ends)
{
	struct tk_dev *d = tk_device("console", "");

	for (int i = 0; i < 200; i++)
		(void)tk_out(d, RX, "x", 1);
	tk_type("abc");
	tk_kick(d, RX);
	(void)tk_step();
	(void)tk_step();
	TK_TRUE(tk_used_idx(d, RX) < 200);
}

TK_TEST(the_end_of_input_is_no_matter)
{
	struct tk_dev *d = tk_device("console", "");
	struct tk_buf *b = tk_in(d, RX, 8), *rest;

	tk_kick(d, RX);
	tk_type("ab");
	tk_close_input();
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 2);
	rest = tk_in(d, RX, 8);
	tk_kick(d, RX);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(rest), -1);
	put(d, "still here");
	TK_STR(tk_output(), "still here");
}

TK_TEST(input_can_be_left_to_another)
{
	struct tk_dev *quiet = tk_device("console", "name = \"quiet\"; input = false;");
	struct tk_dev *d = tk_device("console", "");
	struct tk_buf *a = tk_in(quiet, RX, 8), *b = tk_in(d, RX, 8);

	tk_kick(quiet, RX);
	tk_kick(d, RX);
	tk_type("x");
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(a), -1);
	TK_EQ(tk_used_len(b), 1);
}

TK_TEST(the_first_that_asks_has_the_input)
{
	struct tk_dev *a = tk_device("console", "name = \"a\";");
	struct tk_dev *b = tk_device("console", "name = \"b\";");
	struct tk_buf *x = tk_in(a, RX, 8), *y = tk_in(b, RX, 8);

	tk_kick(a, RX);
	tk_kick(b, RX);
	tk_type("x");
	tk_run_until_idle(a);
	TK_EQ(tk_used_len(x), 1);
	TK_EQ(tk_used_len(y), -1);
	TK_EQ(tk_quiesce(b), 0); /* not having it is no failure */
	TK_EQ(tk_resume(b), 0);
}

/* ---- size ---- */

TK_TEST(a_new_size_is_told)
{
	struct tk_dev *d = tk_device("console", "");
	uint32_t generation = tk_reg(d, 0xfc);

	tk_resize(132, 43);
	TK_EQ(tk_config(d, 0, 2), 132);
	TK_EQ(tk_config(d, 2, 2), 43);
	TK_EQ(tk_irqs(d), 1);
	TK_EQ(tk_reg(d, 0x60), 2);
	TK_TRUE(tk_reg(d, 0xfc) != generation);
	tk_resize(132, 43);
	TK_EQ(tk_irqs(d), 1);
}

/* Linux does not read it before it is told of a change. */
TK_TEST(the_size_is_told_with_the_first_words_and_the_first_key)
{
	struct tk_dev *d = tk_device("console", "");

	TK_EQ(tk_irqs(d), 0);
	(void)tk_out(d, TX, "a", 1);
	(void)tk_out(d, TX, "b", 1);
	tk_kick(d, TX);
	tk_run_until_idle(d);
	TK_TRUE(tk_irqs(d) > 1); /* the used buffers, and the configuration */
	TK_TRUE(tk_config(d, 0, 2) > 0);
	tk_irqs_clear(d);
	(void)tk_in(d, RX, 16);
	(void)tk_in(d, RX, 16);
	tk_kick(d, RX);
	tk_type("x");
	tk_run_until_idle(d);
	TK_TRUE(tk_irqs(d) > 1);
	tk_irqs_clear(d);
	tk_type("y");
	tk_run_until_idle(d);
	TK_TRUE(tk_irqs(d) <= 1);
}

TK_TEST(a_size_past_16_bits_is_cut)
{
	struct tk_dev *d = tk_device("console", "");

	tk_resize(100000, 70000);
	TK_EQ(tk_config(d, 0, 2), 0xffff);
	TK_EQ(tk_config(d, 2, 2), 0xffff);
}

TK_TEST(a_new_size_before_the_driver_makes_no_noise)
{
	struct tk_dev *d = tk_started("console", "");

	tk_resize(100, 50);
	TK_EQ(tk_irqs(d), 0);
	TK_EQ(tk_config(d, 0, 2), 100);
}

/* ---- the emergency write ---- */

TK_TEST(the_emergency_write_needs_no_queue)
{
	struct tk_dev *d = tk_started("console", "");

	for (const char *c = "help"; *c; c++)
		tk_set_config(d, EMERGENCY, 4, (unsigned char)*c);
	tk_run_until_idle(d);
	TK_STR(tk_output(), "help");
}

TK_TEST(other_writes_are_no_emergency)
{
	struct tk_dev *d = tk_started("console", "");

	tk_set_config(d, 0, 4, 0x41414141);
	tk_set_config(d, 4, 4, 0x41414141);
	tk_run_until_idle(d);
	TK_EQ(tk_output_size(), 0);
	tk_set_config(d, 4, 8, 0x42ull << 32);
	tk_run_until_idle(d);
	TK_STR(tk_output(), "B");
}

/* ---- life ---- */

TK_TEST(nothing_moves_while_it_is_quiesced)
{
	struct tk_dev *d = without_size();
	struct tk_buf *in = tk_in(d, RX, 8), *out;

	tk_output_room(1);
	out = tk_out(d, TX, "abc", 3);
	tk_kick(d, RX);
	tk_kick(d, TX);
	tk_run_until_idle(d);
	TK_EQ(tk_quiesce(d), 0);
	tk_type("x");
	tk_output_room(SIZE_MAX);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(in), -1);
	TK_EQ(tk_used_len(out), -1);
	TK_EQ(tk_irqs(d), 0);
	TK_EQ(tk_resume(d), 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(in), 1);
	TK_EQ(tk_used_len(out), 0);
	TK_STR(tk_output(), "abc");
}

TK_TEST(a_turn_that_was_to_come_waits_for_resume)
{
	struct tk_dev *d = tk_device("console", "");

	for (int i = 0; i < 200; i++)
		(void)tk_out(d, TX, "x", 1);
	tk_kick(d, TX);
	(void)tk_step();
	TK_EQ(tk_quiesce(d), 0);
	(void)tk_reap(d, TX);
	tk_run_until_idle(d);
	TK_EQ(tk_reap(d, TX), 0);
	TK_EQ(tk_resume(d), 0);
	tk_run_until_idle(d);
	TK_EQ(tk_output_size(), 200);
}

TK_TEST(a_new_size_while_quiesced_is_told_on_resume)
{
	struct tk_dev *d = tk_device("console", "");

	TK_EQ(tk_quiesce(d), 0);
	tk_resize(100, 50);
	TK_EQ(tk_irqs(d), 0);
	TK_EQ(tk_resume(d), 0);
	tk_run_until_idle(d);
	TK_EQ(tk_config(d, 0, 2), 100);
	TK_EQ(tk_irqs(d), 1);
}

TK_TEST(a_reset_drops_the_chain_that_is_held)
{
	struct tk_dev *d = tk_device("console", "");

	tk_output_room(1);
	put(d, "abc");
	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	tk_output_room(SIZE_MAX);
	tk_run_until_idle(d);
	put(d, "xyz");
	TK_STR(tk_output(), "axyz");
}

TK_TEST(a_reset_stops_input_until_the_next_driver)
{
	struct tk_dev *d = tk_device("console", "");
	struct tk_buf *b;

	(void)tk_in(d, RX, 8);
	tk_kick(d, RX);
	tk_run_until_idle(d);
	tk_driver_reset(d);
	tk_type("abc");
	tk_run_until_idle(d);
	TK_EQ(tk_input_left(), 3);
	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	b = tk_in(d, RX, 8);
	tk_kick(d, RX);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 3);
}

TK_TEST(a_machine_reset_brings_it_back)
{
	struct tk_dev *d = tk_device("console", "");

	tk_output_room(1);
	put(d, "abc");
	tk_reset(d);
	tk_output_room(SIZE_MAX);
	tk_run_until_idle(d);
	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	put(d, "d");
	TK_STR(tk_output(), "ad");
}

TK_TEST(every_fault_is_survived)
{
	/* terminal, its size, add, window, map, irq; start fails at nothing */
	TK_TRUE(tk_fault_sweep("console", "") >= 5);
	TK_TRUE(tk_fault_sweep("console", "input = false;") >= 5);
}

TK_TEST(needs_its_services)
{
	tk_lack_service("tenon.terminal/1");
	TK_TRUE(tk_plugin_try(NULL) == NULL);
	TK_TRUE(tk_log_has("console: this core lacks a service that is needed"));
}

TK_TEST(stands_the_hostile_driver)
{
	TK_TRUE(tk_hostile_run(tk_device("console", "")) > 400);
}

TK_TEST(stands_the_hostile_driver_on_a_full_terminal)
{
	struct tk_dev *d = tk_device("console", "");

	tk_output_room(3);
	TK_TRUE(tk_hostile_run(d) > 400);
}

TK_MAIN()

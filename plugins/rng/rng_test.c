/* SPDX-License-Identifier: Apache-2.0 */
/* rng: requests, its sources, the rate, resets, and what a hostile driver does to it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tenon/testkit.h>

/* Keeps the queue full of requests of @size bytes for @ms; returns the bytes that came. */
static unsigned long long drink(struct tk_dev *d, size_t size, unsigned ms)
{
	unsigned long long bytes = 0;
	struct tk_buf *b = tk_in(d, 0, size);

	tk_kick(d, 0);
	for (unsigned i = 0; i < ms; i++) {
		tk_run_until_idle(d);
		while (tk_used_len(b) >= 0) {
			bytes += (unsigned long long)tk_used_len(b);
			tk_free(b);
			b = tk_in(d, 0, size);
			tk_kick(d, 0);
			tk_run_until_idle(d);
			if (bytes > 100000000)
				TK_FAIL("there is no limit");
		}
		tk_advance_ms(1);
	}
	return bytes;
}

static const char *make_file(const char *bytes, size_t n)
{
	static char path[] = "/tmp/rng-test-XXXXXX", setting[64];
	int fd = mkstemp(path);

	TK_TRUE(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
	(void)close(fd);
	(void)snprintf(setting, sizeof(setting), "source = \"%s\";", path);
	return setting;
}

static void remove_file(const char *setting)
{
	char path[64];

	TK_EQ(sscanf(setting, "source = \"%63[^\"]", path), 1);
	(void)unlink(path);
}

TK_TEST(is_an_entropy_source)
{
	struct tk_dev *d = tk_device("rng", "");

	TK_EQ(tk_device_id(d), 4);
	TK_EQ(tk_n_queues(d), 1);
	TK_STR(tk_describe(d), "");
}

TK_TEST(serves_a_request)
{
	struct tk_dev *d = tk_device("rng", "source = \"/dev/zero\";");
	struct tk_buf *b = tk_in(d, 0, 64);

	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 64);
	TK_EQ(tk_irqs(d), 1);
}

TK_TEST(touches_the_buffer_alone)
{
	struct tk_dev *d = tk_device("rng", "");
	struct tk_buf *b;

	tk_mem_watch();
	b = tk_in(d, 0, 100);
	tk_mem_allow(tk_ring(d, 0).used, 6 + tk_ring(d, 0).size * 8);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 100);
	tk_mem_check();
}

TK_TEST(gives_random_bytes)
{
	struct tk_dev *d = tk_device("rng", "");
	struct tk_buf *a = tk_in(d, 0, 1000), *b = tk_in(d, 0, 1000);
	const unsigned char *bytes;
	unsigned zeroes = 0;

	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(a), 1000);
	TK_EQ(tk_used_len(b), 1000);
	TK_TRUE(memcmp(tk_in_data(a), tk_in_data(b), 1000) != 0);
	bytes = tk_in_data(a);
	for (int i = 0; i < 1000; i++)
		zeroes += bytes[i] == 0;
	TK_TRUE(zeroes < 40); /* four are to be expected */
}

TK_TEST(gives_the_bytes_of_its_source)
{
	const char *setting = make_file("0123456789", 10);
	struct tk_dev *d = tk_device("rng", setting);
	struct tk_buf *a = tk_in(d, 0, 4), *b = tk_in(d, 0, 6);

	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 6);
	TK_MEM_EQ(tk_in_data(a), "0123", 4);
	TK_MEM_EQ(tk_in_data(b), "456789", 6);
	remove_file(setting);
}

/* ---- a source that has nothing now ---- */

#define PAUSE_MS 101

TK_TEST(at_the_end_of_the_source_the_guest_waits)
{
	const char *setting = make_file("0123456789", 10);
	struct tk_dev *d = tk_device("rng", setting);
	struct tk_buf *a = tk_in(d, 0, 16), *b = tk_in(d, 0, 16);

	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(a), 10);
	TK_EQ(tk_used_len(b), -1);
	for (int i = 0; i < 10; i++)
		tk_advance_ms(PAUSE_MS);
	TK_EQ(tk_used_len(b), -1);
	TK_TRUE(tk_log_has("rng: the source gives nothing (it is at its end): the guest waits"));
	TK_EQ(tk_log_count(TENON_LOG_WARN), 1);
	remove_file(setting);
}

TK_TEST(a_file_that_grows_is_read_on)
{
	const char *setting = make_file("", 0);
	struct tk_dev *d = tk_device("rng", setting);
	struct tk_buf *b = tk_in(d, 0, 16);
	char path[64];
	int fd;

	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), -1);
	TK_EQ(sscanf(setting, "source = \"%63[^\"]", path), 1);
	fd = open(path, O_WRONLY | O_APPEND);
	TK_TRUE(fd >= 0 && write(fd, "abc", 3) == 3);
	(void)close(fd);
	tk_advance_ms(50);
	TK_EQ(tk_used_len(b), -1); /* it is not asked without end */
	tk_advance_ms(PAUSE_MS);
	TK_EQ(tk_used_len(b), 3);
	TK_MEM_EQ(tk_in_data(b), "abc", 3);
	remove_file(setting);
}

TK_TEST(a_read_that_fails_is_tried_again_later)
{
	struct tk_dev *d = tk_device("rng", "source = \"/dev/zero\";");
	struct tk_buf *a = tk_in(d, 0, 16), *b = tk_in(d, 0, 16);

	tk_fail_nth(TK_FAIL_READ, 1);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_TRUE(tk_fail_fired());
	TK_EQ(tk_used_len(a), -1);
	TK_EQ(tk_log_count(TENON_LOG_WARN), 1);
	tk_advance_ms(PAUSE_MS);
	TK_EQ(tk_used_len(a), 16);
	TK_EQ(tk_used_len(b), 16);
}

static const char *make_fifo(int *ret_writer)
{
	static char setting[64];
	char path[32];

	(void)snprintf(path, sizeof(path), "/tmp/rng-fifo-%d", getpid());
	TK_EQ(mkfifo(path, 0600), 0);
	(void)snprintf(setting, sizeof(setting), "source = \"%s\";", path);
	/* Both ends, so that there is a writer before the device reads. */
	*ret_writer = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	TK_TRUE(*ret_writer >= 0);
	return setting;
}

/* Steps that the loop made of @ms, each of which was a chance to spin. */
static unsigned steps_of(unsigned ms)
{
	unsigned steps = 0;

	while (steps < 1000 && tk_step())
		steps++;
	for (unsigned i = 0; i < ms; i++) {
		tk_advance_ms(1);
		while (steps < 1000 && tk_step())
			steps++;
	}
	return steps;
}

TK_TEST(an_empty_pipe_is_waited_for)
{
	int writer;
	const char *setting = make_fifo(&writer);
	struct tk_dev *d = tk_device("rng", setting);
	struct tk_buf *a = tk_in(d, 0, 16), *b = tk_in(d, 0, 16);

	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_TRUE(steps_of(1000) < 3);
	TK_EQ(tk_used_len(a), -1);
	TK_EQ(tk_irqs(d), 0);
	TK_EQ(write(writer, "pipe", 4), 4);
	tk_run_until_idle(d); /* at once: no clock is needed */
	TK_EQ(tk_used_len(a), 4);
	TK_MEM_EQ(tk_in_data(a), "pipe", 4);
	TK_EQ(tk_used_len(b), -1);
	TK_EQ(write(writer, "more", 4), 4);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 4);
	TK_EQ(tk_log_count(TENON_LOG_WARN), 0);
	remove_file(setting);
	(void)close(writer);
}

TK_TEST(a_pipe_whose_writers_come_and_go_does_not_spin)
{
	int writer;
	const char *setting = make_fifo(&writer);
	struct tk_dev *d;
	struct tk_buf *a;
	char path[64];

	TK_EQ(sscanf(setting, "source = \"%63[^\"]", path), 1);
	d = tk_device("rng", setting);
	a = tk_in(d, 0, 16);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	(void)close(writer); /* a hang-up, for ever, as long as one watches */
	TK_TRUE(steps_of(1000) < 30);
	TK_EQ(tk_used_len(a), -1);
	writer = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	TK_TRUE(writer >= 0);
	TK_EQ(write(writer, "back", 4), 4);
	tk_advance_ms(PAUSE_MS);
	TK_EQ(tk_used_len(a), 4);
	remove_file(setting);
	(void)close(writer);
}

TK_TEST(a_pipe_is_read_at_its_rate)
{
	int writer;
	const char *setting = make_fifo(&writer);
	char settings[128], bytes[4096] = { 0 };
	struct tk_dev *d;
	unsigned long long got;

	(void)snprintf(settings, sizeof(settings), "%s rate = \"100\";", setting);
	d = tk_device("rng", settings);
	TK_EQ(write(writer, bytes, sizeof(bytes)), sizeof(bytes));
	got = drink(d, 64, 5000);
	TK_TRUE(got <= 601 && got >= 590);
	remove_file(setting);
	(void)close(writer);
}

TK_TEST(nothing_waits_for_the_source_while_it_is_quiesced)
{
	int writer;
	const char *setting = make_fifo(&writer);
	struct tk_dev *d = tk_device("rng", setting);
	struct tk_buf *a = tk_in(d, 0, 16);

	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_quiesce(d), 0);
	TK_EQ(write(writer, "pipe", 4), 4);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(a), -1);
	TK_EQ(tk_resume(d), 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(a), 4);
	remove_file(setting);
	(void)close(writer);
}

TK_TEST(a_reset_ends_the_wait_for_the_source)
{
	int writer;
	const char *setting = make_fifo(&writer);
	struct tk_dev *d = tk_device("rng", setting);
	struct tk_buf *b;

	(void)tk_in(d, 0, 16);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	TK_EQ(write(writer, "pipe", 4), 4);
	tk_run_until_idle(d);
	b = tk_in(d, 0, 16);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 4);
	remove_file(setting);
	(void)close(writer);
}

TK_TEST(a_turn_has_an_end_in_bytes)
{
	struct tk_dev *d = tk_device("rng", "source = \"/dev/zero\";");

	for (int i = 0; i < 60; i++)
		(void)tk_in(d, 0, 8192);
	tk_kick(d, 0);
	(void)tk_step();
	TK_TRUE(tk_used_idx(d, 0) > 0 && tk_used_idx(d, 0) < 40);
	tk_run_until_idle(d);
	TK_EQ(tk_used_idx(d, 0), 60);
}

TK_TEST(a_read_that_is_interrupted_goes_on)
{
	struct tk_dev *d = tk_device("rng", "source = \"/dev/zero\";");
	struct tk_buf *b = tk_in(d, 0, 16);

	tk_fail_nth(TK_FAIL_READ, 1);
	tk_fail_as(EINTR);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_TRUE(tk_fail_fired());
	TK_EQ(tk_used_len(b), 16);
}

TK_TEST(fills_a_chain_of_many_parts)
{
	struct tk_dev *d = tk_device("rng", "source = \"/dev/zero\";");
	struct tk_part parts[20];
	struct tk_buf *b;

	for (int i = 0; i < 20; i++)
		parts[i] = (struct tk_part){ 0, i == 0 ? "out" : NULL, 3, i > 0 };
	b = tk_chain(d, 0, parts, 20);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 57);
}

TK_TEST(a_large_request_is_served_in_part)
{
	struct tk_dev *d = tk_device("rng", "");
	struct tk_buf *b = tk_in(d, 0, 200000);

	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 65536);
}

TK_TEST(nothing_to_write_to_is_given_back)
{
	struct tk_dev *d = tk_device("rng", "");
	struct tk_buf *b = tk_out(d, 0, "xyz", 3);

	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 0);
	TK_EQ(tk_status(d) & TK_S_NEEDS_RESET, 0);
}

TK_TEST(serves_a_full_queue)
{
	struct tk_dev *d = tk_device("rng", "");
	struct tk_buf *b[256];

	for (int i = 0; i < 256; i++)
		b[i] = tk_in(d, 0, 8);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	for (int i = 0; i < 256; i++)
		TK_EQ(tk_used_len(b[i]), 8);
}

TK_TEST(indirect_tables_work)
{
	struct tk_dev *d = tk_device("rng", "");
	struct tk_buf *b;

	tk_use_indirect(d, 1);
	b = tk_in(d, 0, 33);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 33);
}

TK_TEST(a_driver_that_polls_gets_no_interrupt)
{
	struct tk_dev *d = tk_device("rng", "");

	TK_EQ(tk_driver(d, TK_F_VERSION_1, 0), 0);
	tk_want_irqs(d, 0, 0);
	(void)tk_in(d, 0, 8);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_reap(d, 0), 1);
	TK_EQ(tk_irqs(d), 0);
}

/* ---- rate ---- */

TK_TEST(the_bucket_begins_full)
{
	struct tk_dev *d = tk_device("rng", "rate = \"1000\";");
	struct tk_buf *a = tk_in(d, 0, 600), *b = tk_in(d, 0, 600), *c = tk_in(d, 0, 600);

	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(a), 600);
	TK_EQ(tk_used_len(b), 400);
	TK_EQ(tk_used_len(c), -1);
}

TK_TEST(an_empty_bucket_waits_for_the_clock)
{
	struct tk_dev *d = tk_device("rng", "rate = \"1000\";");
	struct tk_buf *b;

	TK_EQ(tk_used_len(tk_in(d, 0, 1000)), -1);
	b = tk_in(d, 0, 8);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), -1);
	tk_advance_ns(900000);
	TK_EQ(tk_used_len(b), -1);
	tk_advance_ms(2);
	TK_TRUE(tk_used_len(b) > 0);
}

TK_TEST(the_rate_is_kept)
{
	struct tk_dev *d = tk_device("rng", "rate = \"1000\";");
	unsigned long long bytes = drink(d, 64, 5000);

	TK_TRUE(bytes <= 6001);
	TK_TRUE(bytes >= 5900);
}

/* A rate whose bytes do not come in whole milliseconds. */
TK_TEST(the_rate_loses_no_fractions)
{
	struct tk_dev *d = tk_device("rng", "rate = \"1700\";");
	unsigned long long bytes = drink(d, 64, 5000);

	TK_TRUE(bytes <= 6 * 1700 + 1);
	TK_TRUE(bytes >= 6 * 1700 - 200);
}

TK_TEST(a_bucket_holds_no_more_than_a_second)
{
	struct tk_dev *d = tk_device("rng", "rate = \"1000\";");
	struct tk_buf *b;

	tk_advance_ms(60000);
	b = tk_in(d, 0, 5000);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 1000);
}

TK_TEST(the_largest_rate_does_not_overflow)
{
	struct tk_dev *d = tk_device("rng", "rate = \"16777215T\";");
	struct tk_buf *b = tk_in(d, 0, 5000);

	tk_advance_ms(100);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 5000);
}

/* ---- life ---- */

TK_TEST(nothing_moves_while_it_is_quiesced)
{
	struct tk_dev *d = tk_device("rng", "rate = \"1000\";");
	struct tk_buf *a = tk_in(d, 0, 1000), *b = tk_in(d, 0, 100);

	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(a), 1000);
	TK_EQ(tk_quiesce(d), 0);
	tk_advance_ms(500);
	TK_EQ(tk_used_len(b), -1);
	TK_EQ(tk_resume(d), 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 100);
}

/* More than one turn's worth of requests: the rest is not served behind quiesce's back. */
TK_TEST(a_turn_that_was_to_come_waits_for_resume)
{
	struct tk_dev *d = tk_device("rng", "");

	for (int i = 0; i < 200; i++)
		(void)tk_in(d, 0, 8);
	tk_kick(d, 0);
	(void)tk_step();
	TK_EQ(tk_quiesce(d), 0);
	TK_TRUE(tk_used_idx(d, 0) < 200);
	tk_irqs_clear(d);
	(void)tk_reap(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_reap(d, 0), 0);
	TK_EQ(tk_irqs(d), 0);
	TK_EQ(tk_resume(d), 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_idx(d, 0), 200);
}

TK_TEST(a_reset_forgets_what_waits)
{
	struct tk_dev *d = tk_device("rng", "rate = \"1000\";");
	struct tk_buf *b;

	(void)tk_in(d, 0, 1000);
	(void)tk_in(d, 0, 1000);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	tk_advance_ms(1000);
	b = tk_in(d, 0, 10);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 10);
}

TK_TEST(a_machine_reset_brings_it_back)
{
	struct tk_dev *d = tk_device("rng", "");
	struct tk_buf *b;

	tk_reset(d);
	TK_EQ(tk_status(d), 0);
	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	b = tk_in(d, 0, 10);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 10);
}

TK_TEST(two_of_them_do_not_meet)
{
	struct tk_dev *a = tk_device("rng", "name = \"a\"; source = \"/dev/zero\";");
	struct tk_dev *b = tk_device("rng", "name = \"b\"; source = \"/dev/null\";");
	struct tk_buf *x = tk_in(a, 0, 8), *y = tk_in(b, 0, 8);

	tk_kick(a, 0);
	tk_kick(b, 0);
	tk_run_until_idle(a);
	TK_EQ(tk_used_len(x), 8);
	TK_EQ(tk_used_len(y), -1);
	TK_TRUE(tk_irq_number(a, 0) != tk_irq_number(b, 0));
}

TK_TEST(a_source_that_is_not_there_is_said)
{
	struct tk_dev *d = tk_create("rng", "source = \"/nowhere/at/all\";");

	TK_EQ(tk_attach(d), -ENOENT);
	TK_STR(tk_error(), "rng: cannot open the source \"/nowhere/at/all\": "
			   "No such file or directory");
}

TK_TEST(settings_are_checked)
{
	TK_TRUE(tk_create("rng", "sourc = \"/dev/zero\";") == NULL);
	TK_STR(tk_error(), "settings:1: rng: unknown setting \"sourc\" for rng "
			   "(did you mean \"source\"?)");
	TK_TRUE(tk_create("rng", "rate = \"0\";") == NULL);
	TK_HAS_TEXT(tk_error(), "\"rate\" is");
}

TK_TEST(every_fault_is_survived)
{
	/* timer, window, map, irq, add and, with a source, open */
	TK_EQ(tk_fault_sweep("rng", "source = \"/dev/zero\"; rate = \"1K\";"), 6);
	TK_EQ(tk_fault_sweep("rng", ""), 5);
}

TK_TEST(needs_its_services)
{
	tk_lack_service("tenon.clock/1");
	TK_TRUE(tk_plugin_try(NULL) == NULL);
	TK_TRUE(tk_log_has("this core lacks tenon.clock/1; a newer one is needed"));
}

TK_TEST(stands_the_hostile_driver)
{
	TK_TRUE(tk_hostile_run(tk_device("rng", "")) > 200);
}

TK_TEST(stands_the_hostile_driver_with_an_empty_pipe)
{
	int writer;
	const char *setting = make_fifo(&writer);

	TK_TRUE(tk_hostile_run(tk_device("rng", setting)) > 200);
	remove_file(setting);
	(void)close(writer);
}

TK_TEST(stands_the_hostile_driver_with_a_rate)
{
	TK_TRUE(tk_hostile_run(tk_device("rng", "rate = \"16\";")) > 200);
}

TK_MAIN()

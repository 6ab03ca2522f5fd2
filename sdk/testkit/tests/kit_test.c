/* SPDX-License-Identifier: Apache-2.0 */
/* The test kit itself: it must notice what is wrong, and play the host as the core does. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <tenon/testkit.h>

#ifdef TEST_SANITIZED /* whose handler ends the process in its own way */
#define SEGFAULT "exit status"
#else
#define SEGFAULT "killed by signal 11"
#endif

static struct tk_dev *faulty(const char *fault)
{
	char settings[64];

	(void)snprintf(settings, sizeof(settings), "fault = \"%s\";", fault);
	return tk_device("faulty", settings);
}

static void one_request(struct tk_dev *d)
{
	struct tk_buf *b = tk_in(d, 0, 32);

	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 32);
}

/* ---- what must be noticed ---- */

TK_TEST(a_good_device_passes)
{
	struct tk_dev *d = faulty("none");

	tk_mem_watch();
	tk_mem_allow(tk_ring(d, 0).used, 6 + 8 * tk_ring(d, 0).size);
	one_request(d);
	tk_mem_check();
	tk_destroy(d);
}

TK_TEST_FAILS(a_region_that_is_left, "faulty left its window \"faulty\"")
{
	tk_destroy(faulty("leak-region"));
}

TK_TEST_FAILS(a_line_that_is_left, "faulty left interrupt line")
{
	tk_destroy(faulty("leak-irq"));
}

TK_TEST_FAILS(a_timer_that_is_left, "faulty left a timer")
{
	tk_destroy(faulty("leak-timer"));
}

TK_TEST_FAILS(a_watch_that_is_left, "in the event loop")
{
	tk_destroy(faulty("leak-watch"));
}

TK_TEST_FAILS(a_notifier_that_is_left, "faulty left a notifier")
{
	tk_destroy(faulty("leak-notifier"));
}

TK_TEST_FAILS(a_descriptor_that_is_left, "open (/dev/null)")
{
	tk_destroy(faulty("leak-fd"));
}

TK_TEST_FAILS(a_job_that_is_left, "faulty left a job queued")
{
	tk_destroy(tk_started("faulty", "fault = \"leak-job\";"));
}

/* The end of the test destroys what the test did not. */
TK_TEST_FAILS(the_end_looks_too, "faulty left a timer")
{
	(void)faulty("leak-timer");
}

#ifdef TEST_LEAKS
TK_TEST_FAILS(memory_that_is_left, "exit status")
{
	tk_destroy(faulty("leak-memory"));
}
#endif

TK_TEST_FAILS(a_loop_function_in_main,
	"tenon.virtio queue_size was called in [main]; it may be called in [loop]")
{
	tk_destroy(faulty("late-role"));
}

TK_TEST_FAILS(a_loop_function_on_a_vcpu, "tenon.event fd_modify was called in [vcpu]")
{
	(void)tk_read(faulty("vcpu-role"), 0, 0, 4);
}

TK_TEST_FAILS(a_loop_function_in_a_job, "tenon.virtio queue_size was called in [work]")
{
	tk_run_until_idle(faulty("work-role"));
}

TK_TEST_FAILS(a_loop_function_in_a_job_on_a_thread, "was called in [work]")
{
	tk_work_on_thread(1);
	tk_run_until_idle(faulty("work-role"));
}

TK_TEST_FAILS(a_device_that_never_rests, "the loop does not come to rest")
{
	one_request(faulty("spin"));
}

TK_TEST_FAILS(a_crash, "killed by signal 6")
{
	one_request(faulty("crash"));
}

TK_TEST_FAILS(a_hang, "took longer than ")
{
	(void)alarm(1);
	one_request(faulty("hang"));
}

TK_TEST_FAILS(more_written_than_there_was_room, "33 bytes written, the chain has room for 32")
{
	one_request(faulty("too-much"));
}

TK_TEST_FAILS(a_byte_past_the_buffer, "changed guest memory that it was not given")
{
	struct tk_dev *d = faulty("stray-write");

	tk_mem_watch();
	tk_mem_allow(tk_ring(d, 0).used, 6 + 8 * tk_ring(d, 0).size);
	one_request(d);
	tk_mem_check();
}

TK_TEST_FAILS(a_byte_past_the_end_of_memory, SEGFAULT)
{
	struct tk_dev *d = faulty("stray-write");
	const struct tk_part part = { TK_RAM_C + TK_RAM_SIZE - 8, NULL, 8, 1 };

	(void)tk_chain(d, 0, &part, 1);
	tk_kick(d, 0);
	tk_run_until_idle(d);
}

TK_TEST_FAILS(a_result_that_is_positive, "start it returned 1; wanted 0 or a negative errno")
{
	(void)faulty("positive");
}

TK_TEST_FAILS(a_timer_removed_twice, "timer_remove: it was removed before")
{
	tk_destroy(faulty("double-remove"));
}

TK_TEST_FAILS(a_descriptor_closed_under_its_watch, "was closed before it was removed")
{
	tk_run_until_idle(faulty("closed-watch"));
}

TK_TEST_FAILS(a_class_that_is_not_there, "no plugin that is loaded has a device class \"nix\"")
{
	(void)tk_create("nix", "");
}

TK_TEST_FAILS(an_order_that_is_wrong, "the test wants to start faulty, which is created")
{
	(void)tk_start(tk_create("faulty", ""));
}

TK_TEST_FAILS(numbers_that_differ, "1 + 1 == 3: 2 (0x2) is not 3 (0x3)")
{
	TK_EQ(1 + 1, 3);
}

TK_TEST_FAILS(texts_that_differ, "is \"a\", wanted \"b\"")
{
	TK_STR("a", "b");
}

TK_TEST_FAILS(bytes_that_differ, "byte 2 of 4 is 0x63, not 0x78")
{
	TK_MEM_EQ("abcd", "abxd", 4);
}

/* ---- the hostile driver ---- */

TK_TEST(a_good_device_stands_the_hostile_driver)
{
	struct tk_dev *d = faulty("none");

	TK_TRUE(tk_hostile_run(d) >= 200);
	one_request(d); /* and works on */
}

TK_TEST_FAILS(the_hostile_driver_sees_a_stray_write, "changed guest memory that it was not given")
{
	(void)tk_hostile_run(faulty("stray-write"));
}

TK_TEST_FAILS(the_hostile_driver_sees_a_write_after_a_reset, "hostile case reset_in_flight")
{
	(void)tk_hostile_one(faulty("late-write"), "reset_in_flight");
}

TK_TEST(cases_have_names)
{
	const char *name, *what, *other;
	unsigned n = 0;

	for (; tk_hostile_case(n, &name, &what) == 0; n++) {
		TK_TRUE(name[0] && what[0]);
		for (unsigned i = 0; i < n; i++) {
			TK_EQ(tk_hostile_case(i, &other, &what), 0);
			TK_TRUE(strcmp(name, other) != 0);
		}
	}
	TK_TRUE(n >= 100);
	TK_EQ(tk_hostile_one(faulty("none"), "no such case"), 0);
}

/* ---- the host ---- */

TK_TEST(faults_are_injected_at_each_step)
{
	/* malloc; seven services of claim() and those of add(); open */
	TK_EQ(tk_fault_sweep("faulty", ""), 1 + 7 + 4 + 1);
}

TK_TEST_FAILS(the_sweep_sees_memory_that_is_left,
	"faulty left 1 blocks of memory when allocation 2 failed")
{
	(void)tk_fault_sweep("faulty", "fault = \"leak-memory\";");
}

TK_TEST(blocks_are_counted)
{
	struct tk_dev *d = tk_create("faulty", "");

	TK_EQ(tk_live_blocks(), 0);
	TK_EQ(tk_attach(d), 0);
	TK_EQ(tk_live_blocks(), 1);
	for (int i = 0; i < 1000; i++) {
		tk_destroy(d);
		TK_EQ(tk_live_blocks(), 0);
		d = tk_started("faulty", "");
	}
	TK_EQ(tk_live_blocks(), 1);
}

TK_TEST(a_fault_is_of_its_kind)
{
	struct tk_dev *d = tk_create("faulty", "");

	tk_fail_nth(TK_FAIL_OPEN, 1);
	TK_EQ(tk_attach(d), -EMFILE);
	TK_STR(tk_error(), "faulty: no /dev/null");
	TK_TRUE(tk_fail_fired());
	tk_destroy(d);
	d = tk_create("faulty", "");
	tk_fail_nth(TK_FAIL_ALLOC, 2); /* there is but one */
	TK_EQ(tk_attach(d), 0);
	TK_TRUE(!tk_fail_fired());
	TK_EQ(tk_calls(TK_FAIL_ALLOC), 1);
}

TK_TEST(waits_for_what_the_loop_has_to_do)
{
	struct tk_dev *d = faulty("none");

	TK_EQ(tk_wait(1), 0);
	tk_write(d, 0, 8, 4, 1);
	TK_EQ(tk_wait(10000), 1);
	tk_run_until_idle(d);
	TK_EQ(tk_wait(1), 0);
	tk_destroy(d);
}

TK_TEST(doorbells_ring)
{
	struct tk_dev *d = faulty("none");
	unsigned before = tk_doorbells(d);

	tk_write(d, 0, 8, 4, 1);
	tk_write(d, 0, 8, 2, 1);
	TK_EQ(tk_doorbells(d), before + 1);
	tk_run_until_idle(d);
	TK_EQ(tk_irq_edges(d, 0), 1);
}

TK_TEST(windows_answer_inside_only)
{
	struct tk_dev *d = faulty("none");

	TK_EQ(tk_read(d, 0, 0, 4), 7);
	TK_EQ(tk_read(d, 0, 4096, 4), 0xffffffff);
	TK_EQ(tk_read(d, 0, 0, 3), 0xffffff);
}

static void job_is_done(struct tk_dev *d)
{
	uint32_t value = 1234;

	tk_put(TK_RAM_A, &value, sizeof(value));
	tk_write(d, 0, 0, 4, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_read(d, 0, 0, 4), 1);
	TK_EQ(tk_read(d, 0, 8, 4), 1);
	TK_MEM_EQ(tk_mem(TK_RAM_A + 4, 4), &value, 4);
	TK_EQ(tk_irq_level(d, 0), 1);
	TK_EQ(tk_irqs(d), 1);
}

TK_TEST(jobs_run_when_stepped)
{
	job_is_done(tk_device("worker", ""));
}

TK_TEST(jobs_run_on_threads)
{
	tk_work_on_thread(1);
	job_is_done(tk_device("worker", ""));
}

TK_TEST(a_job_is_under_way_once)
{
	struct tk_dev *d = tk_device("worker", "");

	tk_write(d, 0, 0, 4, 0);
	tk_write(d, 0, 0, 4, 0);
	TK_EQ((int32_t)tk_read(d, 0, 0, 4), -1000);
}

TK_TEST(a_job_that_waits_is_taken_back)
{
	struct tk_dev *d = tk_device("worker", "");

	tk_write(d, 0, 8, 4, 0); /* the cancel comes first */
	tk_write(d, 0, 0, 4, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_read(d, 0, 0, 4), 100);
	TK_EQ(tk_read(d, 0, 8, 4), 0);
}

TK_TEST(a_job_that_ran_is_not_done_after_a_cancel)
{
	struct tk_dev *d = tk_device("worker", "");

	tk_write(d, 0, 0, 4, 0);
	TK_TRUE(tk_step()); /* run() was called, done() is posted behind the cancel */
	tk_write(d, 0, 8, 4, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_read(d, 0, 0, 4) % 100, 1);
}

TK_TEST(flush_waits_for_jobs)
{
	struct tk_dev *d = tk_device("worker", "");

	tk_work_on_thread(1);
	tk_write(d, 0, 0, 4, 0);
	TK_EQ(tk_quiesce(d), 0);
	TK_EQ(tk_read(d, 0, 8, 4), 1);
	tk_work_on_thread(0);
	TK_EQ(tk_resume(d), 0);
	tk_write(d, 0, 0, 4, 0);
	TK_EQ(tk_quiesce(d), 0);
	TK_EQ(tk_read(d, 0, 8, 4), 2);
}

TK_TEST(levels_are_kept_and_edges_counted)
{
	struct tk_dev *d = tk_device("worker", "");

	tk_write(d, 0, 16, 4, 1);
	tk_write(d, 0, 16, 4, 1);
	TK_EQ(tk_irq_level(d, 0), 1);
	TK_EQ(tk_irq_edges(d, 0), 1);
	tk_write(d, 0, 16, 4, 0);
	TK_EQ(tk_irq_level(d, 0), 0);
	tk_write(d, 0, 24, 4, 0); /* by the notifier */
	TK_EQ(tk_irq_edges(d, 1), 1);
	TK_TRUE(tk_irq_number(d, 0) != tk_irq_number(d, 1));
	TK_EQ(tk_irq_number(d, 2), -ENOENT);
}

TK_TEST(the_clock_stands_until_it_is_moved)
{
	struct tk_dev *d = tk_device("worker", "");
	uint64_t now = tk_read(d, 0, 16, 8), real = tk_read(d, 0, 32, 8);

	TK_EQ(tk_read(d, 0, 16, 8), now);
	tk_advance_ms(5);
	TK_EQ(tk_read(d, 0, 16, 8), now + 5000000);
	TK_EQ(tk_read(d, 0, 24, 8), now + 5000000);
	TK_EQ(tk_read(d, 0, 32, 8), real + 5000000);
	TK_EQ(tk_quiesce(d), 0);
	tk_advance_ms(5);
	TK_EQ(tk_read(d, 0, 16, 8), now + 10000000);
	TK_EQ(tk_read(d, 0, 24, 8), now + 5000000); /* the guest's stands still */
}

TK_TEST(timers_expire_on_time)
{
	struct tk_dev *d = tk_device("worker", "");

	tk_write(d, 0, 32, 8, tk_now_ns() + 1000);
	tk_advance_ns(999);
	TK_EQ(tk_irqs(d), 0);
	tk_advance_ns(1);
	TK_EQ(tk_irqs(d), 1);
	tk_advance_ms(100);
	TK_EQ(tk_irqs(d), 1);
	tk_write(d, 0, 32, 8, tk_now_ns() + 1000);
	tk_write(d, 0, 32, 8, 0);
	tk_advance_ms(100);
	TK_EQ(tk_irqs(d), 1);
}

TK_TEST(a_class_without_state_has_a_name_and_a_type)
{
	struct tk_dev *d = tk_started("worker", "");
	struct tk_state *s;

	TK_EQ(tk_quiesce(d), 0);
	s = tk_save(d);
	TK_TRUE(s != NULL);
	TK_STR(tk_state_name(s, 1), "device 1/1 string");
	TK_STR(tk_state_name(s, 2), "device 1/2 string");
	TK_TRUE(tk_state_name(s, 3) == NULL);
	tk_destroy(d);
	d = tk_create("worker", "");
	TK_EQ(tk_attach(d), 0);
	TK_EQ(tk_load(d, s), 0);
	TK_EQ(tk_start(d), 0);
}

TK_TEST(settings_are_the_cores)
{
	TK_TRUE(tk_create("faulty", "fault = \"nothing\";") == NULL);
	TK_HAS_TEXT(tk_error(), "settings:1: faulty: \"fault\" is ");
	TK_TRUE(tk_create("faulty", "fault =") == NULL);
	TK_HAS_TEXT(tk_error(), "settings:1: syntax error");
	TK_TRUE(tk_create("faulty", "name = \"it\";\nbad = 1;") == NULL);
	TK_HAS_TEXT(tk_error(), "settings:2: it: unknown setting \"bad\" for faulty");
}

TK_TEST(a_plugin_that_is_none_is_refused)
{
	TK_TRUE(tk_plugin_try("/nowhere.so") == NULL);
	TK_STR(tk_error(), "/nowhere.so: there is no such plugin");
	TK_TRUE(tk_plugin_try("/bin/sh") == NULL);
	TK_HAS_TEXT(tk_error(), "cannot load plugin: ");
}

static void fails_in_a_process(void *arg)
{
	(void)arg;
	TK_FAIL("so it is");
}

static void passes_in_a_process(void *arg)
{
	(void)arg;
}

TK_TEST(checks_can_run_by_themselves)
{
	char why[128];

	TK_EQ(tk_isolated(fails_in_a_process, NULL, why, sizeof(why)), 1);
	TK_HAS_TEXT(why, "so it is");
	TK_EQ(tk_isolated(passes_in_a_process, NULL, why, sizeof(why)), 0);
	TK_STR(why, "");
}

/* ---- the driver ---- */

TK_TEST(event_indices_save_kicks_and_interrupts)
{
	struct tk_dev *d = faulty("none");

	(void)tk_in(d, 0, 4);
	TK_TRUE(tk_kick_wanted(d, 0));
	tk_kick(d, 0);
	TK_TRUE(!tk_kick_wanted(d, 0));
	tk_run_until_idle(d);
	TK_EQ(tk_irqs(d), 1);
	tk_want_irqs(d, 0, 0);
	(void)tk_in(d, 0, 4);
	TK_TRUE(tk_kick_wanted(d, 0));
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_reap(d, 0), 2);
	TK_EQ(tk_irqs(d), 1);
	tk_want_irqs(d, 0, 1);
	(void)tk_in(d, 0, 4);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_irqs(d), 2);
}

TK_TEST(descriptors_come_back)
{
	struct tk_dev *d = faulty("none");

	for (int i = 0; i < 2000; i++) {
		struct tk_part parts[5] = { { 0, "xy", 2, 0 }, { 0, NULL, 3, 1 }, { 0, NULL, 4, 1 },
			{ 0, NULL, 5, 1 }, { 0, NULL, 6, 1 } };
		struct tk_buf *a, *b;

		tk_use_indirect(d, i & 1);
		a = tk_chain(d, 0, parts, 5);
		b = tk_chain(d, 0, parts, 3);
		tk_kick(d, 0);
		tk_run_until_idle(d);
		TK_EQ(tk_used_len(a), 18);
		TK_EQ(tk_used_len(b), 7);
		tk_free(b);
		tk_free(a);
	}
}

TK_TEST(a_buffer_may_straddle)
{
	struct tk_dev *d = faulty("none");
	const struct tk_part part = { TK_RAM_B - 8, NULL, 16, 1 };
	const unsigned char ones[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
	unsigned char zeroes[16] = { 0 }, read[16];
	struct tk_buf *b;

	tk_put(TK_RAM_B - 8, ones, 16);
	b = tk_chain(d, 0, &part, 1);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 16);
	TK_EQ(tk_in_bytes(b, read, 16), 16);
	TK_MEM_EQ(read, zeroes, 16);
}

TK_MAIN()

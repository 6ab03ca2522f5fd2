/* SPDX-License-Identifier: Apache-2.0 */
/* vsock: a device that is loaded tells its guest that the transport was reset. */
#include <errno.h>
#include <unistd.h>

#include <tenon/testkit.h>

#include "vsock.h"

static struct tk_dev *replaced(struct tk_dev *d, const char *settings)
{
	d = tk_replace(d, "vsock", settings);
	tk_run_until_idle(d);
	return d;
}

static void is_reset_event(struct tk_buf *b)
{
	TK_EQ(tk_used_len(b), 4);
	TK_MEM_EQ(tk_in_data(b), "\0\0\0", 4);
}

TK_TEST(the_guest_hears_of_the_reset)
{
	struct tk_dev *d = tk_device("vsock", "cid = 5;");
	struct tk_buf *event = tk_in(d, QUEUE_EVENT, 8);

	tk_kick(d, QUEUE_EVENT);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(event), -1); /* nothing happens to one that runs */
	tk_irqs_clear(d);
	d = replaced(d, "cid = 5;");
	is_reset_event(event);
	TK_TRUE(tk_irqs(d) > 0);
	TK_EQ(tk_config(d, 0, 4), 5);
}

TK_TEST(it_waits_for_a_buffer_that_holds_it)
{
	struct tk_dev *d = replaced(tk_device("vsock", ""), "");
	struct tk_buf *small = tk_in(d, QUEUE_EVENT, 2), *event;

	tk_kick(d, QUEUE_EVENT);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(small), 2);
	event = tk_in(d, QUEUE_EVENT, 4);
	tk_kick(d, QUEUE_EVENT);
	tk_run_until_idle(d);
	is_reset_event(event);
	event = tk_in(d, QUEUE_EVENT, 4);
	tk_kick(d, QUEUE_EVENT);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(event), -1); /* once */
}

TK_TEST(it_is_due_again_after_a_second_time)
{
	struct tk_dev *d = replaced(replaced(tk_device("vsock", ""), ""), "");
	struct tk_buf *event = tk_in(d, QUEUE_EVENT, 4);

	tk_kick(d, QUEUE_EVENT);
	tk_run_until_idle(d);
	is_reset_event(event);
}

TK_TEST(the_guest_reads_its_new_address)
{
	struct tk_dev *d = tk_device("vsock", "cid = 5;");
	struct tk_buf *event = tk_in(d, QUEUE_EVENT, 4);

	d = replaced(d, "cid = 6;");
	is_reset_event(event);
	TK_EQ(tk_config(d, 0, 4), 6);
}

TK_TEST(a_device_without_a_driver_has_nothing_to_say)
{
	struct tk_dev *d = replaced(tk_started("vsock", ""), "");
	struct tk_buf *event;

	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	event = tk_in(d, QUEUE_EVENT, 4);
	tk_kick(d, QUEUE_EVENT);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(event), -1);
}

TK_MAIN()

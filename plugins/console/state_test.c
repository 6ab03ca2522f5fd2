/* SPDX-License-Identifier: Apache-2.0 */
/* console: ports that are saved and loaded go on, and the guest is told of what has changed. */
#include "ports_bed.h"

TK_TEST(output_that_was_half_out_goes_on)
{
	struct tk_dev *d = tk_device("console", "");
	struct tk_buf *b;

	tk_output_room(4);
	b = tk_out(d, 1, "0123456789", 10);
	tk_kick(d, 1);
	tk_run_until_idle(d);
	TK_STR(tk_output(), "0123");
	TK_EQ(tk_used_len(b), -1);
	d = tk_replace(d, "console", "");
	tk_run_until_idle(d);
	tk_output_room(SIZE_MAX);
	tk_run_until_idle(d);
	TK_STR(tk_output(), "0123456789");
	TK_EQ(tk_used_len(b), 0);
	(void)tk_out(d, 1, "!", 1);
	tk_kick(d, 1);
	tk_run_until_idle(d);
	TK_STR(tk_output(), "0123456789!");
}

TK_TEST(open_ports_stay_open)
{
	const char *ports = "\"terminal\", \"name=log,file=log,append\"";
	struct tk_dev *d = opened(ports, 2);
	struct tk_buf *in = give(d, 0, 16);

	(void)say(d, 1, "one ");
	d = tk_replace(d, "console", settings(ports));
	tk_run_until_idle(d);
	TK_STR(message(), ""); /* nothing has changed */
	(void)say(d, 1, "two");
	TK_STR(contents("log"), "one two");
	tk_type("k");
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(in), 1);
}

TK_TEST(ports_that_the_guest_did_not_open_take_no_input)
{
	const char *ports = "\"terminal\", \"name=log,file=log\"";
	struct tk_dev *d = opened(ports, 0);
	struct tk_buf *in;

	d = tk_replace(d, "console", settings(ports));
	in = give(d, 0, 16);
	tk_type("k");
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(in), -1);
	tell(d, 0, PORT_READY, 1);
	tell(d, 0, OPEN, 1);
	TK_EQ(tk_used_len(in), 1);
}

TK_TEST(messages_that_were_pending_are_sent)
{
	const char *ports = "\"terminal\", \"name=log,file=log\"";
	struct tk_dev *d = create(ports);

	tell(d, UINT32_MAX, READY, 1);
	tell(d, 1, PORT_READY, 1);
	d = tk_replace(d, "console", settings(ports));
	give_control(d, 8);
	TK_STR(message(), "0 1 1");
	TK_STR(message(), "1 1 1");
	TK_STR(message(), "1 7 1 log");
	TK_STR(message(), "1 6 1");
	TK_STR(message(), "");
}

TK_TEST(a_peer_that_is_gone_is_told)
{
	const char *ports = "\"name=box,socket=box,listen\"";
	/* While there is another device, the kit does not take the test's socket for one's own. */
	struct tk_dev *other = tk_create("console", "name = \"other\";"), *d = opened(ports, 1);
	CLOSED peer = dial("box");

	TK_TRUE(other != NULL);
	tk_run_until_idle(d);
	TK_STR(message(), "0 6 1");
	d = tk_replace(d, "console", settings(ports));
	tk_run_until_idle(d);
	TK_STR(message(), "0 6 0");
	hang_up(&peer);
	peer = dial("box");
	tk_run_until_idle(d);
	TK_STR(message(), "0 6 1");
	(void)say(d, 0, "hello");
	TK_STR(get(peer), "hello");
}

TK_TEST(a_terminal_of_another_size_is_told)
{
	struct tk_dev *d = opened("\"terminal\"", 1);
	struct tk_state *s;
	struct tk_driver *driver;

	TK_EQ(tk_quiesce(d), 0);
	s = tk_save(d);
	driver = tk_take_driver(d);
	tk_destroy(d);
	tk_resize(132, 43);
	d = tk_create("console", settings("\"terminal\""));
	TK_EQ(tk_attach(d), 0);
	tk_give_driver(d, driver);
	TK_EQ(tk_load(d, s), 0);
	TK_EQ(tk_start(d), 0);
	tk_run_until_idle(d);
	TK_STR(message(), "0 5 0 132 43");
	TK_EQ(tk_config(d, 0, 2), 132);
}

TK_TEST(a_port_of_another_name_is_refused)
{
	struct tk_dev *d = opened("\"terminal\", \"name=log,file=log\"", 2);
	struct tk_state *s;

	TK_EQ(tk_quiesce(d), 0);
	s = tk_save(d);
	tk_destroy(d);
	d = tk_create("console", settings("\"terminal\", \"name=other,file=log\""));
	TK_EQ(tk_attach(d), 0);
	TK_EQ(tk_load(d, s), -EPROTO);
	TK_STR(tk_error(), "console: port 1 (other) had another name when it was saved");
}

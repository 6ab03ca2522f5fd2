/* SPDX-License-Identifier: Apache-2.0 */
/* block: a disk that is saved and loaded goes on, and is as large as it is where it is loaded. */
#include "test_disk.h"

static const char *on(const struct file *f, const char *more)
{
	static char text[256];

	(void)snprintf(text, sizeof(text), "path = \"%s\"; lock = false; %s", f->path, more);
	return text;
}

TK_TEST(requests_outstanding_are_served_by_the_next)
{
	struct file f = file_new(1 << 20);
	struct tk_dev *d = disk(f.path, "lock = false;");
	uint8_t sector[512], expected[512];
	struct tk_buf *out, *in;

	fill(sector, 4096, 512, 7);
	out = ask(d, 0, BLK_T_OUT, 8, sector, 512, 0);
	in = ask(d, 0, BLK_T_IN, 3, NULL, 0, 512);
	tk_kick(d, 0); /* and nobody looks */
	d = tk_replace(d, "block", on(&f, ""));
	wait_for(d, out);
	wait_for(d, in);
	TK_EQ(status_of(out), OK);
	TK_EQ(status_of(in), OK);
	fill(expected, 3 * 512ull, 512, 0);
	TK_MEM_EQ(tk_in_bytes(in, sector, 512) == 512 ? sector : NULL, expected, 512);
	TK_EQ(pread(f.fd, sector, 512, 4096), 512);
	fill(expected, 4096, 512, 7);
	TK_MEM_EQ(sector, expected, 512);
	TK_EQ(disk_read(d, 8, sector, 512), OK);
	TK_MEM_EQ(sector, expected, 512);
}

TK_TEST(the_drivers_choice_of_cache_is_kept)
{
	struct file f = file_new(1 << 20);
	struct tk_dev *d = disk(f.path, "lock = false;");
	struct tk_state *s;

	TK_EQ(tk_config(d, BLK_CFG_WRITEBACK, 1), 1);
	tk_set_config(d, BLK_CFG_WRITEBACK, 1, 0);
	tk_run_until_idle(d);
	d = tk_replace(d, "block", on(&f, ""));
	TK_EQ(tk_config(d, BLK_CFG_WRITEBACK, 1), 0);
	TK_EQ(tk_quiesce(d), 0);
	s = tk_save(d);
	TK_EQ(((const uint8_t *)tk_state_bytes(s))[tk_state_size(s) - 1], 0);
	TK_EQ(tk_resume(d), 0);
	tk_driver_reset(d); /* the next driver begins as the configuration has it */
	TK_EQ(tk_config(d, BLK_CFG_WRITEBACK, 1), 1);
}

TK_TEST(a_disk_of_another_size_is_told)
{
	struct file f = file_new(1 << 20), g = file_new(2 << 20);
	struct tk_dev *d = disk(f.path, "lock = false;");

	TK_EQ(tk_config(d, BLK_CFG_CAPACITY, 8), 2048);
	d = tk_replace(d, "block", on(&g, ""));
	TK_EQ(tk_config(d, BLK_CFG_CAPACITY, 8), 4096);
	TK_TRUE(tk_irqs(d) > 0);
}

TK_TEST(a_disk_that_can_less_is_refused)
{
	struct file f = file_new(1 << 20);
	struct tk_dev *d = disk(f.path, "lock = false;");
	struct tk_state *s;

	TK_EQ(tk_quiesce(d), 0);
	s = tk_save(d);
	tk_destroy(d);
	d = tk_create("block", on(&f, "read_only = true;"));
	TK_EQ(tk_attach(d), 0);
	TK_EQ(tk_load(d, s), -EPROTO);
	TK_HAS_TEXT(tk_error(), "its state cannot be loaded: the driver uses features 0x");
}

TK_MAIN()

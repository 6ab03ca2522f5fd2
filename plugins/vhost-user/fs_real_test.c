/* SPDX-License-Identifier: Apache-2.0 */
/* The front end before virtiofsd, which has no configuration to offer: a file is read through it.
 */
#include "real.h"

#define VIRTIOFSD "/usr/lib/qemu/virtiofsd"

enum { LOOKUP = 1, OPEN = 14, READ = 15, INIT = 26 };

struct reply {
	uint8_t bytes[4096];
	size_t size;
};

/* One request of FUSE over queue 1, to its answer. */
static struct reply ask(struct tk_dev *d, uint32_t op, uint64_t node, const void *args, size_t size)
{
	static uint64_t unique;
	uint8_t bytes[256] = { 0 };
	struct reply r = { .size = 0 };
	struct tk_buf *b;
	uint32_t total = (uint32_t)(40 + size);

	unique++;
	memcpy(bytes, &total, 4);
	memcpy(bytes + 4, &op, 4);
	memcpy(bytes + 8, &unique, 8);
	memcpy(bytes + 16, &node, 8);
	memcpy(bytes + 40, args, size);
	b = tk_request(d, 1, bytes, total, sizeof(r.bytes));
	tk_kick(d, 1);
	for (int i = 0; tk_used_len(b) < 0; i++) {
		if (i == 1000)
			TK_FAIL("request %u is not answered", op);
		tk_run_until_idle(d);
		if (tk_used_len(b) < 0)
			(void)poll(NULL, 0, 5);
	}
	r.size = (size_t)tk_used_len(b);
	(void)tk_in_bytes(b, r.bytes, sizeof(r.bytes));
	TK_TRUE(r.size >= 16);
	TK_MEM_EQ(r.bytes + 8, &unique, 8);
	TK_EQ(*(int32_t *)(void *)(r.bytes + 4), 0); /* the error */
	tk_free(b);
	return r;
}

TK_TEST(a_file_is_read)
{
	char source[160], settings[256];
	const char *const argv[] = { VIRTIOFSD, "--fd=3", "-f", "-o", source, "-o",
		"sandbox=chroot", NULL };
	const uint32_t init[4] = { 7, 31, 0x20000, 0 };
	uint8_t open_args[8] = { 0 }, read_args[40] = { 0 };
	uint64_t node;
	struct reply r;
	struct tk_dev *d;
	pid_t pid;

	(void)snprintf(source, sizeof(source), "source=%s", in_folder("shared"));
	shell("mkdir -p %s && printf 'through the queue' >%s/file", in_folder("shared"),
		in_folder("shared"));
	pid = start_back_end(listen_at(in_folder("socket")), argv);
	(void)snprintf(settings, sizeof(settings),
		"socket = \"%s\"; device = \"fs\"; tag = \"files\"; timeout = 5000;",
		in_folder("socket"));
	d = tk_device("vhost-user", settings);
	TK_EQ(tk_device_id(d), 26);
	TK_EQ(tk_config(d, 0, 4), 0x656c6966);
	TK_EQ(tk_config(d, 36, 4), 1);

	r = ask(d, INIT, 0, init, sizeof(init));
	TK_EQ(*(uint32_t *)(void *)(r.bytes + 16), 7);
	r = ask(d, LOOKUP, 1, "file", 5);
	memcpy(&node, r.bytes + 16, 8);
	r = ask(d, OPEN, node, open_args, sizeof(open_args));
	memcpy(read_args, r.bytes + 16, 8); /* the handle */
	read_args[16] = 100;
	r = ask(d, READ, node, read_args, sizeof(read_args));
	TK_EQ(r.size, 16 + 17);
	TK_MEM_EQ(r.bytes + 16, "through the queue", 17);
	TK_TRUE(tk_irqs(d) > 0);
	tk_destroy(d);
	kill_back_end(pid);
	shell("rm -rf %s", folder());
}

int main(int argc, char **argv)
{
	if (access(VIRTIOFSD, X_OK) < 0) {
		(void)printf("1..0 # SKIP " VIRTIOFSD " is not installed\n");
		return 77;
	}
	return tk_main(argc, argv, TENON_TESTKIT_PLUGIN);
}

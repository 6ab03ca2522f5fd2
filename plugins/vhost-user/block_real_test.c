/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The front end before qemu-storage-daemon, which serves a disk: data go where they should, and
 * come back, also when the daemon is killed while it works.
 */
#include "real.h"

#define QSD         "qemu-storage-daemon"
#define SECTORS     32768u
#define IMAGE_BYTES ((off_t)SECTORS * 512)

enum { READ = 0, WRITE = 1, FLUSH = 4, GET_ID = 8 };

struct disk {
	pid_t pid;
	int image;
	struct tk_dev *d;
};

/* @iops: requests a second that it does, 0 = as many as it can. */
static void start_slow_daemon(struct disk *k, unsigned queues, unsigned iops)
{
	char limit[64], drive[256], export[256];
	const char *const argv[] = { QSD, "--object", limit, "--blockdev", drive, "--export",
		export, NULL };

	(void)snprintf(limit, sizeof(limit), "throttle-group,id=t,limits.iops-total=%u", iops);
	(void)snprintf(drive, sizeof(drive),
		"driver=throttle,node-name=f,throttle-group=t,file.driver=file,file.filename=%s",
		in_folder("disk"));
	(void)snprintf(export, sizeof(export),
		"type=vhost-user-blk,id=e,node-name=f,addr.type=fd,addr.str=%d,writable=on,"
		"num-queues=%u",
		BACK_END_FD, queues);
	k->pid = start_back_end(listen_at(in_folder("socket")), argv);
}

static void start_daemon(struct disk *k, unsigned queues)
{
	start_slow_daemon(k, queues, 0);
}

static struct tk_dev *device(const char *more)
{
	char settings[512];

	(void)snprintf(settings, sizeof(settings), "socket = \"%s\"; device = \"block\"; %s",
		in_folder("socket"), more);
	return tk_device("vhost-user", settings);
}

static struct disk open_slow_disk(const char *more, unsigned queues, unsigned iops)
{
	struct disk k = { .image = -1 };

	k.image = open(in_folder("disk"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	TK_TRUE(k.image >= 0 && ftruncate(k.image, IMAGE_BYTES) == 0);
	start_slow_daemon(&k, queues, iops);
	k.d = device(more);
	return k;
}

static struct disk open_disk(const char *more, unsigned queues)
{
	return open_slow_disk(more, queues, 0);
}

static void close_disk(struct disk *k)
{
	tk_destroy(k->d);
	kill_back_end(k->pid);
	(void)close(k->image);
	shell("rm -rf %s", folder());
}

/* ---- requests ---- */

static uint8_t pattern(uint64_t sector, unsigned i, unsigned seed)
{
	return (uint8_t)(sector * 7 + i * 13ull + seed * 101ull + (sector >> 8));
}

static struct tk_buf *write_sectors(
	struct disk *k, unsigned queue, uint64_t sector, unsigned n, unsigned seed)
{
	uint8_t bytes[16 + 64 * 512] = { WRITE };

	memcpy(bytes + 8, &sector, 8);
	for (unsigned i = 0; i < n * 512; i++)
		bytes[16 + i] = pattern(sector + i / 512, i % 512, seed);
	return tk_request(k->d, queue, bytes, 16 + n * 512ul, 1);
}

static struct tk_buf *simple(
	struct disk *k, unsigned queue, uint32_t type, uint64_t sector, size_t in)
{
	uint8_t head[16] = { (uint8_t)type };

	memcpy(head + 8, &sector, 8);
	return tk_request(k->d, queue, head, 16, in + 1);
}

/* Runs the loop until @b is back; the daemon takes the time that it takes. */
static void finish(struct disk *k, struct tk_buf *b)
{
	for (int i = 0; tk_used_len(b) < 0; i++) {
		if (i == 2000)
			TK_FAIL("a request is not answered; log: the back end is %s",
				tk_log_has("lost") ? "lost" : "there");
		tk_run_until_idle(k->d);
		tk_advance_ms(10);
		if (tk_used_len(b) < 0)
			(void)poll(NULL, 0, 5);
	}
}

static uint8_t status_of(struct tk_buf *b)
{
	uint8_t bytes[64 * 512 + 1];
	size_t n = tk_in_bytes(b, bytes, sizeof(bytes));

	return bytes[n - 1];
}

static void image_has(const struct disk *k, uint64_t sector, unsigned n, unsigned seed)
{
	uint8_t bytes[512];

	for (unsigned s = 0; s < n; s++) {
		TK_EQ(pread(k->image, bytes, 512, (off_t)(sector + s) * 512), 512);
		for (unsigned i = 0; i < 512; i++)
			if (bytes[i] != pattern(sector + s, i, seed))
				TK_FAIL("sector %llu byte %u is %u, %u was written",
					(unsigned long long)sector + s, i, bytes[i],
					pattern(sector + s, i, seed));
	}
}

/* ---- tests ---- */

TK_TEST(is_what_the_daemon_says)
{
	struct disk k = open_disk("", 2);

	TK_EQ(tk_device_id(k.d), 2);
	TK_EQ(tk_config(k.d, 0, 8), SECTORS);
	TK_EQ(tk_n_queues(k.d), 2);
	TK_EQ(tk_config(k.d, 34, 2), 2);
	/* Neither the protocol's bits nor rings that the transport cannot carry. */
	TK_EQ(tk_features(k.d) & 0x1ffff000000ull, TK_F_VERSION_1 | TK_F_INDIRECT | TK_F_EVENT_IDX);
	close_disk(&k);
}

TK_TEST(fewer_queues_than_the_daemon_has)
{
	struct disk k = open_disk("queues = 1;", 2);

	TK_EQ(tk_n_queues(k.d), 1);
	TK_EQ(tk_config(k.d, 34, 2), 1);
	close_disk(&k);
}

TK_TEST(writes_reads_and_flushes)
{
	struct disk k = open_disk("", 2);
	struct tk_buf *b;
	uint8_t bytes[8 * 512 + 1];

	for (unsigned queue = 0; queue < 2; queue++) {
		b = write_sectors(&k, queue, 100 + queue * 50, 8, 1);
		tk_kick(k.d, queue);
		finish(&k, b);
		TK_EQ(status_of(b), 0);
		tk_free(b);
		b = simple(&k, queue, FLUSH, 0, 0);
		tk_kick(k.d, queue);
		finish(&k, b);
		TK_EQ(status_of(b), 0);
		tk_free(b);
		image_has(&k, 100 + queue * 50, 8, 1);
		b = simple(&k, queue, READ, 100 + queue * 50, 8 * 512ul);
		tk_kick(k.d, queue);
		finish(&k, b);
		TK_EQ(tk_in_bytes(b, bytes, sizeof(bytes)), sizeof(bytes));
		for (unsigned i = 0; i < 8 * 512; i++)
			TK_EQ(bytes[i], pattern(100 + queue * 50 + i / 512, i % 512, 1));
		TK_TRUE(tk_irqs(k.d) > 0);
	}
	close_disk(&k);
}

/* It is one that fails when it is stopped with requests under way: they have to end first. */
TK_TEST(pauses_and_goes_on)
{
	struct disk k = open_slow_disk("", 1, 30);

	for (unsigned i = 0; i < 20; i++) {
		struct tk_buf *b = write_sectors(&k, 0, i * 8ull, 8, i);

		tk_kick(k.d, 0);
		TK_EQ(tk_quiesce(k.d), 0);
		TK_EQ(tk_resume(k.d), 0);
		finish(&k, b);
		TK_EQ(status_of(b), 0);
		image_has(&k, i * 8ull, 8, i);
		tk_free(b);
	}
	TK_TRUE(!tk_log_has("lost"));
	close_disk(&k);
}

TK_TEST(the_driver_resets_in_the_middle)
{
	struct disk k = open_disk("", 1);
	struct tk_buf *b;

	for (unsigned i = 0; i < 10; i++) {
		for (unsigned j = 0; j < 8; j++)
			(void)write_sectors(&k, 0, j * 8ull, 8, i);
		tk_kick(k.d, 0);
		TK_EQ(tk_driver(k.d, UINT64_MAX, 0), 0);
	}
	b = write_sectors(&k, 0, 0, 8, 77);
	tk_kick(k.d, 0);
	finish(&k, b);
	image_has(&k, 0, 8, 77);
	TK_TRUE(!tk_log_has("lost"));
	close_disk(&k);
}

/* Killed again and again with requests under way: each is done, none is answered twice. */
TK_TEST(killed_while_it_works)
{
	struct disk k = open_disk("reconnect = 1;", 1);
	struct tk_buf *bufs[24];

	for (unsigned round = 0; round < 8; round++) {
		for (unsigned i = 0; i < 24; i++)
			bufs[i] = i % 3 == 2 ? simple(&k, 0, READ, i * 64ull, 32 * 512ul)
					     : write_sectors(&k, 0, i * 64ull, 16 + i, round);
		tk_kick(k.d, 0);
		if (round % 2)
			(void)tk_step();
		kill_back_end(k.pid);
		tk_run_until_idle(k.d);
		start_daemon(&k, 1);
		for (unsigned i = 0; i < 24; i++) {
			finish(&k, bufs[i]);
			TK_EQ(status_of(bufs[i]), 0);
		}
		for (unsigned i = 0; i < 24; i++) {
			if (i % 3 != 2)
				image_has(&k, i * 64ull, 16 + i, round);
			tk_free(bufs[i]);
		}
		TK_EQ(tk_status(k.d) & TK_S_NEEDS_RESET, 0);
	}
	TK_TRUE(tk_log_has("the back end is lost: it has closed the connection"));
	close_disk(&k);
}

int main(int argc, char **argv)
{
	if (system("command -v " QSD " >/dev/null") != 0) { /* NOLINT(cert-env33-c) */
		(void)printf("1..0 # SKIP " QSD " is not installed\n");
		return 77;
	}
	return tk_main(argc, argv, TENON_TESTKIT_PLUGIN);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disk on a raw image, with the ring and with threads.
 *
 * The test takes the place of fdatasync() for the whole process, so that it sees when a disk is
 * told to keep what it was given, and of preadv2(), so that it decides what the host's cache holds.
 */
#include "test_disk.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define MIB (1ull << 20)

static unsigned syncs, syncs_fail;

__attribute__((visibility("default"))) int fdatasync(int fd)
{
	syncs++;
	if (syncs_fail) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

static unsigned cache_reads;
static ssize_t cache_holds = -1; /* bytes of each read; -1 = as it is */

__attribute__((visibility("default"))) ssize_t preadv2(
	int fd, const struct iovec *iov, int n, off_t offset, int flags)
{
	struct iovec part;

	TK_EQ(flags, RWF_NOWAIT); /* anything else might wait */
	cache_reads++;
	if (cache_holds < 0)
		return preadv(fd, iov, n, offset);
	if (cache_holds == 0) {
		errno = EAGAIN;
		return -1;
	}
	part = iov[0];
	if (part.iov_len > (size_t)cache_holds)
		part.iov_len = (size_t)cache_holds;
	return preadv(fd, &part, 1, offset);
}

static const char *const engines[] = { "engine = \"io_uring\";", "engine = \"threads\";" };

/* ---- reading and writing ---- */

TK_TEST(reads_and_writes)
{
	for (unsigned e = 0; e < 2; e++) {
		struct file f = file_new(MIB);
		struct tk_dev *d = disk(f.path, "%s", engines[e]);
		uint8_t wanted[4096], got[4096];

		TK_EQ(disk_read(d, 3, got, 1024), OK);
		fill(wanted, 3 * 512ull, 1024, 0);
		TK_MEM_EQ(got, wanted, 1024);
		fill(wanted, 0, 4096, 7);
		TK_EQ(disk_write(d, 100, wanted, 4096), OK);
		TK_EQ(pread(f.fd, got, 4096, 100 * 512ull), 4096);
		TK_MEM_EQ(got, wanted, 4096);
		TK_EQ(disk_read(d, 2047, got, 512), OK);
		tk_destroy(d);
	}
}

/* The host's cache may hold all of a read, the beginning of it, or nothing. */
TK_TEST(what_the_cache_lacks_is_read_from_the_disk)
{
	static const ssize_t holds[] = { -1, 1, 512, 1000, 0 };
	struct file f = file_new(MIB);
	struct tk_dev *d = disk(f.path, "engine = \"io_uring\";");
	uint8_t wanted[4096], got[4096];

	fill(wanted, 8 * 512ull, 4096, 0);
	for (unsigned i = 0; i < sizeof(holds) / sizeof(holds[0]); i++) {
		unsigned before = cache_reads;

		cache_holds = holds[i];
		memset(got, 0, sizeof(got));
		TK_EQ(disk_read(d, 8, got, 4096), OK);
		TK_MEM_EQ(got, wanted, 4096);
		TK_EQ(cache_reads, before + 1);
	}
	/* Once it held nothing, it is left alone for a while. */
	cache_holds = -1;
	for (unsigned before = cache_reads, i = 0; i < 40; i++) {
		TK_EQ(disk_read(d, 8, got, 4096), OK);
		TK_EQ(cache_reads > before, i >= 32);
	}
}

TK_TEST(without_the_hosts_cache_it_is_not_asked)
{
	struct file f = file_new(MIB);
	struct tk_dev *d =
		disk(f.path, "direct = true; sector_size = 4096; engine = \"io_uring\";");
	static uint8_t got[4096];

	TK_EQ(disk_read(d, 8, got, 4096), OK);
	TK_EQ(cache_reads, 0);
}

/* How the header, the data and the status are spread over buffers is the driver's affair. */
TK_TEST(any_framing)
{
	struct file f = file_new(MIB);
	struct tk_dev *d = disk(f.path, "%s", "");
	uint8_t data[16 + 1024], got[1025], wanted[1024];
	struct tk_part out[] = { { .data = data, .size = 5 }, { .data = data + 5, .size = 300 },
		{ .data = data + 305, .size = 735 }, { .size = 1, .in = 1 } };
	struct tk_part in[] = { { .data = data, .size = 16 }, { .size = 1, .in = 1 },
		{ .size = 1000, .in = 1 }, { .size = 24, .in = 1 } };
	struct tk_buf *b;

	header_of(data, BLK_T_OUT, 8);
	fill(data + 16, 0, 1024, 3);
	TK_EQ(result(d, tk_chain(d, 0, out, 4)), OK);
	header_of(data, BLK_T_IN, 8);
	b = tk_chain(d, 0, in, 4);
	tk_kick(d, 0);
	wait_for(d, b);
	TK_EQ(tk_in_bytes(b, got, sizeof(got)), 1025);
	TK_EQ(got[1024], OK);
	fill(wanted, 0, 1024, 3);
	TK_MEM_EQ(got, wanted, 1024);
}

TK_TEST(past_the_end_fails)
{
	struct file f = file_new(MIB);
	struct tk_dev *d = disk(f.path, "%s", "");
	uint8_t got[1024] = { 0 };
	struct stat st;

	TK_EQ(disk_read(d, 2047, got, 1024), IOERR);
	TK_EQ(disk_write(d, 2047, got, 1024), IOERR);
	TK_EQ(disk_write(d, UINT64_MAX, got, 512), IOERR);
	TK_EQ(disk_write(d, UINT64_MAX / 512 + 1, got, 512), IOERR);
	TK_EQ(disk_read(d, 0, got, 100), IOERR);
	TK_EQ(fstat(f.fd, &st), 0);
	TK_EQ(st.st_size, MIB);
	TK_TRUE(tk_log_has("past the end of the disk"));
}

TK_TEST(bad_requests_end_with_their_status)
{
	struct file f = file_new(MIB);
	struct tk_dev *d = disk(f.path, "%s", "");
	struct tk_part tiny[] = { { .data = "short", .size = 5 }, { .size = 1, .in = 1 } };

	TK_EQ(result(d, ask(d, 0, 99, 0, NULL, 0, 0)), UNSUPP);
	TK_EQ(result(d, tk_chain(d, 0, tiny, 2)), IOERR);
	TK_EQ(tk_status(d) & TK_S_NEEDS_RESET, 0);
	tk_out(d, 0, "no room for a status", 20);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_TRUE(tk_status(d) & TK_S_NEEDS_RESET);
}

TK_TEST(serial)
{
	static const char wanted[20] = "WD-0123456789";
	struct file f = file_new(MIB);
	struct tk_dev *d = disk(f.path, "serial = \"WD-0123456789\";");
	struct tk_buf *b = ask(d, 0, BLK_T_GET_ID, 0, NULL, 0, 20);
	char got[21];

	tk_kick(d, 0);
	wait_for(d, b);
	TK_EQ(tk_in_bytes(b, got, 21), 21);
	TK_MEM_EQ(got, wanted, 20);
	TK_EQ(got[20], OK);
	TK_HAS_TEXT(refusal(f.path, "serial = \"123456789012345678901\"; lock = false;"),
		"has 21 characters");
}

/* Many at once; the ring is kicked once, and the driver is interrupted less often than served. */
TK_TEST(many_in_flight)
{
	for (unsigned e = 0; e < 2; e++) {
		struct file f = file_new(4 * MIB);
		struct tk_dev *d = disk(f.path, "%s", engines[e]);
		struct tk_buf *b[64];
		uint8_t data[4096], got[4097];

		tk_irqs_clear(d);
		for (unsigned i = 0; i < 64; i++) {
			fill(data, 0, 4096, i);
			b[i] = ask(d, 0, BLK_T_OUT, i * 8ull, data, 4096, 0);
		}
		tk_kick(d, 0);
		for (unsigned i = 0; i < 64; i++) {
			wait_for(d, b[i]);
			TK_EQ(status_of(b[i]), OK);
			tk_free(b[i]);
		}
		TK_TRUE(tk_irqs(d) < 64);
		for (unsigned i = 0; i < 64; i++)
			b[i] = ask(d, 0, BLK_T_IN, i * 8ull, NULL, 0, 4096);
		tk_kick(d, 0);
		for (unsigned i = 0; i < 64; i++) {
			wait_for(d, b[i]);
			fill(data, 0, 4096, i);
			(void)tk_in_bytes(b[i], got, 4097);
			TK_EQ(got[4096], OK);
			TK_MEM_EQ(got, data, 4096);
		}
		tk_destroy(d);
	}
}

TK_TEST(queues)
{
	struct file f = file_new(MIB);
	struct tk_dev *d = disk(f.path, "queues = 4;");
	struct tk_buf *b[4];

	TK_EQ(tk_n_queues(d), 4);
	TK_TRUE(tk_features(d) & BLK_F_MQ);
	TK_EQ(tk_config(d, BLK_CFG_NUM_QUEUES, 2), 4);
	for (unsigned q = 0; q < 4; q++) {
		b[q] = ask(d, q, BLK_T_IN, q, NULL, 0, 512);
		tk_kick(d, q);
	}
	for (unsigned q = 0; q < 4; q++) {
		uint8_t got[513], wanted[512];

		wait_for(d, b[q]);
		(void)tk_in_bytes(b[q], got, 513);
		fill(wanted, q * 512ull, 512, 0);
		TK_EQ(got[512], OK);
		TK_MEM_EQ(got, wanted, 512);
	}
}

TK_TEST(one_queue_offers_no_more)
{
	struct file f = file_new(MIB);
	struct tk_dev *d = disk(f.path, "%s", "");

	TK_EQ(tk_n_queues(d), 1);
	TK_EQ(tk_features(d) & BLK_F_MQ, 0);
	TK_EQ(tk_device_id(d), 2);
	TK_EQ(tk_config(d, BLK_CFG_CAPACITY, 8), MIB / 512);
	TK_EQ(tk_config(d, BLK_CFG_BLK_SIZE, 4), 512);
	TK_EQ(tk_config(d, BLK_CFG_SEG_MAX, 4), 254);
	TK_EQ(tk_config(d, BLK_CFG_PHYSICAL_EXP, 1), 3);
}

/* ---- sectors, direct ---- */

TK_TEST(large_sectors)
{
	struct file f = file_new(MIB + 512);
	struct tk_dev *d = disk(f.path, "sector_size = 4096;");
	uint8_t data[4096] = { 1 };

	TK_EQ(tk_config(d, BLK_CFG_BLK_SIZE, 4), 4096);
	TK_EQ(tk_config(d, BLK_CFG_CAPACITY, 8), MIB / 512);
	TK_TRUE(tk_log_has("less than a sector"));
	TK_EQ(disk_write(d, 8, data, 4096), OK);
	TK_EQ(disk_write(d, 8, data, 512), IOERR);
	TK_EQ(disk_write(d, 1, data, 4096), IOERR);
	TK_TRUE(tk_log_has("not of whole sectors"));
	TK_HAS_TEXT(refusal(f.path, "sector_size = 1024; lock = false;"), "wanted 512 or 4096");
}

/* Buffers of the driver that lie askew go through one that does not. */
TK_TEST(direct)
{
	for (unsigned e = 0; e < 2; e++) {
		struct file f = file_new(8 * MIB);
		struct tk_dev *d =
			disk(f.path, "direct = true; sector_size = 4096; %s", engines[e]);
		static uint8_t data[3 * 4096ull], got[3 * 4096ull + 1];
		uint64_t aligned = tk_alloc(16384, 4096);

		for (unsigned skew = 0; skew < 2; skew++) {
			uint64_t at = aligned + skew * 3ull;
			uint8_t header[16];
			struct tk_part out[] = { { .data = header, .size = 16 },
				{ .gpa = at, .data = data, .size = sizeof(data) },
				{ .size = 1, .in = 1 } };
			struct tk_part in[] = { { .data = header, .size = 16 },
				{ .gpa = at, .size = sizeof(data), .in = 1 },
				{ .size = 1, .in = 1 } };
			struct tk_buf *b;

			header_of(header, BLK_T_OUT, 16);
			fill(data, 0, sizeof(data), skew + 1);
			TK_EQ(result(d, tk_chain(d, 0, out, 3)), OK);
			TK_EQ(pread(f.fd, got, sizeof(data), 16 * 512ull), (long)sizeof(data));
			TK_MEM_EQ(got, data, sizeof(data));
			memset(got, 0, sizeof(got));
			tk_put(at, got, sizeof(data));
			header_of(header, BLK_T_IN, 16);
			b = tk_chain(d, 0, in, 3);
			tk_kick(d, 0);
			wait_for(d, b);
			(void)tk_in_bytes(b, got, sizeof(got));
			TK_EQ(got[sizeof(data)], OK);
			TK_MEM_EQ(got, data, sizeof(data));
			tk_free(b);
		}
		tk_destroy(d);
	}
}

/* What is aligned goes to the kernel as it is: a thread would have been asked otherwise. */
TK_TEST(direct_needs_no_copy)
{
	struct file f = file_new(MIB);
	struct tk_dev *d =
		disk(f.path, "direct = true; sector_size = 4096; engine = \"io_uring\";");
	uint64_t data = tk_alloc(4096, 4096);

	for (unsigned in = 0; in < 2; in++) {
		uint8_t header[16];
		const struct tk_part parts[] = { { .data = header, .size = 16 },
			{ .gpa = data, .size = 4096, .in = in }, { .size = 1, .in = 1 } };

		header_of(header, in ? BLK_T_IN : BLK_T_OUT, 8);
		tk_fail_nth(in ? TK_FAIL_READ : TK_FAIL_WRITE, 1);
		TK_EQ(result(d, tk_chain(d, 0, parts, 3)), OK);
		TK_EQ(tk_calls(TK_FAIL_ALLOC) + tk_calls(TK_FAIL_SERVICE), 0);
	}
}

/* ---- read-only, locks ---- */

TK_TEST(read_only)
{
	struct file f = file_new(MIB);
	struct tk_dev *d = disk(f.path, "read_only = true;");
	uint8_t data[512] = { 1 }, got[512], wanted[512];

	TK_TRUE(tk_features(d) & BLK_F_RO);
	TK_EQ(tk_features(d) & (BLK_F_DISCARD | BLK_F_WRITE_ZEROES), 0);
	TK_EQ(disk_write(d, 0, data, 512), IOERR);
	TK_EQ(disk_range(d, BLK_T_WRITE_ZEROES, 0, 8, 0), IOERR);
	TK_EQ(disk_range(d, BLK_T_DISCARD, 0, 8, 0), IOERR);
	TK_EQ(disk_read(d, 0, got, 512), OK);
	fill(wanted, 0, 512, 0);
	TK_MEM_EQ(got, wanted, 512);
}

TK_TEST(two_writers_are_refused)
{
	struct file f = file_new(MIB);

	(void)disk(f.path, "%s", "");
	TK_HAS_TEXT(refusal(f.path, "%s", ""), "is in use");
	TK_HAS_TEXT(refusal(f.path, "read_only = true;"), "is in use");
	(void)disk(f.path, "lock = false;");
}

TK_TEST(readers_share)
{
	struct file f = file_new(MIB);

	(void)disk(f.path, "read_only = true;");
	(void)disk(f.path, "read_only = true;");
	TK_HAS_TEXT(refusal(f.path, "%s", ""), "read_only = true");
}

TK_TEST(refusals_name_the_image)
{
	struct file f = file_new(0), g = file_new(MIB);

	TK_HAS_TEXT(refusal("/nowhere/disk.img", "%s", ""),
		"cannot open \"/nowhere/disk.img\": No such file");
	TK_HAS_TEXT(refusal(f.path, "%s", ""), "truncate -s");
	TK_HAS_TEXT(refusal("/tmp", "read_only = true;"), "neither a file nor a block device");
	TK_HAS_TEXT(refusal("/dev/null", "%s", ""), "neither a file nor a block device");
	TK_HAS_TEXT(refusal(g.path, "iops_burst = 5;"), "but not iops");
	TK_EQ(pwrite(g.fd, "QFI\xfb", 4, 0), 4);
	TK_HAS_TEXT(refusal(g.path, "%s", ""), "begins like a qcow2 image");
	(void)disk(g.path, "format = \"raw\";");
}

/* ---- caches ---- */

TK_TEST(flush_reaches_the_disk)
{
	struct file f = file_new(MIB);
	struct tk_dev *d = disk(f.path, "engine = \"threads\";");
	uint8_t data[512] = { 1 };

	TK_TRUE(tk_features(d) & BLK_F_FLUSH);
	TK_EQ(tk_config(d, BLK_CFG_WRITEBACK, 1), 1);
	TK_EQ(disk_write(d, 0, data, 512), OK);
	TK_EQ(syncs, 0);
	TK_EQ(disk_flush(d), OK);
	TK_EQ(syncs, 1);
	syncs_fail = 1;
	TK_EQ(disk_flush(d), IOERR);
	TK_TRUE(tk_log_has("a flush of"));
}

TK_TEST(writethrough_syncs_each_write)
{
	struct file f = file_new(MIB);
	struct tk_dev *d = disk(f.path, "engine = \"threads\"; cache = \"writethrough\";");
	uint8_t data[512] = { 1 };

	TK_EQ(tk_config(d, BLK_CFG_WRITEBACK, 1), 0);
	TK_EQ(disk_write(d, 0, data, 512), OK);
	TK_EQ(syncs, 1);
	TK_EQ(disk_range(d, BLK_T_WRITE_ZEROES, 8, 8, 0), OK);
	TK_EQ(syncs, 2);
	tk_set_config(d, BLK_CFG_WRITEBACK, 1, 1);
	tk_run_until_idle(d);
	TK_EQ(disk_write(d, 0, data, 512), OK);
	TK_EQ(syncs, 2);
	/* The next driver finds the cache as it was set up. */
	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	TK_EQ(tk_config(d, BLK_CFG_WRITEBACK, 1), 0);
	TK_EQ(disk_write(d, 0, data, 512), OK);
	TK_EQ(syncs, 3);
}

TK_TEST(the_driver_may_choose_writethrough)
{
	struct file f = file_new(MIB);
	struct tk_dev *d = disk(f.path, "engine = \"threads\";");
	uint8_t data[512] = { 1 };

	tk_set_config(d, BLK_CFG_WRITEBACK, 1, 0);
	tk_run_until_idle(d);
	TK_EQ(disk_write(d, 0, data, 512), OK);
	TK_EQ(syncs, 1);
	/* Nor may one that cannot flush lose what it wrote. */
	TK_EQ(tk_driver(d, TK_F_VERSION_1, 0), 0);
	TK_EQ(disk_write(d, 0, data, 512), OK);
	TK_EQ(syncs, 2);
}

TK_TEST(unsafe_syncs_nothing)
{
	struct file f = file_new(MIB);
	struct tk_dev *d = disk(f.path, "engine = \"threads\"; cache = \"unsafe\";");
	uint8_t data[512] = { 1 };

	TK_EQ(tk_features(d) & (BLK_F_FLUSH | BLK_F_CONFIG_WCE), 0);
	TK_EQ(disk_write(d, 0, data, 512), OK);
	TK_EQ(disk_flush(d), OK);
	TK_EQ(syncs, 0);
}

/* Both ways of writing through the ring. */
TK_TEST(writethrough_by_the_ring)
{
	struct file f = file_new(MIB);
	struct tk_dev *d = disk(f.path, "engine = \"io_uring\"; cache = \"writethrough\";");
	uint8_t data[512], got[512];

	fill(data, 0, 512, 9);
	TK_EQ(disk_write(d, 5, data, 512), OK);
	TK_EQ(disk_flush(d), OK);
	TK_EQ(pread(f.fd, got, 512, 5 * 512ull), 512);
	TK_MEM_EQ(got, data, 512);
}

/*
 * A process writes sector after sector, flushes after each and says so; it is killed in the middle
 * of that.  Whatever it said was flushed is there.
 */
TK_TEST(survives_a_kill)
{
	struct file f = file_new(4 * MIB);
	int pipe_fds[2], status;
	uint32_t said = 0, last;
	pid_t pid;

	TK_EQ(pipe(pipe_fds), 0);
	pid = fork();
	if (pid == 0) {
		struct tk_dev *d = disk(f.path, "%s", "");
		uint8_t data[512];

		for (uint32_t i = 1; i < 8000; i++) {
			fill(data, 0, 512, i);
			TK_EQ(disk_write(d, i, data, 512), OK);
			TK_EQ(disk_flush(d), OK);
			TK_EQ(write(pipe_fds[1], &i, 4), 4);
		}
		_exit(0);
	}
	TK_EQ(close(pipe_fds[1]), 0);
	while (said < 40 && read(pipe_fds[0], &last, 4) == 4)
		said = last;
	TK_EQ(kill(pid, SIGKILL), 0);
	while (read(pipe_fds[0], &last, 4) == 4)
		said = last;
	TK_EQ(waitpid(pid, &status, 0), pid);
	TK_TRUE(WIFSIGNALED(status) && said >= 40);
	for (uint32_t i = 1; i <= said; i++) {
		uint8_t wanted[512], got[512];

		fill(wanted, 0, 512, i);
		TK_EQ(pread(f.fd, got, 512, (off_t)i * 512ull), 512);
		TK_MEM_EQ(got, wanted, 512);
	}
	(void)close(pipe_fds[0]);
	(void)disk(f.path, "%s", ""); /* and the lock went with the process */
}

/* ---- discard, zeroes ---- */

static long blocks(const struct file *f)
{
	struct stat st;

	TK_EQ(fstat(f->fd, &st), 0);
	return st.st_blocks;
}

TK_TEST(discard_gives_room_back)
{
	struct file f = file_new(MIB);
	struct tk_dev *d = disk(f.path, "%s", "");
	long before;

	TK_EQ(fsync(f.fd), 0);
	before = blocks(&f);
	TK_TRUE(before >= 32);
	TK_TRUE(tk_features(d) & BLK_F_DISCARD);
	TK_EQ(disk_range(d, BLK_T_DISCARD, 0, 32, 0), OK);
	TK_TRUE(blocks(&f) < before);
	TK_EQ(disk_range(d, BLK_T_DISCARD, 0, 32, 1), UNSUPP);
	TK_EQ(disk_range(d, BLK_T_DISCARD, 0, 32, 2), UNSUPP);
	TK_EQ(disk_range(d, BLK_T_DISCARD, 2040, 32, 0), IOERR);
	TK_EQ(disk_range(d, BLK_T_DISCARD, 0, 0x400000, 0), IOERR);
}

TK_TEST(discard_can_be_forbidden)
{
	struct file f = file_new(MIB);
	struct tk_dev *d = disk(f.path, "discard = false;");

	TK_EQ(tk_features(d) & BLK_F_DISCARD, 0);
	TK_EQ(tk_config(d, BLK_CFG_ZEROES_UNMAP, 1), 0);
	TK_EQ(disk_range(d, BLK_T_DISCARD, 0, 32, 0), UNSUPP);
}

TK_TEST(write_zeroes)
{
	static const uint8_t zeroes[4096];
	struct file f = file_new(MIB);
	struct tk_dev *d = disk(f.path, "%s", "");
	uint8_t got[4096], wanted[512];

	for (uint32_t flags = 0; flags < 2; flags++) {
		TK_EQ(disk_range(d, BLK_T_WRITE_ZEROES, 8 + flags * 8, 8, flags), OK);
		TK_EQ(pread(f.fd, got, 4096, (8 + flags * 8) * 512ull), 4096);
		TK_MEM_EQ(got, zeroes, 4096);
	}
	TK_EQ(pread(f.fd, got, 512, 24 * 512ull), 512);
	fill(wanted, 24 * 512ull, 512, 0);
	TK_MEM_EQ(got, wanted, 512);
	TK_EQ(disk_range(d, BLK_T_WRITE_ZEROES, 0, 8, 4), UNSUPP);
}

TK_TEST(ranges)
{
	static const uint8_t zeroes[512];
	struct file f = file_new(MIB);
	struct tk_dev *d = disk(f.path, "%s", "");
	uint8_t raw[17 * 16] = { 0 }, got[512];

	for (unsigned i = 0; i < 16; i++) {
		raw[i * 16ull] = (uint8_t)(2 * i);
		raw[i * 16ull + 8] = 1;
	}
	TK_EQ(result(d, ask(d, 0, BLK_T_WRITE_ZEROES, 0, raw, 16 * 16, 0)), OK);
	for (unsigned i = 0; i < 32; i++) {
		uint8_t wanted[512];

		fill(wanted, i * 512ull, 512, 0);
		TK_EQ(pread(f.fd, got, 512, i * 512ull), 512);
		TK_MEM_EQ(got, i % 2 ? wanted : zeroes, 512);
	}
	TK_EQ(result(d, ask(d, 0, BLK_T_WRITE_ZEROES, 0, raw, 17 * 16, 0)), IOERR);
	TK_EQ(result(d, ask(d, 0, BLK_T_WRITE_ZEROES, 0, raw, 15, 0)), IOERR);
	TK_EQ(result(d, ask(d, 0, BLK_T_WRITE_ZEROES, 0, NULL, 0, 0)), IOERR);
}

/* ---- what goes wrong on the host ---- */

TK_TEST(host_errors_reach_the_driver)
{
	struct file f = file_new(MIB);
	struct tk_dev *d = disk(f.path, "engine = \"threads\";");
	uint8_t data[512] = { 1 };

	tk_fail_nth(TK_FAIL_READ, 1);
	TK_EQ(disk_read(d, 0, data, 512), IOERR);
	TK_TRUE(tk_log_has("a read of 512 bytes at byte 0 failed: Input/output error"));
	tk_fail_nth(TK_FAIL_WRITE, 1);
	TK_EQ(disk_write(d, 0, data, 512), IOERR);
	tk_fail_nth(TK_FAIL_SERVICE, 1);
	TK_EQ(disk_write(d, 0, data, 512), IOERR);
	TK_EQ(disk_write(d, 0, data, 512), OK);
	TK_EQ(tk_status(d) & TK_S_NEEDS_RESET, 0);
}

/* A host without room: a limit on the size of files does it. */
TK_TEST(no_room_on_the_host)
{
	for (unsigned e = 0; e < 2; e++) {
		int fd = open("/dev/full", O_RDWR);
		struct file f = file_new(MIB);
		struct tk_dev *d = disk(f.path, "%s", engines[e]);
		uint8_t data[512] = { 1 };
		int real = -1;

		/* The disk's own descriptor becomes one that has no room. */
		for (int i = 0; i < 256; i++) {
			struct stat a, b;

			if (i != f.fd && fstat(i, &a) == 0 && fstat(f.fd, &b) == 0 &&
				a.st_ino == b.st_ino && a.st_dev == b.st_dev)
				real = i;
		}
		TK_TRUE(real >= 0 && fd >= 0);
		TK_EQ(dup2(fd, real), real);
		TK_EQ(close(fd), 0);
		TK_EQ(disk_write(d, 0, data, 512), IOERR);
		TK_TRUE(tk_log_has("failed: No space left on device"));
		TK_EQ(tk_status(d) & TK_S_NEEDS_RESET, 0);
		tk_destroy(d);
	}
}

TK_TEST(a_file_that_was_cut_fails)
{
	for (unsigned e = 0; e < 2; e++) {
		struct file f = file_new(MIB);
		struct tk_dev *d = disk(f.path, "%s", engines[e]);
		uint8_t data[1024] = { 0 };
		struct stat st;

		TK_EQ(ftruncate(f.fd, MIB / 2 + 512), 0);
		TK_EQ(disk_read(d, MIB / 1024, data, 512), OK);
		TK_EQ(disk_read(d, MIB / 1024, data, 1024), IOERR);
		TK_EQ(disk_read(d, MIB / 512 - 1, data, 512), IOERR);
		TK_TRUE(tk_log_has("the image ends before that"));
		/* When it is known, writing does not make it longer. */
		TK_EQ(close(open(f.path, O_RDWR)), 0);
		tk_run_until_idle(d);
		TK_TRUE(tk_log_has("became shorter than the disk"));
		TK_EQ(disk_write(d, MIB / 512 - 1, data, 512), IOERR);
		TK_EQ(fstat(f.fd, &st), 0);
		TK_EQ(st.st_size, MIB / 2 + 512);
		TK_EQ(tk_config(d, BLK_CFG_CAPACITY, 8), MIB / 512);
		tk_destroy(d);
	}
}

TK_TEST(a_file_that_grows)
{
	struct file f = file_new(MIB);
	struct tk_dev *d = disk(f.path, "%s", "");
	uint8_t data[512] = { 1 };
	int fd;

	tk_irqs_clear(d);
	TK_EQ(disk_write(d, MIB / 512, data, 512), IOERR);
	fd = open(f.path, O_RDWR);
	TK_EQ(ftruncate(fd, 2 * MIB), 0);
	TK_EQ(close(fd), 0);
	tk_irqs_clear(d);
	tk_run_until_idle(d);
	TK_EQ(tk_irqs(d), 1);
	TK_EQ(tk_config(d, BLK_CFG_CAPACITY, 8), 2 * MIB / 512);
	TK_EQ(disk_write(d, MIB / 512, data, 512), OK);
}

/* A device that stands still does not look; it does when it moves again. */
TK_TEST(grows_while_it_stands_still)
{
	struct file f = file_new(MIB);
	struct tk_dev *d = disk(f.path, "%s", "");
	int fd;

	TK_EQ(tk_quiesce(d), 0);
	fd = open(f.path, O_RDWR);
	TK_EQ(ftruncate(fd, 2 * MIB), 0);
	TK_EQ(close(fd), 0);
	tk_run_until_idle(d);
	TK_EQ(tk_config(d, BLK_CFG_CAPACITY, 8), MIB / 512);
	TK_EQ(tk_resume(d), 0);
	tk_run_until_idle(d);
	TK_EQ(tk_config(d, BLK_CFG_CAPACITY, 8), 2 * MIB / 512);
}

/* ---- limits ---- */

static unsigned served(struct tk_buf **b, unsigned n)
{
	unsigned done = 0;

	for (unsigned i = 0; i < n; i++)
		done += tk_used_len(b[i]) >= 0;
	return done;
}

TK_TEST(iops_limit)
{
	struct file f = file_new(MIB);
	struct tk_dev *d = disk(f.path, "engine = \"threads\"; iops = 100; iops_burst = 10;");
	struct tk_buf *b[30];

	for (unsigned i = 0; i < 30; i++)
		b[i] = ask(d, 0, BLK_T_IN, 0, NULL, 0, 512);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(served(b, 30), 10);
	tk_advance_ms(51);
	TK_EQ(served(b, 30), 15);
	tk_advance_ms(151);
	TK_EQ(served(b, 30), 30);
	/* After a rest there is a burst again, and no more than that. */
	for (unsigned i = 0; i < 30; i++)
		tk_free(b[i]);
	tk_advance_ms(10000);
	for (unsigned i = 0; i < 30; i++)
		b[i] = ask(d, 0, BLK_T_IN, 0, NULL, 0, 512);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(served(b, 30), 10);
}

TK_TEST(bandwidth_limit)
{
	struct file f = file_new(MIB);
	struct tk_dev *d = disk(f.path, "engine = \"threads\"; bandwidth = \"64K\";");
	struct tk_buf *b[4];

	for (unsigned i = 0; i < 4; i++)
		b[i] = ask(d, 0, BLK_T_IN, 0, NULL, 0, 65536);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(served(b, 4), 1);
	tk_advance_ms(1000);
	TK_EQ(served(b, 4), 2);
	tk_advance_ms(2001);
	TK_EQ(served(b, 4), 4);
	tk_driver_reset(d);
	tk_advance_ms(5000);
}

/* ---- life ---- */

/* 32 requests of 16 KiB, whose memory is not taken from what tk_alloc() has. */
static void ask_many(struct tk_dev *d, uint32_t type, struct tk_buf *b[32])
{
	for (unsigned i = 0; i < 32; i++) {
		uint8_t header[16];
		const struct tk_part parts[] = { { .data = header, .size = 16 },
			{ .gpa = TK_RAM_A + 0x4000ull * (i + 1),
				.size = 0x4000,
				.in = type == BLK_T_IN },
			{ .size = 1, .in = 1 } };

		header_of(header, type, i);
		b[i] = tk_chain(d, 0, parts, 3);
	}
	tk_kick(d, 0);
	(void)tk_step();
}

TK_TEST(quiesce_with_requests_in_flight)
{
	for (unsigned e = 0; e < 2; e++) {
		struct file f = file_new(4 * MIB);
		struct tk_dev *d = disk(f.path, "%s", engines[e]);
		struct tk_buf *b[32];
		unsigned before;

		ask_many(d, BLK_T_IN, b);
		TK_EQ(tk_quiesce(d), 0);
		before = tk_used_idx(d, 0);
		tk_run_until_idle(d);
		TK_EQ(tk_used_idx(d, 0), before);
		TK_EQ(tk_resume(d), 0);
		for (unsigned i = 0; i < 32; i++) {
			wait_for(d, b[i]);
			TK_EQ(status_of(b[i]), OK);
		}
		tk_destroy(d);
	}
}

TK_TEST(reset_with_requests_in_flight)
{
	for (unsigned e = 0; e < 2; e++) {
		struct file f = file_new(4 * MIB);
		struct tk_dev *d = disk(f.path, "%s", engines[e]);
		struct tk_buf *b[32];
		uint8_t got[512];

		tk_work_on_thread(1);
		for (unsigned round = 0; round < 20; round++) {
			ask_many(d, BLK_T_IN, b);
			tk_driver_reset(d);
			TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
			TK_EQ(disk_read(d, 0, got, 512), OK);
		}
		ask_many(d, BLK_T_IN, b);
		tk_reset(d);
		TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
		ask_many(d, BLK_T_OUT, b);
		tk_destroy(d);
	}
}

TK_TEST(work_on_threads)
{
	struct file f = file_new(4 * MIB);
	struct tk_dev *d = disk(f.path, "engine = \"threads\"; queues = 2;");
	struct tk_buf *b[64];
	uint8_t data[4096];

	tk_work_on_thread(1);
	for (unsigned i = 0; i < 64; i++) {
		fill(data, 0, 4096, i);
		b[i] = ask(d, i % 2, BLK_T_OUT, i * 8ull, data, 4096, 0);
	}
	tk_kick(d, 0);
	tk_kick(d, 1);
	for (unsigned i = 0; i < 64; i++) {
		uint8_t got[4096];

		wait_for(d, b[i]);
		TK_EQ(status_of(b[i]), OK);
		fill(data, 0, 4096, i);
		TK_EQ(pread(f.fd, got, 4096, (off_t)i * 4096ull), 4096);
		TK_MEM_EQ(got, data, 4096);
	}
}

TK_TEST(hostile_by_the_ring)
{
	struct file f = file_new(MIB);

	TK_TRUE(tk_hostile_run(disk(f.path, "engine = \"io_uring\"; queues = 2;")) > 200);
}

TK_TEST(hostile_by_threads)
{
	struct file f = file_new(MIB);

	TK_TRUE(tk_hostile_run(disk(f.path, "engine = \"threads\";")) > 200);
}

TK_TEST(every_step_of_attaching_may_fail)
{
	struct file f = file_new(MIB);
	char settings[256];

	for (unsigned e = 0; e < 2; e++) {
		(void)snprintf(settings, sizeof(settings),
			"path = \"%s\"; direct = true; sector_size = 4096; queues = 2; "
			"bandwidth = \"1M\"; %s",
			f.path, engines[e]);
		TK_TRUE(tk_fault_sweep("block", settings) >= 8);
	}
}

TK_MAIN()

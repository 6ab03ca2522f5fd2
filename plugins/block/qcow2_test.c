/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disk on qcow2 images that qemu-img made, which looks at them afterwards too.  Exits with 77
 * where there is no qemu-img.
 *
 * The test takes the place of what the C library writes with, for the whole process: it knows what
 * a host that loses power would have kept.
 */
#include "test_disk.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define KIB 1024ull
#define MIB (1ull << 20)

static char folder[64];

__attribute__((format(printf, 1, 2))) static int run(const char *format, ...)
{
	char command[2048];
	va_list args;
	int n, status;

	n = snprintf(command, sizeof(command), "cd %s && exec >log 2>&1; ", folder);
	va_start(args, format);
	(void)vsnprintf(command + n, sizeof(command) - (size_t)n, format, args);
	va_end(args);
	/* NOLINTNEXTLINE(cert-env33-c): its own programs, in its own folder */
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char *path_of(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const uint8_t *data, size_t size)
{
	int fd = open(path_of(name), O_CREAT | O_TRUNC | O_WRONLY, 0600);

	TK_TRUE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	TK_EQ(close(fd), 0);
}

/* ---- what a host that loses power has kept ---- */

#define MOST_FILE (32 * MIB)

struct lost {
	struct lost *next;
	uint64_t at;
	size_t size;
	uint8_t data[];
};

static struct {
	bool on;
	dev_t dev;
	ino_t ino;
	uint64_t end;
	struct lost *lost, **last;
	unsigned calls, syncs;
	void (*cut)(void);
} host;

static uint8_t kept[MOST_FILE];

static bool is_watched(int fd)
{
	struct stat st;

	return host.on && fstat(fd, &st) == 0 && st.st_dev == host.dev && st.st_ino == host.ino;
}

static void may_cut(void)
{
	host.calls++;
	if (host.cut)
		host.cut();
}

static void note_write(int fd, const struct iovec *iov, int n, uint64_t at)
{
	if (!is_watched(fd))
		return;
	may_cut();
	for (int i = 0; i < n; i++) {
		struct lost *l = malloc(sizeof(*l) + iov[i].iov_len);

		TK_TRUE(l && at + iov[i].iov_len <= MOST_FILE);
		*l = (struct lost){ .at = at, .size = iov[i].iov_len };
		memcpy(l->data, iov[i].iov_base, iov[i].iov_len);
		*host.last = l;
		host.last = &l->next;
		at += iov[i].iov_len;
	}
}

static void apply(uint8_t *to, uint64_t *end, const struct lost *l)
{
	memcpy(to + l->at, l->data, l->size);
	if (*end < l->at + l->size)
		*end = l->at + l->size;
}

static void note_sync(int fd)
{
	struct lost *next;

	if (!is_watched(fd))
		return;
	may_cut();
	host.syncs++;
	for (struct lost *l = host.lost; l; l = next) {
		next = l->next;
		apply(kept, &host.end, l);
		free(l);
	}
	host.lost = NULL;
	host.last = &host.lost;
}

#define SHOWN __attribute__((visibility("default")))

ssize_t pwritev64(int fd, const struct iovec *iov, int n, __off64_t at);
ssize_t pwrite64(int fd, const void *from, size_t size, __off64_t at);
int fallocate64(int fd, int mode, __off64_t at, __off64_t size);

SHOWN ssize_t pwritev64(int fd, const struct iovec *iov, int n, __off64_t at)
{
	note_write(fd, iov, n, (uint64_t)at);
	return syscall(SYS_pwritev, fd, iov, n, at, 0);
}

SHOWN ssize_t pwrite64(int fd, const void *from, size_t size, __off64_t at)
{
	return syscall(SYS_pwrite64, fd, from, size, at);
}

/* Holes are made at once: worse than what a host does. */
SHOWN int fallocate64(int fd, int mode, __off64_t at, __off64_t size)
{
	if (is_watched(fd)) {
		may_cut();
		memset(kept + at, 0, (size_t)size);
		for (struct lost *l = host.lost; l; l = l->next)
			for (size_t i = 0; i < l->size; i++)
				if (l->at + i >= (uint64_t)at && l->at + i < (uint64_t)(at + size))
					l->data[i] = 0;
	}
	return (int)syscall(SYS_fallocate, fd, mode, at, size);
}

SHOWN int fdatasync(int fd)
{
	note_sync(fd);
	return (int)syscall(SYS_fdatasync, fd);
}

static void watch(const char *name)
{
	struct stat st;
	int fd = open(path_of(name), O_RDONLY);

	memset(kept, 0, sizeof(kept));
	TK_TRUE(fd >= 0 && fstat(fd, &st) == 0);
	TK_EQ(pread(fd, kept, MOST_FILE, 0), st.st_size);
	TK_EQ(close(fd), 0);
	host.end = (uint64_t)st.st_size;
	host.dev = st.st_dev;
	host.ino = st.st_ino;
	host.last = &host.lost;
	host.on = true;
}

/* ---- a disk and what it must hold ---- */

static uint64_t seed = 88172645463325252ull;

static uint32_t any(uint32_t most)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 20) % most;
}

struct model {
	uint8_t *data;
	uint32_t sectors;
};

static uint8_t model_memory[16 * MIB];

/* There is one at a time. */
static struct model model_new(uint32_t size)
{
	TK_TRUE(size <= sizeof(model_memory));
	memset(model_memory, 0, size);
	return (struct model){ model_memory, size / 512 };
}

/* One request of any kind. */
static void any_request(struct tk_dev *d, struct model *m)
{
	static uint8_t data[128 * KIB];
	uint32_t n = 1 + any(any(4) ? 16 : 250), at;

	if (n > m->sectors)
		n = m->sectors;
	at = any(m->sectors - n + 1);
	switch (any(16)) {
	case 0:
		TK_EQ(disk_flush(d), OK);
		break;
	case 1:
		TK_EQ(disk_range(d, BLK_T_DISCARD, at, n, 0), OK);
		TK_EQ(disk_read(d, at, m->data + at * 512ull, n * 512ull), OK);
		break;
	case 2:
	case 3:
		TK_EQ(disk_range(d, BLK_T_WRITE_ZEROES, at, n, any(2)), OK);
		memset(m->data + at * 512ull, 0, n * 512ull);
		break;
	case 4:
	case 5:
	case 6:
	case 7:
		TK_EQ(disk_read(d, at, data, n * 512ull), OK);
		TK_MEM_EQ(data, m->data + at * 512ull, n * 512ull);
		break;
	default:
		for (uint32_t i = 0; i < n * 512ull; i++)
			m->data[at * 512ull + i] = (uint8_t)any(256);
		TK_EQ(disk_write(d, at, m->data + at * 512ull, n * 512ull), OK);
	}
}

static void must_be_sound(const char *name, const struct model *m)
{
	write_file("model", m->data, m->sectors * 512ull);
	if (run("qemu-img check -q %s", name) != 0)
		TK_FAIL("qemu-img check %s: %s", name, run("cat log") ? "" : "see log");
	if (run("qemu-img compare -q -f qcow2 -F raw %s model", name) != 0)
		TK_FAIL("%s does not hold what was written", name);
}

/* Requests of all kinds on the image, which is closed and opened now and then. */
static void exercise(const char *name, struct model *m, unsigned rounds, const char *more)
{
	for (unsigned i = 0; i < 3; i++) {
		struct tk_dev *d = disk(path_of(name), "format = \"qcow2\"; %s", more);

		for (unsigned k = 0; k < rounds; k++)
			any_request(d, m);
		tk_destroy(d);
		must_be_sound(name, m);
	}
}

/* ---- kinds of images ---- */

static void fresh_images(const char *const kinds[3])
{
	for (unsigned i = 0; i < 3; i++) {
		struct model m = model_new(4 * MIB);

		TK_EQ(run("rm -f a; qemu-img create -q -f qcow2 %s%s a 4M",
			      kinds[i][0] ? "-o " : "", kinds[i]),
			0);
		exercise("a", &m, 100, i % 2 ? "engine = \"threads\";" : "engine = \"io_uring\";");
	}
}

TK_TEST(fresh_images_with_usual_clusters)
{
	static const char *const kinds[] = { "", "compat=0.10", "refcount_bits=64" };

	fresh_images(kinds);
}

TK_TEST(fresh_images_with_small_clusters)
{
	static const char *const kinds[] = { "cluster_size=512", "cluster_size=4k,refcount_bits=1",
		"cluster_size=1k,refcount_bits=2,lazy_refcounts=on" };

	fresh_images(kinds);
}

TK_TEST(fresh_images_with_room_of_their_own)
{
	static const char *const kinds[] = { "cluster_size=2M", "preallocation=metadata",
		"preallocation=full,cluster_size=16k" };

	fresh_images(kinds);
}

static void make_base(struct model *m, uint32_t size)
{
	memset(m->data, 0, m->sectors * 512ull);
	for (uint32_t i = 0; i < size; i++)
		m->data[i] = (uint8_t)(i / 4096 % 3 ? any(256) : i / 65536);
	write_file("raw", m->data, size);
}

TK_TEST(backing_files)
{
	static const char *const kinds[] = { "cluster_size=64k", "cluster_size=4k",
		"compat=0.10,cluster_size=4k" };

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct model m = model_new(4 * MIB);

		make_base(&m, 3 * MIB + 512); /* less than the disk in front of it */
		TK_EQ(run("rm -f a b; qemu-img create -q -f qcow2 -o %s -b raw -F raw b 3M && "
			  "qemu-img create -q -f qcow2 -o %s -b b -F qcow2 a 4M && "
			  "cp b b.before && cp raw raw.before",
			      kinds[i], kinds[i]),
			0);
		memset(m.data + 3 * MIB, 0, MIB);
		exercise("a", &m, 80, "");
		TK_EQ(run("cmp b b.before && cmp raw raw.before"), 0);
	}
}

TK_TEST(compressed_images)
{
	static const char *const kinds[] = { "compression_type=zlib", "compression_type=zstd",
		"cluster_size=4k", "cluster_size=512,compression_type=zstd" };

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct model m = model_new(2 * MIB);

		make_base(&m, 2 * MIB);
		TK_EQ(run("rm -f a; qemu-img convert -c -f raw -O qcow2 -o %s raw a", kinds[i]), 0);
		exercise("a", &m, 100, i % 2 ? "engine = \"threads\";" : "");
	}
}

TK_TEST(direct_and_writethrough)
{
	struct model m = model_new(4 * MIB);

	TK_EQ(run("qemu-img create -q -f qcow2 a 4M"), 0);
	exercise("a", &m, 60, "cache = \"writethrough\";");
	exercise("a", &m, 60, "cache = \"unsafe\"; engine = \"threads\";");
	for (unsigned i = 0; i < 2; i++) {
		struct tk_dev *d = disk(path_of("a"), "format = \"qcow2\"; direct = true; "
						      "sector_size = 4096;");
		static uint8_t data[64 * KIB];

		for (unsigned k = 0; k < 40; k++) {
			uint32_t n = 1 + any(16), at = any(m.sectors / 8 - n);

			fill(m.data + at * 4096ull, 0, n * 4096ull, k + 1);
			TK_EQ(disk_write(d, at * 8ull, m.data + at * 4096ull, n * 4096ull), OK);
			TK_EQ(disk_read(d, at * 8ull, data, n * 4096ull), OK);
			TK_MEM_EQ(data, m.data + at * 4096ull, n * 4096ull);
		}
		tk_destroy(d);
		must_be_sound("a", &m);
	}
}

/* The refcount table has to grow and move: 512 byte clusters with wide refcounts do that soon. */
TK_TEST(refcounts_grow)
{
	struct model m = model_new(16 * MIB);
	struct tk_dev *d;

	TK_EQ(run("qemu-img create -q -f qcow2 -o cluster_size=512,refcount_bits=64 a 16M"), 0);
	d = disk(path_of("a"), "format = \"qcow2\"; engine = \"threads\";");
	for (uint32_t at = 0; at < m.sectors; at += 128) {
		fill(m.data + at * 512ull, at * 512ull, 64 * KIB, 1);
		TK_EQ(disk_write(d, at, m.data + at * 512ull, 64 * KIB), OK);
		if (at % 4096 == 0)
			TK_EQ(disk_flush(d), OK);
	}
	tk_destroy(d);
	must_be_sound("a", &m);
}

TK_TEST(room_is_used_again)
{
	struct model m = model_new(8 * MIB);
	struct tk_dev *d;
	struct stat st;

	TK_EQ(run("qemu-img create -q -f qcow2 a 8M"), 0);
	d = disk(path_of("a"), "format = \"qcow2\";");
	for (unsigned round = 0; round < 6; round++) {
		for (uint32_t at = 0; at < m.sectors; at += 128) {
			fill(m.data + at * 512ull, at * 512ull, 64 * KIB, round);
			TK_EQ(disk_write(d, at, m.data + at * 512ull, 64 * KIB), OK);
		}
		TK_EQ(disk_range(d, BLK_T_DISCARD, 0, m.sectors, 0), OK);
		TK_EQ(disk_flush(d), OK);
	}
	memset(m.data, 0, 8 * MIB);
	tk_destroy(d);
	TK_EQ(stat(path_of("a"), &st), 0);
	TK_TRUE((uint64_t)st.st_size < 9 * MIB && (uint64_t)st.st_blocks < 2 * MIB / 512);
	must_be_sound("a", &m);
}

/* Many at once, for clusters that overlap, by threads and by the ring. */
TK_TEST(many_at_once)
{
	static uint8_t data[64 * KIB];

	for (unsigned e = 0; e < 2; e++) {
		struct model m = model_new(4 * MIB);
		struct tk_dev *d;

		TK_EQ(run("rm -f a; qemu-img create -q -f qcow2 a 4M"), 0);
		d = disk(path_of("a"), "format = \"qcow2\"; engine = \"%s\";",
			e ? "io_uring" : "threads");
		tk_work_on_thread(1);
		for (unsigned round = 0; round < 10; round++) {
			struct tk_buf *b[60];

			for (unsigned i = 0; i < 60; i++) {
				uint32_t at = (i * 131 + round * 17) % (m.sectors / 8) * 8;

				if (i % 10 == 9) {
					b[i] = ask(d, 0, BLK_T_FLUSH, 0, NULL, 0, 0);
					continue;
				}
				fill(data, at * 512ull, 4096, round + 1);
				memcpy(m.data + at * 512ull, data, 4096);
				b[i] = ask(d, 0, BLK_T_OUT, at, data, 4096, 0);
			}
			tk_kick(d, 0);
			for (unsigned i = 0; i < 60; i++) {
				wait_for(d, b[i]);
				TK_EQ(status_of(b[i]), OK);
				tk_free(b[i]);
			}
		}
		tk_destroy(d);
		must_be_sound("a", &m);
	}
}

TK_TEST(reset_with_requests_in_flight)
{
	struct tk_dev *d;

	TK_EQ(run("qemu-img create -q -f qcow2 a 4M"), 0);
	d = disk(path_of("a"), "format = \"qcow2\";");
	tk_work_on_thread(1);
	for (unsigned round = 0; round < 30; round++) {
		for (unsigned i = 0; i < 20; i++) {
			uint8_t header[16];
			const struct tk_part parts[] = { { .data = header, .size = 16 },
				{ .gpa = TK_RAM_A + 0x4000ull * (i + 1), .size = 0x4000 },
				{ .size = 1, .in = 1 } };

			header_of(header, i % 5 == 4 ? BLK_T_FLUSH : BLK_T_OUT, any(64) * 97ull);
			(void)tk_chain(d, 0, parts, 3);
		}
		tk_kick(d, 0);
		(void)tk_step();
		if (round % 3 == 0) {
			TK_EQ(tk_quiesce(d), 0);
			TK_EQ(tk_resume(d), 0);
		}
		TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	}
	tk_destroy(d);
	TK_EQ(run("qemu-img check -q a"), 0);
}

/* ---- power cuts ---- */

#define CUT_SECTORS 4096u
#define MOST_LATER  64

/* What each sector may hold: what it held at the last flush, or anything written since. */
static struct {
	uint32_t flushed[CUT_SECTORS], later[CUT_SECTORS][MOST_LATER];
	uint8_t n_later[CUT_SECTORS];
	unsigned cuts;
} cut;

static void sector_of(uint8_t to[512], uint32_t sector, uint32_t version)
{
	memset(to, 0, 512);
	if (version)
		fill(to, sector * 512ull, 512, version);
}

static bool holds(const uint8_t *got, uint32_t sector)
{
	uint8_t wanted[512];

	sector_of(wanted, sector, cut.flushed[sector]);
	if (memcmp(got, wanted, 512) == 0)
		return true;
	for (unsigned i = 0; i < cut.n_later[sector]; i++) {
		sector_of(wanted, sector, cut.later[sector][i]);
		if (memcmp(got, wanted, 512) == 0)
			return true;
	}
	return false;
}

static void check_cut(void)
{
	static uint8_t got[CUT_SECTORS * 512ull];
	int status = run("qemu-img check cut"), fd;

	if (status != 0 && status != 3) /* 3: counted and not used, which does no harm */
		TK_FAIL("after a power cut qemu-img check says %d", status);
	TK_EQ(run("qemu-img convert -f qcow2 -O raw cut cut.raw"), 0);
	fd = open(path_of("cut.raw"), O_RDONLY);
	TK_EQ(pread(fd, got, sizeof(got), 0), (long)sizeof(got));
	TK_EQ(close(fd), 0);
	for (uint32_t s = 0; s < CUT_SECTORS; s++)
		if (!holds(got + s * 512ull, s))
			TK_FAIL("after a power cut sector %u holds what it never held", s);
}

/* Of what was not synced each sector is there or not. */
static void cut_power(void)
{
	static uint8_t now[MOST_FILE];
	uint64_t end = host.end;

	if (any(12) != 0 || cut.cuts == 70)
		return;
	host.on = false;
	cut.cuts++;
	memcpy(now, kept, MOST_FILE);
	for (const struct lost *l = host.lost; l; l = l->next) {
		if (end < l->at + l->size)
			end = l->at + l->size;
		for (size_t at = 0; at < l->size; at += 512)
			if (any(2))
				memcpy(now + l->at + at, l->data + at,
					l->size - at < 512 ? l->size - at : 512);
	}
	write_file("cut", now, end);
	check_cut();
	host.on = true;
}

static void cut_write(struct tk_dev *d, uint32_t at, uint32_t n, uint32_t version)
{
	static uint8_t data[64 * KIB];

	for (uint32_t i = 0; i < n; i++) {
		if (cut.n_later[at + i] == MOST_LATER)
			return;
		cut.later[at + i][cut.n_later[at + i]++] = version;
		sector_of(data + i * 512ull, at + i, version);
	}
	if (version)
		TK_EQ(disk_write(d, at, data, n * 512ull), OK);
	else
		TK_EQ(disk_range(d, BLK_T_WRITE_ZEROES, at, n, 1), OK);
}

static void cut_flush(struct tk_dev *d)
{
	TK_EQ(disk_flush(d), OK);
	for (uint32_t s = 0; s < CUT_SECTORS; s++) {
		if (cut.n_later[s])
			cut.flushed[s] = cut.later[s][cut.n_later[s] - 1];
		cut.n_later[s] = 0;
	}
}

static void cut_series(const char *options)
{
	struct tk_dev *d;

	memset(&cut, 0, sizeof(cut));
	memset(&host, 0, sizeof(host));
	TK_EQ(run("rm -f a cut; qemu-img create -q -f qcow2 -o %s a %llu", options,
		      CUT_SECTORS * 512ull),
		0);
	watch("a");
	d = disk(path_of("a"), "format = \"qcow2\"; engine = \"threads\";");
	host.cut = cut_power;
	for (uint32_t version = 1; version < 400; version++) {
		uint32_t n = 1 + any(any(3) ? 8 : 128);

		cut_write(d, any(CUT_SECTORS - n), n, any(6) ? version : 0);
		if (any(8) == 0)
			cut_flush(d);
	}
	host.cut = NULL;
	tk_destroy(d);
	host.on = false;
	while (host.lost) {
		struct lost *next = host.lost->next;

		free(host.lost);
		host.lost = next;
	}
	TK_TRUE(cut.cuts > 30 && host.syncs > 30);
	TK_EQ(run("qemu-img check -q a"), 0);
}

TK_TEST(survives_power_cuts)
{
	cut_series("cluster_size=4k");
	cut_series("cluster_size=512,refcount_bits=64");
}

/* ---- images that are refused ---- */

struct patch {
	const char *what; /* a part of the sentence */
	uint64_t at;
	uint64_t value;
	unsigned bytes;
};

static void patch_image(const struct patch *p)
{
	uint8_t raw[8];
	int fd = open(path_of("a"), O_RDWR);

	for (unsigned i = 0; i < p->bytes; i++)
		raw[i] = (uint8_t)(p->value >> (8 * (p->bytes - 1 - i)));
	TK_EQ(syscall(SYS_pwrite64, fd, raw, p->bytes, p->at), (long)p->bytes);
	TK_EQ(close(fd), 0);
}

/* The image is one of 64 KiB clusters: header, refcount table, refcounts, L1, data, L2. */
static const struct patch patches[] = {
	{ "is no qcow2 image", 0, 0x51464900, 4 },
	{ "of version 4", 4, 4, 4 },
	{ "2^30 bytes", 20, 30, 4 },
	{ "2^8 bytes", 20, 8, 4 },
	{ "its disk is of", 24, 1ull << 63, 8 },
	{ "its disk is of", 24, 1000, 8 },
	{ "is encrypted", 32, 1, 4 },
	{ "is encrypted", 32, 2, 4 },
	{ "its L1 table has 0 entries", 36, 0, 4 },
	{ "its L1 table has", 36, 0xffffffff, 4 },
	{ "its L1 table is outside", 40, 1ull << 40, 8 },
	{ "its L1 table is outside", 40, 0x30200, 8 },
	{ "its refcount table is outside", 48, 1ull << 50, 8 },
	{ "its refcount table has 0", 56, 0, 4 },
	{ "its refcount table has", 56, 0x10000000, 4 },
	{ "1 internal snapshots", 60, 1, 4 },
	{ "not closed by who wrote it", 72, 1, 8 },
	{ "marked as damaged", 72, 2, 8 },
	{ "its data in another file", 72, 4, 8 },
	{ "compressed by method 0", 72, 8, 8 },
	{ "extended L2 entries", 72, 16, 8 },
	{ "feature 17", 72, 1 << 17, 8 },
	{ "refcounts are of 2^7", 96, 7, 4 },
	{ "header is 100 bytes", 100, 100, 4 },
	{ "compressed by method 3", 104, 3, 1 },
	{ "its backing file is 5000 bytes", 8, 0x1f80000001388ull, 8 },
	{ "used twice", 0x10000, 0x30000, 8 },      /* refcounts in L1 */
	{ "used twice", 0x30000, 0x10000, 8 },      /* L2 in the refcount table */
	{ "past the end", 0x30000, 1ull << 40, 8 }, /* L2 past the end */
	{ "lies at", 0x30000, 0x50200, 8 },         /* L2 askew */
	{ "used twice", 0x50000, 0x30000, 8 },      /* data in L1 */
	{ "no cluster can be", 0x50000, 1ull << 40, 8 },
	{ "no cluster can be", 0x50000, 0x40200, 8 },
	{ "means nothing", 0x50000, 0x40002, 8 },
	{ "compressed cluster", 0x50000, 1ull << 62 | 1ull << 50, 8 },
	{ "its refcount is 0", 0x20000 + 5 * 2, 0, 2 },
	{ "counted 2 times", 0x20000 + 5 * 2, 2, 2 },
};

static void make_small(void)
{
	struct tk_dev *d;
	uint8_t data[512];

	TK_EQ(run("rm -f a; qemu-img create -q -f qcow2 a 64M"), 0);
	d = disk(path_of("a"), "format = \"qcow2\";");
	fill(data, 0, 512, 1);
	TK_EQ(disk_write(d, 0, data, 512), OK);
	tk_destroy(d);
	TK_EQ(run("qemu-img check -q a"), 0);
}

TK_TEST(damaged_images_are_refused_and_not_changed)
{
	make_small();
	TK_EQ(run("cp a whole"), 0);
	for (unsigned i = 0; i < sizeof(patches) / sizeof(patches[0]); i++) {
		struct patch p = patches[i];

		TK_EQ(run("cp whole a"), 0);
		if (p.at == 8) { /* a length and an offset of a name */
			patch_image(&(struct patch){ .at = 8, .value = 0x200, .bytes = 8 });
			patch_image(&(struct patch){ .at = 16, .value = 5000, .bytes = 4 });
		} else {
			patch_image(&p);
		}
		TK_EQ(run("cp a patched"), 0);
		TK_HAS_TEXT(refusal(path_of("a"), "format = \"qcow2\";"), p.what);
		TK_EQ(run("cmp a patched"), 0);
	}
	for (unsigned size = 0; size < 6 * 64; size += 13) { /* cut short */
		TK_EQ(run("cp whole a && truncate -s %uK a && cp a patched", size), 0);
		if (size <= 5 * 64)
			(void)refusal(path_of("a"), "format = \"qcow2\";");
		TK_EQ(run("cmp a patched"), 0);
	}
}

TK_TEST(unknown_features_by_name)
{
	struct tk_dev *d;
	int fd;

	make_small();
	fd = open(path_of("a"), O_RDWR);
	patch_image(&(struct patch){ .at = 72, .value = 1ull << 40, .bytes = 8 });
	/* The image's own table of names gets another name. */
	patch_image(&(struct patch){ .at = 112, .value = 0x6803f857ull << 32 | 384, .bytes = 8 });
	TK_EQ(syscall(SYS_pwrite64, fd, "\0\050time travel\0\0\0", 16, 120), 16);
	TK_HAS_TEXT(refusal(path_of("a"), "format = \"qcow2\";"), "feature \"time travel\"");
	/* What only a reader need not know is let be, what a writer must know is taken away. */
	patch_image(&(struct patch){ .at = 72, .value = 0, .bytes = 8 });
	patch_image(&(struct patch){ .at = 80, .value = 1ull << 33, .bytes = 8 });
	patch_image(&(struct patch){ .at = 88, .value = 1ull << 20, .bytes = 8 });
	d = disk(path_of("a"), "format = \"qcow2\";");
	tk_destroy(d);
	{
		uint8_t raw[16], wanted[16] = { 0, 0, 0, 2 };

		TK_EQ(pread(fd, raw, 16, 80), 16);
		TK_MEM_EQ(raw, wanted, 16);
	}
	TK_EQ(close(fd), 0);
}

/* Read-only, an image that must not be written is read; damage that is met on the way is an error.
 */
TK_TEST(damage_that_is_met_later)
{
	struct tk_dev *d;
	uint8_t got[512], wanted[512];

	make_small();
	patch_image(&(struct patch){ .at = 72, .value = 3, .bytes = 8 });
	d = disk(path_of("a"), "format = \"qcow2\"; read_only = true;");
	TK_EQ(disk_read(d, 0, got, 512), OK);
	fill(wanted, 0, 512, 1);
	TK_MEM_EQ(got, wanted, 512);
	tk_destroy(d);
	patch_image(&(struct patch){ .at = 0x50000 + 8, .value = 1ull << 45, .bytes = 8 });
	d = disk(path_of("a"), "format = \"qcow2\"; read_only = true; engine = \"threads\";");
	TK_EQ(disk_read(d, 128, got, 512), IOERR);
	TK_TRUE(tk_log_has("where no cluster can be"));
	TK_EQ(disk_read(d, 0, got, 512), OK);
	TK_EQ(tk_status(d) & TK_S_NEEDS_RESET, 0);
}

TK_TEST(a_bad_compressed_cluster_fails)
{
	struct model m = model_new(MIB);
	struct tk_dev *d;
	uint8_t got[512];

	memset(m.data, 'x', MIB);
	write_file("raw", m.data, MIB);
	TK_EQ(run("qemu-img convert -c -f raw -O qcow2 raw a"), 0);
	patch_image(&(struct patch){ .at = 0x50000, .value = UINT64_MAX, .bytes = 8 });
	d = disk(path_of("a"), "format = \"qcow2\";");
	TK_EQ(disk_read(d, 0, got, 512), IOERR);
	TK_TRUE(tk_log_has("cannot be unpacked"));
	/* From then on nothing is written. */
	TK_EQ(disk_write(d, 8, got, 512), IOERR);
}

TK_TEST(host_errors)
{
	struct model m = model_new(4 * MIB);
	struct tk_dev *d;
	uint8_t data[4096] = { 1 }, got[4096];

	TK_EQ(run("qemu-img create -q -f qcow2 a 4M"), 0);
	d = disk(path_of("a"), "format = \"qcow2\"; engine = \"threads\";");
	for (unsigned kind = 0; kind < 4; kind++) {
		if (kind == TK_FAIL_SERVICE)
			continue;
		for (unsigned n = 1; n < 12; n++) {
			uint32_t at = any(1000) * 8;
			unsigned status;

			fill(data, 0, 4096, n + kind * 100);
			tk_fail_nth(kind, n);
			status = disk_write(d, at, data, 4096);
			(void)disk_flush(d);
			tk_fail_nth(kind, 0);
			if (status != OK)
				TK_EQ(disk_write(d, at, data, 4096), OK);
			memcpy(m.data + at * 512ull, data, 4096);
			TK_EQ(disk_read(d, at, got, 4096), OK);
			TK_MEM_EQ(got, data, 4096);
		}
	}
	TK_EQ(disk_flush(d), OK);
	tk_destroy(d);
	must_be_sound("a", &m);
}

/* ---- backing files that are refused ---- */

TK_TEST(backing_names)
{
	make_small();
	TK_EQ(run("mv a base.qcow2; qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 a"), 0);
	(void)disk(path_of("a"), "format = \"qcow2\";");
	TK_HAS_TEXT(refusal(path_of("base.qcow2"), "%s", ""), "is in use");
	TK_HAS_TEXT(refusal(path_of("a"), "format = \"qcow2\"; backing = false; lock = false;"),
		"backing = false forbids it");
	TK_EQ(run("qemu-img create -q -f qcow2 -u -b nbd://host/x -F raw c 64M"), 0);
	TK_HAS_TEXT(refusal(path_of("c"), "format = \"qcow2\";"), "not the name of a file");
	TK_EQ(run("qemu-img create -q -f qcow2 -u -b nowhere -F raw c 64M"), 0);
	TK_HAS_TEXT(refusal(path_of("c"), "format = \"qcow2\";"), "nowhere\": No such file");
	TK_EQ(run("qemu-img create -q -f qcow2 c 64M && "
		  "qemu-img rebase -u -f qcow2 -F qcow2 -b c c"),
		0);
	TK_HAS_TEXT(refusal(path_of("c"), "format = \"qcow2\"; read_only = true;"),
		"a chain may have 32 files");
	TK_EQ(run("qemu-img create -q -f qcow2 -u -b disk.vmdk -F vmdk c 64M"), 0);
	TK_HAS_TEXT(refusal(path_of("c"), "format = \"qcow2\";"), "format \"vmdk\"");
}

/* A backing file whose format nobody named, and which begins like a qcow2 image. */
TK_TEST(backing_format_is_not_guessed)
{
	uint8_t raw[4096] = "QFI\xfb";

	write_file("base", raw, sizeof(raw));
	TK_EQ(run("qemu-img create -q -f qcow2 -u -b base -F raw a 4096"), 0);
	(void)disk(path_of("a"), "format = \"qcow2\"; read_only = true;");
	/* The extension with the format becomes one that nobody knows. */
	patch_image(&(struct patch){ .at = 112, .value = 0x01020304, .bytes = 4 });
	TK_HAS_TEXT(refusal(path_of("a"), "format = \"qcow2\"; lock = false;"),
		"begins like a qcow2 image");
}

TK_TEST(the_name_says_the_format)
{
	make_small();
	TK_EQ(run("mv a a.qcow2"), 0);
	TK_EQ(tk_config(disk(path_of("a.qcow2"), "%s", ""), BLK_CFG_CAPACITY, 8), 64 * MIB / 512);
}

TK_TEST(hostile)
{
	make_small();
	TK_TRUE(tk_hostile_run(disk(path_of("a"), "format = \"qcow2\";")) > 200);
}

TK_TEST(every_step_of_attaching_may_fail)
{
	char settings[256];

	make_small();
	TK_EQ(run("mv a base; qemu-img create -q -f qcow2 -b base -F qcow2 a"), 0);
	(void)snprintf(
		settings, sizeof(settings), "path = \"%s\"; format = \"qcow2\";", path_of("a"));
	TK_TRUE(tk_fault_sweep("block", settings) >= 20);
	TK_EQ(run("qemu-img check -q a && qemu-img check -q base"), 0);
}

int main(int argc, char **argv)
{
	char command[128];
	int status;

	/* NOLINTNEXTLINE(cert-env33-c) */
	if (system("qemu-img --version >/dev/null 2>&1") != 0) {
		(void)printf("1..0 # SKIP there is no qemu-img (package qemu-utils)\n");
		return 77;
	}
	(void)snprintf(folder, sizeof(folder), "/tmp/tenon-qcow2-XXXXXX");
	if (!mkdtemp(folder))
		return 1;
	status = tk_main(argc, argv, TENON_TESTKIT_PLUGIN);
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	/* NOLINTNEXTLINE(cert-env33-c) */
	return system(command) == 0 ? status : 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the block device share: files, and a driver that asks for sectors. */
#ifndef BLOCK_TEST_DISK_H
#define BLOCK_TEST_DISK_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tenon/testkit.h>

#include "virtio_blk.h"

#define IOERR  BLK_S_IOERR
#define UNSUPP BLK_S_UNSUPP
#define OK     BLK_S_OK

/* A file without a name, of @size bytes in which each sector holds its number. */
struct file {
	int fd;
	char path[64];
};

static inline uint8_t pattern(uint64_t at, unsigned seed)
{
	uint64_t x = (at / 8 + 1) * 0x9e3779b97f4a7c15ull + seed * 0xc2b2ae3d27d4eb4full;

	return (uint8_t)(x >> (8 * (at % 8)));
}

static inline void fill(uint8_t *to, uint64_t at, size_t size, unsigned seed)
{
	for (size_t i = 0; i < size; i++)
		to[i] = pattern(at + i, seed);
}

static inline struct file file_new(uint64_t size)
{
	struct file f = { .fd = open(".", O_TMPFILE | O_RDWR, 0600) };
	uint8_t sector[512];

	if (f.fd < 0 || ftruncate(f.fd, (off_t)size) < 0)
		TK_FAIL("cannot make a file: %s", strerror(errno));
	for (uint64_t at = 0; at + 512 <= size && at < 64 * 512ull; at += 512) {
		fill(sector, at, 512, 0);
		TK_EQ(pwrite(f.fd, sector, 512, (off_t)at), 512);
	}
	(void)snprintf(f.path, sizeof(f.path), "/proc/self/fd/%d", f.fd);
	return f;
}

__attribute__((format(printf, 2, 3))) static inline struct tk_dev *disk(
	const char *path, const char *format, ...)
{
	char more[512], settings[2048];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(more, sizeof(more), format, args);
	va_end(args);
	(void)snprintf(settings, sizeof(settings), "path = \"%s\"; %s", path, more);
	return tk_device("block", settings);
}

/* The sentence with which a disk is refused. */
__attribute__((format(printf, 2, 3))) static inline const char *refusal(
	const char *path, const char *format, ...)
{
	char more[512], settings[2048];
	struct tk_dev *d;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(more, sizeof(more), format, args);
	va_end(args);
	(void)snprintf(settings, sizeof(settings), "path = \"%s\"; %s", path, more);
	d = tk_create("block", settings);
	if (d && tk_attach(d) == 0)
		TK_FAIL("the disk was not refused: %s", settings);
	tk_destroy(d);
	return tk_error();
}

static inline void header_of(uint8_t header[16], uint32_t type, uint64_t sector)
{
	memset(header, 0, 16);
	for (unsigned i = 0; i < 4; i++)
		header[i] = (uint8_t)(type >> (8 * i));
	for (unsigned i = 0; i < 8; i++)
		header[8 + i] = (uint8_t)(sector >> (8 * i));
}

/* Makes a request available; no kick. */
static inline struct tk_buf *ask(struct tk_dev *d, unsigned queue, uint32_t type, uint64_t sector,
	const void *data, uint32_t out_size, uint32_t in_size)
{
	uint8_t header[16];
	struct tk_part parts[4];
	unsigned n = 0;

	header_of(header, type, sector);
	parts[n++] = (struct tk_part){ .data = header, .size = sizeof(header) };
	if (out_size)
		parts[n++] = (struct tk_part){ .data = data, .size = out_size };
	if (in_size)
		parts[n++] = (struct tk_part){ .size = in_size, .in = 1 };
	parts[n++] = (struct tk_part){ .size = 1, .in = 1 };
	return tk_chain(d, queue, parts, n);
}

/* Waits for the kernel's ring to have something to say; false: there is none. */
static inline int wait_ring(void)
{
	for (int fd = 0; fd < 256; fd++) {
		char link[64], target[64] = "";
		struct pollfd p = { .fd = fd, .events = POLLIN };

		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		if (readlink(link, target, sizeof(target) - 1) < 0 ||
			strcmp(target, "anon_inode:[io_uring]") != 0)
			continue;
		if (poll(&p, 1, 20000) <= 0)
			TK_FAIL("the ring has nothing to say");
		return 1;
	}
	return 0;
}

static inline void wait_for(struct tk_dev *d, struct tk_buf *b)
{
	tk_run_until_idle(d);
	/* A thread's job may end while the loop is found to be idle: then there is more to run. */
	for (unsigned n = 0; tk_used_len(b) < 0; n++) {
		if (!wait_ring() && n == 1000)
			TK_FAIL("a request came to nothing");
		tk_run_until_idle(d);
	}
}

static inline unsigned status_of(struct tk_buf *b)
{
	static uint8_t all[4 << 20];
	size_t n = tk_in_bytes(b, all, sizeof(all));

	return all[n - 1];
}

/* Kicks, waits, and takes the status. */
static inline unsigned result(struct tk_dev *d, struct tk_buf *b)
{
	unsigned status;

	tk_kick(d, 0);
	wait_for(d, b);
	status = status_of(b);
	tk_free(b);
	return status;
}

static inline unsigned disk_write(
	struct tk_dev *d, uint64_t sector, const void *data, uint32_t size)
{
	return result(d, ask(d, 0, BLK_T_OUT, sector, data, size, 0));
}

static inline unsigned disk_read(struct tk_dev *d, uint64_t sector, void *to, uint32_t size)
{
	struct tk_buf *b = ask(d, 0, BLK_T_IN, sector, NULL, 0, size);
	unsigned status;

	tk_kick(d, 0);
	wait_for(d, b);
	if (status_of(b) == 0)
		TK_EQ(tk_used_len(b), size + 1);
	else
		TK_EQ(tk_used_len(b), 0);
	status = status_of(b);
	(void)tk_in_bytes(b, to, size);
	tk_free(b);
	return status;
}

static inline unsigned disk_flush(struct tk_dev *d)
{
	return result(d, ask(d, 0, BLK_T_FLUSH, 0, NULL, 0, 0));
}

static inline unsigned disk_range(
	struct tk_dev *d, uint32_t type, uint64_t sector, uint32_t sectors, uint32_t flags)
{
	uint8_t range[16];

	header_of(range, (uint32_t)sector, sectors | (uint64_t)flags << 32);
	for (unsigned i = 0; i < 8; i++)
		range[i] = (uint8_t)(sector >> (8 * i));
	return result(d, ask(d, 0, type, 0, range, sizeof(range), 0));
}

#endif

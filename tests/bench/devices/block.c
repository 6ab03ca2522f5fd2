/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block device beside fio with io_uring, on the same file, in turns.
 *
 * "direct" goes to the host's disk, "cached" stays in the host's memory and shows what the way
 * through the device costs.  The device's times hold the test kit's driver and loop too.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tenon/testkit.h>

#include "block_driver.h"
#include "devices.h"

#define FILE_SIZE (256ull << 20)
#define LIMIT     70

static const struct block_load loads[] = {
	{ "random read 4 KiB, depth 1", false, true, false, 4096, 1 },
	{ "random read 4 KiB, depth 32", false, true, false, 4096, 32 },
	{ "random write 4 KiB, depth 1", true, true, false, 4096, 1 },
	{ "random write 4 KiB, depth 32", true, true, false, 4096, 32 },
	{ "sequential read 1 MiB, depth 2", false, false, false, 1 << 20, 2 },
	{ "sequential write 1 MiB, depth 2", true, false, false, 1 << 20, 2 },
	{ "random read 4 KiB, depth 1", false, true, true, 4096, 1 },
	{ "random read 4 KiB, depth 32", false, true, true, 4096, 32 },
	{ "random write 4 KiB, depth 1", true, true, true, 4096, 1 },
	{ "random write 4 KiB, depth 32", true, true, true, 4096, 32 },
	{ "sequential read 1 MiB, depth 2", false, false, true, 1 << 20, 2 },
};

#define N_LOADS (sizeof(loads) / sizeof(loads[0]))

/* ---- one run ---- */

struct one {
	const struct block_load *load;
	const char *file;
};

static void measure_device(const void *load, unsigned ms, struct devices_result *ret)
{
	const struct one *o = load;

	(void)tk_plugin(BLOCK_PLUGIN);
	block_driver_run(o->load, o->file, FILE_SIZE, NULL, ms, ret);
}

static int run_device(const void *load, unsigned ms, struct devices_result *ret)
{
	return devices_isolated(measure_device, load, ms, ret);
}

static int run_fio(const void *load, unsigned ms, struct devices_result *ret)
{
	const struct one *o = load;
	int err = fio_run(o->load, o->file, ms, ret);

	if (err < 0)
		(void)fprintf(stderr, "devices: block: fio: %s\n", strerror(-err));
	return err;
}

/* ---- the file ---- */

static int make_file(const char *folder, char *path, size_t room)
{
	static uint8_t data[1 << 20];
	int fd;

	(void)snprintf(path, room, "%s/tenon-bench-XXXXXX", folder);
	fd = mkstemp(path);
	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 2654435761u >> 11);
	for (uint64_t at = 0; at < FILE_SIZE; at += sizeof(data))
		if (write(fd, data, sizeof(data)) != (ssize_t)sizeof(data)) {
			(void)close(fd);
			return -EIO;
		}
	(void)fsync(fd);
	return close(fd) < 0 ? -errno : 0;
}

/* What was written past the host's memory left it. */
static void warm_up(const char *path)
{
	static uint8_t data[1 << 20];
	int fd = open(path, O_RDONLY);

	while (fd >= 0 && read(fd, data, sizeof(data)) > 0)
		;
	if (fd >= 0)
		(void)close(fd);
}

static int measure(struct devices_options *o, const struct block_load *load, const char *file)
{
	const struct one one = { load, file };
	char name[64];
	const struct devices_row row = { "block", name, LIMIT, run_fio, run_device, &one };

	(void)snprintf(name, sizeof(name), "%s %s", load->cached ? "cached" : "direct", load->name);
	if (load->cached)
		warm_up(file);
	return devices_row(o, &row);
}

int block_part(struct devices_options *o)
{
	char path[4096];
	int ret;

	if (!fio_is_there()) {
		devices_skip("block", "", "there is no fio (package fio)");
		return DEVICES_SKIPPED;
	}
	ret = make_file(o->folder, path, sizeof(path));
	if (ret < 0) {
		(void)fprintf(stderr, "devices: block: cannot make a file in %s: %s\n", o->folder,
			strerror(-ret));
		return 1;
	}
	for (size_t i = 0; i < N_LOADS && ret == 0; i++)
		ret = measure(o, &loads[i], path);
	(void)unlink(path);
	return ret < 0 ? 1 : 0;
}

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
#include <sys/mman.h>
#include <unistd.h>

#include <tenon/testkit.h>

#include "block_driver.h"
#include "devices.h"

#define FILE_SIZE (256ull << 20)
#define MOST      16

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

/* ---- one run of the device ---- */

struct run {
	const struct block_load *load;
	const char *file;
	unsigned seconds;
	struct block_result *result; /* shared */
};

static void run_device(void *arg)
{
	const struct run *r = arg;

	(void)tk_plugin(BLOCK_PLUGIN);
	block_driver_run(r->load, r->file, FILE_SIZE, r->seconds, r->result);
	_exit(0);
}

static int device_run(const struct block_load *load, const char *file, unsigned seconds,
	struct block_result *ret_result)
{
	struct block_result *shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct run r = { load, file, seconds, shared };
	char why[512] = "";

	if (shared == MAP_FAILED)
		return -errno;
	(void)tk_isolated(run_device, &r, why, sizeof(why));
	*ret_result = *shared;
	(void)munmap(shared, sizeof(*shared));
	if (ret_result->per_second > 0)
		return 0;
	(void)fprintf(stderr, "devices: block: %s\n", why);
	return -EIO;
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

/* ---- the table ---- */

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), by_size);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static int measure(const struct block_load *load, const char *file, const struct devices_options *o)
{
	double fio[MOST] = { 0 }, fio_cpu[MOST] = { 0 }, own[MOST] = { 0 };
	double own_cpu[MOST] = { 0 }, ratio[MOST] = { 0 };
	double a, b;

	if (load->cached)
		warm_up(file);
	for (unsigned i = 0; i < o->rounds; i++) {
		struct block_result f = { 0 }, d = { 0 };
		int ret = 0;

		for (unsigned turn = 0; turn < 2 && ret == 0; turn++)
			ret = (turn + i) % 2 ? device_run(load, file, o->seconds, &d)
					     : fio_run(load, file, o->seconds, &f);
		if (ret < 0)
			return ret;
		fio[i] = f.per_second;
		fio_cpu[i] = f.cpu_us;
		own[i] = d.per_second;
		own_cpu[i] = d.cpu_us;
		ratio[i] = d.per_second / f.per_second;
	}
	a = median(fio, o->rounds);
	b = median(own, o->rounds);
	(void)printf("  %-6s %-32s %9.0f %9.0f  %5.0f %%   %7.1f %7.1f\n",
		load->cached ? "cached" : "direct", load->name, a, b,
		100 * median(ratio, o->rounds), median(fio_cpu, o->rounds),
		median(own_cpu, o->rounds));
	(void)fflush(stdout);
	return 0;
}

int block_part(const struct devices_options *o)
{
	char path[4096];
	int ret;

	if (!fio_is_there()) {
		(void)fputs("devices: block: skipped, there is no fio (package fio)\n", stderr);
		return DEVICES_SKIPPED;
	}
	ret = make_file(o->folder, path, sizeof(path));
	if (ret < 0) {
		(void)fprintf(stderr, "devices: block: cannot make a file in %s: %s\n", o->folder,
			strerror(-ret));
		return 1;
	}
	(void)printf("block: requests a second and CPU time of each (us), medians of %u runs of %u "
		     "s, in turns\n  %-39s %9s %9s  %7s   %7s %7s\n",
		o->rounds, o->seconds, "", "fio", "tenon", "ratio", "fio", "tenon");
	for (size_t i = 0; i < N_LOADS && ret == 0; i++)
		ret = measure(&loads[i], path, o);
	(void)unlink(path);
	return ret < 0 ? 1 : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * isolation [--ms N] [--rounds N] [--folder PATH] [--only block|net|vsock|start]: what it costs
 * that a device lives in a process of its own: the block device in process against the same one
 * behind `tenon serve` and the vhost-user front end, net and vsock in the same way, and the start
 * of a VM whose devices are isolated.
 *
 * Measured by turns in one run, as `devices` does.  Behind the boundary the CPU time of both
 * processes counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tenon/testkit.h>

#include "tests/bench/devices/block_driver.h"
#include "tests/bench/devices/devices.h"
#include "tests/bench/devices/net_run.h"
#include "tests/bench/devices/served.h"
#include "tests/bench/devices/vsock_run.h"

#define FILE_SIZE (64ull << 20)
#define LIMIT     90 /* per cent, where much is under way */

static const struct block_load loads[] = {
	{ "random read 4 KiB, depth 1", false, true, false, 4096, 1 },
	{ "random read 4 KiB, depth 32", false, true, false, 4096, 32 },
	{ "random write 4 KiB, depth 32", true, true, false, 4096, 32 },
	{ "random read 4 KiB, depth 1", false, true, true, 4096, 1 },
	{ "random read 4 KiB, depth 32", false, true, true, 4096, 32 },
	{ "sequential read 1 MiB, depth 2", false, false, true, 1 << 20, 2 },
};

static const struct net_load net_loads[] = {
	{ "from the guest, stream, 1514 bytes", WIRE_STREAM, false, 1514 },
	{ "to the guest, stream, 1514 bytes", WIRE_STREAM, true, 1514 },
	{ "from the guest, datagrams of 1514 bytes", WIRE_DGRAM, false, 1514 },
	{ "to the guest, datagrams of 1514 bytes", WIRE_DGRAM, true, 1514 },
};

static const struct vsock_load vsock_loads[] = {
	{ "to the host, MiB, packets of 64 KiB", false, 65536 },
	{ "to the guest, MiB, buffers of 64 KiB", true, 65536 },
	{ "to the guest, MiB, buffers of 4 KiB", true, 4096 },
};

static const struct served_by elsewhere = { TENON_PROGRAM, VHOST_USER_PLUGIN };

struct one {
	const struct block_load *load;
	const char *file;
};

/* ---- a disk ---- */

static void measure_here(const void *load, unsigned ms, struct devices_result *ret)
{
	const struct one *o = load;

	(void)tk_plugin(BLOCK_PLUGIN);
	block_driver_run(o->load, o->file, FILE_SIZE, NULL, ms, ret);
}

static void measure_there(const void *load, unsigned ms, struct devices_result *ret)
{
	const struct one *o = load;

	block_driver_run(o->load, o->file, FILE_SIZE, &elsewhere, ms, ret);
}

static int run_here(const void *load, unsigned ms, struct devices_result *ret)
{
	return devices_isolated(measure_here, load, ms, ret);
}

static int run_there(const void *load, unsigned ms, struct devices_result *ret)
{
	return devices_isolated(measure_there, load, ms, ret);
}

static int make_file(const char *folder, char *path, size_t room)
{
	static char data[1 << 20];
	int fd;

	(void)snprintf(path, room, "%s/tenon-bench-XXXXXX", folder);
	fd = mkstemp(path);
	if (fd < 0)
		return -errno;
	for (uint64_t at = 0; at < FILE_SIZE; at += sizeof(data))
		if (write(fd, data, sizeof(data)) != (ssize_t)sizeof(data)) {
			(void)close(fd);
			return -EIO;
		}
	(void)fsync(fd);
	return close(fd) < 0 ? -errno : 0;
}

static int disk_rows(struct devices_options *o)
{
	char path[4096];
	int ret = make_file(o->folder, path, sizeof(path));

	if (ret < 0) {
		(void)fprintf(stderr, "isolation: cannot make a file in %s: %s\n", o->folder,
			strerror(-ret));
		return ret;
	}
	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]) && ret == 0; i++) {
		const struct one one = { &loads[i], path };
		char name[64];
		const struct devices_row row = { "block", name, loads[i].depth > 1 ? LIMIT : 0,
			run_here, run_there, &one };

		(void)snprintf(name, sizeof(name), "%s %s", loads[i].cached ? "cached" : "direct",
			loads[i].name);
		ret = devices_row(o, &row);
	}
	(void)unlink(path);
	return ret;
}

/* ---- net and vsock ---- */

static void net_here(const void *load, unsigned ms, struct devices_result *ret)
{
	net_run(load, NULL, ms, ret);
}

static void net_there(const void *load, unsigned ms, struct devices_result *ret)
{
	net_run(load, &elsewhere, ms, ret);
}

static int run_net_here(const void *load, unsigned ms, struct devices_result *ret)
{
	return devices_isolated(net_here, load, ms, ret);
}

static int run_net_there(const void *load, unsigned ms, struct devices_result *ret)
{
	return devices_isolated(net_there, load, ms, ret);
}

static int net_rows(struct devices_options *o)
{
	int ret = 0;

	for (size_t i = 0; i < sizeof(net_loads) / sizeof(net_loads[0]) && ret == 0; i++) {
		const struct devices_row row = { "net", net_loads[i].name, LIMIT, run_net_here,
			run_net_there, &net_loads[i] };

		ret = devices_row(o, &row);
	}
	return ret;
}

static void vsock_here(const void *load, unsigned ms, struct devices_result *ret)
{
	vsock_run(load, NULL, ms, ret);
}

static void vsock_there(const void *load, unsigned ms, struct devices_result *ret)
{
	vsock_run(load, &elsewhere, ms, ret);
}

static int run_vsock_here(const void *load, unsigned ms, struct devices_result *ret)
{
	return devices_isolated(vsock_here, load, ms, ret);
}

static int run_vsock_there(const void *load, unsigned ms, struct devices_result *ret)
{
	return devices_isolated(vsock_there, load, ms, ret);
}

static int vsock_rows(struct devices_options *o)
{
	int ret = vsock_open();

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < sizeof(vsock_loads) / sizeof(vsock_loads[0]) && ret == 0; i++) {
		const struct devices_row row = { "vsock", vsock_loads[i].name, LIMIT,
			run_vsock_here, run_vsock_there, &vsock_loads[i] };

		ret = devices_row(o, &row);
	}
	vsock_close();
	return ret;
}

/* ---- the start of a VM ---- */

/* `tenon run` of a guest that ends at its first instruction, with rng, console and block. */
static int start_vm(const char *isolation, const char *file)
{
	char set[64], disk[4200];
	int null = open("/dev/null", O_RDWR), status;
	pid_t pid = fork();

	(void)snprintf(set, sizeof(set), "vm.isolation=%s", isolation);
	(void)snprintf(disk, sizeof(disk), "block,path=%s", file);
	if (pid == 0) {
		(void)dup2(null, 0);
		(void)dup2(null, 1);
		(void)execl(TENON_PROGRAM, "tenon", "run", "--kernel", FIRST_GUEST, "--memory",
			"64M", "--hypervisor", "kvm", "--set", set, "--device", "rng", "--device",
			"console", "--device", disk, (char *)NULL);
		_exit(127);
	}
	(void)close(null);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

static int start_many(
	const char *isolation, unsigned ms, const char *file, struct devices_result *ret)
{
	const double began = devices_clock(CLOCK_MONOTONIC);
	struct rusage before, after;
	unsigned n = 0;
	int err;

	(void)getrusage(RUSAGE_CHILDREN, &before);
	do {
		err = start_vm(isolation, file);
		if (err < 0)
			return err;
		n++;
	} while (devices_clock(CLOCK_MONOTONIC) - began < ms / 1e3);
	(void)getrusage(RUSAGE_CHILDREN, &after);
	ret->per_second = n / (devices_clock(CLOCK_MONOTONIC) - began);
	ret->cpu_us = ((double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec +
				after.ru_stime.tv_sec - before.ru_stime.tv_sec) *
				      1e6 +
			      (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec +
				       after.ru_stime.tv_usec - before.ru_stime.tv_usec)) /
		      n;
	return 0;
}

static int start_here(const void *load, unsigned ms, struct devices_result *ret)
{
	return start_many("none", ms, load, ret);
}

static int start_there(const void *load, unsigned ms, struct devices_result *ret)
{
	return start_many("process", ms, load, ret);
}

static int start_row(struct devices_options *o)
{
	const struct devices_row row = { "start", "a VM with rng, console and block", 0, start_here,
		start_there, NULL };
	struct devices_row with_file = row;
	char path[4096];
	int ret = make_file(o->folder, path, sizeof(path));

	with_file.load = path;
	if (ret == 0 && start_vm("none", path) < 0) {
		devices_skip("start", row.name, "KVM cannot be used here");
		(void)unlink(path);
		return 0;
	}
	if (ret == 0)
		ret = devices_row(o, &with_file);
	(void)unlink(path);
	return ret;
}

static const struct part {
	const char *name;
	int (*rows)(struct devices_options *o);
} parts[] = {
	{ "block", disk_rows },
	{ "net", net_rows },
	{ "vsock", vsock_rows },
	{ "start", start_row },
};

#define N_PARTS (sizeof(parts) / sizeof(parts[0]))

static int run(struct devices_options *o, const char *only)
{
	int ret = 0;

	(void)puts("compared: the device in the VM's process; tenon: in a process of its own");
	devices_head(o);
	for (size_t i = 0; i < N_PARTS && ret == 0; i++)
		if (!only || strcmp(only, parts[i].name) == 0)
			ret = parts[i].rows(o);
	if (ret == 0 && o->n_below > 0)
		(void)printf("%u of %u rows are below their limit\n", o->n_below, o->n_rows);
	return ret < 0;
}

static bool is_part(const char *name)
{
	for (size_t i = 0; i < N_PARTS; i++)
		if (strcmp(name, parts[i].name) == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	static const struct option table[] = {
		{ "ms", required_argument, NULL, 'm' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "folder", required_argument, NULL, 'f' },
		{ "only", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	struct devices_options o = { .ms = 400, .rounds = 5, .folder = "/var/tmp" };
	const char *only = NULL;
	bool wrong = false;
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 'm')
			o.ms = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'r')
			o.rounds = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'f')
			o.folder = optarg;
		else if (c == 'o' && is_part(optarg))
			only = optarg;
		else
			wrong = true;
	}
	if (wrong || optind < argc || o.ms < 10 || o.ms > 20000 || o.rounds < 1 ||
		o.rounds > DEVICES_MOST_ROUNDS) {
		(void)fputs("usage: isolation [--ms 10..20000] [--rounds 1..15] [--folder PATH]\n"
			    "                 [--only block|net|vsock|start]\n",
			stderr);
		return 2;
	}
	return run(&o, only);
}

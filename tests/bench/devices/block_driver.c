/* SPDX-License-Identifier: Apache-2.0 */
/* The ring, and the loop around it. */
#include "block_driver.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <tenon/testkit.h>

#include "ring.h"

#define T_IN  0u
#define T_OUT 1u

struct driver {
	struct ring ring;
	const struct block_load *load;
	uint64_t n_places, next, random;
	uint8_t *headers; /* 16 bytes of each slot, and a status for each behind them */
	int uring;        /* of a device that lives here */
	pid_t child;      /* of one that does not; 0 = it does */
	uint64_t done;
};

static int find_uring(void)
{
	for (int fd = 0; fd < 256; fd++) {
		char link[64], target[64] = "";

		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		if (readlink(link, target, sizeof(target) - 1) > 0 &&
			strcmp(target, "anon_inode:[io_uring]") == 0)
			return fd;
	}
	TK_FAIL("this host refuses io_uring");
}

/* Large requests share two places in memory; small ones have one each. */
static uint64_t data_of(const struct driver *v, unsigned slot)
{
	return TK_RAM_A + (uint64_t)slot * v->load->size % (2ull * TK_RAM_SIZE);
}

static struct tk_dev *open_here(struct driver *v, const char *file)
{
	char settings[1024];
	struct tk_dev *d;

	(void)snprintf(settings, sizeof(settings),
		"path = \"%s\"; format = \"raw\"; engine = \"io_uring\"; sector_size = 4096; "
		"direct = %s;",
		file, v->load->cached ? "false" : "true");
	d = tk_device("block", settings);
	v->uring = find_uring();
	return d;
}

/* The same device in a process of its own. */
static struct tk_dev *open_there(struct driver *v, const char *file, const char *serves)
{
	char socket[64], settings[128], path[1024], direct[32];

	(void)snprintf(socket, sizeof(socket), "/tmp/tenon-bench-%d.sock", (int)getpid());
	(void)snprintf(path, sizeof(path), "path=%s", file);
	(void)snprintf(direct, sizeof(direct), "direct=%s", v->load->cached ? "false" : "true");
	v->child = fork();
	if (v->child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)execl(serves, "tenon", "serve", "block", "--once", "--socket", socket, path,
			direct, "format=raw", "engine=io_uring", "sector_size=4096", (char *)NULL);
		_exit(127);
	}
	for (int i = 0; v->child < 0 || access(socket, F_OK) != 0; i++) {
		if (v->child < 0 || i == 5000)
			TK_FAIL("the disk's process does not come up");
		(void)poll(NULL, 0, 1);
	}
	(void)snprintf(settings, sizeof(settings), "socket = \"%s\"; device = \"block\";", socket);
	return tk_device("vhost-user", settings);
}

static void set_up(struct driver *v, const char *file, const char *serves)
{
	struct tk_dev *d = serves ? open_there(v, file, serves) : open_here(v, file);
	uint64_t headers;

	ring_open(&v->ring, d, 0);
	headers = tk_alloc((size_t)v->load->depth * 17, 16);
	v->headers = tk_mem(headers, (size_t)v->load->depth * 17);
	for (unsigned i = 0; i < v->load->depth; i++) {
		uint8_t *header = v->headers + (size_t)i * 16;

		memset(header, 0, 16);
		header[0] = v->load->write ? T_OUT : T_IN;
		tk_set_desc(d, 0, 3 * i, headers + i * 16ull, 16, RING_DESC_NEXT,
			(uint16_t)(3 * i + 1));
		tk_set_desc(d, 0, 3 * i + 1, data_of(v, i), v->load->size,
			(uint16_t)(RING_DESC_NEXT | (v->load->write ? 0 : RING_DESC_WRITE)),
			(uint16_t)(3 * i + 2));
		tk_set_desc(d, 0, 3 * i + 2, headers + v->load->depth * 16ull + i, 1,
			RING_DESC_WRITE, 0);
	}
}

static void offer(struct driver *v, unsigned slot)
{
	uint64_t place;

	if (v->load->random) {
		v->random ^= v->random << 13;
		v->random ^= v->random >> 7;
		v->random ^= v->random << 17;
		place = v->random % v->n_places;
	} else {
		place = v->next++ % v->n_places;
	}
	place = place * v->load->size / 512;
	memcpy(v->headers + (size_t)slot * 16 + 8, &place, 8);
	ring_offer(&v->ring, (uint16_t)(3 * slot));
}

/* What is done is asked for anew; whether that was something. */
static bool reap(struct driver *v)
{
	uint64_t before = v->done;
	uint16_t head;
	uint32_t size;

	while (ring_take(&v->ring, &head, &size)) {
		unsigned slot = head / 3u;

		if (v->headers[(size_t)v->load->depth * 16 + slot] != 0)
			TK_FAIL("a request failed");
		v->done++;
		offer(v, slot);
	}
	return v->done != before;
}

void block_driver_run(const struct block_load *load, const char *file, uint64_t file_size,
	const char *serves, unsigned ms, struct devices_result *result)
{
	struct driver v = { .load = load, .random = 88172645463325252ull };
	clockid_t other = CLOCK_THREAD_CPUTIME_ID;
	double began, cpu, now;

	v.n_places = file_size / load->size;
	set_up(&v, file, serves);
	if (v.child && clock_getcpuclockid(v.child, &other) != 0)
		TK_FAIL("the disk's process has no clock");
	began = devices_clock(CLOCK_MONOTONIC);
	cpu = devices_clock(CLOCK_THREAD_CPUTIME_ID) + (v.child ? devices_clock(other) : 0);
	for (unsigned i = 0; i < load->depth; i++)
		offer(&v, i);
	do {
		ring_kick(&v.ring);
		(void)tk_step();
		if (!reap(&v) && !v.child) {
			struct pollfd p = { .fd = v.uring, .events = POLLIN };

			if (poll(&p, 1, 10000) <= 0)
				TK_FAIL("the disk is silent");
		}
		now = devices_clock(CLOCK_MONOTONIC);
	} while (now - began < ms / 1e3);
	result->per_second = (double)v.done / (now - began);
	cpu = devices_clock(CLOCK_THREAD_CPUTIME_ID) + (v.child ? devices_clock(other) : 0) - cpu;
	result->cpu_us = cpu * 1e6 / (double)v.done;
	if (v.child)
		(void)kill(v.child, SIGTERM);
	/* What is still under way ends with the process. */
}

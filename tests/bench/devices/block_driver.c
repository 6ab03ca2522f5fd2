/* SPDX-License-Identifier: Apache-2.0 */
/* The ring, and the loop around it. */
#include "block_driver.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <tenon/testkit.h>

#define QUEUE_SIZE 256u
#define T_IN       0u
#define T_OUT      1u
#define DESC_NEXT  1u
#define DESC_WRITE 2u

struct driver {
	struct tk_dev *d;
	const struct block_load *load;
	uint64_t n_places, next, random;
	uint8_t *headers; /* 16 bytes of each slot, and a status for each behind them */
	volatile uint16_t *avail, *used;
	uint16_t made, seen;
	int ring;
	uint64_t done;
};

static double seconds_of(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_seconds(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_THREAD, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int find_ring(void)
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

static void set_up(struct driver *v, const char *file)
{
	char settings[1024];
	struct tk_ring r;
	uint64_t headers = 0;

	(void)snprintf(settings, sizeof(settings),
		"path = \"%s\"; format = \"raw\"; engine = \"io_uring\"; sector_size = 4096; "
		"direct = %s;",
		file, v->load->cached ? "false" : "true");
	v->d = tk_device("block", settings);
	v->ring = find_ring();
	r = tk_ring(v->d, 0);
	headers = tk_alloc((size_t)v->load->depth * 17, 16);
	v->headers = tk_mem(headers, (size_t)v->load->depth * 17);
	v->avail = tk_mem(r.avail, 6 + 2 * QUEUE_SIZE);
	v->used = tk_mem(r.used, 6 + 8 * QUEUE_SIZE);
	for (unsigned i = 0; i < v->load->depth; i++) {
		uint8_t *header = v->headers + (size_t)i * 16;

		memset(header, 0, 16);
		header[0] = v->load->write ? T_OUT : T_IN;
		tk_set_desc(
			v->d, 0, 3 * i, headers + i * 16ull, 16, DESC_NEXT, (uint16_t)(3 * i + 1));
		tk_set_desc(v->d, 0, 3 * i + 1, data_of(v, i), v->load->size,
			(uint16_t)(DESC_NEXT | (v->load->write ? 0 : DESC_WRITE)),
			(uint16_t)(3 * i + 2));
		tk_set_desc(
			v->d, 0, 3 * i + 2, headers + v->load->depth * 16ull + i, 1, DESC_WRITE, 0);
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
	v->avail[2 + v->made % QUEUE_SIZE] = (uint16_t)(3 * slot);
	v->made++;
	__atomic_store_n(&v->avail[1], v->made, __ATOMIC_SEQ_CST);
}

/* What is done is asked for anew; whether that was something. */
static bool reap(struct driver *v)
{
	uint16_t upto = __atomic_load_n(&v->used[1], __ATOMIC_ACQUIRE);
	bool any = v->seen != upto;

	while (v->seen != upto) {
		uint32_t head;
		unsigned slot;

		/* {u32 id, u32 length} from the fourth byte on. */
		memcpy(&head, (const uint8_t *)(uintptr_t)&v->used[2 + v->seen % QUEUE_SIZE * 4],
			4);
		slot = head / 3;
		if (v->headers[(size_t)v->load->depth * 16 + slot] != 0)
			TK_FAIL("a request failed");
		v->done++;
		v->seen++;
		offer(v, slot);
	}
	return any;
}

/* The device said from which on it wants to be kicked (2.7.10). */
static bool must_kick(const struct driver *v, uint16_t before)
{
	uint16_t event = __atomic_load_n(&v->used[2 + 4 * QUEUE_SIZE], __ATOMIC_SEQ_CST);

	return (uint16_t)(v->made - event - 1) < (uint16_t)(v->made - before);
}

void block_driver_run(const struct block_load *load, const char *file, uint64_t file_size,
	unsigned seconds, struct block_result *result)
{
	struct driver v = { .load = load, .random = 88172645463325252ull };
	double began, cpu, now;
	uint16_t kicked = 0;

	v.n_places = file_size / load->size;
	set_up(&v, file);
	began = seconds_of(CLOCK_MONOTONIC);
	cpu = cpu_seconds();
	for (unsigned i = 0; i < load->depth; i++)
		offer(&v, i);
	do {
		if (v.made != kicked && must_kick(&v, kicked))
			tk_set_reg(v.d, 0x50, 0);
		kicked = v.made;
		(void)tk_step();
		if (!reap(&v)) {
			struct pollfd p = { .fd = v.ring, .events = POLLIN };

			if (poll(&p, 1, 10000) <= 0)
				TK_FAIL("the disk is silent");
		}
		now = seconds_of(CLOCK_MONOTONIC);
	} while (now - began < seconds);
	result->per_second = (double)v.done / (now - began);
	result->cpu_us = (cpu_seconds() - cpu) * 1e6 / (double)v.done;
	/* What is still under way ends with the process. */
}

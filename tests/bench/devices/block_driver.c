/* SPDX-License-Identifier: Apache-2.0 */
/* The ring, and the loop around it. */
#include "block_driver.h"

#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#include <tenon/testkit.h>

#include "ring.h"
#include "served.h"

#define T_IN  0u
#define T_OUT 1u

struct driver {
	struct ring ring;
	const struct block_load *load;
	uint64_t n_places, next, random;
	uint8_t *headers; /* 16 bytes of each slot, and a status for each behind them */
	pid_t child;      /* of one that does not; 0 = it does */
	uint64_t done;
};

/* Large requests share two places in memory; small ones have one each. */
static uint64_t data_of(const struct driver *v, unsigned slot)
{
	return TK_RAM_A + (uint64_t)slot * v->load->size % (2ull * TK_RAM_SIZE);
}

static struct tk_dev *open_disk(struct driver *v, const char *file, const struct served_by *by)
{
	const char *const direct = v->load->cached ? "false" : "true";
	char text[1100];
	const char *const settings[] = { text, v->load->cached ? "direct=false" : "direct=true",
		"format=raw", "engine=io_uring", "sector_size=4096", NULL };

	if (by) {
		(void)snprintf(text, sizeof(text), "path=%s", file);
		return served_open(by, "block", settings, &v->child);
	}
	(void)snprintf(text, sizeof(text),
		"path = \"%s\"; format = \"raw\"; engine = \"io_uring\"; sector_size = 4096; "
		"direct = %s;",
		file, direct);
	return tk_device("block", text);
}

static void set_up(struct driver *v, const char *file, const struct served_by *by)
{
	struct tk_dev *d = open_disk(v, file, by);
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
	const struct served_by *by, unsigned ms, struct devices_result *result)
{
	struct driver v = { .load = load, .random = 88172645463325252ull };
	double began, cpu, now;

	v.n_places = file_size / load->size;
	set_up(&v, file, by);
	began = devices_clock(CLOCK_MONOTONIC);
	cpu = served_cpu(v.child);
	for (unsigned i = 0; i < load->depth; i++)
		offer(&v, i);
	do {
		ring_kick(&v.ring);
		if (!v.child)
			(void)tk_step();
		if (!reap(&v)) {
			if (v.child)
				ring_wait(&v.ring);
			else if (!tk_wait(10000))
				TK_FAIL("the disk is silent");
		}
		now = devices_clock(CLOCK_MONOTONIC);
	} while (now - began < ms / 1e3);
	result->per_second = (double)v.done / (now - began);
	result->cpu_us = (served_cpu(v.child) - cpu) * 1e6 / (double)v.done;
	served_end(v.child);
	/* What is still under way ends with the process. */
}

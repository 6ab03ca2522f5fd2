/* SPDX-License-Identifier: Apache-2.0 */
/* Timing: a bounded list of what happened when. */
#include "core/timing.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "core/event_loop.h"

#define MAX_ENTRIES 256

enum kind { PHASE, PART, MARK };

struct entry {
	enum kind kind;
	char name[40];
	struct timing_moment at, took;
	int64_t value;
};

struct timing {
	pthread_mutex_t lock;
	struct timing_moment start, last;
	struct entry entries[MAX_ENTRIES];
	unsigned n, lost;
};

static uint64_t read_clock(clockid_t clock)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

struct timing_moment timing_now(void)
{
	return (struct timing_moment){ monotonic_ns(), read_clock(CLOCK_PROCESS_CPUTIME_ID) };
}

struct timing *timing_create(const struct timing_moment *start)
{
	struct timing *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	(void)pthread_mutex_init(&t->lock, NULL);
	t->start = t->last = *start;
	return t;
}

void timing_destroy(struct timing *timing)
{
	if (!timing)
		return;
	(void)pthread_mutex_destroy(&timing->lock);
	free(timing);
}

static void add(struct timing *t, enum kind kind, const char *name, uint64_t part_ns, int64_t value)
{
	struct timing_moment now = timing_now(), took = { part_ns, 0 };

	(void)pthread_mutex_lock(&t->lock);
	if (kind == PHASE) {
		took.wall_ns = now.wall_ns - t->last.wall_ns;
		took.cpu_ns = now.cpu_ns - t->last.cpu_ns;
		t->last = now;
	}
	if (t->n < MAX_ENTRIES) {
		struct entry *e = &t->entries[t->n++];

		*e = (struct entry){ .kind = kind, .at = now, .took = took, .value = value };
		(void)snprintf(e->name, sizeof(e->name), "%s", name);
	} else {
		t->lost++;
	}
	(void)pthread_mutex_unlock(&t->lock);
}

void timing_phase(struct timing *timing, const char *name)
{
	if (timing)
		add(timing, PHASE, name, 0, -1);
}

void timing_part(struct timing *timing, const char *name, uint64_t ns)
{
	if (timing)
		add(timing, PART, name, ns, -1);
}

void timing_mark(struct timing *timing, const char *name, int64_t value)
{
	if (timing)
		add(timing, MARK, name, 0, value);
}

static void print_memory(FILE *out)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) == 0)
		(void)fprintf(out, "timing: name=max-resident kib=%ld\n", usage.ru_maxrss);
}

static unsigned long long us(uint64_t ns)
{
	return (unsigned long long)ns / 1000;
}

static void print_entry(const struct timing *t, const struct entry *e, FILE *out)
{
	static const char *const kinds[] = { "phase", "part", "mark" };

	(void)fprintf(out, "timing: name=%s kind=%s at_us=%llu cpu_us=%llu", e->name,
		kinds[e->kind], us(e->at.wall_ns - t->start.wall_ns), us(e->at.cpu_ns));
	if (e->kind != MARK)
		(void)fprintf(out, " took_us=%llu", us(e->took.wall_ns));
	if (e->kind == PHASE)
		(void)fprintf(out, " took_cpu_us=%llu", us(e->took.cpu_ns));
	if (e->value >= 0)
		(void)fprintf(out, " value=0x%llx", (unsigned long long)e->value);
	(void)fputc('\n', out);
}

void timing_print(struct timing *timing, FILE *out)
{
	struct timing_moment now = timing_now();

	if (!timing)
		return;
	(void)pthread_mutex_lock(&timing->lock);
	(void)fprintf(out, "timing: name=exec cpu_us=%llu monotonic_us=%llu\n",
		us(timing->start.cpu_ns), us(timing->start.wall_ns));
	for (unsigned i = 0; i < timing->n; i++)
		print_entry(timing, &timing->entries[i], out);
	if (timing->lost)
		(void)fprintf(out, "timing: name=lost count=%u\n", timing->lost);
	(void)fprintf(out, "timing: name=total cpu_us=%llu at_us=%llu\n", us(now.cpu_ns),
		us(now.wall_ns - timing->start.wall_ns));
	print_memory(out);
	(void)pthread_mutex_unlock(&timing->lock);
}

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
	uint64_t at_ns, took_ns;
	int64_t value;
};

struct timing {
	pthread_mutex_t lock;
	uint64_t start_ns, last_ns, exec_cpu_ns;
	struct entry entries[MAX_ENTRIES];
	unsigned n, lost;
};

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

struct timing *timing_create(void)
{
	struct timing *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	(void)pthread_mutex_init(&t->lock, NULL);
	t->start_ns = t->last_ns = monotonic_ns();
	t->exec_cpu_ns = cpu_ns(); /* exec and the dynamic linker */
	return t;
}

void timing_destroy(struct timing *timing)
{
	if (!timing)
		return;
	(void)pthread_mutex_destroy(&timing->lock);
	free(timing);
}

static void add(struct timing *t, enum kind kind, const char *name, uint64_t took_ns, int64_t value)
{
	uint64_t now = monotonic_ns();

	(void)pthread_mutex_lock(&t->lock);
	if (kind == PHASE) {
		took_ns = now - t->last_ns;
		t->last_ns = now;
	}
	if (t->n < MAX_ENTRIES) {
		struct entry *e = &t->entries[t->n++];

		*e = (struct entry){
			.kind = kind, .at_ns = now - t->start_ns, .took_ns = took_ns, .value = value
		};
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

void timing_print(struct timing *timing, FILE *out)
{
	static const char *const kinds[] = { "phase", "part", "mark" };

	if (!timing)
		return;
	(void)pthread_mutex_lock(&timing->lock);
	(void)fprintf(out, "timing: name=exec cpu_us=%llu\n",
		(unsigned long long)timing->exec_cpu_ns / 1000);
	for (unsigned i = 0; i < timing->n; i++) {
		const struct entry *e = &timing->entries[i];

		(void)fprintf(out, "timing: name=%s kind=%s at_us=%llu", e->name, kinds[e->kind],
			(unsigned long long)e->at_ns / 1000);
		if (e->kind != MARK)
			(void)fprintf(out, " took_us=%llu", (unsigned long long)e->took_ns / 1000);
		if (e->value >= 0)
			(void)fprintf(out, " value=0x%llx", (unsigned long long)e->value);
		(void)fputc('\n', out);
	}
	if (timing->lost)
		(void)fprintf(out, "timing: name=lost count=%u\n", timing->lost);
	(void)fprintf(out, "timing: name=total cpu_us=%llu at_us=%llu\n",
		(unsigned long long)cpu_ns() / 1000,
		(unsigned long long)(monotonic_ns() - timing->start_ns) / 1000);
	print_memory(out);
	(void)pthread_mutex_unlock(&timing->lock);
}

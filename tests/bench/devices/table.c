/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measuring by turns, and the table.  The ratio is that of each round, so that what befalls the
 * machine befalls both sides of it; its median counts, and the range says how steady it was.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <tenon/testkit.h>

#include "devices.h"

double devices_clock(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- a process for each measurement ---- */

struct isolated {
	void (*measure)(const void *load, unsigned ms, struct devices_result *ret);
	const void *load;
	unsigned ms;
	struct devices_result *result; /* shared */
};

static void run_isolated(void *arg)
{
	const struct isolated *i = arg;

	i->measure(i->load, i->ms, i->result);
	_exit(0); /* what is still under way ends here, and other threads */
}

int devices_isolated(void (*measure)(const void *load, unsigned ms, struct devices_result *ret),
	const void *load, unsigned ms, struct devices_result *ret)
{
	struct isolated i = { measure, load, ms, NULL };
	char why[512] = "it said nothing";

	i.result = mmap(
		NULL, sizeof(*i.result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (i.result == MAP_FAILED)
		return -errno;
	(void)tk_isolated(run_isolated, &i, why, sizeof(why));
	*ret = *i.result;
	(void)munmap(i.result, sizeof(*i.result));
	if (ret->per_second > 0)
		return 0;
	(void)fprintf(stderr, "devices: %s\n", why);
	return -EIO;
}

/* ---- the table ---- */

void devices_head(const struct devices_options *o)
{
	(void)printf("operations a second and CPU time of each (us): medians of %u runs of %u ms, "
		     "by turns with the comparison\n"
		     "%-5s %-40s %10s %10s  %6s %12s %6s  %8s %8s\n",
		o->rounds, o->ms, "", "", "compared", "tenon", "ratio", "range", "limit", "CPU",
		"tenon's");
	(void)fflush(stdout);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), by_size);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

int devices_row(struct devices_options *o, const struct devices_row *row)
{
	double rate[2][DEVICES_MOST_ROUNDS] = { 0 }, cpu[2][DEVICES_MOST_ROUNDS] = { 0 };
	double ratio[DEVICES_MOST_ROUNDS] = { 0 }, middle;

	for (unsigned i = 0; i < o->rounds; i++) {
		for (unsigned turn = 0; turn < 2; turn++) {
			unsigned own = (turn + i) % 2;
			struct devices_result r = { 0 };
			int ret = (own ? row->device : row->plain)(row->load, o->ms, &r);

			if (ret < 0)
				return ret;
			rate[own][i] = r.per_second;
			cpu[own][i] = r.cpu_us;
		}
		ratio[i] = 100 * rate[1][i] / rate[0][i];
	}
	middle = median(ratio, o->rounds);
	(void)printf("%-5s %-40s %10.0f %10.0f  %4.0f %% %5.0f..%-5.0f %4u %%  %8.2f %8.2f%s\n",
		row->part, row->name, median(rate[0], o->rounds), median(rate[1], o->rounds),
		middle, ratio[0], ratio[o->rounds - 1], row->limit, median(cpu[0], o->rounds),
		median(cpu[1], o->rounds), middle < row->limit ? "  below" : "");
	(void)fflush(stdout);
	o->n_rows++;
	o->n_below += middle < row->limit;
	return 0;
}

void devices_skip(const char *part, const char *name, const char *why)
{
	(void)printf("%-5s %-40s skipped: %s\n", part, name, why);
	(void)fflush(stdout);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long it takes from the start of the process to the guest's first instruction, and what stays
 * in memory then: `tenon run` beside a bare KVM program that builds the same machine and starts the
 * same guest.
 *
 *   startup [--runs N] [--memory MIB] [--cpus N] [--raw] [--check [--slack FACTOR]]
 *
 * The wall clock of a VM's creation depends on the host more than on anything here, so the programs
 * take turns, in both directions, and only the difference within a round counts.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "process.h"
#include "report.h"

#define SKIPPED      77
#define TRAPPED      99
#define WARM_UP      2
#define MAIN_DEVICES 6
#define LOOKS        3
#define GUEST_MEMFD  "tenon-guest"
#define BARE_MEMFD   "ram"

struct options {
	unsigned runs, memory_mib, cpus;
	bool raw, check;
	double slack;
};

static struct variant variants[] = {
	{ .n_devices = 0 },
	{ .n_devices = 1 },
	{ .n_devices = 4 },
	{ .n_devices = MAIN_DEVICES },
	{ .n_devices = 20 },
};

#define N_VARIANTS (sizeof(variants) / sizeof(variants[0]))

static struct result result;

static int failed(const char *what, const struct process *p)
{
	(void)fprintf(
		stderr, "startup: %s ended with status %d and said:\n%s", what, p->status, p->text);
	return p->status == SKIPPED ? -ENODEV : -EIO;
}

/* ---- time ---- */

static int run_bare(struct record *record)
{
	const struct setup *s = &result.setup;
	char memory[16], cpus[16], stamp[64];
	const char *argv[] = { s->bare, "--pvh", "--memory", memory, "--cpus", cpus, s->first_guest,
		NULL };
	static struct process p;
	int ret;

	(void)snprintf(memory, sizeof(memory), "%u", s->memory_mib);
	(void)snprintf(cpus, sizeof(cpus), "%u", s->cpus);
	(void)snprintf(stamp, sizeof(stamp), "%llu 0", (unsigned long long)process_clock_ns());
	ret = process_start(&p, argv, "BARE_KVM_STAMP", stamp);
	if (ret < 0)
		return ret;
	process_end(&p, 0);
	return p.status == 0 && record_bare(record, &p) ? 0 : failed("bare_kvm", &p);
}

static int run_tenon(const struct variant *v, struct record *record)
{
	const char *argv[] = { result.setup.tenon, "run", "--timing", v->config, NULL };
	static struct process p;
	int ret = process_start(&p, argv, NULL, NULL);

	if (ret < 0)
		return ret;
	process_end(&p, 0);
	return p.status == 0 && record_tenon(record, &p) ? 0 : failed("tenon", &p);
}

/* Place 0 is the bare program's. */
static int run_place(size_t place, bool keep)
{
	static struct record dropped;

	if (!keep)
		dropped.n = 0;
	if (place == 0)
		return run_bare(keep ? &result.bare : &dropped);
	return run_tenon(&variants[place - 1], keep ? &variants[place - 1].record : &dropped);
}

static int measure_time(unsigned runs)
{
	int ret = 0;

	for (size_t i = 0; i < N_VARIANTS && ret == 0; i++)
		ret = setup_config(&result.setup, result.setup.first_guest, variants[i].n_devices,
			variants[i].config);
	for (unsigned round = 0; round < WARM_UP + runs && ret == 0; round++)
		for (size_t i = 0; i <= N_VARIANTS && ret == 0; i++)
			ret = run_place(round % 2 ? N_VARIANTS - i : i, round >= WARM_UP);
	return ret;
}

/* ---- memory ---- */

/* Looks at the memory of a machine that stands; of several looks the largest counts. */
static int look(const char *const argv[], const char *word, const char *memfd, int end_signal,
	struct smaps *smaps)
{
	static struct process p;
	static struct smaps now;
	int ret = process_start(&p, argv, NULL, NULL);

	if (ret < 0)
		return ret;
	ret = process_wait_word(&p, word);
	if (ret == 0)
		ret = smaps_read(p.pid, memfd, &now);
	process_end(&p, end_signal);
	if (ret < 0 || p.status != 0)
		return failed(argv[0], &p);
	if (!now.guest_kib) {
		(void)fprintf(stderr, "startup: %s has no memory called %s\n", argv[0], memfd);
		return -EIO;
	}
	if (now.rss_kib > smaps->rss_kib)
		*smaps = now;
	return 0;
}

static int measure_memory(void)
{
	const struct setup *s = &result.setup;
	char memory[16], cpus[16], path[PATH_MAX];
	const char *bare[] = { s->bare, "--hold", "--pvh", "--port", "0x3f8", "--memory", memory,
		"--cpus", cpus, s->wait_guest, NULL };
	const char *tenon[] = { s->tenon, "run", path, NULL };
	int ret = 0;

	(void)snprintf(memory, sizeof(memory), "%u", s->memory_mib);
	(void)snprintf(cpus, sizeof(cpus), "%u", s->cpus);
	for (int n = 0; n < LOOKS && ret == 0; n++)
		ret = look(bare, "first_instruction_cpu_us", BARE_MEMFD, 0, &result.bare_smaps);
	for (size_t i = 0; i < N_VARIANTS && ret == 0; i++) {
		if (variants[i].n_devices == 0)
			continue;
		ret = setup_config(s, s->wait_guest, variants[i].n_devices, path);
		for (int n = 0; n < LOOKS && ret == 0; n++)
			ret = look(tenon, "R", GUEST_MEMFD, SIGTERM, &variants[i].smaps);
	}
	return ret;
}

/* ---- the list of plugins ---- */

static int run_list(const struct setup *s, const char *name, struct process *p)
{
	const char *argv[] = { s->tenon, "plugins", name, NULL };
	int ret = process_start(p, argv, "TENON_PLUGIN_PATH", s->listed);

	if (ret == 0)
		process_end(p, 0);
	return ret;
}

static unsigned count(const char *text, const char *word)
{
	unsigned n = 0;

	while ((text = strstr(text, word))) {
		text += strlen(word);
		n++;
	}
	return n;
}

static int measure_list(unsigned runs)
{
	const struct setup *s = &result.setup;
	static struct process p;
	int ret = run_list(s, s->trap, &p);

	/* Only a trap that works shows that nothing was run. */
	if (ret < 0 || p.status != TRAPPED)
		return failed("loading the trap", &p);
	for (unsigned i = 0; i < runs && ret == 0; i++) {
		ret = run_list(s, NULL, &p);
		if (ret == 0 && (p.status != 0 || count(p.text, "/trap-") != SETUP_LISTED))
			ret = failed("listing the plugins", &p);
		if (ret == 0)
			record_process(&result.list, &p);
	}
	return ret;
}

/* ---- the whole ---- */

static bool parse(int argc, char **argv, struct options *o)
{
	static const struct option table[] = {
		{ "runs", required_argument, NULL, 'r' },
		{ "memory", required_argument, NULL, 'm' },
		{ "cpus", required_argument, NULL, 'c' },
		{ "slack", required_argument, NULL, 's' },
		{ "raw", no_argument, NULL, 'w' },
		{ "check", no_argument, NULL, 'k' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*o = (struct options){ .runs = 31, .memory_mib = 512, .cpus = 1, .slack = 1 };
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 'r')
			o->runs = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'm')
			o->memory_mib = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'c')
			o->cpus = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 's')
			o->slack = strtod(optarg, NULL);
		else if (c == 'w')
			o->raw = true;
		else if (c == 'k')
			o->check = true;
		else
			return false;
	}
	return optind == argc && o->runs >= 1 && o->runs <= RECORD_RUNS && o->memory_mib >= 16 &&
	       o->cpus >= 1 && o->slack >= 1;
}

static int measure(const struct options *o)
{
	int ret = setup_create(&result.setup, TENON_BUILD, o->memory_mib, o->cpus);

	if (ret == 0)
		ret = measure_time(o->runs);
	if (ret == 0)
		ret = measure_memory();
	if (ret == 0)
		ret = measure_list(o->runs);
	setup_destroy(&result.setup);
	return ret;
}

int main(int argc, char **argv)
{
	struct options o;
	int ret;

	if (!parse(argc, argv, &o)) {
		(void)fputs("usage: startup [--runs N] [--memory MIB] [--cpus N] [--raw] "
			    "[--check [--slack FACTOR]]\n",
			stderr);
		return 2;
	}
	result.runs = o.runs;
	result.variants = variants;
	result.n_variants = N_VARIANTS;
	for (size_t i = 0; i < N_VARIANTS; i++)
		if (variants[i].n_devices == MAIN_DEVICES)
			result.main = &variants[i];
	ret = measure(&o);
	if (ret < 0)
		return ret == -ENODEV ? SKIPPED : 1;
	if (o.raw)
		report_raw(&result);
	else
		report_people(&result);
	return !o.check || report_check(&result, o.slack) ? 0 : 1;
}

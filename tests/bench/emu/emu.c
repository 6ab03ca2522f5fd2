/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emu [--rounds N] [--scale PERCENT] [ROW]: the emulator beside qemu-system-riscv64, whose TCG
 * translates to host code: both boot the same stock kernel and initial RAM disk to power-off, with
 * one hart and with two, and run the same loops in it.  With ROW only the rows whose names have
 * that in them; --scale makes the loops shorter or longer.
 *
 * Measured by turns in one run.  What counts is the CPU time of the process, of all its threads,
 * and the least of the rounds: a busy machine disturbs that less than it does the time on the wall.
 * Loops are measured from outside too, from the line that they print when they begin to the one
 * when they end.  Ends with 77 where there is no QEMU, with 1 when the bars are missed: a boot in
 * four times QEMU's time, and with two harts no slower than with one.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/emu/machine.h"

#define BAR       4.0
#define TOLERANCE 1.05 /* between one hart and two */
#define BUSY      1.4  /* times its CPU time: who took longer on the wall had to wait for others */
#define QEMU      "qemu-system-riscv64"

struct row {
	const char *name, *loop;
	unsigned int harts;
	unsigned long rounds;
};

/* About a second of the emulator's time each. */
static const struct row rows[] = {
	{ "boot to power-off, 1 hart", NULL, 1, 0 },
	{ "boot to power-off, 2 harts", NULL, 2, 0 },
	{ "integers", "integers", 1, 2000 },
	{ "copying", "copying", 1, 1200 },
	{ "random walk", "walk", 1, 120 },
	{ "floating point", "floats", 1, 100 },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

struct options {
	unsigned int rounds, scale;
	const char *only;
};

struct figures {
	struct machine_times emu, qemu; /* the least of each */
	bool measured;
};

static void keep_least(struct machine_times *least, const struct machine_times *now, bool first)
{
	if (first || now->cpu_s < least->cpu_s)
		least->cpu_s = now->cpu_s;
	if (first || now->wall_s < least->wall_s)
		least->wall_s = now->wall_s;
	least->checksum = now->checksum;
}

static int measure(const struct row *row, const struct machine_guest *guest, unsigned int scale,
	bool first, struct figures *f)
{
	struct machine_load load = { row->harts, row->loop, row->rounds * scale / 100 };
	struct machine_times emu = { 0 }, qemu = { 0 };

	if (machine_run_tenon(guest, &load, &emu) < 0 || machine_run_qemu(guest, &load, &qemu) < 0)
		return -1;
	if (emu.checksum != qemu.checksum) {
		(void)fprintf(stderr, "emu: %s: the checksum is %016llx, and %016llx with QEMU\n",
			row->name, (unsigned long long)emu.checksum,
			(unsigned long long)qemu.checksum);
		return -1;
	}
	keep_least(&f->emu, &emu, first);
	keep_least(&f->qemu, &qemu, first);
	f->measured = true;
	return 0;
}

static int measure_all(
	const struct options *o, const struct machine_guest *guest, struct figures *figures)
{
	for (unsigned int round = 0; round < o->rounds; round++)
		for (size_t i = 0; i < ROWS; i++) {
			if (o->only && !strstr(rows[i].name, o->only))
				continue;
			if (measure(&rows[i], guest, o->scale, round == 0, &figures[i]) < 0)
				return -1;
		}
	return 0;
}

/* Two harts against one, by the wall's clock: which says something on a machine that is free. */
static bool judge_harts(
	const struct machine_times *one, const struct machine_times *two, bool measured)
{
	if (!measured)
		return true;
	if (one->wall_s > one->cpu_s * BUSY) {
		(void)printf("not judged: two harts against one, because this machine is busy\n");
		return true;
	}
	if (two->wall_s <= one->wall_s * TOLERANCE)
		return true;
	(void)printf("MISSED: two harts boot in %.2f s, one in %.2f s\n", two->wall_s, one->wall_s);
	return false;
}

/* Whether the bars are cleared, of what was measured. */
static bool judge(const struct figures *figures)
{
	bool good = true;

	for (size_t i = 0; i < 2; i++) {
		double ratio = figures[i].emu.cpu_s / figures[i].qemu.cpu_s;

		if (!figures[i].measured || ratio <= BAR)
			continue;
		(void)printf("MISSED: %s takes %.2f times QEMU's time, wanted %.0f\n", rows[i].name,
			ratio, BAR);
		good = false;
	}
	return judge_harts(&figures[0].emu, &figures[1].emu,
		       figures[0].measured && figures[1].measured) &&
	       good;
}

static void print(const struct figures *figures)
{
	(void)printf(
		"%-28s %18s %18s %7s %7s\n", "", "emu: CPU, wall", "TCG: CPU, wall", "CPU", "wall");
	for (size_t i = 0; i < ROWS; i++) {
		const struct figures *f = &figures[i];

		if (f->measured)
			(void)printf("%-28s %7.2f s %7.2f s %7.2f s %7.2f s %6.2fx %6.2fx\n",
				rows[i].name, f->emu.cpu_s, f->emu.wall_s, f->qemu.cpu_s,
				f->qemu.wall_s, f->emu.cpu_s / f->qemu.cpu_s,
				f->emu.wall_s / f->qemu.wall_s);
	}
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option options[] = { { "rounds", required_argument, NULL, 'r' },
		{ "scale", required_argument, NULL, 's' }, { NULL, 0, NULL, 0 } };
	int c;

	*o = (struct options){ .rounds = 3, .scale = 100 };
	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (c == 'r')
			o->rounds = (unsigned int)strtoul(optarg, NULL, 10);
		else if (c == 's')
			o->scale = (unsigned int)strtoul(optarg, NULL, 10);
		else
			return -1;
	}
	if (optind < argc)
		o->only = argv[optind++];
	return o->rounds > 0 && o->scale > 0 && optind == argc ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct figures figures[ROWS] = { 0 };
	struct machine_guest guest;
	struct options o;
	int status = 1;

	if (parse(argc, argv, &o) < 0) {
		(void)fprintf(stderr, "usage: emu [--rounds N] [--scale PERCENT] [ROW]\n");
		return 2;
	}
	if (!machine_has(QEMU)) {
		(void)fprintf(stderr,
			"'%s' is not installed; install it with: "
			"apt-get install qemu-system-misc\n",
			QEMU);
		return 77;
	}
	if (machine_guest_make(&guest) < 0)
		return 1;
	if (measure_all(&o, &guest, figures) == 0) {
		print(figures);
		status = judge(figures) ? 0 : 1;
	}
	machine_guest_remove(&guest);
	return status;
}

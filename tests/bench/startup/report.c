/* SPDX-License-Identifier: Apache-2.0 */
/* Tables and lines. */
#include "report.h"

#include <stdio.h>
#include <string.h>

#define START_UP "start-up"
#define PROCESS  "process"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Plugins, the hypervisor's not counted. */
static unsigned modules_of(const struct variant *v)
{
	unsigned n = 0;

	for (size_t i = 0; i < v->record.n; i++)
		n += v->record.series[i].kind == 'a' &&
		     strcmp(v->record.series[i].name, "kvm.so") != 0;
	return n;
}

static struct stats cpu_above(const struct result *r, const struct variant *v, const char *name)
{
	return record_cpu_above(record_find(&v->record, name), record_find(&r->bare, name));
}

static struct stats wall_above(const struct result *r, const struct variant *v, const char *name)
{
	return record_wall_above(record_find(&v->record, name), record_find(&r->bare, name));
}

/* ---- the figures ---- */

struct figure {
	const char *what, *unit;
	double found, most;
};

#define FIGURES 4

static void figures(const struct result *r, double slack, struct figure f[FIGURES])
{
	f[0] = (struct figure){ "CPU time above the bare program's, to the first exit", "ms",
		cpu_above(r, r->main, START_UP).median / 1e3, CPU_MOST_US * slack / 1e3 };
	f[1] = (struct figure){ "CPU time above the bare program's, of the whole process", "ms",
		cpu_above(r, r->main, PROCESS).median / 1e3, CPU_MOST_US * slack / 1e3 };
	f[2] = (struct figure){ "resident above guest memory", "MiB",
		(double)r->main->smaps.rss_kib / 1024, (double)RESIDENT_MOST_KIB / 1024 };
	f[3] = (struct figure){ "listing the plugins", "ms",
		record_wall(record_find(&r->list, PROCESS)).median / 1e3,
		LIST_MOST_US * slack / 1e3 };
}

static void print_figures(const struct result *r)
{
	struct figure f[FIGURES];

	figures(r, 1, f);
	(void)puts("\nFigures");
	for (size_t i = 0; i < FIGURES; i++)
		(void)printf("  %-56s %6.2f %-3s at most %g: %s\n", f[i].what, f[i].found,
			f[i].unit, f[i].most, f[i].found <= f[i].most ? "met" : "MISSED");
}

bool report_check(const struct result *r, double slack)
{
	struct figure f[FIGURES];
	bool good = true;

	figures(r, slack, f);
	for (size_t i = 0; i < FIGURES; i++) {
		if (f[i].found <= f[i].most)
			continue;
		(void)fprintf(stderr, "startup: %s: %.2f %s, wanted at most %g\n", f[i].what,
			f[i].found, f[i].unit, f[i].most);
		good = false;
	}
	return good;
}

/* ---- for people ---- */

static void print_row(const char *who, const struct record *r, const char *name)
{
	const struct record_series *s = record_find(r, name);
	struct stats wall = record_wall(s), cpu = record_cpu(s);

	(void)printf("  %-22s %7.2f  %6.2f .. %-6.2f  %7.2f  %6.2f .. %-6.2f\n", who,
		wall.median / 1e3, wall.q1 / 1e3, wall.q3 / 1e3, cpu.median / 1e3, cpu.q1 / 1e3,
		cpu.q3 / 1e3);
}

static void print_total(const struct result *r, const char *name, const char *title)
{
	struct stats wall = wall_above(r, r->main, name), cpu = cpu_above(r, r->main, name);

	(void)printf("\n%s (ms)\n  %-22s %7s  %-16s  %7s  %s\n", title, "", "wall", "quartiles",
		"CPU", "quartiles");
	print_row("bare KVM program", &r->bare, name);
	print_row("tenon, six plugins", &r->main->record, name);
	(void)printf("  %-22s %7.2f  %6.2f .. %-6.2f  %7.2f  %6.2f .. %-6.2f\n"
		     "  %-22s          %6.2f .. %-6.2f           %6.2f .. %-6.2f\n",
		"difference, run by run", wall.median / 1e3, wall.q1 / 1e3, wall.q3 / 1e3,
		cpu.median / 1e3, cpu.q1 / 1e3, cpu.q3 / 1e3, "  its median, 95 % sure",
		wall.low / 1e3, wall.high / 1e3, cpu.low / 1e3, cpu.high / 1e3);
}

static void print_phases(const struct result *r)
{
	(void)printf("\nPhases, medians (us)\n  %-18s %9s %9s   %9s %9s\n", "", "tenon wall", "CPU",
		"bare wall", "CPU");
	for (size_t i = 0; i < r->main->record.n; i++) {
		const struct record_series *s = &r->main->record.series[i], *b;

		if (s->kind == 'a')
			(void)printf("    %-16s %9.0f\n", s->name, record_wall(s).median);
		if (s->kind != 'p')
			continue;
		(void)printf("  %-18s %9.0f %9.0f", s->name, record_wall(s).median,
			record_cpu(s).median);
		b = record_find(&r->bare, s->name);
		if (b)
			(void)printf("   %9.0f %9.0f", record_wall(b).median, record_cpu(b).median);
		(void)putchar('\n');
	}
	(void)puts("  (KVM is given the memory in \"vm\" by tenon, in \"memory\" by the bare "
		   "program)");
}

static void print_variants(const struct result *r)
{
	(void)printf("\nBy the number of devices (medians; ms and KiB)\n"
		     "  %7s %7s  %9s %9s  %-26s %9s\n",
		"devices", "modules", "wall", "CPU", "CPU above bare, 95 %", "resident");
	for (unsigned i = 0; i < r->n_variants; i++) {
		const struct variant *v = &r->variants[i];
		const struct record_series *s = record_find(&v->record, START_UP);
		struct stats cpu = cpu_above(r, v, START_UP);

		(void)printf("  %7u %7u  %9.2f %9.2f  %6.2f (%5.2f .. %5.2f)", v->n_devices,
			modules_of(v), record_wall(s).median / 1e3, record_cpu(s).median / 1e3,
			cpu.median / 1e3, cpu.low / 1e3, cpu.high / 1e3);
		if (v->smaps.rss_kib)
			(void)printf("     %9lu", v->smaps.rss_kib);
		(void)putchar('\n');
	}
	(void)puts("  (a machine that names no power device is given one)");
}

static void print_memory(const struct result *r)
{
	const struct smaps *s = &r->main->smaps;

	(void)printf("\nResident above guest memory, six plugins (KiB)\n"
		     "  tenon %lu, of it private and dirty %lu, its share %lu; bare program %lu\n"
		     "  %-28s %9s %9s %6s\n",
		s->rss_kib, s->dirty_kib, s->pss_kib, r->bare_smaps.rss_kib, "", "resident",
		"dirty", "relocs");
	for (size_t i = 0; i < s->n; i++) {
		const struct smaps_entry *e = &s->entries[i];

		if (!e->rss_kib)
			continue;
		(void)printf("  %-28s %9lu %9lu", e->name[0] ? base_name(e->name) : "(anonymous)",
			e->rss_kib, e->dirty_kib);
		if (e->relocations)
			(void)printf(" %6lu", e->relocations);
		(void)putchar('\n');
	}
}

void report_people(const struct result *r)
{
	struct stats list = record_wall(record_find(&r->list, PROCESS));

	(void)printf("%u runs of each, taking turns; %u vCPU, %u MiB; %u of the six plugins are of "
		     "the tree, %u are copies\n",
		r->runs, r->setup.cpus, r->setup.memory_mib, r->setup.n_own, 6 - r->setup.n_own);
	print_total(r, START_UP, "From the start of the process to the guest's first exit");
	print_total(r, PROCESS, "The whole process, the end of the machine included");
	print_phases(r);
	print_variants(r);
	print_memory(r);
	(void)printf("\n`tenon plugins` with %d more modules: %.2f ms (%.2f .. %.2f)\n",
		SETUP_LISTED, list.median / 1e3, list.q1 / 1e3, list.q3 / 1e3);
	print_figures(r);
}

/* ---- for programs ---- */

static void raw_stats(const char *key, struct stats s)
{
	(void)printf(" %s_us=%.1f %s_q1_us=%.1f %s_q3_us=%.1f %s_low_us=%.1f %s_high_us=%.1f", key,
		s.median, key, s.q1, key, s.q3, key, s.low, key, s.high);
}

static void raw_record(const char *who, const struct record *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct record_series *s = &r->series[i];

		(void)printf("startup program=%s name=%s runs=%zu", who, s->name, s->n);
		raw_stats("wall", record_wall(s));
		if (s->kind != 'a')
			raw_stats("cpu", record_cpu(s));
		(void)putchar('\n');
	}
}

static void raw_smaps(const char *who, const struct smaps *s)
{
	if (!s->n)
		return;
	(void)printf("startup program=%s name=memory resident_kib=%lu dirty_kib=%lu pss_kib=%lu "
		     "guest_kib=%lu\n",
		who, s->rss_kib, s->dirty_kib, s->pss_kib, s->guest_kib);
	for (size_t i = 0; i < s->n; i++)
		(void)printf("startup program=%s name=mapping of=%s resident_kib=%lu dirty_kib=%lu "
			     "relocations=%lu\n",
			who, s->entries[i].name[0] ? s->entries[i].name : "anonymous",
			s->entries[i].rss_kib, s->entries[i].dirty_kib, s->entries[i].relocations);
}

void report_raw(const struct result *r)
{
	raw_record("bare", &r->bare);
	raw_smaps("bare", &r->bare_smaps);
	for (unsigned i = 0; i < r->n_variants; i++) {
		const struct variant *v = &r->variants[i];
		char who[32];

		(void)snprintf(who, sizeof(who), "tenon-%u", v->n_devices);
		raw_record(who, &v->record);
		raw_smaps(who, &v->smaps);
		(void)printf("startup program=%s name=above-bare modules=%u", who, modules_of(v));
		raw_stats("wall", wall_above(r, v, START_UP));
		raw_stats("cpu", cpu_above(r, v, START_UP));
		raw_stats("process_cpu", cpu_above(r, v, PROCESS));
		(void)putchar('\n');
	}
	raw_record("list", &r->list);
}

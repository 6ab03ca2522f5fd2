/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading what bare_kvm and `tenon run --timing` print.  Two totals are added to both: "start-up",
 * from the moment before the process was made to the guest's first exit, and "process", the whole
 * of it as wait4() saw it.
 */
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_UP "start-up"

static void add(struct record *r, const char *name, char kind, double wall, double cpu)
{
	struct record_series *s = NULL;

	for (size_t i = 0; i < r->n && !s; i++)
		if (strcmp(r->series[i].name, name) == 0)
			s = &r->series[i];
	if (!s) {
		if (r->n == RECORD_NAMES)
			return;
		s = &r->series[r->n++];
		(void)snprintf(s->name, sizeof(s->name), "%s", name);
		s->kind = kind;
	}
	if (s->n == RECORD_RUNS)
		return;
	s->wall[s->n] = wall;
	s->cpu[s->n++] = cpu;
}

void record_process(struct record *r, const struct process *p)
{
	add(r, "process", 't', (double)p->wall_ns / 1e3, (double)p->cpu_ns / 1e3);
}

/* The number behind @key in the text up to @end. */
static bool number(const char *text, const char *end, const char *key, double *ret_value)
{
	size_t n = strlen(key);

	for (const char *at = text; (at = strstr(at, key)) && at + n < end; at += n) {
		if (at[n] == '=' && (at == text || at[-1] == ' ' || at[-1] == '\n')) {
			*ret_value = strtod(at + n + 1, NULL);
			return true;
		}
	}
	return false;
}

/* ---- bare_kvm: NAME_wall_us=..., NAME_cpu_us=... ---- */

bool record_bare(struct record *r, const struct process *p)
{
	static const char *const names[][2] = {
		{ "exec_main", "exec" },
		{ "vm", "vm" },
		{ "memory", "memory" },
		{ "vcpus", "vcpus" },
		{ "first_instruction", "run" },
		{ "teardown", "shutdown" },
		{ "start_up", START_UP },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char wall_key[40], cpu_key[40];
		double wall, cpu;

		(void)snprintf(wall_key, sizeof(wall_key), "%s_wall_us", names[i][0]);
		(void)snprintf(cpu_key, sizeof(cpu_key), "%s_cpu_us", names[i][0]);
		if (!number(p->text, p->text + p->n, wall_key, &wall) ||
			!number(p->text, p->text + p->n, cpu_key, &cpu))
			return false;
		add(r, names[i][1], strcmp(names[i][1], START_UP) == 0 ? 't' : 'p', wall, cpu);
	}
	record_process(r, p);
	return true;
}

/* ---- tenon: a line each ---- */

struct marks {
	double exec_us, run_us, run_cpu_us;
	bool exec, run, exit;
};

static void take_mark(struct record *r, struct marks *m, const char *name, double at, double cpu)
{
	if (strcmp(name, "first-instruction") == 0) {
		m->run_us = at;
		m->run_cpu_us = cpu;
		m->run = true;
	} else if (strcmp(name, "first-exit") == 0 && m->run && m->exec) {
		add(r, "run", 'p', at - m->run_us, cpu - m->run_cpu_us);
		add(r, START_UP, 't', m->exec_us + at, cpu);
		m->exit = true;
	}
}

static void take_line(struct record *r, struct marks *m, const struct process *p, const char *line,
	const char *end)
{
	char name[40], kind[8] = "";
	double at = 0, cpu = 0, took = 0, took_cpu = 0;

	if (sscanf(line, "timing: name=%39s kind=%7s", name, kind) < 1)
		return;
	(void)number(line, end, "at_us", &at);
	(void)number(line, end, "cpu_us", &cpu);
	(void)number(line, end, "took_us", &took);
	(void)number(line, end, "took_cpu_us", &took_cpu);
	if (strcmp(name, "exec") == 0 && number(line, end, "monotonic_us", &at)) {
		m->exec_us = at - (double)p->start_ns / 1e3;
		m->exec = true;
		add(r, name, 'p', m->exec_us, cpu);
	} else if (strcmp(kind, "phase") == 0) {
		add(r, name, 'p', took, took_cpu);
	} else if (strcmp(kind, "part") == 0) {
		add(r, name, 'a', took, 0);
	} else if (strcmp(kind, "mark") == 0) {
		take_mark(r, m, name, at, cpu);
	}
}

bool record_tenon(struct record *r, const struct process *p)
{
	struct marks m = { 0 };

	for (const char *line = p->text; *line;) {
		const char *end = strchr(line, '\n');

		end = end ? end : line + strlen(line);
		take_line(r, &m, p, line, end);
		line = *end ? end + 1 : end;
	}
	record_process(r, p);
	return m.exit;
}

/* ---- asking ---- */

const struct record_series *record_find(const struct record *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->series[i].name, name) == 0)
			return &r->series[i];
	return NULL;
}

static struct stats above(const double *a, const double *b, size_t n)
{
	double values[RECORD_RUNS];

	for (size_t i = 0; i < n; i++)
		values[i] = a[i] - (b ? b[i] : 0);
	return stats_of(values, n);
}

struct stats record_wall(const struct record_series *s)
{
	return above(s->wall, NULL, s->n);
}

struct stats record_cpu(const struct record_series *s)
{
	return above(s->cpu, NULL, s->n);
}

struct stats record_cpu_above(const struct record_series *a, const struct record_series *b)
{
	return above(a->cpu, b->cpu, a->n < b->n ? a->n : b->n);
}

struct stats record_wall_above(const struct record_series *a, const struct record_series *b)
{
	return above(a->wall, b->wall, a->n < b->n ? a->n : b->n);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The report, for people and for programs. */
#include <string.h>

#include "sdk/check/check.h"

static const char *const verdicts[] = { "passed", "failed", "skipped" };

void report_json_text(const char *text)
{
	(void)putchar('"');
	for (const char *p = text ? text : ""; *p; p++) {
		if (*p == '"' || *p == '\\')
			(void)printf("\\%c", *p);
		else if ((unsigned char)*p < 0x20)
			(void)printf("\\u%04x", (unsigned char)*p);
		else
			(void)putchar(*p);
	}
	(void)putchar('"');
}

static void field(const char *name, const char *text, const char *after)
{
	(void)printf("\"%s\": ", name);
	report_json_text(text);
	(void)fputs(after, stdout);
}

/* Calls @each for every line of details; changes them. */
static void each_detail(char *details, void (*each)(unsigned n, const char *const part[3]))
{
	char *line_end, *line = details;

	for (unsigned n = 0; (line_end = strchr(line, '\n')); line = line_end + 1, n++) {
		const char *part[3] = { line, "", "" };

		*line_end = '\0';
		for (unsigned i = 1; i < 3; i++) {
			char *tab = strchr(line, '\t');

			if (!tab)
				break;
			*tab = '\0';
			part[i] = line = tab + 1;
		}
		each(n, part);
	}
}

static void detail_json(unsigned n, const char *const part[3])
{
	(void)printf("%s\n      { ", n ? "," : "");
	field("name", part[0], ", ");
	field("verdict", part[1], ", ");
	field("text", part[2], " }");
}

static void detail_text(unsigned n, const char *const part[3])
{
	(void)n;
	(void)printf("          %-8s %s%s%s\n", part[1], part[0], part[2][0] ? ": " : "", part[2]);
}

static void result_json(const struct result *r, bool first)
{
	char details[MAX_DETAILS];

	(void)printf("%s\n    { ", first ? "" : ",");
	field("check", r->check, ", ");
	field("class", r->subject, ", ");
	field("verdict", verdicts[r->verdict], ", ");
	field("text", r->text, "");
	if (r->details[0]) {
		memcpy(details, r->details, sizeof(details));
		(void)printf(", \"tests\": [");
		each_detail(details, detail_json);
		(void)printf(" ]");
	}
	(void)printf(" }");
}

static void result_text(const struct options *options, const struct result *r)
{
	static const char *const words[] = { "ok", "FAILED", "skipped" };
	char details[MAX_DETAILS];

	(void)printf("%-8s %-12s %s%s%s\n", words[r->verdict], r->check, r->subject,
		r->subject[0] ? ": " : "", r->text);
	if (!options->verbose)
		return;
	memcpy(details, r->details, sizeof(details));
	each_detail(details, detail_text);
}

void report_begin(const struct options *options, const struct survey *survey)
{
	if (options->json) {
		(void)printf("{\n  ");
		field("file", options->path, ",\n  \"made_settings\": {");
		for (unsigned i = 0; i < survey->n; i++) {
			(void)printf("%s ", i ? "," : "");
			field(survey->classes[i].type, survey->classes[i].made, "");
		}
		(void)printf(" },\n  \"checks\": [");
		return;
	}
	for (unsigned i = 0; i < survey->n; i++) {
		if (survey->classes[i].unmade[0])
			(void)printf("note: %s: no value could be made up for %s; give --set\n",
				survey->classes[i].type, survey->classes[i].unmade);
		if (survey->classes[i].made[0])
			(void)printf("note: %s: made up for what is required: %s\n",
				survey->classes[i].type, survey->classes[i].made);
	}
}

void report_result(const struct options *options, const struct result *r, bool first)
{
	if (options->json)
		result_json(r, first);
	else
		result_text(options, r);
	(void)fflush(stdout);
}

void report_end(const struct options *options, unsigned passed, unsigned failed, unsigned skipped)
{
	if (options->json)
		(void)printf("\n  ],\n  \"passed\": %u, \"failed\": %u, \"skipped\": %u\n}\n",
			passed, failed, skipped);
	else
		(void)printf("%s: %u passed, %u failed, %u skipped\n", options->path, passed,
			failed, skipped);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon-plugin-check: what its files share.
 *
 * No code of a plugin runs in the tool's own process.  Each check is run by a child under a time
 * limit: what it fails with is a sentence, what it crashes or hangs with is made one.
 */
#ifndef TENON_CHECK_CHECK_H
#define TENON_CHECK_CHECK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <tenon/plugin.h>
#include <tenon/testkit.h>

#define MAX_CLASSES  16u
#define MAX_SETS     64u
#define MAX_SETTINGS 2048u
#define MAX_TYPE     64u
#define MAX_TEXT     1024u
#define MAX_DETAILS  32768u

enum verdict { VERDICT_PASSED, VERDICT_FAILED, VERDICT_SKIPPED };

struct options {
	const char *path;           /* as given */
	char full_path[PATH_MAX];   /* absolute */
	const char *sets[MAX_SETS]; /* TYPE.KEY=VALUE */
	unsigned n_sets;
	const char *only; /* names, separated by commas; NULL = all */
	unsigned timeout; /* seconds that a check may take */
	unsigned patience_ms;
	bool json, dump, verbose;
	char folder[256]; /* for temporary files; exists */
};

/* A class as the survey found it. */
struct surveyed {
	char type[MAX_TYPE];
	char settings[MAX_SETTINGS]; /* as in a configuration file */
	char made[MAX_TEXT];         /* which of them were made up, for people; "" = none */
	char unmade[MAX_TEXT];       /* required ones that could not be; "" = none */
};

struct survey {
	char failure[MAX_TEXT]; /* "" = the plugin could be loaded */
	unsigned n;
	struct surveyed classes[MAX_CLASSES];
};

struct subject {
	const struct options *options;
	const struct surveyed *cls; /* NULL for checks of the whole file */
};

struct result {
	const char *check;
	char subject[MAX_TYPE]; /* "" = the whole file */
	enum verdict verdict;
	char text[MAX_TEXT];
	char details[MAX_DETAILS]; /* lines "name\tverdict\tsentence"; for the conformance suite */
};

/*
 * One check.  @run fails it with CHECK_FAIL() or the test kit's TK_EQ() and its like, or returns
 * after check_passed() or check_skipped().  It is not tried unless the checks of @needs (their
 * names, separated by blanks) passed; those of a class are looked up for the same class.
 */
struct check {
	const char *name;
	const char *needs;
	bool per_class;
	const char *what;
	void (*run)(const struct subject *s);
};

extern const struct check checks[]; /* ends with a NULL name */

/* ---- in a check ---- */

/* Fails it: the sentence alone, without a place in the tool. */
#define CHECK_FAIL(...) tk_fail_at(NULL, 0, __VA_ARGS__)

__attribute__((format(printf, 1, 2))) void check_passed(const char *format, ...);
__attribute__((format(printf, 1, 2))) void check_skipped(const char *format, ...);
/* One line of details. */
void check_detail(const char *name, const char *verdict, const char *sentence);
/* The plugin's description, loaded without its init.  Fails the check when that cannot be done. */
const struct tenon_plugin *check_load(const struct options *options);

/* ---- run.c ---- */

/* Runs it in a child and fills @ret_result. */
void check_run(const struct check *check, const struct subject *s, struct result *ret_result);
/* Loads the plugin in a child and says what is in it. */
void survey_run(const struct options *options, struct survey *ret_survey);
/* Prints the plugin's description from a child; false when it could not be loaded. */
bool dump_run(const struct options *options);

/* ---- settings.c ---- */

/* Fills in the settings of @cls: what was given with --set, and values for what is required. */
void settings_make(const struct options *options, const struct tenon_device_class *cls,
	struct surveyed *ret_class);
/* Whether every --set names a class and a key of the plugin; else says which does not. */
bool sets_are_fine(
	const struct options *options, const struct tenon_plugin *plugin, char *why, size_t room);

/* ---- report.c ---- */

void report_result(const struct options *options, const struct result *r, bool first);
void report_begin(const struct options *options, const struct survey *survey);
void report_end(const struct options *options, unsigned passed, unsigned failed, unsigned skipped);
void report_json_text(const char *text);
/* dump.c, in a child */
void dump_plugin(const struct options *options, const struct tenon_plugin *plugin);

/* ---- the checks: check_*.c ---- */

void check_elf(const struct subject *s);
void check_exports(const struct subject *s);
void check_imports(const struct subject *s);
void check_binding(const struct subject *s);
void check_sections(const struct subject *s);
void check_constructors(const struct subject *s);
void check_note(const struct subject *s);
void check_descriptor(const struct subject *s);
void check_classes(const struct subject *s);
void check_keys(const struct subject *s);
void check_init(const struct subject *s);
void check_services(const struct subject *s);
void check_create(const struct subject *s);
void check_attach(const struct subject *s);
void check_running(const struct subject *s);
void check_leaks(const struct subject *s);
void check_faults(const struct subject *s);
void check_lifecycle(const struct subject *s);
void check_state(const struct subject *s);
void check_conformance(const struct subject *s);
void check_hostile(const struct subject *s);

#endif

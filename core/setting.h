/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration as it was written: a tree of named values, each of which knows where it stands.
 * Nothing is interpreted yet; config.c and settings.c do that.
 */
#ifndef TENON_CORE_SETTING_H
#define TENON_CORE_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct arena;

/* Where something was written.  line 0: `file` says it all ("--set vm.memory=1G"). */
struct place {
	const char *file;
	unsigned int line;
	const char *folder; /* what relative paths start from; NULL = the current folder */
};

#define PLACE_TEXT_MAX 512

enum setting_kind {
	SETTING_BOOL,
	SETTING_INT,
	SETTING_FLOAT,
	SETTING_STRING,
	SETTING_WORD, /* from the command line, without quotes: whatever the reader wants it to be
		       */
	SETTING_LIST, /* a libconfig list or array */
	SETTING_GROUP,
};

struct setting {
	const char *name; /* NULL for an element of a list */
	struct place place;
	enum setting_kind kind;
	int64_t number;        /* BOOL, INT */
	const char *text;      /* STRING, WORD; FLOAT as written back */
	struct setting *items; /* LIST, GROUP: the first of n_items */
	size_t n_items;
	bool repeated; /* a LIST made of one key given several times on the command line */
};

/* "vm.cfg:14", or the file alone.  Returns @text. */
const char *place_text(const struct place *place, char text[PLACE_TEXT_MAX]);

/* The member of a group, or NULL. */
struct setting *setting_find(const struct setting *group, const char *name);

/* Adds a member to a group or an element to a list (@name NULL) and returns it zeroed but for name
 * and place; NULL when out of memory.  Pointers to its siblings are stale afterwards. */
struct setting *setting_add(
	struct arena *arena, struct setting *parent, const char *name, const struct place *place);

/* "a number", "the string \"12\"", ...: what was found, for errors.  Returns @text. */
#define SETTING_FOUND_MAX 96
const char *setting_found(const struct setting *setting, char text[SETTING_FOUND_MAX]);

/*
 * What of @group was written in a file, as a file of its own that says the same: with every setting
 * on the line where it was, so that an error in it names the place that a person knows.
 */
void setting_write(const struct setting *group, FILE *out);
/* What came from the command line, as arguments again: "key=value" each, with a zero. */
void setting_write_arguments(const struct setting *group, FILE *out);

/* @path as seen from @place; an absolute one stays.  NULL when out of memory. */
const char *setting_path(struct arena *arena, const struct place *place, const char *path);

#endif

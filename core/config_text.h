/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a configuration before it is parsed.
 *
 * libconfig 1.5 wraps integers past 31 bits without a word, resolves @include in its own way, and
 * reports a missing quote or brace where the file ends.  So the text is gone through once before:
 * included files are put in place, comments are blanked, numbers that would wrap and brackets that
 * do not match are refused with their line.  What comes out opens no other file.
 */
#ifndef TENON_CORE_CONFIG_TEXT_H
#define TENON_CORE_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/setting.h"

struct arena;
struct error;

struct config_text {
	char *text; /* with its zero; malloc'd */
	size_t size, capacity;
	struct place *lines; /* where line i + 1 of the text came from; malloc'd */
	size_t n_lines, lines_capacity;
};

/* Reads the file and what it includes.  Places live in the arena. */
int config_text_read(
	struct arena *arena, const char *path, struct config_text *ret_text, struct error *err);

/* The same from memory; @include is refused. */
int config_text_from_string(struct arena *arena, const char *bytes, size_t size, const char *name,
	struct config_text *ret_text, struct error *err);

/* The place of a line of the text (1 is the first); lines past the end are the last. */
const struct place *config_text_place(const struct config_text *text, unsigned int line);

void config_text_finish(struct config_text *text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From libconfig's syntax to a tree of settings.  The only place that knows libconfig.
 */
#ifndef TENON_CORE_CONFIG_FILE_H
#define TENON_CORE_CONFIG_FILE_H

#include <stddef.h>

struct arena;
struct error;
struct place;
struct setting;

/* Reads a file into a group whose place is the file as a whole.  Everything lives in @arena. */
int config_file_read(
	struct arena *arena, const char *path, struct setting *ret_root, struct error *err);

/* The same with the text in memory; @include is refused. */
int config_file_read_string(struct arena *arena, const char *text, size_t size, const char *name,
	struct setting *ret_root, struct error *err);

/*
 * A value as given on the command line or as a default: what begins with a quote or a bracket is
 * libconfig's syntax, all else a word.  Fills in kind and value of @setting, not name and place.
 */
int config_value_parse(struct arena *arena, const char *text, const struct place *place,
	struct setting *setting, struct error *err);

#endif

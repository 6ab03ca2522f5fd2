/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One value against one key: the part of settings.c that knows the types.
 */
#ifndef TENON_CORE_SETTINGS_VALUE_H
#define TENON_CORE_SETTINGS_VALUE_H

#include <stdint.h>

#include <tenon/plugin.h>

struct arena;
struct setting;

/* What the getters return. */
struct value {
	const char *text; /* as configured; a PATH resolved */
	int64_t number;   /* INT, BOOL, FD; index of an ENUM */
	uint64_t size;    /* SIZE, ADDR */
};

/*
 * Reads a single value (never a list).  -EINVAL: it is not what the key wants; -EBADF: an FD that
 * is not open; -ENOMEM.
 */
int value_read(struct arena *arena, const struct tenon_key *key, const struct setting *setting,
	struct value *ret_value);

/* "a number from 1 to 8", "\"reset\" or \"exit\"": what the key wants.  Returns @text. */
#define VALUE_WANTED_MAX 256
const char *value_wanted(const struct tenon_key *key, char text[VALUE_WANTED_MAX]);

/* Whether `values` makes sense for the type. */
int value_check_values(const struct tenon_key *key);

/* The range of an INT; missing ends are the type's. */
int value_int_range(const char *values, int64_t *ret_min, int64_t *ret_max);
/* The range of a SIZE or ADDR. */
int value_size_range(const char *values, uint64_t *ret_min, uint64_t *ret_max);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one encoding of saved state (tenon/state.h), for the core and for the test kit.
 *
 * A state is 16 bytes of header, {magic 8, format version 4, 0 4}, and then values: {tag 2, type 1,
 * 0 1, length 4} and so many bytes.  The bytes of a section are {version 4, length of its name 1,
 * name} and values.  All little-endian, nothing aligned.
 *
 * What is read is hostile.  A section is looked through as a whole when it is entered: every value
 * lies within it, no tag comes twice.  Nothing is allocated while reading.
 */
#ifndef TENON_SDK_STATE_STATE_H
#define TENON_SDK_STATE_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include <tenon/state.h>

#define STATE_HEADER   16u
#define STATE_VALUE    8u /* bytes in front of a value's own */
#define STATE_SECTION  5u /* bytes in front of a section's name */
#define STATE_FORMAT   1u
#define STATE_DEPTH    (TENON_STATE_MAX_DEPTH + 3u) /* three are the host's */
#define STATE_WHY_SIZE 240u

enum state_type {
	STATE_U8 = 1,
	STATE_U16,
	STATE_U32,
	STATE_U64,
	STATE_BYTES,
	STATE_STRING,
	STATE_SECTION_TYPE,
};

struct tenon_state_w {
	uint8_t *bytes; /* owned */
	size_t size, room;
	size_t open[STATE_DEPTH]; /* where the values begin that are not ended yet */
	unsigned depth;
	int error;
	char why[STATE_WHY_SIZE];
};

/* Part of the bytes: the values of one section. */
struct state_span {
	size_t at, end;
	char name[TENON_STATE_MAX_NAME + 1u]; /* as far as it can be printed */
};

struct tenon_state_r {
	const uint8_t *bytes; /* borrowed */
	struct state_span in[STATE_DEPTH + 1u];
	unsigned depth;
	int error;
	char why[STATE_WHY_SIZE];
};

/* Writes the header.  Errors stay, as with every later call. */
int state_write_begin(struct tenon_state_w *w);
/* -EINVAL when a section is still open.  What was written is w->bytes. */
int state_write_end(struct tenon_state_w *w);
void state_write_free(struct tenon_state_w *w);
/* Checks the header and the outermost values.  @bytes are borrowed. */
int state_read_begin(struct tenon_state_r *r, const void *bytes, size_t size);

/* Records an error of the caller's own, unless there is one; returns the first. */
int state_write_fail(struct tenon_state_w *w, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int state_read_fail(struct tenon_state_r *r, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A value as it lies there; false past the last or where it does not fit.  For tools. */
struct state_value {
	size_t at; /* of its eight bytes */
	uint16_t tag;
	uint8_t type;
	size_t payload, end; /* its bytes */
	size_t values;       /* of a section: where its values begin; else end */
};
bool state_value_at(const uint8_t *bytes, size_t at, size_t end, struct state_value *ret_value);

/* Looks at all values of a section: each must lie within it, none may have the tag of another.
 * *@ret_value is the one that does not. */
enum state_damage { STATE_FINE, STATE_CUT, STATE_TWICE };
enum state_damage state_check(
	const uint8_t *bytes, size_t at, size_t end, struct state_value *ret_value);

/* The functions of tenon/state.h. */
extern const struct tenon_state state_service;

#endif

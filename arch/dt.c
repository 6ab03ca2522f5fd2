/* SPDX-License-Identifier: Apache-2.0 */
/* Device tree blobs through libfdt's sequential writer: what does not fit is written once more into
 * a larger buffer. */
#include "arch/dt.h"

#include <errno.h>
#include <inttypes.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/bytes.h"

#define FIRST_ROOM ((size_t)16 * 1024)

/* ---- room ---- */

static int grow(struct dt *dt)
{
	size_t room = dt->room * 2;
	void *more;

	if (room > DT_MAX)
		return -E2BIG;
	more = malloc(room);
	if (!more)
		return -ENOMEM;
	if (fdt_resize(dt->blob, more, (int)room) < 0) {
		free(more);
		return -EINVAL;
	}
	free(dt->blob);
	dt->blob = more;
	dt->room = room;
	return 0;
}

/* Whether the step that answered @answer is to be made once more. */
static int again(struct dt *dt, int answer)
{
	if (answer == 0)
		return 0;
	dt->error = answer == -FDT_ERR_NOSPACE ? grow(dt) : -EINVAL;
	return dt->error == 0;
}

#define STEP(dt, call)                                                                             \
	do {                                                                                       \
		if ((dt)->error < 0)                                                               \
			return;                                                                    \
	} while (again(dt, call))

int dt_init(struct dt *dt)
{
	*dt = (struct dt){ .blob = malloc(FIRST_ROOM), .room = FIRST_ROOM };
	if (!dt->blob)
		dt->error = -ENOMEM;
	else if (fdt_create(dt->blob, (int)dt->room) < 0 || fdt_finish_reservemap(dt->blob) < 0)
		dt->error = -EINVAL;
	return dt->error;
}

void dt_finish(struct dt *dt)
{
	free(dt->blob);
	*dt = (struct dt){ .error = -EINVAL };
}

int dt_done(struct dt *dt, size_t *ret_size)
{
	int answer;

	do {
		if (dt->error < 0)
			return dt->error;
		answer = fdt_finish(dt->blob);
	} while (again(dt, answer));
	if (dt->error < 0)
		return dt->error;
	*ret_size = fdt_totalsize(dt->blob);
	return 0;
}

/* ---- nodes ---- */

void dt_begin(struct dt *dt, const char *name)
{
	STEP(dt, fdt_begin_node(dt->blob, name));
}

void dt_begin_at(struct dt *dt, const char *name, uint64_t address)
{
	char text[96];

	if ((size_t)snprintf(text, sizeof(text), "%s@%" PRIx64, name, address) >= sizeof(text))
		dt->error = dt->error < 0 ? dt->error : -EINVAL;
	dt_begin(dt, text);
}

void dt_end(struct dt *dt)
{
	STEP(dt, fdt_end_node(dt->blob));
}

/* ---- properties ---- */

void dt_bytes(struct dt *dt, const char *name, const void *bytes, size_t size)
{
	if (size > DT_MAX)
		dt->error = dt->error < 0 ? dt->error : -E2BIG;
	STEP(dt, fdt_property(dt->blob, name, bytes, (int)size));
}

void dt_empty(struct dt *dt, const char *name)
{
	dt_bytes(dt, name, "", 0);
}

static void put_be32(uint8_t *to, uint32_t value)
{
	put_le32(to, __builtin_bswap32(value));
}

void dt_cells(struct dt *dt, const char *name, const uint32_t *cells, size_t n)
{
	uint8_t *bytes = malloc(n ? n * 4 : 1);

	if (!bytes) {
		dt->error = dt->error < 0 ? dt->error : -ENOMEM;
		return;
	}
	for (size_t i = 0; i < n; i++)
		put_be32(bytes + 4 * i, cells[i]);
	dt_bytes(dt, name, bytes, n * 4);
	free(bytes);
}

void dt_u32(struct dt *dt, const char *name, uint32_t value)
{
	dt_cells(dt, name, &value, 1);
}

void dt_u64(struct dt *dt, const char *name, uint64_t value)
{
	dt_u64s(dt, name, &value, 1);
}

void dt_u64s(struct dt *dt, const char *name, const uint64_t *values, size_t n)
{
	uint8_t *bytes = malloc(n ? n * 8 : 1);

	if (!bytes) {
		dt->error = dt->error < 0 ? dt->error : -ENOMEM;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		put_be32(bytes + 8 * i, (uint32_t)(values[i] >> 32));
		put_be32(bytes + 8 * i + 4, (uint32_t)values[i]);
	}
	dt_bytes(dt, name, bytes, n * 8);
	free(bytes);
}

void dt_text(struct dt *dt, const char *name, const char *text)
{
	dt_bytes(dt, name, text, strlen(text) + 1);
}

void dt_texts(struct dt *dt, const char *name, const char *texts)
{
	char *list = strdup(texts);
	size_t n = strlen(texts) + 1;

	if (!list) {
		dt->error = dt->error < 0 ? dt->error : -ENOMEM;
		return;
	}
	for (char *at = list; (at = strchr(at, ';'));)
		*at++ = '\0';
	dt_bytes(dt, name, list, n);
	free(list);
}

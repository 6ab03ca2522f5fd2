/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes as people write them, with every overflow seen. */
#include "core/size.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <strings.h>

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Reads digits of @base from *text and moves it on. */
static int parse_digits(const char **text, unsigned int base, uint64_t *ret_value)
{
	const char *start = *text;
	uint64_t value = 0;
	bool overflow = false;

	for (;; (*text)++) {
		int digit = digit_value(**text);

		if (digit < 0 || (unsigned int)digit >= base)
			break;
		overflow |= __builtin_mul_overflow(value, base, &value);
		overflow |= __builtin_add_overflow(value, (uint64_t)digit, &value);
	}
	if (*text == start)
		return -EINVAL;

	*ret_value = value;
	return overflow ? -ERANGE : 0;
}

/* The power of two that a unit stands for; -1 if it is none. */
static int unit_shift(const char *unit)
{
	static const char letters[] = "KMGT";

	if (!*unit || strcasecmp(unit, "B") == 0)
		return 0;
	for (int i = 0; letters[i]; i++) {
		if ((unit[0] & ~0x20) != letters[i])
			continue;
		if (!unit[1] || strcasecmp(unit + 1, "B") == 0 || strcasecmp(unit + 1, "iB") == 0)
			return 10 * (i + 1);
	}
	return -1;
}

int size_parse(const char *text, uint64_t *ret_bytes)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	uint64_t value;
	int shift, r;

	if (hex)
		text += 2;
	r = parse_digits(&text, hex ? 16 : 10, &value);
	if (r == -EINVAL)
		return r;

	shift = unit_shift(text);
	if (shift < 0)
		return -EINVAL;
	if (r < 0 || __builtin_mul_overflow(value, UINT64_C(1) << shift, &value))
		return -ERANGE;

	*ret_bytes = value;
	return 0;
}

const char *size_format(uint64_t bytes, char text[SIZE_TEXT_MAX])
{
	static const char units[] = { '\0', 'K', 'M', 'G', 'T' };
	size_t unit = 0;

	while (bytes && bytes % 1024 == 0 && unit + 1 < sizeof(units)) {
		bytes /= 1024;
		unit++;
	}
	if (unit)
		(void)snprintf(text, SIZE_TEXT_MAX, "%" PRIu64 "%c", bytes, units[unit]);
	else
		(void)snprintf(text, SIZE_TEXT_MAX, "%" PRIu64, bytes);
	return text;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A sentence about what went wrong, on its way from the file that found it to whoever says it. */
#ifndef BLOCK_WHY_H
#define BLOCK_WHY_H

#include <stdarg.h>
#include <stdio.h>

struct why {
	char text[480];
};

/* Writes the sentence and returns @err. */
__attribute__((format(printf, 3, 4))) static inline int why_set(
	struct why *why, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	return err;
}

#endif

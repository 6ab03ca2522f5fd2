/* SPDX-License-Identifier: Apache-2.0 */
/* Error sentences: recorded once, where the cause is seen. */
#include "core/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef error_set /* what the analyzer is shown */
int error_set(struct error *err, enum exit_code code, int err_no, const char *format, ...)
{
	va_list args;

	if (!err || err->text[0])
		return err_no;

	err->exit_code = code;
	va_start(args, format);
	(void)vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return err_no;
}

void error_prefix(struct error *err, const char *format, ...)
{
	char prefix[512];
	char whole[sizeof(err->text)];
	va_list args;

	if (!err || !err->text[0])
		return;

	va_start(args, format);
	(void)vsnprintf(prefix, sizeof(prefix), format, args);
	va_end(args);
	if (snprintf(whole, sizeof(whole), "%s: %s", prefix, err->text) >= (int)sizeof(whole))
		memcpy(whole + sizeof(whole) - 4, "...", 4);
	memcpy(err->text, whole, sizeof(whole));
}

enum exit_code error_exit_code(int err_no)
{
	switch (-err_no) {
	case ENOMEM:
	case ENOSPC:
	case EMFILE:
	case ENFILE:
	case EAGAIN:
		return EXIT_HOST;
	default:
		return EXIT_INTERNAL;
	}
}

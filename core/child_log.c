/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a device's process. */
#include "core/child_log.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* Its lines begin as ours do. */
static const char prefix[] = "tenon: ";

static void end_line(struct child_log *log)
{
	const char *text = log->line;

	log->line[log->n] = '\0';
	log->n = 0;
	if (strncmp(text, prefix, strlen(prefix)) == 0)
		text += strlen(prefix);
	if (!*text)
		return;
	memmove(log->last, text, strlen(text) + 1);
	/* It has its own level, and left out what is below. */
	if (!log->quiet)
		log_limited(&log->limit, LOG_LEVEL_ERR, "%s", log->last);
}

static void take(struct child_log *log, char byte)
{
	if (byte == '\n') {
		end_line(log);
		return;
	}
	if (log->n + 1 == sizeof(log->line))
		return; /* the rest of a long line is cut */
	if ((uint8_t)byte >= ' ' && (uint8_t)byte != 0x7f)
		log->line[log->n++] = byte;
	else if (byte != '\r')
		log->line[log->n++] = '?';
}

void child_log_read(struct child_log *log)
{
	char bytes[1024];
	ssize_t n;

	/* A turn is bounded; what is left comes with the next. */
	for (int turns = 0; turns < 16 && (n = read(log->fd, bytes, sizeof(bytes))) > 0; turns++)
		for (ssize_t i = 0; i < n; i++)
			take(log, bytes[i]);
}

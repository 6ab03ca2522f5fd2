/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device's process says on its standard error: lines, which become lines of the log.  The
 * process may be anybody's by then: lines are bounded, cleaned and limited in rate.
 */
#ifndef TENON_CORE_CHILD_LOG_H
#define TENON_CORE_CHILD_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "core/log.h"

#define CHILD_LOG_LINE 600u

struct child_log {
	int fd;                    /* non-blocking; the owner's */
	bool quiet;                /* lines are only remembered */
	char last[CHILD_LOG_LINE]; /* the last whole line; "" = none yet */
	char line[CHILD_LOG_LINE]; /* that is being read */
	size_t n;
	struct log_limit limit;
};

/* Reads what is there.  [main] */
void child_log_read(struct child_log *log);

#endif

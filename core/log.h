/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines for people, on standard error or in a log file: "tenon: text".  A line is written whole,
 * whichever threads write at once.
 */
#ifndef TENON_CORE_LOG_H
#define TENON_CORE_LOG_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* As TENON_LOG_* of the plugin contract. */
enum log_level {
	LOG_LEVEL_ERR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* Messages past @level are dropped.  Starts at LOG_LEVEL_WARN.  [any] */
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);

/* While a terminal is in raw mode, lines end with a carriage return too.  [any] */
void log_set_raw(bool raw);

/* Appends to a file instead of standard error; NULL goes back.  0 or -errno.  [main] */
int log_open(const char *path);

/* One line, without the newline.  Keeps errno.  [any] */
void log_msg(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_vmsg(enum log_level level, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/*
 * For what a guest or a peer can trigger: at most LOG_LIMIT_BURST lines in LOG_LIMIT_SECONDS for
 * each limit; what was left out is counted and said with the next line that gets through.
 */
#define LOG_LIMIT_BURST   10u
#define LOG_LIMIT_SECONDS 5u

struct log_limit {               /* zeroed is fresh; may be static */
	_Atomic uint64_t window; /* second at which the present window began, plus one */
	_Atomic uint32_t lines;  /* written in this window */
	_Atomic uint32_t dropped;
};

void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with the clock given; for tests. */
bool log_limit_allows(struct log_limit *limit, uint64_t now_seconds, uint32_t *ret_dropped);

#endif

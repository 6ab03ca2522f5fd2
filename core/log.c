/* SPDX-License-Identifier: Apache-2.0 */
/* Each line is formatted on the stack and written with one write(). */
#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOG_LINE_MAX 1100

static _Atomic int log_level = LOG_LEVEL_WARN;
static _Atomic bool log_raw;
static _Atomic int log_fd = STDERR_FILENO;

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&log_level, memory_order_relaxed);
}

void log_set_raw(bool raw)
{
	atomic_store_explicit(&log_raw, raw, memory_order_relaxed);
}

int log_open(const char *path)
{
	int fd = STDERR_FILENO, old;

	if (path) {
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (fd < 0)
			return -errno;
	}
	old = atomic_exchange_explicit(&log_fd, fd, memory_order_relaxed);
	if (old != STDERR_FILENO)
		(void)close(old);
	return 0;
}

static void write_all(int fd, const char *bytes, size_t n)
{
	while (n) {
		ssize_t written = write(fd, bytes, n);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return; /* there is nobody left to tell */
		bytes += written;
		n -= (size_t)written;
	}
}

/* Nothing that comes from a guest or a file may drive the terminal. */
static void blank_controls(char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
			*text = '?';
}

void log_vmsg(enum log_level level, const char *format, va_list args)
{
	static const char prefix[] = "tenon: ";
	char line[LOG_LINE_MAX];
	const size_t start = sizeof(prefix) - 1;
	const size_t room = sizeof(line) - start - 2; /* "\r\n" takes the place of the zero */
	int saved = errno;
	size_t n;

	if (!log_enabled(level))
		return;

	memcpy(line, prefix, start);
	if (vsnprintf(line + start, room, format, args) < 0)
		line[start] = '\0';
	blank_controls(line + start);
	n = strlen(line);
	if (n == start + room - 1)
		memcpy(line + n - 3, "...", 3);
	/* A log file keeps plain lines whatever the terminal does. */
	if (atomic_load_explicit(&log_raw, memory_order_relaxed) &&
		atomic_load_explicit(&log_fd, memory_order_relaxed) == STDERR_FILENO)
		line[n++] = '\r';
	line[n++] = '\n';
	write_all(atomic_load_explicit(&log_fd, memory_order_relaxed), line, n);
	errno = saved;
}

void log_msg(enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_vmsg(level, format, args);
	va_end(args);
}

bool log_limit_allows(struct log_limit *limit, uint64_t now_seconds, uint32_t *ret_dropped)
{
	uint64_t window = atomic_load_explicit(&limit->window, memory_order_relaxed);

	/* Whoever moves the window on starts the count anew; a line more or less in a race is no
	 * matter. */
	if ((!window || now_seconds + 1 - window >= LOG_LIMIT_SECONDS) &&
		atomic_compare_exchange_strong_explicit(&limit->window, &window, now_seconds + 1,
			memory_order_relaxed, memory_order_relaxed))
		atomic_store_explicit(&limit->lines, 0, memory_order_relaxed);

	if (atomic_load_explicit(&limit->lines, memory_order_relaxed) >= LOG_LIMIT_BURST ||
		atomic_fetch_add_explicit(&limit->lines, 1, memory_order_relaxed) >=
			LOG_LIMIT_BURST) {
		atomic_fetch_add_explicit(&limit->dropped, 1, memory_order_relaxed);
		return false;
	}
	*ret_dropped = atomic_exchange_explicit(&limit->dropped, 0, memory_order_relaxed);
	return true;
}

void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
{
	int saved = errno;
	struct timespec now;
	uint32_t dropped;
	va_list args;

	if (!log_enabled(level))
		return;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (!log_limit_allows(limit, (uint64_t)now.tv_sec, &dropped))
		return;

	if (dropped)
		log_msg(level, "(%u lines like the next were left out)", dropped);
	errno = saved;
	va_start(args, format);
	log_vmsg(level, format, args);
	va_end(args);
}

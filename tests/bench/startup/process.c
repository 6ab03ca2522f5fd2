/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Children on pipes.  What a child says beyond the room for it is read and dropped; one that is
 * silent for too long is killed, so that nobody waits for it.
 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SILENCE_MS 20000

extern char **environ;

uint64_t process_clock_ns(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int spawn(struct process *p, const char *const argv[], int in, int out)
{
	posix_spawn_file_actions_t actions;
	int err = posix_spawn_file_actions_init(&actions);

	if (err)
		return -err;
	err = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
	p->start_ns = process_clock_ns();
	if (!err)
		err = posix_spawn(
			&p->pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return -err;
}

int process_start(struct process *p, const char *const argv[], const char *name, const char *value)
{
	int in[2], out[2], err;

	memset(p, 0, sizeof(*p));
	if (pipe2(in, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(out, O_CLOEXEC) < 0) {
		err = -errno;
		goto close_in;
	}
	if (name)
		(void)setenv(name, value, 1);
	err = spawn(p, argv, in[0], out[1]);
	if (name)
		(void)unsetenv(name);
	(void)close(out[1]);
	if (err < 0)
		goto close_out;
	(void)close(in[0]);
	p->to = in[1];
	p->from = out[0];
	return 0;

close_out:
	(void)close(out[0]);
close_in:
	(void)close(in[0]);
	(void)close(in[1]);
	return err;
}

/* One piece of what it says; false at the end. */
static bool read_more(struct process *p)
{
	struct pollfd wait = { .fd = p->from, .events = POLLIN };
	char piece[4096];
	size_t room = sizeof(p->text) - 1 - p->n, n;
	ssize_t got;

	if (poll(&wait, 1, SILENCE_MS) == 0)
		(void)kill(p->pid, SIGKILL);
	do
		got = read(p->from, piece, sizeof(piece));
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return false;
	n = (size_t)got < room ? (size_t)got : room;
	memcpy(p->text + p->n, piece, n);
	p->n += n;
	p->text[p->n] = '\0';
	return true;
}

int process_wait_word(struct process *p, const char *word)
{
	while (!strstr(p->text, word))
		if (!read_more(p))
			return -EPIPE;
	return 0;
}

static uint64_t ns_of(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000u;
}

void process_end(struct process *p, int signal)
{
	struct rusage usage = { 0 };
	int status = 0;

	(void)close(p->to);
	if (signal)
		(void)kill(p->pid, signal);
	while (read_more(p))
		;
	while (wait4(p->pid, &status, 0, &usage) < 0 && errno == EINTR)
		;
	p->wall_ns = process_clock_ns() - p->start_ns;
	(void)close(p->from);
	p->cpu_ns = ns_of(usage.ru_utime) + ns_of(usage.ru_stime);
	p->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

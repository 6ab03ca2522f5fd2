/* SPDX-License-Identifier: Apache-2.0 */
/* See served.h. */
#include "served.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "devices.h"

#define MOST_SETTINGS 16u
#define FIXED         8u /* words before them */
#define READY_MS      10000

static void serve(const char *program, const char *type, const char *socket, int ready,
	const char *const *settings)
{
	char number[12];
	const char *argv[FIXED + MOST_SETTINGS + 1] = { "tenon", "serve", type, "--once",
		"--socket", socket, "--ready-fd", number };
	unsigned n = FIXED;

	(void)snprintf(number, sizeof(number), "%d", ready);
	while (*settings && n < FIXED + MOST_SETTINGS)
		argv[n++] = *settings++;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)execv(program, (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* What it says of itself ends with "ready". */
static bool is_ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char text[8192];
	size_t size = 0;
	ssize_t n;

	while (size < sizeof(text) && poll(&p, 1, READY_MS) == 1 &&
		(n = read(fd, text + size, sizeof(text) - size)) > 0) {
		size += (size_t)n;
		if (memmem(text, size, "\nready\n", 7))
			return true;
	}
	return false;
}

struct tk_dev *served_open(
	const struct served_by *by, const char *type, const char *const *settings, pid_t *ret_pid)
{
	char socket[64], own[160];
	struct tk_dev *d;
	int ready[2];

	(void)snprintf(socket, sizeof(socket), "/tmp/tenon-bench-%d.sock", (int)getpid());
	if (pipe(ready) < 0)
		TK_FAIL("no pipe");
	*ret_pid = fork();
	if (*ret_pid == 0)
		serve(by->program, type, socket, ready[1], settings);
	(void)close(ready[1]);
	if (*ret_pid < 0 || !is_ready(ready[0]))
		TK_FAIL("the process of the device does not come up");
	(void)close(ready[0]);
	(void)tk_plugin(by->front_end);
	(void)snprintf(own, sizeof(own), "socket = \"%s\"; device = \"%s\";", socket, type);
	d = tk_device("vhost-user", own);
	(void)unlink(socket);
	return d;
}

double served_cpu(pid_t pid)
{
	clockid_t other;

	if (pid == 0)
		return devices_clock(CLOCK_THREAD_CPUTIME_ID);
	if (clock_getcpuclockid(pid, &other) != 0)
		TK_FAIL("the device's process has no clock");
	return devices_clock(CLOCK_THREAD_CPUTIME_ID) + devices_clock(other);
}

void served_end(pid_t pid)
{
	if (pid <= 0)
		return;
	(void)kill(pid, SIGTERM);
	(void)waitpid(pid, NULL, 0); /* whoever is next may want its files and sockets */
}

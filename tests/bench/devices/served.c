/* SPDX-License-Identifier: Apache-2.0 */
/* The process of a device. */
#include "served.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "devices.h"

static void become(const char *program, const char *type, const char *socket, int ready,
	const char *const *keys)
{
	char fd[16];
	const char *words[8 + SERVED_MOST_KEYS + 1] = { "tenon", "serve", type, "--once",
		"--socket", socket, "--ready-fd", fd };
	char *argv[8 + SERVED_MOST_KEYS + 1];

	(void)snprintf(fd, sizeof(fd), "%d", ready);
	for (size_t n = 8; *keys && n < 8 + SERVED_MOST_KEYS; n++)
		words[n] = *keys++;
	memcpy(argv, words, sizeof(argv));
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)execv(program, argv);
	_exit(127);
}

/* It says so in its last line before it serves. */
static void wait_ready(int fd)
{
	char text[8192];
	size_t n = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t got =
			poll(&p, 1, 20000) == 1 ? read(fd, text + n, sizeof(text) - 1 - n) : 0;

		if (got <= 0)
			TK_FAIL("the device's process does not come up");
		n += (size_t)got;
		text[n] = '\0';
		if (strstr(text, "ready\n"))
			return;
	}
}

struct tk_dev *served_open(
	struct served *s, const char *program, const char *type, const char *const *keys)
{
	char socket[64], settings[128];
	int ready[2];

	if (pipe(ready) < 0)
		TK_FAIL("no pipe");
	(void)snprintf(socket, sizeof(socket), "@tenon-bench-%d", (int)getpid());
	s->child = fork();
	if (s->child < 0)
		TK_FAIL("no process");
	if (s->child == 0)
		become(program, type, socket, ready[1], keys);
	(void)close(ready[1]);
	wait_ready(ready[0]);
	(void)close(ready[0]);
	(void)snprintf(
		settings, sizeof(settings), "socket = \"%s\"; device = \"%s\";", socket, type);
	return tk_device("vhost-user", settings);
}

double served_cpu(const struct served *s)
{
	clockid_t clock;

	if (s->child == 0)
		return 0;
	if (clock_getcpuclockid(s->child, &clock) != 0)
		TK_FAIL("the device's process has no clock");
	return devices_clock(clock);
}

void served_end(const struct served *s)
{
	if (s->child)
		(void)kill(s->child, SIGTERM);
}

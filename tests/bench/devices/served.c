/* SPDX-License-Identifier: Apache-2.0 */
/* See served.h. */
#include "served.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "devices.h"

#define MOST_SETTINGS 16u
#define FIXED         6u /* words before them */

static void serve(
	const char *program, const char *type, const char *socket, const char *const *settings)
{
	const char *argv[FIXED + MOST_SETTINGS + 1] = { "tenon", "serve", type, "--once",
		"--socket", socket };
	unsigned n = FIXED;

	while (*settings && n < FIXED + MOST_SETTINGS)
		argv[n++] = *settings++;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)execv(program, (char *const *)(uintptr_t)argv);
	_exit(127);
}

struct tk_dev *served_open(
	const struct served_by *by, const char *type, const char *const *settings, pid_t *ret_pid)
{
	char socket[64], own[160];
	struct tk_dev *d;

	(void)snprintf(socket, sizeof(socket), "/tmp/tenon-bench-%d.sock", (int)getpid());
	*ret_pid = fork();
	if (*ret_pid == 0)
		serve(by->program, type, socket, settings);
	for (int i = 0; *ret_pid < 0 || access(socket, F_OK) != 0; i++) {
		if (*ret_pid < 0 || i == 5000)
			TK_FAIL("the process of the device does not come up");
		(void)poll(NULL, 0, 1);
	}
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
	if (pid > 0)
		(void)kill(pid, SIGTERM);
}

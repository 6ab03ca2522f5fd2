/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stand_in SOCKET DEVICE COMMAND [ARGUMENT...]: serves a device ("rng" or "block") at SOCKET while
 * COMMAND runs, and ends with its status.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stand_in.h"

static void serve(const char *path, const char *device)
{
	struct stand_in s = stand_in_default();
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	if (strcmp(device, "block") == 0) {
		s.config_size = 60;
		s.config[1] = 0x40; /* 16384 sectors */
	}
	(void)unlink(path);
	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	if (listener < 0 || bind(listener, (const struct sockaddr *)&to, sizeof(to)) < 0 ||
		listen(listener, 64) < 0) {
		perror(path);
		_exit(1);
	}
	if (fork() == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		stand_in_listen(&s, listener);
	}
	(void)close(listener);
}

int main(int argc, char **argv)
{
	int status = 0;
	pid_t pid;

	if (argc < 4) {
		(void)fprintf(stderr, "usage: %s SOCKET DEVICE COMMAND [ARGUMENT...]\n", argv[0]);
		return 2;
	}
	serve(argv[1], argv[2]);
	pid = fork();
	if (pid == 0) {
		(void)execvp(argv[3], argv + 3);
		perror(argv[3]);
		_exit(127);
	}
	(void)waitpid(pid, &status, 0);
	(void)unlink(argv[1]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Back ends that others wrote, as the tests start and kill them. */
#ifndef VHOST_USER_REAL_H
#define VHOST_USER_REAL_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tenon/testkit.h>

/* A folder of the test's own. */
static inline const char *folder(void)
{
	static char path[64];

	if (!path[0]) {
		(void)snprintf(path, sizeof(path), "/tmp/vhost-user-XXXXXX");
		TK_TRUE(mkdtemp(path) != NULL);
	}
	(void)mkdir(path, 0700); /* a test may have cleaned up */
	return path;
}

static inline const char *in_folder(const char *name)
{
	static char paths[4][128];
	static unsigned n;
	char *at = paths[n++ % 4];

	(void)snprintf(at, sizeof(paths[0]), "%s/%s", folder(), name);
	return at;
}

__attribute__((format(printf, 1, 2))) static inline void shell(const char *format, ...)
{
	char command[1024];
	va_list args;
	int status;

	va_start(args, format);
	(void)vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	status = system(command); /* NOLINT(cert-env33-c): the tests' own words */
	if (status != 0)
		TK_FAIL("\"%s\" ended with status 0x%x", command, (unsigned)status);
}

/* A socket that the front end can connect to before anybody accepts. */
static inline int listen_at(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)unlink(path);
	memcpy(at.sun_path, path, strlen(path) + 1);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 4) < 0)
		TK_FAIL("cannot listen at %s: %s", path, strerror(errno));
	return fd;
}

#define BACK_END_FD 3 /* where it finds the socket */

/* Starts a program that takes connections from @listener, which is closed here. */
static inline pid_t start_back_end(int listener, const char *const *argv)
{
	char *args[32];
	unsigned n = 0;
	pid_t pid;

	for (; n < 31 && argv[n]; n++)
		args[n] = strdup(argv[n]);
	args[n] = NULL;
	pid = fork();
	TK_TRUE(pid >= 0);
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(listener, BACK_END_FD);
		for (int fd = 0; fd < 3; fd++)
			(void)dup2(null, fd);
		for (int fd = BACK_END_FD + 1; fd < 1024; fd++)
			(void)close(fd);
		(void)execvp(args[0], args);
		_exit(127);
	}
	while (n > 0)
		free(args[--n]);
	(void)close(listener);
	return pid;
}

static inline void kill_back_end(pid_t pid)
{
	int status;

	(void)kill(pid, SIGKILL);
	TK_EQ(waitpid(pid, &status, 0), pid);
}

#endif

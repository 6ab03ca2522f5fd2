/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody hostile tries, by name; for the plugin in the VM's process and for a child. */
#ifndef TENON_TESTS_SANDBOX_ATTEMPTS_H
#define TENON_TESTS_SANDBOX_ATTEMPTS_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* -1 with errno becomes -errno, and what was gained stays gained. */
static inline int attempt_result(long ret)
{
	return ret < 0 ? -errno : 0;
}

static inline int attempt_open(const char *path, int flags)
{
	return attempt_result(open(path, flags | O_CLOEXEC, 0600));
}

static inline int attempt_connect(int family)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	return family == AF_INET
		       ? attempt_result(connect(fd, (const struct sockaddr *)&to, sizeof(to)))
		       : 0;
}

static inline int attempt_exec(const char *path)
{
	char name[] = "hostile";
	char *const args[] = { name, NULL }, *const environment[] = { NULL };

	return attempt_result(execve(path, args, environment));
}

static inline int attempt_spawn(const char *path)
{
	char name[] = "hostile";
	char *const args[] = { name, NULL }, *const environment[] = { NULL };
	pid_t child;

	return -posix_spawn(&child, path, NULL, NULL, args, environment);
}

/* Until it is refused; the children wait for their parent's end and are gone with it. */
static inline int attempt_fork_bomb(void)
{
	pid_t children[256];
	int n = 0, ret = 0;

	while (n < 256 && ret == 0) {
		children[n] = fork();
		if (children[n] == 0)
			for (;;)
				(void)pause();
		ret = children[n] < 0 ? -errno : 0;
		n += ret == 0;
	}
	while (n-- > 0) {
		(void)kill(children[n], SIGKILL);
		(void)waitpid(children[n], NULL, 0);
	}
	return ret;
}

static inline void *attempt_nothing(void *arg)
{
	return arg;
}

static inline int attempt_thread(void)
{
	pthread_t thread;
	int ret = -pthread_create(&thread, NULL, attempt_nothing, NULL);

	return ret < 0 ? ret : -pthread_join(thread, NULL);
}

static inline int attempt_mmap(int prot)
{
	void *at = mmap(NULL, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? -errno : 0;
}

static inline int attempt_mprotect(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? -errno
				: attempt_result(mprotect(at, 4096, PROT_READ | PROT_EXEC));
}

static inline int attempt_handler(void)
{
	struct sigaction action = { .sa_handler = SIG_IGN };

	return attempt_result(sigaction(SIGSYS, &action, NULL));
}

/* -ENOSYS where there is no such attempt.  @victim: the process that is not to be harmed. */
static inline int attempt(const char *what, const char *path, pid_t victim)
{
	char text[64];

	if (strcmp(what, "open") == 0)
		return attempt_open(path, O_RDONLY);
	if (strcmp(what, "write") == 0)
		return attempt_open(path, O_WRONLY);
	if (strcmp(what, "create") == 0)
		return attempt_open(path, O_WRONLY | O_CREAT | O_EXCL);
	if (strcmp(what, "remove") == 0)
		return attempt_result(unlink(path));
	if (strcmp(what, "connect") == 0)
		return attempt_connect(AF_INET);
	if (strcmp(what, "socket") == 0)
		return attempt_connect(AF_UNIX);
	if (strcmp(what, "exec") == 0)
		return attempt_exec(path);
	if (strcmp(what, "spawn") == 0)
		return attempt_spawn(path);
	if (strcmp(what, "fork") == 0)
		return attempt_fork_bomb();
	if (strcmp(what, "thread") == 0)
		return attempt_thread();
	if (strcmp(what, "ptrace") == 0)
		return attempt_result(ptrace(PTRACE_ATTACH, victim, NULL, NULL));
	if (strcmp(what, "mmap-exec") == 0)
		return attempt_mmap(PROT_READ | PROT_EXEC);
	if (strcmp(what, "mprotect-exec") == 0)
		return attempt_mprotect();
	if (strcmp(what, "kill-core") == 0)
		return attempt_result(kill(victim, SIGKILL));
	if (strcmp(what, "handler") == 0)
		return attempt_handler();
	if (strcmp(what, "memory-of-another") == 0) {
		(void)snprintf(text, sizeof(text), "/proc/%ld/mem", (long)victim);
		return attempt_open(text, O_RDWR);
	}
	if (strcmp(what, "nothing") == 0)
		return attempt_mmap(PROT_READ | PROT_WRITE);
	return -ENOSYS;
}

#endif

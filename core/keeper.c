/* SPDX-License-Identifier: Apache-2.0 */
/* The VM's end of the keeper. */
#include "core/keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/process_name.h"

struct keeper {
	int sock;
	pid_t pid;
};

/* In the forked process: nothing of the VM's but this socket is its business. */
static void become(int sock, uint32_t restarts, pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	(void)setsid(); /* a Ctrl-C on the terminal is for the VM's process alone */
	process_name_set("tenon: keeper");
	keeper_process(sock, restarts);
	_exit(0);
}

int keeper_create(uint32_t restarts, struct keeper **ret_keeper)
{
	struct keeper *k = calloc(1, sizeof(*k));
	const pid_t parent = getpid();
	int ends[2], err;

	if (!k)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		err = -errno;
		free(k);
		return err;
	}
	k->pid = fork();
	if (k->pid == 0) {
		(void)close(ends[0]);
		become(ends[1], restarts, parent);
	}
	err = -errno;
	(void)close(ends[1]);
	k->sock = ends[0];
	if (k->pid < 0) {
		(void)close(k->sock);
		free(k);
		return err;
	}
	*ret_keeper = k;
	return 0;
}

/* The arguments behind the message; 0 when they do not fit. */
static size_t put_args(uint8_t *to, size_t room, const char *const *argv, uint32_t *ret_n)
{
	size_t at = 0;

	for (*ret_n = 0; argv[*ret_n]; (*ret_n)++) {
		const size_t size = strlen(argv[*ret_n]) + 1;

		if (size > room - at)
			return 0;
		memcpy(to + at, argv[*ret_n], size);
		at += size;
	}
	return at;
}

static int send_message(
	const struct keeper *k, void *bytes, size_t size, const int *fds, size_t n_fds)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int) * (KEEPER_MAX_FDS + 3))];
	} control = { 0 };
	struct iovec iov = { bytes, size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (n_fds) {
		struct cmsghdr *c;

		msg.msg_control = control.room;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	do {
		n = sendmsg(k->sock, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int keeper_start(struct keeper *keeper, const struct keeper_program *program)
{
	uint8_t bytes[KEEPER_MAX_MESSAGE];
	struct keeper_message m = { .request = KEEPER_START,
		.id = program->id,
		.n_fds = (uint32_t)program->n_fds,
		.n_keep = (uint32_t)program->n_keep,
		.first_fd = program->first_fd,
		.terminal = program->terminal };
	int fds[KEEPER_MAX_FDS + 3];
	size_t size;

	if (program->n_fds > KEEPER_MAX_FDS || program->n_keep > KEEPER_MAX_KEEP ||
		program->id >= KEEPER_MAX_PROGRAMS)
		return -EINVAL;
	for (size_t i = 0; i < program->n_keep; i++)
		m.keep[i] = program->keep[i];
	size = put_args(bytes + sizeof(m), sizeof(bytes) - sizeof(m), program->argv, &m.n_args);
	if (size == 0)
		return -E2BIG;
	memcpy(bytes, &m, sizeof(m));
	memcpy(fds, program->stdio, sizeof(program->stdio));
	for (size_t i = 0; i < program->n_fds; i++)
		fds[3 + i] = program->fds[i];
	return send_message(keeper, bytes, sizeof(m) + size, fds, 3 + program->n_fds);
}

int keeper_seal(struct keeper *keeper)
{
	struct keeper_message m = { .request = KEEPER_SEAL };

	return send_message(keeper, &m, sizeof(m), NULL, 0);
}

int keeper_fd(const struct keeper *keeper)
{
	return keeper->sock;
}

int keeper_next(struct keeper *keeper, struct keeper_news *ret_news)
{
	ssize_t n;

	do {
		n = recv(keeper->sock, ret_news, sizeof(*ret_news), MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	return n == (ssize_t)sizeof(*ret_news) ? 1 : -EPIPE;
}

/* That is how it learns; news of the programs' deaths still come. */
void keeper_end(struct keeper *keeper)
{
	(void)shutdown(keeper->sock, SHUT_WR);
}

static bool reap(struct keeper *k, int flags)
{
	pid_t pid;

	if (k->pid == 0)
		return true;
	do {
		pid = waitpid(k->pid, NULL, flags);
	} while (pid < 0 && errno == EINTR);
	if (pid != 0)
		k->pid = 0;
	return pid != 0;
}

bool keeper_ended(struct keeper *keeper)
{
	return reap(keeper, WNOHANG);
}

void keeper_destroy(struct keeper *keeper)
{
	if (!keeper)
		return;
	(void)close(keeper->sock);
	(void)reap(keeper, 0);
	free(keeper);
}

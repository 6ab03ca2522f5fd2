/* SPDX-License-Identifier: Apache-2.0 */
/* What the keeper does: start, wait, start anew.  One thread, three things to wait for. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/keeper.h"

#define MAX_ARGS       256u
#define NOT_EXECUTABLE 127

struct program {
	bool known;
	char *text; /* the arguments, one string behind the other; owned */
	struct keeper_message how;
	int fds[KEEPER_MAX_FDS + 3]; /* owned: standard streams, then the others */
	pid_t pid;                   /* 0 = not running */
	uint64_t began_ms;
	uint64_t due_ms; /* to be started; 0 = not */
	uint32_t deaths; /* in a row */
};

struct process {
	int sock, children; /* the latter a signalfd */
	uint32_t restarts;
	bool sealed;
	struct program programs[KEEPER_MAX_PROGRAMS];
};

static uint64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- in the child, between fork and exec ---- */

/* Moves what is handed over out of the way of where it shall go, then there. */
static bool place_fds(const struct program *p)
{
	const int n = (int)p->how.n_fds + 3, free_fd = p->how.first_fd + n;
	int away[KEEPER_MAX_FDS + 3];

	for (int i = 0; i < n; i++) {
		away[i] = fcntl(p->fds[i], F_DUPFD_CLOEXEC, free_fd);
		if (away[i] < 0)
			return false;
	}
	for (int i = 0; i < n; i++)
		if (dup2(away[i], i < 3 ? i : p->how.first_fd + i - 3) < 0)
			return false;
	return true;
}

/* What is neither handed over nor kept is closed by the exec. */
static void close_others(const struct program *p)
{
	const int end = p->how.first_fd + (int)p->how.n_fds;

	for (int fd = 3; fd < p->how.first_fd; fd++) {
		bool keep = false;

		for (uint32_t i = 0; i < p->how.n_keep; i++)
			keep |= p->how.keep[i] == fd;
		if (!keep)
			(void)close(fd);
	}
	(void)close_range((unsigned)end, ~0u, CLOSE_RANGE_CLOEXEC);
}

static void run(const struct program *p, pid_t parent)
{
	char *argv[MAX_ARGS + 1], *at = p->text;
	sigset_t none;

	for (uint32_t i = 0; i < p->how.n_args; i++) {
		argv[i] = at;
		at += strlen(at) + 1;
	}
	argv[p->how.n_args] = NULL;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	(void)setsid();
	if (!place_fds(p))
		_exit(NOT_EXECUTABLE);
	if (p->how.terminal)
		(void)ioctl(0, TIOCSCTTY, 0);
	close_others(p);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	for (int i = 1; i < SIGRTMIN; i++)
		(void)signal(i, SIG_DFL);
	(void)execv("/proc/self/exe", argv);
	_exit(NOT_EXECUTABLE);
}

/* ---- starting ---- */

static void tell(const struct process *s, const struct keeper_news *news)
{
	(void)send(s->sock, news, sizeof(*news), MSG_NOSIGNAL);
}

static void died(struct process *s, uint32_t id, int status)
{
	struct program *p = &s->programs[id];
	struct keeper_news news = { .id = id, .status = status };

	p->pid = 0;
	p->deaths = now_ms() - p->began_ms >= KEEPER_STEADY_MS ? 1 : p->deaths + 1;
	if (s->sealed && p->deaths <= s->restarts) {
		const uint32_t doublings = p->deaths - 1 < 16 ? p->deaths - 1 : 16;

		news.again = true;
		news.delay_ms = KEEPER_DELAY_MIN_MS << doublings;
		if (news.delay_ms > KEEPER_DELAY_MAX_MS)
			news.delay_ms = KEEPER_DELAY_MAX_MS;
		p->due_ms = now_ms() + news.delay_ms;
	}
	tell(s, &news);
}

static void start(struct process *s, uint32_t id)
{
	struct program *p = &s->programs[id];
	const pid_t parent = getpid();

	p->due_ms = 0;
	p->began_ms = now_ms();
	p->pid = fork();
	if (p->pid == 0)
		run(p, parent);
	if (p->pid < 0)
		died(s, id, NOT_EXECUTABLE << 8);
}

static void reap(struct process *s)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(s->children, &info, sizeof(info)) > 0)
		continue;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (uint32_t i = 0; i < KEEPER_MAX_PROGRAMS; i++)
			if (s->programs[i].pid == pid)
				died(s, i, status);
}

/* ---- requests ---- */

static bool is_valid(const struct process *s, const struct keeper_message *m, size_t n_fds,
	const uint8_t *args, size_t size)
{
	uint32_t strings = 0;

	for (size_t i = 0; i < size; i++)
		strings += args[i] == 0;
	return !s->sealed && m->id < KEEPER_MAX_PROGRAMS && !s->programs[m->id].known &&
	       m->n_args > 0 && m->n_args <= MAX_ARGS && strings == m->n_args &&
	       args[size - 1] == 0 && m->n_fds <= KEEPER_MAX_FDS && n_fds == m->n_fds + 3 &&
	       m->n_keep <= KEEPER_MAX_KEEP && m->first_fd >= 3 && m->first_fd < 4096;
}

static void take_program(struct process *s, const struct keeper_message *m, const uint8_t *args,
	size_t size, const int *fds, size_t n_fds)
{
	struct program *p;
	char *text;

	if (!is_valid(s, m, n_fds, args, size) || !(text = malloc(size))) {
		const struct keeper_news news = { .id = m->id, .status = NOT_EXECUTABLE << 8 };

		for (size_t i = 0; i < n_fds; i++)
			(void)close(fds[i]);
		tell(s, &news);
		return;
	}
	p = &s->programs[m->id];
	*p = (struct program){ .known = true, .text = memcpy(text, args, size), .how = *m };
	memcpy(p->fds, fds, n_fds * sizeof(*fds));
	start(s, m->id);
}

static size_t take_fds(struct msghdr *msg, int *fds, size_t room)
{
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		const size_t here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || n + here > room)
			continue;
		memcpy(fds + n, CMSG_DATA(c), here * sizeof(int));
		n += here;
	}
	return n;
}

/* False when nobody is at the other end any more. */
static bool receive(struct process *s)
{
	static uint8_t bytes[KEEPER_MAX_MESSAGE];
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int) * (KEEPER_MAX_FDS + 3))];
	} control;
	struct iovec iov = { bytes, sizeof(bytes) };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room) };
	struct keeper_message m;
	int fds[KEEPER_MAX_FDS + 3];
	size_t n_fds;
	ssize_t n = recvmsg(s->sock, &msg, MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EINTR;
	if (n < (ssize_t)sizeof(m))
		return false;
	n_fds = take_fds(&msg, fds, KEEPER_MAX_FDS + 3);
	memcpy(&m, bytes, sizeof(m));
	if (m.request == KEEPER_SEAL)
		s->sealed = true;
	else if ((size_t)n > sizeof(m))
		take_program(s, &m, bytes + sizeof(m), (size_t)n - sizeof(m), fds, n_fds);
	return true;
}

/* ---- the end ---- */

static void signal_all(const struct process *s, int number)
{
	for (uint32_t i = 0; i < KEEPER_MAX_PROGRAMS; i++)
		if (s->programs[i].pid > 0)
			(void)kill(s->programs[i].pid, number);
}

/* Takes the dead, of which one signal may tell of several; false when none is left alive. */
static bool reap_all(struct process *s)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		for (uint32_t i = 0; i < KEEPER_MAX_PROGRAMS; i++)
			if (s->programs[i].pid == pid)
				s->programs[i].pid = 0;
	return pid == 0;
}

static void end_all(struct process *s)
{
	const uint64_t deadline = now_ms() + KEEPER_END_MS;
	struct pollfd wait = { .fd = s->children, .events = POLLIN };

	s->sealed = true;
	s->restarts = 0;
	signal_all(s, SIGTERM);
	for (uint64_t now = now_ms(); reap_all(s) && now < deadline; now = now_ms()) {
		struct signalfd_siginfo info;

		(void)poll(&wait, 1, (int)(deadline - now));
		while (read(s->children, &info, sizeof(info)) > 0)
			continue;
	}
	signal_all(s, SIGKILL);
	while (waitpid(-1, NULL, 0) >= 0 || errno == EINTR)
		continue;
}

/* In milliseconds till something is to be started, or -1. */
static int start_due(struct process *s)
{
	const uint64_t now = now_ms();
	uint64_t next = UINT64_MAX;

	for (uint32_t i = 0; i < KEEPER_MAX_PROGRAMS; i++) {
		const struct program *p = &s->programs[i];

		if (p->due_ms && p->due_ms <= now)
			start(s, i);
		else if (p->due_ms && p->due_ms < next)
			next = p->due_ms;
	}
	return next == UINT64_MAX ? -1 : (int)(next - now);
}

void keeper_process(int sock, uint32_t restarts)
{
	static const int asks[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
	static struct process s;
	sigset_t children;

	s.sock = sock;
	s.restarts = restarts;
	(void)sigemptyset(&children);
	(void)sigaddset(&children, SIGCHLD);
	/* It goes when the VM's process does, and not before, whoever asks. */
	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++)
		(void)signal(asks[i], SIG_IGN);
	(void)sigprocmask(SIG_BLOCK, &children, NULL);
	s.children = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s.children < 0)
		return;
	for (;;) {
		struct pollfd fds[] = { { .fd = sock, .events = POLLIN },
			{ .fd = s.children, .events = POLLIN } };
		int n = poll(fds, 2, start_due(&s));

		if (n < 0 && errno != EINTR)
			break;
		if (fds[1].revents)
			reap(&s);
		if (fds[0].revents && !receive(&s))
			break;
	}
	end_all(&s);
}

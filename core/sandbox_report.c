/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who did what is not allowed.
 *
 * Mode "on": the filter sends SIGSYS to the thread in place of the call, and the handler, which
 * runs on that thread, says it and ends the process.  It allocates nothing, for the call may have
 * come from within the allocator.
 *
 * Mode "log": the filter stops the thread and tells a listener; a thread of ours, never sealed
 * itself, logs each call once for each kind of thread and lets it go on.  It runs till the process
 * ends: who is stopped and heard by nobody would get ENOSYS.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"
#include "core/sandbox_parts.h"
#include "core/signals.h"
#include "core/terminal.h"

static const char *const places[] = {
	[SANDBOX_LOOP] = "on the main loop",
	[SANDBOX_IOTHREAD] = "on an iothread",
	[SANDBOX_WORK] = "on a work thread",
	[SANDBOX_VCPU] = "on a vcpu thread",
	[SANDBOX_CHILD] = "in its process",
	[SANDBOX_KINDS] = "on a thread of its own",
};

static _Thread_local enum sandbox_kind own_kind = SANDBOX_KINDS;
static _Thread_local const char *volatile own_device;
static const char *child; /* whose process this is; NULL: the VM's */

const char *sandbox_note_device(const char *name)
{
	const char *before = own_device;

	own_device = name;
	return before;
}

void sandbox_report_thread(enum sandbox_kind kind)
{
	own_kind = kind;
}

void sandbox_report_child(const char *device)
{
	child = device;
	own_kind = SANDBOX_CHILD;
}

static void describe(char *text, size_t room, long number, const char *device,
	enum sandbox_kind kind, const char *verb)
{
	const char *name = sandbox_call_name(number);
	char call[32];

	if (child)
		device = child;
	(void)snprintf(call, sizeof(call), "number %ld", number);
	if (device)
		(void)snprintf(text, room, "sandbox: \"%s\" made the system call %s %s, %s", device,
			name ? name : call, places[kind], verb);
	else
		(void)snprintf(text, room, "sandbox: the system call %s was made %s, %s",
			name ? name : call, places[kind], verb);
}

/* ---- on ---- */

static atomic_flag reported = ATOMIC_FLAG_INIT;

static void forbidden(int number, siginfo_t *info, void *context)
{
	char text[256];

	(void)number;
	(void)context;
	if (atomic_flag_test_and_set(&reported))
		for (;;) /* another thread is saying its own, and ends all */
			(void)poll(NULL, 0, -1);
	terminal_restore_fatal();
	describe(text, sizeof(text), info->si_syscall, own_device, own_kind,
		"which is forbidden there");
	log_msg(LOG_LEVEL_ERR, "%s", text);
	_exit(EXIT_INTERNAL);
}

int sandbox_report_arm(void)
{
	struct sigaction action = { .sa_sigaction = forbidden, .sa_flags = SA_SIGINFO };

	(void)sigfillset(&action.sa_mask);
	return sigaction(SIGSYS, &action, NULL) < 0 ? -errno : 0;
}

/* ---- log ---- */

struct listener {
	struct listener *next; /* nothing of it is ever freed */
	int fd;
	enum sandbox_kind kind;
	pid_t task; /* who loaded the filter; those that it starts share it */
	const char *volatile *device;
};

#define MOST_CALLS 1024

static int listeners = -1; /* an epoll descriptor */
static _Atomic(struct listener *) first_listener;
static bool seen[SANDBOX_KINDS][MOST_CALLS]; /* the log thread's */

static void note(const struct listener *l, const struct seccomp_notif *request)
{
	int number = request->data.nr;
	char text[256];

	if (number >= 0 && number < MOST_CALLS && seen[l->kind][number])
		return;
	if (number >= 0 && number < MOST_CALLS)
		seen[l->kind][number] = true;
	/* The thread is stopped inside its call: what it last noted stands. */
	describe(text, sizeof(text), number, request->pid == (uint32_t)l->task ? *l->device : NULL,
		l->kind, "which \"on\" would forbid");
	log_msg(LOG_LEVEL_WARN, "%s", text);
}

static void answer(const struct listener *l)
{
	struct seccomp_notif_resp response = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
	struct seccomp_notif request;

	memset(&request, 0, sizeof(request));
	if (ioctl(l->fd, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0)
		return; /* it was interrupted, and asks again */
	note(l, &request);
	response.id = request.id;
	(void)ioctl(l->fd, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

static void *log_main(void *arg)
{
	struct epoll_event events[8];

	(void)arg;
	(void)pthread_setname_np(pthread_self(), "sandbox log");
	for (;;) {
		int n = epoll_wait(listeners, events, 8, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].events & EPOLLIN)
				answer(events[i].data.ptr);
			else /* all that were under it are gone */
				(void)epoll_ctl(listeners, EPOLL_CTL_DEL,
					((struct listener *)events[i].data.ptr)->fd, NULL);
		}
	}
	return NULL;
}

int sandbox_report_listen(void)
{
	pthread_t thread;
	sigset_t old;
	int ret;

	if (listeners >= 0)
		return 0;
	listeners = epoll_create1(EPOLL_CLOEXEC);
	if (listeners < 0)
		return -errno;
	signals_block(&old);
	ret = -pthread_create(&thread, NULL, log_main, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ret == 0) {
		(void)pthread_detach(thread);
		return 0;
	}
	(void)close(listeners);
	listeners = -1;
	return ret;
}

void sandbox_report_add(int fd, enum sandbox_kind kind)
{
	struct listener *l = calloc(1, sizeof(*l));
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = l };

	if (!l) {
		(void)close(fd);
		return;
	}
	*l = (struct listener){ .fd = fd, .kind = kind, .task = gettid(), .device = &own_device };
	l->next = atomic_load_explicit(&first_listener, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(
		&first_listener, &l->next, l, memory_order_relaxed, memory_order_relaxed))
		continue;
	(void)epoll_ctl(listeners, EPOLL_CTL_ADD, fd, &event);
}

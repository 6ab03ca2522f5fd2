/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which system calls each kind of thread and each need stands for: the one place that knows.
 *
 * Names that this architecture does not have are passed over, so that the lists hold for all.
 */
#include <errno.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <tenon/plugin.h>

#include "core/sandbox_parts.h"

#define KVM_IOCTLS 0xae00u                             /* the type of all of KVM's requests */
#define IS_THREAD  (uint64_t)(CLONE_VM | CLONE_THREAD) /* of clone's flags */

/* What every thread does: compute, allocate, wait, wake, read, write, close, and end. */
static const char *const base[] = { "brk", "clock_getres", "clock_gettime", "clock_nanosleep",
	"close", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait",
	"eventfd2", "exit", "exit_group", "fcntl", "fstat", "futex", "futex_waitv", "getcpu",
	"getegid", "geteuid", "getgid", "getpid", "getppid", "getrandom", "getrusage", "gettid",
	"gettimeofday", "getuid", "lseek", "madvise", "membarrier", "mincore", "mlock", "mlock2",
	"mremap", "msync", "munlock", "munmap", "nanosleep", "newfstatat", "poll", "pause", "ppoll",
	"pread64", "preadv", "preadv2", "pselect6", "pwrite64", "pwritev", "pwritev2", "read",
	"readv", "restart_syscall", "rseq", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn",
	"rt_sigsuspend", "rt_sigtimedwait", "sched_getaffinity", "sched_yield", "select",
	"set_robust_list", "sigaltstack", "stat", "statx", "sysinfo", "timerfd_create",
	"timerfd_gettime", "timerfd_settime", "times", "uname", "write", "writev", NULL };

/* What an event loop does besides; a vCPU does not. */
static const char *const loop[] = { "dup", "dup3", "pipe2", "prlimit64", "sched_getparam",
	"sched_getscheduler", "signalfd4", "wait4", NULL };

static const char *const files[] = { "access", "chmod", "copy_file_range", "creat", "faccessat",
	"faccessat2", "fadvise64", "fallocate", "fchmod", "fchmodat", "fdatasync", "flock", "fsync",
	"fstatfs", "ftruncate", "getcwd", "getdents64", "link", "linkat", "lstat", "mkdir",
	"mkdirat", "open", "openat", "openat2", "readahead", "readlink", "readlinkat", "rename",
	"renameat", "renameat2", "rmdir", "sendfile", "splice", "statfs", "symlink", "symlinkat",
	"sync_file_range", "tee", "truncate", "unlink", "unlinkat", "utimensat", NULL };

/* Messages on sockets that are open. */
static const char *const messages[] = { "getpeername", "getsockname", "getsockopt", "recvfrom",
	"recvmmsg", "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown", NULL };

static const char *const sockets[] = { "accept", "accept4", "bind", "connect", "lstat", "listen",
	"unlink", "unlinkat", NULL };

static const char *const threads[] = { "sched_get_priority_max", "sched_get_priority_min",
	"sched_setaffinity", "sched_setscheduler", "set_tid_address", "getpriority", "setpriority",
	NULL };

static const char *const io_uring[] = { "io_uring_enter", "io_uring_register", "io_uring_setup",
	NULL };

static const char *const processes[] = { "clone", "dup2", "execve", "execveat", "fork", "kill",
	"pidfd_open", "pidfd_send_signal", "setpgid", "setsid", "vfork", "wait4", "waitid", NULL };

/* What a vhost-user back end lives on. */
static const char *const backend[] = { "accept", "accept4", "fstatfs", "ftruncate", "memfd_create",
	NULL };

/* ---- conditions ---- */

static const struct sandbox_rule base_rules[] = {
	/* No code is made or loaded. */
	{ "mmap", 2, PROT_EXEC, 0, false, 0 },
	{ "mprotect", 2, PROT_EXEC, 0, false, 0 },
	/* The handler of SIGSYS stays ours; that it is may be asked. */
	{ "rt_sigaction", 0, UINT32_MAX, SIGSYS, true, 0 },
	{ "rt_sigaction", 1, UINT64_MAX, 0, false, 0 },
	{ "prctl", 0, UINT32_MAX, PR_SET_NAME, false, 0 },
	{ "prctl", 0, UINT32_MAX, PR_GET_NAME, false, 0 },
	/* What a terminal that is open is asked, and how it is restored. */
	{ "ioctl", 1, UINT32_MAX, TCGETS, false, 0 },
	{ "ioctl", 1, UINT32_MAX, TCSETS, false, 0 },
	{ "ioctl", 1, UINT32_MAX, TCSETSW, false, 0 },
	{ "ioctl", 1, UINT32_MAX, TCSETSF, false, 0 },
	{ "ioctl", 1, UINT32_MAX, TIOCGWINSZ, false, 0 },
	{ "ioctl", 1, UINT32_MAX, TIOCSWINSZ, false, 0 }, /* of one that is relayed */
	{ "ioctl", 1, UINT32_MAX, TIOCGPTN, false, 0 },
	{ "ioctl", 1, UINT32_MAX, FIONREAD, false, 0 },
	{ "ioctl", 1, UINT32_MAX, FIONBIO, false, 0 },
};

static const struct sandbox_rule kvm_rules[] = {
	{ "ioctl", 1, 0xff00, KVM_IOCTLS, false, 0 },
};

static const struct sandbox_rule thread_rules[] = {
	/* Its flags are in memory, where a filter sees nothing: the C library then asks clone. */
	{ "clone3", -1, 0, 0, false, ENOSYS },
	{ "clone", 0, IS_THREAD, IS_THREAD, false, 0 },
};

/*
 * Who wants a thread that is not declared, or to run a program, gets an error and no more: the C
 * library blocks all signals for these calls, and a report by one would never come.
 */
static const struct sandbox_rule threadless_rules[] = {
	{ "clone3", -1, 0, 0, false, ENOSYS },
	{ "clone", 0, IS_THREAD, IS_THREAD, false, EPERM },
};

static const struct sandbox_rule spawnless_rules[] = {
	{ "clone", 0, IS_THREAD, CLONE_VM, false, EPERM },
};

static const struct sandbox_rule socket_rules[] = {
	{ "socket", 0, UINT32_MAX, AF_UNIX, false, 0 },
	{ "socketpair", 0, UINT32_MAX, AF_UNIX, false, 0 },
};

static const struct sandbox_rule network_rules[] = {
	{ "socket", -1, 0, 0, false, 0 },
};

static const struct sandbox_rule device_rules[] = {
	{ "ioctl", -1, 0, 0, false, 0 },
};

#define RULES(array) array, sizeof(array) / sizeof((array)[0])

/* ---- needs ---- */

static const struct need {
	uint64_t bit;
	const char *name;
	uint64_t implies;
	const char *const *calls;
	const struct sandbox_rule *rules;
	size_t n_rules;
} needs[] = {
	{ TENON_NEEDS_FILES, "files", 0, files, NULL, 0 },
	{ TENON_NEEDS_SOCKETS, "sockets", 0, sockets, RULES(socket_rules) },
	{ TENON_NEEDS_NETWORK, "network", TENON_NEEDS_SOCKETS, NULL, RULES(network_rules) },
	{ TENON_NEEDS_THREADS, "threads", 0, threads, RULES(thread_rules) },
	{ TENON_NEEDS_IO_URING, "io_uring", 0, io_uring, NULL, 0 },
	{ TENON_NEEDS_PROCESSES, "processes", TENON_NEEDS_THREADS, processes, NULL, 0 },
	{ TENON_NEEDS_DEVICES, "devices", 0, NULL, RULES(device_rules) },
};
#define N_NEEDS (sizeof(needs) / sizeof(needs[0]))

const char *sandbox_need_name(uint64_t bit)
{
	for (size_t i = 0; i < N_NEEDS; i++)
		if (needs[i].bit == bit)
			return needs[i].name;
	return NULL;
}

struct sink {
	int (*each)(void *arg, const struct sandbox_rule *rule);
	void *arg;
};

static int give_calls(const struct sink *sink, const char *const *names)
{
	int ret = 0;

	for (; names && *names && ret == 0; names++) {
		const struct sandbox_rule rule = { .name = *names, .argument = -1 };

		ret = sink->each(sink->arg, &rule);
	}
	return ret;
}

static int give_rules(const struct sink *sink, const struct sandbox_rule *rules, size_t n)
{
	int ret = 0;

	for (size_t i = 0; i < n && ret == 0; i++)
		ret = sink->each(sink->arg, &rules[i]);
	return ret;
}

static uint64_t with_implied(uint64_t wanted)
{
	for (size_t i = 0; i < N_NEEDS; i++)
		if (wanted & needs[i].bit)
			wanted |= needs[i].implies;
	return wanted;
}

static int give_refusals(const struct sink *sink, uint64_t wanted)
{
	int ret = 0;

	if (!(wanted & TENON_NEEDS_THREADS))
		ret = give_rules(sink, RULES(threadless_rules));
	if (ret == 0 && !(wanted & TENON_NEEDS_PROCESSES))
		ret = give_rules(sink, RULES(spawnless_rules));
	return ret;
}

int sandbox_rules_base(const struct sandbox_grant *grant,
	int (*each)(void *arg, const struct sandbox_rule *rule), void *arg)
{
	const struct sink sink = { each, arg };
	/* A signal to one's own process alone: vCPUs are kicked by one. */
	const struct sandbox_rule own = { "tgkill", 0, UINT32_MAX, (uint64_t)getpid(), false, 0 };
	int ret = give_calls(&sink, base);

	if (ret == 0)
		ret = give_rules(&sink, RULES(base_rules));
	if (ret == 0)
		ret = each(arg, &own);
	if (ret == 0 && grant->kind != SANDBOX_CHILD)
		ret = give_rules(&sink, RULES(kvm_rules));
	if (ret == 0 && !grant->logs)
		ret = give_refusals(&sink, with_implied(grant->needs));
	return ret;
}

static int give_need(const struct sink *sink, const struct need *need)
{
	int ret = give_calls(sink, need->calls);

	return ret < 0 ? ret : give_rules(sink, need->rules, need->n_rules);
}

int sandbox_rules_more(const struct sandbox_grant *grant,
	int (*each)(void *arg, const struct sandbox_rule *rule), void *arg)
{
	const struct sink sink = { each, arg };
	const uint64_t wanted = with_implied(grant->needs);
	int ret = 0;

	if (grant->kind == SANDBOX_VCPU)
		return 0;
	ret = give_calls(&sink, loop);
	if (ret == 0)
		ret = give_calls(&sink, messages);
	if (ret == 0 && grant->kind == SANDBOX_CHILD)
		ret = give_calls(&sink, backend);
	for (size_t i = 0; i < N_NEEDS && ret == 0; i++)
		if (wanted & needs[i].bit)
			ret = give_need(&sink, &needs[i]);
	for (size_t i = 0; i < grant->n_lists && ret == 0; i++)
		ret = give_calls(&sink, grant->lists[i]);
	return ret;
}

/* ---- names ---- */

const char *sandbox_call_name(long number)
{
	switch (number) {
#define CALL(name)                                                                                 \
	case SYS_##name:                                                                           \
		return #name;
#include "core/system_calls.h"
#undef CALL
	default:
		return NULL;
	}
}

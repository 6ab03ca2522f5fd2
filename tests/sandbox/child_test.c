/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that hosts one device: what it tries once it is sealed fails, or ends it with a
 * sentence that names the call; and whoever started it lives.
 */
#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <tenon/plugin.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/log.h"
#include "core/sandbox.h"
#include "tests/sandbox/attempts.h"

static char folder[] = "/tmp/tenon-child-XXXXXX";
static char inside[64], outside[64];
static char said[4096];

/* What the child did: 0 = it worked, -errno, or 1 = it was ended with exit code 1. */
static int read_result(pid_t child, int fd)
{
	size_t n = 0;
	ssize_t more;
	int status;

	while ((more = read(fd, said + n, sizeof(said) - 1 - n)) > 0)
		n += (size_t)more;
	said[n] = '\0';
	(void)close(fd);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status))
		fail_msg("the child was ended by signal %d: %s", WTERMSIG(status), said);
	if (strstr(said, "forbidden"))
		return WEXITSTATUS(status);
	assert_int_not_equal(WEXITSTATUS(status), 255);
	return -WEXITSTATUS(status);
}

/* Not as root, whose processes nobody counts; files are everybody's here. */
static int leave_root(void)
{
	return geteuid() == 0 ? setgid(65534) | setuid(65534) : 0;
}

static int in_child(const struct sandbox_spec *spec, int (*fn)(void *arg), void *arg)
{
	pid_t child;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct error err = { .text = "" };

		(void)dup2(fds[1], STDERR_FILENO);
		if (leave_root() != 0 || sandbox_enter_child(spec, &err) < 0)
			_exit(255);
		_exit(-fn(arg));
	}
	(void)close(fds[1]);
	return read_result(child, fds[0]);
}

struct trial {
	const char *what, *path;
	pid_t victim;
};

static int run_trial(void *arg)
{
	const struct trial *t = arg;

	return attempt(t->what, t->path, t->victim);
}

static int tries(const struct sandbox_spec *spec, const char *what, const char *path)
{
	struct trial t = { what, path, getpid() };

	return in_child(spec, run_trial, &t);
}

static const struct sandbox_spec bare = { .mode = SANDBOX_ON, .device = "evil" };

static void what_is_not_declared_is_named(void **state)
{
	static const struct {
		const char *what, *call;
	} cases[] = { { "open", "openat" }, { "connect", "socket" }, { "exec", "execve" },
		{ "fork", "clone" }, { "ptrace", "ptrace" }, { "mmap-exec", "mmap" },
		{ "kill-core", "kill" }, { "memory-of-another", "openat" } };
	char wanted[160];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(tries(&bare, cases[i].what, inside), 1);
		(void)snprintf(wanted, sizeof(wanted),
			"sandbox: \"evil\" made the system call %s in its process, which is "
			"forbidden there",
			cases[i].call);
		if (!strstr(said, wanted))
			fail_msg("%s: it said '%s'", cases[i].what, said);
	}
	assert_int_equal(tries(&bare, "nothing", inside), 0);
	assert_int_equal(tries(&bare, "thread", inside), -EPERM);
	assert_int_equal(tries(&bare, "spawn", "/bin/true"), -EPERM);
}

static void paths_that_are_named_may_be_used(void **state)
{
	struct sandbox_path paths[] = { { inside, TENON_PATH_READ } };
	const struct sandbox_spec spec = { .mode = SANDBOX_ON,
		.device = "evil",
		.needs = TENON_NEEDS_FILES,
		.paths = paths,
		.n_paths = 1 };

	(void)state;
	assert_int_equal(tries(&spec, "open", inside), 0);
	assert_int_equal(tries(&spec, "write", inside), -EACCES);
	assert_int_equal(tries(&spec, "open", outside), -EACCES);
	assert_int_equal(tries(&spec, "remove", inside), -EACCES);
	paths[0].access |= TENON_PATH_WRITE;
	assert_int_equal(tries(&spec, "write", inside), 0);
}

static void a_child_with_all_needs_reaches_nobody(void **state)
{
	const struct sandbox_spec spec = { .mode = SANDBOX_ON,
		.device = "evil",
		.needs = ~(uint64_t)TENON_NEEDS_NETWORK,
		.max_fds = 64,
		.max_tasks = 8 };
	int bomb;

	(void)state;
	assert_int_equal(tries(&spec, "exec", "/bin/true"), -EACCES);
	assert_int_equal(tries(&spec, "kill-core", inside), -EPERM);
	assert_int_equal(tries(&spec, "ptrace", inside), 1);
	assert_int_equal(tries(&spec, "connect", inside), 1);
	assert_int_equal(tries(&spec, "mprotect-exec", inside), 1);
	assert_true(tries(&spec, "memory-of-another", inside) < 0);
	bomb = tries(&spec, "fork", inside);
	assert_int_equal(bomb, -EAGAIN);
}

/* Without privileges, not to be looked into, and no more to be had. */
static int look_at_self(void *arg)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	(void)arg;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return -ECHILD;
	if (prctl(PR_GET_DUMPABLE) != 0)
		return -EDOM;
	if (syscall(SYS_capget, &header, data) < 0)
		return -ERANGE;
	return data[0].permitted || data[1].permitted ? -EPERM : 0;
}

static void privileges_are_gone(void **state)
{
	static const char *const calls[] = { "capget", "prctl", NULL };
	struct sandbox_spec spec = bare;

	(void)state;
	spec.syscalls = calls;
	assert_int_equal(in_child(&spec, look_at_self, NULL), 0);
	spec.syscalls = NULL;
	assert_int_equal(in_child(&spec, look_at_self, NULL), 1);
}

static void a_pool_may_start_its_threads(void **state)
{
	struct sandbox_spec spec = bare;

	(void)state;
	spec.work_pool = true;
	assert_int_equal(tries(&spec, "thread", inside), 0);
	assert_int_equal(tries(&spec, "fork", inside), 1);
}

/* A message with a descriptor, as a vhost-user back end gets its memory. */
static int take_memory(void *arg)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	int fd;

	if (recvmsg(*(const int *)arg, &message, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&message))
		return -EIO;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED ? -errno
											 : 0;
}

static void memory_comes_by_messages(void **state)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .bytes = "" };
	struct iovec iov = { control.bytes, 1 };
	struct msghdr message = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	int fds[2], memory = memfd_create("shared", MFD_CLOEXEC);

	(void)state;
	assert_true(memory >= 0 && ftruncate(memory, 4096) == 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	control.align = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS
	};
	memcpy(CMSG_DATA(&control.align), &memory, sizeof(memory));
	assert_int_equal(sendmsg(fds[0], &message, 0), 1);
	assert_int_equal(in_child(&bare, take_memory, &fds[1]), 0);
	(void)close(memory);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void log_lets_it_go_on_and_says_so(void **state)
{
	struct sandbox_spec spec = bare;

	(void)state;
	spec.mode = SANDBOX_LOG;
	assert_int_equal(tries(&spec, "open", inside), 0);
	assert_non_null(strstr(said,
		"\"evil\" made the system call openat in its process, which \"on\" would forbid"));
	spec.mode = SANDBOX_OFF;
	assert_int_equal(tries(&spec, "open", inside), 0);
	assert_string_equal(said, "");
}

static void an_unknown_call_is_refused(void **state)
{
	static const char *const calls[] = { "read", "levitate", NULL };
	struct sandbox_spec spec = bare;
	struct error err = { .text = "" };

	(void)state;
	spec.syscalls = calls;
	assert_int_equal(sandbox_enter_child(&spec, &err), -EINVAL);
	assert_string_equal(err.text, "the sandbox: there is no system call \"levitate\", which a "
				      "device class lists");
}

static int write_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 || fchmod(fd, 0666) < 0 || close(fd) < 0 ? -1 : 0;
}

static int make_files(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || chmod(folder, 0777) < 0)
		return -1;
	(void)snprintf(inside, sizeof(inside), "%s/inside", folder);
	(void)snprintf(outside, sizeof(outside), "%s/outside", folder);
	return write_file(inside) | write_file(outside);
}

static int remove_files(void **state)
{
	(void)state;
	return unlink(inside) | unlink(outside) | rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_declared_is_named),
		cmocka_unit_test(paths_that_are_named_may_be_used),
		cmocka_unit_test(a_child_with_all_needs_reaches_nobody),
		cmocka_unit_test(privileges_are_gone),
		cmocka_unit_test(a_pool_may_start_its_threads),
		cmocka_unit_test(memory_comes_by_messages),
		cmocka_unit_test(log_lets_it_go_on_and_says_so),
		cmocka_unit_test(an_unknown_call_is_refused),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}

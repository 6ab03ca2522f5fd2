/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing a process that hosts one device: from the widest to the narrowest.  Limits and namespaces
 * come first, since they take privileges to make; then those go; then files; and last the calls
 * that all this was made with.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <tenon/plugin.h>

#include "core/error.h"
#include "core/log.h"
#include "core/sandbox_parts.h"

static void tell(const struct sandbox_spec *spec, const char *what, int ret)
{
	log_msg(LOG_LEVEL_INFO, "sandbox: %s: this host cannot %s: %s", spec->device, what,
		strerror(-ret));
}

/* ---- limits ---- */

static void limit(const struct sandbox_spec *spec, int resource, rlim_t most, const char *what)
{
	struct rlimit now, wanted = { most, most };

	if (getrlimit(resource, &now) == 0 && now.rlim_max < most)
		wanted.rlim_cur = wanted.rlim_max = now.rlim_max;
	if (setrlimit(resource, &wanted) < 0)
		tell(spec, what, -errno);
}

static void set_limits(const struct sandbox_spec *spec)
{
	limit(spec, RLIMIT_CORE, 0, "forbid core files");
	limit(spec, RLIMIT_MSGQUEUE, 0, "forbid message queues");
	if (spec->max_fds)
		limit(spec, RLIMIT_NOFILE, spec->max_fds, "limit descriptors");
	if (spec->max_tasks)
		limit(spec, RLIMIT_NPROC, spec->max_tasks, "limit processes");
}

/* ---- namespaces ---- */

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	(void)close(fd);
	return ret;
}

/* The same user inside as outside, and nobody else. */
static void map_user(const struct sandbox_spec *spec, uid_t uid, gid_t gid)
{
	char text[64];
	int ret;

	(void)write_file("/proc/self/setgroups", "deny");
	(void)snprintf(text, sizeof(text), "%u %u 1", (unsigned)uid, (unsigned)uid);
	ret = write_file("/proc/self/uid_map", text);
	(void)snprintf(text, sizeof(text), "%u %u 1", (unsigned)gid, (unsigned)gid);
	if (ret == 0)
		ret = write_file("/proc/self/gid_map", text);
	if (ret < 0)
		tell(spec, "map its user", ret);
}

static void leave(const struct sandbox_spec *spec, int what, const char *name)
{
	if (unshare(what) < 0)
		tell(spec, name, -errno);
}

static void leave_namespaces(const struct sandbox_spec *spec)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWUSER) == 0)
		map_user(spec, uid, gid);
	else
		tell(spec, "make a user namespace", -errno);
	leave(spec, CLONE_NEWIPC, "make an ipc namespace");
	if (!(spec->needs & TENON_NEEDS_NETWORK))
		leave(spec, CLONE_NEWNET, "make a net namespace");
	if (unshare(CLONE_NEWNS) < 0) {
		tell(spec, "make a mount namespace", -errno);
		return;
	}
	/* What is mounted here is seen nowhere else; and of other processes nothing is seen. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tenon", "/proc", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
			NULL) < 0)
		tell(spec, "hide /proc", -errno);
}

/* ---- files and calls ---- */

static void restrict_files(const struct sandbox_spec *spec, int ruleset)
{
	int ret = ruleset < 0 ? ruleset : sandbox_landlock_enter(ruleset);

	if (ret < 0)
		tell(spec, "restrict files (Landlock)", ret);
	if (ruleset >= 0)
		(void)close(ruleset);
}

static int build_filter(
	const struct sandbox_spec *spec, struct sandbox_filter *ret_filter, struct error *err)
{
	const char *const *list = spec->syscalls;
	const struct sandbox_grant grant = {
		.kind = SANDBOX_CHILD,
		.needs = spec->needs | (spec->work_pool ? TENON_NEEDS_THREADS : 0),
		.lists = &list,
		.n_lists = list != NULL,
		.logs = spec->mode == SANDBOX_LOG,
	};

	return sandbox_filter_build(ret_filter, &grant, spec->mode, NULL, err);
}

static int enforce(
	const struct sandbox_spec *spec, const struct sandbox_filter *filter, struct error *err)
{
	int ruleset, ret = sandbox_report_arm();

	if (ret < 0)
		return error_set(err, error_exit_code(ret), ret, "cannot prepare the sandbox: %s",
			strerror(-ret));
	(void)mallopt(M_ARENA_MAX, 4); /* else it would count CPUs, in a file */
	set_limits(spec);
	leave_namespaces(spec);
	/* Paths are opened while it may still be done. */
	ruleset = sandbox_landlock_create(spec->paths, spec->n_paths, spec->needs, true);
	ret = sandbox_drop_privileges(0);
	if (ret < 0)
		tell(spec, "take privileges away", ret);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		tell(spec, "hide its memory", -errno);
	restrict_files(spec, ruleset);
	ret = sandbox_filter_load(filter, spec->mode, true, SANDBOX_CHILD);
	if (ret < 0)
		log_msg(LOG_LEVEL_WARN, "sandbox: %s: this host cannot filter system calls: %s",
			spec->device, strerror(-ret));
	return 0;
}

static int only_log(
	const struct sandbox_spec *spec, const struct sandbox_filter *filter, struct error *err)
{
	int ret = sandbox_report_listen();

	if (ret < 0)
		return error_set(err, error_exit_code(ret), ret, "cannot prepare the sandbox: %s",
			strerror(-ret));
	ret = sandbox_drop_privileges(UINT64_MAX);
	if (ret == 0)
		ret = sandbox_filter_load(filter, spec->mode, false, SANDBOX_CHILD);
	if (ret < 0)
		log_msg(LOG_LEVEL_WARN, "sandbox: %s: this host cannot report system calls: %s",
			spec->device, strerror(-ret));
	return 0;
}

int sandbox_enter_child(const struct sandbox_spec *spec, struct error *err)
{
	struct sandbox_filter filter;
	int ret;

	if (spec->mode == SANDBOX_OFF)
		return 0;
	if (!SANDBOX_BUILT) {
		log_msg(LOG_LEVEL_DEBUG, "sandbox: it is off in a build with sanitizers");
		return 0;
	}
	ret = build_filter(spec, &filter, err);
	if (ret < 0)
		return ret;
	sandbox_report_child(spec->device);
	ret = spec->mode == SANDBOX_ON ? enforce(spec, &filter, err) : only_log(spec, &filter, err);
	sandbox_filter_free(&filter);
	return ret;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files: Landlock, asked in its own words.  Rights are numbers of the kernel's interface; the
 * kernel says how many of its versions it has, which may be more or fewer than the headers know, so
 * the newer ones stand here.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <tenon/plugin.h>

#include "core/log.h"
#include "core/sandbox_parts.h"

#define FS_REFER      (1ull << 13) /* version 2 */
#define FS_TRUNCATE   (1ull << 14) /* 3 */
#define FS_IOCTL_DEV  (1ull << 15) /* 5 */
#define NET_TCP       3ull         /* 4: bind and connect */
#define SCOPE_OUTSIDE 3ull         /* 6: abstract unix sockets, signals */
#define FS_FIRST      ((1ull << 13) - 1)

#define OF_FILES                                                                                   \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |                              \
		LANDLOCK_ACCESS_FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

/* As the kernel has it: it takes a shorter one too, and a longer one whose end is 0. */
struct ruleset {
	uint64_t fs, net, scoped;
};

int sandbox_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? -errno : (int)abi;
}

static struct ruleset handled(int abi, uint64_t needs, bool scoped)
{
	struct ruleset r = { .fs = FS_FIRST };

	if (abi >= 2)
		r.fs |= FS_REFER;
	if (abi >= 3)
		r.fs |= FS_TRUNCATE;
	if (abi >= 4 && !(needs & TENON_NEEDS_NETWORK))
		r.net = NET_TCP;
	if (abi >= 5)
		r.fs |= FS_IOCTL_DEV;
	if (abi >= 6 && scoped)
		r.scoped = SCOPE_OUTSIDE;
	return r;
}

static int add(int ruleset, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights };
	struct stat st;
	int ret;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return -errno;
	if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &= OF_FILES;
	ret = rule.allowed_access == 0 || syscall(SYS_landlock_add_rule, ruleset,
						  LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0
		      ? 0
		      : -errno;
	(void)close(rule.parent_fd);
	return ret;
}

static uint64_t rights_itself(uint32_t access, uint64_t needs)
{
	uint64_t rights = 0;

	if (access & TENON_PATH_READ)
		rights |= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
	if (access & TENON_PATH_WRITE)
		rights |= LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE;
	if (access && (needs & TENON_NEEDS_DEVICES))
		rights |= FS_IOCTL_DEV;
	return rights;
}

/* Making and removing are rights in the folder; so is what is done to a file that is yet to be. */
static uint64_t rights_in_folder(uint32_t access)
{
	uint64_t rights = 0;

	if (access & TENON_PATH_CREATE)
		rights |= rights_itself(access, 0) | LANDLOCK_ACCESS_FS_MAKE_REG |
			  LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
			  LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_MAKE_DIR;
	if (access & TENON_PATH_REMOVE)
		rights |= LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR;
	return rights;
}

static int add_folder(int ruleset, const char *path, uint64_t rights)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return add(ruleset, path, rights);
	if (!slash)
		return add(ruleset, ".", rights);
	if (snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path + 1), path) >=
		(int)sizeof(folder))
		return -ENAMETOOLONG;
	return add(ruleset, folder, rights);
}

static void add_path(
	int ruleset, const struct sandbox_path *p, uint64_t needs, const struct ruleset *handles)
{
	uint64_t itself = rights_itself(p->access, needs) & handles->fs;
	uint64_t folder = rights_in_folder(p->access) & handles->fs;
	int ret = itself ? add(ruleset, p->path, itself) : 0;

	if (ret == -ENOENT)
		ret = 0; /* it may come, if its folder may be written to */
	if (ret == 0 && folder)
		ret = add_folder(ruleset, p->path, folder);
	if (ret < 0)
		log_msg(LOG_LEVEL_INFO, "sandbox: \"%s\" stays out of reach: %s", p->path,
			strerror(-ret));
}

int sandbox_landlock_create(const struct sandbox_path *paths, size_t n, uint64_t needs, bool scoped)
{
	int abi = sandbox_landlock_abi(), fd;
	struct ruleset handles;

	if (abi < 0)
		return abi;
	handles = handled(abi, needs, scoped);
	fd = (int)syscall(SYS_landlock_create_ruleset, &handles, sizeof(handles), 0);
	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < n; i++)
		add_path(fd, &paths[i], needs, &handles);
	return fd;
}

int sandbox_landlock_enter(int ruleset)
{
	return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
}

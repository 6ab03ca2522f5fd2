/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Six device plugins are wanted.  Those that the tree has and that need no settings come first;
 * what is missing are copies of the entropy source under other names, which the dynamic linker
 * takes for modules of their own: each is mapped, relocated, initialised and written to apart.
 */
#include "setup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLUGINS "lib/tenon/0"
#define WANTED  6u

static const char *const own[WANTED] = { "serial", "console", "rng", "power", "rtc", "bootmark" };

static int fail(const char *what, const char *path)
{
	int err = errno ? errno : EIO;

	(void)fprintf(stderr, "startup: cannot %s \"%s\": %s\n", what, path, strerror(err));
	return -err;
}

static bool in_tree(const struct setup *s, const char *type)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/" PLUGINS "/%s.so", s->build, type);
	return access(path, R_OK) == 0;
}

static int copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out = -1;
	ssize_t n = -1;

	if (in >= 0)
		out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (out >= 0)
		while ((n = sendfile(out, in, NULL, 1 << 20)) > 0)
			;
	if (n < 0)
		(void)fail(in < 0 ? "read" : "write", in < 0 ? from : to);
	if (in >= 0)
		(void)close(in);
	if (out >= 0)
		(void)close(out);
	return n < 0 ? -EIO : 0;
}

/* Pages that are yet to be written out would be taken for their users' own dirty ones. */
static void write_out(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

static void write_all_out(const struct setup *s)
{
	char path[PATH_MAX];

	write_out(s->tenon);
	write_out(s->bare);
	write_out(s->wait_guest);
	(void)snprintf(path, sizeof(path), "%s/lib/tenon/core/kvm.so", s->build);
	write_out(path);
	for (unsigned i = 0; i < WANTED; i++) {
		if (i < s->n_own)
			(void)snprintf(
				path, sizeof(path), "%s/" PLUGINS "/%s.so", s->build, own[i]);
		else
			(void)snprintf(path, sizeof(path), "%s/copy-%u.so", s->folder, i);
		write_out(path);
	}
}

static int make_copies(const struct setup *s)
{
	char from[PATH_MAX], to[PATH_MAX];
	int ret = 0;

	(void)snprintf(from, sizeof(from), "%s/" PLUGINS "/rng.so", s->build);
	for (unsigned i = s->n_own; i < WANTED && ret == 0; i++) {
		(void)snprintf(to, sizeof(to), "%s/copy-%u.so", s->folder, i);
		ret = copy(from, to);
	}
	if (ret == 0 && mkdir(s->listed, 0700) < 0)
		ret = fail("make", s->listed);
	for (unsigned i = 0; i < SETUP_LISTED && ret == 0; i++) {
		int n = snprintf(to, sizeof(to), "%s/trap-%02u.so", s->listed, i);

		ret = n > 0 && (size_t)n < sizeof(to) ? copy(s->trap, to) : -ENAMETOOLONG;
	}
	return ret;
}

int setup_create(struct setup *s, const char *build, unsigned memory_mib, unsigned cpus)
{
	const char *temp = getenv("TMPDIR");
	int n, ret;

	*s = (struct setup){ .build = build, .memory_mib = memory_mib, .cpus = cpus };
	n = snprintf(s->folder, sizeof(s->folder), "%s/tenon-startup-XXXXXX", temp ? temp : "/tmp");
	if (n < 0 || (size_t)n >= sizeof(s->folder) || !mkdtemp(s->folder)) {
		s->folder[0] = '\0';
		return fail("make a folder in", temp ? temp : "/tmp");
	}
	(void)snprintf(s->tenon, sizeof(s->tenon), "%s/bin/tenon", build);
	(void)snprintf(s->bare, sizeof(s->bare), "%s/tests/bare_kvm", build);
	(void)snprintf(s->first_guest, sizeof(s->first_guest), "%s/tests/first_guest", build);
	(void)snprintf(s->wait_guest, sizeof(s->wait_guest), "%s/tests/wait_guest", build);
	(void)snprintf(s->trap, sizeof(s->trap), "%s/tests/bench-trap.so", build);
	(void)snprintf(s->listed, sizeof(s->listed), "%s/listed", s->folder);
	while (s->n_own < WANTED && in_tree(s, own[s->n_own]))
		s->n_own++;
	ret = make_copies(s);
	if (ret == 0)
		write_all_out(s);
	return ret;
}

static void remove_all(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (d->d_name[0] != '.')
			(void)unlinkat(dirfd(dir), d->d_name, 0);
	if (dir)
		(void)closedir(dir);
	(void)rmdir(folder);
}

void setup_destroy(struct setup *s)
{
	if (!s->folder[0])
		return;
	remove_all(s->listed);
	remove_all(s->folder);
}

static void write_device(const struct setup *s, unsigned i, FILE *out)
{
	(void)fprintf(out, "%s\n\t{ name = \"d%u\"; ", i ? "," : "", i);
	if (i < s->n_own)
		(void)fprintf(out, "type = \"%s\"; }", own[i]);
	else if (i < WANTED)
		(void)fprintf(out, "type = \"rng\"; plugin = \"%s/copy-%u.so\"; }", s->folder, i);
	else
		(void)fprintf(out, "type = \"rng\"; }");
}

int setup_config(const struct setup *s, const char *guest, unsigned n_devices, char path[PATH_MAX])
{
	FILE *out;

	(void)snprintf(path, PATH_MAX, "%s/%u.cfg", s->folder, n_devices);
	out = fopen(path, "we");
	if (!out)
		return fail("write", path);
	(void)fprintf(out,
		"vm: { name = \"bench\"; vcpus = %u; memory = \"%uM\"; hypervisor = \"kvm\";\n"
		"\tshutdown_timeout = 0; };\n"
		"payload: { kernel = \"%s\"; };\ndevices = (",
		s->cpus, s->memory_mib, guest);
	for (unsigned i = 0; i < n_devices; i++)
		write_device(s, i, out);
	(void)fputs(" );\n", out);
	return fclose(out) == 0 ? 0 : fail("write", path);
}

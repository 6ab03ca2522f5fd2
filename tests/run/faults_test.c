/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole machine is read, built, run through a reset, and taken down again and again, and each
 * time another call that the core makes of the host fails: allocations, mappings, descriptors,
 * threads. It ends with one sentence and exit code 3, or as if nothing had happened; nothing hangs,
 * and the sanitizers see that nothing is left.
 *
 * The linker sends the calls through the functions below (-Wl,--wrap): they fail when their turn
 * comes.  Plugins and the backend are not linked in; their failures are scripted elsewhere.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/config.h"
#include "core/error.h"
#include "core/log.h"
#include "core/vm.h"

#include <cmocka.h> /* last: it has a macro named fail */

static atomic_uint calls;
static unsigned failing; /* the number of the call that fails; 0 = none */
static _Atomic(const char *) failed;

static bool fails(const char *what)
{
	if (atomic_fetch_add(&calls, 1) + 1 != failing)
		return false;
	atomic_store(&failed, what);
	return true;
}

#define WRAP(type, name, parameters, arguments, error, result)                                     \
	type __real_##name parameters;                                                             \
	type __wrap_##name parameters;                                                             \
	type __wrap_##name parameters                                                              \
	{                                                                                          \
		if (!fails(#name))                                                                 \
			return __real_##name arguments;                                            \
		errno = (error);                                                                   \
		return result;                                                                     \
	}

/* clang-format off */
WRAP(void *, malloc, (size_t size), (size), ENOMEM, NULL)
WRAP(void *, calloc, (size_t n, size_t size), (n, size), ENOMEM, NULL)
WRAP(void *, realloc, (void *old, size_t size), (old, size), ENOMEM, NULL)
WRAP(char *, strdup, (const char *text), (text), ENOMEM, NULL)
WRAP(char *, strndup, (const char *text, size_t n), (text, n), ENOMEM, NULL)
WRAP(void *, mmap64, (void *at, size_t size, int prot, int flags, int fd, off_t from),
	(at, size, prot, flags, fd, from), ENOMEM, MAP_FAILED)
WRAP(int, memfd_create, (const char *name, unsigned flags), (name, flags), EMFILE, -1)
WRAP(int, ftruncate64, (int fd, off_t size), (fd, size), EFBIG, -1)
WRAP(int, eventfd, (unsigned value, int flags), (value, flags), EMFILE, -1)
WRAP(int, signalfd, (int fd, const sigset_t *mask, int flags), (fd, mask, flags), EMFILE, -1)
WRAP(int, epoll_create1, (int flags), (flags), EMFILE, -1)
WRAP(int, epoll_ctl, (int epoll, int op, int fd, struct epoll_event *event),
	(epoll, op, fd, event), ENOSPC, -1)
WRAP(int, getentropy, (void *to, size_t size), (to, size), EIO, -1)
WRAP(int, pthread_create,
	(pthread_t *thread, const pthread_attr_t *attr, void *(*main)(void *), void *arg),
	(thread, attr, main, arg), EAGAIN, EAGAIN)
/* clang-format on */

static const char description[] =
	"vm: { name = \"faults\"; vcpus = 2; memory = \"64M\"; hypervisor = \"null\";\n"
	"sandbox = \"off\"; };\n" /* what is sealed stays so, and this process goes on */
	"payload: { kernel = \"" KERNEL "\"; cmdline = \"hello\"; };\n"
	"devices = (\n"
	"  { type = \"rng\"; iothread = \"one\"; },\n"
	"  { type = \"console\"; },\n"
	"  { type = \"serial\"; },\n"
	"  { type = \"power\"; }\n"
	");\n";

static const char script[] = "pio-write 0x3f8 1 0x41\n"
			     "mmio-write 0xd0000070 4 3\n"
			     "mmio-write 0xd0001108 4 0x41\n"
			     "pio-write 0x606 1 1\n"
			     "mmio-read 0xd0000070 4 expect 0\n"
			     "pio-write 0x3f8 1 0x42\n"
			     "pio-write 0x604 1 0x34\n";

static int run_machine(const struct vm_config *config, struct error *err)
{
	struct vm vm = { .config = config };
	int ret = vm_build(&vm, err);

	if (ret < 0)
		return ret;
	ret = vm_run(&vm, err);
	vm_destroy(&vm);
	return ret;
}

static int whole(struct error *err)
{
	struct vm_config *config;
	int ret = vm_config_read_string(
		description, sizeof(description) - 1, "faults.cfg", NULL, 0, &config, err);

	if (ret < 0)
		return ret;
	ret = run_machine(config, err);
	vm_config_free(config);
	return ret;
}

static const char *const kinds[] = { "malloc", "calloc", "strdup", "strndup", "mmap64",
	"memfd_create", "ftruncate64", "eventfd", "signalfd", "epoll_create1", "epoll_ctl",
	"getentropy", "pthread_create", "realloc" };

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static size_t kind_of(const char *name)
{
	size_t i = 0;

	while (strcmp(kinds[i], name) != 0)
		i++;
	return i;
}

static void every_call_fails_once(void **state)
{
	unsigned refused = 0, borne = 0, seen[N_KINDS] = { 0 };

	for (unsigned n = 1;; n++) {
		struct error err = { .text = "" };
		int ret;

		failing = n;
		atomic_store(&calls, 0);
		atomic_store(&failed, NULL);
		(void)alarm(20);
		ret = whole(&err);
		failing = 0;
		if (!atomic_load(&failed)) {
			assert_int_equal(ret, 0);
			break;
		}
		seen[kind_of(atomic_load(&failed))]++;
		borne += ret == 0;
		refused += ret < 0;
		if (ret < 0 && (!err.text[0] || err.exit_code != EXIT_HOST))
			fail_msg("call %u (%s): %d, exit code %d, \"%s\"", n, atomic_load(&failed),
				ret, (int)err.exit_code, err.text);
		if (ret == 0 && err.text[0])
			fail_msg("call %u (%s): no error, but \"%s\"", n, atomic_load(&failed),
				err.text);
	}
	(void)fprintf(stderr, "%u calls: %u refused, %u borne\n", refused + borne, refused, borne);
	for (size_t i = 0; i < N_KINDS; i++)
		if (seen[i] == 0)
			fail_msg("%s is never called: what stands for it?", kinds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_fails_once),
	};
	char path[] = "/tmp/tenon-faults-XXXXXX";
	int fd = mkstemp(path), ret;

	if (fd < 0 || write(fd, script, sizeof(script) - 1) < 0 || log_open("/dev/null") < 0)
		return 1;
	(void)close(fd);
	/* What the machines print is not looked at. */
	if (!freopen("/dev/null", "w", stdout))
		return 1;
	(void)setenv("TENON_NULL_SCRIPT", path, 1);
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	(void)log_open(NULL);
	(void)unlink(path);
	return ret;
}

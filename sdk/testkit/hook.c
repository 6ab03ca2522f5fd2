/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fault injection.
 *
 * The functions of the C library that a plugin calls are addresses in its own table of imported
 * symbols, filled in by the dynamic linker.  The kit walks the module's relocations and puts
 * functions of its own there.  So the file under test is the very one that ships, needs no special
 * link of the test program, and calls of the kit, of the C library and of a sanitizer are not
 * disturbed.  Libraries that the plugin brings along are not touched either: what fails is what the
 * plugin's own code asks for.
 */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sdk/testkit/hook.h"
#include "sdk/testkit/kit.h"

static _Atomic unsigned calls[TK_FAIL_KINDS], turn[TK_FAIL_KINDS];
static _Atomic int fired, error_as;

bool kit_inject(unsigned kind)
{
	unsigned n = atomic_fetch_add(&calls[kind], 1) + 1;

	if (n != atomic_load(&turn[kind]))
		return false;
	atomic_store(&fired, 1);
	return true;
}

void tk_fail_nth(unsigned kind, unsigned n)
{
	if (kind >= TK_FAIL_KINDS)
		kit_fail("there is no kind %u of faults", kind);
	for (unsigned i = 0; i < TK_FAIL_KINDS; i++) {
		atomic_store(&turn[i], i == kind ? n : 0);
		atomic_store(&calls[i], 0);
	}
	atomic_store(&fired, 0);
	atomic_store(&error_as, 0);
}

void tk_fail_as(int error)
{
	atomic_store(&error_as, error);
}

int tk_fail_fired(void)
{
	return atomic_load(&fired);
}

unsigned tk_calls(unsigned kind)
{
	return kind < TK_FAIL_KINDS ? atomic_load(&calls[kind]) : 0;
}

static bool fails(unsigned kind)
{
	static const int errors[] = { ENOMEM, ENOMEM, EIO, EIO, EMFILE };

	if (!kit_inject(kind))
		return false;
	errno = atomic_load(&error_as) ? atomic_load(&error_as) : errors[kind];
	return true;
}

/* ---- memory ---- */

static void *hook_malloc(size_t n)
{
	return fails(TK_FAIL_ALLOC) ? NULL : blocks_add(malloc(n));
}

static void *hook_calloc(size_t n, size_t size)
{
	return fails(TK_FAIL_ALLOC) ? NULL : blocks_add(calloc(n, size));
}

static void hook_free(void *p)
{
	blocks_remove(p);
	free(p);
}

static void *hook_realloc(void *p, size_t n)
{
	uintptr_t old = (uintptr_t)p;
	void *now;

	if (fails(TK_FAIL_ALLOC))
		return NULL;
	now = realloc(p, n);
	if (now || n == 0) /* only its address: NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		blocks_remove((const void *)old);
	return blocks_add(now);
}

static void *hook_reallocarray(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return hook_realloc(p, bytes);
}

static void *hook_aligned_alloc(size_t align, size_t n)
{
	return fails(TK_FAIL_ALLOC) ? NULL : blocks_add(aligned_alloc(align, n));
}

static int hook_posix_memalign(void **ret, size_t align, size_t n)
{
	int error = fails(TK_FAIL_ALLOC) ? ENOMEM : posix_memalign(ret, align, n);

	if (error == 0)
		(void)blocks_add(*ret);
	return error;
}

static char *hook_strdup(const char *text)
{
	return fails(TK_FAIL_ALLOC) ? NULL : blocks_add(strdup(text));
}

static char *hook_strndup(const char *text, size_t n)
{
	return fails(TK_FAIL_ALLOC) ? NULL : blocks_add(strndup(text, n));
}

__attribute__((format(printf, 2, 0))) static int hook_vasprintf(
	char **ret, const char *format, va_list args)
{
	int n = fails(TK_FAIL_ALLOC) ? -1 : vasprintf(ret, format, args);

	if (n >= 0)
		(void)blocks_add(*ret);
	return n;
}

__attribute__((format(printf, 2, 3))) static int hook_asprintf(char **ret, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = hook_vasprintf(ret, format, args);
	va_end(args);
	return n;
}

__attribute__((format(printf, 3, 4))) static int hook_asprintf_chk(
	char **ret, int flag, const char *format, ...)
{
	va_list args;
	int n;

	(void)flag;
	va_start(args, format);
	n = hook_vasprintf(ret, format, args);
	va_end(args);
	return n;
}

__attribute__((format(printf, 3, 0))) static int hook_vasprintf_chk(
	char **ret, int flag, const char *format, va_list args)
{
	(void)flag;
	return hook_vasprintf(ret, format, args);
}

/* ---- input ---- */

static ssize_t hook_read(int fd, void *to, size_t n)
{
	return fails(TK_FAIL_READ) ? -1 : read(fd, to, n);
}

static ssize_t hook_read_chk(int fd, void *to, size_t n, size_t room)
{
	if (n > room)
		abort();
	return hook_read(fd, to, n);
}

static ssize_t hook_pread(int fd, void *to, size_t n, off_t at)
{
	return fails(TK_FAIL_READ) ? -1 : pread(fd, to, n, at);
}

static ssize_t hook_pread_chk(int fd, void *to, size_t n, off_t at, size_t room)
{
	if (n > room)
		abort();
	return hook_pread(fd, to, n, at);
}

static ssize_t hook_readv(int fd, const struct iovec *iov, int n)
{
	return fails(TK_FAIL_READ) ? -1 : readv(fd, iov, n);
}

static ssize_t hook_preadv(int fd, const struct iovec *iov, int n, off_t at)
{
	return fails(TK_FAIL_READ) ? -1 : preadv(fd, iov, n, at);
}

static ssize_t hook_recv(int fd, void *to, size_t n, int flags)
{
	return fails(TK_FAIL_READ) ? -1 : recv(fd, to, n, flags);
}

static ssize_t hook_recvmsg(int fd, struct msghdr *m, int flags)
{
	return fails(TK_FAIL_READ) ? -1 : recvmsg(fd, m, flags);
}

static ssize_t hook_getrandom(void *to, size_t n, unsigned flags)
{
	return fails(TK_FAIL_READ) ? -1 : getrandom(to, n, flags);
}

/* ---- output ---- */

static ssize_t hook_write(int fd, const void *from, size_t n)
{
	return fails(TK_FAIL_WRITE) ? -1 : write(fd, from, n);
}

static ssize_t hook_pwrite(int fd, const void *from, size_t n, off_t at)
{
	return fails(TK_FAIL_WRITE) ? -1 : pwrite(fd, from, n, at);
}

static ssize_t hook_writev(int fd, const struct iovec *iov, int n)
{
	return fails(TK_FAIL_WRITE) ? -1 : writev(fd, iov, n);
}

static ssize_t hook_pwritev(int fd, const struct iovec *iov, int n, off_t at)
{
	return fails(TK_FAIL_WRITE) ? -1 : pwritev(fd, iov, n, at);
}

static ssize_t hook_send(int fd, const void *from, size_t n, int flags)
{
	return fails(TK_FAIL_WRITE) ? -1 : send(fd, from, n, flags);
}

static ssize_t hook_sendmsg(int fd, const struct msghdr *m, int flags)
{
	return fails(TK_FAIL_WRITE) ? -1 : sendmsg(fd, m, flags);
}

/* ---- descriptors ---- */

static int hook_open(const char *path, int flags, ...)
{
	mode_t mode;
	va_list args;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	return fails(TK_FAIL_OPEN) ? -1 : open(path, flags, mode);
}

static int hook_open_2(const char *path, int flags)
{
	return fails(TK_FAIL_OPEN) ? -1 : open(path, flags, 0);
}

static int hook_openat(int folder, const char *path, int flags, ...)
{
	mode_t mode;
	va_list args;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	return fails(TK_FAIL_OPEN) ? -1 : openat(folder, path, flags, mode);
}

static int hook_socket(int domain, int type, int protocol)
{
	return fails(TK_FAIL_OPEN) ? -1 : socket(domain, type, protocol);
}

static int hook_eventfd(unsigned value, int flags)
{
	return fails(TK_FAIL_OPEN) ? -1 : eventfd(value, flags);
}

static int hook_memfd_create(const char *name, unsigned flags)
{
	return fails(TK_FAIL_OPEN) ? -1 : memfd_create(name, flags);
}

/* ---- the table of imported symbols ---- */

#define HOOK(name)                                                                                 \
	{                                                                                          \
#name, (void (*)(void))hook_##name                                                 \
	}
#define HOOK_AS(text, fn)                                                                          \
	{                                                                                          \
		text, (void (*)(void))hook_##fn                                                    \
	}

static const struct {
	const char *name;
	void (*fn)(void);
} hooks[] = {
	HOOK(malloc),
	HOOK(free),
	HOOK(calloc),
	HOOK(realloc),
	HOOK(reallocarray),
	HOOK(aligned_alloc),
	HOOK(posix_memalign),
	HOOK(strdup),
	HOOK(strndup),
	HOOK_AS("__strdup", strdup),
	HOOK_AS("__strndup", strndup),
	HOOK(asprintf),
	HOOK(vasprintf),
	HOOK_AS("__asprintf_chk", asprintf_chk),
	HOOK_AS("__vasprintf_chk", vasprintf_chk),
	HOOK(read),
	HOOK_AS("__read_chk", read_chk),
	HOOK(pread),
	HOOK_AS("pread64", pread),
	HOOK_AS("__pread_chk", pread_chk),
	HOOK_AS("__pread64_chk", pread_chk),
	HOOK(readv),
	HOOK(preadv),
	HOOK_AS("preadv64", preadv),
	HOOK(recv),
	HOOK(recvmsg),
	HOOK(getrandom),
	HOOK(write),
	HOOK(pwrite),
	HOOK_AS("pwrite64", pwrite),
	HOOK(writev),
	HOOK(pwritev),
	HOOK_AS("pwritev64", pwritev),
	HOOK(send),
	HOOK(sendmsg),
	HOOK(open),
	HOOK_AS("open64", open),
	HOOK_AS("__open_2", open_2),
	HOOK_AS("__open64_2", open_2),
	HOOK(openat),
	HOOK_AS("openat64", openat),
	HOOK(socket),
	HOOK(eventfd),
	HOOK(memfd_create),
};

#if defined(__x86_64__)
#define REL_JUMP R_X86_64_JUMP_SLOT
#define REL_GLOB R_X86_64_GLOB_DAT
#define REL_ABS  R_X86_64_64
#elif defined(__aarch64__)
#define REL_JUMP R_AARCH64_JUMP_SLOT
#define REL_GLOB R_AARCH64_GLOB_DAT
#define REL_ABS  R_AARCH64_ABS64
#else
#define REL_JUMP R_RISCV_JUMP_SLOT
#define REL_GLOB R_RISCV_64
#define REL_ABS  R_RISCV_64
#endif

struct tables {
	const struct link_map *map;
	const ElfW(Sym) * symbols;
	const char *names;
	const ElfW(Rela) * relocations[2];
	size_t sizes[2];
};

/* Some dynamic linkers leave addresses in the dynamic section as the file has them. */
static const void *address(const struct link_map *map, ElfW(Addr) value)
{
	return (const void *)(value < map->l_addr ? value + map->l_addr : value);
}

static void find_tables(const struct link_map *map, struct tables *t)
{
	*t = (struct tables){ .map = map };
	for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_SYMTAB)
			t->symbols = address(map, d->d_un.d_ptr);
		else if (d->d_tag == DT_STRTAB)
			t->names = address(map, d->d_un.d_ptr);
		else if (d->d_tag == DT_RELA)
			t->relocations[0] = address(map, d->d_un.d_ptr);
		else if (d->d_tag == DT_RELASZ)
			t->sizes[0] = d->d_un.d_val;
		else if (d->d_tag == DT_JMPREL)
			t->relocations[1] = address(map, d->d_un.d_ptr);
		else if (d->d_tag == DT_PLTRELSZ)
			t->sizes[1] = d->d_un.d_val;
	}
}

static void put(void *slot, void (*fn)(void))
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	void *at = (void *)((uintptr_t)slot & ~(page - 1));

	/* The table was made read-only after it was filled; a page of its own stays writable. */
	if (mprotect(at, page, PROT_READ | PROT_WRITE) < 0)
		kit_fail("cannot open the plugin's table of symbols: %s", strerror(errno));
	memcpy(slot, &fn, sizeof(fn));
}

static void patch(const struct tables *t, const ElfW(Rela) * r)
{
	unsigned long type = ELF64_R_TYPE(r->r_info);
	const char *name;

	if ((type != REL_JUMP && type != REL_GLOB && type != REL_ABS) || r->r_addend != 0)
		return;
	name = t->names + t->symbols[ELF64_R_SYM(r->r_info)].st_name;
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		if (strcmp(hooks[i].name, name) == 0)
			put((void *)(t->map->l_addr + r->r_offset), hooks[i].fn);
}

void kit_hook(void *module)
{
	struct link_map *map;
	struct tables t;

	if (dlinfo(module, RTLD_DI_LINKMAP, &map) < 0)
		kit_fail("cannot look into the plugin: %s", dlerror());
	find_tables(map, &t);
	for (int i = 0; i < 2 && t.symbols && t.names; i++)
		for (size_t n = 0; n < t.sizes[i] / sizeof(ElfW(Rela)); n++)
			patch(&t, &t.relocations[i][n]);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bundles, written by hand: no compiler or linker is needed to make one.
 *
 * The library has five segments: its tables, two small functions, the dynamic section, the kernel
 * and the initrd, each on pages of its own.  The kernel's room past its stored bytes costs nothing
 * in the file: it is memory that the dynamic linker leaves zeroed.  The functions are those of the
 * libkrunfw contract:
 *
 *   char *krunfw_get_kernel(size_t *load_address, size_t *entry_address, size_t *size);
 *   char *krunfw_get_initrd(size_t *size);
 */
#include "core/bundle.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bundle_code.h"
#include "core/error.h"

#define PAGE      4096ull
#define TEXT_AT   0x1000ull
#define DYN_AT    0x2000ull
#define KERNEL_AT 0x3000ull
#define N_SYMBOLS 3

static const char strings[] = "\0krunfw_get_kernel\0krunfw_get_initrd\0libtenon-bundle.so";

#define NAME_KERNEL 1
#define NAME_INITRD 19
#define NAME_SELF   37

/* The first page. */
struct tables {
	Elf64_Ehdr head;
	Elf64_Phdr segments[8];
	Elf64_Sym symbols[N_SYMBOLS];
	uint32_t hash[2 + 1 + N_SYMBOLS]; /* nbucket, nchain, one bucket, chains */
	char strings[sizeof(strings)];
};

_Static_assert(sizeof(struct tables) <= PAGE, "the tables fit their page");

struct layout {
	uint64_t kernel_at, kernel_file, kernel_room; /* all in pages */
	uint64_t initrd_at, initrd_file_at, initrd_size;
	bool has_initrd;
};

static uint64_t pages(uint64_t size)
{
	return (size + PAGE - 1) & ~(PAGE - 1);
}

static struct layout lay_out(const struct bundle_contents *c)
{
	struct layout l = {
		.kernel_at = KERNEL_AT,
		.kernel_file = pages(c->kernel_size),
		.kernel_room = pages(c->kernel_room),
		.has_initrd = c->initrd != NULL,
		.initrd_size = c->initrd_size,
	};

	l.initrd_at = l.kernel_at + l.kernel_room;
	l.initrd_file_at = l.kernel_at + l.kernel_file;
	return l;
}

/* ---- ELF ---- */

static void write_head(struct tables *t, const struct bundle_code *code, unsigned n_segments)
{
	t->head = (Elf64_Ehdr){
		.e_type = ET_DYN,
		.e_machine = code->machine,
		.e_flags = code->flags,
		.e_version = EV_CURRENT,
		.e_phoff = offsetof(struct tables, segments),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)n_segments,
		.e_shentsize = sizeof(Elf64_Shdr),
	};
	memcpy(t->head.e_ident, ELFMAG, SELFMAG);
	t->head.e_ident[EI_CLASS] = ELFCLASS64;
	t->head.e_ident[EI_DATA] = ELFDATA2LSB;
	t->head.e_ident[EI_VERSION] = EV_CURRENT;
}

static Elf64_Phdr load(uint64_t at, uint64_t file_at, uint64_t file, uint64_t room, uint32_t flags)
{
	return (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = flags,
		.p_offset = file_at,
		.p_vaddr = at,
		.p_paddr = at,
		.p_filesz = file,
		.p_memsz = room,
		.p_align = PAGE,
	};
}

static unsigned write_segments(struct tables *t, const struct layout *l)
{
	Elf64_Phdr *p = t->segments;

	*p++ = load(0, 0, sizeof(struct tables), sizeof(struct tables), PF_R);
	*p++ = load(TEXT_AT, TEXT_AT, PAGE, PAGE, PF_R | PF_X);
	*p++ = load(DYN_AT, DYN_AT, PAGE, PAGE, PF_R | PF_W);
	*p++ = load(l->kernel_at, KERNEL_AT, l->kernel_file, l->kernel_room, PF_R);
	if (l->has_initrd)
		*p++ = load(l->initrd_at, l->initrd_file_at, l->initrd_size, l->initrd_size, PF_R);
	*p = load(DYN_AT, DYN_AT, PAGE, PAGE, PF_R | PF_W);
	p++->p_type = PT_DYNAMIC;
	*p = load(0, 0, 0, 0, PF_R | PF_W);
	p->p_align = 16;
	p++->p_type = PT_GNU_STACK;
	return (unsigned)(p - t->segments);
}

static Elf64_Sym function(uint32_t name, uint64_t address)
{
	return (Elf64_Sym){
		.st_name = name,
		.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
		.st_shndx = 1, /* defined; there is no section table */
		.st_value = address,
		.st_size = 64,
	};
}

static void write_symbols(struct tables *t, const struct layout *l, uint64_t second)
{
	unsigned n = l->has_initrd ? 3 : 2;

	t->symbols[1] = function(NAME_KERNEL, TEXT_AT);
	if (l->has_initrd)
		t->symbols[2] = function(NAME_INITRD, second);
	/* One bucket: 1 -> 2 -> end. */
	t->hash[0] = 1;
	t->hash[1] = n;
	t->hash[2] = 1;
	t->hash[2 + 1 + 1] = n == 3 ? 2 : 0;
	memcpy(t->strings, strings, sizeof(strings));
}

static void write_dynamic(uint8_t *page)
{
	const Elf64_Dyn entries[] = {
		{ DT_SONAME, { NAME_SELF } },
		{ DT_HASH, { offsetof(struct tables, hash) } },
		{ DT_STRTAB, { offsetof(struct tables, strings) } },
		{ DT_SYMTAB, { offsetof(struct tables, symbols) } },
		{ DT_STRSZ, { sizeof(strings) } },
		{ DT_SYMENT, { sizeof(Elf64_Sym) } },
		{ DT_NULL, { 0 } },
	};

	memcpy(page, entries, sizeof(entries));
}

/* ---- the file ---- */

static int write_all(int fd, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	while (size > 0) {
		ssize_t n = write(fd, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

static int write_padded(int fd, const void *bytes, size_t size)
{
	static const uint8_t zero[PAGE];
	int ret = write_all(fd, bytes, size);

	return ret < 0 ? ret : write_all(fd, zero, pages(size) - size);
}

static int write_file(int fd, const struct bundle_contents *c, const struct bundle_code *code)
{
	uint8_t front[3 * PAGE] = { 0 };
	struct layout l = lay_out(c);
	struct tables t = { .hash = { 0 } };
	const struct bundle_values values = {
		.load_gpa = c->load_gpa,
		.entry_gpa = c->entry_gpa,
		.kernel_room = c->kernel_room,
		.initrd_size = c->initrd_size,
		.kernel_at = l.kernel_at,
		.initrd_at = l.initrd_at,
	};
	uint64_t second = code->write(front + TEXT_AT, TEXT_AT, &values);
	int ret;

	write_head(&t, code, write_segments(&t, &l));
	write_symbols(&t, &l, second);
	memcpy(front, &t, sizeof(t));
	write_dynamic(front + DYN_AT);
	ret = write_all(fd, front, sizeof(front));
	if (ret == 0)
		ret = write_padded(fd, c->kernel, c->kernel_size);
	if (ret == 0 && c->initrd)
		ret = write_padded(fd, c->initrd, c->initrd_size);
	if (ret == 0 && fchmod(fd, 0644) < 0)
		ret = -errno;
	return ret;
}

int bundle_write(const char *path, const struct bundle_contents *contents, struct error *err)
{
	const struct bundle_code *code = bundle_code_of(contents->isa);
	size_t n = strlen(path) + sizeof(".XXXXXX");
	char *temporary = malloc(n);
	int fd, ret;

	if (!code || !temporary) {
		free(temporary);
		return error_set(err, EXIT_HOST, code ? -ENOMEM : -ENOTSUP,
			code ? "out of memory" : "there are no bundles for this kind of CPU");
	}
	(void)snprintf(temporary, n, "%s.XXXXXX", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	ret = fd < 0 ? -errno : write_file(fd, contents, code);
	if (fd >= 0 && close(fd) < 0 && ret == 0)
		ret = -errno;
	if (ret == 0 && rename(temporary, path) < 0)
		ret = -errno;
	if (ret < 0 && fd >= 0)
		(void)unlink(temporary);
	free(temporary);
	return ret < 0 ? error_set(err, EXIT_HOST, ret, "cannot write bundle \"%s\": %s", path,
				 strerror(-ret))
		       : 0;
}

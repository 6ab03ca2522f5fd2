/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Module files.
 *
 * libltdl says "file not found" whatever went wrong, and binds lazily: so dlopen() tries first, at
 * once and in full, and its reason is the one that people read.
 */
#include "core/module.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <ltdl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"

#define MAX_HEADERS 64
#define MAX_NOTES   65536u

static bool read_at(int fd, void *to, size_t size, uint64_t at)
{
	return at <= INT64_MAX && pread(fd, to, size, (off_t)at) == (ssize_t)size;
}

/* The notes of one segment, searched for ours. */
static bool search_notes(const uint8_t *notes, size_t size, struct tenon_note *ret_note)
{
	size_t at = 0;

	while (size - at >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr head;
		size_t name, desc, next;

		memcpy(&head, notes + at, sizeof(head));
		name = at + sizeof(head);
		if (head.n_namesz > size - name)
			return false;
		desc = name + ((head.n_namesz + 3u) & ~3u);
		if (desc > size || head.n_descsz > size - desc)
			return false;
		next = desc + ((head.n_descsz + 3u) & ~3u);
		if (head.n_type == TENON_NOTE_PLUGIN && head.n_namesz == 6 &&
			memcmp(notes + name, "tenon", 6) == 0 && sizeof(*ret_note) <= size - at) {
			memcpy(ret_note, notes + at, sizeof(*ret_note));
			return true;
		}
		if (next > size)
			return false;
		at = next;
	}
	return false;
}

static bool read_notes(int fd, const Elf64_Phdr *ph, struct tenon_note *ret_note)
{
	uint8_t *notes;
	bool found = false;

	if (ph->p_filesz == 0 || ph->p_filesz > MAX_NOTES)
		return false;
	notes = malloc(ph->p_filesz);
	if (notes && read_at(fd, notes, ph->p_filesz, ph->p_offset))
		found = search_notes(notes, ph->p_filesz, ret_note);
	free(notes);
	return found;
}

#if defined(__x86_64__)
#define HOST_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define HOST_MACHINE EM_AARCH64
#else
#define HOST_MACHINE EM_RISCV
#endif

static int find_note(int fd, struct tenon_note *ret_note)
{
	Elf64_Ehdr head;
	struct stat st;
	uint64_t end;
	bool found = false;

	if (!read_at(fd, &head, sizeof(head), 0) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
		head.e_ident[EI_CLASS] != ELFCLASS64)
		return -ENOENT;
	if (head.e_machine != HOST_MACHINE)
		return -ESRCH;
	if (head.e_phentsize != sizeof(Elf64_Phdr) || head.e_phnum > MAX_HEADERS ||
		fstat(fd, &st) < 0)
		return -ENOENT;
	for (unsigned i = 0; i < head.e_phnum; i++) {
		Elf64_Phdr ph;

		if (!read_at(fd, &ph, sizeof(ph), head.e_phoff + i * sizeof(ph)))
			return -ENOENT;
		/* The linker maps it unseen, and reading past a file's end ends the process. */
		if (ph.p_type == PT_LOAD &&
			(__builtin_add_overflow(ph.p_offset, ph.p_filesz, &end) ||
				end > (uint64_t)st.st_size))
			return -ENODATA;
		if (ph.p_type == PT_NOTE && !found)
			found = read_notes(fd, &ph, ret_note);
	}
	return found ? 0 : -ENOENT;
}

int module_read_note(const char *path, struct tenon_note *ret_note)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe has no note either */
	int ret;

	if (fd < 0)
		return -ENOENT;
	ret = find_note(fd, ret_note);
	(void)close(fd);
	if (ret == 0) { /* strings from a file: end them */
		ret_note->id[sizeof(ret_note->id) - 1] = '\0';
		ret_note->version[sizeof(ret_note->version) - 1] = '\0';
		ret_note->classes[sizeof(ret_note->classes) - 1] = '\0';
	}
	return ret;
}

static lt_dlhandle open_resident(const char *path)
{
	lt_dlhandle handle = NULL;
	lt_dladvise advise;

	if (lt_dlinit() != 0 || lt_dladvise_init(&advise) != 0)
		return NULL;
	if (lt_dladvise_local(&advise) == 0 && lt_dladvise_resident(&advise) == 0)
		handle = lt_dlopenadvise(path, advise);
	(void)lt_dladvise_destroy(&advise);
	return handle;
}

/* The linker names the module or, where that needs another one, only the other. */
static int cannot_load(const char *path, const char *why, struct error *err)
{
	if (strstr(why, path))
		return error_set(err, EXIT_HOST, -ENOEXEC, "cannot load plugin: %s", why);
	return error_set(err, EXIT_HOST, -ENOEXEC, "cannot load plugin: %s: %s", path, why);
}

int module_load(const char *path, const char *symbol, const void **ret_object, struct error *err)
{
	lt_dlhandle handle;
	void *first, *object;

	if (path[0] != '/')
		return error_set(err, EXIT_INTERNAL, -EINVAL, "%s: not an absolute path", path);
	first = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!first)
		return cannot_load(path, dlerror(), err);
	handle = open_resident(path);
	(void)dlclose(first);
	if (!handle)
		return error_set(
			err, EXIT_HOST, -ENOEXEC, "%s: cannot load plugin: %s", path, lt_dlerror());
	object = lt_dlsym(handle, symbol);
	if (!object)
		return error_set(err, EXIT_HOST, -ENOEXEC,
			"%s: not a plugin of this version: it does not export \"%s\"", path,
			symbol);
	*ret_object = object;
	return 0;
}

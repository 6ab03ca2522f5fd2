/* SPDX-License-Identifier: Apache-2.0 */
/* The note of an ELF module, and whether the linker may be let at the file. */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <tenon/plugin.h>

#include "core/module_note.h"

#define MAX_HEADERS 64
#define MAX_NOTES   65536u

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
	if (notes && module_read_at(fd, notes, ph->p_filesz, ph->p_offset))
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

int module_find_note(int fd, struct tenon_note *ret_note)
{
	Elf64_Ehdr head;
	struct stat st;
	uint64_t end;
	bool found = false;

	if (!module_read_at(fd, &head, sizeof(head), 0) ||
		memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64)
		return -ENOENT;
	if (head.e_machine != HOST_MACHINE)
		return -ESRCH;
	if (head.e_phentsize != sizeof(Elf64_Phdr) || head.e_phnum > MAX_HEADERS ||
		fstat(fd, &st) < 0)
		return -ENOENT;
	for (unsigned i = 0; i < head.e_phnum; i++) {
		Elf64_Phdr ph;

		if (!module_read_at(fd, &ph, sizeof(ph), head.e_phoff + i * sizeof(ph)))
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

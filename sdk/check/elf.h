/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the checks want to know of a module's file, read from the file itself.  Nothing in it is
 * believed: every offset and size is held against the file.
 */
#ifndef TENON_CHECK_ELF_H
#define TENON_CHECK_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tenon/plugin.h>

struct elf_symbol {
	const char *name; /* in the file's bytes */
	bool defined, weak;
};

struct elf {
	uint8_t *bytes;
	size_t size;
	struct elf_symbol *symbols; /* that other modules see, or that this one wants */
	size_t n_symbols;
	bool bind_now, relro, textrel, has_stack, exec_stack, write_exec, sanitized;
	size_t n_constructors;
	bool has_note;
	struct tenon_note note; /* its strings are ended */
};

/* 0, or -1 and a sentence in @why. */
int elf_read(const char *path, struct elf *ret_elf, char *why, size_t room);
void elf_free(struct elf *elf);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The note in a module's file; one file per host (ELF on Linux, Mach-O on Darwin). */
#ifndef TENON_CORE_MODULE_NOTE_H
#define TENON_CORE_MODULE_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tenon_note;

/* As module_read_note(), of an open file; strings are as the file has them.  [main] */
int module_find_note(int fd, struct tenon_note *ret_note);

/* All of it or false.  [any] */
bool module_read_at(int fd, void *to, size_t size, uint64_t at);

#endif

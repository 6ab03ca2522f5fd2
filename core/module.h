/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One module file: what can be known without running its code, and how it is loaded.  All of
 * libltdl is behind module.c.
 */
#ifndef TENON_CORE_MODULE_H
#define TENON_CORE_MODULE_H

#include <stdint.h>

#include <tenon/plugin.h>

struct error;

/* Reads the ELF note ".note.tenon".  -ENOENT: not there (an unreadable file, not ELF, no note);
 * -ESRCH: an ELF file of another machine; -ENODATA: a part of it is missing, loading it would end
 * the process.  [main] */
int module_read_note(const char *path, struct tenon_note *ret_note);

/*
 * Loads the module at the absolute @path and finds @symbol in it.  The code stays in memory for the
 * life of the process.  A failure says the dynamic linker's own reason.  [main]
 */
int module_load(const char *path, const char *symbol, const void **ret_object, struct error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a bundle: a shared library that holds a kernel and an initrd, ready to be mapped. */
#ifndef TENON_CORE_BUNDLE_H
#define TENON_CORE_BUNDLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/backend.h"

struct error;

/* What goes in. */
struct bundle_contents {
	enum isa isa;          /* of the kernel, and of the host that is to load the bundle */
	const uint8_t *kernel; /* as it is to lie in guest memory */
	size_t kernel_size;
	size_t kernel_room; /* bytes that the kernel needs there, at least kernel_size */
	uint64_t load_gpa, entry_gpa;
	const uint8_t *initrd; /* NULL = none */
	size_t initrd_size;
};

/* Writes a library for that kind of CPU to @path, by way of a temporary file. */
int bundle_write(const char *path, const struct bundle_contents *contents, struct error *err);

#endif

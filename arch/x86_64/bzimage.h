/* SPDX-License-Identifier: Apache-2.0 */
/* bzImage kernels, by the Linux/x86 boot protocol. */
#ifndef TENON_ARCH_X86_64_BZIMAGE_H
#define TENON_ARCH_X86_64_BZIMAGE_H

#include <stdbool.h>
#include <stdint.h>

struct blob;
struct error;
struct guest_memory;
struct loaded;

/* What the setup header says, checked. */
struct bzimage {
	uint64_t payload_offset, payload_size; /* of the protected-mode part in the file */
	uint64_t load_gpa;                     /* where it prefers to be */
	uint64_t init_size;                    /* what it needs there, from load_gpa on */
	uint64_t alignment;
	bool relocatable;
	uint64_t initrd_max; /* highest address that the initrd may occupy */
	uint32_t cmdline_max;
};

/* Whether the file has a setup header. */
bool bzimage_is(const struct blob *image);
int bzimage_parse(const struct blob *image, struct bzimage *ret_bz, struct error *err);
/* 1 and the packed vmlinux inside; 0 when it is not a bzImage.  */
int bzimage_packed(const struct blob *image, struct blob *ret_packed, struct error *err);
/* Fills protocol, entry, kernel_gpa, kernel_size and the setup header. */
int bzimage_load(struct guest_memory *gm, const struct blob *image, const struct bzimage *bz,
	struct loaded *loaded, struct error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* ELF kernels (vmlinux): System V ABI, and the PVH note of Xen's public headers. */
#ifndef TENON_ARCH_X86_64_ELF_H
#define TENON_ARCH_X86_64_ELF_H

#include <stdbool.h>
#include <stdint.h>

struct blob;
struct error;
struct guest_memory;
struct loaded;

/* Whether the file says of itself that it is ELF. */
bool elf_is(const struct blob *image);

/*
 * Places every loadable segment at its physical address and fills protocol, entry, kernel_gpa and
 * kernel_size.  @boot: "auto" (PVH where the kernel has it), "pvh" or "linux64".
 */
int elf_load(struct guest_memory *gm, const struct blob *image, const char *boot,
	struct loaded *loaded, struct error *err);

#endif

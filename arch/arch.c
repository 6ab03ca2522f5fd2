/* SPDX-License-Identifier: Apache-2.0 */
/* The architectures by their names, and which one a kernel is for. */
#include "arch/arch.h"

#include <string.h>

#include "arch/aarch64/aarch64.h"
#include "arch/bytes.h"
#include "arch/image.h"
#include "arch/riscv64/riscv64.h"
#include "arch/x86_64/bzimage.h"
#include "arch/x86_64/elf.h"
#include "arch/x86_64/x86_64.h"
#include "core/payload.h"

#define ELF_MACHINE     18u
#define ELF_HEADER      64u
#define MACHINE_X86_64  62
#define MACHINE_AARCH64 183
#define MACHINE_RISCV   243

const struct arch *arch_get(enum isa isa)
{
	switch (isa) {
	case ISA_X86_64:
		return &arch_x86_64;
	case ISA_AARCH64:
		return &arch_aarch64;
	case ISA_RISCV64:
		return &arch_riscv64;
	default:
		return NULL;
	}
}

const char *arch_isa_name(enum isa isa)
{
	switch (isa) {
	case ISA_X86_64:
		return "x86_64";
	case ISA_AARCH64:
		return "aarch64";
	case ISA_RISCV64:
		return "riscv64";
	}
	return "an unknown CPU";
}

static enum isa elf_isa(const struct blob *kernel)
{
	if (kernel->size < ELF_HEADER)
		return (enum isa)0;
	switch (get_le16(kernel->bytes + ELF_MACHINE)) {
	case MACHINE_X86_64:
		return ISA_X86_64;
	case MACHINE_AARCH64:
		return ISA_AARCH64;
	case MACHINE_RISCV:
		return ISA_RISCV64;
	default:
		return (enum isa)0;
	}
}

enum isa arch_kernel_isa(const struct blob *kernel)
{
	if (elf_is(kernel))
		return elf_isa(kernel);
	return bzimage_is(kernel) ? ISA_X86_64 : image_isa(kernel);
}

#if defined(__x86_64__)
#define HOST_ISA ISA_X86_64
#elif defined(__aarch64__)
#define HOST_ISA ISA_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define HOST_ISA ISA_RISCV64
#else
#define HOST_ISA ((enum isa)0)
#endif

enum isa arch_host_isa(void)
{
	return HOST_ISA;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The architectures by their names. */
#include "arch/arch.h"

#include "arch/x86_64/x86_64.h"

const struct arch *arch_get(enum isa isa)
{
	return isa == ISA_X86_64 ? &arch_x86_64 : NULL;
}

enum isa arch_host_isa(void)
{
#if defined(__x86_64__)
	return ISA_X86_64;
#elif defined(__aarch64__)
	return ISA_AARCH64;
#elif defined(__riscv) && __riscv_xlen == 64
	return ISA_RISCV64;
#else
	return (enum isa)0;
#endif
}

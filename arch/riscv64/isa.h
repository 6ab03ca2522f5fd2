/* SPDX-License-Identifier: Apache-2.0 */
/* What the vCPUs are, from what the hypervisor told of the first one (machine->facts). */
#ifndef TENON_ARCH_RISCV64_ISA_H
#define TENON_ARCH_RISCV64_ISA_H

#include <stddef.h>
#include <stdint.h>

struct machine;

#define ISA_TEXT_MAX 1024

extern const uint32_t isa_facts[];

/* "rv64imafdc_zicsr_sstc": as `riscv,isa` has it.  @to has ISA_TEXT_MAX bytes. */
const char *isa_string(const struct machine *machine, char *to);
/* "i;m;a;f;d;c;zicsr;sstc": as `riscv,isa-extensions` has it, for dt_texts(). */
const char *isa_list(const struct machine *machine, char *to);
/* "riscv,sv48"; NULL without an MMU. */
const char *isa_mmu(const struct machine *machine);
uint32_t isa_timebase(const struct machine *machine);

#endif

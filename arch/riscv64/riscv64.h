/* SPDX-License-Identifier: Apache-2.0 */
/* What riscv64 provides behind struct arch; see arch/arch.h for what each has to do. */
#ifndef TENON_ARCH_RISCV64_RISCV64_H
#define TENON_ARCH_RISCV64_RISCV64_H

#include <stdint.h>

struct arch;
struct arch_layout;
struct arch_vcpu_state;
struct error;
struct guest_memory;
struct loaded;
struct machine;
struct payload;
struct vcpu_exit;
struct arch_host;

/* The address space.  Everything but RAM lies below it. */
#define RISCV_PLIC_BASE  0x0c000000ull
#define RISCV_APLIC_BASE 0x0d000000ull
#define RISCV_MMIO_BASE  0x10000000ull
#define RISCV_MMIO_END   0x20000000ull
#define RISCV_IMSIC_BASE 0x20000000ull
#define RISCV_RAM_BASE   0x80000000ull
#define RISCV_MAX_VCPUS  255u
#define RISCV_SOURCES    255u /* interrupt sources 1 and up, of either controller */

extern const struct arch arch_riscv64;
extern const struct arch_layout riscv_layout;

int riscv_create_memory(
	struct guest_memory *gm, uint64_t bytes, const struct payload *payload, struct error *err);
int riscv_load(struct guest_memory *gm, const struct payload *payload, const char *extra_cmdline,
	struct loaded *ret_loaded, struct error *err);
int riscv_boot_tables(struct guest_memory *gm, const struct loaded *loaded,
	const struct machine *machine, struct error *err);
int riscv_vcpu_state(const struct guest_memory *gm, const struct loaded *loaded,
	const struct machine *machine, uint32_t index, struct arch_vcpu_state *ret_state);
void riscv_sysreg(const struct arch_host *host, struct vcpu_exit *exit);

#endif

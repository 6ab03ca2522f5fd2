/* SPDX-License-Identifier: Apache-2.0 */
/* What aarch64 provides behind struct arch; see arch/arch.h for what each has to do. */
#ifndef TENON_ARCH_AARCH64_AARCH64_H
#define TENON_ARCH_AARCH64_AARCH64_H

#include <stdint.h>

struct arch;
struct arch_host;
struct arch_layout;
struct arch_vcpu_state;
struct error;
struct guest_memory;
struct loaded;
struct machine;
struct payload;
struct vcpu_exit;

extern const struct arch arch_aarch64;
extern const struct arch_layout arm_layout;

int arm_create_memory(
	struct guest_memory *gm, uint64_t bytes, const struct payload *payload, struct error *err);
int arm_load(struct guest_memory *gm, const struct payload *payload, const char *extra_cmdline,
	struct loaded *ret_loaded, struct error *err);
int arm_boot_tables(struct guest_memory *gm, const struct loaded *loaded,
	const struct machine *machine, struct error *err);
int arm_vcpu_state(const struct guest_memory *gm, const struct loaded *loaded,
	const struct machine *machine, uint32_t index, struct arch_vcpu_state *ret_state);

/* System registers that trap and that no guest should miss; see sysreg.c. */
void arm_sysreg(const struct arch_host *host, struct vcpu_exit *exit);

/* The affinity fields of MPIDR_EL1 of vCPU @index, as its node in the device tree has them: up to
 * 16 in a group, as the interrupt controller addresses them. */
uint32_t arm_mpidr(uint32_t index);

#endif

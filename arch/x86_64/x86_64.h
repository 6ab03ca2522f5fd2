/* SPDX-License-Identifier: Apache-2.0 */
/* What x86-64 provides behind struct arch; see arch/arch.h for what each has to do. */
#ifndef TENON_ARCH_X86_64_X86_64_H
#define TENON_ARCH_X86_64_X86_64_H

#include <stddef.h>
#include <stdint.h>

struct arch;
struct arch_layout;
struct arch_vcpu_state;
struct backend_cpuid;
struct error;
struct guest_memory;
struct loaded;
struct machine;
struct payload;

extern const struct arch arch_x86_64;
extern const struct arch_layout x86_layout;

int x86_create_memory(
	struct guest_memory *gm, uint64_t bytes, const struct payload *payload, struct error *err);
int x86_load(struct guest_memory *gm, const struct payload *payload, const char *extra_cmdline,
	struct loaded *ret_loaded, struct error *err);
int x86_boot_tables(struct guest_memory *gm, const struct loaded *loaded,
	const struct machine *machine, struct error *err);
int x86_vcpu_state(const struct guest_memory *gm, const struct loaded *loaded,
	const struct machine *machine, uint32_t index, struct arch_vcpu_state *ret_state);
int x86_cpuid(const struct machine *machine, uint32_t index, struct backend_cpuid *entries,
	size_t *n, size_t room);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an architecture provides to the builder: where things are in the guest's address space, how
 * a kernel is loaded, the boot tables, and the state in which vCPUs start.  Every architecture is
 * compiled on every host; nothing here depends on the host's CPU.
 */
#ifndef TENON_ARCH_ARCH_H
#define TENON_ARCH_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/backend.h"

struct blob;
struct error;
struct guest_memory;
struct loaded;
struct machine;
struct payload;

struct arch_layout {
	uint64_t ram_base;
	uint64_t hole_base, hole_end; /* no RAM in here (x86: below 4 GiB); 0, 0 = none */
	uint64_t mmio_base, mmio_end; /* windows of devices */
	uint64_t shm_align;           /* shared-memory windows start above RAM, so aligned */
	uint32_t irq_first, irq_last; /* lines that devices may have */
	const uint8_t *irq_reserved;  /* lines in that range that they may not, ends with 0 */
	uint32_t max_virtio;
	uint32_t max_vcpus;
	uint32_t cmdline_max;    /* bytes, with the zero */
	uint64_t hypervisor_gpa; /* x86: pages that KVM uses itself */
};

/* The state in which one vCPU starts. */
struct arch_vcpu_state {
	struct backend_reg regs[96];
	size_t n_regs;
	struct backend_msr msrs[32];
	size_t n_msrs;
};

struct arch {
	enum isa isa;
	const char *name; /* "x86_64" */
	const struct arch_layout *layout;

	/* Adds RAM of @bytes and, for a firmware payload, its region.  [main] */
	int (*create_memory)(struct guest_memory *gm, uint64_t bytes, const struct payload *payload,
		struct error *err);
	/* Places kernel, initrd and command line; claims each.  @extra_cmdline goes before the
	 * payload's own.  [main]
	 */
	int (*load)(struct guest_memory *gm, const struct payload *payload,
		const char *extra_cmdline, struct loaded *ret_loaded, struct error *err);
	/* 1 and where in the file the packed kernel is, for kernels that unpack themselves; 0 where
	 * @kernel is not one of those.  NULL: the architecture has none.  [any] */
	int (*packed_kernel)(const struct blob *kernel, struct blob *ret_packed, struct error *err);
	/* Everything that the guest finds in memory besides; claims each.  [main] */
	int (*boot_tables)(struct guest_memory *gm, const struct loaded *loaded,
		const struct machine *machine, struct error *err);
	/* State of vCPU @index.  [any] */
	int (*vcpu_state)(const struct guest_memory *gm, const struct loaded *loaded,
		const struct machine *machine, uint32_t index, struct arch_vcpu_state *ret_state);
	/* x86-64: turns what the hypervisor supports into what vCPU @index sees, in place; *n may
	 * grow to @room.  NULL elsewhere.  [any] */
	int (*cpuid)(const struct machine *machine, uint32_t index, struct backend_cpuid *entries,
		size_t *n, size_t room);
};

/* NULL for one that is not built in. */
const struct arch *arch_get(enum isa isa);
/* "aarch64"; "an unknown CPU".  Never NULL.  [any] */
const char *arch_isa_name(enum isa isa);
/* For which ISA a kernel's own header says it is; 0 where none does.  [any] */
enum isa arch_kernel_isa(const struct blob *kernel);
/* The host's own, or 0. */
enum isa arch_host_isa(void);

#endif

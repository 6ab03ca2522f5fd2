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
struct bus;
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
	uint64_t irqchip_gpa[4]; /* as of struct backend_vm_config */
};

/* The state in which one vCPU starts. */
struct arch_vcpu_state {
	struct backend_reg regs[96];
	size_t n_regs;
	struct backend_msr msrs[32];
	size_t n_msrs;
};

/* ---- interrupt controllers in userspace ---- */

struct arch_irqchip; /* of each architecture's own making */

/* Where a controller's outputs go. */
struct arch_irqchip_sink {
	/* As backend_ops' vcpu_interrupt.  Called with the controller's own lock held.  [any] */
	void (*vcpu_line)(void *opaque, uint32_t vcpu, uint32_t line, bool level);
	void *opaque;
};

/* The platform's interrupt controller, for backends that have none (-ENOTSUP of irqchip_create). */
struct arch_irqchip_ops {
	/* Puts its windows on @mmio, which are the architecture's to choose and not the devices'.
	 * @mmio is borrowed till destroy, @sink is copied.  [main] */
	int (*create)(struct bus *mmio, uint32_t vcpus, const struct arch_irqchip_sink *sink,
		struct arch_irqchip **ret_chip, struct error *err);
	/* The level of input @number.  -EINVAL for one that there is not.  [any] */
	int (*line)(struct arch_irqchip *chip, uint32_t number, bool level);
	/* One edge on @number; NULL: line up, line down.  [any] */
	int (*pulse)(struct arch_irqchip *chip, uint32_t number);
	/* The level of @vcpu's own input @number; -EINVAL for one that there is not.  NULL: vCPUs
	 * have none.  [vcpu] */
	int (*own_line)(struct arch_irqchip *chip, uint32_t vcpu, uint32_t number, bool level);
	/* A VCPU_SYSREG exit of @vcpu; false when the register is not the controller's.  NULL: it
	 * has none.  [vcpu] */
	bool (*sysreg)(struct arch_irqchip *chip, uint32_t vcpu, struct vcpu_exit *exit);
	void (*reset)(struct arch_irqchip *chip); /* the vCPUs stand [main] */
	void (*destroy)(
		struct arch_irqchip *chip); /* takes its windows back; NULL is fine [main] */
};

/* ---- calls of the guest to its firmware: PSCI, SBI ---- */

#define ARCH_START_REGS 8

enum arch_vcpu_power {
	ARCH_VCPU_STARTED,
	ARCH_VCPU_STOPPED,
	ARCH_VCPU_STARTING, /* its thread has not come round yet */
	ARCH_VCPU_SUSPENDED,
};

enum arch_system_event {
	ARCH_SYSTEM_OFF,
	ARCH_SYSTEM_RESET,
};

/*
 * What serving a call may ask of the core: made by the core, one for each vCPU, for the thread of
 * the vCPU that calls.
 */
struct arch_host {
	uint32_t vcpu;  /* who calls */
	uint32_t vcpus; /* how many there are */
	const struct machine *machine;
	const struct guest_memory *gm;

	/* Registers of the calling vCPU.  0 or -errno, -ENOENT for one that the backend lacks. */
	int (*set_regs)(const struct arch_host *host, const struct backend_reg *regs, size_t n);
	int (*get_regs)(const struct arch_host *host, struct backend_reg *regs, size_t n);
	/* Runs a stopped vCPU from its reset state with @regs set, at most ARCH_START_REGS.  Its
	 * own thread does it, later.  -EALREADY: it runs, or is about to; -EINVAL: there is no
	 * such. */
	int (*start)(const struct arch_host *host, uint32_t vcpu, const struct backend_reg *regs,
		size_t n);
	/* The calling vCPU does not return from the call; it stays until somebody starts it. */
	void (*stop)(const struct arch_host *host);
	/* As stop(), then start() with @regs upon the next interrupt of the calling vCPU. */
	void (*suspend)(const struct arch_host *host, const struct backend_reg *regs, size_t n);
	/* enum arch_vcpu_power, or -EINVAL. */
	int (*power)(const struct arch_host *host, uint32_t vcpu);
	/* As backend_ops' vcpu_interrupt and vcpu_fence; -EINVAL: there is no such vCPU. */
	int (*interrupt)(const struct arch_host *host, uint32_t vcpu, uint32_t line, bool level);
	int (*fence)(const struct arch_host *host, uint32_t vcpu, uint32_t what);
	/* The VM goes off or restarts, soon after. */
	void (*system)(const struct arch_host *host, enum arch_system_event event);
	/* Bytes for whoever watches the guest's first words; how many were taken.  Never waits. */
	size_t (*console)(const struct arch_host *host, const void *bytes, size_t size);
};

/* Whoever asks for @type gets @as, which takes the same settings. */
struct arch_form {
	const char *type, *as;
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
	/* Ids of registers whose values the boot tables need: read from the first vCPU once it is
	 * created, into machine->facts; those that the backend lacks are left out.  Ends with 0;
	 * NULL: none. */
	const uint32_t *facts;
	/* Device types that machines of this kind have in another form; ends with NULL.  NULL:
	 * none. */
	const struct arch_form *forms;
	/* NULL: backends bring their own.  */
	const struct arch_irqchip_ops *irqchip;
	/* Serves a VCPU_CALL exit; fills ret.  NULL: no function is there.  [vcpu] */
	void (*call)(const struct arch_host *host, struct vcpu_exit *exit);
	/* Serves a VCPU_SYSREG exit that no interrupt controller claimed; fills handled.  NULL:
	 * none is there.  [vcpu] */
	void (*sysreg)(const struct arch_host *host, struct vcpu_exit *exit);
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

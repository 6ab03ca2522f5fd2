/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract between the core and a hypervisor backend.
 *
 * A backend is a module that exports one `const struct backend_module` named `tenon_backend` and
 * links to nothing of the core.  It must come from the very same build: build_id is compared.
 * Nothing in here is KVM's: HVF (no irqfd, no doorbells, vCPUs bound to their threads), an emulator
 * (another ISA than the host's) and a scripted backend implement it as well.
 *
 * "-ENOTSUP" for a doorbell, an irqfd or an in-kernel interrupt controller is an ordinary answer.
 */
#ifndef TENON_CORE_BACKEND_H
#define TENON_CORE_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define BACKEND_SYMBOL "tenon_backend"

enum isa {
	ISA_X86_64 = 1,
	ISA_AARCH64 = 2,
	ISA_RISCV64 = 3,
};

/* Where a backend puts its sentence; "" = none. */
struct backend_error {
	char text[512];
};

#define backend_fail(err, code, ...)                                                               \
	((void)snprintf((err)->text, sizeof((err)->text), __VA_ARGS__), (code))

/* ---- what a backend can do ---- */

#define BACKEND_IRQCHIP   (1u << 0) /* has the platform's interrupt controller itself */
#define BACKEND_IRQFD     (1u << 1) /* an eventfd can raise an interrupt */
#define BACKEND_DOORBELL  (1u << 2) /* a guest write can signal an eventfd */
#define BACKEND_SLOW      (1u << 3) /* runs ordinary guest code by emulation: no stock kernels */
#define BACKEND_DIRTY_LOG (1u << 4)
#define BACKEND_READONLY  (1u << 5) /* read-only mappings; writes exit as MMIO */
/* PSCI or SBI calls that start and stop vCPUs come to the core: it runs the first vCPU, and each of
 * the others once such a call starts it.  Otherwise the backend lets them wait in vcpu_run. */
#define BACKEND_CALLS (1u << 6)
/* Can run the same guest the same way each time: see struct backend_vm_config. */
#define BACKEND_DETERMINISTIC (1u << 7)

struct backend_caps {
	uint32_t features; /* BACKEND_* */
	uint32_t isas;     /* bit (1 << enum isa) */
	uint32_t max_vcpus;
	uint32_t phys_bits; /* of guest physical addresses */
	uint32_t speed;     /* higher is preferred by hypervisor = "auto" */
	char detail[256];   /* one line for `tenon host` */
};

/* ---- memory ---- */

#define BACKEND_MAP_READONLY (1u << 0)
#define BACKEND_MAP_LOG      (1u << 1) /* dirty logging */

/* ---- vCPU state: opaque register ids ---- */

/* id = (class << 24) | number; each value is 64 bits.  x86-64: */
#define REG_CLASS(id)       ((uint32_t)(id) >> 24)
#define REG_NUMBER(id)      ((uint32_t)(id)&0xffffffu)
#define REG_ID(cls, number) (((uint32_t)(cls) << 24) | (uint32_t)(number))
#define REG_X86_GPR         0x01u /* enum x86_gpr */
#define REG_X86_SEG         0x02u /* enum x86_seg * 4 + enum x86_seg_part */
#define REG_X86_CR          0x03u /* 0, 2, 3, 4, 8; 0x10 = EFER; 0x11 = APIC base */
#define REG_X86_FPU         0x04u /* 0 = FCW, 1 = MXCSR */
#define REG_X86_LVT         0x05u /* number = offset in the local APIC page (0x350, 0x360) */
#define REG_X86_MSR_CLASS   0x06u /* see backend_msr */

enum x86_gpr {
	X86_RAX,
	X86_RCX,
	X86_RDX,
	X86_RBX,
	X86_RSP,
	X86_RBP,
	X86_RSI,
	X86_RDI,
	X86_R8,
	X86_R9,
	X86_R10,
	X86_R11,
	X86_R12,
	X86_R13,
	X86_R14,
	X86_R15,
	X86_RIP,
	X86_RFLAGS,
};

/* GDT and IDT have BASE and LIMIT only. */
enum x86_seg { X86_CS, X86_DS, X86_ES, X86_FS, X86_GS, X86_SS, X86_TR, X86_LDT, X86_GDT, X86_IDT };

/* ATTR: the descriptor's access rights as in bits 40..55: type, S, DPL, P, (limit 19:16), AVL, L,
 * DB, G. */
enum x86_seg_part { X86_BASE, X86_LIMIT, X86_SELECTOR, X86_ATTR };

#define X86_REG(gpr)           REG_ID(REG_X86_GPR, gpr)
#define X86_SEG_REG(seg, part) REG_ID(REG_X86_SEG, (uint32_t)(seg)*4 + (uint32_t)(part))
#define X86_CR(n)              REG_ID(REG_X86_CR, n)
#define X86_EFER               REG_ID(REG_X86_CR, 0x10)
#define X86_APIC_BASE          REG_ID(REG_X86_CR, 0x11)
#define X86_FCW                REG_ID(REG_X86_FPU, 0)
#define X86_MXCSR              REG_ID(REG_X86_FPU, 1)
#define X86_LVT(offset)        REG_ID(REG_X86_LVT, offset)

/* aarch64 and riscv64: */
#define REG_ARM_CORE   0x21u /* 0..30 = x0..x30, 31 = SP_EL1, 32 = PC, 33 = PSTATE */
#define REG_ARM_SYS    0x22u /* op0:2 op1:3 crn:4 crm:4 op2:3 */
#define REG_ARM_CONF   0x23u /* see enum arm_conf */
#define REG_RISCV_X    0x31u /* 0..31, 32 = pc */
#define REG_RISCV_CSR  0x32u
#define REG_RISCV_CONF 0x33u /* see enum riscv_conf */

/* Properties of a vCPU and its machine, for reading. */
enum arm_conf {
	ARM_CONF_GIC, /* version of the interrupt controller that the backend has: 2 or 3 */
	ARM_CONF_PMU, /* 1: performance counters, which interrupt by ARM_PPI_PMU; 0: none */
};

/* Of each vCPU's own interrupts, counted from 16. */
#define ARM_PPI_PMU        7u
#define ARM_PPI_TIMER_VIRT 11u

#define ARM_X(n)    REG_ID(REG_ARM_CORE, n)
#define ARM_SP_EL1  ARM_X(31)
#define ARM_PC      ARM_X(32)
#define ARM_PSTATE  ARM_X(33)
#define ARM_CONF(n) REG_ID(REG_ARM_CONF, n)

/* Properties of a vCPU, for reading.  RISCV_CONF_EXT + n: bits 64n and up of the extensions with
 * longer names, by enum riscv_ext of core/riscv_ext.h. */
enum riscv_conf {
	RISCV_CONF_LETTERS,  /* bit 0 = A, bit 2 = C, ... as in misa; without S and U */
	RISCV_CONF_TIMEBASE, /* frequency of the time CSR in Hz */
	RISCV_CONF_SATP,     /* the greatest mode of satp: 8, 9, 10 = Sv39, Sv48, Sv57; 0 = none */
	RISCV_CONF_CBOM,     /* bytes of a block that Zicbom, Zicboz, Zicbop work on; 0 = none */
	RISCV_CONF_CBOZ,
	RISCV_CONF_CBOP,
	RISCV_CONF_MVENDORID,
	RISCV_CONF_MARCHID,
	RISCV_CONF_MIMPID,
	RISCV_CONF_EXT = 0x10,
};

#define RISCV_X(n)    REG_ID(REG_RISCV_X, n)
#define RISCV_PC      RISCV_X(32)
#define RISCV_CSR(n)  REG_ID(REG_RISCV_CSR, n) /* by its number in the instruction set */
#define RISCV_CONF(n) REG_ID(REG_RISCV_CONF, n)

struct backend_reg {
	uint32_t id;
	uint32_t reserved;
	uint64_t value;
};

struct backend_msr {
	uint32_t index;
	uint32_t reserved;
	uint64_t value;
};

#define BACKEND_CPUID_SUBLEAF (1u << 0) /* the sub-leaf is significant */

struct backend_cpuid {
	uint32_t leaf, subleaf, flags;
	uint32_t eax, ebx, ecx, edx;
};

/* ---- exits ---- */

enum vcpu_exit_kind {
	VCPU_MMIO,        /* mmio: the core fills value on reads; the next run completes it */
	VCPU_PIO,         /* pio: one item at a time; as mmio */
	VCPU_CALL,        /* call: PSCI or SBI */
	VCPU_SYSREG,      /* sysreg: a system register or MSR */
	VCPU_LINE,        /* line: an input of the core's interrupt controller changed */
	VCPU_HALTED,      /* waiting for an interrupt that the backend cannot wait for itself */
	VCPU_INTERRUPTED, /* kicked */
	VCPU_OFF,         /* the guest switched itself off */
	VCPU_RESET,       /* the guest asked for a reset */
	VCPU_DEAD,        /* triple fault, system crash */
	VCPU_FAILED,      /* cannot go on: text says why */
};

struct vcpu_exit {
	enum vcpu_exit_kind kind;
	union {
		struct {
			uint64_t address;
			uint64_t value; /* little-endian, in the low bytes */
			uint32_t size;  /* 1, 2, 4 or 8 bytes */
			bool write;
		} bus; /* VCPU_MMIO, VCPU_PIO */
		struct {
			uint64_t function; /* PSCI's; of SBI see backend_sbi_function() */
			uint64_t args[6];
			uint64_t ret[2]; /* filled by the core; SBI: error and value */
		} call;
		struct {
			uint32_t id; /* as of a struct backend_reg */
			bool write;
			bool handled; /* filled by the core; false injects the architecture's fault
				       */
			uint64_t value; /* what is written; filled by the core with what is read */
		} sysreg;
		struct {
			uint32_t number; /* of the vCPU's own; aarch64: counted from 16 */
			bool level;
		} line;
	};
	char text[256]; /* VCPU_FAILED, VCPU_DEAD */
};

/* The function of an SBI call: extension and function in one number.  All ones, which is none, for
 * what is not two 32-bit numbers. */
static inline uint64_t backend_sbi_function(uint64_t extension, uint64_t function)
{
	return (extension | function) >> 32 ? UINT64_MAX : extension << 32 | function;
}

/* ---- vcpu_interrupt: input lines of a vCPU; vcpu_fence: what is dropped ---- */

#define RISCV_LINE_SOFTWARE 1u /* the numbers of the interrupts in S-mode */
#define RISCV_LINE_TIMER    5u
#define RISCV_LINE_EXTERNAL 9u
#define ARM_LINE_IRQ        0u
#define ARM_LINE_FIQ        1u

#define BACKEND_FENCE_CODE   (1u << 0) /* decoded instructions */
#define BACKEND_FENCE_MEMORY (1u << 1) /* translated addresses */

/* ---- the tables ---- */

struct backend_vm;
struct backend_vcpu;

enum backend_irqchip_part {
	IRQCHIP_ARM_GICD = 0, /* distributor */
	IRQCHIP_ARM_GICR = 1, /* redistributors of version 3, 128 KiB for each vCPU */
	IRQCHIP_ARM_GICC = 2, /* CPU interface of version 2 */
	IRQCHIP_RISCV_APLIC = 0,
	IRQCHIP_RISCV_IMSIC = 1, /* 4 KiB for each vCPU */
};

struct backend_vm_config {
	uint32_t struct_size;
	enum isa isa;
	uint32_t vcpus;        /* to be created */
	uint32_t irq_lines;    /* that devices may have, counted from 0; x86: as on a PC */
	uint64_t reserved_gpa; /* x86: 4 pages below 4 GiB that the hypervisor may use itself */
	/* Where an interrupt controller of the backend's goes; by enum backend_irqchip_part. */
	uint64_t irqchip_gpa[4];
	/* Guest time is counted in instructions, and vCPUs take turns; only with
	 * BACKEND_DETERMINISTIC. */
	bool deterministic;
	bool pmu; /* aarch64: the guest wants performance counters */
};

struct backend_ops {
	uint32_t struct_size;

	/* [main] */
	int (*vm_create)(const struct backend_vm_config *config, struct backend_vm **ret_vm,
		struct backend_error *err);
	void (*vm_destroy)(struct backend_vm *vm); /* after all vCPUs; NULL is fine */

	/* Page-aligned; one call per region; never resized in place.  [main] */
	int (*mem_map)(struct backend_vm *vm, uint64_t gpa, uint64_t size, void *host,
		uint32_t flags, struct backend_error *err);
	int (*mem_unmap)(struct backend_vm *vm, uint64_t gpa, uint64_t size);
	/* One bit per 4096-byte page of a whole mapping, cleared by reading; -ENOTSUP.  [main] */
	int (*mem_dirty)(struct backend_vm *vm, uint64_t gpa, uint64_t size, uint64_t *bitmap);

	/* Creates the platform's interrupt controller (before vCPUs) and finishes it (after);
	 * -ENOTSUP: the core has one of its own.  [main] */
	int (*irqchip_create)(struct backend_vm *vm, struct backend_error *err);
	int (*irqchip_finish)(struct backend_vm *vm, struct backend_error *err);
	int (*irq_line)(struct backend_vm *vm, uint32_t gsi, bool level);       /* [any] */
	int (*irqfd)(struct backend_vm *vm, uint32_t gsi, int fd, bool assign); /* [main] */
	/* A write of @size bytes at @address signals @fd; @match may be NULL; @pio: port space.
	 * [main] */
	int (*doorbell)(struct backend_vm *vm, uint64_t address, uint32_t size,
		const uint64_t *match, bool pio, int fd, bool assign);
	/* Sets or clears an input line of one vCPU (RISCV_LINE_*, ARM_LINE_*).  A vCPU that waits
	 * for an interrupt inside vcpu_run goes on.  -ENOTSUP with an irqchip, -EINVAL for a line
	 * that there is not.  [any] */
	int (*vcpu_interrupt)(struct backend_vcpu *vcpu, uint32_t line, bool level);

	/* x86-64: what the hypervisor can offer; *n is room in, entries out; -E2BIG.  [main] */
	int (*cpuid_supported)(struct backend_vm *vm, struct backend_cpuid *entries, size_t *n);

	/* Called on the thread that will run it.  */
	int (*vcpu_create)(struct backend_vm *vm, uint32_t index, struct backend_vcpu **ret_vcpu,
		struct backend_error *err);
	void (*vcpu_destroy)(struct backend_vcpu *vcpu); /* same thread; NULL is fine */
	/* Back to the state after vcpu_create, CPUID kept.  Same thread. */
	int (*vcpu_reset)(struct backend_vcpu *vcpu, struct backend_error *err);
	int (*vcpu_set_cpuid)(struct backend_vcpu *vcpu, const struct backend_cpuid *entries,
		size_t n, struct backend_error *err);
	/* All registers that make up a processor mode go in one call: they are judged together. */
	int (*vcpu_set_regs)(struct backend_vcpu *vcpu, const struct backend_reg *regs, size_t n,
		struct backend_error *err);
	/* Fills the values of the ids given; unknown ids are -ENOENT. */
	int (*vcpu_get_regs)(struct backend_vcpu *vcpu, struct backend_reg *regs, size_t n);
	int (*vcpu_set_msrs)(struct backend_vcpu *vcpu, const struct backend_msr *msrs, size_t n,
		struct backend_error *err);
	/* Runs until something is for the core; fills @exit.  0, or -errno for VCPU_FAILED.  @exit
	 * comes in as the last run left it, with what the core filled in. */
	int (*vcpu_run)(struct backend_vcpu *vcpu, struct vcpu_exit *exit);
	/* Makes a run, or the next one, return VCPU_INTERRUPTED soon.  It must have returned before
	 * the vCPU is destroyed.  [any] */
	void (*vcpu_kick)(struct backend_vcpu *vcpu);
	/* Puts devices that the backend owns (interrupt controllers, timers) back; vCPUs stand.
	 * [main] */
	int (*vm_reset)(struct backend_vm *vm, struct backend_error *err);
	/* The vCPU executes no further guest instruction with what it remembers of memory (@what:
	 * BACKEND_FENCE_*).  Returns once that is certain, and without waiting for a vCPU that is
	 * not inside vcpu_run.  -ENOTSUP where the hypervisor serves such calls itself.  [any] */
	int (*vcpu_fence)(struct backend_vcpu *vcpu, uint32_t what);
};

struct backend_module {
	uint32_t struct_size;
	uint32_t reserved;
	const char *build_id;
	const char *name; /* "kvm" */
	const char *summary;
	/* Whether it works on this host; a sentence in @err if not.  Creates a VM if that is what
	 * it takes to know.  [main] */
	int (*probe)(struct backend_caps *ret_caps, struct backend_error *err);
	const struct backend_ops *ops;
	/* As probe, but from what the host says of itself, without trying it: features, isas,
	 * max_vcpus, phys_bits.  [main] */
	int (*caps)(struct backend_caps *ret_caps, struct backend_error *err);
};

#endif

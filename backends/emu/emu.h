/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the emulator: riscv64 guests in software, on any host.
 *
 * How it runs.  A hart is the thread that calls vcpu_run.  Instructions are decoded once
 * (emu_decode.c) into operations with no trace of their encoding; emu_block.c keeps straight runs
 * of them, each hart for itself, by physical address; emu_exec.c dispatches from one to the next.
 * The meanings are in emu_alu.h, emu_fpu.c, emu_amo.c, emu_csr.c and emu_mem.c, which know nothing
 * of blocks: a translator to host code would replace emu_exec.c alone.
 *
 * Code that changes.  The architecture lets a hart go on with old instructions until FENCE.I.
 * FENCE.I raises the hart's `epoch`; a block of an older epoch is compared with memory before it
 * runs again, and decoded anew when it differs.  Stores need not be watched, nor devices' writes.
 *
 * Memory.  A data access first looks into a table of pages (struct emu_tlb) that holds RAM alone,
 * with a tag of its own for reading, writing and fetching; one compare finds page, right and
 * alignment at once.  Whatever does not match goes to emu_mem.c: walks, faults, misaligned
 * accesses, devices.  Tables exist per context (user, supervisor, supervisor with SUM), so that
 * changing between them costs nothing.
 *
 * Attention.  At the head of each block the instruction count is compared with `limit`.  Whoever
 * wants the hart's attention (kicks, interrupts, fences of other harts) sets a bit in `attention`
 * and then `limit` to 0.  A hart looks at the clock for its timer each time the limit is reached.
 */
#ifndef TENON_BACKENDS_EMU_H
#define TENON_BACKENDS_EMU_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "backends/emu/emu_ops.h"
#include "core/backend.h"

#define EMU_MAX_HARTS 64u
#define EMU_PHYS_BITS 52u
#define EMU_TIMEBASE  10000000u /* Hz */
#define EMU_NS_A_TICK 100u
#define EMU_QUANTUM   16384u /* instructions between looks at the clock */
/* deterministic: one instruction takes 4 ns. */
#define EMU_NS_AN_INSN 4u

#define EMU_PAGE      4096ull
#define EMU_PAGE_MASK (EMU_PAGE - 1)

#define emu_likely(x)   __builtin_expect(!!(x), 1)
#define emu_unlikely(x) __builtin_expect(!!(x), 0)

/* ---- privilege, traps ---- */

enum emu_mode { EMU_USER = 0, EMU_SUPERVISOR = 1 };

enum emu_cause {
	EMU_INSN_MISALIGNED = 0,
	EMU_INSN_ACCESS = 1,
	EMU_ILLEGAL_INSN = 2,
	EMU_BREAKPOINT = 3,
	EMU_LOAD_MISALIGNED = 4,
	EMU_LOAD_ACCESS = 5,
	EMU_STORE_MISALIGNED = 6,
	EMU_STORE_ACCESS = 7,
	EMU_ECALL_USER = 8,
	EMU_ECALL_SUPERVISOR = 9,
	EMU_INSN_PAGE = 12,
	EMU_LOAD_PAGE = 13,
	EMU_STORE_PAGE = 15,
};

#define EMU_INTERRUPT (1ull << 63)
#define EMU_IRQ_SOFT  1u
#define EMU_IRQ_TIMER 5u
#define EMU_IRQ_EXT   9u
#define EMU_IRQS      (1ull << EMU_IRQ_SOFT | 1ull << EMU_IRQ_TIMER | 1ull << EMU_IRQ_EXT)

#define EMU_SSTATUS_SIE  (1ull << 1)
#define EMU_SSTATUS_SPIE (1ull << 5)
#define EMU_SSTATUS_SPP  (1ull << 8)
#define EMU_SSTATUS_FS   (3ull << 13)
#define EMU_SSTATUS_SUM  (1ull << 18)
#define EMU_SSTATUS_MXR  (1ull << 19)
#define EMU_SSTATUS_SD   (1ull << 63)
#define EMU_SSTATUS_UXL  (2ull << 32)

/* ---- memory ---- */

enum emu_access { EMU_LOAD, EMU_STORE, EMU_FETCH };

#define EMU_TLB_SIZE 256u
#define EMU_NO_PAGE  UINT64_MAX /* no address has this tag: its low bits are set */

/* host address = guest virtual address + offset.  Tags are page addresses. */
struct emu_tlb {
	uint64_t read, write, fetch;
	uintptr_t offset;
};

enum emu_context { EMU_CTX_USER, EMU_CTX_SUPERVISOR, EMU_CTX_SUM, EMU_CONTEXTS };

struct emu_region {
	uint64_t gpa, size;
	uint8_t *host;
	bool readonly;
};

/* What a translation found. */
struct emu_page {
	uint64_t pa;   /* of the byte asked for */
	uint64_t span; /* bytes that the leaf maps */
	bool writable; /* also by the dirty bit */
	bool global;
};

/* ---- decoded code ---- */

#define EMU_BLOCK_OPS 40u

struct emu_op {
	const void *handler;
	int32_t imm;
	uint8_t rd, rs1, rs2, aux;
};

struct emu_block {
	struct emu_block *hash_next;
	struct emu_block *link[2]; /* next and jumped to, within the page; NULL = look it up */
	const uint8_t *host;       /* the instructions in guest memory; NULL: in two pages */
	uint32_t epoch;
	uint16_t n, bytes;                   /* instructions and their length */
	uint16_t offsets[EMU_BLOCK_OPS + 1]; /* of each, from the start; the last is `bytes` */
	uint16_t copy[2 * EMU_BLOCK_OPS];    /* the instructions as they were decoded */
	struct emu_op ops[];                 /* n, and EMU_NEXT where no other op ends it */
};

#define EMU_JUMPS      4096u
#define EMU_HASH       16384u
#define EMU_ARENA_SIZE (24u << 20)

/* Where a virtual address was last found to lead. */
struct emu_jump {
	uint64_t key;
	struct emu_block *block;
};

struct emu_code {
	struct emu_jump jumps[EMU_JUMPS];
	struct emu_block *hash[EMU_HASH];
	uint8_t *arena; /* mmap */
	size_t used;
	uint32_t epoch;
	uint32_t flushes;        /* how often all blocks were thrown away */
	uint16_t generation[2];  /* of jumps, by mode */
	uint16_t generations;    /* given out */
	struct emu_block *split; /* one instruction that lies in two pages */
};

/* ---- harts ---- */

/* Bits of `attention`. */
#define EMU_ATT_KICK  1u
#define EMU_ATT_IRQ   2u /* irq_lines changed */
#define EMU_ATT_FENCE 4u

enum emu_pending { EMU_PENDING_NONE, EMU_PENDING_LOAD, EMU_PENDING_STORE, EMU_PENDING_CALL };

/* Why emu_execute returned. */
enum emu_stop {
	EMU_STOP_LIMIT,
	EMU_STOP_EXIT, /* `exit` is filled */
	EMU_STOP_WFI,
};

/* By use, not by size: what the interpreter's loop touches is close together. */
struct backend_vcpu { /* NOLINT(clang-analyzer-optin.performance.Padding) */
	/* The interpreter's, first and close together. */
	uint64_t x[33]; /* [EMU_SINK] takes what is written to x0 */
	uint64_t f[32];
	uint64_t pc;
	uint64_t icount;  /* instructions begun */
	uint64_t counted; /* of those, how many are in virtual_ns */
	uint64_t traps;   /* of those, how many trapped instead */
	_Atomic uint64_t limit;
	struct emu_tlb *tlb; /* of the context in force */
	bool holds_turn;
	bool fp_dirty; /* FS says dirty: nothing to do before floating point */
	bool near[8];  /* rounding modes that are round-to-nearest-even now */
	uint8_t frm;
	uint8_t fflags; /* the host's own flags come on top */
	enum emu_mode mode;

	/* A trap under way. */
	uint64_t trap_cause, trap_value;

	/* LR */
	uint8_t *reserved; /* host address, NULL = none */
	uint64_t reserved_value;
	uint32_t reserved_size;

	/* CSRs */
	uint64_t sstatus, sie, stvec, scounteren, senvcfg, sscratch, sepc, scause, stval, satp;
	uint64_t stimecmp;
	bool timer_due; /* seen when the clock was last looked at */

	struct emu_tlb tlbs[EMU_CONTEXTS][EMU_TLB_SIZE];
	struct {
		uint64_t low, high; /* large pages that were entered lie in here */
	} large[2];                 /* by the half of the address space */
	bool non_global;            /* a supervisor page that is not global was entered */
	struct emu_code code;

	/* The access that the core completes. */
	enum emu_pending pending;
	uint8_t pending_rd, pending_op;
	struct vcpu_exit *exit; /* during a run */

	/* Others' */
	_Atomic uint32_t attention;
	_Atomic uint32_t irq_lines; /* SSIP and SEIP */
	_Atomic bool inside;        /* runs guest code */
	pthread_mutex_t lock;       /* of the sleep and of fences */
	pthread_cond_t wake;        /* attention */
	pthread_cond_t fenced;
	uint32_t fences; /* EMU_FENCE_*, asked for and not done yet; under the lock */
	struct backend_vm *vm;
	uint32_t index;
};

#define EMU_FENCE_CODE  1u
#define EMU_FENCE_VMA   2u
#define EMU_FENCE_FLUSH 4u /* memory went away: no decoded code may stay */

/* What memory there is.  It is never changed, but replaced: harts read it without a lock. */
struct emu_map {
	struct emu_map *older; /* kept until the end, for whoever still reads them */
	size_t count;
	struct emu_region regions[];
};

struct backend_vm {
	struct emu_map *_Atomic map;
	pthread_mutex_t lock; /* of harts */
	struct backend_vcpu *harts[EMU_MAX_HARTS];
	uint64_t start_ns; /* when `time` was 0 */
	bool deterministic;
	uint32_t vcpus;
	/* deterministic: harts take turns, see emu_turn.c.  All under turn_lock; whoever has the
	 * turn may use virtual_ns without. */
	pthread_mutex_t turn_lock;
	pthread_cond_t turn_changed;
	bool turn_taken;
	uint32_t turn;                   /* who has it, or whom it is offered to first */
	uint64_t ready, waiting, asleep; /* bit n: hart n */
	uint64_t wake_ns[EMU_MAX_HARTS]; /* of those asleep; UINT64_MAX = by no timer */
	uint64_t virtual_ns;
};

/* ---- emu_vm.c ---- */

int emu_vm_create(const struct backend_vm_config *config, struct backend_vm **ret_vm,
	struct backend_error *err);
void emu_vm_destroy(struct backend_vm *vm);
int emu_mem_map(struct backend_vm *vm, uint64_t gpa, uint64_t size, void *host, uint32_t flags,
	struct backend_error *err);
int emu_mem_unmap(struct backend_vm *vm, uint64_t gpa, uint64_t size);
/* The region that has @pa, and the rest of its page; NULL if none has.  [any] */
const struct emu_region *emu_region_at(const struct backend_vm *vm, uint64_t pa);

/* ---- emu_vcpu.c, emu_run.c ---- */

int emu_vcpu_create(struct backend_vm *vm, uint32_t index, struct backend_vcpu **ret_vcpu,
	struct backend_error *err);
void emu_vcpu_destroy(struct backend_vcpu *h);
int emu_vcpu_reset(struct backend_vcpu *h, struct backend_error *err);
int emu_vcpu_set_regs(struct backend_vcpu *h, const struct backend_reg *regs, size_t n,
	struct backend_error *err);
int emu_vcpu_get_regs(struct backend_vcpu *h, struct backend_reg *regs, size_t n);
int emu_vcpu_run(struct backend_vcpu *h, struct vcpu_exit *exit);
void emu_vcpu_kick(struct backend_vcpu *h);
int emu_vcpu_interrupt(struct backend_vcpu *h, uint32_t line, bool level);
int emu_vcpu_fence(struct backend_vcpu *h, uint32_t what);
/* Makes a hart obey fences before it runs another instruction; returns when it has, or when it is
 * not running.  [any] */
void emu_fence_hart(struct backend_vcpu *h, uint32_t fences);

/* ---- emu_time.c ---- */

uint64_t emu_ticks(struct backend_vcpu *h); /* the time CSR */
/* Waits for attention or the timer. */
void emu_sleep(struct backend_vcpu *h);
void emu_sleep_in_turns(struct backend_vcpu *h); /* and without the turn, when it returns */
void emu_clock_init(struct backend_vm *vm);
/* The instruction count at which the clock is to be looked at next. */
uint64_t emu_next_limit(struct backend_vcpu *h);

/* ---- emu_turn.c: deterministic machines run one hart at a time ---- */

/* Waits for the turn, if the hart has it not; false when there was a kick before. */
bool emu_turn_take(struct backend_vcpu *h);
void emu_turn_pass(struct backend_vcpu *h);  /* to whoever is next, and wants it again */
void emu_turn_leave(struct backend_vcpu *h); /* ... and does not want it */
/* Gives it away and sleeps until the time or until somebody asks for the hart. */
void emu_turn_sleep(struct backend_vcpu *h, uint64_t until_ticks);
void emu_turn_wake(struct backend_vcpu *h); /* somebody asked.  [any] */
/* @h, which has the turn, started that hart: it is ready from now on, and its thread is here. */
void emu_turn_started(struct backend_vcpu *h, uint64_t hart);
void emu_turn_count(struct backend_vcpu *h);

/* ---- emu_exec.c ---- */

/* Runs from h->pc.  With @h NULL: fills in the handlers' addresses, by opcode. */
enum emu_stop emu_execute(struct backend_vcpu *h, const void **ret_handlers);

/* ---- emu_block.c ---- */

int emu_code_create(struct backend_vcpu *h); /* 0 or -ENOMEM */
void emu_code_destroy(struct backend_vcpu *h);
/* The block at @pc; NULL: a trap is set.  Blocks may have been thrown away: see flushes. */
struct emu_block *emu_block_find(struct backend_vcpu *h, uint64_t pc);
/* Whether a block of an older epoch still says what memory says; makes it current if so. */
bool emu_block_refresh(struct backend_vcpu *h, struct emu_block *block);
void emu_code_forget_jumps(struct backend_vcpu *h, enum emu_mode mode);
void emu_code_flush(struct backend_vcpu *h); /* throws all blocks away */
void emu_fence_i(struct backend_vcpu *h);

static inline uint64_t emu_jump_key(const struct backend_vcpu *h, uint64_t pc)
{
	return pc << 16 | h->code.generation[h->mode];
}

static inline struct emu_jump *emu_jump_slot(struct backend_vcpu *h, uint64_t pc)
{
	return &h->code.jumps[(pc >> 1 ^ pc >> 13) & (EMU_JUMPS - 1)];
}

/* ---- emu_mmu.c ---- */

/* 0, or -1 with a trap set.  Accessed and dirty bits are set in the tables. */
int emu_translate(
	struct backend_vcpu *h, uint64_t va, enum emu_access access, struct emu_page *ret_page);
/* The same for an access, and enters RAM into the table; ret_host NULL where there is no RAM that
 * may be so accessed. */
int emu_lookup(struct backend_vcpu *h, uint64_t va, enum emu_access access, uint64_t *ret_pa,
	uint8_t **ret_host);
void emu_tlb_flush(struct backend_vcpu *h);
void emu_tlb_flush_page(struct backend_vcpu *h, uint64_t va);
/* What changing satp makes void. */
void emu_tlb_switch(struct backend_vcpu *h);
/* Chooses the table for the mode and SUM in force. */
void emu_context_update(struct backend_vcpu *h);

/* ---- emu_mem.c: what the tables did not answer ---- */

enum emu_result {
	EMU_DONE,
	EMU_TRAPPED, /* the trap is set */
	EMU_DEVICE,  /* the core has to answer: exit is filled */
};

enum emu_result emu_load(struct backend_vcpu *h, uint64_t va, uint32_t size, uint64_t *ret_value);
enum emu_result emu_store(struct backend_vcpu *h, uint64_t va, uint32_t size, uint64_t value);
/* CBO.ZERO, and the others, which have nothing to do but to fault. */
enum emu_result emu_zero_line(struct backend_vcpu *h, uint64_t va);
enum emu_result emu_touch_line(struct backend_vcpu *h, uint64_t va);
/* Puts what the core answered where the instruction wanted it. */
void emu_finish_pending(struct backend_vcpu *h, const struct vcpu_exit *exit);

/* ---- emu_amo.c ---- */

enum emu_result emu_lr(struct backend_vcpu *h, const struct emu_op *op);
enum emu_result emu_sc(struct backend_vcpu *h, const struct emu_op *op);
enum emu_result emu_amo(struct backend_vcpu *h, const struct emu_op *op);

/* ---- emu_csr.c ---- */

/* An instruction that reads or writes a CSR; 0, or -1: it is illegal. */
int emu_csr_op(struct backend_vcpu *h, const struct emu_op *op);
int emu_csr_read(struct backend_vcpu *h, uint32_t number, uint64_t *ret_value);
int emu_csr_write(struct backend_vcpu *h, uint32_t number, uint64_t value);

/* ---- emu_trap.c ---- */

static inline void emu_set_trap(struct backend_vcpu *h, uint64_t cause, uint64_t value)
{
	h->trap_cause = cause;
	h->trap_value = value;
}

/* Enters the handler for what emu_set_trap said; h->pc is the instruction's. */
void emu_enter_trap(struct backend_vcpu *h);
/* Takes an interrupt if one is pending and enabled; h->pc is the next instruction's. */
void emu_take_interrupt(struct backend_vcpu *h);
/* Whether one that is known of would be taken now. */
static inline bool emu_interrupt_waits(struct backend_vcpu *h)
{
	uint64_t lines = atomic_load_explicit(&h->irq_lines, memory_order_relaxed);

	if (h->mode == EMU_SUPERVISOR && !(h->sstatus & EMU_SSTATUS_SIE))
		return false;
	return ((lines | (uint64_t)h->timer_due << EMU_IRQ_TIMER) & h->sie) != 0;
}

/* Interrupts that are pending now, the timer's included. */
uint64_t emu_pending_irqs(struct backend_vcpu *h);
int emu_sret(struct backend_vcpu *h);

/* ---- emu_fpu.c ---- */

/* Any floating-point operation in any rounding mode; -1: it is illegal. */
int emu_fp(struct backend_vcpu *h, enum emu_opcode opcode, const struct emu_op *op);
/* Before floating point: -1 when it is off. */
int emu_fp_use(struct backend_vcpu *h);
uint8_t emu_fflags(struct backend_vcpu *h); /* with the host's, which it collects */
void emu_fcsr_set(struct backend_vcpu *h, uint8_t frm, uint8_t fflags);
void emu_fp_begin(void); /* drops flags that are not the guest's */

#endif

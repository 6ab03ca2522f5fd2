/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dispatch: from one decoded operation to the next by the address of its code, and from one block
 * to the next by links or by the table of jumps.  What an operation means is said elsewhere.
 *
 * `pc` is the address to go to, `base` that of the block that runs.  Leaving the loop, and whatever
 * may look at the hart's counters, first writes pc and icount back.
 */
#include "backends/emu/emu.h"

#include <string.h>

#include "backends/emu/emu_alu.h"
#include "backends/emu/emu_float.h"

/* Labels as values are what this file is about. */
#pragma GCC diagnostic ignored "-Wpedantic"

#define X1  (x[op->rs1])
#define X2  (x[op->rs2])
#define IMM ((uint64_t)(int64_t)op->imm)

#define NEXT()                                                                                     \
	do {                                                                                       \
		op++;                                                                              \
		goto * op->handler;                                                                \
	} while (0)

#define ALU(name, value)                                                                           \
	L_##name : x[op->rd] = (value);                                                            \
	NEXT();

/* ---- memory ---- */

#define TLB_ENTRY(va)     (&h->tlb[(va) >> 12 & (EMU_TLB_SIZE - 1)])
#define TLB_TAG(va, type) ((va) & (~EMU_PAGE_MASK | (sizeof(type) - 1)))

/* @set is a statement.  NOLINTBEGIN(bugprone-macro-parentheses) */
#define LOAD(name, type, before, set)                                                              \
	L_##name:                                                                                  \
	{                                                                                          \
		uint64_t va, v;                                                                    \
		const struct emu_tlb *e;                                                           \
                                                                                                   \
		before;                                                                            \
		va = X1 + IMM;                                                                     \
		e = TLB_ENTRY(va);                                                                 \
		if (emu_likely(e->read == TLB_TAG(va, type))) {                                    \
			v = (uint64_t)__atomic_load_n(                                             \
				(type *)(uintptr_t)(va + e->offset), __ATOMIC_RELAXED);            \
		} else {                                                                           \
			result = emu_load(h, va, sizeof(type), &v);                                \
			if (emu_unlikely(result != EMU_DONE)) {                                    \
				h->pending_op = EMU_##name;                                        \
				h->pending_rd = op->rd;                                            \
				goto not_done;                                                     \
			}                                                                          \
			v = (uint64_t)(type)v;                                                     \
		}                                                                                  \
		set;                                                                               \
		NEXT();                                                                            \
	}
/* NOLINTEND(bugprone-macro-parentheses) */

#define STORE(name, type, before, value)                                                           \
	L_##name:                                                                                  \
	{                                                                                          \
		const struct emu_tlb *e;                                                           \
		uint64_t va;                                                                       \
                                                                                                   \
		before;                                                                            \
		va = X1 + IMM;                                                                     \
		e = TLB_ENTRY(va);                                                                 \
		if (emu_likely(e->write == TLB_TAG(va, type))) {                                   \
			__atomic_store_n((type *)(uintptr_t)(va + e->offset), (type)(value),       \
				__ATOMIC_RELAXED);                                                 \
		} else {                                                                           \
			result = emu_store(h, va, sizeof(type), (value));                          \
			if (emu_unlikely(result != EMU_DONE))                                      \
				goto not_done;                                                     \
		}                                                                                  \
		NEXT();                                                                            \
	}

#define CALL(name, call)                                                                           \
	L_##name : result = (call);                                                                \
	if (emu_unlikely(result != EMU_DONE))                                                      \
		goto not_done;                                                                     \
	NEXT();

/* ---- floating point ---- */

#define FP_ON()                                                                                    \
	do {                                                                                       \
		if (emu_unlikely(!h->fp_dirty) && emu_fp_use(h) < 0)                               \
			goto illegal;                                                              \
	} while (0)

#define FP_CALL(name)                                                                              \
	do {                                                                                       \
		if (emu_fp(h, EMU_##name, op) < 0)                                                 \
			goto illegal;                                                              \
		NEXT();                                                                            \
	} while (0)

#define FP(name)                                                                                   \
	L_##name : FP_ON();                                                                        \
	FP_CALL(name);

/* In the host's own rounding mode; a and b are the operands. */
#define FP_D(name, value)                                                                          \
	L_##name:                                                                                  \
	{                                                                                          \
		double a, b, c;                                                                    \
                                                                                                   \
		FP_ON();                                                                           \
		if (emu_unlikely(!h->near[op->aux]))                                               \
			FP_CALL(name);                                                             \
		a = float_d(f[op->rs1]);                                                           \
		b = float_d(f[op->rs2]);                                                           \
		c = (value);                                                                       \
		f[op->rd] = emu_unlikely(c != c) ? FLOAT_D_NAN : float_d_bits(c);                  \
		NEXT();                                                                            \
	}

#define FP_S(name, value)                                                                          \
	L_##name:                                                                                  \
	{                                                                                          \
		float a, b, c;                                                                     \
                                                                                                   \
		FP_ON();                                                                           \
		if (emu_unlikely(!h->near[op->aux]))                                               \
			FP_CALL(name);                                                             \
		a = float_s(f[op->rs1]);                                                           \
		b = float_s(f[op->rs2]);                                                           \
		c = (value);                                                                       \
		f[op->rd] = emu_unlikely(c != c) ? FLOAT_S_NAN : float_s_bits(c);                  \
		NEXT();                                                                            \
	}

/* ---- ends of blocks ---- */

#define FALL_THROUGH (base + block->bytes)

#define BRANCH(name, condition)                                                                    \
	L_##name : if (condition) goto taken;                                                      \
	goto not_taken;

#define LABEL(name) [EMU_##name] = &&L_##name,

static uint64_t raw_insn(const struct emu_block *b, size_t index)
{
	uint32_t at = b->offsets[index] / 2u;
	uint32_t raw = b->copy[at];

	return (raw & 3) == 3 ? raw | (uint32_t)b->copy[at + 1] << 16 : raw;
}

static bool cbo_allowed(const struct backend_vcpu *h, uint32_t kind)
{
	static const uint8_t bit[] = { [0] = 0x10, [1] = 0x40, [2] = 0x40, [4] = 0x80 };

	return h->mode == EMU_SUPERVISOR || (h->senvcfg & bit[kind]);
}

static void fill_call(struct backend_vcpu *h)
{
	struct vcpu_exit *e = h->exit;

	e->kind = VCPU_CALL;
	e->call.function = backend_sbi_function(h->x[17], h->x[16]);
	for (int i = 0; i < 6; i++)
		e->call.args[i] = h->x[10 + i];
	h->pending = EMU_PENDING_CALL;
}

enum emu_stop emu_execute(struct backend_vcpu *h, const void **ret_handlers)
{
	static const void *const labels[EMU_OPCODES] = { EMU_OPS(LABEL) };
	uint64_t *const x = h ? h->x : NULL, *const f = h ? h->f : NULL;
	struct emu_block *block = NULL, *next;
	const struct emu_op *op = NULL;
	const struct emu_jump *jump;
	enum emu_result result;
	uint64_t pc, base = 0, icount;
	uint32_t flushes;
	size_t index, slot;

	if (!h) {
		memcpy(ret_handlers, labels, sizeof(labels));
		return EMU_STOP_EXIT;
	}
	pc = h->pc;
	icount = h->icount;

look_up:
	jump = emu_jump_slot(h, pc);
	if (emu_likely(jump->key == emu_jump_key(h, pc) && jump->block->epoch == h->code.epoch)) {
		block = jump->block;
		goto enter;
	}
	block = emu_block_find(h, pc);
	if (emu_unlikely(!block))
		goto fetch_failed;

enter:
	if (emu_unlikely(icount >= atomic_load_explicit(&h->limit, memory_order_relaxed)))
		goto limit;
	base = pc;
	icount += block->n;
	op = block->ops;
	goto * op->handler;

	/* clang-format off */
	ALU(LI, IMM)
	ALU(MV, X1)
	ALU(ADDI, X1 + IMM)
	ALU(SLTI, (int64_t)X1 < (int64_t)op->imm)
	ALU(SLTIU, X1 < IMM)
	ALU(XORI, X1 ^ IMM)
	ALU(ORI, X1 | IMM)
	ALU(ANDI, X1 & IMM)
	ALU(SLLI, X1 << op->imm)
	ALU(SRLI, X1 >> op->imm)
	ALU(SRAI, alu_sra(X1, IMM))
	ALU(ADDIW, alu_sext32(X1 + IMM))
	ALU(SLLIW, alu_sllw(X1, IMM))
	ALU(SRLIW, alu_srlw(X1, IMM))
	ALU(SRAIW, alu_sraw(X1, IMM))
	ALU(ADD, X1 + X2)
	ALU(SUB, X1 - X2)
	ALU(SLL, X1 << (X2 & 63))
	ALU(SLT, (int64_t)X1 < (int64_t)X2)
	ALU(SLTU, X1 < X2)
	ALU(XOR, X1 ^ X2)
	ALU(SRL, X1 >> (X2 & 63))
	ALU(SRA, alu_sra(X1, X2))
	ALU(OR, X1 | X2)
	ALU(AND, X1 & X2)
	ALU(ADDW, alu_sext32(X1 + X2))
	ALU(SUBW, alu_sext32(X1 - X2))
	ALU(SLLW, alu_sllw(X1, X2))
	ALU(SRLW, alu_srlw(X1, X2))
	ALU(SRAW, alu_sraw(X1, X2))
	ALU(MUL, X1 * X2)
	ALU(MULH, alu_mulh(X1, X2))
	ALU(MULHSU, alu_mulhsu(X1, X2))
	ALU(MULHU, alu_mulhu(X1, X2))
	ALU(DIV, alu_div(X1, X2))
	ALU(DIVU, alu_divu(X1, X2))
	ALU(REM, alu_rem(X1, X2))
	ALU(REMU, alu_remu(X1, X2))
	ALU(MULW, alu_sext32(X1 * X2))
	ALU(DIVW, alu_divw(X1, X2))
	ALU(DIVUW, alu_divuw(X1, X2))
	ALU(REMW, alu_remw(X1, X2))
	ALU(REMUW, alu_remuw(X1, X2))
	ALU(ADD_UW, (uint32_t)X1 + X2)
	ALU(SH1ADD, (X1 << 1) + X2)
	ALU(SH2ADD, (X1 << 2) + X2)
	ALU(SH3ADD, (X1 << 3) + X2)
	ALU(SH1ADD_UW, ((uint64_t)(uint32_t)X1 << 1) + X2)
	ALU(SH2ADD_UW, ((uint64_t)(uint32_t)X1 << 2) + X2)
	ALU(SH3ADD_UW, ((uint64_t)(uint32_t)X1 << 3) + X2)
	ALU(SLLI_UW, (uint64_t)(uint32_t)X1 << op->imm)
	ALU(ANDN, X1 & ~X2)
	ALU(ORN, X1 | ~X2)
	ALU(XNOR, ~(X1 ^ X2))
	ALU(CLZ, alu_clz(X1))
	ALU(CTZ, alu_ctz(X1))
	ALU(CPOP, (uint64_t)__builtin_popcountll(X1))
	ALU(CLZW, alu_clzw(X1))
	ALU(CTZW, alu_ctzw(X1))
	ALU(CPOPW, (uint64_t)__builtin_popcount((uint32_t)X1))
	ALU(MAX, alu_max(X1, X2))
	ALU(MAXU, X1 > X2 ? X1 : X2)
	ALU(MIN, alu_min(X1, X2))
	ALU(MINU, X1 < X2 ? X1 : X2)
	ALU(SEXT_B, (uint64_t)(int64_t)(int8_t)X1)
	ALU(SEXT_H, (uint64_t)(int64_t)(int16_t)X1)
	ALU(ZEXT_H, (uint16_t)X1)
	ALU(ROL, alu_ror(X1, -X2))
	ALU(ROR, alu_ror(X1, X2))
	ALU(RORI, alu_ror(X1, IMM))
	ALU(ROLW, alu_rorw(X1, -X2))
	ALU(RORW, alu_rorw(X1, X2))
	ALU(RORIW, alu_rorw(X1, IMM))
	ALU(ORC_B, alu_orc_b(X1))
	ALU(REV8, __builtin_bswap64(X1))
	ALU(BCLR, X1 & ~(1ull << (X2 & 63)))
	ALU(BEXT, X1 >> (X2 & 63) & 1)
	ALU(BINV, X1 ^ 1ull << (X2 & 63))
	ALU(BSET, X1 | 1ull << (X2 & 63))
	ALU(BCLRI, X1 & ~(1ull << op->imm))
	ALU(BEXTI, X1 >> op->imm & 1)
	ALU(BINVI, X1 ^ 1ull << op->imm)
	ALU(BSETI, X1 | 1ull << op->imm)
	ALU(CZERO_EQZ, X2 ? X1 : 0)
	ALU(CZERO_NEZ, X2 ? 0 : X1)
	ALU(AUIPC, base + IMM)

	LOAD(LB, int8_t, (void)0, x[op->rd] = v)
	LOAD(LH, int16_t, (void)0, x[op->rd] = v)
	LOAD(LW, int32_t, (void)0, x[op->rd] = v)
	LOAD(LD, uint64_t, (void)0, x[op->rd] = v)
	LOAD(LBU, uint8_t, (void)0, x[op->rd] = v)
	LOAD(LHU, uint16_t, (void)0, x[op->rd] = v)
	LOAD(LWU, uint32_t, (void)0, x[op->rd] = v)
	STORE(SB, uint8_t, (void)0, X2)
	STORE(SH, uint16_t, (void)0, X2)
	STORE(SW, uint32_t, (void)0, X2)
	STORE(SD, uint64_t, (void)0, X2)

	LOAD(FLW, uint32_t, FP_ON(), f[op->rd] = v | 0xffffffff00000000u)
	LOAD(FLD, uint64_t, FP_ON(), f[op->rd] = v)
	STORE(FSW, uint32_t, FP_ON(), f[op->rs2])
	STORE(FSD, uint64_t, FP_ON(), f[op->rs2])

	CALL(LR, emu_lr(h, op))
	CALL(SC, emu_sc(h, op))
	CALL(AMO, emu_amo(h, op))

	FP_S(FADD_S, a + b)
	FP_D(FADD_D, a + b)
	FP_S(FSUB_S, a - b)
	FP_D(FSUB_D, a - b)
	FP_S(FMUL_S, a * b)
	FP_D(FMUL_D, a * b)
	FP_S(FDIV_S, a / b)
	FP_D(FDIV_D, a / b)
	FP(FSQRT_S)
	FP(FSQRT_D)
	FP(FMADD_S)
	FP(FMADD_D)
	FP(FMSUB_S)
	FP(FMSUB_D)
	FP(FNMSUB_S)
	FP(FNMSUB_D)
	FP(FNMADD_S)
	FP(FNMADD_D)
	FP(FSGNJ_S)
	FP(FSGNJ_D)
	FP(FSGNJN_S)
	FP(FSGNJN_D)
	FP(FSGNJX_S)
	FP(FSGNJX_D)
	FP(FMIN_S)
	FP(FMIN_D)
	FP(FMAX_S)
	FP(FMAX_D)
	FP(FEQ_S)
	FP(FEQ_D)
	FP(FLT_S)
	FP(FLT_D)
	FP(FLE_S)
	FP(FLE_D)
	FP(FCLASS_S)
	FP(FCLASS_D)
	FP(FCVT_W_S)
	FP(FCVT_W_D)
	FP(FCVT_WU_S)
	FP(FCVT_WU_D)
	FP(FCVT_L_S)
	FP(FCVT_L_D)
	FP(FCVT_LU_S)
	FP(FCVT_LU_D)
	FP(FCVT_S_W)
	FP(FCVT_D_W)
	FP(FCVT_S_WU)
	FP(FCVT_D_WU)
	FP(FCVT_S_L)
	FP(FCVT_D_L)
	FP(FCVT_S_LU)
	FP(FCVT_D_LU)
	FP(FCVT_S_D)
	FP(FCVT_D_S)
	FP(FMV_X_W)
	FP(FMV_X_D)
	FP(FMV_W_X)
	FP(FMV_D_X)

	BRANCH(BEQ, X1 == X2)
	BRANCH(BNE, X1 != X2)
	BRANCH(BLT, (int64_t)X1 < (int64_t)X2)
	BRANCH(BGE, (int64_t)X1 >= (int64_t)X2)
	BRANCH(BLTU, X1 < X2)
	BRANCH(BGEU, X1 >= X2)
	/* clang-format on */

L_FENCE:
	if (op->aux)
		atomic_thread_fence(memory_order_seq_cst);
	else
		atomic_thread_fence(memory_order_acq_rel);
	NEXT();

L_PAUSE:
	NEXT();

L_CBO_ZERO:
	if (!cbo_allowed(h, op->aux))
		goto illegal;
	result = emu_zero_line(h, X1);
	if (emu_unlikely(result != EMU_DONE))
		goto not_done;
	NEXT();

L_CBO:
	if (!cbo_allowed(h, op->aux))
		goto illegal;
	result = emu_touch_line(h, X1);
	if (emu_unlikely(result != EMU_DONE))
		goto not_done;
	NEXT();

	/* ---- from block to block ---- */

L_JAL:
	x[op->rd] = FALL_THROUGH;
L_J:
taken:
	pc = base + IMM;
	next = block->link[1];
	slot = 1;
	if (emu_likely(next && next->epoch == h->code.epoch)) {
		block = next;
		goto enter;
	}
	goto link;

L_NEXT:
not_taken:
	pc = FALL_THROUGH;
	next = block->link[0];
	slot = 0;
	if (emu_likely(next && next->epoch == h->code.epoch)) {
		block = next;
		goto enter;
	}

link:
	if ((pc ^ base) >> 12 || !block->host)
		goto look_up;
	flushes = h->code.flushes;
	next = emu_block_find(h, pc);
	if (emu_unlikely(!next))
		goto fetch_failed;
	if (flushes == h->code.flushes && next->host)
		block->link[slot] = next;
	block = next;
	goto enter;

L_JALR:
	pc = (X1 + IMM) & ~1ull;
	x[op->rd] = FALL_THROUGH;
	goto look_up;

	/* ---- the system ---- */

L_CSR:
	h->icount = icount;
	if (emu_csr_op(h, op) < 0)
		goto illegal;
	pc = FALL_THROUGH;
	if (emu_unlikely(emu_interrupt_waits(h)))
		goto limit;
	goto look_up;

L_SRET:
	if (emu_sret(h) < 0)
		goto illegal;
	pc = h->pc;
	if (emu_unlikely(emu_interrupt_waits(h)))
		goto limit;
	goto look_up;

L_SFENCE_VMA:
	if (h->mode != EMU_SUPERVISOR)
		goto illegal;
	if (op->rs1 == 0)
		emu_tlb_flush(h);
	else
		emu_tlb_flush_page(h, X1);
	pc = FALL_THROUGH;
	goto look_up;

L_FENCE_I:
	pc = FALL_THROUGH;
	emu_fence_i(h);
	goto look_up;

L_ECALL:
	if (h->mode == EMU_USER) {
		emu_set_trap(h, EMU_ECALL_USER, 0);
		goto trapped;
	}
	fill_call(h);
	h->pc = FALL_THROUGH;
	h->icount = icount;
	return EMU_STOP_EXIT;

L_EBREAK:
	emu_set_trap(h, EMU_BREAKPOINT, base + block->offsets[op - block->ops]);
	goto trapped;

L_WFI:
	if (h->mode != EMU_SUPERVISOR)
		goto illegal;
	h->pc = FALL_THROUGH;
	h->icount = icount;
	return EMU_STOP_WFI;

	/* ---- traps ---- */

not_done:
	if (result == EMU_TRAPPED)
		goto trapped;
	index = (size_t)(op - block->ops);
	h->pc = base + block->offsets[index + 1];
	h->icount = icount - (block->n - index - 1);
	return EMU_STOP_EXIT;

L_ILLEGAL:
illegal:
	emu_set_trap(h, EMU_ILLEGAL_INSN, raw_insn(block, (size_t)(op - block->ops)));
trapped:
	index = (size_t)(op - block->ops);
	h->pc = base + block->offsets[index];
	icount -= block->n - index - 1;
	goto enter_trap;

fetch_failed:
	h->pc = pc;
	icount++;
enter_trap:
	h->traps++;
	h->icount = icount;
	emu_enter_trap(h);
	pc = h->pc;
	/* A handler that is not there must not keep the hart from listening. */
	if (emu_unlikely(icount >= atomic_load_explicit(&h->limit, memory_order_relaxed)))
		goto limit;
	goto look_up;

limit:
	h->pc = pc;
	h->icount = icount;
	return EMU_STOP_LIMIT;
}

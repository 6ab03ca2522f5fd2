/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding 32-bit instructions: RV64IMAFD, Zicsr, Zifencei, Zba, Zbb, Zbs, Zicond, Zicbom, Zicboz
 * and the supervisor's instructions.  Whatever is not known becomes EMU_ILLEGAL.  Nothing here
 * depends on the state of a hart.
 */
#include "backends/emu/emu_ops.h"

#include <string.h>

#define RD(raw)     ((raw) >> 7 & 31u)
#define FUNCT3(raw) ((raw) >> 12 & 7u)
#define RS1(raw)    ((raw) >> 15 & 31u)
#define RS2(raw)    ((raw) >> 20 & 31u)
#define FUNCT7(raw) ((raw) >> 25)
#define RS3(raw)    ((raw) >> 27)
#define IMM_I(raw)  ((int32_t)(raw) >> 20)
#define NONE        EMU_ILLEGAL

static void set(struct emu_insn *i, unsigned int opcode)
{
	i->opcode = (uint16_t)opcode;
}

/* ---- immediates ---- */

static int32_t imm_s(uint32_t raw)
{
	return (int32_t)((uint32_t)((int32_t)raw >> 25) << 5 | RD(raw));
}

static int32_t imm_b(uint32_t raw)
{
	return (int32_t)((uint32_t)((int32_t)raw >> 31) << 12 | (raw >> 7 & 1) << 11 |
			 (raw >> 25 & 63) << 5 | (raw >> 8 & 15) << 1);
}

static int32_t imm_j(uint32_t raw)
{
	return (int32_t)((uint32_t)((int32_t)raw >> 31) << 20 | (raw >> 12 & 255) << 12 |
			 (raw >> 20 & 1) << 11 | (raw >> 21 & 1023) << 1);
}

/* ---- loads, stores, branches ---- */

static void decode_load(uint32_t raw, struct emu_insn *i)
{
	static const uint16_t ops[8] = { EMU_LB, EMU_LH, EMU_LW, EMU_LD, EMU_LBU, EMU_LHU, EMU_LWU,
		NONE };

	set(i, ops[FUNCT3(raw)]);
	i->imm = IMM_I(raw);
}

static void decode_store(uint32_t raw, struct emu_insn *i)
{
	static const uint16_t ops[8] = { EMU_SB, EMU_SH, EMU_SW, EMU_SD, NONE, NONE, NONE, NONE };

	set(i, ops[FUNCT3(raw)]);
	i->imm = imm_s(raw);
}

static void decode_fp_memory(uint32_t raw, bool store, struct emu_insn *i)
{
	i->rd = (uint8_t)RD(raw);
	i->imm = store ? imm_s(raw) : IMM_I(raw);
	if (FUNCT3(raw) == 2)
		set(i, store ? EMU_FSW : EMU_FLW);
	else if (FUNCT3(raw) == 3)
		set(i, store ? EMU_FSD : EMU_FLD);
}

static void decode_branch(uint32_t raw, struct emu_insn *i)
{
	static const uint16_t ops[8] = { EMU_BEQ, EMU_BNE, NONE, NONE, EMU_BLT, EMU_BGE, EMU_BLTU,
		EMU_BGEU };

	set(i, ops[FUNCT3(raw)]);
	i->imm = imm_b(raw);
}

/* ---- register and immediate ---- */

static void decode_shift_left_imm(uint32_t raw, struct emu_insn *i)
{
	static const uint16_t unary[6] = { EMU_CLZ, EMU_CTZ, EMU_CPOP, NONE, EMU_SEXT_B,
		EMU_SEXT_H };
	uint32_t shift = raw >> 20 & 63;

	i->imm = (int32_t)shift;
	switch (raw >> 26) {
	case 0x00:
		set(i, EMU_SLLI);
		break;
	case 0x0a:
		set(i, EMU_BSETI);
		break;
	case 0x12:
		set(i, EMU_BCLRI);
		break;
	case 0x1a:
		set(i, EMU_BINVI);
		break;
	case 0x18:
		if (shift < 6)
			set(i, unary[shift]);
		break;
	default:
		break;
	}
}

static void decode_shift_right_imm(uint32_t raw, struct emu_insn *i)
{
	uint32_t shift = raw >> 20 & 63;

	i->imm = (int32_t)shift;
	switch (raw >> 26) {
	case 0x00:
		set(i, EMU_SRLI);
		break;
	case 0x10:
		set(i, EMU_SRAI);
		break;
	case 0x12:
		set(i, EMU_BEXTI);
		break;
	case 0x18:
		set(i, EMU_RORI);
		break;
	default:
		if (raw >> 20 == 0x287)
			set(i, EMU_ORC_B);
		else if (raw >> 20 == 0x6b8)
			set(i, EMU_REV8);
		break;
	}
}

static void decode_op_imm(uint32_t raw, struct emu_insn *i)
{
	static const uint16_t ops[8] = { EMU_ADDI, NONE, EMU_SLTI, EMU_SLTIU, EMU_XORI, NONE,
		EMU_ORI, EMU_ANDI };

	i->imm = IMM_I(raw);
	if (FUNCT3(raw) == 1)
		decode_shift_left_imm(raw, i);
	else if (FUNCT3(raw) == 5)
		decode_shift_right_imm(raw, i);
	else
		set(i, ops[FUNCT3(raw)]);
	if (i->opcode == EMU_ADDI && i->rs1 == 0)
		set(i, EMU_LI);
	else if (i->opcode == EMU_ADDI && i->imm == 0)
		set(i, EMU_MV);
}

static void decode_op_imm_32(uint32_t raw, struct emu_insn *i)
{
	static const uint16_t unary[3] = { EMU_CLZW, EMU_CTZW, EMU_CPOPW };

	i->imm = IMM_I(raw);
	if (FUNCT3(raw) == 0) {
		set(i, EMU_ADDIW);
		return;
	}
	i->imm = (int32_t)RS2(raw);
	if (FUNCT3(raw) == 1) {
		if (FUNCT7(raw) == 0)
			set(i, EMU_SLLIW);
		else if (FUNCT7(raw) == 0x30 && RS2(raw) < 3)
			set(i, unary[RS2(raw)]);
		else if (raw >> 26 == 0x02)
			set(i, EMU_SLLI_UW);
		if (i->opcode == EMU_SLLI_UW)
			i->imm = (int32_t)(raw >> 20 & 63);
	} else if (FUNCT3(raw) == 5) {
		if (FUNCT7(raw) == 0)
			set(i, EMU_SRLIW);
		else if (FUNCT7(raw) == 0x20)
			set(i, EMU_SRAIW);
		else if (FUNCT7(raw) == 0x30)
			set(i, EMU_RORIW);
	}
}

/* ---- register and register ---- */

struct row {
	uint8_t funct7;
	uint16_t ops[8]; /* by funct3 */
};

static const struct row op_rows[] = {
	{ 0x00, { EMU_ADD, EMU_SLL, EMU_SLT, EMU_SLTU, EMU_XOR, EMU_SRL, EMU_OR, EMU_AND } },
	{ 0x20, { EMU_SUB, NONE, NONE, NONE, EMU_XNOR, EMU_SRA, EMU_ORN, EMU_ANDN } },
	{ 0x01, { EMU_MUL, EMU_MULH, EMU_MULHSU, EMU_MULHU, EMU_DIV, EMU_DIVU, EMU_REM,
			EMU_REMU } },
	{ 0x05, { NONE, NONE, NONE, NONE, EMU_MIN, EMU_MINU, EMU_MAX, EMU_MAXU } },
	{ 0x07, { NONE, NONE, NONE, NONE, NONE, EMU_CZERO_EQZ, NONE, EMU_CZERO_NEZ } },
	{ 0x10, { NONE, NONE, EMU_SH1ADD, NONE, EMU_SH2ADD, NONE, EMU_SH3ADD, NONE } },
	{ 0x14, { NONE, EMU_BSET, NONE, NONE, NONE, NONE, NONE, NONE } },
	{ 0x24, { NONE, EMU_BCLR, NONE, NONE, NONE, EMU_BEXT, NONE, NONE } },
	{ 0x30, { NONE, EMU_ROL, NONE, NONE, NONE, EMU_ROR, NONE, NONE } },
	{ 0x34, { NONE, EMU_BINV, NONE, NONE, NONE, NONE, NONE, NONE } },
};

static const struct row op_32_rows[] = {
	{ 0x00, { EMU_ADDW, EMU_SLLW, NONE, NONE, NONE, EMU_SRLW, NONE, NONE } },
	{ 0x20, { EMU_SUBW, NONE, NONE, NONE, NONE, EMU_SRAW, NONE, NONE } },
	{ 0x01, { EMU_MULW, NONE, NONE, NONE, EMU_DIVW, EMU_DIVUW, EMU_REMW, EMU_REMUW } },
	{ 0x04, { EMU_ADD_UW, NONE, NONE, NONE, EMU_ZEXT_H, NONE, NONE, NONE } },
	{ 0x10, { NONE, NONE, EMU_SH1ADD_UW, NONE, EMU_SH2ADD_UW, NONE, EMU_SH3ADD_UW, NONE } },
	{ 0x30, { NONE, EMU_ROLW, NONE, NONE, NONE, EMU_RORW, NONE, NONE } },
};

static void decode_rows(const struct row *rows, size_t n, uint32_t raw, struct emu_insn *i)
{
	for (size_t r = 0; r < n; r++)
		if (rows[r].funct7 == FUNCT7(raw))
			set(i, rows[r].ops[FUNCT3(raw)]);
	if (i->opcode == EMU_ZEXT_H && RS2(raw) != 0)
		set(i, NONE);
}

/* ---- atomics ---- */

static void decode_amo(uint32_t raw, struct emu_insn *i)
{
	/* Bit n: funct5 n is an atomic read-modify-write. */
	const uint32_t known = 1u << 0x00 | 1u << 0x01 | 1u << 0x04 | 1u << 0x08 | 1u << 0x0c |
			       1u << 0x10 | 1u << 0x14 | 1u << 0x18 | 1u << 0x1c;
	uint32_t funct5 = raw >> 27;

	if (FUNCT3(raw) != 2 && FUNCT3(raw) != 3)
		return;
	i->aux = (uint8_t)(funct5 << 1 | (FUNCT3(raw) == 3 ? EMU_AMO_DOUBLE : 0));
	if (funct5 == 2 && RS2(raw) == 0)
		set(i, EMU_LR);
	else if (funct5 == 3)
		set(i, EMU_SC);
	else if (known >> funct5 & 1)
		set(i, EMU_AMO);
}

/* ---- floating point ---- */

static bool good_rounding(uint32_t rm)
{
	return rm != 5 && rm != 6;
}

static void decode_fma(uint32_t raw, unsigned int opcode, struct emu_insn *i)
{
	uint32_t format = raw >> 25 & 3;

	i->rd = (uint8_t)RD(raw);
	i->aux = (uint8_t)FUNCT3(raw);
	i->imm = (int32_t)RS3(raw);
	if (format < 2 && good_rounding(FUNCT3(raw)))
		set(i, opcode + format);
}

/* Sets the opcode of a form that has no rounding mode; funct3 chooses. */
static void choose(struct emu_insn *i, const uint16_t ops[3], uint32_t funct3, uint32_t format)
{
	if (funct3 < 3 && ops[funct3] != NONE)
		set(i, ops[funct3] + format);
}

static void decode_fp_convert(uint32_t raw, uint32_t format, struct emu_insn *i)
{
	static const uint16_t to_int[4] = { EMU_FCVT_W_S, EMU_FCVT_WU_S, EMU_FCVT_L_S,
		EMU_FCVT_LU_S };
	static const uint16_t from_int[4] = { EMU_FCVT_S_W, EMU_FCVT_S_WU, EMU_FCVT_S_L,
		EMU_FCVT_S_LU };

	if (!good_rounding(FUNCT3(raw)))
		return;
	switch (raw >> 27) {
	case 0x08:
		if (format == 0 && RS2(raw) == 1)
			set(i, EMU_FCVT_S_D);
		else if (format == 1 && RS2(raw) == 0)
			set(i, EMU_FCVT_D_S);
		break;
	case 0x18:
		if (RS2(raw) < 4)
			set(i, to_int[RS2(raw)] + format);
		break;
	case 0x1a:
		if (RS2(raw) < 4)
			set(i, from_int[RS2(raw)] + format);
		break;
	default:
		break;
	}
}

static void decode_fp_move(uint32_t raw, uint32_t format, struct emu_insn *i)
{
	if (RS2(raw) != 0)
		return;
	if (raw >> 27 == 0x1c && FUNCT3(raw) == 0)
		set(i, format ? EMU_FMV_X_D : EMU_FMV_X_W);
	else if (raw >> 27 == 0x1c && FUNCT3(raw) == 1)
		set(i, format ? EMU_FCLASS_D : EMU_FCLASS_S);
	else if (raw >> 27 == 0x1e && FUNCT3(raw) == 0)
		set(i, format ? EMU_FMV_D_X : EMU_FMV_W_X);
}

static void decode_fp_op(uint32_t raw, uint32_t format, struct emu_insn *i)
{
	static const uint16_t arith[4] = { EMU_FADD_S, EMU_FSUB_S, EMU_FMUL_S, EMU_FDIV_S };
	static const uint16_t sign[3] = { EMU_FSGNJ_S, EMU_FSGNJN_S, EMU_FSGNJX_S };
	static const uint16_t minmax[3] = { EMU_FMIN_S, EMU_FMAX_S, NONE };
	static const uint16_t compare[3] = { EMU_FLE_S, EMU_FLT_S, EMU_FEQ_S };
	uint32_t kind = raw >> 27;

	switch (kind) {
	case 0x00:
	case 0x01:
	case 0x02:
	case 0x03:
		if (good_rounding(FUNCT3(raw)))
			set(i, arith[kind] + format);
		break;
	case 0x0b:
		if (RS2(raw) == 0 && good_rounding(FUNCT3(raw)))
			set(i, EMU_FSQRT_S + format);
		break;
	case 0x04:
		choose(i, sign, FUNCT3(raw), format);
		break;
	case 0x05:
		choose(i, minmax, FUNCT3(raw), format);
		break;
	case 0x14:
		choose(i, compare, FUNCT3(raw), format);
		break;
	case 0x1c:
	case 0x1e:
		decode_fp_move(raw, format, i);
		break;
	default:
		decode_fp_convert(raw, format, i);
		break;
	}
}

/* Which of them write an integer register. */
static bool to_integer(uint32_t raw)
{
	return raw >> 27 == 0x14 || raw >> 27 == 0x18 || raw >> 27 == 0x1c;
}

static void decode_fp(uint32_t raw, struct emu_insn *i)
{
	uint32_t format = raw >> 25 & 3;

	i->aux = (uint8_t)FUNCT3(raw);
	if (!to_integer(raw))
		i->rd = (uint8_t)RD(raw);
	if (format < 2)
		decode_fp_op(raw, format, i);
}

/* ---- the rest ---- */

static void decode_misc_mem(uint32_t raw, struct emu_insn *i)
{
	uint32_t pred = raw >> 24 & 15, succ = raw >> 20 & 15;

	i->imm = IMM_I(raw);
	if (FUNCT3(raw) == 0) {
		set(i, EMU_FENCE);
		i->aux = (pred & 5) && (succ & 10); /* a write before a read: the costly order */
		if (raw == 0x0100000f)
			set(i, EMU_PAUSE);
	} else if (FUNCT3(raw) == 1) {
		set(i, EMU_FENCE_I);
	} else if (FUNCT3(raw) == 2 && RD(raw) == 0) {
		i->aux = (uint8_t)(raw >> 20);
		if (raw >> 20 == 4)
			set(i, EMU_CBO_ZERO);
		else if (raw >> 20 <= 2)
			set(i, EMU_CBO);
	}
}

static void decode_system(uint32_t raw, struct emu_insn *i)
{
	i->aux = (uint8_t)FUNCT3(raw);
	if (FUNCT3(raw) != 0) {
		i->imm = (int32_t)(raw >> 20);
		if (FUNCT3(raw) != 4)
			set(i, EMU_CSR);
		return;
	}
	if (FUNCT7(raw) == 0x09 && RD(raw) == 0)
		set(i, EMU_SFENCE_VMA);
	else if (raw == 0x00000073)
		set(i, EMU_ECALL);
	else if (raw == 0x00100073)
		set(i, EMU_EBREAK);
	else if (raw == 0x10200073)
		set(i, EMU_SRET);
	else if (raw == 0x10500073)
		set(i, EMU_WFI);
}

static void decode_major(uint32_t raw, struct emu_insn *i)
{
	switch (raw & 0x7f) {
	case 0x03:
		decode_load(raw, i);
		break;
	case 0x07:
		decode_fp_memory(raw, false, i);
		break;
	case 0x0f:
		decode_misc_mem(raw, i);
		break;
	case 0x13:
		decode_op_imm(raw, i);
		break;
	case 0x17:
		set(i, EMU_AUIPC);
		i->imm = (int32_t)(raw & ~0xfffu);
		break;
	case 0x1b:
		decode_op_imm_32(raw, i);
		break;
	case 0x23:
		decode_store(raw, i);
		break;
	case 0x27:
		decode_fp_memory(raw, true, i);
		break;
	case 0x2f:
		decode_amo(raw, i);
		break;
	case 0x33:
		decode_rows(op_rows, sizeof(op_rows) / sizeof(op_rows[0]), raw, i);
		break;
	case 0x37:
		set(i, EMU_LI);
		i->imm = (int32_t)(raw & ~0xfffu);
		break;
	case 0x3b:
		decode_rows(op_32_rows, sizeof(op_32_rows) / sizeof(op_32_rows[0]), raw, i);
		break;
	case 0x43:
		decode_fma(raw, EMU_FMADD_S, i);
		break;
	case 0x47:
		decode_fma(raw, EMU_FMSUB_S, i);
		break;
	case 0x4b:
		decode_fma(raw, EMU_FNMSUB_S, i);
		break;
	case 0x4f:
		decode_fma(raw, EMU_FNMADD_S, i);
		break;
	case 0x53:
		decode_fp(raw, i);
		break;
	case 0x63:
		decode_branch(raw, i);
		break;
	case 0x67:
		if (FUNCT3(raw) == 0)
			set(i, EMU_JALR);
		i->imm = IMM_I(raw);
		break;
	case 0x6f:
		set(i, RD(raw) ? EMU_JAL : EMU_J);
		i->imm = imm_j(raw);
		break;
	case 0x73:
		decode_system(raw, i);
		break;
	default:
		break;
	}
}

void emu_decode(uint32_t raw, struct emu_insn *ret_insn)
{
	if ((raw & 3) != 3) {
		emu_decode_compressed(raw, ret_insn);
		return;
	}
	*ret_insn = (struct emu_insn){
		.opcode = EMU_ILLEGAL,
		.length = 4,
		.rd = (uint8_t)(RD(raw) ? RD(raw) : EMU_SINK),
		.rs1 = (uint8_t)RS1(raw),
		.rs2 = (uint8_t)RS2(raw),
	};
	decode_major(raw, ret_insn);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding 16-bit instructions (RV64C with D) into the operations of their 32-bit forms.
 */
#include "backends/emu/emu_ops.h"

#define FUNCT3(raw)              ((raw) >> 13 & 7u)
#define RD(raw)                  ((raw) >> 7 & 31u)
#define RS2(raw)                 ((raw) >> 2 & 31u)
#define RD_SHORT(raw)            (8u + ((raw) >> 2 & 7u))
#define RS1_SHORT(raw)           (8u + ((raw) >> 7 & 7u))
#define BITS(raw, high, low, to) (((raw) >> (low) & ((1u << ((high) - (low) + 1)) - 1)) << (to))

static void set(struct emu_insn *i, unsigned int opcode, uint32_t rd, uint32_t rs1, uint32_t rs2,
	int32_t imm)
{
	i->opcode = (uint16_t)opcode;
	i->rd = (uint8_t)rd;
	i->rs1 = (uint8_t)rs1;
	i->rs2 = (uint8_t)rs2;
	i->imm = imm;
}

/* x0 as a destination. */
static uint32_t sink(uint32_t rd)
{
	return rd ? rd : EMU_SINK;
}

/* ---- immediates ---- */

static int32_t imm_6(uint32_t raw)
{
	uint32_t v = BITS(raw, 12, 12, 5) | BITS(raw, 6, 2, 0);

	return (int32_t)(v << 26) >> 26;
}

static uint32_t imm_word(uint32_t raw)
{
	return BITS(raw, 12, 10, 3) | BITS(raw, 6, 6, 2) | BITS(raw, 5, 5, 6);
}

static uint32_t imm_double(uint32_t raw)
{
	return BITS(raw, 12, 10, 3) | BITS(raw, 6, 5, 6);
}

static int32_t imm_j(uint32_t raw)
{
	uint32_t v = BITS(raw, 12, 12, 11) | BITS(raw, 11, 11, 4) | BITS(raw, 10, 9, 8) |
		     BITS(raw, 8, 8, 10) | BITS(raw, 7, 7, 6) | BITS(raw, 6, 6, 7) |
		     BITS(raw, 5, 3, 1) | BITS(raw, 2, 2, 5);

	return (int32_t)(v << 20) >> 20;
}

static int32_t imm_b(uint32_t raw)
{
	uint32_t v = BITS(raw, 12, 12, 8) | BITS(raw, 11, 10, 3) | BITS(raw, 6, 5, 6) |
		     BITS(raw, 4, 3, 1) | BITS(raw, 2, 2, 5);

	return (int32_t)(v << 23) >> 23;
}

static int32_t imm_16sp(uint32_t raw)
{
	uint32_t v = BITS(raw, 12, 12, 9) | BITS(raw, 6, 6, 4) | BITS(raw, 5, 5, 6) |
		     BITS(raw, 4, 3, 7) | BITS(raw, 2, 2, 5);

	return (int32_t)(v << 22) >> 22;
}

/* ---- quadrant 0 ---- */

static void decode_0(uint32_t raw, struct emu_insn *i)
{
	uint32_t rd = RD_SHORT(raw), rs1 = RS1_SHORT(raw), imm;

	switch (FUNCT3(raw)) {
	case 0:
		imm = BITS(raw, 12, 11, 4) | BITS(raw, 10, 7, 6) | BITS(raw, 6, 6, 2) |
		      BITS(raw, 5, 5, 3);
		if (imm)
			set(i, EMU_ADDI, rd, 2, 0, (int32_t)imm);
		break;
	case 1:
		set(i, EMU_FLD, rd, rs1, 0, (int32_t)imm_double(raw));
		break;
	case 2:
		set(i, EMU_LW, rd, rs1, 0, (int32_t)imm_word(raw));
		break;
	case 3:
		set(i, EMU_LD, rd, rs1, 0, (int32_t)imm_double(raw));
		break;
	case 5:
		set(i, EMU_FSD, 0, rs1, rd, (int32_t)imm_double(raw));
		break;
	case 6:
		set(i, EMU_SW, 0, rs1, rd, (int32_t)imm_word(raw));
		break;
	case 7:
		set(i, EMU_SD, 0, rs1, rd, (int32_t)imm_double(raw));
		break;
	default:
		break;
	}
}

/* ---- quadrant 1 ---- */

static void decode_arithmetic(uint32_t raw, struct emu_insn *i)
{
	static const uint16_t ops[8] = { EMU_SUB, EMU_XOR, EMU_OR, EMU_AND, EMU_SUBW, EMU_ADDW,
		EMU_ILLEGAL, EMU_ILLEGAL };
	uint32_t rd = RS1_SHORT(raw);

	switch (raw >> 10 & 3) {
	case 0:
		set(i, EMU_SRLI, rd, rd, 0, imm_6(raw) & 63);
		break;
	case 1:
		set(i, EMU_SRAI, rd, rd, 0, imm_6(raw) & 63);
		break;
	case 2:
		set(i, EMU_ANDI, rd, rd, 0, imm_6(raw));
		break;
	default:
		set(i, ops[(raw >> 12 & 1) << 2 | (raw >> 5 & 3)], rd, rd, RD_SHORT(raw), 0);
		break;
	}
}

static void decode_1(uint32_t raw, struct emu_insn *i)
{
	uint32_t rd = RD(raw);

	switch (FUNCT3(raw)) {
	case 0:
		set(i, EMU_ADDI, sink(rd), rd, 0, imm_6(raw));
		break;
	case 1:
		if (rd)
			set(i, EMU_ADDIW, rd, rd, 0, imm_6(raw));
		break;
	case 2:
		set(i, EMU_LI, sink(rd), 0, 0, imm_6(raw));
		break;
	case 3:
		if (rd == 2 && imm_16sp(raw))
			set(i, EMU_ADDI, 2, 2, 0, imm_16sp(raw));
		else if (rd != 2 && imm_6(raw))
			set(i, EMU_LI, sink(rd), 0, 0, (int32_t)((uint32_t)imm_6(raw) << 12));
		break;
	case 4:
		decode_arithmetic(raw, i);
		break;
	case 5:
		set(i, EMU_J, EMU_SINK, 0, 0, imm_j(raw));
		break;
	case 6:
		set(i, EMU_BEQ, 0, RS1_SHORT(raw), 0, imm_b(raw));
		break;
	default:
		set(i, EMU_BNE, 0, RS1_SHORT(raw), 0, imm_b(raw));
		break;
	}
}

/* ---- quadrant 2 ---- */

static void decode_jump_or_move(uint32_t raw, struct emu_insn *i)
{
	uint32_t rd = RD(raw), rs2 = RS2(raw);
	bool high = raw >> 12 & 1;

	if (rs2 && high)
		set(i, EMU_ADD, sink(rd), rd, rs2, 0);
	else if (rs2)
		set(i, EMU_MV, sink(rd), rs2, 0, 0);
	else if (rd)
		set(i, EMU_JALR, high ? 1 : EMU_SINK, rd, 0, 0);
	else if (high)
		set(i, EMU_EBREAK, 0, 0, 0, 0);
}

static void decode_2(uint32_t raw, struct emu_insn *i)
{
	uint32_t rd = RD(raw);
	int32_t load_word =
		(int32_t)(BITS(raw, 12, 12, 5) | BITS(raw, 6, 4, 2) | BITS(raw, 3, 2, 6));
	int32_t load_double =
		(int32_t)(BITS(raw, 12, 12, 5) | BITS(raw, 6, 5, 3) | BITS(raw, 4, 2, 6));
	int32_t store_word = (int32_t)(BITS(raw, 12, 9, 2) | BITS(raw, 8, 7, 6));
	int32_t store_double = (int32_t)(BITS(raw, 12, 10, 3) | BITS(raw, 9, 7, 6));

	switch (FUNCT3(raw)) {
	case 0:
		set(i, EMU_SLLI, sink(rd), rd, 0, imm_6(raw) & 63);
		break;
	case 1:
		set(i, EMU_FLD, rd, 2, 0, load_double);
		break;
	case 2:
		if (rd)
			set(i, EMU_LW, rd, 2, 0, load_word);
		break;
	case 3:
		if (rd)
			set(i, EMU_LD, rd, 2, 0, load_double);
		break;
	case 4:
		decode_jump_or_move(raw, i);
		break;
	case 5:
		set(i, EMU_FSD, 0, 2, RS2(raw), store_double);
		break;
	case 6:
		set(i, EMU_SW, 0, 2, RS2(raw), store_word);
		break;
	default:
		set(i, EMU_SD, 0, 2, RS2(raw), store_double);
		break;
	}
}

void emu_decode_compressed(uint32_t raw, struct emu_insn *ret_insn)
{
	*ret_insn = (struct emu_insn){ .opcode = EMU_ILLEGAL, .length = 2 };
	raw &= 0xffff;
	switch (raw & 3) {
	case 0:
		decode_0(raw, ret_insn);
		break;
	case 1:
		decode_1(raw, ret_insn);
		break;
	default:
		decode_2(raw, ret_insn);
		break;
	}
}

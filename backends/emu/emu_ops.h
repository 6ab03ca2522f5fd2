/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations that decoded instructions become: one name for each distinct piece of semantics,
 * in one list, from which the enumeration, the dispatch table and the names in tests are made.
 */
#ifndef TENON_BACKENDS_EMU_OPS_H
#define TENON_BACKENDS_EMU_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* rd = f(rs1, imm) or f(rs1, rs2): no traps, no memory. */
#define EMU_OPS_ALU(X)                                                                             \
	X(LI)                                                                                      \
	X(MV)                                                                                      \
	X(ADDI)                                                                                    \
	X(SLTI)                                                                                    \
	X(SLTIU)                                                                                   \
	X(XORI)                                                                                    \
	X(ORI)                                                                                     \
	X(ANDI)                                                                                    \
	X(SLLI)                                                                                    \
	X(SRLI)                                                                                    \
	X(SRAI)                                                                                    \
	X(ADDIW)                                                                                   \
	X(SLLIW)                                                                                   \
	X(SRLIW)                                                                                   \
	X(SRAIW)                                                                                   \
	X(ADD)                                                                                     \
	X(SUB)                                                                                     \
	X(SLL)                                                                                     \
	X(SLT)                                                                                     \
	X(SLTU)                                                                                    \
	X(XOR)                                                                                     \
	X(SRL)                                                                                     \
	X(SRA)                                                                                     \
	X(OR)                                                                                      \
	X(AND)                                                                                     \
	X(ADDW)                                                                                    \
	X(SUBW)                                                                                    \
	X(SLLW)                                                                                    \
	X(SRLW)                                                                                    \
	X(SRAW)                                                                                    \
	X(MUL)                                                                                     \
	X(MULH)                                                                                    \
	X(MULHSU)                                                                                  \
	X(MULHU)                                                                                   \
	X(DIV)                                                                                     \
	X(DIVU)                                                                                    \
	X(REM)                                                                                     \
	X(REMU)                                                                                    \
	X(MULW)                                                                                    \
	X(DIVW)                                                                                    \
	X(DIVUW)                                                                                   \
	X(REMW)                                                                                    \
	X(REMUW)                                                                                   \
	X(ADD_UW)                                                                                  \
	X(SH1ADD)                                                                                  \
	X(SH2ADD)                                                                                  \
	X(SH3ADD)                                                                                  \
	X(SH1ADD_UW)                                                                               \
	X(SH2ADD_UW)                                                                               \
	X(SH3ADD_UW)                                                                               \
	X(SLLI_UW)                                                                                 \
	X(ANDN)                                                                                    \
	X(ORN)                                                                                     \
	X(XNOR)                                                                                    \
	X(CLZ)                                                                                     \
	X(CTZ)                                                                                     \
	X(CPOP)                                                                                    \
	X(CLZW)                                                                                    \
	X(CTZW)                                                                                    \
	X(CPOPW)                                                                                   \
	X(MAX)                                                                                     \
	X(MAXU)                                                                                    \
	X(MIN)                                                                                     \
	X(MINU)                                                                                    \
	X(SEXT_B)                                                                                  \
	X(SEXT_H)                                                                                  \
	X(ZEXT_H)                                                                                  \
	X(ROL)                                                                                     \
	X(ROR)                                                                                     \
	X(RORI)                                                                                    \
	X(ROLW)                                                                                    \
	X(RORW)                                                                                    \
	X(RORIW)                                                                                   \
	X(ORC_B)                                                                                   \
	X(REV8)                                                                                    \
	X(BCLR)                                                                                    \
	X(BEXT)                                                                                    \
	X(BINV)                                                                                    \
	X(BSET)                                                                                    \
	X(BCLRI)                                                                                   \
	X(BEXTI)                                                                                   \
	X(BINVI)                                                                                   \
	X(BSETI)                                                                                   \
	X(CZERO_EQZ)                                                                               \
	X(CZERO_NEZ)

/* Floating point; @S and @D forms lie side by side. */
#define EMU_OPS_FP(X)                                                                              \
	X(FADD_S)                                                                                  \
	X(FADD_D)                                                                                  \
	X(FSUB_S)                                                                                  \
	X(FSUB_D)                                                                                  \
	X(FMUL_S)                                                                                  \
	X(FMUL_D)                                                                                  \
	X(FDIV_S)                                                                                  \
	X(FDIV_D)                                                                                  \
	X(FSQRT_S)                                                                                 \
	X(FSQRT_D)                                                                                 \
	X(FMADD_S)                                                                                 \
	X(FMADD_D)                                                                                 \
	X(FMSUB_S)                                                                                 \
	X(FMSUB_D)                                                                                 \
	X(FNMSUB_S)                                                                                \
	X(FNMSUB_D)                                                                                \
	X(FNMADD_S)                                                                                \
	X(FNMADD_D)                                                                                \
	X(FSGNJ_S)                                                                                 \
	X(FSGNJ_D)                                                                                 \
	X(FSGNJN_S)                                                                                \
	X(FSGNJN_D)                                                                                \
	X(FSGNJX_S)                                                                                \
	X(FSGNJX_D)                                                                                \
	X(FMIN_S)                                                                                  \
	X(FMIN_D)                                                                                  \
	X(FMAX_S)                                                                                  \
	X(FMAX_D)                                                                                  \
	X(FEQ_S)                                                                                   \
	X(FEQ_D)                                                                                   \
	X(FLT_S)                                                                                   \
	X(FLT_D)                                                                                   \
	X(FLE_S)                                                                                   \
	X(FLE_D)                                                                                   \
	X(FCLASS_S)                                                                                \
	X(FCLASS_D)                                                                                \
	X(FCVT_W_S)                                                                                \
	X(FCVT_W_D)                                                                                \
	X(FCVT_WU_S)                                                                               \
	X(FCVT_WU_D)                                                                               \
	X(FCVT_L_S)                                                                                \
	X(FCVT_L_D)                                                                                \
	X(FCVT_LU_S)                                                                               \
	X(FCVT_LU_D)                                                                               \
	X(FCVT_S_W)                                                                                \
	X(FCVT_D_W)                                                                                \
	X(FCVT_S_WU)                                                                               \
	X(FCVT_D_WU)                                                                               \
	X(FCVT_S_L)                                                                                \
	X(FCVT_D_L)                                                                                \
	X(FCVT_S_LU)                                                                               \
	X(FCVT_D_LU)                                                                               \
	X(FCVT_S_D)                                                                                \
	X(FCVT_D_S)                                                                                \
	X(FMV_X_W)                                                                                 \
	X(FMV_X_D)                                                                                 \
	X(FMV_W_X)                                                                                 \
	X(FMV_D_X)

/* Memory. */
#define EMU_OPS_MEM(X)                                                                             \
	X(LB)                                                                                      \
	X(LH)                                                                                      \
	X(LW)                                                                                      \
	X(LD)                                                                                      \
	X(LBU)                                                                                     \
	X(LHU)                                                                                     \
	X(LWU)                                                                                     \
	X(SB)                                                                                      \
	X(SH)                                                                                      \
	X(SW)                                                                                      \
	X(SD)                                                                                      \
	X(FLW)                                                                                     \
	X(FLD)                                                                                     \
	X(FSW)                                                                                     \
	X(FSD)                                                                                     \
	X(LR)                                                                                      \
	X(SC)                                                                                      \
	X(AMO)                                                                                     \
	X(CBO_ZERO)                                                                                \
	X(CBO)

/* What stays in the block besides. */
#define EMU_OPS_OTHER(X)                                                                           \
	X(AUIPC)                                                                                   \
	X(FENCE)                                                                                   \
	X(PAUSE)

/* What ends a block.  NEXT is no instruction: the block went as far as it may. */
#define EMU_OPS_END(X)                                                                             \
	X(J)                                                                                       \
	X(JAL)                                                                                     \
	X(JALR)                                                                                    \
	X(BEQ)                                                                                     \
	X(BNE)                                                                                     \
	X(BLT)                                                                                     \
	X(BGE)                                                                                     \
	X(BLTU)                                                                                    \
	X(BGEU)                                                                                    \
	X(CSR)                                                                                     \
	X(ECALL)                                                                                   \
	X(EBREAK)                                                                                  \
	X(SRET)                                                                                    \
	X(WFI)                                                                                     \
	X(SFENCE_VMA)                                                                              \
	X(FENCE_I)                                                                                 \
	X(ILLEGAL)                                                                                 \
	X(NEXT)

#define EMU_OPS(X) EMU_OPS_ALU(X) EMU_OPS_FP(X) EMU_OPS_MEM(X) EMU_OPS_OTHER(X) EMU_OPS_END(X)

#define EMU_OP_ENUM(name) EMU_##name,
enum emu_opcode { EMU_OPS(EMU_OP_ENUM) EMU_OPCODES };
#undef EMU_OP_ENUM

/* The first opcode that ends a block. */
#define EMU_FIRST_END EMU_J

/* Integer results for x0 go into a register that nobody reads. */
#define EMU_SINK 32u

/* One decoded instruction, with no trace of its encoding. */
struct emu_insn {
	uint16_t opcode; /* enum emu_opcode */
	uint8_t length;  /* 2 or 4 bytes */
	uint8_t rd, rs1, rs2;
	uint8_t aux; /* rounding mode; funct3 of CSR, funct5 and size of AMO */
	int32_t imm; /* of FMADD and its kin: rs3 */
};

/* Decodes one instruction: @raw holds its 16 or 32 bits, the rest is ignored. */
void emu_decode(uint32_t raw, struct emu_insn *ret_insn);
/* The same for 16-bit instructions alone. */
void emu_decode_compressed(uint32_t raw, struct emu_insn *ret_insn);

/* AMO, LR, SC: aux = funct5 << 1 | doubleword. */
#define EMU_AMO_DOUBLE 1u

#endif

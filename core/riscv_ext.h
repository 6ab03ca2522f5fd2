/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The extensions of RISC-V that have names of more than one letter: one list, from which come their
 * numbers in RISCV_CONF_EXT, their names in a device tree, and what a backend calls them.  Only
 * ever added to, at the end.
 */
#ifndef TENON_CORE_RISCV_EXT_H
#define TENON_CORE_RISCV_EXT_H

#define RISCV_EXTENSIONS(X)                                                                        \
	X(SSTC, "sstc")                                                                            \
	X(SVINVAL, "svinval")                                                                      \
	X(SVPBMT, "svpbmt")                                                                        \
	X(ZIHINTPAUSE, "zihintpause")                                                              \
	X(ZICBOM, "zicbom")                                                                        \
	X(ZICBOZ, "zicboz")                                                                        \
	X(ZBB, "zbb")                                                                              \
	X(SSAIA, "ssaia")                                                                          \
	X(SVNAPOT, "svnapot")                                                                      \
	X(ZBA, "zba")                                                                              \
	X(ZBS, "zbs")                                                                              \
	X(ZICNTR, "zicntr")                                                                        \
	X(ZICSR, "zicsr")                                                                          \
	X(ZIFENCEI, "zifencei")                                                                    \
	X(ZIHPM, "zihpm")                                                                          \
	X(SMSTATEEN, "smstateen")                                                                  \
	X(ZICOND, "zicond")                                                                        \
	X(ZBC, "zbc")                                                                              \
	X(ZBKB, "zbkb")                                                                            \
	X(ZBKC, "zbkc")                                                                            \
	X(ZBKX, "zbkx")                                                                            \
	X(ZKND, "zknd")                                                                            \
	X(ZKNE, "zkne")                                                                            \
	X(ZKNH, "zknh")                                                                            \
	X(ZKR, "zkr")                                                                              \
	X(ZKSED, "zksed")                                                                          \
	X(ZKSH, "zksh")                                                                            \
	X(ZKT, "zkt")                                                                              \
	X(ZVBB, "zvbb")                                                                            \
	X(ZVBC, "zvbc")                                                                            \
	X(ZVKB, "zvkb")                                                                            \
	X(ZVKG, "zvkg")                                                                            \
	X(ZVKNED, "zvkned")                                                                        \
	X(ZVKNHA, "zvknha")                                                                        \
	X(ZVKNHB, "zvknhb")                                                                        \
	X(ZVKSED, "zvksed")                                                                        \
	X(ZVKSH, "zvksh")                                                                          \
	X(ZVKT, "zvkt")                                                                            \
	X(ZFH, "zfh")                                                                              \
	X(ZFHMIN, "zfhmin")                                                                        \
	X(ZIHINTNTL, "zihintntl")                                                                  \
	X(ZVFH, "zvfh")                                                                            \
	X(ZVFHMIN, "zvfhmin")                                                                      \
	X(ZFA, "zfa")                                                                              \
	X(ZTSO, "ztso")                                                                            \
	X(ZACAS, "zacas")                                                                          \
	X(SSCOFPMF, "sscofpmf")                                                                    \
	X(ZIMOP, "zimop")                                                                          \
	X(ZCA, "zca")                                                                              \
	X(ZCB, "zcb")                                                                              \
	X(ZCD, "zcd")                                                                              \
	X(ZCF, "zcf")                                                                              \
	X(ZCMOP, "zcmop")                                                                          \
	X(ZAWRS, "zawrs")

enum riscv_ext {
#define RISCV_EXT_NUMBER(name, text) RISCV_EXT_##name,
	RISCV_EXTENSIONS(RISCV_EXT_NUMBER)
#undef RISCV_EXT_NUMBER
		RISCV_EXT_COUNT,
};

/* How many values of RISCV_CONF_EXT there are. */
#define RISCV_EXT_WORDS ((RISCV_EXT_COUNT + 63u) / 64u)

#endif

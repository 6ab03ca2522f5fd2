/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor binary interface (RISC-V SBI Specification 2.0), as far as the hypervisor leaves
 * it to the core: KVM serves most of it in the kernel and hands on the console and what it does not
 * know, the emulator all of it.  A hart's id is its vCPU's index.
 */
#ifndef TENON_ARCH_RISCV64_SBI_H
#define TENON_ARCH_RISCV64_SBI_H

struct arch_host;
struct vcpu_exit;

enum sbi_error {
	SBI_SUCCESS = 0,
	SBI_ERR_FAILED = -1,
	SBI_ERR_NOT_SUPPORTED = -2,
	SBI_ERR_INVALID_PARAM = -3,
	SBI_ERR_DENIED = -4,
	SBI_ERR_INVALID_ADDRESS = -5,
	SBI_ERR_ALREADY_AVAILABLE = -6,
};

/* Fills exit->call.ret.  [vcpu] */
void sbi_call(const struct arch_host *host, struct vcpu_exit *exit);

#endif

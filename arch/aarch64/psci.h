/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The power state coordination interface (Arm DEN 0022, version 1.1) and what its callers need of
 * the SMC calling convention (DEN 0028), for hypervisors that hand on the guest's calls.
 */
#ifndef TENON_ARCH_AARCH64_PSCI_H
#define TENON_ARCH_AARCH64_PSCI_H

struct arch_host;
struct vcpu_exit;

enum psci_error {
	PSCI_SUCCESS = 0,
	PSCI_NOT_SUPPORTED = -1,
	PSCI_INVALID_PARAMETERS = -2,
	PSCI_DENIED = -3,
	PSCI_ALREADY_ON = -4,
	PSCI_ON_PENDING = -5,
	PSCI_INTERNAL_FAILURE = -6,
	PSCI_INVALID_ADDRESS = -9,
};

/* Fills exit->call.ret[0], which is for x0.  [vcpu] */
void psci_call(const struct arch_host *host, struct vcpu_exit *exit);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PSCI calls.  Each is a function that answers with a result; whatever is not known is not
 * supported.  All arguments are the guest's, and any may be nonsense.  vCPUs are named by their
 * affinity, as in MPIDR_EL1.
 */
#include "arch/aarch64/psci.h"

#include <errno.h>

#include "arch/aarch64/aarch64.h"
#include "arch/arch.h"
#include "core/guest_memory.h"

/* Functions; those with 64-bit arguments have another number as well. */
#define WIDE              0x40000000u
#define SMCCC_VERSION     0x80000000u
#define SMCCC_FEATURES    0x80000001u
#define PSCI_VERSION      0x84000000u
#define CPU_SUSPEND       0x84000001u
#define CPU_OFF           0x84000002u
#define CPU_ON            0x84000003u
#define AFFINITY_INFO     0x84000004u
#define MIGRATE_INFO_TYPE 0x84000006u
#define SYSTEM_OFF        0x84000008u
#define SYSTEM_RESET      0x84000009u
#define PSCI_FEATURES     0x8400000au
#define SYSTEM_RESET2     0x84000012u

#define VERSION_1_1      0x10001
#define NOT_TO_MIGRATE   2 /* there is no trusted system that a vCPU would have to leave */
#define WARM_RESET       0
#define AFFINITY_BITS    0xff00ffffffull
#define STATE_POWER_DOWN (1u << 16)
#define STATE_RESERVED   0xfcfe0000u

#define PSTATE_EL1H_DAIF 0x3c5u

enum { AFFINITY_ON, AFFINITY_OFF, AFFINITY_ON_PENDING };

struct call {
	const struct arch_host *host;
	uint64_t args[3];
};

/* ---- vCPUs ---- */

static int find_vcpu(const struct call *c, uint64_t affinity)
{
	for (uint32_t i = 0; i < c->host->vcpus; i++)
		if (arm_mpidr(i) == affinity)
			return (int)i;
	return -1;
}

/* Whether a vCPU can begin there: an instruction in memory. */
static bool is_code(const struct call *c, uint64_t address)
{
	return address % 4 == 0 && guest_memory_ptr(c->host->gm, address, 4);
}

/* What a vCPU begins with that was off: entry and context. */
static void start_regs(const struct call *c, struct backend_reg regs[3])
{
	regs[0] = (struct backend_reg){ ARM_PSTATE, 0, PSTATE_EL1H_DAIF };
	regs[1] = (struct backend_reg){ ARM_PC, 0, c->args[1] };
	regs[2] = (struct backend_reg){ ARM_X(0), 0, c->args[2] };
}

static int64_t cpu_on(const struct call *c)
{
	int vcpu = find_vcpu(c, c->args[0]);
	struct backend_reg regs[3];
	int ret;

	if (vcpu < 0)
		return PSCI_INVALID_PARAMETERS;
	if (!is_code(c, c->args[1]))
		return PSCI_INVALID_ADDRESS;
	if (c->host->power(c->host, (uint32_t)vcpu) == ARCH_VCPU_STARTING)
		return PSCI_ON_PENDING;
	start_regs(c, regs);
	ret = c->host->start(c->host, (uint32_t)vcpu, regs, 3);
	if (ret == -EALREADY)
		return PSCI_ALREADY_ON;
	return ret < 0 ? PSCI_INTERNAL_FAILURE : PSCI_SUCCESS;
}

/* One that keeps its state may go on at once. */
static int64_t cpu_suspend(const struct call *c)
{
	struct backend_reg regs[3];

	if (c->args[0] & STATE_RESERVED)
		return PSCI_INVALID_PARAMETERS;
	if (!(c->args[0] & STATE_POWER_DOWN))
		return PSCI_SUCCESS;
	if (!is_code(c, c->args[1]))
		return PSCI_INVALID_ADDRESS;
	start_regs(c, regs);
	c->host->suspend(c->host, regs, 3);
	return PSCI_SUCCESS;
}

static int64_t power_of(const struct call *c, uint32_t vcpu)
{
	switch (c->host->power(c->host, vcpu)) {
	case ARCH_VCPU_STARTED:
	case ARCH_VCPU_SUSPENDED:
		return AFFINITY_ON;
	case ARCH_VCPU_STARTING:
		return AFFINITY_ON_PENDING;
	default:
		return AFFINITY_OFF;
	}
}

/* A group of vCPUs is on when one of them is, and pending when one of them is and none is on. */
static int64_t affinity_info(const struct call *c)
{
	uint64_t level = c->args[1], mask;
	int64_t power = PSCI_INVALID_PARAMETERS;

	if (level > 3 || (c->args[0] & ~AFFINITY_BITS))
		return PSCI_INVALID_PARAMETERS;
	mask = level == 3 ? AFFINITY_BITS & ~0xffffffull
			  : AFFINITY_BITS & ~((UINT64_C(1) << 8 * level) - 1);
	for (uint32_t i = 0; i < c->host->vcpus; i++) {
		int64_t this;

		if ((arm_mpidr(i) & mask) != (c->args[0] & mask))
			continue;
		this = power_of(c, i);
		if (this == AFFINITY_ON)
			return AFFINITY_ON;
		if (power != AFFINITY_ON_PENDING)
			power = this;
	}
	return power;
}

/* ---- the machine ---- */

static int64_t system_event(const struct call *c, enum arch_system_event event)
{
	c->host->system(c->host, event);
	return PSCI_INTERNAL_FAILURE; /* nobody gets to read it */
}

static int64_t system_reset2(const struct call *c)
{
	if (c->args[0] != WARM_RESET)
		return PSCI_INVALID_PARAMETERS;
	return system_event(c, ARCH_SYSTEM_RESET);
}

static int64_t smccc_features(uint32_t function)
{
	return function == SMCCC_VERSION || function == SMCCC_FEATURES ? PSCI_SUCCESS
								       : PSCI_NOT_SUPPORTED;
}

/* None of them has a feature to tell of. */
static int64_t psci_features(uint32_t function)
{
	switch (function) {
	case CPU_SUSPEND:
	case CPU_SUSPEND | WIDE:
	case CPU_ON:
	case CPU_ON | WIDE:
	case AFFINITY_INFO:
	case AFFINITY_INFO | WIDE:
	case SYSTEM_RESET2:
	case SYSTEM_RESET2 | WIDE:
	case PSCI_VERSION:
	case CPU_OFF:
	case MIGRATE_INFO_TYPE:
	case SYSTEM_OFF:
	case SYSTEM_RESET:
	case PSCI_FEATURES:
	case SMCCC_VERSION:
		return PSCI_SUCCESS;
	default:
		return PSCI_NOT_SUPPORTED;
	}
}

/* ---- all of them ---- */

static int64_t serve(const struct call *c, uint32_t function)
{
	switch (function) {
	case SMCCC_VERSION:
	case PSCI_VERSION:
		return VERSION_1_1;
	case SMCCC_FEATURES:
		return smccc_features((uint32_t)c->args[0]);
	case PSCI_FEATURES:
		return psci_features((uint32_t)c->args[0]);
	case CPU_SUSPEND:
	case CPU_SUSPEND | WIDE:
		return cpu_suspend(c);
	case CPU_OFF:
		c->host->stop(c->host);
		return PSCI_DENIED; /* nobody gets to read it */
	case CPU_ON:
	case CPU_ON | WIDE:
		return cpu_on(c);
	case AFFINITY_INFO:
	case AFFINITY_INFO | WIDE:
		return affinity_info(c);
	case MIGRATE_INFO_TYPE:
		return NOT_TO_MIGRATE;
	case SYSTEM_OFF:
		return system_event(c, ARCH_SYSTEM_OFF);
	case SYSTEM_RESET:
		return system_event(c, ARCH_SYSTEM_RESET);
	case SYSTEM_RESET2:
	case SYSTEM_RESET2 | WIDE:
		return system_reset2(c);
	default:
		return PSCI_NOT_SUPPORTED;
	}
}

void psci_call(const struct arch_host *host, struct vcpu_exit *exit)
{
	uint32_t function = (uint32_t)exit->call.function;
	struct call c = { .host = host };

	for (int i = 0; i < 3; i++)
		c.args[i] = function & WIDE ? exit->call.args[i] : (uint32_t)exit->call.args[i];
	exit->call.ret[0] = (uint64_t)serve(&c, function);
	exit->call.ret[1] = exit->call.args[0];
}

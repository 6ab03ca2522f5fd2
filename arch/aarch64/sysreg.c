/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System registers of units that machines need not have: the debug registers and the performance
 * counters.  Hypervisors that do not serve them hand their accesses on.  Such a register reads as
 * zero and takes no writes, so that a kernel that clears it in passing goes on: nothing counts,
 * nothing stops at a breakpoint.  Of all others there are none: the guest gets what the
 * architecture has for those.
 */
#include "arch/aarch64/aarch64.h"
#include "arch/arch.h"

#define OP0(n) ((n) >> 14 & 3)
#define OP1(n) ((n) >> 11 & 7)
#define CRN(n) ((n) >> 7 & 15)
#define CRM(n) ((n) >> 3 & 15)

/* The encodings with op0 of 2, of which op1 of 1 is trace. */
static bool is_debug(uint32_t n)
{
	return OP0(n) == 2 && (OP1(n) == 0 || OP1(n) == 3);
}

/* PM*_EL0, PMINTEN*_EL1, and the counters themselves. */
static bool is_pmu(uint32_t n)
{
	if (OP0(n) != 3)
		return false;
	if (CRN(n) == 9)
		return (OP1(n) == 3 && CRM(n) >= 12 && CRM(n) <= 14) ||
		       (OP1(n) == 0 && CRM(n) == 14);
	return CRN(n) == 14 && OP1(n) == 3 && CRM(n) >= 8;
}

void arm_sysreg(const struct arch_host *host, struct vcpu_exit *exit)
{
	uint32_t n = REG_NUMBER(exit->sysreg.id);

	(void)host;
	exit->sysreg.handled =
		REG_CLASS(exit->sysreg.id) == REG_ARM_SYS && (is_debug(n) || is_pmu(n));
	if (exit->sysreg.handled && !exit->sysreg.write)
		exit->sysreg.value = 0;
}

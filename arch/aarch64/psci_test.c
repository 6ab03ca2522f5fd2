/* SPDX-License-Identifier: Apache-2.0 */
/* PSCI and the SMC calling convention, against a machine of 18 vCPUs that writes down what is asked
 * of it; and the system registers that no guest should miss. */
#include "arch/aarch64/psci.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/aarch64/aarch64.h"
#include "arch/aarch64/layout.h"
#include "arch/arch.h"
#include "core/error.h"
#include "core/guest_memory.h"

#define CPUS  18
#define SIZE  0x10000ull
#define ENTRY (ARM_RAM + 0x1000)
#define WIDE  0xc4000000ull
#define THIN  0x84000000ull

static struct guest_memory *memory;

static struct {
	int power[CPUS], start_result;
	uint32_t started;
	struct backend_reg regs[ARCH_START_REGS];
	size_t n_regs;
	unsigned starts, stops, suspends, offs, resets;
} asked;

static int start(
	const struct arch_host *host, uint32_t vcpu, const struct backend_reg *regs, size_t n)
{
	assert_true(vcpu < CPUS && n <= ARCH_START_REGS);
	if (asked.start_result < 0)
		return asked.start_result;
	if (asked.power[vcpu] != ARCH_VCPU_STOPPED)
		return -EALREADY;
	asked.starts++;
	asked.started = vcpu;
	asked.n_regs = n;
	memcpy(asked.regs, regs, n * sizeof(*regs));
	return 0;
}

static void stop(const struct arch_host *host)
{
	asked.stops++;
}

static void suspend(const struct arch_host *host, const struct backend_reg *regs, size_t n)
{
	asked.suspends++;
	asked.n_regs = n;
	memcpy(asked.regs, regs, n * sizeof(*regs));
}

static int power(const struct arch_host *host, uint32_t vcpu)
{
	return vcpu < CPUS ? asked.power[vcpu] : -EINVAL;
}

static void system_event(const struct arch_host *host, enum arch_system_event event)
{
	*(event == ARCH_SYSTEM_OFF ? &asked.offs : &asked.resets) += 1;
}

static struct arch_host host = { .vcpu = 0,
	.vcpus = CPUS,
	.start = start,
	.stop = stop,
	.suspend = suspend,
	.power = power,
	.system = system_event };

static int setup(void **state)
{
	struct error err;

	memory = guest_memory_create();
	host.gm = memory;
	return memory ? guest_memory_add(memory, ARM_RAM, SIZE, GUEST_RAM, false, &err) : -1;
}

static int teardown(void **state)
{
	guest_memory_destroy(memory);
	return 0;
}

static int fresh(void **state)
{
	memset(&asked, 0, sizeof(asked));
	for (uint32_t i = 1; i < CPUS; i++)
		asked.power[i] = ARCH_VCPU_STOPPED;
	return 0;
}

static int64_t call(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
	struct vcpu_exit exit = { .kind = VCPU_CALL };

	exit.call.function = function;
	exit.call.args[0] = a;
	exit.call.args[1] = b;
	exit.call.args[2] = c;
	psci_call(&host, &exit);
	return (int64_t)exit.call.ret[0];
}

static void versions(void **state)
{
	assert_int_equal(call(THIN | 0, 0, 0, 0), 0x10001);
	assert_int_equal(call(0x80000000, 0, 0, 0), 0x10001);
	assert_int_equal(call(THIN | 6, 0, 0, 0), 2);
	/* The upper half of the register is not of the number. */
	assert_int_equal(call(0xffffffff00000000 | THIN, 0, 0, 0), 0x10001);
}

static void what_is_there_is_told(void **state)
{
	static const uint64_t there[] = { THIN | 0, THIN | 1, WIDE | 1, THIN | 2, THIN | 3,
		WIDE | 3, THIN | 4, WIDE | 4, THIN | 6, THIN | 8, THIN | 9, THIN | 10, THIN | 0x12,
		WIDE | 0x12, 0x80000000 };
	static const uint64_t missing[] = { WIDE | 0, WIDE | 2, THIN | 5, WIDE | 5, WIDE | 6,
		WIDE | 8, THIN | 11, THIN | 0x11, 0, 1, 0x80000002, 0x84000050, 0xc600ff01,
		0xffffffff };

	for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++)
		assert_int_equal(call(THIN | 10, there[i], 0, 0), 0);
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		assert_int_equal(call(THIN | 10, missing[i], 0, 0), PSCI_NOT_SUPPORTED);
		assert_int_equal(call(missing[i], 0, 0, 0), PSCI_NOT_SUPPORTED);
	}
	assert_int_equal(call(0x80000001, 0x80000000, 0, 0), 0);
	assert_int_equal(call(0x80000001, 0x80000001, 0, 0), 0);
	assert_int_equal(call(0x80000001, 0x80008000, 0, 0), PSCI_NOT_SUPPORTED);
}

static void a_vcpu_is_switched_on(void **state)
{
	assert_int_equal(call(WIDE | 3, 0x101, ENTRY, 0x123456789abc), 0);
	assert_int_equal(asked.started, 17);
	assert_int_equal(asked.n_regs, 3);
	assert_int_equal(asked.regs[0].id, ARM_PSTATE);
	assert_int_equal(asked.regs[0].value, 0x3c5);
	assert_int_equal(asked.regs[1].id, ARM_PC);
	assert_int_equal(asked.regs[1].value, ENTRY);
	assert_int_equal(asked.regs[2].id, ARM_X(0));
	assert_int_equal(asked.regs[2].value, 0x123456789abc);
	/* The 32-bit call has 32-bit arguments. */
	assert_int_equal(call(THIN | 3, 0xff00000002, 0xff00000000 | ENTRY, 0x123456789abc), 0);
	assert_int_equal(asked.started, 2);
	assert_int_equal(asked.regs[1].value, ENTRY);
	assert_int_equal(asked.regs[2].value, 0x56789abc);
}

static void a_vcpu_that_cannot_be_switched_on_is_not(void **state)
{
	assert_int_equal(call(WIDE | 3, 0x102, ENTRY, 0), PSCI_INVALID_PARAMETERS);
	assert_int_equal(call(WIDE | 3, 0x10, ENTRY, 0), PSCI_INVALID_PARAMETERS);
	assert_int_equal(call(WIDE | 3, 0xff00000001, ENTRY, 0), PSCI_INVALID_PARAMETERS);
	assert_int_equal(call(WIDE | 3, 0x80000001, ENTRY, 0), PSCI_INVALID_PARAMETERS);
	assert_int_equal(call(WIDE | 3, 1, ENTRY + 2, 0), PSCI_INVALID_ADDRESS);
	assert_int_equal(call(WIDE | 3, 1, ARM_RAM + SIZE, 0), PSCI_INVALID_ADDRESS);
	assert_int_equal(call(WIDE | 3, 1, ~3ull, 0), PSCI_INVALID_ADDRESS);
	assert_int_equal(call(WIDE | 3, 0, ENTRY, 0), PSCI_ALREADY_ON);
	asked.power[1] = ARCH_VCPU_STARTING;
	assert_int_equal(call(WIDE | 3, 1, ENTRY, 0), PSCI_ON_PENDING);
	asked.start_result = -EIO;
	assert_int_equal(call(WIDE | 3, 2, ENTRY, 0), PSCI_INTERNAL_FAILURE);
	assert_int_equal(asked.starts, 0);
}

static void a_vcpu_switches_itself_off(void **state)
{
	(void)call(THIN | 2, 0, 0, 0);
	assert_int_equal(asked.stops, 1);
}

static void affinities_are_on_or_off(void **state)
{
	assert_int_equal(call(WIDE | 4, 0, 0, 0), 0);
	assert_int_equal(call(WIDE | 4, 1, 0, 0), 1);
	asked.power[1] = ARCH_VCPU_STARTING;
	assert_int_equal(call(WIDE | 4, 1, 0, 0), 2);
	asked.power[1] = ARCH_VCPU_SUSPENDED;
	assert_int_equal(call(WIDE | 4, 1, 0, 0), 0);
	/* Groups: with vCPU 0, with none that is on, with one that will be. */
	assert_int_equal(call(WIDE | 4, 0, 1, 0), 0);
	assert_int_equal(call(WIDE | 4, 0x100, 1, 0), 1);
	asked.power[16] = ARCH_VCPU_STARTING;
	assert_int_equal(call(WIDE | 4, 0x100, 1, 0), 2);
	assert_int_equal(call(WIDE | 4, 0x1ff, 2, 0), 0);
	assert_int_equal(call(WIDE | 4, 0, 3, 0), 0);
	assert_int_equal(call(WIDE | 4, 0, 4, 0), PSCI_INVALID_PARAMETERS);
	assert_int_equal(call(WIDE | 4, 0x102, 0, 0), PSCI_INVALID_PARAMETERS);
	assert_int_equal(call(WIDE | 4, 0x200, 1, 0), PSCI_INVALID_PARAMETERS);
	assert_int_equal(call(WIDE | 4, 1ull << 32, 3, 0), PSCI_INVALID_PARAMETERS);
	assert_int_equal(call(WIDE | 4, 1ull << 31, 0, 0), PSCI_INVALID_PARAMETERS);
}

static void a_vcpu_rests(void **state)
{
	assert_int_equal(call(WIDE | 1, 0, 0, 0), 0);
	assert_int_equal(call(WIDE | 1, 0x0300ffff, 1, 0), 0);
	assert_int_equal(asked.suspends, 0);
	assert_int_equal(call(WIDE | 1, 0x00020000, ENTRY, 0), PSCI_INVALID_PARAMETERS);
	assert_int_equal(call(WIDE | 1, 0x80000000, ENTRY, 0), PSCI_INVALID_PARAMETERS);
	assert_int_equal(call(WIDE | 1, 0x00010000, ENTRY + 1, 0), PSCI_INVALID_ADDRESS);
	assert_int_equal(asked.suspends, 0);
	assert_int_equal(call(WIDE | 1, 0x00010000, ENTRY, 7), 0);
	assert_int_equal(asked.suspends, 1);
	assert_int_equal(asked.regs[1].value, ENTRY);
	assert_int_equal(asked.regs[2].value, 7);
}

static void the_system_goes_off_and_restarts(void **state)
{
	(void)call(THIN | 8, 0, 0, 0);
	assert_int_equal(asked.offs, 1);
	(void)call(THIN | 9, 0, 0, 0);
	assert_int_equal(asked.resets, 1);
	(void)call(WIDE | 0x12, 0, 5, 0);
	(void)call(THIN | 0x12, 0xff00000000, 5, 0);
	assert_int_equal(asked.resets, 3);
	assert_int_equal(call(WIDE | 0x12, 1, 0, 0), PSCI_INVALID_PARAMETERS);
	assert_int_equal(call(WIDE | 0x12, 0x80000000, 0, 0), PSCI_INVALID_PARAMETERS);
	assert_int_equal(asked.resets, 3);
	assert_int_equal(asked.offs, 1);
}

/* ---- system registers ---- */

#define SYSREG(op0, op1, crn, crm, op2)                                                            \
	REG_ID(REG_ARM_SYS, (op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

static bool handled(uint32_t id)
{
	struct vcpu_exit exit = { .kind = VCPU_SYSREG };

	exit.sysreg.id = id;
	exit.sysreg.write = false;
	exit.sysreg.value = 99;
	arm_sysreg(&host, &exit);
	assert_int_equal(exit.sysreg.value, exit.sysreg.handled ? 0 : 99);
	return exit.sysreg.handled;
}

static void units_that_there_are_not_read_as_zero(void **state)
{
	assert_true(handled(SYSREG(2, 0, 1, 0, 4)));   /* OSLAR_EL1 */
	assert_true(handled(SYSREG(2, 0, 0, 2, 2)));   /* MDSCR_EL1 */
	assert_true(handled(SYSREG(2, 3, 0, 1, 0)));   /* MDCCSR_EL0 */
	assert_true(handled(SYSREG(3, 3, 9, 12, 0)));  /* PMCR_EL0 */
	assert_true(handled(SYSREG(3, 3, 9, 14, 3)));  /* PMOVSSET_EL0 */
	assert_true(handled(SYSREG(3, 0, 9, 14, 1)));  /* PMINTENSET_EL1 */
	assert_true(handled(SYSREG(3, 3, 14, 15, 7))); /* PMCCFILTR_EL0 */
}

static void other_registers_are_undefined(void **state)
{
	assert_false(handled(SYSREG(2, 1, 0, 0, 0)));  /* trace */
	assert_false(handled(SYSREG(3, 0, 1, 0, 0)));  /* SCTLR_EL1 */
	assert_false(handled(SYSREG(3, 3, 14, 3, 1))); /* CNTV_CTL_EL0 */
	assert_false(handled(SYSREG(3, 0, 9, 12, 0)));
	assert_false(handled(SYSREG(3, 0, 12, 12, 0)));
	assert_false(handled(RISCV_CSR(0x15)));
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(versions),
		TEST(what_is_there_is_told),
		TEST(a_vcpu_is_switched_on),
		TEST(a_vcpu_that_cannot_be_switched_on_is_not),
		TEST(a_vcpu_switches_itself_off),
		TEST(affinities_are_on_or_off),
		TEST(a_vcpu_rests),
		TEST(the_system_goes_off_and_restarts),
		TEST(units_that_there_are_not_read_as_zero),
		TEST(other_registers_are_undefined),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

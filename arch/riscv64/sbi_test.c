/* SPDX-License-Identifier: Apache-2.0 */
/* Every SBI function, and what a guest may hand to it that is nonsense. */
#include "arch/riscv64/sbi.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/arch.h"
#include "arch/riscv64/riscv64.h"
#include "core/error.h"
#include "core/guest_memory.h"
#include "core/machine.h"

#define HARTS 4
#define RAM   RISCV_RAM_BASE
#define SIZE  0x10000u
#define ALL   UINT64_MAX

#define BASE   0x10u
#define TIME   0x54494d45u
#define IPI    0x735049u
#define RFENCE 0x52464e43u
#define HSM    0x48534du
#define SRST   0x53525354u
#define SUSP   0x53555350u
#define DBCN   0x4442434eu

/* What the core was asked. */
struct asked {
	uint32_t interrupted, code, memory; /* harts, by bits */
	uint32_t lowered;
	struct backend_reg regs[3];
	size_t n_regs;
	uint32_t started;
	unsigned stops, suspends, offs, resets;
	enum arch_vcpu_power power[HARTS];
	uint64_t timer;
	char said[8192];
	size_t n_said, room;
	bool no_timer, no_fences;
};

static struct asked asked;

static int set_regs(const struct arch_host *host, const struct backend_reg *regs, size_t n)
{
	assert_int_equal(n, 1);
	assert_int_equal(regs->id, RISCV_CSR(0x14d));
	asked.timer = regs->value;
	return asked.no_timer ? -ENOENT : 0;
}

static int start(
	const struct arch_host *host, uint32_t vcpu, const struct backend_reg *regs, size_t n)
{
	if (asked.power[vcpu] != ARCH_VCPU_STOPPED)
		return -EALREADY;
	asked.started |= 1u << vcpu;
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
	assert_true(vcpu < HARTS);
	return (int)asked.power[vcpu];
}

static int interrupt(const struct arch_host *host, uint32_t vcpu, uint32_t line, bool level)
{
	assert_true(vcpu < HARTS);
	assert_int_equal(line, RISCV_LINE_SOFTWARE);
	if (level)
		asked.interrupted |= 1u << vcpu;
	else
		asked.lowered |= 1u << vcpu;
	return 0;
}

static int fence(const struct arch_host *host, uint32_t vcpu, uint32_t what)
{
	assert_true(vcpu < HARTS);
	if (asked.no_fences)
		return -ENOTSUP;
	if (what == BACKEND_FENCE_CODE)
		asked.code |= 1u << vcpu;
	else
		asked.memory |= 1u << vcpu;
	return 0;
}

static void machine_event(const struct arch_host *host, enum arch_system_event event)
{
	if (event == ARCH_SYSTEM_OFF)
		asked.offs++;
	else
		asked.resets++;
}

static size_t console(const struct arch_host *host, const void *bytes, size_t size)
{
	if (size > asked.room)
		size = asked.room;
	memcpy(asked.said + asked.n_said, bytes, size);
	asked.n_said += size;
	return size;
}

static struct machine machine;
static struct guest_memory *memory;

static const struct arch_host template = {
	.vcpu = 1,
	.vcpus = HARTS,
	.machine = &machine,
	.set_regs = set_regs,
	.start = start,
	.stop = stop,
	.suspend = suspend,
	.power = power,
	.interrupt = interrupt,
	.fence = fence,
	.system = machine_event,
	.console = console,
};

static int setup(void **state)
{
	struct error err;

	memory = guest_memory_create();
	return memory ? guest_memory_add(memory, RAM, SIZE, GUEST_RAM, false, &err) : -1;
}

static int teardown(void **state)
{
	guest_memory_destroy(memory);
	return 0;
}

static int fresh(void **state)
{
	asked = (struct asked){ .room = sizeof(asked.said) };
	asked.power[0] = ARCH_VCPU_STOPPED;
	asked.power[2] = ARCH_VCPU_STOPPED;
	asked.power[3] = ARCH_VCPU_STOPPED;
	machine = (struct machine){ .vcpus = HARTS };
	return 0;
}

static struct vcpu_exit call(
	uint32_t extension, uint32_t function, uint64_t a0, uint64_t a1, uint64_t a2)
{
	struct arch_host host = template;
	struct vcpu_exit exit = { .kind = VCPU_CALL };

	host.gm = memory;
	exit.call.function = backend_sbi_function(extension, function);
	exit.call.args[0] = a0;
	exit.call.args[1] = a1;
	exit.call.args[2] = a2;
	exit.call.ret[0] = exit.call.ret[1] = 0x5555;
	sbi_call(&host, &exit);
	return exit;
}

static int64_t error_of(
	uint32_t extension, uint32_t function, uint64_t a0, uint64_t a1, uint64_t a2)
{
	return (int64_t)call(extension, function, a0, a1, a2).call.ret[0];
}

static uint64_t value_of(uint32_t extension, uint32_t function, uint64_t a0)
{
	struct vcpu_exit exit = call(extension, function, a0, 0, 0);

	assert_int_equal(exit.call.ret[0], SBI_SUCCESS);
	return exit.call.ret[1];
}

/* ---- BASE ---- */

static void base_says_what_there_is(void **state)
{
	static const uint32_t there[] = { BASE, TIME, IPI, RFENCE, HSM, SRST, SUSP, DBCN, 0, 8 };
	static const uint64_t not_there[] = { 9, 0xf, 0x504d55, 0x535441, 0x0a000000, UINT64_MAX,
		(1ull << 32) | BASE };

	machine.facts[0] = (struct backend_reg){ RISCV_CONF(RISCV_CONF_MARCHID), 0, 42 };
	machine.n_facts = 1;
	assert_int_equal(value_of(BASE, 0, 0), 0x02000000);
	assert_int_not_equal(value_of(BASE, 1, 0), 3); /* that would be KVM */
	assert_int_equal(value_of(BASE, 4, 0), 0);
	assert_int_equal(value_of(BASE, 5, 0), 42);
	assert_int_equal(value_of(BASE, 6, 0), 0);
	for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++)
		assert_int_equal(value_of(BASE, 3, there[i]), 1);
	for (size_t i = 0; i < sizeof(not_there) / sizeof(not_there[0]); i++)
		assert_int_equal(value_of(BASE, 3, not_there[i]), 0);
}

static void what_is_unknown_is_not_supported(void **state)
{
	static const uint32_t extensions[] = { BASE, TIME, IPI, RFENCE, HSM, SRST, SUSP, DBCN,
		0x504d55, 0x08000000, 0x09000000, UINT32_MAX };
	struct vcpu_exit exit = { .kind = VCPU_CALL };
	struct arch_host host = template;

	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
		assert_int_equal(error_of(extensions[i], 77, 0, 0, 0), SBI_ERR_NOT_SUPPORTED);
		assert_int_equal(
			error_of(extensions[i], UINT32_MAX, 0, 0, 0), SBI_ERR_NOT_SUPPORTED);
	}
	/* Numbers of more than 32 bits are nobody's. */
	exit.call.function = backend_sbi_function((1ull << 32) | SRST, 0);
	sbi_call(&host, &exit);
	assert_int_equal((int64_t)exit.call.ret[0], SBI_ERR_NOT_SUPPORTED);
	exit.call.function = backend_sbi_function(SRST, 1ull << 32);
	sbi_call(&host, &exit);
	assert_int_equal((int64_t)exit.call.ret[0], SBI_ERR_NOT_SUPPORTED);
	assert_int_equal(asked.offs + asked.resets + asked.stops, 0);
}

/* ---- TIME ---- */

static void the_timer_is_the_callers_comparator(void **state)
{
	assert_int_equal(error_of(TIME, 0, 0x123456789abcull, 0, 0), SBI_SUCCESS);
	assert_int_equal(asked.timer, 0x123456789abcull);
	assert_int_equal(error_of(TIME, 0, ALL, 0, 0), SBI_SUCCESS);
	assert_int_equal(asked.timer, ALL);
	asked.no_timer = true;
	assert_int_equal(error_of(TIME, 0, 1, 0, 0), SBI_ERR_NOT_SUPPORTED);
}

/* ---- IPI, RFENCE ---- */

static void harts_are_named_by_mask_and_base(void **state)
{
	assert_int_equal(error_of(IPI, 0, 0x5, 1, 0), SBI_SUCCESS);
	assert_int_equal(asked.interrupted, 1u << 1 | 1u << 3);
	asked.interrupted = 0;
	assert_int_equal(error_of(IPI, 0, 0, ALL, 0), SBI_SUCCESS);
	assert_int_equal(asked.interrupted, 0xf);
	asked.interrupted = 0;
	assert_int_equal(error_of(IPI, 0, 0, 0, 0), SBI_SUCCESS);
	assert_int_equal(error_of(IPI, 0, 0, 1000, 0), SBI_SUCCESS);
	assert_int_equal(asked.interrupted, 0);
}

static void harts_that_are_not_there_are_refused(void **state)
{
	static const uint64_t wrong[][2] = { { 1u << 4, 0 }, { 0x1f, 0 }, { 1, 4 },
		{ 1ull << 63, 0 }, { ALL, 0 }, { 1, ALL - 1 }, { 1ull << 63, ALL - 1 }, { 8, 1 },
		{ 1, 1ull << 32 } };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(
			error_of(IPI, 0, wrong[i][0], wrong[i][1], 0), SBI_ERR_INVALID_PARAM);
		assert_int_equal(
			error_of(RFENCE, 0, wrong[i][0], wrong[i][1], 0), SBI_ERR_INVALID_PARAM);
		assert_int_equal(
			error_of(RFENCE, 2, wrong[i][0], wrong[i][1], 0), SBI_ERR_INVALID_PARAM);
	}
	assert_int_equal(asked.interrupted | asked.code | asked.memory, 0);
}

static void fences_reach_the_harts(void **state)
{
	assert_int_equal(error_of(RFENCE, 0, 0x3, 2, 0), SBI_SUCCESS);
	assert_int_equal(asked.code, 0xc);
	assert_int_equal(asked.memory, 0);
	assert_int_equal(error_of(RFENCE, 1, 0x1, 0, 0x1000), SBI_SUCCESS);
	assert_int_equal(asked.memory, 0x1);
	assert_int_equal(error_of(RFENCE, 2, 0, ALL, ALL), SBI_SUCCESS);
	assert_int_equal(asked.memory, 0xf);
	for (uint32_t hypervisor = 3; hypervisor <= 6; hypervisor++)
		assert_int_equal(error_of(RFENCE, hypervisor, 1, 0, 0), SBI_ERR_NOT_SUPPORTED);
	asked.no_fences = true;
	assert_int_equal(error_of(RFENCE, 0, 1, 0, 0), SBI_ERR_NOT_SUPPORTED);
}

/* ---- HSM ---- */

static void a_hart_starts_with_what_was_handed_over(void **state)
{
	assert_int_equal(error_of(HSM, 0, 2, RAM + 0x200, 0xabcdef), SBI_SUCCESS);
	assert_int_equal(asked.started, 1u << 2);
	assert_int_equal(asked.n_regs, 3);
	assert_int_equal(asked.regs[0].id, RISCV_PC);
	assert_int_equal(asked.regs[0].value, RAM + 0x200);
	assert_int_equal(asked.regs[1].id, RISCV_X(10));
	assert_int_equal(asked.regs[1].value, 2);
	assert_int_equal(asked.regs[2].id, RISCV_X(11));
	assert_int_equal(asked.regs[2].value, 0xabcdef);
}

static void a_hart_that_cannot_start_does_not(void **state)
{
	assert_int_equal(error_of(HSM, 0, HARTS, RAM, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(error_of(HSM, 0, ALL, RAM, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(error_of(HSM, 0, 1ull << 32 | 2, RAM, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(error_of(HSM, 0, 2, 0, 0), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(error_of(HSM, 0, 2, RAM + SIZE, 0), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(error_of(HSM, 0, 2, RAM + 1, 0), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(error_of(HSM, 0, 2, ALL, 0), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(error_of(HSM, 0, 1, RAM, 0), SBI_ERR_ALREADY_AVAILABLE);
	assert_int_equal(asked.started, 0);
}

static void a_hart_stops_itself(void **state)
{
	assert_int_equal(error_of(HSM, 1, 3, 0, 0), SBI_SUCCESS);
	assert_int_equal(asked.stops, 1);
}

static void states_have_the_specifications_numbers(void **state)
{
	asked.power[3] = ARCH_VCPU_STARTING;
	assert_int_equal(value_of(HSM, 2, 0), 1);
	assert_int_equal(value_of(HSM, 2, 1), 0);
	assert_int_equal(value_of(HSM, 2, 3), 2);
	asked.power[3] = ARCH_VCPU_SUSPENDED;
	assert_int_equal(value_of(HSM, 2, 3), 4);
	assert_int_equal(error_of(HSM, 2, HARTS, 0, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(error_of(HSM, 2, ALL, 0, 0), SBI_ERR_INVALID_PARAM);
}

static void a_hart_may_rest_but_not_lose_its_state(void **state)
{
	assert_int_equal(error_of(HSM, 3, 0, 0, 0), SBI_SUCCESS);
	assert_int_equal(error_of(HSM, 3, 0x80000000, RAM, 0), SBI_ERR_NOT_SUPPORTED);
	assert_int_equal(error_of(HSM, 3, 1, RAM, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(error_of(HSM, 3, ALL, RAM, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(asked.suspends, 0);
}

/* ---- SUSP, SRST ---- */

static void the_last_hart_suspends_the_system(void **state)
{
	assert_int_equal(error_of(SUSP, 0, 0, RAM + 4, 9), SBI_SUCCESS);
	assert_int_equal(asked.suspends, 1);
	assert_int_equal(asked.regs[0].value, RAM + 4);
	assert_int_equal(asked.regs[1].value, 1);
	assert_int_equal(asked.regs[2].value, 9);
	/* An interrupt from another hart does not wake it. */
	assert_int_equal(asked.lowered, 1u << 1);
}

static void a_system_that_runs_is_not_suspended(void **state)
{
	assert_int_equal(error_of(SUSP, 0, 1, RAM, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(error_of(SUSP, 0, ALL, RAM, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(error_of(SUSP, 0, 0, RAM + SIZE, 0), SBI_ERR_INVALID_ADDRESS);
	asked.power[3] = ARCH_VCPU_STARTING;
	assert_int_equal(error_of(SUSP, 0, 0, RAM, 0), SBI_ERR_DENIED);
	assert_int_equal(asked.suspends, 0);
}

static void the_system_goes_off_and_restarts(void **state)
{
	assert_int_equal(error_of(SRST, 0, 0, 0, 0), SBI_SUCCESS);
	assert_int_equal(asked.offs, 1);
	assert_int_equal(error_of(SRST, 0, 1, 0, 0), SBI_SUCCESS);
	assert_int_equal(error_of(SRST, 0, 2, 1, 0), SBI_SUCCESS);
	assert_int_equal(asked.resets, 2);
	assert_int_equal(error_of(SRST, 0, 3, 0, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(error_of(SRST, 0, ALL, 0, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(error_of(SRST, 0, 0, 2, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(asked.offs, 1);
	assert_int_equal(asked.resets, 2);
}

/* ---- DBCN ---- */

static void words_are_taken_from_memory(void **state)
{
	struct vcpu_exit exit;

	assert_int_equal(guest_memory_write(memory, RAM + 0x100, "hello", 5), 0);
	exit = call(DBCN, 0, 5, RAM + 0x100, 0);
	assert_int_equal(exit.call.ret[0], SBI_SUCCESS);
	assert_int_equal(exit.call.ret[1], 5);
	assert_memory_equal(asked.said, "hello", 5);
	/* What there is no room for, the guest says again. */
	asked.room = 2;
	exit = call(DBCN, 0, 5, RAM + 0x100, 0);
	assert_int_equal(exit.call.ret[0], SBI_SUCCESS);
	assert_int_equal(exit.call.ret[1], 2);
}

static void many_words_are_taken_in_pieces(void **state)
{
	assert_int_equal(call(DBCN, 0, SIZE, RAM, 0).call.ret[1], 4096);
	assert_int_equal(asked.n_said, 4096);
}

static void memory_that_is_not_there_says_nothing(void **state)
{
	static const uint64_t wrong[][3] = { { 1, RAM - 1, 0 }, { 2, RAM + SIZE - 1, 0 },
		{ ALL, RAM, 0 }, { SIZE + 1, RAM, 0 }, { 1, RAM, 1 }, { 1, RAM, ALL },
		{ 16, ALL - 7, 0 } };

	for (uint32_t function = 0; function < 2; function++)
		for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
			assert_int_equal(
				error_of(DBCN, function, wrong[i][0], wrong[i][1], wrong[i][2]),
				SBI_ERR_INVALID_PARAM);
	assert_int_equal(error_of(DBCN, 0, 0, ALL, ALL), SBI_SUCCESS);
	assert_int_equal(asked.n_said, 0);
}

static void nothing_is_ever_typed(void **state)
{
	struct vcpu_exit exit = call(DBCN, 1, 16, RAM, 0);

	assert_int_equal(exit.call.ret[0], SBI_SUCCESS);
	assert_int_equal(exit.call.ret[1], 0);
}

static void a_byte_is_said(void **state)
{
	assert_int_equal(error_of(DBCN, 2, 0xffffff00u | 'x', 0, 0), SBI_SUCCESS);
	assert_int_equal(asked.n_said, 1);
	assert_int_equal(asked.said[0], 'x');
}

/* ---- version 0.1 ---- */

static void the_old_calls_are_there(void **state)
{
	assert_int_equal(error_of(0, 0, 99, 0, 0), 0);
	assert_int_equal(asked.timer, 99);
	assert_int_equal(error_of(1, 0, '!', 0, 0), 0);
	assert_int_equal(asked.said[0], '!');
	assert_int_equal(error_of(2, 0, 0, 0, 0), -1);
	assert_int_equal(error_of(3, 0, 0, 0, 0), 0);
	assert_int_equal(asked.lowered, 1u << 1);
	assert_int_equal(error_of(4, 0, ALL, 0, 0), 0);
	assert_int_equal(asked.interrupted, 0xf);
	assert_int_equal(error_of(5, 0, ALL, 0, 0), 0);
	assert_int_equal(asked.code, 0xf);
	assert_int_equal(error_of(6, 0, 0, 0, 0), 0);
	assert_int_equal(asked.memory, 0xf);
	asked.memory = 0;
	assert_int_equal(error_of(7, 0, 0, 0, 0), 0);
	assert_int_equal(asked.memory, 0xf);
	assert_int_equal(error_of(8, 0, 0, 0, 0), 0);
	assert_int_equal(asked.offs, 1);
	assert_int_equal(error_of(9, 0, 0, 0, 0), SBI_ERR_NOT_SUPPORTED);
}

static void the_old_calls_leave_the_second_register(void **state)
{
	assert_int_equal(call(1, 0, 'x', 0x1234, 0).call.ret[1], 0x1234);
	assert_int_equal(call(9, 0, 'x', 0x1234, 0).call.ret[1], 0x1234);
}

/* ---- the seed ---- */

static void entropy_comes_from_the_seed_register(void **state)
{
	struct vcpu_exit exit = { .kind = VCPU_SYSREG };
	uint64_t all = 0;

	exit.sysreg.id = RISCV_CSR(0x15);
	for (int i = 0; i < 64; i++) {
		riscv_sysreg(&template, &exit);
		assert_true(exit.sysreg.handled);
		assert_int_equal(exit.sysreg.value >> 16, 0x8000);
		all |= exit.sysreg.value;
	}
	assert_int_equal(all & 0xffff, 0xffff);
	exit.sysreg.id = RISCV_CSR(0x16);
	riscv_sysreg(&template, &exit);
	assert_false(exit.sysreg.handled);
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(base_says_what_there_is),
		TEST(what_is_unknown_is_not_supported),
		TEST(the_timer_is_the_callers_comparator),
		TEST(harts_are_named_by_mask_and_base),
		TEST(harts_that_are_not_there_are_refused),
		TEST(fences_reach_the_harts),
		TEST(a_hart_starts_with_what_was_handed_over),
		TEST(a_hart_that_cannot_start_does_not),
		TEST(a_hart_stops_itself),
		TEST(states_have_the_specifications_numbers),
		TEST(a_hart_may_rest_but_not_lose_its_state),
		TEST(the_last_hart_suspends_the_system),
		TEST(a_system_that_runs_is_not_suspended),
		TEST(the_system_goes_off_and_restarts),
		TEST(words_are_taken_from_memory),
		TEST(many_words_are_taken_in_pieces),
		TEST(memory_that_is_not_there_says_nothing),
		TEST(nothing_is_ever_typed),
		TEST(a_byte_is_said),
		TEST(the_old_calls_are_there),
		TEST(the_old_calls_leave_the_second_register),
		TEST(entropy_comes_from_the_seed_register),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

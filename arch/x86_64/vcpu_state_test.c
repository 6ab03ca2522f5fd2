/* SPDX-License-Identifier: Apache-2.0 */
/* The registers with which vCPUs start, per boot protocol. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/arch.h"
#include "arch/x86_64/boot_layout.h"
#include "arch/x86_64/test_machine.h"
#include "arch/x86_64/x86_64.h"

static struct arch_vcpu_state state_of(enum boot_protocol protocol, uint32_t index)
{
	struct loaded loaded = test_loaded(protocol);
	struct machine machine = { .vcpus = 4 };
	struct arch_vcpu_state state;

	assert_int_equal(x86_vcpu_state(NULL, &loaded, &machine, index, &state), 0);
	for (size_t i = 0; i < state.n_regs; i++)
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(state.regs[i].id, state.regs[k].id);
	return state;
}

static bool has(const struct arch_vcpu_state *state, uint32_t id)
{
	for (size_t i = 0; i < state->n_regs; i++)
		if (state->regs[i].id == id)
			return true;
	return false;
}

static uint64_t value_of(const struct arch_vcpu_state *state, uint32_t id)
{
	for (size_t i = 0; i < state->n_regs; i++)
		if (state->regs[i].id == id)
			return state->regs[i].value;
	fail_msg("register 0x%x is not set", id);
	return 0;
}

static uint64_t msr_of(const struct arch_vcpu_state *state, uint32_t index)
{
	for (size_t i = 0; i < state->n_msrs; i++)
		if (state->msrs[i].index == index)
			return state->msrs[i].value;
	fail_msg("MSR 0x%x is not set", index);
	return 0;
}

static void linux64_starts_in_long_mode(void **unused)
{
	struct arch_vcpu_state s = state_of(BOOT_LINUX64, 0);

	(void)unused;
	assert_int_equal(value_of(&s, X86_REG(X86_RIP)), 0x1000200);
	assert_int_equal(value_of(&s, X86_REG(X86_RSI)), BOOT_ZERO_PAGE);
	assert_int_equal(value_of(&s, X86_REG(X86_RFLAGS)), 2);
	assert_int_equal(value_of(&s, X86_CR(0)), 0x80000031);
	assert_int_equal(value_of(&s, X86_CR(3)), BOOT_PML4);
	assert_int_equal(value_of(&s, X86_CR(4)), 0x20);
	assert_int_equal(value_of(&s, X86_EFER), 0x500);
	assert_int_equal(value_of(&s, X86_SEG_REG(X86_CS, X86_SELECTOR)), 0x10);
	assert_int_equal(value_of(&s, X86_SEG_REG(X86_CS, X86_ATTR)), 0xa09b);
	assert_int_equal(value_of(&s, X86_SEG_REG(X86_SS, X86_SELECTOR)), 0x18);
	assert_int_equal(value_of(&s, X86_SEG_REG(X86_TR, X86_ATTR)), 0x8b);
	assert_int_equal(value_of(&s, X86_SEG_REG(X86_GDT, X86_BASE)), BOOT_GDT);
	assert_int_equal(value_of(&s, X86_SEG_REG(X86_GDT, X86_LIMIT)), 47);
	assert_int_equal(value_of(&s, X86_SEG_REG(X86_IDT, X86_BASE)), BOOT_IDT);
}

static void pvh_starts_without_paging(void **unused)
{
	struct arch_vcpu_state s = state_of(BOOT_PVH, 0);

	(void)unused;
	assert_int_equal(value_of(&s, X86_REG(X86_RIP)), 0x1000200);
	assert_int_equal(value_of(&s, X86_REG(X86_RBX)), BOOT_START_INFO);
	assert_int_equal(value_of(&s, X86_CR(0)), 0x11);
	assert_int_equal(value_of(&s, X86_CR(4)), 0);
	assert_int_equal(value_of(&s, X86_EFER), 0);
	assert_int_equal(value_of(&s, X86_SEG_REG(X86_CS, X86_ATTR)), 0xc09b);
	assert_int_equal(value_of(&s, X86_SEG_REG(X86_CS, X86_LIMIT)), UINT32_MAX);
	assert_int_equal(value_of(&s, X86_SEG_REG(X86_DS, X86_ATTR)), 0xc093);
	assert_int_equal(value_of(&s, X86_SEG_REG(X86_TR, X86_ATTR)), 0x8b);
	assert_int_equal(value_of(&s, X86_SEG_REG(X86_TR, X86_LIMIT)), 0x67);
}

static void every_cpu_is_as_firmware_leaves_it(void **unused)
{
	(void)unused;
	for (uint32_t i = 0; i < 2; i++) {
		struct arch_vcpu_state s = state_of(BOOT_LINUX64, i);

		assert_int_equal(value_of(&s, X86_FCW), 0x37f);
		assert_int_equal(value_of(&s, X86_MXCSR), 0x1f80);
		assert_int_equal(value_of(&s, X86_LVT(0x350)), 0x700);
		assert_int_equal(value_of(&s, X86_LVT(0x360)), 0x400);
		assert_int_equal(msr_of(&s, 0x1a0), 1);
		assert_int_equal(msr_of(&s, 0x2ff), 0x806);
		assert_int_equal(msr_of(&s, 0x10), 0);
		assert_int_equal(msr_of(&s, 0xc0000102), 0);
		assert_int_equal(has(&s, X86_REG(X86_RIP)), i == 0);
		assert_int_equal(has(&s, X86_CR(0)), i == 0);
	}
}

static void firmware_starts_from_reset(void **unused)
{
	struct arch_vcpu_state s = state_of(BOOT_RESET, 0);

	(void)unused;
	assert_int_equal(s.n_regs, 0);
	assert_int_equal(s.n_msrs, 0);
}

static void others_are_refused(void **unused)
{
	struct loaded loaded = test_loaded(BOOT_IMAGE);
	struct machine machine = { .vcpus = 4 };
	struct arch_vcpu_state state;

	(void)unused;
	assert_int_equal(x86_vcpu_state(NULL, &loaded, &machine, 0, &state), -EINVAL);
	loaded.protocol = BOOT_PVH;
	assert_int_equal(x86_vcpu_state(NULL, &loaded, &machine, 4, &state), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(linux64_starts_in_long_mode),
		cmocka_unit_test(pvh_starts_without_paging),
		cmocka_unit_test(every_cpu_is_as_firmware_leaves_it),
		cmocka_unit_test(firmware_starts_from_reset),
		cmocka_unit_test(others_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

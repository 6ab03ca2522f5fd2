/* SPDX-License-Identifier: Apache-2.0 */
/* Exits that no guest can be made to cause at will, and the splitting of accesses. */
#include "backends/kvm/kvm.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct vcpu_exit exit_of(const struct kvm_run *run, int want)
{
	struct vcpu_exit exit;

	memset(&exit, 0xa5, sizeof(exit));
	assert_int_equal(kvm_exit_translate(run, &exit), want);
	return exit;
}

static void an_unknown_exit_is_named_by_its_number(void **state)
{
	struct kvm_run run = { .exit_reason = 4711 };
	struct vcpu_exit exit = exit_of(&run, -ENOTSUP);

	assert_int_equal(exit.kind, VCPU_FAILED);
	assert_non_null(strstr(exit.text, "4711"));
}

static void a_failed_entry_tells_the_hardware_reason(void **state)
{
	struct kvm_run run = { .exit_reason = KVM_EXIT_FAIL_ENTRY };
	struct vcpu_exit exit;

	run.fail_entry.hardware_entry_failure_reason = 0x80000021;
	run.fail_entry.cpu = 3;
	exit = exit_of(&run, -EIO);
	assert_int_equal(exit.kind, VCPU_FAILED);
	assert_non_null(strstr(exit.text, "0x80000021"));
	assert_non_null(strstr(exit.text, "CPU 3"));
}

static void an_emulation_failure_shows_the_instruction(void **state)
{
	struct kvm_run run = { .exit_reason = KVM_EXIT_INTERNAL_ERROR };
	struct vcpu_exit exit;

	run.emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
	run.emulation_failure.ndata = 3;
	run.emulation_failure.flags = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
	run.emulation_failure.insn_size = 200; /* more than there is room for */
	run.emulation_failure.insn_bytes[0] = 0xcf;
	run.emulation_failure.insn_bytes[14] = 0x9b;
	exit = exit_of(&run, -EIO);
	assert_int_equal(exit.kind, VCPU_FAILED);
	assert_non_null(strstr(exit.text, "internal error 1"));
	assert_non_null(strstr(exit.text, "bytes cf 00"));
	assert_non_null(strstr(exit.text, " 9b"));
}

static void another_internal_error_shows_its_data(void **state)
{
	struct kvm_run run = { .exit_reason = KVM_EXIT_INTERNAL_ERROR };
	struct vcpu_exit exit;

	run.internal.suberror = KVM_INTERNAL_ERROR_DELIVERY_EV;
	run.internal.ndata = 1000; /* more than there is */
	run.internal.data[0] = 0xabcdef;
	exit = exit_of(&run, -EIO);
	assert_non_null(strstr(exit.text, "internal error 3"));
	assert_non_null(strstr(exit.text, "0xabcdef"));
}

static void system_events_have_their_kinds(void **state)
{
	static const struct {
		uint32_t type;
		enum vcpu_exit_kind kind;
		int code;
	} events[] = {
		{ KVM_SYSTEM_EVENT_SHUTDOWN, VCPU_OFF, 0 },
		{ KVM_SYSTEM_EVENT_RESET, VCPU_RESET, 0 },
		{ KVM_SYSTEM_EVENT_CRASH, VCPU_DEAD, 0 },
		{ 99, VCPU_FAILED, -ENOTSUP },
	};
	size_t i;

	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		struct kvm_run run = { .exit_reason = KVM_EXIT_SYSTEM_EVENT };
		struct vcpu_exit exit;

		run.system_event.type = events[i].type;
		exit = exit_of(&run, events[i].code);
		assert_int_equal(exit.kind, events[i].kind);
	}
}

static void simple_exits_have_their_kinds(void **state)
{
	struct kvm_run run = { .exit_reason = KVM_EXIT_HLT };

	assert_int_equal(exit_of(&run, 0).kind, VCPU_HALTED);
	run.exit_reason = KVM_EXIT_SHUTDOWN;
	assert_int_equal(exit_of(&run, 0).kind, VCPU_DEAD);
	run.exit_reason = KVM_EXIT_INTR;
	(void)exit_of(&run, -EAGAIN);
}

static void a_guest_dies_of_an_access_without_a_syndrome(void **state)
{
	struct kvm_run run = { .exit_reason = KVM_EXIT_ARM_NISV };
	struct vcpu_exit exit;

	run.arm_nisv.fault_ipa = 0x10000008;
	exit = exit_of(&run, 0);
	assert_int_equal(exit.kind, VCPU_DEAD);
	assert_non_null(strstr(exit.text, "accessed 0x10000008, where there is no memory"));
}

static void seven_bytes_of_mmio_come_in_three_pieces(void **state)
{
	static const uint64_t sizes[] = { 4, 2, 1 }, at[] = { 0, 4, 6 };
	static const uint64_t values[] = { 0x04030201, 0x0605, 0x07 };
	struct kvm_run run = { .exit_reason = KVM_EXIT_MMIO };
	struct kvm_transfer transfer;
	struct vcpu_exit exit;
	size_t i;

	run.mmio.phys_addr = 0x1000;
	run.mmio.len = 7;
	run.mmio.is_write = 1;
	memcpy(run.mmio.data, "\1\2\3\4\5\6\7\x55", 8);
	kvm_transfer_begin(&transfer, &run);
	for (i = 0; i < 3; i++) {
		assert_true(kvm_transfer_next(&transfer, &exit));
		assert_int_equal(exit.kind, VCPU_MMIO);
		assert_int_equal(exit.bus.address, 0x1000 + at[i]);
		assert_int_equal(exit.bus.size, sizes[i]);
		assert_int_equal(exit.bus.value, values[i]);
	}
	assert_false(kvm_transfer_next(&transfer, &exit));
	assert_false(kvm_transfer_next(&transfer, &exit));
}

static void a_read_takes_the_answers_low_bytes(void **state)
{
	struct kvm_run run = { .exit_reason = KVM_EXIT_MMIO };
	struct kvm_transfer transfer;
	struct vcpu_exit exit;

	memset(run.mmio.data, 0xee, sizeof(run.mmio.data));
	run.mmio.len = 2;
	kvm_transfer_begin(&transfer, &run);
	assert_true(kvm_transfer_next(&transfer, &exit));
	exit.bus.value = UINT64_MAX - 1;
	assert_false(kvm_transfer_next(&transfer, &exit));
	assert_memory_equal(run.mmio.data, "\xfe\xff\xee", 3);
}

static void a_call_comes_with_its_arguments_and_takes_the_answer(void **state)
{
	struct kvm_run run = { .exit_reason = KVM_EXIT_RISCV_SBI };
	struct vcpu_exit exit;

	run.riscv_sbi.extension_id = 0x4442434e;
	run.riscv_sbi.function_id = 2;
	for (size_t i = 0; i < 6; i++)
		run.riscv_sbi.args[i] = 10 + i;
	exit = exit_of(&run, 0);
	assert_int_equal(exit.kind, VCPU_CALL);
	assert_int_equal(exit.call.function, 0x4442434e00000002);
	assert_int_equal(exit.call.args[0], 10);
	assert_int_equal(exit.call.args[5], 15);
	exit.call.ret[0] = UINT64_MAX - 1;
	exit.call.ret[1] = 7;
	kvm_exit_answer(&run, &exit);
	assert_int_equal(run.riscv_sbi.ret[0], UINT64_MAX - 1);
	assert_int_equal(run.riscv_sbi.ret[1], 7);
}

static void a_csr_reads_what_the_core_says(void **state)
{
	struct kvm_run run = { .exit_reason = KVM_EXIT_RISCV_CSR };
	struct vcpu_exit exit;

	run.riscv_csr.csr_num = 0x15;
	run.riscv_csr.write_mask = UINT64_MAX;
	run.riscv_csr.new_value = 3;
	exit = exit_of(&run, 0);
	assert_int_equal(exit.kind, VCPU_SYSREG);
	assert_int_equal(exit.sysreg.id, RISCV_CSR(0x15));
	assert_true(exit.sysreg.write);
	assert_int_equal(exit.sysreg.value, 3);
	exit.sysreg.value = 99;
	exit.sysreg.handled = true;
	kvm_exit_answer(&run, &exit);
	assert_int_equal(run.riscv_csr.ret_value, 99);
	exit.sysreg.handled = false;
	kvm_exit_answer(&run, &exit);
	assert_int_equal(run.riscv_csr.ret_value, 0);
}

/* The last exit may be older than what lies in kvm_run now. */
static void an_answer_goes_to_its_own_exit_alone(void **state)
{
	struct kvm_run run = { .exit_reason = KVM_EXIT_MMIO }, before;
	struct vcpu_exit exit = { .kind = VCPU_CALL };

	exit.call.ret[0] = exit.call.ret[1] = 0x55;
	before = run;
	kvm_exit_answer(&run, &exit);
	assert_memory_equal(&run, &before, sizeof(run));
	exit.kind = VCPU_INTERRUPTED;
	run.exit_reason = before.exit_reason = KVM_EXIT_RISCV_SBI;
	kvm_exit_answer(&run, &exit);
	assert_memory_equal(&run, &before, sizeof(run));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unknown_exit_is_named_by_its_number),
		cmocka_unit_test(a_failed_entry_tells_the_hardware_reason),
		cmocka_unit_test(an_emulation_failure_shows_the_instruction),
		cmocka_unit_test(another_internal_error_shows_its_data),
		cmocka_unit_test(system_events_have_their_kinds),
		cmocka_unit_test(simple_exits_have_their_kinds),
		cmocka_unit_test(a_guest_dies_of_an_access_without_a_syndrome),
		cmocka_unit_test(seven_bytes_of_mmio_come_in_three_pieces),
		cmocka_unit_test(a_read_takes_the_answers_low_bytes),
		cmocka_unit_test(a_call_comes_with_its_arguments_and_takes_the_answer),
		cmocka_unit_test(a_csr_reads_what_the_core_says),
		cmocka_unit_test(an_answer_goes_to_its_own_exit_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

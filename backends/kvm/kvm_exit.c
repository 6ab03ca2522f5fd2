/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What KVM's exits mean in the core's words.  No ioctl is made here, so that every exit, also those
 * that no guest of ours can provoke, has a test.
 */
#include "backends/kvm/kvm.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* ---- port I/O and MMIO ---- */

void kvm_transfer_begin(struct kvm_transfer *transfer, struct kvm_run *run)
{
	if (run->exit_reason == KVM_EXIT_IO)
		*transfer = (struct kvm_transfer){
			.data = (uint8_t *)run + run->io.data_offset,
			.address = run->io.port,
			.left = run->io.size * run->io.count,
			.unit = run->io.size,
			.write = run->io.direction == KVM_EXIT_IO_OUT,
		};
	else
		*transfer = (struct kvm_transfer){
			.data = run->mmio.data,
			.address = run->mmio.phys_addr,
			.left = run->mmio.len,
			.write = run->mmio.is_write,
		};
}

/* An access that straddles a page comes as two fragments of odd lengths. */
static uint32_t item_size(const struct kvm_transfer *transfer)
{
	uint32_t size = 8;

	if (transfer->unit)
		return transfer->unit;
	while (size > transfer->left)
		size /= 2;
	return size;
}

static void take_back(struct kvm_transfer *transfer, const struct vcpu_exit *exit)
{
	if (!transfer->write)
		memcpy(transfer->data, &exit->bus.value, transfer->given);
	transfer->data += transfer->given;
	transfer->left -= transfer->given;
	if (!transfer->unit)
		transfer->address += transfer->given;
	transfer->given = 0;
}

bool kvm_transfer_next(struct kvm_transfer *transfer, struct vcpu_exit *exit)
{
	if (transfer->given)
		take_back(transfer, exit);
	if (!transfer->data || transfer->left == 0) {
		transfer->data = NULL;
		return false;
	}
	transfer->given = item_size(transfer);
	exit->kind = transfer->unit ? VCPU_PIO : VCPU_MMIO;
	exit->bus.address = transfer->address;
	exit->bus.size = transfer->given;
	exit->bus.write = transfer->write;
	exit->bus.value = 0;
	exit->text[0] = '\0';
	if (transfer->write)
		memcpy(&exit->bus.value, transfer->data, transfer->given);
	return true;
}

/* ---- the rest ---- */

#define exit_failed(exit, code, ...)                                                               \
	((exit)->kind = VCPU_FAILED,                                                               \
		(void)snprintf((exit)->text, sizeof((exit)->text), __VA_ARGS__), (code))

static int ended(struct vcpu_exit *exit, enum vcpu_exit_kind kind, const char *why)
{
	exit->kind = kind;
	(void)snprintf(exit->text, sizeof(exit->text), "%s", why);
	return 0;
}

static int system_event(const struct kvm_run *run, struct vcpu_exit *exit)
{
	switch (run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		return ended(exit, VCPU_OFF, "");
	case KVM_SYSTEM_EVENT_RESET:
		return ended(exit, VCPU_RESET, "");
	case KVM_SYSTEM_EVENT_CRASH:
		return ended(exit, VCPU_DEAD, "the guest reported a crash");
	case KVM_SYSTEM_EVENT_WAKEUP:
		return -EAGAIN;
	default:
		return exit_failed(exit, -ENOTSUP, "KVM reported the unknown system event %u",
			run->system_event.type);
	}
}

static const char *internal_name(uint32_t suberror)
{
	switch (suberror) {
	case KVM_INTERNAL_ERROR_EMULATION:
		return "cannot emulate an instruction";
	case KVM_INTERNAL_ERROR_SIMUL_EX:
		return "exceptions at the same time";
	case KVM_INTERNAL_ERROR_DELIVERY_EV:
		return "cannot deliver an event";
	case KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON:
		return "unexpected hardware exit";
	default:
		return "unknown";
	}
}

/* Appends the instruction's bytes, or what else KVM tells. */
static void describe_internal(const struct kvm_run *run, char *text, size_t room)
{
	const uint32_t most = sizeof(run->internal.data) / sizeof(run->internal.data[0]);
	uint32_t i, n = run->internal.ndata;
	size_t at = strlen(text);

	if (run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION && n >= 3 &&
		(run->emulation_failure.flags &
			KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES)) {
		n = run->emulation_failure.insn_size;
		if (n > sizeof(run->emulation_failure.insn_bytes))
			n = sizeof(run->emulation_failure.insn_bytes);
		at += (size_t)snprintf(text + at, room - at, ", instruction bytes");
		for (i = 0; i < n && at < room; i++)
			at += (size_t)snprintf(text + at, room - at, " %02x",
				run->emulation_failure.insn_bytes[i]);
		return;
	}
	for (i = 0; i < n && i < most && at < room; i++)
		at += (size_t)snprintf(text + at, room - at, "%s0x%" PRIx64, i ? " " : ", data ",
			(uint64_t)run->internal.data[i]);
}

static int internal_error(const struct kvm_run *run, struct vcpu_exit *exit)
{
	(void)exit_failed(exit, 0, "KVM internal error %u (%s)", run->internal.suberror,
		internal_name(run->internal.suberror));
	describe_internal(run, exit->text, sizeof(exit->text));
	return -EIO;
}

/* A pair of registers, or a vector, moved to or from where only devices are. */
static int no_syndrome(const struct kvm_run *run, struct vcpu_exit *exit)
{
	exit->kind = VCPU_DEAD;
	(void)snprintf(exit->text, sizeof(exit->text),
		"an instruction that KVM cannot take apart accessed 0x%" PRIx64
		", where there is no memory",
		(uint64_t)run->arm_nisv.fault_ipa);
	return 0;
}

/* ---- calls to the firmware, and registers ---- */

static int sbi_call(const struct kvm_run *run, struct vcpu_exit *exit)
{
	exit->kind = VCPU_CALL;
	exit->text[0] = '\0';
	exit->call.function =
		backend_sbi_function(run->riscv_sbi.extension_id, run->riscv_sbi.function_id);
	for (size_t i = 0; i < sizeof(exit->call.args) / sizeof(exit->call.args[0]); i++)
		exit->call.args[i] = run->riscv_sbi.args[i];
	exit->call.ret[0] = exit->call.ret[1] = 0;
	return 0;
}

static int csr_access(const struct kvm_run *run, struct vcpu_exit *exit)
{
	exit->kind = VCPU_SYSREG;
	exit->text[0] = '\0';
	exit->sysreg.id = RISCV_CSR((uint32_t)run->riscv_csr.csr_num & 0xfffu);
	exit->sysreg.write = run->riscv_csr.write_mask != 0;
	exit->sysreg.handled = false;
	exit->sysreg.value = run->riscv_csr.new_value;
	return 0;
}

/* A CSR that nobody has reads as zero: KVM has no way to let the access fault. */
void kvm_exit_answer(struct kvm_run *run, const struct vcpu_exit *exit)
{
	if (exit->kind == VCPU_CALL && run->exit_reason == KVM_EXIT_RISCV_SBI) {
		run->riscv_sbi.ret[0] = exit->call.ret[0];
		run->riscv_sbi.ret[1] = exit->call.ret[1];
	} else if (exit->kind == VCPU_SYSREG && run->exit_reason == KVM_EXIT_RISCV_CSR) {
		run->riscv_csr.ret_value = exit->sysreg.handled ? exit->sysreg.value : 0;
	}
}

int kvm_exit_translate(const struct kvm_run *run, struct vcpu_exit *exit)
{
	switch (run->exit_reason) {
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_SET_TPR:
		return -EAGAIN;
	case KVM_EXIT_HLT:
		return ended(exit, VCPU_HALTED, "");
	case KVM_EXIT_SHUTDOWN:
		return ended(exit, VCPU_DEAD, "triple fault");
	case KVM_EXIT_SYSTEM_EVENT:
		return system_event(run, exit);
	case KVM_EXIT_RISCV_SBI:
		return sbi_call(run, exit);
	case KVM_EXIT_RISCV_CSR:
		return csr_access(run, exit);
	case KVM_EXIT_FAIL_ENTRY:
		return exit_failed(exit, -EIO,
			"the processor refused to enter the guest: hardware reason 0x%" PRIx64
			" on CPU %u",
			(uint64_t)run->fail_entry.hardware_entry_failure_reason,
			run->fail_entry.cpu);
	case KVM_EXIT_INTERNAL_ERROR:
		return internal_error(run, exit);
	case KVM_EXIT_ARM_NISV:
		return no_syndrome(run, exit);
	case KVM_EXIT_UNKNOWN:
		return exit_failed(exit, -EIO,
			"the processor left the guest for a reason that KVM does not know: "
			"0x%" PRIx64,
			(uint64_t)run->hw.hardware_exit_reason);
	default:
		return exit_failed(
			exit, -ENOTSUP, "KVM returned the unknown exit %u", run->exit_reason);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the whole program does not ask of the backend for macOS: read-only memory, lines that there
 * are not, registers by their numbers, a second machine.
 */
#include "tests/guests/guest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE ((size_t)65536) /* of any host */

static const struct backend_module *module;
static const struct backend_ops *ops;

static const struct backend_vm_config config = {
	.struct_size = sizeof(config), .isa = ISA_AARCH64, .vcpus = 2
};

static struct backend_vm *make_vm(void)
{
	struct backend_error err = { "" };
	struct backend_vm *vm;

	if (ops->vm_create(&config, &vm, &err) < 0)
		fail_msg("%s", err.text);
	return vm;
}

static struct backend_vcpu *make_vcpu(struct backend_vm *vm, uint32_t index)
{
	struct backend_error err = { "" };
	struct backend_vcpu *vcpu;

	if (ops->vcpu_create(vm, index, &vcpu, &err) < 0)
		fail_msg("%s", err.text);
	return vcpu;
}

static void memory_is_mapped_with_its_rights(void **state)
{
	char path[] = "/tmp/tenon-hvf-XXXXXX", log[512] = "";
	int fd = mkstemp(path);
	struct backend_error err = { "" };
	struct backend_vm *vm;
	uint8_t *host =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(fd >= 0 && host != MAP_FAILED);
	setenv("HVF_LOG", path, 1);
	vm = make_vm();
	assert_int_equal(ops->mem_map(vm, 0, PAGE, host, BACKEND_MAP_READONLY, &err), 0);
	assert_int_equal(ops->mem_map(vm, 0x10000000, PAGE, host + PAGE, 0, &err), 0);
	assert_int_equal(ops->mem_map(vm, 0x20000000, PAGE, host, BACKEND_MAP_LOG, &err), -ENOTSUP);
	assert_int_equal(ops->mem_unmap(vm, 0, PAGE), 0);
	ops->vm_destroy(vm);
	unsetenv("HVF_LOG");
	assert_true(read(fd, log, sizeof(log) - 1) > 0);
	assert_non_null(strstr(log, "hv_vm_map 0x0 0x10000 5\n"));
	assert_non_null(strstr(log, "hv_vm_map 0x10000000 0x10000 7\n"));
	assert_non_null(strstr(log, "hv_vm_unmap 0x0 0x10000\n"));
	assert_null(strstr(log, "0x20000000"));
	(void)close(fd);
	(void)unlink(path);
	munmap(host, 2 * PAGE);
}

static void what_the_framework_refuses_is_said(void **state)
{
	struct backend_error err = { "" };
	struct backend_vm *vm = make_vm();
	void *host = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(host != MAP_FAILED);
	setenv("HVF_FAIL", "hv_vm_map:003", 1);
	assert_int_equal(ops->mem_map(vm, 0x40000000, PAGE, host, 0, &err), -EINVAL);
	unsetenv("HVF_FAIL");
	assert_non_null(strstr(err.text, "0x40000000: the framework refuses the arguments"));
	/* Nothing is there, so that it can be tried again. */
	assert_int_equal(ops->mem_map(vm, 0x40000000, PAGE, host, 0, &err), 0);
	ops->vm_destroy(vm);
	munmap(host, PAGE);
}

static void there_is_one_machine(void **state)
{
	struct backend_error err = { "" };
	struct backend_vm *vm = make_vm(), *second;

	assert_int_equal(ops->vm_create(&config, &second, &err), -EBUSY);
	assert_non_null(strstr(err.text, "one machine at a time"));
	ops->vm_destroy(vm);
	ops->vm_destroy(make_vm());
}

static void lines_that_there_are_not_are_refused(void **state)
{
	struct backend_vm *vm = make_vm();
	struct backend_vcpu *vcpu = make_vcpu(vm, 0);

	assert_int_equal(ops->vcpu_interrupt(vcpu, ARM_LINE_IRQ, true), 0);
	assert_int_equal(ops->vcpu_interrupt(vcpu, ARM_LINE_FIQ, false), 0);
	assert_int_equal(ops->vcpu_interrupt(vcpu, 2, true), -EINVAL);
	assert_int_equal(ops->irq_line(vm, 0, true), -ENOTSUP);
	ops->vcpu_destroy(vcpu);
	ops->vm_destroy(vm);
}

static uint64_t get(struct backend_vcpu *vcpu, uint32_t id)
{
	struct backend_reg reg = { .id = id };

	assert_int_equal(ops->vcpu_get_regs(vcpu, &reg, 1), 0);
	return reg.value;
}

static void registers_have_the_cores_numbers(void **state)
{
	const struct backend_reg regs[] = { { ARM_X(30), 0, 30 }, { ARM_SP_EL1, 0, 31 },
		{ ARM_PC, 0, 32 }, { ARM_PSTATE, 0, 0x3c4 } };
	const struct backend_reg none = { REG_ID(REG_ARM_CORE, 34), 0, 0 };
	struct backend_error err = { "" };
	struct backend_vm *vm = make_vm();
	struct backend_vcpu *vcpu = make_vcpu(vm, 1);

	assert_int_equal(get(vcpu, REG_ID(REG_ARM_SYS, 0xc005)), 0x80000001);
	assert_int_equal(get(vcpu, ARM_PSTATE), 0x3c5);
	assert_int_equal(ops->vcpu_set_regs(vcpu, regs, 4, &err), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(get(vcpu, regs[i].id), regs[i].value);
	assert_int_equal(get(vcpu, REG_ID(REG_ARM_SYS, 0xe208)), 31);
	assert_int_equal(get(vcpu, ARM_CONF(ARM_CONF_GIC)), 3);
	assert_int_equal(get(vcpu, ARM_CONF(ARM_CONF_PMU)), 0);
	assert_int_equal(ops->vcpu_set_regs(vcpu, &none, 1, &err), -ENOENT);
	assert_int_equal(ops->vcpu_reset(vcpu, &err), 0);
	assert_int_equal(get(vcpu, ARM_SP_EL1), 0);
	assert_int_equal(get(vcpu, ARM_PC), 0);
	assert_int_equal(get(vcpu, ARM_PSTATE), 0x3c5);
	ops->vcpu_destroy(vcpu);
	ops->vm_destroy(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_mapped_with_its_rights),
		cmocka_unit_test(what_the_framework_refuses_is_said),
		cmocka_unit_test(there_is_one_machine),
		cmocka_unit_test(lines_that_there_are_not_are_refused),
		cmocka_unit_test(registers_have_the_cores_numbers),
	};

	module = backend_load("hvf");
	ops = module->ops;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend contract, checked alike on every backend; TEST_BACKEND names the one.  Nothing here
 * needs a guest that runs.
 */
#include "tests/guests/guest.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE   4096ull
#define ROUNDS 100

static const struct backend_module *module;
static const struct backend_ops *ops;
static struct backend_caps caps;

static struct backend_vm_config config_of(enum isa isa)
{
	return (struct backend_vm_config){
		.struct_size = sizeof(struct backend_vm_config),
		.isa = isa,
		.vcpus = 2,
		.reserved_gpa = 0xfffbc000,
	};
}

static enum isa first_isa(void)
{
	enum isa isa = ISA_X86_64;

	while (!(caps.isas & 1u << isa))
		isa++;
	return isa;
}

static struct backend_vm *make_vm(void)
{
	const struct backend_vm_config config = config_of(first_isa());
	struct backend_error err = { "" };
	struct backend_vm *vm = NULL;

	if (ops->vm_create(&config, &vm, &err) < 0)
		fail_msg("%s", err.text);
	assert_non_null(vm);
	return vm;
}

static struct backend_vcpu *make_vcpu(struct backend_vm *vm)
{
	struct backend_error err = { "" };
	struct backend_vcpu *vcpu = NULL;

	if (ops->vcpu_create(vm, 0, &vcpu, &err) < 0)
		fail_msg("%s", err.text);
	return vcpu;
}

/* ---- the tables ---- */

static void every_operation_is_there(void **state)
{
	/* Each member after struct_size is a function pointer. */
	const unsigned char *bytes = (const unsigned char *)ops;
	const size_t first = offsetof(struct backend_ops, vm_create);
	size_t at;

	assert_int_equal(module->struct_size, sizeof(*module));
	assert_int_equal(ops->struct_size, sizeof(*ops));
	assert_true(module->summary && module->summary[0]);
	for (at = first; at + sizeof(void *) <= sizeof(*ops); at += sizeof(void *)) {
		void *member;

		memcpy(&member, bytes + at, sizeof(member));
		if (!member)
			fail_msg("the operation at offset %zu is missing", at);
	}
}

static void the_probe_can_be_repeated_and_says_what_there_is(void **state)
{
	struct backend_caps again;
	struct backend_error err = { "" };

	assert_int_equal(module->probe(&again, &err), 0);
	assert_int_equal(again.features & ~BACKEND_SLOW, caps.features & ~BACKEND_SLOW);
	assert_true(caps.isas != 0);
	assert_true(caps.max_vcpus >= 1);
	assert_true(caps.phys_bits >= 32 && caps.phys_bits <= 64);
	assert_true(memchr(caps.detail, '\0', sizeof(caps.detail)) != NULL);
	assert_null(strchr(caps.detail, '\n'));
}

static void another_isa_is_refused_with_a_sentence(void **state)
{
	const struct backend_vm_config config = config_of((enum isa)7);
	struct backend_error err = { "" };
	struct backend_vm *vm = NULL;

	assert_int_equal(ops->vm_create(&config, &vm, &err), -ENOTSUP);
	assert_null(vm);
	assert_true(err.text[0] != '\0');
}

static void destroying_nothing_is_fine(void **state)
{
	ops->vm_destroy(NULL);
	ops->vcpu_destroy(NULL);
}

/* ---- resources ---- */

static int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void a_hundred_machines_leave_nothing_open(void **state)
{
	int before = open_fds(), i;

	for (i = 0; i < ROUNDS; i++) {
		struct backend_vm *vm = make_vm();
		struct backend_error err;

		if (i % 2)
			(void)ops->irqchip_create(vm, &err);
		ops->vcpu_destroy(make_vcpu(vm));
		ops->vm_destroy(vm);
	}
	assert_int_equal(open_fds(), before);
}

/* ---- memory ---- */

static void mappings_are_whole_pages_that_do_not_overlap(void **state)
{
	struct backend_vm *vm = make_vm();
	struct backend_error err = { "" };
	uint64_t bitmap[1];
	uint8_t *host;
	int r;

	host = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(host != MAP_FAILED);
	assert_int_equal(ops->mem_map(vm, 0, 4 * PAGE, host, 0, &err), 0);
	assert_true(ops->mem_map(vm, PAGE, PAGE, host, 0, &err) < 0);
	assert_non_null(strstr(err.text, "0x1000"));
	assert_int_equal(ops->mem_map(vm, 5 * PAGE + 1, PAGE, host, 0, &err), -EINVAL);
	assert_int_equal(ops->mem_map(vm, 5 * PAGE, 1, host, 0, &err), -EINVAL);
	assert_int_equal(ops->mem_map(vm, 5 * PAGE, 0, host, 0, &err), -EINVAL);
	assert_int_equal(ops->mem_map(vm, UINT64_MAX - PAGE + 1, 2 * PAGE, host, 0, &err), -EINVAL);
	r = ops->mem_dirty(vm, 0, 4 * PAGE, bitmap);
	assert_int_equal(r, -ENOTSUP);
	assert_int_equal(ops->mem_unmap(vm, 0, PAGE), -ENOENT);
	assert_int_equal(ops->mem_unmap(vm, 0, 4 * PAGE), 0);
	assert_int_equal(ops->mem_unmap(vm, 0, 4 * PAGE), -ENOENT);
	/* The place is free again. */
	assert_int_equal(ops->mem_map(vm, PAGE, PAGE, host, 0, &err), 0);
	ops->vm_destroy(vm);
	munmap(host, 4 * PAGE);
}

/* ---- wires ---- */

static void wires_are_there_as_the_probe_said(void **state)
{
	struct backend_vm *vm = make_vm();
	struct backend_error err = { "" };
	int fd = eventfd(0, EFD_CLOEXEC), r;

	r = ops->irqchip_create(vm, &err);
	if (!(caps.features & BACKEND_IRQCHIP)) {
		assert_int_equal(r, -ENOTSUP);
		goto out;
	}
	assert_int_equal(r, 0);
	assert_int_equal(ops->irq_line(vm, 5, true), 0);
	assert_int_equal(ops->irq_line(vm, 5, false), 0);
	r = ops->irqfd(vm, 5, fd, true);
	assert_int_equal(r, caps.features & BACKEND_IRQFD ? 0 : -ENOTSUP);
	r = ops->doorbell(vm, 0xd0000000, 4, NULL, false, fd, true);
	assert_int_equal(r, caps.features & BACKEND_DOORBELL ? 0 : -ENOTSUP);
	assert_int_equal(ops->irqchip_finish(vm, &err), 0);
	assert_int_equal(ops->vm_reset(vm, &err), 0);
out:
	ops->vm_destroy(vm);
	close(fd);
}

/* ---- processors ---- */

static void a_kick_before_the_run_interrupts_it(void **state)
{
	struct backend_vm *vm = make_vm();
	struct backend_error err = { "" };
	struct vcpu_exit exit;
	struct backend_vcpu *vcpu;
	int i;

	(void)ops->irqchip_create(vm, &err);
	vcpu = make_vcpu(vm);
	for (i = 0; i < 3; i++) {
		memset(&exit, 0xa5, sizeof(exit));
		ops->vcpu_kick(vcpu);
		assert_int_equal(ops->vcpu_run(vcpu, &exit), 0);
		assert_int_equal(exit.kind, VCPU_INTERRUPTED);
	}
	ops->vcpu_destroy(vcpu);
	ops->vm_destroy(vm);
}

/* vCPU 1 on its own thread: with an interrupt controller it sleeps until it is started. */
struct sleeper {
	struct backend_vm *vm;
	struct backend_vcpu *vcpu;
	pthread_barrier_t barrier;
	struct vcpu_exit exit;
};

static void *sleep_until_kicked(void *data)
{
	struct sleeper *s = data;
	struct backend_error err;

	if (ops->vcpu_create(s->vm, 1, &s->vcpu, &err) < 0)
		abort();
	pthread_barrier_wait(&s->barrier);
	(void)ops->vcpu_run(s->vcpu, &s->exit);
	pthread_barrier_wait(&s->barrier);
	ops->vcpu_destroy(s->vcpu);
	return NULL;
}

static void a_kick_wakes_a_sleeping_vcpu(void **state)
{
	struct sleeper s = { .vm = make_vm() };
	struct backend_error err = { "" };
	pthread_t thread;

	(void)ops->irqchip_create(s.vm, &err);
	pthread_barrier_init(&s.barrier, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, sleep_until_kicked, &s), 0);
	pthread_barrier_wait(&s.barrier);
	ops->vcpu_kick(s.vcpu);
	pthread_barrier_wait(&s.barrier);
	pthread_join(thread, NULL);
	assert_int_equal(s.exit.kind, VCPU_INTERRUPTED);
	ops->vm_destroy(s.vm);
	pthread_barrier_destroy(&s.barrier);
}

static void an_unknown_register_is_refused_with_a_sentence(void **state)
{
	struct backend_vm *vm = make_vm();
	struct backend_vcpu *vcpu = make_vcpu(vm);
	struct backend_reg reg = { .id = REG_ID(0x7f, 3) };
	struct backend_error err = { "" };

	assert_int_equal(ops->vcpu_set_regs(vcpu, &reg, 1, &err), -ENOENT);
	assert_non_null(strstr(err.text, "0x7f000003"));
	assert_int_equal(ops->vcpu_get_regs(vcpu, &reg, 1), -ENOENT);
	ops->vcpu_destroy(vcpu);
	ops->vm_destroy(vm);
}

static void a_reset_undoes_what_was_set(void **state)
{
	struct backend_vm *vm = make_vm();
	struct backend_vcpu *vcpu = make_vcpu(vm);
	struct backend_reg reg = { .id = X86_REG(X86_R12) };
	struct backend_error err = { "" };
	uint64_t fresh;

	if (first_isa() != ISA_X86_64)
		reg.id = first_isa() == ISA_AARCH64 ? REG_ID(REG_ARM_CORE, 3)
						    : REG_ID(REG_RISCV_X, 3);
	assert_int_equal(ops->vcpu_get_regs(vcpu, &reg, 1), 0);
	fresh = reg.value;
	reg.value = fresh + 0x1234;
	assert_int_equal(ops->vcpu_set_regs(vcpu, &reg, 1, &err), 0);
	reg.value = 0;
	assert_int_equal(ops->vcpu_get_regs(vcpu, &reg, 1), 0);
	assert_int_equal(reg.value, fresh + 0x1234);
	if (ops->vcpu_reset(vcpu, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(ops->vcpu_get_regs(vcpu, &reg, 1), 0);
	assert_int_equal(reg.value, fresh);
	ops->vcpu_destroy(vcpu);
	ops->vm_destroy(vm);
}

static void cpuid_says_how_much_room_it_needs(void **state)
{
	struct backend_vm *vm = make_vm();
	struct backend_error err = { "" };
	struct backend_cpuid *entries;
	struct backend_vcpu *vcpu;
	size_t n = 0, again;
	int r = ops->cpuid_supported(vm, NULL, &n);

	if (r == -ENOTSUP) {
		ops->vm_destroy(vm);
		skip();
	}
	assert_int_equal(r, -E2BIG);
	assert_true(n > 3);
	entries = calloc(n, sizeof(*entries));
	assert_non_null(entries);
	again = n;
	assert_int_equal(ops->cpuid_supported(vm, entries, &again), 0);
	assert_int_equal(again, n);
	vcpu = make_vcpu(vm);
	if (ops->vcpu_set_cpuid(vcpu, entries, n, &err) < 0)
		fail_msg("%s", err.text);
	ops->vcpu_destroy(vcpu);
	ops->vm_destroy(vm);
	free(entries);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operation_is_there),
		cmocka_unit_test(the_probe_can_be_repeated_and_says_what_there_is),
		cmocka_unit_test(another_isa_is_refused_with_a_sentence),
		cmocka_unit_test(destroying_nothing_is_fine),
		cmocka_unit_test(a_hundred_machines_leave_nothing_open),
		cmocka_unit_test(mappings_are_whole_pages_that_do_not_overlap),
		cmocka_unit_test(wires_are_there_as_the_probe_said),
		cmocka_unit_test(a_kick_before_the_run_interrupts_it),
		cmocka_unit_test(a_kick_wakes_a_sleeping_vcpu),
		cmocka_unit_test(an_unknown_register_is_refused_with_a_sentence),
		cmocka_unit_test(a_reset_undoes_what_was_set),
		cmocka_unit_test(cpuid_says_how_much_room_it_needs),
	};
	const char *name = getenv("TEST_BACKEND");

	module = backend_load(name ? name : "null");
	ops = module->ops;
	if (!backend_usable(module, &caps))
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

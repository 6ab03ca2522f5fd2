/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The KVM backend when the kernel refuses: the machine of a whole life, with the first system call
 * failing, then the second, and so on to the last.  Each time what was asked for is refused with a
 * sentence or done all the same, and nothing is left behind.
 *
 * The backend's ioctl() and mmap() are this program's, which stand before the C library's.
 */
#include "tests/guests/guest.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORTED   __attribute__((visibility("default")))
#define CPUID_ROOM 512
#define DOORBELL   0xd0000010u
#define GSI        5u

static const struct backend_module *kvm;
static uint8_t *ram;

/* ---- the system calls ---- */

static unsigned calls, failing; /* failing: the call that fails, counted from 1; 0 = none */
static int failing_with;
static bool armed;

static bool refuse(void)
{
	if (!armed || ++calls != failing)
		return false;
	errno = failing_with;
	return true;
}

EXPORTED int ioctl(int fd, unsigned long request, ...)
{
	unsigned long argument;
	va_list args;

	va_start(args, request);
	argument = va_arg(args, unsigned long);
	va_end(args);
	return refuse() ? -1 : (int)syscall(SYS_ioctl, fd, request, argument);
}

EXPORTED void *mmap(void *address, size_t size, int prot, int flags, int fd, off_t offset)
{
	/* Nothing interrupts this one. */
	if (failing_with != EINTR && refuse())
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, address, size, prot, flags, fd, offset);
}

static void arm(unsigned nth, int error)
{
	calls = 0;
	failing = nth;
	failing_with = error;
	armed = true;
}

/* ---- what may be left behind ---- */

static unsigned descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(folder);
	while (readdir(folder))
		n++;
	closedir(folder);
	return n;
}

/* Pages of the kernel's that show a vCPU's state. */
static unsigned mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512];
	unsigned n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, "kvm-vcpu") != NULL;
	(void)fclose(f);
	return n;
}

/* ---- the life of a machine ---- */

struct life {
	const struct backend_ops *ops;
	struct backend_vm *vm;
	struct backend_vcpu *vcpu;
	struct backend_error err;
	struct vcpu_exit exit;
	int fd;
};

static int make(struct life *l)
{
	const struct backend_vm_config config = {
		.struct_size = sizeof(config),
		.isa = ISA_X86_64,
		.vcpus = 1,
		.reserved_gpa = 0xfffbc000,
	};

	return l->ops->vm_create(&config, &l->vm, &l->err);
}

static int map(struct life *l)
{
	return l->ops->mem_map(l->vm, 0, GUEST_RAM, ram, BACKEND_MAP_LOG, &l->err);
}

static int make_irqchip(struct life *l)
{
	return l->ops->irqchip_create(l->vm, &l->err);
}

static int make_vcpu(struct life *l)
{
	return l->ops->vcpu_create(l->vm, 0, &l->vcpu, &l->err);
}

static int finish_irqchip(struct life *l)
{
	return l->ops->irqchip_finish(l->vm, &l->err);
}

static int give_cpuid(struct life *l)
{
	struct backend_cpuid *entries = calloc(CPUID_ROOM, sizeof(*entries));
	size_t n = CPUID_ROOM;
	int r;

	assert_non_null(entries);
	r = l->ops->cpuid_supported(l->vm, entries, &n);
	if (r < 0)
		(void)backend_fail(&l->err, r, "no CPUID: %s", strerror(-r));
	else
		r = l->ops->vcpu_set_cpuid(l->vcpu, entries, n, &l->err);
	free(entries);
	return r;
}

static int give_regs(struct life *l)
{
	const struct backend_reg regs[] = {
		{ X86_CR(0), 0, 0x11 },
		{ X86_REG(X86_RIP), 0, GUEST_LOAD },
		{ X86_REG(X86_RFLAGS), 0, 2 },
	};

	return l->ops->vcpu_set_regs(l->vcpu, regs, 3, &l->err);
}

static int give_msrs(struct life *l)
{
	const struct backend_msr msr = { .index = 0x174, .value = 8 };

	return l->ops->vcpu_set_msrs(l->vcpu, &msr, 1, &l->err);
}

/* These have no sentence of their own: the core knows what it asked for. */
static int silent(struct life *l, int r)
{
	return r < 0 ? backend_fail(&l->err, r, "refused: %s", strerror(-r)) : 0;
}

static int wire(struct life *l)
{
	int r = l->ops->irqfd(l->vm, GSI, l->fd, true);

	if (r == 0)
		r = l->ops->doorbell(l->vm, DOORBELL, 4, NULL, false, l->fd, true);
	if (r == 0)
		r = l->ops->irq_line(l->vm, GSI + 1, false);
	if (r == 0)
		r = l->ops->doorbell(l->vm, DOORBELL, 4, NULL, false, l->fd, false);
	if (r == 0)
		r = l->ops->irqfd(l->vm, GSI, l->fd, false);
	return silent(l, r);
}

static int look(struct life *l)
{
	struct backend_reg regs[] = { { .id = X86_REG(X86_RIP) }, { .id = X86_CR(0) } };

	return silent(l, l->ops->vcpu_get_regs(l->vcpu, regs, 2));
}

/* The guest's memory begins with zeros, which are instructions. */
static int run(struct life *l)
{
	int r;

	l->ops->vcpu_kick(l->vcpu);
	r = l->ops->vcpu_run(l->vcpu, &l->exit);
	if (r < 0)
		(void)backend_fail(&l->err, r, "%s", l->exit.text);
	return r;
}

static int log_pages(struct life *l)
{
	static uint64_t bits[GUEST_RAM / 4096 / 64];

	return silent(l, l->ops->mem_dirty(l->vm, 0, GUEST_RAM, bits));
}

static int reset_vcpu(struct life *l)
{
	return l->ops->vcpu_reset(l->vcpu, &l->err);
}

static int reset_vm(struct life *l)
{
	return l->ops->vm_reset(l->vm, &l->err);
}

static int unmap(struct life *l)
{
	return silent(l, l->ops->mem_unmap(l->vm, 0, GUEST_RAM));
}

static int (*const steps[])(struct life *l) = {
	make,
	map,
	make_irqchip,
	make_vcpu,
	finish_irqchip,
	give_cpuid,
	give_regs,
	give_msrs,
	wire,
	look,
	run,
	log_pages,
	reset_vcpu,
	reset_vm,
	unmap,
};

#define N_STEPS (sizeof(steps) / sizeof(steps[0]))

/* Lives until a step is refused; the refusal, with l->err saying why, or 0. */
static int live(struct life *l, unsigned nth, int error)
{
	int r = 0;

	*l = (struct life){ .ops = kvm->ops, .fd = eventfd(0, EFD_CLOEXEC) };
	assert_true(l->fd >= 0);
	arm(nth, error);
	for (size_t i = 0; i < N_STEPS && r >= 0; i++)
		r = steps[i](l);
	armed = false;
	l->ops->vcpu_destroy(l->vcpu);
	l->ops->vm_destroy(l->vm);
	close(l->fd);
	return r < 0 ? r : 0;
}

static void one_sentence(const char *text, unsigned nth)
{
	if (!text[0] || strchr(text, '\n') || text[strlen(text) - 1] == '.')
		fail_msg("call %u failed, and it says '%s'", nth, text);
}

/* ---- tests ---- */

static void each_refused_call_is_told_and_leaves_nothing(void **state)
{
	const unsigned open_before = descriptors(), mapped_before = mappings();
	unsigned refused = 0, nth = 0;
	struct life l;

	do {
		nth++;
		if (live(&l, nth, EPERM) < 0) {
			refused++;
			one_sentence(l.err.text, nth);
			if (!strstr(l.err.text, strerror(EPERM)))
				fail_msg("call %u failed, and it says '%s'", nth, l.err.text);
		}
		assert_int_equal(descriptors(), open_before);
		assert_int_equal(mappings(), mapped_before);
	} while (calls >= nth);
	print_message("%u calls, %u of them are needed\n", nth - 1, refused);
	/* What is asked of the host is answered with 0 when it fails; all else is needed. */
	assert_true(refused > 30);
}

static void a_refused_probe_says_why(void **state)
{
	const unsigned open_before = descriptors(), mapped_before = mappings();
	unsigned nth = 0, refused = 0;

	do {
		struct backend_caps caps = { .max_vcpus = 77 };
		struct backend_error err = { "" };
		int r;

		nth++;
		arm(nth, EPERM);
		r = kvm->probe(&caps, &err);
		armed = false;
		if (r < 0) {
			refused++;
			one_sentence(err.text, nth);
			assert_int_equal(caps.max_vcpus, 77);
		}
		assert_int_equal(descriptors(), open_before);
		assert_int_equal(mappings(), mapped_before);
	} while (calls >= nth);
	assert_true(refused > 20);
}

/* A signal may come at any time. */
static void an_interrupted_call_goes_on(void **state)
{
	unsigned nth = 0;
	struct life l;

	do {
		if (live(&l, ++nth, EINTR) < 0)
			fail_msg("call %u was interrupted: '%s'", nth, l.err.text);
	} while (calls >= nth);
	assert_true(nth > 30);
}

static int setup(void **state)
{
	ram = mmap(NULL, GUEST_RAM, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return ram == MAP_FAILED ? -1 : 0;
}

static int teardown(void **state)
{
	return munmap(ram, GUEST_RAM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_refused_call_is_told_and_leaves_nothing),
		cmocka_unit_test(a_refused_probe_says_why),
		cmocka_unit_test(an_interrupted_call_goes_on),
	};
	struct backend_caps caps;

	kvm = backend_load("kvm");
	if (!backend_usable(kvm, &caps))
		return 77;
	return cmocka_run_group_tests(tests, setup, teardown);
}

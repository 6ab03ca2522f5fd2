/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast an ordinary guest runs.  The guest counts down and then writes to where there is no
 * memory.  The entry and the exit are measured with a count of one and taken off; of a few tries
 * the shortest times count, because the host may do something else meanwhile.
 */
#include "backends/kvm/kvm_riscv64.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define PAGE         4096u
#define LOOPS        1000u
#define INSTRUCTIONS (LOOPS * 2.0)
#define TRIES        3
#define GOOD_NS      20.0 /* no need to try again */
#define FOREVER      1e12
#define CODE         0x80000000u
#define NOWHERE      0x10000000u

static const uint32_t code[] = {
	0xfff50513, /* 1: addi a0, a0, -1 */
	0xfe051ee3, /* bnez a0, 1b */
	0x0005a023, /* sw zero, 0(a1) */
	0x0000006f, /* j . */
};

static double now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int run_once(
	struct backend_vcpu *vcpu, uint64_t loops, double *ret_ns, struct backend_error *err)
{
	const struct backend_reg regs[] = {
		{ RISCV_PC, 0, CODE },
		{ RISCV_X(10), 0, loops },
		{ RISCV_X(11), 0, NOWHERE },
	};
	struct vcpu_exit exit = { 0 };
	double start;
	int r = kvm_vcpu_reset(vcpu, err);

	if (r == 0)
		r = kvm_isa_set_regs(vcpu, regs, 3, err);
	if (r < 0)
		return r;
	start = now_ns();
	r = kvm_vcpu_run(vcpu, &exit);
	*ret_ns = now_ns() - start;
	if (r < 0)
		return backend_fail(err, r, "a trial guest does not run: %s", exit.text);
	if (exit.kind != VCPU_MMIO || exit.bus.address != NOWHERE)
		return backend_fail(
			err, -EIO, "a trial guest stopped with exit %d", (int)exit.kind);
	return 0;
}

static int measure(struct backend_vcpu *vcpu, double *ret_ns, struct backend_error *err)
{
	double all = FOREVER, entry = FOREVER, ns;
	int i, r;

	/* The first entry brings the page in. */
	r = run_once(vcpu, 1, &ns, err);
	for (i = 0; i < TRIES && r == 0 && all > GOOD_NS * INSTRUCTIONS; i++) {
		r = run_once(vcpu, 1, &ns, err);
		entry = ns < entry ? ns : entry;
		if (r == 0)
			r = run_once(vcpu, LOOPS, &ns, err);
		all = ns < all ? ns : all;
	}
	if (r == 0)
		*ret_ns = all > entry ? (all - entry) / INSTRUCTIONS : 0;
	return r;
}

int kvm_isa_measure(struct backend_vm *vm, double *ret_ns, struct backend_error *err)
{
	struct backend_vcpu *vcpu;
	void *page;
	int r;

	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return backend_fail(err, -errno, "out of memory");
	memcpy(page, code, sizeof(code));
	__builtin___clear_cache(page, (char *)page + sizeof(code));
	r = kvm_mem_map(vm, CODE, PAGE, page, 0, err);
	if (r < 0)
		goto free_page;
	r = kvm_vcpu_create(vm, 0, &vcpu, err);
	if (r == 0) {
		r = measure(vcpu, ret_ns, err);
		kvm_vcpu_destroy(vcpu);
	}
	(void)kvm_mem_unmap(vm, CODE, PAGE);
free_page:
	(void)munmap(page, PAGE);
	return r;
}

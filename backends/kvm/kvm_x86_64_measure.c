/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast an ordinary guest runs.  The guest counts down in flat 32-bit protected mode, which
 * every processor with virtualisation runs natively, and then writes to a port.  The entry and the
 * exit are measured with a count of one and taken off; of a few tries the shortest times count,
 * because the host may do something else meanwhile.
 */
#include "backends/kvm/kvm_x86_64.h"

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
#define CODE         0x1000u

/* 1: dec ecx; jnz 1b; out 0x80, al; hlt */
static const uint8_t code[] = { 0x49, 0x75, 0xfd, 0xe6, 0x80, 0xf4 };

static int set_flat(struct backend_vcpu *vcpu, struct backend_error *err)
{
	struct backend_reg regs[6 * 4 + 1];
	uint32_t seg;
	size_t n = 0;

	for (seg = X86_CS; seg <= X86_SS; seg++) {
		uint64_t attr = seg == X86_CS ? 0xc09b : 0xc093;

		regs[n++] = (struct backend_reg){ .id = X86_SEG_REG(seg, X86_BASE) };
		regs[n++] = (struct backend_reg){ X86_SEG_REG(seg, X86_LIMIT), 0, 0xffffffff };
		regs[n++] = (struct backend_reg){ X86_SEG_REG(seg, X86_SELECTOR), 0,
			seg == X86_CS ? 0x08 : 0x10 };
		regs[n++] = (struct backend_reg){ X86_SEG_REG(seg, X86_ATTR), 0, attr };
	}
	regs[n++] = (struct backend_reg){ X86_CR(0), 0, 0x11 };
	return kvm_isa_set_regs(vcpu, regs, n, err);
}

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
		{ X86_REG(X86_RIP), 0, CODE },
		{ X86_REG(X86_RFLAGS), 0, 2 },
		{ X86_REG(X86_RCX), 0, loops },
	};
	struct vcpu_exit exit = { 0 };
	double start;
	int r = kvm_isa_set_regs(vcpu, regs, 3, err);

	if (r < 0)
		return r;
	start = now_ns();
	r = kvm_vcpu_run(vcpu, &exit);
	*ret_ns = now_ns() - start;
	if (r < 0)
		return backend_fail(err, r, "a trial guest does not run: %s", exit.text);
	if (exit.kind != VCPU_PIO || exit.bus.address != 0x80)
		return backend_fail(
			err, -EIO, "a trial guest stopped with exit %d", (int)exit.kind);
	return 0;
}

static int measure(struct backend_vcpu *vcpu, double *ret_ns, struct backend_error *err)
{
	double all = FOREVER, entry = FOREVER, ns;
	int i, r;

	r = set_flat(vcpu, err);
	/* The first entry brings the page in. */
	if (r == 0)
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

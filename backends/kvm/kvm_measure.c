/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast an ordinary guest runs.  The guest, which each ISA has its own of, counts down and then
 * accesses what is not there.  The entry and the exit are measured with a count of one and taken
 * off; of a few tries the shortest times count, because the host may do something else meanwhile.
 */
#include "backends/kvm/kvm.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define MOST_PAGE    65536u /* pages of aarch64 are of up to this size */
#define LOOPS        1000u
#define INSTRUCTIONS (LOOPS * 2.0)
#define TRIES        3
#define GOOD_NS      20.0 /* no need to try again */
#define FOREVER      1e12

static double now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int run_once(
	struct backend_vcpu *vcpu, uint64_t loops, double *ret_ns, struct backend_error *err)
{
	struct vcpu_exit exit = { 0 };
	double start;
	int r = kvm_isa_trial_begin(vcpu, loops, err);

	if (r < 0)
		return r;
	start = now_ns();
	r = kvm_vcpu_run(vcpu, &exit);
	*ret_ns = now_ns() - start;
	if (r < 0)
		return backend_fail(err, r, "a trial guest does not run: %s", exit.text);
	if (exit.kind != kvm_isa_trial.exit || exit.bus.address != kvm_isa_trial.address)
		return backend_fail(
			err, -EIO, "a trial guest stopped with exit %d", (int)exit.kind);
	return 0;
}

static int time_guest(struct backend_vcpu *vcpu, double *ret_ns, struct backend_error *err)
{
	double all = FOREVER, entry = FOREVER, ns;
	int i, r;

	/* The first entry brings the page in. */
	r = run_once(vcpu, 1, &ns, err);
	for (i = 0; i < TRIES && r == 0 && all > GOOD_NS * INSTRUCTIONS; i++) {
		r = run_once(vcpu, 1, &ns, err);
		if (r < 0)
			break;
		entry = ns < entry ? ns : entry;
		r = run_once(vcpu, LOOPS, &ns, err);
		all = ns < all ? ns : all;
	}
	if (r == 0)
		*ret_ns = all > entry ? (all - entry) / INSTRUCTIONS : 0;
	return r;
}

int kvm_measure(struct backend_vm *vm, double *ret_ns, struct backend_error *err)
{
	const struct kvm_trial *trial = &kvm_isa_trial;
	struct backend_vcpu *vcpu;
	void *page;
	int r;

	page = mmap(NULL, MOST_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return backend_fail(err, -errno, "out of memory");
	memcpy(page, trial->code, trial->size);
	__builtin___clear_cache(page, (char *)page + trial->size);
	r = kvm_mem_map(vm, trial->gpa, MOST_PAGE, page, 0, err);
	if (r < 0)
		goto free_page;
	r = kvm_vcpu_create(vm, 0, &vcpu, err);
	if (r == 0) {
		r = time_guest(vcpu, ret_ns, err);
		kvm_vcpu_destroy(vcpu);
	}
	(void)kvm_mem_unmap(vm, trial->gpa, MOST_PAGE);
free_page:
	(void)munmap(page, MOST_PAGE);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* For all but x86-64: there are neither CPUID nor MSRs, and giving none is as good as it gets. */
#include "backends/kvm/kvm.h"

#include <errno.h>

int kvm_isa_cpuid_supported(struct backend_vm *vm, struct backend_cpuid *entries, size_t *n)
{
	(void)vm;
	(void)entries;
	*n = 0;
	return -ENOTSUP;
}

int kvm_isa_set_cpuid(struct backend_vcpu *vcpu, const struct backend_cpuid *entries, size_t n,
	struct backend_error *err)
{
	(void)vcpu;
	(void)entries;
	return n == 0 ? 0 : backend_fail(err, -ENOTSUP, "CPUID is x86-64's alone");
}

int kvm_isa_set_msrs(struct backend_vcpu *vcpu, const struct backend_msr *msrs, size_t n,
	struct backend_error *err)
{
	(void)vcpu;
	(void)msrs;
	return n == 0 ? 0 : backend_fail(err, -ENOTSUP, "MSRs are x86-64's alone");
}

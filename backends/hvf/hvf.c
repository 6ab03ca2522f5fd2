/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module: what it exports, what the framework can do, and the operations that it has not got.
 */
#include "backends/hvf/hvf.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/build_id.h"

#define SPEED             100
#define PHYS_BITS_DEFAULT 36u

/* ---- what the framework says ---- */

const char *hvf_text(hv_return_t ret)
{
	switch (ret) {
	case HV_BUSY:
		return "the framework is busy: a process has one machine at a time";
	case HV_BAD_ARGUMENT:
		return "the framework refuses the arguments";
	case HV_ILLEGAL_GUEST_STATE:
		return "the guest's state is not a legal one";
	case HV_NO_RESOURCES:
		return "the host is out of resources";
	case HV_NO_DEVICE:
		return "this Mac has no virtualization";
	case HV_DENIED:
		return "macOS denies it: the program must be signed with the entitlement "
		       "com.apple.security.hypervisor";
	case HV_UNSUPPORTED:
		return "this Mac does not support it";
	default:
		return "the framework failed";
	}
}

int hvf_errno(hv_return_t ret)
{
	switch (ret) {
	case HV_SUCCESS:
		return 0;
	case HV_BUSY:
		return -EBUSY;
	case HV_BAD_ARGUMENT:
		return -EINVAL;
	case HV_NO_RESOURCES:
		return -ENOMEM;
	case HV_NO_DEVICE:
		return -ENODEV;
	case HV_DENIED:
		return -EPERM;
	case HV_UNSUPPORTED:
		return -ENOTSUP;
	default:
		return -EIO;
	}
}

/* ---- what is not in every macOS ---- */

static struct hvf_newer newer;

static void look_up(void)
{
	static const struct {
		const char *name;
		void *at;
	} names[] = {
		{ "hv_vm_config_create", &newer.vm_config_create },
		{ "hv_vm_config_get_max_ipa_size", &newer.get_max_ipa_size },
		{ "hv_vm_config_set_ipa_size", &newer.set_ipa_size },
		{ "os_release", &newer.release },
		{ "hv_gic_config_create", &newer.gic_config_create },
		{ "hv_gic_config_set_distributor_base", &newer.gic_set_distributor },
		{ "hv_gic_config_set_redistributor_base", &newer.gic_set_redistributor },
		{ "hv_gic_create", &newer.gic_create },
		{ "hv_gic_reset", &newer.gic_reset },
		{ "hv_gic_set_spi", &newer.gic_set_spi },
		{ "hv_gic_get_spi_interrupt_range", &newer.gic_get_spis },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		void *function = dlsym(RTLD_DEFAULT, names[i].name);

		memcpy(names[i].at, &function, sizeof(function));
	}
}

const struct hvf_newer *hvf_newer(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, look_up);
	return &newer;
}

bool hvf_has_gic(void)
{
	const struct hvf_newer *f = hvf_newer();

	return f->gic_config_create && f->gic_set_distributor && f->gic_set_redistributor &&
	       f->gic_create && f->gic_reset && f->gic_set_spi && f->gic_get_spis && f->release;
}

uint32_t hvf_phys_bits(void)
{
	const struct hvf_newer *f = hvf_newer();
	uint32_t bits;

	if (f->vm_config_create && f->set_ipa_size && f->release && f->get_max_ipa_size &&
		f->get_max_ipa_size(&bits) == HV_SUCCESS)
		return bits;
	return PHYS_BITS_DEFAULT;
}

/* ---- what there is ---- */

static int caps(struct backend_caps *ret_caps, struct backend_error *err)
{
	struct backend_caps c = {
		.features = BACKEND_READONLY | BACKEND_CALLS,
		.isas = 1u << ISA_AARCH64,
		.phys_bits = hvf_phys_bits(),
		.speed = SPEED,
	};
	hv_return_t ret = hv_vm_get_max_vcpu_count(&c.max_vcpus);

	if (ret != HV_SUCCESS)
		return backend_fail(err, hvf_errno(ret),
			"macOS does not say how many vCPUs it runs: %s", hvf_text(ret));
	if (c.max_vcpus > HVF_MAX_VCPUS)
		c.max_vcpus = HVF_MAX_VCPUS;
	if (hvf_has_gic())
		c.features |= BACKEND_IRQCHIP;
	(void)snprintf(c.detail, sizeof(c.detail), "Apple's Hypervisor framework, interrupts by %s",
		hvf_has_gic() ? "its GICv3" : "a GICv3 in userspace");
	*ret_caps = c;
	return 0;
}

/* Whether one may have a machine is known by having one. */
static int probe(struct backend_caps *ret_caps, struct backend_error *err)
{
	hv_return_t ret = hvf_create_machine();

	if (ret != HV_SUCCESS)
		return backend_fail(
			err, hvf_errno(ret), "no machine can be created: %s", hvf_text(ret));
	(void)hv_vm_destroy();
	return caps(ret_caps, err);
}

/* ---- what there is not ---- */

static int mem_dirty(struct backend_vm *vm, uint64_t gpa, uint64_t size, uint64_t *bitmap)
{
	return -ENOTSUP;
}

static int irqfd(struct backend_vm *vm, uint32_t gsi, int fd, bool assign)
{
	return -ENOTSUP;
}

static int doorbell(struct backend_vm *vm, uint64_t address, uint32_t size, const uint64_t *match,
	bool pio, int fd, bool assign)
{
	return -ENOTSUP;
}

static int cpuid_supported(struct backend_vm *vm, struct backend_cpuid *entries, size_t *n)
{
	return -ENOTSUP;
}

static int set_cpuid(struct backend_vcpu *vcpu, const struct backend_cpuid *entries, size_t n,
	struct backend_error *err)
{
	return backend_fail(err, -ENOTSUP, "aarch64 has no CPUID");
}

static int set_msrs(struct backend_vcpu *vcpu, const struct backend_msr *msrs, size_t n,
	struct backend_error *err)
{
	return backend_fail(err, -ENOTSUP, "aarch64 has no MSRs");
}

static int fence(struct backend_vcpu *vcpu, uint32_t what)
{
	return -ENOTSUP; /* the processor broadcasts them */
}

static const struct backend_ops ops = {
	.struct_size = sizeof(ops),
	.vm_create = hvf_vm_create,
	.vm_destroy = hvf_vm_destroy,
	.mem_map = hvf_mem_map,
	.mem_unmap = hvf_mem_unmap,
	.mem_dirty = mem_dirty,
	.irqchip_create = hvf_irqchip_create,
	.irqchip_finish = hvf_irqchip_finish,
	.irq_line = hvf_irq_line,
	.irqfd = irqfd,
	.doorbell = doorbell,
	.vcpu_interrupt = hvf_vcpu_interrupt,
	.cpuid_supported = cpuid_supported,
	.vcpu_create = hvf_vcpu_create,
	.vcpu_destroy = hvf_vcpu_destroy,
	.vcpu_reset = hvf_vcpu_reset,
	.vcpu_set_cpuid = set_cpuid,
	.vcpu_set_regs = hvf_vcpu_set_regs,
	.vcpu_get_regs = hvf_vcpu_get_regs,
	.vcpu_set_msrs = set_msrs,
	.vcpu_run = hvf_vcpu_run,
	.vcpu_kick = hvf_vcpu_kick,
	.vm_reset = hvf_vm_reset,
	.vcpu_fence = fence,
};

extern const struct backend_module tenon_backend __attribute__((visibility("default")));

const struct backend_module tenon_backend = {
	.struct_size = sizeof(tenon_backend),
	.build_id = TENON_BUILD_ID,
	.name = "hvf",
	.summary = "macOS on Apple silicon",
	.probe = probe,
	.ops = &ops,
	.caps = caps,
};

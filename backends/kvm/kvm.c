/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The KVM backend's module: what it exports, and the probe.  The processor's flags say nothing
 * about KVM (a host can offer it with neither VMX nor SVM), so the probe opens /dev/kvm, creates a
 * VM and runs a short guest in it, which also tells a KVM that runs ordinary code natively from one
 * that emulates it an instruction at a time.
 */
#include "backends/kvm/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/build_id.h"

#define KVM_DEVICE "/dev/kvm"
/* Hardware takes less than a nanosecond, an emulated host with virtualisation a few; a KVM that
 * emulates its guests takes hundreds. */
#define SLOW_NS      60.0
#define SPEED_NATIVE 100
#define SPEED_SLOW   10

int kvm_ioctl(int fd, unsigned long request, void *arg)
{
	int r;

	do
		r = ioctl(fd, request, arg);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

int kvm_ioctl_value(int fd, unsigned long request, unsigned long value)
{
	int r;

	do
		r = ioctl(fd, request, value);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

int kvm_capability(int fd, int capability)
{
	int r = kvm_ioctl_value(fd, KVM_CHECK_EXTENSION, (unsigned long)capability);

	return r < 0 ? 0 : r;
}

static int open_failed(int code, struct backend_error *err)
{
	switch (-code) {
	case ENOENT:
		return backend_fail(err, code,
			KVM_DEVICE " does not exist: load the kvm module of this processor, or "
				   "switch virtualisation on in the firmware or the outer "
				   "hypervisor");
	case ENODEV:
	case ENXIO:
		return backend_fail(err, code,
			KVM_DEVICE " exists, but no kvm module stands behind it: load the one of "
				   "this processor");
	case EACCES:
	case EPERM:
		return backend_fail(err, code,
			"no right to open " KVM_DEVICE ": add the user to the group kvm "
			"(usermod -aG kvm USER) and log in again");
	case EBUSY:
		return backend_fail(err, code,
			KVM_DEVICE " is busy: another hypervisor has the processor's "
				   "virtualisation");
	default:
		return backend_fail(err, code, "cannot open " KVM_DEVICE ": %s", strerror(-code));
	}
}

int kvm_open(struct backend_error *err)
{
	int fd = open(KVM_DEVICE, O_RDWR | O_CLOEXEC);
	int version;

	if (fd < 0)
		return open_failed(-errno, err);
	version = kvm_ioctl_value(fd, KVM_GET_API_VERSION, 0);
	if (version == KVM_API_VERSION)
		return fd;
	close(fd);
	if (version < 0)
		return backend_fail(err, version, KVM_DEVICE " is not KVM: %s", strerror(-version));
	return backend_fail(err, -ENOTSUP, KVM_DEVICE " speaks version %d of its API, wanted %d",
		version, KVM_API_VERSION);
}

static int check_needed(int fd, struct backend_error *err)
{
	const struct kvm_needed *needed;

	for (needed = kvm_isa_needed; needed->name; needed++)
		if (!kvm_capability(fd, needed->capability))
			return backend_fail(err, -ENOTSUP,
				"the host's KVM lacks the capability %s (number %d): a newer "
				"kernel is needed",
				needed->name, needed->capability);
	return 0;
}

static void fill_caps(int fd, struct backend_caps *caps)
{
	int n = kvm_capability(fd, KVM_CAP_MAX_VCPUS);

	caps->features = BACKEND_IRQCHIP | BACKEND_IRQFD | BACKEND_DOORBELL | BACKEND_DIRTY_LOG;
	if (kvm_capability(fd, KVM_CAP_READONLY_MEM))
		caps->features |= BACKEND_READONLY;
	caps->isas = 1u << kvm_isa;
	if (n == 0)
		n = kvm_capability(fd, KVM_CAP_NR_VCPUS);
	caps->max_vcpus = n > 0 ? (uint32_t)n : 4;
}

/* Creates a VM and times a guest in it. */
static int try_vm(struct backend_caps *caps, struct backend_error *err)
{
	const struct backend_vm_config config = {
		.struct_size = sizeof(config),
		.isa = kvm_isa,
		.vcpus = 1,
		.reserved_gpa = 0xfffbc000,
	};
	struct backend_vm *vm;
	double ns;
	int r;

	r = kvm_vm_create(&config, &vm, err);
	if (r < 0)
		return r;
	r = kvm_measure(vm, &ns, err);
	kvm_vm_destroy(vm);
	if (r < 0)
		return r;
	caps->speed = SPEED_NATIVE;
	if (ns > SLOW_NS) {
		caps->features |= BACKEND_SLOW;
		caps->speed = SPEED_SLOW;
	}
	(void)snprintf(caps->detail, sizeof(caps->detail), "%s (%.1f ns an instruction)",
		ns > SLOW_NS ? "ordinary guest code is emulated by the host"
			     : "guest code runs natively",
		ns);
	return 0;
}

static int read_caps(struct backend_caps *ret_caps, struct backend_error *err)
{
	struct backend_caps caps = { .speed = SPEED_NATIVE };
	int fd = kvm_open(err);
	int r;

	if (fd < 0)
		return fd;
	r = check_needed(fd, err);
	if (r == 0) {
		fill_caps(fd, &caps);
		r = kvm_isa_probe(fd, &caps, err);
	}
	close(fd);
	if (r == 0)
		*ret_caps = caps;
	return r;
}

static int probe(struct backend_caps *ret_caps, struct backend_error *err)
{
	struct backend_caps caps;
	int r = read_caps(&caps, err);

	if (r == 0)
		r = try_vm(&caps, err);
	if (r == 0)
		*ret_caps = caps;
	return r;
}

static const struct backend_ops ops = {
	.struct_size = sizeof(ops),
	.vm_create = kvm_vm_create,
	.vm_destroy = kvm_vm_destroy,
	.mem_map = kvm_mem_map,
	.mem_unmap = kvm_mem_unmap,
	.mem_dirty = kvm_mem_dirty,
	.irqchip_create = kvm_isa_irqchip_create,
	.irqchip_finish = kvm_isa_irqchip_finish,
	.irq_line = kvm_irq_line,
	.irqfd = kvm_irqfd,
	.doorbell = kvm_doorbell,
	.vcpu_interrupt = kvm_isa_vcpu_interrupt,
	.cpuid_supported = kvm_isa_cpuid_supported,
	.vcpu_create = kvm_vcpu_create,
	.vcpu_destroy = kvm_vcpu_destroy,
	.vcpu_reset = kvm_vcpu_reset,
	.vcpu_set_cpuid = kvm_isa_set_cpuid,
	.vcpu_set_regs = kvm_isa_set_regs,
	.vcpu_get_regs = kvm_isa_get_regs,
	.vcpu_set_msrs = kvm_isa_set_msrs,
	.vcpu_run = kvm_vcpu_run,
	.vcpu_kick = kvm_vcpu_kick,
	.vm_reset = kvm_isa_vm_reset,
	.vcpu_fence = kvm_vcpu_fence,
};

extern const struct backend_module tenon_backend __attribute__((visibility("default")));

const struct backend_module tenon_backend = {
	.struct_size = sizeof(tenon_backend),
	.build_id = TENON_BUILD_ID,
	.name = "kvm",
	.summary = "the Linux kernel's hypervisor",
	.probe = probe,
	.ops = &ops,
	.caps = read_caps,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Places the payload: kernel, command line, initrd; and the state in which vCPUs begin. */
#include <errno.h>

#include "arch/aarch64/aarch64.h"
#include "arch/aarch64/layout.h"
#include "arch/arch.h"
#include "arch/image.h"
#include "arch/place.h"
#include "core/error.h"
#include "core/guest_memory.h"
#include "core/machine.h"
#include "core/payload.h"

#define GIB (1024ull * 1024 * 1024)

/* What arm64 Linux reads: its COMMAND_LINE_SIZE without the zero. */
#define LINUX_CMDLINE_MAX 2047u
/* Kernel and initrd must lie in one window of this size, which begins at a multiple of 1 GiB. */
#define INITRD_WINDOW (32 * GIB)

#define PSTATE_EL1H 0x5u
#define PSTATE_DAIF 0x3c0u /* debug, SError, IRQ and FIQ masked */

static int load_kernel(
	struct guest_memory *gm, const struct payload *p, struct loaded *loaded, struct error *err)
{
	struct image image;
	int ret;

	if (p->kind == PAYLOAD_BUNDLE) {
		loaded->protocol = BOOT_IMAGE;
		return place_bundle(gm, p, loaded, err);
	}
	if (image_isa(&p->kernel) != ISA_AARCH64)
		return error_set(err, EXIT_USAGE, -ENOEXEC,
			"%s: not an Image, which is what aarch64 boots (arch/arm64/boot/Image, or "
			"Debian's vmlinuz)",
			p->kernel.path);
	ret = image_parse(&p->kernel, ISA_AARCH64, &image, err);
	return ret < 0 ? ret : image_load(gm, &p->kernel, &image, ARM_KERNEL_BASE, loaded, err);
}

int arm_load(struct guest_memory *gm, const struct payload *payload, const char *extra_cmdline,
	struct loaded *ret_loaded, struct error *err)
{
	const struct place_cmdline cmdline = { ARM_CMDLINE, ARM_CMDLINE_ROOM, LINUX_CMDLINE_MAX };
	struct loaded loaded = {
		.protocol = BOOT_RESET, .entry = ARM_FIRMWARE, .fdt_gpa = ARM_FDT
	};
	int ret = 0;

	if (payload->kind != PAYLOAD_FIRMWARE)
		ret = load_kernel(gm, payload, &loaded, err);
	if (ret == 0)
		ret = place_cmdline(gm, payload, extra_cmdline, &cmdline, &loaded, err);
	if (ret == 0)
		ret = place_initrd(gm, payload, (loaded.kernel_gpa & ~(GIB - 1)) + INITRD_WINDOW,
			&loaded, err);
	if (ret == 0)
		*ret_loaded = loaded;
	return ret;
}

static void set(struct arch_vcpu_state *state, uint32_t id, uint64_t value)
{
	state->regs[state->n_regs++] = (struct backend_reg){ .id = id, .value = value };
}

/* The others are switched off until the first one has PSCI start them. */
int arm_vcpu_state(const struct guest_memory *gm, const struct loaded *loaded,
	const struct machine *machine, uint32_t index, struct arch_vcpu_state *ret_state)
{
	struct arch_vcpu_state state = { .n_regs = 0 };

	(void)gm;
	if (index >= machine->vcpus)
		return -EINVAL;
	if (index == 0) {
		set(&state, ARM_PSTATE, PSTATE_DAIF | PSTATE_EL1H);
		set(&state, ARM_PC, loaded->entry);
		set(&state, ARM_X(0), loaded->fdt_gpa);
		for (unsigned i = 1; i <= 3; i++)
			set(&state, ARM_X(i), 0);
	}
	*ret_state = state;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as what an x86-64 guest boots, all the way: a bzImage, an ELF vmlinux, what a bundle
 * holds, or firmware is put into a small guest memory, the boot tables are written and the vCPUs'
 * first state is made.  Guest memory has inaccessible pages on both sides.
 *
 * The first bytes choose: the kind and how ELF kernels are entered, how large memory is, how large
 * the initrd, what a bundle says of itself.  The rest is the file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "arch/x86_64/test_machine.h"
#include "arch/x86_64/x86_64.h"
#include "core/error.h"
#include "core/log.h"
#include "tests/fuzz/input.h"

static const uint8_t initrd[32768];

static struct payload take_payload(struct input *in, uint64_t *ret_low, uint64_t *ret_high)
{
	static const char *const boots[] = { "auto", "linux64", "pvh", "auto" };
	static const enum payload_kind kinds[] = { PAYLOAD_KERNEL, PAYLOAD_KERNEL, PAYLOAD_BUNDLE,
		PAYLOAD_FIRMWARE };
	uint8_t choice = input_u8(in), sizes = input_u8(in);
	struct payload p = {
		.kind = kinds[choice & 3],
		.boot = boots[choice >> 2 & 3],
		.cmdline = "console=hvc0",
		.initrd = { initrd, (size_t)input_u16(in) & 0x7fff, "initrd" },
	};

	/* Some are too small for the tables, on purpose. */
	*ret_low = sizes & 7 ? (sizes & 7) * 512ull * 1024 : 4096ull * (1 + (sizes >> 4));
	*ret_high = sizes & 8 ? 65536 : 0;
	if (p.kind == PAYLOAD_BUNDLE) {
		p.bundle_gpa = input_u64(in);
		p.bundle_entry = input_u64(in);
	}
	p.kernel = (struct blob){ in->at, in->left, "fuzz" };
	return p;
}

/* A refusal without a sentence is a bug of ours. */
static void check_refusal(int r, const struct error *err)
{
	if (r < 0 && !err->text[0])
		abort();
}

static void check_loaded(const struct guest_memory *gm, const struct loaded *l)
{
	if (l->protocol == BOOT_RESET)
		return;
	if (l->entry < l->kernel_gpa || l->entry - l->kernel_gpa >= l->kernel_size)
		abort(); /* entered outside of what was loaded */
	if (!guest_memory_ptr(gm, l->entry, 1) ||
		!guest_memory_ptr(gm, l->cmdline_gpa, l->cmdline_size))
		abort();
	if (l->initrd_size && !guest_memory_ptr(gm, l->initrd_gpa, l->initrd_size))
		abort();
}

static void boot(struct guest_memory *gm, const struct payload *p)
{
	struct machine machine = test_machine(2, 3);
	struct loaded loaded;
	struct error err = { 0 };
	struct arch_vcpu_state state;
	int r = x86_load(gm, p, "virtio_mmio.device=4K@0xd0000000:5", &loaded, &err);

	check_refusal(r, &err);
	if (r == 0) {
		check_loaded(gm, &loaded);
		r = x86_boot_tables(gm, &loaded, &machine, &err);
		check_refusal(r, &err);
	}
	for (uint32_t i = 0; r == 0 && i < machine.vcpus; i++)
		r = x86_vcpu_state(gm, &loaded, &machine, i, &state);
	free(machine.nodes);
}

/* `tenon bundle` looks for the packed kernel in a bzImage. */
static void look_inside(const struct blob *kernel)
{
	struct blob packed = { .bytes = NULL };
	struct error err = { 0 };
	int r = arch_x86_64.packed_kernel(kernel, &packed, &err);

	check_refusal(r, &err);
	if (r > 0 &&
		(packed.size == 0 || packed.bytes < kernel->bytes || packed.size > kernel->size ||
			(size_t)(packed.bytes - kernel->bytes) > kernel->size - packed.size))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint64_t low, high;
	struct payload p = take_payload(&in, &low, &high);
	struct guest_memory *gm;

	log_set_level(LOG_LEVEL_ERR);
	if (p.kind == PAYLOAD_FIRMWARE) {
		struct error err = { 0 };

		gm = guest_memory_create();
		if (!gm)
			abort();
		check_refusal(x86_create_memory(gm, 64ull * 1024 * 1024, &p, &err), &err);
	} else {
		look_inside(&p.kernel);
		gm = test_memory(low, high);
	}
	boot(gm, &p);
	guest_memory_destroy(gm);
	return 0;
}

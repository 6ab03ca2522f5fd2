/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine around a hand-written guest.
 */
#include "tests/guests/guest.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/build_id.h"

#define RESERVED_GPA 0xfffbc000u
#define CPUID_ROOM   512
#define PAGE_TABLES  0x180000u
#define PTE_TABLE    0x03u /* present, writable */
#define PTE_LARGE    0x83u
#define LARGE        0x200000u
#define CR4_PAE      0x20u
#define EFER_LME_LMA 0x500u

const struct backend_module *backend_load(const char *name)
{
	const char *folder = getenv("TEST_BACKEND_DIR");
	const struct backend_module *module;
	char path[4096];
	void *handle;

	(void)snprintf(path, sizeof(path), "%s/%s.so", folder ? folder : BACKEND_DIR, name);
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		fail_msg("%s", dlerror());
	module = dlsym(handle, BACKEND_SYMBOL);
	assert_non_null(module);
	assert_string_equal(module->name, name);
	assert_string_equal(module->build_id, TENON_BUILD_ID);
	return module;
}

bool backend_usable(const struct backend_module *module, struct backend_caps *ret_caps)
{
	struct backend_error err = { "" };

	if (module->probe(ret_caps, &err) == 0)
		return true;
	print_message("%s is not usable here: %s\n", module->name, err.text);
	return false;
}

/* ---- the machine ---- */

static void load_image(uint8_t *ram, const char *image)
{
	char path[4096];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s.bin", GUEST_DIR, image);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	n = read(fd, ram + GUEST_LOAD, GUEST_BUFFER - GUEST_LOAD);
	assert_true(n > 0);
	close(fd);
}

void guest_set_cpuid(struct guest *guest, struct backend_vcpu *vcpu)
{
	struct backend_error err = { "" };
	struct backend_cpuid *entries = calloc(CPUID_ROOM, sizeof(*entries));
	size_t n = CPUID_ROOM;

	assert_non_null(entries);
	assert_int_equal(guest->ops->cpuid_supported(guest->vm, entries, &n), 0);
	if (guest->ops->vcpu_set_cpuid(vcpu, entries, n, &err) < 0)
		fail_msg("%s", err.text);
	free(entries);
}

static void set_regs(
	struct guest *guest, struct backend_vcpu *vcpu, const struct backend_reg *regs, size_t n)
{
	struct backend_error err = { "" };

	if (guest->ops->vcpu_set_regs(vcpu, regs, n, &err) < 0)
		fail_msg("%s", err.text);
}

/* KVM judges the system registers as a whole: segments and control registers go in one call. */
static void set_mode(struct guest *guest, struct backend_vcpu *vcpu, uint64_t code_attr,
	const struct backend_reg *more, size_t count)
{
	struct backend_reg regs[6 * 4 + 8];
	uint32_t seg;
	size_t n = 0;

	for (seg = X86_CS; seg <= X86_SS; seg++) {
		bool code = seg == X86_CS;

		regs[n++] = (struct backend_reg){ .id = X86_SEG_REG(seg, X86_BASE) };
		regs[n++] = (struct backend_reg){ X86_SEG_REG(seg, X86_LIMIT), 0, 0xffffffff };
		regs[n++] = (struct backend_reg){ X86_SEG_REG(seg, X86_SELECTOR), 0,
			code ? 0x08 : 0x10 };
		regs[n++] = (struct backend_reg){ X86_SEG_REG(seg, X86_ATTR), 0,
			code ? code_attr : 0xc093 };
	}
	assert_true(count <= 8);
	memcpy(regs + n, more, count * sizeof(*more));
	set_regs(guest, vcpu, regs, n + count);
}

void guest_set_entry(struct guest *guest, struct backend_vcpu *vcpu)
{
	const struct backend_reg regs[] = {
		{ X86_CR(0), 0, 0x11 },
		{ X86_REG(X86_RIP), 0, GUEST_LOAD },
		{ X86_REG(X86_RSP), 0, GUEST_LOAD },
		{ X86_REG(X86_RFLAGS), 0, 2 },
	};

	set_mode(guest, vcpu, 0xc09b, regs, sizeof(regs) / sizeof(regs[0]));
}

static void put_pte(struct guest *guest, uint32_t table, uint32_t index, uint64_t value)
{
	memcpy(guest->ram + table + index * 8ull, &value, sizeof(value));
}

void guest_set_long_mode(struct guest *guest, struct backend_vcpu *vcpu)
{
	const struct backend_reg regs[] = {
		{ X86_CR(3), 0, PAGE_TABLES },
		{ X86_CR(4), 0, CR4_PAE },
		{ X86_EFER, 0, EFER_LME_LMA },
		{ X86_CR(0), 0, 0x80000011 },
		{ X86_REG(X86_RIP), 0, GUEST_LOAD },
		{ X86_REG(X86_RSP), 0, GUEST_LOAD },
		{ X86_REG(X86_RFLAGS), 0, 2 },
	};
	const uint32_t pdpt = PAGE_TABLES + 0x1000, low = pdpt + 0x1000, high = low + 0x1000;
	uint32_t i;

	put_pte(guest, PAGE_TABLES, 0, pdpt | PTE_TABLE);
	put_pte(guest, pdpt, 0, low | PTE_TABLE);
	put_pte(guest, pdpt, 3, high | PTE_TABLE);
	for (i = 0; i < 512; i++) {
		put_pte(guest, low, i, (uint64_t)i * LARGE | PTE_LARGE);
		put_pte(guest, high, i, (0xc0000000u + (uint64_t)i * LARGE) | PTE_LARGE);
	}
	set_mode(guest, vcpu, 0xa09b, regs, sizeof(regs) / sizeof(regs[0]));
}

void guest_create(struct guest *guest, const struct backend_module *module, const char *image)
{
	const struct backend_vm_config config = {
		.struct_size = sizeof(config),
		.isa = ISA_X86_64,
		.vcpus = GUEST_VCPUS,
		.reserved_gpa = RESERVED_GPA,
	};
	struct backend_error err = { "" };
	int r;

	*guest = (struct guest){ .module = module, .ops = module->ops };
	guest->ram =
		mmap(NULL, GUEST_RAM, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(guest->ram != MAP_FAILED);
	load_image(guest->ram, image);
	r = guest->ops->vm_create(&config, &guest->vm, &err);
	if (r == 0)
		r = guest->ops->mem_map(guest->vm, 0, GUEST_RAM, guest->ram, 0, &err);
	if (r == 0)
		r = guest->ops->irqchip_create(guest->vm, &err);
	if (r == 0)
		r = guest->ops->vcpu_create(guest->vm, 0, &guest->vcpu, &err);
	if (r < 0)
		fail_msg("%s", err.text);
	guest_set_cpuid(guest, guest->vcpu);
	guest_set_entry(guest, guest->vcpu);
}

void guest_destroy(struct guest *guest)
{
	guest->ops->vcpu_destroy(guest->vcpu);
	guest->ops->vm_destroy(guest->vm);
	assert_int_equal(munmap(guest->ram, GUEST_RAM), 0);
}

/* ---- steps of a test ---- */

void guest_run(struct guest *guest, enum vcpu_exit_kind want)
{
	(void)guest->ops->vcpu_run(guest->vcpu, &guest->exit);
	if (guest->exit.kind != want)
		fail_msg("exit %d instead of %d at 0x%llx, text \"%s\"", (int)guest->exit.kind,
			(int)want, (unsigned long long)guest_reg(guest, X86_REG(X86_RIP)),
			guest->exit.text);
}

void guest_expect_write(struct guest *guest, enum vcpu_exit_kind kind, uint64_t address,
	uint32_t size, uint64_t value)
{
	guest_run(guest, kind);
	assert_true(guest->exit.bus.write);
	assert_int_equal(guest->exit.bus.address, address);
	assert_int_equal(guest->exit.bus.size, size);
	assert_int_equal(guest->exit.bus.value, value);
}

void guest_answer_read(struct guest *guest, enum vcpu_exit_kind kind, uint64_t address,
	uint32_t size, uint64_t value)
{
	guest_run(guest, kind);
	assert_false(guest->exit.bus.write);
	assert_int_equal(guest->exit.bus.address, address);
	assert_int_equal(guest->exit.bus.size, size);
	guest->exit.bus.value = value;
}

void guest_expect_mark(struct guest *guest, uint8_t mark)
{
	guest_expect_write(guest, VCPU_PIO, MARK_PORT, 1, mark);
}

uint64_t guest_reg(struct guest *guest, uint32_t id)
{
	struct backend_reg reg = { .id = id };

	assert_int_equal(guest->ops->vcpu_get_regs(guest->vcpu, &reg, 1), 0);
	return reg.value;
}

void guest_set_reg(struct guest *guest, uint32_t id, uint64_t value)
{
	const struct backend_reg reg = { .id = id, .value = value };

	set_regs(guest, guest->vcpu, &reg, 1);
}

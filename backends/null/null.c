/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The null backend's module and machine: what there is to record, and failures on demand.
 */
#include "backends/null/null.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/build_id.h"

#define ALL_ISAS  (1u << ISA_X86_64 | 1u << ISA_AARCH64 | 1u << ISA_RISCV64)
#define PHYS_BITS 40
#define PAGE_BITS 4095u

static const char *const op_names[OP_COUNT] = {
	[OP_PROBE] = "probe",
	[OP_VM_CREATE] = "vm_create",
	[OP_MEM_MAP] = "mem_map",
	[OP_MEM_UNMAP] = "mem_unmap",
	[OP_IRQCHIP_CREATE] = "irqchip_create",
	[OP_IRQCHIP_FINISH] = "irqchip_finish",
	[OP_IRQ_LINE] = "irq_line",
	[OP_IRQFD] = "irqfd",
	[OP_DOORBELL] = "doorbell",
	[OP_CPUID_SUPPORTED] = "cpuid_supported",
	[OP_VCPU_CREATE] = "vcpu_create",
	[OP_VCPU_RESET] = "vcpu_reset",
	[OP_VCPU_SET_CPUID] = "vcpu_set_cpuid",
	[OP_VCPU_SET_REGS] = "vcpu_set_regs",
	[OP_VCPU_SET_MSRS] = "vcpu_set_msrs",
	[OP_VCPU_RUN] = "vcpu_run",
	[OP_VM_RESET] = "vm_reset",
};

/* ---- the log ---- */

static void append(int fd, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* One write a line, so that lines of several threads do not mix. */
static void append(int fd, const char *format, va_list args)
{
	char line[256];
	int n;

	n = vsnprintf(line, sizeof(line) - 1, format, args);
	if (n < 0)
		return;
	if ((size_t)n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	if (write(fd, line, (size_t)n) < 0)
		(void)0; /* a log that cannot be written is no reason to stop */
}

void null_log(const struct backend_vm *vm, const char *format, ...)
{
	va_list args;

	if (vm->log < 0)
		return;
	va_start(args, format);
	append(vm->log, format, args);
	va_end(args);
}

/* ---- failures on demand ---- */

/* Which call of @op fails: 0 = none. */
static unsigned long failing_call(const char *spec, const char *op)
{
	size_t n = strlen(op);

	while (spec && *spec) {
		if (strncmp(spec, op, n) == 0 && spec[n] == ':')
			return strtoul(spec + n + 1, NULL, 10);
		if (strncmp(spec, op, n) == 0 && (spec[n] == ',' || spec[n] == '\0'))
			return 1;
		spec = strchr(spec, ',');
		if (spec)
			spec++;
	}
	return 0;
}

static int check_call(
	struct null_calls *calls, const char *spec, enum null_op op, struct backend_error *err)
{
	unsigned int call =
		atomic_fetch_add_explicit(&calls->count[op], 1, memory_order_relaxed) + 1;

	if (failing_call(spec, op_names[op]) != call)
		return 0;
	if (err)
		return backend_fail(err, -EIO, "the null backend was asked to fail call %u of %s",
			call, op_names[op]);
	return -EIO;
}

int null_fails(struct backend_vm *vm, enum null_op op, struct backend_error *err)
{
	return check_call(&vm->calls, vm->fail, op, err);
}

/* ---- probe ---- */

static int chosen_isas(uint32_t *ret_isas, struct backend_error *err)
{
	const char *name = getenv("TENON_NULL_ISA");

	if (!name || !*name)
		*ret_isas = ALL_ISAS;
	else if (strcmp(name, "x86_64") == 0)
		*ret_isas = 1u << ISA_X86_64;
	else if (strcmp(name, "aarch64") == 0)
		*ret_isas = 1u << ISA_AARCH64;
	else if (strcmp(name, "riscv64") == 0)
		*ret_isas = 1u << ISA_RISCV64;
	else
		return backend_fail(err, -EINVAL,
			"TENON_NULL_ISA is \"%s\", wanted x86_64, aarch64 or riscv64", name);
	return 0;
}

/* Calls before there is a VM are counted for the whole process. */
static struct null_calls early_calls;

static int probe(struct backend_caps *ret_caps, struct backend_error *err)
{
	struct backend_caps caps = {
		.features = BACKEND_READONLY,
		.max_vcpus = NULL_VCPUS,
		.phys_bits = PHYS_BITS,
		.speed = 0,
	};
	int r = check_call(&early_calls, getenv("TENON_NULL_FAIL"), OP_PROBE, err);

	if (r == 0)
		r = chosen_isas(&caps.isas, err);
	if (r < 0)
		return r;
	if (caps.isas != 1u << ISA_RISCV64)
		caps.features |= BACKEND_IRQCHIP;
	(void)snprintf(caps.detail, sizeof(caps.detail), "runs no guest: plays a script of exits");
	*ret_caps = caps;
	return 0;
}

/* ---- the machine ---- */

static int copy_variable(const char *name, char **ret_value)
{
	const char *value = getenv(name);

	if (!value || !*value)
		return 0;
	*ret_value = strdup(value);
	return *ret_value ? 0 : -ENOMEM;
}

static void vm_destroy(struct backend_vm *vm)
{
	if (!vm)
		return;
	null_log(vm, "vm_destroy");
	null_script_finish(&vm->script);
	(void)pthread_mutex_destroy(&vm->lock);
	(void)pthread_cond_destroy(&vm->wake);
	free(vm->maps);
	free(vm->fail);
	if (vm->log >= 0)
		(void)close(vm->log);
	free(vm);
}

static int vm_prepare(struct backend_vm *vm, struct backend_error *err)
{
	const char *script = getenv("TENON_NULL_SCRIPT"), *log = getenv("TENON_NULL_LOG");

	if (copy_variable("TENON_NULL_FAIL", &vm->fail) < 0)
		return backend_fail(err, -ENOMEM, "out of memory");
	/* Now, for once the devices are attached nothing is opened any more. */
	if (log && *log)
		vm->log = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (script && *script)
		return null_script_load(&vm->script, script, err);
	return 0;
}

static int vm_create(const struct backend_vm_config *config, struct backend_vm **ret_vm,
	struct backend_error *err)
{
	struct backend_vm *vm;
	uint32_t isas;
	int r = check_call(&early_calls, getenv("TENON_NULL_FAIL"), OP_VM_CREATE, err);

	if (r == 0)
		r = chosen_isas(&isas, err);
	if (r < 0)
		return r;
	if ((unsigned int)config->isa > ISA_RISCV64 || !(isas & 1u << config->isa))
		return backend_fail(
			err, -ENOTSUP, "the null backend has not got ISA %d", (int)config->isa);
	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return backend_fail(err, -ENOMEM, "out of memory");
	vm->log = -1;
	vm->isa = config->isa;
	vm->vcpus = config->vcpus;
	(void)pthread_mutex_init(&vm->lock, NULL);
	(void)pthread_cond_init(&vm->wake, NULL);
	r = vm_prepare(vm, err);
	if (r < 0) {
		vm_destroy(vm);
		return r;
	}
	null_log(vm, "vm_create isa=%d vcpus=%u", (int)config->isa, config->vcpus);
	*ret_vm = vm;
	return 0;
}

static int vm_reset(struct backend_vm *vm, struct backend_error *err)
{
	int r = null_fails(vm, OP_VM_RESET, err);

	null_log(vm, "vm_reset");
	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&vm->lock);
	memset(vm->level, 0, sizeof(vm->level));
	memset(vm->raised, 0, sizeof(vm->raised));
	(void)pthread_mutex_unlock(&vm->lock);
	return 0;
}

/* ---- memory ---- */

static bool overlaps(const struct backend_vm *vm, uint64_t gpa, uint64_t size)
{
	size_t i;

	for (i = 0; i < vm->map_count; i++)
		if (gpa < vm->maps[i].gpa + vm->maps[i].size && vm->maps[i].gpa < gpa + size)
			return true;
	return false;
}

static int add_map(struct backend_vm *vm, uint64_t gpa, uint64_t size, void *host)
{
	struct null_map *maps;

	if (overlaps(vm, gpa, size))
		return -EEXIST;
	maps = realloc(vm->maps, (vm->map_count + 1) * sizeof(*maps));
	if (!maps)
		return -ENOMEM;
	vm->maps = maps;
	maps[vm->map_count++] = (struct null_map){ gpa, size, host };
	return 0;
}

static int mem_map(struct backend_vm *vm, uint64_t gpa, uint64_t size, void *host, uint32_t flags,
	struct backend_error *err)
{
	uint64_t end;
	int r = null_fails(vm, OP_MEM_MAP, err);

	null_log(vm, "mem_map gpa=0x%" PRIx64 " size=0x%" PRIx64 " flags=%u", gpa, size, flags);
	if (r < 0)
		return r;
	if (size == 0 || ((gpa | size | (uintptr_t)host) & PAGE_BITS) ||
		__builtin_add_overflow(gpa, size, &end))
		return backend_fail(err, -EINVAL,
			"cannot map 0x%" PRIx64 " bytes at guest address 0x%" PRIx64
			": not whole pages",
			size, gpa);
	(void)pthread_mutex_lock(&vm->lock);
	r = add_map(vm, gpa, size, host);
	(void)pthread_mutex_unlock(&vm->lock);
	if (r < 0)
		return backend_fail(err, r,
			"cannot map 0x%" PRIx64 " bytes at guest address 0x%" PRIx64 ": %s", size,
			gpa, r == -EEXIST ? "it overlaps another mapping" : strerror(-r));
	return 0;
}

static int mem_unmap(struct backend_vm *vm, uint64_t gpa, uint64_t size)
{
	int r = null_fails(vm, OP_MEM_UNMAP, NULL);
	size_t i;

	null_log(vm, "mem_unmap gpa=0x%" PRIx64 " size=0x%" PRIx64, gpa, size);
	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&vm->lock);
	r = -ENOENT;
	for (i = 0; i < vm->map_count; i++)
		if (vm->maps[i].gpa == gpa && vm->maps[i].size == size) {
			vm->maps[i] = vm->maps[--vm->map_count];
			r = 0;
			break;
		}
	(void)pthread_mutex_unlock(&vm->lock);
	return r;
}

static int mem_dirty(struct backend_vm *vm, uint64_t gpa, uint64_t size, uint64_t *bitmap)
{
	return -ENOTSUP;
}

uint8_t *null_memory(struct backend_vm *vm, uint64_t gpa, uint32_t size)
{
	size_t i;

	for (i = 0; i < vm->map_count; i++) {
		const struct null_map *map = &vm->maps[i];

		if (gpa >= map->gpa && size <= map->size && gpa - map->gpa <= map->size - size)
			return map->host + (gpa - map->gpa);
	}
	return NULL;
}

/* ---- interrupts ---- */

static int irqchip_create(struct backend_vm *vm, struct backend_error *err)
{
	int r = null_fails(vm, OP_IRQCHIP_CREATE, err);

	null_log(vm, "irqchip_create");
	if (r < 0)
		return r;
	/* As on real hosts: the core brings the controller of this one. */
	if (vm->isa == ISA_RISCV64)
		return -ENOTSUP;
	vm->irqchip = true;
	return 0;
}

static int irqchip_finish(struct backend_vm *vm, struct backend_error *err)
{
	int r = null_fails(vm, OP_IRQCHIP_FINISH, err);

	null_log(vm, "irqchip_finish");
	if (r == 0 && !vm->irqchip)
		r = -ENOTSUP;
	return r;
}

static int irq_line(struct backend_vm *vm, uint32_t gsi, bool level)
{
	int r = null_fails(vm, OP_IRQ_LINE, NULL);

	null_log(vm, "irq_line gsi=%u level=%d", gsi, level);
	if (r < 0)
		return r;
	if (!vm->irqchip)
		return -ENOTSUP;
	if (gsi >= NULL_IRQS)
		return -EINVAL;
	(void)pthread_mutex_lock(&vm->lock);
	if (level && !vm->level[gsi])
		vm->raised[gsi]++;
	vm->level[gsi] = level;
	(void)pthread_cond_broadcast(&vm->wake);
	(void)pthread_mutex_unlock(&vm->lock);
	return 0;
}

static int irqfd(struct backend_vm *vm, uint32_t gsi, int fd, bool assign)
{
	int r = null_fails(vm, OP_IRQFD, NULL);

	null_log(vm, "irqfd gsi=%u assign=%d", gsi, assign);
	return r < 0 ? r : -ENOTSUP;
}

static int doorbell(struct backend_vm *vm, uint64_t address, uint32_t size, const uint64_t *match,
	bool pio, int fd, bool assign)
{
	int r = null_fails(vm, OP_DOORBELL, NULL);

	null_log(vm, "doorbell address=0x%" PRIx64 " size=%u pio=%d assign=%d", address, size, pio,
		assign);
	return r < 0 ? r : -ENOTSUP;
}

/* A plain 64-bit processor. */
static int cpuid_supported(struct backend_vm *vm, struct backend_cpuid *entries, size_t *n)
{
	static const struct backend_cpuid table[] = {
		{ 0x0, 0, 0, 0xd, 0x6f6e6574, 0x6c6c756e, 0x20200000 },
		{ 0x1, 0, 0, 0x000306a9, 0x00000800, 0x80202001, 0x078bfbff },
		{ 0x7, 0, BACKEND_CPUID_SUBLEAF, 0, 0, 0, 0 },
		{ 0xd, 0, BACKEND_CPUID_SUBLEAF, 3, 576, 576, 0 },
		{ 0x80000000, 0, 0, 0x80000008, 0, 0, 0 },
		{ 0x80000001, 0, 0, 0, 0, 1, 0x20100800 },
		{ 0x80000008, 0, 0, 0x3000 | PHYS_BITS, 0, 0, 0 },
	};
	const size_t count = sizeof(table) / sizeof(table[0]);
	size_t room = *n;
	int r = null_fails(vm, OP_CPUID_SUPPORTED, NULL);

	if (r < 0)
		return r;
	if (vm->isa != ISA_X86_64)
		return -ENOTSUP;
	*n = count;
	if (room < count)
		return -E2BIG;
	memcpy(entries, table, sizeof(table));
	return 0;
}

static const struct backend_ops ops = {
	.struct_size = sizeof(ops),
	.vm_create = vm_create,
	.vm_destroy = vm_destroy,
	.mem_map = mem_map,
	.mem_unmap = mem_unmap,
	.mem_dirty = mem_dirty,
	.irqchip_create = irqchip_create,
	.irqchip_finish = irqchip_finish,
	.irq_line = irq_line,
	.irqfd = irqfd,
	.doorbell = doorbell,
	.vcpu_interrupt = null_vcpu_interrupt,
	.cpuid_supported = cpuid_supported,
	.vcpu_create = null_vcpu_create,
	.vcpu_destroy = null_vcpu_destroy,
	.vcpu_reset = null_vcpu_reset,
	.vcpu_set_cpuid = null_vcpu_set_cpuid,
	.vcpu_set_regs = null_vcpu_set_regs,
	.vcpu_get_regs = null_vcpu_get_regs,
	.vcpu_set_msrs = null_vcpu_set_msrs,
	.vcpu_run = null_vcpu_run,
	.vcpu_kick = null_vcpu_kick,
	.vm_reset = vm_reset,
	.vcpu_fence = null_vcpu_fence,
};

extern const struct backend_module tenon_backend __attribute__((visibility("default")));

const struct backend_module tenon_backend = {
	.struct_size = sizeof(tenon_backend),
	.build_id = TENON_BUILD_ID,
	.name = "null",
	.summary = "no hypervisor: plays a script of exits",
	.probe = probe,
	.ops = &ops,
};

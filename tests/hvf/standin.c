/* SPDX-License-Identifier: Apache-2.0 */
/* The framework's functions: one machine, its memory, its vCPUs' registers. */
#include "tests/hvf/standin.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_MAPS    16
#define PAGE_BITS   4095u
#define SYS_NUMBERS 0x10000u
#define CTL_ENABLE  1u
#define CTL_STATUS  4u

pthread_mutex_t standin_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t standin_changed;

static struct {
	bool exists;
	int log;
	const char *fail;
	struct {
		uint64_t ipa, size;
		uint8_t *host;
		hv_memory_flags_t flags;
	} maps[MAX_MAPS];
	size_t n_maps;
	struct standin_vcpu vcpus[STANDIN_VCPUS];
} vm = { .log = -1 };

/* ---- what the tests see ---- */

void standin_say(const char *format, ...)
{
	char line[256];
	va_list args;
	int n;

	if (vm.log < 0)
		return;
	va_start(args, format);
	n = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	line[n] = '\n';
	if (write(vm.log, line, (size_t)n + 1) < 0)
		_exit(70);
}

void standin_fail(const char *format, ...)
{
	va_list args;

	(void)fprintf(stderr, "stand-in: ");
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fprintf(stderr, "\n");
	_exit(70);
}

bool standin_fails(const char *name, hv_return_t *ret)
{
	const char *fail = getenv("HVF_FAIL");
	size_t n = strlen(name);

	if (!fail || strncmp(fail, name, n) != 0 || (fail[n] && fail[n] != ':'))
		return false;
	*ret = fail[n] ? (hv_return_t)(0xfae94000u | strtoul(fail + n + 1, NULL, 16)) : HV_ERROR;
	return true;
}

#define FAIL_ON_DEMAND()                                                                           \
	do {                                                                                       \
		hv_return_t ret_;                                                                  \
		if (standin_fails(__func__, &ret_))                                                \
			return ret_;                                                               \
	} while (0)

uint64_t standin_counter(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec - VTIMER_OFFSET;
}

/* Newer versions of macOS have more. */
__attribute__((constructor)) static void load_more(void)
{
	const char *also = getenv("HVF_ALSO");

	if (also && !dlopen(also, RTLD_NOW | RTLD_GLOBAL))
		standin_fail("%s", dlerror());
}

/* ---- the machine ---- */

hv_return_t hv_vm_create(hv_vm_config_t config)
{
	const char *script = getenv("HVF_SCRIPT"), *log = getenv("HVF_LOG");
	pthread_condattr_t attr;

	(void)config;
	FAIL_ON_DEMAND();
	if (vm.exists)
		return HV_BUSY;
	vm.exists = true;
	if (log && vm.log < 0)
		vm.log = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&standin_changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	if (script)
		standin_read_script(script);
	standin_say("hv_vm_create");
	return HV_SUCCESS;
}

hv_return_t hv_vm_destroy(void)
{
	if (!vm.exists)
		standin_fail("hv_vm_destroy without a machine");
	for (size_t i = 0; i < STANDIN_VCPUS; i++)
		if (vm.vcpus[i].used)
			standin_fail("hv_vm_destroy while there are vCPUs");
	standin_say("hv_vm_destroy");
	standin_finish_script();
	(void)pthread_cond_destroy(&standin_changed);
	if (vm.log >= 0)
		(void)close(vm.log);
	memset(&vm, 0, sizeof(vm));
	vm.log = -1;
	return HV_SUCCESS;
}

hv_return_t hv_vm_get_max_vcpu_count(uint32_t *max_vcpu_count)
{
	FAIL_ON_DEMAND();
	*max_vcpu_count = STANDIN_VCPUS;
	return HV_SUCCESS;
}

hv_return_t hv_vm_map(void *addr, hv_ipa_t ipa, size_t size, hv_memory_flags_t flags)
{
	FAIL_ON_DEMAND();
	if (!vm.exists || vm.n_maps == MAX_MAPS || size == 0 ||
		((ipa | size | (uintptr_t)addr) & PAGE_BITS))
		return HV_BAD_ARGUMENT;
	for (size_t i = 0; i < vm.n_maps; i++)
		if (ipa < vm.maps[i].ipa + vm.maps[i].size && vm.maps[i].ipa < ipa + size)
			return HV_ERROR;
	vm.maps[vm.n_maps].ipa = ipa;
	vm.maps[vm.n_maps].size = size;
	vm.maps[vm.n_maps].host = addr;
	vm.maps[vm.n_maps++].flags = flags;
	standin_say("hv_vm_map 0x%" PRIx64 " 0x%zx %u", ipa, size, (unsigned)flags);
	return HV_SUCCESS;
}

hv_return_t hv_vm_unmap(hv_ipa_t ipa, size_t size)
{
	for (size_t i = 0; i < vm.n_maps; i++) {
		if (vm.maps[i].ipa != ipa || vm.maps[i].size != size)
			continue;
		vm.maps[i] = vm.maps[--vm.n_maps];
		standin_say("hv_vm_unmap 0x%" PRIx64 " 0x%zx", ipa, size);
		return HV_SUCCESS;
	}
	return HV_BAD_ARGUMENT;
}

void *standin_memory(uint64_t ipa, uint64_t size, bool write)
{
	for (size_t i = 0; i < vm.n_maps; i++) {
		uint64_t at = ipa - vm.maps[i].ipa;

		if (at < vm.maps[i].size && size <= vm.maps[i].size - at)
			return write && !(vm.maps[i].flags & HV_MEMORY_WRITE)
				       ? NULL
				       : vm.maps[i].host + at;
	}
	return NULL;
}

/* ---- processors ---- */

/* Only exits may be asked for by others than the thread that made it. */
static struct standin_vcpu *owned(hv_vcpu_t id, const char *function)
{
	if (id >= STANDIN_VCPUS || !vm.vcpus[id].used)
		standin_fail("%s of vCPU %" PRIu64 ", which there is not", function, id);
	if (!pthread_equal(vm.vcpus[id].owner, pthread_self()))
		standin_fail("%s of vCPU %" PRIu64 " on another thread", function, id);
	return &vm.vcpus[id];
}

hv_return_t hv_vcpu_create(hv_vcpu_t *vcpu, hv_vcpu_exit_t **exit, hv_vcpu_config_t config)
{
	hv_return_t ret = HV_NO_RESOURCES;

	(void)config;
	FAIL_ON_DEMAND();
	(void)pthread_mutex_lock(&standin_lock);
	for (size_t i = 0; i < STANDIN_VCPUS && ret != HV_SUCCESS; i++) {
		struct standin_vcpu *v = &vm.vcpus[i];

		if (v->used)
			continue;
		*v = (struct standin_vcpu){ .used = true, .owner = pthread_self() };
		v->sys = calloc(SYS_NUMBERS, sizeof(*v->sys));
		v->sys[0xc080] = 0x30d00980; /* SCTLR_EL1 */
		*vcpu = i;
		*exit = &v->exit;
		ret = HV_SUCCESS;
	}
	(void)pthread_mutex_unlock(&standin_lock);
	return ret;
}

hv_return_t hv_vcpu_destroy(hv_vcpu_t vcpu)
{
	(void)pthread_mutex_lock(&standin_lock);
	free(owned(vcpu, __func__)->sys);
	vm.vcpus[vcpu].used = false;
	(void)pthread_mutex_unlock(&standin_lock);
	return HV_SUCCESS;
}

hv_return_t hv_vcpu_run(hv_vcpu_t vcpu)
{
	struct standin_vcpu *v = owned(vcpu, __func__);

	FAIL_ON_DEMAND();
	if (!v->ran)
		standin_say("hv_vcpu_run");
	v->ran = true;
	(void)pthread_mutex_lock(&standin_lock);
	standin_play(v);
	v->pending[0] = v->pending[1] = false;
	(void)pthread_mutex_unlock(&standin_lock);
	return HV_SUCCESS;
}

hv_return_t hv_vcpus_exit(hv_vcpu_t *vcpus, uint32_t vcpu_count)
{
	(void)pthread_mutex_lock(&standin_lock);
	for (uint32_t i = 0; i < vcpu_count; i++) {
		if (vcpus[i] >= STANDIN_VCPUS || !vm.vcpus[vcpus[i]].used)
			standin_fail(
				"hv_vcpus_exit of vCPU %" PRIu64 ", which there is not", vcpus[i]);
		vm.vcpus[vcpus[i]].cancelled = true;
	}
	(void)pthread_cond_broadcast(&standin_changed);
	(void)pthread_mutex_unlock(&standin_lock);
	return HV_SUCCESS;
}

hv_return_t hv_vcpu_get_reg(hv_vcpu_t vcpu, hv_reg_t reg, uint64_t *value)
{
	const struct standin_vcpu *v = owned(vcpu, __func__);

	if (reg >= STANDIN_XZR)
		return HV_BAD_ARGUMENT;
	*value = v->regs[reg];
	return HV_SUCCESS;
}

hv_return_t hv_vcpu_set_reg(hv_vcpu_t vcpu, hv_reg_t reg, uint64_t value)
{
	struct standin_vcpu *v = owned(vcpu, __func__);

	if (reg >= STANDIN_XZR)
		return HV_BAD_ARGUMENT;
	v->regs[reg] = value;
	return HV_SUCCESS;
}

hv_return_t hv_vcpu_get_sys_reg(hv_vcpu_t vcpu, hv_sys_reg_t reg, uint64_t *value)
{
	const struct standin_vcpu *v = owned(vcpu, __func__);

	if (reg < 0x8000)
		return HV_BAD_ARGUMENT;
	*value = v->sys[reg];
	if (reg == HV_SYS_REG_CNTV_CTL_EL0 && (*value & CTL_ENABLE) &&
		standin_counter() >= v->sys[HV_SYS_REG_CNTV_CVAL_EL0])
		*value |= CTL_STATUS;
	return HV_SUCCESS;
}

hv_return_t hv_vcpu_set_sys_reg(hv_vcpu_t vcpu, hv_sys_reg_t reg, uint64_t value)
{
	struct standin_vcpu *v = owned(vcpu, __func__);

	FAIL_ON_DEMAND();
	if (reg < 0x8000)
		return HV_BAD_ARGUMENT;
	v->sys[reg] = value;
	return HV_SUCCESS;
}

hv_return_t hv_vcpu_set_simd_fp_reg(
	hv_vcpu_t vcpu, hv_simd_fp_reg_t reg, hv_simd_fp_uchar16_t value)
{
	(void)owned(vcpu, __func__);
	(void)value;
	return reg < 32 ? HV_SUCCESS : HV_BAD_ARGUMENT;
}

hv_return_t hv_vcpu_set_pending_interrupt(hv_vcpu_t vcpu, hv_interrupt_type_t type, bool pending)
{
	struct standin_vcpu *v = owned(vcpu, __func__);

	if (type > HV_INTERRUPT_TYPE_FIQ)
		return HV_BAD_ARGUMENT;
	v->pending[type] = pending;
	return HV_SUCCESS;
}

hv_return_t hv_vcpu_set_vtimer_mask(hv_vcpu_t vcpu, bool vtimer_is_masked)
{
	struct standin_vcpu *v = owned(vcpu, __func__);

	if (v->vtimer_masked != vtimer_is_masked)
		standin_say("hv_vcpu_set_vtimer_mask %d", vtimer_is_masked);
	v->vtimer_masked = vtimer_is_masked;
	return HV_SUCCESS;
}

hv_return_t hv_vcpu_get_vtimer_offset(hv_vcpu_t vcpu, uint64_t *vtimer_offset)
{
	(void)owned(vcpu, __func__);
	*vtimer_offset = VTIMER_OFFSET;
	return HV_SUCCESS;
}

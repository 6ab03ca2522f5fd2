/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vCPU's life and its registers by the core's numbers.
 *
 * The framework does not reset vCPUs: the values that its registers have when it is made are
 * written down, and put back.
 */
#include "backends/hvf/hvf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backends/hvf/hvf_clock.h"

#define MPIDR_RES1 (UINT64_C(1) << 31)

/* Encodings: op0, op1, CRn, CRm, op2; as the framework numbers them. */
static const uint16_t sys_regs[HVF_SYS_REGS] = {
	0x8012, /* MDSCR_EL1 */
	0xc080, /* SCTLR_EL1 */
	0xc082, /* CPACR_EL1 */
	0xc100, /* TTBR0_EL1 */
	0xc101, /* TTBR1_EL1 */
	0xc102, /* TCR_EL1 */
	0xc200, /* SPSR_EL1 */
	0xc201, /* ELR_EL1 */
	0xc208, /* SP_EL0 */
	0xc288, /* AFSR0_EL1 */
	0xc289, /* AFSR1_EL1 */
	0xc290, /* ESR_EL1 */
	0xc300, /* FAR_EL1 */
	0xc3a0, /* PAR_EL1 */
	0xc510, /* MAIR_EL1 */
	0xc518, /* AMAIR_EL1 */
	0xc600, /* VBAR_EL1 */
	0xc681, /* CONTEXTIDR_EL1 */
	0xc684, /* TPIDR_EL1 */
	0xc708, /* CNTKCTL_EL1 */
	0xd000, /* CSSELR_EL1 */
	0xde82, /* TPIDR_EL0 */
	0xde83, /* TPIDRRO_EL0 */
	0xdf19, /* CNTV_CTL_EL0 */
	0xdf1a, /* CNTV_CVAL_EL0 */
	0xe208, /* SP_EL1 */
};

/* ---- registers ---- */

uint64_t hvf_get_x(const struct backend_vcpu *v, uint32_t number)
{
	uint64_t value = 0;

	if (number < 31)
		(void)hv_vcpu_get_reg(v->id, (hv_reg_t)(HV_REG_X0 + number), &value);
	return value;
}

void hvf_set_x(const struct backend_vcpu *v, uint32_t number, uint64_t value)
{
	if (number < 31)
		(void)hv_vcpu_set_reg(v->id, (hv_reg_t)(HV_REG_X0 + number), value);
}

uint64_t hvf_get_pc(const struct backend_vcpu *v)
{
	uint64_t value = 0;

	(void)hv_vcpu_get_reg(v->id, HV_REG_PC, &value);
	return value;
}

uint64_t hvf_get_sys(const struct backend_vcpu *v, uint32_t number)
{
	uint64_t value = 0;

	(void)hv_vcpu_get_sys_reg(v->id, (hv_sys_reg_t)number, &value);
	return value;
}

/* Where the framework has a register: its own number, and whether that is a system register. */
static bool find(uint32_t id, uint32_t *ret_number, bool *ret_sys)
{
	uint32_t n = REG_NUMBER(id);

	*ret_sys = REG_CLASS(id) == REG_ARM_SYS || id == ARM_SP_EL1;
	if (REG_CLASS(id) == REG_ARM_SYS) {
		*ret_number = n;
		return n <= UINT16_MAX;
	}
	if (REG_CLASS(id) != REG_ARM_CORE)
		return false;
	switch (id) {
	case ARM_SP_EL1:
		*ret_number = HV_SYS_REG_SP_EL1;
		return true;
	case ARM_PC:
		*ret_number = HV_REG_PC;
		return true;
	case ARM_PSTATE:
		*ret_number = HV_REG_CPSR;
		return true;
	default:
		*ret_number = HV_REG_X0 + n;
		return n < 31;
	}
}

static int set_reg(const struct backend_vcpu *v, uint32_t id, uint64_t value)
{
	uint32_t number;
	bool sys;

	if (!find(id, &number, &sys))
		return -ENOENT;
	if (sys)
		return hv_vcpu_set_sys_reg(v->id, (hv_sys_reg_t)number, value) == HV_SUCCESS
			       ? 0
			       : -ENOENT;
	return hvf_errno(hv_vcpu_set_reg(v->id, (hv_reg_t)number, value));
}

int hvf_vcpu_set_regs(
	struct backend_vcpu *v, const struct backend_reg *regs, size_t n, struct backend_error *err)
{
	for (size_t i = 0; i < n; i++) {
		int r = set_reg(v, regs[i].id, regs[i].value);

		if (r < 0)
			return backend_fail(err, r, "macOS refuses register 0x%08x of vCPU %u",
				regs[i].id, v->index);
	}
	return 0;
}

static int read_conf(uint32_t number, uint64_t *ret_value)
{
	switch (number) {
	case ARM_CONF_GIC:
		*ret_value = 3;
		return 0;
	case ARM_CONF_PMU:
		*ret_value = 0;
		return 0;
	default:
		return -ENOENT;
	}
}

static int get_reg(const struct backend_vcpu *v, uint32_t id, uint64_t *ret_value)
{
	uint32_t number;
	bool sys;

	if (REG_CLASS(id) == REG_ARM_CONF)
		return read_conf(REG_NUMBER(id), ret_value);
	if (!find(id, &number, &sys))
		return -ENOENT;
	if (sys)
		return hv_vcpu_get_sys_reg(v->id, (hv_sys_reg_t)number, ret_value) == HV_SUCCESS
			       ? 0
			       : -ENOENT;
	return hvf_errno(hv_vcpu_get_reg(v->id, (hv_reg_t)number, ret_value));
}

int hvf_vcpu_get_regs(struct backend_vcpu *v, struct backend_reg *regs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = get_reg(v, regs[i].id, &regs[i].value);

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- reset ---- */

static void note_reset_values(struct backend_vcpu *v)
{
	for (size_t i = 0; i < HVF_SYS_REGS; i++)
		v->resets[i] = hv_vcpu_get_sys_reg(v->id, (hv_sys_reg_t)sys_regs[i],
				       &v->reset_values[i]) == HV_SUCCESS;
}

static hv_return_t reset_registers(const struct backend_vcpu *v)
{
	const hv_simd_fp_uchar16_t zero = { 0 };
	hv_return_t ret = HV_SUCCESS;

	for (uint32_t i = 0; i < 31 && ret == HV_SUCCESS; i++)
		ret = hv_vcpu_set_reg(v->id, (hv_reg_t)(HV_REG_X0 + i), 0);
	if (ret == HV_SUCCESS)
		ret = hv_vcpu_set_reg(v->id, HV_REG_PC, 0);
	if (ret == HV_SUCCESS)
		ret = hv_vcpu_set_reg(v->id, HV_REG_CPSR, HVF_CPSR_RESET);
	if (ret == HV_SUCCESS)
		ret = hv_vcpu_set_reg(v->id, HV_REG_FPCR, 0);
	if (ret == HV_SUCCESS)
		ret = hv_vcpu_set_reg(v->id, HV_REG_FPSR, 0);
	for (uint32_t i = 0; i < 32 && ret == HV_SUCCESS; i++)
		ret = hv_vcpu_set_simd_fp_reg(
			v->id, (hv_simd_fp_reg_t)(HV_SIMD_FP_REG_Q0 + i), zero);
	for (size_t i = 0; i < HVF_SYS_REGS && ret == HV_SUCCESS; i++)
		if (v->resets[i])
			ret = hv_vcpu_set_sys_reg(
				v->id, (hv_sys_reg_t)sys_regs[i], v->reset_values[i]);
	return ret;
}

/* As the device tree names it; the framework finds its redistributor by that. */
static hv_return_t set_affinity(const struct backend_vcpu *v)
{
	uint64_t affinity = (v->index & 0xf) | (v->index >> 4 & 0xff) << 8;

	return hv_vcpu_set_sys_reg(v->id, HV_SYS_REG_MPIDR_EL1, MPIDR_RES1 | affinity);
}

/* What the timer's line is, the next run sees. */
int hvf_vcpu_reset(struct backend_vcpu *v, struct backend_error *err)
{
	hv_return_t ret = reset_registers(v);

	if (ret != HV_SUCCESS)
		return backend_fail(err, hvf_errno(ret), "macOS cannot reset vCPU %u: %s", v->index,
			hvf_text(ret));
	v->unfinished = HVF_NOTHING;
	return 0;
}

/* ---- life ---- */

static hv_return_t prepare(struct backend_vcpu *v)
{
	hv_return_t ret = set_affinity(v);

	note_reset_values(v);
	return ret == HV_SUCCESS ? reset_registers(v) : ret;
}

int hvf_vcpu_create(struct backend_vm *vm, uint32_t index, struct backend_vcpu **ret_vcpu,
	struct backend_error *err)
{
	struct backend_vcpu *v;
	hv_return_t ret;

	if (index >= HVF_MAX_VCPUS)
		return backend_fail(err, -E2BIG, "vCPU %u is one too many, %u are the most", index,
			HVF_MAX_VCPUS);
	v = calloc(1, sizeof(*v));
	if (!v)
		return backend_fail(err, -ENOMEM, "out of memory");
	v->vm = vm;
	v->index = index;
	ret = hv_vcpu_create(&v->id, &v->exit, NULL);
	if (ret != HV_SUCCESS) {
		free(v);
		return backend_fail(err, hvf_errno(ret), "macOS cannot create vCPU %u: %s", index,
			hvf_text(ret));
	}
	(void)pthread_mutex_init(&v->lock, NULL);
	hvf_clock_init(&v->wake);
	ret = prepare(v);
	if (ret != HV_SUCCESS) {
		hvf_vcpu_destroy(v);
		return backend_fail(err, hvf_errno(ret), "macOS cannot set up vCPU %u: %s", index,
			hvf_text(ret));
	}
	*ret_vcpu = v;
	return 0;
}

void hvf_vcpu_destroy(struct backend_vcpu *v)
{
	if (!v)
		return;
	(void)hv_vcpu_destroy(v->id);
	(void)pthread_cond_destroy(&v->wake);
	(void)pthread_mutex_destroy(&v->lock);
	free(v);
}

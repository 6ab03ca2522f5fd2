/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SBI calls.  Each extension is a function that answers with an error and fills in a value;
 * whatever is not known is not supported.  All arguments are the guest's, and any may be nonsense.
 *
 * A call that comes to the core has left the guest: what a fence of the calling hart itself would
 * drop, the backend is asked to drop as well.
 */
#include "arch/riscv64/sbi.h"

#include <errno.h>

#include "arch/arch.h"
#include "core/guest_memory.h"
#include "core/machine.h"

/* Extensions. */
#define EXT_LEGACY_LAST 0x0f
#define EXT_BASE        0x10
#define EXT_TIME        0x54494d45
#define EXT_IPI         0x735049
#define EXT_RFENCE      0x52464e43
#define EXT_HSM         0x48534d
#define EXT_SRST        0x53525354
#define EXT_SUSP        0x53555350
#define EXT_DBCN        0x4442434e

#define SPEC_VERSION   (2u << 24)
#define IMPLEMENTATION 0x74656e6fu /* "teno": not a registered one */
#define VERSION        1u

#define CSR_STIMECMP 0x14du
#define REG_A0       RISCV_X(10)
#define REG_A1       RISCV_X(11)

#define CONSOLE_MOST 4096u /* bytes in one call; the guest goes on with the rest */

struct call {
	const struct arch_host *host;
	const uint64_t *args;
	uint64_t value;
};

/* ---- BASE ---- */

static int has_extension(uint64_t extension)
{
	switch (extension) {
	case EXT_BASE:
	case EXT_TIME:
	case EXT_IPI:
	case EXT_RFENCE:
	case EXT_HSM:
	case EXT_SRST:
	case EXT_SUSP:
	case EXT_DBCN:
		return 1;
	default:
		return extension <= 8;
	}
}

static int base(struct call *c, uint32_t function)
{
	const struct machine *m = c->host->machine;

	switch (function) {
	case 0:
		c->value = SPEC_VERSION;
		return SBI_SUCCESS;
	case 1:
		c->value = IMPLEMENTATION;
		return SBI_SUCCESS;
	case 2:
		c->value = VERSION;
		return SBI_SUCCESS;
	case 3:
		c->value = (uint64_t)has_extension(c->args[0]);
		return SBI_SUCCESS;
	case 4:
		c->value = machine_fact(m, RISCV_CONF(RISCV_CONF_MVENDORID), 0);
		return SBI_SUCCESS;
	case 5:
		c->value = machine_fact(m, RISCV_CONF(RISCV_CONF_MARCHID), 0);
		return SBI_SUCCESS;
	case 6:
		c->value = machine_fact(m, RISCV_CONF(RISCV_CONF_MIMPID), 0);
		return SBI_SUCCESS;
	default:
		return SBI_ERR_NOT_SUPPORTED;
	}
}

/* ---- TIME ---- */

/* The backend raises the timer interrupt while the time is past the comparator, whether the guest
 * may see that register or not. */
static int set_timer(const struct call *c, uint64_t at)
{
	const struct backend_reg timer = { RISCV_CSR(CSR_STIMECMP), 0, at };

	return c->host->set_regs(c->host, &timer, 1) < 0 ? SBI_ERR_NOT_SUPPORTED : SBI_SUCCESS;
}

static int timer(struct call *c, uint32_t function)
{
	return function == 0 ? set_timer(c, c->args[0]) : SBI_ERR_NOT_SUPPORTED;
}

/* ---- to many harts ---- */

typedef int each_fn(const struct arch_host *host, uint32_t hart, uint32_t what);

static int send_ipi(const struct arch_host *host, uint32_t hart, uint32_t what)
{
	(void)what;
	return host->interrupt(host, hart, RISCV_LINE_SOFTWARE, true);
}

static int send_fence(const struct arch_host *host, uint32_t hart, uint32_t what)
{
	return host->fence(host, hart, what);
}

static int sbi_of(int ret)
{
	if (ret == 0)
		return SBI_SUCCESS;
	return ret == -ENOTSUP ? SBI_ERR_NOT_SUPPORTED : SBI_ERR_FAILED;
}

/* Harts @mask_base and up by the bits of @mask; all of them when @mask_base is all ones.  Nothing
 * is done when one of them is not there. */
static int for_each(
	const struct call *c, uint64_t mask, uint64_t mask_base, each_fn *each, uint32_t what)
{
	const uint32_t n = c->host->vcpus;
	int ret = SBI_SUCCESS;

	if (mask_base == UINT64_MAX) {
		for (uint32_t i = 0; i < n && ret == SBI_SUCCESS; i++)
			ret = sbi_of(each(c->host, i, what));
		return ret;
	}
	if (mask && (mask_base >= n || 63u - (uint32_t)__builtin_clzll(mask) >= n - mask_base))
		return SBI_ERR_INVALID_PARAM;
	for (; mask && ret == SBI_SUCCESS; mask &= mask - 1) {
		uint32_t hart = (uint32_t)mask_base + (uint32_t)__builtin_ctzll(mask);

		ret = sbi_of(each(c->host, hart, what));
	}
	return ret;
}

static int ipi(struct call *c, uint32_t function)
{
	if (function != 0)
		return SBI_ERR_NOT_SUPPORTED;
	return for_each(c, c->args[0], c->args[1], send_ipi, 0);
}

/* The rest of them is for hypervisors in the guest. */
static int rfence(struct call *c, uint32_t function)
{
	switch (function) {
	case 0:
		return for_each(c, c->args[0], c->args[1], send_fence, BACKEND_FENCE_CODE);
	case 1:
	case 2:
		return for_each(c, c->args[0], c->args[1], send_fence, BACKEND_FENCE_MEMORY);
	default:
		return SBI_ERR_NOT_SUPPORTED;
	}
}

/* ---- HSM, SUSP ---- */

/* Whether a hart can begin there: an instruction in RAM. */
static bool is_code(const struct call *c, uint64_t address)
{
	return address % 2 == 0 && guest_memory_ptr(c->host->gm, address, 2);
}

static void start_regs(uint64_t hart, uint64_t entry, uint64_t argument, struct backend_reg *regs)
{
	regs[0] = (struct backend_reg){ RISCV_PC, 0, entry };
	regs[1] = (struct backend_reg){ REG_A0, 0, hart };
	regs[2] = (struct backend_reg){ REG_A1, 0, argument };
}

static int hart_start(const struct call *c)
{
	uint64_t hart = c->args[0];
	struct backend_reg regs[3];
	int ret;

	if (hart >= c->host->vcpus)
		return SBI_ERR_INVALID_PARAM;
	if (!is_code(c, c->args[1]))
		return SBI_ERR_INVALID_ADDRESS;
	start_regs(hart, c->args[1], c->args[2], regs);
	ret = c->host->start(c->host, (uint32_t)hart, regs, 3);
	return ret == -EALREADY ? SBI_ERR_ALREADY_AVAILABLE : sbi_of(ret);
}

static int hart_status(struct call *c)
{
	/* SUSPENDED is 4 in the specification's numbers; 3 is about to stop. */
	static const uint8_t states[] = {
		[ARCH_VCPU_STARTED] = 0,
		[ARCH_VCPU_STOPPED] = 1,
		[ARCH_VCPU_STARTING] = 2,
		[ARCH_VCPU_SUSPENDED] = 4,
	};
	int power;

	if (c->args[0] >= c->host->vcpus)
		return SBI_ERR_INVALID_PARAM;
	power = c->host->power(c->host, (uint32_t)c->args[0]);
	if (power < 0)
		return SBI_ERR_INVALID_PARAM;
	c->value = states[power];
	return SBI_SUCCESS;
}

/* A hart that keeps its state may go on at once; of those that lose it there is none. */
static int hart_suspend(const struct call *c)
{
	switch (c->args[0]) {
	case 0:
		return SBI_SUCCESS;
	case 0x80000000:
		return SBI_ERR_NOT_SUPPORTED;
	default:
		return SBI_ERR_INVALID_PARAM;
	}
}

static int hsm(struct call *c, uint32_t function)
{
	switch (function) {
	case 0:
		return hart_start(c);
	case 1:
		c->host->stop(c->host);
		return SBI_SUCCESS;
	case 2:
		return hart_status(c);
	case 3:
		return hart_suspend(c);
	default:
		return SBI_ERR_NOT_SUPPORTED;
	}
}

static bool others_are_stopped(const struct call *c)
{
	for (uint32_t i = 0; i < c->host->vcpus; i++)
		if (i != c->host->vcpu && c->host->power(c->host, i) != ARCH_VCPU_STOPPED)
			return false;
	return true;
}

/* Devices wake it: interrupts between harts end with the last hart but this. */
static int susp(struct call *c, uint32_t function)
{
	struct backend_reg regs[3];

	if (function != 0)
		return SBI_ERR_NOT_SUPPORTED;
	if (c->args[0] != 0)
		return SBI_ERR_INVALID_PARAM;
	if (!is_code(c, c->args[1]))
		return SBI_ERR_INVALID_ADDRESS;
	if (!others_are_stopped(c))
		return SBI_ERR_DENIED;
	start_regs(c->host->vcpu, c->args[1], c->args[2], regs);
	(void)c->host->interrupt(c->host, c->host->vcpu, RISCV_LINE_SOFTWARE, false);
	c->host->suspend(c->host, regs, 3);
	return SBI_SUCCESS;
}

/* ---- SRST ---- */

static int srst(struct call *c, uint32_t function)
{
	if (function != 0)
		return SBI_ERR_NOT_SUPPORTED;
	if (c->args[0] > 2 || c->args[1] > 1)
		return SBI_ERR_INVALID_PARAM;
	c->host->system(c->host, c->args[0] == 0 ? ARCH_SYSTEM_OFF : ARCH_SYSTEM_RESET);
	return SBI_SUCCESS;
}

/* ---- DBCN ---- */

static int console_write(struct call *c)
{
	uint64_t size = c->args[0], gpa = c->args[1];
	const void *bytes;

	if (size == 0)
		return SBI_SUCCESS;
	bytes = c->args[2] == 0 ? guest_memory_ptr(c->host->gm, gpa, size) : NULL;
	if (!bytes)
		return SBI_ERR_INVALID_PARAM;
	if (size > CONSOLE_MOST)
		size = CONSOLE_MOST;
	c->value = c->host->console(c->host, bytes, (size_t)size);
	return SBI_SUCCESS;
}

/* Nothing is ever typed there. */
static int console_read(const struct call *c)
{
	if (c->args[0] == 0)
		return SBI_SUCCESS;
	return c->args[2] == 0 && guest_memory_ptr(c->host->gm, c->args[1], c->args[0])
		       ? SBI_SUCCESS
		       : SBI_ERR_INVALID_PARAM;
}

static int put_byte(const struct call *c, uint64_t value)
{
	const char byte = (char)value;

	(void)c->host->console(c->host, &byte, 1);
	return SBI_SUCCESS;
}

static int dbcn(struct call *c, uint32_t function)
{
	switch (function) {
	case 0:
		return console_write(c);
	case 1:
		return console_read(c);
	case 2:
		return put_byte(c, c->args[0]);
	default:
		return SBI_ERR_NOT_SUPPORTED;
	}
}

/* ---- the calls of version 0.1, each an extension of its own ---- */

/* Their masks are in guest memory, at a virtual address: what they ask of some harts is asked of
 * all, which is as right. */
static int legacy(struct call *c, uint64_t extension)
{
	switch (extension) {
	case 0:
		return set_timer(c, c->args[0]);
	case 1:
		return put_byte(c, c->args[0]);
	case 2:
		return -1; /* nothing was typed */
	case 3:
		return sbi_of(
			c->host->interrupt(c->host, c->host->vcpu, RISCV_LINE_SOFTWARE, false));
	case 4:
		return for_each(c, 0, UINT64_MAX, send_ipi, 0);
	case 5:
		return for_each(c, 0, UINT64_MAX, send_fence, BACKEND_FENCE_CODE);
	case 6:
	case 7:
		return for_each(c, 0, UINT64_MAX, send_fence, BACKEND_FENCE_MEMORY);
	case 8:
		c->host->system(c->host, ARCH_SYSTEM_OFF);
		return SBI_SUCCESS;
	default:
		return SBI_ERR_NOT_SUPPORTED;
	}
}

/* ---- all of them ---- */

static int serve(struct call *c, uint64_t extension, uint32_t function)
{
	switch (extension) {
	case EXT_BASE:
		return base(c, function);
	case EXT_TIME:
		return timer(c, function);
	case EXT_IPI:
		return ipi(c, function);
	case EXT_RFENCE:
		return rfence(c, function);
	case EXT_HSM:
		return hsm(c, function);
	case EXT_SRST:
		return srst(c, function);
	case EXT_SUSP:
		return susp(c, function);
	case EXT_DBCN:
		return dbcn(c, function);
	default:
		return SBI_ERR_NOT_SUPPORTED;
	}
}

void sbi_call(const struct arch_host *host, struct vcpu_exit *exit)
{
	struct call c = { .host = host, .args = exit->call.args };
	uint64_t extension = exit->call.function >> 32;
	int error;

	if (extension <= EXT_LEGACY_LAST) {
		error = legacy(&c, extension);
		c.value = exit->call.args[1]; /* a1 is not theirs */
	} else {
		error = serve(&c, extension, (uint32_t)exit->call.function);
	}
	exit->call.ret[0] = (uint64_t)(int64_t)error;
	exit->call.ret[1] = c.value;
}

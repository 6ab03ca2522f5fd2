/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running: interrupts in, exits out, the virtual timer, kicks.
 *
 * The framework forgets pending interrupts whenever it comes back, so the lines are given to it
 * before each run.  Whoever changes a line or kicks sets a member and then has the vCPU exit: a
 * vCPU that is not inside comes back from its next run at once, so that nothing is missed.
 *
 * When the virtual timer is due the framework says so once, and masks it.  From then on each run
 * looks first whether it still is; once it is not, the line goes down and the mask with it.
 */
#include "backends/hvf/hvf.h"

#include <errno.h>

#include "backends/hvf/hvf_clock.h"

/* CNTV_CTL_EL0 */
#define TIMER_ENABLE 1u
#define TIMER_IMASK  2u
#define TIMER_STATUS 4u
#define TIMER_BITS   7u

/* ---- from other threads ---- */

static void leave_guest(struct backend_vcpu *v)
{
	(void)pthread_cond_signal(&v->wake);
	(void)hv_vcpus_exit(&v->id, 1);
}

void hvf_vcpu_kick(struct backend_vcpu *v)
{
	(void)pthread_mutex_lock(&v->lock);
	v->kicked = true;
	leave_guest(v);
	(void)pthread_mutex_unlock(&v->lock);
}

/* One that goes down is seen with the next run: the guest finds no interrupt meanwhile. */
int hvf_vcpu_interrupt(struct backend_vcpu *v, uint32_t line, bool level)
{
	if (v->vm->gic)
		return -ENOTSUP;
	if (line != ARM_LINE_IRQ && line != ARM_LINE_FIQ)
		return -EINVAL;
	(void)pthread_mutex_lock(&v->lock);
	if (level && !v->lines[line])
		leave_guest(v);
	v->lines[line] = level;
	(void)pthread_mutex_unlock(&v->lock);
	return 0;
}

/* ---- the virtual timer ---- */

/* The framework's controller has the timer's line itself. */
static bool tell_line(struct backend_vcpu *v, struct vcpu_exit *exit, bool level)
{
	if (v->vm->gic || v->timer_line == level)
		return false;
	v->timer_line = level;
	exit->kind = VCPU_LINE;
	exit->line.number = ARM_PPI_TIMER_VIRT;
	exit->line.level = level;
	return true;
}

/* True when the controller is to be told. */
static bool look_at_timer(struct backend_vcpu *v, struct vcpu_exit *exit)
{
	uint64_t control;

	if (!v->timer_masked)
		return false;
	control = hvf_get_sys(v, HV_SYS_REG_CNTV_CTL_EL0) & TIMER_BITS;
	if (control == (TIMER_ENABLE | TIMER_STATUS))
		return tell_line(v, exit, true);
	(void)hv_vcpu_set_vtimer_mask(v->id, false);
	v->timer_masked = false;
	return tell_line(v, exit, false);
}

/* How long until it is due; HVF_FOREVER when it will not be. */
static uint64_t timer_ns(const struct backend_vcpu *v)
{
	uint64_t control = hvf_get_sys(v, HV_SYS_REG_CNTV_CTL_EL0), offset = 0, now, due;

	if ((control & (TIMER_ENABLE | TIMER_IMASK)) != TIMER_ENABLE || v->timer_masked)
		return HVF_FOREVER;
	(void)hv_vcpu_get_vtimer_offset(v->id, &offset);
	now = hvf_clock_ticks() - offset;
	due = hvf_get_sys(v, HV_SYS_REG_CNTV_CVAL_EL0);
	return due > now ? hvf_clock_ns(due - now) : 0;
}

/* ---- waiting ---- */

/* Waits as WFI does.  The framework's controller knows of interrupts that nobody here does: with it
 * the guest goes on at once, as the architecture allows. */
static void wait_for_interrupt(struct backend_vcpu *v)
{
	if (v->vm->gic)
		return;
	(void)pthread_mutex_lock(&v->lock);
	while (!v->kicked && !v->lines[ARM_LINE_IRQ] && !v->lines[ARM_LINE_FIQ]) {
		uint64_t ns = timer_ns(v);

		if (ns == 0 || hvf_clock_wait(&v->wake, &v->lock, ns) != 0)
			break;
	}
	(void)pthread_mutex_unlock(&v->lock);
}

/* ---- the loop ---- */

/* True when somebody kicked. */
static bool take_kick(struct backend_vcpu *v, bool lines[2])
{
	bool kicked;

	(void)pthread_mutex_lock(&v->lock);
	kicked = v->kicked;
	v->kicked = false;
	lines[ARM_LINE_IRQ] = v->lines[ARM_LINE_IRQ];
	lines[ARM_LINE_FIQ] = v->lines[ARM_LINE_FIQ];
	(void)pthread_mutex_unlock(&v->lock);
	return kicked;
}

static hv_return_t enter(const struct backend_vcpu *v, const bool lines[2])
{
	hv_return_t ret = HV_SUCCESS;

	if (lines[ARM_LINE_IRQ])
		ret = hv_vcpu_set_pending_interrupt(v->id, HV_INTERRUPT_TYPE_IRQ, true);
	if (lines[ARM_LINE_FIQ] && ret == HV_SUCCESS)
		ret = hv_vcpu_set_pending_interrupt(v->id, HV_INTERRUPT_TYPE_FIQ, true);
	return ret == HV_SUCCESS ? hv_vcpu_run(v->id) : ret;
}

/* True when @exit is for the core. */
static bool left(struct backend_vcpu *v, struct vcpu_exit *exit)
{
	switch (v->exit->reason) {
	case HV_EXIT_REASON_CANCELED:
		return false;
	case HV_EXIT_REASON_VTIMER_ACTIVATED:
		v->timer_masked = true;
		return tell_line(v, exit, true);
	case HV_EXIT_REASON_EXCEPTION:
		return hvf_exception(v, exit);
	default:
		hvf_fail(v, exit, "macOS stopped it for a reason that is not known: %u",
			v->exit->reason);
		return true;
	}
}

int hvf_vcpu_run(struct backend_vcpu *v, struct vcpu_exit *exit)
{
	bool lines[2];
	hv_return_t ret;

	hvf_complete(v, exit);
	for (;;) {
		if (v->waits) {
			v->waits = false;
			wait_for_interrupt(v);
		}
		if (take_kick(v, lines)) {
			exit->kind = VCPU_INTERRUPTED;
			return 0;
		}
		if (look_at_timer(v, exit))
			return 0;
		ret = enter(v, lines);
		if (ret != HV_SUCCESS)
			return hvf_fail(v, exit, "macOS cannot run it: %s", hvf_text(ret));
		if (left(v, exit))
			return exit->kind == VCPU_FAILED ? -EIO : 0;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a hart, and what others may ask of it meanwhile.
 *
 * Whoever asks sets a bit in `attention`, then `limit` to 0, and then, if the hart is not inside,
 * wakes it.  The hart sets a new limit with an exchange and reads `attention` after that, so a bit
 * whose zero the exchange overwrote is seen.  `inside` is set before `attention` is read and read
 * after it is set: a fence that does not wait for the hart is obeyed before its next instruction.
 */
#include "backends/emu/emu.h"

#include <errno.h>
#include <stdio.h>

/* SBI calls that start a hart, and from which a hart does not come back soon. */
#define HSM_START (0x48534dull << 32 | 0)
#define HSM_STOP  (0x48534dull << 32 | 1)
#define SUSPEND   (0x53555350ull << 32 | 0)

/* ---- asking ---- */

static void ask(struct backend_vcpu *h, uint32_t what)
{
	(void)atomic_fetch_or(&h->attention, what);
	atomic_store(&h->limit, 0);
	if (h->vm->deterministic) {
		emu_turn_wake(h);
	} else if (!atomic_load(&h->inside)) {
		(void)pthread_mutex_lock(&h->lock);
		(void)pthread_cond_signal(&h->wake);
		(void)pthread_mutex_unlock(&h->lock);
	}
}

void emu_vcpu_kick(struct backend_vcpu *h)
{
	ask(h, EMU_ATT_KICK);
}

int emu_vcpu_interrupt(struct backend_vcpu *h, uint32_t line, bool level)
{
	if (line != RISCV_LINE_SOFTWARE && line != RISCV_LINE_EXTERNAL)
		return -EINVAL;
	if (!level) {
		(void)atomic_fetch_and(&h->irq_lines, ~(1u << line));
		return 0;
	}
	if (!(atomic_fetch_or(&h->irq_lines, 1u << line) >> line & 1))
		ask(h, EMU_ATT_IRQ);
	return 0;
}

void emu_fence_hart(struct backend_vcpu *h, uint32_t fences)
{
	(void)pthread_mutex_lock(&h->lock);
	h->fences |= fences;
	(void)atomic_fetch_or(&h->attention, EMU_ATT_FENCE);
	atomic_store(&h->limit, 0);
	while ((h->fences & fences) && atomic_load(&h->inside))
		(void)pthread_cond_wait(&h->fenced, &h->lock);
	(void)pthread_mutex_unlock(&h->lock);
}

int emu_vcpu_fence(struct backend_vcpu *h, uint32_t what)
{
	if (what & ~(BACKEND_FENCE_CODE | BACKEND_FENCE_MEMORY))
		return -EINVAL;
	emu_fence_hart(h, (what & BACKEND_FENCE_CODE ? EMU_FENCE_CODE : 0) |
				  (what & BACKEND_FENCE_MEMORY ? EMU_FENCE_VMA : 0));
	return 0;
}

/* ---- the hart's side ---- */

static void obey_fences(struct backend_vcpu *h)
{
	(void)pthread_mutex_lock(&h->lock);
	if (h->fences & EMU_FENCE_FLUSH)
		emu_code_flush(h);
	if (h->fences & EMU_FENCE_CODE)
		emu_fence_i(h);
	if (h->fences & EMU_FENCE_VMA)
		emu_tlb_flush(h);
	if (h->fences & EMU_FENCE_FLUSH)
		h->reserved = NULL;
	h->fences = 0;
	(void)pthread_cond_broadcast(&h->fenced);
	(void)pthread_mutex_unlock(&h->lock);
}

/* With the turn, or with a kick to be seen next. */
static void go_inside(struct backend_vcpu *h)
{
	if (h->vm->deterministic)
		(void)emu_turn_take(h);
	atomic_store(&h->inside, true);
}

static bool keeps_turn(const struct vcpu_exit *exit)
{
	return exit->kind == VCPU_MMIO ||
	       (exit->kind == VCPU_CALL && exit->call.function != HSM_STOP &&
		       exit->call.function != SUSPEND);
}

static void go_outside(struct backend_vcpu *h, const struct vcpu_exit *exit)
{
	atomic_store(&h->inside, false);
	/* Who waits for a fence need not wait any longer. */
	if (atomic_load(&h->attention) & EMU_ATT_FENCE) {
		(void)pthread_mutex_lock(&h->lock);
		(void)pthread_cond_broadcast(&h->fenced);
		(void)pthread_mutex_unlock(&h->lock);
	}
	if (h->vm->deterministic && !keeps_turn(exit))
		emu_turn_leave(h);
}

/* Sets the next limit and sees to what was asked; true when there was a kick. */
static bool attend(struct backend_vcpu *h)
{
	uint32_t asked;

	(void)atomic_exchange(&h->limit, emu_next_limit(h));
	asked = atomic_exchange(&h->attention, 0);
	if (asked & EMU_ATT_FENCE)
		obey_fences(h);
	return asked & EMU_ATT_KICK;
}

static void rest(struct backend_vcpu *h, enum emu_stop stop)
{
	if (!h->vm->deterministic) {
		if (stop == EMU_STOP_WFI)
			emu_sleep(h);
		return;
	}
	atomic_store(&h->inside, false);
	if (stop == EMU_STOP_WFI)
		emu_sleep_in_turns(h);
	else
		emu_turn_pass(h);
	go_inside(h);
}

/* The call that the core has answered may have made another hart run. */
static void note_start(struct backend_vcpu *h, const struct vcpu_exit *exit)
{
	if (h->vm->deterministic && h->pending == EMU_PENDING_CALL && h->holds_turn &&
		exit->call.function == HSM_START && exit->call.ret[0] == 0)
		emu_turn_started(h, exit->call.args[0]);
}

static void run_on(struct backend_vcpu *h, struct vcpu_exit *exit)
{
	enum emu_stop stop;

	for (;;) {
		if (attend(h)) {
			exit->kind = VCPU_INTERRUPTED;
			return;
		}
		h->timer_due = (emu_pending_irqs(h) >> EMU_IRQ_TIMER & 1) != 0;
		emu_take_interrupt(h);
		stop = emu_execute(h, NULL);
		if (stop == EMU_STOP_EXIT)
			return;
		rest(h, stop);
	}
}

int emu_vcpu_run(struct backend_vcpu *h, struct vcpu_exit *exit)
{
	exit->text[0] = '\0';
	note_start(h, exit);
	emu_finish_pending(h, exit);
	emu_fp_begin();
	go_inside(h);
	h->exit = exit;
	run_on(h, exit);
	h->exit = NULL;
	(void)emu_fflags(h);
	go_outside(h, exit);
	return 0;
}

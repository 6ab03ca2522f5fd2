/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: the clock that guests see, and sleeping until something happens.  A deterministic machine
 * counts instructions instead of reading the host's clock: see emu_turn.c.
 */
#include "backends/emu/emu.h"

#include "backends/emu/emu_timed_wait.h"

void emu_clock_init(struct backend_vm *vm)
{
	vm->start_ns = emu_timed_wait_now();
}

/* ---- the clock ---- */

uint64_t emu_ticks(struct backend_vcpu *h)
{
	struct backend_vm *vm = h->vm;

	if (!vm->deterministic)
		return (emu_timed_wait_now() - vm->start_ns) / EMU_NS_A_TICK;
	if (h->holds_turn)
		emu_turn_count(h);
	return vm->virtual_ns / EMU_NS_A_TICK;
}

uint64_t emu_next_limit(struct backend_vcpu *h)
{
	return h->icount + EMU_QUANTUM;
}

/* ---- sleep ---- */

/* When the timer ends the sleep, in ticks; UINT64_MAX = never. */
static uint64_t wake_ticks(const struct backend_vcpu *h)
{
	return h->sie >> EMU_IRQ_TIMER & 1 ? h->stimecmp : UINT64_MAX;
}

/* The same on the host's clock. */
static uint64_t wake_ns(struct backend_vcpu *h)
{
	uint64_t at = wake_ticks(h), now = emu_ticks(h), left = at > now ? at - now : 0;

	if (left > UINT64_MAX / 4 / EMU_NS_A_TICK)
		return UINT64_MAX;
	return emu_timed_wait_now() + left * EMU_NS_A_TICK;
}

static void wait_until(struct backend_vcpu *h, uint64_t until)
{
	int r = 0;

	(void)pthread_mutex_lock(&h->lock);
	while (r == 0 && !atomic_load(&h->attention) && !(atomic_load(&h->irq_lines) & h->sie)) {
		if (until == UINT64_MAX)
			(void)pthread_cond_wait(&h->wake, &h->lock);
		else
			r = emu_timed_wait(&h->wake, &h->lock, until);
	}
	(void)pthread_mutex_unlock(&h->lock);
}

void emu_sleep(struct backend_vcpu *h)
{
	if (emu_pending_irqs(h) & h->sie)
		return;
	atomic_store(&h->inside, false);
	wait_until(h, wake_ns(h));
	atomic_store(&h->inside, true);
}

void emu_sleep_in_turns(struct backend_vcpu *h)
{
	if (emu_pending_irqs(h) & h->sie)
		return;
	atomic_store(&h->inside, false);
	emu_turn_sleep(h, wake_ticks(h));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: the clock that guests see, sleeping until something happens, and turns.
 *
 * A deterministic machine counts instructions instead of reading the host's clock, and runs one
 * hart at a time.  A hart keeps its turn while the core serves a device's register or a call for
 * it, so that the order does not depend on how long that takes; it gives the turn away when its
 * quantum is over, when it sleeps, and when it leaves for any other reason.  Sleep takes real time,
 * because devices do; the guest's clock goes on by what was slept, to the timer's deadline at most.
 */
#include "backends/emu/emu.h"

#include <errno.h>

#include "backends/emu/emu_timed_wait.h"

void emu_clock_init(struct backend_vm *vm)
{
	vm->start_ns = emu_timed_wait_now();
}

/* ---- the clock ---- */

/* Books the instructions that were run since the last time; the hart has the turn. */
static void count_instructions(struct backend_vcpu *h)
{
	h->vm->virtual_ns += (h->icount - h->counted) * EMU_NS_AN_INSN;
	h->counted = h->icount;
}

uint64_t emu_ticks(struct backend_vcpu *h)
{
	struct backend_vm *vm = h->vm;

	if (!vm->deterministic)
		return (emu_timed_wait_now() - vm->start_ns) / EMU_NS_A_TICK;
	if (h->holds_turn)
		count_instructions(h);
	return vm->virtual_ns / EMU_NS_A_TICK;
}

uint64_t emu_next_limit(struct backend_vcpu *h)
{
	return h->icount + EMU_QUANTUM;
}

/* ---- sleep ---- */

/* When the timer ends the sleep, on the host's clock; UINT64_MAX = never. */
static uint64_t wake_ns(struct backend_vcpu *h)
{
	uint64_t now = emu_ticks(h), left;

	if (!(h->sie >> EMU_IRQ_TIMER & 1) || h->stimecmp == UINT64_MAX)
		return UINT64_MAX;
	left = h->stimecmp > now ? h->stimecmp - now : 0;
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

/* The deterministic clock goes on by the time that passed outside. */
static void book_sleep(struct backend_vcpu *h, uint64_t began_ns)
{
	uint64_t slept = emu_timed_wait_now() - began_ns, left;
	uint64_t now = h->vm->virtual_ns;

	if (h->sie >> EMU_IRQ_TIMER & 1 && h->stimecmp < UINT64_MAX / EMU_NS_A_TICK) {
		left = h->stimecmp * EMU_NS_A_TICK;
		left = left > now ? left - now : 0;
		if (slept > left)
			slept = left;
	}
	h->vm->virtual_ns += slept;
}

void emu_sleep(struct backend_vcpu *h)
{
	uint64_t until = wake_ns(h), began = emu_timed_wait_now();

	if (emu_pending_irqs(h) & h->sie)
		return;
	atomic_store(&h->inside, false);
	if (h->vm->deterministic)
		emu_turn_pass(h);
	wait_until(h, until);
	if (h->vm->deterministic) {
		emu_turn_take(h);
		book_sleep(h, began);
	}
	atomic_store(&h->inside, true);
}

/* ---- turns ---- */

void emu_turn_take(struct backend_vcpu *h)
{
	struct backend_vm *vm = h->vm;

	if (h->holds_turn)
		return;
	(void)pthread_mutex_lock(&vm->turn_lock);
	vm->waiting |= 1ull << h->index;
	while (vm->turn_taken || vm->turn != h->index) {
		/* Nobody has it: the next in order who wants it takes it. */
		if (!vm->turn_taken && !(vm->waiting >> vm->turn & 1)) {
			vm->turn = (vm->turn + 1) % EMU_MAX_HARTS;
			(void)pthread_cond_broadcast(&vm->turn_changed);
			continue;
		}
		(void)pthread_cond_wait(&vm->turn_changed, &vm->turn_lock);
	}
	vm->waiting &= ~(1ull << h->index);
	vm->turn_taken = true;
	h->holds_turn = true;
	h->counted = h->icount;
	(void)pthread_mutex_unlock(&vm->turn_lock);
}

void emu_turn_pass(struct backend_vcpu *h)
{
	struct backend_vm *vm = h->vm;

	if (!h->holds_turn)
		return;
	count_instructions(h);
	(void)pthread_mutex_lock(&vm->turn_lock);
	h->holds_turn = false;
	vm->turn_taken = false;
	vm->turn = (h->index + 1) % EMU_MAX_HARTS;
	(void)pthread_cond_broadcast(&vm->turn_changed);
	(void)pthread_mutex_unlock(&vm->turn_lock);
}

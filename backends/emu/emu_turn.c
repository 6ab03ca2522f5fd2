/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deterministic machines: harts take turns, and time is counted in instructions.
 *
 * A hart is `ready` when it runs or wants to.  The turn goes round among those that are ready, in
 * the order of their numbers, and if the next one's thread has not come yet the turn waits for it:
 * how fast threads are must make no difference.  Harts become ready, and cease to be, at places in
 * the guest's execution alone: a hart that sleeps is made ready by the one that interrupts it, or
 * when the clock reaches its timer; one that is started, by the one that started it.
 *
 * A hart keeps its turn while the core serves a device's register or a call for it.  When all harts
 * sleep, real time passes until the first timer, for devices need time, too; the guest's clock then
 * stands exactly at that timer.  What comes from devices in their own time, or from outside, comes
 * when it comes: it is not part of what is determined.
 */
#include "backends/emu/emu.h"

#include <errno.h>

#include "backends/emu/emu_timed_wait.h"

static uint64_t bit(const struct backend_vcpu *h)
{
	return 1ull << (h->index % EMU_MAX_HARTS);
}

static bool kicked(struct backend_vcpu *h)
{
	return atomic_load(&h->attention) & EMU_ATT_KICK;
}

/* Books the instructions that were run since the last time; the hart has the turn. */
void emu_turn_count(struct backend_vcpu *h)
{
	h->vm->virtual_ns += (h->icount - h->counted) * EMU_NS_AN_INSN;
	h->counted = h->icount;
}

/* ---- all under turn_lock from here ---- */

/* Whose turn it is when nobody has it; EMU_MAX_HARTS: nobody's. */
static uint32_t next_of(const struct backend_vm *vm)
{
	for (uint32_t n = 0; n < EMU_MAX_HARTS; n++) {
		uint32_t i = (vm->turn + n) % EMU_MAX_HARTS;

		if (vm->ready >> i & 1)
			return i;
	}
	return EMU_MAX_HARTS;
}

static void make_ready(struct backend_vm *vm, uint64_t harts)
{
	vm->asleep &= ~harts;
	vm->ready |= harts;
	(void)pthread_cond_broadcast(&vm->turn_changed);
}

/* Those whose timers the clock has reached. */
static void wake_the_due(struct backend_vm *vm)
{
	for (uint64_t left = vm->asleep; left; left &= left - 1) {
		uint32_t i = (uint32_t)__builtin_ctzll(left);

		if (vm->wake_ns[i] <= vm->virtual_ns)
			make_ready(vm, 1ull << i);
	}
}

static void give_away(struct backend_vcpu *h)
{
	struct backend_vm *vm = h->vm;

	if (!h->holds_turn)
		return;
	emu_turn_count(h);
	h->holds_turn = false;
	vm->turn_taken = false;
	vm->turn = (h->index + 1) % EMU_MAX_HARTS;
	wake_the_due(vm);
	(void)pthread_cond_broadcast(&vm->turn_changed);
}

static bool wait_for_turn(struct backend_vcpu *h)
{
	struct backend_vm *vm = h->vm;

	make_ready(vm, bit(h));
	vm->waiting |= bit(h);
	while ((vm->turn_taken || next_of(vm) != h->index) && !kicked(h))
		(void)pthread_cond_wait(&vm->turn_changed, &vm->turn_lock);
	vm->waiting &= ~bit(h);
	if (vm->turn_taken || next_of(vm) != h->index)
		return false;
	vm->turn_taken = true;
	vm->turn = h->index;
	h->holds_turn = true;
	h->counted = h->icount;
	return true;
}

/* The first of those asleep whose timer comes next; EMU_MAX_HARTS: there is none. */
static uint32_t first_to_wake(const struct backend_vm *vm)
{
	uint32_t first = EMU_MAX_HARTS;
	uint64_t best = UINT64_MAX;

	for (uint64_t left = vm->asleep; left; left &= left - 1) {
		uint32_t i = (uint32_t)__builtin_ctzll(left);

		if (vm->wake_ns[i] < best) {
			best = vm->wake_ns[i];
			first = i;
		}
	}
	return first;
}

/* All sleep, and this one's timer comes first: waits for as long in real time, and puts the clock
 * on by what was waited, to the timer at most. */
static void wait_for_timer(struct backend_vcpu *h)
{
	struct backend_vm *vm = h->vm;
	uint64_t began = emu_timed_wait_now(), left = vm->wake_ns[h->index] - vm->virtual_ns,
		 waited;

	(void)emu_timed_wait(&vm->turn_changed, &vm->turn_lock, began + left);
	waited = emu_timed_wait_now() - began;
	if (vm->turn_taken || vm->ready)
		return; /* another hart's clock it is now */
	vm->virtual_ns += waited < left ? waited : left;
	wake_the_due(vm);
}

static void sleep_on(struct backend_vcpu *h)
{
	struct backend_vm *vm = h->vm;

	while (vm->asleep & bit(h)) {
		if (!vm->turn_taken && !vm->ready && first_to_wake(vm) == h->index)
			wait_for_timer(h);
		else
			(void)pthread_cond_wait(&vm->turn_changed, &vm->turn_lock);
	}
}

/* ---- and here it is taken ---- */

bool emu_turn_take(struct backend_vcpu *h)
{
	bool taken;

	if (h->holds_turn)
		return true;
	(void)pthread_mutex_lock(&h->vm->turn_lock);
	taken = wait_for_turn(h);
	(void)pthread_mutex_unlock(&h->vm->turn_lock);
	return taken;
}

void emu_turn_pass(struct backend_vcpu *h)
{
	(void)pthread_mutex_lock(&h->vm->turn_lock);
	give_away(h);
	(void)pthread_mutex_unlock(&h->vm->turn_lock);
}

void emu_turn_leave(struct backend_vcpu *h)
{
	struct backend_vm *vm = h->vm;

	(void)pthread_mutex_lock(&vm->turn_lock);
	vm->ready &= ~bit(h);
	vm->asleep &= ~bit(h);
	give_away(h);
	(void)pthread_cond_broadcast(&vm->turn_changed);
	(void)pthread_mutex_unlock(&vm->turn_lock);
}

void emu_turn_sleep(struct backend_vcpu *h, uint64_t until_ticks)
{
	struct backend_vm *vm = h->vm;

	(void)pthread_mutex_lock(&vm->turn_lock);
	vm->wake_ns[h->index] = until_ticks > UINT64_MAX / 2 / EMU_NS_A_TICK
					? UINT64_MAX
					: until_ticks * EMU_NS_A_TICK;
	/* Who asks sets `attention` first and then looks whether the hart is asleep. */
	vm->ready &= ~bit(h);
	vm->asleep |= bit(h);
	if (atomic_load(&h->attention) || (atomic_load(&h->irq_lines) & h->sie))
		make_ready(vm, bit(h));
	give_away(h);
	sleep_on(h);
	(void)pthread_mutex_unlock(&vm->turn_lock);
}

void emu_turn_wake(struct backend_vcpu *h)
{
	struct backend_vm *vm = h->vm;

	(void)pthread_mutex_lock(&vm->turn_lock);
	if (vm->asleep & bit(h))
		make_ready(vm, bit(h));
	else
		(void)pthread_cond_broadcast(&vm->turn_changed); /* it may be a kick */
	(void)pthread_mutex_unlock(&vm->turn_lock);
}

void emu_turn_started(struct backend_vcpu *h, uint64_t hart)
{
	struct backend_vm *vm = h->vm;

	if (hart >= EMU_MAX_HARTS)
		return;
	(void)pthread_mutex_lock(&vm->turn_lock);
	make_ready(vm, 1ull << hart);
	while (!(vm->waiting >> hart & 1) && !kicked(h))
		(void)pthread_cond_wait(&vm->turn_changed, &vm->turn_lock);
	(void)pthread_mutex_unlock(&vm->turn_lock);
}

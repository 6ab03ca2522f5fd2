/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traps: exceptions, interrupts and the return from them.  There is no machine mode: what would go
 * there goes to the supervisor, and the supervisor's calls go to the core.
 */
#include "backends/emu/emu.h"

static void set_mode(struct backend_vcpu *h, enum emu_mode mode)
{
	h->mode = mode;
	emu_context_update(h);
}

static void enter(struct backend_vcpu *h, uint64_t cause, uint64_t value)
{
	uint64_t s = h->sstatus & ~(EMU_SSTATUS_SPP | EMU_SSTATUS_SPIE | EMU_SSTATUS_SIE);
	uint64_t base = h->stvec & ~3ull;

	if (h->mode == EMU_SUPERVISOR)
		s |= EMU_SSTATUS_SPP;
	if (h->sstatus & EMU_SSTATUS_SIE)
		s |= EMU_SSTATUS_SPIE;
	h->sstatus = s;
	h->sepc = h->pc;
	h->scause = cause;
	h->stval = value;
	h->pc = base;
	if ((cause & EMU_INTERRUPT) && (h->stvec & 1))
		h->pc = base + 4 * (cause & ~EMU_INTERRUPT);
	set_mode(h, EMU_SUPERVISOR);
}

void emu_enter_trap(struct backend_vcpu *h)
{
	enter(h, h->trap_cause, h->trap_value);
}

uint64_t emu_pending_irqs(struct backend_vcpu *h)
{
	uint64_t pending = atomic_load_explicit(&h->irq_lines, memory_order_acquire);

	if (emu_ticks(h) >= h->stimecmp)
		pending |= 1ull << EMU_IRQ_TIMER;
	return pending;
}

void emu_take_interrupt(struct backend_vcpu *h)
{
	static const uint8_t order[] = { EMU_IRQ_EXT, EMU_IRQ_SOFT, EMU_IRQ_TIMER };
	uint64_t pending;

	if (h->mode == EMU_SUPERVISOR && !(h->sstatus & EMU_SSTATUS_SIE))
		return;
	pending = emu_pending_irqs(h) & h->sie;
	for (size_t i = 0; pending && i < sizeof(order); i++)
		if (pending >> order[i] & 1) {
			enter(h, EMU_INTERRUPT | order[i], 0);
			return;
		}
}

int emu_sret(struct backend_vcpu *h)
{
	uint64_t s = h->sstatus & ~(EMU_SSTATUS_SPP | EMU_SSTATUS_SIE);
	enum emu_mode mode = h->sstatus & EMU_SSTATUS_SPP ? EMU_SUPERVISOR : EMU_USER;

	if (h->mode != EMU_SUPERVISOR)
		return -1;
	if (h->sstatus & EMU_SSTATUS_SPIE)
		s |= EMU_SSTATUS_SIE;
	h->sstatus = s | EMU_SSTATUS_SPIE;
	h->pc = h->sepc;
	set_mode(h, mode);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* tenon.irq/1, which counts, and tenon.notifier/1. */
#include <errno.h>
#include <stdlib.h>

#include "core/config.h"
#include "core/notifier.h"
#include "sdk/testkit/kit.h"

#define FIRST_LINE 5u
#define N_LINES    24u

/* One that a plugin made: who, for the look at what is left. */
struct made {
	struct made *next;
	struct tk_dev *dev;
	struct tenon_notifier *notifier;
};

static struct made *made; /* under the machine's lock */

/* ---- lines ---- */

static bool taken(uint32_t number, bool shared)
{
	for (const struct tk_dev *d = kit.devices; d; d = d->next)
		for (const struct tenon_irq *i = d->irqs; i; i = i->next)
			if (i->number == number && !(shared && (i->flags & TENON_IRQ_SHARED)))
				return true;
	return false;
}

static uint32_t pick(bool shared)
{
	for (uint32_t n = FIRST_LINE; n < N_LINES; n++)
		if (!taken(n, false))
			return n;
	for (uint32_t n = FIRST_LINE; n < N_LINES && shared; n++)
		if (!taken(n, true))
			return n;
	return TENON_IRQ_ANY;
}

static int irq_alloc(
	struct tenon_dev *dev, uint32_t flags, uint32_t number, struct tenon_irq **ret_irq)
{
	struct tenon_irq *irq, **at = &dev->d.irqs;
	bool shared = flags & TENON_IRQ_SHARED;

	if (kit_fails("tenon.irq alloc", ROLE_MAIN))
		return -ENOSPC;
	if ((flags & ~TENON_IRQ_SHARED) > TENON_IRQ_LEVEL)
		return -EINVAL;
	if (dev->d.cd->has_irq)
		number = dev->d.cd->irq;
	if (number == TENON_IRQ_ANY)
		number = pick(shared);
	if (number == TENON_IRQ_ANY)
		return kit_host.fail(dev, -ENOSPC, "no interrupt line is left");
	if (number >= N_LINES)
		return kit_host.fail(dev, -EINVAL, "there is no such interrupt line");
	if (taken(number, shared))
		return kit_host.fail(dev, -EBUSY, "the interrupt line is taken");
	irq = kit_alloc(sizeof(*irq));
	*irq = (struct tenon_irq){ .dev = &dev->d, .flags = flags, .number = number };
	while (*at)
		at = &(*at)->next;
	*at = irq;
	*ret_irq = irq;
	return 0;
}

static uint32_t irq_number_of(const struct tenon_irq *irq)
{
	kit_role("tenon.irq number", ROLE_ANY);
	return irq->number;
}

void kit_irq_pulse(struct tenon_irq *irq)
{
	kit_lock();
	irq->edges++;
	kit_unlock();
}

static void irq_set_level(struct tenon_irq *irq, uint32_t level)
{
	kit_role("tenon.irq set", ROLE_ANY);
	if (!(irq->flags & TENON_IRQ_LEVEL))
		kit_fail("tenon.irq set on an edge-triggered interrupt");
	kit_lock();
	irq->edges += level && !irq->level;
	irq->level = level != 0;
	kit_unlock();
}

static void irq_pulse_line(struct tenon_irq *irq)
{
	kit_role("tenon.irq pulse", ROLE_ANY);
	if (irq->flags & TENON_IRQ_LEVEL)
		kit_fail("tenon.irq pulse on a level-triggered interrupt");
	kit_irq_pulse(irq);
}

static struct tenon_notifier *irq_notifier_of(struct tenon_irq *irq)
{
	struct tenon_notifier *n;

	if (kit_fails("tenon.irq notifier", ROLE_ANY))
		return NULL;
	kit_lock();
	if (!irq->notifier && notifier_create(&irq->notifier) < 0)
		irq->notifier = NULL;
	n = irq->notifier;
	kit_unlock();
	return n;
}

void kit_irq_release(struct tenon_irq *irq)
{
	if (!irq)
		return;
	for (struct tenon_irq **at = &irq->dev->irqs; *at; at = &(*at)->next) {
		if (*at == irq) {
			*at = irq->next;
			break;
		}
	}
	notifier_destroy(irq->notifier);
	free(irq);
}

static void irq_free_line(struct tenon_irq *irq)
{
	kit_role("tenon.irq free", ROLE_MAIN);
	kit_irq_release(irq);
}

void kit_irqs_left(struct tk_dev *d)
{
	if (d->irqs)
		kit_fail("%s left interrupt line %u", d->cd->name, d->irqs->number);
}

bool kit_step_irqs(void)
{
	bool any = false;

	for (struct tk_dev *d = kit.devices; d; d = d->next)
		for (struct tenon_irq *i = d->irqs; i; i = i->next)
			if (i->notifier && notifier_drain(i->notifier)) {
				kit_irq_pulse(i);
				any = true;
			}
	return any;
}

/* ---- for tests ---- */

unsigned tk_irqs(struct tk_dev *d)
{
	unsigned n = 0;

	(void)kit_step_irqs();
	kit_lock();
	for (const struct tenon_irq *i = d->irqs; i; i = i->next)
		n += i->edges;
	kit_unlock();
	return n;
}

void tk_irqs_clear(struct tk_dev *d)
{
	(void)kit_step_irqs();
	kit_lock();
	for (struct tenon_irq *i = d->irqs; i; i = i->next)
		i->edges = 0;
	kit_unlock();
}

static const struct tenon_irq *irq_at(const struct tk_dev *d, unsigned index)
{
	const struct tenon_irq *i = d->irqs;

	while (i && index-- > 0)
		i = i->next;
	return i;
}

unsigned tk_irq_edges(struct tk_dev *d, unsigned index)
{
	const struct tenon_irq *i = irq_at(d, index);
	unsigned n;

	(void)kit_step_irqs();
	kit_lock();
	n = i ? i->edges : 0;
	kit_unlock();
	return n;
}

unsigned tk_irq_level(struct tk_dev *d, unsigned index)
{
	const struct tenon_irq *i = irq_at(d, index);
	unsigned n;

	kit_lock();
	n = i ? i->level : 0;
	kit_unlock();
	return n;
}

int tk_irq_number(struct tk_dev *d, unsigned index)
{
	const struct tenon_irq *i = irq_at(d, index);

	return i ? (int)i->number : -ENOENT;
}

const struct tenon_irq_svc kit_irq = {
	.struct_size = sizeof(struct tenon_irq_svc),
	.alloc = irq_alloc,
	.number = irq_number_of,
	.set = irq_set_level,
	.pulse = irq_pulse_line,
	.notifier = irq_notifier_of,
	.free = irq_free_line,
};

/* ---- notifiers ---- */

static int svc_create(struct tenon_notifier **ret_notifier)
{
	struct made *m;
	int ret;

	if (kit_fails("tenon.notifier create", ROLE_ANY))
		return -EMFILE;
	ret = notifier_create(ret_notifier);
	if (ret < 0)
		return ret;
	m = kit_alloc(sizeof(*m));
	kit_lock();
	*m = (struct made){ made, kit_current(), *ret_notifier };
	made = m;
	kit_unlock();
	return 0;
}

static int svc_fd(const struct tenon_notifier *notifier)
{
	kit_role("tenon.notifier fd", ROLE_ANY);
	return notifier_fd(notifier);
}

static void svc_signal(struct tenon_notifier *notifier)
{
	kit_role("tenon.notifier signal", ROLE_ANY);
	notifier_signal(notifier);
}

static int svc_drain(struct tenon_notifier *notifier)
{
	kit_role("tenon.notifier drain", ROLE_ANY);
	return notifier_drain(notifier);
}

static void svc_destroy(struct tenon_notifier *notifier)
{
	bool known = !notifier;

	kit_role("tenon.notifier destroy", ROLE_ANY);
	kit_lock();
	for (struct made **at = &made; *at; at = &(*at)->next) {
		struct made *m = *at;

		if (m->notifier != notifier)
			continue;
		*at = m->next;
		free(m);
		known = true;
		break;
	}
	kit_unlock();
	if (!known)
		kit_fail("tenon.notifier destroy: it is not one that was created");
	notifier_destroy(notifier);
}

void kit_notifiers_left(struct tk_dev *d)
{
	kit_lock();
	for (const struct made *m = made; m; m = m->next)
		if (m->dev == d)
			kit_fail("%s left a notifier (descriptor %d)", d->cd->name,
				notifier_fd(m->notifier));
	kit_unlock();
}

const struct tenon_notifier_svc kit_notifier = {
	.struct_size = sizeof(struct tenon_notifier_svc),
	.create = svc_create,
	.fd = svc_fd,
	.signal = svc_signal,
	.drain = svc_drain,
	.destroy = svc_destroy,
};

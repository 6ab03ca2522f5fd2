/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupt lines.  A shared level-triggered line is the OR of its sources; a shared edge line
 * gives an edge for each.
 */
#include "core/irq.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "core/error.h"
#include "core/event_loop.h"
#include "core/notifier.h"

#define MAX_LINES 1024

struct tenon_irq {
	struct tenon_irq *next;
	struct irq_table *table;
	const void *owner;
	uint32_t number;
	bool level_triggered, shared;
	bool asserted; /* level: this source's contribution */
	bool has_irqfd;
	struct tenon_notifier *notifier;
	struct loop_watch *watch; /* forwards where there is no irqfd */
};

struct irq_table {
	pthread_mutex_t lock; /* the list's levels */
	const struct arch_layout *layout;
	struct tenon_irq *sources;
	struct irq_sink sink; /* line NULL until commit */
	struct event_loop *loop;
};

struct irq_table *irq_table_create(const struct arch_layout *layout)
{
	struct irq_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->layout = layout;
	(void)pthread_mutex_init(&table->lock, NULL);
	return table;
}

void irq_table_destroy(struct irq_table *table)
{
	if (!table)
		return;
	while (table->sources)
		irq_free(table->sources);
	(void)pthread_mutex_destroy(&table->lock);
	free(table);
}

/* ---- which line ---- */

/* Shareable are those of one kind of trigger: an edge on a line ends with the line low. */
static unsigned users_of(
	const struct irq_table *table, uint32_t number, bool level, bool *ret_shareable)
{
	unsigned n = 0;

	*ret_shareable = true;
	for (const struct tenon_irq *i = table->sources; i; i = i->next) {
		if (i->number != number)
			continue;
		n++;
		if (!i->shared || i->level_triggered != level)
			*ret_shareable = false;
	}
	return n;
}

static bool may_give_out(const struct arch_layout *layout, uint32_t number)
{
	for (const uint8_t *r = layout->irq_reserved; r && *r; r++)
		if (*r == number)
			return false;
	return true;
}

bool irq_is_usable(const struct irq_table *table, uint32_t number)
{
	return number <= table->layout->irq_last && may_give_out(table->layout, number);
}

/*
 * An unused line, or the shareable one with the fewest users.  Sources that can share leave a
 * quarter of the lines to those that cannot, whatever the order they come in.
 */
static int choose(const struct irq_table *table, bool level, bool shared, uint32_t *ret_number)
{
	const struct arch_layout *layout = table->layout;
	unsigned lines = 0, unused = 0, fewest = UINT32_MAX;
	uint32_t first_unused = 0, least_used = 0;

	for (uint32_t n = layout->irq_first; n <= layout->irq_last; n++) {
		bool shareable;
		unsigned users = users_of(table, n, level, &shareable);

		if (!may_give_out(layout, n))
			continue;
		lines++;
		if (users == 0 && unused++ == 0)
			first_unused = n;
		if (users > 0 && shared && shareable && users < fewest) {
			fewest = users;
			least_used = n;
		}
	}
	if (unused > 0 && (unused > lines / 4 || fewest == UINT32_MAX))
		*ret_number = first_unused;
	else if (fewest != UINT32_MAX)
		*ret_number = least_used;
	else
		return -ENOSPC;
	return 0;
}

static int connect_source(struct tenon_irq *irq);

int irq_alloc(struct irq_table *table, bool level, bool shared, uint32_t number,
	struct tenon_irq **ret_irq)
{
	struct tenon_irq *irq;
	bool shareable;
	int ret;

	if (number == IRQ_ANY) {
		ret = choose(table, level, shared, &number);
		if (ret < 0)
			return ret;
	} else if (number >= MAX_LINES) {
		return -EINVAL;
	} else if (users_of(table, number, level, &shareable) > 0 && !(shared && shareable)) {
		return -EBUSY;
	}

	irq = calloc(1, sizeof(*irq));
	if (!irq)
		return -ENOMEM;
	*irq = (struct tenon_irq){
		.table = table, .number = number, .level_triggered = level, .shared = shared
	};
	ret = notifier_create(&irq->notifier);
	if (ret == 0 && table->sink.line)
		ret = connect_source(irq);
	if (ret < 0) {
		notifier_destroy(irq->notifier);
		free(irq);
		return ret;
	}
	(void)pthread_mutex_lock(&table->lock);
	irq->next = table->sources;
	table->sources = irq;
	(void)pthread_mutex_unlock(&table->lock);
	*ret_irq = irq;
	return 0;
}

void irq_free(struct tenon_irq *irq)
{
	struct irq_table *table;

	if (!irq)
		return;
	table = irq->table;
	irq_set(irq, false);
	(void)pthread_mutex_lock(&table->lock);
	for (struct tenon_irq **at = &table->sources; *at; at = &(*at)->next) {
		if (*at == irq) {
			*at = irq->next;
			break;
		}
	}
	(void)pthread_mutex_unlock(&table->lock);
	if (irq->has_irqfd)
		(void)table->sink.irqfd(
			table->sink.opaque, irq->number, notifier_fd(irq->notifier), false);
	loop_fd_remove(irq->watch);
	notifier_destroy(irq->notifier);
	free(irq);
}

void irq_set_owner(struct tenon_irq *irq, const void *owner)
{
	irq->owner = owner;
}

void irq_free_owned(struct irq_table *table, const void *owner)
{
	struct tenon_irq *next;

	for (struct tenon_irq *i = table->sources; i; i = next) {
		next = i->next;
		if (i->owner == owner)
			irq_free(i);
	}
}

const struct tenon_irq *irq_owned(const struct irq_table *table, const void *owner, unsigned index)
{
	unsigned n = 0;

	/* The list is newest first. */
	for (const struct tenon_irq *i = table->sources; i; i = i->next)
		n += i->owner == owner;
	if (index >= n)
		return NULL;
	for (const struct tenon_irq *i = table->sources; i; i = i->next)
		if (i->owner == owner && --n == index)
			return i;
	return NULL;
}

uint32_t irq_number(const struct tenon_irq *irq)
{
	return irq->number;
}

bool irq_is_level(const struct tenon_irq *irq)
{
	return irq->level_triggered;
}

bool irq_is_shared(const struct tenon_irq *irq)
{
	return irq->shared;
}

struct tenon_notifier *irq_notifier(struct tenon_irq *irq)
{
	return irq->notifier;
}

/* ---- raising ---- */

void irq_set(struct tenon_irq *irq, bool level)
{
	struct irq_table *table = irq->table;
	bool any = false;

	(void)pthread_mutex_lock(&table->lock);
	if (irq->asserted != level) {
		irq->asserted = level;
		for (const struct tenon_irq *i = table->sources; i; i = i->next)
			any |= i->number == irq->number && i->asserted;
		if (table->sink.line)
			(void)table->sink.line(table->sink.opaque, irq->number, any);
	}
	(void)pthread_mutex_unlock(&table->lock);
}

void irq_pulse(struct tenon_irq *irq)
{
	struct irq_table *table = irq->table;

	if (irq->has_irqfd) {
		notifier_signal(irq->notifier);
		return;
	}
	(void)pthread_mutex_lock(&table->lock);
	if (table->sink.pulse) {
		(void)table->sink.pulse(table->sink.opaque, irq->number);
	} else if (table->sink.line) {
		(void)table->sink.line(table->sink.opaque, irq->number, true);
		(void)table->sink.line(table->sink.opaque, irq->number, false);
	}
	(void)pthread_mutex_unlock(&table->lock);
}

/* ---- connecting ---- */

static void forward(void *arg, uint32_t events)
{
	struct tenon_irq *irq = arg;

	(void)events;
	if (notifier_drain(irq->notifier))
		irq_pulse(irq);
}

static int connect_source(struct tenon_irq *irq)
{
	struct irq_table *table = irq->table;
	int ret = -ENOTSUP;

	if (irq->level_triggered) {
		/* The line may have been set before the controller was there. */
		if (irq->asserted)
			(void)table->sink.line(table->sink.opaque, irq->number, true);
		return 0;
	}
	if (table->sink.irqfd)
		ret = table->sink.irqfd(
			table->sink.opaque, irq->number, notifier_fd(irq->notifier), true);
	if (ret == 0) {
		irq->has_irqfd = true;
		return 0;
	}
	if (ret != -ENOTSUP)
		return ret;
	return loop_fd_add(
		table->loop, notifier_fd(irq->notifier), LOOP_READ, forward, irq, &irq->watch);
}

int irq_table_commit(struct irq_table *table, const struct irq_sink *sink, struct event_loop *loop,
	struct error *err)
{
	table->sink = *sink;
	table->loop = loop;
	for (struct tenon_irq *i = table->sources; i; i = i->next) {
		int ret = connect_source(i);

		if (ret < 0)
			return error_set(err, EXIT_HOST, ret,
				"interrupt line %u: cannot connect it to the hypervisor: %s",
				i->number, strerror(-ret));
	}
	return 0;
}

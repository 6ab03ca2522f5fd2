/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupt sources and the lines they are on.
 *
 * Lines are given out while devices attach; what needs the interrupt controller (irqfds) is made by
 * irq_table_commit(), because some controllers exist only after the vCPUs.  Where the backend has
 * no irqfd, the notifier of a source is watched by the loop, which forwards it.
 */
#ifndef TENON_CORE_IRQ_H
#define TENON_CORE_IRQ_H

#include <stdbool.h>
#include <stdint.h>

struct arch_layout;
struct backend_ops;
struct backend_vm;
struct error;
struct event_loop;
struct irq_table;
struct tenon_irq;
struct tenon_notifier;

/* Something that takes a line's level; the platform's controller in the core or the backend. */
struct irq_sink {
	int (*line)(void *opaque, uint32_t number, bool level); /* [any] */
	/* Connects an eventfd; -ENOTSUP is ordinary.  [main] */
	int (*irqfd)(void *opaque, uint32_t number, int fd, bool assign);
	/* One edge; NULL: line up, line down.  [any] */
	int (*pulse)(void *opaque, uint32_t number);
	void *opaque;
};

struct irq_table *irq_table_create(const struct arch_layout *layout); /* NULL: no memory [main] */
void irq_table_destroy(struct irq_table *table);                      /* NULL is fine [main] */

/*
 * @number or IRQ_ANY.  A line serves several sources only if all are shareable and have the same
 * kind of trigger; without a free line the one with the fewest sources is shared.  -EBUSY, -ENOSPC,
 * -EINVAL.  [main]
 */
#define IRQ_ANY UINT32_MAX
int irq_alloc(struct irq_table *table, bool level, bool shared, uint32_t number,
	struct tenon_irq **ret_irq);
void irq_free(struct tenon_irq *irq); /* NULL is fine [main] */
/* Whether somebody may put a device on line @number.  [main] */
bool irq_is_usable(const struct irq_table *table, uint32_t number);
/* A mark that belongs to the caller: irq_free_owned() frees what carries it.  [main] */
void irq_set_owner(struct tenon_irq *irq, const void *owner);
void irq_free_owned(struct irq_table *table, const void *owner);

/* The owner's source @index in order of allocation, or NULL.  [main] */
const struct tenon_irq *irq_owned(const struct irq_table *table, const void *owner, unsigned index);

uint32_t irq_number(const struct tenon_irq *irq);
bool irq_is_level(const struct tenon_irq *irq);
bool irq_is_shared(const struct tenon_irq *irq);
void irq_set(struct tenon_irq *irq, bool level); /* [any] */
void irq_pulse(struct tenon_irq *irq);           /* [any] */
struct tenon_notifier *irq_notifier(struct tenon_irq *irq);

/* The controller is ready: connects every source.  Sources made later connect at once.  [main] */
int irq_table_commit(struct irq_table *table, const struct irq_sink *sink, struct event_loop *loop,
	struct error *err);

#endif

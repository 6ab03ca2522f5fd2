/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/irq.h - interrupt sources.
 *
 * A source is a line into the platform's interrupt controller, edge or level triggered.  A line
 * that several devices share is shared by asking for it with TENON_IRQ_SHARED, each of them.  What
 * a device does not give back in detach, the core takes back after it.
 */
#ifndef TENON_IRQ_H
#define TENON_IRQ_H

#include <tenon/abi.h>

#define TENON_SVC_IRQ "tenon.irq/1"

/* Kinds, and what may be or-ed to them. */
#define TENON_IRQ_EDGE   0u        /* pulse(), or signal the notifier */
#define TENON_IRQ_LEVEL  1u        /* set() */
#define TENON_IRQ_SHARED (1u << 8) /* the line may serve several devices */

/* A line that the core picks. */
#define TENON_IRQ_ANY UINT32_MAX

struct tenon_irq_svc {
	uint32_t struct_size;

	/*
	 * Reserves line @number, or one that the core picks (TENON_IRQ_ANY); `irq` of the
	 * configuration comes before either.  @flags: TENON_IRQ_EDGE or TENON_IRQ_LEVEL, or-ed with
	 * TENON_IRQ_SHARED.  The numbering is the platform's (x86: GSI; arm64: SPI; riscv64: PLIC
	 * or APLIC source).  -EBUSY for a line that is taken, -ENOSPC where none is left, -EINVAL
	 * for one that there is not; the core has then said why.  [main]
	 */
	int (*alloc)(
		struct tenon_dev *dev, uint32_t flags, uint32_t number, struct tenon_irq **ret_irq);
	/* The line's number, as the platform counts.  [any] */
	uint32_t (*number)(const struct tenon_irq *irq);
	/*
	 * Sets a level-triggered source to @level (0 or 1).  It stays there until it is set anew;
	 * setting what is set already costs nothing.  A shared line is up while any source is.
	 * [any]
	 */
	void (*set)(struct tenon_irq *irq, uint32_t level);
	/* One edge of an edge-triggered source.  Never blocks.  [any] */
	void (*pulse)(struct tenon_irq *irq);
	/*
	 * A notifier each signal of which raises one edge, also from another process.  The same one
	 * each time; borrowed until free().  [any]
	 */
	struct tenon_notifier *(*notifier)(struct tenon_irq *irq);
	/* Gives the source back; it must not be raised any more.  NULL is fine.  [main] */
	void (*free)(struct tenon_irq *irq);
};

#endif

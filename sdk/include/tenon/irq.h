/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/irq.h - interrupt sources.
 */
#ifndef TENON_IRQ_H
#define TENON_IRQ_H

#include <tenon/abi.h>

#define TENON_SVC_IRQ "tenon.irq/1"

#define TENON_IRQ_EDGE   0u        /* pulse(), or signal the notifier */
#define TENON_IRQ_LEVEL  1u        /* set() */
#define TENON_IRQ_SHARED (1u << 8) /* the line may serve several devices */

#define TENON_IRQ_ANY UINT32_MAX

struct tenon_irq_svc {
	uint32_t struct_size;

	/*
	 * Reserves line @number, or one that the core picks.  The numbering is the platform's
	 * (x86: GSI; arm64: SPI; riscv64: PLIC or APLIC source).  -EBUSY, -ENOSPC.  [main]
	 */
	int (*alloc)(
		struct tenon_dev *dev, uint32_t flags, uint32_t number, struct tenon_irq **ret_irq);
	uint32_t (*number)(const struct tenon_irq *irq);    /* [any] */
	void (*set)(struct tenon_irq *irq, uint32_t level); /* level: 0 or 1 [any] */
	void (*pulse)(struct tenon_irq *irq);               /* one edge [any] */
	/* Signalling it raises one edge; usable from another process; borrowed.  [any] */
	struct tenon_notifier *(*notifier)(struct tenon_irq *irq);
	void (*free)(struct tenon_irq *irq); /* NULL is fine [main] */
};

#endif

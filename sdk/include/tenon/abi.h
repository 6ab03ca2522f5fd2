/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/abi.h - versions, table rules and the few macros that the contract stands on.
 *
 * Every table that crosses between core and plugin begins with its size in bytes as its author's
 * compiler saw it, and only ever grows at the end.  The reader of a table treats everything past
 * that size as absent: TENON_HAS() asks.  While the major is 0 nothing is promised yet and the core
 * demands an equal minor.
 *
 * Thread tags used in all headers:
 *   [main]  the control thread; never concurrent with itself
 *   [vcpu]  inside a guest's register access; must neither block nor wait for another vCPU
 *   [loop]  the event loop that the device belongs to
 *   [work]  a pool thread; may block, may not touch queues
 *   [any]   every one of these, concurrently
 * A tag on a function of the core says who may call it; on a callback, who calls it.  "!locked"
 * means that the caller must not be inside a callback of a device that the call waits for.
 *
 * Unless a function says otherwise: it returns 0 or -errno and leaves outputs alone when it fails;
 * pointers and strings that it is given are borrowed for the call; sizes, offsets and guest
 * addresses are in bytes; -ENOMEM is always possible where something is created.
 */
#ifndef TENON_ABI_H
#define TENON_ABI_H

#include <stddef.h>
#include <stdint.h>

#define TENON_ABI_MAJOR 0
#define TENON_ABI_MINOR 1

/* The one symbol that a plugin exports, a const struct tenon_plugin; its name carries the major. */
#define TENON_PLUGIN_SYMBOL tenon_plugin_v0

#ifdef __cplusplus
#define TENON_EXTERN_C extern "C"
#else
#define TENON_EXTERN_C extern
#endif

/* Makes a symbol visible in a module that is built with hidden visibility. */
#define TENON_EXPORT __attribute__((visibility("default")))

/*
 * True when table @t, as handed over at run time, is long enough to hold @member and it is set; a
 * NULL table has nothing.  For members that are pointers.  Asking once in init for the newest
 * member that a plugin uses is enough: tables only grow.  [any]
 */
#define TENON_HAS(t, member)                                                                       \
	((t) != NULL &&                                                                            \
		(t)->struct_size >= offsetof(__typeof__(*(t)), member) + sizeof((t)->member) &&    \
		(t)->member != NULL)

/* Opaque objects of the core; only it makes them, and only pointers to them cross. */
struct tenon_dev;      /* one configured device; lives from create to destroy */
struct tenon_config;   /* its settings, checked against its key table */
struct tenon_region;   /* a window of registers */
struct tenon_irq;      /* an interrupt source */
struct tenon_notifier; /* a wake-up that can cross threads and processes */
struct tenon_watch;    /* a file descriptor in an event loop */
struct tenon_timer;    /* a deadline in an event loop */
struct tenon_vq;       /* a virtqueue */
struct tenon_fw;       /* a firmware description being written */
struct tenon_state_w;  /* device state being saved */
struct tenon_state_r;  /* device state being loaded */

#endif

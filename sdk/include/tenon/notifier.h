/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/notifier.h - wake-ups: an eventfd on Linux, a pipe elsewhere.
 *
 * A notifier is either signalled or not; signals before a drain are one.  It crosses threads and,
 * by its descriptor, processes.
 */
#ifndef TENON_NOTIFIER_H
#define TENON_NOTIFIER_H

#include <tenon/abi.h>

#define TENON_SVC_NOTIFIER "tenon.notifier/1"

struct tenon_notifier_svc {
	uint32_t struct_size;

	/* Makes one that is not signalled; the caller's, until destroy().  -EMFILE.  [any] */
	int (*create)(struct tenon_notifier **ret_notifier);
	/* Its descriptor, readable while it is signalled; borrowed until destroy().  [any] */
	int (*fd)(const struct tenon_notifier *notifier);
	/* Signals it.  Never blocks, cannot fail.  [any] */
	void (*signal)(struct tenon_notifier *notifier);
	/* Clears it; 1 when it had been signalled, else 0.  Never blocks.  [any] */
	int (*drain)(struct tenon_notifier *notifier);
	/* Ends it; nobody may use it or its descriptor any more.  NULL is fine.  [any] */
	void (*destroy)(struct tenon_notifier *notifier);
};

#endif

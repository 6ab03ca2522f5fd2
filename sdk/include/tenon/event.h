/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/event.h - the device's event loop: descriptors, timers and posted functions.
 *
 * All callbacks run on the loop that the device belongs to (`iothread` in the configuration), under
 * the instance's lock for TENON_SERIAL classes.
 */
#ifndef TENON_EVENT_H
#define TENON_EVENT_H

#include <tenon/abi.h>

#define TENON_SVC_EVENT "tenon.event/1"

#define TENON_FD_READ  1u
#define TENON_FD_WRITE 2u
#define TENON_FD_HUP   4u /* reported always, never asked for */

struct tenon_event {
	uint32_t struct_size;

	/* Level-triggered.  @fd is borrowed until fd_remove.  [main] [loop] */
	int (*fd_add)(struct tenon_dev *dev, int fd, uint32_t events,
		void (*ready)(struct tenon_dev *dev, void *arg, uint32_t events), void *arg,
		struct tenon_watch **ret_watch);
	int (*fd_modify)(struct tenon_watch *watch, uint32_t events); /* [main] [loop] */
	/* On return the callback is not running and never will, unless called from within it.
	 * NULL is fine.  [main] [loop] */
	void (*fd_remove)(struct tenon_watch *watch);

	/* A timer, created idle.  [main] [loop] */
	int (*timer_add)(struct tenon_dev *dev, void (*expired)(struct tenon_dev *dev, void *arg),
		void *arg, struct tenon_timer **ret_timer);
	/* Fires once at @deadline_ns of the monotonic clock; 0 stops it.  [any] */
	void (*timer_set)(struct tenon_timer *timer, uint64_t deadline_ns);
	void (*timer_remove)(struct tenon_timer *timer); /* as fd_remove [main] [loop] */

	/* Runs @fn on the loop, in order of posting; dropped if the device detaches first.  [any]
	 */
	int (*post)(struct tenon_dev *dev, void (*fn)(struct tenon_dev *dev, void *arg), void *arg);
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/event.h - the device's event loop: descriptors, timers and posted functions.
 *
 * All callbacks run on the loop that the device belongs to (`iothread` in the configuration), under
 * the instance's lock for TENON_SERIAL classes.  They must not block: what blocks belongs to
 * tenon/work.h.  What a device does not remove in detach, the core removes after it.
 */
#ifndef TENON_EVENT_H
#define TENON_EVENT_H

#include <tenon/abi.h>

#define TENON_SVC_EVENT "tenon.event/1"

/* What happened to a descriptor, or is asked for. */
#define TENON_FD_READ  1u
#define TENON_FD_WRITE 2u
#define TENON_FD_HUP   4u /* reported always, never asked for */

struct tenon_event {
	uint32_t struct_size;

	/*
	 * Calls @ready with @arg whenever @fd is ready for @events (TENON_FD_READ, TENON_FD_WRITE;
	 * 0 = only a hang-up) and as long as it is: level-triggered.  @fd is borrowed until
	 * fd_remove();
	 * *@ret_watch is set before the first call.  -EPERM for a file that is always ready,
	 * -EBADF, -EEXIST as epoll_ctl(2) has them.  [main] [loop]; @ready: [loop]
	 */
	int (*fd_add)(struct tenon_dev *dev, int fd, uint32_t events,
		void (*ready)(struct tenon_dev *dev, void *arg, uint32_t events), void *arg,
		struct tenon_watch **ret_watch);
	/* Asks for other @events from now on.  [main] [loop] */
	int (*fd_modify)(struct tenon_watch *watch, uint32_t events);
	/*
	 * Ends the watch.  On return its callback is not running and never will; called from within
	 * it, it is the last.  The descriptor stays open.  NULL is fine.  [main] [loop]
	 */
	void (*fd_remove)(struct tenon_watch *watch);

	/* Makes a timer that is not set; it calls @expired with @arg.  [main] [loop]; @expired:
	 * [loop] */
	int (*timer_add)(struct tenon_dev *dev, void (*expired)(struct tenon_dev *dev, void *arg),
		void *arg, struct tenon_timer **ret_timer);
	/*
	 * Sets the timer to fire once at @deadline_ns of the monotonic clock (tenon/clock.h),
	 * instead of what it was set to; one in the past fires at once, 0 stops it.  Cannot fail.
	 * [any]
	 */
	void (*timer_set)(struct tenon_timer *timer, uint64_t deadline_ns);
	/* Ends the timer, with fd_remove()'s promise.  NULL is fine.  [main] [loop] */
	void (*timer_remove)(struct tenon_timer *timer);

	/*
	 * Runs @fn with @arg on the loop, once, in the order of posting, and never from within this
	 * call.  Dropped if the device is detached first.  [any]; @fn: [loop]
	 */
	int (*post)(struct tenon_dev *dev, void (*fn)(struct tenon_dev *dev, void *arg), void *arg);
};

#endif

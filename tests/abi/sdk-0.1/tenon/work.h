/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/work.h - a bounded pool of threads for calls that block.
 *
 * A job is run once on a thread of the pool, which all devices share; then its done() is called on
 * the device's loop.  Jobs of a device may run at the same time and end in any order.  A device
 * that is detached has its jobs cancelled by the core.
 */
#ifndef TENON_WORK_H
#define TENON_WORK_H

#include <tenon/abi.h>

#define TENON_SVC_WORK "tenon.work/1"

/*
 * One job, zeroed before its first use but for what the plugin sets: struct_size, run and done. The
 * plugin owns the memory, most often as part of something larger, and keeps it until done() was
 * called or cancel() returned; then it may be submitted again.  core[] is the core's.
 */
struct tenon_job {
	uint32_t struct_size;
	int32_t result; /* what run() returned; valid in done() */
	/* Does what blocks, without the instance's lock; may not touch queues.  [work] */
	int (*run)(struct tenon_dev *dev, struct tenon_job *job);
	/* The job is over; may be NULL, may free the job or submit it again.  [loop] */
	void (*done)(struct tenon_dev *dev, struct tenon_job *job);
	void *core[6];
};

struct tenon_work {
	uint32_t struct_size;

	/*
	 * Puts @job into the pool; never waits for room.  -EBUSY while it is under way, -EAGAIN
	 * where there is no thread to be had.  [any]
	 */
	int (*submit)(struct tenon_dev *dev, struct tenon_job *job);
	/*
	 * Takes @job back.  1: neither of its functions runs; 0: run() has ended, if need be after
	 * waiting for it, and done() will not be called any more.  !locked [main] [loop]
	 */
	int (*cancel)(struct tenon_dev *dev, struct tenon_job *job);
	/*
	 * Waits until every job of the device has run and its done() returned; for quiesce.
	 * !locked [main]
	 */
	void (*flush)(struct tenon_dev *dev);
};

#endif

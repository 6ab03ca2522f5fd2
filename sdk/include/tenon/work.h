/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/work.h - a bounded pool of threads for calls that block.
 */
#ifndef TENON_WORK_H
#define TENON_WORK_H

#include <tenon/abi.h>

#define TENON_SVC_WORK "tenon.work/1"

/*
 * One job.  The plugin owns the memory and keeps it until done() was called or cancel() returned;
 * the core uses core[] while the job is under way.
 */
struct tenon_job {
	uint32_t struct_size;
	int32_t result;                                             /* what run() returned */
	int (*run)(struct tenon_dev *dev, struct tenon_job *job);   /* [work] */
	void (*done)(struct tenon_dev *dev, struct tenon_job *job); /* [loop] */
	void *core[6];
};

struct tenon_work {
	uint32_t struct_size;

	int (*submit)(struct tenon_dev *dev, struct tenon_job *job); /* -EBUSY if under way [any] */
	/* 1: taken back, neither function runs; 0: it ran, and done() will not be called any more;
	 * waits for run() to end.  !locked [main] [loop] */
	int (*cancel)(struct tenon_dev *dev, struct tenon_job *job);
	/* Waits until every job of the device has run and its done() returned.  !locked [main] */
	void (*flush)(struct tenon_dev *dev);
};

#endif

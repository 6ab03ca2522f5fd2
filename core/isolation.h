/* SPDX-License-Identifier: Apache-2.0 */
/*
 * isolation = "process": the device lives in a process of its own, which is `tenon serve`, and is
 * reached through the vhost-user front end, which is a plugin like any other.
 *
 * No code of the device's module runs in the VM's process: the settings are checked over there, and
 * come there as they were written.  The process listens on a socket whose name is its own: while it
 * is dead nobody is there, and the front end tries again until the next process is.
 */
#ifndef TENON_CORE_ISOLATION_H
#define TENON_CORE_ISOLATION_H

#include <stdbool.h>

struct config_device;
struct error;
struct event_loop;
struct isolation;
struct tenon_dev;
struct vm_config;

/* Forks the keeper, if a device is isolated; *@ret_isolation is NULL if none is.  [main, no other
 * thread yet] */
int isolation_create(
	const struct vm_config *config, struct isolation **ret_isolation, struct error *err);

/* Whether @device is to be in a process of its own.  [any] */
bool isolation_is_wanted(const struct vm_config *config, const struct config_device *device);

bool isolation_has(const struct isolation *isolation, const struct config_device *device);
/* Starts the processes, all at once.  [main] */
int isolation_start(struct isolation *isolation, struct error *err);
/*
 * Waits until the process of @device is ready, and says how the front end is configured that stands
 * for it; lives as long as @isolation.  Why the process could not get ready is its own sentence.
 * [main]
 */
int isolation_front_end(struct isolation *isolation, const struct config_device *device,
	const struct config_device **ret_front_end, struct error *err);
/* The front end @dev is attached: gives it the terminal, if its process asked for one.  [main] */
int isolation_attached(struct isolation *isolation, struct tenon_dev *dev, struct error *err);
/* What the process of the front end @dev may touch, a line each; NULL for one that is none. */
const char *isolation_touches(const struct isolation *isolation, const struct tenon_dev *dev);
/* Its settings as its process has checked them, a line each; NULL as above. */
const char *isolation_settings(const struct isolation *isolation, const struct tenon_dev *dev);
/* What it stands for, as configured; NULL for one that is no such front end. */
const struct config_device *isolation_config(
	const struct isolation *isolation, const struct tenon_dev *dev);

/* No more processes but these; from now on @loop looks after them.  [main] */
int isolation_run(struct isolation *isolation, struct event_loop *loop, struct error *err);
/* Ends the processes; what they still write to the terminal is let out.  The devices are quiesced
 * and stand.  NULL is fine.  [main] */
void isolation_end(struct isolation *isolation);
void isolation_destroy(struct isolation *isolation); /* NULL is fine [main] */

#endif

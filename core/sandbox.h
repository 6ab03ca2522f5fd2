/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sandbox: what is left to the process once its devices are attached.
 *
 * Of the process of the VM every thread is sealed for itself, because each kind needs something
 * else: a system call filter, Landlock and the end of what privileges there were.  A process that
 * hosts one device (a child of it, or of somebody else's VMM) has one call to make between the
 * device's attach and its start: sandbox_enter_child().
 *
 * A forbidden system call ends the process with one sentence and exit code 1; the terminal is
 * restored first.  What the host cannot do is logged once, and the rest is done.
 */
#ifndef TENON_CORE_SANDBOX_H
#define TENON_CORE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct error;
struct event_loop;
struct sandbox;
struct tenon_dev;
struct tenon_device_class;

enum sandbox_mode {
	SANDBOX_ON,
	SANDBOX_LOG, /* system calls that would be forbidden are logged; nothing is forbidden */
	SANDBOX_OFF,
};

enum sandbox_kind {
	SANDBOX_LOOP,     /* the main thread */
	SANDBOX_IOTHREAD, /* a device's own event loop */
	SANDBOX_WORK,     /* of the pool that devices share */
	SANDBOX_VCPU,
	SANDBOX_CHILD, /* every thread of a process that hosts one device */
	SANDBOX_KINDS,
};

/* ---- what a device may do; sandbox_paths.c ---- */

struct sandbox_path {
	char *path;      /* owned */
	uint32_t access; /* TENON_PATH_* */
};

struct sandbox_paths {
	struct sandbox_path *at; /* owned */
	size_t n;
};

/* TENON_NEEDS_* that the class declares, 0 where its table is too short to. */
uint64_t sandbox_needs(const struct tenon_device_class *cls);
/* Its list of further system calls, or NULL. */
const char *const *sandbox_syscalls(const struct tenon_device_class *cls);
/* Appends the paths of @dev's settings and those that it names itself.  0 or -ENOMEM.  [main] */
int sandbox_paths_add(struct sandbox_paths *paths, struct tenon_dev *dev);
void sandbox_paths_free(struct sandbox_paths *paths); /* zeroed is fine */
/* What the device may do, for `tenon check`: lines behind @indent.  0 or -ENOMEM.  [main] */
int sandbox_print(struct tenon_dev *dev, const char *indent, FILE *out);

/* ---- the process of the VM; sandbox.c ---- */

/*
 * Prepares all of it: filters, paths, the handler.  After every attach, before any other function
 * here.  @devices are read now and not kept; those that are not on @main_loop have iothreads.
 * @pool: the pool's threads are sealed too.  *ret_sandbox is NULL where there is none.  [main]
 */
int sandbox_create(enum sandbox_mode mode, struct tenon_dev *devices,
	const struct event_loop *main_loop, bool pool, struct sandbox **ret_sandbox,
	struct error *err);
/*
 * Seals the calling thread for good, and those that it will start.  @loop is an iothread's own,
 * else NULL.  NULL for @sandbox does nothing.  [any]
 */
void sandbox_enter(struct sandbox *sandbox, enum sandbox_kind kind, const struct event_loop *loop);
/* What was prepared; what was entered stays.  NULL is fine.  [main] */
void sandbox_destroy(struct sandbox *sandbox);

/* ---- a process that hosts one device; sandbox_child.c ---- */

struct sandbox_spec {
	enum sandbox_mode mode;
	const char *device;               /* its name, for messages; lives as long as the process */
	uint64_t needs;                   /* see sandbox_needs() */
	const char *const *syscalls;      /* see sandbox_syscalls(); may be NULL */
	const struct sandbox_path *paths; /* see sandbox_paths_add() */
	size_t n_paths;
	bool work_pool;     /* the core's pool runs here: its threads may be started */
	unsigned max_fds;   /* descriptors; 0 = as it is */
	unsigned max_tasks; /* processes and threads of the user; 0 = as it is */
};

/*
 * Seals the whole calling process for good: rlimits, no_new_privs, not dumpable, its own user,
 * mount, net (without TENON_NEEDS_NETWORK) and ipc namespaces, no capability, Landlock, one filter
 * for every thread.  Messages on descriptors that are open (the vhost-user socket), accepting on
 * them, shared memory that arrives by them and eventfds stay allowed.
 *
 * Call it between attach and start, and while there is one thread: a user namespace and Landlock
 * are refused to, or do not reach, threads that are there already.  0 or -errno; only what a
 * configuration mends is an error (an unknown name in @spec->syscalls), or memory.  [main]
 */
int sandbox_enter_child(const struct sandbox_spec *spec, struct error *err);

/* ---- reports; sandbox_report.c ---- */

/* Whose callback runs on this thread, for messages; NULL = none.  Returns whose did before.  [any]
 */
const char *sandbox_note_device(const char *name);
/* What the calling thread is called in a report; sandbox_enter() does it too.  [any] */
void sandbox_report_thread(enum sandbox_kind kind);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* An event loop with a thread of its own, for the devices that name it. */
#ifndef TENON_CORE_IOTHREAD_H
#define TENON_CORE_IOTHREAD_H

struct event_loop;
struct iothread;

/* Returns when the loop runs.  @name is borrowed.  [main] */
int iothread_create(const char *name, struct iothread **ret_thread);
void iothread_destroy(struct iothread *thread); /* stops and joins; NULL is fine [main] */
struct event_loop *iothread_loop(const struct iothread *thread);
const char *iothread_name(const struct iothread *thread);

#endif

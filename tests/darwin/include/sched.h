/* SPDX-License-Identifier: Apache-2.0 */
/* sched(2): yield is all that is used of it. */
#ifndef TENON_DARWIN_SCHED_H
#define TENON_DARWIN_SCHED_H

int sched_yield(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The host's clock that the guest's counter is made of, and waiting by it. */
#ifndef TENON_BACKENDS_HVF_CLOCK_H
#define TENON_BACKENDS_HVF_CLOCK_H

#include <pthread.h>
#include <stdint.h>

#define HVF_FOREVER UINT64_MAX

/* Ticks of the counter before a vCPU's offset is taken off. */
uint64_t hvf_clock_ticks(void);
uint64_t hvf_clock_ns(uint64_t ticks);
void hvf_clock_init(pthread_cond_t *cond);
/* As pthread_cond_wait(), for @ns at most.  0 or an errno. */
int hvf_clock_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t ns);

#endif

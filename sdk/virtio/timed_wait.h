/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a condition till a moment of the monotonic clock; one file per host. */
#ifndef TENON_SDK_VIRTIO_TIMED_WAIT_H
#define TENON_SDK_VIRTIO_TIMED_WAIT_H

#include <pthread.h>
#include <stdint.h>

uint64_t timed_wait_now(void); /* ns [any] */
/* For a condition that is waited for so; it is destroyed as others are. */
void timed_wait_init(pthread_cond_t *cond);
/* 0, or ETIMEDOUT; @lock is held, and @cond may wake for nothing. */
int timed_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t until_ns);

#endif

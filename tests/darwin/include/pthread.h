/* SPDX-License-Identifier: Apache-2.0 */
/* pthread(3): no barriers, no spin locks, no clock for a condition, and a name for oneself alone.
 */
#ifndef TENON_DARWIN_PTHREAD_H
#define TENON_DARWIN_PTHREAD_H

#include <sched.h>
#include <sys/types.h>
#include <time.h>

typedef struct _pthread *pthread_t;
typedef unsigned long pthread_key_t;
typedef struct {
	long opaque[8];
} pthread_attr_t, pthread_mutex_t, pthread_cond_t, pthread_rwlock_t;
typedef struct {
	long opaque[2];
} pthread_once_t, pthread_mutexattr_t, pthread_condattr_t;

#define PTHREAD_MUTEX_INITIALIZER                                                                  \
	{                                                                                          \
		{                                                                                  \
			0x32AAABA7                                                                 \
		}                                                                                  \
	}
#define PTHREAD_COND_INITIALIZER                                                                   \
	{                                                                                          \
		{                                                                                  \
			0x3CB0B1BB                                                                 \
		}                                                                                  \
	}
#define PTHREAD_RWLOCK_INITIALIZER                                                                 \
	{                                                                                          \
		{                                                                                  \
			0x2DA8B3B4                                                                 \
		}                                                                                  \
	}
#define PTHREAD_ONCE_INIT                                                                          \
	{                                                                                          \
		{                                                                                  \
			0x30B1BCBA                                                                 \
		}                                                                                  \
	}
#define PTHREAD_CREATE_DETACHED 2
#define PTHREAD_MUTEX_RECURSIVE 2
#define PTHREAD_CANCEL_DISABLE  0

int pthread_create(
	pthread_t *ret_thread, const pthread_attr_t *attr, void *(*run)(void *arg), void *arg);
int pthread_join(pthread_t thread, void **ret_value);
int pthread_detach(pthread_t thread);
pthread_t pthread_self(void);
int pthread_equal(pthread_t a, pthread_t b);
void pthread_exit(void *value) __attribute__((noreturn));
int pthread_setname_np(const char *name);
int pthread_getname_np(pthread_t thread, char *name, size_t room);
int pthread_threadid_np(pthread_t thread, uint64_t *ret_id);
int pthread_once(pthread_once_t *once, void (*run)(void));
int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));

int pthread_attr_init(pthread_attr_t *attr);
int pthread_attr_destroy(pthread_attr_t *attr);
int pthread_attr_setdetachstate(pthread_attr_t *attr, int state);
int pthread_attr_setstacksize(pthread_attr_t *attr, size_t size);

int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr);
int pthread_mutex_destroy(pthread_mutex_t *mutex);
int pthread_mutex_lock(pthread_mutex_t *mutex);
int pthread_mutex_trylock(pthread_mutex_t *mutex);
int pthread_mutex_unlock(pthread_mutex_t *mutex);
int pthread_mutexattr_init(pthread_mutexattr_t *attr);
int pthread_mutexattr_destroy(pthread_mutexattr_t *attr);
int pthread_mutexattr_settype(pthread_mutexattr_t *attr, int type);

int pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr);
int pthread_cond_destroy(pthread_cond_t *cond);
int pthread_cond_signal(pthread_cond_t *cond);
int pthread_cond_broadcast(pthread_cond_t *cond);
int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);
int pthread_cond_timedwait(
	pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until);
int pthread_cond_timedwait_relative_np(
	pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *span);
int pthread_condattr_init(pthread_condattr_t *attr);
int pthread_condattr_destroy(pthread_condattr_t *attr);

int pthread_rwlock_init(pthread_rwlock_t *lock, const void *attr);
int pthread_rwlock_destroy(pthread_rwlock_t *lock);
int pthread_rwlock_rdlock(pthread_rwlock_t *lock);
int pthread_rwlock_wrlock(pthread_rwlock_t *lock);
int pthread_rwlock_unlock(pthread_rwlock_t *lock);

int pthread_key_create(pthread_key_t *ret_key, void (*destroy)(void *value));
int pthread_setspecific(pthread_key_t key, const void *value);
void *pthread_getspecific(pthread_key_t key);

void pthread_jit_write_protect_np(int enabled);

#endif

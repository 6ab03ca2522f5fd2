/* SPDX-License-Identifier: Apache-2.0 */
/* kqueue(2), kevent(2). */
#ifndef TENON_DARWIN_SYS_EVENT_H
#define TENON_DARWIN_SYS_EVENT_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define EVFILT_READ   (-1)
#define EVFILT_WRITE  (-2)
#define EVFILT_AIO    (-3)
#define EVFILT_VNODE  (-4)
#define EVFILT_PROC   (-5)
#define EVFILT_SIGNAL (-6)
#define EVFILT_TIMER  (-7)
#define EVFILT_USER   (-10)

#define EV_ADD     0x0001
#define EV_DELETE  0x0002
#define EV_ENABLE  0x0004
#define EV_DISABLE 0x0008
#define EV_ONESHOT 0x0010
#define EV_CLEAR   0x0020
#define EV_RECEIPT 0x0040
#define EV_ERROR   0x4000
#define EV_EOF     0x8000

#define NOTE_TRIGGER 0x01000000

#define NOTE_DELETE 0x00000001
#define NOTE_WRITE  0x00000002
#define NOTE_EXTEND 0x00000004
#define NOTE_ATTRIB 0x00000008
#define NOTE_EXIT   0x80000000

struct kevent {
	uintptr_t ident;
	int16_t filter;
	uint16_t flags;
	uint32_t fflags;
	intptr_t data;
	void *udata;
};

#define EV_SET(kev, i, f, fl, ff, d, u)                                                            \
	do {                                                                                       \
		struct kevent *__kev = (kev);                                                      \
		*__kev = (struct kevent){ .ident = (uintptr_t)(i),                                 \
			.filter = (f),                                                             \
			.flags = (fl),                                                             \
			.fflags = (ff),                                                            \
			.data = (d),                                                               \
			.udata = (u) };                                                            \
	} while (0)

int kqueue(void);
int kevent(int queue, const struct kevent *changes, int n_changes, struct kevent *events,
	int n_events, const struct timespec *timeout);

#endif

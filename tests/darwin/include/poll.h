/* SPDX-License-Identifier: Apache-2.0 */
/* poll(2). */
#ifndef TENON_DARWIN_POLL_H
#define TENON_DARWIN_POLL_H

#define POLLIN   0x0001
#define POLLPRI  0x0002
#define POLLOUT  0x0004
#define POLLERR  0x0008
#define POLLHUP  0x0010
#define POLLNVAL 0x0020

typedef unsigned int nfds_t;

struct pollfd {
	int fd;
	short events, revents;
};

int poll(struct pollfd *fds, nfds_t n, int timeout_ms);

#endif

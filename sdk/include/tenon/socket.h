/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/socket.h - sockets as plugins want them, on every host: no child inherits them, no call
 * blocks, and a peer that is gone is an error of the call and no signal.  Inline: nothing crosses
 * the ABI.  All are [any].
 */
#ifndef TENON_SOCKET_H
#define TENON_SOCKET_H

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

/* For send() and sendmsg(): no SIGPIPE.  Where it is 0 the socket itself has been told. */
#ifdef MSG_NOSIGNAL
#define TENON_MSG_QUIET MSG_NOSIGNAL
#else
#define TENON_MSG_QUIET 0
#endif

/*
 * Makes @fd a socket as above: one that was inherited, or an end of a pair.  0, or -1 with errno.
 */
static inline int tenon_socket_adopt(int fd)
{
	int flags = fcntl(fd, F_GETFL);
#ifdef SO_NOSIGPIPE
	int on = 1;

	/* What is connected to nobody any more takes no options, and needs none. */
	(void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on));
#endif
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -1;
	return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* What was made in two steps. */
static inline int tenon_socket_finish_(int fd)
{
	int saved;

	if (fd < 0 || tenon_socket_adopt(fd) == 0)
		return fd;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

/* As socket() and accept(): a descriptor, or -1 with errno. */
#if defined(__linux__) && defined(_GNU_SOURCE)
static inline int tenon_socket(int family, int type, int protocol)
{
	return socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
}

static inline int tenon_accept(int listener)
{
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}
#else
static inline int tenon_socket(int family, int type, int protocol)
{
	return tenon_socket_finish_(socket(family, type, protocol));
}

static inline int tenon_accept(int listener)
{
	return tenon_socket_finish_(accept(listener, NULL, NULL));
}
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the lab's programs name a socket: vsock:CID:PORT, unix:PATH, or connect:PATH:PORT, which is a
 * unix socket where the guest's port must be asked for.
 */
#ifndef TENON_LAB_ADDRESS_H
#define TENON_LAB_ADDRESS_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

static inline void die(const char *what)
{
	(void)printf("%s: %s: %s\n", program_invocation_short_name, what,
		errno ? strerror(errno) : "wrong");
	exit(1);
}

union address {
	struct sockaddr any;
	struct sockaddr_un un;
	struct sockaddr_vm vm;
};

/* *@ret_port is what is to be asked for, or 0. */
static inline socklen_t parse(const char *text, union address *ret, unsigned *ret_port)
{
	char path[101];
	unsigned cid;

	memset(ret, 0, sizeof(*ret));
	*ret_port = 0;
	if (sscanf(text, "vsock:%u:%u", &cid, ret_port) == 2) {
		ret->vm.svm_family = AF_VSOCK;
		ret->vm.svm_cid = cid;
		ret->vm.svm_port = *ret_port;
		*ret_port = 0;
		return sizeof(ret->vm);
	}
	if (sscanf(text, "connect:%100[^:]:%u", path, ret_port) != 2 &&
		sscanf(text, "unix:%100s", path) != 1)
		die(text);
	ret->un.sun_family = AF_UNIX;
	(void)snprintf(ret->un.sun_path, sizeof(ret->un.sun_path), "%s", path);
	return sizeof(ret->un);
}

/* On a socket with messages both are one; on another the answer is read no further than its end. */
static inline void greet(int fd, unsigned port, int type)
{
	size_t step = type == SOCK_SEQPACKET ? 31 : 1, have = 0;
	char text[33] = "";
	int n = snprintf(text, sizeof(text), "CONNECT %u\n", port);
	ssize_t part;

	if (write(fd, text, (size_t)n) != n)
		die("greeting");
	do {
		part = read(fd, text + have, step);
		have += part > 0 ? (size_t)part : 0;
	} while (part > 0 && text[have - 1] != '\n' && have < 31);
	if (part <= 0 || memcmp(text, "OK ", 3) != 0)
		die("answer to the greeting");
}

static inline int dial(const char *text, int type)
{
	union address address;
	unsigned port;
	socklen_t size = parse(text, &address, &port);
	int fd = socket(address.any.sa_family, type, 0);

	if (fd < 0 || connect(fd, &address.any, size) < 0)
		die("connect");
	if (port)
		greet(fd, port, type);
	return fd;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * messages: what the lab's cases talk through SOCK_SEQPACKET with, on both sides.
 *
 *	messages serve ADDRESS     gives back each message, whole; after the last one says how many
 *	messages echo ADDRESS      sends messages of all lengths and wants them back as they were
 *
 * ADDRESS is what address.h says.  Prints one line and exits 0 when all was as it should be.
 */
#include <stdint.h>

#include "address.h"

#define LONGEST (128u << 10) /* as tenon-vsock(7) has it */
#define MANY    200u         /* messages on their way at once */

static uint8_t bytes[LONGEST + 1], got[2 * LONGEST];

static int listen_at(const char *text)
{
	union address address;
	unsigned port;
	socklen_t size = parse(text, &address, &port);
	int fd = socket(address.any.sa_family, SOCK_SEQPACKET, 0);

	if (fd < 0 || bind(fd, &address.any, size) < 0 || listen(fd, 10) < 0)
		die("listen");
	return fd;
}

/* The other side sends no more, and still listens. */
static void say_how_many(int fd, unsigned n)
{
	char text[32];
	int size = snprintf(text, sizeof(text), "%u messages", n);

	if (send(fd, text, (size_t)size, MSG_NOSIGNAL) != size)
		die("the last message");
}

static _Noreturn void serve(const char *text)
{
	int listener = listen_at(text);

	(void)printf("messages: serving\n");
	(void)fflush(stdout);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		unsigned count = 0;
		ssize_t n;

		if (fd < 0)
			die("accept");
		while ((n = recv(fd, got, sizeof(got), 0)) > 0) {
			if (send(fd, got, (size_t)n, MSG_NOSIGNAL | MSG_EOR) != n)
				die("send");
			count++;
		}
		if (n == 0)
			say_how_many(fd, count);
		(void)close(fd);
	}
}

static void send_one(int fd, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i * 7 + size + (i >> 8));
	if (send(fd, bytes, size, MSG_NOSIGNAL) != (ssize_t)size)
		die("send");
}

static void want_one(int fd, size_t size)
{
	ssize_t n = recv(fd, got, sizeof(got), 0);

	errno = n < 0 ? errno : 0;
	if (n != (ssize_t)size)
		die("the length of what came back");
	for (size_t i = 0; i < size; i++)
		if (got[i] != (uint8_t)(i * 7 + size + (i >> 8)))
			die("what came back");
}

static void want_end(int fd, unsigned count)
{
	char text[32];
	int size = snprintf(text, sizeof(text), "%u messages", count);

	if (shutdown(fd, SHUT_WR) < 0)
		die("shutdown");
	if (recv(fd, got, sizeof(got), 0) != size || memcmp(got, text, (size_t)size) != 0)
		die("the number of messages");
	if (recv(fd, got, sizeof(got), 0) != 0)
		die("the end");
}

static int echo(const char *text)
{
	static const size_t sizes[] = { 1, 2, 4051, 4052, 4053, 4096, 65535, 65536, 65537, 100000,
		LONGEST };
	int fd = dial(text, SOCK_SEQPACKET);
	unsigned count = 0;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++, count++) {
		send_one(fd, sizes[i]);
		want_one(fd, sizes[i]);
	}
	/* Each goes by itself, also when many are on their way. */
	for (unsigned i = 0; i < MANY; i++)
		send_one(fd, 1 + i % 5);
	for (unsigned i = 0; i < MANY; i++, count++)
		want_one(fd, 1 + i % 5);
	/* Older kernels say ENOMEM where EMSGSIZE is meant. */
	if (strncmp(text, "vsock", 5) == 0 && (send(fd, bytes, LONGEST + 1, MSG_NOSIGNAL) != -1 ||
						      (errno != EMSGSIZE && errno != ENOMEM)))
		die("a message that is too long was taken");
	want_end(fd, count);
	(void)printf("messages: %u there and back, up to %u bytes\n", count, LONGEST);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		serve(argv[2]);
	if (argc == 3 && strcmp(argv[1], "echo") == 0)
		return echo(argv[2]);
	(void)fprintf(stderr, "usage: messages serve ADDRESS | echo ADDRESS\n");
	return 2;
}

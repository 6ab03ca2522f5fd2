/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockets: what the lab's cases talk through sockets with, on both sides; linked statically.
 *
 *	sockets serve ADDRESS          gives back what it gets, on any number of connections
 *	sockets echo ADDRESS MIB       sends so much, wants the same bytes back, each byte compared
 *	sockets many ADDRESS N         N connections at once; each wants back its own words
 *
 * ADDRESS is what address.h says.  Prints one line and exits 0 when all was as it should be.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "address.h"

#define MOST   1100
#define CHUNK  65536u
#define PERIOD 65521u /* of what is sent: no size of a packet or a buffer */

/* ---- serve ---- */

static struct served {
	uint8_t *bytes;
	size_t n; /* not yet given back */
	bool ended;
} served[MOST];
static struct pollfd polled[MOST];
static nfds_t n_polled;

static void drop(nfds_t i)
{
	(void)close(polled[i].fd);
	free(served[i].bytes);
	polled[i] = polled[--n_polled];
	served[i] = served[n_polled];
}

/* False when the connection is at its end. */
static bool give_back(nfds_t i)
{
	struct served *s = &served[i];
	ssize_t n;

	if (s->n < CHUNK && !s->ended && (polled[i].revents & (POLLIN | POLLHUP | POLLERR))) {
		n = recv(polled[i].fd, s->bytes + s->n, CHUNK - s->n, MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			return false;
		s->ended = n == 0;
		s->n += n > 0 ? (size_t)n : 0;
	}
	if (s->n > 0) {
		n = send(polled[i].fd, s->bytes, s->n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			return false;
		if (n > 0) {
			s->n -= (size_t)n;
			memmove(s->bytes, s->bytes + n, s->n);
		}
	}
	polled[i].events =
		(short)((s->n > 0 ? POLLOUT : 0) | (s->n < CHUNK && !s->ended ? POLLIN : 0));
	return !(s->ended && s->n == 0);
}

static _Noreturn void serve(const char *text)
{
	union address address;
	unsigned port;
	socklen_t size = parse(text, &address, &port);
	int fd = socket(address.any.sa_family, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, &address.any, size) < 0 || listen(fd, 1000) < 0)
		die("listen");
	(void)printf("sockets: serving\n");
	(void)fflush(stdout);
	polled[n_polled++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	for (;;) {
		if (poll(polled, n_polled, -1) < 0)
			die("poll");
		for (nfds_t i = n_polled; i-- > 1;)
			if (polled[i].revents && !give_back(i))
				drop(i);
		if (!(polled[0].revents & POLLIN) || n_polled == MOST)
			continue;
		fd = accept(polled[0].fd, NULL, NULL);
		if (fd < 0)
			die("accept");
		served[n_polled] = (struct served){ malloc(CHUNK), 0, false };
		if (!served[n_polled].bytes)
			die("memory");
		polled[n_polled++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
}

/* ---- echo ---- */

static uint8_t pattern[PERIOD + CHUNK];

static void make_pattern(void)
{
	uint32_t state = 1;

	for (size_t i = 0; i < sizeof(pattern); i++) {
		if (i >= PERIOD)
			pattern[i] = pattern[i - PERIOD];
		else
			pattern[i] = (uint8_t)((state = state * 1664525u + 1013904223u) >> 24);
	}
}

static int echo(const char *text, size_t most)
{
	static uint8_t got[CHUNK];
	size_t sent = 0, received = 0;
	int fd = dial(text, SOCK_STREAM);

	make_pattern();
	while (received < most) {
		struct pollfd p = { fd, (short)(POLLIN | (sent < most ? POLLOUT : 0)), 0 };
		size_t part = most - sent < CHUNK ? most - sent : CHUNK;
		ssize_t n;

		if (poll(&p, 1, -1) < 0)
			die("poll");
		if (sent < most && (p.revents & POLLOUT)) {
			n = send(fd, pattern + sent % PERIOD, part, MSG_NOSIGNAL | MSG_DONTWAIT);
			if (n < 0 && errno != EAGAIN)
				die("send");
			sent += n > 0 ? (size_t)n : 0;
			if (sent == most && shutdown(fd, SHUT_WR) < 0)
				die("shutdown");
		}
		if (!(p.revents & (POLLIN | POLLHUP)))
			continue;
		n = recv(fd, got, sizeof(got), MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			continue;
		errno = n < 0 ? errno : 0;
		if (n <= 0 || memcmp(got, pattern + received % PERIOD, (size_t)n) != 0)
			die("what came back");
		received += (size_t)n;
	}
	errno = 0;
	if (read(fd, got, 1) != 0)
		die("the end");
	(void)printf("sockets: %zu bytes there and back\n", received);
	return 0;
}

/* ---- many ---- */

static int many(const char *text, int n)
{
	static int fds[MOST];
	char words[32], got[32];

	for (int i = 0; i < n; i++)
		fds[i] = dial(text, SOCK_STREAM);
	for (int i = 0; i < n; i++) {
		int size = snprintf(words, sizeof(words), "connection %d", i);

		if (write(fds[i], words, (size_t)size) != size || shutdown(fds[i], SHUT_WR) < 0)
			die("write");
	}
	for (int i = 0; i < n; i++) {
		size_t have = 0;
		ssize_t part;

		(void)snprintf(words, sizeof(words), "connection %d", i);
		while ((part = read(fds[i], got + have, sizeof(got) - 1 - have)) > 0)
			have += (size_t)part;
		got[have] = '\0';
		errno = part < 0 ? errno : 0;
		if (part < 0 || strcmp(got, words) != 0)
			die("what came back");
	}
	(void)printf("sockets: %d connections at once\n", n);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		serve(argv[2]);
	if (argc == 4 && strcmp(argv[1], "echo") == 0)
		return echo(argv[2], (size_t)atoi(argv[3]) << 20);
	if (argc == 4 && strcmp(argv[1], "many") == 0 && atoi(argv[3]) <= MOST)
		return many(argv[2], atoi(argv[3]));
	(void)fprintf(stderr, "usage: sockets serve ADDRESS | echo ADDRESS MIB | many ADDRESS N\n");
	return 2;
}

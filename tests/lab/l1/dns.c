/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab-dns ADDRESS: a name server for the lab's host.  Every name is at ADDRESS, except those that
 * begin with "no-", which there are not.  Listens on 127.0.0.1:53.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER  12
#define TYPE_A  1
#define NO_NAME 3

/* The end of the question's name, or 0. */
static size_t end_of_name(const uint8_t *query, size_t size)
{
	size_t at = HEADER;

	while (at < size && query[at] != 0)
		at += 1u + query[at];
	return at + 5 <= size ? at + 1 : 0;
}

/* Turns the query into its answer; the answer's size, 0 for what is no query. */
static size_t answer(uint8_t *m, size_t size, const struct in_addr *address)
{
	static const uint8_t record[] = { 0xc0, HEADER, 0, TYPE_A, 0, 1, 0, 0, 0, 60, 0, 4 };
	size_t end = size > HEADER ? end_of_name(m, size) : 0;
	int missing, a;

	if (end == 0 || (m[2] & 0x80))
		return 0;
	missing = strncasecmp((const char *)m + HEADER + 1, "no-", 3) == 0;
	a = m[end] == 0 && m[end + 1] == TYPE_A && !missing;
	m[2] = 0x85; /* an answer, and we should know */
	m[3] = (uint8_t)(0x80 | (missing ? NO_NAME : 0));
	memset(m + 6, 0, 6);
	m[7] = (uint8_t)a;
	size = end + 4;
	if (!a)
		return size;
	memcpy(m + size, record, sizeof(record));
	memcpy(m + size + sizeof(record), address, 4);
	return size + sizeof(record) + 4;
}

int main(int argc, char **argv)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) }, .sin_port = htons(53)
	};
	struct in_addr address;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (argc != 2 || inet_pton(AF_INET, argv[1], &address) != 1) {
		(void)fprintf(stderr, "usage: lab-dns ADDRESS\n");
		return 2;
	}
	if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0) {
		perror("lab-dns");
		return 1;
	}
	for (;;) {
		uint8_t message[600];
		struct sockaddr_in from;
		socklen_t from_size = sizeof(from);
		ssize_t got = recvfrom(fd, message, 512, 0, (struct sockaddr *)&from, &from_size);
		size_t size = got > 0 ? answer(message, (size_t)got, &address) : 0;

		if (size > 0)
			(void)sendto(
				fd, message, size, 0, (const struct sockaddr *)&from, from_size);
	}
}

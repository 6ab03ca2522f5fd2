/* SPDX-License-Identifier: Apache-2.0 */
/* Several datagrams at once, where the host has a call for that; one file per host. */
#ifndef NET_BATCH_H
#define NET_BATCH_H

#include <sys/socket.h>

struct batch_message {
	struct msghdr head;
	unsigned size; /* received */
};

/* How many of @n were received or sent, at least one; -1 with errno when the first was not. Neither
 * blocks. */
int batch_receive(int fd, struct batch_message *messages, unsigned n);
int batch_send(int fd, struct batch_message *messages, unsigned n);

#endif

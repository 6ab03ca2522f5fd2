/* SPDX-License-Identifier: Apache-2.0 */
/* Several datagrams with one call. */
#include "batch.h"

#include <stddef.h>

_Static_assert(sizeof(struct batch_message) == sizeof(struct mmsghdr) &&
		       offsetof(struct batch_message, size) == offsetof(struct mmsghdr, msg_len),
	"a message of ours is one of the kernel's");

int batch_receive(int fd, struct batch_message *messages, unsigned n)
{
	return recvmmsg(fd, (struct mmsghdr *)(void *)messages, n, MSG_DONTWAIT, NULL);
}

int batch_send(int fd, struct batch_message *messages, unsigned n)
{
	return sendmmsg(fd, (struct mmsghdr *)(void *)messages, n, MSG_NOSIGNAL);
}

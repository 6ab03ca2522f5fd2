/* SPDX-License-Identifier: Apache-2.0 */
/* One datagram after the other. */
#include "batch.h"

#include <tenon/socket.h>

int batch_receive(int fd, struct batch_message *messages, unsigned n)
{
	unsigned done = 0;

	while (done < n) {
		ssize_t got = recvmsg(fd, &messages[done].head, MSG_DONTWAIT);

		if (got < 0)
			break;
		messages[done++].size = (unsigned)got;
		if (got == 0) /* the end, which comes again and again */
			break;
	}
	return done > 0 ? (int)done : -1;
}

int batch_send(int fd, struct batch_message *messages, unsigned n)
{
	unsigned done = 0;

	while (done < n && sendmsg(fd, &messages[done].head, TENON_MSG_QUIET) >= 0)
		done++;
	return done > 0 ? (int)done : -1;
}

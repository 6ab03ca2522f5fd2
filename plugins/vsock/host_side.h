/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: the programs of the host that the guest talks with.
 *
 * Their sockets are the test's own and must not be there any more when the kit looks for what the
 * device has left: so a SOCKET_TEST closes them at its end.
 */
#ifndef PLUGINS_VSOCK_HOST_SIDE_H
#define PLUGINS_VSOCK_HOST_SIDE_H

#include <stdbool.h>
#include <sys/un.h>

#include <tenon/tenon.h>
#include <tenon/testkit.h>

#include "speaker.h"

#define PORT 1234u

#define SOCKET_TEST(name)                                                                          \
	static void test_##name(void);                                                             \
	TK_TEST(name)                                                                              \
	{                                                                                          \
		test_##name();                                                                     \
		close_ours();                                                                      \
	}                                                                                          \
	static void test_##name(void)

extern struct tk_dev *dev;
extern char settings[512]; /* its own */

/* A device with its socket "v" in a folder of its own, and a guest that speaks. */
void begin(const char *more);
/* A path in that folder; good until three more are asked for. */
const char *at(const char *name);

int our(int fd);
void our_close(int fd);
void close_ours(void);
int unix_socket(int type, const char *name, struct sockaddr_un *address);
int host_listen(int type, const char *name, int backlog);
int host_accept(int listener);
int host_dial(int type, const char *name);
void host_says(int fd, const char *text);
void host_hears(int fd, const char *text);
bool at_end(int fd);
/* A stream from the guest to PORT, where it is accepted. */
struct guest_socket one(int *ret_fd);

#endif

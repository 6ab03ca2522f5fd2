/* SPDX-License-Identifier: Apache-2.0 */
/* unix(4). */
#ifndef TENON_DARWIN_SYS_UN_H
#define TENON_DARWIN_SYS_UN_H

#include <sys/socket.h>

struct sockaddr_un {
	unsigned char sun_len;
	sa_family_t sun_family;
	char sun_path[104];
};

#define SOL_LOCAL     0
#define LOCAL_PEERPID 0x002

#endif

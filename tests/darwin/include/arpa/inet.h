/* SPDX-License-Identifier: Apache-2.0 */
/* inet(3). */
#ifndef TENON_DARWIN_ARPA_INET_H
#define TENON_DARWIN_ARPA_INET_H

#include <netinet/in.h>

int inet_pton(int family, const char *text, void *ret_address);
const char *inet_ntop(int family, const void *address, char *to, socklen_t room);
in_addr_t inet_addr(const char *text);
int inet_aton(const char *text, struct in_addr *ret_address);

#endif

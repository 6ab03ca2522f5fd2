/* SPDX-License-Identifier: Apache-2.0 */
/* tcp(4). */
#ifndef TENON_DARWIN_NETINET_TCP_H
#define TENON_DARWIN_NETINET_TCP_H

#define TCP_NODELAY 0x01

#endif

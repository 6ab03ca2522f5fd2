/* SPDX-License-Identifier: Apache-2.0 */
/* socket(2): no flags in the type, no MSG_NOSIGNAL, no accept4. */
#ifndef TENON_DARWIN_SYS_SOCKET_H
#define TENON_DARWIN_SYS_SOCKET_H

#include <sys/types.h>
#include <sys/uio.h>

typedef uint32_t socklen_t;
typedef uint8_t sa_family_t;

#define SOCK_STREAM    1
#define SOCK_DGRAM     2
#define SOCK_RAW       3
#define SOCK_SEQPACKET 5

#define AF_UNSPEC 0
#define AF_UNIX   1
#define AF_LOCAL  AF_UNIX
#define AF_INET   2
#define AF_INET6  30

#define SOL_SOCKET   0xffff
#define SO_REUSEADDR 0x0004
#define SO_KEEPALIVE 0x0008
#define SO_BROADCAST 0x0020
#define SO_LINGER    0x0080
#define SO_REUSEPORT 0x0200
#define SO_SNDBUF    0x1001
#define SO_RCVBUF    0x1002
#define SO_SNDTIMEO  0x1005
#define SO_RCVTIMEO  0x1006
#define SO_ERROR     0x1007
#define SO_TYPE      0x1008
#define SO_NOSIGPIPE 0x1022
#define SOMAXCONN    128

#define MSG_OOB      0x1
#define MSG_PEEK     0x2
#define MSG_EOR      0x8
#define MSG_TRUNC    0x10
#define MSG_CTRUNC   0x20
#define MSG_WAITALL  0x40
#define MSG_DONTWAIT 0x80

#define SCM_RIGHTS 0x01

#define SHUT_RD   0
#define SHUT_WR   1
#define SHUT_RDWR 2

struct sockaddr {
	uint8_t sa_len;
	sa_family_t sa_family;
	char sa_data[14];
};

struct sockaddr_storage {
	uint8_t ss_len;
	sa_family_t ss_family;
	char __pad1[6];
	int64_t __align;
	char __pad2[112];
};

struct msghdr {
	void *msg_name;
	socklen_t msg_namelen;
	struct iovec *msg_iov;
	int msg_iovlen;
	void *msg_control;
	socklen_t msg_controllen;
	int msg_flags;
};

struct cmsghdr {
	socklen_t cmsg_len;
	int cmsg_level, cmsg_type;
};

struct linger {
	int l_onoff, l_linger;
};

#define DARWIN_CMSG_ALIGN(n) (((n) + 3u) & ~3ul)
#define CMSG_DATA(c)         ((unsigned char *)(c) + DARWIN_CMSG_ALIGN(sizeof(struct cmsghdr)))
#define CMSG_SPACE(n)        (DARWIN_CMSG_ALIGN(sizeof(struct cmsghdr)) + DARWIN_CMSG_ALIGN(n))
#define CMSG_LEN(n)          (DARWIN_CMSG_ALIGN(sizeof(struct cmsghdr)) + (n))
#define CMSG_FIRSTHDR(m)                                                                           \
	((m)->msg_controllen >= sizeof(struct cmsghdr) ? (struct cmsghdr *)(m)->msg_control        \
						       : (struct cmsghdr *)0)
struct cmsghdr *darwin_cmsg_next(struct msghdr *m, struct cmsghdr *c);
#define CMSG_NXTHDR(m, c) darwin_cmsg_next(m, c)

int socket(int family, int type, int protocol);
int socketpair(int family, int type, int protocol, int ret_ends[2]);
int bind(int fd, const struct sockaddr *address, socklen_t size);
int listen(int fd, int waiting);
int accept(int fd, struct sockaddr *ret_address, socklen_t *size);
int connect(int fd, const struct sockaddr *address, socklen_t size);
int getsockname(int fd, struct sockaddr *ret_address, socklen_t *size);
int getpeername(int fd, struct sockaddr *ret_address, socklen_t *size);
int getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int setsockopt(int fd, int level, int name, const void *value, socklen_t size);
int shutdown(int fd, int how);
ssize_t send(int fd, const void *bytes, size_t size, int flags);
ssize_t sendto(
	int fd, const void *bytes, size_t size, int flags, const struct sockaddr *to, socklen_t n);
ssize_t sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t recv(int fd, void *bytes, size_t size, int flags);
ssize_t recvfrom(
	int fd, void *bytes, size_t size, int flags, struct sockaddr *ret_from, socklen_t *n);
ssize_t recvmsg(int fd, struct msghdr *message, int flags);

#endif

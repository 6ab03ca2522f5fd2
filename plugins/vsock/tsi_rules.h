/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the guest may reach: the list `tsi` of the settings.  What no rule allows is refused.
 *
 *	tcp:HOST:PORTS  udp:HOST:PORTS          connect or send to
 *	unix:PATH  unix:FOLDER/<star>           the same; all names in a folder, not below it
 *	listen:tcp:[HOST:]PORTS[:GUEST-PORT]    be reached at; udp likewise
 *	listen:unix:PATH
 *
 * HOST is an IPv4 address, an IPv6 address in brackets, either with /BITS, or "*"; PORTS is N, N-M
 *or
 * "*".  Where listen has no HOST it is the loopback address; "*" is the one that the guest asks
 *for.
 */
#ifndef PLUGINS_VSOCK_TSI_RULES_H
#define PLUGINS_VSOCK_TSI_RULES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct tsi_address {
	struct sockaddr_storage at;
	socklen_t size;
};

struct tsi_rule {
	bool listen;
	int type;          /* SOCK_STREAM, SOCK_DGRAM; 0 = both */
	int family;        /* AF_*; AF_UNSPEC = IPv4 and IPv6 */
	bool any;          /* every address */
	uint8_t bytes[16]; /* the address */
	unsigned bits;     /* of it that count */
	uint32_t first, last;
	uint32_t guest_port; /* listen: 0 = the host's */
	bool loopback;       /* listen: no address was given */
	char *path;
	bool folder; /* path is one, with its slash */
};

struct tsi_rules {
	struct tsi_rule *at;
	uint32_t n;
};

/* 0, -EINVAL with what was wanted in *ret_wanted, or -ENOMEM; @ret is freed by rules_free(). */
int tsi_rule_parse(struct tsi_rule *ret, const char *text, const char **ret_wanted);
void tsi_rules_free(struct tsi_rules *rules);
/* May the guest connect or send there? */
bool tsi_rules_reach(const struct tsi_rules *rules, int type, const struct tsi_address *to);
/*
 * Where on the host a guest that binds @guest is to be bound, by the @turn-th way that there is (0,
 * 1, ...): the next is to be tried when that one is taken.  False when there is none.
 */
bool tsi_rules_bind(const struct tsi_rules *rules, int type, const struct tsi_address *guest,
	uint32_t turn, struct tsi_address *ret);

uint16_t tsi_address_port(const struct tsi_address *address);
void tsi_address_set_port(struct tsi_address *address, uint16_t port);
/* A sockaddr as the guest sends it, of Linux; -EAFNOSUPPORT, -EINVAL. */
int tsi_address_decode(struct tsi_address *ret, const uint8_t *raw, uint32_t size, int family);

#endif

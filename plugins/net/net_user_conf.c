/* SPDX-License-Identifier: Apache-2.0 */
#include "net_user.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_NETWORK "10.0.2.0/24"
#define DHCP_FIRST      15u /* of the network; 16 addresses are given out */
#define DHCP_COUNT      16u
#define LONGEST_PREFIX  26

/* A decimal number in the whole of @text; -1 for anything else. */
static long number(const char *text, long most)
{
	char *end;
	long value;

	if (text[0] < '0' || text[0] > '9')
		return -1;
	value = strtol(text, &end, 10);
	return *end || value > most ? -1 : value;
}

static int read_network(const struct net *n, struct user_conf *c)
{
	const char *text = n->network ? n->network : DEFAULT_NETWORK;
	const char *slash = strchr(text, '/');
	char address[INET_ADDRSTRLEN];
	long bits = slash ? number(slash + 1, LONGEST_PREFIX) : -1;

	if (bits >= 8 && (size_t)(slash - text) < sizeof(address)) {
		memcpy(address, text, (size_t)(slash - text));
		address[slash - text] = '\0';
		c->mask.s_addr = htonl(UINT32_MAX << (32 - bits));
		if (inet_pton(AF_INET, address, &c->network) == 1 &&
			(c->network.s_addr & ~c->mask.s_addr) == 0)
			return 0;
	}
	return tenon_failf(net_host, n->dev, -EINVAL,
		"network \"%s\" is not ADDRESS/PREFIX with the host's part 0 and a prefix from 8 "
		"to %d",
		text, LONGEST_PREFIX);
}

static int read_address(const struct net *n, const struct user_conf *c, const char *key,
	const char *text, uint32_t fallback, struct in_addr *ret)
{
	uint32_t base = ntohl(c->network.s_addr), last = base | ~ntohl(c->mask.s_addr), at;

	ret->s_addr = htonl(base + fallback);
	if (!text)
		return 0;
	if (inet_pton(AF_INET, text, ret) == 1) {
		at = ntohl(ret->s_addr);
		if (at > base && at < last &&
			(at < base + DHCP_FIRST || at >= base + DHCP_FIRST + DHCP_COUNT))
			return 0;
	}
	return tenon_failf(net_host, n->dev, -EINVAL,
		"%s \"%s\" is not an address of the network outside of those that are given out "
		"(.%u to .%u)",
		key, text, DHCP_FIRST, DHCP_FIRST + DHCP_COUNT - 1);
}

int user_conf_read(const struct net *n, struct user_conf *ret_conf)
{
	struct user_conf c = { .network = { 0 } };
	int ret = read_network(n, &c);

	if (ret == 0)
		ret = read_address(n, &c, "host", n->host, 2, &c.host);
	if (ret == 0)
		ret = read_address(n, &c, "dns", n->dns, 3, &c.dns);
	if (ret < 0)
		return ret;
	if (c.host.s_addr == c.dns.s_addr)
		return net_host->fail(n->dev, -EINVAL, "host and dns are the same address");
	c.dhcp.s_addr = htonl(ntohl(c.network.s_addr) + DHCP_FIRST);
	*ret_conf = c;
	return 0;
}

/* Cuts @text at its colons; how many fields, or -1 for more than @most. */
static int split(char *text, char *fields[], int most)
{
	int n = 0;

	for (char *at = text; at; n++) {
		char *colon = strchr(at, ':');

		if (n == most)
			return -1;
		fields[n] = at;
		if (colon)
			*colon++ = '\0';
		at = colon;
	}
	return n;
}

static bool read_fields(char *fields[], int n, struct user_forward *f)
{
	long host_port = number(fields[2], 65535), guest_port = number(fields[n - 1], 65535);

	f->udp = strcmp(fields[0], "udp") == 0;
	f->host_port = (uint16_t)host_port;
	f->guest_port = (uint16_t)guest_port;
	if ((!f->udp && strcmp(fields[0], "tcp") != 0) || host_port <= 0 || guest_port <= 0)
		return false;
	/* No address means all of the host's. */
	if (fields[1][0] && inet_pton(AF_INET, fields[1], &f->host) != 1)
		return false;
	return n == 4 || inet_pton(AF_INET, fields[3], &f->guest) == 1;
}

int user_forward_read(const struct net *n, const char *text, struct user_forward *ret_forward)
{
	struct user_forward f = { .udp = false };
	char copy[80], *fields[5];
	int count = -1;

	if (strlen(text) < sizeof(copy)) {
		memcpy(copy, text, strlen(text) + 1);
		count = split(copy, fields, 5);
	}
	if (count < 4 || !read_fields(fields, count, &f))
		return tenon_failf(net_host, n->dev, -EINVAL,
			"forward \"%s\" is not PROTOCOL:ADDRESS:PORT:PORT, as in "
			"\"tcp:127.0.0.1:2222:22\"",
			text);
	*ret_forward = f;
	return 0;
}

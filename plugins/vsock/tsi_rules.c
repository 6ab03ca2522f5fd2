/* SPDX-License-Identifier: Apache-2.0 */
/* What the guest may reach; see tsi_rules.h. */
#include "tsi_rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "packet.h"

#define MOST_PORT 65535u

/* ---- addresses ---- */

uint16_t tsi_address_port(const struct tsi_address *address)
{
	if (address->at.ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)&address->at)->sin_port);
	if (address->at.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&address->at)->sin6_port);
	return 0;
}

void tsi_address_set_port(struct tsi_address *address, uint16_t port)
{
	if (address->at.ss_family == AF_INET)
		((struct sockaddr_in *)&address->at)->sin_port = htons(port);
	else if (address->at.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&address->at)->sin6_port = htons(port);
}

static int decode_unix(struct tsi_address *ret, const uint8_t *raw, uint32_t size)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&ret->at;
	size_t most = sizeof(un->sun_path), n;

	if (size < 4 || raw[2] != '/')
		return -EINVAL; /* no names that are not paths */
	most = size - 2 < most ? size - 2 : most;
	n = strnlen((const char *)raw + 2, most);
	if (n == sizeof(un->sun_path))
		return -ENAMETOOLONG;
	memcpy(un->sun_path, raw + 2, n);
	ret->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1);
	return 0;
}

int tsi_address_decode(struct tsi_address *ret, const uint8_t *raw, uint32_t size, int family)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ret->at;
	struct sockaddr_in *in = (struct sockaddr_in *)&ret->at;

	memset(ret, 0, sizeof(*ret));
	if (size < 2 || get_le(raw, 2) != (unsigned)family)
		return -EAFNOSUPPORT;
	ret->at.ss_family = (sa_family_t)family;
	if (family == AF_UNIX)
		return decode_unix(ret, raw, size);
	if (family == AF_INET && size >= 8) {
		memcpy(&in->sin_port, raw + 2, 2);
		memcpy(&in->sin_addr, raw + 4, 4);
		ret->size = sizeof(*in);
		return 0;
	}
	if (family == AF_INET6 && size >= 28) {
		memcpy(&in6->sin6_port, raw + 2, 2);
		memcpy(&in6->sin6_addr, raw + 8, 16);
		in6->sin6_scope_id = (uint32_t)get_le(raw + 24, 4);
		ret->size = sizeof(*in6);
		return 0;
	}
	return -EINVAL;
}

/* What is really reached: an IPv4 address inside of an IPv6 one is IPv4, no address is the loopback
 * one. */
static int canonical(const struct tsi_address *a, uint8_t bytes[16])
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a->at;
	static const uint8_t zero[16] = { 0 }, home[4] = { 127, 0, 0, 1 };
	int family = a->at.ss_family;

	memset(bytes, 0, 16);
	if (family == AF_INET)
		memcpy(bytes, &((const struct sockaddr_in *)&a->at)->sin_addr, 4);
	else if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) || IN6_IS_ADDR_V4COMPAT(&in6->sin6_addr)) {
		memcpy(bytes, (const uint8_t *)&in6->sin6_addr + 12, 4);
		family = AF_INET;
	} else
		memcpy(bytes, &in6->sin6_addr, 16);
	if (memcmp(bytes, zero, 16) != 0)
		return family;
	if (family == AF_INET)
		memcpy(bytes, home, 4);
	else
		bytes[15] = 1;
	return family;
}

/* ---- reading ---- */

static bool take_word(const char **at, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*at, word, n) != 0)
		return false;
	*at += n;
	return true;
}

static bool take_number(const char **at, uint32_t most, uint32_t *ret)
{
	uint32_t v = 0;

	if (**at < '0' || **at > '9')
		return false;
	for (; **at >= '0' && **at <= '9'; (*at)++) {
		v = v * 10 + (uint32_t)(**at - '0');
		if (v > most)
			return false;
	}
	*ret = v;
	return true;
}

/* N, N-M or *, up to the end or a colon. */
static bool take_ports(const char **at, struct tsi_rule *r)
{
	if (take_word(at, "*")) {
		r->first = 0;
		r->last = MOST_PORT;
	} else {
		if (!take_number(at, MOST_PORT, &r->first) || r->first == 0)
			return false;
		r->last = r->first;
		if (take_word(at, "-") && !take_number(at, MOST_PORT, &r->last))
			return false;
	}
	return r->first <= r->last && (**at == '\0' || **at == ':');
}

/* An address and the colon behind it. */
static bool take_host(const char **at, struct tsi_rule *r)
{
	bool brackets = take_word(at, "[");
	size_t n = strcspn(*at, brackets ? "]/" : ":/");
	uint32_t most = brackets ? 128 : 32, bits = most;
	char text[INET6_ADDRSTRLEN];

	if (n >= sizeof(text))
		return false;
	memcpy(text, *at, n);
	text[n] = '\0';
	*at += n;
	if (!brackets && strcmp(text, "*") == 0) {
		r->any = true;
		return take_word(at, ":");
	}
	r->family = brackets ? AF_INET6 : AF_INET;
	if (inet_pton(r->family, text, r->bytes) != 1)
		return false;
	/* The bits stand inside of the brackets or behind them. */
	if (take_word(at, "/") && !take_number(at, most, &bits))
		return false;
	if (brackets && !take_word(at, "]"))
		return false;
	if (brackets && take_word(at, "/") && !take_number(at, most, &bits))
		return false;
	r->bits = bits;
	return take_word(at, ":");
}

static int parse_path(struct tsi_rule *r, const char *path, const char **ret_wanted)
{
	size_t n = strlen(path);

	r->family = AF_UNIX;
	*ret_wanted = "an absolute path, not too long for a unix socket, without \"..\"";
	if (path[0] != '/' || n >= sizeof(((struct sockaddr_un *)NULL)->sun_path) ||
		strstr(path, "/../"))
		return -EINVAL;
	r->folder = n > 2 && strcmp(path + n - 2, "/*") == 0;
	if (r->folder && r->listen)
		return -EINVAL;
	r->path = strndup(path, r->folder ? n - 1 : n);
	return r->path ? 0 : -ENOMEM;
}

static bool parse_listen(struct tsi_rule *r, const char *at)
{
	const char *begin = at;

	/* Without an address the ports stand first. */
	r->loopback = true;
	if (!take_ports(&at, r) || (*at && strchr(at + 1, ':'))) {
		at = begin;
		r->loopback = false;
		if (!take_host(&at, r) || !take_ports(&at, r) ||
			(!r->any && r->bits != (r->family == AF_INET ? 32 : 128)))
			return false;
	}
	if (take_word(&at, ":") &&
		(r->first != r->last || !take_number(&at, MOST_PORT, &r->guest_port) ||
			r->guest_port == 0))
		return false;
	return *at == '\0';
}

int tsi_rule_parse(struct tsi_rule *ret, const char *text, const char **ret_wanted)
{
	const char *at = text;

	memset(ret, 0, sizeof(*ret));
	ret->listen = take_word(&at, "listen:");
	if (take_word(&at, "unix:"))
		return parse_path(ret, at, ret_wanted);
	*ret_wanted = "tcp:HOST:PORTS, udp:HOST:PORTS, unix:PATH, listen:tcp:[HOST:]PORTS[:GUEST], "
		      "listen:udp:... or listen:unix:PATH";
	ret->type = take_word(&at, "tcp:") ? SOCK_STREAM : take_word(&at, "udp:") ? SOCK_DGRAM : -1;
	if (ret->type < 0)
		return -EINVAL;
	if (ret->listen)
		return parse_listen(ret, at) ? 0 : -EINVAL;
	return take_host(&at, ret) && take_ports(&at, ret) && *at == '\0' ? 0 : -EINVAL;
}

void tsi_rules_free(struct tsi_rules *rules)
{
	for (uint32_t i = 0; i < rules->n; i++)
		free(rules->at[i].path);
	free(rules->at);
	*rules = (struct tsi_rules){ NULL, 0 };
}

/* ---- deciding ---- */

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(a, b, whole) == 0 &&
	       (rest == 0 || ((a[whole] ^ b[whole]) & (0xff00 >> rest) & 0xff) == 0);
}

static bool path_matches(const struct tsi_rule *r, const char *path)
{
	size_t n = strlen(r->path);

	if (!r->folder)
		return strcmp(r->path, path) == 0;
	path += strncmp(path, r->path, n) == 0 ? n : strlen(path);
	return path[0] && !strchr(path, '/') && strcmp(path, ".") != 0 && strcmp(path, "..") != 0;
}

static const char *path_of(const struct tsi_address *a)
{
	return ((const struct sockaddr_un *)&a->at)->sun_path;
}

static bool reaches(const struct tsi_rule *r, int type, const struct tsi_address *to)
{
	uint32_t port = tsi_address_port(to);
	uint8_t bytes[16];
	int family;

	if (r->listen || (r->type && r->type != type))
		return false;
	if (to->at.ss_family == AF_UNIX)
		return r->family == AF_UNIX && path_matches(r, path_of(to));
	if (r->family == AF_UNIX || port == 0 || port < r->first || port > r->last)
		return false;
	family = canonical(to, bytes);
	return r->any || (family == r->family && same_bits(bytes, r->bytes, r->bits));
}

bool tsi_rules_reach(const struct tsi_rules *rules, int type, const struct tsi_address *to)
{
	for (uint32_t i = 0; i < rules->n; i++)
		if (reaches(&rules->at[i], type, to))
			return true;
	return false;
}

/* How many host ports the rule has for the guest's, and the first; 0 = none. */
static uint32_t ports_for(const struct tsi_rule *r, uint32_t port, uint32_t *ret_first)
{
	if (r->guest_port) {
		*ret_first = r->first;
		return port == r->guest_port;
	}
	if (port == 0) {
		*ret_first = r->first; /* of a range, or 0: the host chooses */
		return r->first == 0 ? 1 : r->last - r->first + 1;
	}
	*ret_first = port;
	return port >= r->first && port <= r->last;
}

static void set_host(const struct tsi_rule *r, struct tsi_address *a)
{
	struct in6_addr *in6 = &((struct sockaddr_in6 *)&a->at)->sin6_addr;
	struct in_addr *in = &((struct sockaddr_in *)&a->at)->sin_addr;

	if (r->any)
		return;
	if (a->at.ss_family == AF_INET && r->loopback)
		in->s_addr = htonl(INADDR_LOOPBACK);
	else if (a->at.ss_family == AF_INET)
		memcpy(in, r->bytes, sizeof(*in));
	else if (r->loopback)
		*in6 = in6addr_loopback;
	else
		memcpy(in6, r->bytes, sizeof(*in6));
}

bool tsi_rules_bind(const struct tsi_rules *rules, int type, const struct tsi_address *guest,
	uint32_t turn, struct tsi_address *ret)
{
	for (uint32_t i = 0; i < rules->n; i++) {
		const struct tsi_rule *r = &rules->at[i];
		uint32_t first = 0, n;

		if (!r->listen || (r->type && r->type != type))
			continue;
		if (r->family == AF_UNIX || guest->at.ss_family == AF_UNIX) {
			if (r->family != guest->at.ss_family || !path_matches(r, path_of(guest)) ||
				turn-- > 0)
				continue;
			*ret = *guest;
			return true;
		}
		if (r->family && r->family != guest->at.ss_family)
			continue;
		n = ports_for(r, tsi_address_port(guest), &first);
		if (turn >= n) {
			turn -= n;
			continue;
		}
		*ret = *guest;
		set_host(r, ret);
		tsi_address_set_port(ret, (uint16_t)(first + turn));
		return true;
	}
	return false;
}

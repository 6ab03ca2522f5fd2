/* SPDX-License-Identifier: Apache-2.0 */
/* Where clients come in: a unix socket, or a port of this host alone unless an address is named. */
#include "vnc.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define WAITING 8

/* ---- addresses ---- */

/* Splits "PORT", "ADDRESS:PORT" and "[ADDRESS]:PORT". */
static bool split(const char *text, char host[64], const char **ret_port)
{
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;

	*ret_port = colon ? colon + 1 : text;
	(void)snprintf(host, 64, "127.0.0.1");
	if (!colon)
		return true;
	if (n > 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	} else if (memchr(text, ':', n)) {
		return false;
	}
	if (n == 0 || n >= 64)
		return false;
	(void)snprintf(host, 64, "%.*s", (int)n, text);
	return true;
}

static bool is_port(const char *text)
{
	unsigned long port = 0;

	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9' || port > 65535)
			return false;
		port = port * 10 + (unsigned long)(*p - '0');
	}
	return port > 0 && port <= 65535;
}

/* To be freed with freeaddrinfo(); NULL = it is no address. */
static struct addrinfo *resolve(const char *text)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	const char *port;
	char host[64];

	if (!split(text, host, &port) || !is_port(port) ||
		getaddrinfo(host, port, &hints, &found) != 0)
		return NULL;
	return found;
}

int listen_check(struct vnc *v)
{
	struct addrinfo *found;

	if (!v->socket == !v->listen)
		return tenon_failf(vnc_host, v->dev, -EINVAL,
			"one of \"socket\" and \"listen\" is wanted, found %s",
			v->socket ? "both" : "none");
	if (v->socket) {
		if (strlen(v->socket) < sizeof(((struct sockaddr_un *)0)->sun_path))
			return 0;
		return tenon_failf(vnc_host, v->dev, -EINVAL,
			"\"socket\": \"%s\" is too long for a socket", v->socket);
	}
	found = resolve(v->listen);
	if (!found)
		return tenon_failf(vnc_host, v->dev, -EINVAL,
			"\"listen\": found \"%s\", wanted a port, or an address in digits and a "
			"port, as \"5900\" or \"[::1]:5900\"",
			v->listen);
	freeaddrinfo(found);
	return 0;
}

/* ---- sockets ---- */

static int refuse(struct vnc *v, int err)
{
	return tenon_failf(vnc_host, v->dev, err, "cannot listen on \"%s\": %s",
		v->socket ? v->socket : v->listen,
		err == -EADDRINUSE ? "somebody does already" : strerror(-err));
}

static int make_socket(struct vnc *v, int family)
{
	v->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return v->fd < 0 ? -errno : 0;
}

/* A socket whose listener has died is in the way and of no use to anybody. */
static bool is_left_over(const struct sockaddr_un *at)
{
	struct stat st;
	bool dead;
	int fd;

	if (lstat(at->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	dead = connect(fd, (const struct sockaddr *)at, sizeof(*at)) < 0 && errno == ECONNREFUSED;
	(void)close(fd);
	return dead;
}

/* Only its owner may connect: the mode is there before anybody can. */
static int open_unix(struct vnc *v)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int ret = make_socket(v, AF_UNIX);

	if (ret < 0)
		return ret;
	memcpy(at.sun_path, v->socket, strlen(v->socket));
	ret = bind(v->fd, (const struct sockaddr *)&at, sizeof(at));
	if (ret < 0 && errno == EADDRINUSE && is_left_over(&at) && unlink(at.sun_path) == 0)
		ret = bind(v->fd, (const struct sockaddr *)&at, sizeof(at));
	if (ret < 0)
		return -errno;
	v->made = true;
	return chmod(v->socket, 0600) < 0 ? -errno : 0;
}

static int open_port(struct vnc *v)
{
	struct addrinfo *at = resolve(v->listen);
	const int on = 1;
	int ret;

	if (!at)
		return -ENOMEM; /* it was an address before */
	ret = make_socket(v, at->ai_family);
	if (ret == 0)
		(void)setsockopt(v->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ret == 0 && bind(v->fd, at->ai_addr, at->ai_addrlen) < 0)
		ret = -errno;
	freeaddrinfo(at);
	return ret;
}

int listen_open(struct vnc *v)
{
	int ret = v->socket ? open_unix(v) : open_port(v);

	if (ret == 0 && listen(v->fd, WAITING) < 0)
		ret = -errno;
	return ret < 0 ? refuse(v, ret) : 0;
}

void listen_close(struct vnc *v)
{
	if (v->fd >= 0)
		(void)close(v->fd);
	v->fd = -1;
	if (v->made)
		(void)unlink(v->socket);
	v->made = false;
}

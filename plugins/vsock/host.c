/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side: unix sockets.
 *
 * A guest that connects to port P reaches whoever listens at PATH_P, or at the path that is mapped
 * to P.  Who connects to PATH says "CONNECT P\n" and, once the guest has accepted, is answered
 * "OK <port>\n"; at a path that is mapped to a port of the guest there is no such talk.
 */
#include "vsock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <tenon/socket.h>

#define MOST_GREETING   32u
#define CONNECT_NS      2000000000ull /* a listener that is full gets so much time */
#define ACCEPTED_ATONCE 64u

/* A listening socket. */
struct door {
	struct source source;
	uint16_t type;
	uint32_t port; /* of the guest; meaningless where it is asked for */
	bool asks;     /* for "CONNECT" */
	const char *path;
	bool bound;
};

/* Who has connected and not said yet what for. */
struct client {
	struct source source;
	uint16_t type;
	struct client *prev, *next;
};

/* ---- settings ---- */

/* Relative paths are meant beside the device's own socket. */
static char *resolve(const struct vsock *v, const char *path)
{
	const char *slash = v->path ? strrchr(v->path, '/') : NULL;
	char *whole = NULL;

	if (path[0] == '/' || !slash)
		return strdup(path);
	if (asprintf(&whole, "%.*s%s", (int)(slash - v->path + 1), v->path, path) < 0)
		return NULL;
	return whole;
}

static int parse_map(struct vsock *v, const char *key, const char *text, struct map *ret)
{
	unsigned long port;
	char *end;

	errno = 0;
	port = strtoul(text, &end, 10);
	if (end == text || text[0] < '0' || text[0] > '9' || *end != ':' || !end[1] || errno ||
		port > UINT32_MAX - 1)
		return tenon_failf(vsock_host, v->dev, -EINVAL,
			"\"%s\" holds \"%s\", wanted \"PORT:PATH\"", key, text);
	ret->port = (uint32_t)port;
	ret->path = resolve(v, end + 1);
	if (!ret->path)
		return vsock_host->fail(v->dev, -ENOMEM, "out of memory");
	if (strlen(ret->path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return tenon_failf(vsock_host, v->dev, -ENAMETOOLONG,
			"\"%s\": the path of \"%s\" is too long for a unix socket", key, text);
	return 0;
}

int maps_parse(
	struct vsock *v, const struct tenon_config *config, const char *key, struct maps *ret_maps)
{
	uint32_t n = vsock_host->conf_count(config, key);

	if (n == 0)
		return 0;
	ret_maps->at = calloc(n, sizeof(*ret_maps->at));
	if (!ret_maps->at)
		return vsock_host->fail(v->dev, -ENOMEM, "out of memory");
	ret_maps->n = n;
	for (uint32_t i = 0; i < n; i++) {
		int ret = parse_map(v, key, vsock_host->conf_str(config, key, i), &ret_maps->at[i]);

		if (ret < 0)
			return ret;
		for (uint32_t j = 0; j < i; j++)
			if (ret_maps->at[j].port == ret_maps->at[i].port)
				return tenon_failf(vsock_host, v->dev, -EINVAL,
					"\"%s\" holds port %u twice", key, ret_maps->at[i].port);
	}
	return 0;
}

void maps_free(struct maps *maps)
{
	for (uint32_t i = 0; i < maps->n; i++)
		free(maps->at[i].path);
	free(maps->at);
	*maps = (struct maps){ NULL, 0 };
}

/* ---- from the guest ---- */

static int socket_type(uint16_t type)
{
	return type == TYPE_SEQPACKET ? SOCK_SEQPACKET : SOCK_STREAM;
}

static void set_address(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(address->sun_path, sizeof(address->sun_path), "%s", path);
}

/* 0, -EAGAIN when the listener is full, or another error. */
static int host_connect(const char *path, uint16_t type, int *ret_fd)
{
	int fd = tenon_socket(AF_UNIX, socket_type(type), 0), ret;
	struct sockaddr_un address;

	if (fd < 0)
		return -errno;
	set_address(&address, path);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		ret = -errno;
		(void)close(fd);
		return ret;
	}
	*ret_fd = fd;
	return 0;
}

static const char *path_of(const struct vsock *v, uint32_t port, char *room, size_t size)
{
	for (uint32_t i = 0; i < v->connects.n; i++)
		if (v->connects.at[i].port == port)
			return v->connects.at[i].path;
	if (!v->path)
		return NULL;
	(void)snprintf(room, size, "%s_%u", v->path, port);
	return room;
}

void host_request(struct vsock *v, const struct header *h)
{
	char room[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	const char *path = path_of(v, h->dst_port, room, sizeof(room));
	struct conn *c;
	int fd = -1, ret;

	ret = path ? host_connect(path, h->type, &fd) : -ECONNREFUSED;
	if (ret < 0 && ret != -EAGAIN) {
		tenon_logf(vsock_host, v->dev, TENON_LOG_DEBUG, "port %u is refused: %s",
			h->dst_port, strerror(-ret));
		queue_reset_reply(v, h);
		return;
	}
	c = conn_create(
		v, h->type, h->src_port, h->dst_port, fd, ret == 0 ? CONN_OPEN : CONN_CONNECTING);
	if (!c) {
		queue_reset_reply(v, h);
		return;
	}
	c->peer_buf_alloc = h->buf_alloc;
	c->peer_fwd_cnt = h->fwd_cnt;
	if (ret == 0) {
		conn_want(v, c, WANT_RESPONSE);
		return;
	}
	c->deadline_ns = vsock_now() + CONNECT_NS;
	vsock_retry(v);
}

int host_connect_again(const struct vsock *v, const struct conn *c, int *ret_fd)
{
	char room[sizeof(((struct sockaddr_un *)NULL)->sun_path)];

	return host_connect(path_of(v, c->host_port, room, sizeof(room)), c->type, ret_fd);
}

/* ---- those who connect ---- */

static void client_free(struct vsock *v, struct client *k)
{
	if (k->prev)
		k->prev->next = k->next;
	else
		v->clients = k->next;
	if (k->next)
		k->next->prev = k->prev;
	poll_close(v->poll, &k->source);
	vsock_bury(v, &k->source);
	conn_one_less(v);
}

void door_free_clients(struct vsock *v)
{
	while (v->clients)
		client_free(v, v->clients);
}

/* "CONNECT 1234\n": the port, or -EAGAIN while the line is not whole, or -EPROTO. */
static int64_t parse_greeting(const char *text, size_t n, size_t *ret_line)
{
	static const char word[] = "CONNECT ";
	const char *end = memchr(text, '\n', n);
	uint64_t port = 0;
	size_t at = sizeof(word) - 1;

	if (!end)
		return n < MOST_GREETING ? -EAGAIN : -EPROTO;
	*ret_line = (size_t)(end - text) + 1;
	if (*ret_line <= at + 1 || memcmp(text, word, at) != 0)
		return -EPROTO;
	for (; at < *ret_line - 1; at++) {
		if (text[at] < '0' || text[at] > '9')
			return -EPROTO;
		port = port * 10 + (uint64_t)(text[at] - '0');
		if (port >= UINT32_MAX)
			return -EPROTO;
	}
	return (int64_t)port;
}

static void greet(struct vsock *v, struct client *k, uint32_t port)
{
	uint16_t type = k->type;
	struct conn *c;
	int fd = poll_take(v->poll, &k->source);

	client_free(v, k);
	c = conn_request(v, type, port, fd);
	if (c)
		c->greets = true;
}

static void client_ready(struct vsock *v, struct source *source, uint32_t events)
{
	struct client *k = (struct client *)source;
	char text[MOST_GREETING];
	ssize_t n = recv(source->fd, text, sizeof(text), MSG_PEEK | MSG_DONTWAIT);
	size_t line = 0;
	int64_t port;

	if (n < 0 && (errno == EAGAIN || errno == EINTR) && !(events & POLL_HUP))
		return;
	port = n > 0 ? parse_greeting(text, (size_t)n, &line) : -EPROTO;
	if (port == -EAGAIN && !(events & POLL_EOF) && k->type == TYPE_STREAM)
		return;
	/* No more than the line: what follows it is the guest's. */
	if (port < 0 || recv(source->fd, text, line, MSG_DONTWAIT) != (ssize_t)line) {
		vsock_host->log(v->dev, TENON_LOG_INFO,
			"a client did not say \"CONNECT PORT\" and is closed");
		client_free(v, k);
		return;
	}
	greet(v, k, (uint32_t)port);
}

/* ---- listening ---- */

static int client_create(struct vsock *v, struct door *door, int fd)
{
	struct client *k = calloc(1, sizeof(*k));

	if (!k) {
		(void)close(fd);
		return -ENOMEM;
	}
	k->source = (struct source){ .fd = fd, .ready = client_ready };
	k->type = door->type;
	if (poll_add(v->poll, &k->source) < 0) {
		(void)close(fd);
		free(k);
		return -ENOMEM;
	}
	k->next = v->clients;
	if (v->clients)
		v->clients->prev = k;
	v->clients = k;
	v->n_conns++;
	return 0;
}

static void starve(struct vsock *v)
{
	v->starved = true;
	for (uint32_t i = 0; i < v->n_doors; i++)
		(void)poll_listen(v->poll, &v->doors[i].source, false);
}

static void door_ready(struct vsock *v, struct source *source, uint32_t events)
{
	struct door *door = (struct door *)source;

	(void)events;
	for (unsigned i = 0; i < ACCEPTED_ATONCE; i++) {
		int fd, ret;

		if (v->n_conns >= v->most_conns) {
			starve(v); /* until a connection ends */
			return;
		}
		fd = tenon_accept(source->fd);
		if (fd < 0) {
			if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
				return;
			tenon_logf(vsock_host, v->dev, TENON_LOG_WARN,
				"cannot accept at \"%s\": %s", door->path, strerror(errno));
			starve(v);
			vsock_retry(v);
			return;
		}
		ret = door->asks ? client_create(v, door, fd)
				 : (conn_request(v, door->type, door->port, fd) ? 0 : -ENOMEM);
		if (ret < 0)
			vsock_host->log(
				v->dev, TENON_LOG_WARN, "no memory for a connection from the host");
	}
}

void door_retry(struct vsock *v)
{
	if (!v->starved)
		return;
	v->starved = false;
	for (uint32_t i = 0; i < v->n_doors && v->doors_open; i++)
		(void)poll_listen(v->poll, &v->doors[i].source, true);
}

void door_open(struct vsock *v, bool on)
{
	v->doors_open = on;
	v->starved = false;
	for (uint32_t i = 0; i < v->n_doors; i++)
		(void)poll_listen(v->poll, &v->doors[i].source, on);
}

/* A socket file that nobody listens at is left from one who was killed. */
static bool is_stale(const char *path, uint16_t type)
{
	struct stat st;
	int fd = -1, ret;

	if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return false;
	ret = host_connect(path, type, &fd);
	if (ret == 0)
		(void)close(fd);
	return ret == -ECONNREFUSED;
}

static int bind_to(int fd, const char *path, uint16_t type)
{
	struct sockaddr_un address;

	set_address(&address, path);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return 0;
	if (errno != EADDRINUSE || !is_stale(path, type))
		return -errno;
	(void)unlink(path);
	return bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

static int door_create(struct vsock *v, const char *path, uint16_t type, bool asks, uint32_t port)
{
	struct door *door = &v->doors[v->n_doors];
	int fd = tenon_socket(AF_UNIX, socket_type(type), 0), ret;

	if (fd < 0)
		return tenon_failf(vsock_host, v->dev, -errno,
			"cannot make a socket for \"%s\": %s", path, strerror(errno));
	*door = (struct door){ .source = { .fd = fd, .ready = door_ready },
		.type = type,
		.port = port,
		.asks = asks,
		.path = path };
	v->n_doors++; /* detaching closes it */
	ret = bind_to(fd, path, type);
	if (ret < 0)
		return tenon_failf(vsock_host, v->dev, ret, "cannot listen at \"%s\": %s", path,
			strerror(-ret));
	door->bound = true;
	if (listen(fd, SOMAXCONN) < 0)
		return tenon_failf(vsock_host, v->dev, -errno, "cannot listen at \"%s\": %s", path,
			strerror(errno));
	ret = poll_add_listener(v->poll, &door->source);
	if (ret < 0)
		return tenon_failf(
			vsock_host, v->dev, ret, "cannot watch \"%s\": %s", path, strerror(-ret));
	return 0;
}

int door_attach(struct vsock *v)
{
	int ret = 0;

	v->doors = calloc(2 + v->listens.n, sizeof(*v->doors));
	if (!v->doors)
		return vsock_host->fail(v->dev, -ENOMEM, "out of memory");
	if (v->path)
		ret = door_create(v, v->path, TYPE_STREAM, true, 0);
	if (ret == 0 && v->seqpacket_path)
		ret = door_create(v, v->seqpacket_path, TYPE_SEQPACKET, true, 0);
	for (uint32_t i = 0; i < v->listens.n && ret == 0; i++)
		ret = door_create(
			v, v->listens.at[i].path, TYPE_STREAM, false, v->listens.at[i].port);
	return ret;
}

void door_detach(struct vsock *v)
{
	door_free_clients(v);
	for (uint32_t i = 0; i < v->n_doors; i++) {
		poll_close(v->poll, &v->doors[i].source);
		if (v->doors[i].bound)
			(void)unlink(v->doors[i].path);
	}
	free(v->doors);
	v->doors = NULL;
	v->n_doors = 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a front end. */
#include "core/serve_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/error.h"
#include "core/event_loop.h"
#include "core/log.h"

/* ---- a descriptor ---- */

static int socket_option(int fd, int option)
{
	socklen_t size = sizeof(int);
	int value = -1;

	return getsockopt(fd, SOL_SOCKET, option, &value, &size) < 0 ? -1 : value;
}

static int take_fd(struct serve_listen *listen, int fd, struct error *err)
{
	int listens;

	if (socket_option(fd, SO_DOMAIN) != AF_UNIX || socket_option(fd, SO_TYPE) != SOCK_STREAM) {
		(void)close(fd);
		return error_set(err, EXIT_USAGE, -EINVAL,
			"descriptor %d is no unix stream socket; front ends come over one", fd);
	}
	listens = socket_option(fd, SO_ACCEPTCONN);
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (listens > 0)
		listen->fd = fd;
	else
		listen->connected = fd;
	return 0;
}

/* ---- a path ---- */

/* A socket that nobody listens on is what a crash left. */
static int clear_the_way(const struct sockaddr_un *address, struct error *err)
{
	struct stat st;
	int fd, ret;

	if (lstat(address->sun_path, &st) < 0)
		return 0; /* bind() says what else is wrong */
	if (!S_ISSOCK(st.st_mode))
		return error_set(err, EXIT_USAGE, -EEXIST, "\"%s\" is there already, and no socket",
			address->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(
			err, EXIT_HOST, -errno, "cannot make a socket: %s", strerror(errno));
	ret = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;
	(void)close(fd);
	if (ret != -ECONNREFUSED)
		return error_set(err, EXIT_USAGE, -EADDRINUSE, "somebody listens on \"%s\" already",
			address->sun_path);
	(void)unlink(address->sun_path);
	return 0;
}

static int listen_at(struct serve_listen *l, const char *path, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int ret;

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(err, EXIT_USAGE, -ENAMETOOLONG,
			"the socket's path has %zu bytes, at most %zu may be: \"%s\"", strlen(path),
			sizeof(address.sun_path) - 1, path);
	memcpy(address.sun_path, path, strlen(path));
	ret = clear_the_way(&address, err);
	if (ret < 0)
		return ret;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return error_set(
			err, EXIT_HOST, -errno, "cannot make a socket: %s", strerror(errno));
	if (bind(l->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return error_set(err, EXIT_USAGE, -errno, "cannot listen on \"%s\": %s", path,
			strerror(errno));
	l->path = path;
	if (listen(l->fd, 8) < 0)
		return error_set(err, EXIT_HOST, -errno, "cannot listen on \"%s\": %s", path,
			strerror(errno));
	return 0;
}

int serve_listen_open(struct serve_listen *listen, const char *path, int fd, struct error *err)
{
	listen->fd = listen->connected = -1;
	listen->path = NULL;
	listen->watch = NULL;
	return path ? listen_at(listen, path, err) : take_fd(listen, fd, err);
}

/* ---- letting in ---- */

static void ready(void *arg, uint32_t events)
{
	struct serve_listen *l = arg;
	int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			log_msg(LOG_LEVEL_WARN, "cannot let a front end in: %s", strerror(errno));
		return;
	}
	loop_fd_remove(l->watch);
	l->watch = NULL;
	l->came(l->opaque, fd);
}

int serve_listen_next(struct serve_listen *l, struct event_loop *loop, struct error *err)
{
	int fd = l->connected, ret;

	if (fd >= 0) {
		l->connected = -1;
		l->came(l->opaque, fd);
		return 0;
	}
	(void)fcntl(l->fd, F_SETFL, fcntl(l->fd, F_GETFL) | O_NONBLOCK);
	ret = loop_fd_add(loop, l->fd, LOOP_READ, ready, l, &l->watch);
	return ret < 0 ? error_set(err, EXIT_HOST, ret, "cannot wait for front ends: %s",
				 strerror(-ret))
		       : 0;
}

void serve_listen_close(struct serve_listen *l)
{
	loop_fd_remove(l->watch);
	l->watch = NULL;
	if (l->fd >= 0)
		(void)close(l->fd);
	if (l->connected >= 0)
		(void)close(l->connected);
	if (l->path)
		(void)unlink(l->path);
	l->fd = l->connected = -1;
	l->path = NULL;
}

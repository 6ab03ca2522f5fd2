/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a front end. */
#include "core/serve_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
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
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t size = sizeof(address);
	int listens;

	if (socket_option(fd, SO_DOMAIN) != AF_UNIX || socket_option(fd, SO_TYPE) != SOCK_STREAM) {
		(void)close(fd);
		return error_set(err, EXIT_USAGE, -EINVAL,
			"descriptor %d is no unix stream socket; front ends come over one", fd);
	}
	listens = socket_option(fd, SO_ACCEPTCONN);
	/* A path has its permissions; a name that is no path has none. */
	if (getsockname(fd, (struct sockaddr *)&address, &size) == 0)
		listen->ours_only = size > offsetof(struct sockaddr_un, sun_path) &&
				    address.sun_path[0] == '\0';
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

/* "@NAME" is a name that stands in no folder; nothing of it is left when its listener dies. */
static int fill_address(
	const char *path, struct sockaddr_un *ret_address, socklen_t *ret_size, struct error *err)
{
	const bool is_name = path[0] == '@';
	const size_t size = strlen(path);

	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (size >= sizeof(ret_address->sun_path) || size < (is_name ? 2u : 1u))
		return error_set(err, EXIT_USAGE, -ENAMETOOLONG,
			"the socket's path has %zu bytes, at most %zu may be: \"%s\"", size,
			sizeof(ret_address->sun_path) - 1, path);
	memcpy(ret_address->sun_path, path, size);
	if (is_name)
		ret_address->sun_path[0] = '\0';
	*ret_size = (socklen_t)(is_name ? offsetof(struct sockaddr_un, sun_path) + size
					: sizeof(*ret_address));
	return 0;
}

static int listen_at(struct serve_listen *l, const char *path, struct error *err)
{
	struct sockaddr_un address;
	socklen_t size = 0;
	int ret = fill_address(path, &address, &size, err);

	l->ours_only = path[0] == '@';
	if (ret == 0 && !l->ours_only)
		ret = clear_the_way(&address, err);
	if (ret < 0)
		return ret;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return error_set(
			err, EXIT_HOST, -errno, "cannot make a socket: %s", strerror(errno));
	if (bind(l->fd, (const struct sockaddr *)&address, size) < 0)
		return error_set(err, EXIT_USAGE, -errno, "cannot listen on \"%s\": %s", path,
			strerror(errno));
	l->path = l->ours_only ? NULL : path;
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

static bool may_come(const struct serve_listen *l, int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (!l->ours_only)
		return true;
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
}

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
	if (!may_come(l, fd)) {
		log_msg(LOG_LEVEL_WARN, "a front end of another user is turned away");
		(void)close(fd);
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

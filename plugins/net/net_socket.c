/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <tenon/socket.h>

#include "net.h"

#define BUFFER (1 << 20) /* bytes that the kernel may keep of what we send */

static int set_address(struct sockaddr_un *to, const char *path)
{
	*to = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(to->sun_path))
		return -ENAMETOOLONG;
	memcpy(to->sun_path, path, strlen(path) + 1);
	return 0;
}

static int bind_own(int fd, const char *own_path)
{
	struct sockaddr_un own;
	int ret = set_address(&own, own_path);

	if (ret < 0)
		return ret;
	(void)unlink(own_path);
	return bind(fd, (const struct sockaddr *)&own, sizeof(own)) < 0 ? -errno : 0;
}

int net_socket_connect(const char *path, int type, const char *own_path)
{
	const int size = BUFFER;
	struct sockaddr_un to;
	int fd, ret = set_address(&to, path);

	if (ret < 0)
		return ret;
	fd = tenon_socket(AF_UNIX, type, 0);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	ret = own_path ? bind_own(fd, own_path) : 0;
	if (ret == 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		ret = -errno;
	if (ret < 0) {
		(void)close(fd);
		return ret;
	}
	return fd;
}

int net_socket_adopt(struct net *n, int type, int other_type)
{
	int found = 0, fd;
	socklen_t size = sizeof(found);

	if (getsockopt(n->conf_fd, SOL_SOCKET, SO_TYPE, &found, &size) < 0)
		return tenon_failf(net_host, n->dev, -errno, "descriptor %d is no socket: %s",
			n->conf_fd, strerror(errno));
	if (found != type && found != other_type)
		return tenon_failf(net_host, n->dev, -EPROTOTYPE,
			"descriptor %d is a socket of another type than backend \"%s\" needs",
			n->conf_fd, n->backend->name);
	fd = fcntl(n->conf_fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0 || tenon_socket_adopt(fd) < 0) {
		int err = -errno;

		if (fd >= 0)
			(void)close(fd);
		return tenon_failf(net_host, n->dev, err, "cannot use descriptor %d: %s",
			n->conf_fd, strerror(-err));
	}
	n->pairs[0].fd = fd;
	return 0;
}

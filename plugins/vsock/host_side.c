/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: the programs of the host; see host_side.h. */
#include "host_side.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "speaker.h"

char settings[512];
struct tk_dev *dev;
static char folder[64];
static bool ours[4096];

const char *at(const char *name)
{
	static char path[4][128];
	static unsigned turn;
	char *p = path[turn++ % 4];

	(void)snprintf(p, sizeof(path[0]), "%s/%s", folder, name);
	return p;
}

int our(int fd)
{
	TK_TRUE(fd >= 0 && fd < (int)sizeof(ours));
	ours[fd] = true;
	return fd;
}

void our_close(int fd)
{
	ours[fd] = false;
	(void)close(fd);
}

void close_ours(void)
{
	for (int fd = 0; fd < (int)sizeof(ours); fd++)
		if (ours[fd])
			our_close(fd);
}

int unix_socket(int type, const char *name, struct sockaddr_un *address)
{
	int fd = our(socket(AF_UNIX, type | SOCK_NONBLOCK, 0));

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(address->sun_path, sizeof(address->sun_path), "%s", at(name));
	return fd;
}

int host_listen(int type, const char *name, int backlog)
{
	struct sockaddr_un address;
	int fd = unix_socket(type, name, &address);

	TK_EQ(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	TK_EQ(listen(fd, backlog), 0);
	return fd;
}

int host_accept(int listener)
{
	return our(accept4(listener, NULL, NULL, SOCK_NONBLOCK));
}

int host_dial(int type, const char *name)
{
	struct sockaddr_un address;
	int fd = unix_socket(type, name, &address);

	TK_EQ(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

void host_says(int fd, const char *text)
{
	TK_EQ(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

void host_hears(int fd, const char *text)
{
	char got[256] = "";
	ssize_t n = read(fd, got, sizeof(got) - 1);

	TK_TRUE(n >= 0);
	TK_STR(got, text);
}

bool at_end(int fd)
{
	char c;

	return read(fd, &c, 1) == 0;
}

static void remove_all(void)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	while (d && (e = readdir(d)))
		(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		(void)closedir(d);
	(void)rmdir(folder);
}

/* A device with sockets in a folder of its own, and a guest that speaks. */
void begin(const char *more)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/vsock-test-XXXXXX");
	TK_TRUE(mkdtemp(folder) != NULL);
	TK_EQ(atexit(remove_all), 0);
	(void)snprintf(settings, sizeof(settings), "socket = \"%s\"; %s", at("v"), more);
	dev = tk_device("vsock", settings);
	speaker_start(dev, 32, 4096);
}

struct guest_socket one(int *ret_fd)
{
	int l = host_listen(SOCK_STREAM, "v_1234", 8);
	struct guest_socket g = speaker_connect(TYPE_STREAM, 5000, PORT);

	*ret_fd = host_accept(l);
	our_close(l);
	return g;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the console's ports share: a driver of the control queue, a folder for each
 * test, and the peers.  Included once, by a test program, whose main() it is.
 */
#ifndef TENON_PLUGINS_CONSOLE_PORTS_BED_H
#define TENON_PLUGINS_CONSOLE_PORTS_BED_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <tenon/testkit.h>

#define F_SIZE      (1ull << 0)
#define F_MULTIPORT (1ull << 1)

#define CONTROL_RX 2u
#define CONTROL_TX 3u

enum { READY, ADD, REMOVE, PORT_READY, CONSOLE, RESIZE, OPEN, NAME };

#define MOST_MESSAGES 48

/* One for the program, and in it one for each test. */
static char root[] = "/tmp/tenon-console-XXXXXX";
static char folder[64];

/* The driver's control queue: buffers and what came in them, in order. */
static struct {
	struct tk_buf *bufs[MOST_MESSAGES];
	unsigned n, next;
	char text[128];
} control;

/* ---- the driver ---- */

static inline unsigned rx(unsigned port)
{
	return port ? 2 * port + 2 : 0;
}

static inline unsigned tx(unsigned port)
{
	return port ? 2 * port + 3 : 1;
}

static inline void tell(struct tk_dev *d, uint32_t id, uint16_t event, uint16_t value)
{
	const uint8_t bytes[8] = { (uint8_t)id, (uint8_t)(id >> 8), (uint8_t)(id >> 16),
		(uint8_t)(id >> 24), (uint8_t)event, (uint8_t)(event >> 8), (uint8_t)value,
		(uint8_t)(value >> 8) };
	struct tk_buf *b;

	b = tk_out(d, CONTROL_TX, bytes, sizeof(bytes));
	tk_kick(d, CONTROL_TX);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 0);
	tk_free(b);
}

static inline void give_control(struct tk_dev *d, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		control.bufs[control.n++] = tk_in(d, CONTROL_RX, 96);
	tk_kick(d, CONTROL_RX);
	tk_run_until_idle(d);
}

/* "ID EVENT VALUE PAYLOAD" of the next message; "" when there is none. */
static inline const char *message(void)
{
	uint8_t b[97] = { 0 };
	long long n = control.next < control.n ? tk_used_len(control.bufs[control.next]) : -1;

	control.text[0] = '\0';
	if (n < 0)
		return control.text;
	TK_TRUE(n >= 8 && n <= 96);
	(void)tk_in_bytes(control.bufs[control.next++], b, (size_t)n);
	if (b[4] == RESIZE)
		(void)snprintf(control.text, sizeof(control.text), "%u %u %u %u %u", b[0], b[4],
			b[6], b[8] | b[9] << 8, b[10] | b[11] << 8);
	else
		(void)snprintf(control.text, sizeof(control.text), "%u %u %u%s%s", b[0], b[4], b[6],
			n > 8 ? " " : "", (const char *)b + 8);
	return control.text;
}

static inline void make_folder(void)
{
	(void)snprintf(folder, sizeof(folder), "%s/%d", root, (int)getpid());
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		TK_FAIL("mkdir %s: %s", folder, strerror(errno));
}

static inline const char *in_folder(const char *name)
{
	static char path[4][128];
	static unsigned turn;
	char *to = path[turn++ % 4];

	(void)snprintf(to, sizeof(path[0]), "%s/%s", folder, name);
	return to;
}

static inline const char *settings(const char *ports)
{
	static char text[2048];

	make_folder();
	(void)snprintf(text, sizeof(text), "folder = \"%s\"; ports = ( %s );", folder, ports);
	return text;
}

static inline struct tk_dev *create(const char *ports)
{
	memset(&control, 0, sizeof(control));
	return tk_device("console", settings(ports));
}

static inline void skip_messages(void)
{
	while (message()[0])
		continue;
}

/* A device whose driver knows and has opened the first @n ports. */
static inline struct tk_dev *opened(const char *ports, unsigned n)
{
	struct tk_dev *d = create(ports);

	give_control(d, MOST_MESSAGES);
	tell(d, UINT32_MAX, READY, 1);
	for (unsigned i = 0; i < n; i++) {
		tell(d, i, PORT_READY, 1);
		tell(d, i, OPEN, 1);
	}
	skip_messages();
	return d;
}

static inline struct tk_buf *give(struct tk_dev *d, unsigned port, size_t size)
{
	struct tk_buf *b = tk_in(d, rx(port), size);

	tk_kick(d, rx(port));
	tk_run_until_idle(d);
	return b;
}

static inline struct tk_buf *say(struct tk_dev *d, unsigned port, const char *text)
{
	struct tk_buf *b = tk_out(d, tx(port), text, strlen(text));

	tk_kick(d, tx(port));
	tk_run_until_idle(d);
	return b;
}

/* ---- the host ---- */

static inline void hang_up(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* The kit takes what a test leaves open for the device's. */
#define CLOSED __attribute__((cleanup(hang_up))) int

static inline int dial(const char *name)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s/%s", folder, name);
	TK_EQ(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static inline int serve(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	make_folder();
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s/%s", folder, name);
	TK_EQ(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	TK_EQ(listen(fd, 1), 0);
	return fd;
}

static inline void put(int fd, const char *text)
{
	TK_EQ(write(fd, text, strlen(text)), strlen(text));
}

/* What can be read at once; "(end)" at the end. */
static inline const char *get(int fd)
{
	static char text[256];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, 0) == 0)
		return "";
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return "(end)";
	text[n] = '\0';
	return text;
}

static inline const char *contents(const char *name)
{
	static char text[256];
	int fd = open(in_folder(name), O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	TK_TRUE(n >= 0);
	text[n] = '\0';
	(void)close(fd);
	return text;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

int main(int argc, char **argv)
{
	int ret;

	if (!mkdtemp(root)) {
		perror("mkdtemp");
		return 1;
	}
	ret = tk_main(argc, argv, TK_PLUGIN_);
	(void)nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return ret;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* vnc: what clients see, who is let in, and what becomes of those that behave badly. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"

static const struct vnc_wish plain;

/* Pictures that were asked for earlier may come first. */
#define UNTIL(c, condition)                                                                        \
	for (unsigned try_ = 0; try_ < 50 && !(condition); try_++)                                 \
	vnc_settle(c)

/* ---- what they see ---- */

TK_TEST(shows_what_is_drawn)
{
	struct tk_dev *d = vnc_device("");
	rfbClient *c = vnc_join(&plain);

	TK_TRUE(c);
	TK_STR(c->desktopName, "Tenon");
	vnc_settle(c);
	vnc_check(c, WIDTH, HEIGHT);
	vnc_leave(c);
	tk_destroy(d);
	vnc_clean_up();
}

TK_TEST(shows_it_in_every_encoding)
{
	static const char *const encodings[] = { "tight", "zrle", "ultra", "hextile", "zlib", "rre",
		"corre" };
	struct tk_dev *d = vnc_device("");

	for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++) {
		rfbClient *c = vnc_join(&(struct vnc_wish){ .encodings = encodings[i] });

		TK_TRUE(c);
		c->appData.enableJPEG = FALSE;
		TK_TRUE(SetFormatAndEncodings(c));
		vnc_settle(c);
		vnc_settle(c);
		vnc_check(c, WIDTH, HEIGHT);
		vnc_leave(c);
	}
	tk_destroy(d);
	vnc_clean_up();
}

TK_TEST(sends_what_has_changed_and_no_more)
{
	struct tk_dev *d = vnc_device("");
	rfbClient *c = vnc_join(&plain);

	TK_TRUE(c);
	vnc_settle(c);
	vnc_pixels[10 * WIDTH + 20] = 0x123456;
	vnc_pixels[0] = 0x654321; /* of which nobody says anything */
	tk_show_damage(&(struct tenon_rect){ 20, 10, 1, 1 });
	tk_run_until_idle(d);
	vnc_settle(c);
	UNTIL(c, vnc_pixel(c, 20, 10) == 0x123456);
	TK_EQ(vnc_pixel(c, 20, 10), 0x123456);
	TK_EQ(vnc_pixel(c, 0, 0), vnc_rgb(0, 0));
	vnc_leave(c);
	tk_destroy(d);
	vnc_clean_up();
}

TK_TEST(a_dark_screen_is_black)
{
	struct tk_dev *d = vnc_device("");
	rfbClient *c = vnc_join(&plain);

	TK_TRUE(c);
	vnc_settle(c);
	tk_show(NULL);
	tk_run_until_idle(d);
	vnc_settle(c);
	TK_EQ(c->width, WIDTH);
	UNTIL(c, vnc_pixel(c, 3, 3) == 0);
	TK_EQ(vnc_pixel(c, 3, 3), 0);
	vnc_leave(c);
	tk_destroy(d);
	vnc_clean_up();
}

TK_TEST(follows_the_guest_to_another_size)
{
	struct tk_dev *d = vnc_device("");
	rfbClient *c = vnc_join(&plain);
	rfbClient *old = vnc_join(&plain);
	const char raw_alone[] = { 2, 0, 0, 1, 0, 0, 0, 0 }; /* libvncclient can always follow */

	TK_TRUE(c && old);
	TK_TRUE(WriteToRFBServer(old, raw_alone, sizeof(raw_alone)));
	vnc_settle(c);
	vnc_settle(old);
	vnc_show(101, 77);
	tk_run_until_idle(d);
	vnc_settle(c); /* the size */
	vnc_settle(c);
	vnc_check(c, 101, 77);
	TK_TRUE(vnc_has_ended(old)); /* it could not be told */
	vnc_leave(old);
	vnc_leave(c);
	tk_destroy(d);
	vnc_clean_up();
}

TK_TEST(asks_the_guest_for_the_size_that_a_client_wants)
{
	struct tk_dev *d = vnc_device("");
	rfbClient *c = vnc_join(&plain);
	uint32_t width, height;

	TK_TRUE(c);
	vnc_settle(c);
	TK_EQ(tk_wanted_size(&width, &height), -ENOENT);
	TK_TRUE(SendExtDesktopSize(c, 800, 600));
	vnc_settle(c);
	UNTIL(c, tk_wanted_size(&width, &height) == 0);
	TK_EQ(tk_wanted_size(&width, &height), 0);
	TK_EQ(width, 800);
	TK_EQ(height, 600);
	vnc_leave(c);
	tk_destroy(d);
	vnc_clean_up();
}

static unsigned shapes;
static int shape_width;
static uint32_t shape_pixel;

static void got_shape(rfbClient *c, int xhot, int yhot, int width, int height, int bytes)
{
	(void)xhot;
	(void)yhot;
	(void)bytes;
	TK_TRUE(width * height > 0);
	shapes++;
	shape_width = width;
	memcpy(&shape_pixel, c->rcSource, 4);
	(void)height;
}

TK_TEST(hands_the_pointers_shape_on)
{
	struct tk_dev *d = vnc_device("");
	rfbClient *c = vnc_join(&plain);

	TK_TRUE(c);
	c->GotCursorShape = got_shape;
	vnc_settle(c);
	TK_EQ(shapes, 0);
	tk_show_cursor(5, 5, 1, 9, 0xff102030);
	tk_run_until_idle(d);
	vnc_settle(c);
	UNTIL(c, shape_width == 9);
	TK_EQ(shapes, 1);
	TK_EQ(shape_width, 9);
	TK_EQ(shape_pixel & 0xffffff, 0x102030);
	vnc_check(c, WIDTH, HEIGHT); /* it is not drawn, too */
	tk_show_cursor(6, 6, 1, 0, 0);
	tk_run_until_idle(d);
	vnc_settle(c);
	TK_EQ(shapes, 1); /* it has only moved */
	tk_show_cursor(6, 6, 1, 3, 0xffaabbcc);
	tk_run_until_idle(d);
	vnc_settle(c);
	UNTIL(c, shape_width == 3);
	TK_EQ(shape_width, 3);
	vnc_leave(c);
	tk_destroy(d);
	vnc_clean_up();
}

TK_TEST(clients_stay_while_the_machine_is_paused)
{
	struct tk_dev *d = vnc_device("");
	rfbClient *c = vnc_join(&plain);

	TK_TRUE(c);
	vnc_settle(c);
	TK_EQ(tk_quiesce(d), 0);
	vnc_pixels[0] = 0;
	vnc_settle(c);
	vnc_check(c, WIDTH, HEIGHT);
	TK_EQ(tk_resume(d), 0);
	tk_show_damage(&(struct tenon_rect){ 0, 0, 1, 1 });
	tk_run_until_idle(d);
	vnc_settle(c);
	UNTIL(c, vnc_pixel(c, 0, 0) == 0);
	TK_EQ(vnc_pixel(c, 0, 0), 0);
	vnc_leave(c);
	tk_destroy(d);
	vnc_clean_up();
}

/* ---- who is let in ---- */

TK_TEST(wants_its_password)
{
	struct tk_dev *d = vnc_device("password = \"sesame\";");
	rfbClient *c;

	TK_TRUE(!vnc_join(&(struct vnc_wish){ .password = "simsim" }));
	c = vnc_join(&(struct vnc_wish){ .password = "sesame" });
	TK_TRUE(c);
	vnc_settle(c);
	vnc_check(c, WIDTH, HEIGHT);
	vnc_leave(c);
	tk_destroy(d);
	vnc_clean_up();
}

TK_TEST(has_room_for_eight)
{
	struct tk_dev *d = vnc_device("");
	rfbClient *c[8];

	for (unsigned i = 0; i < 8; i++) {
		c[i] = vnc_join(&plain);
		TK_TRUE(c[i]);
	}
	TK_TRUE(!vnc_join(&plain));
	vnc_settle(c[7]);
	vnc_leave(c[0]);
	vnc_settle(c[7]); /* the place is free again by now, or soon */
	vnc_settle(c[7]);
	c[0] = vnc_join(&plain);
	TK_TRUE(c[0]);
	for (unsigned i = 0; i < 8; i++)
		vnc_leave(c[i]);
	tk_destroy(d);
	vnc_clean_up();
}

static int free_port(int family)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof(at);
	int fd = socket(family, SOCK_STREAM, 0);

	TK_EQ(bind(fd, (struct sockaddr *)&at, size), 0);
	TK_EQ(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	TK_EQ(close(fd), 0);
	return ntohs(at.sin_port);
}

TK_TEST(listens_on_a_port_of_this_host_alone)
{
	const int port = free_port(AF_INET);
	char settings[64];
	struct tk_dev *d;
	rfbClient *c;

	(void)snprintf(settings, sizeof(settings), "listen = \"%d\";", port);
	vnc_show(WIDTH, HEIGHT);
	d = tk_started("vnc", settings);
	tk_run_until_idle(d);
	c = vnc_join(&(struct vnc_wish){ .host = "127.0.0.1", .port = port });
	TK_TRUE(c);
	vnc_settle(c);
	vnc_check(c, WIDTH, HEIGHT);
	TK_TRUE(!vnc_join(&(struct vnc_wish){ .host = "127.0.0.2", .port = port }));
	vnc_leave(c);
	tk_destroy(d);
}

TK_TEST(only_its_owner_may_connect)
{
	struct tk_dev *d = vnc_device("");
	struct stat st;

	TK_EQ(stat(vnc_socket, &st), 0);
	TK_EQ(st.st_mode & 0777, 0600);
	tk_destroy(d);
	TK_TRUE(access(vnc_socket, F_OK) < 0);
	vnc_clean_up();
}

TK_TEST(takes_the_place_of_a_dead_socket_alone)
{
	const char *settings = vnc_settings("");
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct tk_dev *d;

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", vnc_socket);
	TK_EQ(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	TK_EQ(listen(fd, 1), 0);
	vnc_show(WIDTH, HEIGHT);
	d = tk_create("vnc", settings);
	TK_TRUE(tk_attach(d) < 0);
	TK_HAS_TEXT(tk_error(), "somebody does already");
	tk_destroy(d);
	TK_EQ(access(vnc_socket, F_OK), 0); /* it is another's */
	TK_EQ(close(fd), 0);
	tk_destroy(tk_started("vnc", settings));
	vnc_clean_up();
}

TK_TEST(refuses_settings_that_make_no_sense)
{
	static const char *const wrong[][2] = {
		{ "", "one of \"socket\" and \"listen\" is wanted, found none" },
		{ "socket = \"/tmp/s\"; listen = \"5900\";", "found both" },
		{ "listen = \"0\";", "wanted a port" },
		{ "listen = \"65536\";", "wanted a port" },
		{ "listen = \"localhost:5900\";", "an address in digits" },
		{ "listen = \":5900\";", "wanted a port" },
		{ "listen = \"::1:5900\";", "wanted a port" },
		{ "listen = \"5900\"; password = \"123456789\";", "has 9 bytes, wanted 1 to 8" },
		{ "listen = \"5900\"; password = \"\";", "has 0 bytes" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		TK_TRUE(!tk_create("vnc", wrong[i][0]));
		TK_HAS_TEXT(tk_error(), wrong[i][1]);
	}
	TK_TRUE(tk_create("vnc", "listen = \"[::1]:5900\";"));
	TK_TRUE(tk_create("vnc", "listen = \"0.0.0.0:5900\"; password = \"12345678\";"));
}

/* ---- who behaves badly ---- */

static int raw_connection(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", vnc_socket);
	TK_EQ(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

TK_TEST(a_client_that_says_nothing_is_in_nobodys_way)
{
	struct tk_dev *d = vnc_device("");
	int fd = raw_connection();
	rfbClient *c = vnc_join(&plain);

	TK_TRUE(c);
	vnc_settle(c);
	vnc_check(c, WIDTH, HEIGHT);
	vnc_leave(c);
	TK_EQ(close(fd), 0);
	tk_destroy(d);
	vnc_clean_up();
}

/* More than a socket has room for is on its way to one who takes none of it. */
TK_TEST(a_client_that_takes_nothing_does_not_hold_the_guest_up)
{
	struct tk_dev *d = vnc_device("");
	rfbClient *c = vnc_join(&plain);
	struct tenon_surface s = { .struct_size = sizeof(s),
		.height = 200,
		.stride = 200 * 4,
		.format = TENON_FORMAT_XRGB8888,
		.fd = -1,
		.pixels = vnc_pixels };

	TK_TRUE(c);
	vnc_settle(c);
	for (unsigned i = 0; i < 50; i++) {
		TK_TRUE(SendFramebufferUpdateRequest(c, 0, 0, (int)WIDTH, (int)HEIGHT, FALSE));
		s.width = 200 - i % 2;
		tk_show(&s);
		tk_run_until_idle(d);
	}
	vnc_leave(c);
	tk_destroy(d);
	vnc_clean_up();
}

TK_TEST(survives_rubbish)
{
	struct tk_dev *d = vnc_device("");
	unsigned seed = 1;
	rfbClient *c;

	for (unsigned i = 0; i < 60; i++) {
		char bytes[256] = "RFB 003.008\n\1\1";
		int fd = raw_connection();

		for (size_t at = i % 3 ? 14 : i % 14; at < sizeof(bytes); at++) {
			seed = seed * 1103515245u + 12345u;
			bytes[at] = (char)(seed >> 16 & (i & 1 ? 0xff : 7));
		}
		TK_TRUE(send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0);
		TK_EQ(close(fd), 0);
	}
	do
		c = vnc_join(&plain); /* once there is a place again */
	while (!c);
	vnc_settle(c);
	vnc_check(c, WIDTH, HEIGHT);
	vnc_leave(c);
	tk_destroy(d);
	vnc_clean_up();
}

TK_TEST(survives_every_failing_call)
{
	const char *settings = vnc_settings("password = \"x\";");
	const unsigned n = tk_fault_sweep("vnc", settings);

	TK_TRUE(n > 5);
	vnc_clean_up();
}

TK_MAIN()

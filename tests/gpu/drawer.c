/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drawer: runs in a guest on a stock kernel.  With DRM's plain ioctls it finds the monitor of
 * /dev/dri/card0, shows a picture of the preferred size and a cursor, and says "drawn WIDTH
 * HEIGHT"; then, each time that the kernel tells of another monitor, once more.  A line on standard
 * input ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <drm/drm.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_mode.h>

#include "picture.h"

static int card;

static void call(unsigned long request, void *arg, const char *what)
{
	if (ioctl(card, request, arg) == 0)
		return;
	printf("drawer: %s: %s\n", what, strerror(errno));
	exit(1);
}

#define CALL(request_, arg_) call(request_, arg_, #request_)

/* The monitor, what drives it, and its preferred mode. */
struct monitor {
	uint32_t connector, crtc;
	struct drm_mode_modeinfo mode;
};

static void find_monitor(struct monitor *m)
{
	uint32_t crtcs[16], connectors[16], encoders[16];
	static struct drm_mode_modeinfo modes[64];
	struct drm_mode_card_res res = { 0 };
	struct drm_mode_get_connector c = { 0 };

	CALL(DRM_IOCTL_MODE_GETRESOURCES, &res);
	if (res.count_crtcs == 0 || res.count_crtcs > 16 || res.count_connectors == 0 ||
		res.count_connectors > 16) {
		puts("drawer: there is no screen");
		exit(1);
	}
	res.crtc_id_ptr = (uintptr_t)crtcs;
	res.connector_id_ptr = (uintptr_t)connectors;
	res.count_fbs = res.count_encoders = 0;
	CALL(DRM_IOCTL_MODE_GETRESOURCES, &res);
	m->crtc = crtcs[0];
	m->connector = c.connector_id = connectors[0];
	CALL(DRM_IOCTL_MODE_GETCONNECTOR, &c); /* the kernel asks the device */
	c.count_modes = c.count_modes < 64 ? c.count_modes : 64;
	c.modes_ptr = (uintptr_t)modes;
	c.count_encoders = c.count_encoders < 16 ? c.count_encoders : 16;
	c.encoders_ptr = (uintptr_t)encoders;
	c.count_props = 0;
	CALL(DRM_IOCTL_MODE_GETCONNECTOR, &c);
	for (uint32_t i = c.count_modes; i-- > 0;)
		if (i == 0 || (modes[i].type & DRM_MODE_TYPE_PREFERRED))
			m->mode = modes[i];
}

/* A buffer of that size; its pixels, and what to call it. */
static uint32_t *make_buffer(
	uint32_t width, uint32_t height, uint32_t *ret_handle, uint32_t *ret_pitch)
{
	struct drm_mode_create_dumb dumb = { .width = width, .height = height, .bpp = 32 };
	struct drm_mode_map_dumb map = { 0 };
	void *pixels;

	CALL(DRM_IOCTL_MODE_CREATE_DUMB, &dumb);
	map.handle = dumb.handle;
	CALL(DRM_IOCTL_MODE_MAP_DUMB, &map);
	pixels = mmap(NULL, dumb.size, PROT_READ | PROT_WRITE, MAP_SHARED, card, (off_t)map.offset);
	if (pixels == MAP_FAILED) {
		perror("drawer: mmap");
		exit(1);
	}
	*ret_handle = dumb.handle;
	*ret_pitch = dumb.pitch;
	return pixels;
}

static void show_cursor(const struct monitor *m)
{
	struct drm_mode_cursor2 cursor = { .flags = DRM_MODE_CURSOR_BO | DRM_MODE_CURSOR_MOVE,
		.crtc_id = m->crtc,
		.x = CURSOR_X,
		.y = CURSOR_Y,
		.width = 64,
		.height = 64 };
	uint32_t pitch, *pixels = make_buffer(64, 64, &cursor.handle, &pitch);

	for (uint32_t i = 0; i < 64 * pitch / 4; i++)
		pixels[i] = CURSOR_ARGB;
	CALL(DRM_IOCTL_MODE_CURSOR2, &cursor);
}

static void draw(const struct monitor *m)
{
	const uint32_t width = m->mode.hdisplay, height = m->mode.vdisplay;
	struct drm_mode_fb_cmd2 fb = {
		.width = width, .height = height, .pixel_format = DRM_FORMAT_XRGB8888
	};
	uint32_t *pixels = make_buffer(width, height, &fb.handles[0], &fb.pitches[0]);
	struct drm_mode_crtc crtc = { .crtc_id = m->crtc, .mode_valid = 1, .mode = m->mode };
	struct drm_mode_fb_dirty_cmd dirty = { 0 };

	CALL(DRM_IOCTL_MODE_ADDFB2, &fb);
	crtc.fb_id = dirty.fb_id = fb.fb_id;
	crtc.set_connectors_ptr = (uintptr_t)&m->connector;
	crtc.count_connectors = 1;
	CALL(DRM_IOCTL_MODE_SETCRTC, &crtc);
	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++)
			pixels[y * (fb.pitches[0] / 4) + x] = picture_pixel(x, y, width, height);
	CALL(DRM_IOCTL_MODE_DIRTYFB, &dirty);
	show_cursor(m);
	printf("drawn %u %u\n", width, height);
	(void)fflush(stdout);
}

/* Waits until the kernel says that a monitor is another one; 0 = a line was typed. */
static int monitor_changes(int events)
{
	struct pollfd fds[2] = { { .fd = 0, .events = POLLIN },
		{ .fd = events, .events = POLLIN } };
	char text[4096];
	ssize_t n;

	for (;;) {
		if (poll(fds, 2, -1) < 0)
			return 0;
		if (fds[0].revents)
			return 0;
		n = recv(events, text, sizeof(text) - 1, 0);
		for (ssize_t i = 0; i < n; i += (ssize_t)strlen(text + i) + 1) {
			text[n] = '\0';
			if (strcmp(text + i, "HOTPLUG=1") == 0)
				return 1;
		}
	}
}

int main(void)
{
	struct sockaddr_nl at = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	const int events = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	struct monitor m;

	card = open("/dev/dri/card0", O_RDWR | O_CLOEXEC);
	if (card < 0 || events < 0 || bind(events, (struct sockaddr *)&at, sizeof(at)) < 0) {
		perror("drawer: /dev/dri/card0");
		return 1;
	}
	do {
		find_monitor(&m);
		draw(&m);
	} while (monitor_changes(events));
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The copy of the guest's screen that clients are served from.
 *
 * The loop notes what has changed, under the lock; the thread takes the notes and copies.  How
 * large the screen is says lock() alone: what was noted may be of an earlier one.
 */
#include "vnc.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_WIDTH   640u /* while nothing was shown yet */
#define FIRST_HEIGHT  480u
#define CURSOR_PIXELS ((size_t)TENON_CURSOR_MAX_SIZE * TENON_CURSOR_MAX_SIZE)

/* ---- the loop notes ---- */

static void screen_surface(
	struct tenon_dev *dev, uint32_t screen, const struct tenon_surface *surface)
{
	struct vnc *v = vnc_host->priv(dev);

	(void)surface;
	if (screen != v->screen)
		return;
	(void)pthread_mutex_lock(&v->lock);
	v->news.surface = true;
	(void)pthread_mutex_unlock(&v->lock);
	vnc_notifier->signal(v->wake);
}

static void screen_damage(
	struct tenon_dev *dev, uint32_t screen, const struct tenon_rect *rects, uint32_t n)
{
	struct vnc *v = vnc_host->priv(dev);

	if (screen != v->screen)
		return;
	(void)pthread_mutex_lock(&v->lock);
	for (uint32_t i = 0; i < n && !v->news.surface; i++) {
		if (v->news.n_rects == VNC_RECTS)
			v->news.surface = true; /* all of it */
		else
			v->news.rects[v->news.n_rects++] = rects[i];
	}
	(void)pthread_mutex_unlock(&v->lock);
	vnc_notifier->signal(v->wake);
}

static void screen_cursor(struct tenon_dev *dev, uint32_t screen, int32_t x, int32_t y,
	uint32_t visible, const struct tenon_cursor *image)
{
	struct vnc *v = vnc_host->priv(dev);

	if (screen != v->screen)
		return;
	(void)pthread_mutex_lock(&v->lock);
	v->news.moved = true;
	v->news.x = x;
	v->news.y = y;
	v->news.visible = visible;
	if (image) {
		v->news.image = true;
		v->cursor = *image;
		v->cursor.pixels = v->cursor_pixels;
		memcpy(v->cursor_pixels, image->pixels,
			(size_t)image->width * image->height * sizeof(*image->pixels));
	}
	(void)pthread_mutex_unlock(&v->lock);
	vnc_notifier->signal(v->wake);
}

const struct tenon_viewer_ops screen_ops = {
	.struct_size = sizeof(screen_ops),
	.surface = screen_surface,
	.damage = screen_damage,
	.cursor = screen_cursor,
};

/* ---- the thread copies ---- */

/* libvncserver has red in the lowest byte. */
static void copy(struct vnc *v, const struct tenon_surface *s, const struct tenon_rect *r)
{
	tenon_surface_copy(s, r, v->pixels, v->width);
	for (uint32_t y = r->y; y < r->y + r->height; y++) {
		uint32_t *line = v->pixels + (size_t)y * v->width;

		for (uint32_t x = r->x; x < r->x + r->width; x++)
			line[x] = line[x] >> 16 | (line[x] & 0xff00) | (line[x] & 0xff) << 16;
	}
	rfbMarkRectAsModified(
		v->rfb, (int)r->x, (int)r->y, (int)(r->x + r->width), (int)(r->y + r->height));
}

static void leave_behind(struct vnc_client *c)
{
	if (c->rfb && c->rfb->sock >= 0 && !c->rfb->useNewFBSize)
		rfbCloseClient(c->rfb); /* it would take the new size for the old one */
}

static bool make_room(struct vnc *v, uint32_t width, uint32_t height)
{
	uint32_t *pixels, *before = v->pixels;

	if (width == v->width && height == v->height)
		return true;
	pixels = calloc((size_t)width * height, sizeof(*pixels));
	if (!pixels) {
		if (!v->warned)
			tenon_logf(vnc_host, v->dev, TENON_LOG_WARN,
				"there is no memory for a screen of %u by %u", width, height);
		v->warned = true;
		return false;
	}
	v->pixels = pixels;
	v->width = width;
	v->height = height;
	rfbNewFramebuffer(v->rfb, (char *)pixels, (int)width, (int)height, 8, 3, 4);
	free(before);
	for (unsigned i = 0; i < VNC_CLIENTS; i++)
		leave_behind(&v->clients[i]);
	return true;
}

static void darken(struct vnc *v)
{
	memset(v->pixels, 0, (size_t)v->width * v->height * sizeof(*v->pixels));
	rfbMarkRectAsModified(v->rfb, 0, 0, (int)v->width, (int)v->height);
}

/* Of a damage that is older than the surface only what is inside of it is left. */
static bool cut(const struct vnc *v, struct tenon_rect *r)
{
	if (r->x >= v->width || r->y >= v->height)
		return false;
	if (r->width > v->width - r->x)
		r->width = v->width - r->x;
	if (r->height > v->height - r->y)
		r->height = v->height - r->y;
	return true;
}

static void copy_news(struct vnc *v, struct vnc_news *news)
{
	struct tenon_surface s;
	bool all;

	if (vnc_display->lock(v->dev, v->screen, &s) < 0) {
		darken(v);
		return;
	}
	all = news->surface || s.width != v->width || s.height != v->height;
	if (make_room(v, s.width, s.height) && all)
		copy(v, &s, &(struct tenon_rect){ 0, 0, s.width, s.height });
	else if (!all)
		for (uint32_t i = 0; i < news->n_rects; i++)
			if (cut(v, &news->rects[i]))
				copy(v, &s, &news->rects[i]);
	vnc_display->unlock(v->dev, v->screen);
}

/* ---- the cursor ---- */

/* A shape is opaque or not there; under the lock. */
static void make_shape(struct vnc *v)
{
	const struct tenon_cursor *c = &v->cursor;
	const size_t row = (c->width + 7) / 8;

	memset(v->shape_mask, 0, row * c->height);
	for (uint32_t y = 0; y < c->height; y++)
		for (uint32_t x = 0; x < c->width; x++) {
			const uint32_t argb = c->pixels[(size_t)y * c->width + x];

			v->shape_pixels[(size_t)y * c->width + x] =
				(argb >> 16 & 0xff) | (argb & 0xff00) | (argb & 0xff) << 16;
			if (argb >> 31)
				v->shape_mask[y * row + x / 8] |= (unsigned char)(0x80 >> x % 8);
		}
	v->shape = (struct rfbCursor){ .source = v->shape_mask,
		.mask = v->shape_mask,
		.richSource = (unsigned char *)v->shape_pixels,
		.width = (unsigned short)c->width,
		.height = (unsigned short)c->height,
		.xhot = (unsigned short)(c->hot_x < c->width ? c->hot_x : 0),
		.yhot = (unsigned short)(c->hot_y < c->height ? c->hot_y : 0) };
}

static void update_cursor(struct vnc *v, const struct vnc_news *news)
{
	const bool shown = v->rfb->cursor != NULL;

	v->rfb->cursorX = news->x;
	v->rfb->cursorY = news->y;
	if (!news->image && shown == news->visible)
		return;
	rfbSetCursor(v->rfb, NULL); /* takes the old one from where it is drawn */
	if (!news->visible)
		return;
	if (news->image) {
		(void)pthread_mutex_lock(&v->lock);
		make_shape(v);
		(void)pthread_mutex_unlock(&v->lock);
	}
	if (v->shape.width)
		rfbSetCursor(v->rfb, &v->shape);
}

void screen_update(struct vnc *v)
{
	struct vnc_news news;

	(void)pthread_mutex_lock(&v->looking);
	(void)pthread_mutex_lock(&v->lock);
	news = v->news;
	if (!v->paused)
		v->news = (struct vnc_news){ 0 };
	else
		news = (struct vnc_news){ 0 }; /* later */
	(void)pthread_mutex_unlock(&v->lock);
	if (news.surface || news.n_rects)
		copy_news(v, &news);
	(void)pthread_mutex_unlock(&v->looking);
	if (news.moved)
		update_cursor(v, &news);
}

/* ---- life ---- */

void screen_pause(struct vnc *v, bool paused)
{
	(void)pthread_mutex_lock(&v->looking);
	(void)pthread_mutex_lock(&v->lock);
	v->paused = paused;
	(void)pthread_mutex_unlock(&v->lock);
	(void)pthread_mutex_unlock(&v->looking);
	vnc_notifier->signal(v->wake);
}

int screen_open(struct vnc *v)
{
	v->width = FIRST_WIDTH;
	v->height = FIRST_HEIGHT;
	v->pixels = calloc((size_t)FIRST_WIDTH * FIRST_HEIGHT, sizeof(*v->pixels));
	v->cursor_pixels = calloc(CURSOR_PIXELS, sizeof(*v->cursor_pixels));
	v->shape_pixels = calloc(CURSOR_PIXELS, sizeof(*v->shape_pixels));
	v->shape_mask = calloc(CURSOR_PIXELS / 8, 1);
	return v->pixels && v->cursor_pixels && v->shape_pixels && v->shape_mask ? 0 : -ENOMEM;
}

void screen_close(struct vnc *v)
{
	free(v->pixels);
	free(v->cursor_pixels);
	free(v->shape_pixels);
	free(v->shape_mask);
	v->pixels = v->cursor_pixels = v->shape_pixels = NULL;
	v->shape_mask = NULL;
}

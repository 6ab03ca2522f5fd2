/* SPDX-License-Identifier: Apache-2.0 */
/* Who draws: surfaces, damage, cursors; and the sizes that others want. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/display/display_private.h"

int display_create(struct display_hub *hub, struct tenon_dev *dev, struct display_member **member,
	uint32_t n_screens, const struct tenon_drawer_ops *ops)
{
	struct display_screen *screens;
	int ret;

	if (n_screens == 0 || n_screens > TENON_DISPLAY_MAX_SCREENS)
		return -EINVAL;
	if (*member && (*member)->draws)
		return -EBUSY;
	ret = display_join(hub, dev, member);
	if (ret < 0)
		return ret;
	screens = calloc(n_screens, sizeof(*screens));
	if (!screens)
		return -ENOMEM;
	for (uint32_t i = 0; i < n_screens; i++)
		(void)pthread_mutex_init(&screens[i].looked_at, NULL);
	display_hub_lock(hub);
	(*member)->screens = screens;
	(*member)->n_screens = n_screens;
	(*member)->draws = ops;
	display_hub_unlock(hub);
	return 0;
}

static bool is_surface(const struct tenon_surface *s)
{
	return TENON_HAS(s, pixels) && s->width > 0 && s->height > 0 &&
	       s->width <= TENON_DISPLAY_MAX_SIZE && s->height <= TENON_DISPLAY_MAX_SIZE &&
	       s->stride >= s->width * 4 && s->stride % 4 == 0;
}

int display_set_surface(
	struct display_member *m, uint32_t screen, const struct tenon_surface *surface)
{
	struct display_screen *s = display_screen_of(m, screen);

	if (!s || (surface && !is_surface(surface)))
		return -EINVAL;
	(void)pthread_mutex_lock(&s->looked_at);
	display_hub_lock(m->hub);
	s->lit = surface != NULL;
	if (surface) {
		s->surface = *surface;
		s->surface.struct_size = sizeof(s->surface);
	}
	for (struct display_member *v = m->hub->members; v; v = v->next) {
		if (v->drawer != m)
			continue;
		v->news[screen].surface = true;
		v->news[screen].n_rects = 0;
		display_member_post(v);
	}
	display_hub_unlock(m->hub);
	(void)pthread_mutex_unlock(&s->looked_at);
	return 0;
}

/* False when nothing is left of it. */
static bool cut(const struct display_screen *s, struct tenon_rect *r)
{
	if (!s->lit || r->x >= s->surface.width || r->y >= s->surface.height)
		return false;
	if (r->width > s->surface.width - r->x)
		r->width = s->surface.width - r->x;
	if (r->height > s->surface.height - r->y)
		r->height = s->surface.height - r->y;
	return r->width > 0 && r->height > 0;
}

static void unite(struct tenon_rect *to, const struct tenon_rect *r)
{
	const uint32_t right =
		to->x + to->width > r->x + r->width ? to->x + to->width : r->x + r->width;
	const uint32_t bottom =
		to->y + to->height > r->y + r->height ? to->y + to->height : r->y + r->height;

	to->x = to->x < r->x ? to->x : r->x;
	to->y = to->y < r->y ? to->y : r->y;
	to->width = right - to->x;
	to->height = bottom - to->y;
}

static void add_rect(struct display_news *n, const struct tenon_rect *r)
{
	if (n->n_rects < DISPLAY_MAX_RECTS) {
		n->rects[n->n_rects++] = *r;
		return;
	}
	for (uint32_t i = 1; i < n->n_rects; i++)
		unite(&n->rects[0], &n->rects[i]);
	unite(&n->rects[0], r);
	n->n_rects = 1;
}

void display_damage(struct display_member *m, uint32_t screen, const struct tenon_rect *rect)
{
	struct display_screen *s = display_screen_of(m, screen);
	struct tenon_rect r = *rect;

	if (!s)
		return;
	display_hub_lock(m->hub);
	if (cut(s, &r))
		for (struct display_member *v = m->hub->members; v; v = v->next) {
			if (v->drawer != m)
				continue;
			add_rect(&v->news[screen], &r);
			display_member_post(v);
		}
	display_hub_unlock(m->hub);
}

static void tell_cursor(struct display_member *m, uint32_t screen, bool image)
{
	for (struct display_member *v = m->hub->members; v; v = v->next) {
		if (v->drawer != m)
			continue;
		v->news[screen].image |= image;
		v->news[screen].moved = true;
		display_member_post(v);
	}
}

int display_set_cursor(struct display_member *m, uint32_t screen, const struct tenon_cursor *cursor)
{
	struct display_screen *s = display_screen_of(m, screen);
	const uint32_t *before;
	uint32_t *pixels = NULL;

	if (!s)
		return -EINVAL;
	if (cursor) {
		const size_t n = (size_t)cursor->width * cursor->height;

		if (!TENON_HAS(cursor, pixels) || n == 0 || cursor->width > TENON_CURSOR_MAX_SIZE ||
			cursor->height > TENON_CURSOR_MAX_SIZE)
			return -EINVAL;
		pixels = malloc(n * sizeof(*pixels));
		if (!pixels)
			return -ENOMEM;
		memcpy(pixels, cursor->pixels, n * sizeof(*pixels));
	}
	(void)pthread_mutex_lock(&s->looked_at);
	display_hub_lock(m->hub);
	before = s->cursor.pixels;
	if (cursor)
		s->cursor = *cursor;
	s->cursor.struct_size = sizeof(s->cursor);
	s->cursor.pixels = pixels;
	tell_cursor(m, screen, true);
	display_hub_unlock(m->hub);
	(void)pthread_mutex_unlock(&s->looked_at);
	free((void *)(uintptr_t)before);
	return 0;
}

void display_move_cursor(
	struct display_member *m, uint32_t screen, int32_t x, int32_t y, bool visible)
{
	struct display_screen *s = display_screen_of(m, screen);

	if (!s)
		return;
	display_hub_lock(m->hub);
	s->x = x;
	s->y = y;
	s->visible = visible;
	tell_cursor(m, screen, false);
	display_hub_unlock(m->hub);
}

void display_tell_sizes(struct display_member *m)
{
	for (uint32_t i = 0; i < m->n_screens; i++) {
		struct display_screen *s = &m->screens[i];
		uint32_t width, height;
		bool want;

		display_hub_lock(m->hub);
		want = s->want_size;
		width = s->width;
		height = s->height;
		s->want_size = false;
		display_hub_unlock(m->hub);
		if (want && TENON_HAS(m->draws, resize))
			m->draws->resize(m->dev, i, width, height);
	}
}

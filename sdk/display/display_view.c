/* SPDX-License-Identifier: Apache-2.0 */
/* Who looks. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/display/display_private.h"

int display_view(struct display_hub *hub, struct tenon_dev *dev, struct display_member **member,
	const char *drawer, const struct tenon_viewer_ops *ops)
{
	int ret;

	if (*member && (*member)->views)
		return -EBUSY;
	ret = display_join(hub, dev, member);
	if (ret < 0)
		return ret;
	if (drawer) {
		(*member)->wants = strdup(drawer);
		if (!(*member)->wants)
			return -ENOMEM;
	}
	(*member)->views = ops;
	return 0;
}

static struct display_member *find_drawer(const struct display_hub *hub, const char *name)
{
	for (struct display_member *m = hub->members; m; m = m->next)
		if (m->draws && (!name || strcmp(hub->env.name(m->dev), name) == 0))
			return m;
	return NULL;
}

/* What is there already is news. */
static void begin(struct display_member *v)
{
	for (uint32_t i = 0; i < v->drawer->n_screens; i++) {
		const struct display_screen *s = &v->drawer->screens[i];

		v->news[i] = (struct display_news){ .surface = s->lit,
			.image = s->cursor.pixels != NULL,
			.moved = s->visible || s->cursor.pixels };
	}
	display_member_post(v);
}

int display_hub_connect(
	struct display_hub *hub, struct tenon_dev **ret_dev, const char **ret_wanted)
{
	int ret = 0;

	display_hub_lock(hub);
	for (struct display_member *v = hub->members; v && ret == 0; v = v->next) {
		if (!v->views || v->drawer)
			continue;
		v->drawer = find_drawer(hub, v->wants);
		if (v->drawer) {
			begin(v);
			continue;
		}
		*ret_dev = v->dev;
		*ret_wanted = v->wants;
		ret = -ENOENT;
	}
	display_hub_unlock(hub);
	return ret;
}

uint32_t display_screens(struct display_member *m)
{
	uint32_t n = 0;

	if (!m)
		return 0;
	display_hub_lock(m->hub);
	if (m->drawer)
		n = m->drawer->n_screens;
	display_hub_unlock(m->hub);
	return n;
}

static struct display_screen *viewed(struct display_member *m, uint32_t screen)
{
	return m ? display_screen_of(m->drawer, screen) : NULL;
}

int display_lock(struct display_member *m, uint32_t screen, struct tenon_surface *ret_surface)
{
	struct display_screen *s = viewed(m, screen);
	bool lit;

	if (!s)
		return -ENODATA;
	(void)pthread_mutex_lock(&s->looked_at);
	display_hub_lock(m->hub);
	lit = s->lit;
	*ret_surface = s->surface;
	display_hub_unlock(m->hub);
	if (lit)
		return 0;
	(void)pthread_mutex_unlock(&s->looked_at);
	return -ENODATA;
}

void display_unlock(struct display_member *m, uint32_t screen)
{
	struct display_screen *s = viewed(m, screen);

	if (s)
		(void)pthread_mutex_unlock(&s->looked_at);
}

int display_resize(struct display_member *m, uint32_t screen, uint32_t width, uint32_t height)
{
	struct display_screen *s = viewed(m, screen);

	if (!s || width == 0 || height == 0 || width > TENON_DISPLAY_MAX_SIZE ||
		height > TENON_DISPLAY_MAX_SIZE)
		return -EINVAL;
	display_hub_lock(m->hub);
	s->want_size = true;
	s->width = width;
	s->height = height;
	display_member_post(m->drawer);
	display_hub_unlock(m->hub);
	return 0;
}

void display_hub_picture(struct display_hub *hub)
{
	display_hub_lock(hub);
	for (struct display_member *m = hub->members; m; m = m->next) {
		if (!m->views)
			continue;
		m->picture = true;
		display_member_post(m);
	}
	display_hub_unlock(hub);
}

static void tell_picture_of(struct display_member *m, uint32_t screen, const struct display_news *n)
{
	const struct display_screen *s = &m->drawer->screens[screen];
	struct tenon_surface surface;
	bool lit;

	display_hub_lock(m->hub);
	lit = s->lit;
	surface = s->surface;
	display_hub_unlock(m->hub);
	if (n->surface && TENON_HAS(m->views, surface))
		m->views->surface(m->dev, screen, lit ? &surface : NULL);
	if (n->n_rects && TENON_HAS(m->views, damage))
		m->views->damage(m->dev, screen, n->rects, n->n_rects);
}

/* The picture stays while it is looked at. */
static void tell_cursor_of(struct display_member *m, uint32_t screen, bool image)
{
	struct display_screen *s = &m->drawer->screens[screen];
	int32_t x, y;
	bool visible;

	(void)pthread_mutex_lock(&s->looked_at);
	display_hub_lock(m->hub);
	x = s->x;
	y = s->y;
	visible = s->visible && s->cursor.pixels;
	display_hub_unlock(m->hub);
	m->views->cursor(
		m->dev, screen, x, y, visible, image && s->cursor.pixels ? &s->cursor : NULL);
	(void)pthread_mutex_unlock(&s->looked_at);
}

void display_tell_viewer(struct display_member *m)
{
	bool picture;

	for (uint32_t i = 0; m->drawer && i < m->drawer->n_screens; i++) {
		struct display_news n;

		display_hub_lock(m->hub);
		n = m->news[i];
		m->news[i] = (struct display_news){ 0 };
		display_hub_unlock(m->hub);
		if (n.surface || n.n_rects)
			tell_picture_of(m, i, &n);
		if (n.moved && TENON_HAS(m->views, cursor))
			tell_cursor_of(m, i, n.image);
	}
	display_hub_lock(m->hub);
	picture = m->picture;
	m->picture = false;
	display_hub_unlock(m->hub);
	if (picture && TENON_HAS(m->views, picture))
		m->views->picture(m->dev);
}

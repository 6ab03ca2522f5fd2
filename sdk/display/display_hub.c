/* SPDX-License-Identifier: Apache-2.0 */
/* The devices that have a part in what is shown, and how each is told. */
#include "sdk/display/display_hub.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "sdk/display/display_private.h"

struct display_hub *display_hub_create(const struct display_hub_env *env)
{
	struct display_hub *hub = calloc(1, sizeof(*hub));

	if (!hub)
		return NULL;
	hub->env = *env;
	(void)pthread_mutex_init(&hub->lock, NULL);
	return hub;
}

void display_hub_destroy(struct display_hub *hub)
{
	if (!hub)
		return;
	/* Each unlinks itself. */
	while (hub->members)
		display_member_remove(hub->members); /* NOLINT(clang-analyzer-unix.Malloc) */
	(void)pthread_mutex_destroy(&hub->lock);
	free(hub);
}

void display_hub_lock(struct display_hub *hub)
{
	(void)pthread_mutex_lock(&hub->lock);
}

void display_hub_unlock(struct display_hub *hub)
{
	(void)pthread_mutex_unlock(&hub->lock);
}

int display_join(struct display_hub *hub, struct tenon_dev *dev, struct display_member **member)
{
	struct display_member *m, **at;

	if (*member)
		return 0;
	m = calloc(1, sizeof(*m));
	if (m)
		m->room = calloc(1, hub->env.post_size);
	if (!m || !m->room) {
		free(m);
		return -ENOMEM;
	}
	m->hub = hub;
	m->dev = dev;
	m->paused = true; /* till it is started */
	display_hub_lock(hub);
	for (at = &hub->members; *at; at = &(*at)->next)
		continue;
	*at = m;
	display_hub_unlock(hub);
	*member = m;
	return 0;
}

static void free_screens(struct display_member *m)
{
	for (uint32_t i = 0; i < m->n_screens; i++) {
		(void)pthread_mutex_destroy(&m->screens[i].looked_at);
		free((void *)(uintptr_t)m->screens[i].cursor.pixels);
	}
	free(m->screens);
}

void display_member_remove(struct display_member *member)
{
	struct display_hub *hub;

	if (!member)
		return;
	hub = member->hub;
	hub->env.drop(member->dev, member);
	display_hub_lock(hub);
	for (struct display_member **at = &hub->members; *at; at = &(*at)->next) {
		if (*at == member) {
			*at = member->next;
			break;
		}
	}
	for (struct display_member *m = hub->members; m; m = m->next)
		if (m->drawer == member)
			m->drawer = NULL;
	display_hub_unlock(hub);
	free_screens(member);
	free(member->wants);
	free(member->packets);
	free(member->room);
	free(member);
}

void display_member_post(struct display_member *m)
{
	if (m->posted || m->paused)
		return;
	m->posted = true;
	m->hub->env.post(m->dev, m->room, m);
}

void display_member_pause(struct display_member *member, bool paused)
{
	if (!member)
		return;
	display_hub_lock(member->hub);
	member->paused = paused;
	if (!paused)
		display_member_post(member); /* whether there is anything is seen then */
	display_hub_unlock(member->hub);
}

struct display_screen *display_screen_of(struct display_member *m, uint32_t screen)
{
	return m && screen < m->n_screens ? &m->screens[screen] : NULL;
}

void display_member_tell(struct display_member *member)
{
	display_hub_lock(member->hub);
	member->posted = false;
	display_hub_unlock(member->hub);
	if (member->paused)
		return; /* posted again when it goes on */
	if (member->draws)
		display_tell_sizes(member);
	if (member->views)
		display_tell_viewer(member);
	if (member->takes)
		display_tell_input(member);
}

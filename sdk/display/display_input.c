/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people type and point at, on its way to an input device.
 *
 * Where there is no room, events are lost, but a key that was let go must not stay pressed: that
 * much is remembered, and stands in line before everything newer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/display/display_private.h"

#define EVDEV_KEY 1u /* EV_KEY; not every host has Linux's header */

int display_take_input(struct display_hub *hub, struct tenon_dev *dev,
	struct display_member **member, uint32_t kinds, const struct tenon_input_ops *ops)
{
	int ret;

	if (kinds == 0 || !TENON_HAS(ops, input))
		return -EINVAL;
	if (*member && (*member)->takes)
		return -EBUSY;
	ret = display_join(hub, dev, member);
	if (ret < 0)
		return ret;
	(*member)->packets = calloc(DISPLAY_MAX_PACKETS, sizeof(struct display_packet));
	if (!(*member)->packets)
		return -ENOMEM;
	display_hub_lock(hub);
	(*member)->kinds = kinds;
	(*member)->takes = ops;
	display_hub_unlock(hub);
	return 0;
}

static struct display_packet *add_packet(struct display_member *to)
{
	return &to->packets[(to->at + to->n_packets++) % DISPLAY_MAX_PACKETS];
}

static bool is_full(const struct display_member *m)
{
	return m->n_packets == DISPLAY_MAX_PACKETS;
}

static void keep_releases(
	struct display_member *to, const struct tenon_input_event *events, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct tenon_input_event *e = &events[i];

		if (e->type != EVDEV_KEY || e->value != 0 || e->code >= DISPLAY_KEYS ||
			to->late[e->code])
			continue;
		to->late[e->code] = true;
		to->n_late++;
	}
}

static void fill_with_releases(struct display_member *m, struct display_packet *p)
{
	p->n = 0;
	for (uint16_t code = 0; code < DISPLAY_KEYS && p->n < TENON_INPUT_MAX_PACKET; code++) {
		if (!m->late[code])
			continue;
		m->late[code] = false;
		m->n_late--;
		p->events[p->n++] = (struct tenon_input_event){ EVDEV_KEY, code, 0 };
	}
}

static void line_up_releases(struct display_member *m)
{
	while (m->n_late > 0 && !is_full(m))
		fill_with_releases(m, add_packet(m));
}

static int give(struct display_member *to, const struct tenon_input_event *events, uint32_t n)
{
	struct display_packet *p;

	if (is_full(to)) {
		keep_releases(to, events, n);
		return -EAGAIN;
	}
	p = add_packet(to);
	p->n = n;
	memcpy(p->events, events, n * sizeof(*events));
	if (!to->behind)
		display_member_post(to);
	return 0;
}

int display_input(
	struct display_member *m, uint32_t kind, const struct tenon_input_event *events, uint32_t n)
{
	int ret = -ENODEV;

	if (!m || n == 0 || n > TENON_INPUT_MAX_PACKET)
		return -EINVAL;
	display_hub_lock(m->hub);
	for (struct display_member *to = m->hub->members; to; to = to->next) {
		if (!(to->kinds & kind))
			continue;
		ret = give(to, events, n);
		break;
	}
	display_hub_unlock(m->hub);
	return ret;
}

void display_ready(struct display_member *m)
{
	if (!m)
		return;
	display_hub_lock(m->hub);
	m->behind = false;
	display_member_post(m);
	display_hub_unlock(m->hub);
}

void display_tell_input(struct display_member *m)
{
	struct display_packet p;

	for (;;) {
		display_hub_lock(m->hub);
		if (m->n_packets == 0 || m->behind) {
			display_hub_unlock(m->hub);
			return;
		}
		p = m->packets[m->at];
		m->behind = true; /* unless it takes it; ready() may come at once */
		display_hub_unlock(m->hub);
		if (m->takes->input(m->dev, p.events, p.n) == -EAGAIN)
			return;
		display_hub_lock(m->hub);
		m->at = (m->at + 1) % DISPLAY_MAX_PACKETS;
		m->n_packets--;
		line_up_releases(m);
		m->behind = false;
		display_hub_unlock(m->hub);
	}
}

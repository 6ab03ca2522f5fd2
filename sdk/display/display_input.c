/* SPDX-License-Identifier: Apache-2.0 */
/* What people type and point at, on its way to an input device. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/display/display_private.h"

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

static int give(struct display_member *to, const struct tenon_input_event *events, uint32_t n)
{
	struct display_packet *p;

	if (to->n_packets == DISPLAY_MAX_PACKETS)
		return -EAGAIN;
	p = &to->packets[(to->at + to->n_packets) % DISPLAY_MAX_PACKETS];
	p->n = n;
	memcpy(p->events, events, n * sizeof(*events));
	to->n_packets++;
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
		m->behind = false;
		display_hub_unlock(m->hub);
	}
}

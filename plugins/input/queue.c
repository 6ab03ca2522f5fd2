/* SPDX-License-Identifier: Apache-2.0 */
/* Events on their way to the guest; see struct input_queue. */
#include <string.h>

#include "input.h"

void queue_clear(struct input_queue *q)
{
	memset(q, 0, sizeof(*q));
}

/* The last place is for the end of a packet. */
static bool is_full(const struct input_queue *q)
{
	return q->n >= INPUT_BACKLOG - 1;
}

static void append(struct input_queue *q, const struct tenon_input_event *event)
{
	q->events[(q->at + q->n++) % INPUT_BACKLOG] = *event;
	q->open = true;
}

static void end_packet(struct input_queue *q)
{
	static const struct tenon_input_event end = { EV_SYN, SYN_REPORT, 0 };

	if (q->open)
		append(q, &end);
	q->open = false;
}

/* ---- the state ---- */

static void lay_over(struct input_state *s, const struct tenon_input_event *e)
{
	if (e->type == EV_KEY)
		bit_put(&s->keys, e->code, e->value != 0);
	else if (e->type == EV_SW)
		bit_put(&s->switches, e->code, e->value != 0);
	else if (e->type == EV_ABS && e->code < ABS_CNT)
		s->axes[e->code] = e->value;
	else if (e->type == EV_REL && e->code < REL_CNT &&
		 __builtin_add_overflow(s->moves[e->code], e->value, &s->moves[e->code]))
		s->moves[e->code] = e->value;
}

/* One event that leads from what the guest knows towards `after`; false = none is left. */
static bool next_bit(struct input_bits *from, const struct input_bits *to, uint16_t type, bool on,
	struct tenon_input_event *ret_event)
{
	for (unsigned i = 0; i < INPUT_BYTES; i++) {
		unsigned differ =
			(from->bytes[i] ^ to->bytes[i]) & (on ? to->bytes[i] : from->bytes[i]);
		unsigned code;

		if (!differ)
			continue;
		code = i * 8 + (unsigned)__builtin_ctz(differ);
		bit_put(from, code, on);
		*ret_event = (struct tenon_input_event){ type, (uint16_t)code, on };
		return true;
	}
	return false;
}

static bool next_axis(struct input_queue *q, struct tenon_input_event *ret_event)
{
	for (uint16_t i = 0; i < ABS_CNT; i++) {
		if (q->known.axes[i] == q->after.axes[i])
			continue;
		q->known.axes[i] = q->after.axes[i];
		*ret_event = (struct tenon_input_event){ EV_ABS, i, q->after.axes[i] };
		return true;
	}
	for (uint16_t i = 0; i < REL_CNT; i++) {
		if (q->after.moves[i] == 0)
			continue;
		*ret_event = (struct tenon_input_event){ EV_REL, i, q->after.moves[i] };
		q->after.moves[i] = 0;
		return true;
	}
	return false;
}

/* Releases come first, so that no two keys are down together that never were. */
static bool next_difference(struct input_queue *q, struct tenon_input_event *e)
{
	return next_bit(&q->known.keys, &q->after.keys, EV_KEY, false, e) || next_axis(q, e) ||
	       next_bit(&q->known.keys, &q->after.keys, EV_KEY, true, e) ||
	       next_bit(&q->known.switches, &q->after.switches, EV_SW, false, e) ||
	       next_bit(&q->known.switches, &q->after.switches, EV_SW, true, e);
}

/* Everything that waited is taken: the differences are next, as many as there is room for. */
static void catch_up(struct input_queue *q)
{
	struct tenon_input_event e;

	q->behind = false;
	while (next_difference(q, &e)) {
		append(q, &e);
		if (is_full(q)) {
			q->behind = true;
			break;
		}
	}
	end_packet(q);
}

struct input_state *queue_state(struct input_queue *q)
{
	if (q->behind)
		return &q->after;
	end_packet(q);
	q->after = q->known;
	q->behind = true;
	return &q->after;
}

/* ---- in and out ---- */

static bool is_for_guest(const struct input_abilities *can, const struct tenon_input_event *e)
{
	return (e->type == EV_KEY || e->type == EV_REL || e->type == EV_ABS || e->type == EV_MSC ||
		       e->type == EV_SW) &&
	       input_can(can, e->type, e->code);
}

void queue_put(struct input_queue *q, const struct input_abilities *can,
	const struct tenon_input_event *event)
{
	if (!is_for_guest(can, event))
		return;
	if (q->behind || is_full(q)) {
		lay_over(queue_state(q), event);
		return;
	}
	if (event->type != EV_REL)
		lay_over(&q->known, event);
	append(q, event);
}

void queue_end(struct input_queue *q)
{
	if (!q->behind)
		end_packet(q);
}

bool queue_take(struct input_queue *q, struct tenon_input_event *ret_event)
{
	if (q->n == 0 && q->behind)
		catch_up(q);
	if (q->n == 0)
		return false;
	*ret_event = q->events[q->at];
	q->at = (q->at + 1) % INPUT_BACKLOG;
	q->n--;
	return true;
}

void queue_untake(struct input_queue *q)
{
	q->at = (q->at + INPUT_BACKLOG - 1) % INPUT_BACKLOG;
	q->n++;
}

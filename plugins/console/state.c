/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State: what the guest knows of each port, and how far a chain is out that was not yet returned;
 * the chain itself is the virtio layer's to save, and comes out of its queue once more.
 *
 * Who is at the host's ends is found out anew, and the guest told of what has changed.
 */
#include <errno.h>
#include <string.h>

#include "console.h"

#define VERSION   1u
#define NEED(tag) (TENON_STATE_NEED | (tag))

/* Ports have the tags from here on. */
#define TAG_PORT 0x100u

enum {
	TAG_NAME = 1,
	TAG_GUEST_OPEN,
	TAG_READY,
	TAG_PENDING,
	TAG_TOLD_OPEN,
	TAG_CLOSING,
	TAG_WRITTEN,
	TAG_COLUMNS,
	TAG_ROWS,
	TAG_SPOKE,
	TAG_LISTENED,
};

#define PENDING_MASK (TELL_ADD | TELL_CONSOLE | TELL_NAME | TELL_SIZE | TELL_OPEN)

const struct tenon_state *console_state;

/* ---- saving ---- */

static int save_port(const struct port *p, struct tenon_state_w *w)
{
	(void)console_state->begin(w, TAG_PORT + p->id, "port", VERSION);
	(void)console_state->put_string(w, TAG_NAME, p->spec.name);
	(void)console_state->put_u8(w, TAG_GUEST_OPEN, p->guest_open);
	(void)console_state->put_u8(w, TAG_READY, p->ready);
	(void)console_state->put_u8(w, TAG_PENDING, p->pending);
	(void)console_state->put_u8(w, TAG_TOLD_OPEN, p->told_open);
	(void)console_state->put_u8(w, TAG_CLOSING, p->closing);
	(void)console_state->put_u64(w, TAG_WRITTEN, p->holds ? p->written : p->skip);
	if (p->sized) {
		(void)console_state->put_u32(w, TAG_COLUMNS, p->columns);
		(void)console_state->put_u32(w, TAG_ROWS, p->rows);
	}
	(void)console_state->put_u8(w, TAG_SPOKE, p->spoke);
	(void)console_state->put_u8(w, TAG_LISTENED, p->listened);
	return console_state->end(w);
}

int console_save(struct tenon_dev *dev, struct tenon_state_w *w)
{
	const struct console *c = console_host->priv(dev);
	int ret = 0;

	for (uint32_t i = 0; i < c->n_ports && ret == 0; i++)
		ret = save_port(&c->ports[i], w);
	return ret;
}

/* ---- loading ---- */

static int get_flag(struct tenon_state_r *r, uint32_t tag, bool *flag)
{
	uint8_t value = *flag;
	int ret = console_state->get_u8(r, tag, &value);

	*flag = value != 0;
	return ret;
}

static int load_fields(struct port *p, struct tenon_state_r *r)
{
	char name[sizeof(p->spec.name)] = "", label[PORT_LABEL_MAX];
	uint32_t columns = p->columns, rows = p->rows;
	int ret;

	(void)console_state->get_string(r, NEED(TAG_NAME), name, sizeof(name));
	(void)get_flag(r, NEED(TAG_GUEST_OPEN), &p->guest_open);
	(void)get_flag(r, TAG_READY, &p->ready);
	(void)console_state->get_u8(r, TAG_PENDING, &p->pending);
	(void)get_flag(r, TAG_TOLD_OPEN, &p->told_open);
	(void)get_flag(r, TAG_CLOSING, &p->closing);
	(void)console_state->get_u64(r, TAG_WRITTEN, &p->skip);
	(void)console_state->get_u32(r, TAG_COLUMNS, &columns);
	(void)console_state->get_u32(r, TAG_ROWS, &rows);
	(void)get_flag(r, TAG_SPOKE, &p->spoke);
	ret = get_flag(r, TAG_LISTENED, &p->listened);
	if (ret < 0)
		return ret;
	if (strcmp(name, p->spec.name) != 0)
		return tenon_failf(console_host, p->dev, -EPROTO,
			"%s had another name when it was saved", port_label(p, label));
	p->pending &= PENDING_MASK;
	p->moved = true;
	p->resized = columns != p->columns || rows != p->rows;
	return 0;
}

static int load_port(struct port *p, struct tenon_state_r *r)
{
	uint32_t version;
	int ret = console_state->enter(r, NEED(TAG_PORT + p->id), "port", VERSION, &version);

	if (ret > 0)
		ret = load_fields(p, r);
	return ret < 0 ? ret : console_state->leave(r);
}

int console_load(struct tenon_dev *dev, struct tenon_state_r *r, uint32_t version)
{
	struct console *c = console_host->priv(dev);
	int ret = 0;

	(void)version;
	for (uint32_t i = 0; i < c->n_ports && ret == 0; i++)
		ret = load_port(&c->ports[i], r);
	return ret;
}

void port_moved(struct port *p)
{
	if (!p->moved)
		return;
	p->moved = false;
	/* The terminal is another one, and so may be the peer. */
	if (p->resized && p->sized)
		port_tell_size(p);
	if (p->host_open != p->told_open)
		control_tell(p, TELL_OPEN);
}

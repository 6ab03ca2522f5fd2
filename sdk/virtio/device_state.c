/* SPDX-License-Identifier: Apache-2.0 */
/* One device's part of a saved state. */
#include "sdk/virtio/device_state.h"

#include <errno.h>

#define VIRTIO_VERSION 1u

enum { TAG_NAME = 1, TAG_TYPE, TAG_VIRTIO, TAG_CLASS };

static const struct tenon_state *const state = &state_service;

/* ---- saving ---- */

static int save_class(struct tenon_state_w *w, const struct saved_device *s)
{
	const unsigned depth = w->depth + 1;
	int ret;

	(void)state->begin(w, TAG_CLASS, s->type, s->version);
	if (w->error)
		return w->error;
	ret = s->save(s->opaque, w);
	if (ret < 0)
		return state_write_fail(w, ret, "its class could not save it");
	if (!w->error && w->depth != depth)
		return state_write_fail(
			w, -EINVAL, "its class left a section open, or ended one too many");
	return state->end(w);
}

int device_state_save(struct tenon_state_w *w, const struct saved_device *s)
{
	(void)state->put_string(w, TAG_NAME, s->name);
	(void)state->put_string(w, TAG_TYPE, s->type);
	if (s->virtio) {
		(void)state->begin(w, TAG_VIRTIO, "virtio", VIRTIO_VERSION);
		(void)virtio_device_save(s->virtio, w);
		(void)state->end(w);
	}
	return s->save ? save_class(w, s) : w->error;
}

/* ---- loading ---- */

static void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

int device_state_identity(
	struct tenon_state_r *r, char name[DEVICE_STATE_NAME], char type[DEVICE_STATE_TYPE])
{
	int ret;

	name[0] = type[0] = '\0';
	(void)state->get_string(r, TENON_STATE_NEED | TAG_NAME, name, DEVICE_STATE_NAME);
	ret = state->get_string(r, TENON_STATE_NEED | TAG_TYPE, type, DEVICE_STATE_TYPE);
	make_printable(name);
	make_printable(type);
	return ret;
}

static int load_virtio(struct tenon_state_r *r, const struct saved_device *s)
{
	uint32_t version;
	int ret;

	if (!s->virtio && state->has(r, TAG_VIRTIO) > 0)
		return state_read_fail(r, -EPROTO, "it was a virtio device, and is none here");
	if (!s->virtio)
		return r->error;
	ret = state->enter(r, TENON_STATE_NEED | TAG_VIRTIO, "virtio", VIRTIO_VERSION, &version);
	if (ret > 0)
		ret = virtio_device_load(s->virtio, r);
	return ret < 0 ? ret : state->leave(r);
}

static int load_class(struct tenon_state_r *r, const struct saved_device *s)
{
	unsigned depth;
	uint32_t version;
	int ret;

	if (!s->load && state->has(r, TAG_CLASS) > 0)
		return state_read_fail(
			r, -ENOTSUP, "its class has saved a state of its own, and has none here");
	if (!s->load)
		return r->error;
	ret = state->enter(r, TENON_STATE_NEED | TAG_CLASS, s->type, s->version, &version);
	if (ret < 0)
		return ret;
	depth = r->depth;
	ret = s->load(s->opaque, r, version);
	if (ret < 0)
		return state_read_fail(r, ret, "its class refused what it had saved");
	if (!r->error && r->depth != depth)
		return state_read_fail(
			r, -EINVAL, "its class left a section entered, or left one too many");
	return state->leave(r);
}

int device_state_load(struct tenon_state_r *r, const struct saved_device *s)
{
	int ret = load_virtio(r, s);

	if (ret == 0)
		ret = load_class(r, s);
	if (ret == 0 && s->virtio)
		virtio_device_loaded(s->virtio);
	if (ret < 0 && s->virtio)
		virtio_device_machine_reset(s->virtio);
	return ret;
}

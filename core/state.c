/* SPDX-License-Identifier: Apache-2.0 */
/* The state of all devices of a machine. */
#include "core/state.h"

#include <errno.h>
#include <string.h>

#include "core/config.h"
#include "core/device.h"
#include "core/error.h"
#include "sdk/virtio/device_state.h"

/* The devices have the tags from 1 on. */
#define MOST_DEVICES 0xffffu

static const struct tenon_state *const state = &state_service;

/* ---- saving ---- */

static int save_one(struct tenon_dev *dev, struct tenon_state_w *w, uint32_t tag, struct error *err)
{
	int ret;

	(void)state->begin(w, tag, DEVICE_STATE_SECTION, DEVICE_STATE_VERSION);
	ret = device_save(dev, w, err);
	return ret < 0 ? ret : state->end(w);
}

int devices_save(struct tenon_dev *first, struct state_bytes *ret_state, struct error *err)
{
	struct tenon_state_w w;
	uint32_t tag = 1;
	int ret = state_write_begin(&w);

	for (struct tenon_dev *d = first; d && ret == 0; d = d->next)
		ret = save_one(d, &w, tag++, err);
	if (ret == 0)
		ret = state_write_end(&w);
	if (ret < 0) {
		(void)error_set(err, EXIT_HOST, ret, "the devices cannot be saved: %s", w.why);
		state_write_free(&w);
		return ret;
	}
	*ret_state = (struct state_bytes){ w.bytes, w.size };
	return 0;
}

/* ---- loading ---- */

static struct tenon_dev *find_device(struct tenon_dev *first, const char *name)
{
	struct tenon_dev *d = first;

	while (d && strcmp(d->config->name, name) != 0)
		d = d->next;
	return d;
}

static int load_one(struct tenon_dev *first, struct tenon_state_r *r, struct error *err)
{
	char name[DEVICE_STATE_NAME], type[DEVICE_STATE_TYPE];
	int ret = device_state_identity(r, name, type);
	struct tenon_dev *dev;

	if (ret < 0)
		return ret;
	dev = find_device(first, name);
	if (!dev)
		return state_read_fail(r, -EPROTO,
			"there is a device \"%s\" of type \"%s\", which this machine does not have",
			name, type);
	if (strcmp(dev->cls->name, type) != 0)
		return state_read_fail(r, -EPROTO,
			"device \"%s\" is of type \"%s\"; in this machine it is of type \"%s\"",
			name, type, dev->cls->name);
	if (dev->loaded)
		return state_read_fail(r, -EPROTO, "device \"%s\" comes twice", name);
	return device_load(dev, r, err);
}

static int load_all(struct tenon_dev *first, struct tenon_state_r *r, struct error *err)
{
	uint32_t tag = 1, version;
	int ret = 0;

	for (; ret == 0 && tag <= MOST_DEVICES && state->has(r, tag) > 0; tag++) {
		ret = state->enter(r, TENON_STATE_NEED | tag, DEVICE_STATE_SECTION,
			DEVICE_STATE_VERSION, &version);
		if (ret > 0)
			ret = load_one(first, r, err);
		if (ret == 0)
			ret = state->leave(r);
	}
	for (const struct tenon_dev *d = first; d && ret == 0; d = d->next)
		if (!d->loaded)
			ret = state_read_fail(r, -ENODATA,
				"device \"%s\" of type \"%s\" is not in it", d->config->name,
				d->cls->name);
	return ret;
}

int devices_load(struct tenon_dev *first, const void *bytes, size_t size, struct error *err)
{
	struct tenon_state_r r;
	int ret = state_read_begin(&r, bytes, size);

	if (ret == 0)
		ret = load_all(first, &r, err);
	if (ret < 0)
		(void)error_set(err, EXIT_USAGE, ret, "the saved state cannot be used: %s", r.why);
	return ret;
}

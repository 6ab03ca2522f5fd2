/* SPDX-License-Identifier: Apache-2.0 */
/* One device's state: on its loop, under its lock, as every callback is. */
#include <errno.h>
#include <string.h>

#include <tenon/state.h>

#include "core/config.h"
#include "core/device.h"
#include "core/error.h"
#include "core/event_loop.h"
#include "core/services.h"
#include "sdk/virtio/device_state.h"
#include "sdk/virtio/table.h"

struct run {
	struct tenon_dev *dev;
	struct tenon_state_w *w; /* one of them */
	struct tenon_state_r *r;
	struct error *err;
};

static int call_save(void *opaque, struct tenon_state_w *w)
{
	struct tenon_dev *dev = opaque;

	return dev->cls->save(dev, w);
}

static int call_load(void *opaque, struct tenon_state_r *r, uint32_t version)
{
	struct tenon_dev *dev = opaque;

	return dev->cls->load(dev, r, version);
}

static int run_state(void *arg)
{
	struct run *run = arg;
	struct tenon_dev *dev = run->dev;
	const struct tenon_device_class *cls = dev->cls;
	const struct saved_device s = {
		.name = dev->config->name,
		.type = cls->name,
		.version = TABLE_COVERS(cls, state_version) ? cls->state_version : 0,
		.virtio = virtio_host_layer(dev->virtio),
		.save = TENON_HAS(cls, save) ? call_save : NULL,
		.load = TENON_HAS(cls, load) ? call_load : NULL,
		.opaque = dev,
	};
	const bool lock = dev->state >= DEVICE_STARTED; /* see run_control() */
	int ret;

	if (lock)
		device_lock(dev);
	dev->err = run->err;
	ret = run->w ? device_state_save(run->w, &s) : device_state_load(run->r, &s);
	dev->err = NULL;
	if (lock)
		device_unlock(dev);
	return ret;
}

int device_save(struct tenon_dev *dev, struct tenon_state_w *w, struct error *err)
{
	struct run run = { .dev = dev, .w = w, .err = err };
	int ret;

	if (dev->state != DEVICE_QUIESCED && !dev->loaded)
		return error_set(err, EXIT_INTERNAL, -EBUSY, "%s: it cannot be saved while it runs",
			dev->config->name);
	ret = loop_call(dev->loop, run_state, &run);
	if (ret < 0)
		(void)error_set(err, EXIT_HOST, ret, "%s: its state cannot be saved: %s",
			dev->config->name, w->why);
	return ret;
}

int device_load(struct tenon_dev *dev, struct tenon_state_r *r, struct error *err)
{
	struct run run = { .dev = dev, .r = r, .err = err };
	int ret;

	if (dev->state != DEVICE_ATTACHED || dev->loaded)
		return error_set(err, EXIT_INTERNAL, -EBUSY,
			"%s: a state is loaded once, before it is started", dev->config->name);
	ret = loop_call(dev->loop, run_state, &run);
	dev->loaded = ret == 0;
	if (ret < 0)
		(void)error_set(err, EXIT_USAGE, ret, "%s: its state cannot be loaded: %s",
			dev->config->name, r->why);
	return ret;
}

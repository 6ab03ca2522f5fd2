/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a device. */
#include "core/device.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/error.h"
#include "core/event_loop.h"
#include "core/sandbox.h"
#include "core/services.h"
#include "core/settings.h"

void device_lock(struct tenon_dev *dev)
{
	if (dev->cls->threads == TENON_SERIAL)
		(void)pthread_mutex_lock(&dev->lock);
	(void)sandbox_note_device(dev->config ? dev->config->name : NULL);
}

void device_unlock(struct tenon_dev *dev)
{
	(void)sandbox_note_device(NULL);
	if (dev->cls->threads == TENON_SERIAL)
		(void)pthread_mutex_unlock(&dev->lock);
}

int device_fail(struct tenon_dev *dev, int err_no, const char *format, ...)
{
	char text[600];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return tenon_host_table.fail(dev, err_no, text);
}

int device_refuse(struct tenon_dev *dev, int err_no, const char *format, ...)
{
	char text[600];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(void)tenon_host_table.fail(dev, -EINVAL, text);
	return err_no;
}

/* ---- control callbacks ---- */

struct control {
	struct tenon_dev *dev;
	int (*fn)(struct tenon_dev *dev);
	void (*void_fn)(struct tenon_dev *dev);
	struct error *err;
	const char *what;
};

static int run_control(void *arg)
{
	struct control *c = arg;
	struct tenon_dev *dev = c->dev;
	/* Before the start and after the end no vCPU runs, and windows come and go, for which the
	 * bus is locked: an access locks the bus first and then the device. */
	const bool lock = dev->state >= DEVICE_STARTED;
	const char *before = sandbox_note_device(dev->config->name);
	int ret = 0;

	if (lock)
		device_lock(dev);
	dev->err = c->err;
	if (c->fn)
		ret = c->fn(dev);
	if (c->void_fn)
		c->void_fn(dev);
	dev->err = NULL;
	if (lock)
		device_unlock(dev);
	(void)sandbox_note_device(before);
	return ret;
}

/* Where the device was written, if it was. */
static int blame(const struct tenon_dev *dev, int ret, struct error *err)
{
	char place[PLACE_TEXT_MAX];

	if (!dev->config->implied)
		error_prefix(err, "%s", place_text(&dev->config->place, place));
	return ret;
}

static int control(struct tenon_dev *dev, int (*fn)(struct tenon_dev *dev), const char *what,
	struct error *err)
{
	struct control c = { .dev = dev, .fn = fn, .err = err, .what = what };
	int ret;

	if (!fn)
		return 0;
	ret = loop_call(dev->loop, run_control, &c);
	if (ret >= 0)
		return 0;
	/* Most have said why themselves; the first sentence stands. */
	(void)error_set(
		err, EXIT_HOST, ret, "%s: cannot %s: %s", dev->config->name, what, strerror(-ret));
	return blame(dev, ret, err);
}

static void control_void(struct tenon_dev *dev, void (*fn)(struct tenon_dev *dev))
{
	struct control c = { .dev = dev, .void_fn = fn };

	if (fn)
		(void)loop_call(dev->loop, run_control, &c);
}

#define CLASS_FN(dev, member) (TENON_HAS((dev)->cls, member) ? (dev)->cls->member : NULL)

/* ---- life ---- */

static int call_create(struct tenon_dev *dev)
{
	return dev->cls->create(dev, dev->settings);
}

int device_create(const struct device_env *env, const struct tenon_device_class *cls,
	const struct config_device *config, struct event_loop *loop, struct tenon_dev **ret_dev,
	struct error *err)
{
	struct tenon_dev *dev = calloc(1, sizeof(*dev));
	const struct tenon_key *keys = TENON_HAS(cls, keys) ? cls->keys : NULL;
	int ret;

	if (!dev)
		return error_set(err, EXIT_HOST, -ENOMEM, "%s: out of memory", config->name);
	*dev = (struct tenon_dev){ .env = env, .cls = cls, .config = config, .loop = loop };
	(void)pthread_mutex_init(&dev->lock, NULL);
	ret = events_init(dev);
	if (ret < 0)
		(void)error_set(err, EXIT_HOST, ret, "%s: %s", config->name, strerror(-ret));
	if (ret == 0)
		ret = settings_check(config, keys, &dev->settings, err);
	if (ret == 0) {
		dev->priv = calloc(1, cls->priv_size ? cls->priv_size : 1);
		ret = dev->priv ? 0
				: error_set(err, EXIT_HOST, -ENOMEM, "%s: out of memory",
					  config->name);
	}
	if (ret == 0) {
		dev->state = DEVICE_CREATED; /* destroy accepts a half-built one */
		ret = control(dev, CLASS_FN(dev, create) ? call_create : NULL, "create it", err);
	}
	if (ret < 0) {
		device_destroy(dev);
		return ret;
	}
	*ret_dev = dev;
	return 0;
}

int device_attach(struct tenon_dev *dev, struct error *err)
{
	dev->state = DEVICE_ATTACHED;
	return control(dev, CLASS_FN(dev, attach), "attach it", err);
}

int device_start(struct tenon_dev *dev, struct error *err)
{
	int ret = control(dev, CLASS_FN(dev, start), "start it", err);

	if (ret < 0)
		return ret;
	dev->state = DEVICE_STARTED;
	dev->loaded = false;
	if (dev->virtio)
		virtio_host_started(dev->virtio);
	displays_pause(dev, false);
	return 0;
}

int device_quiesce(struct tenon_dev *dev, struct error *err)
{
	int ret;

	if (dev->state != DEVICE_STARTED)
		return 0;
	if (dev->virtio)
		virtio_host_quiesce(dev->virtio);
	displays_pause(dev, true);
	ret = control(dev, CLASS_FN(dev, quiesce), "quiesce it", err);
	dev->state = DEVICE_QUIESCED;
	return ret;
}

int device_resume(struct tenon_dev *dev, struct error *err)
{
	int ret;

	if (dev->state != DEVICE_QUIESCED)
		return 0;
	ret = control(dev, CLASS_FN(dev, resume), "resume it", err);
	if (ret < 0)
		return ret;
	dev->state = DEVICE_STARTED;
	if (dev->virtio)
		virtio_host_resume(dev->virtio);
	displays_pause(dev, false);
	return 0;
}

void device_reset(struct tenon_dev *dev)
{
	if (dev->virtio)
		virtio_host_reset(dev->virtio);
	control_void(dev, CLASS_FN(dev, reset));
}

static void release(struct tenon_dev *dev)
{
	virtio_host_destroy(dev->virtio);
	dev->virtio = NULL;
	work_release(dev);
	events_release(dev);
	regions_release(dev);
	irqs_release(dev);
	shm_release(dev);
	displays_release(dev);
	terminal_release(dev);
	dev->pressed = NULL;
}

static int run_release(void *arg)
{
	release(arg);
	return 0;
}

void device_destroy(struct tenon_dev *dev)
{
	if (!dev)
		return;
	(void)device_quiesce(dev, NULL);
	if (dev->state >= DEVICE_ATTACHED) {
		dev->state = DEVICE_ATTACHED;
		control_void(dev, CLASS_FN(dev, detach));
		(void)loop_call(dev->loop, run_release, dev);
	}
	if (dev->state >= DEVICE_CREATED)
		control_void(dev, CLASS_FN(dev, destroy));
	events_finish(dev);
	settings_free(dev->settings);
	free(dev->priv);
	(void)pthread_mutex_destroy(&dev->lock);
	free(dev);
}

/* ---- firmware ---- */

struct describe {
	struct tenon_dev *dev;
	struct tenon_fw fw;
	struct error *err;
};

static int run_describe(void *arg)
{
	struct describe *d = arg;
	int ret;

	device_lock(d->dev);
	d->dev->err = d->err;
	ret = d->dev->cls->describe(d->dev, &d->fw);
	d->dev->err = NULL;
	device_unlock(d->dev);
	return ret;
}

int device_describe(struct tenon_dev *dev, struct machine *machine, struct error *err)
{
	struct describe d = { .dev = dev, .fw = { .machine = machine, .dev = dev }, .err = err };
	int ret = 0;

	if (dev->virtio)
		ret = virtio_host_describe(dev->virtio, &d.fw);
	if (ret == 0 && TENON_HAS(dev->cls, describe))
		ret = loop_call(dev->loop, run_describe, &d);
	if (ret >= 0)
		return 0;
	(void)error_set(err, error_exit_code(ret), ret, "%s: cannot describe it: %s",
		dev->config->name, strerror(-ret));
	return blame(dev, ret, err);
}

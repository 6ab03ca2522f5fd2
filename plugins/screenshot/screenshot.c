/* SPDX-License-Identifier: Apache-2.0 */
/*
 * screenshot: a viewer that makes pictures, when somebody asks for one and at the end.
 *
 * The screen is copied on the device's loop and becomes a file on a thread of the pool.  At the end
 * the screen may be gone before this device is, so that the last picture is taken when the machine
 * stands still, and kept until it is known whether it goes on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"

struct screenshot {
	const char *path, *display; /* a drawer's name; NULL = any */
	uint32_t screen;
	bool at_exit;

	struct tenon_job job;
	struct picture picture; /* the job's while it is under way */
	bool busy, again;       /* somebody asked meanwhile */
	struct picture last;
};

static const struct tenon_host *host;
static const struct tenon_work *work;
static const struct tenon_display *display;

/* ---- pictures ---- */

static void say(struct tenon_dev *dev, int ret)
{
	const struct screenshot *s = host->priv(dev);

	if (ret == -ENODATA && s->screen >= display->screens(dev))
		tenon_logf(host, dev, TENON_LOG_WARN,
			"there is no screen %u, only %u: there is no picture", s->screen,
			display->screens(dev));
	else if (ret == -ENODATA)
		tenon_logf(host, dev, TENON_LOG_WARN, "screen %u is dark: there is no picture",
			s->screen);
	else if (ret < 0)
		tenon_logf(host, dev, TENON_LOG_WARN, "cannot write the picture \"%s\": %s",
			s->path, strerror(-ret));
	else
		tenon_logf(host, dev, TENON_LOG_INFO, "the picture \"%s\" is written", s->path);
}

static void take(struct tenon_dev *dev)
{
	struct screenshot *s = host->priv(dev);
	int ret = picture_take(display, dev, s->screen, &s->picture);

	if (ret == 0)
		ret = work->submit(dev, &s->job);
	s->busy = ret == 0;
	if (ret == 0)
		return;
	picture_free(&s->picture);
	say(dev, ret);
}

static int job_run(struct tenon_dev *dev, struct tenon_job *job)
{
	struct screenshot *s = host->priv(dev);

	(void)job;
	return picture_write(&s->picture, s->path);
}

static void job_done(struct tenon_dev *dev, struct tenon_job *job)
{
	struct screenshot *s = host->priv(dev);

	picture_free(&s->picture);
	s->busy = false;
	say(dev, job->result);
	if (s->again)
		take(dev);
	s->again = false;
}

static void screenshot_picture(struct tenon_dev *dev)
{
	struct screenshot *s = host->priv(dev);

	if (s->busy)
		s->again = true;
	else
		take(dev);
}

static const struct tenon_viewer_ops viewer_ops = {
	.struct_size = sizeof(viewer_ops),
	.picture = screenshot_picture,
};

/* ---- life ---- */

static int screenshot_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct screenshot *s = host->priv(dev);

	s->path = host->conf_str(config, "path", 0);
	s->display = host->conf_str(config, "display", 0);
	s->screen = (uint32_t)host->conf_int(config, "screen");
	s->at_exit = host->conf_int(config, "at_exit");
	s->job = (struct tenon_job){
		.struct_size = sizeof(s->job), .run = job_run, .done = job_done
	};
	return 0;
}

static int screenshot_attach(struct tenon_dev *dev)
{
	const struct screenshot *s = host->priv(dev);

	return display->view(dev, s->display, &viewer_ops);
}

static int screenshot_quiesce(struct tenon_dev *dev)
{
	struct screenshot *s = host->priv(dev);
	int ret;

	work->flush(dev);
	if (!s->at_exit)
		return 0;
	picture_free(&s->last);
	ret = picture_take(display, dev, s->screen, &s->last);
	if (ret < 0)
		say(dev, ret);
	return 0;
}

static int screenshot_resume(struct tenon_dev *dev)
{
	struct screenshot *s = host->priv(dev);

	picture_free(&s->last);
	return 0;
}

static void screenshot_detach(struct tenon_dev *dev)
{
	struct screenshot *s = host->priv(dev);

	if (s->last.pixels)
		say(dev, picture_write(&s->last, s->path));
	picture_free(&s->last);
	if (s->busy)
		(void)work->cancel(dev, &s->job);
	picture_free(&s->picture);
}

static const struct tenon_key screenshot_keys[] = {
	{ "path", TENON_KEY_PATH, TENON_KEY_REQUIRED | TENON_KEY_CREATES, NULL, NULL,
		"the PNG file to write" },
	{ "display", TENON_KEY_STRING, 0, NULL, NULL, "name of the device that draws" },
	{ "screen", TENON_KEY_INT, 0, "0", "0..15", "which of its screens" },
	{ "at_exit", TENON_KEY_BOOL, 0, "false", NULL, "take a picture at the end, too" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class screenshot_class = {
	.struct_size = sizeof(screenshot_class),
	.name = "screenshot",
	.summary = "pictures of the guest's screen",
	.keys = screenshot_keys,
	.priv_size = sizeof(struct screenshot),
	.create = screenshot_create,
	.attach = screenshot_attach,
	.quiesce = screenshot_quiesce,
	.resume = screenshot_resume,
	.detach = screenshot_detach,
	.needs = TENON_NEEDS_FILES,
};

static int screenshot_init(const struct tenon_host *h)
{
	host = h;
	return TENON_FIND(h, work, TENON_SVC_WORK, flush) |
	       TENON_FIND(h, display, TENON_SVC_DISPLAY, unlock);
}

TENON_PLUGIN_CLASS("org.tenon.screenshot", "0.1.0", "Apache-2.0", screenshot_init, screenshot_class,
	"screenshot");

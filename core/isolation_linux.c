/* SPDX-License-Identifier: Apache-2.0 */
/* Devices in processes of their own, which the keeper keeps. */
#include "core/isolation.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/config.h"
#include "core/device.h"
#include "core/error.h"
#include "core/event_loop.h"
#include "core/isolated.h"
#include "core/keeper.h"
#include "core/log.h"
#include "core/services.h"
#include "core/terminal_relay.h"

#define READY_NS 30000000000ull

struct isolation {
	const struct vm_config *config;
	struct keeper *keeper;
	struct loop_watch *watch; /* of the keeper */
	struct isolated *devices;
	size_t n_devices;
};

static struct isolated *find(const struct isolation *iso, const struct config_device *device)
{
	for (size_t i = 0; iso && i < iso->n_devices; i++)
		if (iso->devices[i].config == device || &iso->devices[i].front_end == device)
			return &iso->devices[i];
	return NULL;
}

bool isolation_has(const struct isolation *isolation, const struct config_device *device)
{
	return find(isolation, device);
}

const char *isolation_touches(const struct isolation *isolation, const struct tenon_dev *dev)
{
	const struct isolated *d = find(isolation, dev->config);

	return d ? d->touches : NULL;
}

const char *isolation_settings(const struct isolation *isolation, const struct tenon_dev *dev)
{
	const struct isolated *d = find(isolation, dev->config);

	return d ? d->settings : NULL;
}

const struct config_device *isolation_config(
	const struct isolation *isolation, const struct tenon_dev *dev)
{
	const struct isolated *d = find(isolation, dev->config);

	return d ? d->config : NULL;
}

/* ---- before the first step ---- */

int isolation_create(
	const struct vm_config *config, struct isolation **ret_isolation, struct error *err)
{
	struct isolation *iso;
	size_t n = 0;
	int ret;

	*ret_isolation = NULL;
	for (size_t i = 0; i < config->n_devices; i++)
		n += isolation_is_wanted(config, &config->devices[i]);
	if (n == 0)
		return 0;
	iso = calloc(1, sizeof(*iso));
	if (iso)
		iso->devices = calloc(n, sizeof(*iso->devices));
	if (!iso || !iso->devices) {
		free(iso);
		return error_set(err, EXIT_HOST, -ENOMEM, "out of memory");
	}
	iso->config = config;
	for (size_t i = 0; i < config->n_devices; i++)
		if (isolation_is_wanted(config, &config->devices[i]))
			isolated_init(&iso->devices[iso->n_devices++], &config->devices[i]);
	*ret_isolation = iso;
	ret = keeper_create(config->restart_limit, &iso->keeper);
	if (ret < 0)
		return error_set(err, EXIT_HOST, ret,
			"cannot start the process that keeps the devices' processes: %s",
			strerror(-ret));
	return 0;
}

/* ---- starting ---- */

int isolation_start(struct isolation *isolation, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; isolation && ret == 0 && i < isolation->n_devices; i++)
		ret = isolated_start(&isolation->devices[i], isolation->config, isolation->keeper,
			(uint32_t)i, err);
	return ret;
}

/* What came of a process, for people: "ended with exit code 3". */
static const char *ending(int status, char text[64])
{
	if (WIFSIGNALED(status))
		(void)snprintf(text, 64, "was killed by signal %d (%s)", WTERMSIG(status),
			sigabbrev_np(WTERMSIG(status)) ? sigabbrev_np(WTERMSIG(status)) : "?");
	else
		(void)snprintf(text, 64, "ended with exit code %d", WEXITSTATUS(status));
	return text;
}

/* The driver learns of it now; the front end, which looks for another process, a little later. */
static void give_up(const struct isolation *iso, const struct isolated *d)
{
	char text[64];

	log_msg(LOG_LEVEL_ERR,
		"%s: its process %s, for the %uth time in a row; the device is given up",
		d->config->name, ending(d->status, text), iso->config->restart_limit + 1);
	if (d->dev)
		service_virtio.fault(d->dev, "the device's process is lost for good");
}

static void take_news(struct isolation *iso)
{
	struct keeper_news news;

	while (keeper_next(iso->keeper, &news) == 1) {
		struct isolated *d = news.id < iso->n_devices ? &iso->devices[news.id] : NULL;
		const char *name = d ? d->config->name : "?";
		char text[64];

		if (!d)
			continue;
		child_log_read(&d->log);
		d->dead = true;
		d->status = news.status;
		if (!iso->watch)
			continue; /* whoever waits for it to be ready says why */
		if (news.again)
			log_msg(LOG_LEVEL_WARN, "%s: its process %s; another is started in %u ms",
				name, ending(news.status, text), news.delay_ms);
		else
			give_up(iso, d);
	}
}

static int not_ready(const struct isolated *d, struct error *err)
{
	const int code = WIFEXITED(d->status) ? WEXITSTATUS(d->status) : EXIT_INTERNAL;
	char text[64];

	/* Its own sentence names it; what was wrong with the settings is in it. */
	if (code == EXIT_USAGE || code == EXIT_HOST)
		if (d->log.last[0])
			return error_set(err, (enum exit_code)code, -EINVAL, "%s", d->log.last);
	return error_set(err, EXIT_INTERNAL, -EIO, "%s: its process %s before it was ready%s%s",
		d->config->name, ending(d->status, text), d->log.last[0] ? ": " : "", d->log.last);
}

static int wait_ready(struct isolation *iso, struct isolated *d, struct error *err)
{
	const uint64_t deadline = monotonic_ns() + READY_NS;

	for (;;) {
		struct pollfd fds[] = { { .fd = d->ready_fd, .events = POLLIN },
			{ .fd = d->log.fd, .events = POLLIN },
			{ .fd = keeper_fd(iso->keeper), .events = POLLIN } };
		const uint64_t now = monotonic_ns();

		if (isolated_read_ready(d))
			return 0;
		child_log_read(&d->log);
		take_news(iso);
		if (d->dead)
			return not_ready(d, err);
		if (now >= deadline)
			return error_set(err, EXIT_INTERNAL, -ETIMEDOUT,
				"%s: its process was not ready after %llu s", d->config->name,
				READY_NS / 1000000000u);
		(void)poll(fds, 3, (int)((deadline - now) / 1000000u) + 1);
	}
}

int isolation_front_end(struct isolation *isolation, const struct config_device *device,
	const struct config_device **ret_front_end, struct error *err)
{
	struct isolated *d = find(isolation, device);
	int ret = wait_ready(isolation, d, err);

	if (ret < 0)
		return ret;
	*ret_front_end = &d->front_end;
	return isolated_front_end(d, isolation->config, err);
}

int isolation_attached(struct isolation *isolation, struct tenon_dev *dev, struct error *err)
{
	struct isolated *d = find(isolation, dev->config);
	int ret;

	if (!d)
		return 0;
	d->dev = dev;
	if (!d->wants_terminal)
		return 0;
	ret = terminal_relay_create(dev, d->terminal_fd, &d->relay);
	d->terminal_fd = -1;
	if (ret < 0)
		return error_set(err, EXIT_HOST, ret, "%s: cannot give it the terminal: %s",
			d->config->name, strerror(-ret));
	return 0;
}

/* ---- while the VM runs ---- */

static void keeper_ready(void *arg, uint32_t events)
{
	struct isolation *iso = arg;

	take_news(iso);
	if (events & LOOP_HUP) {
		log_msg(LOG_LEVEL_ERR, "the process that keeps the devices' processes is gone: "
				       "a device whose process dies stays dead");
		loop_fd_remove(iso->watch);
		iso->watch = NULL;
	}
}

int isolation_run(struct isolation *isolation, struct event_loop *loop, struct error *err)
{
	int ret;

	if (!isolation)
		return 0;
	ret = keeper_seal(isolation->keeper);
	if (ret == 0)
		ret = loop_fd_add(loop, keeper_fd(isolation->keeper), LOOP_READ, keeper_ready,
			isolation, &isolation->watch);
	for (size_t i = 0; ret == 0 && i < isolation->n_devices; i++)
		ret = isolated_watch(&isolation->devices[i], loop);
	if (ret < 0)
		return error_set(err, EXIT_HOST, ret,
			"cannot look after the devices' processes: %s", strerror(-ret));
	return 0;
}

/* ---- the end ---- */

void isolation_end(struct isolation *isolation)
{
	if (!isolation || !isolation->keeper)
		return;
	loop_fd_remove(isolation->watch);
	isolation->watch = NULL;
	keeper_end(isolation->keeper);
	/* They write out what they have, for which there must be room. */
	while (!keeper_ended(isolation->keeper)) {
		struct pollfd keeper = { .fd = keeper_fd(isolation->keeper), .events = POLLIN };

		for (size_t i = 0; i < isolation->n_devices; i++)
			isolated_pump(&isolation->devices[i]);
		(void)poll(&keeper, 1, 1);
		take_news(isolation);
	}
	for (size_t i = 0; i < isolation->n_devices; i++)
		isolated_end(&isolation->devices[i]);
}

void isolation_destroy(struct isolation *isolation)
{
	if (!isolation)
		return;
	loop_fd_remove(isolation->watch);
	keeper_destroy(isolation->keeper);
	for (size_t i = 0; i < isolation->n_devices; i++)
		isolated_finish(&isolation->devices[i]);
	free(isolation->devices);
	free(isolation);
}

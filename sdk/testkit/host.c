/* SPDX-License-Identifier: Apache-2.0 */
/* The host table: services by their ids, roles, logs and what fail() was told. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/settings.h"
#include "sdk/testkit/kit.h"

#define MAX_LOGS    4096u
#define MAX_LACKING 16u

struct kit_machine kit = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.now_ns = 1000000000000,
};

static _Thread_local struct kit_here here;

static struct {
	uint32_t level;
	char *text;
} logs[MAX_LOGS];
static unsigned n_logs;

static const char *lacking[MAX_LACKING];
static unsigned n_lacking;

void kit_lock(void)
{
	(void)pthread_mutex_lock(&kit.lock);
}

void kit_unlock(void)
{
	(void)pthread_mutex_unlock(&kit.lock);
}

/* ---- roles ---- */

void kit_enter(struct tk_dev *d, unsigned role, struct kit_here *ret_before)
{
	bool held = here.dev == d && here.role != ROLE_WORK;
	bool lock = d && d->cls->threads == TENON_SERIAL && role != ROLE_WORK && !held;

	*ret_before = here;
	if (lock)
		(void)pthread_mutex_lock(&d->lock);
	here = (struct kit_here){ role, d, lock };
}

void kit_leave(struct tk_dev *d, const struct kit_here *before)
{
	bool locked = here.locked;

	here = *before;
	if (locked)
		(void)pthread_mutex_unlock(&d->lock);
}

struct tk_dev *kit_current(void)
{
	return here.dev;
}

static const char *role_name(unsigned role)
{
	switch (role) {
	case ROLE_MAIN:
		return "[main]";
	case ROLE_VCPU:
		return "[vcpu]";
	case ROLE_LOOP:
		return "[loop]";
	case ROLE_WORK:
		return "[work]";
	default:
		return "a thread of the plugin's own";
	}
}

void kit_role(const char *function, unsigned allowed)
{
	if (allowed == ROLE_ANY || (here.role & allowed))
		return;
	kit_fail("%s was called in %s; it may be called in%s%s%s", function, role_name(here.role),
		allowed & ROLE_MAIN ? " [main]" : "", allowed & ROLE_LOOP ? " [loop]" : "",
		allowed & ROLE_WORK ? " [work]" : "");
}

bool kit_fails(const char *function, unsigned allowed)
{
	kit_role(function, allowed);
	return kit_inject(TK_FAIL_SERVICE);
}

/* ---- logs and errors ---- */

void kit_log(struct tk_dev *d, uint32_t level, const char *text)
{
	char line[700];

	(void)snprintf(line, sizeof(line), "%s%s%s", d ? d->cd->name : "", d ? ": " : "", text);
	kit_lock();
	if (n_logs < MAX_LOGS) {
		logs[n_logs].level = level;
		logs[n_logs++].text = strdup(line);
	}
	kit_unlock();
}

unsigned tk_log_count(uint32_t level)
{
	unsigned n = 0;

	kit_lock();
	for (unsigned i = 0; i < n_logs; i++)
		n += logs[i].level == level;
	kit_unlock();
	return n;
}

int tk_log_has(const char *part)
{
	bool has = false;

	kit_lock();
	for (unsigned i = 0; i < n_logs && !has; i++)
		has = logs[i].text && strstr(logs[i].text, part);
	kit_unlock();
	return has;
}

void tk_log_clear(void)
{
	kit_lock();
	while (n_logs > 0)
		free(logs[--n_logs].text);
	kit_unlock();
}

void kit_set_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(kit.error, sizeof(kit.error), format, args);
	va_end(args);
}

const char *tk_error(void)
{
	return kit.error;
}

static void host_log(struct tenon_dev *dev, uint32_t level, const char *text)
{
	kit_role("log", ROLE_ANY);
	if (level > TENON_LOG_DEBUG)
		kit_fail("log was called with level %u", level);
	kit_log(dev ? &dev->d : NULL, level, text);
}

static int host_fail(struct tenon_dev *dev, int err, const char *text)
{
	if (dev)
		kit_role("fail", ROLE_MAIN | ROLE_LOOP);
	if (err >= 0)
		kit_fail("fail was called with %d, which is no negative errno, for \"%s\"", err,
			text);
	if (!dev)
		kit_set_error("%s", text);
	else if (!dev->d.failing)
		kit_log(&dev->d, TENON_LOG_ERR, text);
	else if (!kit.error[0]) /* the first cause is the one worth reading */
		kit_set_error("%s: %s", dev->d.cd->name, text);
	return err;
}

/* ---- the table ---- */

static void *host_priv(struct tenon_dev *dev)
{
	return dev->d.priv;
}

static const char *host_name(const struct tenon_dev *dev)
{
	return dev->d.cd->name;
}

static const struct {
	const char *id;
	const void *table;
} services[] = {
	{ TENON_SVC_MEM, &kit_mem },
	{ TENON_SVC_MMIO, &kit_mmio },
	{ TENON_SVC_IRQ, &kit_irq },
	{ TENON_SVC_NOTIFIER, &kit_notifier },
	{ TENON_SVC_EVENT, &kit_event },
	{ TENON_SVC_WORK, &kit_work },
	{ TENON_SVC_CLOCK, &kit_clock },
	{ TENON_SVC_TERMINAL, &kit_terminal },
	{ TENON_SVC_POWER, &kit_power },
	{ TENON_SVC_FIRMWARE, &kit_firmware },
	{ TENON_SVC_VIRTIO, &kit_virtio },
	{ TENON_SVC_SHM, &kit_shm },
	{ TENON_SVC_DISPLAY, &kit_display },
	{ TENON_SVC_STATE, &kit_state },
};

static const void *host_service(const char *id)
{
	for (unsigned i = 0; i < n_lacking; i++)
		if (strcmp(lacking[i], id) == 0)
			return NULL;
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (strcmp(services[i].id, id) == 0)
			return services[i].table;
	return NULL;
}

void tk_lack_service(const char *id)
{
	if (n_lacking == MAX_LACKING)
		kit_fail("too many services are lacking");
	lacking[n_lacking++] = id;
}

static uint32_t conf_count(const struct tenon_config *config, const char *key)
{
	kit_role("conf_count", ROLE_MAIN);
	return settings_count(config, key);
}

static const char *conf_str(const struct tenon_config *config, const char *key, uint32_t index)
{
	kit_role("conf_str", ROLE_MAIN);
	return settings_str(config, key, index);
}

static int64_t conf_int(const struct tenon_config *config, const char *key)
{
	kit_role("conf_int", ROLE_MAIN);
	return settings_int(config, key);
}

static uint64_t conf_size(const struct tenon_config *config, const char *key)
{
	kit_role("conf_size", ROLE_MAIN);
	return settings_size(config, key);
}

const struct tenon_host kit_host = {
	.struct_size = sizeof(struct tenon_host),
	.abi_major = TENON_ABI_MAJOR,
	.abi_minor = TENON_ABI_MINOR,
	.service = host_service,
	.log = host_log,
	.fail = host_fail,
	.priv = host_priv,
	.name = host_name,
	.conf_count = conf_count,
	.conf_str = conf_str,
	.conf_int = conf_int,
	.conf_size = conf_size,
};

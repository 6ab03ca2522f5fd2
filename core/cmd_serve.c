/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon serve: one device without a machine, for whoever speaks vhost-user.
 *
 * The steps are those of a VM as far as a device sees them: create, attach, start, and at the end
 * detach and destroy.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/commands.h"
#include "core/config.h"
#include "core/device.h"
#include "core/event_loop.h"
#include "core/loader.h"
#include "core/process_name.h"
#include "core/sandbox.h"
#include "core/serve.h"
#include "core/serve_config.h"
#include "core/serve_listen.h"
#include "core/settings.h"
#include "core/signals.h"
#include "core/terminal.h"
#include "core/work.h"

#define WORK_THREADS 4
#define OUTPUT_NS    1000000000ull

struct server {
	const struct serve_options *options;
	struct vm_config *config;
	struct event_loop *loop;
	struct signals *signals;
	struct loader loader;
	struct terminal *terminal;
	struct work_pool *work;
	struct serve_listen listen;
	bool once;
	struct serve serve;
	int result;
	struct error *err;
};

/* ---- what happens ---- */

static void stop(void *opaque)
{
	const struct server *s = opaque;

	event_loop_stop(s->loop);
}

static void resized(void *opaque)
{
	const struct server *s = opaque;

	terminal_resized(s->terminal);
}

static const struct signals_ops signals_ops = { .stop = stop, .resized = resized };

static void key_pressed(void *opaque, enum terminal_key key)
{
	(void)key;
	stop(opaque);
}

/* A device that asks for the machine's end has none; nothing but a message is right. */
static void no_machine(void *opaque)
{
	struct server *s = opaque;

	serve_say(&s->serve, LOG_LEVEL_WARN, "there is no machine here to switch off or reset");
}

static void wait_for_next(struct server *s)
{
	int ret = serve_listen_next(&s->listen, s->loop, s->err);

	if (ret == 0)
		return;
	s->result = ret;
	stop(s);
}

static void came(void *opaque, int fd)
{
	struct server *s = opaque;

	s->result = serve_connect(&s->serve, fd, s->err);
	if (s->result < 0)
		stop(s);
}

static void gone(void *opaque)
{
	struct server *s = opaque;

	if (s->once)
		stop(s);
	else
		wait_for_next(s);
}

/* ---- steps ---- */

static int open_loader(struct server *s, struct error *err)
{
	const char *folders[LOADER_MAX_FOLDERS];
	char *text = s->options->plugin_path ? strdup(s->options->plugin_path) : NULL;
	char *rest = text, *folder;
	size_t n = 0;
	int ret;

	while (n < LOADER_MAX_FOLDERS && (folder = strsep(&rest, ":")))
		folders[n++] = folder;
	ret = loader_init(&s->loader, folders, n, err);
	free(text);
	return ret;
}

static int prepare(struct server *s, struct error *err)
{
	const struct terminal_config terminal = {
		.in = STDIN_FILENO,
		.out = STDOUT_FILENO,
		.key = key_pressed,
		.opaque = s,
	};
	struct terminal_config with_loop = terminal;
	int ret = event_loop_create(&s->loop);

	if (s->options->ready_fd >= 0)
		with_loop.key = NULL; /* whoever started us looks after the keys */

	if (ret == 0)
		ret = signals_create(s->loop, &signals_ops, s, &s->signals);
	with_loop.loop = s->loop;
	if (ret == 0)
		ret = terminal_create(&with_loop, &s->terminal);
	if (ret == 0)
		ret = serve_map_guard();
	if (ret == 0)
		ret = serve_init(&s->serve, s->loop);
	s->work = work_pool_create(WORK_THREADS);
	if (ret == 0 && !s->work)
		ret = -ENOMEM;
	if (ret < 0)
		return error_set(err, EXIT_HOST, ret, "cannot begin: %s", strerror(-ret));
	s->serve.gone = gone;
	s->serve.opaque = s;
	s->serve.env = (struct device_env){
		.gm = s->serve.memory.gm,
		.home = &s->serve.home,
		.terminal = s->terminal,
		.work = s->work,
		.off = no_machine,
		.reset = no_machine,
		.opaque = s,
	};
	return open_loader(s, err);
}

static int create(struct server *s, struct error *err)
{
	struct config_device *config = s->config->devices;
	const struct tenon_device_class *cls;
	int ret = loader_class(&s->loader, config, &cls, err);

	if (ret == 0)
		ret = serve_config_split(s->config, TENON_HAS(cls, keys) ? cls->keys : NULL, err);
	if (ret == 0)
		ret = device_create(&s->serve.env, cls, config, s->loop, &s->serve.dev, err);
	return ret;
}

static int attach(struct server *s, struct error *err)
{
	struct tenon_dev *dev = s->serve.dev;
	int ret = device_attach(dev, err);

	if (ret == 0 && !dev->virtio)
		ret = error_set(err, EXIT_USAGE, -ENOTSUP,
			"%s: \"%s\" is not a virtio device; only those can be served",
			dev->config->name, dev->config->type);
	if (ret == 0)
		s->serve.vd = virtio_host_device(dev->virtio);
	return ret;
}

static int sandbox_mode(const char *text, enum sandbox_mode *ret_mode, struct error *err)
{
	static const char *const names[] = { "on", "log", "off" };

	for (int i = 0; i < 3; i++)
		if (strcmp(text ? text : "on", names[i]) == 0) {
			*ret_mode = (enum sandbox_mode)i;
			return 0;
		}
	return error_set(err, EXIT_USAGE, -EINVAL,
		"--sandbox is \"%s\"; wanted \"on\", \"log\" or \"off\"", text);
}

static bool is_file(const char *socket)
{
	return socket && socket[0] != '@';
}

/* Our own socket goes at the end. */
static int add_socket(struct sandbox_paths *paths, const char *socket)
{
	struct sandbox_path *grown;
	char *folder;

	if (!is_file(socket))
		return 0;
	folder = strrchr(socket, '/') ? strndup(socket, (size_t)(strrchr(socket, '/') - socket) + 1)
				      : strdup(".");
	grown = reallocarray(paths->at, paths->n + 1, sizeof(*grown));
	if (grown)
		paths->at = grown;
	if (!grown || !folder) {
		free(folder);
		return -ENOMEM;
	}
	paths->at[paths->n++] = (struct sandbox_path){ folder, TENON_PATH_REMOVE };
	return 0;
}

/* What the class declares, and what the end takes. */
static const char **calls_of(const struct tenon_device_class *cls, const char *socket)
{
	const char *const *own = sandbox_syscalls(cls);
	const char **all;
	size_t n = 0;

	while (own && own[n])
		n++;
	all = calloc(n + 3, sizeof(*all));
	if (!all)
		return NULL;
	for (size_t i = 0; i < n; i++)
		all[i] = own[i];
	if (is_file(socket)) {
		all[n] = "unlink";
		all[n + 1] = "unlinkat";
	}
	return all;
}

/*
 * Everything that needs rights has been opened, and nobody has been listened to yet: whatever this
 * process gives up, it gives up here.
 */
static int seal(struct server *s, struct error *err)
{
	struct tenon_dev *dev = s->serve.dev;
	struct sandbox_paths paths = { NULL, 0 };
	struct sandbox_spec spec = { .device = dev->config->name,
		.needs = sandbox_needs(dev->cls),
		.work_pool = work_is_wanted() };
	const char **calls = calls_of(dev->cls, s->options->socket);
	int ret = sandbox_mode(s->options->sandbox, &spec.mode, err);

	if (ret == 0 && (!calls || sandbox_paths_add(&paths, dev) < 0 ||
				add_socket(&paths, s->options->socket) < 0))
		ret = error_set(err, EXIT_HOST, -ENOMEM, "out of memory");
	spec.syscalls = calls;
	spec.paths = paths.at;
	spec.n_paths = paths.n;
	if (ret == 0)
		ret = sandbox_enter_child(&spec, err);
	sandbox_paths_free(&paths);
	free(calls);
	return ret;
}

/* To whoever started us; see isolated.c. */
static int say_ready(const struct server *s, struct error *err)
{
	const struct tenon_dev *dev = s->serve.dev;
	FILE *out = s->options->ready_fd >= 0 ? fdopen(s->options->ready_fd, "w") : NULL;

	if (s->options->ready_fd < 0)
		return 0;
	if (out) {
		(void)fprintf(out, "virtio %u\n%s", virtio_host_device_id(dev->virtio),
			dev->terminal ? "terminal\n" : "");
		for (uint32_t i = 0; i < s->serve.vd->desc.n_queues; i++)
			(void)fprintf(out, "queue %u\n", s->serve.vd->queues[i].max_size);
		(void)sandbox_print(s->serve.dev, "may ", out);
		settings_print(dev->settings, "set ", out);
		(void)fputs("ready\n", out);
		if (fclose(out) == 0)
			return 0;
	}
	return error_set(err, EXIT_USAGE, -errno,
		"cannot say on descriptor %d that all is ready: %s", s->options->ready_fd,
		strerror(errno));
}

static int build(struct server *s, struct error *err)
{
	int ret = prepare(s, err);

	if (ret == 0)
		ret = create(s, err);
	if (ret == 0)
		ret = attach(s, err);
	if (ret == 0)
		ret = serve_listen_open(&s->listen, s->options->socket, s->options->fd, err);
	s->once = s->options->once || s->listen.connected >= 0;
	if (ret == 0)
		ret = seal(s, err);
	if (ret == 0)
		ret = device_start(s->serve.dev, err);
	return ret == 0 ? say_ready(s, err) : ret;
}

static int run(struct server *s, struct error *err)
{
	int ret;

	s->err = err;
	wait_for_next(s);
	ret = s->result == 0 ? event_loop_run(s->loop) : 0;
	if (ret < 0)
		return error_set(
			err, EXIT_INTERNAL, ret, "waiting for events failed: %s", strerror(-ret));
	return s->result;
}

/* What the device wrote is read by somebody, but perhaps not at once. */
static void let_out(const struct server *s)
{
	const uint64_t until = monotonic_ns() + OUTPUT_NS;
	int fd;

	while (s->terminal && (fd = terminal_unwritten(s->terminal)) >= 0) {
		struct pollfd room = { .fd = fd, .events = POLLOUT };
		const uint64_t now = monotonic_ns();

		if (now >= until || poll(&room, 1, (int)((until - now) / 1000000) + 1) <= 0)
			return;
	}
}

static void take_down(struct server *s)
{
	s->serve.gone = NULL;
	serve_listen_close(&s->listen);
	serve_finish(&s->serve);
	device_destroy(s->serve.dev);
	serve_free(&s->serve);
	work_pool_destroy(s->work);
	let_out(s);
	terminal_destroy(s->terminal);
	loader_finish(&s->loader);
	signals_destroy(s->signals);
	event_loop_destroy(s->loop);
}

static int parse_fd(const char *option, const char *text, int *ret_fd, struct error *err)
{
	unsigned long fd;
	char *end;

	*ret_fd = -1;
	if (!text)
		return 0;
	errno = 0;
	fd = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || fd > 1u << 20)
		return error_set(err, EXIT_USAGE, -EINVAL,
			"%s is \"%s\"; wanted the number of an open descriptor", option, text);
	*ret_fd = (int)fd;
	return 0;
}

/* A keeper starts it by a path that says nothing. */
static void name_process(const struct serve_options *options)
{
	char text[64];

	(void)snprintf(
		text, sizeof(text), "tenon %s", options->name ? options->name : options->type);
	process_name_set_short(text);
}

int cmd_serve(const struct serve_options *given, const struct config_override *settings,
	size_t n_settings, struct error *err)
{
	struct serve_options options = *given;
	struct server *s = calloc(1, sizeof(*s));
	int ret;

	if (!s)
		return error_set(err, EXIT_HOST, -ENOMEM, "out of memory");
	name_process(given);
	(void)signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an error of one write */
	s->options = &options;
	s->listen = (struct serve_listen){ .fd = -1, .connected = -1, .came = came, .opaque = s };
	ret = parse_fd("--fd", options.fd_text, &options.fd, err);
	if (ret == 0)
		ret = parse_fd("--settings-fd", options.settings_text, &options.settings_fd, err);
	if (ret == 0)
		ret = parse_fd("--ready-fd", options.ready_text, &options.ready_fd, err);
	if (ret == 0)
		ret = serve_config_read(&options, settings, n_settings, &s->config, err);
	if (ret == 0) {
		ret = build(s, err);
		if (ret == 0)
			ret = run(s, err);
		take_down(s);
	}
	vm_config_free(s->config);
	free(s);
	return ret;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One device in a process of its own.
 *
 * When it is ready, the process says so in lines: `virtio ID`, `queue SIZE` for each queue,
 * `terminal` where it wants one, `may WHAT` for each thing that it may touch, `set NAME = VALUE`
 * for each setting, and `ready`.  The process may be anybody's: what it says is bounded, and
 * believed only so far as the front end checks it again.
 */
#include "core/isolated.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/error.h"
#include "core/event_loop.h"
#include "core/keeper.h"
#include "core/log.h"
#include "core/sandbox.h"
#include "core/setting.h"
#include "core/terminal_relay.h"

#define MAX_ARGS    256
#define PATHS_TEXT  8192
#define PLUGIN_TEXT 4200

/* How the front end looks for the next process: as long as there may be one. */
#define RETRY_MS     10
#define RETRY_MAX_MS 100
#define RETRIES      30 /* for each start */
#define MAX_RETRIES  1000000

void isolated_init(struct isolated *d, const struct config_device *config)
{
	*d = (struct isolated){ .config = config, .ready_fd = -1, .terminal_fd = -1 };
	d->log.fd = -1;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

void isolated_finish(struct isolated *d)
{
	loop_fd_remove(d->log_watch);
	loop_fd_remove(d->ready_watch);
	terminal_relay_destroy(d->relay);
	close_fd(&d->terminal_fd);
	close_fd(&d->ready_fd);
	close_fd(&d->log.fd);
	arena_finish(&d->arena);
}

/* ---- what the process gets ---- */

/* Their ends; ours are in struct isolated. */
struct ends {
	int settings, ready, terminal, log;
};

static void close_ends(struct ends *e)
{
	close_fd(&e->settings);
	close_fd(&e->ready);
	close_fd(&e->terminal);
	close_fd(&e->log);
}

/* A name that nobody guesses, so that nobody has it already. */
static int choose_address(struct isolated *d)
{
	uint64_t random[2];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	(void)snprintf(d->address, sizeof(d->address), "@tenon-%016llx%016llx",
		(unsigned long long)random[0], (unsigned long long)random[1]);
	return 0;
}

static int write_settings(const struct isolated *d)
{
	int fd = memfd_create("settings", MFD_CLOEXEC), err;
	FILE *out = fd < 0 ? NULL : fdopen(dup(fd), "w");

	if (out) {
		setting_write(&d->config->settings, out);
		if (fclose(out) == 0)
			return fd;
	}
	err = errno ? -errno : -EIO;
	if (fd >= 0)
		(void)close(fd);
	return err;
}

static int make_pipe(int *ret_ours, int *ret_theirs)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	*ret_ours = ends[0];
	*ret_theirs = ends[1];
	return 0;
}

static int make_ends(struct isolated *d, struct ends *e)
{
	int ret = make_pipe(&d->ready_fd, &e->ready);

	if (ret == 0)
		ret = make_pipe(&d->log.fd, &e->log);
	if (ret == 0)
		ret = terminal_relay_ends(&d->terminal_fd, &e->terminal);
	if (ret == 0)
		ret = choose_address(d);
	if (ret == 0)
		ret = e->settings = write_settings(d);
	return ret < 0 ? ret : 0;
}

/* ---- how it is called ---- */

struct args {
	const char *argv[MAX_ARGS + 1];
	size_t n;
	bool overflow;
	char numbers[2][12], place[PLACE_TEXT_MAX], plugin_path[PATHS_TEXT], plugin[PLUGIN_TEXT];
};

static void add(struct args *a, const char *text)
{
	if (a->n < MAX_ARGS)
		a->argv[a->n++] = text;
	else
		a->overflow = true;
}

static void add_option(struct args *a, const char *name, const char *value)
{
	if (!value)
		return;
	add(a, name);
	add(a, value);
}

/* Descriptors that settings of the class may name keep their numbers. */
static size_t kept_fds(const struct isolated *d, int keep[KEEPER_MAX_KEEP], int *ret_first)
{
	const struct setting *group = &d->config->settings;
	size_t n = 0;

	*ret_first = STDERR_FILENO + 1;
	for (size_t i = 0; i < group->n_items; i++) {
		const struct setting *s = &group->items[i];
		long long fd = s->kind == SETTING_INT    ? s->number
			       : s->kind == SETTING_WORD ? strtoll(s->text, NULL, 10)
							 : -1;

		/* What a number means, only the class knows. */
		if (!strstr(s->name, "fd") || fd <= STDERR_FILENO || fd >= 1024 ||
			fcntl((int)fd, F_GETFD) != 0 || n == KEEPER_MAX_KEEP)
			continue;
		keep[n++] = (int)fd;
		if (fd >= *ret_first)
			*ret_first = (int)fd + 1;
	}
	return n;
}

static char *arguments_text(const struct isolated *d, size_t *ret_size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_size);

	if (!out)
		return NULL;
	setting_write_arguments(&d->config->settings, out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static void add_plugin(
	struct args *a, const struct config_device *c, const struct vm_config *config)
{
	size_t at = 0;

	for (size_t i = 0; i < config->n_plugin_path && at < PATHS_TEXT; i++)
		at += (size_t)snprintf(a->plugin_path + at, PATHS_TEXT - at, "%s%s", i ? ":" : "",
			config->plugin_path[i]);
	a->overflow |= at >= PATHS_TEXT;
	add_option(a, "--plugin-path", at ? a->plugin_path : NULL);
	if (!c->plugin)
		return;
	a->overflow |= snprintf(a->plugin, PLUGIN_TEXT, "plugin=%s", c->plugin) >= PLUGIN_TEXT;
	add(a, a->plugin);
}

static void describe(
	struct args *a, const struct isolated *d, const struct vm_config *config, int first)
{
	const struct config_device *c = d->config;

	for (int i = 0; i < 2; i++)
		(void)snprintf(a->numbers[i], sizeof(a->numbers[i]), "%d", first + i);
	add(a, "tenon");
	if (log_enabled(LOG_LEVEL_DEBUG))
		add(a, "-vv");
	else if (log_enabled(LOG_LEVEL_INFO))
		add(a, "-v");
	add(a, "serve");
	add(a, c->type);
	add_option(a, "--name", c->name);
	add_option(a, "--socket", d->address);
	add_option(a, "--settings-fd", a->numbers[0]);
	add_option(a, "--ready-fd", a->numbers[1]);
	add_option(a, "--settings-file", c->place.file);
	add_option(a, "--settings-place", place_text(&c->place, a->place));
	add_option(a, "--settings-folder", c->settings.place.folder);
	add_option(a, "--sandbox",
		config->sandbox == SANDBOX_OFF   ? "off"
		: config->sandbox == SANDBOX_LOG ? "log"
						 : "on");
	add_plugin(a, c, config);
}

int isolated_start(struct isolated *d, const struct vm_config *config, struct keeper *keeper,
	uint32_t id, struct error *err)
{
	struct ends e = { -1, -1, -1, -1 };
	struct keeper_program program = { .id = id, .terminal = true };
	char *words = NULL;
	int keep[KEEPER_MAX_KEEP], ret;
	struct args a = { .n = 0 };
	size_t size = 0;

	ret = make_ends(d, &e);
	program.keep = keep;
	program.n_keep = kept_fds(d, keep, &program.first_fd);
	describe(&a, d, config, program.first_fd);
	words = arguments_text(d, &size);
	for (size_t at = 0; words && at < size; at += strlen(words + at) + 1)
		add(&a, words + at);
	if (ret == 0 && !words)
		ret = -ENOMEM;
	if (ret == 0 && a.overflow)
		ret = -E2BIG;
	if (ret == 0) {
		const int fds[] = { e.settings, e.ready };

		a.argv[a.n] = NULL;
		program.argv = a.argv;
		program.stdio[0] = program.stdio[1] = e.terminal;
		program.stdio[2] = e.log;
		program.fds = fds;
		program.n_fds = 2;
		ret = keeper_start(keeper, &program);
	}
	d->log.quiet = true; /* what it says before it is ready is why it is not */
	close_ends(&e);
	free(words);
	if (ret < 0)
		return error_set(err, EXIT_HOST, ret, "%s: cannot start its process: %s",
			d->config->name, strerror(-ret));
	return 0;
}

/* ---- ready ---- */

static void append(char lines[ISOLATED_READY_MAX], const char *line)
{
	const size_t n = strlen(lines);

	(void)snprintf(lines + n, ISOLATED_READY_MAX - n, "%s\n", line);
}

static void take_line(struct isolated *d, const char *line)
{
	if (strncmp(line, "virtio ", 7) == 0)
		d->virtio_id = (uint32_t)strtoul(line + 7, NULL, 10);
	else if (strncmp(line, "queue ", 6) == 0 && d->n_queues < ISOLATED_MAX_QUEUES)
		d->queues[d->n_queues++] = (uint16_t)strtoul(line + 6, NULL, 10);
	else if (strcmp(line, "terminal") == 0)
		d->wants_terminal = true;
	else if (strncmp(line, "may ", 4) == 0)
		append(d->touches, line + 4);
	else if (strncmp(line, "set ", 4) == 0)
		append(d->settings, line + 4);
}

bool isolated_read_ready(struct isolated *d)
{
	char *line, *rest, *end;
	ssize_t n;

	while (d->n_ready + 1 < sizeof(d->ready) &&
		(n = read(d->ready_fd, d->ready + d->n_ready, sizeof(d->ready) - 1 - d->n_ready)) >
			0)
		d->n_ready += (size_t)n;
	d->ready[d->n_ready] = '\0';
	end = strstr(d->ready, "\nready\n");
	if (!end)
		return false;
	*end = '\0';
	for (char *c = d->ready; *c; c++)
		if ((unsigned char)*c < ' ' && *c != '\n')
			*c = '?';
	for (rest = d->ready; (line = strsep(&rest, "\n"));)
		take_line(d, line);
	d->log.quiet = false;
	return true;
}

static bool add_setting(struct isolated *d, const char *name, enum setting_kind kind,
	const char *text, int64_t number)
{
	const struct place place = { .file = d->config->place.file, .line = d->config->place.line };
	struct setting *s = setting_add(&d->arena, &d->front_end.settings, name, &place);

	if (!s)
		return false;
	s->kind = kind;
	s->text = text;
	s->number = number;
	return true;
}

static bool add_queues(struct isolated *d)
{
	char text[ISOLATED_MAX_QUEUES * 7] = "";
	const char *copy;
	size_t at = 0;

	for (uint32_t i = 0; i < d->n_queues; i++)
		at += (size_t)snprintf(
			text + at, sizeof(text) - at, "%s%u", i ? "," : "", d->queues[i]);
	copy = arena_strdup(&d->arena, text);
	return copy && add_setting(d, "queues", SETTING_INT, NULL, d->n_queues) &&
	       add_setting(d, "queue_sizes", SETTING_STRING, copy, 0);
}

int isolated_front_end(struct isolated *d, const struct vm_config *config, struct error *err)
{
	const uint64_t tries = (config->restart_limit + 1ull) * RETRIES;
	const int64_t limit = tries < MAX_RETRIES ? (int64_t)tries : MAX_RETRIES;
	char id[12];
	const char *device;

	/* Everything about how the guest sees it stays as configured. */
	d->front_end = *d->config;
	d->front_end.type = "vhost-user";
	d->front_end.plugin = NULL;
	d->front_end.settings =
		(struct setting){ .kind = SETTING_GROUP, .place = d->config->place };
	(void)snprintf(id, sizeof(id), "%u", d->virtio_id);
	device = arena_strdup(&d->arena, id);
	if (!device || !add_setting(d, "socket", SETTING_STRING, d->address, 0) ||
		!add_setting(d, "device", SETTING_STRING, device, 0) || !add_queues(d) ||
		!add_setting(d, "reconnect", SETTING_INT, NULL, RETRY_MS) ||
		!add_setting(d, "reconnect_max", SETTING_INT, NULL, RETRY_MAX_MS) ||
		!add_setting(d, "reconnect_limit", SETTING_INT, NULL, limit))
		return error_set(err, EXIT_HOST, -ENOMEM, "out of memory");
	return 0;
}

/* ---- while the VM runs, and the end ---- */

static void log_ready(void *arg, uint32_t events)
{
	struct isolated *d = arg;

	(void)events;
	child_log_read(&d->log);
}

/* It is ready again; nothing of what it says is needed twice. */
static void ready_again(void *arg, uint32_t events)
{
	struct isolated *d = arg;
	char lost[1024];
	ssize_t n;

	(void)events;
	while ((n = read(d->ready_fd, lost, sizeof(lost))) > 0)
		if (memmem(lost, (size_t)n, "ready\n", 6))
			log_msg(LOG_LEVEL_INFO, "%s: its new process is ready", d->config->name);
}

int isolated_watch(struct isolated *d, struct event_loop *loop)
{
	int ret = loop_fd_add(loop, d->log.fd, LOOP_READ, log_ready, d, &d->log_watch);

	if (ret == 0)
		ret = loop_fd_add(loop, d->ready_fd, LOOP_READ, ready_again, d, &d->ready_watch);
	return ret;
}

void isolated_pump(struct isolated *d)
{
	if (d->log.fd >= 0)
		child_log_read(&d->log);
	if (d->relay)
		terminal_relay_pump(d->relay);
}

void isolated_end(struct isolated *d)
{
	isolated_pump(d);
	loop_fd_remove(d->log_watch);
	loop_fd_remove(d->ready_watch);
	d->log_watch = d->ready_watch = NULL;
	terminal_relay_destroy(d->relay);
	d->relay = NULL;
}

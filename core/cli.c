/* SPDX-License-Identifier: Apache-2.0 */
/* One table of options says which commands take them and where their value goes. */
#include "core/cli.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tenon/abi.h>

#include "core/backend.h"
#include "core/build_id.h"
#include "core/error.h"
#include "core/log.h"
#include "core/suggest.h"

#ifndef TENON_VERSION
#define TENON_VERSION "0"
#endif
#ifndef TENON_LIBDIR
#define TENON_LIBDIR "/usr/lib"
#endif

#define FOR(command) (1u << (command))
#define FOR_VM       (FOR(CLI_RUN) | FOR(CLI_CHECK))
#define FOR_ALL      UINT32_MAX

enum option_kind {
	OPTION_FLAG,          /* bool at `offset` */
	OPTION_COUNT,         /* unsigned int at `offset`, once more */
	OPTION_TEXT,          /* const char * at `offset` */
	OPTION_OVERRIDE,      /* an override of `key`; --set has none */
	OPTION_OVERRIDE_TEXT, /* the same, and may be empty */
	OPTION_DEVICE,
	OPTION_VERSION,
};

struct option {
	const char *name;
	char letter;
	enum option_kind kind;
	uint32_t commands; /* FOR() of those that take it; FOR(CLI_NONE): before the command */
	size_t offset;
	const char *key;
};

#define AT(member) offsetof(struct cli, member)

static const struct option options[] = {
	{ "--help", 'h', OPTION_FLAG, FOR_ALL, AT(help), NULL },
	{ "--verbose", 'v', OPTION_COUNT, FOR_ALL, AT(verbosity), NULL },
	{ "--log-file", 0, OPTION_TEXT, FOR_ALL, AT(log_file), NULL },
	{ "--version", 'V', OPTION_VERSION, FOR(CLI_NONE), 0, NULL },
	{ "--set", 0, OPTION_OVERRIDE, FOR_VM, 0, NULL },
	{ "--device", 0, OPTION_DEVICE, FOR_VM, 0, NULL },
	{ "--kernel", 0, OPTION_OVERRIDE, FOR_VM, 0, "payload.kernel" },
	{ "--bundle", 0, OPTION_OVERRIDE, FOR_VM, 0, "payload.bundle" },
	{ "--firmware", 0, OPTION_OVERRIDE, FOR_VM, 0, "payload.firmware" },
	{ "--initrd", 0, OPTION_OVERRIDE, FOR_VM, 0, "payload.initrd" },
	{ "--append", 0, OPTION_OVERRIDE_TEXT, FOR_VM, 0, "payload.cmdline" },
	{ "--memory", 0, OPTION_OVERRIDE, FOR_VM, 0, "vm.memory" },
	{ "--cpus", 0, OPTION_OVERRIDE, FOR_VM, 0, "vm.vcpus" },
	{ "--hypervisor", 0, OPTION_OVERRIDE, FOR_VM, 0, "vm.hypervisor" },
	{ "--timing", 0, OPTION_FLAG, FOR(CLI_RUN), AT(run.timing), NULL },
	{ "--dump-dtb", 0, OPTION_TEXT, FOR(CLI_CHECK), AT(check.dump_dtb), NULL },
	{ "--json", 0, OPTION_FLAG, FOR(CLI_PLUGINS), AT(plugins.json), NULL },
	{ "--json", 0, OPTION_FLAG, FOR(CLI_HOST), AT(host.json), NULL },
	{ "--kernel", 0, OPTION_TEXT, FOR(CLI_BUNDLE), AT(bundle.kernel), NULL },
	{ "--initrd", 0, OPTION_TEXT, FOR(CLI_BUNDLE), AT(bundle.initrd), NULL },
	{ "--output", 'o', OPTION_TEXT, FOR(CLI_BUNDLE), AT(bundle.output), NULL },
	{ "--socket", 0, OPTION_TEXT, FOR(CLI_SERVE), AT(serve.socket), NULL },
	{ "--fd", 0, OPTION_TEXT, FOR(CLI_SERVE), AT(serve.fd_text), NULL },
	{ "--name", 0, OPTION_TEXT, FOR(CLI_SERVE), AT(serve.name), NULL },
	{ "--settings-fd", 0, OPTION_TEXT, FOR(CLI_SERVE), AT(serve.settings_text), NULL },
	{ "--settings-file", 0, OPTION_TEXT, FOR(CLI_SERVE), AT(serve.settings_file), NULL },
	{ "--settings-folder", 0, OPTION_TEXT, FOR(CLI_SERVE), AT(serve.settings_folder), NULL },
	{ "--settings-place", 0, OPTION_TEXT, FOR(CLI_SERVE), AT(serve.settings_place), NULL },
	{ "--ready-fd", 0, OPTION_TEXT, FOR(CLI_SERVE), AT(serve.ready_text), NULL },
	{ "--sandbox", 0, OPTION_TEXT, FOR(CLI_SERVE), AT(serve.sandbox), NULL },
	{ "--plugin-path", 0, OPTION_TEXT, FOR(CLI_SERVE), AT(serve.plugin_path), NULL },
	{ "--once", 0, OPTION_FLAG, FOR(CLI_SERVE), AT(serve.once), NULL },
};

#define N_OPTIONS (sizeof(options) / sizeof(*options))

static const char *const command_names[] = {
	[CLI_RUN] = "run",
	[CLI_CHECK] = "check",
	[CLI_PLUGINS] = "plugins",
	[CLI_HOST] = "host",
	[CLI_BUNDLE] = "bundle",
	[CLI_SERVE] = "serve",
};

#define N_COMMANDS (sizeof(command_names) / sizeof(*command_names))

/* Where the parser stands. */
struct parser {
	struct cli *cli;
	int argc, next;
	char *const *argv;
	struct error *err;
};

/* ---- errors ---- */

/* The command to ask for help, for the end of a sentence. */
static const char *help_command(const struct cli *cli)
{
	switch (cli->command) {
	case CLI_RUN:
		return "tenon run --help";
	case CLI_CHECK:
		return "tenon check --help";
	case CLI_PLUGINS:
		return "tenon plugins --help";
	case CLI_HOST:
		return "tenon host --help";
	case CLI_BUNDLE:
		return "tenon bundle --help";
	case CLI_SERVE:
		return "tenon serve --help";
	default:
		return "tenon --help";
	}
}

static int refuse_option(const struct parser *parser, const char *arg)
{
	char tail[SUGGEST_TEXT_MAX];
	size_t n = strcspn(arg, "=");
	char word[64];
	struct suggestion near = { .word = word };

	(void)snprintf(word, sizeof(word), "%.*s", n > 60 ? 60 : (int)n, arg);
	for (size_t i = 0; i < N_OPTIONS; i++)
		if (options[i].commands & FOR(parser->cli->command))
			suggest_consider(&near, options[i].name);
	return error_set(parser->err, EXIT_USAGE, -EINVAL, "unknown option \"%s\"%s; see `%s`",
		word, suggest_text(&near, tail), help_command(parser->cli));
}

static int refuse_command(const struct parser *parser, const char *arg)
{
	struct suggestion near = { .word = arg };
	char tail[SUGGEST_TEXT_MAX];

	for (size_t i = CLI_RUN; i < N_COMMANDS; i++)
		suggest_consider(&near, command_names[i]);
	return error_set(parser->err, EXIT_USAGE, -EINVAL,
		"unknown command \"%.60s\"%s; see `tenon --help`", arg, suggest_text(&near, tail));
}

/* ---- options ---- */

static const struct option *find_option(const struct parser *parser, const char *name, size_t n)
{
	for (size_t i = 0; i < N_OPTIONS; i++)
		if ((options[i].commands & FOR(parser->cli->command)) &&
			strlen(options[i].name) == n && strncmp(options[i].name, name, n) == 0)
			return &options[i];
	return NULL;
}

static const struct option *find_letter(const struct parser *parser, char letter)
{
	for (size_t i = 0; letter && i < N_OPTIONS; i++)
		if ((options[i].commands & FOR(parser->cli->command)) &&
			options[i].letter == letter)
			return &options[i];
	return NULL;
}

static bool takes_value(const struct option *option)
{
	return option->kind == OPTION_TEXT || option->kind == OPTION_OVERRIDE ||
	       option->kind == OPTION_OVERRIDE_TEXT || option->kind == OPTION_DEVICE;
}

static int apply_option(struct parser *parser, const struct option *option, const char *value)
{
	struct cli *cli = parser->cli;
	unsigned char *at = (unsigned char *)cli + option->offset;
	struct config_override *override;

	switch (option->kind) {
	case OPTION_FLAG:
		*(bool *)at = true;
		return 0;
	case OPTION_COUNT:
		*(unsigned int *)(void *)at += 1;
		return 0;
	case OPTION_TEXT:
		*(const char **)(void *)at = value;
		return 0;
	case OPTION_VERSION:
		cli->command = CLI_VERSION;
		return 0;
	default:
		/* Made in cli_parse() for as many as there are arguments. */
		override = &cli->overrides[cli->n_overrides++];
		override->kind = option->kind == OPTION_DEVICE ? OVERRIDE_DEVICE : OVERRIDE_SET;
		override->option = option->name;
		override->key = option->key;
		override->text = value;
		return 0;
	}
}

/* @value is what stands in the same argument, or NULL. */
static int parse_value(struct parser *parser, const struct option *option, const char *value)
{
	if (!takes_value(option)) {
		if (value)
			return error_set(parser->err, EXIT_USAGE, -EINVAL,
				"option \"%s\" takes no value", option->name);
		return apply_option(parser, option, NULL);
	}
	if (!value && parser->next < parser->argc)
		value = parser->argv[parser->next++];
	if (!value || (!*value && option->kind != OPTION_OVERRIDE_TEXT))
		return error_set(parser->err, EXIT_USAGE, -EINVAL,
			"option \"%s\" wants a value; see `%s`", option->name,
			help_command(parser->cli));
	return apply_option(parser, option, value);
}

static int parse_long(struct parser *parser, const char *arg)
{
	size_t n = strcspn(arg, "=");
	const struct option *option = find_option(parser, arg, n);

	if (!option)
		return refuse_option(parser, arg);
	return parse_value(parser, option, arg[n] ? arg + n + 1 : NULL);
}

/* "-vv", "-oFILE" */
static int parse_letters(struct parser *parser, const char *arg)
{
	for (const char *letter = arg + 1; *letter; letter++) {
		const struct option *option = find_letter(parser, *letter);
		int r;

		if (!option)
			return refuse_option(parser, arg);
		if (takes_value(option))
			return parse_value(parser, option, letter[1] ? letter + 1 : NULL);
		r = apply_option(parser, option, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_word(struct parser *parser, const char *arg)
{
	struct cli *cli = parser->cli;
	const char **place = NULL;

	if (cli->command == CLI_NONE) {
		for (size_t i = CLI_RUN; i < N_COMMANDS; i++)
			if (strcmp(arg, command_names[i]) == 0) {
				cli->command = (enum cli_command)i;
				return 0;
			}
		return refuse_command(parser, arg);
	}
	if (cli->command == CLI_RUN || cli->command == CLI_CHECK)
		place = &cli->file;
	if (cli->command == CLI_PLUGINS)
		place = &cli->plugins.name;
	if (cli->command == CLI_SERVE && cli->serve.type) {
		cli->overrides[cli->n_overrides++] = (struct config_override){ .text = arg };
		return 0;
	}
	if (cli->command == CLI_SERVE)
		place = &cli->serve.type;
	if (!place || *place)
		return error_set(parser->err, EXIT_USAGE, -EINVAL,
			"one argument too many: \"%.200s\"; see `%s`", arg, help_command(cli));
	*place = arg;
	return 0;
}

static int check_complete(const struct cli *cli, struct error *err)
{
	if (cli->help || cli->command == CLI_VERSION)
		return 0;
	if (cli->command == CLI_NONE)
		return error_set(
			err, EXIT_USAGE, -EINVAL, "a command is missing; see `tenon --help`");
	if ((cli->command == CLI_RUN || cli->command == CLI_CHECK) && !cli->file &&
		!cli->n_overrides)
		return error_set(err, EXIT_USAGE, -EINVAL,
			"nothing to %s: give a FILE or --kernel; see `%s`",
			command_names[cli->command], help_command(cli));
	if (cli->command == CLI_BUNDLE && (!cli->bundle.kernel || !cli->bundle.output))
		return error_set(err, EXIT_USAGE, -EINVAL, "option \"--%s\" is missing; see `%s`",
			cli->bundle.kernel ? "output" : "kernel", help_command(cli));
	if (cli->command == CLI_SERVE && !cli->serve.type)
		return error_set(err, EXIT_USAGE, -EINVAL,
			"nothing to serve: give the TYPE of a device; see `%s`", help_command(cli));
	if (cli->command == CLI_SERVE && !cli->serve.socket == !cli->serve.fd_text)
		return error_set(err, EXIT_USAGE, -EINVAL,
			"wanted one of --socket PATH and --fd N; see `%s`", help_command(cli));
	return 0;
}

int cli_parse(int argc, char *const argv[], struct cli *ret_cli, struct error *err)
{
	struct parser parser = {
		.cli = ret_cli, .argc = argc, .next = 1, .argv = argv, .err = err
	};
	bool only_words = false;
	int r = 0;

	*ret_cli = (struct cli){ 0 };
	ret_cli->overrides = calloc(argc > 0 ? (size_t)argc : 1, sizeof(*ret_cli->overrides));
	if (!ret_cli->overrides)
		return error_set(err, EXIT_HOST, -ENOMEM, "out of memory");

	while (!r && parser.next < argc) {
		const char *arg = argv[parser.next++];

		if (only_words || arg[0] != '-' || !arg[1])
			r = parse_word(&parser, arg);
		else if (strcmp(arg, "--") == 0)
			only_words = true;
		else if (arg[1] == '-')
			r = parse_long(&parser, arg);
		else
			r = parse_letters(&parser, arg);
	}
	return r < 0 ? r : check_complete(ret_cli, err);
}

void cli_finish(struct cli *cli)
{
	free(cli->overrides);
	*cli = (struct cli){ 0 };
}

/* ---- doing it ---- */

int cli_read_config(const struct cli *cli, struct vm_config **ret_config, struct error *err)
{
	struct vm_config *config;
	int r;

	if (cli->file)
		r = vm_config_read(cli->file, cli->overrides, cli->n_overrides, &config, err);
	else
		r = vm_config_from_command_line(cli->overrides, cli->n_overrides, &config, err);
	if (r < 0)
		return r;

	config->timing |= cli->run.timing;
	r = vm_config_check_files(config, err);
	if (r < 0) {
		vm_config_free(config);
		return r;
	}
	*ret_config = config;
	return 0;
}

static int with_config(const struct cli *cli, struct error *err)
{
	struct run_options run = cli->run;
	struct vm_config *config;
	int r = cli_read_config(cli, &config, err);

	if (r < 0)
		return r;
	run.timing = config->timing;
	r = cli->command == CLI_RUN ? cmd_run(config, &run, err)
				    : cmd_check(config, &cli->check, err);
	vm_config_free(config);
	return r;
}

static void print_version(bool verbose)
{
	printf("tenon %s\n", TENON_VERSION);
	if (!verbose)
		return;
	printf("plugin interface: %d.%d\n", TENON_ABI_MAJOR, TENON_ABI_MINOR);
	printf("plugins: %s/tenon/%d\n", TENON_LIBDIR, TENON_ABI_MAJOR);
	printf("backends: %s/tenon/core\n", TENON_LIBDIR);
	printf("build: %s\n", TENON_BUILD_ID);
}

static void set_log_level(unsigned int verbosity)
{
	if (verbosity)
		log_set_level(verbosity > 1 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
}

int cli_execute(const struct cli *cli, struct error *err)
{
	int r;

	set_log_level(cli->verbosity);
	if (cli->help) {
		(void)fputs(cli_help(cli->command), stdout);
		return 0;
	}
	r = cli->log_file ? log_open(cli->log_file) : 0;
	if (r < 0)
		return error_set(err, EXIT_USAGE, r, "cannot open the log file \"%s\": %s",
			cli->log_file, strerror(-r));

	switch (cli->command) {
	case CLI_VERSION:
		print_version(cli->verbosity);
		return 0;
	case CLI_PLUGINS:
		return cmd_plugins(&cli->plugins, err);
	case CLI_HOST:
		return cmd_host(&cli->host, err);
	case CLI_BUNDLE:
		return cmd_bundle(&cli->bundle, err);
	case CLI_SERVE:
		return cmd_serve(&cli->serve, cli->overrides, cli->n_overrides, err);
	default:
		return with_config(cli, err);
	}
}

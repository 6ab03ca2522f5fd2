/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: what was asked for, and running it.
 */
#ifndef TENON_CORE_CLI_H
#define TENON_CORE_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "core/commands.h"
#include "core/config.h"

struct error;

enum cli_command {
	CLI_NONE,
	CLI_RUN,
	CLI_CHECK,
	CLI_PLUGINS,
	CLI_HOST,
	CLI_BUNDLE,
	CLI_SERVE,
	CLI_VERSION,
};

/* A command line taken apart; strings are borrowed from argv. */
struct cli {
	enum cli_command command;
	bool help; /* print the help of `command` and do nothing else */
	unsigned int verbosity;
	const char *log_file;
	const char *file; /* run, check: the configuration; NULL = the quick form */
	struct config_override *overrides; /* owned */
	size_t n_overrides;
	struct run_options run;
	struct check_options check;
	struct plugins_options plugins;
	struct host_options host;
	struct bundle_options bundle;
	struct serve_options serve; /* its settings are the overrides */
};

/* 0, or -EINVAL with a sentence.  cli_finish() is right in both cases.  [main] */
int cli_parse(int argc, char *const argv[], struct cli *ret_cli, struct error *err);

/* Does what was asked: 0, or -errno with a sentence.  [main] */
int cli_execute(const struct cli *cli, struct error *err);

void cli_finish(struct cli *cli);

/* The configuration that the command line describes; free with vm_config_free(). */
int cli_read_config(const struct cli *cli, struct vm_config **ret_config, struct error *err);

/* The words of `tenon COMMAND --help`; CLI_NONE is the overview. */
const char *cli_help(enum cli_command command);

#endif

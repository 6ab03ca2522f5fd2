/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands behind the command line.  Each returns 0, or -errno with a sentence and the exit
 * code in @err (a guest that died is EXIT_GUEST_DIED).  Output goes to standard output.  [main]
 */
#ifndef TENON_CORE_COMMANDS_H
#define TENON_CORE_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/timing.h"

struct error;
struct vm_config;

struct run_options {
	bool timing;
	struct timing_moment start; /* of the program */
};

struct check_options {
	const char *dump_dtb; /* a file for the device tree, or NULL */
};

struct plugins_options {
	const char *name; /* one plugin, or a module's path; NULL = all */
	bool json;
};

struct host_options {
	bool json;
};

struct bundle_options {
	const char *kernel;
	const char *initrd; /* or NULL */
	const char *output;
};

struct config_override;

struct serve_options {
	const char *type;
	const char *socket, *fd_text; /* one of the two */
	const char *name;             /* NULL: as the type */
	const char *settings_text;    /* a descriptor's number, or NULL */
	/* Where those settings were written, and the device among them; NULL = nowhere. */
	const char *settings_file, *settings_folder, *settings_place;
	const char *ready_text;  /* a descriptor's number, or NULL */
	const char *sandbox;     /* NULL = on */
	const char *plugin_path; /* folders, with colons between; NULL */
	bool once;
	int fd, settings_fd, ready_fd; /* cmd_serve()'s own */
};

/* @settings are KEY=VALUE each. */
int cmd_serve(const struct serve_options *options, const struct config_override *settings,
	size_t n_settings, struct error *err);
int cmd_run(const struct vm_config *config, const struct run_options *options, struct error *err);
int cmd_check(
	const struct vm_config *config, const struct check_options *options, struct error *err);
int cmd_plugins(const struct plugins_options *options, struct error *err);
int cmd_host(const struct host_options *options, struct error *err);
int cmd_bundle(const struct bundle_options *options, struct error *err);

#endif

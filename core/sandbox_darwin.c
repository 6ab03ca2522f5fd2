/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No sandbox: system call filters and Landlock are Linux's.  Whoever asks for one, and who says
 * nothing does, is told so rather than left with less than the configuration promises.
 */
#include "core/sandbox.h"

#include <errno.h>

#include "core/error.h"

int sandbox_create(enum sandbox_mode mode, struct tenon_dev *devices,
	const struct event_loop *main_loop, bool pool, struct sandbox **ret_sandbox,
	struct error *err)
{
	(void)devices;
	(void)main_loop;
	(void)pool;
	*ret_sandbox = NULL;
	if (mode == SANDBOX_OFF)
		return 0;
	return error_set(err, EXIT_HOST, -ENOTSUP,
		"this host has no sandbox for devices: say sandbox = \"off\" in vm to do without");
}

void sandbox_enter(struct sandbox *sandbox, enum sandbox_kind kind, const struct event_loop *loop)
{
	(void)sandbox;
	(void)kind;
	(void)loop;
}

void sandbox_destroy(struct sandbox *sandbox)
{
	(void)sandbox;
}

int sandbox_print(struct tenon_dev *dev, const char *indent, FILE *out)
{
	(void)dev;
	(void)indent;
	(void)out;
	return 0;
}

const char *sandbox_note_device(const char *name)
{
	static _Thread_local const char *current;
	const char *before = current;

	current = name;
	return before;
}

void sandbox_report_thread(enum sandbox_kind kind)
{
	(void)kind;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal that `tenon` was started on: standard input and output, shared by the devices that
 * write to it.
 *
 * The terminal is put into raw mode when a device wants input and put back by terminal_destroy(),
 * and by the handlers of fatal signals.  Ctrl-A x leaves, Ctrl-A p presses the power button,
 * Ctrl-A h helps, Ctrl-A Ctrl-A is one Ctrl-A for the guest.  They are seen even where the guest
 * takes nothing of what is typed.
 */
#ifndef TENON_CORE_TERMINAL_H
#define TENON_CORE_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_loop;
struct terminal;

enum terminal_key {
	TERMINAL_QUIT,
	TERMINAL_POWER,
};

struct terminal_config {
	struct event_loop *loop;
	int in, out; /* descriptors, borrowed */
	/* NULL: Ctrl-A is nothing special, for somebody else looks after that.  [loop] */
	void (*key)(void *opaque, enum terminal_key key);
	void *opaque;
};

int terminal_create(const struct terminal_config *config, struct terminal **ret_terminal);
/* Writes what goes at once; -1 when all is out, else the descriptor whose room to wait for.  [main]
 */
int terminal_unwritten(struct terminal *terminal);
/* Takes as many of @size bytes as there is room for and returns how many.  [any] */
size_t terminal_write(struct terminal *terminal, const void *bytes, size_t size);
bool terminal_is_raw(const struct terminal *terminal);
/* Writes out what is left, as far as it goes at once, and restores the terminal; NULL is fine. */
void terminal_destroy(struct terminal *terminal);
/* Takes raw mode away, for who ends the process at once; async-signal-safe.  [any] */
void terminal_restore_fatal(void);
/* SIGWINCH came.  [loop] */
void terminal_resized(struct terminal *terminal);

#endif

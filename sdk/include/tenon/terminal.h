/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/terminal.h - the terminal that `tenon` was started on.
 *
 * The core owns it: raw mode, its restoration on every way out, the escape key and size changes.
 * Several devices may write; the input goes to the first that asked for it.
 */
#ifndef TENON_TERMINAL_H
#define TENON_TERMINAL_H

#include <tenon/abi.h>

#define TENON_SVC_TERMINAL "tenon.terminal/1"

struct tenon_terminal_ops {
	uint32_t struct_size;
	/* Bytes were typed; returns how many were taken.  The rest comes again after want_input.
	 * [loop] */
	size_t (*input)(struct tenon_dev *dev, const void *bytes, size_t size);
	void (*writable)(struct tenon_dev *dev); /* room again after a short write [loop] */
	void (*resized)(struct tenon_dev *dev, uint32_t columns, uint32_t rows); /* [loop] */
	void (*closed)(struct tenon_dev *dev); /* end of input [loop] */
};

struct tenon_terminal {
	uint32_t struct_size;

	/* From attach; released by the core after detach.  [main] */
	int (*open)(struct tenon_dev *dev, const struct tenon_terminal_ops *ops);
	/* Input is wanted (1) or must wait (0); it begins as 0.  -EBUSY: another has it.  [loop]
	 * [main] */
	int (*want_input)(struct tenon_dev *dev, uint32_t want);
	/* Takes as much as there is room for; the caller keeps the rest until writable().  [any] */
	size_t (*write)(struct tenon_dev *dev, const void *bytes, size_t size);
	/* 0 and the size in characters, or -ENOTTY where it is not a terminal.  [any] */
	int (*size)(struct tenon_dev *dev, uint32_t *ret_columns, uint32_t *ret_rows);
};

#endif

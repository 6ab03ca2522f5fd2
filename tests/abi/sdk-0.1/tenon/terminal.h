/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/terminal.h - the terminal that `tenon` was started on.
 *
 * The core owns it: raw mode, its restoration on every way out, the escape key and size changes.
 * Several devices may write; the input goes to the first that asked for it.  It belongs to the main
 * loop, so that a device with an `iothread` cannot have it.
 */
#ifndef TENON_TERMINAL_H
#define TENON_TERMINAL_H

#include <tenon/abi.h>

#define TENON_SVC_TERMINAL "tenon.terminal/1"

/* What the terminal tells the device.  All but input are optional. */
struct tenon_terminal_ops {
	uint32_t struct_size;

	/*
	 * Bytes were typed; borrowed for the call.  Returns how many of the @size were taken; the
	 * rest comes again after want_input(dev, 1).  [loop]
	 */
	size_t (*input)(struct tenon_dev *dev, const void *bytes, size_t size);
	/* There is room again after a write() that was cut short.  [loop] */
	void (*writable)(struct tenon_dev *dev);
	/* The terminal has another size, in characters.  [loop] */
	void (*resized)(struct tenon_dev *dev, uint32_t columns, uint32_t rows);
	/* The input has come to its end; no more input() will come.  [loop] */
	void (*closed)(struct tenon_dev *dev);
};

struct tenon_terminal {
	uint32_t struct_size;

	/*
	 * Makes the device a user of the terminal; once, from attach; the core ends it after
	 * detach.
	 * @ops live that long.  -EBUSY when it has been opened, -EINVAL for a device with an
	 * `iothread`; the core has then said why.  [main]
	 */
	int (*open)(struct tenon_dev *dev, const struct tenon_terminal_ops *ops);
	/*
	 * Input is wanted (1) or must wait (0); it begins as 0.  The first device that wants it has
	 * it until it is detached.  -EBUSY: another has it.  [loop] [main]
	 */
	int (*want_input)(struct tenon_dev *dev, uint32_t want);
	/*
	 * Takes as many of @size bytes as there is room for and returns how many; the caller keeps
	 * the rest until writable().  Never blocks.  [any]
	 */
	size_t (*write)(struct tenon_dev *dev, const void *bytes, size_t size);
	/* The size in characters; -ENOTTY where the output is a file or a pipe.  [any] */
	int (*size)(struct tenon_dev *dev, uint32_t *ret_columns, uint32_t *ret_rows);
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal for a device that lives in another process: what is typed goes there, what it writes
 * comes here.  The process has one end of a pseudo terminal, or of a socket where ours is no
 * terminal; its end of the input it sees through a socket only.
 */
#ifndef TENON_CORE_TERMINAL_RELAY_H
#define TENON_CORE_TERMINAL_RELAY_H

struct tenon_dev;
struct terminal_relay;

/* Both ends: *@ret_ours is non-blocking, *@ret_theirs is for standard input and output. */
int terminal_relay_ends(int *ret_ours, int *ret_theirs);

/* @dev stands for the device here; it is attached.  @fd is the relay's from now on.  [main] */
int terminal_relay_create(struct tenon_dev *dev, int fd, struct terminal_relay **ret_relay);
/* Lets out what the process has written, as far as it goes at once.  [main] */
void terminal_relay_pump(struct terminal_relay *relay);
/* That too; NULL is fine.  Before @dev is detached.  [main] */
void terminal_relay_destroy(struct terminal_relay *relay);

#endif

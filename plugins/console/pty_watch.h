/* SPDX-License-Identifier: Apache-2.0 */
/* Who comes to a pty and leaves it; one file per host. */
#ifndef CONSOLE_PTY_WATCH_H
#define CONSOLE_PTY_WATCH_H

/* A descriptor that is readable when somebody has opened or closed @path, or -1 with errno. */
int pty_watch(const char *path);
/* Till the next. */
void pty_watch_drain(int watch);

#endif

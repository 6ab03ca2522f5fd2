/* SPDX-License-Identifier: Apache-2.0 */
/* Who changes the size of a file that is open; one file per host. */
#ifndef BLOCK_WATCH_H
#define BLOCK_WATCH_H

/* A descriptor that is readable when the size of the file @fd may have changed, or -errno. */
int watch_open(int fd);
/* Till the next change. */
void watch_drain(int watch);

#endif

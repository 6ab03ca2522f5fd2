/* SPDX-License-Identifier: Apache-2.0 */
/* openpty(3). */
#ifndef TENON_DARWIN_UTIL_H
#define TENON_DARWIN_UTIL_H

struct termios;
struct winsize;

int openpty(int *ret_main, int *ret_other, char *name, struct termios *mode, struct winsize *size);
int login_tty(int fd);

#endif

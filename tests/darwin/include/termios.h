/* SPDX-License-Identifier: Apache-2.0 */
/* termios(4). */
#ifndef TENON_DARWIN_TERMIOS_H
#define TENON_DARWIN_TERMIOS_H

#include <sys/types.h>

typedef unsigned long tcflag_t;
typedef unsigned char cc_t;
typedef unsigned long speed_t;

#define NCCS  20
#define VMIN  16
#define VTIME 17
#define VINTR 8
#define VEOF  0

struct termios {
	tcflag_t c_iflag, c_oflag, c_cflag, c_lflag;
	cc_t c_cc[NCCS];
	speed_t c_ispeed, c_ospeed;
};

#define BRKINT 0x00000002
#define INPCK  0x00000010
#define ISTRIP 0x00000020
#define ICRNL  0x00000100
#define IXON   0x00000200
#define OPOST  0x00000001
#define ONLCR  0x00000002
#define CS8    0x00000300
#define ECHO   0x00000008
#define ISIG   0x00000080
#define ICANON 0x00000100
#define IEXTEN 0x00000400

#define TCSANOW   0
#define TCSADRAIN 1
#define TCSAFLUSH 2
#define TCIFLUSH  1

int tcgetattr(int fd, struct termios *ret_mode);
int tcsetattr(int fd, int when, const struct termios *mode);
int tcflush(int fd, int what);
void cfmakeraw(struct termios *mode);

#endif

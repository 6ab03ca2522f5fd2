/* SPDX-License-Identifier: Apache-2.0 */
/* ioctl(2), of terminals and descriptors. */
#ifndef TENON_DARWIN_SYS_IOCTL_H
#define TENON_DARWIN_SYS_IOCTL_H

#define FIONREAD   0x4004667fUL
#define FIONBIO    0x8004667eUL
#define FIOCLEX    0x20006601UL
#define TIOCGWINSZ 0x40087468UL
#define TIOCSWINSZ 0x80087467UL
#define TIOCSCTTY  0x20007461UL

struct winsize {
	unsigned short ws_row, ws_col, ws_xpixel, ws_ypixel;
};

int ioctl(int fd, unsigned long request, ...);

#endif

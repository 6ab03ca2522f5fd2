/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where front ends come from: a socket of our own in the file system, or a descriptor that whoever
 * started us made, which listens or is connected already.  One front end at a time is let in.
 */
#ifndef TENON_CORE_SERVE_LISTEN_H
#define TENON_CORE_SERVE_LISTEN_H

#include <stdbool.h>

struct error;
struct event_loop;
struct loop_watch;

struct serve_listen {
	int fd;           /* that listens; owned; -1 = none */
	int connected;    /* the one connection there will ever be; owned; -1 = none */
	bool ours_only;   /* only processes of our own user are let in */
	const char *path; /* to remove at the end; borrowed; NULL = not ours */
	struct loop_watch *watch;
	void (*came)(void *opaque, int fd); /* @fd is given away [loop] */
	void *opaque;
};

/* @path, or the descriptor @fd (given away).  0, or -errno with a sentence.  [main] */
int serve_listen_open(struct serve_listen *listen, const char *path, int fd, struct error *err);
/* From now on came() is called, once: the next one when this is called anew.  [loop] */
int serve_listen_next(struct serve_listen *listen, struct event_loop *loop, struct error *err);
void serve_listen_close(struct serve_listen *listen); /* after a failed open too */

#endif

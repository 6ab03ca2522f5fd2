/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper: a small process beside the VM's that starts the processes in which isolated devices
 * live, and starts them again when they die.
 *
 * The VM's own process seals itself off before the guest runs and could start nothing any more; the
 * keeper is forked before there is a thread, and takes no more programs once it is told that all
 * are known.  It dies with the VM's process, and what it started dies with it.
 */
#ifndef TENON_CORE_KEEPER_H
#define TENON_CORE_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keeper;

#define KEEPER_MAX_PROGRAMS 256u
#define KEEPER_MAX_FDS      8u  /* handed over to a program */
#define KEEPER_MAX_KEEP     16u /* that it inherits under their own numbers */

/* A program that died sooner than this after its start is started later and later. */
#define KEEPER_STEADY_MS    5000u
#define KEEPER_DELAY_MIN_MS 10u
#define KEEPER_DELAY_MAX_MS 2000u
/* How long programs have to end by themselves when all is taken down. */
#define KEEPER_END_MS 2000u

struct keeper_program {
	uint32_t id;             /* the caller's, below KEEPER_MAX_PROGRAMS; once */
	const char *const *argv; /* of this same executable; ends with NULL */
	int stdio[3];
	bool terminal;  /* stdio[0] becomes its controlling terminal */
	int first_fd;   /* fds[0] has this number in the program, fds[1] the next, ... */
	const int *fds; /* borrowed, as all of it */
	size_t n_fds;
	const int *keep; /* below first_fd */
	size_t n_keep;
};

/* A program died. */
struct keeper_news {
	uint32_t id;
	int32_t status; /* as of waitpid() */
	bool again;     /* it will be started anew, in delay_ms */
	uint32_t delay_ms;
};

/*
 * Forks the keeper.  @restarts: so many times in a row a program that does not live for
 * KEEPER_STEADY_MS is started anew.  [main, no other thread yet]
 */
int keeper_create(uint32_t restarts, struct keeper **ret_keeper);
/* 0 once the keeper has been told; that the program cannot be executed is news (status 127).
 * [main] */
int keeper_start(struct keeper *keeper, const struct keeper_program *program);
/* All programs are known: from now on it starts only these, and starts them anew.  [main] */
int keeper_seal(struct keeper *keeper);
/* Readable when there is news, or when the keeper is gone.  [any] */
int keeper_fd(const struct keeper *keeper);
/* 1, 0 when there is none now, -EPIPE when the keeper is gone.  [main] */
int keeper_next(struct keeper *keeper, struct keeper_news *ret_news);
/* The programs are to end: SIGTERM, and SIGKILL after KEEPER_END_MS.  Returns at once.  [main] */
void keeper_end(struct keeper *keeper);
/* Whether all have ended and the keeper has.  [main] */
bool keeper_ended(struct keeper *keeper);
/* Both, and waits; NULL is fine.  [main] */
void keeper_destroy(struct keeper *keeper);

/* ---- keeper_process.c: what the forked process does ---- */

#define KEEPER_MAX_MESSAGE 16384u

enum keeper_request {
	KEEPER_START = 1,
	KEEPER_SEAL = 2,
};

/* In front of the arguments, which follow as strings. */
struct keeper_message {
	uint32_t request, id, n_args, n_fds, n_keep;
	int32_t first_fd;
	uint32_t terminal;
	int32_t keep[KEEPER_MAX_KEEP];
};

/* Never returns before the other end of @sock is closed.  [the forked process] */
void keeper_process(int sock, uint32_t restarts);

#endif

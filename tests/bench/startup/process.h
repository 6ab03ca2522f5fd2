/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a program, watching it, and what it cost. */
#ifndef TENON_BENCH_PROCESS_H
#define TENON_BENCH_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#define PROCESS_TEXT 65536

struct process {
	pid_t pid;
	int to, from;      /* its standard input; its standard output and error together */
	uint64_t start_ns; /* CLOCK_MONOTONIC */
	size_t n;
	char text[PROCESS_TEXT]; /* what it said, a string */
	/* After process_end(): */
	int status;      /* the exit status, or 128 + the signal that killed it */
	uint64_t cpu_ns; /* user and system, from wait4() */
	uint64_t wall_ns;
};

/* Both return 0 or -errno.  @name=@value is added to the environment unless @name is NULL. */
int process_start(struct process *p, const char *const argv[], const char *name, const char *value);
/* Waits until it has said something that contains @word; -EPIPE when it ended first. */
int process_wait_word(struct process *p, const char *word);

/* Ends its input, sends @signal unless that is 0, reads the rest and waits for the end. */
void process_end(struct process *p, int signal);

uint64_t process_clock_ns(void);

#endif

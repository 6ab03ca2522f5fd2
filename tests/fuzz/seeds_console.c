/* SPDX-License-Identifier: Apache-2.0 */
/* The console: a line of every kind, and a driver that does what drivers do; see fuzz_console.c. */
#include "tests/fuzz/seeds.h"

#include <string.h>

enum {
	CONTROL,
	OFFER,
	STORE,
	WRITE,
	BRING_UP,
	LOOP,
	SAYS,
	HEARS,
	GOES,
	TYPE,
	RESIZE,
	QUIESCE,
	RESUME
};

static void begin(struct seed *s, const char *line)
{
	s->n = 0;
	seed_put(s, line, strlen(line) + 1);
}

static void op(struct seed *s, unsigned what, unsigned argument)
{
	seed_le(s, what | argument << 8, 2);
}

static void control(struct seed *s, unsigned id, unsigned event, unsigned value)
{
	op(s, CONTROL, 0);
	seed_le(s, id | event << 8 | value << 16, 3);
}

static void give(struct seed *s, unsigned queue, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		op(s, OFFER, queue);
		seed_le(s, i, 1);
	}
}

/* All three ports known and open, with buffers for input. */
static void handshake(struct seed *s)
{
	op(s, BRING_UP, 7);
	give(s, 2, 8);
	control(s, 0, 0, 1);
	for (unsigned i = 0; i < 3; i++) {
		control(s, i, 3, 1);
		control(s, i, 6, 1);
	}
	give(s, 2, 8);
	give(s, 0, 4);
	give(s, 4, 4);
	give(s, 6, 4);
}

static void lines(struct seed *s)
{
	static const char *const each[] = { "terminal", "name=log,file=guest.log,append",
		"name=agent,socket=agent.sock,listen", "socket=/run/agent.sock", "pty",
		"name=shell,pty=shell.pty,console", "pipe=p", "fd=7", "fd=7:8", "name=,fd=:" };

	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		char name[] = "line-0";

		name[5] = (char)('0' + i);
		begin(s, each[i]);
		seed_save("fuzz_console", name, s);
	}
}

void seeds_console(void)
{
	static struct seed s;

	lines(&s);
	begin(&s, "terminal");
	handshake(&s);
	op(&s, SAYS, 0);
	seed_le(&s, 1, 1);
	seed_put(&s, "0123456789012345678901234567890123456789012345678901234567890123", 64);
	op(&s, LOOP, 1);
	give(&s, 1, 4);
	give(&s, 5, 4);
	give(&s, 7, 4);
	op(&s, HEARS, 1);
	op(&s, TYPE, 9);
	op(&s, RESIZE, 100);
	seed_le(&s, 40, 1);
	op(&s, LOOP, 255);
	seed_save("fuzz_console", "talk", &s);

	begin(&s, "terminal");
	handshake(&s);
	give(&s, 5, 4);
	op(&s, GOES, 0);
	op(&s, LOOP, 1);
	op(&s, QUIESCE, 0);
	op(&s, GOES, 1);
	op(&s, LOOP, 1);
	op(&s, RESUME, 0);
	op(&s, LOOP, 1);
	control(&s, 2, 6, 0);
	op(&s, BRING_UP, 5);
	seed_save("fuzz_console", "leave", &s);
}

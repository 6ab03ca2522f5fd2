/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loops NAME ROUNDS: work for an emulated processor, one kind at a time: integers (a list, a
 * matrix, a state machine and a CRC by turns), copying, a random walk through memory, and floating
 * point. Prints a line when it begins and one when it ends, with a checksum of what it computed, so
 * that whoever watches the console can measure from outside and see that two machines did the same
 * work.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed = 88172645463325252u;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* ---- integers ---- */

#define NODES 128
#define SIDE  24
#define TEXT  512

struct node {
	struct node *next;
	int16_t value, index;
};

static uint16_t crc16(uint16_t crc, uint32_t data, int bits)
{
	for (int i = 0; i < bits; i++) {
		uint16_t carry = (crc ^ data) & 1;

		data >>= 1;
		crc >>= 1;
		if (carry)
			crc ^= 0xa001;
	}
	return crc;
}

static struct node *reverse(struct node *list)
{
	struct node *before = NULL;

	while (list) {
		struct node *next = list->next;

		list->next = before;
		before = list;
		list = next;
	}
	return before;
}

/* Insertion keeps the list in order of its values. */
static struct node *sorted(struct node *list)
{
	struct node *out = NULL;

	while (list) {
		struct node *one = list, **at = &out;

		list = list->next;
		while (*at && (*at)->value < one->value)
			at = &(*at)->next;
		one->next = *at;
		*at = one;
	}
	return out;
}

static uint16_t list_round(struct node *nodes, uint16_t crc)
{
	struct node *list = nodes;

	for (int i = 0; i < NODES; i++) {
		nodes[i].next = i + 1 < NODES ? &nodes[i + 1] : NULL;
		nodes[i].value = (int16_t)(next_random() & 0x3fff);
		nodes[i].index = (int16_t)i;
	}
	list = reverse(sorted(reverse(list)));
	for (struct node *n = list; n; n = n->next)
		crc = crc16(crc, (uint16_t)(n->value ^ n->index), 16);
	return crc;
}

static uint16_t matrix_round(int32_t a[SIDE][SIDE], int32_t c[SIDE][SIDE], uint16_t crc)
{
	int32_t sum = 0;

	for (int i = 0; i < SIDE; i++)
		for (int j = 0; j < SIDE; j++) {
			uint32_t v = 0;

			for (int k = 0; k < SIDE; k++)
				v += (uint32_t)a[i][k] * (uint32_t)a[k][j];
			c[i][j] = (int32_t)(v >> 3 & 0xffff);
			sum += c[i][j] > sum ? 10 : c[i][j] & 1;
		}
	a[crc % SIDE][sum % SIDE & 15] ^= sum;
	return crc16(crc, (uint32_t)sum, 32);
}

enum state { START, SIGN, DIGITS, POINT, FRACTION, EXPONENT, WRONG, STATES };

static enum state step(enum state s, char c)
{
	int digit = c >= '0' && c <= '9';

	switch (s) {
	case START:
		return digit ? DIGITS : c == '+' || c == '-' ? SIGN : c == '.' ? POINT : WRONG;
	case SIGN:
		return digit ? DIGITS : c == '.' ? POINT : WRONG;
	case DIGITS:
		return digit ? DIGITS : c == '.' ? FRACTION : c == 'e' ? EXPONENT : WRONG;
	case POINT:
	case FRACTION:
		return digit ? FRACTION : c == 'e' ? EXPONENT : WRONG;
	case EXPONENT:
		return digit || c == '-' ? EXPONENT : WRONG;
	default:
		return WRONG;
	}
}

static uint16_t states_round(uint16_t crc)
{
	static const char alphabet[] = "0123456789.e+-,x";
	uint32_t seen[STATES] = { 0 };
	enum state s = START;
	char text[TEXT];

	for (int i = 0; i < TEXT; i++)
		text[i] = alphabet[next_random() & 15];
	for (int i = 0; i < TEXT; i++) {
		s = text[i] == ',' ? START : step(s, text[i]);
		seen[s]++;
	}
	for (int i = 0; i < STATES; i++)
		crc = crc16(crc, seen[i], 32);
	return crc;
}

static uint64_t integers(unsigned long rounds)
{
	static int32_t a[SIDE][SIDE], c[SIDE][SIDE];
	static struct node nodes[NODES];
	uint16_t crc = 0xffff;

	for (int i = 0; i < SIDE * SIDE; i++)
		a[i / SIDE][i % SIDE] = (int32_t)(next_random() & 0xfff);
	while (rounds--) {
		crc = list_round(nodes, crc);
		crc = matrix_round(a, c, crc);
		crc = states_round(crc);
	}
	return crc;
}

/* ---- memory ---- */

#define WORDS (1u << 17) /* 1 MiB */

static uint64_t copying(unsigned long rounds)
{
	uint64_t *from = malloc(WORDS * 8), *to = malloc(WORDS * 8), sum = 0;

	if (!from || !to)
		exit(1);
	for (uint32_t i = 0; i < WORDS; i++)
		from[i] = next_random();
	while (rounds--) {
		uint64_t *other = to;

		for (uint32_t i = 0; i < WORDS; i += 4) {
			to[i] = from[i];
			to[i + 1] = from[i + 1];
			to[i + 2] = from[i + 2];
			to[i + 3] = from[i + 3];
		}
		sum += to[rounds % WORDS]++;
		to = from;
		from = other;
	}
	free(from);
	free(to);
	return sum;
}

#define STATIONS (1u << 21) /* 16 MiB */

/* Each word names the next one; the way leads through all of them. */
static uint64_t walk(unsigned long rounds)
{
	uint64_t *next = malloc(STATIONS * 8), at = 0, sum = 0;

	if (!next)
		exit(1);
	for (uint32_t i = 0; i < STATIONS; i++)
		next[i] = i;
	for (uint32_t i = STATIONS - 1; i > 0; i--) {
		uint64_t j = next_random() % i, v = next[i];

		next[i] = next[j];
		next[j] = v;
	}
	for (unsigned long i = 0; i < rounds * 100000; i++) {
		at = next[at];
		sum += at;
	}
	free(next);
	return sum;
}

/* ---- floating point ---- */

#define BODIES 5

struct body {
	double x[3], v[3], mass;
};

static void pull(struct body *a, struct body *b)
{
	double d[3], square = 1e-3, force;

	for (int i = 0; i < 3; i++) {
		d[i] = a->x[i] - b->x[i];
		square += d[i] * d[i];
	}
	force = 1e-3 / (square * sqrt(square));
	for (int i = 0; i < 3; i++) {
		a->v[i] -= d[i] * b->mass * force;
		b->v[i] += d[i] * a->mass * force;
	}
}

static uint64_t floats(unsigned long rounds)
{
	struct body bodies[BODIES];
	double sum = 0;
	uint64_t bits;

	for (int n = 0; n < BODIES; n++) {
		for (int i = 0; i < 3; i++) {
			bodies[n].x[i] = (double)(next_random() % 2000) / 100 - 10;
			bodies[n].v[i] = (double)(next_random() % 200) / 100 - 1;
		}
		bodies[n].mass = (double)(1 + next_random() % 10);
	}
	for (unsigned long r = 0; r < rounds * 1000; r++) {
		for (int a = 0; a < BODIES; a++)
			for (int b = a + 1; b < BODIES; b++)
				pull(&bodies[a], &bodies[b]);
		for (int n = 0; n < BODIES; n++)
			for (int i = 0; i < 3; i++)
				bodies[n].x[i] += 1e-3 * bodies[n].v[i];
	}
	for (int n = 0; n < BODIES; n++)
		for (int i = 0; i < 3; i++)
			sum += bodies[n].x[i];
	memcpy(&bits, &sum, sizeof(bits));
	return bits;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		uint64_t (*run)(unsigned long rounds);
	} loops[] = { { "integers", integers }, { "copying", copying }, { "walk", walk },
		{ "floats", floats } };
	size_t i = 0;
	uint64_t sum;

	while (argc == 3 && i < sizeof(loops) / sizeof(loops[0]) && strcmp(argv[1], loops[i].name))
		i++;
	if (argc != 3 || i == sizeof(loops) / sizeof(loops[0])) {
		(void)fprintf(stderr, "usage: loops integers|copying|walk|floats ROUNDS\n");
		return 2;
	}
	(void)printf("bench: begin %s\n", argv[1]);
	(void)fflush(stdout);
	sum = loops[i].run(strtoul(argv[2], NULL, 10));
	(void)printf("bench: end %s %016llx\n", argv[1], (unsigned long long)sum);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One ring over fuzzed guest memory.  The bytes are: how the ring is set up, how many stores fill
 * memory and those stores, then one operation after another, some of which store more, as a driver
 * does that changes memory under the device.
 */
#include "tests/fuzz/fake_memory.h"

#include <stdlib.h>
#include <string.h>

enum op {
	OP_POP,
	OP_PUSH,
	OP_UNPOP,
	OP_MUST_NOTIFY,
	OP_WANT_KICKS,
	OP_DONT_WANT_KICKS,
	OP_STORE,
	OP_OFFER,
	OP_KILL,
	OP_RESTART,
	N_OPS,
};

#define MAX_HELD 16

struct ring_run {
	struct vring ring;
	struct vring_setup setup;
	struct tenon_chain held[MAX_HELD]; /* popped and not given back; the last is the newest */
	size_t n_held;
	bool fresh; /* nothing came after the newest pop: it can be undone */
	uint16_t avail_idx;
	bool killed;
};

static uint64_t address(struct input *in)
{
	uint64_t gpa = input_u16(in);

	return gpa >= 0xf000 ? FAKE_END_GPA + (gpa - 0xf000) : gpa;
}

static void take_setup(struct input *in, struct vring_setup *s)
{
	uint8_t flags = input_u8(in), size = input_u8(in);

	s->size = size < 16 ? 1u << size : size;
	s->event_idx = flags & 1;
	s->indirect = flags & 2;
	s->desc = address(in);
	s->avail = address(in);
	s->used = address(in);
}

/* As a device: everything that it may read is read, everything that it may write is written. */
static void use(const struct tenon_chain *c)
{
	volatile uint8_t last = 0;

	for (uint32_t i = 0; i < c->n_out; i++)
		last ^= ((const uint8_t *)c->out[i].iov_base)[c->out[i].iov_len - 1];
	for (uint32_t i = 0; i < c->n_in; i++)
		((uint8_t *)c->in[i].iov_base)[c->in[i].iov_len - 1] ^= last;
}

static void pop(struct ring_run *t)
{
	struct tenon_chain c;
	int r;

	if (t->n_held == MAX_HELD)
		return;
	r = vring_pop(&t->ring, &c);
	if (r > 0 && t->killed)
		abort();
	if (r < 0 && !t->ring.fault) /* a refusal without a reason */
		abort();
	if (r <= 0)
		return;
	fake_memory_check(&c);
	use(&c);
	t->held[t->n_held++] = c;
	t->fresh = true;
}

static void push(struct ring_run *t, struct input *in)
{
	uint8_t choice = input_u8(in);
	size_t i = t->n_held ? choice % t->n_held : 0;
	bool hands_off = t->killed || t->ring.fault;
	uint64_t before = hands_off ? fake_memory_sum() : 0;
	uint32_t written;

	if (t->n_held == 0)
		return;
	written = choice & 0x80 ? UINT32_MAX : (uint32_t)t->held[i].in_bytes;
	if (vring_push(&t->ring, &t->held[i], written) < 0)
		abort();
	if (hands_off && fake_memory_sum() != before)
		abort(); /* memory that the driver took back was written */
	/* A chain is pushed once. */
	if (vring_push(&t->ring, &t->held[i], written) == 0)
		abort();
	memmove(&t->held[i], &t->held[i + 1], (t->n_held - i - 1) * sizeof(t->held[0]));
	t->n_held--;
	t->fresh = false;
}

/* The driver makes one more head available, as it should. */
static void offer(struct ring_run *t, struct input *in)
{
	uint16_t head = input_u8(in);
	const uint8_t entry[2] = { (uint8_t)head, (uint8_t)(head >> 8) };
	uint16_t slot = (uint16_t)(t->avail_idx & (t->setup.size - 1));
	uint8_t idx[2];

	t->avail_idx++;
	idx[0] = (uint8_t)t->avail_idx;
	idx[1] = (uint8_t)(t->avail_idx >> 8);
	fake_memory_store(t->setup.avail + 4 + slot * 2ull, entry, 2);
	fake_memory_store(t->setup.avail + 2, idx, 2);
}

static bool start(struct ring_run *t)
{
	const char *why = NULL;

	t->n_held = 0;
	t->fresh = false;
	t->avail_idx = 0;
	t->killed = false;
	vring_revive(&t->ring);
	if (vring_start(&t->ring, &t->setup, &fake_memory, &why) == 0)
		return true;
	if (!why || t->ring.setup.size != 0)
		abort();
	return false;
}

static bool step(struct ring_run *t, struct input *in)
{
	switch (input_u8(in) % N_OPS) {
	case OP_POP:
		pop(t);
		break;
	case OP_PUSH:
		push(t, in);
		break;
	case OP_UNPOP:
		if (t->fresh)
			vring_unpop(&t->ring, &t->held[--t->n_held]);
		t->fresh = false;
		break;
	case OP_MUST_NOTIFY:
		(void)vring_must_notify(&t->ring);
		break;
	case OP_WANT_KICKS:
		(void)vring_want_kicks(&t->ring, true);
		break;
	case OP_DONT_WANT_KICKS:
		(void)vring_want_kicks(&t->ring, false);
		break;
	case OP_STORE:
		fake_memory_take(in);
		break;
	case OP_OFFER:
		offer(t, in);
		break;
	case OP_KILL:
		vring_kill(&t->ring);
		t->killed = true;
		break;
	case OP_RESTART:
		vring_stop(&t->ring);
		return start(t);
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct ring_run t = { .n_held = 0 };
	bool going;

	fake_memory_reset();
	take_setup(&in, &t.setup);
	for (uint8_t n = input_u8(&in); n > 0 && in.left > 0; n--)
		fake_memory_take(&in);
	going = start(&t);
	while (going && in.left > 0)
		going = step(&t, &in);
	vring_stop(&t.ring);
	return 0;
}

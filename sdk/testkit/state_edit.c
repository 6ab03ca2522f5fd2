/* SPDX-License-Identifier: Apache-2.0 */
/* Saved states taken apart: values by number, states without one, and loads of everything broken.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "sdk/testkit/state.h"

/* ---- values by number, in the order in which they stand, a section before what is in it ---- */

struct found {
	struct state_value value;
	size_t around[STATE_DEPTH + 1]; /* the sections that hold it */
	unsigned depth;
	char name[200];
};

struct search {
	const struct tk_state *state;
	unsigned left;
	struct found *found;
};

static const char *type_text(unsigned type)
{
	static const char *const names[] = { "u8", "u16", "u32", "u64", "bytes", "string" };

	return type >= STATE_U8 && type <= STATE_STRING ? names[type - STATE_U8] : "?";
}

static size_t append_name(const struct search *s, const struct state_value *v, size_t at)
{
	char *to = s->found->name + at;
	size_t room = sizeof(s->found->name) - at;
	const uint8_t *section = s->state->bytes + v->payload;
	int n;

	if (v->type == STATE_SECTION_TYPE)
		n = snprintf(to, room, "%.*s %u/", (int)(v->values - v->payload - STATE_SECTION),
			(const char *)section + STATE_SECTION, v->tag);
	else
		n = snprintf(to, room, "%u %s", v->tag, type_text(v->type));
	return (size_t)n < room ? at + (size_t)n : sizeof(s->found->name) - 1;
}

/* True when it was found between @at and @end. */
static bool search(struct search *s, size_t at, size_t end, unsigned depth, size_t name)
{
	struct found *f = s->found;
	struct state_value v;

	while (at < end && state_value_at(s->state->bytes, at, end, &v)) {
		size_t named = append_name(s, &v, name);

		if (s->left-- == 0) {
			f->value = v;
			f->depth = depth;
			return true;
		}
		f->around[depth] = v.at;
		if (v.type == STATE_SECTION_TYPE && depth < STATE_DEPTH &&
			search(s, v.values, v.end, depth + 1, named))
			return true;
		at = v.end;
	}
	return false;
}

static bool find(const struct tk_state *state, unsigned index, struct found *ret_found)
{
	struct search s = { state, index, ret_found };

	ret_found->name[0] = '\0';
	return search(&s, STATE_HEADER, state->size, 0, 0);
}

const char *tk_state_name(const struct tk_state *s, unsigned index)
{
	static struct found f;

	return find(s, index, &f) ? f.name : NULL;
}

static uint32_t get32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

struct tk_state *tk_state_without(const struct tk_state *s, unsigned index)
{
	struct tk_state *t;
	struct found f;
	size_t gone;

	if (!find(s, index, &f))
		return NULL;
	gone = f.value.end - f.value.at;
	t = kit_state_new(s->size - gone);
	memcpy(t->bytes, s->bytes, f.value.at);
	memcpy(t->bytes + f.value.at, s->bytes + f.value.end, s->size - f.value.end);
	for (unsigned i = 0; i < f.depth; i++)
		put32(t->bytes + f.around[i] + 4,
			get32(t->bytes + f.around[i] + 4) - (uint32_t)gone);
	return t;
}

struct tk_state *tk_state_flipped(const struct tk_state *s, unsigned index)
{
	struct tk_state *t;
	struct found f;

	if (!find(s, index, &f))
		return NULL;
	t = tk_state_of(s->bytes, s->size);
	for (size_t i = f.value.payload; i < f.value.values; i++)
		t->bytes[i] = (uint8_t)~t->bytes[i];
	return t;
}

const char *tk_state_differs(const struct tk_state *a, const struct tk_state *b)
{
	static struct found f;
	struct found g;

	for (unsigned i = 0;; i++) {
		bool in_a = find(a, i, &f), in_b = find(b, i, &g);

		if (!in_a && !in_b)
			return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0
				       ? NULL
				       : "something between the values";
		if (!in_a || !in_b || strcmp(f.name, g.name) != 0)
			return in_a ? f.name : "something more";
		if (f.value.values - f.value.payload != g.value.values - g.value.payload ||
			memcmp(a->bytes + f.value.payload, b->bytes + g.value.payload,
				f.value.values - f.value.payload) != 0)
			return f.name;
	}
}

/* ---- loads ---- */

struct sweep {
	const char *type, *settings;
	unsigned loads;
	bool fired; /* in the last load a call was made to fail */
};

/* Guest memory as it was when the state was saved: a device that runs changes it. */
struct memory {
	void *copies[3];
};

static const uint64_t ram[3] = { TK_RAM_A, TK_RAM_B, TK_RAM_C };

static void keep_memory(struct memory *m)
{
	for (int i = 0; i < 3; i++) {
		m->copies[i] = kit_alloc(TK_RAM_SIZE);
		memcpy(m->copies[i], tk_mem(ram[i], TK_RAM_SIZE), TK_RAM_SIZE);
	}
}

static void restore_memory(const struct memory *m)
{
	for (int i = 0; i < 3; i++)
		memcpy(tk_mem(ram[i], TK_RAM_SIZE), m->copies[i], TK_RAM_SIZE);
}

static void free_memory(struct memory *m)
{
	for (int i = 0; i < 3; i++)
		free(m->copies[i]);
}

/* What was accepted must live. */
static void live(struct tk_dev *d, const char *how)
{
	struct tk_state *again = tk_save(d);

	if (!again)
		kit_fail("%s: it was accepted and cannot be saved: %s", how, kit.error);
	tk_state_free(again);
	if (tk_start(d) < 0) {
		if (!kit.error[0])
			kit_fail("%s: it did not start, without a word", how);
		return;
	}
	tk_run_until_idle(d);
	tk_advance_ms(1);
	if (tk_quiesce(d) < 0)
		kit_fail("%s: it cannot be quiesced: %s", how, kit.error);
}

static void try(struct sweep *w, const struct tk_state *s, const char *how, unsigned nth)
{
	struct tk_dev *d = tk_create(w->type, w->settings);
	int ret;

	if (!d || tk_attach(d) < 0)
		kit_fail("%s: a fresh device cannot be made: %s", how, kit.error);
	tk_fail_nth(TK_FAIL_SERVICE, nth);
	ret = tk_load(d, s);
	w->fired = tk_fail_fired();
	tk_fail_nth(TK_FAIL_SERVICE, 0);
	w->loads++;
	if (ret < 0 && !kit.error[0])
		kit_fail("%s: it was refused without a word", how);
	if (ret == 0)
		live(d, how);
	tk_destroy(d);
	tk_log_clear();
}

/* None of them comes as far as the device. */
static void try_cut(struct sweep *w, const struct tk_state *s)
{
	for (size_t size = 0; size < s->size; size++) {
		struct tk_state *cut =
			tk_state_of(s->bytes, size); /* so that no byte lies behind */
		struct tenon_state_r r;
		bool fine =
			state_read_begin(&r, cut->bytes, size) == 0 && state_service.has(&r, 1) > 0;

		if (fine || (r.error && !r.why[0]))
			kit_fail("cut off after %zu bytes it was accepted, or refused without a "
				 "word",
				size);
		w->loads++;
		tk_state_free(cut);
	}
}

static void try_values(struct sweep *w, const struct tk_state *s, const struct memory *m)
{
	const char *name;
	char how[300];

	for (unsigned i = 0; (name = tk_state_name(s, i)); i++) {
		struct tk_state *t = tk_state_without(s, i);

		(void)snprintf(how, sizeof(how), "without %s", name);
		try(w, t, how, 0);
		restore_memory(m);
		tk_state_free(t);
		t = tk_state_flipped(s, i);
		(void)snprintf(how, sizeof(how), "with %s turned over", tk_state_name(s, i));
		try(w, t, how, 0);
		restore_memory(m);
		tk_state_free(t);
	}
}

static void try_calls(struct sweep *w, const struct tk_state *s, const struct memory *m)
{
	bool more = true;

	for (unsigned nth = 1; more; nth++) {
		char how[80];

		(void)snprintf(how, sizeof(how), "with call %u failing", nth);
		try(w, s, how, nth);
		more = w->fired;
		restore_memory(m);
	}
}

unsigned tk_state_sweep(const struct tk_state *s, const char *type, const char *settings)
{
	struct sweep w = { .type = type, .settings = settings };
	struct memory m;

	keep_memory(&m);
	try_cut(&w, s);
	try_values(&w, s, &m);
	try_calls(&w, s, &m);
	free_memory(&m);
	return w.loads;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PLIC.
 *
 * Each source has a gateway.  It forwards one interrupt (the source is `pending`), and no other one
 * until that was claimed and completed (`claimed` in between).  A level source is forwarded again
 * when its line is still up at completion.  Of a source with edges, one that comes meanwhile is
 * kept
 * (`latched`) and forwarded then; more than one are one.
 *
 * A context's line to its hart is up while a source is pending that it enabled and whose priority
 * is greater than the context's threshold.  All is under one lock, and lines are set under it, so
 * that a hart never sees an older level after a newer one.
 */
#include "arch/riscv64/plic.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "arch/riscv64/riscv64.h"
#include "core/bus.h"
#include "core/error.h"

#define SOURCES      (RISCV_SOURCES + 1u) /* source 0 is none */
#define WORDS        (SOURCES / 32u)
#define PRIORITY_MAX 7u

/* Offsets in the window. */
#define PRIORITY      0x0u
#define PENDING       0x1000u
#define ENABLE        0x2000u
#define ENABLE_STRIDE 0x80u
#define CONTEXT       0x200000u
#define CONTEXT_SIZE  0x1000u
#define THRESHOLD     0x0u
#define CLAIM         0x4u

_Static_assert(SOURCES % 32 == 0, "sources fill whole words");
_Static_assert(ENABLE + RISCV_MAX_VCPUS * ENABLE_STRIDE <= CONTEXT, "enables lie before contexts");

struct context {
	uint32_t enable[WORDS];
	uint32_t threshold;
	bool up;
};

/* All that there is to it, in plain numbers. */
struct plic_state {
	uint8_t priority[SOURCES];
	uint32_t level[WORDS], pending[WORDS], claimed[WORDS], latched[WORDS];
	struct context contexts[];
};

struct arch_irqchip {
	pthread_mutex_t lock; /* all of the state */
	struct arch_irqchip_sink sink;
	struct bus *mmio;
	uint32_t n; /* contexts */
	struct plic_state *state;
};

uint64_t plic_size(uint32_t vcpus)
{
	return CONTEXT + (uint64_t)vcpus * CONTEXT_SIZE;
}

/* ---- bits by source ---- */

static bool test(const uint32_t *words, uint32_t source)
{
	return words[source / 32] >> source % 32 & 1;
}

static void put(uint32_t *words, uint32_t source, bool value)
{
	uint32_t bit = 1u << source % 32;

	words[source / 32] = value ? words[source / 32] | bit : words[source / 32] & ~bit;
}

/* ---- from sources to harts; the lock is held ---- */

/* The pending source of the highest priority above @least that @c enabled, the first of those; 0 =
 * none. */
static uint32_t best(const struct plic_state *s, const struct context *c, uint32_t least)
{
	uint32_t found = 0;

	for (uint32_t w = 0; w < WORDS; w++) {
		uint32_t bits = s->pending[w] & c->enable[w];

		for (; bits; bits &= bits - 1) {
			uint32_t source = w * 32 + (uint32_t)__builtin_ctz(bits);

			if (s->priority[source] > least) {
				least = s->priority[source];
				found = source;
			}
		}
	}
	return found;
}

static void update(struct arch_irqchip *p, uint32_t index)
{
	struct context *c = &p->state->contexts[index];
	bool up = best(p->state, c, c->threshold) != 0;

	if (up == c->up)
		return;
	c->up = up;
	p->sink.vcpu_line(p->sink.opaque, index, RISCV_LINE_EXTERNAL, up);
}

static void update_all(struct arch_irqchip *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		update(p, i);
}

static void forward(struct arch_irqchip *p, uint32_t source)
{
	put(p->state->pending, source, true);
	update_all(p);
}

/* ---- gateways ---- */

static int plic_line(struct arch_irqchip *p, uint32_t number, bool level)
{
	struct plic_state *s = p->state;

	if (number == 0 || number >= SOURCES)
		return -EINVAL;
	(void)pthread_mutex_lock(&p->lock);
	put(s->level, number, level);
	if (level && !test(s->claimed, number)) {
		forward(p, number);
	} else if (!level && test(s->pending, number) && !test(s->latched, number)) {
		/* It went away before anybody claimed it. */
		put(s->pending, number, false);
		update_all(p);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return 0;
}

static int plic_pulse(struct arch_irqchip *p, uint32_t number)
{
	struct plic_state *s = p->state;

	if (number == 0 || number >= SOURCES)
		return -EINVAL;
	(void)pthread_mutex_lock(&p->lock);
	put(s->latched, number, true);
	if (!test(s->claimed, number))
		forward(p, number);
	(void)pthread_mutex_unlock(&p->lock);
	return 0;
}

/* The threshold does not count here. */
static uint32_t claim(struct arch_irqchip *p, uint32_t index)
{
	struct plic_state *s = p->state;
	uint32_t source = best(s, &s->contexts[index], 0);

	if (source) {
		put(s->pending, source, false);
		put(s->latched, source, false);
		put(s->claimed, source, true);
		update_all(p);
	}
	return source;
}

static void complete(struct arch_irqchip *p, uint32_t index, uint32_t source)
{
	struct plic_state *s = p->state;

	if (source == 0 || source >= SOURCES || !test(s->contexts[index].enable, source) ||
		!test(s->claimed, source))
		return;
	put(s->claimed, source, false);
	if (test(s->level, source) || test(s->latched, source))
		forward(p, source);
}

/* ---- registers ---- */

/* Which word of @n from @base in steps of 4 it is, or false. */
static bool word_of(uint64_t offset, uint64_t base, uint32_t n, uint32_t *ret_word)
{
	if (offset < base || offset - base >= 4ull * n)
		return false;
	*ret_word = (uint32_t)(offset - base) / 4;
	return true;
}

/* The words of an enable or a context's page, and whose they are. */
static uint32_t *enable_word(struct arch_irqchip *p, uint64_t offset)
{
	uint64_t index = (offset - ENABLE) / ENABLE_STRIDE;
	uint32_t word;

	if (offset < ENABLE || index >= p->n ||
		!word_of(offset, ENABLE + index * ENABLE_STRIDE, WORDS, &word))
		return NULL;
	return &p->state->contexts[index].enable[word];
}

static uint64_t plic_read(void *opaque, uint64_t offset, uint32_t size)
{
	struct arch_irqchip *p = opaque;
	uint64_t index = (offset - CONTEXT) / CONTEXT_SIZE, at = offset % CONTEXT_SIZE;
	uint32_t value = 0, word;
	const uint32_t *enable;

	if (size != 4 || offset % 4)
		return 0;
	(void)pthread_mutex_lock(&p->lock);
	if (word_of(offset, PRIORITY, SOURCES, &word))
		value = p->state->priority[word];
	else if (word_of(offset, PENDING, WORDS, &word))
		value = p->state->pending[word];
	else if (offset < CONTEXT && (enable = enable_word(p, offset)))
		value = *enable;
	else if (offset >= CONTEXT && index < p->n && at == THRESHOLD)
		value = p->state->contexts[index].threshold;
	else if (offset >= CONTEXT && index < p->n && at == CLAIM)
		value = claim(p, (uint32_t)index);
	(void)pthread_mutex_unlock(&p->lock);
	return value;
}

/* Of a context's page. */
static void write_context(struct arch_irqchip *p, uint32_t index, uint64_t at, uint32_t value)
{
	if (at == THRESHOLD) {
		p->state->contexts[index].threshold = value & PRIORITY_MAX;
		update(p, index);
	} else if (at == CLAIM) {
		complete(p, index, value);
	}
}

static void write_sources(struct arch_irqchip *p, uint64_t offset, uint32_t value)
{
	uint32_t word, *enable = enable_word(p, offset);

	if (word_of(offset, PRIORITY, SOURCES, &word)) {
		p->state->priority[word] = word ? value & PRIORITY_MAX : 0;
		update_all(p);
	} else if (enable) {
		bool first = enable == p->state->contexts[(offset - ENABLE) / ENABLE_STRIDE].enable;

		*enable = first ? value & ~1u : value;
		update(p, (uint32_t)((offset - ENABLE) / ENABLE_STRIDE));
	}
}

static void plic_write(void *opaque, uint64_t offset, uint32_t size, uint64_t value)
{
	struct arch_irqchip *p = opaque;
	uint64_t index = (offset - CONTEXT) / CONTEXT_SIZE;

	if (size != 4 || offset % 4)
		return;
	(void)pthread_mutex_lock(&p->lock);
	if (offset < CONTEXT)
		write_sources(p, offset, (uint32_t)value);
	else if (index < p->n)
		write_context(p, (uint32_t)index, offset % CONTEXT_SIZE, (uint32_t)value);
	(void)pthread_mutex_unlock(&p->lock);
}

/* ---- its life ---- */

static const struct bus_ops bus_ops = { plic_read, plic_write };

static void plic_destroy(struct arch_irqchip *p)
{
	if (!p)
		return;
	bus_remove(p->mmio, RISCV_PLIC_BASE);
	(void)pthread_mutex_destroy(&p->lock);
	free(p->state);
	free(p);
}

static size_t state_size(uint32_t vcpus)
{
	return sizeof(struct plic_state) + vcpus * sizeof(struct context);
}

static int plic_create(struct bus *mmio, uint32_t vcpus, const struct arch_irqchip_sink *sink,
	struct arch_irqchip **ret_chip, struct error *err)
{
	struct bus_range range = {
		.base = RISCV_PLIC_BASE, .size = plic_size(vcpus), .ops = &bus_ops, .name = "PLIC"
	};
	struct arch_irqchip *p;
	int ret;

	if (vcpus == 0 || vcpus > RISCV_MAX_VCPUS)
		return error_set(err, EXIT_USAGE, -E2BIG,
			"the interrupt controller serves %u vcpus, %u are wanted", RISCV_MAX_VCPUS,
			vcpus);
	p = calloc(1, sizeof(*p));
	if (p)
		p->state = calloc(1, state_size(vcpus));
	if (!p || !p->state) {
		free(p);
		return error_set(
			err, EXIT_HOST, -ENOMEM, "out of memory for the interrupt controller");
	}
	p->sink = *sink;
	p->mmio = mmio;
	p->n = vcpus;
	(void)pthread_mutex_init(&p->lock, NULL);
	range.opaque = p;
	ret = bus_add(mmio, &range);
	if (ret < 0) {
		(void)pthread_mutex_destroy(&p->lock);
		free(p->state);
		free(p);
		return error_set(err, EXIT_INTERNAL, ret,
			"the interrupt controller's window is taken: %s", strerror(-ret));
	}
	*ret_chip = p;
	return 0;
}

/* What the sources' lines are is theirs to say. */
static void plic_reset(struct arch_irqchip *p)
{
	struct plic_state *s = p->state;
	uint32_t level[WORDS];

	(void)pthread_mutex_lock(&p->lock);
	for (uint32_t i = 0; i < p->n; i++)
		if (s->contexts[i].up)
			p->sink.vcpu_line(p->sink.opaque, i, RISCV_LINE_EXTERNAL, false);
	memcpy(level, s->level, sizeof(level));
	memset(s, 0, state_size(p->n));
	memcpy(s->level, level, sizeof(level));
	memcpy(s->pending, level, sizeof(level));
	(void)pthread_mutex_unlock(&p->lock);
}

const struct arch_irqchip_ops plic_ops = {
	.create = plic_create,
	.line = plic_line,
	.pulse = plic_pulse,
	.reset = plic_reset,
	.destroy = plic_destroy,
};

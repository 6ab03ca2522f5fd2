/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running the hostile driver's cases, and judging them.
 *
 * After a case the loop must come to rest, memory that was not given must be as it was, a bad chain
 * that the device looked at must have led to NEEDS_RESET, and then a reset must give back a device
 * that works.
 */
#include "sdk/testkit/hostile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/config.h"

#define MOST_QUEUES 4u /* that are tried one by one; of more only the last besides */
#define SMALL       8u /* entries, in the second round */

static const struct hostile_case *current;

void hostile_fail(const struct hostile *h, const char *format, ...)
{
	char text[400];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	kit_fail("hostile case %s (%s) against %s, queue %u, features 0x%llx: %s", current->name,
		current->what, h->d->cd->name, h->queue, (unsigned long long)h->features, text);
}

uint32_t hostile_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 16);
}

void hostile_offer(const struct hostile *h, uint16_t n)
{
	tk_set_avail_idx(h->d, h->queue, n);
	tk_set_reg(h->d, REG_QUEUE_NOTIFY, h->queue);
	tk_run_until_idle(h->d);
}

void hostile_one(
	const struct hostile *h, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	tk_set_desc(h->d, h->queue, 0, addr, len, flags, next);
	tk_set_avail(h->d, h->queue, 0, 0);
	hostile_offer(h, 1);
}

uint64_t hostile_room(uint32_t size)
{
	uint64_t gpa = tk_alloc(size, 16);

	tk_mem_allow(gpa, size);
	return gpa;
}

uint32_t hostile_size(const struct hostile *h)
{
	return tk_ring(h->d, h->queue).size;
}

void hostile_write_queue(const struct hostile *h, uint32_t size, uint64_t desc, uint64_t avail,
	uint64_t used, bool ready)
{
	const uint64_t addresses[] = { desc, avail, used };

	tk_set_reg(h->d, REG_QUEUE_SEL, h->queue);
	tk_set_reg(h->d, REG_QUEUE_NUM, size);
	for (uint32_t i = 0; i < 3; i++) {
		tk_set_reg(h->d, REG_QUEUE_DESC + i * 0x10, (uint32_t)addresses[i]);
		tk_set_reg(h->d, REG_QUEUE_DESC + i * 0x10 + 4, (uint32_t)(addresses[i] >> 32));
	}
	tk_set_reg(h->d, REG_QUEUE_READY, ready);
}

/* ---- one case ---- */

static bool applies(const struct hostile *h, const struct hostile_case *c)
{
	bool few = !(h->features & (TK_F_INDIRECT | TK_F_EVENT_IDX));

	if ((c->flags & WITHOUT) && !few)
		return false;
	if ((c->flags & WITH_INDIRECT) && !(h->features & TK_F_INDIRECT))
		return false;
	return !(c->flags & WITH_EVENT) || (h->features & TK_F_EVENT_IDX);
}

static void prepare(const struct hostile *h, const struct hostile_case *c)
{
	unsigned n = tk_n_queues(h->d);

	tk_run_until_idle(h->d);
	tk_mem_watch();
	if (c->flags & AT_REGISTERS)
		return;
	if (c->flags & AT_SETUP) {
		if (tk_negotiate(h->d, h->features) < 0)
			hostile_fail(h, "the features were refused");
		for (unsigned i = 0; i < n; i++)
			if (i != h->queue && tk_queue(h->d, i, SMALL) < 0)
				hostile_fail(h, "queue %u was refused", i);
		return;
	}
	if (tk_driver(h->d, h->features, h->features & TK_F_EVENT_IDX ? 0 : SMALL) < 0)
		hostile_fail(h, "the driver could not start");
}

/* Gives the device what it may be waiting for. */
static void stimulate(const struct hostile *h)
{
	tk_run_until_idle(h->d);
	tk_type("x");
	tk_advance_ms(100);
}

static void must_have_faulted(const struct hostile *h, const struct hostile_case *c)
{
	const struct tenon_vq *vq = &kit_virtio_layer(h->d)->queues[h->queue];
	bool needs_reset = tk_status(h->d) & TK_S_NEEDS_RESET;

	if (needs_reset || !(c->flags & MUST_FAULT))
		return;
	if (c->flags & AT_SETUP) {
		tk_set_reg(h->d, REG_QUEUE_SEL, h->queue);
		if (tk_reg(h->d, REG_QUEUE_READY) == 0)
			return; /* refused at once */
		hostile_fail(h, "the queue was accepted");
	}
	if (vq->ring.fault)
		hostile_fail(h, "the layer saw the fault and did not ask for a reset");
	if (vq->ring.last_avail != 0)
		hostile_fail(h, "the device took the chain");
}

static void judge(const struct hostile *h, const struct hostile_case *c)
{
	const char *wrong = kit_mem_wrong();

	if (wrong)
		hostile_fail(h, "%s", wrong);
	if (!(c->flags & AT_REGISTERS))
		must_have_faulted(h, c);
	tk_driver_reset(h->d);
	tk_run_until_idle(h->d);
	if (tk_status(h->d) != 0)
		hostile_fail(h, "the status is 0x%x after a reset", tk_status(h->d));
	if (tk_driver(h->d, UINT64_MAX, 0) < 0)
		hostile_fail(h, "the device does not work for the next driver");
}

static void run_case(struct hostile *h, const struct hostile_case *c)
{
	uint64_t mark;

	current = c;
	tk_driver_reset(h->d);
	kit_driver_destroy(h->d);
	mark = kit_alloc_mark();
	prepare(h, c);
	c->run(h);
	if ((c->flags & AT_SETUP))
		(void)tk_driver_ok(h->d);
	stimulate(h);
	judge(h, c);
	tk_driver_reset(h->d);
	kit_driver_destroy(h->d);
	kit_release_since(mark);
}

/* ---- all of them ---- */

static unsigned run_table(struct hostile *h, const struct hostile_case *table, const char *name)
{
	unsigned n_queues = tk_n_queues(h->d), n = 0;

	for (const struct hostile_case *c = table; c->name; c++) {
		if (name && strcmp(name, c->name) != 0)
			continue;
		if (!applies(h, c))
			continue;
		for (h->queue = 0; h->queue < n_queues; h->queue++) {
			if (h->queue >= MOST_QUEUES && h->queue != n_queues - 1)
				continue;
			run_case(h, c);
			n++;
			if (c->flags & AT_REGISTERS)
				break;
		}
	}
	return n;
}

static unsigned run_windows(struct tk_dev *d)
{
	uint32_t space;
	uint64_t address, size, seed = 42;
	unsigned n = 0;

	for (; tk_window(d, n, &space, &address, &size) == 0; n++)
		for (unsigned i = 0; i < 20000; i++) {
			uint64_t at = hostile_random(&seed) % (size + 8);
			uint32_t width = hostile_random(&seed) % 4 ? 1 : hostile_random(&seed) % 10;

			if (hostile_random(&seed) % 2)
				tk_write(d, n, at, width, hostile_random(&seed));
			else
				(void)tk_read(d, n, at, width);
			if (i % 16 == 0)
				(void)tk_step();
			if (i % 64 == 0)
				tk_type("x");
		}
	tk_run_until_idle(d);
	return n;
}

static unsigned run_all(struct tk_dev *d, const char *name)
{
	static const uint64_t rounds[] = { UINT64_MAX, TK_F_VERSION_1 };
	struct hostile h = { .d = d };
	unsigned n = 0;

	for (unsigned i = 0; i < 2; i++) {
		h.features = rounds[i] & tk_features(d);
		n += run_table(&h, hostile_register_cases, name);
		n += run_table(&h, hostile_ring_cases, name);
		n += run_table(&h, hostile_indirect_cases, name);
	}
	return n;
}

unsigned tk_hostile_run(struct tk_dev *d)
{
	unsigned n;

	if (d->state != KIT_STARTED)
		kit_fail("the hostile driver needs a started device");
	n = tk_is_virtio(d) ? run_all(d, NULL) : run_windows(d);
	if (tk_is_virtio(d) && tk_driver(d, UINT64_MAX, 0) < 0)
		kit_fail("%s does not work any more", d->cd->name);
	tk_note("hostile driver: %u cases against %s", n, d->cd->name);
	return n;
}

unsigned tk_hostile_one(struct tk_dev *d, const char *name)
{
	return tk_is_virtio(d) ? run_all(d, name) : 0;
}

int tk_hostile_case(unsigned index, const char **ret_name, const char **ret_what)
{
	const struct hostile_case *tables[] = { hostile_register_cases, hostile_ring_cases,
		hostile_indirect_cases };

	for (unsigned t = 0; t < 3; t++)
		for (const struct hostile_case *c = tables[t]; c->name; c++) {
			if (index-- > 0)
				continue;
			*ret_name = c->name;
			*ret_what = c->what;
			return 0;
		}
	return -ENOENT;
}

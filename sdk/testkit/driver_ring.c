/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver's side of a split virtqueue (2.7): chains, kicks and what comes back.
 *
 * What the used ring says is believed no more than what a driver says: a chain that is not out, or
 * more bytes than there was room for, fails the test.
 */
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "sdk/testkit/driver.h"

/* ---- the raw ring ---- */

static void put16(uint64_t gpa, uint16_t v)
{
	const uint8_t bytes[2] = { (uint8_t)v, (uint8_t)(v >> 8) };
	uint16_t raw;

	memcpy(&raw, bytes, 2);
	__atomic_store_n((uint16_t *)tk_mem(gpa, 2), raw, __ATOMIC_SEQ_CST);
	tk_put(gpa, bytes, 2); /* for the watch */
}

static uint16_t get16(uint64_t gpa)
{
	uint16_t raw = __atomic_load_n((uint16_t *)tk_mem(gpa, 2), __ATOMIC_SEQ_CST);
	uint8_t bytes[2];

	memcpy(bytes, &raw, 2);
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static uint32_t get32(uint64_t gpa)
{
	return get16(gpa) | (uint32_t)get16(gpa + 2) << 16;
}

struct driver_queue *driver_queue(struct tk_dev *d, unsigned queue)
{
	struct driver_queue *q = &driver_of(d)->queues[queue % VIRTIO_MAX_QUEUES];

	if (queue >= VIRTIO_MAX_QUEUES || q->ring.size == 0)
		kit_fail("%s: the driver has not set up queue %u", d->cd->name, queue);
	return q;
}

struct tk_ring tk_ring(struct tk_dev *d, unsigned queue)
{
	return driver_queue(d, queue)->ring;
}

static void set_desc_at(uint64_t gpa, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	uint8_t raw[16];

	for (int i = 0; i < 8; i++)
		raw[i] = (uint8_t)(addr >> (8 * i));
	for (int i = 0; i < 4; i++)
		raw[8 + i] = (uint8_t)(len >> (8 * i));
	raw[12] = (uint8_t)flags;
	raw[13] = (uint8_t)(flags >> 8);
	raw[14] = (uint8_t)next;
	raw[15] = (uint8_t)(next >> 8);
	tk_put(gpa, raw, sizeof(raw));
}

void tk_set_desc(struct tk_dev *d, unsigned queue, unsigned index, uint64_t addr, uint32_t len,
	uint16_t flags, uint16_t next)
{
	set_desc_at(tk_ring(d, queue).desc + index * 16ull, addr, len, flags, next);
}

void tk_set_avail(struct tk_dev *d, unsigned queue, uint16_t slot, uint16_t head)
{
	struct tk_ring r = tk_ring(d, queue);

	put16(r.avail + 4 + (uint64_t)(slot % r.size) * 2, head);
}

void tk_set_avail_idx(struct tk_dev *d, unsigned queue, uint16_t idx)
{
	put16(tk_ring(d, queue).avail + 2, idx);
	driver_queue(d, queue)->avail = idx;
}

uint16_t tk_avail_idx(struct tk_dev *d, unsigned queue)
{
	return get16(tk_ring(d, queue).avail + 2);
}

uint16_t tk_used_idx(struct tk_dev *d, unsigned queue)
{
	return get16(tk_ring(d, queue).used + 2);
}

/* ---- chains ---- */

void tk_use_indirect(struct tk_dev *d, int on)
{
	struct kit_driver *drv = driver_of(d);

	if (on && !(drv->features & TK_F_INDIRECT))
		kit_fail("%s: indirect descriptors were not negotiated", d->cd->name);
	drv->indirect = on != 0;
}

static uint16_t take_desc(struct tk_dev *d, struct driver_queue *q)
{
	uint16_t i = q->first_free;

	if (q->n_free == 0)
		kit_fail("%s: the queue has no descriptor left", d->cd->name);
	q->first_free = q->next_free[i];
	q->n_free--;
	return i;
}

static void place_parts(struct tk_buf *b, const struct tk_part *parts)
{
	for (unsigned i = 0; i < b->n_parts; i++) {
		struct driver_part *p = &b->parts[i];

		p->size = parts[i].size;
		p->in = parts[i].in;
		p->owned = parts[i].gpa == 0;
		p->gpa = p->owned ? tk_alloc(p->size, 1) : parts[i].gpa;
		if (parts[i].data)
			tk_put(p->gpa, parts[i].data, p->size);
		if (p->in) {
			tk_mem_allow(p->gpa, p->size);
			b->in_bytes += p->size;
		}
	}
}

static void write_direct(struct tk_buf *b, struct driver_queue *q)
{
	uint16_t at = take_desc(b->dev, q);

	b->head = at;
	for (unsigned i = 0; i < b->n_parts; i++) {
		bool last = i + 1 == b->n_parts;
		uint16_t next = last ? 0 : take_desc(b->dev, q);

		tk_set_desc(b->dev, b->queue, at, b->parts[i].gpa, b->parts[i].size,
			(uint16_t)((last ? 0 : DESC_NEXT) | (b->parts[i].in ? DESC_WRITE : 0)),
			next);
		q->next_free[at] = next; /* to find them again */
		at = next;
	}
	b->n_descs = b->n_parts;
}

static void write_indirect(struct tk_buf *b, struct driver_queue *q)
{
	b->head = take_desc(b->dev, q);
	b->table = tk_alloc((size_t)b->n_parts * 16, 16);
	for (unsigned i = 0; i < b->n_parts; i++)
		set_desc_at(b->table + i * 16ull, b->parts[i].gpa, b->parts[i].size,
			(uint16_t)((i + 1 < b->n_parts ? DESC_NEXT : 0) |
				   (b->parts[i].in ? DESC_WRITE : 0)),
			(uint16_t)(i + 1));
	tk_set_desc(b->dev, b->queue, b->head, b->table, b->n_parts * 16, DESC_INDIRECT, 0);
	b->n_descs = 1;
}

struct tk_buf *tk_chain(struct tk_dev *d, unsigned queue, const struct tk_part *parts, unsigned n)
{
	struct kit_driver *drv = driver_of(d);
	struct driver_queue *q = driver_queue(d, queue);
	struct tk_buf *b;

	if (n == 0 || n > MAX_PARTS)
		kit_fail("a chain of %u parts", n);
	b = kit_alloc(sizeof(*b));
	*b = (struct tk_buf){ .next = drv->bufs, .dev = d, .queue = queue, .n_parts = n };
	b->parts = kit_alloc(n * sizeof(*b->parts));
	drv->bufs = b;
	place_parts(b, parts);
	if (drv->indirect)
		write_indirect(b, q);
	else
		write_direct(b, q);
	q->by_head[b->head] = b;
	tk_set_avail(d, queue, q->avail, b->head);
	tk_set_avail_idx(d, queue, (uint16_t)(q->avail + 1));
	return b;
}

struct tk_buf *tk_in(struct tk_dev *d, unsigned queue, size_t in_size)
{
	return tk_request(d, queue, NULL, 0, in_size);
}

struct tk_buf *tk_out(struct tk_dev *d, unsigned queue, const void *data, size_t size)
{
	return tk_request(d, queue, data, size, 0);
}

struct tk_buf *tk_request(
	struct tk_dev *d, unsigned queue, const void *data, size_t size, size_t in_size)
{
	struct tk_part parts[2];
	unsigned n = 0;

	if (size > 0)
		parts[n++] = (struct tk_part){ 0, data, (uint32_t)size, 0 };
	if (in_size > 0)
		parts[n++] = (struct tk_part){ 0, NULL, (uint32_t)in_size, 1 };
	return tk_chain(d, queue, parts, n);
}

/* ---- notifications ---- */

void tk_kick(struct tk_dev *d, unsigned queue)
{
	struct driver_queue *q = &driver_of(d)->queues[queue % VIRTIO_MAX_QUEUES];

	q->kicked = q->avail;
	tk_set_reg(d, REG_QUEUE_NOTIFY, queue);
}

int tk_kick_wanted(struct tk_dev *d, unsigned queue)
{
	const struct driver_queue *q = driver_queue(d, queue);
	uint16_t event;

	if (!(driver_of(d)->features & TK_F_EVENT_IDX))
		return !(get16(q->ring.used) & 1);
	event = get16(q->ring.used + 4 + (uint64_t)q->ring.size * 8);
	return (uint16_t)(q->avail - event - 1) < (uint16_t)(q->avail - q->kicked);
}

static void write_event(struct tk_dev *d, const struct driver_queue *q)
{
	if (driver_of(d)->features & TK_F_EVENT_IDX)
		put16(q->ring.avail + 4 + (uint64_t)q->ring.size * 2,
			(uint16_t)(q->no_irqs ? q->last_used - 1 : q->last_used));
	else
		put16(q->ring.avail, q->no_irqs);
}

void tk_want_irqs(struct tk_dev *d, unsigned queue, int on)
{
	struct driver_queue *q = driver_queue(d, queue);

	q->no_irqs = !on;
	write_event(d, q);
}

/* ---- what comes back ---- */

static void give_descs_back(struct driver_queue *q, const struct tk_buf *b)
{
	uint16_t at = b->head;

	for (unsigned i = 0; i < b->n_descs; i++) {
		uint16_t next = q->next_free[at];

		q->next_free[at] = q->first_free;
		q->first_free = at;
		q->n_free++;
		at = next;
	}
}

static void take_used(struct tk_dev *d, struct driver_queue *q)
{
	uint64_t entry = q->ring.used + 4 + (uint64_t)(q->last_used % q->ring.size) * 8;
	uint32_t id = get32(entry), len = get32(entry + 4);
	struct tk_buf *b = id < q->ring.size ? q->by_head[id] : NULL;

	if (!b)
		kit_fail("%s: the used ring names descriptor %u, where no chain is out",
			d->cd->name, id);
	if (len > b->in_bytes)
		kit_fail("%s: the used ring says %u bytes, the chain has room for %llu",
			d->cd->name, len, (unsigned long long)b->in_bytes);
	b->used = true;
	b->len = len;
	q->by_head[id] = NULL;
	give_descs_back(q, b);
	q->last_used++;
}

unsigned tk_reap(struct tk_dev *d, unsigned queue)
{
	struct driver_queue *q = driver_queue(d, queue);
	unsigned n = 0;

	while (tk_used_idx(d, queue) != q->last_used) {
		take_used(d, q);
		n++;
	}
	if (n > 0 && !q->no_irqs)
		write_event(d, q);
	return n;
}

long long tk_used_len(struct tk_buf *b)
{
	if (!b->lost)
		(void)tk_reap(b->dev, b->queue);
	return b->used ? (long long)b->len : -1;
}

size_t tk_in_bytes(struct tk_buf *b, void *to, size_t size)
{
	uint8_t *out = to;
	size_t done = 0;

	for (unsigned i = 0; i < b->n_parts; i++) {
		const struct driver_part *p = &b->parts[i];

		for (uint32_t n = 0; p->in && n < p->size && done < size; n++)
			out[done++] = *(const uint8_t *)tk_mem(p->gpa + n, 1);
	}
	return done;
}

const void *tk_in_data(struct tk_buf *b)
{
	for (unsigned i = 0; i < b->n_parts; i++)
		if (b->parts[i].in)
			return tk_mem(b->parts[i].gpa, b->parts[i].size);
	kit_fail("the chain has no in part");
}

void tk_free(struct tk_buf *b)
{
	struct kit_driver *drv = driver_of(b->dev);

	if (!b->used && !b->lost && tk_used_len(b) < 0)
		kit_fail("tk_free() of a chain that the device has");
	for (struct tk_buf **at = &drv->bufs; *at; at = &(*at)->next) {
		if (*at == b) {
			*at = b->next;
			break;
		}
	}
	for (unsigned i = 0; i < b->n_parts; i++)
		if (b->parts[i].owned)
			tk_release(b->parts[i].gpa);
	if (b->table)
		tk_release(b->table);
	free(b->parts);
	free(b);
}

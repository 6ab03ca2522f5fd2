/* SPDX-License-Identifier: Apache-2.0 */
/* The split ring of Virtio 1.2, 2.7, with event indexes. */
#include "ring.h"

#include <string.h>

void ring_open(struct ring *r, struct tk_dev *d, unsigned queue)
{
	const struct tk_ring at = tk_ring(d, queue);

	*r = (struct ring){ .d = d, .queue = queue, .size = at.size };
	r->avail = tk_mem(at.avail, 6 + 2 * (size_t)r->size);
	r->used = tk_mem(at.used, 6 + 8 * (size_t)r->size);
}

void ring_offer(struct ring *r, uint16_t head)
{
	r->avail[2 + r->made++ % r->size] = head;
}

/* The device said from which on it wants to be kicked (2.7.10). */
static bool must_kick(const struct ring *r)
{
	uint16_t event = __atomic_load_n(&r->used[2 + 4 * r->size], __ATOMIC_SEQ_CST);

	return (uint16_t)(r->made - event - 1) < (uint16_t)(r->made - r->kicked);
}

void ring_kick(struct ring *r)
{
	if (r->made == r->kicked)
		return;
	__atomic_store_n(&r->avail[1], r->made, __ATOMIC_SEQ_CST);
	if (must_kick(r))
		tk_set_reg(r->d, 0x50, r->queue);
	r->kicked = r->made;
}

bool ring_arm(struct ring *r)
{
	__atomic_store_n(&r->avail[2 + r->size], r->seen, __ATOMIC_SEQ_CST); /* 2.7.7.2 */
	return r->seen == __atomic_load_n(&r->used[1], __ATOMIC_SEQ_CST);
}

void ring_wait(struct ring *r)
{
	if (ring_arm(r) && !tk_wait(10000))
		TK_FAIL("the device is silent");
	(void)tk_step();
}

bool ring_take(struct ring *r, uint16_t *ret_head, uint32_t *ret_size)
{
	uint32_t element[2]; /* {u32 id, u32 length} from the fourth byte on */

	if (r->seen == __atomic_load_n(&r->used[1], __ATOMIC_ACQUIRE))
		return false;
	memcpy(element, (const uint8_t *)(uintptr_t)&r->used[2 + r->seen % r->size * 4],
		sizeof(element));
	r->seen++;
	*ret_head = (uint16_t)element[0];
	*ret_size = element[1];
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest memory: the core's own object (memfds with guard pages), laid out to hurt, an allocator for
 * the driver's side, tenon.mem/1, and a watch over bytes that nobody gave away.
 *
 * The watch keeps a copy.  What the driver writes goes through the kit, which allows it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sdk/testkit/kit.h"

#define GAP 64u /* bytes around each allocation that must stay as they are */

struct piece {
	struct piece *next; /* ascending */
	uint64_t gpa, size, serial;
};

struct watched {
	uint64_t gpa, size;
	uint64_t *copy;
};

/* What the device may write, or may not; the latest that holds counts. */
struct grant {
	uint64_t gpa, size;
	bool allowed;
};

static const struct {
	uint64_t gpa, size;
	bool read_only;
} layout[] = {
	{ TK_RAM_A, TK_RAM_SIZE, false },
	{ TK_RAM_B, TK_RAM_SIZE, false },
	{ TK_RAM_C, TK_RAM_SIZE, false },
	{ TK_ROM, TK_ROM_SIZE, true },
};

#define N_REGIONS (sizeof(layout) / sizeof(layout[0]))

static struct piece *pieces;
static uint64_t last_serial;
static struct watched watched[N_REGIONS];
static struct grant *grants;
static size_t n_grants, grants_room;
static bool watching;

struct guest_memory *kit_memory(void)
{
	if (kit.gm)
		return kit.gm;
	kit.gm = guest_memory_create();
	for (size_t i = 0; kit.gm && i < N_REGIONS; i++) {
		struct error err = { .text = "" };

		if (guest_memory_add(kit.gm, layout[i].gpa, layout[i].size,
			    layout[i].read_only ? GUEST_FIRMWARE : GUEST_RAM, layout[i].read_only,
			    &err) < 0)
			kit_fail("guest memory: %s", err.text);
		if (layout[i].read_only)
			(void)mprotect(guest_memory_ptr(kit.gm, layout[i].gpa, layout[i].size),
				layout[i].size, PROT_READ);
	}
	if (!kit.gm)
		kit_fail("no memory for the guest");
	return kit.gm;
}

bool kit_memory_holds(uint64_t gpa, uint64_t size)
{
	for (size_t i = 0; i < N_REGIONS; i++)
		if (gpa < layout[i].gpa + layout[i].size && layout[i].gpa < gpa + size)
			return true;
	return false;
}

void *tk_mem(uint64_t gpa, size_t size)
{
	void *p = guest_memory_ptr(kit_memory(), gpa, size);

	if (!p)
		kit_fail("0x%llx and %zu bytes are not in one piece of guest memory",
			(unsigned long long)gpa, size);
	return p;
}

static void grant(uint64_t gpa, uint64_t size, bool allowed)
{
	if (!watching || size == 0)
		return;
	if (n_grants == grants_room) {
		grants_room = grants_room ? grants_room * 2 : 256;
		grants = realloc(grants, grants_room * sizeof(*grants));
		if (!grants)
			kit_fail("the test kit is out of memory");
	}
	grants[n_grants++] = (struct grant){ gpa, size, allowed };
}

/* ---- the allocator ---- */

uint64_t tk_alloc(size_t size, size_t align)
{
	uint64_t at = TK_RAM_C + GAP;
	struct piece **link = &pieces, *p;

	if (align == 0 || (align & (align - 1)))
		kit_fail("tk_alloc: %zu is not a power of two", align);
	for (;; link = &(*link)->next) {
		at = (at + align - 1) & ~(uint64_t)(align - 1);
		if (!*link || at + size + GAP <= (*link)->gpa)
			break;
		at = (*link)->gpa + (*link)->size + GAP;
	}
	if (at + size + GAP > TK_RAM_C + TK_RAM_SIZE)
		kit_fail("tk_alloc: %zu bytes are not left; release some", size);
	p = kit_alloc(sizeof(*p));
	*p = (struct piece){ *link, at, size, ++last_serial };
	*link = p;
	grant(at, size, false);
	tk_put(at, NULL, size);
	return at;
}

void tk_release(uint64_t gpa)
{
	for (struct piece **at = &pieces; *at; at = &(*at)->next) {
		struct piece *p = *at;

		if (p->gpa != gpa)
			continue;
		*at = p->next;
		free(p);
		return;
	}
	kit_fail("tk_release: 0x%llx was not allocated", (unsigned long long)gpa);
}

uint64_t kit_alloc_mark(void)
{
	return last_serial;
}

void kit_release_since(uint64_t mark)
{
	for (struct piece **at = &pieces; *at;) {
		struct piece *p = *at;

		if (p->serial <= mark) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		free(p);
	}
}

/* ---- the watch ---- */

static struct watched *watched_at(uint64_t gpa)
{
	for (size_t i = 0; watching && i < N_REGIONS; i++)
		if (gpa >= watched[i].gpa && gpa - watched[i].gpa < watched[i].size)
			return &watched[i];
	return NULL;
}

void tk_put(uint64_t gpa, const void *data, size_t size)
{
	const uint8_t *from = data;
	size_t done = 0;

	while (done < size) {
		uint64_t part = size - done;
		uint8_t *to = guest_memory_span(kit_memory(), gpa + done, &part, true);
		struct watched *w = watched_at(gpa + done);

		if (!to)
			kit_fail("tk_put: there is no memory to write at 0x%llx",
				(unsigned long long)(gpa + done));
		for (uint64_t i = 0; i < part; i++)
			to[i] = from ? from[done + i] : 0;
		if (w)
			memcpy((uint8_t *)w->copy + (gpa + done - w->gpa), to, part);
		done += part;
	}
}

/*
 * Word by word and out of the sanitizers' sight: this is done for every case of the hostile driver,
 * and nobody else is there to race with.
 */
__attribute__((no_sanitize("thread", "address"))) static void copy_words(
	uint64_t *to, const uint64_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = from[i];
}

/* The first that differs from @at on; @n = none does. */
__attribute__((no_sanitize("thread", "address"))) static size_t next_change(
	const uint64_t *a, const uint64_t *b, size_t at, size_t n)
{
	while (at < n && a[at] == b[at])
		at++;
	return at;
}

void tk_mem_watch(void)
{
	for (size_t i = 0; i < N_REGIONS; i++) {
		struct watched *w = &watched[i];

		w->gpa = layout[i].gpa;
		w->size = layout[i].size;
		if (!w->copy)
			w->copy = kit_alloc(w->size);
		copy_words(w->copy, tk_mem(w->gpa, w->size), w->size / 8);
	}
	n_grants = 0;
	watching = true;
}

void tk_mem_allow(uint64_t gpa, uint64_t size)
{
	grant(gpa, size, true);
}

static bool allowed(uint64_t gpa)
{
	for (size_t i = n_grants; i-- > 0;)
		if (gpa >= grants[i].gpa && gpa - grants[i].gpa < grants[i].size)
			return grants[i].allowed;
	return false;
}

/* The sentence about a byte of this word, if one was changed that may not be. */
static const char *judge_word(const struct watched *w, size_t word)
{
	const uint8_t *now = tk_mem(w->gpa + word * 8, 8);
	const uint8_t *then = (const uint8_t *)(w->copy + word);
	static char text[160];

	for (unsigned i = 0; i < 8; i++) {
		uint64_t gpa = w->gpa + word * 8 + i;

		if (now[i] == then[i] || allowed(gpa))
			continue;
		(void)snprintf(text, sizeof(text),
			"the device changed guest memory that it was not given: 0x%llx, from "
			"0x%02x to 0x%02x",
			(unsigned long long)gpa, then[i], now[i]);
		return text;
	}
	return NULL;
}

const char *kit_mem_wrong(void)
{
	for (size_t i = 0; watching && i < N_REGIONS; i++) {
		const struct watched *w = &watched[i];
		const uint64_t *now = tk_mem(w->gpa, w->size);
		size_t n = w->size / 8, at = 0;

		while ((at = next_change(now, w->copy, at, n)) < n) {
			const char *wrong = judge_word(w, at++);

			if (wrong)
				return wrong;
		}
	}
	return NULL;
}

void tk_mem_check(void)
{
	const char *wrong = kit_mem_wrong();

	if (!watching)
		kit_fail("tk_mem_check() without tk_mem_watch()");
	if (wrong)
		kit_fail("%s", wrong);
}

/* ---- the service ---- */

static int mem_read(struct tenon_dev *dev, uint64_t gpa, void *to, size_t size)
{
	(void)dev;
	if (kit_fails("tenon.mem read", ROLE_ANY))
		return -EFAULT;
	return guest_memory_read(kit_memory(), gpa, to, size);
}

static int mem_write(struct tenon_dev *dev, uint64_t gpa, const void *from, size_t size)
{
	(void)dev;
	if (kit_fails("tenon.mem write", ROLE_ANY))
		return -EFAULT;
	return guest_memory_write(kit_memory(), gpa, from, size);
}

static void *mem_map(struct tenon_dev *dev, uint64_t gpa, size_t size, uint32_t prot)
{
	uint64_t there = size;
	void *p;

	(void)dev;
	if (kit_fails("tenon.mem map", ROLE_ANY))
		return NULL;
	p = guest_memory_span(kit_memory(), gpa, &there, prot & TENON_PROT_WRITE);
	return there == size ? p : NULL;
}

static void mem_unmap(struct tenon_dev *dev, void *host, size_t size)
{
	(void)dev;
	(void)host;
	(void)size;
	kit_role("tenon.mem unmap", ROLE_ANY);
}

static void mem_mark_dirty(struct tenon_dev *dev, uint64_t gpa, size_t size)
{
	(void)dev;
	kit_role("tenon.mem mark_dirty", ROLE_ANY);
	if (size > 0 && !guest_memory_ptr(kit_memory(), gpa, size))
		kit_fail("tenon.mem mark_dirty: 0x%llx and %zu bytes are not guest memory",
			(unsigned long long)gpa, size);
}

static int mem_regions(struct tenon_dev *dev,
	int (*each)(void *arg, const struct tenon_mem_region *region), void *arg)
{
	const struct guest_memory *gm = kit_memory();
	int ret = 0;

	(void)dev;
	kit_role("tenon.mem regions", ROLE_MAIN);
	for (size_t i = 0; i < guest_memory_count(gm) && ret == 0; i++) {
		const struct guest_region *r = guest_memory_region(gm, i);
		const struct tenon_mem_region region = {
			.struct_size = sizeof(region),
			.prot = TENON_PROT_READ | (r->read_only ? 0 : TENON_PROT_WRITE),
			.gpa = r->gpa,
			.size = r->size,
			.fd = r->fd,
			.fd_offset = r->fd_offset,
		};

		/* What devices map over shared memory is not in its file. */
		if (r->kind != GUEST_SHM)
			ret = each(arg, &region);
	}
	return ret;
}

const struct tenon_mem kit_mem = {
	.struct_size = sizeof(struct tenon_mem),
	.read = mem_read,
	.write = mem_write,
	.map = mem_map,
	.unmap = mem_unmap,
	.mark_dirty = mem_mark_dirty,
	.regions = mem_regions,
};

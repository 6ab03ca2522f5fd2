/* SPDX-License-Identifier: Apache-2.0 */
/* Guest memory regions with guard pages, and the ledger of what was placed in them. */
#include "core/guest_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/error.h"
#include "core/shared_memory.h"

#define PAGE       4096ull
#define MAX_CLAIMS 64

struct guest_memory {
	struct guest_region regions[GUEST_MEMORY_MAX_REGIONS]; /* ascending by gpa */
	size_t n_regions;
	struct guest_claim claims[MAX_CLAIMS];
	size_t n_claims;
};

/* A guest's page may be a part of one of the host's. */
static uint64_t host_page(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* With a page before and one behind. */
static uint64_t guarded_size(uint64_t size)
{
	const uint64_t page = host_page();

	return (size + page - 1) / page * page + 2 * page;
}

struct guest_memory *guest_memory_create(void)
{
	return calloc(1, sizeof(struct guest_memory));
}

void guest_memory_destroy(struct guest_memory *gm)
{
	if (!gm)
		return;
	for (size_t i = 0; i < gm->n_regions; i++) {
		struct guest_region *r = &gm->regions[i];

		if (r->lent)
			continue;
		(void)munmap(r->host - host_page(), guarded_size(r->size));
		(void)close(r->fd);
	}
	free(gm);
}

/* Maps @fd between two inaccessible pages; returns the first accessible byte or NULL. */
static uint8_t *map_guarded(int fd, uint64_t size)
{
	const uint64_t guard = host_page();
	uint8_t *whole = mmap(NULL, guarded_size(size), PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (whole == MAP_FAILED)
		return NULL;
	if (mmap(whole + guard, size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd, 0) == MAP_FAILED) {
		int saved = errno;

		(void)munmap(whole, guarded_size(size));
		errno = saved;
		return NULL;
	}
	shared_memory_hide(whole + guard, size);
	return whole + guard;
}

static int back_region(struct guest_region *r, struct error *err)
{
	int e, ret;

	/* A peer that is handed the fd must not be able to shrink it under us. */
	ret = shared_memory_create("tenon-guest", r->size, &r->fd);
	if (ret < 0)
		return error_set(err, EXIT_HOST, ret, "guest memory: %s of %llu bytes: %s",
			shared_memory_call, (unsigned long long)r->size, strerror(-ret));
	r->host = map_guarded(r->fd, r->size);
	if (r->host)
		return 0;
	e = errno;
	(void)close(r->fd);
	return error_set(err, EXIT_HOST, -e, "guest memory: cannot map %llu bytes: %s",
		(unsigned long long)r->size, strerror(e));
}

/* Where in the array it belongs. */
static int find_slot(const struct guest_memory *gm, uint64_t gpa, uint64_t size, size_t *ret_at,
	struct error *err)
{
	uint64_t end;
	size_t at = 0;

	if (size == 0 || size % PAGE || gpa % PAGE || __builtin_add_overflow(gpa, size, &end) ||
		size > (uint64_t)INT64_MAX - 2 * PAGE)
		return error_set(err, EXIT_USAGE, -EINVAL,
			"guest memory: region 0x%llx+0x%llx is not made of whole 4096-byte pages",
			(unsigned long long)gpa, (unsigned long long)size);
	if (gm->n_regions == GUEST_MEMORY_MAX_REGIONS)
		return error_set(err, EXIT_INTERNAL, -ENOSPC, "guest memory: more than %d regions",
			GUEST_MEMORY_MAX_REGIONS);
	for (size_t i = 0; i < gm->n_regions; i++) {
		const struct guest_region *o = &gm->regions[i];

		if (gpa < o->gpa + o->size && o->gpa < end)
			return error_set(err, EXIT_USAGE, -EEXIST,
				"guest memory: region 0x%llx+0x%llx overlaps 0x%llx+0x%llx",
				(unsigned long long)gpa, (unsigned long long)size,
				(unsigned long long)o->gpa, (unsigned long long)o->size);
		if (o->gpa < gpa)
			at = i + 1;
	}
	*ret_at = at;
	return 0;
}

static void put_in(struct guest_memory *gm, size_t at, const struct guest_region *r)
{
	memmove(&gm->regions[at + 1], &gm->regions[at], (gm->n_regions - at) * sizeof(*r));
	gm->regions[at] = *r;
	gm->n_regions++;
}

int guest_memory_add(struct guest_memory *gm, uint64_t gpa, uint64_t size,
	enum guest_region_kind kind, bool read_only, struct error *err)
{
	struct guest_region r = { .gpa = gpa, .size = size, .kind = kind, .read_only = read_only };
	size_t at;
	int ret = find_slot(gm, gpa, size, &at, err);

	if (ret == 0)
		ret = back_region(&r, err);
	if (ret == 0)
		put_in(gm, at, &r);
	return ret;
}

int guest_memory_lend(struct guest_memory *gm, const struct guest_region *region, struct error *err)
{
	struct guest_region r = *region;
	size_t at;
	int ret = find_slot(gm, r.gpa, r.size, &at, err);

	r.lent = true;
	if (ret == 0)
		put_in(gm, at, &r);
	return ret;
}

int guest_memory_take_back(struct guest_memory *gm, uint64_t gpa)
{
	for (size_t i = 0; i < gm->n_regions; i++) {
		if (gm->regions[i].gpa != gpa || !gm->regions[i].lent)
			continue;
		gm->n_regions--;
		memmove(&gm->regions[i], &gm->regions[i + 1],
			(gm->n_regions - i) * sizeof(gm->regions[0]));
		return 0;
	}
	return -ENOENT;
}

size_t guest_memory_count(const struct guest_memory *gm)
{
	return gm->n_regions;
}

const struct guest_region *guest_memory_region(const struct guest_memory *gm, size_t index)
{
	return index < gm->n_regions ? &gm->regions[index] : NULL;
}

static const struct guest_region *find(const struct guest_memory *gm, uint64_t gpa)
{
	for (size_t i = 0; i < gm->n_regions; i++) {
		const struct guest_region *r = &gm->regions[i];

		if (gpa >= r->gpa && gpa - r->gpa < r->size)
			return r;
	}
	return NULL;
}

void *guest_memory_ptr(const struct guest_memory *gm, uint64_t gpa, uint64_t size)
{
	const struct guest_region *r = find(gm, gpa);

	if (!r || size == 0 || size > r->size - (gpa - r->gpa))
		return NULL;
	return r->host + (gpa - r->gpa);
}

/* True when every byte of the range is backed. */
static bool covered(const struct guest_memory *gm, uint64_t gpa, uint64_t size)
{
	while (size > 0) {
		const struct guest_region *r = find(gm, gpa);
		uint64_t here;

		if (!r)
			return false;
		here = r->size - (gpa - r->gpa);
		if (here >= size)
			return true;
		gpa += here;
		size -= here;
	}
	return true;
}

void *guest_memory_span(const struct guest_memory *gm, uint64_t gpa, uint64_t *size, bool write)
{
	for (size_t i = 0; i < gm->n_regions; i++) {
		const struct guest_region *r = &gm->regions[i];
		uint64_t offset = gpa - r->gpa;

		if (gpa < r->gpa || offset >= r->size)
			continue;
		if (write && r->read_only)
			return NULL;
		if (*size > r->size - offset)
			*size = r->size - offset;
		return r->host + offset;
	}
	return NULL;
}

int guest_memory_read(const struct guest_memory *gm, uint64_t gpa, void *to, size_t size)
{
	uint8_t *out = to;

	if (!covered(gm, gpa, size))
		return -EFAULT;
	while (size > 0) {
		const struct guest_region *r = find(gm, gpa);
		uint64_t here = r->size - (gpa - r->gpa);
		size_t n = here < size ? (size_t)here : size;

		memcpy(out, r->host + (gpa - r->gpa), n);
		out += n;
		gpa += n;
		size -= n;
	}
	return 0;
}

int guest_memory_write(struct guest_memory *gm, uint64_t gpa, const void *from, size_t size)
{
	const uint8_t *in = from;

	if (!covered(gm, gpa, size))
		return -EFAULT;
	while (size > 0) {
		const struct guest_region *r = find(gm, gpa);
		uint64_t here = r->size - (gpa - r->gpa);
		size_t n = here < size ? (size_t)here : size;

		memcpy(r->host + (gpa - r->gpa), in, n);
		in += n;
		gpa += n;
		size -= n;
	}
	return 0;
}

uint64_t guest_memory_ram_size(const struct guest_memory *gm)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < gm->n_regions; i++)
		if (gm->regions[i].kind == GUEST_RAM)
			sum += gm->regions[i].size;
	return sum;
}

uint64_t guest_memory_ram_end(const struct guest_memory *gm, uint64_t limit)
{
	uint64_t best = 0;

	for (size_t i = 0; i < gm->n_regions; i++) {
		const struct guest_region *r = &gm->regions[i];
		uint64_t end = r->gpa + r->size;

		if (r->kind != GUEST_RAM || r->gpa >= limit)
			continue;
		if (end > limit)
			end = limit;
		if (end > best)
			best = end;
	}
	return best;
}

static const struct guest_claim *overlapping(
	const struct guest_memory *gm, uint64_t gpa, uint64_t size)
{
	for (size_t i = 0; i < gm->n_claims; i++) {
		const struct guest_claim *c = &gm->claims[i];

		if (gpa < c->gpa + c->size && c->gpa < gpa + size)
			return c;
	}
	return NULL;
}

int guest_memory_claim(
	struct guest_memory *gm, uint64_t gpa, uint64_t size, const char *what, struct error *err)
{
	const struct guest_claim *other;

	if (!guest_memory_ptr(gm, gpa, size))
		return error_set(err, EXIT_USAGE, -ENOMEM,
			"%s (0x%llx bytes at 0x%llx) does not fit into guest memory, which ends at "
			"0x%llx",
			what, (unsigned long long)size, (unsigned long long)gpa,
			(unsigned long long)guest_memory_ram_end(gm, UINT64_MAX));
	other = overlapping(gm, gpa, size);
	if (other)
		return error_set(err, EXIT_USAGE, -EEXIST,
			"%s (0x%llx bytes at 0x%llx) overlaps %s (0x%llx bytes at 0x%llx)", what,
			(unsigned long long)size, (unsigned long long)gpa, other->what,
			(unsigned long long)other->size, (unsigned long long)other->gpa);
	if (gm->n_claims == MAX_CLAIMS)
		return error_set(err, EXIT_USAGE, -ENOSPC,
			"%s: more than %d pieces in guest memory", what, MAX_CLAIMS);
	gm->claims[gm->n_claims++] = (struct guest_claim){ gpa, size, what };
	return 0;
}

/* Highest place for @size bytes in [@low, @high), or UINT64_MAX. */
static uint64_t highest_free(
	const struct guest_memory *gm, uint64_t low, uint64_t high, uint64_t size, uint64_t align)
{
	while (high > low && high - low >= size) {
		uint64_t gpa = (high - size) & ~(align - 1);
		const struct guest_claim *c;

		if (gpa < low)
			break;
		c = overlapping(gm, gpa, size);
		if (!c)
			return gpa;
		high = c->gpa;
	}
	return UINT64_MAX;
}

int guest_memory_claim_top(struct guest_memory *gm, uint64_t size, uint64_t align, uint64_t limit,
	const char *what, uint64_t *ret_gpa, struct error *err)
{
	for (size_t i = gm->n_regions; size > 0 && i-- > 0;) {
		const struct guest_region *r = &gm->regions[i];
		uint64_t high = r->gpa + r->size < limit ? r->gpa + r->size : limit;
		uint64_t gpa;
		int ret;

		if (r->kind != GUEST_RAM)
			continue;
		gpa = highest_free(gm, r->gpa, high, size, align);
		if (gpa == UINT64_MAX)
			continue;
		ret = guest_memory_claim(gm, gpa, size, what, err);
		if (ret == 0)
			*ret_gpa = gpa;
		return ret;
	}
	return error_set(err, EXIT_USAGE, -ENOMEM,
		"%s: no room for 0x%llx bytes below 0x%llx in %llu MiB of guest memory", what,
		(unsigned long long)size, (unsigned long long)limit,
		(unsigned long long)(guest_memory_ram_size(gm) >> 20));
}

size_t guest_memory_claims(const struct guest_memory *gm, const struct guest_claim **ret_claims)
{
	*ret_claims = gm->claims;
	return gm->n_claims;
}

void guest_memory_forget_claims(struct guest_memory *gm)
{
	gm->n_claims = 0;
}

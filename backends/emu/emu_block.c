/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoded code.  Blocks lie one after another in an arena; when it is full all of them go.  They
 * are found by the host address of their first instruction, which stands for the physical one.
 */
#include "backends/emu/emu.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static const void *handlers[EMU_OPCODES];

static void fill_handlers(void)
{
	(void)emu_execute(NULL, handlers);
}

static size_t block_size(size_t ops)
{
	return (sizeof(struct emu_block) + ops * sizeof(struct emu_op) + 15) & ~(size_t)15;
}

#define MOST_OPS (EMU_BLOCK_OPS + 1)

int emu_code_create(struct backend_vcpu *h)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	void *arena = mmap(NULL, EMU_ARENA_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)pthread_once(&once, fill_handlers);
	if (arena == MAP_FAILED)
		return -ENOMEM;
	h->code.arena = arena;
	h->code.split = arena; /* the first one has a place of its own */
	h->code.used = block_size(MOST_OPS);
	emu_code_flush(h);
	return 0;
}

void emu_code_destroy(struct backend_vcpu *h)
{
	if (h->code.arena)
		(void)munmap(h->code.arena, EMU_ARENA_SIZE);
	h->code.arena = NULL;
}

/* ---- forgetting ---- */

void emu_code_forget_jumps(struct backend_vcpu *h, enum emu_mode mode)
{
	struct emu_code *c = &h->code;

	if (++c->generations == 0) {
		memset(c->jumps, 0, sizeof(c->jumps));
		c->generation[!mode] = ++c->generations;
		c->generations++;
	}
	c->generation[mode] = c->generations;
}

void emu_code_flush(struct backend_vcpu *h)
{
	struct emu_code *c = &h->code;

	memset(c->hash, 0, sizeof(c->hash));
	memset(c->jumps, 0, sizeof(c->jumps));
	c->used = block_size(MOST_OPS);
	c->flushes++;
	emu_code_forget_jumps(h, EMU_USER);
	emu_code_forget_jumps(h, EMU_SUPERVISOR);
}

void emu_fence_i(struct backend_vcpu *h)
{
	if (++h->code.epoch == 0)
		emu_code_flush(h);
}

/* ---- guest memory ---- */

static uint16_t read_half(const uint8_t *host)
{
	return __atomic_load_n((const uint16_t *)(const void *)host, __ATOMIC_RELAXED);
}

bool emu_block_refresh(struct backend_vcpu *h, struct emu_block *b)
{
	if (!b->host)
		return false;
	for (uint32_t i = 0; i < b->bytes / 2u; i++)
		if (read_half(b->host + 2 * (size_t)i) != b->copy[i])
			return false;
	b->epoch = h->code.epoch;
	return true;
}

/* ---- making ---- */

static void put(struct emu_block *b, uint32_t at, const struct emu_insn *i, int32_t imm)
{
	b->ops[at] = (struct emu_op){ handlers[i->opcode], imm, i->rd, i->rs1, i->rs2, i->aux };
}

/* Appends an instruction that begins @offset bytes into the block; false when it is the last. */
static bool append(struct emu_block *b, uint32_t raw, uint64_t pc)
{
	uint32_t offset = b->bytes;
	struct emu_insn i;
	int32_t imm;

	emu_decode(raw, &i);
	imm = i.imm;
	/* What is relative to the instruction becomes relative to the block. */
	if (i.opcode == EMU_AUIPC || i.opcode == EMU_J || i.opcode == EMU_JAL ||
		(i.opcode >= EMU_BEQ && i.opcode <= EMU_BGEU))
		imm += (int32_t)offset;
	b->offsets[b->n] = (uint16_t)offset;
	b->copy[offset / 2] = (uint16_t)raw;
	if (i.length == 4)
		b->copy[offset / 2 + 1] = (uint16_t)(raw >> 16);
	put(b, b->n, &i, imm);
	b->n++;
	b->bytes = (uint16_t)(offset + i.length);
	b->offsets[b->n] = b->bytes;
	return i.opcode < EMU_FIRST_END;
}

static void end_with_next(struct emu_block *b)
{
	const struct emu_insn next = { .opcode = EMU_NEXT };

	put(b, b->n, &next, 0);
}

static void begin(struct backend_vcpu *h, struct emu_block *b, const uint8_t *host)
{
	b->hash_next = NULL;
	b->link[0] = b->link[1] = NULL;
	b->host = host;
	b->epoch = h->code.epoch;
	b->n = b->bytes = 0;
}

/* The page's last two bytes begin an instruction that goes on in the next page. */
static struct emu_block *make_split(struct backend_vcpu *h, uint64_t pc, uint16_t first)
{
	struct emu_block *b = h->code.split;
	uint8_t *host;
	uint64_t pa;

	if (emu_lookup(h, pc + 2, EMU_FETCH, &pa, &host) < 0)
		return NULL;
	begin(h, b, NULL);
	if (append(b, (uint32_t)read_half(host) << 16 | first, pc))
		end_with_next(b);
	return b;
}

static struct emu_block *make(struct backend_vcpu *h, uint64_t pc, const uint8_t *host)
{
	const uint8_t *end = host + (EMU_PAGE - (pc & EMU_PAGE_MASK));
	struct emu_block *b;
	bool more = true;

	if ((read_half(host) & 3) == 3 && end - host < 4)
		return make_split(h, pc, read_half(host));
	if (h->code.used + block_size(MOST_OPS) > EMU_ARENA_SIZE)
		emu_code_flush(h);
	b = (struct emu_block *)(void *)(h->code.arena + h->code.used);
	begin(h, b, host);
	while (more && b->n < EMU_BLOCK_OPS && host + b->bytes < end) {
		const uint8_t *at = host + b->bytes;
		uint32_t raw = read_half(at);

		if ((raw & 3) == 3) {
			if (end - at < 4)
				break;
			raw |= (uint32_t)read_half(at + 2) << 16;
		}
		more = append(b, raw, pc);
	}
	if (more)
		end_with_next(b);
	h->code.used += block_size((size_t)b->n + (more ? 1 : 0));
	return b;
}

/* ---- finding ---- */

static struct emu_block **bucket(struct backend_vcpu *h, const uint8_t *host)
{
	uint64_t key = (uintptr_t)host >> 1;

	return &h->code.hash[key * 0x9e3779b97f4a7c15u >> 50];
}

static struct emu_block *find_or_make(struct backend_vcpu *h, uint64_t pc, const uint8_t *host)
{
	struct emu_block **at = bucket(h, host), *b;

	for (; *at; at = &(*at)->hash_next) {
		if ((*at)->host != host)
			continue;
		if ((*at)->epoch == h->code.epoch || emu_block_refresh(h, *at))
			return *at;
		*at = (*at)->hash_next;
		break;
	}
	b = make(h, pc, host);
	if (b && b->host) {
		at = bucket(h, host);
		b->hash_next = *at;
		*at = b;
	}
	return b;
}

struct emu_block *emu_block_find(struct backend_vcpu *h, uint64_t pc)
{
	const struct emu_tlb *e = &h->tlb[pc >> 12 & (EMU_TLB_SIZE - 1)];
	struct emu_block *b;
	uint8_t *host;
	uint64_t pa;

	if (emu_likely(e->fetch == (pc & ~EMU_PAGE_MASK)))
		host = (uint8_t *)(uintptr_t)(pc + e->offset);
	else if (emu_lookup(h, pc, EMU_FETCH, &pa, &host) < 0)
		return NULL;
	b = find_or_make(h, pc, host);
	if (b && b->host)
		*emu_jump_slot(h, pc) = (struct emu_jump){ emu_jump_key(h, pc), b };
	return b;
}

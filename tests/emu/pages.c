/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual memory.  All 256 combinations of the low bits of a leaf, on each level, in either mode,
 * with SUM and MXR set and not, for each kind of access: what comes of it is compared with what the
 * specification says, written down here a second time, and so are the bits that hardware sets.
 * Then what is wrong with tables otherwise, and what is remembered of them.
 */
#include "tests/emu/attempt.h"

#define V 0x01ul
#define R 0x02ul
#define W 0x04ul
#define X 0x08ul
#define U 0x10ul
#define G 0x20ul
#define A 0x40ul
#define D 0x80ul

#define PAGE     4096ul
#define TABLES   24
#define MODE(n)  ((u64)(n) << 60)
#define RAM      0x80000000ul
#define GIGABYTE (1ul << 30)

/* Where things are tried: a place of its own in the root. */
#define WINDOW (0x20ul << 30)
/* In it, but nowhere near to code and stack in the low bits, by which pages are remembered. */
#define ASIDE     (WINDOW + 250 * PAGE)
#define USER_PAGE (0x24ul << 30) /* the user's code */

/* What is stored, and executed: returns, wherever one begins. */
#define RETURNS 0x8082808280828082ul

enum access { LOAD, STORE, FETCH };

CODE(do_load, "ld a1, (a0)")
CODE(do_store, "sd a1, (a0)")
CODE(do_fetch, "mv t0, ra\n\tjalr a0\n\tmv ra, t0")
USER_CODE(user_load, "ld a1, (a0)")
USER_CODE(user_store, "sd a1, (a0)")
USER_CODE(user_fetch, "mv t0, ra\n\tjalr a0\n\tmv ra, t0")

static u64 tables[TABLES][512] __attribute__((aligned(4096)));
static u64 target[512] __attribute__((aligned(4096)));
static u64 other[512] __attribute__((aligned(4096)));
static u64 user_code[512] __attribute__((aligned(4096)));

static int levels; /* 3 or 4 */

static u64 pte(u64 pa, u64 flags)
{
	return pa >> 12 << 10 | flags;
}

static void fence(void)
{
	__asm__ volatile("sfence.vma" ::: "memory");
}

static void fence_page(u64 va)
{
	__asm__ volatile("sfence.vma %0" ::"r"(va) : "memory");
}

/* The entry of @va on @level (0 = of 4 KiB pages), tables on the way made as they are needed. */
static u64 *entry(u64 va, int level)
{
	static int used;
	u64 *table = tables[0];

	if (va == ~0ul) {
		used = 0;
		return NULL;
	}
	for (int l = levels - 1; l > level; l--) {
		u64 *e = &table[va >> (12 + 9 * l) & 511];

		/* A leaf that was tried goes. */
		if ((*e & (R | W | X)) || !(*e & V)) {
			check(used < TABLES - 1);
			*e = pte((u64)tables[++used], V);
		}
		table = (u64 *)(*e >> 10 << 12);
	}
	return &table[va >> (12 + 9 * level) & 511];
}

static void copy_user_code(void)
{
	memcpy((u8 *)user_code, user_load, 16);
	memcpy((u8 *)user_code + 16, user_store, 16);
	memcpy((u8 *)user_code + 32, user_fetch, 32);
	__asm__ volatile("fence.i" ::: "memory");
}

static void build(int n)
{
	csr_write(satp, 0);
	levels = n;
	memset(tables, 0, sizeof(tables));
	memset(other, 0, sizeof(other));
	target[0] = RETURNS;
	__asm__ volatile("fence.i" ::: "memory");
	(void)entry(~0ul, 0);
	for (u64 i = 0; i < 3; i++)
		*entry(i * GIGABYTE, 2) = pte(i * GIGABYTE, V | R | W | X | G | A | D);
	*entry(USER_PAGE, 0) = pte((u64)user_code, V | R | X | U | A);
	csr_write(satp, MODE(n + 5) | (u64)tables[0] >> 12);
	check_is(csr_read(satp) >> 60, n + 5);
	fence();
}

static u64 try(bool user, enum access access, u64 va)
{
	static const u8 *const code[] = { do_load, do_store, do_fetch };

	if (!user)
		return attempt_supervisor((u64)code[access], va, RETURNS);
	return attempt_user(USER_PAGE + 16 * access, va, RETURNS);
}

/* ---- every leaf ---- */

struct setting {
	u64 flags;
	bool user, sum, mxr;
	enum access access;
};

static bool allowed(const struct setting *s)
{
	u64 f = s->flags;

	if (!(f & V) || (!(f & R) && (f & W)))
		return false;
	if (!(f & (R | X)))
		return false; /* points to a table that there is not */
	if (s->user ? !(f & U) : (f & U) && (s->access == FETCH || !s->sum))
		return false;
	switch (s->access) {
	case LOAD:
		return (f & R) || (s->mxr && (f & X));
	case STORE:
		return f & W;
	default:
		return f & X;
	}
}

static u64 wanted(const struct setting *s)
{
	static const u64 causes[] = { CAUSE_LOAD_PAGE, CAUSE_STORE_PAGE, CAUSE_INSN_PAGE };

	return allowed(s) ? NOTHING : causes[s->access];
}

static void failed(const struct setting *s, int level, u64 is)
{
	say("flags, user, sum, mxr, access, level; is, wanted: ");
	say_number(s->flags);
	say_number(s->user);
	say_number(s->sum);
	say_number(s->mxr);
	say_number(s->access);
	say_number((u64)level);
	say_number(is);
	say_number(wanted(s));
	leave(1);
}

/* @va: where the page's byte is that `target` begins with, by this leaf. */
static void try_leaf(u64 *leaf, u64 va, u64 frame, const struct setting *s, int level)
{
	u64 before = pte(frame, s->flags), after = before, is;

	csr_clear(sstatus, SSTATUS_SUM | SSTATUS_MXR);
	csr_set(sstatus, (s->sum ? SSTATUS_SUM : 0) | (s->mxr ? SSTATUS_MXR : 0));
	*leaf = before;
	fence();
	is = try(s->user, s->access, va);
	if (is != wanted(s))
		failed(s, level, is);
	if (is != NOTHING) {
		check_is(attempt.value, va);
		check_is(!(attempt.status & SSTATUS_SPP), s->user);
	} else {
		after |= A | (s->access == STORE ? D : 0);
	}
	check_is(*leaf, after);
}

static void try_all_leaves(int level)
{
	const u64 span = PAGE << 9 * level, frame = (u64)target & ~(span - 1);
	/* The largest pages of Sv48 need an entry of the root that holds nothing else. */
	const u64 window = level == 3 ? 1ul << 39 : WINDOW;
	const u64 va = window + ((u64)target & (span - 1));
	u64 *leaf = entry(va, level);

	for (u64 flags = 0; flags < 256; flags++)
		for (u64 n = 0; n < 24; n++) {
			struct setting s = { flags, n & 1, n & 2, n & 4, n >> 3 };

			/* What points on must be a page of zeros, unless it is the last. */
			if ((flags & V) && !(flags & (R | W | X)) && level)
				try_leaf(leaf, va, (u64)other, &s, level);
			else
				try_leaf(leaf, va, frame, &s, level);
		}
	*leaf = 0;
	csr_clear(sstatus, SSTATUS_SUM | SSTATUS_MXR);
	fence();
}

/* ---- what is wrong otherwise ---- */

static void is_refused(u64 va, u64 load, u64 store, u64 fetch)
{
	check_is(try(false, LOAD, va), load);
	check_is(attempt.value, va);
	check_is(try(false, STORE, va), store);
	check_is(attempt.value, va);
	check_is(try(false, FETCH, va), fetch);
	check_is(attempt.value, va);
	check_is(attempt.pc, va);
}

static void page_faults(u64 va)
{
	is_refused(va, CAUSE_LOAD_PAGE, CAUSE_STORE_PAGE, CAUSE_INSN_PAGE);
}

static void access_faults(u64 va)
{
	is_refused(va, CAUSE_LOAD_ACCESS, CAUSE_STORE_ACCESS, CAUSE_INSN_ACCESS);
}

static void put(u64 *at, u64 value)
{
	*at = value;
	fence();
}

static void reserved_bits(int level)
{
	const u64 good = pte(RAM, V | R | W | X | A | D);
	u64 *leaf = entry(WINDOW, level);

	put(leaf, good);
	check_is(try(false, LOAD, WINDOW), NOTHING);
	/* Svnapot's and Svpbmt's are not there either. */
	for (int bit = 54; bit < 64; bit++) {
		put(leaf, good | 1ul << bit);
		page_faults(WINDOW);
	}
	/* Software's own two may be anything. */
	put(leaf, good | 3ul << 8);
	check_is(try(false, LOAD, WINDOW), NOTHING);
	for (int bit = 10; bit < 10 + 9 * level; bit++) {
		put(leaf, good | 1ul << bit);
		page_faults(WINDOW);
	}
	put(leaf, 0);
}

static void bits_of_tables(int level)
{
	static const u64 wrong[] = { A, D, U, A | D | U };
	u64 *branch;

	put(entry(WINDOW, 0), pte((u64)target, V | R | W | X | A | D));
	check_is(try(false, LOAD, WINDOW), NOTHING);
	branch = entry(WINDOW, level);
	for (int i = 0; i < 4; i++) {
		put(branch, *branch | wrong[i]);
		page_faults(WINDOW);
		put(branch, *branch & ~wrong[i]);
	}
	put(branch, *branch | G);
	check_is(try(false, LOAD, WINDOW), NOTHING);
	put(branch, *branch & ~G);
	for (int bit = 54; bit < 64; bit++) {
		put(branch, *branch | 1ul << bit);
		page_faults(WINDOW);
		put(branch, *branch & ~(1ul << bit));
	}
	put(entry(WINDOW, 0), 0);
}

static void addresses(void)
{
	const u64 top = 1ul << (levels * 9 + 11);

	page_faults(top);
	page_faults(~0ul - top * 2 + 1);
	page_faults(1ul << 63);
	page_faults(WINDOW | 1ul << 63);
	page_faults(WINDOW | 1ul << 60);
	/* The highest page is one like others. */
	put(entry(-PAGE, 0), pte((u64)target, V | R | W | X | A | D));
	check_is(try(false, LOAD, -PAGE), NOTHING);
	check_is(try(false, STORE, -PAGE), NOTHING);
	check_is(try(false, FETCH, -PAGE), NOTHING);
	check_is(try(false, LOAD, -8ul), NOTHING);
	/* Beyond it nothing is: neither the lowest address nor RAM. */
	check_is(try(false, LOAD, -4ul), CAUSE_LOAD_ACCESS);
	put(entry(-PAGE, 0), 0);
}

static void tables_elsewhere(void)
{
	u64 *branch = entry(WINDOW, 1), kept = *branch;

	put(branch, pte(0x400000000000, V)); /* no memory there */
	access_faults(WINDOW);
	put(branch, pte(DEVICE, V));
	access_faults(WINDOW);
	put(branch, kept);
	/* A page beyond what physical addresses can be. */
	put(entry(WINDOW, 0), pte(1ul << 55, V | R | W | X | A | D));
	access_faults(WINDOW);
	put(entry(WINDOW, 0), pte(DEVICE, V | R | W | X | A | D));
	check_is(try(false, FETCH, WINDOW), CAUSE_INSN_ACCESS);
	check_is(try(false, LOAD, WINDOW), NOTHING);
	put(entry(WINDOW, 0), 0);
}

/* ---- what is remembered ---- */

static u64 read_at(u64 va)
{
	return *(volatile u64 *)va;
}

static void forgets_one_page(void)
{
	target[0] = 1;
	other[0] = 2;
	put(entry(ASIDE, 0), pte((u64)target, V | R | W | A | D));
	put(entry(ASIDE + PAGE, 0), pte((u64)other, V | R | W | A | D));
	check_is(read_at(ASIDE), 1);
	check_is(read_at(ASIDE + PAGE), 2);
	*entry(ASIDE, 0) = pte((u64)other, V | R | A);
	fence_page(ASIDE + 8); /* any address of the page */
	check_is(read_at(ASIDE), 2);
	check_is(try(false, STORE, ASIDE), CAUSE_STORE_PAGE);
	check_is(read_at(ASIDE + PAGE), 2);
	*entry(ASIDE, 0) = 0;
	fence_page(ASIDE);
	page_faults(ASIDE);
	*entry(ASIDE + PAGE, 0) = 0;
	fence();
}

/* A large page is forgotten by any address within. */
static void forgets_large_pages(void)
{
	const u64 span = PAGE << 9, frame = (u64)target & ~(span - 1);
	const u64 va = WINDOW + ((u64)target & (span - 1));
	u64 *leaf = entry(WINDOW, 1), kept = *leaf;

	target[0] = 3;
	put(leaf, pte(frame, V | R | W | A | D));
	check_is(read_at(va), 3);
	*leaf = pte(frame, V | R | A);
	fence_page(WINDOW + span - 1);
	check_is(try(false, STORE, va), CAUSE_STORE_PAGE);
	*leaf = 0;
	fence_page(WINDOW);
	page_faults(va);
	put(leaf, kept);
}

/* The dirty bit is set even where a read came first, and each time it was taken away. */
static void notices_dirty_pages(void)
{
	u64 *leaf = entry(ASIDE, 0);

	for (int i = 0; i < 3; i++) {
		*leaf = pte((u64)target, V | R | W);
		fence_page(ASIDE);
		(void)read_at(ASIDE);
		check_is(*leaf & (A | D), A);
		check_is(try(false, STORE, ASIDE), NOTHING);
		check_is(*leaf & (A | D), A | D);
	}
	put(leaf, 0);
}

/* What is remembered of a page must not outlive the bits that allowed it. */
static void heeds_sum_and_mxr_at_once(void)
{
	for (int i = 0; i < 3; i++) {
		put(entry(ASIDE, 0), pte((u64)target, V | X | A | D));
		check_is(try(false, LOAD, ASIDE), CAUSE_LOAD_PAGE);
		csr_set(sstatus, SSTATUS_MXR);
		check_is(try(false, LOAD, ASIDE), NOTHING);
		csr_clear(sstatus, SSTATUS_MXR);
		check_is(try(false, LOAD, ASIDE), CAUSE_LOAD_PAGE);
		put(entry(ASIDE, 0), pte((u64)target, V | R | W | U | A | D));
		check_is(try(false, STORE, ASIDE), CAUSE_STORE_PAGE);
		csr_set(sstatus, SSTATUS_SUM);
		check_is(try(false, STORE, ASIDE), NOTHING);
		csr_clear(sstatus, SSTATUS_SUM);
		check_is(try(false, STORE, ASIDE), CAUSE_STORE_PAGE);
	}
	put(entry(ASIDE, 0), 0);
}

/* Two spaces at one address, changed by satp alone: pages that are not global must not stay. */
static void changes_spaces(void)
{
	static u64 second[512] __attribute__((aligned(4096)));
	const int slot = (int)(WINDOW >> (12 + 9 * (levels - 1)) & 511);
	static u64 chain[3][512] __attribute__((aligned(4096)));
	u64 first = csr_read(satp);

	memcpy(second, tables[0], PAGE);
	memset(chain, 0, sizeof(chain));
	for (int l = 0; l < levels - 1; l++)
		chain[l][WINDOW >> (12 + 9 * l) & 511] =
			l ? pte((u64)chain[l - 1], V) : pte((u64)other, V | R | W | A | D);
	/* In Sv48 what else is in this entry is in the new one, too. */
	if (levels == 4) {
		u64 *old = (u64 *)(tables[0][slot] >> 10 << 12);

		for (int i = 0; i < 512; i++)
			if (i != (int)(WINDOW >> 30 & 511))
				chain[2][i] = old[i];
	}
	second[slot] = pte((u64)chain[levels - 2], V);
	target[0] = 11;
	other[0] = 22;
	put(entry(WINDOW, 0), pte((u64)target, V | R | W | A | D));
	for (u64 i = 0; i < 10; i++) {
		csr_write(satp, MODE(levels + 5) | (i + 1) << 44 | (u64)second >> 12);
		check_is(read_at(WINDOW), 22);
		csr_write(satp, first);
		check_is(read_at(WINDOW), 11);
	}
	put(entry(WINDOW, 0), 0);
}

/* A mode that there is not changes nothing. */
static void modes(void)
{
	u64 now = csr_read(satp);

	for (u64 mode = 1; mode < 16; mode++) {
		if (mode == 8 || mode == 9)
			continue;
		csr_write(satp, MODE(mode) | 12345);
		check_is(csr_read(satp), now);
	}
}

/* ---- across two pages ---- */

static const u64 memory_flags = V | R | W | X | A | D;

static void data_across(void)
{
	const u64 end = WINDOW + PAGE;

	put(entry(WINDOW, 0), pte((u64)target, memory_flags));
	put(entry(end, 0), pte((u64)other, memory_flags));
	target[511] = 0x1111111111111111;
	other[0] = 0x2222222222222222;
	check_is(read_at(end - 3), 0x2222222222111111);
	check_is(try(false, STORE, end - 5), NOTHING);
	check_is(target[511], 0x8280828082111111);
	check_is(other[0], 0x2222222222808280);
	check_is(read_at(end - 5), RETURNS);
	put(entry(end, 0), 0);
	check_is(try(false, LOAD, end - 3), CAUSE_LOAD_PAGE);
	check_is(attempt.value, end);
	/* Nothing is written where a part cannot be. */
	target[511] = 7;
	check_is(try(false, STORE, end - 3), CAUSE_STORE_PAGE);
	check_is(attempt.value, end);
	check_is(target[511], 7);
	put(entry(end, 0), pte((u64)other, memory_flags));
	put(entry(WINDOW, 0), 0);
	check_is(try(false, LOAD, end - 3), CAUSE_LOAD_PAGE);
	check_is(attempt.value, end - 3);
	put(entry(end, 0), pte(DEVICE, memory_flags));
	put(entry(WINDOW, 0), pte((u64)target, memory_flags));
	check_is(try(false, LOAD, end - 3), CAUSE_LOAD_ACCESS);
	put(entry(end, 0), 0);
	put(entry(WINDOW, 0), 0);
}

/* An instruction of four bytes whose halves lie in two pages that do not lie side by side; the
 * second may go, or change. */
static void code_across(void)
{
	const u64 end = WINDOW + PAGE;
	u16 *first = (u16 *)target, *second = (u16 *)other;

	first[2047] = 0x0513; /* addi a0, a0, 5 */
	second[0] = 0x0055;
	second[1] = 0x8082; /* ret */
	__asm__ volatile("fence.i" ::: "memory");
	put(entry(WINDOW, 0), pte((u64)target, memory_flags));
	put(entry(end, 0), pte((u64)other, memory_flags));
	check_is(attempt_supervisor(end - 2, 1, 0), NOTHING);
	check_is(attempt.a0, 6);
	put(entry(end, 0), 0);
	check_is(attempt_supervisor(end - 2, 1, 0), CAUSE_INSN_PAGE);
	check_is(attempt.pc, end - 2);
	check_is(attempt.value, end);
	put(entry(end, 0), pte((u64)other, V | R | W | A | D));
	check_is(attempt_supervisor(end - 2, 1, 0), CAUSE_INSN_PAGE);
	put(entry(end, 0), pte((u64)other, memory_flags));
	second[0] = 0x0065;
	__asm__ volatile("fence.i" ::: "memory");
	check_is(attempt_supervisor(end - 2, 1, 0), NOTHING);
	check_is(attempt.a0, 7);
	/* Two bytes need no second page. */
	put(entry(end, 0), 0);
	first[2047] = 0x8082;
	__asm__ volatile("fence.i" ::: "memory");
	check_is(attempt_supervisor(end - 2, 1, 0), NOTHING);
	put(entry(WINDOW, 0), 0);
}

/* ---- what may not lie anyhow ---- */

CODE(lr_w, "lr.w a1, (a0)")
CODE(lr_d, "lr.d a1, (a0)")
CODE(sc_w, "sc.w a1, a1, (a0)")
CODE(sc_d, "sc.d a1, a1, (a0)")
CODE(amo_w, "amoadd.w a1, a1, (a0)")
CODE(amo_d, "amomaxu.d a1, a1, (a0)")

static void atomics(void)
{
	static const struct {
		const u8 *code;
		u64 size, misaligned, page;
	} all[] = { { lr_w, 4, CAUSE_LOAD_MISALIGNED, CAUSE_LOAD_PAGE },
		{ lr_d, 8, CAUSE_LOAD_MISALIGNED, CAUSE_LOAD_PAGE },
		{ sc_w, 4, CAUSE_STORE_MISALIGNED, CAUSE_STORE_PAGE },
		{ sc_d, 8, CAUSE_STORE_MISALIGNED, CAUSE_STORE_PAGE },
		{ amo_w, 4, CAUSE_STORE_MISALIGNED, CAUSE_STORE_PAGE },
		{ amo_d, 8, CAUSE_STORE_MISALIGNED, CAUSE_STORE_PAGE } };

	for (u64 i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		put(entry(WINDOW, 0), pte((u64)target, memory_flags));
		for (u64 off = 0; off < 16; off++) {
			u64 r = attempt_supervisor((u64)all[i].code, WINDOW + off, 1);

			check_is(r, off % all[i].size ? all[i].misaligned : NOTHING);
			if (r != NOTHING)
				check_is(attempt.value, WINDOW + off);
		}
		/* What is read only may be reserved, and no more; a failing SC faults, too. */
		put(entry(WINDOW, 0), pte((u64)target, V | R | A));
		check_is(attempt_supervisor((u64)all[i].code, WINDOW, 1),
			all[i].page == CAUSE_LOAD_PAGE ? NOTHING : CAUSE_STORE_PAGE);
		put(entry(WINDOW, 0), 0);
		check_is(attempt_supervisor((u64)all[i].code, WINDOW, 1), all[i].page);
		check_is(attempt.value, WINDOW);
		put(entry(WINDOW, 0), pte(DEVICE, memory_flags));
		check_is(attempt_supervisor((u64)all[i].code, WINDOW, 1), all[i].page - 8);
		put(entry(WINDOW, 0), 0);
	}
}

static void run(int n)
{
	build(n);
	copy_user_code();
	for (int level = 0; level < n; level++)
		try_all_leaves(level);
	for (int level = 0; level < 3; level++)
		reserved_bits(level);
	build(n);
	for (int level = 1; level < 3; level++)
		bits_of_tables(level);
	addresses();
	tables_elsewhere();
	forgets_one_page();
	forgets_large_pages();
	notices_dirty_pages();
	heeds_sum_and_mxr_at_once();
	changes_spaces();
	modes();
	data_across();
	code_across();
	atomics();
}

int main(void)
{
	attempt_init();
	run(3);
	run(4);
	csr_write(satp, 0);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Programs for the emulator, with page tables and without; see fuzz_emu.c. */
#include "tests/fuzz/seeds.h"

enum { USER = 16, TRAPS_COME_BACK = 4, SPLIT = 8, SV39 = 1 << 5, SV48 = 2 << 5 };

/* Of each kind of instruction some, with registers from x5 to x15. */
static const uint32_t program[] = { 0x00c58533, 0x40c58533, 0x02c5d533, 0x02c5e53b, 0x00b50513,
	0x01059593, 0x4035d593, 0x60059513, 0x28a59513, 0x0605d513, 0x20c5a533, 0x0ac5c533,
	0x0005b503, 0x00a5b023, 0x00059503, 0x00a59023, 0x0035a503, 0x00a5b1a3, 0x1005b52f,
	0x18c5b52f, 0x00c5a52f, 0x80c5b52f, 0xe0c5a52f, 0x02c5f553, 0x1ac5f553, 0x5a05f553,
	0x62c5f543, 0x62c5f54f, 0xc225f553, 0xd235f553, 0x40157553, 0x42057553, 0x22c59553,
	0x2ac59553, 0xa2c5a553, 0xe2059553, 0xf2058553, 0x0005b507, 0x00a5b027, 0x0045a00f,
	0x0005a00f, 0x0ff0000f, 0x0000100f, 0x12000073, 0x12058073, 0x10002573, 0x18051573,
	0x10059573, 0x14d51073, 0xc0102573, 0x14421073, 0x00000517, 0x00b50463, 0x0080056f,
	0x00000073, 0x10500073, 0x10200073, 0x00100073 };

/* 16-bit ones, two to the word. */
static const uint32_t program_16[] = { 0x6108e10c, 0x4108c10c, 0x2108a10c, 0x651d157d, 0x91058905,
	0x8d0d8d2d, 0x9d0d9d2d, 0x050a952e, 0x64a2e42a, 0x44a2c42a, 0x24a2a42a, 0xc111e111,
	0x0028715d, 0x95829002 };

static void head(struct seed *s, unsigned flags)
{
	s->n = 0;
	seed_le(s, flags, 1);
	seed_le(s, flags * UINT64_C(77), 4);
}

/* The entry @slot of the @table-th table. */
static void entry(struct seed *s, unsigned table, unsigned slot, unsigned page, unsigned flags)
{
	seed_le(s, table << 12 | slot, 2);
	seed_le(s, page << 10 | flags, 2);
}

/* RAM at its own address, by pages; a large page; one for the user. */
static void tables(struct seed *s, unsigned levels)
{
	unsigned table = 0;

	seed_le(s, levels + 19, 1);
	if (levels == 4)
		entry(s, table++, 0, 2, 1);
	entry(s, table, 2, table + 2, 1);
	entry(s, table, 3, 0, 0xcf);
	entry(s, table + 1, 0, table + 3, 1);
	entry(s, table + 1, 1, 0, 0xdf);
	for (unsigned i = 0; i < 16; i++)
		entry(s, table + 2, i, i, i < 8 ? 0xcf : 0x1f);
}

static void code(struct seed *s)
{
	for (unsigned i = 0; i < 64; i++)
		seed_le(s, i % 5 == 0 ? i : 0, 1); /* what happens meanwhile */
	seed_put(s, program, sizeof(program));
	seed_put(s, program_16, sizeof(program_16));
}

void seeds_emu(void)
{
	static const struct {
		const char *name;
		unsigned flags, levels;
	} all[] = { { "bare", TRAPS_COME_BACK, 0 }, { "split", TRAPS_COME_BACK | SPLIT, 0 },
		{ "user", TRAPS_COME_BACK | USER, 0 }, { "lost", 0, 0 },
		{ "sv39", TRAPS_COME_BACK | SV39, 3 }, { "sv48", TRAPS_COME_BACK | SV48, 4 },
		{ "user39", TRAPS_COME_BACK | SV39 | USER, 3 } };
	static struct seed s;

	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		head(&s, all[i].flags);
		if (all[i].levels)
			tables(&s, all[i].levels);
		else
			seed_le(&s, 0, 1);
		code(&s);
		seed_save("fuzz_emu", all[i].name, &s);
	}
}

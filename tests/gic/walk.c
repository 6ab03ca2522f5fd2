/* SPDX-License-Identifier: Apache-2.0 */
/* The walk itself: the same file on both sides. */
#include "tests/gic/walk.h"

#define SGI_PAGE   0x10000u
#define MAX_ACTIVE 32u
#define NONE       1020u /* and above */

/* Interrupts that were acknowledged and not ended yet, by their groups. */
struct active {
	uint16_t intid[MAX_ACTIVE];
	uint8_t group[MAX_ACTIVE];
	uint32_t n;
};

static struct active active[WALK_CPUS];
static uint64_t state;
static uint32_t now_seed, now_step;

static uint32_t random_below(uint32_t n)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(state >> 33) % n;
}

static uint32_t random_bits(void)
{
	uint32_t high = random_below(65536);

	return high << 16 | random_below(65536);
}

/* One bit, or any. */
static uint32_t some_bits(void)
{
	return random_below(4) ? 1u << random_below(32) : random_bits();
}

static void say(uint32_t what, uint64_t answer)
{
	walk_say(now_seed, now_step, what, answer);
}

/* ---- registers in memory ---- */

/* Word 0 is each vCPU's own, 1 and 2 are the distributor's. */
static void access_word(uint32_t cpu, uint32_t base, uint32_t word, uint64_t value, int write)
{
	enum walk_window window = word ? WALK_DIST : WALK_REDIST;
	uint32_t offset = base + 4 * word + (word ? 0 : SGI_PAGE);

	if (write)
		walk_write(window, cpu, offset, 4, value);
	say(base, walk_read(window, cpu, offset, 4));
}

/* IGROUPR, ISENABLER, ICENABLER, ISPENDR, ICPENDR, ISACTIVER, ICACTIVER. */
static void bitmap(uint32_t cpu)
{
	uint32_t base = 0x80 * (1 + random_below(7)), word = random_below(3);

	if (base == 0x180 && random_below(3)) /* most are to stay enabled */
		base = 0x100;
	access_word(cpu, base, word, some_bits(), 1);
}

static void priority(uint32_t cpu)
{
	uint32_t intid = random_below(96), offset = 0x400 + intid;
	enum walk_window window = intid < 32 ? WALK_REDIST : WALK_DIST;

	offset += intid < 32 ? SGI_PAGE : 0;
	walk_write(window, cpu, offset, 1, random_below(32) << 3);
	say(offset, walk_read(window, cpu, offset & ~3u, 4));
}

static void config(uint32_t cpu)
{
	uint32_t n = 1 + random_below(5);
	enum walk_window window = n < 2 ? WALK_REDIST : WALK_DIST;
	uint32_t offset = 0xc00 + 4 * n + (n < 2 ? SGI_PAGE : 0);

	walk_write(window, cpu, offset, 4, random_bits() & 0xaaaaaaaau);
	say(offset, walk_read(window, cpu, offset, 4) & 0xaaaaaaaau);
}

/* To one of the two, seldom to nobody. */
static void route(uint32_t cpu)
{
	uint32_t offset = 0x6000 + 8 * (32 + random_below(64));
	uint64_t affinity = random_below(8) ? random_below(WALK_CPUS) : 5;

	walk_write(WALK_DIST, cpu, offset, 8, affinity);
	say(offset, walk_read(WALK_DIST, cpu, offset, 8));
}

static void groups(uint32_t cpu)
{
	walk_write(WALK_DIST, cpu, 0, 4, random_below(6) ? 3 : random_below(4));
	say(0, walk_read(WALK_DIST, cpu, 0, 4) & 3);
}

/* ---- system registers ---- */

static void acknowledge(uint32_t cpu)
{
	struct active *a = &active[cpu];
	uint32_t group = random_below(2);
	uint64_t intid = walk_mrs(cpu, group ? WALK_IAR1 : WALK_IAR0);

	say(0x20000 + group, intid);
	if (intid >= NONE || a->n == MAX_ACTIVE)
		return;
	a->intid[a->n] = (uint16_t)intid;
	a->group[a->n++] = (uint8_t)group;
}

/* The last one; seldom one that is none. */
static void end(uint32_t cpu)
{
	struct active *a = &active[cpu];
	uint32_t intid = random_below(96), group = random_below(2);

	if (random_below(10) && a->n) {
		a->n--;
		intid = a->intid[a->n];
		group = a->group[a->n];
	}
	walk_msr(cpu, group ? WALK_EOIR1 : WALK_EOIR0, intid);
	if (random_below(3))
		walk_msr(cpu, WALK_DIR, intid);
	say(0x20002, walk_mrs(cpu, WALK_RPR));
}

/* Whether both have it in group 1. */
static int is_group_1(uint32_t sgi)
{
	uint64_t groups = ~0ull;

	for (uint32_t cpu = 0; cpu < WALK_CPUS; cpu++)
		groups &= walk_read(WALK_REDIST, cpu, SGI_PAGE + 0x80, 4);
	return (groups >> sgi & 1) != 0;
}

/* Whether ICC_SGI1R_EL1 sends what is in group 0, where there is one Security state, KVM answers
 * with yes and QEMU with no: it is not asked. */
static void send(uint32_t cpu)
{
	uint32_t sgi = random_below(16), how = random_below(4);
	uint64_t value = (uint64_t)sgi << 24;

	if (random_below(4) == 0)
		value |= 1ull << 40;
	else
		value |= random_below(1u << WALK_CPUS);
	if (how < 2 && is_group_1(sgi))
		walk_msr(cpu, WALK_SGI1R, value);
	else
		walk_msr(cpu, how == 3 ? WALK_ASGI1R : WALK_SGI0R, value);
}

static void setting(uint32_t cpu)
{
	switch (random_below(5)) {
	case 0:
		walk_msr(cpu, WALK_PMR, random_below(4) ? 0xff : random_below(256));
		break;
	case 1:
		walk_msr(cpu, WALK_BPR0, random_below(8));
		break;
	case 2:
		walk_msr(cpu, WALK_BPR1, random_below(8));
		break;
	case 3:
		walk_msr(cpu, WALK_CTLR, random_below(4));
		break;
	default:
		break;
	}
	say(0x20003, walk_mrs(cpu, WALK_PMR));
	say(0x20004, walk_mrs(cpu, WALK_BPR0));
	say(0x20005, walk_mrs(cpu, WALK_BPR1));
	say(0x20006, walk_mrs(cpu, WALK_CTLR) & 3);
}

/* ---- all of it ---- */

static void look(uint32_t cpu)
{
	say(0x20007, walk_mrs(cpu, WALK_HPPIR0));
	say(0x20008, walk_mrs(cpu, WALK_HPPIR1));
	say(0x20009, walk_mrs(cpu, WALK_RPR));
	say(0x2000a, walk_mrs(cpu, WALK_AP0R0));
	say(0x2000b, walk_mrs(cpu, WALK_AP1R0));
	for (uint32_t i = 0; i < WALK_CPUS; i++)
		say(0x20010 + i, walk_outputs(i));
}

static void step(void)
{
	uint32_t cpu = random_below(WALK_CPUS);

	switch (random_below(12)) {
	case 0:
	case 1:
	case 2:
		bitmap(cpu);
		break;
	case 3:
		priority(cpu);
		break;
	case 4:
		if (random_below(4) == 0)
			config(cpu);
		break;
	case 5:
		route(cpu);
		break;
	case 6:
		if (random_below(4) == 0)
			groups(cpu);
		break;
	case 7:
	case 8:
		acknowledge(cpu);
		break;
	case 9:
		end(cpu);
		break;
	case 10:
		send(cpu);
		break;
	default:
		setting(cpu);
		break;
	}
	look(cpu);
}

/* Back to where every walk begins, whatever the one before left. */
static void begin(void)
{
	walk_write(WALK_DIST, 0, 0, 4, 0);
	for (uint32_t cpu = 0; cpu < WALK_CPUS; cpu++) {
		active[cpu].n = 0;
		walk_write(WALK_REDIST, cpu, 0x14, 4, 0);
		for (uint32_t base = 0x180; base < 0x400; base += 0x100)
			for (uint32_t word = 0; word < 3; word++)
				access_word(cpu, base, word, ~0u, 1);
		for (uint32_t word = 0; word < 3; word++)
			access_word(cpu, 0x80, word, 0xfffffff0, 1);
		for (uint32_t i = 0; i < 96; i++)
			walk_write(i < 32 ? WALK_REDIST : WALK_DIST, cpu,
				0x400 + i + (i < 32 ? SGI_PAGE : 0), 1, 0xa0);
		for (uint32_t word = 0; word < 3; word++)
			access_word(cpu, 0x100, word, ~0u, 1);
		walk_msr(cpu, WALK_CTLR, 0);
		walk_msr(cpu, WALK_PMR, 0xf8);
		walk_msr(cpu, WALK_BPR0, 0);
		walk_msr(cpu, WALK_BPR1, 0);
		walk_msr(cpu, WALK_AP0R0, 0);
		walk_msr(cpu, WALK_AP1R0, 0);
		walk_msr(cpu, WALK_IGRPEN0, 1);
		walk_msr(cpu, WALK_IGRPEN1, 1);
	}
	for (uint32_t i = 32; i < 96; i++)
		walk_write(WALK_DIST, 0, 0x6000 + 8 * i, 8, 0);
	walk_write(WALK_DIST, 0, 0, 4, 3);
}

void walk(void)
{
	for (now_seed = 0; now_seed < WALK_SEEDS; now_seed++) {
		state = now_seed;
		now_step = 0;
		begin();
		for (now_step = 1; now_step <= WALK_STEPS; now_step++)
			step();
	}
}

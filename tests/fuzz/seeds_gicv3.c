/* SPDX-License-Identifier: Apache-2.0 */
/* What honest kernels and devices do with a GICv3, as fuzz_gicv3 reads it: operations by number. */
#include "tests/fuzz/seeds.h"

enum {
	DIST_WRITE,
	DIST_READ,
	REDIST_WRITE,
	REDIST_READ,
	MSR,
	MRS,
	LINE,
	PULSE,
	OWN_LINE,
	RESET,
	BRING_UP,
	ACKNOWLEDGE
};

static void op(struct seed *s, uint8_t number, uint8_t cpu)
{
	seed_le(s, number, 1);
	seed_le(s, cpu, 1);
}

static void access_to(
	struct seed *s, uint8_t number, uint8_t log2_size, uint32_t offset, uint64_t value)
{
	op(s, number, 0);
	seed_le(s, log2_size, 1);
	seed_le(s, offset, 4);
	if (number == DIST_WRITE || number == REDIST_WRITE)
		seed_le(s, value, 8);
}

static void msr(struct seed *s, uint8_t cpu, uint8_t which, uint64_t value)
{
	op(s, MSR, cpu);
	seed_le(s, value, 8);
	seed_le(s, which, 1);
}

static void line(struct seed *s, uint16_t number, uint8_t level)
{
	op(s, LINE, 0);
	seed_le(s, number, 2);
	seed_le(s, level, 1);
}

void seeds_gicv3(void)
{
	struct seed devices = { .n = 0 }, sgis = { .n = 0 };

	op(&devices, BRING_UP, 0);
	op(&devices, BRING_UP, 3);
	access_to(&devices, DIST_WRITE, 3, 0x6000 + 8 * 40, 3);
	access_to(&devices, DIST_WRITE, 2, 0xc08, 0xaaaaaaaa);
	access_to(&devices, DIST_WRITE, 0, 0x400 + 41, 0x80);
	line(&devices, 8, 1);
	op(&devices, PULSE, 0);
	seed_le(&devices, 1, 2);
	op(&devices, ACKNOWLEDGE, 3);
	line(&devices, 8, 0);
	op(&devices, ACKNOWLEDGE, 0);
	access_to(&devices, DIST_READ, 2, 0x200, 0);
	op(&devices, RESET, 0);
	seed_save("fuzz_gicv3", "devices", &devices);

	op(&sgis, BRING_UP, 0);
	op(&sgis, BRING_UP, 17);
	msr(&sgis, 0, 0x64, 2);                       /* EOImode */
	msr(&sgis, 0, 0x5d, 5u << 24 | 1u << 16 | 2); /* to vCPU 17 */
	msr(&sgis, 17, 0x5d, 1ull << 40);             /* to all others */
	op(&sgis, ACKNOWLEDGE, 17);
	op(&sgis, ACKNOWLEDGE, 0);
	msr(&sgis, 0, 0x59, 0);
	op(&sgis, OWN_LINE, 17);
	seed_le(&sgis, 0x010b, 2);
	access_to(&sgis, REDIST_READ, 3, 0x10200, 0);
	op(&sgis, ACKNOWLEDGE, 17);
	seed_save("fuzz_gicv3", "sgis", &sgis);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What honest drivers do, as the two virtio targets read it: their operations by number. */
#include "tests/fuzz/seeds.h"

/* {address 2, size 2, bytes}: one descriptor. */
static void descriptor(
	struct seed *s, uint16_t at, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	seed_le(s, at, 2);
	seed_le(s, 16, 2);
	seed_le(s, addr, 8);
	seed_le(s, len, 4);
	seed_le(s, flags, 2);
	seed_le(s, next, 2);
}

/* ---- fuzz_vring ---- */

static void ring_setup(struct seed *s, uint8_t flags, uint8_t stores)
{
	seed_le(s, flags, 1);
	seed_le(s, 3, 1);     /* eight entries */
	seed_le(s, 0, 2);     /* descriptors */
	seed_le(s, 0x100, 2); /* available ring */
	seed_le(s, 0x200, 2); /* used ring */
	seed_le(s, stores, 1);
}

static void operations(struct seed *s, const char *ops, size_t n)
{
	seed_put(s, ops, n);
}

static void vring_chain(const char *name, uint8_t flags)
{
	struct seed s = { .n = 0 };

	ring_setup(&s, flags, 3);
	descriptor(&s, 0, 0x1ff0, 0x20, 1, 1); /* across the two regions that adjoin */
	descriptor(&s, 16, 0x4000, 0x10, 1, 2);
	descriptor(&s, 32, 0x1000, 0x100, 2, 0);
	/* offer 0, pop, unpop, pop, push, notify, kicks on and off, kill, restart */
	operations(&s, "\7\0\0\2\0\1\0\3\4\5\7\0\0\10\1\0\11\0", 18);
	seed_save("fuzz_vring", name, &s);
}

static void vring_indirect(void)
{
	struct seed s = { .n = 0 };

	ring_setup(&s, 3, 3);
	descriptor(&s, 0, 0x800, 32, 4, 0);
	descriptor(&s, 0x800, 0x1000, 8, 1, 1);
	descriptor(&s, 0x810, 0x1100, 8, 2, 0);
	operations(&s, "\7\0\0\1\0\3\0", 7);
	seed_save("fuzz_vring", "indirect", &s);
}

/* ---- fuzz_virtio_mmio ---- */

static void bring_up(struct seed *s, uint8_t choice)
{
	seed_le(s, 7, 1);
	seed_le(s, choice, 1);
}

static void mmio_chain(struct seed *s)
{
	seed_le(s, 6, 1);
	descriptor(s, 0, 0x1ff0, 0x20, 1, 1);
	seed_le(s, 6, 1);
	descriptor(s, 16, 0x2100, 0x40, 2, 0);
	seed_put(s, "\10\300\0", 3); /* offer on queue 0 */
	seed_put(s, "\4\0", 2);      /* kick it */
}

static void mmio_serves(void)
{
	struct seed s = { .n = 0 };

	bring_up(&s, 3 | 3 << 2 | 3 << 4);
	mmio_chain(&s);
	seed_put(&s, "\1\30\1\34", 4); /* the interrupt's status, then the device's */
	seed_save("fuzz_virtio_mmio", "serves", &s);
}

static void mmio_reset_in_flight(const char *name, uint8_t pace)
{
	struct seed s = { .n = 0 };

	seed_put(&s, "\14\100", 2); /* keeps what it pops */
	bring_up(&s, 3);
	mmio_chain(&s);
	seed_le(&s, 13, 1);
	seed_le(&s, pace, 1);
	seed_put(&s, "\0\34\0\0\0\0", 6); /* status = 0 */
	seed_put(&s, "\5", 1);            /* what is deferred runs */
	seed_put(&s, "\14\100", 2);
	bring_up(&s, 3);
	mmio_chain(&s);
	seed_put(&s, "\11\11", 2); /* complete what is from before the reset, and after it */
	seed_put(&s, "\16", 1);    /* the machine is reset */
	seed_save("fuzz_virtio_mmio", name, &s);
}

/* The rings hold a chain already when the device comes up, and the driver gives up while the loop
 * is at its work, at each of the places where it lets go of the lock. */
static void mmio_reset_soon(char letter, uint8_t up_again)
{
	char name[] = "reset_soon_a0";

	for (uint8_t i = 1; i < 10; i++) {
		struct seed s = { .n = 0 };

		seed_put(&s, "\15\2", 2); /* too slow */
		bring_up(&s, 3);
		mmio_chain(&s);
		seed_le(&s, 16, 1);
		seed_le(&s, i | up_again, 1);
		seed_put(&s, "\5\5", 2); /* the loop is interrupted, then goes on */
		name[sizeof(name) - 3] = letter;
		name[sizeof(name) - 2] = (char)('0' + i);
		seed_save("fuzz_virtio_mmio", name, &s);
	}
}

static void mmio_configuration(void)
{
	struct seed s = { .n = 0 };

	bring_up(&s, 0);
	seed_put(&s, "\2\4\1\2\1\2\3\4\5\6\7\10", 12); /* the driver's */
	seed_put(&s, "\12\0\0\0\0\4\7\3\374\0\2", 11); /* the device's */
	seed_put(&s, "\13\17\1", 3);                   /* a fault; a window */
	seed_le(&s, 0xd0000000, 8);
	seed_le(&s, 0x1000, 8);
	seed_put(&s, "\0\53\1\0\0\0\1\54", 8);
	seed_save("fuzz_virtio_mmio", "configuration", &s);
}

void seeds_virtio(void)
{
	vring_chain("chain", 0);
	vring_chain("event_idx", 1);
	vring_indirect();
	mmio_serves();
	mmio_reset_in_flight("reset_at_once", 0);
	mmio_reset_in_flight("reset_in_wait", 1);
	mmio_reset_in_flight("reset_too_slow", 2);
	mmio_reset_soon('a', 0);
	mmio_reset_soon('b', 0x80);
	mmio_configuration();
}

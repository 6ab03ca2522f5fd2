/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel that does one thing and then switches the machine off; the first letter of its command
 * line says which.  When something is not as it should be it dies of a triple fault instead, after
 * a number on the debug port that says where.
 *
 *   o  nothing          t  dies            r, k  resets once by the power plugin, the keyboard
 *   g  random bytes, told by an interrupt  p     random bytes, polled for
 *   w  waits for the power button          f     rings the doorbell for ever
 *   m  accesses of all sizes, and to where nothing is
 *   d  random bytes till the device is dead, and what can be done with it then; d1 does not start
 *      it anew
 */
#include <stdint.h>

#define MARK_PORT   0x80
#define SERIAL_PORT 0x3f8
#define SLEEP_PORT  0x604
#define SLEEP_OFF   0x34
#define RESET_PORT  0x606
#define I8042_PORT  0x64
#define I8042_LINE  0xfe

#define SURVIVES 0x300000ul /* not part of the kernel: keeps its contents over a reset */
#define MAGIC    0x74656e6f6eul

#define VECTOR     0x30
#define RNG_GSI    10
#define BUTTON_GSI 11

#define CMD_LINE_PTR 0x228 /* in the zero page */

/* ---- the machine ---- */

static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

#define AT(type, address) (*(volatile type *)(uintptr_t)(address))

struct table {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static void set_idt(const void *base, uint16_t limit)
{
	const struct table table = { limit, (uintptr_t)base };

	__asm__ volatile("lidt %0" : : "m"(table));
}

static void die(uint8_t where)
{
	out8(MARK_PORT, where);
	set_idt((const void *)0, 0);
	__asm__ volatile("ud2");
}

static void check(int fine, uint8_t where)
{
	if (!fine)
		die(where);
}

static void power_off(void)
{
	out8(SLEEP_PORT, SLEEP_OFF);
	for (;;)
		__asm__ volatile("hlt");
}

/* ---- interrupts ---- */

#define LAPIC      0xfee00000ul
#define LAPIC_EOI  0xb0
#define LAPIC_SVR  0xf0
#define LAPIC_LINT 0x350
#define IOAPIC     0xfec00000ul

static uint64_t idt[2 * 256];
static volatile unsigned interrupts;

void interrupted(void);
void interrupt_entry(void);
void kernel_main(const uint8_t *zero_page);

void interrupted(void)
{
	interrupts++;
	AT(uint32_t, LAPIC + LAPIC_EOI) = 0;
}

static void ioapic(uint32_t index, uint32_t value)
{
	AT(uint32_t, IOAPIC) = index;
	AT(uint32_t, IOAPIC + 0x10) = value;
}

static void listen(uint32_t gsi)
{
	uint64_t entry = (uintptr_t)interrupt_entry;

	out8(0x21, 0xff); /* the old controllers are silent */
	out8(0xa1, 0xff);
	idt[2 * VECTOR] = (entry & 0xffff) | 0x10ull << 16 | 0x8eull << 40 | (entry >> 16) << 48;
	idt[2 * VECTOR + 1] = entry >> 32;
	set_idt(idt, sizeof(idt) - 1);
	AT(uint32_t, LAPIC + LAPIC_LINT) = 1u << 16;
	AT(uint32_t, LAPIC + LAPIC_SVR) = 0x1ff;
	ioapic(0x10 + 2 * gsi + 1, 0);
	ioapic(0x10 + 2 * gsi, VECTOR); /* edge, to processor 0 */
}

/* An interrupt that comes between the look and the halt ends the halt: sti covers one instruction.
 */
static void wait_for_interrupt(void)
{
	for (;;) {
		__asm__ volatile("cli");
		if (interrupts)
			return;
		__asm__ volatile("sti; hlt");
	}
}

/* ---- virtio-rng ---- */

#define RNG  0xd0000000ul
#define SIZE 8

#define R(offset) AT(uint32_t, RNG + (offset))

static struct {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
} desc[SIZE] __attribute__((aligned(16)));
static volatile struct {
	uint16_t flags, index, ring[SIZE], used_event;
} avail __attribute__((aligned(4)));
static volatile struct {
	uint16_t flags, index;
	struct {
		uint32_t id, length;
	} ring[SIZE];
	uint16_t avail_event;
} used __attribute__((aligned(4)));
static volatile uint8_t bytes[256];

static void address(uint32_t offset, const volatile void *at)
{
	R(offset) = (uint32_t)(uintptr_t)at;
	R(offset + 4) = 0;
}

static void rng_start(void)
{
	check(R(0x000) == 0x74726976, 1);
	check(R(0x004) == 2, 2);
	check(R(0x008) == 4, 3); /* entropy */
	R(0x070) = 0;
	R(0x070) = 3; /* acknowledged, driver */
	R(0x014) = 1;
	check(R(0x010) & 1, 4); /* VERSION_1 */
	R(0x024) = 1;
	R(0x020) = 1;
	R(0x024) = 0;
	R(0x020) = 0;
	R(0x070) = 0xb;
	check(R(0x070) == 0xb, 5);
	R(0x030) = 0;
	check(R(0x034) >= SIZE, 6);
	R(0x038) = SIZE;
	address(0x080, desc);
	address(0x090, &avail);
	address(0x0a0, &used);
	R(0x044) = 1;
	R(0x070) = 0xf;
	check(R(0x070) == 0xf, 7);
}

static void rng_ask(void)
{
	desc[0].address = (uintptr_t)bytes;
	desc[0].length = sizeof(bytes);
	desc[0].flags = 2; /* for the device to write */
	avail.ring[avail.index % SIZE] = 0;
	__asm__ volatile("mfence" : : : "memory");
	avail.index++;
	__asm__ volatile("mfence" : : : "memory");
	R(0x050) = 0;
}

static void rng_check(void)
{
	unsigned set = 0;

	check(used.index == avail.index, 8);
	check(used.ring[0].id == 0 && used.ring[0].length == sizeof(bytes), 9);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		set += bytes[i] != 0;
	check(set > sizeof(bytes) / 2, 10);
	R(0x064) = R(0x060);
	check(R(0x060) == 0, 11);
}

static void rng_by_interrupt(void)
{
	listen(RNG_GSI);
	rng_start();
	rng_ask();
	wait_for_interrupt();
	check(R(0x060) == 1, 12);
	rng_check();
}

static void rng_polled(void)
{
	rng_start();
	avail.flags = 1; /* no interrupts */
	rng_ask();
	while (used.index != avail.index)
		__asm__ volatile("pause");
	rng_check();
}

/* ---- the rest ---- */

static volatile uint64_t rewritten = MAGIC;

static void reset_once(uint16_t port, uint8_t value)
{
	check(rewritten == MAGIC, 20); /* the kernel is as on disk each time */
	if (AT(uint64_t, SURVIVES) == MAGIC) {
		check(R(0x070) == 0, 21); /* devices have forgotten their drivers */
		check(R(0x008) == 4, 22);
		return;
	}
	AT(uint64_t, SURVIVES) = MAGIC;
	rng_start();
	rewritten = 0;
	out8(port, value);
	for (;;)
		__asm__ volatile("hlt");
}

static void all_sizes(void)
{
	check(AT(uint8_t, RNG) == 0 && AT(uint16_t, RNG) == 0, 30);
	check(AT(uint64_t, RNG) == 0, 31);
	check(AT(uint32_t, RNG + 2) == 0, 32);
	AT(uint8_t, RNG + 0x70) = 3;
	AT(uint64_t, RNG + 0x70) = 3;
	check(R(0x070) == 0, 33);
	check(AT(uint8_t, 0xe0000000ul) == 0xff, 34);
	check(AT(uint64_t, 0xe0000000ul) == UINT64_MAX, 35);
	AT(uint64_t, 0xe0000000ul) = 1;
	check(AT(uint32_t, RNG - 2) == 0xffff,
		36); /* two halves: nothing, and a register cut short */
	check(in8(0x9000) == 0xff && in32(0x9000) == 0xffffffff, 37);
	out8(0x9000, 1);
	check(in8(SLEEP_PORT) == 0, 38);
}

static void ring_for_ever(void)
{
	rng_start();
	for (;;)
		R(0x050) = 0;
}

#define NEEDS_RESET 0x40

/* A driver that does not care what the status says. */
static void use_dead_device(void)
{
	for (unsigned i = 0; i < 200; i++)
		R(0x050) = 0;
	for (unsigned offset = 0; offset < 0x120; offset += 4)
		(void)R(offset);
	rng_ask();
	check(R(0x070) == (0xf | NEEDS_RESET), 40);
	R(0x064) = R(0x060);
	check(R(0x000) == 0x74726976 && R(0x008) == 4, 41);
}

static void dead_device(int anew)
{
	rng_start();
	avail.flags = 1;
	while (!(R(0x070) & NEEDS_RESET)) {
		rng_ask();
		while (used.index != avail.index && !(R(0x070) & NEEDS_RESET))
			__asm__ volatile("pause");
	}
	use_dead_device();
	if (!anew)
		return;
	R(0x070) = 0;
	check(R(0x070) == 0, 42);
	avail.index = used.index = 0;
	rng_ask();    /* it is nobody's now */
	R(0x070) = 3; /* and once more from the beginning */
	R(0x024) = 1;
	R(0x020) = 1;
	R(0x070) = 0xb;
	R(0x038) = SIZE;
	address(0x080, desc);
	address(0x090, &avail);
	address(0x0a0, &used);
	R(0x044) = 1;
	R(0x070) = 0xf;
	while (!(R(0x070) & NEEDS_RESET))
		__asm__ volatile("pause");
	use_dead_device();
	check(used.index == 0, 43);
}

void kernel_main(const uint8_t *zero_page)
{
	const char *what = (const char *)(uintptr_t)AT(uint32_t, zero_page + CMD_LINE_PTR);

	if (*what == 'w')
		listen(BUTTON_GSI);
	out8(MARK_PORT, (uint8_t)*what);
	out8(SERIAL_PORT, (uint8_t)*what); /* whoever waits for it knows that the guest runs */
	if (*what == 't')
		die('t');
	if (*what == 'r')
		reset_once(RESET_PORT, 1);
	if (*what == 'k')
		reset_once(I8042_PORT, I8042_LINE);
	if (*what == 'g')
		rng_by_interrupt();
	if (*what == 'p')
		rng_polled();
	if (*what == 'm')
		all_sizes();
	if (*what == 'd')
		dead_device(what[1] != '1');
	if (*what == 'f')
		ring_for_ever();
	if (*what == 'w')
		wait_for_interrupt();
	power_off();
}

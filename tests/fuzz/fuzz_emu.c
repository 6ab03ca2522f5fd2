/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The emulator runs anything: any instructions, registers and CSRs, any page tables, a core that
 * answers devices' registers and calls with anything, interrupts and fences at any time.  Memory
 * has nothing around it, and the read-only part cannot be written by this program either, so that
 * whoever leaves the guest's memory dies.  The emulator's code is part of the program; its clock
 * counts instructions, and a run ends after a number of them.
 *
 * An input is a head, entries of page tables, what the core answers, and code.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "backends/emu/emu.h"
#include "tests/fuzz/input.h"

#define RAM     0x80000000ull
#define PAGES   16u
#define SIZE    (PAGES * EMU_PAGE)
#define AROUND  ((size_t)65536) /* that cannot be touched */
#define ROM     0x40000000ull
#define TABLES  5u /* pages 1 to 5 hold tables; the first is the root */
#define CODE    6u /* and code is from this page on */
#define STEPS   32u
#define STEP    300u /* instructions, to the end of the block that goes beyond */
#define MOST    (STEPS * (STEP + 2 * EMU_BLOCK_OPS))
#define REPLIES 64u

static struct world {
	struct backend_vm *vm;
	struct backend_vcpu *hart;
	uint8_t *ram, *rom;
	struct input replies;
	uint32_t steps;
	uint64_t random;
} w;

static void must(bool holds)
{
	if (!holds)
		abort();
}

static uint64_t random_next(void)
{
	uint64_t z = (w.random += 0x9e3779b97f4a7c15u);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* ---- the world around the hart ---- */

/* The linker's names.  NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl*) */
uint64_t __wrap_emu_next_limit(struct backend_vcpu *h);
void __wrap_emu_sleep_in_turns(struct backend_vcpu *h);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl*) */

/* Something happens between two steps, until there are no more. */
uint64_t __wrap_emu_next_limit(struct backend_vcpu *h)
{
	uint8_t what = input_u8(&w.replies);

	if (++w.steps > STEPS)
		emu_vcpu_kick(h);
	if (what & 1)
		(void)emu_vcpu_interrupt(
			h, what & 2 ? RISCV_LINE_EXTERNAL : RISCV_LINE_SOFTWARE, what & 4);
	if (what & 8) { /* as when another hart asks and does not find it inside */
		atomic_store(&h->inside, false);
		(void)emu_vcpu_fence(h, what >> 4);
		atomic_store(&h->inside, true);
	}
	return h->icount + STEP;
}

/* Nobody would wake it. */
void __wrap_emu_sleep_in_turns(struct backend_vcpu *h)
{
	(void)emu_vcpu_interrupt(h, RISCV_LINE_SOFTWARE, true);
	w.steps++;
}

static uint8_t *map(uint64_t gpa, size_t size, uint32_t flags)
{
	struct backend_error err = { "" };
	uint8_t *at = mmap(NULL, size + 2 * AROUND, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(at != MAP_FAILED);
	at += AROUND;
	must(mprotect(at, size, PROT_READ | PROT_WRITE) == 0);
	if (flags & BACKEND_MAP_READONLY) {
		memset(at, 0x13, size);
		must(mprotect(at, size, PROT_READ) == 0);
	}
	must(emu_mem_map(w.vm, gpa, size, at, flags, &err) == 0);
	return at;
}

static void unmap(uint8_t *at, size_t size)
{
	(void)munmap(at - AROUND, size + 2 * AROUND);
}

static void create(void)
{
	struct backend_vm_config config = {
		.struct_size = sizeof(config), .isa = ISA_RISCV64, .vcpus = 1, .deterministic = true
	};
	struct backend_error err = { "" };

	must(emu_vm_create(&config, &w.vm, &err) == 0);
	must(emu_vcpu_create(w.vm, 0, &w.hart, &err) == 0);
	w.ram = map(RAM, SIZE, 0);
	w.rom = map(ROM, EMU_PAGE, BACKEND_MAP_READONLY);
}

static void destroy(void)
{
	emu_vcpu_destroy(w.hart);
	emu_vm_destroy(w.vm);
	unmap(w.ram, SIZE);
	unmap(w.rom, EMU_PAGE);
}

/* ---- from the input ---- */

/* Where it gets interesting: memory and its ends, devices, where nothing is. */
static uint64_t number(void)
{
	uint64_t r = random_next(), near = (r >> 8 & 63) - 32;

	switch (r & 7) {
	case 0:
	case 1:
		return RAM + (r >> 16) % SIZE;
	case 2:
		return RAM + ((r >> 16) % (PAGES + 1)) * EMU_PAGE + near;
	case 3:
		return ROM + (r >> 16 & 1) * EMU_PAGE + near;
	case 4:
		return near;
	case 5:
		return (1ull << (r >> 16 & 63)) + near;
	case 6: /* by page tables */
		return ((r >> 16 & 1023) << 30) + ((r >> 32 & 3) << 21) + ((r >> 40 & 3) << 12) +
		       near;
	default:
		return random_next();
	}
}

static void put(uint64_t offset, uint64_t v)
{
	memcpy(w.ram + offset, &v, sizeof(v));
}

/* Entries, most of them to pages that there are, or any. */
static void fill_tables(struct input *in)
{
	uint8_t n = input_u8(in) & 63;

	while (n--) {
		uint16_t where = input_u16(in);
		uint64_t page = EMU_PAGE * (1 + (where >> 12) % TABLES), flags = input_u16(in);
		uint64_t slot = where & 511;

		if (flags >> 8 & 1)
			slot = slot & 1 ? 2 : slot & 3; /* where RAM itself is, or low addresses */
		if (flags >> 9 & 1)
			put(page + slot * 8, input_u64(in));
		else
			put(page + slot * 8,
				(RAM / EMU_PAGE + (flags >> 10) % PAGES) << 10 | (flags & 0xff));
	}
}

static void set_csr(uint32_t number_of, uint64_t value)
{
	(void)emu_csr_write(w.hart, number_of, value);
}

static void set_state(struct input *in)
{
	static const uint8_t modes[] = { 0, 8, 9, 8 };
	struct backend_vcpu *h = w.hart;
	uint8_t head = input_u8(in);

	w.random = input_u32(in);
	for (int i = 1; i < 32; i++) {
		h->x[i] = number();
		h->f[i] = random_next();
	}
	set_csr(0x100, (uint64_t)(head & 3) << 18 | 1ull << 13 | random_next() % 512);
	set_csr(0x003, random_next() & 255);
	set_csr(0x104, random_next());
	set_csr(0x105, head & 4 ? RAM + CODE * EMU_PAGE : number());
	set_csr(0x106, random_next());
	set_csr(0x10a, random_next());
	set_csr(0x141, number());
	set_csr(0x14d, random_next() & 0xfff);
	h->pc = RAM + CODE * EMU_PAGE + (head & 8 ? EMU_PAGE - 2 : 0);
	h->mode = head & 16 ? EMU_USER : EMU_SUPERVISOR;
	set_csr(0x180, (uint64_t)modes[head >> 5 & 3] << 60 | (RAM / EMU_PAGE + 1));
	emu_context_update(h);
}

static void fill_code(struct input *in)
{
	size_t n, room = SIZE - CODE * EMU_PAGE;
	const uint8_t *code = input_bytes(in, room, &n);

	memcpy(w.ram + CODE * EMU_PAGE, code, n);
	/* A page that begins within an instruction. */
	if (n >= 4)
		memcpy(w.ram + (CODE + 1) * EMU_PAGE - 2, code, n < 4096 ? n : 4096);
}

/* ---- running ---- */

static void check_access(const struct vcpu_exit *e)
{
	uint64_t at = e->bus.address;
	uint32_t size = e->bus.size;

	must(size == 1 || size == 2 || size == 4 || size == 8);
	must(at % size == 0 && at >> EMU_PHYS_BITS == 0);
	must(at < RAM || at >= RAM + SIZE);
	must(e->bus.write || at < ROM || at >= ROM + EMU_PAGE);
	must(!e->bus.write || size == 8 || e->bus.value >> 8 * size == 0);
}

static void answer(struct vcpu_exit *e)
{
	switch (e->kind) {
	case VCPU_MMIO:
		check_access(e);
		if (!e->bus.write)
			e->bus.value = input_u64(&w.replies);
		break;
	case VCPU_CALL:
		e->call.ret[0] = input_u8(&w.replies) ? number() : 0;
		e->call.ret[1] = number();
		if (e->call.function == (0x48534dull << 32))
			e->call.ret[0] = 1; /* there is no hart to be started */
		break;
	default:
		must(e->kind == VCPU_INTERRUPTED);
		break;
	}
}

static void check_hart(const struct backend_vcpu *h)
{
	must(h->x[0] == 0);
	must(h->mode == EMU_USER || h->mode == EMU_SUPERVISOR);
	must(!(h->pc & 1));
	must(h->icount <= MOST + EMU_MAX_HARTS);
	must(!(h->stvec & 2) && !(h->sie & ~EMU_IRQS));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct vcpu_exit exit = { .kind = VCPU_INTERRUPTED };

	create();
	set_state(&in);
	fill_tables(&in);
	w.replies.at = input_bytes(&in, REPLIES, &w.replies.left);
	fill_code(&in);
	w.steps = 0;
	do {
		must(emu_vcpu_run(w.hart, &exit) == 0);
		answer(&exit);
		check_hart(w.hart);
	} while (w.steps <= STEPS);
	destroy();
	return 0;
}

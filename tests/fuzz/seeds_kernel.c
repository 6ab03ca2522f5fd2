/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels for fuzz_kernel: a bzImage, ELF with and without the PVH note, a bundle's, firmware. */
#include "tests/fuzz/seeds.h"

#include <string.h>

#define SETUP_SIZE (5 * 512)
#define NOTE_BYTES 20

/* What fuzz_kernel.c reads first. */
static void choose(struct seed *s, uint8_t kind, uint8_t boot, uint8_t sizes, uint16_t initrd)
{
	seed_le(s, kind | (uint64_t)boot << 2, 1);
	seed_le(s, sizes, 1);
	seed_le(s, initrd, 2);
}

static void at(struct seed *s, size_t base, size_t offset, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		s->at[base + offset + i] = (uint8_t)(value >> (8 * i));
}

static void bzimage(const char *name, uint16_t xloadflags, uint16_t initrd, uint8_t sizes)
{
	static const uint8_t zeroes[SETUP_SIZE + 1024];
	struct seed s = { .n = 0 };
	size_t base;

	choose(&s, 0, 0, sizes, initrd);
	base = s.n;
	seed_put(&s, zeroes, sizeof(zeroes));
	at(&s, base, 0x1f1, 4, 1);
	at(&s, base, 0x1fe, 0xaa55, 2);
	at(&s, base, 0x200, 0x66eb, 2);
	at(&s, base, 0x202, 0x53726448, 4);
	at(&s, base, 0x206, 0x020f, 2);
	at(&s, base, 0x211, 1, 1);
	at(&s, base, 0x22c, 0x7fffffff, 4);
	at(&s, base, 0x230, 0x200000, 4);
	at(&s, base, 0x234, 1, 1);
	at(&s, base, 0x236, xloadflags, 2);
	at(&s, base, 0x238, 2047, 4);
	at(&s, base, 0x248, 0x100, 4);
	at(&s, base, 0x24c, 0x80, 4);
	at(&s, base, 0x258, 0x100000, 8);
	at(&s, base, 0x260, 0x10000, 4);
	seed_save("fuzz_kernel", name, &s);
}

struct phdr {
	uint32_t type;
	uint64_t offset, vaddr, paddr, filesz, memsz;
};

static void put_phdr(struct seed *s, const struct phdr *p)
{
	seed_le(s, p->type, 4);
	seed_le(s, 7, 4);
	seed_le(s, p->offset, 8);
	seed_le(s, p->vaddr, 8);
	seed_le(s, p->paddr, 8);
	seed_le(s, p->filesz, 8);
	seed_le(s, p->memsz, 8);
	seed_le(s, 4096, 8);
}

/* The file ends with its notes, of which @note_bytes are said to be there and are. */
static void elf(const char *name, uint8_t boot, uint64_t entry, uint64_t note_bytes)
{
	static const uint8_t code[64] = { 0xf4 };
	const uint64_t text = 64 + 3 * 56, notes = text + sizeof(code);
	const struct phdr headers[] = {
		{ 1, text, 0xffffffff80100000u, 0x100000, 64, 0x2000 },
		{ 1, text, 0xffffffff80110000u, 0x110000, 64, 64 },
		{ 4, notes, 0, 0, note_bytes, note_bytes },
	};
	struct seed s = { .n = 0 };

	choose(&s, 0, boot, 4, 0x123);
	seed_put(&s, "\177ELF\2\1\1", 7);
	seed_le(&s, 0, 8);
	seed_le(&s, 0, 1);
	seed_le(&s, 2, 2);  /* a program */
	seed_le(&s, 62, 2); /* for x86-64 */
	seed_le(&s, 1, 4);
	seed_le(&s, entry, 8);
	seed_le(&s, 64, 8);
	seed_le(&s, 0, 8);
	seed_le(&s, 0, 4);
	seed_le(&s, 64, 2);
	seed_le(&s, 56, 2);
	seed_le(&s, 3, 2);
	seed_le(&s, 0, 6);
	for (size_t i = 0; i < 3; i++)
		put_phdr(&s, &headers[i]);
	seed_put(&s, code, sizeof(code));
	seed_le(&s, 4, 4);
	seed_le(&s, 4, 4);
	seed_le(&s, 18, 4);
	seed_put(&s, "Xen", 4);
	seed_le(&s, 0x100010, 4);
	s.n -= NOTE_BYTES - note_bytes;
	seed_save("fuzz_kernel", name, &s);
}

static void bundle(void)
{
	struct seed s = { .n = 0 };

	choose(&s, 2, 0, 4, 0x1000);
	seed_le(&s, 0x100000, 8);
	seed_le(&s, 0x100004, 8);
	seed_put(&s, "kernel of a bundle", 18);
	seed_save("fuzz_kernel", "bundle", &s);
}

static void firmware(void)
{
	struct seed s = { .n = 0 };

	choose(&s, 3, 0, 0, 0);
	seed_put(&s, "reset vector", 12);
	seed_save("fuzz_kernel", "firmware", &s);
}

void seeds_kernel(void)
{
	bzimage("bzimage", 1, 0x1000, 4);
	bzimage("bzimage_above_4g", 3, 0x1000, 8 | 4);
	bzimage("bzimage_small_memory", 3, 0, 0xf0);
	elf("elf_auto", 0, 0x100000, NOTE_BYTES);
	elf("elf_linux64", 1, 0xffffffff80100000u, NOTE_BYTES);
	elf("elf_pvh", 2, 0x100000, NOTE_BYTES);
	elf("elf_note_cut", 2, 0x100000, NOTE_BYTES - 4);
	bundle();
	firmware();
}

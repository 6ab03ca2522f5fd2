/* SPDX-License-Identifier: Apache-2.0 */
/* Loading vmlinux.  Everything in the file is checked before it is used. */
#include "arch/x86_64/elf.h"

#include <errno.h>
#include <string.h>

#include "arch/bytes.h"
#include "core/error.h"
#include "core/guest_memory.h"
#include "core/payload.h"

/* Offsets in the file header and program headers of ELF64. */
#define EH_CLASS     4
#define EH_DATA      5
#define EH_TYPE      16
#define EH_MACHINE   18
#define EH_ENTRY     24
#define EH_PHOFF     32
#define EH_PHENTSIZE 54
#define EH_PHNUM     56
#define EH_SIZE      64

#define PH_TYPE   0
#define PH_OFFSET 8
#define PH_VADDR  16
#define PH_PADDR  24
#define PH_FILESZ 32
#define PH_MEMSZ  40
#define PH_SIZE   56

#define CLASS_64       2
#define DATA_LE        1
#define TYPE_EXEC      2
#define TYPE_DYN       3
#define MACHINE_X86_64 62
#define PT_LOAD_       1
#define PT_NOTE_       4

/* Kernels have about five; a limit bounds the work that a made-up file can ask for. */
#define MAX_HEADERS 64u

#define NOTE_PVH_ENTRY 18 /* XEN_ELFNOTE_PHYS32_ENTRY */

struct segment {
	uint32_t type;
	uint64_t offset, vaddr, paddr, filesz, memsz;
};

static int refuse(const struct blob *image, struct error *err, const char *why)
{
	return error_set(err, EXIT_USAGE, -ENOEXEC, "%s: %s", image->path, why);
}

bool elf_is(const struct blob *image)
{
	return image->size >= 4 && memcmp(image->bytes, "\177ELF", 4) == 0;
}

static int check_header(const struct blob *image, struct error *err)
{
	const uint8_t *h = image->bytes;
	uint64_t table;

	if (image->size < EH_SIZE)
		return refuse(image, err, "the ELF header is cut short");
	if (h[EH_CLASS] != CLASS_64 || h[EH_DATA] != DATA_LE)
		return refuse(image, err, "a 64-bit little-endian ELF kernel is wanted");
	if (get_le16(h + EH_MACHINE) != MACHINE_X86_64)
		return error_set(err, EXIT_USAGE, -ENOEXEC,
			"%s: an ELF file for machine %u, one for x86-64 (62) is wanted",
			image->path, get_le16(h + EH_MACHINE));
	if (get_le16(h + EH_TYPE) != TYPE_EXEC && get_le16(h + EH_TYPE) != TYPE_DYN)
		return refuse(image, err, "an ELF file that is not a program");
	if (get_le16(h + EH_PHNUM) > MAX_HEADERS)
		return error_set(err, EXIT_USAGE, -ENOEXEC,
			"%s: an ELF file of %u program headers, at most %u are wanted", image->path,
			get_le16(h + EH_PHNUM), MAX_HEADERS);
	table = (uint64_t)get_le16(h + EH_PHNUM) * PH_SIZE;
	if (get_le16(h + EH_PHENTSIZE) != PH_SIZE || table == 0 || table > image->size ||
		get_le64(h + EH_PHOFF) > image->size - table)
		return refuse(image, err, "the ELF program headers lie outside of the file");
	return 0;
}

static struct segment segment(const struct blob *image, unsigned i)
{
	const uint8_t *p = image->bytes + get_le64(image->bytes + EH_PHOFF) + (size_t)i * PH_SIZE;

	return (struct segment){
		.type = get_le32(p + PH_TYPE),
		.offset = get_le64(p + PH_OFFSET),
		.vaddr = get_le64(p + PH_VADDR),
		.paddr = get_le64(p + PH_PADDR),
		.filesz = get_le64(p + PH_FILESZ),
		.memsz = get_le64(p + PH_MEMSZ),
	};
}

static bool in_file(const struct blob *image, const struct segment *s)
{
	return s->filesz <= image->size && s->offset <= image->size - s->filesz;
}

static int place(struct guest_memory *gm, const struct blob *image, const struct segment *s,
	struct error *err)
{
	uint8_t *to;
	int ret;

	if (!in_file(image, s) || s->filesz > s->memsz)
		return refuse(image, err, "an ELF segment lies outside of the file");
	ret = guest_memory_claim(gm, s->paddr, s->memsz, "the kernel", err);
	if (ret < 0) {
		error_prefix(err, "%s", image->path);
		return ret;
	}
	to = guest_memory_ptr(gm, s->paddr, s->memsz);
	memcpy(to, image->bytes + s->offset, s->filesz);
	memset(to + s->filesz, 0, s->memsz - s->filesz);
	return 0;
}

/* ---- the PVH note ---- */

static bool search_notes(const uint8_t *notes, uint64_t size, uint64_t *ret_entry)
{
	uint64_t at = 0;

	while (size - at >= 12) {
		uint64_t name = get_le32(notes + at), desc = get_le32(notes + at + 4);
		uint64_t name_at = at + 12, desc_at = name_at + ((name + 3) & ~3ull);
		uint64_t next = desc_at + ((desc + 3) & ~3ull);

		if (desc_at > size || desc > size - desc_at)
			return false;
		if (name == 4 && memcmp(notes + name_at, "Xen", 4) == 0 &&
			get_le32(notes + at + 8) == NOTE_PVH_ENTRY && (desc == 4 || desc == 8)) {
			*ret_entry = get_le32(notes + desc_at);
			return true;
		}
		if (next > size)
			return false;
		at = next;
	}
	return false;
}

static bool find_pvh(const struct blob *image, uint64_t *ret_entry)
{
	unsigned n = get_le16(image->bytes + EH_PHNUM);

	for (unsigned i = 0; i < n; i++) {
		struct segment s = segment(image, i);

		if (s.type == PT_NOTE_ && in_file(image, &s) &&
			search_notes(image->bytes + s.offset, s.filesz, ret_entry))
			return true;
	}
	return false;
}

/* ---- all of it ---- */

/* The entry is a virtual address in most kernels: the segment that holds it tells the physical one.
 */
static uint64_t physical_entry(const struct blob *image)
{
	uint64_t entry = get_le64(image->bytes + EH_ENTRY);
	unsigned n = get_le16(image->bytes + EH_PHNUM);

	for (unsigned i = 0; i < n; i++) {
		struct segment s = segment(image, i);

		if (s.type != PT_LOAD_)
			continue;
		if (entry >= s.paddr && entry - s.paddr < s.memsz)
			return entry;
		if (entry >= s.vaddr && entry - s.vaddr < s.memsz)
			return s.paddr + (entry - s.vaddr);
	}
	return entry;
}

static int choose_entry(
	const struct blob *image, const char *boot, struct loaded *loaded, struct error *err)
{
	bool has_pvh = find_pvh(image, &loaded->entry);

	if (strcmp(boot, "pvh") == 0 && !has_pvh)
		return refuse(image, err,
			"`boot = \"pvh\"` is wanted, but the kernel has no PVH note (CONFIG_PVH)");
	if (has_pvh && strcmp(boot, "linux64") != 0) {
		loaded->protocol = BOOT_PVH;
		return 0;
	}
	loaded->protocol = BOOT_LINUX64;
	loaded->entry = physical_entry(image);
	return 0;
}

int elf_load(struct guest_memory *gm, const struct blob *image, const char *boot,
	struct loaded *loaded, struct error *err)
{
	uint64_t low = UINT64_MAX, high = 0;
	int ret = check_header(image, err);
	unsigned n;

	if (ret < 0)
		return ret;
	n = get_le16(image->bytes + EH_PHNUM);
	for (unsigned i = 0; i < n; i++) {
		struct segment s = segment(image, i);

		if (s.type != PT_LOAD_ || s.memsz == 0)
			continue;
		ret = place(gm, image, &s, err);
		if (ret < 0)
			return ret;
		low = s.paddr < low ? s.paddr : low;
		high = s.paddr + s.memsz > high ? s.paddr + s.memsz : high;
	}
	if (high == 0)
		return refuse(image, err, "the ELF file has nothing to load");
	loaded->kernel_gpa = low;
	loaded->kernel_size = high - low;
	ret = choose_entry(image, boot, loaded, err);
	if (ret < 0)
		return ret;
	if (loaded->entry < low || loaded->entry >= high)
		return error_set(err, EXIT_USAGE, -ENOEXEC,
			"%s: the entry 0x%llx lies outside of what is loaded (0x%llx-0x%llx)",
			image->path, (unsigned long long)loaded->entry, (unsigned long long)low,
			(unsigned long long)high - 1);
	return 0;
}

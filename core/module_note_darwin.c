/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The note of a Mach-O module: section "__note" of segment "__TENON".  The layout is that of
 * <mach-o/loader.h>, written down here so that it can be read on any host.  Files for several
 * machines at once are not looked into.
 */
#include "core/module_note.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <tenon/plugin.h>

#define MAGIC_64     0xfeedfacfu
#define CPU_ARM64    0x0100000cu
#define CPU_X86_64   0x01000007u
#define TYPE_DYLIB   6u
#define TYPE_BUNDLE  8u
#define SEGMENT_64   0x19u
#define MAX_COMMANDS 256u
#define MAX_SECTIONS 256u
#define SEGMENT_NAME "__TENON"
#define SECTION_NAME "__note"

struct header {
	uint32_t magic, cpu, cpu_subtype, type, n_commands, commands_size, flags, reserved;
};

struct segment {
	uint32_t command, command_size;
	char name[16];
	uint64_t address, size, file_offset, file_size;
	uint32_t max_protection, protection, n_sections, flags;
};

struct section {
	char name[16], segment[16];
	uint64_t address, size;
	uint32_t offset, align, relocations, n_relocations, flags, reserved[3];
};

_Static_assert(sizeof(struct header) == 32, "mach_header_64");
_Static_assert(sizeof(struct segment) == 72, "segment_command_64");
_Static_assert(sizeof(struct section) == 80, "section_64");

#if defined(__x86_64__) && defined(__APPLE__)
#define HOST_CPU CPU_X86_64
#else
#define HOST_CPU CPU_ARM64
#endif

/* Names fill their field or end in it. */
static bool is_named(const char field[16], const char *name)
{
	return strncmp(field, name, 16) == 0;
}

static bool read_note(int fd, const struct section *s, struct tenon_note *ret_note)
{
	return s->size >= sizeof(*ret_note) &&
	       module_read_at(fd, ret_note, sizeof(*ret_note), s->offset) &&
	       ret_note->type == TENON_NOTE_PLUGIN && memcmp(ret_note->name, "tenon", 6) == 0;
}

/* The sections that follow @segment, which is at @at. */
static bool search(int fd, const struct segment *segment, uint64_t at, struct tenon_note *ret_note)
{
	struct section s;

	if (segment->n_sections > MAX_SECTIONS ||
		segment->n_sections > (segment->command_size - sizeof(*segment)) / sizeof(s))
		return false;
	at += sizeof(*segment);
	for (uint32_t i = 0; i < segment->n_sections; i++, at += sizeof(s)) {
		if (!module_read_at(fd, &s, sizeof(s), at))
			return false;
		if (is_named(s.segment, SEGMENT_NAME) && is_named(s.name, SECTION_NAME))
			return read_note(fd, &s, ret_note);
	}
	return false;
}

static int check_header(int fd, struct header *head)
{
	if (!module_read_at(fd, head, sizeof(*head), 0) || head->magic != MAGIC_64 ||
		(head->type != TYPE_BUNDLE && head->type != TYPE_DYLIB) ||
		head->n_commands > MAX_COMMANDS)
		return -ENOENT;
	return head->cpu == HOST_CPU ? 0 : -ESRCH;
}

int module_find_note(int fd, struct tenon_note *ret_note)
{
	struct header head;
	struct stat st;
	uint64_t at = sizeof(head), end;
	bool found = false;
	int ret = check_header(fd, &head);

	if (ret < 0)
		return ret;
	if (fstat(fd, &st) < 0)
		return -ENOENT;
	for (uint32_t i = 0; i < head.n_commands; i++) {
		struct segment s = { 0 };

		if (!module_read_at(fd, &s, 2 * sizeof(uint32_t), at) || s.command_size < 8)
			return -ENOENT;
		if (s.command == SEGMENT_64) {
			if (s.command_size < sizeof(s) || !module_read_at(fd, &s, sizeof(s), at))
				return -ENOENT;
			if (__builtin_add_overflow(s.file_offset, s.file_size, &end) ||
				end > (uint64_t)st.st_size)
				return -ENODATA;
			found = found || search(fd, &s, at, ret_note);
		}
		at += s.command_size;
	}
	return found ? 0 : -ENOENT;
}

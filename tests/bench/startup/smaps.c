/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/smaps, summed up by name.  A mapping without a name that begins where one of a file
 * ended is that module's .bss, and counted with it.
 */
#include "smaps.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct reader {
	struct smaps *smaps;
	const char *guest;
	struct smaps_entry *entry; /* of the mapping that is read; NULL: guest memory */
	unsigned long end;         /* where it ends */
};

static struct smaps_entry *entry_of(struct smaps *s, const char *name)
{
	struct smaps_entry *e;

	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->entries[i].name, name) == 0)
			return &s->entries[i];
	if (s->n == SMAPS_MAX)
		return &s->entries[SMAPS_MAX - 1];
	e = &s->entries[s->n++];
	(void)snprintf(e->name, sizeof(e->name), "%s", name);
	return e;
}

/* "START-END PERMS OFFSET DEVICE INODE NAME"; false when the line is another. */
static bool begin_mapping(struct reader *r, const char *line)
{
	unsigned long start, end;
	char wanted[64];
	int at = 0;

	/* The kernel wrote it: the numbers fit.  NOLINTNEXTLINE(cert-err34-c) */
	if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %n", &start, &end, &at) < 2 || at == 0)
		return false;
	(void)snprintf(wanted, sizeof(wanted), "/memfd:%s", r->guest);
	if (strncmp(line + at, wanted, strlen(wanted)) == 0)
		r->entry = NULL;
	else if (line[at] || start != r->end || !r->entry || r->entry->name[0] != '/')
		r->entry = entry_of(r->smaps, line + at);
	r->end = end;
	return true;
}

static void take_number(struct reader *r, const char *line)
{
	char key[32];
	unsigned long kib;

	/* NOLINTNEXTLINE(cert-err34-c): as above */
	if (sscanf(line, "%31[^:]: %lu kB", key, &kib) != 2)
		return;
	if (!r->entry) {
		if (strcmp(key, "Rss") == 0)
			r->smaps->guest_kib += kib;
		return;
	}
	if (strcmp(key, "Rss") == 0) {
		r->entry->rss_kib += kib;
		r->smaps->rss_kib += kib;
	} else if (strcmp(key, "Pss") == 0) {
		r->entry->pss_kib += kib;
		r->smaps->pss_kib += kib;
	} else if (strcmp(key, "Private_Dirty") == 0) {
		r->entry->dirty_kib += kib;
		r->smaps->dirty_kib += kib;
	}
}

/* Relative and symbolic ones; a file that is no ELF has none. */
static unsigned long count_rela(const unsigned char *file, size_t size)
{
	Elf64_Ehdr head;
	unsigned long n = 0;

	if (size < sizeof(head))
		return 0;
	memcpy(&head, file, sizeof(head));
	if (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64 ||
		head.e_shentsize != sizeof(Elf64_Shdr))
		return 0;
	for (unsigned i = 0; i < head.e_shnum; i++) {
		unsigned long at = head.e_shoff + i * sizeof(Elf64_Shdr);
		Elf64_Shdr section;

		if (at > size || size - at < sizeof(section))
			break;
		memcpy(&section, file + at, sizeof(section));
		if (section.sh_type == SHT_RELA && (section.sh_flags & SHF_ALLOC))
			n += section.sh_size / sizeof(Elf64_Rela);
	}
	return n;
}

static unsigned long relocations(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned long n = 0;
	struct stat st;
	void *file;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && st.st_size > 0) {
		file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (file != MAP_FAILED) {
			n = count_rela(file, (size_t)st.st_size);
			(void)munmap(file, (size_t)st.st_size);
		}
	}
	(void)close(fd);
	return n;
}

int smaps_read(pid_t pid, const char *guest, struct smaps *ret_smaps)
{
	struct reader r = { .smaps = ret_smaps, .guest = guest };
	char path[64], line[512];
	FILE *file;

	memset(ret_smaps, 0, sizeof(*ret_smaps));
	(void)snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!begin_mapping(&r, line))
			take_number(&r, line);
	}
	(void)fclose(file);
	for (size_t i = 0; i < ret_smaps->n; i++)
		if (ret_smaps->entries[i].name[0] == '/')
			ret_smaps->entries[i].relocations = relocations(ret_smaps->entries[i].name);
	return ret_smaps->n ? 0 : -EIO;
}

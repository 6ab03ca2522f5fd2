/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/check/elf.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE (256u << 20)

/* Names that a sanitizer or a coverage run brings along. */
static const char *const instrumented[] = { "__asan_", "__ubsan_", "__tsan_", "__msan_", "__lsan_",
	"__sanitizer_", "__sancov", "__gcov", "__llvm", "__odr_", "_ZN6__" };

static bool is_instrumented(const char *name)
{
	for (size_t i = 0; i < sizeof(instrumented) / sizeof(instrumented[0]); i++)
		if (strncmp(name, instrumented[i], strlen(instrumented[i])) == 0)
			return true;
	return false;
}

static int refuse(char *why, size_t room, const char *text)
{
	(void)snprintf(why, room, "%s", text);
	return -1;
}

/* ---- the file ---- */

static const void *at(const struct elf *e, uint64_t offset, uint64_t size)
{
	return offset <= e->size && size <= e->size - offset ? e->bytes + offset : NULL;
}

static int load_file(const char *path, struct elf *e, char *why, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t done = 0;

	if (fd < 0 || fstat(fd, &st) < 0) {
		(void)snprintf(why, room, "cannot read it: %s", strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	if (S_ISREG(st.st_mode) && st.st_size > 0 && (uint64_t)st.st_size <= MAX_FILE) {
		e->size = (size_t)st.st_size;
		e->bytes = malloc(e->size);
	}
	while (e->bytes && done < e->size) {
		ssize_t n = read(fd, e->bytes + done, e->size - done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	(void)close(fd);
	return e->bytes && done == e->size ? 0 : refuse(why, room, "it is not a file of a module");
}

#if defined(__x86_64__)
#define HOST_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define HOST_MACHINE EM_AARCH64
#else
#define HOST_MACHINE EM_RISCV
#endif

static int check_header(const struct elf *e, Elf64_Ehdr *h, char *why, size_t room)
{
	const void *p = at(e, 0, sizeof(*h));

	if (!p || memcmp(p, ELFMAG, SELFMAG) != 0)
		return refuse(why, room, "it is not an ELF file");
	memcpy(h, p, sizeof(*h));
	if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_machine != HOST_MACHINE)
		return refuse(why, room, "it is an ELF file for another kind of machine");
	if (h->e_type != ET_DYN)
		return refuse(why, room, "it is an ELF file, but not a shared object");
	if (h->e_phentsize != sizeof(Elf64_Phdr) ||
		!at(e, h->e_phoff, (uint64_t)h->e_phnum * sizeof(Elf64_Phdr)))
		return refuse(why, room, "its program headers lie outside of the file");
	return 0;
}

static Elf64_Phdr segment(const struct elf *e, const Elf64_Ehdr *h, unsigned i)
{
	Elf64_Phdr ph;

	memcpy(&ph, e->bytes + h->e_phoff + (size_t)i * sizeof(ph), sizeof(ph));
	return ph;
}

/* ---- the note ---- */

static void search_notes(struct elf *e, uint64_t offset, uint64_t size)
{
	while (size >= sizeof(Elf64_Nhdr)) {
		const uint8_t *p = at(e, offset, size);
		Elf64_Nhdr n;
		uint64_t whole;

		if (!p)
			return;
		memcpy(&n, p, sizeof(n));
		whole = sizeof(n) + ((n.n_namesz + 3ull) & ~3ull) + ((n.n_descsz + 3ull) & ~3ull);
		if (whole > size)
			return;
		if (n.n_type == TENON_NOTE_PLUGIN && n.n_namesz == 6 && whole >= sizeof(e->note) &&
			memcmp(p + sizeof(n), "tenon", 6) == 0) {
			memcpy(&e->note, p, sizeof(e->note));
			e->note.id[sizeof(e->note.id) - 1] = '\0';
			e->note.version[sizeof(e->note.version) - 1] = '\0';
			e->note.classes[sizeof(e->note.classes) - 1] = '\0';
			e->has_note = true;
			return;
		}
		offset += whole;
		size -= whole;
	}
}

/* ---- the dynamic section ---- */

static void read_dynamic(struct elf *e, const Elf64_Phdr *ph)
{
	for (uint64_t i = 0; i + sizeof(Elf64_Dyn) <= ph->p_filesz; i += sizeof(Elf64_Dyn)) {
		const void *p = at(e, ph->p_offset + i, sizeof(Elf64_Dyn));
		Elf64_Dyn d;

		if (!p)
			return;
		memcpy(&d, p, sizeof(d));
		if (d.d_tag == DT_NULL)
			return;
		if (d.d_tag == DT_BIND_NOW ||
			(d.d_tag == DT_FLAGS && (d.d_un.d_val & DF_BIND_NOW)) ||
			(d.d_tag == DT_FLAGS_1 && (d.d_un.d_val & DF_1_NOW)))
			e->bind_now = true;
		if (d.d_tag == DT_TEXTREL || (d.d_tag == DT_FLAGS && (d.d_un.d_val & DF_TEXTREL)))
			e->textrel = true;
		if (d.d_tag == DT_INIT_ARRAYSZ)
			e->n_constructors = d.d_un.d_val / sizeof(void *);
	}
}

static void read_segments(struct elf *e, const Elf64_Ehdr *h)
{
	for (unsigned i = 0; i < h->e_phnum; i++) {
		Elf64_Phdr ph = segment(e, h, i);

		if (ph.p_type == PT_DYNAMIC)
			read_dynamic(e, &ph);
		else if (ph.p_type == PT_NOTE && !e->has_note)
			search_notes(e, ph.p_offset, ph.p_filesz);
		else if (ph.p_type == PT_GNU_RELRO)
			e->relro = true;
		else if (ph.p_type == PT_GNU_STACK)
			e->has_stack = true, e->exec_stack = ph.p_flags & PF_X;
		else if (ph.p_type == PT_LOAD && (ph.p_flags & PF_W) && (ph.p_flags & PF_X))
			e->write_exec = true;
	}
}

/* ---- symbols ---- */

static int take_symbols(struct elf *e, const Elf64_Shdr *table, const Elf64_Shdr *strings)
{
	size_t n = table->sh_size / sizeof(Elf64_Sym);
	const uint8_t *raw = at(e, table->sh_offset, table->sh_size);
	const char *names = at(e, strings->sh_offset, strings->sh_size);

	if (!raw || !names || strings->sh_size == 0 || names[strings->sh_size - 1] != '\0')
		return -1;
	e->symbols = calloc(n ? n : 1, sizeof(*e->symbols));
	for (size_t i = 1; e->symbols && i < n; i++) {
		struct elf_symbol *s = &e->symbols[e->n_symbols];
		Elf64_Sym sym;

		memcpy(&sym, raw + i * sizeof(sym), sizeof(sym));
		if (ELF64_ST_BIND(sym.st_info) == STB_LOCAL || sym.st_name >= strings->sh_size)
			continue;
		s->name = names + sym.st_name;
		s->defined = sym.st_shndx != SHN_UNDEF;
		s->weak = ELF64_ST_BIND(sym.st_info) == STB_WEAK;
		if (is_instrumented(s->name))
			e->sanitized = true;
		else
			e->n_symbols++;
	}
	return e->symbols ? 0 : -1;
}

static int read_symbols(struct elf *e, const Elf64_Ehdr *h, char *why, size_t room)
{
	const uint8_t *raw = at(e, h->e_shoff, (uint64_t)h->e_shnum * sizeof(Elf64_Shdr));

	if (!raw || h->e_shentsize != sizeof(Elf64_Shdr))
		return refuse(why, room,
			"its section headers are missing, so nothing tells its "
			"symbols; `strip` leaves them in");
	for (unsigned i = 0; i < h->e_shnum; i++) {
		Elf64_Shdr table, strings;

		memcpy(&table, raw + i * sizeof(table), sizeof(table));
		if (table.sh_type != SHT_DYNSYM || table.sh_link >= h->e_shnum)
			continue;
		memcpy(&strings, raw + table.sh_link * sizeof(strings), sizeof(strings));
		if (take_symbols(e, &table, &strings) == 0)
			return 0;
	}
	return refuse(why, room, "its table of dynamic symbols is missing or broken");
}

int elf_read(const char *path, struct elf *ret_elf, char *why, size_t room)
{
	struct elf e = { .bytes = NULL };
	Elf64_Ehdr h;

	if (load_file(path, &e, why, room) < 0 || check_header(&e, &h, why, room) < 0 ||
		read_symbols(&e, &h, why, room) < 0) {
		elf_free(&e);
		return -1;
	}
	read_segments(&e, &h);
	*ret_elf = e;
	return 0;
}

void elf_free(struct elf *elf)
{
	free(elf->bytes);
	free(elf->symbols);
	*elf = (struct elf){ .bytes = NULL };
}

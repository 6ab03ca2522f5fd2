/* SPDX-License-Identifier: Apache-2.0 */
/* What can be told from the module's file, and whether the dynamic linker takes it. */
#include <dlfcn.h>
#include <string.h>

#include <tenon/testkit.h>

#include "sdk/check/check.h"
#include "sdk/check/elf.h"

#define STRING_OF(x)  STRING_OF_(x)
#define STRING_OF_(x) #x
#define ENTRY         STRING_OF(TENON_PLUGIN_SYMBOL)

static void read_elf(const struct subject *s, struct elf *ret_elf)
{
	char why[200];

	if (elf_read(s->options->full_path, ret_elf, why, sizeof(why)) < 0)
		CHECK_FAIL("%s", why);
}

void check_elf(const struct subject *s)
{
	struct elf e;

	read_elf(s, &e);
	check_passed("a shared object for this machine, %zu bytes", e.size);
	elf_free(&e);
}

void check_exports(const struct subject *s)
{
	struct elf e;
	bool found = false;

	read_elf(s, &e);
	for (size_t i = 0; i < e.n_symbols; i++) {
		if (!e.symbols[i].defined)
			continue;
		if (strcmp(e.symbols[i].name, ENTRY) != 0)
			CHECK_FAIL("it exports \"%s\" besides \"%s\": build with "
				   "-fvisibility=hidden, or make it static",
				e.symbols[i].name, ENTRY);
		found = true;
	}
	if (!found)
		CHECK_FAIL("it does not export \"%s\": TENON_PLUGIN() is missing, or made for "
			   "another major version",
			ENTRY);
	elf_free(&e);
	check_passed("exports %s and nothing else", ENTRY);
}

/* dlsym() on the module's own handle looks into the module and the libraries that it links, and not
 * into the program that loaded it. */
void check_imports(const struct subject *s)
{
	void *module = dlopen(s->options->full_path, RTLD_LAZY | RTLD_LOCAL);
	unsigned n = 0;
	struct elf e;

	read_elf(s, &e);
	if (!module)
		CHECK_FAIL("the dynamic linker refuses it: %s", dlerror());
	for (size_t i = 0; i < e.n_symbols; i++) {
		if (e.symbols[i].defined || e.symbols[i].weak)
			continue;
		if (!dlsym(module, e.symbols[i].name))
			CHECK_FAIL(
				"\"%s\" is in none of the libraries that it links; what a host has "
				"arrives as tables (link with -Wl,-z,defs)",
				e.symbols[i].name);
		n++;
	}
	elf_free(&e);
	check_passed("all of its %u imported symbols are in libraries that it links", n);
}

void check_binding(const struct subject *s)
{
	struct elf e;

	read_elf(s, &e);
	if (!e.bind_now)
		CHECK_FAIL(
			"symbols are bound when they are first used, so one that is missing ends a "
			"running guest: link with -Wl,-z,now");
	elf_free(&e);
	check_passed("every symbol is bound at load");
}

void check_sections(const struct subject *s)
{
	struct elf e;

	read_elf(s, &e);
	if (!e.relro)
		CHECK_FAIL("its tables of addresses stay writable: link with -Wl,-z,relro");
	if (e.textrel)
		CHECK_FAIL("its code has to be changed at load: compile all of it with -fPIC");
	if (!e.has_stack || e.exec_stack)
		CHECK_FAIL(
			"it asks for a stack that can be executed: mark assembler sources, or link "
			"with -Wl,-z,noexecstack");
	if (e.write_exec)
		CHECK_FAIL("it has memory that is both writable and executable");
	elf_free(&e);
	check_passed("read-only after relocation, no relocated code, no executable stack");
}

/* The compiler's own start files put one function into the table. */
void check_constructors(const struct subject *s)
{
	struct elf e;

	read_elf(s, &e);
	if (e.sanitized)
		check_skipped("the module was built with a sanitizer, which has some of its own");
	else if (e.n_constructors > 1)
		CHECK_FAIL(
			"%zu functions run as soon as it is loaded (constructors, objects of C++ "
			"with global life); init is the place for what they do",
			e.n_constructors - 1);
	else
		check_passed("no code of its own runs at load");
	elf_free(&e);
}

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = words; (p = strstr(p, word)); p += n)
		if ((p == words || p[-1] == ' ') && (p[n] == '\0' || p[n] == ' '))
			return true;
	return false;
}

static unsigned count_words(const char *words)
{
	unsigned n = 0;

	for (const char *p = words; *p; p++)
		n += *p != ' ' && (p == words || p[-1] == ' ');
	return n;
}

void check_note(const struct subject *s)
{
	const struct tenon_plugin *p = check_load(s->options);
	unsigned n = 0;
	struct elf e;

	read_elf(s, &e);
	if (!e.has_note)
		CHECK_FAIL("it has no note, so nobody can list it without running its code: use "
			   "TENON_PLUGIN(), and link no script that drops .note.tenon");
	if (e.note.abi_major != p->abi_major || e.note.abi_minor != p->abi_minor)
		CHECK_FAIL("its note says ABI %u.%u, its description %u.%u", e.note.abi_major,
			e.note.abi_minor, p->abi_major, p->abi_minor);
	TK_TRUE(p->id && p->version && p->devices);
	if (strcmp(e.note.id, p->id) != 0)
		CHECK_FAIL("its note says \"%s\", its description \"%s\"", e.note.id, p->id);
	if (strcmp(e.note.version, p->version) != 0)
		CHECK_FAIL("its note says version \"%s\", its description \"%s\"", e.note.version,
			p->version);
	for (; p->devices[n]; n++)
		if (!has_word(e.note.classes, p->devices[n]->name))
			CHECK_FAIL("its note lists the classes \"%s\", without \"%s\"",
				e.note.classes, p->devices[n]->name);
	if (count_words(e.note.classes) != n)
		CHECK_FAIL("its note lists the classes \"%s\"; there are %u", e.note.classes, n);
	elf_free(&e);
	check_passed("the note says what the description says");
}

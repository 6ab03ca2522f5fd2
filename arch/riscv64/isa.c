/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of extensions: letters first, in their canonical order.  Where no hypervisor was
 * asked (`tenon check`), the vCPUs are described as RV64GC, which every kernel of a distribution
 * needs.
 */
#include "arch/riscv64/isa.h"

#include <stdio.h>
#include <string.h>

#include "core/machine.h"
#include "core/riscv_ext.h"

#define LETTER(c) (1ull << ((c) - 'a'))
#define LETTERS_GC                                                                                 \
	(LETTER('i') | LETTER('m') | LETTER('a') | LETTER('f') | LETTER('d') | LETTER('c'))
#define TIMEBASE_DEFAULT 10000000u
#define SATP_DEFAULT     8u /* Sv39 */

static const char canonical[] = "imafdqcbvh";

static const char *const extensions[] = {
#define NAME(name, text) text,
	RISCV_EXTENSIONS(NAME)
#undef NAME
};

const uint32_t isa_facts[] = {
	RISCV_CONF(RISCV_CONF_LETTERS),
	RISCV_CONF(RISCV_CONF_TIMEBASE),
	RISCV_CONF(RISCV_CONF_SATP),
	RISCV_CONF(RISCV_CONF_CBOM),
	RISCV_CONF(RISCV_CONF_CBOZ),
	RISCV_CONF(RISCV_CONF_CBOP),
	RISCV_CONF(RISCV_CONF_MVENDORID),
	RISCV_CONF(RISCV_CONF_MARCHID),
	RISCV_CONF(RISCV_CONF_MIMPID),
	RISCV_CONF(RISCV_CONF_EXT),
	0,
};

_Static_assert(RISCV_EXT_WORDS == 1, "the facts have one word of extensions");

struct text {
	char *to;
	size_t at;
};

static void add(struct text *text, const char *join, const char *what, size_t size)
{
	int n = snprintf(text->to + text->at, ISA_TEXT_MAX - text->at, "%s%.*s",
		text->at ? join : "", (int)size, what);

	if (n > 0 && text->at + (size_t)n < ISA_TEXT_MAX)
		text->at += (size_t)n;
}

static void add_letters(struct text *text, const struct machine *m, const char *join)
{
	uint64_t letters = machine_fact(m, RISCV_CONF(RISCV_CONF_LETTERS), LETTERS_GC);

	letters |= LETTER('i');
	for (const char *c = canonical; *c; c++)
		if (letters & LETTER(*c))
			add(text, join, c, 1);
}

static void add_extensions(struct text *text, const struct machine *m, const char *join)
{
	uint64_t bits = machine_fact(m, RISCV_CONF(RISCV_CONF_EXT), 0);

	for (size_t i = 0; i < RISCV_EXT_COUNT; i++)
		if (bits >> i & 1)
			add(text, join, extensions[i], strlen(extensions[i]));
}

const char *isa_string(const struct machine *machine, char *to)
{
	struct text text = { .to = to };

	add(&text, "", "rv64", 4);
	add_letters(&text, machine, "");
	add_extensions(&text, machine, "_");
	return to;
}

const char *isa_list(const struct machine *machine, char *to)
{
	struct text text = { .to = to };

	add_letters(&text, machine, ";");
	add_extensions(&text, machine, ";");
	return to;
}

const char *isa_mmu(const struct machine *machine)
{
	switch (machine_fact(machine, RISCV_CONF(RISCV_CONF_SATP), SATP_DEFAULT)) {
	case 8:
		return "riscv,sv39";
	case 9:
		return "riscv,sv48";
	case 10:
		return "riscv,sv57";
	default:
		return NULL;
	}
}

uint32_t isa_timebase(const struct machine *machine)
{
	return (uint32_t)machine_fact(machine, RISCV_CONF(RISCV_CONF_TIMEBASE), TIMEBASE_DEFAULT);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the stand-in's script. */
#include "tests/hvf/standin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 6

/* What follows a step's name: a number, a size, a register, a value, in this order. */
static const struct {
	const char *name;
	enum step_kind kind;
	bool number, size, reg, value, optional;
} forms[] = {
	{ "set", STEP_SET, false, false, true, true, false },
	{ "expect", STEP_EXPECT, false, false, true, true, false },
	{ "store", STEP_STORE, true, true, false, true, false },
	{ "load", STEP_LOAD, true, true, false, true, false },
	{ "write", STEP_WRITE, true, true, true, false, false },
	{ "read", STEP_READ, true, true, true, false, false },
	{ "msr", STEP_MSR, true, false, true, false, false },
	{ "mrs", STEP_MRS, true, false, true, false, false },
	{ "hvc", STEP_HVC, true, false, false, false, true },
	{ "smc", STEP_SMC, true, false, false, false, true },
	{ "wfi", STEP_WFI, false, false, false, false, false },
	{ "wfe", STEP_WFE, false, false, false, false, false },
	{ "abort", STEP_ABORT, true, false, false, true, false },
	{ "exit", STEP_EXIT, true, false, false, false, false },
	{ "timer", STEP_TIMER, true, false, false, false, false },
	{ "timer-off", STEP_TIMER_OFF, false, false, false, false, false },
	{ "wait-irq", STEP_WAIT_IRQ, false, false, false, false, false },
	{ "wait-fiq", STEP_WAIT_FIQ, false, false, false, false, false },
	{ "wait-timer", STEP_WAIT_TIMER, false, false, false, false, false },
	{ "no-irq", STEP_NO_IRQ, false, false, false, false, false },
	{ "has-irq", STEP_HAS_IRQ, false, false, false, false, false },
	{ "has-timer", STEP_HAS_TIMER, false, false, false, false, false },
	{ "spin", STEP_SPIN, false, false, false, false, false },
	{ "until", STEP_UNTIL, true, false, true, true, false },
	{ "maybe", STEP_MAYBE, false, false, false, false, false },
};

static struct program programs[STANDIN_VCPUS];

static uint64_t number(const char *word, unsigned line)
{
	char *rest;
	uint64_t value;

	if (!word)
		standin_fail("script:%u: a number is missing", line);
	value = strtoull(word, &rest, 0);
	if (rest == word || *rest)
		standin_fail("script:%u: \"%s\" is no number", line, word);
	return value;
}

static uint32_t reg(const char *word, unsigned line)
{
	uint64_t value;

	if (!word)
		standin_fail("script:%u: a register is missing", line);
	if (strcmp(word, "pc") == 0)
		return HV_REG_PC;
	if (strcmp(word, "cpsr") == 0)
		return HV_REG_CPSR;
	if (strcmp(word, "xzr") == 0)
		return STANDIN_XZR;
	value = number(word[0] == 'x' ? word + 1 : word, line);
	if (value > (word[0] == 'x' ? 30u : 0xffffu))
		standin_fail("script:%u: there is no register %s", line, word);
	return (uint32_t)(word[0] == 'x' ? value : STANDIN_SYS + value);
}

static void parse_step(struct step *step, char **words, unsigned line)
{
	size_t i = 0;

	while (i < sizeof(forms) / sizeof(forms[0]) && strcmp(forms[i].name, *words) != 0)
		i++;
	if (i == sizeof(forms) / sizeof(forms[0]))
		standin_fail("script:%u: \"%s\" is no step", line, *words);
	*step = (struct step){ .kind = forms[i].kind, .line = line };
	words++;
	if (forms[i].number && !(forms[i].optional && !*words))
		step->number = number(*words++, line);
	if (forms[i].size)
		step->size = number(*words++, line);
	if (forms[i].reg)
		step->reg = reg(*words++, line);
	if (forms[i].value)
		step->value = number(*words++, line);
	for (; *words; words++) {
		if (strcmp(*words, "signed") == 0)
			step->is_signed = true;
		else if (strcmp(*words, "wide") == 0)
			step->is_wide = true;
		else if (strcmp(*words, "undefined") == 0)
			step->is_undefined = true;
		else
			standin_fail("script:%u: \"%s\" is too much", line, *words);
	}
}

static void parse_line(char *text, unsigned line, struct program **program)
{
	char *words[WORDS + 1] = { NULL }, *rest = NULL;
	size_t n = 0;

	text[strcspn(text, "#\n")] = '\0';
	for (char *word = strtok_r(text, " \t", &rest); word && n < WORDS;
		word = strtok_r(NULL, " \t", &rest))
		words[n++] = word;
	if (n == 0)
		return;
	if (strcmp(words[0], "vcpu") == 0) {
		*program = standin_program(number(words[1], line));
		return;
	}
	(*program)->steps =
		realloc((*program)->steps, ((*program)->n + 1) * sizeof(*(*program)->steps));
	parse_step(&(*program)->steps[(*program)->n++], words, line);
}

void standin_read_script(const char *path)
{
	struct program *program = &programs[0];
	FILE *file = fopen(path, "r");
	char text[256];

	if (!file)
		standin_fail("cannot open %s", path);
	for (unsigned line = 1; fgets(text, sizeof(text), file); line++)
		parse_line(text, line, &program);
	(void)fclose(file);
}

struct program *standin_program(uint64_t affinity)
{
	if (affinity >= STANDIN_VCPUS)
		standin_fail("there is no vCPU 0x%llx", (unsigned long long)affinity);
	return &programs[affinity];
}

/* A vCPU may spin to the end. */
void standin_finish_script(void)
{
	for (size_t i = 0; i < STANDIN_VCPUS; i++) {
		const struct program *p = &programs[i];

		if (!p->may_end && p->at < p->n && p->steps[p->at].kind != STEP_SPIN)
			standin_fail("script:%u: vCPU %zu did not get past this",
				p->steps[p->at].line, i);
		free(p->steps);
	}
	memset(programs, 0, sizeof(programs));
}

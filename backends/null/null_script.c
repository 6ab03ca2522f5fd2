/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the script of the null backend: a table of words and the operands that each takes.
 */
#include "backends/null/null.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINE_ROOM   256
#define WORDS       12
#define SCRIPT_ROOM (1u << 20)

static const struct word {
	const char *name;
	enum null_kind kind;
	uint32_t least, most; /* operands, "expect" not counted */
	bool may_expect, must_expect;
} words[] = {
	{ "mmio-write", STEP_MMIO_WRITE, 3, 3, false, false },
	{ "mmio-read", STEP_MMIO_READ, 2, 2, true, false },
	{ "pio-write", STEP_PIO_WRITE, 3, 3, false, false },
	{ "pio-read", STEP_PIO_READ, 2, 2, true, false },
	{ "call", STEP_CALL, 1, 1 + NULL_ARGS, true, false },
	{ "store", STEP_STORE, 3, 3, false, false },
	{ "load", STEP_LOAD, 2, 2, true, true },
	{ "halt", STEP_HALT, 0, 0, false, false },
	{ "wait-irq", STEP_WAIT_IRQ, 1, 1, false, false },
	{ "off", STEP_OFF, 0, 0, false, false },
	{ "reset", STEP_RESET, 0, 0, false, false },
	{ "dead", STEP_DEAD, 0, 0, false, false },
	{ "fail", STEP_FAIL, 0, 0, false, false },
	{ "exit", STEP_EXIT, 1, 1, false, false },
	{ "repeat", STEP_REPEAT, 1, 1, false, false },
	{ "end", STEP_END, 0, 0, false, false },
};

struct reader {
	struct null_script *script;
	const char *file;
	uint32_t line;
	uint32_t vcpu;
	size_t open[NULL_DEPTH]; /* the repeats that have no end yet */
	uint32_t depth;
	struct backend_error *err;
};

#define refuse(reader, code, format, ...)                                                          \
	backend_fail((reader)->err, code, "%s:%u: " format, (reader)->file, (reader)->line,        \
		__VA_ARGS__)

static int read_number(struct reader *reader, const char *word, uint64_t *ret_value)
{
	char *end;

	errno = 0;
	*ret_value = strtoull(word, &end, 0);
	if (end == word || *end || errno || !isdigit((unsigned char)word[0]))
		return refuse(reader, -EINVAL, "\"%s\" is not a number", word);
	return 0;
}

static struct null_step *add_step(struct reader *reader)
{
	struct null_program *program = &reader->script->vcpus[reader->vcpu];
	struct null_step *steps =
		realloc(program->steps, (program->count + 1) * sizeof(*program->steps));

	if (!steps)
		return NULL;
	program->steps = steps;
	steps += program->count++;
	memset(steps, 0, sizeof(*steps));
	steps->line = reader->line;
	return steps;
}

/* ---- what the operands mean ---- */

static bool good_size(uint64_t size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static int begin_repeat(struct reader *reader, const struct null_step *step)
{
	if (step->address == 0)
		return refuse(reader, -EINVAL, "%s", "repeat needs a count of 1 or more");
	if (reader->depth == NULL_DEPTH)
		return refuse(reader, -EINVAL, "repeat goes deeper than %d", NULL_DEPTH);
	reader->open[reader->depth++] = reader->script->vcpus[reader->vcpu].count - 1;
	return 0;
}

static int end_repeat(struct reader *reader, struct null_step *step)
{
	if (reader->depth == 0)
		return refuse(reader, -EINVAL, "%s", "end without repeat");
	step->address = reader->open[--reader->depth];
	return 0;
}

static int finish_step(
	struct reader *reader, struct null_step *step, const uint64_t *numbers, uint32_t count)
{
	step->address = numbers[0];
	switch (step->kind) {
	case STEP_MMIO_WRITE:
	case STEP_PIO_WRITE:
	case STEP_STORE:
		step->value = numbers[2];
		/* fall through */
	case STEP_MMIO_READ:
	case STEP_PIO_READ:
	case STEP_LOAD:
		if (!good_size(numbers[1]))
			return refuse(reader, -EINVAL, "%s", "the size must be 1, 2, 4 or 8 bytes");
		step->size = (uint32_t)numbers[1];
		return 0;
	case STEP_CALL:
		memcpy(step->args, numbers + 1, (count - 1) * sizeof(numbers[0]));
		return 0;
	case STEP_WAIT_IRQ:
		if (step->address >= NULL_IRQS)
			return refuse(reader, -ERANGE, "there are %d interrupts", NULL_IRQS);
		return 0;
	case STEP_REPEAT:
		return begin_repeat(reader, step);
	case STEP_END:
		return end_repeat(reader, step);
	default:
		return 0;
	}
}

/* ---- lines ---- */

static int split(char *line, char **ret_words)
{
	char *rest, *word;
	int n = 0;

	for (word = strtok_r(line, " \t\r", &rest); word && n < WORDS;
		word = strtok_r(NULL, " \t\r", &rest))
		ret_words[n++] = word;
	return word ? -E2BIG : n;
}

static int select_vcpu(struct reader *reader, char **line, int n)
{
	uint64_t index;
	int r;

	if (n != 2)
		return refuse(reader, -EINVAL, "%s", "vcpu needs a number");
	if (reader->depth)
		return refuse(reader, -EINVAL, "%s", "vcpu within repeat");
	r = read_number(reader, line[1], &index);
	if (r == 0 && index >= NULL_VCPUS)
		r = refuse(reader, -ERANGE, "there are %d vCPUs", NULL_VCPUS);
	if (r == 0)
		reader->vcpu = (uint32_t)index;
	return r;
}

static int read_operands(
	struct reader *reader, struct null_step *step, const struct word *word, char **line, int n)
{
	uint64_t numbers[1 + NULL_ARGS] = { 0 };
	uint32_t count = 0;
	int i, r = 0;

	for (i = 1; i < n && r == 0; i++) {
		if (word->may_expect && i == n - 2 && strcmp(line[i], "expect") == 0) {
			step->expect = true;
			r = read_number(reader, line[++i], &step->value);
			break;
		}
		if (count == word->most)
			return refuse(reader, -EINVAL, "too many operands for %s", word->name);
		r = read_number(reader, line[i], &numbers[count++]);
	}
	if (r < 0)
		return r;
	if (count < word->least || (word->must_expect && !step->expect))
		return refuse(reader, -EINVAL, "%s lacks operands", word->name);
	return finish_step(reader, step, numbers, count);
}

static int read_line(struct reader *reader, char *text)
{
	char *line[WORDS], *comment = strchr(text, '#');
	struct null_step *step;
	char whole[LINE_ROOM];
	size_t i;
	int n;

	if (comment)
		*comment = '\0';
	(void)snprintf(whole, sizeof(whole), "%s", text);
	n = split(text, line);
	if (n == 0)
		return 0;
	if (strcmp(n > 0 ? line[0] : "", "vcpu") == 0)
		return select_vcpu(reader, line, n);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(line[0], words[i].name) == 0)
			break;
	if (i == sizeof(words) / sizeof(words[0]))
		return refuse(reader, -EINVAL, "unknown step \"%s\"", line[0]);
	step = add_step(reader);
	if (!step)
		return backend_fail(reader->err, -ENOMEM, "out of memory");
	step->kind = words[i].kind;
	if (step->kind == STEP_FAIL) {
		const char *why = strstr(whole, "fail") + 4;

		(void)snprintf(step->text, sizeof(step->text), "%.95s", why + strspn(why, " \t"));
		return 0;
	}
	if (n < 0)
		return refuse(reader, -E2BIG, "%s", "too many words");
	return read_operands(reader, step, &words[i], line, n);
}

int null_script_parse(
	struct null_script *script, const char *file, const char *text, struct backend_error *err)
{
	struct reader reader = { .script = script, .file = file, .err = err };

	while (*text) {
		size_t n = strcspn(text, "\n");
		char line[LINE_ROOM];
		int r;

		reader.line++;
		if (n >= sizeof(line))
			return refuse(&reader, -E2BIG, "%s", "the line is too long");
		memcpy(line, text, n);
		line[n] = '\0';
		r = read_line(&reader, line);
		if (r < 0)
			return r;
		text += n + (text[n] == '\n');
	}
	if (reader.depth)
		return refuse(&reader, -EINVAL, "%s", "repeat without end");
	return 0;
}

int null_script_load(struct null_script *script, const char *file, struct backend_error *err)
{
	FILE *stream = fopen(file, "re");
	char *text;
	size_t n;
	int r;

	if (!stream)
		return backend_fail(
			err, -errno, "cannot open the script %s: %s", file, strerror(errno));
	text = malloc(SCRIPT_ROOM);
	if (!text) {
		(void)fclose(stream);
		return backend_fail(err, -ENOMEM, "out of memory");
	}
	n = fread(text, 1, SCRIPT_ROOM, stream);
	if (ferror(stream) || n == SCRIPT_ROOM) {
		r = backend_fail(err, -EFBIG, "cannot read the script %s, or it is too long", file);
	} else {
		text[n] = '\0';
		r = null_script_parse(script, file, text, err);
	}
	free(text);
	(void)fclose(stream);
	return r;
}

void null_script_finish(struct null_script *script)
{
	size_t i;

	for (i = 0; i < NULL_VCPUS; i++)
		free(script->vcpus[i].steps);
	memset(script, 0, sizeof(*script));
}

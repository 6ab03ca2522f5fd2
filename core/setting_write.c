/* SPDX-License-Identifier: Apache-2.0 */
/* Settings as text again, for another process to read. */
#include <inttypes.h>
#include <string.h>

#include "core/setting.h"

struct writer {
	FILE *out;
	const char *file;
	unsigned int line; /* that is being written */
};

static void write_quoted(const struct writer *w, const char *text)
{
	(void)fputc('"', w->out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			(void)fputc('\\', w->out);
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			(void)fprintf(w->out, "\\x%02x", (unsigned char)*text);
		else
			(void)fputc(*text, w->out);
	}
	(void)fputc('"', w->out);
}

/* So that an error in it names the line that a person wrote. */
static void go_to_line_of(struct writer *w, const struct setting *setting)
{
	if (!w->file || !setting->place.file || strcmp(setting->place.file, w->file) != 0)
		return;
	for (; w->line < setting->place.line; w->line++)
		(void)fputc('\n', w->out);
}

/* Settings do not nest deeper than the reader of files allows. */
static void write_value(struct writer *w, const struct setting *s) /* NOLINT(misc-no-recursion) */
{
	const bool is_list = s->kind == SETTING_LIST;

	switch (s->kind) {
	case SETTING_BOOL:
		(void)fputs(s->number ? "true" : "false", w->out);
		return;
	case SETTING_INT: /* without the suffix the reader wraps what is past 31 bits */
		(void)fprintf(w->out, "%" PRId64 "%s", s->number,
			s->number > INT32_MAX || s->number < INT32_MIN ? "L" : "");
		return;
	case SETTING_FLOAT:
		(void)fputs(s->text, w->out);
		return;
	case SETTING_STRING:
	case SETTING_WORD:
		write_quoted(w, s->text);
		return;
	case SETTING_LIST:
	case SETTING_GROUP:
		break;
	}
	(void)fputs(is_list ? "(" : "{", w->out);
	for (size_t i = 0; i < s->n_items; i++) {
		go_to_line_of(w, &s->items[i]);
		(void)fputs(is_list && i ? ", " : " ", w->out);
		if (!is_list)
			(void)fprintf(w->out, "%s = ", s->items[i].name);
		write_value(w, &s->items[i]);
		(void)fputs(is_list ? "" : ";", w->out);
	}
	(void)fputs(is_list ? " )" : " }", w->out);
}

void setting_write(const struct setting *group, FILE *out)
{
	struct writer w = { .out = out, .file = group->place.file, .line = 1 };

	for (size_t i = 0; i < group->n_items; i++) {
		const struct setting *s = &group->items[i];

		if (s->place.line == 0)
			continue;
		go_to_line_of(&w, s);
		(void)fprintf(out, "%s = ", s->name);
		write_value(&w, s);
		(void)fputs("; ", out);
	}
	(void)fputc('\n', out);
}

static void write_argument(const char *name, const struct setting *s, FILE *out)
{
	struct writer w = { .out = out };

	(void)fprintf(out, "%s=", name);
	if (s->kind == SETTING_WORD)
		(void)fputs(s->text, out);
	else
		write_value(&w, s);
	(void)fputc('\0', out);
}

void setting_write_arguments(const struct setting *group, FILE *out)
{
	for (size_t i = 0; i < group->n_items; i++) {
		const struct setting *s = &group->items[i];

		if (s->place.line != 0)
			continue;
		if (!s->repeated)
			write_argument(s->name, s, out);
		for (size_t k = 0; s->repeated && k < s->n_items; k++)
			write_argument(s->name, &s->items[k], out);
	}
}

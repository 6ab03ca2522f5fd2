/* SPDX-License-Identifier: Apache-2.0 */
/* One pass over the bytes of a configuration and of the files that it includes. */
#include "core/config_text.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/error.h"
#include "core/grow.h"

#define FILE_MAX    ((size_t)1 << 20)
#define LINES_MAX   60000u /* libconfig counts lines in 16 bits */
#define DEPTH_MAX   32u    /* of brackets */
#define INCLUDE_MAX 8u     /* of files in files */

/* One file being gone through. */
struct scanner {
	struct arena *arena;
	struct config_text *out;
	struct error *err;
	const char *bytes, *at, *end;
	struct place place; /* of `at` */
	unsigned int include_depth;
	bool may_include;
	bool line_is_blank; /* nothing but blanks so far */
	struct {
		char closer;
		unsigned int line;
	} open[DEPTH_MAX];
	unsigned int n_open;
};

static int scan_file(struct scanner *parent, struct arena *arena, const char *path,
	const char *folder, struct config_text *out, struct error *err);

/* ---- output ---- */

#define refuse(scanner, ...) refuse_at(scanner, (scanner)->place.line, __VA_ARGS__)

__attribute__((format(printf, 3, 4))) static int refuse_at(
	struct scanner *s, unsigned int line, const char *format, ...)
{
	struct place place = { .file = s->place.file, .line = line };
	char text[512], where[PLACE_TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return error_set(s->err, EXIT_USAGE, -EINVAL, "%s: %s", place_text(&place, where), text);
}

static int out_of_memory(struct error *err)
{
	return error_set(err, EXIT_HOST, -ENOMEM, "out of memory");
}

/* Makes room for one more element. */
static int reserve(void **array, size_t n, size_t *capacity, size_t size)
{
	size_t wanted = *capacity ? *capacity * 2 : 256;
	void *grown;

	if (n < *capacity)
		return 0;
	grown = grow_array(*array, wanted, size);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*capacity = wanted;
	return 0;
}

static int emit(struct scanner *s, char c)
{
	struct config_text *out = s->out;
	void *text = out->text;
	int r = reserve(&text, out->size + 1, &out->capacity, 1);

	out->text = text;
	if (r < 0)
		return out_of_memory(s->err);
	out->text[out->size++] = c;
	out->text[out->size] = '\0';
	return 0;
}

/* Notes where the output's next line comes from. */
static int begin_line(struct scanner *s)
{
	struct config_text *out = s->out;
	void *lines = out->lines;
	int r;

	if (out->n_lines >= LINES_MAX)
		return refuse(s, "the configuration has more than %u lines", LINES_MAX);
	r = reserve(&lines, out->n_lines, &out->lines_capacity, sizeof(*out->lines));
	out->lines = lines;
	if (r < 0)
		return out_of_memory(s->err);
	out->lines[out->n_lines++] = s->place;
	return 0;
}

/* Copies n bytes of one line. */
static int copy(struct scanner *s, size_t n)
{
	for (; n; n--) {
		int r = emit(s, *s->at++);

		if (r < 0)
			return r;
	}
	return 0;
}

static int copy_newline(struct scanner *s)
{
	int r = emit(s, '\n');

	if (r < 0)
		return r;
	s->at++;
	s->place.line++;
	s->line_is_blank = true;
	return begin_line(s);
}

/* ---- tokens ---- */

static char peek(const struct scanner *s, size_t offset)
{
	if ((size_t)(s->end - s->at) > offset)
		return s->at[offset];
	return '\0';
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '*';
}

static int scan_string(struct scanner *s)
{
	size_t n = 1;

	while (s->at + n < s->end && s->at[n] != '"') {
		if (s->at[n] == '\\')
			n++;
		if (s->at + n >= s->end || s->at[n] == '\n')
			break;
		n++;
	}
	if (peek(s, n) != '"')
		return refuse(s, "a string is not closed on its line");
	return copy(s, n + 1);
}

/* Skips to the end of the line, or past the end of a block. */
static int skip_comment(struct scanner *s)
{
	unsigned int first = s->place.line;
	bool block = peek(s, 0) == '/' && peek(s, 1) == '*';

	if (!block) {
		while (s->at < s->end && *s->at != '\n')
			s->at++;
		return 0;
	}

	for (s->at += 2; s->at < s->end;) {
		if (peek(s, 0) == '*' && peek(s, 1) == '/') {
			s->at += 2;
			return emit(s, ' ');
		}
		if (*s->at == '\n') {
			int r = copy_newline(s);

			if (r < 0)
				return r;
		} else {
			s->at++;
		}
	}
	return refuse_at(s, first, "a comment is not closed");
}

/* Whether the number can be held by the file's reader as it is written. */
static bool number_fits(const char *token, bool hex, bool wide)
{
	unsigned long long value;
	bool negative = *token == '-';

	if (*token == '-' || *token == '+')
		token++;
	errno = 0;
	value = strtoull(token, NULL, hex ? 16 : 10);
	if (errno)
		return false;
	return value <= (wide ? (uint64_t)INT64_MAX : (uint64_t)INT32_MAX) + negative;
}

static int scan_number(struct scanner *s)
{
	size_t sign = *s->at == '-' || *s->at == '+', n = sign;
	bool hex = peek(s, n) == '0' && (peek(s, n + 1) | 0x20) == 'x';
	bool wide;
	char token[64];

	if (hex)
		n += 2;
	while (hex ? isxdigit((unsigned char)peek(s, n)) : isdigit((unsigned char)peek(s, n)))
		n++;
	if (!hex && (peek(s, n) == '.' || (peek(s, n) | 0x20) == 'e')) {
		while (isalnum((unsigned char)peek(s, n)) || peek(s, n) == '.' ||
			((peek(s, n) == '-' || peek(s, n) == '+') &&
				(peek(s, n - 1) | 0x20) == 'e'))
			n++;
		return copy(s, n);
	}
	wide = peek(s, n) == 'L';

	if (n >= sizeof(token))
		return refuse(s, "a number has more digits than any number needs");
	memcpy(token, s->at, n);
	token[n] = '\0';
	if (!number_fits(token, hex, wide))
		return refuse(s, "the number %s is too large to be read; write %s", token,
			wide ? "it as a string"
			     : "sizes and addresses as strings, other numbers with an L behind");
	return copy(s, n);
}

static int scan_name(struct scanner *s)
{
	size_t n = 0;

	while (is_name(peek(s, n)))
		n++;
	return copy(s, n);
}

/* Zero for what opens nothing. */
static char closer_of(char c)
{
	switch (c) {
	case '(':
		return ')';
	case '[':
		return ']';
	case '{':
		return '}';
	default:
		return '\0';
	}
}

static int scan_bracket(struct scanner *s)
{
	char c = *s->at, closer = closer_of(c);

	if (closer) {
		if (s->n_open == DEPTH_MAX)
			return refuse(s, "more than %u brackets in each other", DEPTH_MAX);
		s->open[s->n_open].closer = closer;
		s->open[s->n_open++].line = s->place.line;
		return copy(s, 1);
	}

	if (!s->n_open)
		return refuse(s, "\"%c\" closes nothing", c);
	if (s->open[s->n_open - 1].closer != c)
		return refuse(s, "found \"%c\"; wanted \"%c\" for the bracket of line %u", c,
			s->open[s->n_open - 1].closer, s->open[s->n_open - 1].line);
	s->n_open--;
	return copy(s, 1);
}

/* ---- @include ---- */

/* `@include "FILE"` alone on its line; the newline stays. */
static int scan_include(struct scanner *s)
{
	static const char word[] = "@include";
	const char *start, *stop;
	char *name;
	const char *path;
	int r;

	if (!s->may_include)
		return refuse(s, "@include needs a configuration that is a file");
	if (s->include_depth == INCLUDE_MAX)
		return refuse(s, "more than %u files include each other", INCLUDE_MAX);

	s->at += sizeof(word) - 1;
	while (peek(s, 0) == ' ' || peek(s, 0) == '\t')
		s->at++;
	if (peek(s, 0) != '"')
		return refuse(s, "wanted @include \"FILE\"");
	start = ++s->at;
	stop = start;
	while (stop < s->end && *stop != '"' && *stop != '\n')
		stop++;
	if (stop == s->end || *stop != '"' || stop == start)
		return refuse(s, "wanted @include \"FILE\"");
	s->at = stop + 1;

	name = arena_strndup(s->arena, start, (size_t)(stop - start));
	path = name ? setting_path(s->arena, &s->place, name) : NULL;
	if (!path)
		return out_of_memory(s->err);
	r = emit(s, '\n');
	if (!r)
		r = scan_file(s, s->arena, path, s->place.folder, s->out, s->err);
	if (!r)
		r = emit(s, '\n');
	return r < 0 ? r : begin_line(s);
}

/* ---- the pass ---- */

static int scan_token(struct scanner *s)
{
	static const char include[] = "@include";
	char c = *s->at;
	bool first = s->line_is_blank;

	if (c == '\n')
		return copy_newline(s);
	if (c == ' ' || c == '\t' || c == '\r' || c == '\f')
		return copy(s, 1);

	s->line_is_blank = false;
	if (c == '#' || (c == '/' && (peek(s, 1) == '/' || peek(s, 1) == '*')))
		return skip_comment(s);
	if (c == '"')
		return scan_string(s);
	if (isalpha((unsigned char)c) || c == '*')
		return scan_name(s);
	if (isdigit((unsigned char)c) ||
		((c == '-' || c == '+') && isdigit((unsigned char)peek(s, 1))))
		return scan_number(s);
	if (strchr("([{)]}", c) && c)
		return scan_bracket(s);
	if (c == '@') {
		if (!first || (size_t)(s->end - s->at) < sizeof(include) - 1 ||
			memcmp(s->at, include, sizeof(include) - 1) != 0)
			return refuse(s, "\"@\" has no meaning here");
		return scan_include(s);
	}
	if (!c || (unsigned char)c >= 0x7f || (unsigned char)c < ' ')
		return refuse(s, "byte 0x%02x has no meaning here", (unsigned char)c);
	return copy(s, 1);
}

static int scan_bytes(struct scanner *s)
{
	int r = begin_line(s);

	s->line_is_blank = true;
	if (s->end - s->at >= 3 && memcmp(s->at, "\xef\xbb\xbf", 3) == 0)
		s->at += 3;
	while (!r && s->at < s->end) {
		if (s->out->size > FILE_MAX)
			return refuse(s, "the configuration is larger than 1 MiB");
		r = scan_token(s);
	}
	if (r < 0)
		return r;
	if (s->n_open)
		return refuse_at(s, s->open[s->n_open - 1].line,
			"the bracket that wants \"%c\" is never closed",
			s->open[s->n_open - 1].closer);
	return 0;
}

/* The whole file, at most FILE_MAX bytes; malloc'd. */
static int read_whole(const char *path, char **ret_bytes, size_t *ret_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	char *bytes = NULL;
	size_t size = 0;
	int r;

	if (fd < 0)
		return -errno;
	r = fstat(fd, &status) < 0 ? -errno : 0;
	if (!r && S_ISDIR(status.st_mode))
		r = -EISDIR;
	if (!r) {
		bytes = malloc(FILE_MAX + 1);
		r = bytes ? 0 : -ENOMEM;
	}
	while (!r) {
		ssize_t n = read(fd, bytes + size, FILE_MAX + 1 - size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			r = n < 0 ? -errno : 0;
			break;
		}
		size += (size_t)n;
		if (size > FILE_MAX)
			r = -EFBIG;
	}
	(void)close(fd);
	if (r < 0) {
		free(bytes);
		return r;
	}
	*ret_bytes = bytes;
	*ret_size = size;
	return 0;
}

static int scan_file(struct scanner *parent, struct arena *arena, const char *path,
	const char *folder, struct config_text *out, struct error *err)
{
	struct scanner *s = calloc(1, sizeof(*s));
	char *bytes = NULL;
	size_t size = 0;
	int r;

	if (!s)
		return out_of_memory(err);
	r = read_whole(path, &bytes, &size);
	if (r < 0) {
		if (parent)
			(void)refuse(parent, "cannot read \"%s\": %s", path, strerror(-r));
		else
			(void)error_set(
				err, EXIT_USAGE, r, "cannot read \"%s\": %s", path, strerror(-r));
		goto free_scanner;
	}

	s->arena = arena;
	s->out = out;
	s->err = err;
	s->bytes = s->at = bytes;
	s->end = bytes + size;
	s->place = (struct place){ .file = path, .line = 1, .folder = folder };
	s->include_depth = parent ? parent->include_depth + 1 : 0;
	s->may_include = true;
	r = scan_bytes(s);
	free(bytes);

free_scanner:
	free(s);
	return r;
}

int config_text_read(
	struct arena *arena, const char *path, struct config_text *ret_text, struct error *err)
{
	struct config_text out = { 0 };
	const char *slash = strrchr(path, '/');
	const char *file = arena_strdup(arena, path);
	const char *folder = NULL;
	int r;

	if (slash)
		folder = arena_strndup(arena, path, slash == path ? 1 : (size_t)(slash - path));
	if (!file || (slash && !folder))
		return out_of_memory(err);

	r = scan_file(NULL, arena, file, folder, &out, err);
	if (r < 0) {
		config_text_finish(&out);
		return r;
	}
	*ret_text = out;
	return 0;
}

int config_text_from_string(struct arena *arena, const char *bytes, size_t size, const char *name,
	struct config_text *ret_text, struct error *err)
{
	struct config_text out = { 0 };
	struct scanner s = {
		.arena = arena,
		.out = &out,
		.err = err,
		.bytes = bytes,
		.at = bytes,
		.end = bytes + size,
		.place = { .file = arena_strdup(arena, name), .line = 1 },
	};
	int r;

	if (!s.place.file)
		return out_of_memory(err);
	r = scan_bytes(&s);
	if (r < 0) {
		config_text_finish(&out);
		return r;
	}
	*ret_text = out;
	return 0;
}

const struct place *config_text_place(const struct config_text *text, unsigned int line)
{
	if (line > text->n_lines)
		line = (unsigned int)text->n_lines;
	return &text->lines[line ? line - 1 : 0];
}

void config_text_finish(struct config_text *text)
{
	free(text->text);
	free(text->lines);
	*text = (struct config_text){ 0 };
}

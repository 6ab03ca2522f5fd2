/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line of the setting `ports`, such as "name=agent,socket=agent.sock,listen".
 *
 * Words are separated by commas; each is a key, with a value after `=` where it takes one.
 */
#include "console.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define MAX_FD 0xfffff

enum value { VALUE_NONE, VALUE_MAY, VALUE_MUST };

struct parse {
	const char *folder;
	struct port_spec *spec;
	char *why;
	size_t room;
};

static const struct {
	const struct port_backend *backend;
	enum value value;
} kinds[] = {
	{ &port_terminal, VALUE_NONE },
	{ &port_file, VALUE_MUST },
	{ &port_socket, VALUE_MUST },
	{ &port_pty, VALUE_MAY },
	{ &port_pipe, VALUE_MUST },
	{ &port_fd, VALUE_MUST },
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))
#define KINDS   "terminal, file, socket, pty, pipe or fd"

#define refuse(parse, ...) ((void)snprintf((parse)->why, (parse)->room, __VA_ARGS__), -EINVAL)

/* ---- values ---- */

static int take_name(const struct parse *parse, const char *value)
{
	size_t n = strlen(value);

	if (n >= sizeof(parse->spec->name))
		return refuse(parse, "the name has %zu bytes; wanted at most %zu", n,
			sizeof(parse->spec->name) - 1);
	for (const char *c = value; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f || *c == '/')
			return refuse(parse,
				"the name has a character 0x%02x; the guest makes a file of that "
				"name",
				(unsigned char)*c);
	if (strcmp(value, ".") == 0 || strcmp(value, "..") == 0)
		return refuse(
			parse, "the name is \"%s\"; the guest makes a file of that name", value);
	memcpy(parse->spec->name, value, n + 1);
	return 0;
}

static int take_path(const struct parse *parse, const char *value)
{
	bool bare = value[0] == '/' || !parse->folder || strcmp(parse->folder, ".") == 0;
	int n = bare ? asprintf(&parse->spec->path, "%s", value)
		     : asprintf(&parse->spec->path, "%s/%s", parse->folder, value);

	if (n < 0) {
		parse->spec->path = NULL;
		return -ENOMEM;
	}
	if (parse->spec->backend == &port_socket &&
		(size_t)n >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return refuse(parse, "the path of the socket has %d bytes; wanted at most %zu", n,
			sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* None at all is fine. */
static int take_number(const struct parse *parse, const char *value, size_t *at, int *to)
{
	size_t begin = *at;
	int number = 0;

	for (; is_digit(value[*at]); (*at)++) {
		number = number * 10 + (value[*at] - '0');
		if (number > MAX_FD)
			return refuse(parse, "fd is \"%s\": that number is too large", value);
	}
	if (*at == begin)
		return 0;
	if (number < 3)
		return refuse(
			parse, "fd is \"%s\": 0, 1 and 2 are tenon's own; wanted 3 or more", value);
	*to = number;
	return 0;
}

/* "7", "7:8", "7:" and ":8": for input, for output. */
static int take_fds(const struct parse *parse, const char *value)
{
	struct port_spec *spec = parse->spec;
	size_t at = 0;
	int ret = take_number(parse, value, &at, &spec->in_fd);

	if (ret == 0 && value[at] == '\0')
		spec->out_fd = spec->in_fd;
	else if (ret == 0 && value[at++] == ':')
		ret = take_number(parse, value, &at, &spec->out_fd);
	else if (ret == 0)
		at = 0;
	if (ret < 0)
		return ret;
	if (value[at] || (spec->in_fd < 0 && spec->out_fd < 0))
		return refuse(parse, "fd is \"%s\"; wanted N, or IN:OUT", value);
	return 0;
}

/* ---- words ---- */

static int take_kind(const struct parse *parse, size_t kind, const char *value)
{
	struct port_spec *spec = parse->spec;
	const char *word = kinds[kind].backend->word;

	if (spec->backend)
		return refuse(parse, "it is both %s and %s", spec->backend->word, word);
	spec->backend = kinds[kind].backend;
	if (value && kinds[kind].value == VALUE_NONE)
		return refuse(parse, "\"%s\" takes no value", word);
	if (kinds[kind].value == VALUE_MUST && (!value || !value[0]))
		return refuse(parse, "\"%s\" wants a value", word);
	if (!value)
		return 0;
	if (spec->backend == &port_fd)
		return take_fds(parse, value);
	return value[0] ? take_path(parse, value) : refuse(parse, "\"%s=\" wants a value", word);
}

static int take_flag(const struct parse *parse, const char *word, const char *value, bool *flag)
{
	if (value)
		return refuse(parse, "\"%s\" takes no value", word);
	if (*flag)
		return refuse(parse, "\"%s\" is there twice", word);
	*flag = true;
	return 0;
}

/* @word ends with NUL where its value began. */
static int take_word(const struct parse *parse, const char *word, const char *value)
{
	struct port_spec *spec = parse->spec;

	if (strcmp(word, "name") == 0) {
		if (spec->name[0])
			return refuse(parse, "\"name\" is there twice");
		return value && value[0] ? take_name(parse, value)
					 : refuse(parse, "\"name\" wants a value");
	}
	for (size_t i = 0; i < N_KINDS; i++)
		if (strcmp(word, kinds[i].backend->word) == 0)
			return take_kind(parse, i, value);
	if (strcmp(word, "listen") == 0)
		return take_flag(parse, word, value, &spec->listen);
	if (strcmp(word, "append") == 0)
		return take_flag(parse, word, value, &spec->append);
	if (strcmp(word, "console") == 0)
		return take_flag(parse, word, value, &spec->console);
	return refuse(parse,
		"there is no \"%.40s\"; wanted name, " KINDS ", listen, append, console", word);
}

static int check(const struct parse *parse)
{
	const struct port_spec *spec = parse->spec;

	if (!spec->backend)
		return refuse(parse, "it does not say where it leads; wanted one of " KINDS);
	if (spec->listen && spec->backend != &port_socket)
		return refuse(
			parse, "\"listen\" is for sockets, this is a %s", spec->backend->word);
	if (spec->append && spec->backend != &port_file)
		return refuse(parse, "\"append\" is for files, this is a %s", spec->backend->word);
	return 0;
}

int port_spec_parse(
	const char *text, const char *folder, struct port_spec *ret_spec, char *why, size_t room)
{
	struct port_spec spec = { .in_fd = -1, .out_fd = -1 };
	const struct parse parse = { folder, &spec, why, room };
	char *copy = strdup(text), *next = copy, *word;
	int ret = copy ? 0 : -ENOMEM;

	(void)snprintf(why, room, "out of memory");
	while (ret == 0 && (word = strsep(&next, ",")) != NULL) {
		char *value = strchr(word, '=');

		if (value)
			*value++ = '\0';
		ret = *word ? take_word(&parse, word, value)
			    : refuse(&parse, "a word is missing between its commas");
	}
	if (ret == 0)
		ret = check(&parse);
	free(copy);
	if (ret < 0) {
		port_spec_finish(&spec);
		return ret;
	}
	*ret_spec = spec;
	return 0;
}

void port_spec_finish(struct port_spec *spec)
{
	free(spec->path);
	spec->path = NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fdtsame A B: whether two device tree blobs say the same.  What a kernel changes in its own is
 * left out: the seeds, which it wipes, and with them the order of the strings and the sizes.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC   0xd00dfeedu
#define BEGIN   1u
#define END     2u
#define PROP    3u
#define NOP     4u
#define LAST    9u
#define AT_MOST (4u << 20)

struct tree {
	const char *file;
	uint8_t *bytes;
	size_t size, at, end, strings;
	/* The token that was read last. */
	uint32_t token;
	const char *name;
	const uint8_t *value;
	uint32_t length;
};

static void broken(const struct tree *t, const char *why)
{
	(void)printf("fdtsame: %s: %s\n", t->file, why);
	exit(2);
}

static uint32_t be32(const struct tree *t, size_t at)
{
	const uint8_t *p = t->bytes + at;

	if (at > t->size || t->size - at < 4)
		broken(t, "it ends too early");
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static const char *text(const struct tree *t, size_t at)
{
	if (at >= t->size || !memchr(t->bytes + at, 0, t->size - at))
		broken(t, "a text has no end");
	return (const char *)t->bytes + at;
}

static struct tree load(const char *file)
{
	struct tree t = { .file = file, .bytes = malloc(AT_MOST) };
	FILE *f = fopen(file, "rb");

	if (!f || !t.bytes)
		broken(&t, strerror(errno));
	t.size = fread(t.bytes, 1, AT_MOST, f);
	(void)fclose(f);
	if (be32(&t, 0) != MAGIC)
		broken(&t, "not a device tree");
	t.at = be32(&t, 8);
	t.strings = be32(&t, 12);
	return t;
}

static int is_seed(const char *name)
{
	return strcmp(name, "rng-seed") == 0 || strcmp(name, "kaslr-seed") == 0;
}

static void read_token(struct tree *t)
{
	t->token = be32(t, t->at);
	t->at += 4;
	if (t->token == BEGIN) {
		t->name = text(t, t->at);
		t->at += (strlen(t->name) + 4) & ~(size_t)3;
	} else if (t->token == PROP) {
		t->length = be32(t, t->at);
		t->name = text(t, t->strings + be32(t, t->at + 4));
		t->value = t->bytes + t->at + 8;
		if (t->length > t->size || t->at + 8 > t->size - t->length)
			broken(t, "a property has no end");
		t->at += 8 + ((t->length + 3) & ~3u);
	}
}

static void next(struct tree *t)
{
	do
		read_token(t);
	while (t->token == NOP || (t->token == PROP && is_seed(t->name)));
}

static int same(const struct tree *a, const struct tree *b)
{
	if (a->token != b->token)
		return 0;
	if ((a->token == BEGIN || a->token == PROP) && strcmp(a->name, b->name) != 0)
		return 0;
	return a->token != PROP ||
	       (a->length == b->length && memcmp(a->value, b->value, a->length) == 0);
}

int main(int argc, char **argv)
{
	struct tree a, b;
	unsigned n = 0;

	if (argc != 3)
		return 2;
	a = load(argv[1]);
	b = load(argv[2]);
	do {
		next(&a);
		next(&b);
		n += a.token == PROP;
		if (!same(&a, &b)) {
			printf("fdtsame: they differ at \"%s\" and \"%s\"\n", a.name, b.name);
			return 1;
		}
	} while (a.token != LAST);
	printf("fdtsame: %u properties alike\n", n);
	return n > 0 ? 0 : 2;
}

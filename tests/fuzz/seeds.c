/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seeds FOLDER: writes the inputs that fuzzing starts from, FOLDER/TARGET/NAME.  They are small and
 * well-formed, so that the fuzzer begins behind the first checks: one for each format and each kind
 * of use.
 */
#include "tests/fuzz/seeds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *root;

static void make_folder(const char *path)
{
	if (mkdir(path, 0777) < 0 && errno != EEXIST) {
		(void)fprintf(stderr, "seeds: mkdir %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

void seed_save(const char *target, const char *name, const struct seed *s)
{
	char path[4096];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", root, target);
	make_folder(path);
	(void)snprintf(path, sizeof(path), "%s/%s/%s", root, target, name);
	f = fopen(path, "wb");
	if (!f || fwrite(s->at, 1, s->n, f) != s->n || fclose(f) != 0) {
		(void)fprintf(stderr, "seeds: %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

void seed_put(struct seed *s, const void *bytes, size_t n)
{
	if (n > sizeof(s->at) - s->n)
		abort();
	memcpy(s->at + s->n, bytes, n);
	s->n += n;
}

void seed_le(struct seed *s, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++) {
		uint8_t b = (uint8_t)(value >> (8 * i));

		seed_put(s, &b, 1);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		(void)fprintf(stderr, "usage: seeds FOLDER\n");
		return 2;
	}
	root = argv[1];
	make_folder(root);
	seeds_config();
	seeds_console();
	seeds_gicv3();
	seeds_emu();
	seeds_kernel();
	seeds_serve();
	seeds_unpack();
	seeds_virtio();
	seeds_block();
	seeds_vhost_user();
	seeds_vsock();
	seeds_state();
	return 0;
}

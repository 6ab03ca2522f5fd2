/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay FOLDER...: runs a fuzz target over every file of the folders, in a build that has no
 * fuzzer.  The seeds and the inputs that once found something are thereby tests of every build.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/input.h"

static int run_file(const char *folder, const char *name)
{
	char path[4096];
	uint8_t *bytes = NULL;
	long size = -1;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "rb");
	if (f && fseek(f, 0, SEEK_END) == 0)
		size = ftell(f);
	if (size >= 0 && fseek(f, 0, SEEK_SET) == 0)
		bytes = malloc((size_t)size); /* no more, so that reading past it is seen */
	if ((size != 0 && !bytes) || fread(bytes, 1, (size_t)size, f) != (size_t)size) {
		(void)fprintf(stderr, "replay: cannot read %s: %s\n", path, strerror(errno));
		exit(1);
	}
	(void)fclose(f);
	(void)LLVMFuzzerTestOneInput(bytes, (size_t)size);
	free(bytes);
	return 1;
}

static int run_folder(const char *folder)
{
	struct dirent **names;
	int n = scandir(folder, &names, NULL, alphasort), ran = 0;

	if (n < 0) {
		(void)fprintf(stderr, "replay: cannot open %s: %s\n", folder, strerror(errno));
		exit(1);
	}
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.')
			ran += run_file(folder, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return ran;
}

int main(int argc, char **argv)
{
	int ran = 0;

	for (int i = 1; i < argc; i++)
		ran += run_folder(argv[i]);
	(void)printf("replay: %d inputs\n", ran);
	return ran > 0 ? 0 : 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast devices move data, each beside what the host does without it, in one run.
 *
 *   devices [--seconds N] [--rounds N] [--folder PATH] [PART...]
 */
#include "devices.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(const struct devices_options *o);
} parts[] = {
	{ "block", block_part },
};

#define N_PARTS (sizeof(parts) / sizeof(parts[0]))

static bool parse(int argc, char **argv, struct devices_options *o)
{
	static const struct option table[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "folder", required_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*o = (struct devices_options){ .seconds = 1, .rounds = 3, .folder = "/var/tmp" };
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 's')
			o->seconds = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'r')
			o->rounds = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'f')
			o->folder = optarg;
		else
			return false;
	}
	return o->seconds >= 1 && o->seconds <= 20 && o->rounds >= 1 && o->rounds <= 15;
}

static bool is_wanted(int argc, char **argv, const char *name)
{
	for (int i = optind; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return optind == argc;
}

int main(int argc, char **argv)
{
	struct devices_options o;
	int skipped = 0, failed = 0, ran = 0;

	if (!parse(argc, argv, &o)) {
		(void)fputs("usage: devices [--seconds N] [--rounds N] [--folder PATH] [PART...]\n",
			stderr);
		return 2;
	}
	for (size_t i = 0; i < N_PARTS; i++) {
		int ret;

		if (!is_wanted(argc, argv, parts[i].name))
			continue;
		ret = parts[i].run(&o);
		ran += ret == 0;
		skipped += ret == DEVICES_SKIPPED;
		failed += ret != 0 && ret != DEVICES_SKIPPED;
	}
	if (failed)
		return 1;
	return ran == 0 && skipped ? DEVICES_SKIPPED : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devices [--ms N] [--rounds N] [--folder PATH] [--strict] [PART...]: the data paths of devices,
 * driven through the test kit, beside what the host does without them, in one table.
 *
 * Each line is measured in turns with its comparison, the same way and in the same run.  The
 * device's times hold the driver's and the test kit's too.  With --strict a ratio below its limit
 * is a failure.
 */
#include "devices.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct part {
	const char *name;
	int (*run)(struct devices_options *o);
} parts[] = {
	{ "block", block_part },
	{ "net", net_part },
	{ "vsock", vsock_part },
};

#define N_PARTS (sizeof(parts) / sizeof(parts[0]))

static bool parse(int argc, char **argv, struct devices_options *o, bool *ret_strict)
{
	static const struct option table[] = {
		{ "ms", required_argument, NULL, 'm' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "folder", required_argument, NULL, 'f' },
		{ "strict", no_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*o = (struct devices_options){ .ms = 400, .rounds = 5, .folder = "/var/tmp" };
	*ret_strict = false;
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 'm')
			o->ms = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'r')
			o->rounds = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'f')
			o->folder = optarg;
		else if (c == 's')
			*ret_strict = true;
		else
			return false;
	}
	return o->ms >= 10 && o->ms <= 20000 && o->rounds >= 1 && o->rounds <= DEVICES_MOST_ROUNDS;
}

static bool is_wanted(int argc, char **argv, const char *name)
{
	for (int i = optind; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return optind == argc;
}

static bool are_known(int argc, char **argv)
{
	for (int i = optind; i < argc; i++) {
		bool known = false;

		for (size_t k = 0; k < N_PARTS; k++)
			known |= strcmp(argv[i], parts[k].name) == 0;
		if (!known)
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct devices_options o;
	int skipped = 0, failed = 0;
	bool strict;

	if (!parse(argc, argv, &o, &strict) || !are_known(argc, argv)) {
		(void)fputs("usage: devices [--ms 10..20000] [--rounds 1..15] [--folder PATH] "
			    "[--strict] [block] [net] [vsock]\n",
			stderr);
		return 2;
	}
	devices_head(&o);
	for (size_t i = 0; i < N_PARTS; i++) {
		int ret;

		if (!is_wanted(argc, argv, parts[i].name))
			continue;
		ret = parts[i].run(&o);
		skipped += ret == DEVICES_SKIPPED;
		failed += ret != 0 && ret != DEVICES_SKIPPED;
	}
	if (o.n_below > 0)
		(void)printf("%u of %u rows are below their limit\n", o.n_below, o.n_rows);
	if (failed || (strict && o.n_below > 0))
		return 1;
	return o.n_rows == 0 && skipped ? DEVICES_SKIPPED : 0;
}

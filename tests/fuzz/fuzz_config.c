/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a configuration.  The first line, if it begins with "--", is taken as an override
 * ("--set ..." or "--device ..."); the rest is the file.  Devices are then held against a table
 * that has every type of setting.  No file is opened: @include is refused in memory.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/error.h"
#include "core/settings.h"
#include "tests/fuzz/input.h"

static const struct tenon_key keys[] = {
	{ "path", TENON_KEY_PATH, 0, NULL, NULL, "" },
	{ "read_only", TENON_KEY_BOOL, 0, "false", NULL, "" },
	{ "queues", TENON_KEY_INT, 0, "1", "1..16", "" },
	{ "limit", TENON_KEY_SIZE, 0, "4K", "4K..1T", "" },
	{ "base", TENON_KEY_ADDR, 0, NULL, NULL, "" },
	{ "cache", TENON_KEY_ENUM, 0, "writeback", "none|writeback", "" },
	{ "mac", TENON_KEY_MAC, 0, NULL, NULL, "" },
	{ "fd", TENON_KEY_FD, 0, NULL, NULL, "" },
	{ "key", TENON_KEY_STRING, TENON_KEY_SECRET, NULL, NULL, "" },
	{ "tags", TENON_KEY_STRING, TENON_KEY_LIST, "( \"a\" )", NULL, "" },
	{ 0 },
};

static void check_devices(const struct vm_config *config)
{
	static FILE *nowhere;

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	for (size_t i = 0; i < config->n_devices; i++) {
		struct tenon_config *settings = NULL;
		struct error err = { 0 };
		int r = settings_check(&config->devices[i], keys, &settings, &err);

		/* A refusal without a sentence is a bug of ours. */
		if (r < 0 && !err.text[0])
			abort();
		if (!r && nowhere)
			settings_print(settings, "", nowhere);
		settings_free(settings);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct config_override override = { 0 };
	struct vm_config *config = NULL;
	struct error err = { 0 };
	char line[256];
	size_t n = 0;
	int r;

	if (size > 2 && text[0] == '-' && text[1] == '-') {
		const char *newline = memchr(text, '\n', size);
		size_t whole = newline ? (size_t)(newline - text) : size;

		n = whole < sizeof(line) - 1 ? whole : sizeof(line) - 1;
		memcpy(line, text, n);
		line[n] = '\0';
		override.kind = text[2] == 'd' ? OVERRIDE_DEVICE : OVERRIDE_SET;
		override.option = text[2] == 'd' ? "--device" : "--set";
		override.text = strchr(line, ' ') ? strchr(line, ' ') + 1 : line;
	}

	r = vm_config_read_string(
		text + n, size - n, "fuzz", &override, override.text ? 1 : 0, &config, &err);
	if (r < 0 && !err.text[0])
		abort();
	if (!r)
		check_devices(config);
	vm_config_free(config);
	return 0;
}

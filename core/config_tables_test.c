/* SPDX-License-Identifier: Apache-2.0 */
/* The core's own tables are good ones, and tenon.conf(5) describes each of their settings. */
#include "core/config_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/settings.h"

static char man[65536];

static int read_man(void **state)
{
	FILE *file = fopen(TENON_MAN, "r");
	size_t n;

	if (!file)
		return -1;
	n = fread(man, 1, sizeof(man) - 1, file);
	man[n] = '\0';
	return fclose(file);
}

/* The section between two headings. */
static const char *section(const char *heading, char text[16384])
{
	const char *start = strstr(man, heading), *stop;
	size_t n;

	assert_non_null(start);
	start += strlen(heading);
	stop = strstr(start, "\n.S");
	assert_non_null(stop);
	n = (size_t)(stop - start);
	assert_true(n < 16384);
	memcpy(text, start, n);
	text[n] = '\0';
	return text;
}

static void described(const char *heading, const struct tenon_key *keys)
{
	char text[16384];
	size_t n_items = 0, n_keys = 0;

	section(heading, text);
	for (const char *at = text; (at = strstr(at, "\n.It Ic ")); at++)
		n_items++;
	for (; keys->name; keys++, n_keys++) {
		char item[128];
		const char *at;

		(void)snprintf(item, sizeof(item), "\n.It Ic %s No (", keys->name);
		at = strstr(text, item);
		if (!at) {
			fail_msg("tenon.conf(5) does not describe \"%s\"", keys->name);
			return;
		}
		at += strlen(item);
		if (strncmp(at, settings_type_name(keys), strlen(settings_type_name(keys))) != 0)
			fail_msg("tenon.conf(5) has another type for \"%s\"", keys->name);
	}
	assert_int_equal(n_items, n_keys);
}

static void every_setting_is_in_the_manual(void **state)
{
	described(".Ss The group vm", config_vm_keys);
	described(".Ss The group payload", config_payload_keys);
	described(".Ss The list devices", config_device_keys);
}

static void the_tables_are_good(void **state)
{
	struct error err = { 0 };

	assert_int_equal(settings_check_table("payload", config_payload_keys, &err), 0);
	/* `name` and `isolation` are reserved in a device alone. */
	assert_int_equal(settings_check_table("vm", config_vm_keys + 2, &err), 0);
	for (const struct tenon_key *key = config_device_keys; key->name; key++)
		assert_true(settings_reserved(key->name));
}

static void settings_know_their_section(void **state)
{
	assert_string_equal(config_section_of("memory"), "vm");
	assert_string_equal(config_section_of("kernel"), "payload");
	assert_null(config_section_of("type"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_setting_is_in_the_manual),
		cmocka_unit_test(the_tables_are_good),
		cmocka_unit_test(settings_know_their_section),
	};

	return cmocka_run_group_tests(tests, read_man, NULL);
}

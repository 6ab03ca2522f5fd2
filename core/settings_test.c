/* SPDX-License-Identifier: Apache-2.0 */
/* Settings against a class's table: every type, defaults, lists, paths, secrets, and the table. */
#include "core/settings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/config.h"
#include "core/error.h"

static const struct tenon_key keys[] = {
	{ "path", TENON_KEY_PATH, TENON_KEY_REQUIRED, NULL, NULL, "the image" },
	{ "read_only", TENON_KEY_BOOL, 0, "false", NULL, "" },
	{ "queues", TENON_KEY_INT, 0, "1", "1..16", "" },
	{ "offset", TENON_KEY_INT, 0, NULL, "-5..", "" },
	{ "limit", TENON_KEY_SIZE, 0, "4K", "4K..1T", "" },
	{ "base", TENON_KEY_ADDR, 0, "0xd0000000", NULL, "" },
	{ "label", TENON_KEY_STRING, 0, NULL, NULL, "" },
	{ "cache", TENON_KEY_ENUM, 0, "writeback", "none|writeback|writethrough", "" },
	{ "mac", TENON_KEY_MAC, 0, NULL, NULL, "" },
	{ "fd", TENON_KEY_FD, 0, NULL, NULL, "" },
	{ "key", TENON_KEY_STRING, TENON_KEY_SECRET, NULL, NULL, "" },
	{ "tags", TENON_KEY_STRING, TENON_KEY_LIST, "( \"a\", \"b\" )", NULL, "" },
	{ "ports", TENON_KEY_INT, TENON_KEY_LIST, NULL, "1..65535", "" },
	{ 0 },
};

/* Checks the settings of one device, given as they stand in a file. */
static int check(const char *settings, const struct tenon_key *table, struct tenon_config **ret,
	struct error *err)
{
	struct vm_config *config = NULL;
	char text[1024];
	int r;

	*err = (struct error){ 0 };
	(void)snprintf(text, sizeof(text),
		"payload: { kernel = \"k\"; };\n"
		"devices = ( { type = \"block\"; name = \"disk0\";\n%s } );",
		settings);
	r = vm_config_read_string(text, strlen(text), "vm.cfg", NULL, 0, &config, err);
	if (r < 0)
		return r;
	r = settings_check(&config->devices[0], table, ret, err);
	vm_config_free(config);
	return r;
}

static struct tenon_config *good(const char *settings)
{
	struct tenon_config *config = NULL;
	struct error err;

	if (check(settings, keys, &config, &err) < 0)
		fail_msg("%s", err.text);
	return config;
}

static void defaults_are_filled_in(void **state)
{
	struct tenon_config *config = good("path = \"/p\";");

	assert_string_equal(settings_str(config, "path", 0), "/p");
	assert_int_equal(settings_int(config, "read_only"), 0);
	assert_int_equal(settings_count(config, "read_only"), 1);
	assert_int_equal(settings_int(config, "queues"), 1);
	assert_int_equal(settings_count(config, "offset"), 0);
	assert_int_equal(settings_size(config, "limit"), 4096);
	assert_int_equal(settings_size(config, "base"), 0xd0000000);
	assert_null(settings_str(config, "label", 0));
	assert_string_equal(settings_str(config, "cache", 0), "writeback");
	assert_int_equal(settings_int(config, "cache"), 1);
	assert_int_equal(settings_count(config, "tags"), 2);
	assert_string_equal(settings_str(config, "tags", 1), "b");
	assert_null(settings_str(config, "tags", 2));
	assert_int_equal(settings_count(config, "ports"), 0);
	assert_null(settings_place(config, "queues"));
	assert_int_equal(settings_place(config, "path")->line, 3);
	settings_free(config);
}

static void a_default_path_starts_from_the_file(void **state)
{
	static const struct tenon_key table[] = {
		{ "folder", TENON_KEY_PATH, 0, "shared", NULL, "" },
		{ 0 },
	};
	struct config_device device = { .type = "x", .name = "x" };
	struct tenon_config *config = NULL;
	struct error err = { 0 };

	device.place = (struct place){ .file = "/etc/vm/vm.cfg", .folder = "/etc/vm", .line = 1 };
	assert_int_equal(settings_check(&device, table, &config, &err), 0);
	assert_string_equal(settings_str(config, "folder", 0), "/etc/vm/shared");
	settings_free(config);
}

static void every_type_is_read(void **state)
{
	struct tenon_config *config =
		good("path = \"/p\"; read_only = true; queues = 0x10; offset = -5;\n"
		     "limit = 8192; base = \"0x1000\"; label = \"\"; cache = \"writethrough\";\n"
		     "mac = \"52:54:00:12:34:Af\"; fd = 0; tags = \"one\"; ports = [ 1, 65535 ];");

	assert_int_equal(settings_int(config, "read_only"), 1);
	assert_int_equal(settings_int(config, "queues"), 16);
	assert_int_equal(settings_int(config, "offset"), -5);
	assert_int_equal(settings_size(config, "limit"), 8192);
	assert_int_equal(settings_size(config, "base"), 4096);
	assert_string_equal(settings_str(config, "label", 0), "");
	assert_int_equal(settings_int(config, "cache"), 2);
	assert_string_equal(settings_str(config, "mac", 0), "52:54:00:12:34:Af");
	assert_int_equal(settings_int(config, "fd"), 0);
	assert_int_equal(settings_count(config, "fd"), 1);
	assert_int_equal(settings_count(config, "tags"), 1);
	assert_string_equal(settings_str(config, "tags", 0), "one");
	assert_int_equal(settings_count(config, "ports"), 2);
	settings_free(config);
}

static void a_key_outside_the_table_is_nothing(void **state)
{
	struct tenon_config *config = good("path = \"/p\";");

	assert_int_equal(settings_count(config, "nothing"), 0);
	assert_null(settings_str(config, "nothing", 0));
	assert_int_equal(settings_int(config, "nothing"), 0);
	assert_int_equal(settings_size(config, "nothing"), 0);
	settings_free(config);
}

static void words_of_the_command_line_take_the_keys_type(void **state)
{
	const struct config_override overrides[] = {
		{ OVERRIDE_SET, "--kernel", "payload.kernel", "k" },
		{ OVERRIDE_DEVICE, "--device", NULL,
			"block,path=p,read_only,queues=4,limit=64K,label=12,tags=x,tags=y" },
	};
	struct tenon_config *settings = NULL;
	struct vm_config *config = NULL;
	struct error err = { 0 };

	assert_int_equal(vm_config_from_command_line(overrides, 2, &config, &err), 0);
	if (settings_check(&config->devices[0], keys, &settings, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(settings_int(settings, "read_only"), 1);
	assert_int_equal(settings_int(settings, "queues"), 4);
	assert_int_equal(settings_size(settings, "limit"), 65536);
	assert_string_equal(settings_str(settings, "label", 0), "12");
	assert_int_equal(settings_count(settings, "tags"), 2);
	settings_free(settings);
	vm_config_free(config);
}

static void refuses_with_a_sentence(void **state)
{
	static const char *const cases[][2] = {
		{ "path = \"p\";\npth = 1;",
			"vm.cfg:4: disk0: unknown setting \"pth\" for block (did you mean "
			"\"path\"?)" },
		{ "path = \"p\";\nzebra = 1;",
			"vm.cfg:4: disk0: unknown setting \"zebra\" for block" },
		{ "path = \"p\"; adress = \"0x1000\";",
			"vm.cfg:3: disk0: unknown setting \"adress\" for block (did you mean "
			"\"address\"?)" },
		{ "", "vm.cfg:2: disk0: \"path\" is missing: block needs it" },
		{ "path = \"\";", "vm.cfg:3: disk0: \"path\" is \"\"; wanted a path" },
		{ "path = 5;", "vm.cfg:3: disk0: \"path\" is the number 5; wanted a path" },
		{ "path = ( \"a\" );", "vm.cfg:3: disk0: \"path\" is a list; wanted a path" },
		{ "path = \"p\"; read_only = \"true\";",
			"vm.cfg:3: disk0: \"read_only\" is \"true\"; wanted true or false" },
		{ "path = \"p\"; read_only = 1;",
			"vm.cfg:3: disk0: \"read_only\" is the number 1; wanted true or false" },
		{ "path = \"p\"; queues = 17;",
			"vm.cfg:3: disk0: \"queues\" is the number 17; wanted a number from 1 to "
			"16" },
		{ "path = \"p\"; queues = 1.5;",
			"vm.cfg:3: disk0: \"queues\" is the number 1.5; wanted a number from 1 to "
			"16" },
		{ "path = \"p\"; queues = \"4\";",
			"vm.cfg:3: disk0: \"queues\" is \"4\"; wanted a number from 1 to 16" },
		{ "path = \"p\"; offset = -6;",
			"vm.cfg:3: disk0: \"offset\" is the number -6; wanted a number of at least "
			"-5" },
		{ "path = \"p\"; limit = \"2T\";",
			"vm.cfg:3: disk0: \"limit\" is \"2T\"; wanted a size from \"4K\" to "
			"\"1T\"" },
		{ "path = \"p\"; limit = \"17e18\";",
			"vm.cfg:3: disk0: \"limit\" is \"17e18\"; wanted a size from \"4K\" to "
			"\"1T\"" },
		{ "path = \"p\"; limit = 8589934592L;",
			"vm.cfg:3: disk0: \"limit\" is the number 8589934592; write sizes as "
			"strings, such as \"8G\"" },
		{ "path = \"p\"; limit = -1;",
			"vm.cfg:3: disk0: \"limit\" is the number -1; write sizes as strings, such "
			"as \"512M\"" },
		{ "path = \"p\"; base = \"d000\";",
			"vm.cfg:3: disk0: \"base\" is \"d000\"; wanted an address such as "
			"\"0xd0000000\"" },
		{ "path = \"p\"; label = 5;",
			"vm.cfg:3: disk0: \"label\" is the number 5; wanted a string" },
		{ "path = \"p\"; label = { };",
			"vm.cfg:3: disk0: \"label\" is a group { }; wanted a string" },
		{ "path = \"p\"; cache = \"write\";", "vm.cfg:3: disk0: \"cache\" is \"write\"; "
						      "wanted \"none\", \"writeback\" or "
						      "\"writethrough\"" },
		{ "path = \"p\"; cache = \"none|writeback\";",
			"vm.cfg:3: disk0: \"cache\" is \"none|writeback\"; wanted \"none\", "
			"\"writeback\" or \"writethrough\"" },
		{ "path = \"p\"; mac = \"52:54:00:12:34\";",
			"vm.cfg:3: disk0: \"mac\" is \"52:54:00:12:34\"; wanted a MAC address such "
			"as \"52:54:00:12:34:56\"" },
		{ "path = \"p\"; mac = \"52:54:00:12:34:5g\";",
			"vm.cfg:3: disk0: \"mac\" is \"52:54:00:12:34:5g\"; wanted a MAC address "
			"such as \"52:54:00:12:34:56\"" },
		{ "path = \"p\"; fd = -1;",
			"vm.cfg:3: disk0: \"fd\" is the number -1; wanted the number of an open "
			"descriptor" },
		{ "path = \"p\"; fd = 1000000;",
			"vm.cfg:3: disk0: \"fd\" is the number 1000000, which is not an open "
			"descriptor" },
		{ "path = \"p\"; key = 12345;",
			"vm.cfg:3: disk0: \"key\" is something else; wanted a string" },
		{ "path = \"p\"; tags = ( \"a\",\n 5 );",
			"vm.cfg:4: disk0: element 2 of \"tags\" is the number 5; wanted a string" },
		{ "path = \"p\"; ports = [ 0 ];",
			"vm.cfg:3: disk0: element 1 of \"ports\" is the number 0; wanted a number "
			"from 1 to 65535" },
		{ "path = \"p\"; ports = ( ( 1 ) );",
			"vm.cfg:3: disk0: element 1 of \"ports\" is a list; wanted a number from 1 "
			"to 65535" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct tenon_config *config = NULL;
		struct error err;

		assert_int_equal(check(cases[i][0], keys, &config, &err), -EINVAL);
		assert_string_equal(err.text, cases[i][1]);
		assert_int_equal(err.exit_code, EXIT_USAGE);
		assert_null(config);
	}
}

static void a_class_without_settings_takes_none(void **state)
{
	struct tenon_config *config = NULL;
	struct error err;

	assert_int_equal(check("", NULL, &config, &err), 0);
	settings_free(config);
	config = NULL;
	assert_int_equal(check("path = \"p\";", NULL, &config, &err), -EINVAL);
	assert_string_equal(err.text, "vm.cfg:3: disk0: unknown setting \"path\" for block");
}

static void printing_hides_secrets(void **state)
{
	struct tenon_config *config = good(
		"path = \"/a \\\"b\\\"\"; key = \"hunter2\"; limit = \"1536K\"; ports = [ 1, 2 ];");
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	settings_print(config, "  ", out);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "  path = \"/a \\\"b\\\"\"\n"
				  "  read_only = false (default)\n"
				  "  queues = 1 (default)\n"
				  "  limit = \"1536K\"\n"
				  "  base = \"0xd0000000\" (default)\n"
				  "  cache = \"writeback\" (default)\n"
				  "  key = \"***\"\n"
				  "  tags = ( \"a\", \"b\" ) (default)\n"
				  "  ports = ( 1, 2 )\n");
	free(text);
	settings_free(config);
}

static void good_tables_pass(void **state)
{
	struct error err = { 0 };

	assert_int_equal(settings_check_table("block", keys, &err), 0);
	assert_int_equal(settings_check_table("block", NULL, &err), 0);
}

static void bad_tables_are_refused(void **state)
{
	static const struct {
		struct tenon_key keys[3];
		const char *sentence;
	} cases[] = {
		{ { { "Path", TENON_KEY_PATH, 0, NULL, NULL, NULL } },
			"x: setting \"Path\" of the plugin: the name must be of a-z, 0-9 and _" },
		{ { { "irq", TENON_KEY_INT, 0, NULL, NULL, NULL } },
			"x: setting \"irq\" of the plugin: the name belongs to the core" },
		{ { { "isolation", TENON_KEY_INT, 0, NULL, NULL, NULL } },
			"x: setting \"isolation\" of the plugin: the name belongs to the core" },
		{ { { "a", TENON_KEY_INT, 0, NULL, NULL, NULL },
			  { "a", TENON_KEY_INT, 0, NULL, NULL, NULL } },
			"x: setting \"a\" of the plugin: the name is there twice" },
		{ { { "a", 10, 0, NULL, NULL, NULL } },
			"x: setting \"a\" of the plugin: the type is not known" },
		{ { { "a", TENON_KEY_INT, 64, NULL, NULL, NULL } },
			"x: setting \"a\" of the plugin: a flag is not known" },
		{ { { "a", TENON_KEY_INT, TENON_KEY_REQUIRED, "1", NULL, NULL } },
			"x: setting \"a\" of the plugin: it is required and has a default" },
		{ { { "a", TENON_KEY_INT, 0, NULL, "1-5", NULL } },
			"x: setting \"a\" of the plugin: \"values\" do not fit the type" },
		{ { { "a", TENON_KEY_INT, 0, NULL, "5..1", NULL } },
			"x: setting \"a\" of the plugin: \"values\" do not fit the type" },
		{ { { "a", TENON_KEY_SIZE, 0, NULL, "1K..x", NULL } },
			"x: setting \"a\" of the plugin: \"values\" do not fit the type" },
		{ { { "a", TENON_KEY_ENUM, 0, NULL, NULL, NULL } },
			"x: setting \"a\" of the plugin: \"values\" do not fit the type" },
		{ { { "a", TENON_KEY_BOOL, 0, NULL, "0..1", NULL } },
			"x: setting \"a\" of the plugin: \"values\" do not fit the type" },
		{ { { "a", TENON_KEY_INT, 0, "9", "1..5", NULL } },
			"x: the default of \"a\" in the plugin is not usable: '9'" },
		{ { { "a", TENON_KEY_ENUM, 0, "c", "a|b", NULL } },
			"x: the default of \"a\" in the plugin is not usable: 'c'" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct error err = { 0 };

		assert_int_equal(settings_check_table("x", cases[i].keys, &err), -EINVAL);
		assert_string_equal(err.text, cases[i].sentence);
		assert_int_equal(err.exit_code, EXIT_INTERNAL);
	}
}

static void types_have_names(void **state)
{
	assert_string_equal(settings_type_name(&keys[0]), "path");
	assert_string_equal(settings_type_name(&keys[11]), "list of strings");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_filled_in),
		cmocka_unit_test(a_default_path_starts_from_the_file),
		cmocka_unit_test(every_type_is_read),
		cmocka_unit_test(a_key_outside_the_table_is_nothing),
		cmocka_unit_test(words_of_the_command_line_take_the_keys_type),
		cmocka_unit_test(refuses_with_a_sentence),
		cmocka_unit_test(a_class_without_settings_takes_none),
		cmocka_unit_test(printing_hides_secrets),
		cmocka_unit_test(good_tables_pass),
		cmocka_unit_test(bad_tables_are_refused),
		cmocka_unit_test(types_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

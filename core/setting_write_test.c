/* SPDX-License-Identifier: Apache-2.0 */
/* Settings written back: the same when read again, on the same lines; and as arguments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/config.h"
#include "core/error.h"
#include "core/setting.h"

static struct vm_config *read_config(
	const char *text, const struct config_override *overrides, size_t n)
{
	struct vm_config *config = NULL;
	struct error err = { 0 };

	if (vm_config_read_string(text, strlen(text), "vm.cfg", overrides, n, &config, &err) < 0)
		fail_msg("%s", err.text);
	return config;
}

static char *written(const struct setting *group,
	void (*write)(const struct setting *group, FILE *out), size_t *ret_size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_size);

	assert_non_null(out);
	write(group, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static const char file[] = "payload: { kernel = \"k\"; };\n"
			   "devices = (\n"
			   "  { type = \"block\"; path = \"a \\\"b\\\"\\\\\\n\";\n"
			   "    n = -5; wide = 5000000000L; yes = true; part = 1.5;\n"
			   "\n"
			   "    list = ( 1,\n"
			   "             \"two\" ); inner = { a = 1; }; none = (); } );\n";

static void every_value_stands_where_it_was(void **state)
{
	struct vm_config *config = read_config(file, NULL, 0);
	size_t size;
	char *text = written(&config->devices[0].settings, setting_write, &size);

	assert_string_equal(text, "\n\n"
				  "path = \"a \\\"b\\\"\\\\\\x0a\"; \n"
				  "n = -5; wide = 5000000000L; yes = true; part = 1.5; \n"
				  "\n"
				  "list = ( 1\n"
				  ", \"two\" ); inner = { a = 1; }; none = ( ); \n");
	free(text);
	vm_config_free(config);
}

static void what_is_written_is_read_again(void **state)
{
	struct vm_config *config = read_config(file, NULL, 0), *again;
	char device[1024], *first, *second;
	size_t size;

	first = written(&config->devices[0].settings, setting_write, &size);
	(void)snprintf(device, sizeof(device),
		"payload: { kernel = \"k\"; }; devices = ( { type = \"block\"; %s } );", first);
	again = read_config(device, NULL, 0);
	second = written(&again->devices[0].settings, setting_write, &size);
	assert_string_equal(second, first);
	free(first);
	free(second);
	vm_config_free(config);
	vm_config_free(again);
}

static void the_command_line_stays_one(void **state)
{
	static const struct config_override overrides[] = {
		{ OVERRIDE_DEVICE, "--device", NULL,
			"block,path=x,n=5,tags=one,tags=\"a \\\"b\\\"\",both=( 1, \"2\" )" },
	};
	static const char wanted[] =
		"path=x\0n=5\0tags=one\0tags=\"a \\\"b\\\"\"\0both=( 1, \"2\" )";
	struct vm_config *config = read_config("payload: { kernel = \"k\"; };", overrides, 1);
	const struct setting *group = &config->devices[0].settings;
	size_t size;
	char *text = written(group, setting_write, &size);

	assert_string_equal(text, "\n"); /* nothing of it was in a file */
	free(text);
	text = written(group, setting_write_arguments, &size);
	assert_int_equal(size, sizeof(wanted));
	assert_memory_equal(text, wanted, size);
	free(text);
	vm_config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_stands_where_it_was),
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(the_command_line_stays_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: what it is taken apart into, and how it is refused. */
#include "core/cli.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"

#define ARGS(...)                                                                                  \
	(const char *[])                                                                           \
	{                                                                                          \
		"tenon", __VA_ARGS__, NULL                                                         \
	}

static int parse(const char **args, struct cli *cli, struct error *err)
{
	char *argv[16];
	int argc = 0;

	for (; args[argc]; argc++) {
		assert_true(argc < 15);
		argv[argc] = (char *)(uintptr_t)args[argc];
	}
	argv[argc] = NULL;
	*err = (struct error){ 0 };
	return cli_parse(argc, argv, cli, err);
}

static void good(const char **args, struct cli *cli)
{
	struct error err;

	if (parse(args, cli, &err) < 0)
		fail_msg("%s", err.text);
}

static void run_takes_a_file_and_overrides(void **state)
{
	struct cli cli;

	good(ARGS("run", "vm.cfg", "--set", "vm.vcpus=2", "--device=rng,name=r", "--timing", "-vv"),
		&cli);
	assert_int_equal(cli.command, CLI_RUN);
	assert_string_equal(cli.file, "vm.cfg");
	assert_int_equal(cli.n_overrides, 2);
	assert_int_equal(cli.overrides[0].kind, OVERRIDE_SET);
	assert_string_equal(cli.overrides[0].text, "vm.vcpus=2");
	assert_null(cli.overrides[0].key);
	assert_int_equal(cli.overrides[1].kind, OVERRIDE_DEVICE);
	assert_string_equal(cli.overrides[1].text, "rng,name=r");
	assert_true(cli.run.timing);
	assert_int_equal(cli.verbosity, 2);
	cli_finish(&cli);
}

static void quick_form_becomes_a_machine(void **state)
{
	struct vm_config *config = NULL;
	struct error err = { 0 };
	struct cli cli;

	good(ARGS("run", "--kernel", "/dev/null", "--initrd", "/dev/zero", "--append", "a b",
		     "--memory", "64M", "--cpus=2", "--hypervisor", "null"),
		&cli);
	assert_int_equal(cli_read_config(&cli, &config, &err), 0);
	assert_string_equal(config->payload.kernel, "/dev/null");
	assert_string_equal(config->payload.initrd, "/dev/zero");
	assert_string_equal(config->payload.cmdline, "a b");
	assert_int_equal(config->memory_bytes, 64 << 20);
	assert_int_equal(config->vcpus, 2);
	assert_string_equal(config->hypervisor, "null");
	vm_config_free(config);
	cli_finish(&cli);
}

static void other_commands_are_taken_apart(void **state)
{
	struct cli cli;

	good(ARGS("check", "vm.cfg"), &cli);
	assert_int_equal(cli.command, CLI_CHECK);
	cli_finish(&cli);
	good(ARGS("plugins", "--json", "rng"), &cli);
	assert_true(cli.plugins.json);
	assert_string_equal(cli.plugins.name, "rng");
	cli_finish(&cli);
	good(ARGS("-v", "host", "--json", "--log-file", "/x"), &cli);
	assert_int_equal(cli.command, CLI_HOST);
	assert_true(cli.host.json);
	assert_int_equal(cli.verbosity, 1);
	assert_string_equal(cli.log_file, "/x");
	cli_finish(&cli);
	good(ARGS("bundle", "--kernel", "k", "-oout", "--initrd=i"), &cli);
	assert_string_equal(cli.bundle.kernel, "k");
	assert_string_equal(cli.bundle.initrd, "i");
	assert_string_equal(cli.bundle.output, "out");
	cli_finish(&cli);
	good(ARGS("--version", "-v"), &cli);
	assert_int_equal(cli.command, CLI_VERSION);
	assert_int_equal(cli.verbosity, 1);
	cli_finish(&cli);
}

static void help_needs_nothing_else(void **state)
{
	struct cli cli;

	good(ARGS("run", "--help"), &cli);
	assert_true(cli.help);
	assert_non_null(strstr(cli_help(cli.command), "tenon run FILE"));
	cli_finish(&cli);
	good(ARGS("-h"), &cli);
	assert_true(cli.help);
	assert_non_null(strstr(cli_help(cli.command), "tenon COMMAND"));
	cli_finish(&cli);
	for (int command = CLI_NONE; command <= CLI_VERSION; command++)
		assert_non_null(cli_help((enum cli_command)command));
}

static void words_after_two_dashes_are_no_options(void **state)
{
	struct cli cli;

	good(ARGS("run", "--", "--odd.cfg"), &cli);
	assert_string_equal(cli.file, "--odd.cfg");
	cli_finish(&cli);
}

static void refuses_with_a_sentence(void **state)
{
	static const struct {
		const char *args[6];
		const char *sentence;
	} cases[] = {
		{ { "tenon" }, "a command is missing; see `tenon --help`" },
		{ { "tenon", "rum" },
			"unknown command \"rum\" (did you mean \"run\"?); see `tenon --help`" },
		{ { "tenon", "launch" }, "unknown command \"launch\"; see `tenon --help`" },
		{ { "tenon", "run" },
			"nothing to run: give a FILE or --kernel; see `tenon run --help`" },
		{ { "tenon", "check" },
			"nothing to check: give a FILE or --kernel; see `tenon check --help`" },
		{ { "tenon", "run", "a", "b" },
			"one argument too many: \"b\"; see `tenon run --help`" },
		{ { "tenon", "run", "--kernal=x" },
			"unknown option \"--kernal\" (did you mean \"--kernel\"?); see `tenon run "
			"--help`" },
		{ { "tenon", "run", "-x" }, "unknown option \"-x\"; see `tenon run --help`" },
		{ { "tenon", "run", "a", "--set" },
			"option \"--set\" wants a value; see `tenon run --help`" },
		{ { "tenon", "run", "--memory=" },
			"option \"--memory\" wants a value; see `tenon run --help`" },
		{ { "tenon", "run", "--append" },
			"option \"--append\" wants a value; see `tenon run --help`" },
		{ { "tenon", "run", "a", "--timing=1" }, "option \"--timing\" takes no value" },
		{ { "tenon", "check", "a", "--timing" },
			"unknown option \"--timing\"; see `tenon check --help`" },
		{ { "tenon", "host", "x" },
			"one argument too many: \"x\"; see `tenon host --help`" },
		{ { "tenon", "bundle", "--kernel=k" },
			"option \"--output\" is missing; see `tenon bundle --help`" },
		{ { "tenon", "bundle", "--output=k" },
			"option \"--kernel\" is missing; see `tenon bundle --help`" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *args[7] = { 0 };
		struct error err;
		struct cli cli;

		memcpy(args, cases[i].args, sizeof(cases[i].args));
		assert_int_equal(parse(args, &cli, &err), -EINVAL);
		assert_string_equal(err.text, cases[i].sentence);
		assert_int_equal(err.exit_code, EXIT_USAGE);
		cli_finish(&cli);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(run_takes_a_file_and_overrides),
		cmocka_unit_test(quick_form_becomes_a_machine),
		cmocka_unit_test(other_commands_are_taken_apart),
		cmocka_unit_test(help_needs_nothing_else),
		cmocka_unit_test(words_after_two_dashes_are_no_options),
		cmocka_unit_test(refuses_with_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wrong configurations, one after the other: each is refused with one sentence that says where,
 * what was found and what was wanted, and with the exit code for it.
 */
#include "core/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/packages.h"

#define PAYLOAD          "payload: { kernel = \"k\"; };\n"
#define ONE_DEVICE(text) PAYLOAD "devices = ( {\n" text " } );"

struct wrong {
	const char *text;
	const char *sentence;
};

static const struct wrong syntax[] = {
	{ "vm = {", "vm.cfg:1: the bracket that wants \"}\" is never closed" },
	{ "vm: {\n memory = \"1G;\n};", "vm.cfg:2: a string is not closed on its line" },
	{ "vm: {\n memory \"1G\";\n};", "vm.cfg:2: syntax error at or before 'memory \"1G\";'" },
	{ "vm: {\n devices = ( }\n",
		"vm.cfg:2: found \"}\"; wanted \")\" for the bracket of line 2" },
	{ "vm: { } }", "vm.cfg:1: \"}\" closes nothing" },
	{ "vm: { name = \"a\";\n name = \"b\"; };",
		"vm.cfg:2: the setting \"name\" is there twice" },
	{ "vm: { };\nvm: { };", "vm.cfg:2: the setting \"vm\" is there twice" },
	{ "/* never\nclosed", "vm.cfg:1: a comment is not closed" },
	{ "vm: {\n memory = 4294967296;\n};",
		"vm.cfg:2: the number 4294967296 is too large to be read; write sizes and "
		"addresses as strings, other numbers with an L behind" },
	{ "vm: {\n memory = 0xd0000000;\n};",
		"vm.cfg:2: the number 0xd0000000 is too large to be read; write sizes and "
		"addresses as strings, other numbers with an L behind" },
	{ "vm: { vcpus = 99999999999999999999L; };", "vm.cfg:1: the number 99999999999999999999 is "
						     "too large to be read; write it as a string" },
	{ "vm: { oem_strings = [ \"a\", 5 ]; };",
		"vm.cfg:1: the elements of an array [ ] must be of one type; write ( ) instead" },
	{ "vm: { name = @x; };", "vm.cfg:1: \"@\" has no meaning here" },
	{ "@include \"other.cfg\"\n", "vm.cfg:1: @include needs a configuration that is a file" },
	{ "vm: { \001 };", "vm.cfg:1: byte 0x01 has no meaning here" },
	{ "devices = (((((((((((((((((((((((((((((((((((((((((",
		"vm.cfg:1: more than 32 brackets in each other" },
	{ "vm: { vcpus = ; };", "vm.cfg:1: syntax error at or before 'vm: { vcpus = ; };'" },
	{ "vm: {\n  name = \"a\"\n  = 5;\n};", "vm.cfg:3: syntax error at or before '= 5;'" },
	{ "vm: { a = \"x\"; a = 1; b = 2; };", "vm.cfg:1: a setting is there twice" },
};

static const struct wrong vm[] = {
	{ PAYLOAD "vm = 5;", "vm.cfg:2: \"vm\" must be a group { }" },
	{ PAYLOAD "VM: { };", "vm.cfg:2: unknown section \"VM\"; wanted vm, payload or devices" },
	{ PAYLOAD "vms: { };", "vm.cfg:2: unknown section \"vms\" (did you mean \"vm\"?)" },
	{ PAYLOAD "foo = 1;", "vm.cfg:2: unknown section \"foo\"; wanted vm, payload or devices" },
	{ PAYLOAD "memory = \"1G\";",
		"vm.cfg:2: \"memory\" stands alone; it belongs into vm: { }" },
	{ PAYLOAD "vm: {\n  memry = \"1G\"; };",
		"vm.cfg:3: unknown setting \"memry\" for vm (did you mean \"memory\"?)" },
	{ PAYLOAD "vm: { colour = 1; };", "vm.cfg:2: unknown setting \"colour\" for vm" },
	{ PAYLOAD "vm: { vcpus = 0; };",
		"vm.cfg:2: \"vcpus\" is the number 0; wanted a number from 1 to 1024" },
	{ PAYLOAD "vm: { vcpus = 1025; };",
		"vm.cfg:2: \"vcpus\" is the number 1025; wanted a number from 1 to 1024" },
	{ PAYLOAD "vm: { vcpus = -1; };",
		"vm.cfg:2: \"vcpus\" is the number -1; wanted a number from 1 to 1024" },
	{ PAYLOAD "vm: { vcpus = \"2\"; };",
		"vm.cfg:2: \"vcpus\" is \"2\"; wanted a number from 1 to 1024" },
	{ PAYLOAD "vm: { vcpus = 1.5; };",
		"vm.cfg:2: \"vcpus\" is the number 1.5; wanted a number from 1 to 1024" },
	{ PAYLOAD "vm: { vcpus = true; };",
		"vm.cfg:2: \"vcpus\" is true; wanted a number from 1 to 1024" },
	{ PAYLOAD "vm: { memory = \"1X\"; };",
		"vm.cfg:2: \"memory\" is \"1X\"; wanted a size from \"1M\" to \"16T\"" },
	{ PAYLOAD "vm: { memory = \"-1G\"; };",
		"vm.cfg:2: \"memory\" is \"-1G\"; wanted a size from \"1M\" to \"16T\"" },
	{ PAYLOAD "vm: { memory = \"1G 2G\"; };",
		"vm.cfg:2: \"memory\" is \"1G 2G\"; wanted a size from \"1M\" to \"16T\"" },
	{ PAYLOAD "vm: { memory = 4294967296L; };",
		"vm.cfg:2: \"memory\" is the number 4294967296; write sizes as strings, such as "
		"\"4G\"" },
	{ PAYLOAD "vm: { memory = -5; };",
		"vm.cfg:2: \"memory\" is the number -5; write sizes as strings, such as \"512M\"" },
	{ PAYLOAD "vm: { memory = 512; };",
		"vm.cfg:2: \"memory\" is the number 512; wanted a size from \"1M\" to \"16T\"" },
	{ PAYLOAD "vm: { memory = \"17T\"; };",
		"vm.cfg:2: \"memory\" is \"17T\"; wanted a size from \"1M\" to \"16T\"" },
	{ PAYLOAD "vm: { memory = \"99999999999999999999\"; };",
		"vm.cfg:2: \"memory\" is \"99999999999999999999\"; wanted a size from \"1M\" to "
		"\"16T\"" },
	{ PAYLOAD "vm: { memory = \"1048577\"; };",
		"vm.cfg:2: \"memory\" is 1048577 bytes; wanted a multiple of \"4K\"" },
	{ PAYLOAD "vm: { memory = true; };",
		"vm.cfg:2: \"memory\" is true; wanted a size from \"1M\" to \"16T\"" },
	{ PAYLOAD "vm: { memory = ( \"1G\" ); };",
		"vm.cfg:2: \"memory\" is a list; wanted a size from \"1M\" to \"16T\"" },
	{ PAYLOAD "vm: { name = \"\"; };",
		"vm.cfg:2: \"name\" is \"\"; wanted at most 47 letters, digits, _ and -" },
	{ PAYLOAD "vm: { name = \"a b\"; };",
		"vm.cfg:2: \"name\" is \"a b\"; wanted at most 47 letters, digits, _ and -" },
	{ PAYLOAD "vm: { name = 5; };", "vm.cfg:2: \"name\" is the number 5; wanted a string" },
	{ PAYLOAD "vm: { hypervisor = \"\"; };",
		"vm.cfg:2: \"hypervisor\" is empty; wanted \"auto\" or a backend's name" },
	{ PAYLOAD "vm: { hypervisor = 1; };",
		"vm.cfg:2: \"hypervisor\" is the number 1; wanted a string" },
	{ PAYLOAD "vm: { on_reboot = \"restart\"; };",
		"vm.cfg:2: \"on_reboot\" is \"restart\"; wanted \"reset\" or \"exit\"" },
	{ PAYLOAD "vm: { on_reboot = true; };",
		"vm.cfg:2: \"on_reboot\" is true; wanted \"reset\" or \"exit\"" },
	{ PAYLOAD "vm: { shutdown_timeout = -1; };", "vm.cfg:2: \"shutdown_timeout\" is the number "
						     "-1; wanted a number from 0 to 86400" },
	{ PAYLOAD "vm: { shutdown_timeout = \"30s\"; };",
		"vm.cfg:2: \"shutdown_timeout\" is \"30s\"; wanted a number from 0 to 86400" },
	{ PAYLOAD "vm: { acpi = \"no\"; };", "vm.cfg:2: \"acpi\" is \"no\"; wanted true or false" },
	{ PAYLOAD "vm: { acpi = 0; };",
		"vm.cfg:2: \"acpi\" is the number 0; wanted true or false" },
	{ PAYLOAD "vm: { platform_devices = 2; };",
		"vm.cfg:2: \"platform_devices\" is the number 2; wanted true or false" },
	{ PAYLOAD "vm: { oem_strings = ( \"a\", 5 ); };",
		"vm.cfg:2: element 2 of \"oem_strings\" is the number 5; wanted a string" },
	{ PAYLOAD "vm: { oem_strings = ( \"x\", \"x\", \"x\", \"x\", \"x\", \"x\", \"x\", \"x\", "
		  "\"x\", \"x\", \"x\", \"x\", \"x\", \"x\", \"x\", \"x\", \"x\" ); };",
		"vm.cfg:2: \"oem_strings\" has 17 elements; wanted at most 16" },
	{ PAYLOAD "vm: { plugin_path = ( \"\" ); };",
		"vm.cfg:2: element 1 of \"plugin_path\" is \"\"; wanted a path" },
	{ PAYLOAD "vm: { vcpus = 3; threads_per_core = 2; };",
		"vm.cfg:2: 3 vCPUs do not make whole cores of 2 (threads_per_core)" },
	{ PAYLOAD "vm: { vcpus = 6;\n  cores_per_socket = 4; };",
		"vm.cfg:2: 6 vCPUs do not make whole sockets of 4 (cores_per_socket = 4, "
		"threads_per_core = 1)" },
	{ PAYLOAD "vm: { vcpus = 6; cores_per_socket = 3; threads_per_core = 3; };",
		"vm.cfg:2: 6 vCPUs do not make whole sockets of 9 (cores_per_socket = 3, "
		"threads_per_core = 3)" },
	{ PAYLOAD "vm: { threads_per_core = 0; };",
		"vm.cfg:2: \"threads_per_core\" is the number 0; wanted a number from 1 to 1024" },
};

static const struct wrong payload[] = {
	{ "", "vm.cfg: there is nothing to boot: payload needs kernel, bundle or firmware" },
	{ "payload: { };",
		"vm.cfg:1: there is nothing to boot: payload needs kernel, bundle or firmware" },
	{ "payload = \"k\";", "vm.cfg:1: \"payload\" must be a group { }" },
	{ "payload: { kernel = \"\"; };", "vm.cfg:1: \"kernel\" is \"\"; wanted a path" },
	{ "payload: { kernel = 1; };", "vm.cfg:1: \"kernel\" is the number 1; wanted a path" },
	{ "payload: { kernal = \"k\"; };",
		"vm.cfg:1: unknown setting \"kernal\" for payload (did you mean \"kernel\"?)" },
	{ "payload: { kernel = \"k\"; initrd = ( \"a\", \"b\" ); };",
		"vm.cfg:1: \"initrd\" is a list; wanted a path" },
	{ "payload: { kernel = \"k\";\n bundle = \"b\"; };",
		"vm.cfg:2: payload has kernel and bundle; wanted one of kernel, bundle and "
		"firmware" },
	{ "payload: { kernel = \"k\";\n firmware = \"f\"; };",
		"vm.cfg:2: payload has kernel and firmware; wanted one of kernel, bundle and "
		"firmware" },
	{ "payload: { bundle = \"b\";\n firmware = \"f\"; };",
		"vm.cfg:2: payload has bundle and firmware; wanted one of kernel, bundle and "
		"firmware" },
	{ "payload: { firmware = \"f\";\n initrd = \"i\"; };",
		"vm.cfg:2: firmware takes no initrd: it finds its own on the devices" },
	{ "payload: { initrd = \"i\"; };",
		"vm.cfg:1: there is nothing to boot: payload needs kernel, bundle or firmware" },
	{ "payload: { kernel = \"k\"; cmdline = 5; };",
		"vm.cfg:1: \"cmdline\" is the number 5; wanted a string" },
	{ "payload: { kernel = \"k\"; boot = \"efi\"; };",
		"vm.cfg:1: \"boot\" is \"efi\"; wanted \"auto\", \"linux64\" or \"pvh\"" },
	{ "payload: { kernel = \"k\"; append = \"x\"; };",
		"vm.cfg:1: unknown setting \"append\" for payload" },
};

static const struct wrong devices[] = {
	{ PAYLOAD "devices = 5;", "vm.cfg:2: \"devices\" must be a list ( ) of groups { }" },
	{ PAYLOAD "devices = { };", "vm.cfg:2: \"devices\" must be a list ( ) of groups { }" },
	{ PAYLOAD "devices = [ \"rng\" ];", "vm.cfg:2: a device must be a group { }" },
	{ PAYLOAD "devices = ( \"rng\" );", "vm.cfg:2: a device must be a group { }" },
	{ ONE_DEVICE(""), "vm.cfg:2: \"type\" is missing: a device needs it" },
	{ ONE_DEVICE("name = \"a\";"), "vm.cfg:2: a: \"type\" is missing: a device needs it" },
	{ ONE_DEVICE("type = 5;"), "vm.cfg:3: \"type\" is the number 5; wanted a string" },
	{ ONE_DEVICE("type = \"\";"),
		"vm.cfg:3: \"type\" is \"\"; wanted at most 47 letters a-z, digits and -" },
	{ ONE_DEVICE("type = \"Rng\";"),
		"vm.cfg:3: \"type\" is \"Rng\"; wanted at most 47 letters a-z, digits and -" },
	{ ONE_DEVICE("type = \"virtio rng\";"), "vm.cfg:3: \"type\" is \"virtio rng\"; wanted at "
						"most 47 letters a-z, digits and -" },
	{ ONE_DEVICE("type = \"rng\"; name = \"\";"),
		"vm.cfg:3: rng: \"name\" is \"\"; wanted at most 47 letters, digits, _ and -" },
	{ ONE_DEVICE("type = \"rng\"; name = \"a.b\";"),
		"vm.cfg:3: rng: \"name\" is \"a.b\"; wanted at most 47 letters, digits, _ and -" },
	{ ONE_DEVICE("type = \"rng\"; name = 1;"),
		"vm.cfg:3: \"name\" is the number 1; wanted a string" },
	{ ONE_DEVICE(
		  "type = \"rng\"; name = \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\";"),
		"vm.cfg:3: rng: \"name\" is \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"; "
		"wanted at most 47 letters, digits, _ and -" },
	{ ONE_DEVICE("type = \"rng\"; address = \"here\";"),
		"vm.cfg:3: rng: \"address\" is \"here\"; wanted an address such as "
		"\"0xd0000000\"" },
	{ ONE_DEVICE("type = \"rng\"; name = \"r\"; address = \"here\";"),
		"vm.cfg:3: r: \"address\" is \"here\"; wanted an address such as \"0xd0000000\"" },
	{ ONE_DEVICE("type = \"rng\"; address = 0xd0000000;"),
		"vm.cfg:3: the number 0xd0000000 is too large to be read; write sizes and "
		"addresses as strings, other numbers with an L behind" },
	{ ONE_DEVICE("type = \"rng\"; address = -4;"),
		"vm.cfg:3: rng: \"address\" is the number -4; write addresses as strings, such as "
		"\"0xd0000000\"" },
	{ ONE_DEVICE("type = \"rng\"; irq = -1;"),
		"vm.cfg:3: rng: \"irq\" is the number -1; wanted a number from 0 to 1023" },
	{ ONE_DEVICE("type = \"rng\"; irq = \"5\";"),
		"vm.cfg:3: rng: \"irq\" is \"5\"; wanted a number from 0 to 1023" },
	{ ONE_DEVICE("type = \"rng\"; irq = 1024;"),
		"vm.cfg:3: rng: \"irq\" is the number 1024; wanted a number from 0 to 1023" },
	{ ONE_DEVICE("type = \"rng\"; iothread = \"a b\";"),
		"vm.cfg:3: rng: \"iothread\" is \"a b\"; wanted at most 47 letters, digits, _ and "
		"-" },
	{ ONE_DEVICE("type = \"rng\"; iothread = 1;"),
		"vm.cfg:3: rng: \"iothread\" is the number 1; wanted a string" },
	{ ONE_DEVICE("type = \"rng\"; plugin = 1;"),
		"vm.cfg:3: rng: \"plugin\" is the number 1; wanted a string" },
	{ ONE_DEVICE("type = \"rng\"; isolation = \"jail\";"),
		"vm.cfg:3: rng: \"isolation\" is \"jail\"; wanted \"none\" or \"process\"" },
	{ ONE_DEVICE("type = \"rng\"; transport = \"pci\";"),
		"vm.cfg:3: rng: \"transport\" is \"pci\"; wanted \"mmio\"" },
	{ ONE_DEVICE("type = \"rng\"; typ = 1; type = \"rng\";"),
		"vm.cfg:3: a setting is there twice" },
	{ ONE_DEVICE("type = \"rng\"; name = \"a\"; },\n{ type = \"block\"; name = \"a\";"),
		"vm.cfg:4: the name \"a\" belongs to the device at vm.cfg:2 already" },
};

/* What is set on the command line over a good file. */
static const struct wrong sets[] = {
	{ "--set vm.memory", "--set vm.memory: wanted KEY=VALUE" },
	{ "--set =5", "--set =5: wanted KEY=VALUE" },
	{ "--set memory=1G",
		"--set memory=1G: \"memory\" is not a setting (did you mean \"vm.memory\"?)" },
	{ "--set vm.memory=1X",
		"--set vm.memory=1X: \"memory\" is \"1X\"; wanted a size from \"1M\" to \"16T\"" },
	{ "--set vm.memry=1G",
		"--set vm.memry=1G: unknown setting \"memry\" for vm (did you mean \"memory\"?)" },
	{ "--set vm.=1", "--set vm.=1: \"vm.\" is not a setting; wanted vm.KEY, payload.KEY or "
			 "devices.NAME.KEY" },
	{ "--set .x=1", "--set .x=1: \".x\" is not a setting; wanted vm.KEY, payload.KEY or "
			"devices.NAME.KEY" },
	{ "--set foo.bar=1", "--set foo.bar=1: there is no \"foo\" in a configuration; wanted "
			     "vm.KEY, payload.KEY or devices.NAME.KEY" },
	{ "--set devices.disk1.path=x", "--set devices.disk1.path=x: there is no device called "
					"\"disk1\" (did you mean \"disk0\"?)" },
	{ "--set devices.disk0=x", "--set devices.disk0=x: wanted devices.NAME.KEY=VALUE" },
	{ "--set devices.disk0.=x", "--set devices.disk0.=x: wanted devices.NAME.KEY=VALUE" },
	{ "--set vm.vcpus=two",
		"--set vm.vcpus=two: \"vcpus\" is \"two\"; wanted a number from 1 to 1024" },
	{ "--set vm.acpi=maybe",
		"--set vm.acpi=maybe: \"acpi\" is \"maybe\"; wanted true or false" },
	{ "--set vm.oem_strings=( \"a\"",
		"--set vm.oem_strings=( \"a\": '( \"a\"' is not a value in libconfig's syntax" },
	{ "--set payload.kernel=", "--set payload.kernel=: \"kernel\" is \"\"; wanted a path" },
	{ "--set payload.bundle=b", "--set payload.bundle=b: payload has kernel and bundle; wanted "
				    "one of kernel, bundle and firmware" },
	{ "--set vm.vcpus.x=1", "--set vm.vcpus.x=1: unknown setting \"vcpus.x\" for vm (did you "
				"mean \"vcpus\"?)" },
	{ "--device ,path=x", "--device ,path=x: wanted TYPE,KEY=VALUE,... with the type first" },
	{ "--device path=x", "--device path=x: wanted TYPE,KEY=VALUE,... with the type first" },
	{ "--device block,=x", "--device block,=x: wanted TYPE,KEY=VALUE,..." },
	{ "--device block,name=disk0", "--device block,name=disk0: the name \"disk0\" belongs to "
				       "the device at vm.cfg:3 already" },
	{ "--device Block", "--device Block: \"type\" is \"Block\"; wanted at most 47 letters a-z, "
			    "digits and -" },
	{ "--device block,irq=x",
		"--device block,irq=x: block: \"irq\" is \"x\"; wanted a number from 0 to 1023" },
	{ "--device block,address=1,address=2",
		"--device block,address=1,address=2: block: \"address\" is given more than once; "
		"wanted an address such as \"0xd0000000\"" },
};

static void refused(const char *text, const struct config_override *override, const char *sentence)
{
	struct vm_config *config = NULL;
	struct error err = { 0 };
	int r = vm_config_read_string(
		text, strlen(text), "vm.cfg", override, override ? 1 : 0, &config, &err);

	if (r >= 0)
		fail_msg("accepted, but wanted: %s", sentence);
	assert_string_equal(err.text, sentence);
	assert_int_equal(r, -EINVAL);
	assert_int_equal(err.exit_code, EXIT_USAGE);
	assert_null(config);
}

static void all_refused(const struct wrong *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		refused(cases[i].text, NULL, cases[i].sentence);
}

#define ALL_REFUSED(cases) all_refused(cases, sizeof(cases) / sizeof(*(cases)))

static void wrong_syntax(void **state)
{
	ALL_REFUSED(syntax);
}

static void wrong_vm(void **state)
{
	ALL_REFUSED(vm);
}

static void wrong_payload(void **state)
{
	ALL_REFUSED(payload);
}

static void wrong_devices(void **state)
{
	ALL_REFUSED(devices);
}

static void wrong_overrides(void **state)
{
	static const char good[] = PAYLOAD "vm: { };\n"
					   "devices = ( { type = \"block\"; name = \"disk0\"; } );";

	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		bool device = strncmp(sets[i].text, "--device ", 9) == 0;
		struct config_override override = {
			.kind = device ? OVERRIDE_DEVICE : OVERRIDE_SET,
			.option = device ? "--device" : "--set",
			.text = strchr(sets[i].text, ' ') + 1,
		};

		refused(good, &override, sets[i].sentence);
	}
}

static void a_missing_file_is_named(void **state)
{
	struct vm_config *config = NULL;
	struct error err = { 0 };

	assert_int_equal(vm_config_read("/nowhere/vm.cfg", NULL, 0, &config, &err), -ENOENT);
	assert_string_equal(err.text, "cannot read \"/nowhere/vm.cfg\": No such file or directory");
	assert_int_equal(err.exit_code, EXIT_USAGE);

	err = (struct error){ 0 };
	assert_int_equal(vm_config_read("/tmp", NULL, 0, &config, &err), -EISDIR);
	assert_string_equal(err.text, "cannot read \"/tmp\": Is a directory");
}

static void a_zero_byte_is_refused(void **state)
{
	static const char text[] = "vm: { };\0";
	struct vm_config *config = NULL;
	struct error err = { 0 };

	assert_int_equal(
		vm_config_read_string(text, sizeof(text) - 1, "vm.cfg", NULL, 0, &config, &err),
		-EINVAL);
	assert_string_equal(err.text, "vm.cfg:1: byte 0x00 has no meaning here");
}

static void too_many_devices_are_refused(void **state)
{
	static char text[16384];
	size_t used = (size_t)snprintf(text, sizeof(text), "%s", PAYLOAD "devices = (");

	for (unsigned int i = 0; i <= CONFIG_MAX_DEVICES; i++)
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "%s{ type = \"rng\"; }", i ? "," : "");
	(void)snprintf(text + used, sizeof(text) - used, ");");
	refused(text, NULL, "vm.cfg:2: there are 257 devices; wanted at most 256");
}

static void a_missing_package_is_named(void **state)
{
	static const char *const known[] = { "console", "rng" };
	static const char *const cases[][2] = {
		{ "gpu", "device type \"gpu\" is not installed (package tenon-gpu brings it)" },
		{ "net", "device type \"net\" is not installed (package tenon-net brings it)" },
		{ "vsock",
			"device type \"vsock\" is not installed (package tenon-vsock brings it)" },
		{ "consol", "unknown device type \"consol\" (did you mean \"console\"?)" },
		{ "vsokc", "unknown device type \"vsokc\" (did you mean \"vsock\"?)" },
		{ "toaster",
			"unknown device type \"toaster\"; `tenon plugins` lists what there is" },
	};
	char text[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		package_unknown_device(cases[i][0], known, 2, text, sizeof(text));
		assert_string_equal(text, cases[i][1]);
	}
	package_unknown_backend("kvm", known, 0, text, sizeof(text));
	assert_string_equal(text, "hypervisor \"kvm\" is not installed (package tenon brings it)");
	package_unknown_backend("xen", known, 0, text, sizeof(text));
	assert_string_equal(
		text, "unknown hypervisor \"xen\"; `tenon plugins` lists what there is");
	assert_string_equal(package_of_device("block"), "tenon");
	assert_null(package_of_device("toaster"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_syntax),
		cmocka_unit_test(wrong_vm),
		cmocka_unit_test(wrong_payload),
		cmocka_unit_test(wrong_devices),
		cmocka_unit_test(wrong_overrides),
		cmocka_unit_test(a_missing_file_is_named),
		cmocka_unit_test(a_zero_byte_is_refused),
		cmocka_unit_test(too_many_devices_are_refused),
		cmocka_unit_test(a_missing_package_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

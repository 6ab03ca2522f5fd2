/* SPDX-License-Identifier: Apache-2.0 */
/* The description of a VM: defaults, devices, overrides, included files.  What is refused, and in
 * which words, is config_wrong_test.c's. */
#include "core/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/error.h"

/* Reads from memory with --set overrides; fails the test if that does. */
static struct vm_config *read_set(const char *text, const char *const *sets, size_t n_sets)
{
	struct config_override overrides[8] = { 0 };
	struct vm_config *config = NULL;
	struct error err = { 0 };

	assert_true(n_sets <= 8);
	for (size_t i = 0; i < n_sets; i++) {
		bool device = strncmp(sets[i], "--device ", 9) == 0;

		overrides[i].kind = device ? OVERRIDE_DEVICE : OVERRIDE_SET;
		overrides[i].option = device ? "--device" : "--set";
		overrides[i].text = device ? sets[i] + 9 : sets[i];
	}
	if (vm_config_read_string(text, strlen(text), "vm.cfg", overrides, n_sets, &config, &err) <
		0)
		fail_msg("%s", err.text);
	return config;
}

static struct vm_config *read_text(const char *text)
{
	return read_set(text, NULL, 0);
}

static const struct config_device *find(const struct vm_config *config, const char *name)
{
	for (size_t i = 0; i < config->n_devices; i++)
		if (strcmp(config->devices[i].name, name) == 0)
			return &config->devices[i];
	return NULL;
}

static void fills_in_defaults(void **state)
{
	struct vm_config *config = read_text("payload: { kernel = \"k\"; };");

	assert_string_equal(config->name, "vm");
	assert_int_equal(config->vcpus, 1);
	assert_int_equal(config->threads_per_core, 1);
	assert_int_equal(config->cores_per_socket, 1);
	assert_int_equal(config->memory_bytes, 512 << 20);
	assert_string_equal(config->hypervisor, "auto");
	assert_false(config->deterministic);
	assert_int_equal(config->on_reboot, ON_REBOOT_RESET);
	assert_int_equal(config->shutdown_timeout, 30);
	assert_true(config->acpi);
	assert_false(config->pmu);
	assert_false(config->timing);
	assert_string_equal(config->payload.kernel, "k");
	assert_string_equal(config->payload.cmdline, "");
	assert_string_equal(config->payload.boot, "auto");
	assert_null(config->payload.initrd);
	vm_config_free(config);
}

static void reads_everything_of_the_vm(void **state)
{
	struct vm_config *config = read_text(
		"vm: { name = \"web-1\"; vcpus = 8; threads_per_core = 2; cores_per_socket = 2;\n"
		"  memory = \"4G\"; hypervisor = \"kvm\"; on_reboot = \"exit\"; acpi = false;\n"
		"  deterministic = true; pmu = true;\n"
		"  shutdown_timeout = 5; timing = true; oem_strings = ( \"a\", \"b\" );\n"
		"  plugin_path = [ \"/x\", \"y\" ]; };\n"
		"payload: { bundle = \"b.so\"; boot = \"pvh\"; cmdline = \"quiet\" };");

	assert_string_equal(config->name, "web-1");
	assert_int_equal(config->vcpus, 8);
	assert_int_equal(config->threads_per_core, 2);
	assert_int_equal(config->cores_per_socket, 2);
	assert_true(config->memory_bytes == UINT64_C(4) << 30);
	assert_string_equal(config->hypervisor, "kvm");
	assert_true(config->deterministic);
	assert_int_equal(config->on_reboot, ON_REBOOT_EXIT);
	assert_false(config->acpi);
	assert_true(config->pmu);
	assert_int_equal(config->shutdown_timeout, 5);
	assert_true(config->timing);
	assert_int_equal(config->n_oem_strings, 2);
	assert_string_equal(config->oem_strings[1], "b");
	assert_int_equal(config->n_plugin_path, 2);
	assert_string_equal(config->plugin_path[0], "/x");
	assert_string_equal(config->payload.bundle, "b.so");
	assert_string_equal(config->payload.boot, "pvh");
	assert_string_equal(config->payload.cmdline, "quiet");
	assert_int_equal(config->memory_place.line, 2);
	vm_config_free(config);
}

static void names_devices_by_type_and_number(void **state)
{
	struct vm_config *config = read_text("payload: { kernel = \"k\"; };\n"
					     "devices = ( { type = \"block\"; },\n"
					     "  { type = \"block\"; name = \"block1\"; },\n"
					     "  { type = \"block\"; }, { type = \"rng\"; } );");

	assert_string_equal(config->devices[0].name, "block");
	assert_string_equal(config->devices[1].name, "block1");
	assert_string_equal(config->devices[2].name, "block2");
	assert_string_equal(config->devices[3].name, "rng");
	assert_int_equal(config->devices[2].place.line, 4);
	vm_config_free(config);
}

static void parts_the_cores_settings_from_the_devices(void **state)
{
	struct vm_config *config = read_text(
		"payload: { kernel = \"k\"; };\n"
		"devices = ( { type = \"net\"; address = \"0xd0000000\"; irq = 9;\n"
		"  iothread = \"io\"; plugin = \"my-net\"; mtu = 1500;\n"
		"  forward = ( \"a\", \"b\" ); }, { type = \"rng\"; iothread = \"io\"; } );");
	const struct config_device *net = find(config, "net");

	assert_non_null(net);
	assert_true(net->has_address && net->has_irq);
	assert_int_equal(net->address, 0xd0000000);
	assert_int_equal(net->irq, 9);
	assert_int_equal(net->address_place.line, 2);
	assert_string_equal(net->iothread, "io");
	assert_string_equal(net->plugin, "my-net");
	assert_null(net->isolation); /* as the VM says */
	assert_string_equal(net->transport, "mmio");
	assert_int_equal(net->settings.n_items, 2);
	assert_string_equal(net->settings.items[0].name, "mtu");
	assert_int_equal(net->settings.items[0].place.line, 3);
	assert_int_equal(net->settings.items[1].n_items, 2);
	assert_int_equal(config->n_iothreads, 1);
	assert_string_equal(config->iothreads[0], "io");
	vm_config_free(config);
}

static void adds_the_power_device_once(void **state)
{
	struct vm_config *config = read_text("payload: { kernel = \"k\"; };");

	assert_int_equal(config->n_devices, 1);
	assert_string_equal(config->devices[0].type, "power");
	assert_true(config->devices[0].implied);
	vm_config_free(config);

	config = read_text("payload: { kernel = \"k\"; };\n"
			   "devices = ( { type = \"power\"; name = \"p\"; } );");
	assert_int_equal(config->n_devices, 1);
	assert_false(config->devices[0].implied);
	vm_config_free(config);

	config = read_text("vm: { platform_devices = false; }; payload: { kernel = \"k\"; };");
	assert_int_equal(config->n_devices, 0);
	vm_config_free(config);
}

static void sets_override_the_file(void **state)
{
	static const char *const sets[] = { "vm.memory=1G", "vm.vcpus=2", "payload.cmdline=a=b c",
		"devices.disk.path=/new", "devices.disk.read_only=true",
		"vm.oem_strings=( \"x\", \"y\" )" };
	struct vm_config *config =
		read_set("vm: { memory = \"64M\"; }; payload: { kernel = \"k\"; };\n"
			 "devices = ( { type = \"block\"; name = \"disk\"; path = \"old\"; } );",
			sets, 6);
	const struct config_device *disk = find(config, "disk");
	const struct setting *path = setting_find(&disk->settings, "path");

	assert_int_equal(config->memory_bytes, 1 << 30);
	assert_int_equal(config->vcpus, 2);
	assert_string_equal(config->payload.cmdline, "a=b c");
	assert_int_equal(config->n_oem_strings, 2);
	assert_int_equal(disk->settings.n_items, 2);
	assert_string_equal(path->text, "/new");
	assert_string_equal(path->place.file, "--set devices.disk.path=/new");
	vm_config_free(config);
}

static void later_sets_win(void **state)
{
	static const char *const sets[] = { "vm.vcpus=2", "vm.vcpus=3" };
	struct vm_config *config = read_set("payload: { kernel = \"k\"; };", sets, 2);

	assert_int_equal(config->vcpus, 3);
	vm_config_free(config);
}

static void devices_are_appended(void **state)
{
	static const char *const sets[] = {
		"--device block,path=/a b,read_only",
		"--device net,name=lan,forward=tcp:1:2,forward=tcp:3:4",
		"--device fs,tags=(\"a,b\",\"c\"),dir=\"x,y\"",
		"devices.block1.path=/c",
	};
	struct vm_config *config = read_set(
		"payload: { kernel = \"k\"; }; devices = ( { type = \"block\"; } );", sets, 4);
	const struct config_device *block = find(config, "block1"), *net = find(config, "lan");
	const struct setting *forward = setting_find(&net->settings, "forward");
	const struct setting *tags = setting_find(&find(config, "fs")->settings, "tags");

	assert_string_equal(setting_find(&block->settings, "path")->text, "/c");
	assert_string_equal(setting_find(&block->settings, "read_only")->text, "true");
	assert_int_equal(forward->kind, SETTING_LIST);
	assert_int_equal(forward->n_items, 2);
	assert_string_equal(forward->items[1].text, "tcp:3:4");
	assert_int_equal(tags->n_items, 2);
	assert_string_equal(tags->items[0].text, "a,b");
	assert_string_equal(setting_find(&find(config, "fs")->settings, "dir")->text, "x,y");
	vm_config_free(config);
}

static void command_line_alone_gets_a_console(void **state)
{
	const struct config_override overrides[] = {
		{ OVERRIDE_SET, "--kernel", "payload.kernel", "vmlinuz" },
		{ OVERRIDE_SET, "--memory", "vm.memory", "128M" },
	};
	struct vm_config *config = NULL;
	struct error err = { 0 };

	assert_int_equal(vm_config_from_command_line(overrides, 2, &config, &err), 0);
	assert_null(config->path);
	assert_int_equal(config->memory_bytes, 128 << 20);
	assert_string_equal(config->payload.kernel, "vmlinuz");
	assert_string_equal(config->payload.cmdline, "console=hvc0");
	assert_int_equal(config->n_devices, 3);
	assert_string_equal(config->devices[0].type, "console");
	assert_string_equal(config->devices[1].type, "rng");
	assert_string_equal(config->devices[2].type, "power");
	vm_config_free(config);
}

static void command_line_with_devices_gets_no_others(void **state)
{
	const struct config_override overrides[] = {
		{ OVERRIDE_SET, "--kernel", "payload.kernel", "vmlinuz" },
		{ OVERRIDE_DEVICE, "--device", NULL, "serial" },
	};
	struct vm_config *config = NULL;
	struct error err = { 0 };

	assert_int_equal(vm_config_from_command_line(overrides, 2, &config, &err), 0);
	assert_int_equal(config->n_devices, 2);
	assert_string_equal(config->devices[0].type, "serial");
	assert_string_equal(config->payload.cmdline, "");
	vm_config_free(config);
}

/* ---- files ---- */

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void remove_file(const char *folder, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	(void)unlink(path);
}

static int make_folder(void **state)
{
	static char folder[64];

	(void)snprintf(folder, sizeof(folder), "/tmp/tenon-config-XXXXXX");
	*state = mkdtemp(folder);
	return *state ? 0 : -1;
}

static int remove_folder(void **state)
{
	remove_file(*state, "vm.cfg");
	remove_file(*state, "more.cfg");
	return rmdir(*state);
}

static void paths_start_from_the_file(void **state)
{
	const char *folder = *state;
	char path[128], kernel[128];
	struct vm_config *config = NULL;
	struct error err = { 0 };
	struct config_override set = { OVERRIDE_SET, "--set", NULL, "payload.initrd=here" };

	write_file(folder, "vm.cfg",
		"payload: { kernel = \"k\"; };\n"
		"devices = ( { type = \"x\"; plugin = \"./x.so\"; } );");
	(void)snprintf(path, sizeof(path), "%s/vm.cfg", folder);
	(void)snprintf(kernel, sizeof(kernel), "%s/k", folder);
	assert_int_equal(vm_config_read(path, &set, 1, &config, &err), 0);
	assert_string_equal(config->payload.kernel, kernel);
	assert_string_equal(config->payload.initrd, "here");
	(void)snprintf(path, sizeof(path), "%s/./x.so", folder);
	assert_string_equal(config->devices[0].plugin, path);
	vm_config_free(config);
}

static void included_files_know_their_lines(void **state)
{
	const char *folder = *state;
	char path[128], more[128];
	struct vm_config *config = NULL;
	struct error err = { 0 };

	write_file(folder, "vm.cfg",
		"payload: { kernel = \"k\"; };\n"
		"/* @include \"nothing\"\n */ devices = (\n"
		"@include \"more.cfg\" # both\n"
		", { type = \"rng\"; } );");
	write_file(folder, "more.cfg", "\n{ type = \"block\";\n  path = \"p\"; }");
	(void)snprintf(path, sizeof(path), "%s/vm.cfg", folder);
	(void)snprintf(more, sizeof(more), "%s/more.cfg", folder);
	if (vm_config_read(path, NULL, 0, &config, &err) < 0)
		fail_msg("%s", err.text);

	assert_string_equal(config->devices[0].type_place.file, more);
	assert_int_equal(config->devices[0].type_place.line, 2);
	assert_string_equal(config->devices[0].settings.items[0].place.file, more);
	assert_int_equal(config->devices[0].settings.items[0].place.line, 3);
	assert_string_equal(config->devices[0].settings.items[0].place.folder, folder);
	assert_string_equal(config->devices[1].type_place.file, path);
	assert_int_equal(config->devices[1].type_place.line, 5);
	vm_config_free(config);
}

static void a_file_that_includes_itself_is_refused(void **state)
{
	const char *folder = *state;
	char path[128], wanted[512];
	struct vm_config *config = NULL;
	struct error err = { 0 };

	write_file(folder, "vm.cfg", "@include \"vm.cfg\"\n");
	(void)snprintf(path, sizeof(path), "%s/vm.cfg", folder);
	assert_int_equal(vm_config_read(path, NULL, 0, &config, &err), -EINVAL);
	(void)snprintf(wanted, sizeof(wanted), "%s:1: more than 8 files include each other", path);
	assert_string_equal(err.text, wanted);
}

static void missing_payload_files_are_named(void **state)
{
	struct vm_config *config = read_text("payload: {\n kernel = \"/dev/null\";\n"
					     " initrd = \"/nowhere/initrd\"; };");
	struct error err = { 0 };

	assert_int_equal(vm_config_check_files(config, &err), -EINVAL);
	assert_int_equal(err.exit_code, EXIT_USAGE);
	assert_string_equal(err.text,
		"vm.cfg:3: initrd: cannot open \"/nowhere/initrd\": No such file or directory");
	vm_config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_in_defaults),
		cmocka_unit_test(reads_everything_of_the_vm),
		cmocka_unit_test(names_devices_by_type_and_number),
		cmocka_unit_test(parts_the_cores_settings_from_the_devices),
		cmocka_unit_test(adds_the_power_device_once),
		cmocka_unit_test(sets_override_the_file),
		cmocka_unit_test(later_sets_win),
		cmocka_unit_test(devices_are_appended),
		cmocka_unit_test(command_line_alone_gets_a_console),
		cmocka_unit_test(command_line_with_devices_gets_no_others),
		cmocka_unit_test_setup_teardown(
			paths_start_from_the_file, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			included_files_know_their_lines, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			a_file_that_includes_itself_is_refused, make_folder, remove_folder),
		cmocka_unit_test(missing_payload_files_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

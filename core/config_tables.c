/* SPDX-License-Identifier: Apache-2.0 */
/* Every setting that the core itself understands. */
#include "core/config_tables.h"

#include <stdbool.h>
#include <string.h>

const struct tenon_key config_vm_keys[] = {
	{ "name", TENON_KEY_STRING, 0, NULL, NULL, "what the VM is called; default: as the file" },
	{ "isolation", TENON_KEY_ENUM, 0, "none", "none|process", "where virtio devices live" },
	{ "vcpus", TENON_KEY_INT, 0, "1", "1..1024", "virtual CPUs" },
	{ "threads_per_core", TENON_KEY_INT, 0, "1", "1..1024", "hardware threads of a core" },
	{ "cores_per_socket", TENON_KEY_INT, 0, NULL, "1..1024", "default: one socket" },
	{ "memory", TENON_KEY_SIZE, 0, "512M", "1M..16T", "of the guest" },
	{ "hypervisor", TENON_KEY_STRING, 0, "auto", NULL, "a backend, or auto for the fastest" },
	{ "deterministic", TENON_KEY_BOOL, 0, "false", NULL,
		"run the same guest the same way each time, where the hypervisor can" },
	{ "on_reboot", TENON_KEY_ENUM, 0, "reset", "reset|exit", "when the guest reboots" },
	{ "shutdown_timeout", TENON_KEY_INT, 0, "30", "0..86400",
		"seconds that the guest has to power off when asked" },
	{ "acpi", TENON_KEY_BOOL, 0, "true", NULL, "describe the machine through ACPI (x86-64)" },
	{ "pmu", TENON_KEY_BOOL, 0, "false", NULL, "performance counters for the guest (aarch64)" },
	{ "sandbox", TENON_KEY_ENUM, 0, "on", "on|log|off",
		"what is left to the process once devices are attached" },
	{ "timing", TENON_KEY_BOOL, 0, "false", NULL, "print where the time went" },
	{ "platform_devices", TENON_KEY_BOOL, 0, "true", NULL,
		"add the power device where the file has none" },
	{ "restart_limit", TENON_KEY_INT, 0, "10", "0..1000000",
		"times in a row that a device's process is started anew" },
	{ "oem_strings", TENON_KEY_STRING, TENON_KEY_LIST, NULL, NULL,
		"SMBIOS type 11, for the guest to read" },
	{ "plugin_path", TENON_KEY_PATH, TENON_KEY_LIST, NULL, NULL,
		"folders of plugins, before the others" },
	{ 0 },
};

const struct tenon_key config_payload_keys[] = {
	{ "kernel", TENON_KEY_PATH, 0, NULL, NULL, "a kernel" },
	{ "initrd", TENON_KEY_PATH, 0, NULL, NULL, "its initial RAM disk" },
	{ "bundle", TENON_KEY_PATH, 0, NULL, NULL, "a shared library that holds a kernel" },
	{ "firmware", TENON_KEY_PATH, 0, NULL, NULL, "firmware in place of a kernel" },
	{ "cmdline", TENON_KEY_STRING, 0, "", NULL, "the kernel's command line" },
	{ "boot", TENON_KEY_ENUM, 0, "auto", "auto|linux64|pvh", "how an ELF kernel is entered" },
	{ 0 },
};

const struct tenon_key config_device_keys[] = {
	{ "type", TENON_KEY_STRING, TENON_KEY_REQUIRED, NULL, NULL, "the class of the device" },
	{ "name", TENON_KEY_STRING, 0, NULL, NULL, "unique; default: the type, with a number" },
	{ "plugin", TENON_KEY_STRING, 0, NULL, NULL, "the module to take the class from" },
	{ "address", TENON_KEY_ADDR, 0, NULL, NULL, "of its first window; default: any" },
	{ "irq", TENON_KEY_INT, 0, NULL, "0..1023", "its interrupt; default: any" },
	{ "iothread", TENON_KEY_STRING, 0, NULL, NULL, "the event loop it runs on" },
	{ "isolation", TENON_KEY_ENUM, 0, NULL, "none|process",
		"where the plugin runs; default: as `isolation` of the VM says" },
	{ "transport", TENON_KEY_ENUM, 0, "mmio", "mmio", "how the guest reaches it" },
	{ 0 },
};

static bool has_key(const struct tenon_key *keys, const char *name)
{
	for (; keys->name; keys++)
		if (strcmp(keys->name, name) == 0)
			return true;
	return false;
}

const char *config_section_of(const char *key)
{
	if (has_key(config_vm_keys, key))
		return "vm";
	return has_key(config_payload_keys, key) ? "payload" : NULL;
}

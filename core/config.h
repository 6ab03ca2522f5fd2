/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The description of a VM: read from a libconfig file or from the command line, checked as far as
 * it can be without the plugins, with every default filled in.
 *
 * The settings of a device stay as written: only its class knows what they mean (settings.h).
 */
#ifndef TENON_CORE_CONFIG_H
#define TENON_CORE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/payload.h"
#include "core/sandbox.h"
#include "core/setting.h"

struct error;

enum on_reboot {
	ON_REBOOT_RESET,
	ON_REBOOT_EXIT,
};

#define CONFIG_MAX_VCPUS   1024u
#define CONFIG_MAX_DEVICES 256u
#define CONFIG_MAX_NAME    47u /* letters of a VM's, a device's or an iothread's name */

/* One device as configured.  The first eight settings belong to the core. */
struct config_device {
	const char *type;
	const char *name;   /* unique; given, or made from the type: "block", "block1", ... */
	const char *plugin; /* a module's path or bare name; NULL = whichever has the type */
	bool has_address;
	uint64_t address; /* guest physical */
	bool has_irq;
	uint32_t irq;
	const char *iothread;  /* NULL = the main loop */
	const char *isolation; /* "none", "process"; NULL = as the VM's default */
	const char *transport; /* "mmio" */
	bool implied;          /* the core added it: nobody wrote it */

	struct place place; /* of the device itself */
	struct place type_place, plugin_place, address_place, irq_place;

	struct setting settings; /* a group: what is not the core's */
};

struct vm_config {
	const char *path; /* of the file; NULL = from the command line */

	const char *name;
	uint32_t vcpus;
	uint32_t threads_per_core, cores_per_socket;
	uint64_t memory_bytes;
	const char *hypervisor; /* "auto" or a backend's name */
	bool deterministic;     /* time is counted in instructions */
	enum on_reboot on_reboot;
	uint32_t shutdown_timeout; /* seconds; 0 = stop at once */
	bool acpi;
	bool pmu; /* the guest gets performance counters */
	enum sandbox_mode sandbox;
	bool timing;
	bool platform_devices;  /* the core added `power` if it was not there */
	bool isolate;           /* virtio devices live in processes of their own */
	uint32_t restart_limit; /* of each such process, in a row */
	const char **oem_strings;
	size_t n_oem_strings;
	const char **plugin_path; /* folders, searched before the others */
	size_t n_plugin_path;

	/* For errors found later: where these were written, or where they should have been. */
	struct place vm_place, vcpus_place, memory_place, hypervisor_place, payload_place;
	struct place deterministic_place;
	struct place kernel_place, initrd_place, bundle_place, firmware_place;

	struct payload_config payload;

	struct config_device *devices;
	size_t n_devices;
	const char **iothreads; /* each name once, in the order of the devices */
	size_t n_iothreads;

	struct arena arena; /* everything above */
};

enum override_kind {
	OVERRIDE_SET,    /* one setting, by its dotted path */
	OVERRIDE_DEVICE, /* one more device: "TYPE,KEY=VALUE,..." */
};

/* Something on the command line that changes the configuration; applied in order. */
struct config_override {
	enum override_kind kind;
	const char *option; /* for errors: "--set", "--memory" */
	const char *key;    /* the dotted path; NULL = `text` is KEY=VALUE */
	const char *text;
};

/*
 * (libconfig owns the names config_read() and the like, hence vm_config_.)
 *
 * Reads the file, applies the overrides, checks.  On failure nothing is left behind and @err holds
 * one sentence; -errno.  Free with vm_config_free().  [main]
 */
int vm_config_read(const char *path, const struct config_override *overrides, size_t n_overrides,
	struct vm_config **ret_config, struct error *err);

/* The same with the file's text in memory, called @name in errors.  Opens no other file: @include
 * is refused. */
int vm_config_read_string(const char *text, size_t size, const char *name,
	const struct config_override *overrides, size_t n_overrides, struct vm_config **ret_config,
	struct error *err);

/* No file: defaults and overrides alone.  Without a device among them there are a console and an
 * entropy source, and the kernel's console is on it unless the command line is given. */
int vm_config_from_command_line(const struct config_override *overrides, size_t n_overrides,
	struct vm_config **ret_config, struct error *err);

/* Whether the payload's files can be opened: one sentence with the place that names them if not. */
int vm_config_check_files(const struct vm_config *config, struct error *err);

void vm_config_free(struct vm_config *config); /* NULL is fine */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/plugin.h - what a plugin exports and what the core hands to it.
 *
 *   (loaded, versions checked) -> init
 *     create     read settings only; no files, no side effects; also run by `tenon check`
 *       attach   claim everything: files, sockets, windows, interrupts, queues; may fail
 *         start    threads and timers may run; vCPUs follow
 *           quiesce -> { save | load } -> resume      any number of times
 *           reset                                     started or quiesced
 *       detach   give everything back; also called after a failed attach
 *     destroy    also called after a failed create
 *
 * Callbacks return 0 or -errno.  A callback that fails says why through tenon_host.fail().
 */
#ifndef TENON_PLUGIN_H
#define TENON_PLUGIN_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include <tenon/abi.h>

/* Log levels.  INFO is silent in normal running; anything a guest can trigger is rate-limited. */
#define TENON_LOG_ERR   0u
#define TENON_LOG_WARN  1u
#define TENON_LOG_INFO  2u
#define TENON_LOG_DEBUG 3u

/*
 * The host table: small, and the same for ever.  All else is a service, looked up by id.
 * Valid for the life of the process.
 */
struct tenon_host {
	uint32_t struct_size;
	uint16_t abi_major, abi_minor; /* of the core */

	/*
	 * The service table called @id ("tenon.mem/1"), or NULL where this core does not have it.
	 * The first member of every service table is its uint32_t struct_size; the table is valid
	 * for the life of the process.  Most plugins ask in init, and refuse with -ENOTSUP.  [any]
	 */
	const void *(*service)(const char *id);

	/*
	 * Logs one line at @level (TENON_LOG_*) under the device's name; @dev may be NULL in init.
	 * @text is UTF-8, without a line end; it is copied.  Rate-limited for each device.
	 * tenon_logf() formats.  [any]
	 */
	void (*log)(struct tenon_dev *dev, uint32_t level, const char *text);
	/*
	 * Records why the current callback fails, as a sentence that the user reads behind the
	 * device's name, and returns @err (a negative errno): `return host->fail(dev, -EIO,
	 * "...")`. The first one of a callback holds.  @text is copied.  tenon_failf() formats.
	 * [main]
	 */
	int (*fail)(struct tenon_dev *dev, int err, const char *text);

	/* The instance's own memory: priv_size bytes, zeroed before create, freed after destroy.
	 * The same pointer each time.  [any] */
	void *(*priv)(struct tenon_dev *dev);
	/* The instance's name in the configuration; lives until destroy.  [any] */
	const char *(*name)(const struct tenon_dev *dev);

	/*
	 * Settings.  @key must be in the class's key table; the core has checked type and range and
	 * filled in defaults, so these do not fail: 0 or NULL is what a setting without a value
	 * has.
	 * @config lives until destroy, and so do strings.
	 *
	 * How many values there are: 0 = not set and no default; 1; n = elements of a LIST.  [main]
	 */
	uint32_t (*conf_count)(const struct tenon_config *config, const char *key);
	/* STRING, PATH, ENUM, MAC as text; element @index of a LIST; NULL past the end.  [main] */
	const char *(*conf_str)(const struct tenon_config *config, const char *key, uint32_t index);
	/* INT, BOOL (0 or 1), FD, and the index of an ENUM among its values.  [main] */
	int64_t (*conf_int)(const struct tenon_config *config, const char *key);
	/* SIZE and ADDR, in bytes.  [main] */
	uint64_t (*conf_size)(const struct tenon_config *config, const char *key);
};

/* Types of a setting: what may stand in the configuration. */
#define TENON_KEY_BOOL   1u
#define TENON_KEY_INT    2u /* values: "MIN..MAX", decimal, either end may be missing */
#define TENON_KEY_SIZE   3u /* "512M"; values: "MIN..MAX" of sizes */
#define TENON_KEY_ADDR   4u /* "0xd0000000" */
#define TENON_KEY_STRING 5u
#define TENON_KEY_PATH   6u /* resolved against the folder of the configuration file */
#define TENON_KEY_ENUM   7u /* values: "one|two|three" */
#define TENON_KEY_MAC    8u /* "52:54:00:12:34:56" */
#define TENON_KEY_FD     9u /* an open descriptor's number */

/* Flags of a setting. */
#define TENON_KEY_REQUIRED (1u << 0)
#define TENON_KEY_LIST     (1u << 1) /* a libconfig list or array of values of the type */
#define TENON_KEY_SECRET   (1u << 2) /* never printed */
/*
 * Of a PATH: what the sandbox leaves of it once the device is attached.  Without one of these the
 * file, or all that is in the folder, may be read and written.
 */
#define TENON_KEY_READS    (1u << 3) /* only read */
#define TENON_KEY_CREATES  (1u << 4) /* also made, replaced and removed in the folder it is in */
#define TENON_KEY_ATTACHES (1u << 5) /* nothing: attach has opened it, or it is no file's */

/*
 * What a device does once it is attached, beyond what every device may: memory, time, randomness,
 * and reading, writing, waiting for and closing what is open.  The sandbox forbids the rest, and
 * a device in a process of its own lives under the same rules.
 */
#define TENON_NEEDS_FILES    (1ull << 0) /* opens, resizes, syncs, removes files */
#define TENON_NEEDS_SOCKETS  (1ull << 1) /* makes and serves unix sockets; sends messages */
#define TENON_NEEDS_NETWORK  (1ull << 2) /* SOCKETS, and those of other families */
#define TENON_NEEDS_THREADS  (1ull << 3) /* starts threads of its own */
#define TENON_NEEDS_IO_URING (1ull << 4) /* submits to a ring, or makes one */
#define TENON_NEEDS_PROCESSES                                                                      \
	(1ull << 5)                     /* forks, waits, sends signals; still executes nothing     \
					 */
#define TENON_NEEDS_DEVICES (1ull << 6) /* ioctl() of any kind */

/* What may be done to a path after attach; bits. */
#define TENON_PATH_READ   (1u << 0)
#define TENON_PATH_WRITE  (1u << 1)
#define TENON_PATH_CREATE (1u << 2) /* made in its folder, which must be there */
#define TENON_PATH_REMOVE (1u << 3) /* removed from its folder */

/*
 * One setting of a device.  Reserved for the core and refused in a table: type, name, plugin,
 * address, irq, iothread, isolation, transport.  Tables and their strings are static.
 */
struct tenon_key {
	const char *name; /* [a-z0-9_]+; NULL ends the table */
	uint32_t type;
	uint32_t flags;
	const char *fallback; /* default, in the syntax of the configuration; NULL = none */
	const char *values;   /* range or choices as above; NULL = any */
	const char *help;     /* one line for people */
};

/* Threading of a class: which callbacks of one instance may overlap. */
#define TENON_SERIAL    0u /* none: the core holds the instance's lock around each */
#define TENON_PER_QUEUE 1u /* queue_ready of different queues may; all else is exclusive */
#define TENON_PARALLEL  2u /* all may; control callbacks still arrive only when quiesced */

/*
 * One kind of device; static.  Everything but name is optional: a function that is NULL succeeds.
 * The lifecycle is drawn at the top of this file.
 */
struct tenon_device_class {
	uint32_t struct_size;
	uint32_t threads;    /* TENON_SERIAL, ... */
	const char *name;    /* what `type =` says: [a-z0-9-]+ */
	const char *summary; /* one line for people */
	const struct tenon_key *keys;
	size_t priv_size; /* bytes of host->priv() */

	/*
	 * Reads the settings; no files, no side effects: it is all that some tools run.  What needs
	 * more than types and ranges is checked here.  [main]
	 */
	int (*create)(struct tenon_dev *dev, const struct tenon_config *config);
	/* Claims everything: files, sockets, windows, interrupts, queues.  [main] */
	int (*attach)(struct tenon_dev *dev);
	/* Threads and timers may run from here on; vCPUs follow.  [main] */
	int (*start)(struct tenon_dev *dev);
	/*
	 * On return: no guest memory access, no interrupt, no callback of this device pending, and
	 * what the host was asked to do has ended or is recorded.  [main]
	 */
	int (*quiesce)(struct tenon_dev *dev);
	/* Goes on after quiesce.  [main] */
	int (*resume)(struct tenon_dev *dev);
	/* The machine is reset: back to the state after attach.  [main] */
	void (*reset)(struct tenon_dev *dev);
	/*
	 * Writes the device's own state with tenon.state/1, quiesced, or loaded and not yet
	 * started; the virtio layer saves its part itself, chains that are in use included.  [main]
	 */
	int (*save)(struct tenon_dev *dev, struct tenon_state_w *state);
	/*
	 * Reads what save wrote, by a plugin of state @version, between attach and start.  Nothing
	 * of it may be trusted.  A virtio device was activated before, if it had a driver, and
	 * pop() finds nothing until it is started; then chains that were in use come first, once
	 * more.  A device that refuses is detached.  [main]
	 */
	int (*load)(struct tenon_dev *dev, struct tenon_state_r *state, uint32_t version);
	/* Adds the device to the firmware tables; virtio devices are added by the core.  [main] */
	int (*describe)(struct tenon_dev *dev, struct tenon_fw *fw);
	/* Gives everything back; must accept a half-done attach.  [main] */
	void (*detach)(struct tenon_dev *dev);
	/* Ends the instance; must accept a half-done create.  [main] */
	void (*destroy)(struct tenon_dev *dev);
	/* Of what save writes: counts up when an older load could not read it.  What says more than
	 * this is not given to load; what says less, is. */
	uint32_t state_version;
	uint32_t reserved; /* 0 */

	uint64_t needs; /* TENON_NEEDS_*; 0 where the table ends before it */
	/* System calls that no bit of needs covers, by name; NULL ends.  NULL = none. */
	const char *const *syscalls;
	/*
	 * The @index-th path (0, 1, ...) that is used after attach and is in no setting of type
	 * PATH, with its TENON_PATH_* in @ret_access; NULL past the last.  The string lives until
	 * the next call.  After create.  [main]
	 */
	const char *(*path)(struct tenon_dev *dev, uint32_t index, uint32_t *ret_access);
};

/* The object named TENON_PLUGIN_SYMBOL.  Use TENON_PLUGIN() to define it. */
struct tenon_plugin {
	uint32_t struct_size;
	uint16_t abi_major, abi_minor; /* of the headers that the plugin was built with */
	const char *id;                /* "org.tenon.rng" */
	const char *version;           /* free text */
	const char *license;           /* SPDX expression */
	/*
	 * Once per process, before any create; look services up here.  @host lives as long as the
	 * process.  An error refuses the plugin; say why with host->log(NULL, ...).  [main]
	 */
	int (*init)(const struct tenon_host *host);
	void (*fini)(void);                              /* once at exit; optional.  [main] */
	const struct tenon_device_class *const *devices; /* ends with NULL */
};

/*
 * The ELF note ".note.tenon" (owner "tenon", type TENON_NOTE_PLUGIN): lets people list a plugin
 * without running its code.  The description is the two versions as uint16_t, then three strings of
 * fixed size: the plugin's id, its version and the names of its classes, separated by blanks.
 */
#define TENON_NOTE_PLUGIN 0x54454e4fu

struct tenon_note {
	uint32_t name_size, desc_size, type;
	char name[8];
	uint16_t abi_major, abi_minor;
	char id[64];
	char version[32];
	char classes[156];
};

/* Where the note lies: Mach-O wants a segment too. */
#ifdef __APPLE__
#define TENON_NOTE_SECTION "__TENON,__note"
#else
#define TENON_NOTE_SECTION ".note.tenon"
#endif

/*
 * TENON_PLUGIN(id, version, license, init, class array, "class names"): defines the exported object
 * and the note.  One use per module; authors never write ABI versions.
 */
#define TENON_PLUGIN(id_, version_, license_, init_, devices_, class_names_)                       \
	static const struct tenon_note tenon_note_object                                           \
		__attribute__((section(TENON_NOTE_SECTION), used, aligned(4))) = { 6,              \
			sizeof(struct tenon_note) - offsetof(struct tenon_note, abi_major),        \
			TENON_NOTE_PLUGIN, "tenon", TENON_ABI_MAJOR, TENON_ABI_MINOR, id_,         \
			version_, class_names_ };                                                  \
	TENON_EXTERN_C const struct tenon_plugin TENON_PLUGIN_SYMBOL TENON_EXPORT;                 \
	const struct tenon_plugin TENON_PLUGIN_SYMBOL = { sizeof(struct tenon_plugin),             \
		TENON_ABI_MAJOR, TENON_ABI_MINOR, id_, version_, license_, init_, NULL, devices_ }

/*
 * TENON_PLUGIN_CLASS(id, version, license, init, class, "class name"): the same for a plugin with
 * one class.
 */
#define TENON_PLUGIN_CLASS(id_, version_, license_, init_, class_, class_name_)                    \
	static const struct tenon_device_class *const tenon_classes[] = { &(class_), NULL };       \
	TENON_PLUGIN(id_, version_, license_, init_, tenon_classes, class_name_)

/*
 * printf-style log and fail on the caller's side, so that no varargs cross the ABI.  Up to 511
 * bytes; the rest is cut.  [any] and [main], as what they call.
 */
__attribute__((format(printf, 4, 5))) static inline void tenon_logf(const struct tenon_host *host,
	struct tenon_dev *dev, uint32_t level, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	host->log(dev, level, text);
}

__attribute__((format(printf, 4, 5))) static inline int tenon_failf(
	const struct tenon_host *host, struct tenon_dev *dev, int err, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return host->fail(dev, err, text);
}

/*
 * TENON_FIND(host, table, id, member): for init.  Looks service @id up and puts it into the
 *variable
 * @table; 0 when it is there and reaches as far as @member, the last one that is used.  Else the
 * log says what is missing, and the result is -ENOTSUP.
 *
 *	return TENON_FIND(h, virtio, TENON_SVC_VIRTIO, fault) |
 *	       TENON_FIND(h, event, TENON_SVC_EVENT, post);
 */
#define TENON_FIND(host, table, id, member)                                                        \
	((table) = (__typeof__(table))(host)->service(id),                                         \
		TENON_HAS(table, member) ? 0 : tenon_lacks(host, id, (table) != NULL))

static inline int tenon_lacks(const struct tenon_host *host, const char *id, int is_short)
{
	tenon_logf(host, NULL, TENON_LOG_ERR, "this core %s %s; a newer one is needed",
		is_short ? "has too little of" : "lacks", id);
	return -ENOTSUP;
}

#endif

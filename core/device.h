/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices: one object per configured instance of a plugin's class, and its way through life.
 *
 *   device_create -> attach -> start <-> quiesce/resume, reset -> detach -> destroy
 *
 * Control callbacks of a device run on the thread of its loop, so that they never meet one of its
 * own events; together with the instance lock, which only register accesses compete for, that
 * makes TENON_SERIAL true without a deadlock.  Locks are taken in the order bus, device.
 */
#ifndef TENON_CORE_DEVICE_H
#define TENON_CORE_DEVICE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <tenon/plugin.h>

#include "core/log.h"

struct arch_layout;
struct backend_ops;
struct backend_vm;
struct bus;
struct config_device;
struct display_hub;
struct display_member;
struct error;
struct event_loop;
struct guest_memory;
struct irq_table;
struct loop_timer;
struct machine;
struct terminal;
struct terminal_client;
struct virtio_home;
struct terminal_relay;
struct virtio_host;
struct work_pool;

/* What devices live on.  A device knows nothing else of the VM that it is part of. */
struct device_env {
	struct guest_memory *gm;
	struct bus *mmio, *pio; /* pio NULL: the platform has no ports */
	const struct arch_layout *layout;
	struct irq_table *irqs;
	const struct backend_ops *ops; /* for doorbells; NULL: all of them trap */
	struct backend_vm *vm;
	uint32_t phys_bits; /* of guest physical addresses; 0 = not known */
	/* Where virtio devices are if there is no machine: mmio and irqs are NULL then. */
	const struct virtio_home *home;
	struct terminal *terminal;
	struct work_pool *work;
	struct display_hub *displays;
	void (*off)(void *opaque);                  /* [any] */
	void (*reset)(void *opaque);                /* [any] */
	void (*mark)(void *opaque, uint64_t value); /* [any] */
	uint64_t (*guest_ns)(void *opaque);         /* [any] */
	void *opaque;
};

enum device_state {
	DEVICE_NEW,
	DEVICE_CREATED,
	DEVICE_ATTACHED,
	DEVICE_STARTED,
	DEVICE_QUIESCED,
};

struct device_post;
struct tenon_state_r;
struct tenon_state_w;

struct tenon_dev {
	struct tenon_dev *next; /* the owner's list */
	const struct device_env *env;
	const struct tenon_device_class *cls;
	const struct config_device *config;
	struct tenon_config *settings; /* owned */
	void *priv;                    /* owned */
	struct event_loop *loop;
	enum device_state state; /* [main] */
	bool loaded;             /* attached, and given a state */
	struct error *err;       /* where fail() writes during a control callback */

	pthread_mutex_t lock; /* TENON_SERIAL: held around every callback */

	/* What the device holds; whatever it forgets is taken back after detach. */
	struct tenon_region *regions;
	struct tenon_watch *watches;
	struct tenon_timer *timers;
	struct virtio_host *virtio;
	struct display_member *display;
	struct tenon_shm_region *shm;
	struct terminal_client *terminal;
	struct terminal_relay *relay;           /* of one that lives elsewhere */
	void (*pressed)(struct tenon_dev *dev); /* power button */

	pthread_mutex_t posts_lock;
	struct loop_timer *posts_timer; /* due when something is posted; see service_event.c */
	struct device_post *first_post, **last_post;
	struct device_post *running_posts; /* taken from the list, not yet run; under the lock */

	struct log_limit log_limit;
};

/* Checks the settings and runs create.  @config and @env are borrowed till destroy.  [main] */
int device_create(const struct device_env *env, const struct tenon_device_class *cls,
	const struct config_device *config, struct event_loop *loop, struct tenon_dev **ret_dev,
	struct error *err);
int device_attach(struct tenon_dev *dev, struct error *err);  /* [main] */
int device_start(struct tenon_dev *dev, struct error *err);   /* [main] */
int device_quiesce(struct tenon_dev *dev, struct error *err); /* [main] */
int device_resume(struct tenon_dev *dev, struct error *err);  /* [main] */
void device_reset(struct tenon_dev *dev);                     /* quiesced [main] */
/*
 * device_state.c: writes the device's state into the section that is open, quiesced; reads it from
 * the one that was entered, attached and not started.  One that refuses is to be destroyed.  [main]
 */
int device_save(struct tenon_dev *dev, struct tenon_state_w *w, struct error *err);
int device_load(struct tenon_dev *dev, struct tenon_state_r *r, struct error *err);
/* Lets it write itself into @machine.  [main] */
int device_describe(struct tenon_dev *dev, struct machine *machine, struct error *err);
/* From any state; NULL is fine.  [main] */
void device_destroy(struct tenon_dev *dev);

/* Around every callback of the device: its lock, and its name for the sandbox's reports. */
void device_lock(struct tenon_dev *dev);
void device_unlock(struct tenon_dev *dev);

/* As struct tenon_host's fail(). */
int device_fail(struct tenon_dev *dev, int err_no, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* As device_fail(), for what only another configuration mends, whatever @err_no is. */
int device_refuse(struct tenon_dev *dev, int err_no, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif

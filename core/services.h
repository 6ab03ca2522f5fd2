/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables that the core hands to plugins (the SDK's headers say what they promise), and what the
 * core takes back from a device that is gone.
 */
#ifndef TENON_CORE_SERVICES_H
#define TENON_CORE_SERVICES_H

#include <tenon/tenon.h>

#include "core/irq.h"
#include "core/machine.h"

struct display_hub;
struct error;
struct virtio_device;
struct virtio_host;

extern const struct tenon_host tenon_host_table;
extern const struct tenon_mem service_mem;
extern const struct tenon_mmio service_mmio;
extern const struct tenon_irq_svc service_irq;
extern const struct tenon_notifier_svc service_notifier;
extern const struct tenon_event service_event;
extern const struct tenon_work service_work;
extern const struct tenon_clock service_clock;
extern const struct tenon_terminal service_terminal;
extern const struct tenon_power service_power;
extern const struct tenon_firmware service_firmware;
extern const struct tenon_virtio service_virtio;
extern const struct tenon_shm service_shm;
extern const struct tenon_display service_display;

/* What a device forgot to give back; after its detach.  [main] */
void regions_release(struct tenon_dev *dev);
void events_release(struct tenon_dev *dev);
int events_init(struct tenon_dev *dev);    /* 0 or -errno */
void events_finish(struct tenon_dev *dev); /* a failed init is fine */
/* One posted function.  Whoever lends the memory keeps it till the function runs, or is dropped. */
struct device_post {
	struct device_post *next;
	void (*fn)(struct tenon_dev *dev, void *arg);
	void *arg;
	bool lent;
};
/* As post(), but allocates nothing and cannot fail.  [any] */
void events_post_lent(struct tenon_dev *dev, struct device_post *post,
	void (*fn)(struct tenon_dev *dev, void *arg), void *arg);
/* Runs what is posted now; drops one that is not run yet.  [main] [loop] */
void events_run_posts(struct tenon_dev *dev);
void events_drop_post(
	struct tenon_dev *dev, void (*fn)(struct tenon_dev *dev, void *arg), const void *arg);
void irqs_release(struct tenon_dev *dev);
void terminal_release(struct tenon_dev *dev);
void work_release(struct tenon_dev *dev);
void shm_release(struct tenon_dev *dev);
void displays_release(struct tenon_dev *dev);

/* firmware.c: adds the node of a virtio device.  [main] */
#define FIRMWARE_MAX_HANDLES 16
struct tenon_fw_node { /* by index, because the array of nodes moves as it grows */
	struct machine *machine;
	size_t index;
};
struct tenon_fw { /* one device's description, while it describes itself */
	struct machine *machine;
	struct tenon_dev *dev;
	struct tenon_fw_node handles[FIRMWARE_MAX_HANDLES];
	size_t n_handles;
};
int firmware_add_virtio(
	struct tenon_fw *fw, uint64_t address, uint64_t size, const struct tenon_irq *irq);

/* region.c: accesses to it do not take the instance's lock.  [main] */
void region_set_unlocked(struct tenon_region *region);

/* service_display.c */
struct display_hub *displays_create(void); /* NULL: no memory [main] */
/* All devices are attached: who looks finds who draws, or a sentence says who does not.  [main] */
int displays_connect(struct display_hub *hub, struct error *err);
void displays_pause(struct tenon_dev *dev, bool paused); /* [main] */

/* virtio_host.c */
struct virtio_device;
struct virtio_home {
	void (*interrupt)(void *opaque);            /* the configuration or the status [any] */
	void (*call)(void *opaque, uint32_t index); /* a queue [loop] */
	void (*mark_dirty)(void *opaque, const void *host, uint64_t size); /* [loop] */
	void *opaque;
};
struct virtio_device *virtio_host_device(struct virtio_host *host);
int virtio_host_describe(struct virtio_host *host, struct tenon_fw *fw);
void virtio_host_started(struct virtio_host *host); /* one that was loaded goes on [main] */
void virtio_host_quiesce(struct virtio_host *host); /* [main] */
void virtio_host_resume(struct virtio_host *host);  /* [main] */
void virtio_host_reset(struct virtio_host *host);   /* [main] */
void virtio_host_destroy(struct virtio_host *host); /* NULL is fine [main] */
uint32_t virtio_host_device_id(const struct virtio_host *host);
#define VIRTIO_HOST_MAX_SHM 4u
int virtio_host_set_shm(struct virtio_host *host, uint32_t id, uint64_t gpa, uint64_t size);
struct virtio_device *virtio_host_layer(struct virtio_host *host); /* NULL of NULL */

/* region.c: for listings; NULL past the last.  [main] */
struct region_info {
	const char *name;
	bool pio;
	uint64_t address, size;
};
void region_describe(const struct tenon_region *region, struct region_info *ret_info);
bool region_info(const struct tenon_dev *dev, unsigned index, struct region_info *ret_info);

#endif

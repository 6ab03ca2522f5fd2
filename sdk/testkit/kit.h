/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the test kit share.
 *
 * There is one machine to a process: memory, clock, loop, buses, terminal.  Its lock guards what
 * service functions marked [any] touch; everything else belongs to the test's thread.
 */
#ifndef TENON_TESTKIT_KIT_H
#define TENON_TESTKIT_KIT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <tenon/tenon.h>
#include <tenon/testkit.h>

#include "core/error.h"
#include "core/guest_memory.h"
#include "sdk/virtio/virtio_device.h"

struct config_device;
struct vm_config;

/* ---- roles ---- */

#define ROLE_MAIN 1u
#define ROLE_VCPU 2u
#define ROLE_LOOP 4u
#define ROLE_WORK 8u
#define ROLE_ANY  0x80u

/* Where this thread is: in whose callback, and in which role.  0 = in none. */
struct kit_here {
	unsigned role;
	struct tk_dev *dev;
	bool locked; /* this very callback took the instance's lock */
};

/* Around every callback: takes the role and, for TENON_SERIAL, the instance's lock. */
void kit_enter(struct tk_dev *d, unsigned role, struct kit_here *ret_before);
void kit_leave(struct tk_dev *d, const struct kit_here *before);
struct tk_dev *kit_current(void);

/* First thing in every service function: fails the test when it is called in a wrong role. */
void kit_role(const char *function, unsigned allowed);
/* The same for a function that can fail; true when it is its turn to. */
bool kit_fails(const char *function, unsigned allowed);
bool kit_inject(unsigned kind);

#define kit_fail(...) tk_fail_at(NULL, 0, __VA_ARGS__)
void *kit_alloc(size_t size); /* zeroed; never NULL */

/* ---- a device ---- */

enum kit_state { KIT_NEW, KIT_CREATED, KIT_ATTACHED, KIT_STARTED, KIT_QUIESCED, KIT_DETACHED };

struct kit_doorbell {
	struct kit_doorbell *next;
	uint64_t offset, match;
	uint32_t size;
	bool has_match;
	struct tenon_notifier *notifier;
};

struct tenon_region {
	struct tenon_region *next;
	struct tk_dev *dev;
	struct tenon_region_desc desc;
	uint64_t address;
	bool unlocked; /* the kit's own, for virtio */
	struct kit_doorbell *doorbells;
};

struct tenon_irq {
	struct tenon_irq *next;
	struct tk_dev *dev;
	uint32_t flags, number, level;
	unsigned edges;
	struct tenon_notifier *notifier;
	bool own; /* the kit's own, for virtio */
};

struct kit_terminal_client {
	const struct tenon_terminal_ops *ops; /* NULL = not open */
	bool starved;
};

#define KIT_MAX_FDS   256
#define KIT_MAX_MARKS 64

struct tk_dev {
	struct tk_dev *next;
	const struct tenon_device_class *cls;
	struct vm_config *config;
	const struct config_device *cd;
	struct tenon_config *settings;
	void *priv;
	enum kit_state state;
	bool failing; /* in a control callback: fail() is heard */
	bool loaded;  /* and not started yet */
	pthread_mutex_t lock;

	struct tenon_region *regions; /* in the order of creation, as all lists here */
	struct tenon_irq *irqs;
	struct tenon_watch *watches;
	struct tenon_timer *timers;
	struct kit_virtio *virtio;
	struct display_member *display;
	struct kit_terminal_client terminal;
	unsigned doorbells, own_irqs_gone;

	void (*pressed)(struct tenon_dev *dev);
	unsigned offs, resets, marks;
	uint64_t last_mark;

	int fds[KIT_MAX_FDS]; /* that were open before create */
	unsigned n_fds;
};

/* What the plugin sees of it. */
struct tenon_dev {
	struct tk_dev d;
};

static inline struct tenon_dev *kit_handle(struct tk_dev *d)
{
	return (struct tenon_dev *)(void *)d;
}

/* ---- the machine ---- */

struct kit_machine {
	pthread_mutex_t lock;
	struct tk_dev *devices;
	struct guest_memory *gm;
	bool no_ports;
	uint64_t now_ns, stopped_ns; /* under the lock */
	char error[1200];
	pthread_t thread; /* the test's */
};

extern struct kit_machine kit;

void kit_lock(void);
void kit_unlock(void);

/* test.c: destroys what is left and checks.  At the end of a test. */
void kit_end(void);
/* device.c */
void kit_destroy_all(void);
void kit_fini(void);
/* Fails the test that wants to do @what with a device in the wrong state. */
void kit_must_be(const struct tk_dev *d, const char *what, bool right);
/* Records the sentence of an error, as the core would print it. */
void kit_set_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* host.c */
extern const struct tenon_host kit_host;
void kit_log(struct tk_dev *d, uint32_t level, const char *text);

/* module.c, hook.c */
const struct tenon_device_class *kit_class(const char *type);
void kit_hook(void *module);

/* loop.c, work.c */
extern const struct tenon_event kit_event;
extern const struct tenon_clock kit_clock;
extern const struct tenon_work kit_work;
/* Like event.post, for the kit itself; kit_post_held: the machine's lock is held. */
void kit_post(struct tk_dev *d, void (*fn)(struct tenon_dev *dev, void *arg), void *arg);
void kit_post_held(struct tk_dev *d, void (*fn)(struct tenon_dev *dev, void *arg), void *arg);
void kit_drop_post(struct tk_dev *d, void (*fn)(struct tenon_dev *dev, void *arg), const void *arg);
/* One post of anybody, or all of one device's. */
bool kit_run_posts(struct tk_dev *only);
void kit_forget_posts(struct tk_dev *d);
void kit_events_left(const struct tk_dev *d); /* fails the test if there are some */
void kit_events_free(struct tk_dev *d);
bool kit_step_work(void);
bool kit_wait_work(void);  /* for a thread's job to end; false = none under way */
bool kit_wait_posts(void); /* the same, or until there is something posted; true = there is */
bool kit_has_posts_held(void);
void kit_work_left(struct tk_dev *d);

/* bus.c */
extern const struct tenon_mmio kit_mmio;
struct tenon_region *kit_region(struct tk_dev *d, unsigned index);
uint64_t kit_region_read(struct tenon_region *r, uint64_t offset, uint32_t size);
void kit_region_write(struct tenon_region *r, uint64_t offset, uint32_t size, uint64_t value);
void kit_regions_left(struct tk_dev *d);
void kit_region_free(struct tenon_region *r);

/* irq.c */
extern const struct tenon_irq_svc kit_irq;
extern const struct tenon_notifier_svc kit_notifier;
bool kit_step_irqs(void);
void kit_irq_pulse(struct tenon_irq *irq);
void kit_irq_release(struct tenon_irq *irq);
void kit_irqs_left(struct tk_dev *d);
void kit_notifiers_left(struct tk_dev *d);

/* memory.c */
extern const struct tenon_mem kit_mem;
struct guest_memory *kit_memory(void);
bool kit_memory_holds(uint64_t gpa, uint64_t size);
/* What was allocated since the mark is released. */
uint64_t kit_alloc_mark(void);
void kit_release_since(uint64_t mark);
const char *kit_mem_wrong(void); /* NULL = nothing was touched that may not be */

/* terminal.c, platform.c */
extern const struct tenon_terminal kit_terminal;
extern const struct tenon_power kit_power;
extern const struct tenon_firmware kit_firmware;
bool kit_step_terminal(void);
void kit_terminal_release(struct tk_dev *d);

/* shm.c */
extern const struct tenon_shm kit_shm;
void kit_shm_release(struct tk_dev *d);

/* display.c */
extern const struct tenon_display kit_display;
void kit_display_pause(struct tk_dev *d, bool paused);
void kit_display_release(struct tk_dev *d);

/* virtio.c */
extern const struct tenon_virtio kit_virtio;
struct kit_virtio *kit_virtio_of(struct tk_dev *d);
struct virtio_device *kit_virtio_layer(struct tk_dev *d);
struct tenon_region *kit_virtio_window(struct tk_dev *d);
bool kit_step_virtio(void);
void kit_virtio_go(struct tk_dev *d);
void kit_virtio_quiesce(struct tk_dev *d);
void kit_virtio_resume(struct tk_dev *d);
void kit_virtio_reset(struct tk_dev *d);
void kit_virtio_destroy(struct tk_dev *d);

/* state.c */
extern const struct tenon_state kit_state;
void kit_states_free(void);
/* external.c: external rings.  kit_wait_external() waits for what they are to bring; false = it is
 * not to be waited for. */
struct pollfd;
int kit_external_open(
	struct virtio_device *vd, struct tenon_notifier **kicks, struct tenon_notifier **calls);
void kit_external_close(struct tenon_notifier **kicks, struct tenon_notifier **calls);
bool kit_step_external(void);
bool kit_wait_external(void);
/* virtio.c: whether it has some and is not quiesced. */
bool kit_virtio_external(
	struct tk_dev *d, struct virtio_device **ret_vd, struct tenon_notifier ***ret_calls);
/* loop.c: what the device watches; returns how many. */
size_t kit_watched(const struct tk_dev *d, struct pollfd *to, size_t room);

/* driver.c: forgets chains and queues. */
struct kit_driver;
void kit_driver_forget(struct tk_dev *d);
void kit_driver_destroy(struct tk_dev *d);
void kit_drivers_free(void); /* those that no device has */
struct kit_driver **kit_driver_of(struct tk_dev *d);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-input (Virtio 1.2, 5.8): what its files share.
 *
 * input.c is the device and its life, pages.c what the driver can ask of it, kinds.c the keyboards,
 * tablets and mice that viewers feed, evdev_linux.c the host's own devices, queue.c the events on
 * their way to the guest.
 */
#ifndef PLUGINS_INPUT_H
#define PLUGINS_INPUT_H

#include <linux/input-event-codes.h>
#include <stdbool.h>
#include <stdint.h>

#include <tenon/tenon.h>

#define INPUT_BYTES   128u /* of what the driver asked for (5.8.4) */
#define INPUT_PAGES   112u /* name, serial, ids, properties, 32 types, 64 axes and some */
#define INPUT_NAME    "Tenon %s"
#define INPUT_BACKLOG 1024u /* events; a power of two */

/* As the driver reads and writes them (5.8.6): little-endian. */
struct input_event_wire {
	uint16_t type, code;
	uint32_t value;
};

/* What lies behind the two bytes of the key. */
struct input_page {
	uint8_t size, reserved[5];
	uint8_t bytes[INPUT_BYTES];
};

struct input_pages {
	struct input_page page[INPUT_PAGES];
	struct tenon_virtio_page table[INPUT_PAGES];
	uint32_t n;
};

/* A set of codes of one type. */
struct input_bits {
	uint8_t bytes[INPUT_BYTES];
};

struct input_axis {
	int32_t min, max, fuzz, flat, resolution;
};

/* What the device has and can do, from which the pages are made. */
struct input_abilities {
	char name[INPUT_BYTES + 1], serial[INPUT_BYTES + 1];
	uint16_t bus, vendor, product, version;
	struct input_bits properties;
	struct input_bits types; /* EV_*; what is not in it has no codes */
	struct input_bits codes[EV_CNT];
	struct input_axis axes[ABS_CNT];
};

/*
 * Events on their way to the guest, and how they are put together when it does not take them.
 *
 * As long as there is room they wait one by one.  Once there is none, what comes is laid over the
 * state that the guest shall find at the end, and when it has taken what waits it gets what differs
 * from the state it knows.  So keys that went down and up meanwhile are not seen, but no release is
 * ever lost and no position is old.
 */
struct input_queue {
	struct tenon_input_event events[INPUT_BACKLOG];
	uint32_t at, n;
	bool open;   /* the last packet has no end yet */
	bool behind; /* `after` holds what did not find room */
	struct input_state {
		struct input_bits keys, switches;
		int32_t axes[ABS_CNT], moves[REL_CNT]; /* where they are; what they moved */
	} known, after;
};

struct input {
	struct tenon_dev *dev;
	struct input_abilities can;
	struct input_pages pages;
	struct input_queue queue;
	uint32_t takes; /* TENON_INPUT_* */
	bool running;   /* a driver takes events */

	/* The host's device; -1 = none. */
	const char *path;
	bool grab, dropped; /* events were lost: the rest of the packet is of no use */
	int fd;
	struct tenon_watch *watch;
};

extern const struct tenon_host *input_host;
extern const struct tenon_virtio *input_virtio;
extern const struct tenon_event *input_event;
extern const struct tenon_display *input_display;

static inline bool bit_is_set(const struct input_bits *bits, unsigned code)
{
	return code < INPUT_BYTES * 8 && (bits->bytes[code / 8] >> (code % 8) & 1);
}

static inline void bit_put(struct input_bits *bits, unsigned code, bool on)
{
	if (code >= INPUT_BYTES * 8)
		return;
	bits->bytes[code / 8] &= (uint8_t) ~(1u << (code % 8));
	bits->bytes[code / 8] |= (uint8_t)(on << (code % 8));
}

/* ---- pages.c ---- */

/* Makes the pages that the driver chooses from. */
void pages_make(struct input_pages *pages, const struct input_abilities *can);
/* Whether the device has events of that type and code. */
bool input_can(const struct input_abilities *can, unsigned type, unsigned code);

/* ---- kinds.c ---- */

enum input_kind { INPUT_KEYBOARD, INPUT_TABLET, INPUT_MOUSE, INPUT_EVDEV };

/* What a device of the kind can do; returns the TENON_INPUT_* that it takes. */
uint32_t kind_describe(enum input_kind kind, struct input_abilities *can);

/* ---- queue.c ---- */

/* Everything is up and nothing waits. */
void queue_clear(struct input_queue *q);
/* One event; those that the device cannot have are left out. */
void queue_put(struct input_queue *q, const struct input_abilities *can,
	const struct tenon_input_event *event);
/* Those since the last end belong together. */
void queue_end(struct input_queue *q);
/* What the guest shall find at the end of all that waits, to be changed, and to be sent. */
struct input_state *queue_state(struct input_queue *q);
/* The next event; false = there is none. */
bool queue_take(struct input_queue *q, struct tenon_input_event *ret_event);
/* Gives the one that was taken last back. */
void queue_untake(struct input_queue *q);

/* ---- input.c ---- */

/* Hands the guest what it has room for. */
void input_flush(struct input *in);

/* ---- evdev_linux.c ---- */

/* Opens the host's device and asks what it can do.  0, or -errno with the reason recorded. */
int evdev_attach(struct input *in);
int evdev_start(struct input *in);
/* A driver begins: it shall know what is pressed and where everything is. */
void evdev_activate(struct input *in);
void evdev_stop(struct input *in); /* does not read until started again */
void evdev_detach(struct input *in);
/* Lights and sounds that the guest wants. */
void evdev_status(struct input *in, uint16_t type, uint16_t code, int32_t value);

#endif

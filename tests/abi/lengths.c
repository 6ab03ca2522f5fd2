/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of other lengths.  SHORTER: every table ends before some member of today's, as an older
 * plugin's would, and what lies behind is poison: a core that uses it dies.  Otherwise every table
 * has members that today's core does not know.  Class "length" has registers and a terminal, class
 * "length-virtio" is a virtio device; both log what still worked.
 */
#include <errno.h>
#include <string.h>

#include <tenon/tenon.h>

#define POISON ((uintptr_t)0xbad0bad0bad0)

#ifdef SHORTER
#define SIZE_TO(type, member) offsetof(struct type, member)
#else
#define SIZE_TO(type, member) (sizeof(struct type) + sizeof(uintptr_t[4]))
#endif

/* Today's table and what a later minor appends. */
#define LATER(type)                                                                                \
	struct {                                                                                   \
		struct type table;                                                                 \
		uintptr_t more[4];                                                                 \
	}
#define MORE                                                                                       \
	{                                                                                          \
		POISON, POISON, POISON, POISON                                                     \
	}

static const struct tenon_host *host;
static const struct tenon_mmio *mmio;
static const struct tenon_terminal *terminal;
static const struct tenon_virtio *virtio;

/* A function where there is none in a shorter table. */
#ifdef SHORTER
#define BEYOND(type, function) ((type)POISON)
#else
#define BEYOND(type, function) (function)
#endif

typedef void write_fn(struct tenon_dev *, void *, uint64_t, uint32_t, uint64_t);
typedef void device_fn(struct tenon_dev *);
typedef int step_fn(struct tenon_dev *);
typedef const char *path_fn(struct tenon_dev *, uint32_t, uint32_t *);

static uint64_t length_read(struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size)
{
	(void)dev;
	(void)opaque;
	(void)offset;
	return size;
}

#ifndef SHORTER
static void length_write(
	struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size, uint64_t value)
{
	(void)opaque;
	(void)offset;
	(void)size;
	if (value == 5)
		host->log(dev, TENON_LOG_WARN, "written");
}

static int length_quiesce(struct tenon_dev *dev)
{
	host->log(dev, TENON_LOG_WARN, "quiesced");
	return 0;
}

static void length_detach(struct tenon_dev *dev)
{
	host->log(dev, TENON_LOG_WARN, "detached");
}
#endif

static size_t length_input(struct tenon_dev *dev, const void *bytes, size_t size)
{
	(void)bytes;
	host->log(dev, TENON_LOG_WARN, "typed");
	return size;
}

static const LATER(tenon_region_ops) region_ops = {
	{ SIZE_TO(tenon_region_ops, write), length_read, BEYOND(write_fn *, length_write) }, MORE
};

static const LATER(tenon_terminal_ops) terminal_ops = {
	{ SIZE_TO(tenon_terminal_ops, writable), length_input, BEYOND(device_fn *, NULL),
		BEYOND(void (*)(struct tenon_dev *, uint32_t, uint32_t), NULL),
		BEYOND(device_fn *, NULL) },
	MORE
};

static int length_attach(struct tenon_dev *dev)
{
	const LATER(tenon_region_desc)
		desc = { { SIZE_TO(tenon_region_desc, opaque), TENON_SPACE_MMIO, 4096, "length",
				 &region_ops.table, (void *)POISON },
			MORE };
	struct tenon_region *region;
	int ret = mmio->region_create(dev, &desc.table, &region);

	if (ret == 0)
		ret = mmio->map(region, TENON_ADDR_ANY);
	return ret < 0 ? ret : terminal->open(dev, &terminal_ops.table);
}

static int length_start(struct tenon_dev *dev)
{
	return terminal->want_input(dev, 1);
}

static const LATER(tenon_device_class) length_class = {
	{ SIZE_TO(tenon_device_class, quiesce), TENON_SERIAL, "length", "a table of another length",
		NULL, 16, NULL, length_attach, length_start, BEYOND(step_fn *, length_quiesce),
		BEYOND(step_fn *, NULL), BEYOND(device_fn *, NULL), NULL, NULL, NULL,
		BEYOND(device_fn *, length_detach), BEYOND(device_fn *, NULL), 0, 0, ~0ull, NULL,
		BEYOND(path_fn *, NULL) },
	MORE
};

static int length_activate(struct tenon_dev *dev, uint64_t features)
{
	const uint8_t one = 1;

	(void)features;
	host->log(dev, TENON_LOG_WARN, "activated");
	return virtio->config_set(dev, 0, &one, 1); /* which the driver is told of */
}

static const LATER(tenon_virtio_ops) virtio_ops = {
	{ SIZE_TO(tenon_virtio_ops, queue_ready), length_activate,
		BEYOND(void (*)(struct tenon_dev *, struct tenon_vq *, uint32_t), NULL),
		BEYOND(void (*)(struct tenon_dev *, uint32_t, uint32_t), NULL),
		BEYOND(device_fn *, NULL) },
	MORE
};

static int virtio_attach(struct tenon_dev *dev)
{
	static const uint16_t sizes[] = { 8 };
	LATER(tenon_virtio_desc)
	desc = { { sizeof(desc), 63, 0, 1, 4, sizes, NULL, &virtio_ops.table, 0, 0, NULL, 0, 0 },
		MORE };

	desc.table.struct_size = offsetof(struct tenon_virtio_desc, ops);
	if (virtio->add(dev, &desc.table) != -EINVAL)
		return host->fail(dev, -EPROTO, "a description without ops was taken");
	desc.table.struct_size = sizeof(desc);
	return virtio->add(dev, &desc.table);
}

static const LATER(tenon_device_class) virtio_class = {
	{ SIZE_TO(tenon_device_class, start), TENON_SERIAL, "length-virtio", NULL, NULL, 0, NULL,
		virtio_attach, BEYOND(step_fn *, NULL), BEYOND(step_fn *, NULL),
		BEYOND(step_fn *, NULL), BEYOND(device_fn *, NULL), NULL, NULL, NULL,
		BEYOND(device_fn *, NULL), BEYOND(device_fn *, NULL), 0, 0, ~0ull, NULL,
		BEYOND(path_fn *, NULL) },
	MORE
};

static const struct tenon_device_class *const classes[] = { &length_class.table,
	&virtio_class.table, NULL };

static int length_init(const struct tenon_host *h)
{
	host = h;
	mmio = h->service(TENON_SVC_MMIO);
	terminal = h->service(TENON_SVC_TERMINAL);
	virtio = h->service(TENON_SVC_VIRTIO);
	if (TENON_HAS(mmio, map) && TENON_HAS(terminal, want_input) && TENON_HAS(virtio, add))
		return 0;
	h->log(NULL, TENON_LOG_ERR, "length: this core lacks a service that is needed");
	return -ENOTSUP;
}

/* The note is the macro's; the exported object is one of another length. */
#undef TENON_PLUGIN_SYMBOL
#define TENON_PLUGIN_SYMBOL exact
TENON_PLUGIN("org.tenon.length", "1.0", "Apache-2.0", length_init, classes, "length length-virtio");

struct later_plugin {
	struct tenon_plugin table;
	uintptr_t more[4];
};

TENON_EXPORT extern const struct later_plugin tenon_plugin_v0;
const struct later_plugin tenon_plugin_v0 = {
#ifdef NO_DEVICES
	{ offsetof(struct tenon_plugin, devices), TENON_ABI_MAJOR, TENON_ABI_MINOR,
		"org.tenon.length", "1.0", "Apache-2.0", length_init, NULL, (void *)POISON },
#else
	{ sizeof(struct later_plugin), TENON_ABI_MAJOR, TENON_ABI_MINOR, "org.tenon.length", "1.0",
		"Apache-2.0", length_init, NULL, classes },
#endif
	MORE
};

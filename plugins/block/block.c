/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block: virtio-blk (Virtio 1.2, 5.2).  Settings and life; see io.c for the data path.
 */
#include "block.h"

#include <errno.h>
#include <string.h>

const struct tenon_host *block_host;
const struct tenon_virtio *block_virtio;
const struct tenon_event *block_event;
const struct tenon_work *block_work;
const struct tenon_clock *block_clock;

/* ---- virtio ---- */

static int block_activate(struct tenon_dev *dev, uint64_t features)
{
	struct block *b = block_of(dev);

	b->acked = features;
	/* Who cannot flush gets every write on the disk (5.2.6.2). */
	b->writeback = (features & BLK_F_FLUSH) && b->set.cache == CACHE_WRITEBACK;
	b->active = true;
	return 0;
}

static void block_config_written(struct tenon_dev *dev, uint32_t offset, uint32_t size)
{
	struct block *b = block_of(dev);
	uint8_t on;

	if (offset > BLK_CFG_WRITEBACK || offset + size <= BLK_CFG_WRITEBACK || !b->active)
		return;
	if (!(b->acked & BLK_F_CONFIG_WCE) || !(b->acked & BLK_F_FLUSH))
		return;
	if (block_virtio->config_get(dev, BLK_CFG_WRITEBACK, &on, 1) < 0)
		return;
	/* What was written before is the affair of a flush, as it was then (5.2.5.2). */
	b->writeback = on & 1;
}

static void block_driver_reset(struct tenon_dev *dev)
{
	const struct block *b = block_of(dev);
	const uint8_t writeback = b->set.cache == CACHE_WRITEBACK;

	io_drop(dev);
	(void)block_virtio->config_set(dev, BLK_CFG_WRITEBACK, &writeback, 1);
}

static const struct tenon_virtio_ops block_ops = {
	.struct_size = sizeof(block_ops),
	.activate = block_activate,
	.queue_ready = io_queue_ready,
	.config_written = block_config_written,
	.reset = block_driver_reset,
};

/* ---- create ---- */

static uint64_t size_or_0(const struct tenon_config *config, const char *key)
{
	return block_host->conf_count(config, key) ? block_host->conf_size(config, key) : 0;
}

static uint64_t int_or_0(const struct tenon_config *config, const char *key)
{
	return block_host->conf_count(config, key) ? (uint64_t)block_host->conf_int(config, key)
						   : 0;
}

static int check_settings(struct tenon_dev *dev, const struct block_settings *set)
{
	if (set->sector_size != 512 && set->sector_size != 4096)
		return tenon_failf(block_host, dev, -EINVAL,
			"sector_size is %u; wanted 512 or 4096", set->sector_size);
	if (set->serial && strlen(set->serial) > BLK_ID_SIZE)
		return tenon_failf(block_host, dev, -EINVAL,
			"serial \"%s\" has %zu characters; a disk's serial has at most %u",
			set->serial, strlen(set->serial), BLK_ID_SIZE);
	if (set->bandwidth_burst && !set->bandwidth)
		return tenon_failf(
			block_host, dev, -EINVAL, "bandwidth_burst is set, but not bandwidth");
	if (set->iops_burst && !set->iops)
		return tenon_failf(block_host, dev, -EINVAL, "iops_burst is set, but not iops");
	return 0;
}

static int block_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct block *b = block_of(dev);
	struct block_settings *set = &b->set;
	int ret;

	b->notify_fd = -1;
	*set = (struct block_settings){
		.path = block_host->conf_str(config, "path", 0),
		.format = block_host->conf_str(config, "format", 0),
		.serial = block_host->conf_str(config, "serial", 0),
		.read_only = block_host->conf_int(config, "read_only"),
		.direct = block_host->conf_int(config, "direct"),
		.lock = block_host->conf_int(config, "lock"),
		.discard = block_host->conf_int(config, "discard"),
		.backing = block_host->conf_int(config, "backing"),
		.sector_size = (uint32_t)block_host->conf_int(config, "sector_size"),
		.n_queues = (uint32_t)block_host->conf_int(config, "queues"),
		.cache = (enum block_cache)block_host->conf_int(config, "cache"),
		.engine = (enum block_engine)block_host->conf_int(config, "engine"),
		.bandwidth = size_or_0(config, "bandwidth"),
		.bandwidth_burst = size_or_0(config, "bandwidth_burst"),
		.iops = int_or_0(config, "iops"),
		.iops_burst = int_or_0(config, "iops_burst"),
	};
	ret = check_settings(dev, set);
	if (!set->serial)
		set->serial = block_host->name(dev);
	return ret;
}

/* ---- attach ---- */

static int check_image(struct tenon_dev *dev)
{
	struct block *b = block_of(dev);
	uint64_t size = b->image->size;

	b->capacity = config_capacity(b, size);
	if (b->capacity == 0)
		return tenon_failf(block_host, dev, -EINVAL,
			"\"%s\" is %llu bytes long, less than a sector of %u; make it as long as "
			"the disk is to be: truncate -s 10G FILE",
			b->set.path, (unsigned long long)size, b->set.sector_size);
	if (b->capacity != size)
		tenon_logf(block_host, dev, TENON_LOG_WARN,
			"the last %llu bytes of \"%s\" are less than a sector of %u and not part "
			"of the disk",
			(unsigned long long)(size - b->capacity), b->set.path, b->set.sector_size);
	if (b->set.sector_size % b->image->file.offset_align)
		return tenon_failf(block_host, dev, -EINVAL,
			"without the host's cache (direct = true) \"%s\" is read and written in "
			"blocks of %u bytes; it needs sector_size = 4096",
			b->set.path, b->image->file.offset_align);
	return 0;
}

static int open_image(struct tenon_dev *dev)
{
	struct block *b = block_of(dev);
	const struct image_options options = {
		.file = { b->set.read_only, b->set.direct, b->set.lock },
		.format = b->set.format,
		.sync = b->set.cache != CACHE_UNSAFE,
		.backing = b->set.backing,
	};
	struct why why;
	int ret = image_open(b->set.path, &options, &b->image, &why);

	if (ret < 0)
		return block_host->fail(dev, ret, why.text);
	return check_image(dev);
}

static int add_virtio(struct tenon_dev *dev)
{
	struct block *b = block_of(dev);
	uint16_t sizes[BLOCK_MAX_QUEUES];
	uint8_t config[BLK_CFG_SIZE];
	const struct tenon_virtio_desc desc = {
		.struct_size = sizeof(desc),
		.device_id = BLK_DEVICE_ID,
		.features = b->features = config_features(b),
		.n_queues = b->set.n_queues,
		.config_size = sizeof(config),
		.queue_sizes = sizes,
		.config = config,
		.ops = &block_ops,
	};

	for (unsigned i = 0; i < BLOCK_MAX_QUEUES; i++)
		sizes[i] = BLOCK_QUEUE_SIZE;
	config_fill(b, config);
	return block_virtio->add(dev, &desc);
}

static int block_attach(struct tenon_dev *dev)
{
	int ret = open_image(dev);

	if (ret == 0)
		ret = io_attach(dev);
	if (ret == 0)
		ret = resize_attach(dev);
	return ret == 0 ? add_virtio(dev) : ret;
}

/* ---- the rest of life ---- */

static int block_start(struct tenon_dev *dev)
{
	return resize_resume(dev);
}

static int block_quiesce(struct tenon_dev *dev)
{
	io_drain(dev);
	return resize_pause(dev);
}

static int block_resume(struct tenon_dev *dev)
{
	block_of(dev)->quiesced = false; /* the layer looks at every queue next */
	return resize_resume(dev);
}

static void block_detach(struct tenon_dev *dev)
{
	struct block *b = block_of(dev);

	io_detach(dev);
	resize_detach(dev);
	image_close(b->image);
	b->image = NULL;
}

static const struct tenon_key block_keys[] = {
	{ "path", TENON_KEY_PATH, TENON_KEY_REQUIRED | TENON_KEY_ATTACHES, NULL, NULL,
		"the image: a file or a block device" },
	{ "format", TENON_KEY_ENUM, 0, "auto", "auto|raw|qcow2",
		"what the image is; auto: qcow2 if its name ends in .qcow2, else raw" },
	{ "read_only", TENON_KEY_BOOL, 0, "false", NULL,
		"the guest cannot write; several VMs may share the image" },
	{ "serial", TENON_KEY_STRING, 0, NULL, NULL,
		"the disk's serial, up to 20 characters; the device's name if not set" },
	{ "sector_size", TENON_KEY_INT, 0, "512", "512..4096", "bytes of a sector: 512 or 4096" },
	{ "direct", TENON_KEY_BOOL, 0, "false", NULL, "go round the host's page cache" },
	{ "cache", TENON_KEY_ENUM, 0, "writeback", "writeback|writethrough|unsafe",
		"when writes are on the disk: at a flush, at once, or when the host likes" },
	{ "discard", TENON_KEY_BOOL, 0, "true", NULL,
		"room that the guest discards is given back to the host" },
	{ "queues", TENON_KEY_INT, 0, "1", "1..16", "request queues" },
	{ "engine", TENON_KEY_ENUM, 0, "auto", "auto|io_uring|threads",
		"how the host is asked; auto: io_uring where it is allowed" },
	{ "bandwidth", TENON_KEY_SIZE, 0, NULL, "1..", "bytes a second that the guest may move" },
	{ "bandwidth_burst", TENON_KEY_SIZE, 0, NULL, "1..",
		"bytes that it may move at once after a rest; a second's worth if not set" },
	{ "iops", TENON_KEY_INT, 0, NULL, "1..", "requests a second that the guest may make" },
	{ "iops_burst", TENON_KEY_INT, 0, NULL, "1..",
		"requests that it may make at once after a rest; a second's worth if not set" },
	{ "backing", TENON_KEY_BOOL, 0, "true", NULL,
		"open the backing files that a qcow2 image names" },
	{ "lock", TENON_KEY_BOOL, 0, "true", NULL,
		"lock the image, so that no other VM or tool spoils it" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class block_class = {
	.struct_size = sizeof(block_class),
	.threads = TENON_SERIAL,
	.needs = TENON_NEEDS_FILES | TENON_NEEDS_IO_URING,
	.name = "block",
	.summary = "virtio disk on a raw or qcow2 image",
	.keys = block_keys,
	.priv_size = sizeof(struct block),
	.create = block_create,
	.attach = block_attach,
	.start = block_start,
	.quiesce = block_quiesce,
	.resume = block_resume,
	.save = block_save,
	.load = block_load,
	.detach = block_detach,
	.state_version = 1,
};

static const struct tenon_device_class *const classes[] = { &block_class, NULL };

static int block_init(const struct tenon_host *h)
{
	block_host = h;
	block_virtio = h->service(TENON_SVC_VIRTIO);
	block_event = h->service(TENON_SVC_EVENT);
	block_work = h->service(TENON_SVC_WORK);
	block_clock = h->service(TENON_SVC_CLOCK);
	block_state = h->service(TENON_SVC_STATE);
	if (TENON_HAS(block_virtio, config_set) && TENON_HAS(block_event, timer_remove) &&
		TENON_HAS(block_work, cancel) && TENON_HAS(block_clock, monotonic_ns))
		return 0;
	h->log(NULL, TENON_LOG_ERR, "block: this core lacks a service that is needed");
	return -ENOTSUP;
}

TENON_PLUGIN("org.tenon.block", "0.1.0", "Apache-2.0", block_init, classes, "block");

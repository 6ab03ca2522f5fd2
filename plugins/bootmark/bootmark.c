/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A register to which the guest writes how far it has come; `tenon run --timing` prints when it
 * did.  On a PC it is port 0x80, where firmware and kernels have put their progress codes since the
 * first of them; elsewhere it is one word of memory, named in the device tree.
 */
#include <errno.h>

#include <tenon/firmware.h>
#include <tenon/mmio.h>
#include <tenon/plugin.h>
#include <tenon/power.h>
#include <tenon/state.h>

struct bootmark {
	uint64_t port;
	struct tenon_region *region;
	uint64_t last;
};

static const struct tenon_host *host;
static const struct tenon_mmio *mmio;
static const struct tenon_power *power;
static const struct tenon_firmware *firmware;
static const struct tenon_state *state; /* NULL: save and load are not called */

/* What was written last, as on a diagnostic card. */
static uint64_t bootmark_read(struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size)
{
	const struct bootmark *b = host->priv(dev);

	(void)opaque;
	(void)size;
	return offset == 0 ? b->last : 0;
}

static void bootmark_write(
	struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size, uint64_t value)
{
	struct bootmark *b = host->priv(dev);

	(void)opaque;
	(void)size;
	if (offset != 0)
		return;
	b->last = value;
	power->mark(dev, value);
}

static const struct tenon_region_ops ops = {
	.struct_size = sizeof(ops),
	.read = bootmark_read,
	.write = bootmark_write,
};

static int bootmark_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct bootmark *b = host->priv(dev);

	b->port = host->conf_size(config, "port");
	return 0;
}

static int bootmark_attach(struct tenon_dev *dev)
{
	struct bootmark *b = host->priv(dev);
	struct tenon_region_desc desc = {
		.struct_size = sizeof(desc),
		.space = TENON_SPACE_PIO,
		.size = 1,
		.name = "boot marks",
		.ops = &ops,
	};
	int ret = mmio->region_create(dev, &desc, &b->region);

	if (ret == 0)
		return mmio->map(b->region, b->port);
	if (ret != -ENOTSUP)
		return ret;
	desc.space = TENON_SPACE_MMIO;
	desc.size = 4;
	ret = mmio->region_create(dev, &desc, &b->region);
	return ret < 0 ? ret : mmio->map(b->region, TENON_ADDR_ANY);
}

static int bootmark_describe(struct tenon_dev *dev, struct tenon_fw *fw)
{
	const struct bootmark *b = host->priv(dev);
	struct tenon_fw_node *node = firmware->node(fw, "bootmark");
	int ret = node ? firmware->compatible(node, "tenon,bootmark") : -ENOMEM;

	return ret < 0 ? ret : firmware->region(node, b->region);
}

static void bootmark_reset(struct tenon_dev *dev)
{
	struct bootmark *b = host->priv(dev);

	b->last = 0;
}

#define TAG_LAST 1u

static int bootmark_save(struct tenon_dev *dev, struct tenon_state_w *w)
{
	const struct bootmark *b = host->priv(dev);

	return state->put_u64(w, TAG_LAST, b->last);
}

static int bootmark_load(struct tenon_dev *dev, struct tenon_state_r *r, uint32_t version)
{
	struct bootmark *b = host->priv(dev);

	(void)version;
	return state->get_u64(r, TENON_STATE_NEED | TAG_LAST, &b->last);
}

static void bootmark_detach(struct tenon_dev *dev)
{
	struct bootmark *b = host->priv(dev);

	mmio->region_destroy(b->region);
	b->region = NULL;
}

static const struct tenon_key keys[] = {
	{ "port", TENON_KEY_ADDR, 0, "0x80", NULL, "the port, where there are ports" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class bootmark_class = {
	.struct_size = sizeof(bootmark_class),
	.threads = TENON_SERIAL,
	.name = "bootmark",
	.summary = "a register for the guest's progress, printed by --timing",
	.keys = keys,
	.priv_size = sizeof(struct bootmark),
	.create = bootmark_create,
	.attach = bootmark_attach,
	.reset = bootmark_reset,
	.save = bootmark_save,
	.load = bootmark_load,
	.state_version = 1,
	.describe = bootmark_describe,
	.detach = bootmark_detach,
};

static const struct tenon_device_class *const classes[] = { &bootmark_class, NULL };

static int bootmark_init(const struct tenon_host *h)
{
	host = h;
	mmio = h->service(TENON_SVC_MMIO);
	power = h->service(TENON_SVC_POWER);
	firmware = h->service(TENON_SVC_FIRMWARE);
	state = h->service(TENON_SVC_STATE);
	if (TENON_HAS(mmio, region_destroy) && TENON_HAS(power, mark) &&
		TENON_HAS(firmware, region))
		return 0;
	h->log(NULL, TENON_LOG_ERR, "bootmark: this core lacks a service that is needed");
	return -ENOTSUP;
}

TENON_PLUGIN("org.tenon.bootmark", "0.1.0", "Apache-2.0", bootmark_init, classes, "bootmark");

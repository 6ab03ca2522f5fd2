/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device that fails where its setting says, with or without saying why, or faults on a vCPU.  It
 * checks that the core walks it through its life in order, and aborts when it does not.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/run/modules/plain.h"

#define PORT 0x9100u

enum stage { NEW, CREATED, ATTACHED, STARTED, QUIESCED, DETACHED };

struct stages {
	const char *fail;
	int silent;
	enum stage stage;
	struct tenon_region *region;
};

static const struct tenon_host *host;
static const struct tenon_mmio *mmio;

static void want(int fine)
{
	if (!fine)
		abort();
}

static int may(struct tenon_dev *dev, const char *what)
{
	const struct stages *s = host->priv(dev);

	if (strcmp(s->fail, what) != 0)
		return 0;
	return s->silent ? -EIO : tenon_failf(host, dev, -EIO, "asked to fail to %s", what);
}

static int stages_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct stages *s = host->priv(dev);

	want(s->stage == NEW);
	s->fail = host->conf_str(config, "fail", 0);
	s->silent = (int)host->conf_int(config, "silent");
	s->stage = CREATED;
	return may(dev, "create");
}

static uint64_t port_read(struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size)
{
	const struct stages *s = host->priv(dev);

	(void)opaque;
	(void)offset;
	(void)size;
	return s->stage;
}

static void port_write(
	struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size, uint64_t value)
{
	volatile int *nowhere = opaque;

	(void)dev;
	(void)offset;
	(void)size;
	if (value == 1)
		*nowhere = 0;
}

static const struct tenon_region_ops ops = {
	.struct_size = sizeof(ops), .read = port_read, .write = port_write
};

static int stages_attach(struct tenon_dev *dev)
{
	const struct tenon_region_desc desc = {
		.struct_size = sizeof(desc),
		.space = TENON_SPACE_PIO,
		.size = 4,
		.name = "stages",
		.ops = &ops,
	};
	struct stages *s = host->priv(dev);
	int ret;

	want(s->stage == CREATED);
	s->stage = ATTACHED;
	ret = mmio->region_create(dev, &desc, &s->region);
	if (ret == 0)
		ret = mmio->map(s->region, PORT);
	return ret < 0 ? ret : may(dev, "attach");
}

static int stages_describe(struct tenon_dev *dev, struct tenon_fw *fw)
{
	(void)fw;
	return may(dev, "describe");
}

static int stages_start(struct tenon_dev *dev)
{
	struct stages *s = host->priv(dev);
	int ret = may(dev, "start");

	want(s->stage == ATTACHED);
	if (ret == 0)
		s->stage = STARTED;
	return ret;
}

static int stages_quiesce(struct tenon_dev *dev)
{
	struct stages *s = host->priv(dev);

	want(s->stage == STARTED);
	s->stage = QUIESCED;
	return may(dev, "quiesce");
}

static int stages_resume(struct tenon_dev *dev)
{
	struct stages *s = host->priv(dev);
	int ret = may(dev, "resume");

	want(s->stage == QUIESCED);
	if (ret == 0)
		s->stage = STARTED;
	return ret;
}

static void stages_reset(struct tenon_dev *dev)
{
	const struct stages *s = host->priv(dev);

	want(s->stage == QUIESCED);
}

/* What it holds is left for the core to take back. */
static void stages_detach(struct tenon_dev *dev)
{
	struct stages *s = host->priv(dev);

	want(s->stage == ATTACHED || s->stage == QUIESCED);
	s->stage = DETACHED;
}

static void stages_destroy(struct tenon_dev *dev)
{
	const struct stages *s = host->priv(dev);

	want(s->stage == CREATED || s->stage == DETACHED);
}

static const struct tenon_key keys[] = {
	{ "fail", TENON_KEY_ENUM, 0, "\"never\"",
		"never|create|attach|describe|start|quiesce|resume", "where it fails" },
	{ "silent", TENON_KEY_BOOL, 0, "false", NULL, "whether it says nothing" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class class = {
	.struct_size = sizeof(class),
	.name = "stages",
	.keys = keys,
	.priv_size = sizeof(struct stages),
	.create = stages_create,
	.attach = stages_attach,
	.start = stages_start,
	.quiesce = stages_quiesce,
	.resume = stages_resume,
	.reset = stages_reset,
	.describe = stages_describe,
	.detach = stages_detach,
	.destroy = stages_destroy,
};

static const struct tenon_device_class *const classes[] = { &class, NULL };

static int init(const struct tenon_host *h)
{
	host = h;
	mmio = h->service(TENON_SVC_MMIO);
	return TENON_HAS(mmio, region_destroy) ? 0 : -ENOTSUP;
}

TENON_PLUGIN("org.tenon.stages", "1", "Apache-2.0", init, classes, "stages");

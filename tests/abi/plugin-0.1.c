/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin as it could have been written for the SDK of 0.1, built with the headers kept from then
 * (sdk-0.1) and run on today's core.  It uses every service once; what does not answer as it did
 * fails with a sentence.
 *
 * Class "elder": registers (0: a number, 8: a doorbell).  A ring goes doorbell, notifier, loop,
 * job, timer, posted function; then 0x600d is written at DONE_GPA and the interrupt raised.
 * Class "elder-virtio": fills what the driver gives it with 0x5a.
 */
#include <errno.h>
#include <string.h>

#include <tenon/tenon.h>

#define DONE_GPA 0x14000u
#define ROM_GPA  0xfffff000u

struct elder {
	struct tenon_region *region, *ports;
	struct tenon_irq *irq, *button;
	struct tenon_notifier *doorbell;
	struct tenon_watch *watch;
	struct tenon_timer *timer;
	struct tenon_job job;
	uint64_t size;
	int64_t level;
	uint32_t resets;
};

static const struct tenon_host *host;
static const struct tenon_mem *mem;
static const struct tenon_mmio *mmio;
static const struct tenon_irq_svc *irqs;
static const struct tenon_notifier_svc *notifiers;
static const struct tenon_event *event;
static const struct tenon_work *work;
static const struct tenon_clock *clocks;
static const struct tenon_firmware *firmware;
static const struct tenon_power *power;
static const struct tenon_terminal *terminal;
static const struct tenon_virtio *virtio;

#define WANT(dev, condition)                                                                       \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return host->fail(dev, -EPROTO, "does not hold: " #condition);             \
	} while (0)

/* ---- from the doorbell to the interrupt ---- */

static void last_step(struct tenon_dev *dev, void *arg)
{
	struct elder *e = host->priv(dev);
	const uint32_t done = 0x600d;

	if (arg == e && mem->write(dev, DONE_GPA, &done, sizeof(done)) == 0)
		irqs->pulse(e->irq);
}

static void timer_expired(struct tenon_dev *dev, void *arg)
{
	(void)event->post(dev, last_step, arg);
}

static int job_run(struct tenon_dev *dev, struct tenon_job *job)
{
	(void)dev;
	(void)job;
	return 7;
}

static void job_done(struct tenon_dev *dev, struct tenon_job *job)
{
	struct elder *e = host->priv(dev);

	if (job->result == 7)
		event->timer_set(e->timer, clocks->monotonic_ns() + 1000);
}

static void door_ready(struct tenon_dev *dev, void *arg, uint32_t events)
{
	struct elder *e = arg;

	if ((events & TENON_FD_READ) && notifiers->drain(e->doorbell))
		(void)work->submit(dev, &e->job);
}

/* ---- registers ---- */

static uint64_t elder_read(struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size)
{
	const struct elder *e = opaque;

	if (host->priv(dev) != opaque)
		return 0;
	return offset == 0 ? 0xe1de4 + size : offset == 4 ? e->resets : 0;
}

static void elder_write(
	struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size, uint64_t value)
{
	(void)opaque;
	if (offset == 12 && size == 4)
		power->mark(dev, value);
}

static const struct tenon_region_ops elder_ops = {
	.struct_size = sizeof(elder_ops),
	.read = elder_read,
	.write = elder_write,
};

static size_t typed(struct tenon_dev *dev, const void *bytes, size_t size)
{
	(void)dev;
	(void)bytes;
	return size;
}

static const struct tenon_terminal_ops terminal_ops = {
	.struct_size = sizeof(terminal_ops),
	.input = typed,
};

static void pressed(struct tenon_dev *dev)
{
	(void)dev;
}

/* ---- life ---- */

static int elder_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct elder *e = host->priv(dev);

	e->size = host->conf_size(config, "size");
	e->level = host->conf_int(config, "level");
	WANT(dev, strcmp(host->name(dev), "old") == 0);
	WANT(dev, e->size == 4096 && e->level == 3);
	WANT(dev, host->conf_int(config, "kind") == 1);
	WANT(dev, strcmp(host->conf_str(config, "kind", 0), "plain") == 0);
	WANT(dev, host->conf_count(config, "names") == 2);
	WANT(dev, strcmp(host->conf_str(config, "names", 1), "b") == 0);
	WANT(dev, host->conf_str(config, "names", 2) == NULL);
	WANT(dev, host->conf_count(config, "unset") == 0);
	return 0;
}

static int count_region(void *arg, const struct tenon_mem_region *region)
{
	uint64_t *bytes = arg;

	*bytes += region->size;
	return region->fd < 0 ? -EBADF : 0;
}

static int check_memory(struct tenon_dev *dev)
{
	const uint64_t out = 0x1122334455667788;
	uint64_t in = 0, bytes = 0;
	uint8_t *mapped;

	WANT(dev, mem->write(dev, 0x15000, &out, sizeof(out)) == 0);
	WANT(dev, mem->read(dev, 0x15000, &in, sizeof(in)) == 0 && in == out);
	WANT(dev, mem->read(dev, UINT64_MAX - 4, &in, sizeof(in)) == -EFAULT);
	WANT(dev, mem->write(dev, ROM_GPA - 4, &out, sizeof(out)) == -EFAULT);
	WANT(dev, mem->write(dev, ROM_GPA, &out, sizeof(out)) == -EFAULT);
	WANT(dev, mem->map(dev, ROM_GPA, 8, TENON_PROT_READ | TENON_PROT_WRITE) == NULL);
	mapped = mem->map(dev, 0x15000, 8, TENON_PROT_READ);
	WANT(dev, mapped && memcmp(mapped, &out, 8) == 0);
	mem->mark_dirty(dev, 0x15000, 8);
	mem->unmap(dev, mapped, 8);
	WANT(dev, mem->regions(dev, count_region, &bytes) == 0 && bytes > 0x100000);
	return 0;
}

static int claim_window(struct tenon_dev *dev)
{
	struct elder *e = host->priv(dev);
	const struct tenon_region_desc desc = {
		.struct_size = sizeof(desc),
		.space = TENON_SPACE_MMIO,
		.size = e->size,
		.name = "elder",
		.ops = &elder_ops,
		.opaque = e,
	};
	int ret;

	WANT(dev, mmio->region_create(dev, &desc, &e->region) == 0);
	WANT(dev, mmio->address(e->region) == TENON_ADDR_ANY);
	ret = mmio->map(e->region, TENON_ADDR_ANY);
	if (ret < 0)
		return ret;
	WANT(dev, mmio->address(e->region) != TENON_ADDR_ANY);
	WANT(dev, notifiers->create(&e->doorbell) == 0);
	WANT(dev, mmio->doorbell(e->region, 8, 4, NULL, e->doorbell) == 0);
	WANT(dev, event->fd_add(dev, notifiers->fd(e->doorbell), TENON_FD_READ, door_ready, e,
			  &e->watch) == 0);
	WANT(dev, event->fd_modify(e->watch, TENON_FD_READ) == 0);
	return 0;
}

static int elder_attach(struct tenon_dev *dev)
{
	struct elder *e = host->priv(dev);
	uint64_t now = clocks->monotonic_ns();
	int ret;

	ret = check_memory(dev);
	if (ret == 0)
		ret = claim_window(dev);
	if (ret < 0)
		return ret;
	WANT(dev, irqs->alloc(dev, TENON_IRQ_EDGE, TENON_IRQ_ANY, &e->irq) == 0);
	WANT(dev, irqs->number(e->irq) < 256 && irqs->notifier(e->irq));
	WANT(dev, event->timer_add(dev, timer_expired, e, &e->timer) == 0);
	WANT(dev, terminal->open(dev, &terminal_ops) == 0);
	WANT(dev, terminal->write(dev, "", 0) == 0);
	WANT(dev, power->button(dev, pressed) == 0);
	WANT(dev, clocks->monotonic_ns() >= now && clocks->realtime_ns() > now);
	(void)clocks->guest_ns(dev);
	e->job.struct_size = sizeof(e->job);
	e->job.run = job_run;
	e->job.done = job_done;
	host->log(dev, TENON_LOG_WARN, "attached");
	return 0;
}

static int elder_start(struct tenon_dev *dev)
{
	WANT(dev, terminal->want_input(dev, 1) == 0);
	return 0;
}

static int elder_quiesce(struct tenon_dev *dev)
{
	struct elder *e = host->priv(dev);

	event->timer_set(e->timer, 0);
	(void)work->cancel(dev, &e->job);
	work->flush(dev);
	return 0;
}

static void elder_reset(struct tenon_dev *dev)
{
	struct elder *e = host->priv(dev);

	e->resets++;
}

static int elder_describe(struct tenon_dev *dev, struct tenon_fw *fw)
{
	const struct elder *e = host->priv(dev);
	struct tenon_fw_node *node = firmware->node(fw, "elder");

	WANT(dev, node && firmware->compatible(node, "tenon,elder") == 0);
	WANT(dev, firmware->hid(node, "TNON0001") == 0);
	WANT(dev, firmware->region(node, e->region) == 0 && firmware->irq(node, e->irq) == 0);
	WANT(dev, firmware->prop_u32(node, "age", 1) == 0);
	WANT(dev, firmware->prop_str(node, "mood", "calm") == 0);
	return 0;
}

static void elder_detach(struct tenon_dev *dev)
{
	struct elder *e = host->priv(dev);

	if (e->job.run)
		(void)work->cancel(dev, &e->job);
	event->timer_remove(e->timer);
	event->fd_remove(e->watch);
	mmio->region_destroy(e->region);
	notifiers->destroy(e->doorbell);
	irqs->free(e->irq);
	memset(e, 0, sizeof(*e));
	host->log(dev, TENON_LOG_WARN, "detached");
}

static const struct tenon_key keys[] = {
	{ "size", TENON_KEY_SIZE, TENON_KEY_REQUIRED, NULL, "16..1M", "bytes of registers" },
	{ "level", TENON_KEY_INT, 0, "3", "0..9", "a number" },
	{ "kind", TENON_KEY_ENUM, 0, "plain", "fancy|plain", "one of two" },
	{ "names", TENON_KEY_STRING, TENON_KEY_LIST, NULL, NULL, "some names" },
	{ "unset", TENON_KEY_PATH, 0, NULL, NULL, "not given" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class elder_class = {
	.struct_size = sizeof(elder_class),
	.threads = TENON_SERIAL,
	.name = "elder",
	.summary = "a device of 0.1",
	.keys = keys,
	.priv_size = sizeof(struct elder),
	.create = elder_create,
	.attach = elder_attach,
	.start = elder_start,
	.quiesce = elder_quiesce,
	.reset = elder_reset,
	.describe = elder_describe,
	.detach = elder_detach,
};

/* ---- the virtio device ---- */

static int elder_activate(struct tenon_dev *dev, uint64_t features)
{
	(void)dev;
	return features & (UINT64_C(1) << 32) ? 0 : -EINVAL;
}

static void elder_queue_ready(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index)
{
	struct tenon_chain chain;
	uint8_t byte = 0x5a;

	if (index != 0 || vq != virtio->queue(dev, 0) || virtio->queue_size(vq) != 8)
		virtio->fault(dev, "not the queue that it was");
	(void)virtio->want_kicks(vq, 0);
	while (virtio->pop(vq, &chain) > 0) {
		uint64_t n = 0;

		while (n < chain.in_bytes)
			n += tenon_iov_from_buf(chain.in, chain.n_in, (size_t)n, &byte, 1);
		virtio->push(vq, &chain, (uint32_t)n);
	}
	(void)virtio->want_kicks(vq, 1);
	virtio->notify(vq);
}

static const struct tenon_virtio_ops virtio_ops = {
	.struct_size = sizeof(virtio_ops),
	.activate = elder_activate,
	.queue_ready = elder_queue_ready,
};

static int virtio_attach(struct tenon_dev *dev)
{
	static const uint16_t sizes[] = { 8 };
	static const uint8_t config[4] = { 1, 2, 3, 4 };
	const struct tenon_virtio_desc desc = {
		.struct_size = sizeof(desc),
		.device_id = 63,
		.n_queues = 1,
		.config_size = sizeof(config),
		.queue_sizes = sizes,
		.config = config,
		.ops = &virtio_ops,
	};
	uint8_t byte = 9;
	int ret = virtio->add(dev, &desc);

	if (ret < 0)
		return ret;
	WANT(dev, virtio->add(dev, &desc) == -EBUSY);
	WANT(dev, virtio->config_set(dev, 3, &byte, 1) == 0);
	WANT(dev, virtio->config_get(dev, 3, &byte, 1) == 0 && byte == 9);
	WANT(dev, virtio->config_get(dev, 4, &byte, 1) == -ERANGE);
	return 0;
}

static const struct tenon_device_class virtio_class = {
	.struct_size = sizeof(virtio_class),
	.threads = TENON_SERIAL,
	.name = "elder-virtio",
	.summary = "a virtio device of 0.1",
	.attach = virtio_attach,
};

static const struct tenon_device_class *const classes[] = { &elder_class, &virtio_class, NULL };

static int elder_init(const struct tenon_host *h)
{
	host = h;
	if (!TENON_HAS(h, conf_size))
		return -ENOTSUP;
	mem = h->service(TENON_SVC_MEM);
	mmio = h->service(TENON_SVC_MMIO);
	irqs = h->service(TENON_SVC_IRQ);
	notifiers = h->service(TENON_SVC_NOTIFIER);
	event = h->service(TENON_SVC_EVENT);
	work = h->service(TENON_SVC_WORK);
	clocks = h->service(TENON_SVC_CLOCK);
	firmware = h->service(TENON_SVC_FIRMWARE);
	power = h->service(TENON_SVC_POWER);
	terminal = h->service(TENON_SVC_TERMINAL);
	virtio = h->service(TENON_SVC_VIRTIO);
	if (TENON_HAS(mem, regions) && TENON_HAS(mmio, doorbell) && TENON_HAS(irqs, free) &&
		TENON_HAS(notifiers, destroy) && TENON_HAS(event, post) && TENON_HAS(work, flush) &&
		TENON_HAS(clocks, realtime_ns) && TENON_HAS(firmware, power_button) &&
		TENON_HAS(power, mark) && TENON_HAS(terminal, size) &&
		TENON_HAS(virtio, config_set) && !h->service("tenon.nothing/1"))
		return 0;
	h->log(NULL, TENON_LOG_ERR, "elder: this core lacks a service that is needed");
	return -ENOTSUP;
}

TENON_PLUGIN("org.tenon.elder", "0.1", "Apache-2.0", elder_init, classes, "elder elder-virtio");

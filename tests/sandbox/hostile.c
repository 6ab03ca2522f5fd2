/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile plugin, for tests alone: when the guest writes to its port it tries what it was told to
 * on the kind of thread that it was told, says what came of it, and switches the machine off.  The
 * class "hostile" declares nothing, "hostile-all" all that there is to declare.  "hostile-rng" is
 * an entropy source that can live in a process of its own, and tries it when it is asked for bytes.
 */
#include <tenon/tenon.h>

#include "tests/sandbox/attempts.h"

#define PORT 0x9200u

struct hostile {
	const char *attempt, *target;
	unsigned where;
	struct tenon_region *region;
	struct tenon_timer *timer;
	struct tenon_job job;
};

enum { VCPU, LOOP, TIMER, WORK };

static const struct tenon_host *host;
static const struct tenon_mmio *mmio;
static const struct tenon_event *event;
static const struct tenon_work *work;
static const struct tenon_power *power;
static const struct tenon_virtio *virtio;
static const struct tenon_mem *mem;

static int hostile_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct hostile *h = host->priv(dev);

	h->attempt = host->conf_str(config, "attempt", 0);
	h->target = host->conf_str(config, "target", 0);
	h->where = (unsigned)host->conf_int(config, "where");
	return 0;
}

static void try_it(struct tenon_dev *dev)
{
	const struct hostile *h = host->priv(dev);
	int ret = attempt(h->attempt, h->target, getpid());

	tenon_logf(host, dev, TENON_LOG_WARN, "%s: %s", h->attempt,
		ret == 0 ? "it worked" : strerror(-ret));
	power->off(dev);
}

static void on_loop(struct tenon_dev *dev, void *arg)
{
	(void)arg;
	try_it(dev);
}

static int on_work(struct tenon_dev *dev, struct tenon_job *job)
{
	(void)job;
	try_it(dev);
	return 0;
}

static void port_write(
	struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size, uint64_t value)
{
	struct hostile *h = host->priv(dev);

	(void)opaque;
	(void)offset;
	(void)size;
	(void)value;
	if (h->where == VCPU)
		try_it(dev);
	else if (h->where == LOOP)
		(void)event->post(dev, on_loop, NULL);
	else if (h->where == TIMER)
		event->timer_set(h->timer, 1);
	else
		(void)work->submit(dev, &h->job);
}

static const struct tenon_region_ops ops = { .struct_size = sizeof(ops), .write = port_write };

static int hostile_attach(struct tenon_dev *dev)
{
	const struct tenon_region_desc desc = {
		.struct_size = sizeof(desc),
		.space = TENON_SPACE_PIO,
		.size = 4,
		.name = "hostile",
		.ops = &ops,
	};
	struct hostile *h = host->priv(dev);
	int ret = event->timer_add(dev, on_loop, NULL, &h->timer);

	h->job.struct_size = sizeof(h->job);
	h->job.run = on_work;
	if (ret == 0)
		ret = mmio->region_create(dev, &desc, &h->region);
	return ret < 0 ? ret : mmio->map(h->region, PORT);
}

static const char *hostile_path(struct tenon_dev *dev, uint32_t index, uint32_t *ret_access)
{
	(void)dev;
	*ret_access = TENON_PATH_REMOVE;
	return index == 0 ? "/nonexistent/own" : NULL;
}

static const struct tenon_key keys[] = {
	{ "attempt", TENON_KEY_STRING, 0, "nothing", NULL, "what to try; see attempts.h" },
	{ "target", TENON_KEY_STRING, 0, "/etc/passwd", NULL, "the file that it is tried with" },
	{ "where", TENON_KEY_ENUM, 0, "vcpu", "vcpu|loop|timer|work", "on which thread" },
	{ "both", TENON_KEY_PATH, 0, NULL, NULL, "may be read and written" },
	{ "reads", TENON_KEY_PATH, TENON_KEY_READS, NULL, NULL, "may be read" },
	{ "creates", TENON_KEY_PATH, TENON_KEY_CREATES, NULL, NULL, "may be made" },
	{ "attaches", TENON_KEY_PATH, TENON_KEY_ATTACHES, NULL, NULL, "was opened before" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const char *const calls[] = { "getpriority", "personality", NULL };

static const struct tenon_device_class nothing = {
	.struct_size = sizeof(nothing),
	.name = "hostile",
	.keys = keys,
	.priv_size = sizeof(struct hostile),
	.create = hostile_create,
	.attach = hostile_attach,
};

static const struct tenon_device_class all = {
	.struct_size = sizeof(all),
	.name = "hostile-all",
	.keys = keys,
	.priv_size = sizeof(struct hostile),
	.create = hostile_create,
	.attach = hostile_attach,
	.needs = TENON_NEEDS_FILES | TENON_NEEDS_NETWORK | TENON_NEEDS_THREADS |
		 TENON_NEEDS_IO_URING | TENON_NEEDS_PROCESSES | TENON_NEEDS_DEVICES,
	.syscalls = calls,
	.path = hostile_path,
};

/* ---- in a process of its own ---- */

/* What only a device can try. */
static int device_attempt(struct tenon_dev *dev, const struct hostile *h)
{
	uint8_t byte = 0;

	if (strcmp(h->attempt, "outside") == 0) /* of guest memory, by the core's hand */
		return mem->write(dev, 1ull << 40, &byte, 1);
	if (strcmp(h->attempt, "wild") == 0) /* by its own */
		*(volatile uint8_t *)mem->map(dev, 0, 1, TENON_PROT_READ | TENON_PROT_WRITE) = 1;
	if (strcmp(h->attempt, "wild") == 0)
		*(volatile uint8_t *)(uintptr_t)8 = 1;
	return attempt(h->attempt, h->target, getppid());
}

static void rng_ready(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index)
{
	const struct hostile *h = host->priv(dev);
	struct tenon_chain c;
	int ret;

	(void)index;
	while (virtio->pop(vq, &c) > 0) {
		ret = device_attempt(dev, h);
		tenon_logf(host, dev, TENON_LOG_WARN, "%s: %s", h->attempt,
			ret == 0 ? "it worked" : strerror(-ret));
		for (uint32_t i = 0; i < c.n_in; i++)
			memset(c.in[i].iov_base, 0x5a, c.in[i].iov_len);
		virtio->push(vq, &c, (uint32_t)c.in_bytes);
		virtio->notify(vq);
	}
}

static const struct tenon_virtio_ops rng_ops = {
	.struct_size = sizeof(rng_ops),
	.queue_ready = rng_ready,
};

static int rng_attach(struct tenon_dev *dev)
{
	const uint16_t sizes[] = { 8 };
	const struct tenon_virtio_desc desc = {
		.struct_size = sizeof(desc),
		.device_id = 4,
		.n_queues = 1,
		.queue_sizes = sizes,
		.ops = &rng_ops,
	};

	return virtio->add(dev, &desc);
}

static const struct tenon_device_class rng = {
	.struct_size = sizeof(rng),
	.name = "hostile-rng",
	.keys = keys,
	.priv_size = sizeof(struct hostile),
	.create = hostile_create,
	.attach = rng_attach,
};

static const struct tenon_device_class *const classes[] = { &nothing, &all, &rng, NULL };

static int init(const struct tenon_host *h)
{
	host = h;
	mmio = h->service(TENON_SVC_MMIO);
	event = h->service(TENON_SVC_EVENT);
	work = h->service(TENON_SVC_WORK);
	power = h->service(TENON_SVC_POWER);
	virtio = h->service(TENON_SVC_VIRTIO);
	mem = h->service(TENON_SVC_MEM);
	return TENON_HAS(mmio, map) && TENON_HAS(event, post) && TENON_HAS(work, submit) &&
			       TENON_HAS(power, off) && TENON_HAS(virtio, notify) &&
			       TENON_HAS(mem, write)
		       ? 0
		       : -ENOTSUP;
}

TENON_PLUGIN(
	"org.tenon.hostile", "1", "Apache-2.0", init, classes, "hostile hostile-all hostile-rng");

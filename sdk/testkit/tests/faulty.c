/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin that does wrong what it is told to, so that the test kit can be seen to notice.
 *
 * "faulty" is a virtio device with one queue that gives every chain back, filled with zeroes;
 * "worker" uses the services that the shipped plugins do not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tenon/tenon.h>

/* The choices of `fault`, in their order. */
enum {
	NONE,
	LEAK_REGION,
	LEAK_IRQ,
	LEAK_TIMER,
	LEAK_WATCH,
	LEAK_NOTIFIER,
	LEAK_FD,
	LEAK_MEMORY,
	LEAK_JOB,
	LATE_ROLE,
	VCPU_ROLE,
	WORK_ROLE,
	SPIN,
	CRASH,
	HANG,
	TOO_MUCH,
	STRAY_WRITE,
	LATE_WRITE,
	POSITIVE,
	DOUBLE_REMOVE,
	CLOSED_WATCH,
};

#define FAULTS                                                                                     \
	"none|leak-region|leak-irq|leak-timer|leak-watch|leak-notifier|leak-fd|leak-memory|"       \
	"leak-job|late-role|vcpu-role|work-role|spin|crash|hang|too-much|stray-write|late-write|"  \
	"positive|double-remove|closed-watch"

struct faulty {
	int fault;
	int fd;
	struct tenon_region *region;
	struct tenon_irq *irq;
	struct tenon_timer *timer;
	struct tenon_watch *watch;
	struct tenon_notifier *notifier;
	struct tenon_job job;
	void *buffer; /* of the last chain; to be written too late */
	char *text;
};

static const struct tenon_host *host;
static const struct tenon_virtio *virtio;
static const struct tenon_mmio *mmio;
static const struct tenon_irq_svc *irq;
static const struct tenon_event *event;
static const struct tenon_notifier_svc *notifier;
static const struct tenon_work *work;
static const struct tenon_mem *mem;
static const struct tenon_clock *clock_svc;

/* ---- the queue ---- */

static void again(struct tenon_dev *dev, void *arg)
{
	(void)event->post(dev, again, arg);
}

static void serve(struct tenon_dev *dev, struct tenon_vq *vq, struct tenon_chain *c)
{
	struct faulty *f = host->priv(dev);
	uint32_t extra = f->fault == TOO_MUCH;

	for (uint32_t i = 0; i < c->n_in; i++) {
		memset(c->in[i].iov_base, 0, c->in[i].iov_len);
		if (f->fault == STRAY_WRITE)
			((char *)c->in[i].iov_base)[c->in[i].iov_len] ^= 1;
		f->buffer = c->in[i].iov_base;
	}
	virtio->push(vq, c, (uint32_t)c->in_bytes + extra);
}

static void queue_ready(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index)
{
	const struct faulty *f = host->priv(dev);
	struct tenon_chain c;

	(void)index;
	if (f->fault == SPIN)
		again(dev, NULL);
	if (f->fault == CRASH)
		abort();
	while (f->fault == HANG)
		;
	while (virtio->pop(vq, &c) > 0)
		serve(dev, vq, &c);
	virtio->notify(vq);
}

static void expired(struct tenon_dev *dev, void *arg)
{
	struct faulty *f = host->priv(dev);

	(void)arg;
	if (f->buffer)
		*(char *)f->buffer ^= 1;
}

static void reset(struct tenon_dev *dev)
{
	const struct faulty *f = host->priv(dev);

	if (f->fault == LATE_WRITE)
		event->timer_set(f->timer, clock_svc->monotonic_ns());
}

static const struct tenon_virtio_ops virtio_ops = {
	.struct_size = sizeof(virtio_ops),
	.queue_ready = queue_ready,
	.reset = reset,
};

/* ---- registers ---- */

static uint64_t region_read(struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size)
{
	const struct faulty *f = host->priv(dev);

	(void)opaque;
	(void)offset;
	(void)size;
	if (f->fault == VCPU_ROLE)
		(void)event->fd_modify(f->watch, TENON_FD_READ);
	return 7;
}

static const struct tenon_region_ops region_ops = {
	.struct_size = sizeof(region_ops),
	.read = region_read,
};

/* ---- life ---- */

static void ready(struct tenon_dev *dev, void *arg, uint32_t events)
{
	const struct faulty *f = host->priv(dev);

	(void)arg;
	(void)events;
	(void)notifier->drain(f->notifier);
	irq->pulse(f->irq);
}

static int run(struct tenon_dev *dev, struct tenon_job *job)
{
	const struct faulty *f = host->priv(dev);

	(void)job;
	if (f->fault == WORK_ROLE)
		(void)virtio->queue_size(virtio->queue(dev, 0));
	return 42;
}

static void done(struct tenon_dev *dev, struct tenon_job *job)
{
	const struct faulty *f = host->priv(dev);

	if (job->result == 42)
		irq->pulse(f->irq);
}

static int faulty_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct faulty *f = host->priv(dev);

	f->fault = (int)host->conf_int(config, "fault");
	f->fd = -1;
	f->job = (struct tenon_job){ .struct_size = sizeof(f->job), .run = run, .done = done };
	return 0;
}

static int claim(struct tenon_dev *dev, struct faulty *f)
{
	const struct tenon_region_desc desc = {
		.struct_size = sizeof(desc),
		.size = 64,
		.name = "faulty",
		.ops = &region_ops,
	};
	int ret = mmio->region_create(dev, &desc, &f->region);

	if (ret == 0)
		ret = mmio->map(f->region, TENON_ADDR_ANY);
	if (ret == 0)
		ret = irq->alloc(dev, TENON_IRQ_EDGE, TENON_IRQ_ANY, &f->irq);
	if (ret == 0)
		ret = event->timer_add(dev, expired, NULL, &f->timer);
	if (ret == 0)
		ret = notifier->create(&f->notifier);
	if (ret == 0)
		ret = event->fd_add(
			dev, notifier->fd(f->notifier), TENON_FD_READ, ready, NULL, &f->watch);
	if (ret == 0)
		ret = mmio->doorbell(f->region, 8, 4, NULL, f->notifier);
	return ret;
}

static int faulty_attach(struct tenon_dev *dev)
{
	static const uint16_t sizes[] = { 16 };
	const struct tenon_virtio_desc desc = {
		.struct_size = sizeof(desc),
		.device_id = 99,
		.n_queues = 1,
		.queue_sizes = sizes,
		.ops = &virtio_ops,
	};
	struct faulty *f = host->priv(dev);
	int ret;

	f->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (f->fd < 0)
		return host->fail(dev, -errno, "no /dev/null");
	f->text = malloc(32);
	if (!f->text)
		return -ENOMEM;
	ret = claim(dev, f);
	return ret < 0 ? ret : virtio->add(dev, &desc);
}

static int faulty_start(struct tenon_dev *dev)
{
	struct faulty *f = host->priv(dev);

	if (f->fault == POSITIVE)
		return 1;
	if (f->fault == DOUBLE_REMOVE)
		event->timer_remove(f->timer);
	if (f->fault == CLOSED_WATCH) {
		notifier->destroy(f->notifier);
		f->notifier = NULL;
	}
	return f->fault == LEAK_JOB || f->fault == WORK_ROLE ? work->submit(dev, &f->job) : 0;
}

static void faulty_detach(struct tenon_dev *dev)
{
	struct faulty *f = host->priv(dev);

	if (f->fault == LATE_ROLE)
		(void)virtio->queue_size(virtio->queue(dev, 0));
	if (f->fault != LEAK_WATCH)
		event->fd_remove(f->watch);
	if (f->fault != LEAK_NOTIFIER)
		notifier->destroy(f->notifier);
	if (f->fault != LEAK_TIMER)
		event->timer_remove(f->timer);
	if (f->fault != LEAK_IRQ)
		irq->free(f->irq);
	if (f->fault != LEAK_REGION)
		mmio->region_destroy(f->region);
	if (f->fd >= 0 && f->fault != LEAK_FD)
		(void)close(f->fd);
	f->fd = -1;
	if (f->fault != LEAK_MEMORY)
		free(f->text);
	f->text = NULL;
}

static const struct tenon_key faulty_keys[] = {
	{ "fault", TENON_KEY_ENUM, 0, "none", FAULTS, "what it does wrong" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class faulty_class = {
	.struct_size = sizeof(faulty_class),
	.threads = TENON_SERIAL,
	.name = "faulty",
	.summary = "does what it is told to do wrong",
	.keys = faulty_keys,
	.priv_size = sizeof(struct faulty),
	.create = faulty_create,
	.attach = faulty_attach,
	.start = faulty_start,
	.detach = faulty_detach,
};

/* ---- worker ---- */

struct worker {
	struct tenon_region *region;
	struct tenon_irq *level, *edge;
	struct tenon_job job;
	struct tenon_timer *timer;
	atomic_int runs, dones;
};

static int worker_run(struct tenon_dev *dev, struct tenon_job *job)
{
	struct worker *w = host->priv(dev);
	uint32_t value = 0;

	(void)job;
	w->runs++;
	return mem->read(dev, 0x10000000, &value, sizeof(value)) < 0 ? -1 : (int)value;
}

static void worker_done(struct tenon_dev *dev, struct tenon_job *job)
{
	struct worker *w = host->priv(dev);

	w->dones++;
	(void)mem->write(dev, 0x10000004, &job->result, sizeof(job->result));
	irq->set(w->level, 1);
}

static uint64_t worker_read(struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size)
{
	struct worker *w = host->priv(dev);

	(void)opaque;
	(void)size;
	switch (offset) {
	case 0:
		return (uint64_t)w->runs;
	case 8:
		return (uint64_t)w->dones;
	case 16:
		return clock_svc->monotonic_ns();
	case 24:
		return clock_svc->guest_ns(dev);
	default:
		return clock_svc->realtime_ns();
	}
}

static void worker_cancel(struct tenon_dev *dev, void *arg)
{
	struct worker *w = host->priv(dev);

	(void)arg;
	w->runs += work->cancel(dev, &w->job) ? 100 : 200;
}

static void worker_write(
	struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size, uint64_t value)
{
	struct worker *w = host->priv(dev);

	(void)opaque;
	(void)size;
	switch (offset) {
	case 0:
		if (work->submit(dev, &w->job) < 0)
			w->runs -= 1000;
		break;
	case 8:
		(void)event->post(dev, worker_cancel, NULL);
		break;
	case 16:
		irq->set(w->level, (uint32_t)value);
		break;
	case 24:
		notifier->signal(irq->notifier(w->edge));
		break;
	default:
		event->timer_set(w->timer, value);
		break;
	}
}

static const struct tenon_region_ops worker_ops = {
	.struct_size = sizeof(worker_ops),
	.read = worker_read,
	.write = worker_write,
};

static void worker_expired(struct tenon_dev *dev, void *arg)
{
	struct worker *w = host->priv(dev);

	(void)arg;
	irq->pulse(w->edge);
}

static int worker_attach(struct tenon_dev *dev)
{
	const struct tenon_region_desc desc = {
		.struct_size = sizeof(desc),
		.size = 4096,
		.name = "worker",
		.ops = &worker_ops,
	};
	struct worker *w = host->priv(dev);
	int ret = mmio->region_create(dev, &desc, &w->region);

	w->job = (struct tenon_job){
		.struct_size = sizeof(w->job), .run = worker_run, .done = worker_done
	};
	if (ret == 0)
		ret = mmio->map(w->region, TENON_ADDR_ANY);
	if (ret == 0)
		ret = irq->alloc(dev, TENON_IRQ_LEVEL, TENON_IRQ_ANY, &w->level);
	if (ret == 0)
		ret = irq->alloc(dev, TENON_IRQ_EDGE, TENON_IRQ_ANY, &w->edge);
	return ret < 0 ? ret : event->timer_add(dev, worker_expired, NULL, &w->timer);
}

static int worker_quiesce(struct tenon_dev *dev)
{
	work->flush(dev);
	return 0;
}

static void worker_detach(struct tenon_dev *dev)
{
	struct worker *w = host->priv(dev);

	event->timer_remove(w->timer);
	irq->free(w->edge);
	irq->free(w->level);
	mmio->region_destroy(w->region);
}

static const struct tenon_device_class worker_class = {
	.struct_size = sizeof(worker_class),
	.threads = TENON_SERIAL,
	.name = "worker",
	.summary = "a job, two interrupts, a timer",
	.priv_size = sizeof(struct worker),
	.attach = worker_attach,
	.quiesce = worker_quiesce,
	.detach = worker_detach,
};

static const struct tenon_device_class *const classes[] = { &faulty_class, &worker_class, NULL };

static int faulty_init(const struct tenon_host *h)
{
	host = h;
	virtio = h->service(TENON_SVC_VIRTIO);
	mmio = h->service(TENON_SVC_MMIO);
	irq = h->service(TENON_SVC_IRQ);
	event = h->service(TENON_SVC_EVENT);
	notifier = h->service(TENON_SVC_NOTIFIER);
	work = h->service(TENON_SVC_WORK);
	mem = h->service(TENON_SVC_MEM);
	clock_svc = h->service(TENON_SVC_CLOCK);
	return virtio && mmio && irq && event && notifier && work && mem && clock_svc ? 0
										      : -ENOTSUP;
}

TENON_PLUGIN("org.tenon.faulty", "0.1.0", "Apache-2.0", faulty_init, classes, "faulty worker");

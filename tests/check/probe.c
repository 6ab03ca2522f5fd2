/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtio device that is in order, and a way to break it for each check of tenon-plugin-check:
 * compiled with -DBROKEN_NAME it has one fault, which must turn one check red.
 *
 * Each queue answers a request with what it was asked, cut to the room there is, or with a filling
 * where it was asked nothing.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tenon/tenon.h>

#define DEVICE_ID 4094
#define TICK_NS   1000000

struct probe {
	void *memory;
	struct tenon_timer *timer;
	struct tenon_irq *irq;
};

static const struct tenon_host *host;
static const struct tenon_virtio *virtio;
static const struct tenon_event *event;
static const struct tenon_clock *clock_svc;
static const struct tenon_irq_svc *irq_svc;

#ifdef BROKEN_imports
int not_in_any_library(void);
#define INIT_RESULT not_in_any_library()
#else
#define INIT_RESULT 0
#endif

#ifdef BROKEN_exports
TENON_EXPORT int probe_helper;
int probe_helper;
#endif

#ifdef BROKEN_constructors
static int constructed;
__attribute__((constructor)) static void construct(void)
{
	constructed = 1;
}
#endif

static uint32_t answer(const struct tenon_chain *c)
{
	uint8_t bytes[256];
	size_t size = c->in_bytes < sizeof(bytes) ? c->in_bytes : sizeof(bytes);

#ifdef BROKEN_used_length
	return (uint32_t)size;
#endif
#ifdef BROKEN_hostile
	if (c->in_bytes == 0)
		abort();
#endif
	memset(bytes, 0x77, sizeof(bytes));
	(void)tenon_iov_to_buf(c->out, c->n_out, 0, bytes, size);
	return (uint32_t)tenon_iov_from_buf(c->in, c->n_in, 0, bytes, size);
}

static void probe_queue_ready(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index)
{
	struct tenon_chain c;

	(void)dev;
	(void)index;
	while (virtio->pop(vq, &c) > 0)
		virtio->push(vq, &c, answer(&c));
#ifndef BROKEN_notification
	virtio->notify(vq);
#endif
}

static const struct tenon_virtio_ops probe_ops = {
	.struct_size = sizeof(probe_ops),
	.queue_ready = probe_queue_ready,
};

static void probe_tick(struct tenon_dev *dev, void *arg)
{
	struct probe *p = host->priv(dev);

	(void)arg;
	irq_svc->pulse(p->irq);
}

#ifdef BROKEN_thread
static void *wait_for_ever(void *arg)
{
	for (;;)
		(void)pause();
	return arg;
}
#endif

static int probe_create(struct tenon_dev *dev, const struct tenon_config *config)
{
#ifdef BROKEN_leak
	struct probe *p = host->priv(dev);

	p->memory = malloc(40);
#endif
#ifdef BROKEN_thread
	pthread_t thread;

	if (pthread_create(&thread, NULL, wait_for_ever, NULL) == 0)
		(void)pthread_detach(thread);
#endif
#ifdef BROKEN_descriptor_left
	if (dup(STDIN_FILENO) < 0)
		return -errno;
#endif
#ifdef BROKEN_create
	return host->fail(dev, -EINVAL, "it never wants to be");
#endif
	(void)dev;
	(void)config;
	return 0;
}

static int probe_attach(struct tenon_dev *dev)
{
	static const uint16_t sizes[] = { 64, 16 };
	static const uint8_t config[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	const struct tenon_virtio_desc desc = {
		.struct_size = sizeof(desc),
#ifdef BROKEN_needs
		.device_id = 1,
		.features = 1u << 7, /* a network card's GUEST_TSO4, without GUEST_CSUM */
#else
		.device_id = DEVICE_ID,
#endif
#ifdef BROKEN_features
		.features = 1ull << 34, /* packed rings */
#endif
		.n_queues = 2,
		.config_size = sizeof(config),
		.queue_sizes = sizes,
		.config = config,
		.ops = &probe_ops,
	};
	struct probe *p = host->priv(dev);
	int ret;

#ifdef BROKEN_attach
	*(volatile int *)8 = 1;
#endif
#ifdef BROKEN_exit
	_exit(0);
#endif
	p->memory = calloc(1, 100);
#ifdef BROKEN_faults
	*(volatile char *)p->memory = 1;
#endif
	if (!p->memory)
		return host->fail(dev, -ENOMEM, "out of memory");
	ret = event->timer_add(dev, probe_tick, NULL, &p->timer);
	if (ret == 0)
		ret = irq_svc->alloc(dev, TENON_IRQ_EDGE, TENON_IRQ_ANY, &p->irq);
	return ret < 0 ? ret : virtio->add(dev, &desc);
}

static int probe_quiesce(struct tenon_dev *dev)
{
	struct probe *p = host->priv(dev);

#ifdef BROKEN_run
	for (;;)
		(void)pause();
#endif
#ifdef BROKEN_lifecycle
	event->timer_set(p->timer, clock_svc->monotonic_ns() + TICK_NS);
	return 0;
#endif
	event->timer_set(p->timer, 0);
	return 0;
}

static void probe_detach(struct tenon_dev *dev)
{
	struct probe *p = host->priv(dev);

	event->timer_remove(p->timer);
	irq_svc->free(p->irq);
	free(p->memory);
}

static const struct tenon_key probe_keys[] = {
	{ "level", TENON_KEY_INT, 0, "3", "1..5", "does nothing" },
#ifdef BROKEN_key_reserved
	{ "address", TENON_KEY_ADDR, 0, NULL, NULL, "belongs to the core" },
#endif
#ifdef BROKEN_key_default
	{ "size", TENON_KEY_SIZE, 0, "8M", "1K..1M", "its default is past its range" },
#endif
#ifdef BROKEN_key_required
	{ "path", TENON_KEY_PATH, TENON_KEY_REQUIRED, "file", NULL, "required, with a default" },
#endif
#ifdef BROKEN_settings /* not a fault: what has to be made up */
	{ "path", TENON_KEY_PATH, TENON_KEY_REQUIRED, NULL, NULL, "a file" },
	{ "number", TENON_KEY_INT, TENON_KEY_REQUIRED, NULL, "7..9", "a number" },
	{ "most", TENON_KEY_INT, TENON_KEY_REQUIRED, NULL, "..9", "a number" },
	{ "room", TENON_KEY_SIZE, TENON_KEY_REQUIRED, NULL, "4K..", "a size" },
	{ "choice", TENON_KEY_ENUM, TENON_KEY_REQUIRED, NULL, "one|two", "a choice" },
	{ "flag", TENON_KEY_BOOL, TENON_KEY_REQUIRED, NULL, NULL, "a flag" },
	{ "mac", TENON_KEY_MAC, TENON_KEY_REQUIRED, NULL, NULL, "an address" },
	{ "where", TENON_KEY_ADDR, TENON_KEY_REQUIRED, NULL, NULL, "an address" },
	{ "names", TENON_KEY_STRING, TENON_KEY_REQUIRED | TENON_KEY_LIST, NULL, NULL, "names" },
	{ "pipe", TENON_KEY_FD, TENON_KEY_REQUIRED, NULL, NULL, "a descriptor" },
#endif
#ifdef BROKEN_key_help
	{ "silent", TENON_KEY_BOOL, 0, NULL, NULL, "" },
#endif
	{ NULL, 0, 0, NULL, NULL, NULL },
};

#ifdef BROKEN_classes
#define CLASS_NAME "Probe_1"
#else
#define CLASS_NAME "probe"
#endif

static const struct tenon_device_class probe_class = {
#ifdef BROKEN_struct_size
	.struct_size = 8,
#else
	.struct_size = sizeof(probe_class),
#endif
	.threads = TENON_SERIAL,
	.name = CLASS_NAME,
	.summary = "answers what it is asked",
	.keys = probe_keys,
	.priv_size = sizeof(struct probe),
	.create = probe_create,
	.attach = probe_attach,
	.quiesce = probe_quiesce,
	.detach = probe_detach,
};

static const struct tenon_device_class *const classes[] = { &probe_class,
#ifdef BROKEN_class_twice
	&probe_class,
#endif
	NULL };

static int probe_init(const struct tenon_host *h)
{
	int ret;

	host = h;
	ret = TENON_FIND(h, virtio, TENON_SVC_VIRTIO, fault) |
	      TENON_FIND(h, event, TENON_SVC_EVENT, post) |
	      TENON_FIND(h, clock_svc, TENON_SVC_CLOCK, monotonic_ns) |
	      TENON_FIND(h, irq_svc, TENON_SVC_IRQ, free);
#ifdef BROKEN_services
	return 0;
#endif
#ifdef BROKEN_init
	return *(const volatile uint32_t *)virtio ? 0 : -ENOTSUP;
#endif
	return ret < 0 ? ret : INIT_RESULT;
}

#ifdef BROKEN_note
#define NOTE_CLASSES "another"
#else
#define NOTE_CLASSES CLASS_NAME
#endif

#ifdef BROKEN_descriptor
#define LICENSE ""
#else
#define LICENSE "Apache-2.0"
#endif

TENON_PLUGIN("org.tenon.probe", "1.0", LICENSE, probe_init, classes, NOTE_CLASSES);

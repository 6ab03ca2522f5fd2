/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the card with a hostile driver: requests of every type with any contents on both queues,
 * resets, pauses and resizes in any order, with a renderer on a real thread that does nothing but
 * touch what it is given.  The host is a small one of this file's own, which aborts where the card
 * breaks the rules of its services.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "three_d.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern const struct tenon_plugin TENON_PLUGIN_SYMBOL;

#define MOST_CHAINS 128u
#define MOST_STEPS  200u
#define RAM_AT      0x1000u
#define RAM_SIZE    0x20000u
#define WINDOW      0x10000u
#define MAX_MEMORY  (16u << 20)

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* ---- the input ---- */

static const uint8_t *at;
static size_t left;

static uint8_t byte(void)
{
	return left > 0 ? left--, *at++ : 0;
}

static uint32_t raw(void)
{
	uint32_t word = 0;

	for (int i = 0; i < 4; i++)
		word = word << 8 | byte();
	return word;
}

/* Small numbers are what requests are made of. */
static uint32_t word(void)
{
	const uint8_t b = byte();

	if (b < 200)
		return b % 10;
	return b < 232 ? 1u << (b % 32) : raw();
}

/* ---- queues ---- */

struct slot {
	struct iovec iov[3];
	uint32_t n_out, n_in;
	bool popped;
};

struct tenon_vq {
	struct slot *slots[MOST_CHAINS]; /* by head */
	uint32_t order[MOST_CHAINS], n, n_popped;
};

static struct tenon_vq queues[GPU_N_QUEUES];
static bool broken; /* the device asked for a reset */

static void free_slot(struct slot *s)
{
	for (uint32_t i = 0; i < s->n_out + s->n_in; i++)
		free(s->iov[i].iov_base);
	free(s);
}

static void forget_chains(void)
{
	for (uint32_t q = 0; q < GPU_N_QUEUES; q++) {
		for (uint32_t h = 0; h < MOST_CHAINS; h++) {
			if (queues[q].slots[h])
				free_slot(queues[q].slots[h]);
			queues[q].slots[h] = NULL;
		}
		queues[q].n = queues[q].n_popped = 0;
	}
	broken = false;
}

static void offer(uint32_t q, const void *request, size_t size, size_t in_size)
{
	struct tenon_vq *vq = &queues[q];
	size_t cut = size > 8 && byte() % 4 == 0 ? byte() % size : 0;
	uint32_t head = 0;
	struct slot *s;

	while (head < MOST_CHAINS && vq->slots[head])
		head++;
	if (head == MOST_CHAINS)
		return;
	s = calloc(1, sizeof(*s));
	if (cut)
		s->iov[s->n_out++] = (struct iovec){ malloc(cut), cut };
	if (size - cut)
		s->iov[s->n_out++] = (struct iovec){ malloc(size - cut), size - cut };
	for (uint32_t i = 0, n = 0; i < s->n_out; n += s->iov[i++].iov_len)
		memcpy(s->iov[i].iov_base, (const char *)request + n, s->iov[i].iov_len);
	if (in_size) {
		s->iov[s->n_out] = (struct iovec){ calloc(1, in_size), in_size };
		s->n_in = 1;
	}
	vq->slots[head] = s;
	vq->order[vq->n++] = head;
}

static int vq_pop(struct tenon_vq *vq, struct tenon_chain *c)
{
	struct slot *s;

	if (broken || vq->n_popped == vq->n)
		return 0;
	s = vq->slots[vq->order[vq->n_popped]];
	*c = (struct tenon_chain){ .out = s->iov,
		.in = s->iov + s->n_out,
		.n_out = s->n_out,
		.n_in = s->n_in,
		.head = (uint16_t)vq->order[vq->n_popped] };
	for (uint32_t i = 0; i < s->n_out + s->n_in; i++)
		*(i < s->n_out ? &c->out_bytes : &c->in_bytes) += s->iov[i].iov_len;
	s->popped = true;
	vq->n_popped++;
	return 1;
}

static void vq_push(struct tenon_vq *vq, const struct tenon_chain *c, uint32_t written)
{
	struct slot *s = vq->slots[c->head];
	uint32_t i = 0;

	must(s && s->popped && written <= c->in_bytes);
	while (vq->order[i] != c->head)
		i++;
	memmove(&vq->order[i], &vq->order[i + 1], (vq->n - i - 1) * sizeof(vq->order[0]));
	vq->n--;
	vq->n_popped--;
	vq->slots[c->head] = NULL;
	free_slot(s);
}

static void vq_unpop(struct tenon_vq *vq, const struct tenon_chain *c)
{
	must(vq->n_popped > 0 && vq->order[vq->n_popped - 1] == c->head);
	vq->slots[c->head]->popped = false;
	vq->n_popped--;
}

static void vq_notify(struct tenon_vq *vq)
{
	(void)vq;
}

static struct tenon_vq *vq_of(struct tenon_dev *dev, uint32_t index)
{
	(void)dev;
	return index < GPU_N_QUEUES ? &queues[index] : NULL;
}

static const struct tenon_virtio_ops *ops;
static uint64_t offered;
static struct virtio_gpu_config space;

static int add(struct tenon_dev *dev, const struct tenon_virtio_desc *desc)
{
	(void)dev;
	ops = desc->ops;
	offered = desc->features;
	must(desc->config_size == sizeof(space));
	memcpy(&space, desc->config, sizeof(space));
	return 0;
}

static void fault(struct tenon_dev *dev, const char *why)
{
	(void)dev;
	must(why[0] != '\0');
	broken = true;
}

static int config_get(struct tenon_dev *dev, uint32_t offset, void *to, uint32_t size)
{
	(void)dev;
	must(offset + size <= sizeof(space));
	memcpy(to, (const char *)&space + offset, size);
	return 0;
}

static int config_set(struct tenon_dev *dev, uint32_t offset, const void *from, uint32_t size)
{
	(void)dev;
	must(offset + size <= sizeof(space));
	memcpy((char *)&space + offset, from, size);
	return 0;
}

static const struct tenon_virtio virtio = { .struct_size = sizeof(virtio),
	.add = add,
	.queue = vq_of,
	.pop = vq_pop,
	.unpop = vq_unpop,
	.push = vq_push,
	.notify = vq_notify,
	.fault = fault,
	.config_get = config_get,
	.config_set = config_set };

/* ---- the loop ---- */

struct tenon_watch {
	int fd;
	void (*ready)(struct tenon_dev *dev, void *arg, uint32_t events);
};

struct tenon_timer {
	void (*expired)(struct tenon_dev *dev, void *arg);
	uint64_t deadline;
};

static struct tenon_watch watch_of;
static struct tenon_timer timer_of;
static uint64_t now;
static void (*posted[64])(struct tenon_dev *dev, void *arg);
static uint32_t n_posted;

static int fd_add(struct tenon_dev *dev, int fd, uint32_t events,
	void (*ready)(struct tenon_dev *dev, void *arg, uint32_t events), void *arg,
	struct tenon_watch **ret)
{
	(void)dev;
	(void)arg;
	must(!watch_of.ready && fd >= 0 && events == TENON_FD_READ);
	watch_of = (struct tenon_watch){ fd, ready };
	*ret = &watch_of;
	return 0;
}

static void fd_remove(struct tenon_watch *w)
{
	if (w)
		w->ready = NULL;
}

static int timer_add(struct tenon_dev *dev, void (*expired)(struct tenon_dev *dev, void *arg),
	void *arg, struct tenon_timer **ret)
{
	(void)dev;
	(void)arg;
	must(!timer_of.expired);
	timer_of = (struct tenon_timer){ expired, 0 };
	*ret = &timer_of;
	return 0;
}

static void timer_set(struct tenon_timer *t, uint64_t deadline)
{
	must(t->expired != NULL);
	t->deadline = deadline;
}

static void timer_remove(struct tenon_timer *t)
{
	if (t)
		t->expired = NULL;
}

static int post(struct tenon_dev *dev, void (*fn)(struct tenon_dev *dev, void *arg), void *arg)
{
	(void)dev;
	(void)arg;
	must(n_posted < 64);
	posted[n_posted++] = fn;
	return 0;
}

static const struct tenon_event event = { .struct_size = sizeof(event),
	.fd_add = fd_add,
	.fd_remove = fd_remove,
	.timer_add = timer_add,
	.timer_set = timer_set,
	.timer_remove = timer_remove,
	.post = post };

static uint64_t monotonic_ns(void)
{
	return now;
}

static const struct tenon_clock clocks = { .struct_size = sizeof(clocks),
	.monotonic_ns = monotonic_ns };

/* ---- notifiers ---- */

static int notifier_create(struct tenon_notifier **ret)
{
	*ret = (struct tenon_notifier *)(intptr_t)(eventfd(0, EFD_NONBLOCK) + 1);
	return 0;
}

static int notifier_fd(const struct tenon_notifier *n)
{
	return (int)(intptr_t)n - 1;
}

static void notifier_signal(struct tenon_notifier *n)
{
	(void)!eventfd_write(notifier_fd(n), 1);
}

static int notifier_drain(struct tenon_notifier *n)
{
	eventfd_t value;

	return eventfd_read(notifier_fd(n), &value) == 0;
}

static void notifier_destroy(struct tenon_notifier *n)
{
	if (n)
		(void)close(notifier_fd(n));
}

static const struct tenon_notifier_svc notifiers = { sizeof(notifiers), notifier_create,
	notifier_fd, notifier_signal, notifier_drain, notifier_destroy };

/* ---- memory ---- */

static uint8_t *ram;
static uint32_t n_maps;

static void *mem_map(struct tenon_dev *dev, uint64_t gpa, size_t size, uint32_t prot)
{
	(void)dev;
	(void)prot;
	if (gpa < RAM_AT || gpa - RAM_AT > RAM_SIZE || size > RAM_SIZE - (gpa - RAM_AT))
		return NULL;
	n_maps++;
	return ram + (gpa - RAM_AT);
}

static void mem_unmap(struct tenon_dev *dev, void *host, size_t size)
{
	(void)dev;
	must((uint8_t *)host >= ram && (uint8_t *)host + size <= ram + RAM_SIZE && n_maps > 0);
	n_maps--;
}

static void mark_dirty(struct tenon_dev *dev, uint64_t gpa, size_t size)
{
	(void)dev;
	must(gpa >= RAM_AT && gpa - RAM_AT + size <= RAM_SIZE);
}

static const struct tenon_mem mem = {
	.struct_size = sizeof(mem), .map = mem_map, .unmap = mem_unmap, .mark_dirty = mark_dirty
};

static bool pages[WINDOW / 4096]; /* of the window, with something mapped */

static int shm_create(
	struct tenon_dev *dev, uint32_t id, uint64_t size, struct tenon_shm_region **ret)
{
	(void)dev;
	must(id == 1 && size == WINDOW);
	*ret = (struct tenon_shm_region *)pages;
	return 0;
}

static int shm_map(struct tenon_shm_region *region, uint64_t offset, int32_t fd, uint64_t fd_offset,
	uint64_t size, uint32_t prot)
{
	(void)region;
	(void)prot;
	must(fd >= 0 && fd_offset == 0 && offset % 4096 == 0 && size % 4096 == 0 && size > 0 &&
		offset < WINDOW && size <= WINDOW - offset);
	for (uint64_t i = offset / 4096; i < (offset + size) / 4096; i++) {
		must(!pages[i]);
		pages[i] = true;
	}
	return 0;
}

static int shm_unmap(struct tenon_shm_region *region, uint64_t offset, uint64_t size)
{
	(void)region;
	must(offset % 4096 == 0 && size % 4096 == 0 && offset < WINDOW && size <= WINDOW - offset);
	for (uint64_t i = offset / 4096; i < (offset + size) / 4096; i++) {
		must(pages[i]);
		pages[i] = false;
	}
	return 0;
}

static const struct tenon_shm shm = {
	.struct_size = sizeof(shm), .create = shm_create, .map = shm_map, .unmap = shm_unmap
};

/* ---- screens ---- */

static struct tenon_surface surfaces[2];
static volatile uint32_t sum;

static void look(const struct tenon_surface *s)
{
	for (uint32_t y = 0; s->pixels && y < s->height; y++) {
		const uint8_t *line = (const uint8_t *)s->pixels + (size_t)y * s->stride;

		sum += line[0] + line[s->width * 4 - 1];
	}
}

static int display_create(
	struct tenon_dev *dev, uint32_t n_screens, const struct tenon_drawer_ops *drawer)
{
	(void)dev;
	must(n_screens == 2 && drawer->resize);
	return 0;
}

static int set_surface(struct tenon_dev *dev, uint32_t screen, const struct tenon_surface *s)
{
	(void)dev;
	must(screen < 2);
	look(&surfaces[screen]); /* it is still there */
	surfaces[screen] = s ? *s : (struct tenon_surface){ 0 };
	if (s) {
		must(s->width > 0 && s->height > 0 && s->format && s->stride >= s->width * 4);
		look(s);
	}
	return 0;
}

static void damage(struct tenon_dev *dev, uint32_t screen, const struct tenon_rect *r)
{
	const struct tenon_surface *s = &surfaces[screen];

	(void)dev;
	must(screen < 2 && s->pixels && r->width > 0 && r->height > 0 && r->x < s->width &&
		r->y < s->height && r->width <= s->width - r->x && r->height <= s->height - r->y);
	look(s);
}

static int set_cursor(struct tenon_dev *dev, uint32_t screen, const struct tenon_cursor *c)
{
	(void)dev;
	must(screen < 2);
	for (uint32_t i = 0; c && i < c->width * c->height; i++)
		sum += c->pixels[i];
	return 0;
}

static void move_cursor(
	struct tenon_dev *dev, uint32_t screen, int32_t x, int32_t y, uint32_t visible)
{
	(void)dev;
	(void)x;
	(void)y;
	must(screen < 2 && visible < 2);
}

static const struct tenon_display display = { .struct_size = sizeof(display),
	.create = display_create,
	.set_surface = set_surface,
	.damage = damage,
	.set_cursor = set_cursor,
	.move_cursor = move_cursor };

/* ---- the renderer ---- */

static void (*fence_done)(uint32_t fence);
static uint32_t fence;

static int null_start(
	void (*done)(uint32_t fence), struct renderer_capset *capsets, char *why, size_t room)
{
	(void)why;
	(void)room;
	fence_done = done;
	capsets[0] = (struct renderer_capset){ 1, 1, 308 };
	return 0;
}

static void touch(const struct renderer_job *job)
{
	for (uint32_t i = 0; i < job->n_iov; i++)
		memset(job->iov[i].iov_base, (int)i, job->iov[i].iov_len);
	for (uint64_t i = 0; job->op == RENDERER_SUBMIT && i < job->size; i++)
		sum += ((const uint8_t *)job->data)[i];
	if (job->op == RENDERER_CAPSET)
		memset(job->data, 1, job->size);
}

static int null_run(struct renderer_job *job)
{
	touch(job);
	if (job->fence)
		fence = job->fence;
	if (job->op != RENDERER_MEMORY)
		return job->transfer.level == 9 || job->create.format == 9 ? -EINVAL : 0;
	job->data =
		mmap(NULL, job->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	job->fd = memfd_create("fuzz", 0);
	must(job->data != MAP_FAILED && job->fd >= 0);
	return 0;
}

static int null_poll_fd(void)
{
	return -1;
}

static void null_poll(void)
{
	if (fence)
		fence_done(fence);
}

static void null_stop(void)
{
	fence = 0;
}

const struct renderer_ops virgl_ops = { null_start, null_run, null_poll_fd, null_poll, null_stop };

/* ---- the host table ---- */

static struct tenon_dev *const dev = (struct tenon_dev *)&queues;
static struct gpu *priv;

static const void *service(const char *id)
{
	static const struct {
		const char *id;
		const void *table;
	} services[] = { { TENON_SVC_VIRTIO, &virtio }, { TENON_SVC_EVENT, &event },
		{ TENON_SVC_CLOCK, &clocks }, { TENON_SVC_MEM, &mem }, { TENON_SVC_SHM, &shm },
		{ TENON_SVC_NOTIFIER, &notifiers }, { TENON_SVC_DISPLAY, &display } };

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (strcmp(id, services[i].id) == 0)
			return services[i].table;
	return NULL;
}

static void host_log(struct tenon_dev *d, uint32_t level, const char *text)
{
	(void)d;
	(void)level;
	must(text[0] != '\0');
}

static int host_fail(struct tenon_dev *d, int err, const char *text)
{
	host_log(d, TENON_LOG_ERR, text);
	return err;
}

static void *host_priv(struct tenon_dev *d)
{
	(void)d;
	return priv;
}

static const char *host_name(const struct tenon_dev *d)
{
	(void)d;
	return "gpu";
}

static uint32_t conf_count(const struct tenon_config *c, const char *key)
{
	(void)c;
	(void)key;
	return 1;
}

static const char *conf_str(const struct tenon_config *c, const char *key, uint32_t index)
{
	(void)c;
	(void)key;
	(void)index;
	return NULL;
}

static int64_t conf_int(const struct tenon_config *c, const char *key)
{
	(void)c;
	if (strcmp(key, "renderer") == 0)
		return GPU_VIRGL;
	if (strcmp(key, "screens") == 0)
		return 2;
	return strcmp(key, "timeout") == 0 ? 10 : 800;
}

static uint64_t conf_size(const struct tenon_config *c, const char *key)
{
	(void)c;
	return strcmp(key, "window") == 0 ? WINDOW : MAX_MEMORY;
}

static const struct tenon_host host = { sizeof(host), TENON_ABI_MAJOR, TENON_ABI_MINOR, service,
	host_log, host_fail, host_priv, host_name, conf_count, conf_str, conf_int, conf_size };

/* ---- what happens ---- */

static bool active, quiet;
static const struct tenon_device_class *cls;

/* Until nothing is under way; the renderer answers soon. */
static void rest(void)
{
	struct pollfd p = { .fd = watch_of.fd, .events = POLLIN };
	bool any = true;

	for (unsigned n = 0; any; n++) {
		must(n < 100000);
		any = n_posted > 0;
		if (any) {
			posted[0](dev, NULL);
			memmove(posted, posted + 1, --n_posted * sizeof(posted[0]));
		}
		if (watch_of.ready && poll(&p, 1, priv->busy || priv->n_parked ? 5000 : 0) > 0) {
			watch_of.ready(dev, NULL, TENON_FD_READ);
			any = true;
		}
	}
}

static void driver_resets(void)
{
	if (active)
		ops->reset(dev);
	active = false;
	forget_chains();
}

static void driver_starts(void)
{
	driver_resets();
	if (!quiet)
		active = ops->activate(dev, byte() % 8 ? offered : offered & byte()) == 0;
}

static void pause_it(void)
{
	quiet = !quiet;
	must((quiet ? cls->quiesce(dev) : cls->resume(dev)) == 0);
	must(!quiet || !watch_of.ready);
	for (uint32_t q = 0; !quiet && active && q < GPU_N_QUEUES; q++)
		ops->queue_ready(dev, &queues[q], q);
}

/* Words for a request of any kind; where it lists memory, there is some. */
static void request(uint32_t queue)
{
	static const uint16_t types[] = { 0x100, 0x101, 0x101, 0x102, 0x103, 0x104, 0x104, 0x105,
		0x105, 0x106, 0x106, 0x107, 0x108, 0x109, 0x10a, 0x10b, 0x10c, 0x10c, 0x10d, 0x200,
		0x200, 0x201, 0x202, 0x203, 0x204, 0x204, 0x205, 0x206, 0x207, 0x208, 0x208, 0x209,
		0x300, 0x301, 0x10e, 0x20a };
	uint32_t words[64] = { 0 };
	const uint8_t type = byte(), shape = byte();
	uint32_t n = 6;

	words[0] = type < 250 ? types[type % (sizeof(types) / 2)] : raw();
	words[1] = shape & 3;
	words[2] = byte();
	words[4] = shape >> 2 & 3;
	while (n < 6u + (shape >> 4) * 2)
		words[n++] = word();
	if (words[0] == VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING ||
		words[0] == VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB) {
		const bool blob = words[0] == VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB;
		uint32_t entries = byte() % 9;

		words[blob ? 9 : 7] = entries;
		n = blob ? 14 : 8;
		words[12] = blob ? byte() % 8 * 4096 : 0;
		words[13] = 0;
		for (; entries > 0; entries--) {
			words[n++] = RAM_AT + byte() * 64;
			words[n++] = 0;
			words[n++] = byte() * 32;
			words[n++] = 0;
		}
	}
	offer(queue, words, n * 4 - (byte() == 7 ? 3 : 0), byte() == 7 ? byte() : 2048);
	if (active && !quiet)
		ops->queue_ready(dev, &queues[queue], queue);
}

static void one_thing(void)
{
	const uint8_t what = byte();

	if (what < 200) {
		request(what >= 180);
	} else if (what < 210) {
		driver_starts();
	} else if (what < 220) {
		pause_it();
	} else if (what < 230) {
		ram[raw() % RAM_SIZE] = byte();
	} else if (what < 240) {
		space.events_clear = byte();
		if (active && !quiet)
			ops->config_written(dev, 4, 4);
	} else if (what < 250) {
		rest();
	}
	if (broken)
		driver_starts();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	at = data;
	left = size;
	active = quiet = false;
	n_posted = 0;
	ram = calloc(1, RAM_SIZE);
	must(TENON_PLUGIN_SYMBOL.init(&host) == 0);
	cls = TENON_PLUGIN_SYMBOL.devices[0];
	priv = calloc(1, cls->priv_size);
	must(cls->create(dev, NULL) == 0 && cls->attach(dev) == 0 && cls->start(dev) == 0);
	driver_starts();
	for (unsigned n = 0; left > 0 && n < MOST_STEPS; n++)
		one_thing();
	rest();
	if (!quiet)
		pause_it();
	driver_resets();
	must(priv->memory == 0 && n_maps == 0);
	cls->detach(dev);
	free(priv);
	free(ram);
	must(!watch_of.ready && !timer_of.expired && !surfaces[0].pixels && !surfaces[1].pixels);
	return 0;
}

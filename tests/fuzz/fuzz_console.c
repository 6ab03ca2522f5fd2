/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console's ports: the lines of `ports`, and a device of three ports on a terminal, a socket
 * and a pipe, whose driver and whose peers do as they please.  The virtio layer is the real one;
 * the event loop is played: what is ready is served when the input says so.
 *
 * The input is a line that ends with a zero, and then operations.
 */
#include "tests/fuzz/fake_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tenon/tenon.h>

#include "sdk/virtio/virtio_device.h"

extern const struct tenon_plugin TENON_PLUGIN_SYMBOL;

enum op {
	OP_CONTROL,
	OP_OFFER,
	OP_STORE,
	OP_WRITE,
	OP_BRING_UP,
	OP_LOOP,
	OP_PEER_SAYS,
	OP_PEER_HEARS,
	OP_PEER_GOES,
	OP_TYPE,
	OP_RESIZE,
	OP_QUIESCE,
	OP_RESUME,
	OP_MACHINE_RESET,
	N_OPS,
};

#define SECOND_NS    1000000000ull
#define CONTROL_TX   3u
#define N_PORTS      3u
#define N_QUEUES     (2 * N_PORTS + 2)
#define QUEUE_LENGTH 8u
#define MAX_WATCHES  8
#define MAX_TIMERS   8

/* Where bring_up() puts things, in the lower of the two regions that adjoin. */
#define RINGS       0x400u /* apart */
#define BUFFERS     0x2000u
#define BUFFER_SIZE 64u

struct tenon_watch {
	bool used;
	int fd;
	uint32_t events;
	void (*ready)(struct tenon_dev *dev, void *arg, uint32_t events);
	void *arg;
};

struct tenon_timer {
	bool used;
	uint64_t deadline;
	void (*expired)(struct tenon_dev *dev, void *arg);
	void *arg;
};

/* The whole host of the one device. */
struct tenon_dev {
	void *priv;
	bool said_why;
	struct virtio_device vd;
	struct tenon_watch watches[MAX_WATCHES];
	struct tenon_timer timers[MAX_TIMERS];
	const struct tenon_terminal_ops *terminal;
	size_t room; /* of the terminal */
	uint8_t heard;
	uint64_t now;
	bool quiesced;
	int peer, in, out; /* the other ends; -1 = gone */
	uint32_t n_ports;
	char ports[N_PORTS][300];
	uint16_t avail_idx[N_QUEUES];
};

static struct tenon_dev dev;

/* ---- the host ---- */

static const void *service(const char *id);

static void host_log(struct tenon_dev *d, uint32_t level, const char *text)
{
	if (d != &dev || level > TENON_LOG_DEBUG || !text[0])
		abort();
}

static int host_fail(struct tenon_dev *d, int err, const char *text)
{
	host_log(d, TENON_LOG_ERR, text);
	d->said_why = true;
	return err;
}

static void *host_priv(struct tenon_dev *d)
{
	return d->priv;
}

static const char *host_name(const struct tenon_dev *d)
{
	(void)d;
	return "console";
}

static uint32_t conf_count(const struct tenon_config *config, const char *key)
{
	(void)config;
	return strcmp(key, "ports") == 0 ? dev.n_ports : 1;
}

static const char *conf_str(const struct tenon_config *config, const char *key, uint32_t index)
{
	(void)config;
	return strcmp(key, "ports") == 0 ? dev.ports[index] : "/nowhere";
}

static int64_t conf_int(const struct tenon_config *config, const char *key)
{
	(void)config;
	(void)key;
	return 1;
}

static const struct tenon_host host = {
	.struct_size = sizeof(host),
	.service = service,
	.log = host_log,
	.fail = host_fail,
	.priv = host_priv,
	.name = host_name,
	.conf_count = conf_count,
	.conf_str = conf_str,
	.conf_int = conf_int,
};

/* ---- events ---- */

static int fd_add(struct tenon_dev *d, int fd, uint32_t events,
	void (*ready)(struct tenon_dev *dev, void *arg, uint32_t events), void *arg,
	struct tenon_watch **ret_watch)
{
	for (int i = 0; i < MAX_WATCHES; i++) {
		if (d->watches[i].used)
			continue;
		d->watches[i] = (struct tenon_watch){ true, fd, events, ready, arg };
		*ret_watch = &d->watches[i];
		return 0;
	}
	abort();
}

static int fd_modify(struct tenon_watch *watch, uint32_t events)
{
	if (!watch->used)
		abort();
	watch->events = events;
	return 0;
}

static void fd_remove(struct tenon_watch *watch)
{
	if (watch && !watch->used)
		abort();
	if (watch)
		watch->used = false;
}

static int timer_add(struct tenon_dev *d, void (*expired)(struct tenon_dev *dev, void *arg),
	void *arg, struct tenon_timer **ret_timer)
{
	for (int i = 0; i < MAX_TIMERS; i++) {
		if (d->timers[i].used)
			continue;
		d->timers[i] = (struct tenon_timer){ true, 0, expired, arg };
		*ret_timer = &d->timers[i];
		return 0;
	}
	abort();
}

static void timer_set(struct tenon_timer *timer, uint64_t deadline_ns)
{
	if (!timer->used)
		abort();
	timer->deadline = deadline_ns;
}

static void timer_remove(struct tenon_timer *timer)
{
	if (timer && !timer->used)
		abort();
	if (timer)
		timer->used = false;
}

static int post(struct tenon_dev *d, void (*fn)(struct tenon_dev *dev, void *arg), void *arg)
{
	(void)d;
	(void)fn;
	(void)arg;
	return -ENOTSUP;
}

static const struct tenon_event event = { sizeof(event), fd_add, fd_modify, fd_remove, timer_add,
	timer_set, timer_remove, post };

static uint64_t now(void)
{
	return dev.now;
}

static uint64_t guest_now(struct tenon_dev *d)
{
	return d->now;
}

static const struct tenon_clock clock_table = { sizeof(clock_table), now, guest_now, now };

static void serve_watches(void)
{
	struct pollfd polled[MAX_WATCHES];

	for (int i = 0; i < MAX_WATCHES; i++) {
		const struct tenon_watch *w = &dev.watches[i];

		polled[i] = (struct pollfd){ .fd = w->used ? w->fd : -1 };
		polled[i].events = (short)((w->events & TENON_FD_READ ? POLLIN : 0) |
					   (w->events & TENON_FD_WRITE ? POLLOUT : 0));
	}
	if (poll(polled, MAX_WATCHES, 0) <= 0)
		return;
	for (int i = 0; i < MAX_WATCHES; i++) {
		struct tenon_watch *w = &dev.watches[i];
		short got = polled[i].revents;

		if (got & POLLNVAL)
			abort();
		if (got && w->used && w->fd == polled[i].fd)
			w->ready(&dev, w->arg,
				(got & (POLLIN | POLLERR) ? TENON_FD_READ : 0) |
					(got & (POLLOUT | POLLERR) ? TENON_FD_WRITE : 0) |
					(got & (POLLHUP | POLLERR) ? TENON_FD_HUP : 0));
	}
}

static void run_loop(uint64_t ns)
{
	dev.now += ns;
	virtio_device_run_deferred(&dev.vd);
	serve_watches();
	for (int i = 0; i < MAX_TIMERS; i++) {
		struct tenon_timer *t = &dev.timers[i];

		if (!t->used || t->deadline == 0 || t->deadline > dev.now)
			continue;
		t->deadline = 0;
		t->expired(&dev, t->arg);
	}
}

/* ---- the terminal ---- */

static int term_open(struct tenon_dev *d, const struct tenon_terminal_ops *ops)
{
	d->terminal = ops;
	return 0;
}

static int want_input(struct tenon_dev *d, uint32_t want)
{
	(void)want;
	return d->terminal ? 0 : -EINVAL;
}

/* Reads all of what is written, as whoever writes it out would. */
static size_t term_write(struct tenon_dev *d, const void *bytes, size_t size)
{
	size_t n = size < d->room ? size : d->room;

	for (size_t i = 0; i < size; i++)
		d->heard ^= ((const uint8_t *)bytes)[i];
	d->room -= n;
	return n;
}

static int term_size(struct tenon_dev *d, uint32_t *ret_columns, uint32_t *ret_rows)
{
	(void)d;
	*ret_columns = 80;
	*ret_rows = 25;
	return 0;
}

static const struct tenon_terminal terminal = { sizeof(terminal), term_open, want_input, term_write,
	term_size };

/* ---- virtio ---- */

static void env_interrupt(void *opaque)
{
	(void)opaque;
}

static void env_kick(void *opaque, uint32_t index)
{
	(void)opaque;
	if (!dev.quiesced)
		virtio_device_queue_ready(&dev.vd, index);
}

static void env_log(void *opaque, const char *text)
{
	(void)opaque;
	host_log(&dev, TENON_LOG_WARN, text);
}

/* A reset is waited for: at once. */
static void env_defer(void *opaque)
{
	(void)opaque;
	virtio_device_run_deferred(&dev.vd);
}

static int virtio_add(struct tenon_dev *d, const struct tenon_virtio_desc *desc)
{
	const struct virtio_env env = {
		.memory = fake_memory,
		.interrupt = env_interrupt,
		.defer = env_defer,
		.kick = env_kick,
		.log = env_log,
	};

	return virtio_device_init(&d->vd, d, desc, &env);
}

static struct tenon_vq *queue(struct tenon_dev *d, uint32_t index)
{
	return virtio_queue(&d->vd, index);
}

static int pop(struct tenon_vq *vq, struct tenon_chain *ret_chain)
{
	int ret;

	if (dev.quiesced)
		abort();
	ret = vq_pop(vq, ret_chain);
	if (ret > 0)
		fake_memory_check(ret_chain);
	return ret;
}

static void push(struct tenon_vq *vq, const struct tenon_chain *chain, uint32_t written)
{
	if (dev.quiesced || written > chain->in_bytes)
		abort();
	vq_push(vq, chain, written);
}

static void fault(struct tenon_dev *d, const char *why)
{
	virtio_fault(&d->vd, why);
}

static int config_get(struct tenon_dev *d, uint32_t offset, void *to, uint32_t size)
{
	return virtio_config_get(&d->vd, offset, to, size);
}

static int config_set(struct tenon_dev *d, uint32_t offset, const void *from, uint32_t size)
{
	return virtio_config_set(&d->vd, offset, from, size);
}

static const struct tenon_virtio virtio = {
	.struct_size = sizeof(virtio),
	.add = virtio_add,
	.queue = queue,
	.queue_size = vq_size,
	.pop = pop,
	.unpop = vq_unpop,
	.push = push,
	.notify = vq_notify,
	.want_kicks = vq_want_kicks,
	.fault = fault,
	.config_get = config_get,
	.config_set = config_set,
};

static const void *service(const char *id)
{
	if (strcmp(id, TENON_SVC_VIRTIO) == 0)
		return &virtio;
	if (strcmp(id, TENON_SVC_EVENT) == 0)
		return &event;
	if (strcmp(id, TENON_SVC_CLOCK) == 0)
		return &clock_table;
	return strcmp(id, TENON_SVC_TERMINAL) == 0 ? &terminal : NULL;
}

/* ---- the driver ---- */

static void reg(uint64_t offset, uint32_t value)
{
	virtio_mmio_write(&dev.vd, offset, 4, value);
}

static void store_le(uint64_t gpa, uint64_t value, unsigned bytes)
{
	uint8_t b[8];

	for (unsigned i = 0; i < bytes; i++)
		b[i] = (uint8_t)(value >> (8 * i));
	fake_memory_store(gpa, b, bytes);
}

/* Every descriptor has a buffer; whether the device writes it goes by the queue. */
static void set_queue(uint32_t index)
{
	uint32_t at = RINGS * index;

	for (uint32_t i = 0; i < QUEUE_LENGTH; i++) {
		store_le(at + 16 * i, BUFFERS + (index * QUEUE_LENGTH + i) * BUFFER_SIZE, 8);
		store_le(at + 16 * i + 8, BUFFER_SIZE, 4);
		store_le(at + 16 * i + 12, index % 2 == 0 ? 2 : 0, 2);
	}
	reg(0x30, index);
	reg(0x38, QUEUE_LENGTH);
	reg(0x80, at);
	reg(0x90, at + 0x100);
	reg(0xa0, at + 0x200);
	reg(0x44, 1);
	dev.avail_idx[index] = 0;
	store_le(at + 0x102, 0, 2);
}

static void bring_up(uint8_t features)
{
	reg(0x70, 0);
	reg(0x70, 3);
	reg(0x24, 0);
	reg(0x20, features & 7);
	reg(0x24, 1);
	reg(0x20, 1);
	reg(0x70, 11);
	for (uint32_t i = 0; i < N_QUEUES; i++)
		set_queue(i);
	reg(0x70, 15);
}

static void offer(uint32_t index, uint32_t descriptor)
{
	uint32_t at = RINGS * index + 0x100;

	store_le(at + 4 + 2 * (dev.avail_idx[index] % QUEUE_LENGTH), descriptor % QUEUE_LENGTH, 2);
	store_le(at + 2, ++dev.avail_idx[index], 2);
	reg(0x50, index);
}

/* A message as a driver would send it; its fields are anything. */
static void send_control(struct input *in)
{
	uint32_t descriptor = dev.avail_idx[CONTROL_TX];
	uint64_t at =
		BUFFERS + (CONTROL_TX * QUEUE_LENGTH + descriptor % QUEUE_LENGTH) * BUFFER_SIZE;

	store_le(at, (uint64_t)(int8_t)input_u8(in), 4);
	store_le(at + 4, (uint64_t)(int8_t)input_u8(in), 2);
	store_le(at + 6, (uint64_t)(int8_t)input_u8(in), 2);
	offer(CONTROL_TX, descriptor);
}

/* ---- the peers ---- */

static void hang_up(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void peer_says(struct input *in)
{
	int fd = input_u8(in) % 2 ? dev.peer : dev.in;
	size_t n;
	const uint8_t *bytes = input_bytes(in, 64, &n);

	if (fd >= 0)
		(void)!write(fd, bytes, n);
}

static void peer_hears(uint8_t which)
{
	char bytes[4096];

	if ((which % 2 ? dev.peer : dev.out) >= 0)
		(void)!read(which % 2 ? dev.peer : dev.out, bytes, sizeof(bytes));
}

static void peer_goes(uint8_t which)
{
	int *ends[] = { &dev.peer, &dev.in, &dev.out };

	if (which % 4 == 3 && dev.peer >= 0)
		(void)shutdown(dev.peer, SHUT_WR);
	else
		hang_up(ends[which % 3]);
}

/* ---- what comes of it ---- */

static const struct tenon_device_class *cls;

static void quiesce(void)
{
	if (dev.quiesced)
		return;
	if (cls->quiesce(&dev) < 0)
		abort();
	dev.quiesced = true;
}

static void resume(void)
{
	if (!dev.quiesced)
		return;
	dev.quiesced = false;
	if (cls->resume(&dev) < 0)
		abort();
	virtio_device_all_ready(&dev.vd);
}

static void type(uint8_t n)
{
	static const uint8_t keys[256];

	if (dev.terminal->input(&dev, keys, n) > n)
		abort();
	dev.room = (size_t)n * 4;
	dev.terminal->writable(&dev);
}

static void step(struct input *in)
{
	uint8_t choice = input_u8(in) % N_OPS, a = input_u8(in);

	/* The core holds these back while the device is quiesced. */
	if (dev.quiesced && (choice == OP_TYPE || choice == OP_MACHINE_RESET))
		return;
	switch (choice) {
	case OP_CONTROL:
		send_control(in);
		break;
	case OP_OFFER:
		offer(a % N_QUEUES, input_u8(in));
		break;
	case OP_STORE:
		fake_memory_take(in);
		break;
	case OP_WRITE:
		reg((uint64_t)a * 4, input_u32(in));
		break;
	case OP_BRING_UP:
		bring_up(a);
		break;
	case OP_LOOP:
		run_loop(a * SECOND_NS / 64);
		break;
	case OP_PEER_SAYS:
		peer_says(in);
		break;
	case OP_PEER_HEARS:
		peer_hears(a);
		break;
	case OP_PEER_GOES:
		peer_goes(a);
		break;
	case OP_TYPE:
		type(a);
		break;
	case OP_RESIZE:
		dev.terminal->resized(&dev, a, input_u8(in));
		break;
	case OP_QUIESCE:
		quiesce();
		break;
	case OP_RESUME:
		resume();
		break;
	case OP_MACHINE_RESET:
		virtio_device_machine_reset(&dev.vd);
		break;
	}
}

/* ---- life ---- */

static void begin(void)
{
	memset(&dev, 0, sizeof(dev));
	dev.now = 1;
	dev.room = 16;
	dev.peer = dev.in = dev.out = -1;
	if (TENON_PLUGIN_SYMBOL.init(&host) < 0)
		abort();
	cls = TENON_PLUGIN_SYMBOL.devices[0];
	dev.priv = calloc(1, cls->priv_size);
	if (!dev.priv)
		abort();
}

static void end(void)
{
	cls->destroy(&dev);
	free(dev.priv);
}

/* A line is taken, or refused with a sentence. */
static void read_line(struct input *in)
{
	size_t n = 0;

	begin();
	dev.n_ports = 1;
	while (in->left > 0 && n < sizeof(dev.ports[0]) - 1 &&
		(dev.ports[0][n] = (char)input_u8(in)) != '\0')
		n++;
	dev.ports[0][n] = '\0';
	if (cls->create(&dev, NULL) < 0 && !dev.said_why)
		abort();
	end();
}

/* The device's ends, and the peers'. */
static void open_ends(int own[3])
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) < 0)
		abort();
	own[0] = ends[0];
	dev.peer = ends[1];
	if (pipe2(ends, O_NONBLOCK) < 0)
		abort();
	own[1] = ends[0];
	dev.in = ends[1];
	if (pipe2(ends, O_NONBLOCK) < 0)
		abort();
	own[2] = ends[1];
	dev.out = ends[0];
}

static void create(void)
{
	int own[3];

	begin();
	open_ends(own);
	dev.n_ports = N_PORTS;
	(void)snprintf(dev.ports[0], sizeof(dev.ports[0]), "terminal");
	(void)snprintf(dev.ports[1], sizeof(dev.ports[1]), "name=socket,fd=%d,console", own[0]);
	(void)snprintf(dev.ports[2], sizeof(dev.ports[2]), "name=pipes,fd=%d:%d", own[1], own[2]);
	if (cls->create(&dev, NULL) < 0 || cls->attach(&dev) < 0 || cls->start(&dev) < 0)
		abort();
	for (int i = 0; i < 3; i++)
		(void)close(own[i]); /* the device has its own */
}

static void destroy(void)
{
	cls->detach(&dev);
	for (int i = 0; i < MAX_WATCHES; i++)
		if (dev.watches[i].used)
			abort();
	for (int i = 0; i < MAX_TIMERS; i++)
		if (dev.timers[i].used)
			abort();
	end();
	virtio_device_finish(&dev.vd);
	hang_up(&dev.peer);
	hang_up(&dev.in);
	hang_up(&dev.out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };

	(void)signal(SIGPIPE, SIG_IGN);
	fake_memory_reset();
	read_line(&in);
	create();
	while (in.left > 0)
		step(&in);
	resume();
	run_loop(SECOND_NS);
	reg(0x70, 0);
	if (virtio_mmio_read(&dev.vd, 0x70, 4) != 0)
		abort();
	destroy();
	return 0;
}

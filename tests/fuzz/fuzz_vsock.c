/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vsock device between a hostile guest and unruly programs of the host: any packets, TSI
 * control messages among them, in chains of any shape, receive buffers of any size or none, sockets
 * that are read, written, closed or left alone, time that passes, resets.  The plugin's code is
 * part of the program; its host is played here, its sockets are real ones in a folder and on the
 * loopback.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <tenon/tenon.h>

#include "tests/fuzz/input.h"

#define HEADER       44u
#define GUEST        3u
#define MOST_CHAINS  16u
#define MOST_PEERS   8
#define MOST_PAYLOAD 512u
#define MOST_ROUNDS  400 /* until the device must have come to rest */

enum op {
	OP_PACKET,
	OP_RAW,
	OP_BUFFERS,
	OP_DIAL,
	OP_ACCEPT,
	OP_SAY,
	OP_HEAR,
	OP_SHUT,
	OP_CLOSE,
	OP_TIME,
	OP_RESET,
	OP_QUIESCE,
	N_OPS,
};

struct tenon_dev {
	void *priv;
};

struct tenon_vq {
	struct chain {
		struct iovec iov[4];
		uint8_t *bytes;
		uint32_t n, size;
		bool taken;
	} chains[MOST_CHAINS];
	unsigned first, n; /* a ring; those that are taken come first */
	unsigned n_taken;
	bool in;
};

struct tenon_watch {
	int fd;
	uint32_t events;
	void (*ready)(struct tenon_dev *dev, void *arg, uint32_t events);
	void *arg;
};

struct tenon_timer {
	uint64_t deadline_ns;
	void (*expired)(struct tenon_dev *dev, void *arg);
	void *arg;
};

extern const struct tenon_plugin TENON_PLUGIN_SYMBOL;

static struct {
	struct tenon_dev dev;
	const struct tenon_device_class *class;
	const struct tenon_virtio_ops *ops;
	struct tenon_vq queues[3];
	struct tenon_watch *watch;
	struct tenon_timer *timers[4];
	unsigned n_timers;
	uint64_t now;
	bool active, quiesced;
	int listeners[3]; /* of the host */
	int peers[MOST_PEERS];
} run;

static char folder[32];

/* ---- the host ---- */

static void host_log(struct tenon_dev *dev, uint32_t level, const char *text)
{
	(void)dev;
	(void)level;
	if (!text[0])
		abort();
}

static int host_fail(struct tenon_dev *dev, int err, const char *text)
{
	host_log(dev, 0, text);
	return err;
}

static void *host_priv(struct tenon_dev *dev)
{
	return dev->priv;
}

static const char *host_name(const struct tenon_dev *dev)
{
	(void)dev;
	return "vsock";
}

static const char *setting(const char *key, uint32_t index)
{
	static char own[64], unix_rule[64];
	const char *const rules[] = { "tcp:127.0.0.1:9", "udp:127.0.0.1:9", "listen:tcp:*",
		"listen:udp:40000-40010", unix_rule };

	(void)snprintf(own, sizeof(own), "%s/v", folder);
	(void)snprintf(unix_rule, sizeof(unix_rule), "unix:%s/*", folder);
	if (strcmp(key, "socket") == 0)
		return index == 0 ? own : NULL;
	if (strcmp(key, "tsi") == 0)
		return index < 5 ? rules[index] : NULL;
	return NULL;
}

static uint32_t conf_count(const struct tenon_config *config, const char *key)
{
	uint32_t n = 0;

	(void)config;
	while (setting(key, n))
		n++;
	return n;
}

static const char *conf_str(const struct tenon_config *config, const char *key, uint32_t index)
{
	(void)config;
	return setting(key, index);
}

static int64_t conf_int(const struct tenon_config *config, const char *key)
{
	(void)config;
	return strcmp(key, "cid") == 0 ? GUEST : 24; /* connections */
}

/* ---- virtio ---- */

static int virtio_add(struct tenon_dev *dev, const struct tenon_virtio_desc *desc)
{
	(void)dev;
	run.ops = desc->ops;
	return 0;
}

static struct tenon_vq *virtio_queue(struct tenon_dev *dev, uint32_t index)
{
	(void)dev;
	return index < 3 ? &run.queues[index] : NULL;
}

static int virtio_pop(struct tenon_vq *vq, struct tenon_chain *ret)
{
	struct chain *c = &vq->chains[(vq->first + vq->n_taken) % MOST_CHAINS];

	if (!run.active || run.quiesced)
		abort();
	if (vq->n_taken == vq->n)
		return 0;
	c->taken = true;
	*ret = (struct tenon_chain){ .head = (uint16_t)(c - vq->chains) };
	if (vq->in) {
		ret->in = c->iov;
		ret->n_in = c->n;
		ret->in_bytes = c->size;
	} else {
		ret->out = c->iov;
		ret->n_out = c->n;
		ret->out_bytes = c->size;
	}
	vq->n_taken++;
	return 1;
}

static void virtio_unpop(struct tenon_vq *vq, const struct tenon_chain *chain)
{
	vq->n_taken--;
	if ((vq->first + vq->n_taken) % MOST_CHAINS != chain->head)
		abort(); /* not the one that was popped last */
	vq->chains[chain->head].taken = false;
}

static void drop_first(struct tenon_vq *vq)
{
	free(vq->chains[vq->first].bytes);
	vq->chains[vq->first] = (struct chain){ .n = 0 };
	vq->first = (vq->first + 1) % MOST_CHAINS;
	vq->n--;
}

static uint64_t little(const uint8_t *at, unsigned n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | at[n];
	return v;
}

/* The device returns chains in order. */
static void virtio_push(struct tenon_vq *vq, const struct tenon_chain *chain, uint32_t written)
{
	const struct chain *c = &vq->chains[vq->first];

	if (chain->head != vq->first || !c->taken || vq->n_taken == 0)
		abort();
	if (written > (vq->in ? c->size : 0))
		abort();
	if (written > 0 &&
		(written < HEADER || little(c->bytes + 24, 4) != written - HEADER ||
			little(c->bytes, 8) == GUEST || little(c->bytes + 8, 8) != GUEST))
		abort(); /* not a packet for this guest */
	vq->n_taken--;
	drop_first(vq);
}

static void virtio_notify(struct tenon_vq *vq)
{
	(void)vq;
}

/* ---- the loop ---- */

static int fd_add(struct tenon_dev *dev, int fd, uint32_t events,
	void (*ready)(struct tenon_dev *dev, void *arg, uint32_t events), void *arg,
	struct tenon_watch **ret)
{
	(void)dev;
	if (run.watch)
		abort(); /* this device has one */
	*ret = run.watch = calloc(1, sizeof(**ret));
	if (!run.watch)
		abort();
	*run.watch = (struct tenon_watch){ fd, events, ready, arg };
	return 0;
}

static int fd_modify(struct tenon_watch *watch, uint32_t events)
{
	watch->events = events;
	return 0;
}

static void fd_remove(struct tenon_watch *watch)
{
	free(watch);
	run.watch = NULL;
}

static int timer_add(struct tenon_dev *dev, void (*expired)(struct tenon_dev *dev, void *arg),
	void *arg, struct tenon_timer **ret)
{
	(void)dev;
	*ret = run.timers[run.n_timers++] = calloc(1, sizeof(**ret));
	if (!*ret)
		abort();
	(*ret)->expired = expired;
	(*ret)->arg = arg;
	return 0;
}

static void timer_set(struct tenon_timer *timer, uint64_t deadline_ns)
{
	timer->deadline_ns = deadline_ns;
}

static void timer_remove(struct tenon_timer *timer)
{
	free(timer);
	run.n_timers--;
}

static uint64_t monotonic_ns(void)
{
	return run.now;
}

static bool step(void)
{
	bool any = false;

	if (run.watch && run.watch->events) {
		struct pollfd p = { .fd = run.watch->fd, .events = POLLIN };

		if (poll(&p, 1, 0) == 1) {
			run.watch->ready(&run.dev, run.watch->arg, TENON_FD_READ);
			any = true;
		}
	}
	for (unsigned i = 0; i < run.n_timers; i++) {
		struct tenon_timer *t = run.timers[i];

		if (t->deadline_ns == 0 || t->deadline_ns > run.now)
			continue;
		t->deadline_ns = 0;
		t->expired(&run.dev, t->arg);
		any = true;
	}
	return any;
}

static void settle(void)
{
	for (int i = 0; step(); i++)
		if (i == MOST_ROUNDS)
			abort(); /* it never comes to rest */
}

/* ---- the guest ---- */

static void ready(unsigned queue)
{
	if (run.active && !run.quiesced)
		run.ops->queue_ready(&run.dev, &run.queues[queue], queue);
	settle();
}

/* A chain of exactly @size bytes in up to three pieces; NULL when the queue is full. */
static struct chain *add_chain(struct tenon_vq *vq, uint32_t size, uint8_t cut)
{
	struct chain *c = &vq->chains[(vq->first + vq->n) % MOST_CHAINS];
	uint32_t one = size > 1 && (cut & 1) ? cut % size : 0, two = size - one;

	if (vq->n == MOST_CHAINS || size == 0)
		return NULL;
	*c = (struct chain){ .bytes = malloc(size), .size = size };
	if (!c->bytes)
		abort();
	if (one)
		c->iov[c->n++] = (struct iovec){ c->bytes, one };
	c->iov[c->n++] = (struct iovec){ c->bytes + one, two };
	vq->n++;
	return c;
}

static void put(uint8_t *at, uint64_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		at[i] = (uint8_t)(v >> (8 * i));
}

/* Ports that lead somewhere, mostly. */
static uint32_t some_port(uint8_t choice)
{
	static const uint32_t ports[] = { 1, 2, 3, 620, 0x40000000, 0x40000001, 0x40000002, 70000 };

	return choice < 16 ? 1022u + choice : ports[choice % 8];
}

static void packet(struct input *in)
{
	uint8_t kind = input_u8(in);
	uint32_t src = some_port(input_u8(in) | 16), dst = some_port(input_u8(in));
	uint32_t buf_alloc = input_u16(in) * 16u, fwd_cnt = input_u16(in), len = input_u16(in);
	size_t n;
	const uint8_t *bytes = input_bytes(in, len % MOST_PAYLOAD, &n);
	uint32_t fill = (kind & 0x40) ? (len & ~511u) : 0; /* much, without much input */
	struct chain *c = add_chain(&run.queues[1], HEADER + (uint32_t)n + fill, (uint8_t)len);

	if (!c)
		return;
	memset(c->bytes, 0, c->size);
	put(c->bytes, GUEST, 8);
	put(c->bytes + 8, 2, 8);
	put(c->bytes + 16, src, 4);
	put(c->bytes + 20, dst, 4);
	put(c->bytes + 24, n + fill, 4);
	put(c->bytes + 28, (dst >= 1024 && dst < 1032) ? 3 : 1 + (kind >> 3 & 3) % 3, 2);
	put(c->bytes + 30, (dst >= 1024 && dst < 1032) ? 5 : kind & 7, 2);
	put(c->bytes + 32, fwd_cnt & 3, 4);
	put(c->bytes + 36, buf_alloc, 4);
	put(c->bytes + 40, fwd_cnt, 4);
	if (n > 0)
		memcpy(c->bytes + HEADER, bytes, n);
	if (kind & 0x80)
		ready(1);
}

static void raw(struct input *in)
{
	uint32_t size = input_u8(in);
	size_t n;
	const uint8_t *bytes = input_bytes(in, size, &n);
	struct chain *c = add_chain(&run.queues[1], (uint32_t)n, (uint8_t)(size * 7));

	if (c)
		memcpy(c->bytes, bytes, n);
	ready(1);
}

static void buffers(struct input *in)
{
	uint8_t choice = input_u8(in);

	for (unsigned i = 0; i < (choice & 15u); i++)
		(void)add_chain(&run.queues[0], (choice & 0x40) ? 4096 : 40u + choice, choice);
	ready(0);
}

static void bring_up(void)
{
	if (run.ops->activate(&run.dev, ~0ull) < 0)
		abort();
	run.active = true;
	for (unsigned i = 0; i < 3; i++)
		ready(i);
}

static void empty_queues(void)
{
	for (unsigned i = 0; i < 3; i++) {
		run.queues[i].n_taken = 0;
		while (run.queues[i].n > 0)
			drop_first(&run.queues[i]);
	}
}

static void reset(void)
{
	run.ops->reset(&run.dev);
	run.active = false;
	empty_queues();
}

/* ---- programs of the host ---- */

static void set_path(struct sockaddr_un *un, const char *name)
{
	*un = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(un->sun_path, sizeof(un->sun_path), "%s/%s", folder, name);
}

static int host_listen(int type, const char *name)
{
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un un;

	set_path(&un, name);
	(void)unlink(un.sun_path);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&un, sizeof(un)) < 0 || listen(fd, 1) < 0)
		abort();
	return fd;
}

static int *free_peer(void)
{
	for (int i = 0; i < MOST_PEERS; i++)
		if (run.peers[i] < 0)
			return &run.peers[i];
	return NULL;
}

static void dial(struct input *in)
{
	static const char greeting[] = "CONNECT 1\n";
	int *peer = free_peer();
	struct sockaddr_un un;
	uint8_t choice = input_u8(in);

	if (!peer)
		return;
	set_path(&un, "v");
	*peer = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*peer < 0)
		abort();
	if (connect(*peer, (const struct sockaddr *)&un, sizeof(un)) == 0)
		(void)send(*peer, greeting, choice % sizeof(greeting), MSG_NOSIGNAL);
	settle();
}

static void say(int fd, struct input *in)
{
	static const uint8_t much[65536];
	uint8_t choice = input_u8(in);
	size_t n;
	const uint8_t *bytes = input_bytes(in, choice & 31, &n);

	(void)send(fd, bytes, n, MSG_NOSIGNAL);
	if (choice & 0x80)
		(void)send(fd, much, sizeof(much), MSG_NOSIGNAL);
	settle();
}

static void hear(int fd)
{
	uint8_t bytes[65536];

	while (recv(fd, bytes, sizeof(bytes), 0) > 0)
		;
	settle();
}

static void host_does(struct input *in, enum op op)
{
	uint8_t choice = input_u8(in);
	int *peer = &run.peers[choice % MOST_PEERS];

	if (op == OP_ACCEPT) {
		peer = free_peer();
		if (peer)
			*peer = accept4(run.listeners[choice % 3], NULL, NULL,
				SOCK_NONBLOCK | SOCK_CLOEXEC);
	} else if (*peer < 0) {
		return;
	} else if (op == OP_SAY) {
		say(*peer, in);
	} else if (op == OP_HEAR) {
		hear(*peer);
	} else if (op == OP_SHUT) {
		(void)shutdown(*peer, choice >> 3 & 1 ? SHUT_WR : SHUT_RD);
	} else {
		(void)close(*peer);
		*peer = -1;
	}
	settle();
}

/* ---- a run ---- */

static void act(struct input *in)
{
	enum op op = input_u8(in) % N_OPS;

	switch (op) {
	case OP_PACKET:
		packet(in);
		break;
	case OP_RAW:
		raw(in);
		break;
	case OP_BUFFERS:
		buffers(in);
		break;
	case OP_DIAL:
		dial(in);
		break;
	case OP_TIME:
		run.now += input_u16(in) * 1000000ull;
		settle();
		break;
	case OP_RESET:
		reset();
		bring_up();
		break;
	case OP_QUIESCE:
		if (run.quiesced ? run.class->resume(&run.dev) : run.class->quiesce(&run.dev))
			abort();
		run.quiesced = !run.quiesced;
		settle();
		break;
	default:
		host_does(in, op);
		break;
	}
}

static const struct tenon_virtio virtio = {
	.struct_size = sizeof(virtio),
	.add = virtio_add,
	.queue = virtio_queue,
	.pop = virtio_pop,
	.unpop = virtio_unpop,
	.push = virtio_push,
	.notify = virtio_notify,
};

static const struct tenon_event event = {
	.struct_size = sizeof(event),
	.fd_add = fd_add,
	.fd_modify = fd_modify,
	.fd_remove = fd_remove,
	.timer_add = timer_add,
	.timer_set = timer_set,
	.timer_remove = timer_remove,
};

static const struct tenon_clock tenon_clock = {
	.struct_size = sizeof(tenon_clock),
	.monotonic_ns = monotonic_ns,
};

static const void *service(const char *id)
{
	if (strcmp(id, TENON_SVC_VIRTIO) == 0)
		return &virtio;
	if (strcmp(id, TENON_SVC_EVENT) == 0)
		return &event;
	return strcmp(id, TENON_SVC_CLOCK) == 0 ? &tenon_clock : NULL;
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

static void remove_folder(void)
{
	static const char *const names[] = { "v", "v_1", "v_2", "v_3" };
	char path[64];

	for (unsigned i = 0; i < 4; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(folder);
}

static void begin(void)
{
	if (!folder[0]) {
		(void)snprintf(folder, sizeof(folder), "/tmp/fuzz-vsock-XXXXXX");
		if (!mkdtemp(folder) || atexit(remove_folder) != 0 ||
			TENON_PLUGIN_SYMBOL.init(&host) < 0)
			abort();
	}
	memset(&run, 0, sizeof(run));
	run.now = 1000000000;
	run.queues[0].in = run.queues[2].in = true;
	memset(run.peers, 0xff, sizeof(run.peers));
	run.listeners[0] = host_listen(SOCK_STREAM, "v_1");
	run.listeners[1] = host_listen(SOCK_SEQPACKET, "v_2");
	run.listeners[2] = host_listen(SOCK_STREAM, "v_3");
	run.class = TENON_PLUGIN_SYMBOL.devices[0];
	run.dev.priv = calloc(1, run.class->priv_size);
	if (!run.dev.priv || run.class->create(&run.dev, NULL) < 0 ||
		run.class->attach(&run.dev) < 0)
		abort();
	bring_up();
}

static int open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		(void)closedir(d);
	return n;
}

static void end(void)
{
	if (!run.quiesced && run.class->quiesce(&run.dev) < 0)
		abort();
	run.class->detach(&run.dev);
	run.class->destroy(&run.dev);
	if (run.watch || run.n_timers > 0)
		abort();
	free(run.dev.priv);
	empty_queues();
	for (int i = 0; i < 3; i++)
		(void)close(run.listeners[i]);
	for (int i = 0; i < MOST_PEERS; i++)
		if (run.peers[i] >= 0)
			(void)close(run.peers[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	int before = open_files();

	begin();
	while (in.left > 0)
		act(&in);
	end();
	if (open_files() != before)
		abort(); /* a socket is left */
	return 0;
}

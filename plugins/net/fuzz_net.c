/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the device between a hostile driver and a hostile peer: chains of any shape in every
 * queue, any bytes on a stream or in datagrams, resets, pauses, limits and the end of the peer, in
 * any order.  The host is a small one of this file's own: it hands each chain out once, with memory
 * of its exact size, and aborts where the device breaks the rules of tenon/virtio.h or does not
 * come to rest.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern const struct tenon_plugin TENON_PLUGIN_SYMBOL;

#define MOST_QUEUES 3u
#define MOST_CHAINS 64u
#define MOST_PARTS  80u
#define MOST_ROUNDS 10000u

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

static uint32_t word(void)
{
	uint32_t low = byte();

	return low | (uint32_t)byte() << 8;
}

static void bytes(void *to, size_t size)
{
	size_t n = size < left ? size : left;

	memset(to, 0, size);
	if (n > 0)
		memcpy(to, at, n);
	at += n;
	left -= n;
}

/* ---- queues ---- */

struct slot {
	struct iovec *iov, *work; /* the memory; what the device may consume */
	uint32_t n_out, n_in;
	bool popped;
};

struct tenon_vq {
	struct slot *slots[MOST_CHAINS]; /* offered, in order; popped ones first */
	uint32_t n, n_popped;
	uint32_t last[MOST_CHAINS]; /* the order of popping, by head */
};

static struct tenon_vq queues[MOST_QUEUES];
static struct slot *heads[MOST_QUEUES][MOST_CHAINS];
static bool broken; /* the device asked for a reset */

static void free_slot(struct slot *s)
{
	for (uint32_t i = 0; i < s->n_out + s->n_in; i++)
		free(s->iov[i].iov_base);
	free(s->iov);
	free(s->work);
	free(s);
}

static void forget_chains(void)
{
	for (uint32_t q = 0; q < MOST_QUEUES; q++) {
		for (uint32_t h = 0; h < MOST_CHAINS; h++) {
			if (heads[q][h])
				free_slot(heads[q][h]);
			heads[q][h] = NULL;
		}
		queues[q].n = queues[q].n_popped = 0;
	}
	broken = false;
}

/* A chain of what the input says. */
static void offer(uint32_t q, uint32_t n_out, uint32_t n_in, bool small)
{
	struct tenon_vq *vq = &queues[q];
	uint32_t head = 0, n = n_out + n_in;
	struct slot *s;

	while (head < MOST_CHAINS && heads[q][head])
		head++;
	if (head == MOST_CHAINS || n == 0)
		return;
	s = calloc(1, sizeof(*s));
	s->iov = calloc(n, sizeof(*s->iov));
	s->work = calloc(n, sizeof(*s->work));
	s->n_out = n_out;
	s->n_in = n_in;
	for (uint32_t i = 0; i < n; i++) {
		size_t size = 1 + (small ? byte() % 32u : word() % 4096u);

		s->iov[i] = (struct iovec){ calloc(1, size), size };
		if (i < n_out)
			bytes(s->iov[i].iov_base, size);
	}
	heads[q][head] = s;
	vq->slots[vq->n++] = s;
}

static uint32_t head_of(const struct tenon_vq *vq, const struct slot *s)
{
	for (uint32_t h = 0; h < MOST_CHAINS; h++)
		if (heads[vq - queues][h] == s)
			return h;
	abort();
}

static int vq_pop(struct tenon_vq *vq, struct tenon_chain *c)
{
	struct slot *s;

	if (broken || vq->n_popped == vq->n)
		return 0;
	s = vq->slots[vq->n_popped];
	memcpy(s->work, s->iov, (s->n_out + s->n_in) * sizeof(*s->iov));
	*c = (struct tenon_chain){ .out = s->work,
		.in = s->work + s->n_out,
		.n_out = s->n_out,
		.n_in = s->n_in,
		.head = (uint16_t)head_of(vq, s) };
	for (uint32_t i = 0; i < s->n_out + s->n_in; i++)
		*(i < s->n_out ? &c->out_bytes : &c->in_bytes) += s->iov[i].iov_len;
	s->popped = true;
	vq->n_popped++;
	return 1;
}

static void vq_unpop(struct tenon_vq *vq, const struct tenon_chain *c)
{
	struct slot *s = heads[vq - queues][c->head];

	must(s && s->popped && vq->n_popped > 0 && vq->slots[vq->n_popped - 1] == s);
	s->popped = false;
	vq->n_popped--;
}

static void vq_push(struct tenon_vq *vq, const struct tenon_chain *c, uint32_t written)
{
	struct slot *s = heads[vq - queues][c->head];
	uint32_t i = 0;

	must(s && s->popped && written <= c->in_bytes);
	while (vq->slots[i] != s)
		i++;
	memmove(&vq->slots[i], &vq->slots[i + 1], (vq->n - i - 1) * sizeof(struct slot *));
	vq->n--;
	vq->n_popped--;
	heads[vq - queues][c->head] = NULL;
	free_slot(s);
}

static void vq_push_many(
	struct tenon_vq *vq, const struct tenon_chain *c, const uint32_t *written, uint32_t n)
{
	must(n > 0);
	for (uint32_t i = 0; i < n; i++)
		vq_push(vq, &c[i], written[i]);
}

static void vq_notify(struct tenon_vq *vq)
{
	(void)vq;
}

static int vq_want_kicks(struct tenon_vq *vq, uint32_t want)
{
	return want && !broken && vq->n_popped < vq->n;
}

static struct tenon_vq *vq_of(struct tenon_dev *dev, uint32_t index)
{
	(void)dev;
	return index < MOST_QUEUES ? &queues[index] : NULL;
}

static uint32_t vq_size(const struct tenon_vq *vq)
{
	(void)vq;
	return MOST_CHAINS;
}

static const struct tenon_virtio_ops *ops;
static uint64_t offered;
static uint8_t space[64];

static int add(struct tenon_dev *dev, const struct tenon_virtio_desc *desc)
{
	(void)dev;
	ops = desc->ops;
	offered = desc->features;
	memcpy(space, desc->config, desc->config_size);
	return 0;
}

static void fault(struct tenon_dev *dev, const char *why)
{
	(void)dev;
	must(why[0] != '\0');
	broken = true;
}

static int config_set(struct tenon_dev *dev, uint32_t offset, const void *from, uint32_t size)
{
	(void)dev;
	must(offset + size <= sizeof(struct net_space));
	memcpy(space + offset, from, size);
	return 0;
}

static const struct tenon_virtio virtio = { .struct_size = sizeof(virtio),
	.add = add,
	.queue = vq_of,
	.queue_size = vq_size,
	.pop = vq_pop,
	.unpop = vq_unpop,
	.push = vq_push,
	.notify = vq_notify,
	.want_kicks = vq_want_kicks,
	.fault = fault,
	.config_set = config_set,
	.push_many = vq_push_many };

/* ---- the loop ---- */

struct tenon_watch {
	int fd;
	uint32_t events;
	void (*ready)(struct tenon_dev *dev, void *arg, uint32_t events);
	void *arg;
};

struct tenon_timer {
	uint64_t deadline;
	void (*expired)(struct tenon_dev *dev, void *arg);
	void *arg;
	bool used;
};

static struct tenon_watch watch_of; /* a device of one pair has one */
static struct tenon_timer timers[8];
static uint64_t now;

static int fd_add(struct tenon_dev *dev, int fd, uint32_t events,
	void (*ready)(struct tenon_dev *dev, void *arg, uint32_t events), void *arg,
	struct tenon_watch **ret)
{
	(void)dev;
	must(!watch_of.ready && fd >= 0);
	watch_of = (struct tenon_watch){ fd, events, ready, arg };
	*ret = &watch_of;
	return 0;
}

static int fd_modify(struct tenon_watch *w, uint32_t events)
{
	must(w->ready != NULL);
	w->events = events;
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
	for (int i = 0; i < 8; i++)
		if (!timers[i].used) {
			timers[i] = (struct tenon_timer){ 0, expired, arg, true };
			*ret = &timers[i];
			return 0;
		}
	abort();
}

static void timer_set(struct tenon_timer *t, uint64_t deadline)
{
	t->deadline = deadline;
}

static void timer_remove(struct tenon_timer *t)
{
	if (t)
		t->used = false;
}

static int post(struct tenon_dev *dev, void (*fn)(struct tenon_dev *dev, void *arg), void *arg)
{
	(void)dev;
	(void)fn;
	(void)arg;
	abort(); /* it has timers */
}

static const struct tenon_event event = { sizeof(event), fd_add, fd_modify, fd_remove, timer_add,
	timer_set, timer_remove, post };

static uint64_t monotonic_ns(void)
{
	return now;
}

static const struct tenon_clock clocks = { .struct_size = sizeof(clocks),
	.monotonic_ns = monotonic_ns };

static struct tenon_dev *const dev = (struct tenon_dev *)&queues;

static bool step(void)
{
	struct pollfd p = { .fd = watch_of.fd };
	uint32_t events = 0;
	bool any = false;

	p.events = (short)((watch_of.events & TENON_FD_READ ? POLLIN : 0) |
			   (watch_of.events & TENON_FD_WRITE ? POLLOUT : 0));
	if (watch_of.ready && poll(&p, 1, 0) > 0 && p.revents) {
		must(!(p.revents & POLLNVAL));
		events |= p.revents & (POLLIN | POLLERR) ? TENON_FD_READ : 0;
		events |= p.revents & (POLLOUT | POLLERR) ? TENON_FD_WRITE : 0;
		events |= p.revents & (POLLHUP | POLLERR) ? TENON_FD_HUP : 0;
		watch_of.ready(dev, watch_of.arg, events);
		any = true;
	}
	for (int i = 0; i < 8; i++)
		if (timers[i].used && timers[i].deadline && timers[i].deadline <= now) {
			timers[i].deadline = 0;
			timers[i].expired(dev, timers[i].arg);
			any = true;
		}
	return any;
}

static void rest(void)
{
	unsigned n = 0;

	while (step())
		must(++n < MOST_ROUNDS);
}

/* ---- the host table ---- */

static struct net *priv;
static int backend, wire, peer;
static uint8_t limits;

static const void *service(const char *id)
{
	if (strcmp(id, TENON_SVC_VIRTIO) == 0)
		return &virtio;
	return strcmp(id, TENON_SVC_EVENT) == 0 ? (const void *)&event : &clocks;
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
	return "net";
}

/* Which of the eight limits is set. */
static int limit_of(const char *key)
{
	int bit = 0;

	if (strncmp(key, "rx_", 3) != 0 && strncmp(key, "tx_", 3) != 0)
		return -1;
	bit += key[0] == 't' ? 4 : 0;
	bit += strstr(key, "packets") ? 2 : 0;
	return bit + (strstr(key, "burst") ? 1 : 0);
}

static uint32_t conf_count(const struct tenon_config *c, const char *key)
{
	int bit = limit_of(key);

	(void)c;
	if (bit >= 0)
		return limits >> bit & 1;
	return strcmp(key, "fd") == 0 || strcmp(key, "link") == 0 || strcmp(key, "backend") == 0;
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
	if (strcmp(key, "fd") == 0)
		return wire;
	if (strcmp(key, "backend") == 0)
		return backend;
	return strcmp(key, "link") == 0 ? 0 : 3; /* a limit of packets */
}

static uint64_t conf_size(const struct tenon_config *c, const char *key)
{
	(void)c;
	(void)key;
	return 2000;
}

static const struct tenon_host host = { sizeof(host), TENON_ABI_MAJOR, TENON_ABI_MINOR, service,
	host_log, host_fail, host_priv, host_name, conf_count, conf_str, conf_int, conf_size };

/* ---- what happens ---- */

static bool active, quiet;
static const struct tenon_device_class *cls;

static void kick(uint32_t q)
{
	if (active && !quiet)
		ops->queue_ready(dev, &queues[q], q);
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
	if (quiet)
		return;
	active = ops->activate(dev, offered & (word() | (uint64_t)word() << 16)) == 0;
	for (uint32_t q = 0; active && q < MOST_QUEUES; q++)
		kick(q);
}

static void pause_it(void)
{
	quiet = !quiet;
	if (quiet)
		must(cls->quiesce(dev) == 0 && !watch_of.ready);
	else
		must(cls->resume(dev) == 0);
	for (uint32_t q = 0; !quiet && q < MOST_QUEUES; q++)
		kick(q);
}

static void peer_says(bool framed)
{
	static uint8_t message[5000];
	size_t size = word() % 4096u;

	bytes(message + 4, size);
	message[0] = message[1] = 0;
	message[2] = (uint8_t)(size >> 8);
	message[3] = (uint8_t)size;
	(void)!send(peer, framed ? message : message + 4, framed ? size + 4 : size,
		MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void peer_listens(void)
{
	static uint8_t in[70000];

	while (recv(peer, in, sizeof(in), MSG_DONTWAIT) > 0)
		;
}

static void one_thing(void)
{
	uint8_t what = byte(), how = byte();

	switch (what % 10) {
	case 0:
		offer(1, 1 + how % (MOST_PARTS - 1), how >> 7, how & 1);
		kick(1);
		break;
	case 1:
		offer(0, how >> 7, 1 + how % 6, how & 8);
		kick(0);
		break;
	case 2:
		offer(2, how % 3, how >> 7 ? 0 : 1 + (how >> 6 & 1), true);
		kick(2);
		break;
	case 3:
	case 4:
		peer_says(what % 10 == 4);
		break;
	case 5:
		peer_listens();
		break;
	case 6:
		now += (uint64_t)word() * 1000000;
		break;
	case 7:
		driver_starts();
		break;
	case 8:
		pause_it();
		break;
	default:
		if (how == 9)
			(void)shutdown(peer, SHUT_RDWR);
		else if (how == 10 && active)
			ops->config_written(dev, 0, 4);
	}
	rest();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int room = 4096;
	int fds[2];

	at = data;
	left = size;
	backend = 2 + byte() % 2;
	limits = byte();
	limits &= byte(); /* mostly none */
	must(socketpair(AF_UNIX, backend == 2 ? SOCK_STREAM : SOCK_SEQPACKET, 0, fds) == 0);
	wire = fds[0];
	peer = fds[1];
	(void)setsockopt(wire, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	now = 1000000000;
	active = quiet = false;
	must(TENON_PLUGIN_SYMBOL.init(&host) == 0);
	cls = TENON_PLUGIN_SYMBOL.devices[0];
	priv = calloc(1, cls->priv_size);
	must(cls->create(dev, NULL) == 0 && cls->attach(dev) == 0);
	driver_starts();
	for (unsigned n = 0; left > 0 && n < 200; n++)
		one_thing();
	if (!quiet)
		pause_it();
	driver_resets();
	cls->detach(dev);
	cls->destroy(dev);
	free(priv);
	must(!watch_of.ready);
	for (int i = 0; i < 8; i++)
		must(!timers[i].used);
	(void)close(wire);
	(void)close(peer);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock: virtio-vsock (Virtio 1.2, 5.10), sockets between the guest and programs of the host.
 * See vsock.h for the parts.
 */
#include "vsock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

#include "tsi.h"

#define DEVICE_ID   19u
#define QUEUE_SIZE  256u
#define RETRY_NS    10000000ull
#define SPARE_FILES 64u /* descriptors of the rest of the program */
#define BATCHES     8u  /* of sockets' events, before others get their turn */

const struct tenon_host *vsock_host;
const struct tenon_virtio *vsock_virtio;
const struct tenon_event *vsock_event;
const struct tenon_clock *vsock_clock;

/* ---- the loop ---- */

/* As soon as the loop has gone round once; a timer, because that cannot fail. */
void vsock_soon(struct vsock *v)
{
	vsock_event->timer_set(v->turn, 1);
}

void vsock_retry(struct vsock *v)
{
	vsock_event->timer_set(v->retry, vsock_now() + RETRY_NS);
}

uint64_t vsock_now(void)
{
	return vsock_clock->monotonic_ns();
}

void vsock_bury(struct vsock *v, struct source *source)
{
	source->next_dead = v->dead;
	v->dead = source;
}

void vsock_free_dead(struct vsock *v)
{
	while (v->dead) {
		struct source *next = v->dead->next_dead;

		free(v->dead);
		v->dead = next;
	}
}

static void go_on(struct tenon_dev *dev, void *arg)
{
	(void)arg;
	queue_run(vsock_host->priv(dev));
}

static void try_again(struct tenon_dev *dev, void *arg)
{
	struct vsock *v = vsock_host->priv(dev);

	(void)arg;
	if (!v->active || v->quiesced)
		return;
	conn_retry(v);
	door_retry(v);
	tsi_retry(v);
	queue_run(v);
}

static void sockets_ready(struct tenon_dev *dev, void *arg, uint32_t events)
{
	struct vsock *v = vsock_host->priv(dev);

	(void)arg;
	(void)events;
	if (v->quiesced)
		return;
	poll_run(v->poll, v);
	queue_run(v);
	vsock_free_dead(v);
}

/* ---- virtio ---- */

static int activate(struct tenon_dev *dev, uint64_t features)
{
	struct vsock *v = vsock_host->priv(dev);

	v->features = features;
	v->active = true;
	door_open(v, true);
	return 0;
}

static void queue_ready(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index)
{
	(void)vq;
	if (index == QUEUE_EVENT) /* its buffers wait for what happens to one that is loaded */
		vsock_tell_reset(vsock_host->priv(dev));
	else
		queue_run(vsock_host->priv(dev));
}

static void forget_guest(struct vsock *v)
{
	v->active = v->reset_due = false;
	vsock_event->timer_set(v->turn, 0);
	vsock_event->timer_set(v->retry, 0);
	door_open(v, false);
	door_free_clients(v);
	conn_free_all(v);
	tsi_reset(v);
	queue_reset(v);
	vsock_free_dead(v);
}

static void reset(struct tenon_dev *dev)
{
	forget_guest(vsock_host->priv(dev));
}

static const struct tenon_virtio_ops virtio_ops = {
	.struct_size = sizeof(virtio_ops),
	.activate = activate,
	.queue_ready = queue_ready,
	.reset = reset,
};

/* ---- settings ---- */

static int check_path(struct vsock *v, const char *key, const char *path, size_t more)
{
	if (!path || strlen(path) + more < sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return 0;
	return tenon_failf(vsock_host, v->dev, -ENAMETOOLONG,
		"\"%s\" is too long for a unix socket: \"%s\"", key, path);
}

static int vsock_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct vsock *v = vsock_host->priv(dev);
	int ret;

	v->dev = dev;
	v->poll = -1;
	v->senders.prev = v->senders.next = &v->senders;
	v->cid = (uint64_t)vsock_host->conf_int(config, "cid");
	v->most_conns = (uint32_t)vsock_host->conf_int(config, "connections");
	v->path = vsock_host->conf_str(config, "socket", 0);
	v->seqpacket_path = vsock_host->conf_str(config, "seqpacket", 0);
	ret = check_path(v, "socket", v->path, strlen("_4294967295"));
	if (ret == 0)
		ret = check_path(v, "seqpacket", v->seqpacket_path, 0);
	if (ret == 0)
		ret = maps_parse(v, config, "connect", &v->connects);
	if (ret == 0)
		ret = maps_parse(v, config, "listen", &v->listens);
	return ret < 0 ? ret : tsi_create(v, config);
}

/* ---- life ---- */

/* A descriptor for each connection is more than a process has by default. */
static void raise_limit(struct vsock *v)
{
	struct rlimit limit;
	rlim_t wanted = v->most_conns + SPARE_FILES;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < wanted)
		tenon_logf(vsock_host, v->dev, TENON_LOG_INFO,
			"only %llu files may be open, %u connections are allowed",
			(unsigned long long)limit.rlim_cur, v->most_conns);
}

static int make_loop(struct vsock *v)
{
	int ret = poll_create();

	if (ret < 0)
		return tenon_failf(
			vsock_host, v->dev, ret, "cannot watch sockets: %s", strerror(-ret));
	v->poll = ret;
	ret = vsock_event->timer_add(v->dev, go_on, NULL, &v->turn);
	if (ret == 0)
		ret = vsock_event->timer_add(v->dev, try_again, NULL, &v->retry);
	if (ret == 0)
		ret = vsock_event->fd_add(
			v->dev, v->poll, TENON_FD_READ, sockets_ready, NULL, &v->watch);
	return ret;
}

static int vsock_attach(struct tenon_dev *dev)
{
	static const uint16_t sizes[N_QUEUES] = { QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE };
	struct vsock *v = vsock_host->priv(dev);
	uint8_t config[8];
	const struct tenon_virtio_desc desc = {
		.struct_size = sizeof(desc),
		.device_id = DEVICE_ID,
		.features = F_STREAM | F_SEQPACKET | (v->tsi ? F_DGRAM : 0),
		.n_queues = N_QUEUES,
		.config_size = sizeof(config),
		.queue_sizes = sizes,
		.config = config,
		.ops = &virtio_ops,
	};
	int ret;

	put_le(config, v->cid, sizeof(config));
	raise_limit(v);
	for (v->table_size = 64; v->table_size < v->most_conns && v->table_size < 4096;)
		v->table_size *= 2;
	v->table = calloc(v->table_size, sizeof(*v->table));
	if (!v->table)
		return vsock_host->fail(dev, -ENOMEM, "out of memory");
	ret = make_loop(v);
	if (ret == 0)
		ret = door_attach(v);
	return ret < 0 ? ret : vsock_virtio->add(dev, &desc);
}

static int vsock_quiesce(struct tenon_dev *dev)
{
	struct vsock *v = vsock_host->priv(dev);

	v->quiesced = true;
	vsock_event->timer_set(v->turn, 0);
	vsock_event->timer_set(v->retry, 0);
	(void)vsock_event->fd_modify(v->watch, 0);
	return 0;
}

static int vsock_resume(struct tenon_dev *dev)
{
	struct vsock *v = vsock_host->priv(dev);
	int ret = vsock_event->fd_modify(v->watch, TENON_FD_READ);

	if (ret < 0)
		return ret;
	v->quiesced = false;
	vsock_soon(v);
	vsock_retry(v);
	return 0;
}

static void vsock_detach(struct tenon_dev *dev)
{
	struct vsock *v = vsock_host->priv(dev);

	door_detach(v);
	conn_free_all(v);
	tsi_reset(v);
	vsock_event->fd_remove(v->watch);
	vsock_event->timer_remove(v->turn);
	vsock_event->timer_remove(v->retry);
	v->watch = NULL;
	v->turn = v->retry = NULL;
	vsock_free_dead(v);
	if (v->poll >= 0)
		(void)close(v->poll);
	v->poll = -1;
	free(v->table);
	v->table = NULL;
	v->active = false;
}

static void vsock_destroy(struct tenon_dev *dev)
{
	struct vsock *v = vsock_host->priv(dev);

	tsi_destroy(v);
	maps_free(&v->connects);
	maps_free(&v->listens);
}

/* Sockets that were bound at attach go when the machine does; the guest's own come and go. */
static const char *vsock_path(struct tenon_dev *dev, uint32_t index, uint32_t *ret_access)
{
	const struct vsock *v = vsock_host->priv(dev);
	const char *const doors[] = { v->path, v->seqpacket_path };

	*ret_access = TENON_PATH_REMOVE;
	for (unsigned i = 0; i < 2; i++)
		if (doors[i] && index-- == 0)
			return doors[i];
	if (index < v->listens.n)
		return v->listens.at[index].path;
	*ret_access = TENON_PATH_CREATE | TENON_PATH_REMOVE;
	return tsi_listens_at(v, index - v->listens.n);
}

static const struct tenon_key vsock_keys[] = {
	{ "cid", TENON_KEY_INT, 0, "3", "3..2147483647", "the guest's address" },
	{ "socket", TENON_KEY_PATH, TENON_KEY_ATTACHES, NULL, NULL,
		"the unix socket at which the host asks for the guest's ports" },
	{ "seqpacket", TENON_KEY_PATH, TENON_KEY_ATTACHES, NULL, NULL,
		"the same for SOCK_SEQPACKET" },
	{ "connect", TENON_KEY_STRING, TENON_KEY_LIST, NULL, NULL,
		"PORT:PATH, where a port of the host is if not at SOCKET_PORT" },
	{ "listen", TENON_KEY_STRING, TENON_KEY_LIST, NULL, NULL,
		"PORT:PATH, a unix socket that leads to a port of the guest" },
	{ "connections", TENON_KEY_INT, 0, "4096", "1..65536", "how many there may be at once" },
	{ "tsi", TENON_KEY_STRING, TENON_KEY_LIST, NULL, NULL,
		"what of the host's network the guest's sockets may reach" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class vsock_class = {
	.struct_size = sizeof(vsock_class),
	.threads = TENON_SERIAL,
	.name = "vsock",
	.summary = "virtio sockets between guest and host",
	.keys = vsock_keys,
	.priv_size = sizeof(struct vsock),
	.create = vsock_create,
	.attach = vsock_attach,
	.quiesce = vsock_quiesce,
	.resume = vsock_resume,
	.save = vsock_save,
	.load = vsock_load,
	.detach = vsock_detach,
	.destroy = vsock_destroy,
	.state_version = 1,
	.needs = TENON_NEEDS_NETWORK,
	.path = vsock_path,
};

static const struct tenon_device_class *const classes[] = { &vsock_class, NULL };

static int vsock_init(const struct tenon_host *h)
{
	vsock_host = h;
	vsock_virtio = h->service(TENON_SVC_VIRTIO);
	vsock_event = h->service(TENON_SVC_EVENT);
	vsock_clock = h->service(TENON_SVC_CLOCK);
	vsock_state = h->service(TENON_SVC_STATE);
	if (TENON_HAS(vsock_virtio, notify) && TENON_HAS(vsock_event, timer_remove) &&
		TENON_HAS(vsock_clock, monotonic_ns))
		return 0;
	h->log(NULL, TENON_LOG_ERR, "vsock: this core lacks a service that is needed");
	return -ENOTSUP;
}

TENON_PLUGIN("org.tenon.vsock", "0.1.0", "Apache-2.0", vsock_init, classes, "vsock");

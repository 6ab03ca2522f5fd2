/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net: virtio-net (Virtio 1.2, 5.1).
 *
 * A frame's way: net_tx.c takes it out of the guest's queue and gives it to a back end (net_user.c,
 * net_tap.c, net_stream.c, net_dgram.c); net_rx.c takes what the back end has and puts it into the
 * guest's buffers.  The control queue is in net_ctrl.c, the carrier and lost peers in net_link.c.
 * Whoever cannot go on waits for the event that ends the wait: the guest's kick, the descriptor, a
 * timer.  Nothing is allocated between attach and detach, but for what libslirp does itself and the
 * table of its sockets.
 *
 * Only what the back end can do is offered to the guest.
 */
#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define DEVICE_ID  1u
#define CTRL_SIZE  64u
#define MIN_MTU    68u
#define MAX_QUEUES (2 * NET_MAX_PAIRS + 1)

const struct tenon_host *net_host;
const struct tenon_virtio *net_virtio;
const struct tenon_event *net_event;
const struct tenon_clock *net_clock;

static const struct net_backend *const backends[] = { &net_user, &net_tap, &net_stream,
	&net_dgram }; /* in the order of the setting's values */

/* ---- counting ---- */

void net_drop(struct net *n, enum net_drop why)
{
	static const char *const reasons[N_DROPS] = {
		[DROP_RX_LONG] = "a frame for the guest is longer than the MTU or its buffers",
		[DROP_RX_SHORT] = "the peer sent something that is no Ethernet frame",
		[DROP_RX_FULL] = "the guest does not take its frames and the queue is full",
		[DROP_TX_BAD] = "the guest sent something that is no frame as negotiated",
		[DROP_TX_LINK] = "the guest sends while the link is down",
		[DROP_TX_REFUSED] = "the peer refused a frame of the guest",
	};

	if (n->count.dropped[why]++ == 0)
		tenon_logf(net_host, n->dev, TENON_LOG_WARN,
			"%s; it is dropped, and so are more "
			"of the kind",
			reasons[why]);
}

static void say_counters(const struct net *n)
{
	const uint64_t *d = n->count.dropped;

	tenon_logf(net_host, n->dev, TENON_LOG_INFO,
		"to the guest %llu frames, dropped %llu too long, %llu too short, %llu for want of "
		"room; from it %llu, dropped %llu bad, %llu with no link, %llu refused",
		(unsigned long long)n->count.rx_frames, (unsigned long long)d[DROP_RX_LONG],
		(unsigned long long)d[DROP_RX_SHORT], (unsigned long long)d[DROP_RX_FULL],
		(unsigned long long)n->count.tx_frames, (unsigned long long)d[DROP_TX_BAD],
		(unsigned long long)d[DROP_TX_LINK], (unsigned long long)d[DROP_TX_REFUSED]);
}

/* ---- going on ---- */

static struct tenon_vq *ctrl_queue(const struct net *n)
{
	/* 5.1.2: its place depends on what was negotiated. */
	return net_virtio->queue(n->dev, n->features & NET_F_MQ ? 2 * n->n_pairs : 2);
}

void net_go_on(struct net *n)
{
	net_event->timer_set(n->again, net_clock->monotonic_ns());
}

static void again(struct tenon_dev *dev, void *arg)
{
	struct net *n = arg;

	(void)dev;
	if (!n->running)
		return;
	for (unsigned i = 0; i < n->n_pairs; i++) {
		if (n->pairs[i].rx_again)
			net_rx_run(&n->pairs[i]);
		if (n->pairs[i].tx_again)
			net_tx_run(&n->pairs[i]);
	}
	if (n->ctrl_again)
		net_ctrl_run(n, ctrl_queue(n));
}

static void rx_limit_over(struct tenon_dev *dev, void *arg)
{
	struct net *n = arg;

	(void)dev;
	n->rx_limit.waiting = false;
	for (unsigned i = 0; i < n->n_pairs; i++)
		net_rx_run(&n->pairs[i]);
}

static void tx_limit_over(struct tenon_dev *dev, void *arg)
{
	struct net *n = arg;

	(void)dev;
	n->tx_limit.waiting = false;
	for (unsigned i = 0; i < n->n_pairs; i++)
		net_tx_run(&n->pairs[i]);
}

/* ---- the driver ---- */

static void run(struct net *n)
{
	n->running = true;
	net_link_run(n);
	if (n->backend->run)
		n->backend->run(n);
}

/* No callback after this, until run(). */
static void stop(struct net *n)
{
	n->running = false;
	for (unsigned i = 0; i < n->n_pairs; i++)
		net_pair_unwatch(&n->pairs[i]);
	net_event->timer_set(n->again, 0);
	net_event->timer_set(n->rx_limit.timer, 0);
	net_event->timer_set(n->tx_limit.timer, 0);
	n->rx_limit.waiting = n->tx_limit.waiting = false;
	net_link_stop(n);
	if (n->backend->stop)
		n->backend->stop(n);
}

static int activate(struct tenon_dev *dev, uint64_t features)
{
	struct net *n = net_host->priv(dev);
	int ret;

	n->features = features;
	n->offloads = features & NET_GUEST_OFFLOADS;
	n->cur_pairs = 1;
	net_filter_reset(&n->filter);
	for (unsigned i = 0; i < n->n_pairs; i++) {
		n->pairs[i].rx = net_virtio->queue(dev, 2 * i);
		n->pairs[i].tx = net_virtio->queue(dev, 2 * i + 1);
		(void)net_virtio->want_kicks(n->pairs[i].rx, 0);
	}
	ret = n->backend->activate ? n->backend->activate(n, features) : 0;
	if (ret < 0) {
		tenon_logf(net_host, dev, TENON_LOG_ERR,
			"the back end cannot do what was negotiated: %s", strerror(-ret));
		return ret;
	}
	n->active = true;
	run(n);
	return 0;
}

static void reset(struct tenon_dev *dev)
{
	struct net *n = net_host->priv(dev);

	n->active = false;
	stop(n);
	for (unsigned i = 0; i < n->n_pairs; i++) {
		struct net_pair *p = &n->pairs[i];

		net_rx_forget(p);
		p->tx_again = p->tx_blocked = false;
	}
	n->ctrl_again = false;
	n->features = 0;
	memcpy(n->space.mac, n->mac, sizeof(n->mac));
	net_link_update(n, false);
	net_space_restore(n);
}

static void queue_ready(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index)
{
	struct net *n = net_host->priv(dev);
	struct net_pair *p = &n->pairs[(index / 2) % NET_MAX_PAIRS];

	if (!n->running)
		return;
	if (vq == ctrl_queue(n)) {
		if (n->features & NET_F_CTRL_VQ)
			net_ctrl_run(n, vq);
		return;
	}
	if (index / 2 >= n->n_pairs)
		return;
	if (index % 2) {
		net_tx_run(p);
		return;
	}
	if (p->starved) {
		p->starved = false;
		(void)net_virtio->want_kicks(p->rx, 0);
	}
	net_rx_run(p);
}

static void config_written(struct tenon_dev *dev, uint32_t offset, uint32_t size)
{
	(void)offset;
	(void)size;
	net_space_restore(net_host->priv(dev));
}

static const struct tenon_virtio_ops ops = {
	.struct_size = sizeof(ops),
	.activate = activate,
	.queue_ready = queue_ready,
	.config_written = config_written,
	.reset = reset,
};

/* ---- settings ---- */

static const struct {
	const char *key;
	unsigned backends; /* bit by index: those that it is for */
} owned_keys[] = {
	{ "interface", 1u << 1 },
	{ "queues", 1u << 1 },
	{ "fd", 1u << 1 | 1u << 2 | 1u << 3 },
	{ "path", 1u << 2 | 1u << 3 },
	{ "handshake", 1u << 3 },
	{ "forward", 1u << 0 },
	{ "network", 1u << 0 },
	{ "host", 1u << 0 },
	{ "dns", 1u << 0 },
	{ "hostname", 1u << 0 },
	{ "restrict", 1u << 0 },
	{ "host_loopback", 1u << 0 },
	{ "ipv6", 1u << 0 },
};

static int check_keys(const struct net *n, unsigned backend)
{
	for (size_t i = 0; i < sizeof(owned_keys) / sizeof(owned_keys[0]); i++)
		if (net_host->conf_count(n->config, owned_keys[i].key) > 0 &&
			!(owned_keys[i].backends & 1u << backend))
			return tenon_failf(net_host, n->dev, -EINVAL,
				"\"%s\" is not a setting of backend \"%s\"", owned_keys[i].key,
				n->backend->name);
	return 0;
}

static const char *text_of(const struct net *n, const char *key)
{
	return net_host->conf_str(n->config, key, 0);
}

static bool yes(const struct net *n, const char *key, bool fallback)
{
	return net_host->conf_count(n->config, key) ? net_host->conf_int(n->config, key) != 0
						    : fallback;
}

static int read_mac(struct net *n)
{
	const char *text = text_of(n, "mac");

	if (!text)
		return 0;
	for (int i = 0; i < 6; i++)
		n->mac[i] = (uint8_t)strtoul(text + 3 * (size_t)i, NULL, 16);
	n->has_mac = true;
	if (n->mac[0] & 1)
		return tenon_failf(net_host, n->dev, -EINVAL,
			"mac \"%s\" is a multicast address; no interface has one", text);
	return 0;
}

static int read_forwards(struct net *n)
{
	uint32_t count = net_host->conf_count(n->config, "forward");
	const char **all;

	if (count == 0)
		return 0;
	all = calloc(count, sizeof(*all));
	if (!all)
		return net_host->fail(n->dev, -ENOMEM, "no memory for the settings");
	for (uint32_t i = 0; i < count; i++)
		all[i] = net_host->conf_str(n->config, "forward", i);
	n->forwards = all;
	n->n_forwards = count;
	return 0;
}

/* What each back end cannot do without. */
static int check_ways(const struct net *n, unsigned backend)
{
	static const char *const wanted[] = { NULL, "interface", "path", "path" };
	const char *name = backend == 1 ? n->interface : n->path;

	if (backend == 0 || !name != (n->conf_fd < 0)) {
		if (n->conf_fd >= 0 && n->n_pairs > 1)
			return net_host->fail(n->dev, -EINVAL,
				"\"queues\" needs \"interface\": a descriptor is one queue");
		return 0;
	}
	return tenon_failf(net_host, n->dev, -EINVAL, "backend \"%s\" needs \"%s\" or \"fd\"%s",
		n->backend->name, wanted[backend], name ? ", and not both" : "");
}

static int net_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct net *n = net_host->priv(dev);
	unsigned backend = (unsigned)net_host->conf_int(config, "backend");
	int ret;

	n->dev = dev;
	n->config = config;
	for (unsigned i = 0; i < NET_MAX_PAIRS; i++)
		n->pairs[i].fd = -1;
	n->backend = backends[backend];
	n->interface = text_of(n, "interface");
	n->path = text_of(n, "path");
	n->conf_fd =
		net_host->conf_count(config, "fd") ? (int)net_host->conf_int(config, "fd") : -1;
	n->n_pairs = net_host->conf_count(config, "queues")
			     ? (unsigned)net_host->conf_int(config, "queues")
			     : 1;
	n->mtu = net_host->conf_count(config, "mtu") ? (uint32_t)net_host->conf_int(config, "mtu")
						     : 0;
	n->want_link = net_host->conf_int(config, "link") == 0;
	n->vfkit = net_host->conf_count(config, "handshake") &&
		   net_host->conf_int(config, "handshake") == 1;
	n->network = text_of(n, "network");
	n->host = text_of(n, "host");
	n->dns = text_of(n, "dns");
	n->hostname = text_of(n, "hostname");
	n->restricted = yes(n, "restrict", false);
	n->loopback = yes(n, "host_loopback", true);
	n->ipv6 = yes(n, "ipv6", false);
	ret = check_keys(n, backend);
	if (ret == 0)
		ret = check_ways(n, backend);
	if (ret == 0)
		ret = read_mac(n);
	if (ret == 0)
		ret = read_forwards(n);
	if (ret == 0 && n->backend->check)
		ret = n->backend->check(n);
	return ret;
}

/* ---- attach ---- */

static uint64_t hash_bytes(uint64_t hash, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (uint8_t)text[i]) * 0x100000001b3ull; /* FNV-1a */
	return (hash ^ 0xff) * 0x100000001b3ull;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return hash_bytes(hash, text ? text : "", text ? strlen(text) : 0);
}

/* What tells this host from others. */
static uint64_t hash_host(uint64_t hash)
{
	int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);
	struct utsname uts;
	char id[64];
	ssize_t size = fd < 0 ? 0 : read(fd, id, sizeof(id));

	if (fd >= 0)
		(void)close(fd);
	if (size > 0)
		return hash_bytes(hash, id, (size_t)size);
	return uname(&uts) < 0 ? hash : hash_text(hash, uts.nodename);
}

/* The same from start to start, and another for each interface or peer of each host. */
static void derive_mac(struct net *n)
{
	uint64_t hash = hash_host(0xcbf29ce484222325ull);

	hash = hash_text(hash, n->backend->name);
	hash = hash_text(hash, n->interface);
	hash = hash_text(hash, n->path);
	hash = hash_text(hash, net_host->name(n->dev));
	for (int i = 0; i < 6; i++)
		n->mac[i] = (uint8_t)(hash >> (8 * i));
	n->mac[0] = (uint8_t)((n->mac[0] & 0xfc) | 2); /* local, for one interface */
}

static void init_limit(
	const struct net *n, struct net_limit *l, const char *rate, const char *burst, bool bytes)
{
	uint64_t values[2] = { 0, 0 };
	const char *const keys[2] = { rate, burst };

	for (int i = 0; i < 2; i++)
		if (net_host->conf_count(n->config, keys[i]))
			values[i] = bytes ? net_host->conf_size(n->config, keys[i])
					  : (uint64_t)net_host->conf_int(n->config, keys[i]);
	net_limit_init(l, values[0], values[1], net_clock->monotonic_ns());
}

static int add_timers(struct net *n)
{
	int ret = net_event->timer_add(n->dev, again, n, &n->again);

	if (ret == 0)
		ret = net_event->timer_add(n->dev, rx_limit_over, n, &n->rx_limit.timer);
	if (ret == 0)
		ret = net_event->timer_add(n->dev, tx_limit_over, n, &n->tx_limit.timer);
	if (ret == 0)
		ret = net_event->timer_add(n->dev, net_link_retry, n, &n->retry);
	return ret;
}

static uint64_t features(const struct net *n)
{
	uint64_t f = n->offers | NET_F_MAC | NET_F_STATUS | NET_F_MRG_RXBUF | NET_F_CTRL_VQ |
		     NET_F_CTRL_RX | NET_F_CTRL_RX_EXTRA | NET_F_CTRL_MAC_ADDR |
		     NET_F_GUEST_ANNOUNCE;

	if (n->mtu)
		f |= NET_F_MTU;
	if (n->n_pairs > 1)
		f |= NET_F_MQ;
	return f;
}

static int add_virtio(struct net *n)
{
	uint16_t sizes[MAX_QUEUES];
	struct tenon_virtio_desc desc = {
		.struct_size = sizeof(desc),
		.device_id = DEVICE_ID,
		.features = features(n),
		.n_queues = 2 * n->n_pairs + 1,
		.config_size = sizeof(n->space),
		.queue_sizes = sizes,
		.config = &n->space,
		.ops = &ops,
	};

	for (uint32_t i = 0; i < desc.n_queues; i++)
		sizes[i] = NET_QUEUE_SIZE;
	sizes[desc.n_queues - 1] = CTRL_SIZE;
	memcpy(n->space.mac, n->mac, sizeof(n->mac));
	net_put16(n->space.max_pairs, n->n_pairs);
	net_put16(n->space.mtu, n->mtu);
	net_link_init(n);
	return net_virtio->add(n->dev, &desc);
}

static int net_attach(struct tenon_dev *dev)
{
	struct net *n = net_host->priv(dev);
	int ret = add_timers(n);

	if (ret < 0)
		return net_host->fail(dev, ret, "no timer for the device");
	n->state = calloc(1, n->backend->state_size);
	if (!n->state)
		return net_host->fail(dev, -ENOMEM, "no memory for the back end");
	init_limit(n, &n->rx_limit.bytes, "rx_bandwidth", "rx_bandwidth_burst", true);
	init_limit(n, &n->rx_limit.frames, "rx_packets", "rx_packets_burst", false);
	init_limit(n, &n->tx_limit.bytes, "tx_bandwidth", "tx_bandwidth_burst", true);
	init_limit(n, &n->tx_limit.frames, "tx_packets", "tx_packets_burst", false);
	ret = net_pairs_open(n);
	if (ret == 0)
		ret = n->backend->open(n);
	if (ret < 0)
		return ret;
	if (!n->has_mac)
		derive_mac(n);
	ret = add_virtio(n);
	return ret < 0 ? net_host->fail(dev, ret, "cannot add the virtio device") : 0;
}

/* ---- the rest of its life ---- */

static int net_quiesce(struct tenon_dev *dev)
{
	stop(net_host->priv(dev)); /* staged buffers stay so: the next frames go into them */
	return 0;
}

static int net_resume(struct tenon_dev *dev)
{
	struct net *n = net_host->priv(dev);

	if (n->active)
		run(n);
	return 0; /* every queue is looked at now */
}

static void net_detach(struct tenon_dev *dev)
{
	struct net *n = net_host->priv(dev);

	if (n->count.rx_frames || n->count.tx_frames)
		say_counters(n);
	if (n->state)
		n->backend->close(n);
	net_pairs_close(n);
	free(n->state);
	n->state = NULL;
	net_event->timer_remove(n->again);
	net_event->timer_remove(n->rx_limit.timer);
	net_event->timer_remove(n->tx_limit.timer);
	net_event->timer_remove(n->retry);
	n->again = n->rx_limit.timer = n->tx_limit.timer = n->retry = NULL;
}

static void net_destroy(struct tenon_dev *dev)
{
	struct net *n = net_host->priv(dev);

	free((void *)(uintptr_t)n->forwards);
	n->forwards = NULL;
}

/*
 * "user" reads the host's name servers anew when they change, and programs that change them
 * replace the file: hence its folder.  A datagram socket of our own has a name beside the peer's.
 */
static const char *net_path(struct tenon_dev *dev, uint32_t index, uint32_t *ret_access)
{
	struct net *n = net_host->priv(dev);
	char *slash;

	if (n->backend == &net_dgram && n->path && index == 0) {
		*ret_access = TENON_PATH_CREATE | TENON_PATH_REMOVE;
		return n->path;
	}
	*ret_access = TENON_PATH_READ;
	if (n->backend != &net_user || index > 1)
		return NULL;
	if (index == 0)
		return "/etc/resolv.conf";
	if (!realpath("/etc/resolv.conf", n->resolver))
		return NULL;
	slash = strrchr(n->resolver, '/');
	slash[slash == n->resolver] = '\0';
	return n->resolver;
}

static const struct tenon_key net_keys[] = {
	{ "backend", TENON_KEY_ENUM, TENON_KEY_REQUIRED, NULL, "user|tap|stream|dgram",
		"what is at the other end of the wire" },
	{ "mac", TENON_KEY_MAC, 0, NULL, NULL,
		"the guest's address; without it one that stays the same from start to start" },
	{ "mtu", TENON_KEY_INT, 0, NULL, "68..65521", "the largest packet, told to the guest" },
	{ "link", TENON_KEY_ENUM, 0, "up", "up|down", "whether the cable is in" },
	{ "interface", TENON_KEY_STRING, 0, NULL, NULL, "tap: the interface's name" },
	{ "queues", TENON_KEY_INT, 0, NULL, "1..8", "tap: pairs of queues" },
	{ "fd", TENON_KEY_FD, 0, NULL, NULL,
		"tap, stream, dgram: an open descriptor instead of a name" },
	{ "path", TENON_KEY_PATH, TENON_KEY_ATTACHES, NULL, NULL,
		"stream, dgram: the peer's unix socket" },
	{ "handshake", TENON_KEY_ENUM, 0, NULL, "none|vfkit",
		"dgram: how to begin; gvproxy and vfkit want \"vfkit\"" },
	{ "forward", TENON_KEY_STRING, TENON_KEY_LIST, NULL, NULL,
		"user: ports of the host that lead to the guest, as in tcp:127.0.0.1:2222:22" },
	{ "network", TENON_KEY_STRING, 0, NULL, NULL, "user: the network (10.0.2.0/24)" },
	{ "host", TENON_KEY_STRING, 0, NULL, NULL, "user: the host's address in it (.2)" },
	{ "dns", TENON_KEY_STRING, 0, NULL, NULL, "user: the name server's address in it (.3)" },
	{ "hostname", TENON_KEY_STRING, 0, NULL, NULL, "user: the name that DHCP gives the guest" },
	{ "restrict", TENON_KEY_BOOL, 0, NULL, NULL,
		"user: let the guest reach nothing but what is forwarded" },
	{ "host_loopback", TENON_KEY_BOOL, 0, NULL, NULL,
		"user: the host's address leads to 127.0.0.1 of the host (true)" },
	{ "ipv6", TENON_KEY_BOOL, 0, NULL, NULL, "user: IPv6 as well (false)" },
	{ "rx_bandwidth", TENON_KEY_SIZE, 0, NULL, "1..", "bytes a second to the guest at most" },
	{ "rx_bandwidth_burst", TENON_KEY_SIZE, 0, NULL, "1..",
		"bytes at once after a pause; a second's worth" },
	{ "rx_packets", TENON_KEY_INT, 0, NULL, "1..", "frames a second to the guest at most" },
	{ "rx_packets_burst", TENON_KEY_INT, 0, NULL, "1..", "frames at once after a pause" },
	{ "tx_bandwidth", TENON_KEY_SIZE, 0, NULL, "1..", "bytes a second from the guest at most" },
	{ "tx_bandwidth_burst", TENON_KEY_SIZE, 0, NULL, "1..",
		"bytes at once after a pause; a second's worth" },
	{ "tx_packets", TENON_KEY_INT, 0, NULL, "1..", "frames a second from the guest at most" },
	{ "tx_packets_burst", TENON_KEY_INT, 0, NULL, "1..", "frames at once after a pause" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class net_class = {
	.struct_size = sizeof(net_class),
	.threads = TENON_SERIAL,
	.name = "net",
	.summary = "virtio network interface",
	.keys = net_keys,
	.priv_size = sizeof(struct net),
	.create = net_create,
	.attach = net_attach,
	.start = net_start,
	.quiesce = net_quiesce,
	.resume = net_resume,
	.save = net_save,
	.load = net_load,
	.detach = net_detach,
	.destroy = net_destroy,
	.state_version = 1,
	.needs = TENON_NEEDS_NETWORK | TENON_NEEDS_FILES | TENON_NEEDS_DEVICES,
	.path = net_path,
};

static const struct tenon_device_class *const classes[] = { &net_class, NULL };

static int net_init(const struct tenon_host *h)
{
	net_host = h;
	net_virtio = h->service(TENON_SVC_VIRTIO);
	net_event = h->service(TENON_SVC_EVENT);
	net_clock = h->service(TENON_SVC_CLOCK);
	net_state = h->service(TENON_SVC_STATE);
	if (TENON_HAS(net_virtio, push_many) && TENON_HAS(net_event, post) &&
		TENON_HAS(net_clock, monotonic_ns))
		return 0;
	h->log(NULL, TENON_LOG_ERR, "net: this core lacks a service that is needed");
	return -ENOTSUP;
}

TENON_PLUGIN("org.tenon.net", "0.1.0", "Apache-2.0", net_init, classes, "net");

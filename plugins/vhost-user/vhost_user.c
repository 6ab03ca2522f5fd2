/* SPDX-License-Identifier: Apache-2.0 */
/* The class "vhost-user": settings and life; vu.h has the story. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vu.h"

const struct tenon_host *host;
const struct tenon_virtio *virtio;
const struct tenon_mem *mem;
const struct tenon_event *event;
const struct tenon_clock *vu_clock;
const struct tenon_notifier_svc *notifier;

#define DEVICE_ONLY_FEATURES (~(VHOST_USER_F_LOG_ALL | VHOST_USER_F_PROTOCOL_FEATURES))

/* ---- settings ---- */

static const struct tenon_key keys[] = {
	{ "socket", TENON_KEY_PATH, 0, NULL, NULL, "where the back end listens" },
	{ "fd", TENON_KEY_FD, 0, NULL, NULL, "an open connection to the back end instead" },
	{ "device", TENON_KEY_STRING, TENON_KEY_REQUIRED, NULL, NULL,
		"what it is: net, block, console, rng, scsi, gpu, input, vsock, crypto, sound, fs, "
		"i2c, gpio, or a number of the specification" },
	{ "queues", TENON_KEY_INT, 0, NULL, "1..64", "how many virtqueues the device has" },
	{ "queue_size", TENON_KEY_INT, 0, "256", "2..32768",
		"the largest that a virtqueue may be, a power of two" },
	{ "queue_sizes", TENON_KEY_STRING, 0, NULL, NULL,
		"the same for each virtqueue, with commas between" },
	{ "tag", TENON_KEY_STRING, 0, NULL, NULL,
		"the name of a file system (fs), for back ends that do not say" },
	{ "config", TENON_KEY_STRING, 0, NULL, NULL,
		"the device's configuration in hex, instead of the back end's" },
	{ "config_size", TENON_KEY_INT, 0, NULL, "0..256",
		"how many bytes of configuration the back end has, where the device is a number" },
	{ "reconnect", TENON_KEY_INT, 0, "100", "0..10000",
		"milliseconds before the first attempt to connect again; 0 = none" },
	{ "reconnect_max", TENON_KEY_INT, 0, "10000", "1..10000",
		"milliseconds between two attempts at most" },
	{ "reconnect_limit", TENON_KEY_INT, 0, "0", "0..1000000",
		"how many attempts until one lasts; 0 = any number" },
	{ "timeout", TENON_KEY_INT, 0, "2000", "10..60000",
		"milliseconds that the back end has to answer" },
	{ .name = NULL },
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int parse_declared(struct vu *vu, const char *text)
{
	size_t n = strlen(text) / 2;

	if (strlen(text) % 2 || n == 0 || n > sizeof(vu->declared))
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		vu->declared[i] = (uint8_t)(high << 4 | low);
	}
	vu->is_declared = true;
	vu->config_size = (uint32_t)n;
	return 0;
}

static int read_config(struct vu *vu, const struct tenon_config *config)
{
	const char *text = host->conf_str(config, "config", 0);

	vu->tag = host->conf_str(config, "tag", 0);
	vu->config_size = vu->kind.config_size;
	if (host->conf_count(config, "config_size"))
		vu->config_size = (uint32_t)host->conf_int(config, "config_size");
	if (vu->tag && (!vu->kind.name || strcmp(vu->kind.name, "fs") != 0))
		return host->fail(vu->dev, -EINVAL, "\"tag\" is for device \"fs\" alone");
	if (vu->tag && (vu->tag[0] == '\0' || strlen(vu->tag) > 36))
		return host->fail(vu->dev, -EINVAL, "\"tag\" must have 1 to 36 bytes");
	if (vu->tag && text)
		return host->fail(vu->dev, -EINVAL, "give \"tag\" or \"config\", not both");
	if (text && parse_declared(vu, text) < 0)
		return host->fail(vu->dev, -EINVAL,
			"\"config\" must be 1 to 256 bytes as pairs of hex digits");
	vu->kind.config_size = vu->config_size;
	return 0;
}

/* The size at @text, and what follows; 0 for one that is none. */
static uint32_t next_size(const char **text)
{
	char *end;
	unsigned long n = strtoul(*text, &end, 10);

	if (end == *text || (*end && *end != ',') || n < 2 || n > 32768 || (n & (n - 1)))
		return 0;
	*text = *end ? end + 1 : end;
	return (uint32_t)n;
}

static int sizes_are_fine(const char *text)
{
	do
		if (!next_size(&text))
			return 0;
	while (*text);
	return 1;
}

static int vu_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct vu *vu = host->priv(dev);
	const char *device = host->conf_str(config, "device", 0);

	vu->dev = dev;
	vu->fd = vu->inflight_fd = -1;
	peer_init(&vu->peer, (int)host->conf_int(config, "timeout"));
	vu->next = vu->peer;
	vu->paused = true; /* one that was loaded is active before it may work */
	vu->socket = host->conf_str(config, "socket", 0);
	if (host->conf_count(config, "fd"))
		vu->fd = (int)host->conf_int(config, "fd");
	if ((vu->socket != NULL) == (vu->fd >= 0))
		return host->fail(dev, -EINVAL, "give \"socket\" or \"fd\", and one of them only");
	if (kind_find(device, &vu->kind) < 0)
		return tenon_failf(host, dev, -EINVAL,
			"\"%s\" is no device: wanted net, block, console, rng, scsi, gpu, input, "
			"vsock, crypto, sound, fs, i2c, gpio, or a number from 1 to 63",
			device);
	vu->n_queues = (uint32_t)host->conf_int(config, "queues");
	vu->queue_size = (uint32_t)host->conf_int(config, "queue_size");
	if (vu->queue_size & (vu->queue_size - 1))
		return tenon_failf(host, dev, -EINVAL,
			"\"queue_size\" is %u, which is not a power of two", vu->queue_size);
	vu->delay_ms = (uint32_t)host->conf_int(config, "reconnect");
	vu->most_delay_ms = (uint32_t)host->conf_int(config, "reconnect_max");
	vu->limit = (uint32_t)host->conf_int(config, "reconnect_limit");
	vu->queue_sizes = host->conf_str(config, "queue_sizes", 0);
	if (vu->queue_sizes && !sizes_are_fine(vu->queue_sizes))
		return tenon_failf(host, dev, -EINVAL,
			"\"queue_sizes\" is \"%s\"; wanted powers of two up to 32768 with commas "
			"between",
			vu->queue_sizes);
	return read_config(vu, config);
}

/* ---- the driver's side ---- */

static int vu_activate(struct tenon_dev *dev, uint64_t features)
{
	struct vu *vu = host->priv(dev);
	int ret;

	if (link_is_over(vu))
		return -ENOTCONN;
	vu->acked = features;
	vu->lost = false;
	ret = rings_adopt(vu);
	if (ret < 0) {
		rings_forget(vu);
		return ret;
	}
	vu->active = true;
	link_run(vu);
	return 0;
}

static void vu_driver_reset(struct tenon_dev *dev)
{
	struct vu *vu = host->priv(dev);

	vu->active = false;
	if (vu->peer.fd >= 0 && (rings_stop(vu) < 0 || rings_reset(vu) < 0)) {
		tenon_logf(host, dev, TENON_LOG_ERR,
			"the back end did not let go of the guest's memory when the driver reset "
			"the device: it is cut off, and may still write there");
		link_lost(vu);
	}
	rings_forget(vu);
	link_retry(vu);
}

static void vu_config_written(struct tenon_dev *dev, uint32_t offset, uint32_t size)
{
	struct vu *vu = host->priv(dev);
	uint8_t bytes[VU_MAX_CONFIG];

	if (vu->peer.fd < 0 || !peer_has(&vu->peer, VHOST_USER_PROTOCOL_F_CONFIG) ||
		size > sizeof(bytes) || virtio->config_get(dev, offset, bytes, size) < 0)
		return;
	memcpy(vu->config + offset, bytes, size);
	peer_begin(&vu->peer);
	if (peer_set_config(&vu->peer, offset, bytes, size) < 0)
		link_lost(vu);
}

static const struct tenon_virtio_ops ops = {
	.struct_size = sizeof(ops),
	.activate = vu_activate,
	.config_written = vu_config_written,
	.reset = vu_driver_reset,
};

/* ---- life ---- */

/* From the settings, else from the configuration, else from the kind. */
static int find_queues(struct vu *vu)
{
	uint32_t most = vu->peer.n_queues ? vu->peer.n_queues : VU_MAX_QUEUES;
	uint32_t n = vu->n_queues, counted;

	counted = kind_count(&vu->kind, vu->config, vu->peer.features);
	if (n == 0 && counted)
		n = counted < most ? counted : most;
	if (n == 0)
		n = vu->kind.n_queues;
	if (n == 0)
		n = vu->peer.n_queues ? vu->peer.n_queues : 1;
	if (n > most)
		return peer_fail(
			&vu->peer, -EINVAL, "it has %u queues, the device needs %u", most, n);
	vu->n_queues = n < VU_MAX_QUEUES ? n : VU_MAX_QUEUES;
	kind_set_count(&vu->kind, vu->config, vu->peer.features, vu->n_queues);
	return 0;
}

static int add_device(struct vu *vu)
{
	const char *more = vu->queue_sizes;
	uint16_t sizes[VU_MAX_QUEUES];
	const struct tenon_virtio_desc desc = {
		.struct_size = sizeof(desc),
		.device_id = vu->kind.id,
		.features = vu->peer.features & DEVICE_ONLY_FEATURES,
		.n_queues = vu->n_queues,
		.config_size = vu->config_size,
		.queue_sizes = sizes,
		.config = vu->config,
		.ops = &ops,
		.flags = TENON_VIRTIO_EXTERNAL_RINGS,
	};
	int ret;

	for (uint32_t i = 0; i < vu->n_queues; i++)
		sizes[i] = (uint16_t)(more && *more ? next_size(&more) : vu->queue_size);
	ret = virtio->add(vu->dev, &desc);
	for (uint32_t i = 0; i < vu->n_queues && ret == 0; i++) {
		struct vu_ring *r = &vu->rings[i];

		*r = (struct vu_ring){ .vu = vu, .index = i, .vq = virtio->queue(vu->dev, i) };
	}
	vu->offered = desc.features;
	vu->since_ns = vu_clock->monotonic_ns();
	return ret;
}

static void ring_broken(struct tenon_dev *dev, void *arg, uint32_t events)
{
	struct vu *vu = arg;

	(void)events;
	if (notifier->drain(vu->err))
		virtio->fault(dev, "the back end says that a ring is broken");
}

static int prepare(struct vu *vu)
{
	int ret = notifier->create(&vu->err);

	if (ret == 0)
		ret = event->fd_add(vu->dev, notifier->fd(vu->err), TENON_FD_READ, ring_broken, vu,
			&vu->err_watch);
	if (ret == 0)
		ret = event->timer_add(vu->dev, link_expired, vu, &vu->timer);
	return ret < 0 ? tenon_failf(host, vu->dev, ret, "no notifier or timer: %s", strerror(-ret))
		       : 0;
}

static int vu_attach(struct tenon_dev *dev)
{
	struct vu *vu = host->priv(dev);
	int ret = prepare(vu);

	if (ret < 0)
		return ret;
	if (rings_note_memory(vu) < 0)
		return host->fail(dev, -E2BIG, "the guest's memory has too many parts");
	ret = link_open(vu);
	if (ret < 0 && vu->peer.fd < 0)
		return tenon_failf(host, dev, ret,
			"cannot connect to the back end at \"%s\": %s; it must be started first",
			vu->socket, vu->peer.why);
	if (ret == 0)
		ret = config_fetch(vu);
	if (ret == 0)
		ret = find_queues(vu);
	if (ret == 0)
		ret = link_watch(vu);
	if (ret < 0)
		return tenon_failf(host, dev, ret, "the back end cannot be used: %s", vu->peer.why);
	ret = add_device(vu);
	return ret < 0 ? tenon_failf(host, dev, ret, "no virtio device can be made of it: %s",
				 strerror(-ret))
		       : 0;
}

static int vu_quiesce(struct tenon_dev *dev)
{
	struct vu *vu = host->priv(dev);

	vu->paused = true;
	link_drop_next(vu);
	event->timer_set(vu->timer, 0);
	if (vu->active && vu->peer.fd >= 0 && rings_stop(vu) < 0)
		link_lost(vu); /* closing is what stops it */
	return 0;
}

static int vu_resume(struct tenon_dev *dev)
{
	struct vu *vu = host->priv(dev);

	vu->paused = false;
	link_run(vu);
	link_retry(vu);
	return 0;
}

static void vu_detach(struct tenon_dev *dev)
{
	struct vu *vu = host->priv(dev);

	if (vu->active && vu->peer.fd >= 0)
		(void)rings_stop(vu);
	vu->active = false;
	rings_forget(vu);
	link_close(vu);
	if (vu->err_watch)
		event->fd_remove(vu->err_watch);
	notifier->destroy(vu->err);
	if (vu->timer)
		event->timer_remove(vu->timer);
	vu->err_watch = NULL;
	vu->err = NULL;
	vu->timer = NULL;
}

static void vu_destroy(struct tenon_dev *dev)
{
	struct vu *vu = host->priv(dev);

	tenon_close(vu->fd);
}

static int vu_init(const struct tenon_host *h)
{
	host = h;
	return TENON_FIND(h, virtio, TENON_SVC_VIRTIO, queue_set_base) |
	       TENON_FIND(h, mem, TENON_SVC_MEM, regions) |
	       TENON_FIND(h, event, TENON_SVC_EVENT, timer_remove) |
	       TENON_FIND(h, vu_clock, TENON_SVC_CLOCK, monotonic_ns) |
	       TENON_FIND(h, notifier, TENON_SVC_NOTIFIER, destroy);
}

static const struct tenon_device_class vu_class = {
	.struct_size = sizeof(vu_class),
	.threads = TENON_SERIAL,
	.name = "vhost-user",
	.summary = "a virtio device that another program serves (vhost-user)",
	.keys = keys,
	.priv_size = sizeof(struct vu),
	.create = vu_create,
	.attach = vu_attach,
	.start = vu_resume,
	.quiesce = vu_quiesce,
	.resume = vu_resume,
	.detach = vu_detach,
	.destroy = vu_destroy,
	.needs = TENON_NEEDS_SOCKETS,
};

TENON_PLUGIN_CLASS("org.tenon.vhost-user", "0.1.0", "Apache-2.0", vu_init, vu_class, "vhost-user");

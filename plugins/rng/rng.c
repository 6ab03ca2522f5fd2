/* SPDX-License-Identifier: Apache-2.0 */
/* rng: virtio-entropy (Virtio 1.2, 5.4), from the host's generator or a file, at a rate. */
#include "source.h"

struct rng {
	struct source source;
	struct tenon_bucket bucket; /* bytes */
};

static const struct tenon_host *host;
static const struct tenon_virtio *virtio;
static const struct tenon_event *event;
static const struct tenon_clock *clock_svc;

static void rng_queue_ready(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index)
{
	struct rng *r = host->priv(dev);
	uint64_t now = clock_svc->monotonic_ns(), again = 0;
	struct tenon_chain c;

	source_rest(&r->source, event);
	while (r->source.left > 0 &&
		tenon_bucket_pop(&r->bucket, now, virtio, vq, &c, &again) > 0) {
		size_t done =
			source_read(&r->source, &c, tenon_bucket_grant(&r->bucket, c.in_bytes));

		if (done == 0 && c.in_bytes > 0) {
			virtio->unpop(vq, &c);
			again = source_wait(&r->source, dev, host, event, now);
			break;
		}
		tenon_bucket_spend(&r->bucket, done);
		virtio->push(vq, &c, (uint32_t)done);
	}
	virtio->notify(vq);
	event->timer_set(r->source.timer, again);
}

static const struct tenon_virtio_ops rng_ops = { sizeof(rng_ops), .queue_ready = rng_queue_ready };

static const struct tenon_virtio_desc rng_desc = {
	.struct_size = sizeof(rng_desc),
	.device_id = 4,
	.n_queues = 1,
	.queue_sizes = (const uint16_t[]){ 256 },
	.ops = &rng_ops,
};

static void rng_go_on(struct tenon_dev *dev, void *arg)
{
	rng_queue_ready(dev, virtio->queue(dev, 0), 0);
}

static void rng_readable(struct tenon_dev *dev, void *arg, uint32_t events)
{
	rng_go_on(dev, arg);
}

static int rng_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct rng *r = host->priv(dev);

	r->source.path = host->conf_str(config, "source", 0);
	r->bucket.rate = host->conf_size(config, "rate");
	return 0;
}

static int rng_attach(struct tenon_dev *dev)
{
	struct rng *r = host->priv(dev);
	int ret = source_open(&r->source, host, event, dev, rng_readable, rng_go_on);

	tenon_bucket_init(&r->bucket, r->bucket.rate, 0, clock_svc->monotonic_ns());
	return ret < 0 ? ret : virtio->add(dev, &rng_desc);
}

static int rng_quiesce(struct tenon_dev *dev)
{
	struct rng *r = host->priv(dev);

	source_rest(&r->source, event); /* resuming runs the queue */
	return 0;
}

static void rng_detach(struct tenon_dev *dev)
{
	struct rng *r = host->priv(dev);

	source_close(&r->source, event);
}

static const struct tenon_key rng_keys[] = {
	{ "source", TENON_KEY_PATH, TENON_KEY_ATTACHES, NULL, NULL,
		"a file, instead of the host's generator" },
	{ "rate", TENON_KEY_SIZE, 0, NULL, "1..", "bytes a second for the guest at most" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class rng_class = {
	.struct_size = sizeof(rng_class),
	.name = "rng",
	.summary = "virtio entropy source",
	.keys = rng_keys,
	.priv_size = sizeof(struct rng),
	.create = rng_create,
	.attach = rng_attach,
	.quiesce = rng_quiesce,
	.detach = rng_detach,
};

static int rng_init(const struct tenon_host *h)
{
	host = h;
	return TENON_FIND(h, virtio, TENON_SVC_VIRTIO, fault) |
	       TENON_FIND(h, event, TENON_SVC_EVENT, post) |
	       TENON_FIND(h, clock_svc, TENON_SVC_CLOCK, monotonic_ns);
}

TENON_PLUGIN_CLASS("org.tenon.rng", "0.1.0", "Apache-2.0", rng_init, rng_class, "rng");

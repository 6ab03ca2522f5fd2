/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rng: virtio-entropy (Virtio 1.2, 5.4).
 *
 * Randomness comes from the host's getrandom() or from a file.  With a rate the guest has a bucket
 * of one second's worth; a request that finds it empty waits for a timer, and what is there is
 * given in part: drivers ask again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <tenon/tenon.h>

#define DEVICE_ID     4u
#define QUEUE_SIZE    256u
#define MOST_AT_ONCE  65536u /* bytes of one request */
#define MOST_REQUESTS 64u    /* before others get their turn */
#define SECOND_NS     1000000000u
#define LEAST_NS      1000000u /* between two looks at the bucket */

struct rng {
	const char *source;
	int fd;          /* -1 = getrandom */
	uint64_t rate;   /* bytes a second; 0 = as many as it asks for */
	uint64_t tokens; /* bytes in the bucket */
	uint64_t filled_ns;
	struct tenon_timer *timer; /* when to look at the queue again */
};

static const struct tenon_host *host;
static const struct tenon_virtio *virtio;
static const struct tenon_event *event;
static const struct tenon_clock *clock_svc;

/* ---- the bucket ---- */

static void fill_bucket(struct rng *r)
{
	uint64_t now = clock_svc->monotonic_ns(), past = now - r->filled_ns, bytes, ns;

	if (past > SECOND_NS)
		past = SECOND_NS;
	if (__builtin_mul_overflow(past, r->rate, &bytes))
		bytes = UINT64_MAX;
	bytes /= SECOND_NS;
	if (bytes == 0)
		return;
	/* The part of a byte that is left counts the next time. */
	if (past == SECOND_NS || __builtin_mul_overflow(bytes, SECOND_NS, &ns))
		r->filled_ns = now;
	else
		r->filled_ns += ns / r->rate;
	r->tokens = r->tokens + bytes > r->rate ? r->rate : r->tokens + bytes;
}

/* How many of @wanted bytes may be given now; 0 sets the timer. */
static size_t allowed(struct rng *r, size_t wanted)
{
	uint64_t wait;

	if (r->rate == 0)
		return wanted;
	fill_bucket(r);
	if (r->tokens > 0)
		return wanted < r->tokens ? wanted : (size_t)r->tokens;
	wait = SECOND_NS / r->rate + 1;
	event->timer_set(r->timer, clock_svc->monotonic_ns() + (wait < LEAST_NS ? LEAST_NS : wait));
	return 0;
}

/* ---- requests ---- */

static size_t read_source(const struct rng *r, uint8_t *to, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t part = size - done;
		ssize_t n;

		/* Up to 256 bytes getrandom() is never cut short by a signal. */
		if (r->fd < 0)
			n = getrandom(to + done, part > 256 ? 256 : part, GRND_NONBLOCK);
		else
			n = read(r->fd, to + done, part);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

static uint32_t serve(const struct rng *r, const struct tenon_chain *c, size_t size)
{
	size_t done = 0;

	for (uint32_t i = 0; i < c->n_in && done < size; i++) {
		size_t part = c->in[i].iov_len < size - done ? c->in[i].iov_len : size - done;
		size_t n = read_source(r, c->in[i].iov_base, part);

		done += n;
		if (n < part)
			break;
	}
	return (uint32_t)done;
}

static void rng_queue_ready(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index)
{
	struct rng *r = host->priv(dev);
	struct tenon_chain c;

	(void)index;
	for (unsigned n = 0; n < MOST_REQUESTS; n++) {
		size_t size;
		uint32_t done;

		if (virtio->pop(vq, &c) <= 0) {
			virtio->notify(vq);
			return;
		}
		size = c.in_bytes < MOST_AT_ONCE ? (size_t)c.in_bytes : MOST_AT_ONCE;
		size = size ? allowed(r, size) : 0;
		if (size == 0 && c.in_bytes > 0) {
			virtio->unpop(vq, &c);
			virtio->notify(vq);
			return;
		}
		done = serve(r, &c, size);
		if (done < size)
			host->log(
				dev, TENON_LOG_WARN, "the entropy source gave less than asked for");
		if (r->rate > 0)
			r->tokens -= done < r->tokens ? done : r->tokens;
		virtio->push(vq, &c, done);
	}
	virtio->notify(vq);
	event->timer_set(r->timer, clock_svc->monotonic_ns());
}

static void go_on(struct tenon_dev *dev, void *arg)
{
	(void)arg;
	rng_queue_ready(dev, virtio->queue(dev, 0), 0);
}

static void rng_reset_queue(struct tenon_dev *dev)
{
	const struct rng *r = host->priv(dev);

	event->timer_set(r->timer, 0);
}

static const struct tenon_virtio_ops rng_ops = {
	.struct_size = sizeof(rng_ops),
	.queue_ready = rng_queue_ready,
	.reset = rng_reset_queue,
};

/* ---- life ---- */

static int rng_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct rng *r = host->priv(dev);

	r->fd = -1;
	r->source = host->conf_str(config, "source", 0);
	r->rate = host->conf_count(config, "rate") ? host->conf_size(config, "rate") : 0;
	return 0;
}

static int rng_attach(struct tenon_dev *dev)
{
	static const uint16_t sizes[] = { QUEUE_SIZE };
	const struct tenon_virtio_desc desc = {
		.struct_size = sizeof(desc),
		.device_id = DEVICE_ID,
		.n_queues = 1,
		.queue_sizes = sizes,
		.ops = &rng_ops,
	};
	struct rng *r = host->priv(dev);
	int ret;

	if (r->source) {
		r->fd = open(r->source, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (r->fd < 0)
			return tenon_failf(host, dev, -errno,
				"cannot open the entropy source \"%s\": %s", r->source,
				strerror(errno));
	}
	r->tokens = r->rate;
	r->filled_ns = clock_svc->monotonic_ns();
	ret = event->timer_add(dev, go_on, NULL, &r->timer);
	return ret < 0 ? ret : virtio->add(dev, &desc);
}

static int rng_quiesce(struct tenon_dev *dev)
{
	rng_reset_queue(dev); /* resuming looks at the queue anew */
	return 0;
}

static void rng_detach(struct tenon_dev *dev)
{
	struct rng *r = host->priv(dev);

	event->timer_remove(r->timer);
	r->timer = NULL;
	if (r->fd >= 0)
		(void)close(r->fd);
	r->fd = -1;
}

static const struct tenon_key rng_keys[] = {
	{ "source", TENON_KEY_PATH, 0, NULL, NULL,
		"a file to read randomness from, instead of the host's generator" },
	{ "rate", TENON_KEY_SIZE, 0, NULL, "1..",
		"bytes a second that the guest may have at most" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class rng_class = {
	.struct_size = sizeof(rng_class),
	.threads = TENON_SERIAL,
	.name = "rng",
	.summary = "virtio entropy source",
	.keys = rng_keys,
	.priv_size = sizeof(struct rng),
	.create = rng_create,
	.attach = rng_attach,
	.quiesce = rng_quiesce,
	.detach = rng_detach,
};

static const struct tenon_device_class *const classes[] = { &rng_class, NULL };

static int rng_init(const struct tenon_host *h)
{
	host = h;
	virtio = h->service(TENON_SVC_VIRTIO);
	event = h->service(TENON_SVC_EVENT);
	clock_svc = h->service(TENON_SVC_CLOCK);
	if (TENON_HAS(virtio, fault) && TENON_HAS(event, timer_remove) &&
		TENON_HAS(clock_svc, monotonic_ns))
		return 0;
	h->log(NULL, TENON_LOG_ERR, "rng: this core lacks a service that is needed");
	return -ENOTSUP;
}

TENON_PLUGIN("org.tenon.rng", "0.1.0", "Apache-2.0", rng_init, classes, "rng");

/* SPDX-License-Identifier: Apache-2.0 */
/* The device that is lent. */
#include "tests/serve/lent.h"

#include <string.h>

#include <tenon/iov.h>
#include <tenon/tenon.h>

#include "core/event_loop.h"
#include "core/work.h"

static struct lent *lent_of;

static void give(struct tenon_vq *vq, const struct tenon_chain *c)
{
	uint32_t written = 0;

	for (uint32_t i = 0; i < c->n_in; i++) {
		const uint8_t value = c->n_out ? ((const uint8_t *)c->out[0].iov_base)[0] : 0x5a;

		memset(c->in[i].iov_base, value, c->in[i].iov_len);
		written += (uint32_t)c->in[i].iov_len;
	}
	service_virtio.push(vq, c, written);
	service_virtio.notify(vq);
}

static int activate(struct tenon_dev *dev, uint64_t features)
{
	(void)dev;
	lent_of->activations++;
	lent_of->features = features;
	return 0;
}

static void queue_ready(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index)
{
	struct lent *l = lent_of;
	struct tenon_chain c;

	(void)dev;
	(void)index;
	while (l->n_held < 64 && service_virtio.pop(vq, &c) > 0) {
		if (!l->holds) {
			give(vq, &c);
			continue;
		}
		l->held_of[l->n_held] = vq;
		l->held[l->n_held++] = c;
	}
}

static void config_written(struct tenon_dev *dev, uint32_t offset, uint32_t size)
{
	(void)dev;
	(void)offset;
	lent_of->writes += size;
}

static void reset(struct tenon_dev *dev)
{
	(void)dev;
	lent_of->resets++;
	lent_of->n_held = 0;
}

static const struct tenon_virtio_ops ops = {
	.struct_size = sizeof(ops),
	.activate = activate,
	.queue_ready = queue_ready,
	.config_written = config_written,
	.reset = reset,
};

static int attach(struct tenon_dev *dev)
{
	static const uint16_t sizes[LENT_QUEUES] = { LENT_QUEUE_SIZE, LENT_QUEUE_SIZE };
	const struct tenon_virtio_desc desc = {
		.struct_size = sizeof(desc),
		.device_id = 63,
		.features = LENT_FEATURES,
		.n_queues = LENT_QUEUES,
		.queue_sizes = sizes,
		.config_size = LENT_CONFIG,
		.config = "configured!",
		.ops = &ops,
	};

	return service_virtio.add(dev, &desc);
}

static const struct tenon_device_class lent_class = {
	.struct_size = sizeof(lent_class),
	.threads = TENON_SERIAL,
	.name = "lent",
	.attach = attach,
};

static void gone(void *opaque)
{
	struct lent *l = opaque;

	l->gone = true;
}

int lent_create(struct lent *l)
{
	int ret;

	*l = (struct lent){ .config = { .name = "lent", .type = "lent", .implied = true } };
	lent_of = l;
	ret = event_loop_create(&l->loop);
	if (ret == 0)
		ret = serve_map_guard();
	if (ret == 0)
		ret = serve_init(&l->serve, l->loop);
	l->work = work_pool_create(1);
	l->config.settings.kind = SETTING_GROUP;
	l->serve.gone = gone;
	l->serve.opaque = l;
	l->serve.env = (struct device_env){
		.gm = l->serve.memory.gm, .home = &l->serve.home, .work = l->work
	};
	if (ret == 0)
		ret = device_create(
			&l->serve.env, &lent_class, &l->config, l->loop, &l->serve.dev, NULL);
	if (ret == 0)
		ret = device_attach(l->serve.dev, NULL);
	if (ret == 0)
		l->serve.vd = virtio_host_device(l->serve.dev->virtio);
	return ret == 0 ? device_start(l->serve.dev, NULL) : ret;
}

void lent_destroy(struct lent *l)
{
	l->serve.gone = NULL;
	serve_finish(&l->serve);
	device_destroy(l->serve.dev);
	serve_free(&l->serve);
	work_pool_destroy(l->work);
	event_loop_destroy(l->loop);
}

void lent_run(struct lent *l)
{
	while (event_loop_poll(l->loop) > 0)
		continue;
}

void lent_give_back(struct lent *l, uint32_t index)
{
	give(l->held_of[index], &l->held[index]);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtio device with a shared memory region, which maps and unmaps a file as its driver asks: a
 * request is { op, pages in the region, pages in the file, pages }, the answer an errno.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <tenon/tenon.h>

#define PAGE 4096ll

enum { MAP_SHARED_FILE, MAP_COPY, UNMAP };

struct window {
	int fd;
	uint64_t size;
	struct tenon_shm_region *shm;
};

static const struct tenon_host *host;
static const struct tenon_virtio *virtio;
static const struct tenon_shm *shm;

static int32_t serve(const struct window *w, const uint32_t request[4])
{
	const uint64_t offset = request[1] * (uint64_t)PAGE, from = request[2] * (uint64_t)PAGE,
		       size = request[3] * (uint64_t)PAGE;

	if (request[0] == UNMAP)
		return shm->unmap(w->shm, offset, size);
	return shm->map(w->shm, offset, w->fd, from, size,
		request[0] == MAP_COPY ? TENON_PROT_READ : TENON_PROT_READ | TENON_PROT_WRITE);
}

static void window_ready(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index)
{
	struct tenon_chain c;
	uint32_t request[4];
	int32_t answer;

	(void)index;
	while (virtio->pop(vq, &c) > 0) {
		if (tenon_iov_to_buf(c.out, c.n_out, 0, request, sizeof(request)) !=
			sizeof(request)) {
			virtio->fault(dev, "the request is too short");
			return;
		}
		answer = serve(host->priv(dev), request);
		virtio->push(vq, &c,
			(uint32_t)tenon_iov_from_buf(c.in, c.n_in, 0, &answer, sizeof(answer)));
	}
	virtio->notify(vq);
}

static void window_reset(struct tenon_dev *dev)
{
	const struct window *w = host->priv(dev);

	(void)shm->unmap(w->shm, 0, w->size);
}

static const struct tenon_virtio_ops window_ops = {
	.struct_size = sizeof(window_ops),
	.queue_ready = window_ready,
	.reset = window_reset,
};

static int window_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct window *w = host->priv(dev);

	w->fd = -1;
	w->size = host->conf_size(config, "size");
	return 0;
}

static int window_attach(struct tenon_dev *dev)
{
	static const uint16_t sizes[] = { 16 };
	const struct tenon_virtio_desc desc = { .struct_size = sizeof(desc),
		.device_id = 16,
		.n_queues = 1,
		.queue_sizes = sizes,
		.ops = &window_ops };
	struct window *w = host->priv(dev);
	int ret = shm->create(dev, 1, w->size, &w->shm);

	if (ret != -ENODEV) /* it is no virtio device yet */
		return host->fail(dev, ret < 0 ? ret : -EIO, "a region for no virtio device");
	w->fd = memfd_create("window", MFD_CLOEXEC);
	if (w->fd < 0 || ftruncate(w->fd, 4 * PAGE) < 0)
		return host->fail(dev, -errno, "cannot make the file");
	for (int i = 0; i < 4; i++)
		if (pwrite(w->fd, "file", 4, i * PAGE) != 4)
			return host->fail(dev, -EIO, "cannot fill the file");
	ret = virtio->add(dev, &desc);
	if (ret < 0)
		return host->fail(dev, ret, "cannot become a virtio device");
	ret = shm->create(dev, 1, w->size, &w->shm);
	if (ret < 0)
		return tenon_failf(host, dev, ret, "cannot have a window: %s", strerror(-ret));
	ret = shm->create(dev, 1, w->size, &w->shm);
	return ret == -EEXIST ? 0 : host->fail(dev, ret < 0 ? ret : -EIO, "it can have it twice");
}

static void window_detach(struct tenon_dev *dev)
{
	struct window *w = host->priv(dev);

	if (w->fd >= 0)
		(void)close(w->fd);
	w->fd = -1;
}

static const struct tenon_key window_keys[] = {
	{ "size", TENON_KEY_SIZE, 0, "64K", NULL, "of the region" },
	{ 0 },
};

static const struct tenon_device_class window_class = {
	.struct_size = sizeof(window_class),
	.threads = TENON_SERIAL,
	.name = "window",
	.summary = "a shared memory region",
	.keys = window_keys,
	.priv_size = sizeof(struct window),
	.create = window_create,
	.attach = window_attach,
	.detach = window_detach,
};

static int window_init(const struct tenon_host *h)
{
	host = h;
	return TENON_FIND(h, virtio, TENON_SVC_VIRTIO, notify) |
	       TENON_FIND(h, shm, TENON_SVC_SHM, unmap);
}

TENON_PLUGIN_CLASS("org.tenon.window", "0.1.0", "Apache-2.0", window_init, window_class, "window");

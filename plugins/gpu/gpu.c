/* SPDX-License-Identifier: Apache-2.0 */
/* gpu: the virtio-gpu device, its settings, its configuration and its life. */
#include "three_d.h"

#include <stddef.h>

const struct tenon_host *gpu_host;
const struct tenon_virtio *gpu_virtio;
const struct tenon_event *gpu_event;
const struct tenon_mem *gpu_mem;
const struct tenon_display *gpu_display;
const struct tenon_notifier_svc *gpu_notifier;
const struct tenon_clock *gpu_clock;
const struct tenon_shm *gpu_shm;
static const struct tenon_state *gpu_state; /* NULL = nobody saves */

/* ---- queues ---- */

static void run_queue(struct gpu *g, uint32_t index);

static void run_control(struct tenon_dev *dev, void *arg)
{
	(void)arg;
	run_queue(gpu_host->priv(dev), GPU_CONTROL);
}

static void run_cursor(struct tenon_dev *dev, void *arg)
{
	(void)arg;
	run_queue(gpu_host->priv(dev), GPU_CURSOR);
}

/* A queue that had its turn and is not empty gets another one. */
static void run_queue(struct gpu *g, uint32_t index)
{
	bool more;

	if (!g->running || g->paused || (g->lost && g->busy))
		return;
	more = index == GPU_CONTROL ? control_run(g) : cursor_run(g);
	if (more &&
		gpu_event->post(g->dev, index == GPU_CONTROL ? run_control : run_cursor, NULL) < 0)
		gpu_virtio->fault(g->dev, "the host has no memory to go on serving a queue");
}

void gpu_go_on(struct gpu *g)
{
	run_queue(g, GPU_CURSOR);
	run_queue(g, GPU_CONTROL);
}

static void gpu_queue_ready(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index)
{
	(void)vq;
	run_queue(gpu_host->priv(dev), index);
}

static int gpu_activate(struct tenon_dev *dev, uint64_t features)
{
	struct gpu *g = gpu_host->priv(dev);

	g->features = features;
	g->running = true;
	return 0;
}

static void gpu_forget(struct tenon_dev *dev)
{
	struct gpu *g = gpu_host->priv(dev);

	g->running = false;
	three_d_forget(g);
	resource_remove_all(g);
	cursor_forget(g);
}

/* ---- configuration (5.7.4) ---- */

/* The driver clears the events that it has seen. */
static void gpu_config_written(struct tenon_dev *dev, uint32_t offset, uint32_t size)
{
	struct virtio_gpu_config config;

	(void)offset;
	(void)size;
	if (gpu_virtio->config_get(dev, 0, &config, sizeof(config)) < 0)
		return;
	config.events_read &= ~config.events_clear;
	config.events_clear = 0;
	(void)gpu_virtio->config_set(dev, 0, &config, 2 * sizeof(config.events_read));
}

static const struct tenon_virtio_ops gpu_ops = {
	.struct_size = sizeof(gpu_ops),
	.activate = gpu_activate,
	.queue_ready = gpu_queue_ready,
	.config_written = gpu_config_written,
	.reset = gpu_forget,
};

/* ---- screens ---- */

static uint32_t size_of_screen(uint32_t wished)
{
	wished = wished > GPU_MIN_SCREEN ? wished : GPU_MIN_SCREEN;
	return wished < GPU_MAX_SCREEN ? wished : GPU_MAX_SCREEN;
}

static void gpu_resize(struct tenon_dev *dev, uint32_t screen, uint32_t width, uint32_t height)
{
	struct gpu *g = gpu_host->priv(dev);
	struct gpu_scanout *s = &g->scanouts[screen];
	uint32_t events;

	width = size_of_screen(width);
	height = size_of_screen(height);
	if (width == s->width && height == s->height)
		return;
	s->width = width;
	s->height = height;
	if (gpu_virtio->config_get(dev, 0, &events, sizeof(events)) < 0)
		return;
	events |= htole32(VIRTIO_GPU_EVENT_DISPLAY);
	(void)gpu_virtio->config_set(dev, 0, &events, sizeof(events));
}

static const struct tenon_drawer_ops drawer_ops = {
	.struct_size = sizeof(drawer_ops),
	.resize = gpu_resize,
};

/* ---- life ---- */

static int gpu_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct gpu *g = gpu_host->priv(dev);

	g->dev = dev;
	g->n_scanouts = (uint32_t)gpu_host->conf_int(config, "screens");
	g->max_memory = gpu_host->conf_size(config, "max_memory");
	g->wants = (enum gpu_renderer)gpu_host->conf_int(config, "renderer");
	g->timeout_s = (uint32_t)gpu_host->conf_int(config, "timeout");
	g->window_size = gpu_host->conf_size(config, "window");
	if (g->window_size % 4096)
		return gpu_host->fail(dev, -EINVAL, "\"window\" is not a multiple of 4K");
	for (uint32_t i = 0; i < g->n_scanouts; i++) {
		g->scanouts[i].width = (uint32_t)gpu_host->conf_int(config, "width");
		g->scanouts[i].height = (uint32_t)gpu_host->conf_int(config, "height");
	}
	return 0;
}

static int add_device(struct gpu *g)
{
	static const uint16_t sizes[GPU_N_QUEUES] = { GPU_QUEUE_SIZE, GPU_CURSOR_QUEUE };
	struct virtio_gpu_config config = { .num_scanouts = htole32(g->n_scanouts) };
	uint32_t n = 0;
	struct tenon_virtio_desc desc = {
		.struct_size = sizeof(desc),
		.device_id = 16,
		.features = GPU_BIT(VIRTIO_GPU_F_EDID) | GPU_BIT(VIRTIO_GPU_F_RESOURCE_UUID) |
			    GPU_BIT(VIRTIO_GPU_F_RESOURCE_BLOB),
		.n_queues = GPU_N_QUEUES,
		.config_size = sizeof(config),
		.queue_sizes = sizes,
		.config = &config,
		.ops = &gpu_ops,
	};

	if (g->renderer) {
		while (n < RENDERER_CAPSETS && renderer_capsets(g->renderer)[n].size > 0)
			n++;
		config.num_capsets = htole32(n);
		desc.features |= GPU_BIT(VIRTIO_GPU_F_VIRGL) | GPU_BIT(VIRTIO_GPU_F_CONTEXT_INIT);
	}
	return gpu_virtio->add(g->dev, &desc);
}

static int gpu_attach(struct tenon_dev *dev)
{
	struct gpu *g = gpu_host->priv(dev);
	int ret = gpu_display->create(dev, g->n_scanouts, &drawer_ops);

	if (ret == 0)
		ret = three_d_attach(g);
	if (ret == 0)
		ret = add_device(g);
	return ret < 0 ? ret : three_d_window(g);
}

static int gpu_quiesce(struct tenon_dev *dev)
{
	struct gpu *g = gpu_host->priv(dev);

	g->paused = true;
	return three_d_quiesce(g);
}

static int gpu_start(struct tenon_dev *dev)
{
	struct gpu *g = gpu_host->priv(dev);

	g->paused = false;
	return three_d_start(g);
}

/* ---- state ---- */

enum { TAG_SIZES = 1 }; /* two for each screen from here on */

static bool is_empty(const struct gpu *g)
{
	for (uint32_t i = 0; i < GPU_BUCKETS; i++)
		if (g->resources[i])
			return false;
	return !g->contexts;
}

static int gpu_save(struct tenon_dev *dev, struct tenon_state_w *state)
{
	const struct gpu *g = gpu_host->priv(dev);
	int ret = 0;

	if (!is_empty(g))
		return gpu_host->fail(
			dev, -ENOTSUP, "the guest has pictures on the card, which cannot be saved");
	for (uint32_t i = 0; i < g->n_scanouts; i++) {
		(void)gpu_state->put_u32(state, TAG_SIZES + 2 * i, g->scanouts[i].width);
		ret = gpu_state->put_u32(state, TAG_SIZES + 2 * i + 1, g->scanouts[i].height);
	}
	return ret;
}

static int gpu_load(struct tenon_dev *dev, struct tenon_state_r *state, uint32_t version)
{
	struct gpu *g = gpu_host->priv(dev);
	int ret = 0;

	(void)version;
	for (uint32_t i = 0; i < g->n_scanouts; i++) {
		uint32_t width = g->scanouts[i].width, height = g->scanouts[i].height;

		(void)gpu_state->get_u32(state, TAG_SIZES + 2 * i, &width);
		ret = gpu_state->get_u32(state, TAG_SIZES + 2 * i + 1, &height);
		if (ret < 0)
			break;
		g->scanouts[i].width = size_of_screen(width);
		g->scanouts[i].height = size_of_screen(height);
	}
	return ret;
}

static void gpu_detach(struct tenon_dev *dev)
{
	struct gpu *g = gpu_host->priv(dev);

	(void)three_d_quiesce(g);
	gpu_forget(dev);
	three_d_detach(g);
}

static const struct tenon_key gpu_keys[] = {
	{ "screens", TENON_KEY_INT, 0, "1", "1..16", "how many monitors are connected" },
	{ "width", TENON_KEY_INT, 0, "1280", "64..4095", "of each, in pixels, at first" },
	{ "height", TENON_KEY_INT, 0, "800", "64..4095", "of each, in pixels, at first" },
	{ "renderer", TENON_KEY_ENUM, 0, "auto", "auto|virgl|none", "what draws in 3D" },
	{ "timeout", TENON_KEY_INT, 0, "10", "1..3600",
		"seconds after which 3D is thought to hang" },
	{ "window", TENON_KEY_SIZE, 0, "256M", "1M..",
		"for host memory that the guest maps, with 3D" },
	{ "max_memory", TENON_KEY_SIZE, 0, "256M", "16M..", "what the guest can make it keep" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class gpu_class = {
	.struct_size = sizeof(gpu_class),
	.name = "gpu",
	.summary = "virtio graphics card",
	.keys = gpu_keys,
	.priv_size = sizeof(struct gpu),
	.create = gpu_create,
	.attach = gpu_attach,
	.start = gpu_start,
	.quiesce = gpu_quiesce,
	.resume = gpu_start,
	.reset = gpu_forget,
	.save = gpu_save,
	.load = gpu_load,
	.detach = gpu_detach,
};

static int gpu_init(const struct tenon_host *h)
{
	gpu_host = h;
	gpu_state = h->service(TENON_SVC_STATE);
	return TENON_FIND(h, gpu_virtio, TENON_SVC_VIRTIO, config_set) |
	       TENON_FIND(h, gpu_event, TENON_SVC_EVENT, post) |
	       TENON_FIND(h, gpu_mem, TENON_SVC_MEM, mark_dirty) |
	       TENON_FIND(h, gpu_notifier, TENON_SVC_NOTIFIER, destroy) |
	       TENON_FIND(h, gpu_clock, TENON_SVC_CLOCK, monotonic_ns) |
	       TENON_FIND(h, gpu_shm, TENON_SVC_SHM, unmap) |
	       TENON_FIND(h, gpu_display, TENON_SVC_DISPLAY, move_cursor);
}

TENON_PLUGIN_CLASS("org.tenon.gpu", "0.1.0", "Apache-2.0", gpu_init, gpu_class, "gpu");

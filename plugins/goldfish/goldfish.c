/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real-time clock of the Goldfish platform, which is in stock riscv64 kernels: nanoseconds
 * since 1970 in two registers of 32 bits, and an alarm.
 *
 * Reading the low half of the time keeps the high half for the read that follows.  Writing the low
 * half of the time or of the alarm takes the high half that was written before.  The time is the
 * host's plus what the guest has set it off by.
 */
#include <errno.h>
#include <stdint.h>
#include <time.h>

#include <tenon/tenon.h>

enum {
	TIME_LOW = 0x00,
	TIME_HIGH = 0x04,
	ALARM_LOW = 0x08,
	ALARM_HIGH = 0x0c,
	IRQ_ENABLED = 0x10,
	CLEAR_ALARM = 0x14,
	ALARM_STATUS = 0x18,
	CLEAR_IRQ = 0x1c,
	WINDOW_SIZE = 0x1000,
};

#define SECOND     1000000000ll
#define FAR_NS     (1ull << 62) /* of the monotonic clock: nobody lives to see it */
#define LEAST_WAIT 1u

struct goldfish {
	int local;
	uint64_t offset_ns;             /* guest's time minus host's; wraps */
	uint32_t read_high, write_high; /* halves that wait for the other */
	uint32_t alarm_high;
	uint64_t alarm_ns; /* of the guest's time */
	int armed, enabled, raised;

	struct tenon_region *window;
	struct tenon_irq *irq;
	struct tenon_timer *timer;
};

static const struct tenon_host *host;
static const struct tenon_mmio *mmio;
static const struct tenon_irq_svc *irq;
static const struct tenon_clock *clock_svc;
static const struct tenon_event *event;
static const struct tenon_firmware *firmware;

static uint64_t guest_ns(const struct goldfish *g)
{
	return clock_svc->realtime_ns() + g->offset_ns;
}

static void update(struct goldfish *g)
{
	irq->set(g->irq, g->enabled && g->raised);
}

/* Raises the alarm that is due, or waits for it. */
static void look(struct goldfish *g)
{
	uint64_t now = guest_ns(g), wait, until;

	if (!g->armed) {
		event->timer_set(g->timer, 0);
		return;
	}
	if (g->alarm_ns <= now) {
		g->armed = 0;
		g->raised = 1;
		event->timer_set(g->timer, 0);
		update(g);
		return;
	}
	wait = g->alarm_ns - now;
	until = wait < FAR_NS ? clock_svc->monotonic_ns() + wait : FAR_NS;
	event->timer_set(g->timer, until + LEAST_WAIT);
}

static void expired(struct tenon_dev *dev, void *arg)
{
	(void)arg;
	look(host->priv(dev));
}

static uint64_t read_register(struct goldfish *g, uint64_t offset)
{
	uint64_t now;

	switch (offset) {
	case TIME_LOW:
		now = guest_ns(g);
		g->read_high = (uint32_t)(now >> 32);
		return now & UINT32_MAX;
	case TIME_HIGH:
		return g->read_high;
	case ALARM_LOW:
		return g->alarm_ns & UINT32_MAX;
	case ALARM_HIGH:
		return g->alarm_ns >> 32;
	case IRQ_ENABLED:
		return (uint64_t)g->enabled;
	case ALARM_STATUS:
		return (uint64_t)g->armed;
	default:
		return 0;
	}
}

static void write_register(struct goldfish *g, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case TIME_HIGH:
		g->write_high = value;
		break;
	case TIME_LOW:
		g->offset_ns = ((uint64_t)g->write_high << 32 | value) - clock_svc->realtime_ns();
		look(g);
		break;
	case ALARM_HIGH:
		g->alarm_high = value;
		break;
	case ALARM_LOW:
		g->alarm_ns = (uint64_t)g->alarm_high << 32 | value;
		g->armed = 1;
		look(g);
		break;
	case IRQ_ENABLED:
		g->enabled = (value & 1) != 0;
		break;
	case CLEAR_ALARM:
		g->armed = 0;
		look(g);
		break;
	case CLEAR_IRQ:
		g->raised = 0;
		break;
	default:
		break;
	}
	update(g);
}

static uint64_t window_read(struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size)
{
	(void)opaque;
	return size == 4 ? read_register(host->priv(dev), offset) : 0;
}

static void window_write(
	struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size, uint64_t value)
{
	(void)opaque;
	if (size == 4)
		write_register(host->priv(dev), offset, (uint32_t)value);
}

static const struct tenon_region_ops window_ops = {
	.struct_size = sizeof(window_ops),
	.read = window_read,
	.write = window_write,
};

/* ---- life ---- */

static int goldfish_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct goldfish *g = host->priv(dev);

	g->local = host->conf_int(config, "time") == 1;
	return 0;
}

static void power_on(struct goldfish *g)
{
	time_t now = (time_t)(clock_svc->realtime_ns() / (uint64_t)SECOND);
	struct tm tm = { 0 };

	if (g->local && localtime_r(&now, &tm))
		g->offset_ns = (uint64_t)((int64_t)tm.tm_gmtoff * SECOND);
}

static int goldfish_attach(struct tenon_dev *dev)
{
	const struct tenon_region_desc desc = {
		.struct_size = sizeof(desc),
		.space = TENON_SPACE_MMIO,
		.size = WINDOW_SIZE,
		.name = "clock",
		.ops = &window_ops,
	};
	struct goldfish *g = host->priv(dev);
	int ret = mmio->region_create(dev, &desc, &g->window);

	if (ret == 0)
		ret = mmio->map(g->window, TENON_ADDR_ANY);
	if (ret == 0)
		ret = irq->alloc(dev, TENON_IRQ_LEVEL, TENON_IRQ_ANY, &g->irq);
	if (ret == 0)
		ret = event->timer_add(dev, expired, NULL, &g->timer);
	if (ret == 0)
		power_on(g);
	return ret;
}

/* The time stays, as with a battery. */
static void goldfish_reset(struct tenon_dev *dev)
{
	struct goldfish *g = host->priv(dev);

	g->armed = g->enabled = g->raised = 0;
	g->read_high = g->write_high = g->alarm_high = 0;
	g->alarm_ns = 0;
	look(g);
	update(g);
}

static int goldfish_quiesce(struct tenon_dev *dev)
{
	const struct goldfish *g = host->priv(dev);

	event->timer_set(g->timer, 0);
	return 0;
}

static int goldfish_resume(struct tenon_dev *dev)
{
	look(host->priv(dev));
	return 0;
}

static int goldfish_describe(struct tenon_dev *dev, struct tenon_fw *fw)
{
	const struct goldfish *g = host->priv(dev);
	struct tenon_fw_node *node = firmware->node(fw, "rtc");
	int ret = node ? firmware->compatible(node, "google,goldfish-rtc") : -ENOMEM;

	if (ret == 0)
		ret = firmware->region(node, g->window);
	return ret < 0 ? ret : firmware->irq(node, g->irq);
}

static void goldfish_detach(struct tenon_dev *dev)
{
	struct goldfish *g = host->priv(dev);

	event->timer_remove(g->timer);
	irq->free(g->irq);
	mmio->region_destroy(g->window);
	g->timer = NULL;
	g->irq = NULL;
	g->window = NULL;
}

static const struct tenon_key keys[] = {
	{ "time", TENON_KEY_ENUM, 0, "utc", "utc|local",
		"what the clock shows at first: Linux expects UTC" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class goldfish_class = {
	.struct_size = sizeof(goldfish_class),
	.threads = TENON_SERIAL,
	.name = "goldfish",
	.summary = "the real-time clock of riscv64 machines, with its alarm",
	.keys = keys,
	.priv_size = sizeof(struct goldfish),
	.create = goldfish_create,
	.attach = goldfish_attach,
	.quiesce = goldfish_quiesce,
	.resume = goldfish_resume,
	.reset = goldfish_reset,
	.describe = goldfish_describe,
	.detach = goldfish_detach,
};

static const struct tenon_device_class *const classes[] = { &goldfish_class, NULL };

static int goldfish_init(const struct tenon_host *h)
{
	host = h;
	mmio = h->service(TENON_SVC_MMIO);
	irq = h->service(TENON_SVC_IRQ);
	clock_svc = h->service(TENON_SVC_CLOCK);
	event = h->service(TENON_SVC_EVENT);
	firmware = h->service(TENON_SVC_FIRMWARE);
	if (TENON_HAS(mmio, region_destroy) && TENON_HAS(irq, free) &&
		TENON_HAS(clock_svc, realtime_ns) && TENON_HAS(event, timer_remove) &&
		TENON_HAS(firmware, irq))
		return 0;
	h->log(NULL, TENON_LOG_ERR, "goldfish: this core lacks a service that is needed");
	return -ENOTSUP;
}

TENON_PLUGIN("org.tenon.goldfish", "0.1.0", "Apache-2.0", goldfish_init, classes, "goldfish");

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watchdog: a device for guests that may hang.
 *
 * The guest starts the watchdog and pets it now and then.  When a period passes without that, it
 * barks: its interrupt is raised until it is petted.  When another one passes, it bites: it resets
 * the machine, or does what `action` says.
 */
#include <tenon/tenon.h>

/* Registers of 32 bits; only whole accesses count. */
enum { ID = 0, CONTROL = 4, PET = 8, STATUS = 12, LEFT = 16, END = 20 };

#define ID_VALUE 0x676f6457u /* "Wdog" */
#define MS       1000000ull  /* in nanoseconds */

/* One instance: allocated by the core, zeroed, and under its lock in every callback. */
struct watchdog {
	uint64_t period_ns;
	int64_t action; /* the place among the choices of the setting */
	int running, barking;
	uint64_t deadline_ns, left_ns; /* while it runs; while it is quiesced */
	struct tenon_region *region;
	struct tenon_irq *irq;
	struct tenon_timer *timer;
};

/* The host's tables; the same for every instance, and the only global state. */
static const struct tenon_host *host;
static const struct tenon_mmio *mmio;
static const struct tenon_irq_svc *irq_svc;
static const struct tenon_event *event;
static const struct tenon_clock *clock_svc;
static const struct tenon_power *power;
static const struct tenon_firmware *firmware;
static const struct tenon_state *state; /* NULL: this core never saves */

static struct watchdog *watchdog(struct tenon_dev *dev)
{
	return (struct watchdog *)host->priv(dev);
}

static void wait_for(struct watchdog *w, uint64_t ns)
{
	w->deadline_ns = clock_svc->monotonic_ns() + ns;
	event->timer_set(w->timer, w->running ? w->deadline_ns : 0);
}

static uint64_t left_ns(const struct watchdog *w)
{
	uint64_t now = clock_svc->monotonic_ns();

	return w->running && w->deadline_ns > now ? w->deadline_ns - now : 0;
}

static void pet(struct watchdog *w)
{
	w->barking = 0;
	irq_svc->set(w->irq, 0);
	wait_for(w, w->period_ns);
}

static void watchdog_expired(struct tenon_dev *dev, void *arg) /* [loop] */
{
	struct watchdog *w = watchdog(dev);

	if (!w->barking) {
		w->barking = 1;
		irq_svc->set(w->irq, 1);
		wait_for(w, w->period_ns);
		return;
	}
	w->running = 0;
	host->log(dev, TENON_LOG_WARN, "the guest hangs: nobody pets the watchdog");
	w->action == 0 ? power->reset(dev) : power->off(dev);
}

/* ---- what the guest sees; nothing that it does may be trusted, or may block [vcpu] ---- */

static uint64_t watchdog_read(struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size)
{
	const struct watchdog *w = watchdog(dev);
	const uint64_t registers[END / 4] = { ID_VALUE, (uint64_t)w->running, 0,
		(uint64_t)w->barking, (left_ns(w) + MS - 1) / MS };

	return size == 4 && offset % 4 == 0 && offset < END ? registers[offset / 4] : 0;
}

static void watchdog_write(
	struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size, uint64_t value)
{
	if (size == 4 && offset == CONTROL)
		watchdog(dev)->running = (int)(value & 1);
	if (size == 4 && (offset == CONTROL || offset == PET))
		pet(watchdog(dev));
}

static const struct tenon_region_ops watchdog_ops = { sizeof(watchdog_ops), watchdog_read,
	watchdog_write };

/* ---- life: tenon-plugin(7) has the picture; all of it [main] ---- */

static int watchdog_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct watchdog *w = watchdog(dev);

	w->period_ns = (uint64_t)host->conf_int(config, "period") * MS;
	w->action = host->conf_int(config, "action");
	return 0;
}

static int watchdog_attach(struct tenon_dev *dev)
{
	static const struct tenon_region_desc window = { sizeof(window), TENON_SPACE_MMIO, END,
		"watchdog", &watchdog_ops, NULL };
	struct watchdog *w = watchdog(dev);
	int ret = mmio->region_create(dev, &window, &w->region);

	if (ret == 0) /* nothing to undo: detach follows a failed attach, too */
		ret = irq_svc->alloc(dev, TENON_IRQ_LEVEL, TENON_IRQ_ANY, &w->irq);
	if (ret == 0)
		ret = event->timer_add(dev, watchdog_expired, NULL, &w->timer);
	return ret < 0 ? ret : mmio->map(w->region, TENON_ADDR_ANY);
}

static int watchdog_quiesce(struct tenon_dev *dev)
{
	watchdog(dev)->left_ns = left_ns(watchdog(dev)); /* a pause is no hang */
	event->timer_set(watchdog(dev)->timer, 0);
	return 0;
}

static int watchdog_resume(struct tenon_dev *dev)
{
	wait_for(watchdog(dev), watchdog(dev)->left_ns);
	return 0;
}

static void watchdog_reset(struct tenon_dev *dev)
{
	watchdog(dev)->running = 0; /* the guest that starts next may know nothing of it */
	pet(watchdog(dev));
}

enum { TAG_RUNNING = 1, TAG_BARKING, TAG_LEFT }; /* never used again for something else */

static int watchdog_save(struct tenon_dev *dev, struct tenon_state_w *to)
{
	(void)state->put_u8(to, TAG_RUNNING, (uint8_t)watchdog(dev)->running);
	(void)state->put_u8(to, TAG_BARKING, (uint8_t)watchdog(dev)->barking);
	return state->put_u64(to, TAG_LEFT, watchdog(dev)->left_ns); /* the first error stays */
}

/* What is loaded may be anybody's; start goes on with it. */
static int watchdog_load(struct tenon_dev *dev, struct tenon_state_r *from, uint32_t version)
{
	struct watchdog *w = watchdog(dev);
	uint8_t running = 0, barking = 0;
	int ret;

	(void)state->get_u8(from, TENON_STATE_NEED | TAG_RUNNING, &running);
	(void)state->get_u8(from, TAG_BARKING, &barking);
	ret = state->get_u64(from, TAG_LEFT, &w->left_ns);
	w->left_ns = w->left_ns < w->period_ns ? w->left_ns : w->period_ns;
	w->running = running != 0;
	w->barking = barking != 0;
	irq_svc->set(w->irq, (uint32_t)w->barking);
	return ret;
}

static int watchdog_describe(struct tenon_dev *dev, struct tenon_fw *fw)
{
	struct tenon_fw_node *node = firmware->node(fw, "watchdog");

	if (!node || firmware->compatible(node, "example,watchdog") < 0 ||
		firmware->hid(node, "EXMP0001") < 0 ||
		firmware->region(node, watchdog(dev)->region) < 0)
		return -ENOMEM;
	return firmware->irq(node, watchdog(dev)->irq);
}

static void watchdog_detach(struct tenon_dev *dev)
{
	mmio->region_destroy(watchdog(dev)->region); /* first: no access comes any more */
	event->timer_remove(watchdog(dev)->timer);
	irq_svc->free(watchdog(dev)->irq);
}

/* ---- what it offers ---- */

static const struct tenon_key watchdog_keys[] = {
	{ "period", TENON_KEY_INT, 0, "10000", "1..86400000", "milliseconds until it barks" },
	{ "action", TENON_KEY_ENUM, 0, "reset", "reset|off", "what it does when it bites" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class watchdog_class = {
	.struct_size = sizeof(watchdog_class),
	.threads = TENON_SERIAL,
	.name = "watchdog",
	.summary = "watches over a guest that may hang",
	.keys = watchdog_keys,
	.priv_size = sizeof(struct watchdog),
	.create = watchdog_create,
	.attach = watchdog_attach,
	.start = watchdog_resume,
	.quiesce = watchdog_quiesce,
	.resume = watchdog_resume,
	.reset = watchdog_reset,
	.save = watchdog_save,
	.load = watchdog_load,
	.describe = watchdog_describe,
	.detach = watchdog_detach,
	.state_version = 1,
};

static int watchdog_init(const struct tenon_host *h)
{
	host = h;
	state = (const struct tenon_state *)h->service(TENON_SVC_STATE);
	return TENON_FIND(h, mmio, TENON_SVC_MMIO, region_destroy) |
	       TENON_FIND(h, irq_svc, TENON_SVC_IRQ, free) |
	       TENON_FIND(h, event, TENON_SVC_EVENT, timer_remove) |
	       TENON_FIND(h, clock_svc, TENON_SVC_CLOCK, monotonic_ns) |
	       TENON_FIND(h, power, TENON_SVC_POWER, reset) |
	       TENON_FIND(h, firmware, TENON_SVC_FIRMWARE, irq);
}

TENON_PLUGIN_CLASS(
	"org.example.watchdog", "1.0", "Apache-2.0", watchdog_init, watchdog_class, "watchdog");

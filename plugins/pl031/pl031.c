/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real-time clock of ARM's machines, PrimeCell PL031 (ARM DDI 0224): a counter of seconds of 32
 * bits, a match that raises an interrupt, and the identity by which the bus finds its driver.
 *
 * The counter is the host's time plus what the guest has set it off by.
 */
#include <errno.h>
#include <stdint.h>
#include <time.h>

#include <tenon/tenon.h>

enum {
	DATA = 0x00,
	MATCH = 0x04,
	LOAD = 0x08,
	CONTROL = 0x0c,
	MASK = 0x10,
	RAW_STATUS = 0x14,
	MASKED_STATUS = 0x18,
	CLEAR = 0x1c,
	IDENTITY = 0xfe0, /* eight bytes, each in a word of its own */
	WINDOW_SIZE = 0x1000,
};

#define SECOND  1000000000ull
#define ROUND   (1ull << 32) /* seconds, after which the counter is where it was */
#define STARTED 1u           /* it cannot be stopped */

/* Part 0x031 of ARM (0x41), revision 0; a PrimeCell. */
static const uint8_t identity[] = { 0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

struct pl031 {
	int local;
	int64_t offset_ns; /* guest's time minus host's */
	uint32_t match;
	uint64_t due;       /* the second of the guest's time that matches next, of 64 bits */
	int wanted, raised; /* the interrupt: not masked, and there */

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
static const struct tenon_state *state;

static uint64_t guest_ns(const struct pl031 *p)
{
	return clock_svc->realtime_ns() + (uint64_t)p->offset_ns;
}

static uint64_t seconds(const struct pl031 *p)
{
	return guest_ns(p) / SECOND;
}

static void update(const struct pl031 *p)
{
	irq->set(p->irq, p->wanted && p->raised);
}

/* Raises the match that has come, or waits for it. */
static void look(struct pl031 *p)
{
	const uint64_t now = guest_ns(p);
	uint64_t wait;

	if (p->due <= now / SECOND) {
		p->raised = 1;
		p->due += (now / SECOND - p->due + ROUND) / ROUND * ROUND;
	}
	wait = p->due * SECOND - now; /* less than 2^32 seconds */
	event->timer_set(p->timer, clock_svc->monotonic_ns() + wait);
	update(p);
}

/* The second that is matches at once. */
static void begin_match(struct pl031 *p)
{
	const uint64_t now = seconds(p);

	p->due = now + (uint32_t)(p->match - (uint32_t)now);
	look(p);
}

static void expired(struct tenon_dev *dev, void *arg)
{
	(void)arg;
	look(host->priv(dev));
}

static uint64_t read_register(const struct pl031 *p, uint64_t offset)
{
	switch (offset) {
	case DATA:
	case LOAD:
		return (uint32_t)seconds(p);
	case MATCH:
		return p->match;
	case CONTROL:
		return STARTED;
	case MASK:
		return (uint64_t)p->wanted;
	case RAW_STATUS:
		return (uint64_t)p->raised;
	case MASKED_STATUS:
		return (uint64_t)(p->wanted && p->raised);
	default:
		if (offset >= IDENTITY && offset % 4 == 0)
			return identity[(offset - IDENTITY) / 4];
		return 0;
	}
}

static void write_register(struct pl031 *p, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case MATCH:
		p->match = value;
		begin_match(p);
		break;
	case LOAD:
		p->offset_ns = (int64_t)(value * SECOND - clock_svc->realtime_ns());
		begin_match(p);
		break;
	case MASK:
		p->wanted = (value & 1) != 0;
		break;
	case CLEAR:
		p->raised = p->raised && !(value & 1);
		break;
	default:
		break;
	}
	update(p);
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

static int pl031_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct pl031 *p = host->priv(dev);

	p->local = host->conf_int(config, "time") == 1;
	return 0;
}

/* Where a match register that nobody wrote leads. */
static uint64_t next_zero(const struct pl031 *p)
{
	return (seconds(p) / ROUND + 1) * ROUND;
}

static void power_on(struct pl031 *p)
{
	time_t now = (time_t)(clock_svc->realtime_ns() / SECOND);
	struct tm tm = { 0 };

	if (p->local && localtime_r(&now, &tm))
		p->offset_ns = (int64_t)tm.tm_gmtoff * (int64_t)SECOND;
}

static int pl031_attach(struct tenon_dev *dev)
{
	const struct tenon_region_desc desc = {
		.struct_size = sizeof(desc),
		.space = TENON_SPACE_MMIO,
		.size = WINDOW_SIZE,
		.name = "clock",
		.ops = &window_ops,
	};
	struct pl031 *p = host->priv(dev);
	int ret;

	tzset(); /* the first use of a date reads the time zone's file, which is for now */
	ret = mmio->region_create(dev, &desc, &p->window);
	if (ret == 0)
		ret = mmio->map(p->window, TENON_ADDR_ANY);
	if (ret == 0)
		ret = irq->alloc(dev, TENON_IRQ_LEVEL, TENON_IRQ_ANY, &p->irq);
	if (ret == 0)
		ret = event->timer_add(dev, expired, NULL, &p->timer);
	if (ret == 0)
		power_on(p);
	p->due = next_zero(p);
	return ret;
}

/* The time stays, as with a battery. */
static void pl031_reset(struct tenon_dev *dev)
{
	struct pl031 *p = host->priv(dev);

	p->wanted = p->raised = 0;
	p->match = 0;
	p->due = next_zero(p);
	look(p);
}

static int pl031_quiesce(struct tenon_dev *dev)
{
	const struct pl031 *p = host->priv(dev);

	event->timer_set(p->timer, 0);
	return 0;
}

static int pl031_resume(struct tenon_dev *dev)
{
	look(host->priv(dev));
	return 0;
}

/* ---- state: the guest's time is that of the host and an offset, also in another process ---- */

enum { TAG_OFFSET = 1, TAG_MATCH, TAG_WANTED, TAG_RAISED, TAG_DUE };

static int pl031_save(struct tenon_dev *dev, struct tenon_state_w *w)
{
	const struct pl031 *p = host->priv(dev);

	(void)state->put_u64(w, TAG_OFFSET, (uint64_t)p->offset_ns);
	(void)state->put_u64(w, TAG_MATCH, p->match);
	(void)state->put_u64(w, TAG_DUE, p->due);
	(void)state->put_u8(w, TAG_WANTED, (uint8_t)p->wanted);
	return state->put_u8(w, TAG_RAISED, (uint8_t)p->raised);
}

static int pl031_load(struct tenon_dev *dev, struct tenon_state_r *from, uint32_t version)
{
	struct pl031 *p = host->priv(dev);
	uint64_t offset = 0, match = 0, due = 0;
	uint8_t wanted = 0, raised = 0;
	int ret;

	(void)version;
	(void)state->get_u64(from, TENON_STATE_NEED | TAG_OFFSET, &offset);
	(void)state->get_u64(from, TENON_STATE_NEED | TAG_MATCH, &match);
	(void)state->get_u64(from, TENON_STATE_NEED | TAG_DUE, &due);
	(void)state->get_u8(from, TENON_STATE_NEED | TAG_WANTED, &wanted);
	ret = state->get_u8(from, TENON_STATE_NEED | TAG_RAISED, &raised);
	if (ret < 0)
		return ret;
	p->offset_ns = (int64_t)offset;
	p->match = (uint32_t)match;
	p->due = due;
	if (due > seconds(p) + ROUND) /* no match is further away */
		begin_match(p);
	p->wanted = wanted & 1;
	p->raised = raised & 1;
	return 0;
}

static int pl031_describe(struct tenon_dev *dev, struct tenon_fw *fw)
{
	const struct pl031 *p = host->priv(dev);
	struct tenon_fw_node *node = firmware->node(fw, "rtc");
	int ret = node ? firmware->compatible(node, "arm,pl031") : -ENOMEM;

	if (ret == 0)
		ret = firmware->compatible(node, "arm,primecell");
	if (ret == 0)
		ret = firmware->region(node, p->window);
	return ret < 0 ? ret : firmware->irq(node, p->irq);
}

static void pl031_detach(struct tenon_dev *dev)
{
	struct pl031 *p = host->priv(dev);

	event->timer_remove(p->timer);
	irq->free(p->irq);
	mmio->region_destroy(p->window);
	p->timer = NULL;
	p->irq = NULL;
	p->window = NULL;
}

static const struct tenon_key keys[] = {
	{ "time", TENON_KEY_ENUM, 0, "utc", "utc|local",
		"what the clock shows at first: Linux expects UTC" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class pl031_class = {
	.struct_size = sizeof(pl031_class),
	.threads = TENON_SERIAL,
	.name = "pl031",
	.summary = "the real-time clock of ARM's machines, with its alarm",
	.keys = keys,
	.priv_size = sizeof(struct pl031),
	.create = pl031_create,
	.attach = pl031_attach,
	.start = pl031_resume, /* one that was loaded goes on */
	.quiesce = pl031_quiesce,
	.resume = pl031_resume,
	.reset = pl031_reset,
	.save = pl031_save,
	.load = pl031_load,
	.state_version = 1,
	.describe = pl031_describe,
	.detach = pl031_detach,
};

static int pl031_init(const struct tenon_host *h)
{
	host = h;
	return TENON_FIND(h, mmio, TENON_SVC_MMIO, region_destroy) |
	       TENON_FIND(h, irq, TENON_SVC_IRQ, free) |
	       TENON_FIND(h, clock_svc, TENON_SVC_CLOCK, realtime_ns) |
	       TENON_FIND(h, event, TENON_SVC_EVENT, timer_remove) |
	       TENON_FIND(h, firmware, TENON_SVC_FIRMWARE, irq) |
	       TENON_FIND(h, state, TENON_SVC_STATE, put_u64);
}

TENON_PLUGIN_CLASS("org.tenon.pl031", "0.1.0", "Apache-2.0", pl031_init, pl031_class, "pl031");

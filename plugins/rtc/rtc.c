/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real-time clock of a PC (Motorola MC146818 and its successors' century register): two ports,
 * 128 bytes of which the first are the time, and interrupt 8 for the alarm, each second and the
 * periodic rate.
 *
 * The time is the host's plus what the guest has set it off by; it is worked out when a register is
 * read, so there is never an update in progress.  While the guest holds the clock (SET in register
 * B) the registers keep what is written, and become the time when it lets go.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include <tenon/clock.h>
#include <tenon/event.h>
#include <tenon/firmware.h>
#include <tenon/irq.h>
#include <tenon/mmio.h>
#include <tenon/plugin.h>
#include <tenon/state.h>

#include "calendar.h"

#define PORT        0x70u
#define LINE        8u
#define SECOND      1000000000ull
#define DAY_SECONDS 86400u
#define LAST_SECOND 9000000000ll /* in the year 2255: later ones have too many nanoseconds */
#define N_CELLS     128u

/* Cells. */
enum {
	SECONDS,
	SECONDS_ALARM,
	MINUTES,
	MINUTES_ALARM,
	HOURS,
	HOURS_ALARM,
	WEEKDAY,
	DAY,
	MONTH,
	YEAR,
	REG_A,
	REG_B,
	REG_C,
	REG_D,
	CENTURY = 0x32,
};

#define A_RATE   0x0fu
#define A_USED   0x7fu
#define A_START  0x26u /* the divider of 32768 Hz, 1024 interrupts a second */
#define B_24H    0x02u
#define B_BINARY 0x04u
#define B_UPDATE 0x10u /* interrupt each second */
#define B_ALARM  0x20u
#define B_RATE   0x40u
#define B_SET    0x80u
#define C_ANY    0x80u /* with the bits of B that caused it */
#define D_VALID  0x80u /* the battery is good */
#define ANY_TIME 0xc0u /* in an alarm: every hour, minute, second */

struct rtc {
	bool local;
	int64_t offset_ns; /* guest's time minus host's */
	uint8_t index;
	uint8_t cells[N_CELLS];
	uint64_t next_second;  /* of the guest's time: the first that is not yet accounted for */
	uint64_t next_tick_ns; /* of the monotonic clock: the next periodic interrupt; 0 = none */

	struct tenon_region *region;
	struct tenon_irq *line;
	struct tenon_timer *timer;
};

static const struct tenon_host *host;
static const struct tenon_mmio *mmio;
static const struct tenon_irq_svc *irq;
static const struct tenon_clock *clock_svc;
static const struct tenon_event *event;
static const struct tenon_firmware *firmware;
static const struct tenon_state *state; /* NULL: save and load are not called */

/* ---- time ---- */

static struct calendar_form form_of(const struct rtc *r)
{
	return (struct calendar_form){ r->cells[REG_B] & B_BINARY, r->cells[REG_B] & B_24H };
}

static uint64_t guest_ns(const struct rtc *r)
{
	int64_t ns = (int64_t)clock_svc->realtime_ns() + r->offset_ns;

	return ns < 0 ? 0 : (uint64_t)ns;
}

/* The cells of the time, from the clock. */
static void read_clock(struct rtc *r)
{
	struct calendar_form form = form_of(r);
	time_t now = (time_t)(guest_ns(r) / SECOND);
	struct tm tm = { 0 };

	if (!gmtime_r(&now, &tm))
		return;
	r->cells[SECONDS] = calendar_put((uint32_t)tm.tm_sec, form);
	r->cells[MINUTES] = calendar_put((uint32_t)tm.tm_min, form);
	r->cells[HOURS] = calendar_put_hour((uint32_t)tm.tm_hour, form);
	r->cells[WEEKDAY] = calendar_put((uint32_t)tm.tm_wday + 1, form);
	r->cells[DAY] = calendar_put((uint32_t)tm.tm_mday, form);
	r->cells[MONTH] = calendar_put((uint32_t)tm.tm_mon + 1, form);
	r->cells[YEAR] = calendar_put((uint32_t)(tm.tm_year % 100), form);
	r->cells[CENTURY] = calendar_put((uint32_t)(19 + tm.tm_year / 100), form);
}

/* The clock, from the cells of the time.  timegm() makes a time of any cells; one that the clock
 * cannot show is as if it had not been written. */
static void set_clock(struct rtc *r)
{
	struct calendar_form form = form_of(r);
	uint32_t century = calendar_get(r->cells[CENTURY], form);
	struct tm tm = {
		.tm_sec = (int)calendar_get(r->cells[SECONDS], form),
		.tm_min = (int)calendar_get(r->cells[MINUTES], form),
		.tm_hour = (int)calendar_get_hour(r->cells[HOURS], form),
		.tm_mday = (int)calendar_get(r->cells[DAY], form),
		.tm_mon = (int)calendar_get(r->cells[MONTH], form) - 1,
		.tm_year = (int)(century * 100 + calendar_get(r->cells[YEAR], form)) - 1900,
	};
	int64_t wanted = (int64_t)timegm(&tm);

	if (wanted < 0 || wanted > LAST_SECOND)
		return;
	r->offset_ns = wanted * (int64_t)SECOND - (int64_t)clock_svc->realtime_ns();
	r->next_second = (uint64_t)wanted + 1;
}

/* ---- interrupts ---- */

/* An edge when the first of the enabled causes comes; reading register C takes them all. */
static void raise_flags(struct rtc *r, uint8_t flags)
{
	uint8_t before = r->cells[REG_C];

	r->cells[REG_C] |= flags;
	if (!(r->cells[REG_C] & r->cells[REG_B] & (B_UPDATE | B_ALARM | B_RATE)))
		return;
	r->cells[REG_C] |= C_ANY;
	if (!(before & C_ANY))
		irq->pulse(r->line);
}

/* Whether the alarm is due at one of the seconds from @first to @last. */
static bool alarm_between(const struct rtc *r, uint64_t first, uint64_t last)
{
	struct calendar_form form = form_of(r);
	bool any_s = r->cells[SECONDS_ALARM] >= ANY_TIME;
	bool any_m = r->cells[MINUTES_ALARM] >= ANY_TIME;
	bool any_h = r->cells[HOURS_ALARM] >= ANY_TIME;
	uint32_t s = calendar_get(r->cells[SECONDS_ALARM], form);
	uint32_t m = calendar_get(r->cells[MINUTES_ALARM], form);
	uint32_t h = calendar_get_hour(r->cells[HOURS_ALARM], form);

	if (last - first >= DAY_SECONDS) /* it comes once a day at least */
		first = last - DAY_SECONDS + 1;
	for (; first <= last; first++) {
		uint32_t t = (uint32_t)(first % DAY_SECONDS);

		if ((any_s || t % 60 == s) && (any_m || t / 60 % 60 == m) &&
			(any_h || t / 3600 == h))
			return true;
	}
	return false;
}

/* Rates 1 and 2 are those of 8 and 9 (a divider of 32768 Hz). */
static uint64_t period_ns(const struct rtc *r)
{
	unsigned rate = r->cells[REG_A] & A_RATE;

	if (rate == 0)
		return 0;
	if (rate <= 2)
		rate += 7;
	return (SECOND << (rate - 1)) / 32768;
}

/* What the seconds gone by since the last look amount to.  A guest that slept past many of them
 * hears of them once. */
static void account_seconds(struct rtc *r)
{
	uint64_t now = guest_ns(r) / SECOND;
	uint8_t flags = B_UPDATE;

	if ((r->cells[REG_B] & B_SET) || now < r->next_second)
		return;
	if (alarm_between(r, r->next_second, now))
		flags |= B_ALARM;
	r->next_second = now + 1;
	raise_flags(r, flags);
}

/* The timer runs only while somebody waits for an interrupt. */
static void arm(struct rtc *r)
{
	uint64_t mono = clock_svc->monotonic_ns(), at = 0;
	uint8_t wanted = r->cells[REG_B] & (B_UPDATE | B_ALARM | B_RATE);
	uint64_t period = period_ns(r);

	if (!r->timer)
		return;
	if ((wanted & (B_UPDATE | B_ALARM)) && !(r->cells[REG_B] & B_SET))
		at = mono + SECOND - guest_ns(r) % SECOND;
	if (!(wanted & B_RATE) || period == 0)
		r->next_tick_ns = 0;
	else if (r->next_tick_ns == 0)
		r->next_tick_ns = mono + period;
	if (r->next_tick_ns && (at == 0 || r->next_tick_ns < at))
		at = r->next_tick_ns;
	event->timer_set(r->timer, at);
}

static void expired(struct tenon_dev *dev, void *arg)
{
	struct rtc *r = host->priv(dev);
	uint64_t mono = clock_svc->monotonic_ns(), period = period_ns(r);

	(void)arg;
	if (r->next_tick_ns && period && mono >= r->next_tick_ns) {
		r->next_tick_ns += period * ((mono - r->next_tick_ns) / period + 1);
		raise_flags(r, B_RATE);
	}
	account_seconds(r);
	arm(r);
}

/* ---- registers ---- */

static bool is_time(uint8_t cell)
{
	return cell == SECONDS || cell == MINUTES || cell == HOURS ||
	       (cell >= WEEKDAY && cell <= YEAR) || cell == CENTURY;
}

static uint8_t read_cell(struct rtc *r)
{
	uint8_t cell = r->index, value;

	switch (cell) {
	case REG_C:
		account_seconds(r);
		value = r->cells[REG_C];
		r->cells[REG_C] = 0;
		return value;
	case REG_D:
		return D_VALID;
	default:
		if (is_time(cell) && !(r->cells[REG_B] & B_SET))
			read_clock(r);
		return r->cells[cell];
	}
}

static void write_b(struct rtc *r, uint8_t value)
{
	uint8_t before = r->cells[REG_B];

	account_seconds(r);
	if (!(before & B_SET) && (value & B_SET))
		read_clock(r); /* what is not written keeps the present time */
	if (value & B_SET)
		value &= (uint8_t)~B_UPDATE; /* as the data sheet has it */
	r->cells[REG_B] = value;
	if ((before & B_SET) && !(value & B_SET))
		set_clock(r);
	raise_flags(r, 0);
}

static void write_cell(struct rtc *r, uint8_t value)
{
	uint8_t cell = r->index;

	if (cell == REG_C || cell == REG_D)
		return;
	if (cell == REG_B) {
		write_b(r, value);
	} else if (cell == REG_A) {
		r->cells[REG_A] = value & A_USED;
		r->next_tick_ns = 0;
	} else if (is_time(cell) && !(r->cells[REG_B] & B_SET)) {
		read_clock(r);
		r->cells[cell] = value;
		set_clock(r);
	} else {
		r->cells[cell] = value;
	}
	arm(r);
}

static uint64_t rtc_read(struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size)
{
	struct rtc *r = host->priv(dev);

	(void)opaque;
	if (size != 1)
		return UINT64_MAX;
	return offset == 0 ? r->index : read_cell(r);
}

static void rtc_write(
	struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size, uint64_t value)
{
	struct rtc *r = host->priv(dev);

	(void)opaque;
	if (size != 1)
		return;
	if (offset == 0)
		r->index = value & (N_CELLS - 1); /* bit 7 was a PC's NMI mask */
	else
		write_cell(r, (uint8_t)value);
}

static const struct tenon_region_ops ops = {
	.struct_size = sizeof(ops),
	.read = rtc_read,
	.write = rtc_write,
};

/* ---- life ---- */

static int rtc_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct rtc *r = host->priv(dev);

	r->local = host->conf_int(config, "time") == 1;
	return 0;
}

/* The battery keeps the cells and the time; interrupts are off. */
static void rtc_reset(struct tenon_dev *dev)
{
	struct rtc *r = host->priv(dev);

	r->cells[REG_B] &= (uint8_t) ~(B_UPDATE | B_ALARM | B_RATE);
	r->cells[REG_C] = 0;
	r->index = 0;
	arm(r);
}

static void power_on(struct rtc *r)
{
	time_t now = (time_t)(clock_svc->realtime_ns() / SECOND);
	struct tm tm = { 0 };

	r->cells[REG_A] = A_START;
	r->cells[REG_B] = B_24H;
	r->offset_ns = 0;
	if (r->local && localtime_r(&now, &tm))
		r->offset_ns = (int64_t)tm.tm_gmtoff * (int64_t)SECOND;
	r->next_second = guest_ns(r) / SECOND + 1;
}

static int rtc_attach(struct tenon_dev *dev)
{
	const struct tenon_region_desc desc = {
		.struct_size = sizeof(desc),
		.space = TENON_SPACE_PIO,
		.size = 2,
		.name = "clock",
		.ops = &ops,
	};
	struct rtc *r = host->priv(dev);
	int ret = mmio->region_create(dev, &desc, &r->region);

	tzset(); /* the first use of a date reads the time zone's file, which is for now */
	if (ret == -ENOTSUP)
		return host->fail(dev, ret, "this is the clock of a PC: it needs ports");
	if (ret == 0)
		ret = mmio->map(r->region, PORT);
	if (ret == 0)
		ret = irq->alloc(dev, TENON_IRQ_EDGE, LINE, &r->line);
	if (ret == 0)
		ret = event->timer_add(dev, expired, NULL, &r->timer);
	if (ret == 0)
		power_on(r);
	return ret;
}

static int rtc_quiesce(struct tenon_dev *dev)
{
	struct rtc *r = host->priv(dev);

	event->timer_set(r->timer, 0);
	return 0;
}

static int rtc_resume(struct tenon_dev *dev)
{
	struct rtc *r = host->priv(dev);

	account_seconds(r);
	arm(r);
	return 0;
}

/* ---- state: the guest's time is that of the host and an offset, also in another process ---- */

enum { TAG_INDEX = 1, TAG_CELLS, TAG_OFFSET, TAG_NEXT_SECOND, TAG_TICK };

static int rtc_save(struct tenon_dev *dev, struct tenon_state_w *w)
{
	const struct rtc *r = host->priv(dev);
	uint64_t mono = clock_svc->monotonic_ns();

	(void)state->put_u8(w, TAG_INDEX, r->index);
	(void)state->put_bytes(w, TAG_CELLS, r->cells, N_CELLS);
	(void)state->put_u64(w, TAG_OFFSET, (uint64_t)r->offset_ns);
	if (r->next_tick_ns) /* how long it is until then */
		(void)state->put_u64(
			w, TAG_TICK, r->next_tick_ns > mono ? r->next_tick_ns - mono : 0);
	return state->put_u64(w, TAG_NEXT_SECOND, r->next_second);
}

/* Whether the clock can show the time that this makes. */
static bool offset_is_fine(int64_t offset_ns)
{
	int64_t ns;

	return !__builtin_add_overflow((int64_t)clock_svc->realtime_ns(), offset_ns, &ns) &&
	       ns >= 0 && ns / (int64_t)SECOND <= LAST_SECOND;
}

static int rtc_load(struct tenon_dev *dev, struct tenon_state_r *from, uint32_t version)
{
	struct rtc *r = host->priv(dev);
	uint64_t offset = 0, tick = UINT64_MAX;
	int ret;

	(void)version;
	(void)state->get_u8(from, TENON_STATE_NEED | TAG_INDEX, &r->index);
	(void)state->get_bytes(from, TENON_STATE_NEED | TAG_CELLS, r->cells, N_CELLS, NULL);
	(void)state->get_u64(from, TENON_STATE_NEED | TAG_OFFSET, &offset);
	(void)state->get_u64(from, TAG_TICK, &tick);
	ret = state->get_u64(from, TENON_STATE_NEED | TAG_NEXT_SECOND, &r->next_second);
	if (ret < 0)
		return ret;
	if (!offset_is_fine((int64_t)offset))
		return tenon_failf(host, dev, -ERANGE,
			"the saved clock is %lld seconds off, which makes a time that it cannot "
			"show",
			(long long)offset / (long long)SECOND);
	r->offset_ns = (int64_t)offset;
	r->index &= N_CELLS - 1;
	r->cells[REG_A] &= A_USED;
	if (tick <= 2 * period_ns(r)) /* else it is set anew */
		r->next_tick_ns = clock_svc->monotonic_ns() + tick;
	return 0;
}

static int rtc_describe(struct tenon_dev *dev, struct tenon_fw *fw)
{
	const struct rtc *r = host->priv(dev);
	struct tenon_fw_node *node = firmware->node(fw, "rtc");
	int ret = node ? firmware->hid(node, "PNP0B00") : -ENOMEM;

	if (ret == 0)
		ret = firmware->region(node, r->region);
	return ret < 0 ? ret : firmware->irq(node, r->line);
}

static void rtc_detach(struct tenon_dev *dev)
{
	struct rtc *r = host->priv(dev);

	event->timer_remove(r->timer);
	irq->free(r->line);
	mmio->region_destroy(r->region);
	r->timer = NULL;
	r->line = NULL;
	r->region = NULL;
}

static const struct tenon_key keys[] = {
	{ "time", TENON_KEY_ENUM, 0, "utc", "utc|local",
		"what the clock shows at first: Linux expects UTC" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class rtc_class = {
	.struct_size = sizeof(rtc_class),
	.threads = TENON_SERIAL,
	.name = "rtc",
	.summary = "the real-time clock of a PC, with its alarm",
	.keys = keys,
	.priv_size = sizeof(struct rtc),
	.create = rtc_create,
	.attach = rtc_attach,
	.start = rtc_resume, /* one that was loaded goes on */
	.quiesce = rtc_quiesce,
	.resume = rtc_resume,
	.reset = rtc_reset,
	.save = rtc_save,
	.load = rtc_load,
	.state_version = 1,
	.describe = rtc_describe,
	.detach = rtc_detach,
};

static const struct tenon_device_class *const classes[] = { &rtc_class, NULL };

static int rtc_init(const struct tenon_host *h)
{
	host = h;
	mmio = h->service(TENON_SVC_MMIO);
	irq = h->service(TENON_SVC_IRQ);
	clock_svc = h->service(TENON_SVC_CLOCK);
	event = h->service(TENON_SVC_EVENT);
	firmware = h->service(TENON_SVC_FIRMWARE);
	state = h->service(TENON_SVC_STATE);
	if (TENON_HAS(mmio, region_destroy) && TENON_HAS(irq, free) &&
		TENON_HAS(clock_svc, realtime_ns) && TENON_HAS(event, timer_remove) &&
		TENON_HAS(firmware, irq))
		return 0;
	h->log(NULL, TENON_LOG_ERR, "rtc: this core lacks a service that is needed");
	return -ENOTSUP;
}

TENON_PLUGIN("org.tenon.rtc", "0.1.0", "Apache-2.0", rtc_init, classes, "rtc");

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serial: a 16550A UART.
 *
 * Register accesses come on vCPUs, everything else on the loop, both under the instance's lock.
 * Output goes into a FIFO of 64 bytes on its way to the terminal or a file; while it is full the
 * transmitter says that it is busy (LSR.THRE clear), as a real one on a slow line does, so that
 * nothing is lost and no vCPU waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <tenon/tenon.h>

#define N_REGISTERS 8u
#define DEFAULT_IRQ 4u
#define RX_ROOM     64u
#define TX_ROOM     64u

/* Registers by offset; several share one. */
enum { RBR_THR_DLL, IER_DLM, IIR_FCR, LCR, MCR, LSR, MSR, SCR };

#define IER_RX   0x01u
#define IER_THRE 0x02u
#define IER_LINE 0x04u
#define IER_MASK 0x0fu

#define IIR_NONE 0x01u
#define IIR_THRE 0x02u
#define IIR_RX   0x04u
#define IIR_LINE 0x06u
#define IIR_FIFO 0xc0u

#define FCR_ENABLE   0x01u
#define FCR_CLEAR_RX 0x02u

#define LCR_DLAB 0x80u

#define MCR_OUT2 0x08u
#define MCR_LOOP 0x10u
#define MCR_MASK 0x1fu

#define LSR_DATA    0x01u
#define LSR_OVERRUN 0x02u
#define LSR_THRE    0x20u
#define LSR_IDLE    0x40u

#define MSR_CTS 0x10u
#define MSR_DSR 0x20u
#define MSR_RI  0x40u
#define MSR_DCD 0x80u

/* The choices of `output`, in their order. */
enum { TO_TERMINAL, TO_FILE, TO_NONE };

struct serial {
	int output;
	const char *path;
	bool wants_input;
	uint64_t port;
	int fd;

	struct tenon_region *region;
	struct tenon_irq *irq;
	struct tenon_timer *ask; /* for input, from the loop: registers may not */
	bool starved;            /* input was refused for want of room */
	bool quiesced;

	uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
	bool overrun;
	bool thre_pending; /* the THRE interrupt was not yet seen through IIR */
	uint8_t rx[RX_ROOM], tx[TX_ROOM];
	uint32_t rx_at, rx_n, tx_n;
	bool line; /* of the interrupt: pulsed when it rises */
};

static const struct tenon_host *host;
static const struct tenon_mmio *mmio;
static const struct tenon_event *event;
static const struct tenon_clock *clock_svc;
static const struct tenon_irq_svc *irq;
static const struct tenon_terminal *terminal;
static const struct tenon_firmware *firmware;
static const struct tenon_state *state; /* NULL: save and load are not called */

/* ---- interrupts ---- */

static uint8_t interrupt_id(const struct serial *s)
{
	if ((s->ier & IER_LINE) && s->overrun)
		return IIR_LINE;
	if ((s->ier & IER_RX) && s->rx_n > 0)
		return IIR_RX;
	if ((s->ier & IER_THRE) && s->thre_pending)
		return IIR_THRE;
	return IIR_NONE;
}

/* The line is edge-triggered: an edge for every rise. */
static void update_line(struct serial *s)
{
	bool line = interrupt_id(s) != IIR_NONE;

	if (line && !s->line)
		irq->pulse(s->irq);
	s->line = line;
}

/* After a cause was served while another stands, the driver must hear of that one too. */
static void served(struct serial *s)
{
	s->line = false;
	update_line(s);
}

/* ---- output ---- */

/* Gives the FIFO's bytes away as far as they go. */
static void drain(struct tenon_dev *dev, struct serial *s)
{
	size_t n = s->tx_n;
	bool was_full = s->tx_n == TX_ROOM;

	if (n == 0)
		return;
	if (s->output == TO_TERMINAL) {
		n = terminal->write(dev, s->tx, n);
	} else if (s->output == TO_FILE) {
		ssize_t w;

		do
			w = write(s->fd, s->tx, n);
		while (w < 0 && errno == EINTR);
		if (w < 0)
			tenon_logf(host, dev, TENON_LOG_WARN, "cannot write to \"%s\": %s", s->path,
				strerror(errno));
		n = w < 0 ? n : (size_t)w;
	}
	memmove(s->tx, s->tx + n, s->tx_n - n);
	s->tx_n -= (uint32_t)n;
	if (was_full && s->tx_n < TX_ROOM) {
		s->thre_pending = true;
		update_line(s);
	}
}

static void receive(struct serial *s, uint8_t byte)
{
	if (s->rx_n == RX_ROOM) {
		s->overrun = true;
		return;
	}
	s->rx[(s->rx_at + s->rx_n) % RX_ROOM] = byte;
	s->rx_n++;
}

static void transmit(struct tenon_dev *dev, struct serial *s, uint8_t byte)
{
	s->thre_pending = false;
	if (s->mcr & MCR_LOOP) {
		receive(s, byte);
	} else if (s->tx_n < TX_ROOM) {
		s->tx[s->tx_n++] = byte;
		drain(dev, s);
	}
	/* The byte is away at once unless the FIFO is full. */
	if (s->tx_n < TX_ROOM)
		s->thre_pending = true;
	served(s);
}

/* ---- input ---- */

static bool in_loop(const struct serial *s)
{
	return s->mcr & MCR_LOOP;
}

/* There may be room for what the terminal was left with: it is asked for, as soon as the loop has
 * gone round once. */
static void take_more(struct serial *s)
{
	if (!s->starved || s->rx_n > 0 || in_loop(s) || s->quiesced)
		return;
	s->starved = false;
	event->timer_set(s->ask, clock_svc->monotonic_ns());
}

static void ask(struct tenon_dev *dev, void *arg)
{
	(void)arg;
	(void)terminal->want_input(dev, 1); /* another may have it: that was said at the start */
}

/* ---- registers ---- */

static uint8_t modem_status(const struct serial *s)
{
	uint8_t v = 0;

	if (!(s->mcr & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	if (s->mcr & 0x01)
		v |= MSR_DSR;
	if (s->mcr & 0x02)
		v |= MSR_CTS;
	if (s->mcr & 0x04)
		v |= MSR_RI;
	if (s->mcr & MCR_OUT2)
		v |= MSR_DCD;
	return v;
}

static uint8_t take_byte(struct serial *s)
{
	uint8_t byte = 0;

	if (s->rx_n > 0) {
		byte = s->rx[s->rx_at];
		s->rx_at = (s->rx_at + 1) % RX_ROOM;
		s->rx_n--;
	}
	take_more(s);
	served(s);
	return byte;
}

static uint8_t take_id(struct serial *s)
{
	uint8_t id = interrupt_id(s);

	if (id == IIR_THRE) {
		s->thre_pending = false;
		served(s);
	}
	return (uint8_t)(id | (s->fcr & FCR_ENABLE ? IIR_FIFO : 0));
}

static uint8_t take_line_status(struct serial *s)
{
	uint8_t v = 0;

	if (s->rx_n > 0)
		v |= LSR_DATA;
	if (s->overrun)
		v |= LSR_OVERRUN;
	if (s->tx_n < TX_ROOM)
		v |= LSR_THRE;
	if (s->tx_n == 0)
		v |= LSR_IDLE;
	if (s->overrun) {
		s->overrun = false;
		served(s);
	}
	return v;
}

static uint64_t serial_read(struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size)
{
	struct serial *s = host->priv(dev);
	bool dlab = s->lcr & LCR_DLAB;

	(void)opaque;
	if (size != 1)
		return 0;
	switch (offset) {
	case RBR_THR_DLL:
		return dlab ? s->dll : take_byte(s);
	case IER_DLM:
		return dlab ? s->dlm : s->ier;
	case IIR_FCR:
		return take_id(s);
	case LCR:
		return s->lcr;
	case MCR:
		return s->mcr;
	case LSR:
		return take_line_status(s);
	case MSR:
		return modem_status(s);
	case SCR:
		return s->scr;
	default:
		return 0;
	}
}

static void write_ier(struct serial *s, uint8_t value)
{
	bool enabled = (value & ~s->ier) & IER_THRE;

	s->ier = value & IER_MASK;
	/* Enabling the interrupt raises it when there is room already. */
	if (enabled && s->tx_n < TX_ROOM)
		s->thre_pending = true;
	served(s);
}

static void write_fcr(struct serial *s, uint8_t value)
{
	s->fcr = value & FCR_ENABLE;
	if (value & FCR_CLEAR_RX)
		s->rx_n = 0;
	take_more(s);
	served(s);
}

static void serial_write(
	struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size, uint64_t value)
{
	struct serial *s = host->priv(dev);
	uint8_t v = (uint8_t)value;
	bool dlab = s->lcr & LCR_DLAB;

	(void)opaque;
	if (size != 1)
		return;
	switch (offset) {
	case RBR_THR_DLL:
		if (dlab)
			s->dll = v;
		else
			transmit(dev, s, v);
		break;
	case IER_DLM:
		if (dlab)
			s->dlm = v;
		else
			write_ier(s, v);
		break;
	case IIR_FCR:
		write_fcr(s, v);
		break;
	case LCR:
		s->lcr = v;
		break;
	case MCR:
		s->mcr = v & MCR_MASK;
		take_more(s);
		break;
	case SCR:
		s->scr = v;
		break;
	default:
		break;
	}
}

static const struct tenon_region_ops region_ops = {
	.struct_size = sizeof(region_ops),
	.read = serial_read,
	.write = serial_write,
};

/* ---- the terminal ---- */

static size_t input(struct tenon_dev *dev, const void *bytes, size_t size)
{
	struct serial *s = host->priv(dev);
	const uint8_t *from = bytes;
	size_t done = 0;

	/* In loopback the receiver is cut off from the line. */
	while (!s->quiesced && !in_loop(s) && done < size && s->rx_n < RX_ROOM)
		receive(s, from[done++]);
	s->starved = done < size;
	update_line(s);
	return done;
}

static void writable(struct tenon_dev *dev)
{
	struct serial *s = host->priv(dev);

	if (!s->quiesced) /* resuming goes on */
		drain(dev, s);
}

static const struct tenon_terminal_ops terminal_ops = {
	.struct_size = sizeof(terminal_ops),
	.input = input,
	.writable = writable,
};

/* ---- life ---- */

/* What was written and is not out yet stays: it may be the last words of the guest. */
static void power_on(struct serial *s)
{
	s->ier = s->fcr = s->lcr = s->scr = s->dlm = 0;
	s->mcr = MCR_OUT2;
	s->dll = 12; /* 9600 baud */
	s->overrun = s->thre_pending = s->line = false;
	s->rx_at = s->rx_n = 0;
}

static int serial_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct serial *s = host->priv(dev);

	s->fd = -1;
	s->output = (int)host->conf_int(config, "output");
	s->path = host->conf_str(config, "path", 0);
	s->wants_input = host->conf_int(config, "input") != 0;
	s->port = host->conf_size(config, "port");
	if (s->output == TO_FILE && !s->path)
		return host->fail(dev, -EINVAL, "output = \"file\" needs a path");
	if (s->output != TO_FILE && s->path)
		return host->fail(dev, -EINVAL, "a path is of use only with output = \"file\"");
	power_on(s);
	return 0;
}

/* Ports where there are ports, else a window in memory. */
static int open_region(struct tenon_dev *dev, struct serial *s)
{
	struct tenon_region_desc desc = {
		.struct_size = sizeof(desc),
		.space = TENON_SPACE_PIO,
		.size = N_REGISTERS,
		.name = "16550A",
		.ops = &region_ops,
	};
	int ret = mmio->region_create(dev, &desc, &s->region);

	if (ret == 0)
		ret = mmio->map(s->region, s->port);
	if (ret == 0)
		return irq->alloc(dev, TENON_IRQ_EDGE, DEFAULT_IRQ, &s->irq);
	if (ret != -ENOTSUP)
		return ret;
	desc.space = TENON_SPACE_MMIO;
	ret = mmio->region_create(dev, &desc, &s->region);
	if (ret == 0)
		ret = mmio->map(s->region, TENON_ADDR_ANY);
	return ret < 0 ? ret : irq->alloc(dev, TENON_IRQ_EDGE, TENON_IRQ_ANY, &s->irq);
}

static int serial_attach(struct tenon_dev *dev)
{
	struct serial *s = host->priv(dev);
	int ret;

	if (s->output == TO_FILE) {
		s->fd = open(s->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		if (s->fd < 0)
			return tenon_failf(host, dev, -errno, "cannot open \"%s\": %s", s->path,
				strerror(errno));
	}
	if (s->output == TO_TERMINAL || s->wants_input) {
		ret = terminal->open(dev, &terminal_ops);
		if (ret < 0)
			return host->fail(dev, ret, "the terminal cannot be had");
	}
	ret = event->timer_add(dev, ask, NULL, &s->ask);
	return ret < 0 ? ret : open_region(dev, s);
}

static int serial_start(struct tenon_dev *dev)
{
	const struct serial *s = host->priv(dev);

	if (s->wants_input && terminal->want_input(dev, 1) == -EBUSY)
		host->log(dev, TENON_LOG_WARN, "another device has the terminal's input");
	drain(dev, host->priv(dev)); /* what was loaded */
	return 0;
}

static int serial_quiesce(struct tenon_dev *dev)
{
	struct serial *s = host->priv(dev);

	s->quiesced = true;
	event->timer_set(s->ask, 0);
	if (s->wants_input)
		(void)terminal->want_input(dev, 0); /* another may have it */
	return 0;
}

static int serial_resume(struct tenon_dev *dev)
{
	struct serial *s = host->priv(dev);

	s->quiesced = false;
	drain(dev, s);
	if (s->wants_input)
		event->timer_set(s->ask, clock_svc->monotonic_ns());
	return 0;
}

static void serial_reset(struct tenon_dev *dev)
{
	struct serial *s = host->priv(dev);

	power_on(s);
	take_more(s);
}

/* ---- state ---- */

#define STATE_VERSION 1u

enum {
	TAG_IER = 1,
	TAG_FCR,
	TAG_LCR,
	TAG_MCR,
	TAG_SCR,
	TAG_DLL,
	TAG_DLM,
	TAG_OVERRUN,
	TAG_THRE_PENDING,
	TAG_LINE,
	TAG_RX,
	TAG_TX,
};

static int serial_save(struct tenon_dev *dev, struct tenon_state_w *w)
{
	const struct serial *s = host->priv(dev);
	uint8_t rx[RX_ROOM];

	for (uint32_t i = 0; i < s->rx_n; i++)
		rx[i] = s->rx[(s->rx_at + i) % RX_ROOM];
	(void)state->put_u8(w, TAG_IER, s->ier);
	(void)state->put_u8(w, TAG_FCR, s->fcr);
	(void)state->put_u8(w, TAG_LCR, s->lcr);
	(void)state->put_u8(w, TAG_MCR, s->mcr);
	(void)state->put_u8(w, TAG_SCR, s->scr);
	(void)state->put_u8(w, TAG_DLL, s->dll);
	(void)state->put_u8(w, TAG_DLM, s->dlm);
	(void)state->put_u8(w, TAG_OVERRUN, s->overrun);
	(void)state->put_u8(w, TAG_THRE_PENDING, s->thre_pending);
	(void)state->put_u8(w, TAG_LINE, s->line);
	(void)state->put_bytes(w, TAG_RX, rx, s->rx_n);
	return state->put_bytes(w, TAG_TX, s->tx, s->tx_n);
}

static int serial_load(struct tenon_dev *dev, struct tenon_state_r *r, uint32_t version)
{
	struct serial *s = host->priv(dev);
	uint8_t overrun = 0, thre_pending = 0, line = 0;
	int ret;

	(void)version;
	(void)state->get_u8(r, TENON_STATE_NEED | TAG_IER, &s->ier);
	(void)state->get_u8(r, TENON_STATE_NEED | TAG_FCR, &s->fcr);
	(void)state->get_u8(r, TENON_STATE_NEED | TAG_LCR, &s->lcr);
	(void)state->get_u8(r, TENON_STATE_NEED | TAG_MCR, &s->mcr);
	(void)state->get_u8(r, TAG_SCR, &s->scr);
	(void)state->get_u8(r, TAG_DLL, &s->dll);
	(void)state->get_u8(r, TAG_DLM, &s->dlm);
	(void)state->get_u8(r, TAG_OVERRUN, &overrun);
	(void)state->get_u8(r, TAG_THRE_PENDING, &thre_pending);
	(void)state->get_u8(r, TAG_LINE, &line);
	(void)state->get_bytes(r, TAG_RX, s->rx, RX_ROOM, &s->rx_n);
	ret = state->get_bytes(r, TAG_TX, s->tx, TX_ROOM, &s->tx_n);
	s->rx_at = 0;
	s->ier &= IER_MASK;
	s->fcr &= FCR_ENABLE;
	s->mcr &= MCR_MASK;
	s->overrun = overrun;
	s->thre_pending = thre_pending;
	s->line = line;
	return ret;
}

static int serial_describe(struct tenon_dev *dev, struct tenon_fw *fw)
{
	const struct serial *s = host->priv(dev);
	struct tenon_fw_node *node = firmware->node(fw, "serial");
	int ret = node ? firmware->compatible(node, "ns16550a") : -ENOMEM;

	if (ret == 0)
		ret = firmware->hid(node, "PNP0501");
	if (ret == 0)
		ret = firmware->region(node, s->region);
	if (ret == 0)
		ret = firmware->irq(node, s->irq);
	if (ret == 0)
		ret = firmware->prop_u32(node, "clock-frequency", 1843200);
	return ret;
}

static void serial_detach(struct tenon_dev *dev)
{
	struct serial *s = host->priv(dev);

	drain(dev, s);
	event->timer_remove(s->ask);
	s->ask = NULL;
	irq->free(s->irq);
	mmio->region_destroy(s->region);
	s->irq = NULL;
	s->region = NULL;
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
}

static const struct tenon_key serial_keys[] = {
	{ "port", TENON_KEY_ADDR, 0, "0x3f8", NULL,
		"first of its eight ports, where the platform has ports" },
	{ "output", TENON_KEY_ENUM, 0, "terminal", "terminal|file|none",
		"where what the guest writes goes" },
	{ "path", TENON_KEY_PATH, TENON_KEY_ATTACHES, NULL, NULL, "the file that is appended to" },
	{ "input", TENON_KEY_BOOL, 0, "false", NULL, "whether what is typed goes to this port" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class serial_class = {
	.struct_size = sizeof(serial_class),
	.threads = TENON_SERIAL,
	.name = "serial",
	.summary = "16550A serial port",
	.keys = serial_keys,
	.priv_size = sizeof(struct serial),
	.create = serial_create,
	.attach = serial_attach,
	.start = serial_start,
	.quiesce = serial_quiesce,
	.resume = serial_resume,
	.reset = serial_reset,
	.save = serial_save,
	.load = serial_load,
	.state_version = STATE_VERSION,
	.describe = serial_describe,
	.detach = serial_detach,
};

static const struct tenon_device_class *const classes[] = { &serial_class, NULL };

static int serial_init(const struct tenon_host *h)
{
	host = h;
	mmio = h->service(TENON_SVC_MMIO);
	event = h->service(TENON_SVC_EVENT);
	clock_svc = h->service(TENON_SVC_CLOCK);
	irq = h->service(TENON_SVC_IRQ);
	terminal = h->service(TENON_SVC_TERMINAL);
	firmware = h->service(TENON_SVC_FIRMWARE);
	state = h->service(TENON_SVC_STATE);
	if (TENON_HAS(mmio, region_destroy) && TENON_HAS(event, timer_remove) &&
		TENON_HAS(clock_svc, monotonic_ns) && TENON_HAS(irq, free) &&
		TENON_HAS(terminal, write) && TENON_HAS(firmware, irq))
		return 0;
	h->log(NULL, TENON_LOG_ERR, "serial: this core lacks a service that is needed");
	return -ENOTSUP;
}

TENON_PLUGIN("org.tenon.serial", "0.1.0", "Apache-2.0", serial_init, classes, "serial");

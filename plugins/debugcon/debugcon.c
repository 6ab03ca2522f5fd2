/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The debug console of PC firmware: one port, to which it writes text.
 *
 * Firmware asks whether the port is there by reading it: 0xe9 is the answer.  There is no flow
 * control, and a vCPU does not wait: what neither the output nor the buffer has room for is lost,
 * which is said once.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <tenon/tenon.h>

#define ROOM     4096u
#define IS_THERE 0xe9u

enum { TO_TERMINAL, TO_FILE };

struct debugcon {
	int64_t output;
	const char *path;
	uint64_t port;
	int fd;
	struct tenon_region *region;
	uint8_t text[ROOM]; /* not yet taken */
	uint32_t n;
	int lost;
};

static const struct tenon_host *host;
static const struct tenon_mmio *mmio;
static const struct tenon_terminal *terminal;

/* ---- output ---- */

static void drain(struct tenon_dev *dev, struct debugcon *d)
{
	size_t n = d->n;

	if (n == 0)
		return;
	if (d->output == TO_TERMINAL) {
		n = terminal->write(dev, d->text, n);
	} else {
		ssize_t w = write(d->fd, d->text, n);

		if (w < 0 && errno == EINTR)
			return;
		if (w < 0)
			tenon_logf(host, dev, TENON_LOG_WARN, "cannot write to \"%s\": %s", d->path,
				strerror(errno));
		n = w < 0 ? n : (size_t)w;
	}
	memmove(d->text, d->text + n, d->n - n);
	d->n -= (uint32_t)n;
}

static void on_writable(struct tenon_dev *dev)
{
	drain(dev, host->priv(dev));
}

static const struct tenon_terminal_ops terminal_ops = {
	.struct_size = sizeof(terminal_ops),
	.writable = on_writable,
};

static void take(struct tenon_dev *dev, struct debugcon *d, uint8_t byte)
{
	if (d->n == ROOM) {
		drain(dev, d);
		if (d->n == ROOM && !d->lost)
			host->log(dev, TENON_LOG_WARN,
				"the output does not take what the guest writes: some is lost");
		d->lost |= d->n == ROOM;
	}
	if (d->n < ROOM)
		d->text[d->n++] = byte;
	/* A line at a time: a file sees few writes. */
	if (byte == '\n' || d->output == TO_TERMINAL)
		drain(dev, d);
}

/* ---- the port ---- */

static uint64_t port_read(struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size)
{
	(void)dev;
	(void)opaque;
	(void)size;
	return offset == 0 ? IS_THERE : 0;
}

static void port_write(
	struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size, uint64_t value)
{
	(void)opaque;
	(void)size;
	if (offset == 0)
		take(dev, host->priv(dev), (uint8_t)value);
}

static const struct tenon_region_ops port_ops = {
	.struct_size = sizeof(port_ops),
	.read = port_read,
	.write = port_write,
};

/* ---- life ---- */

static int debugcon_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct debugcon *d = host->priv(dev);

	d->fd = -1;
	d->port = host->conf_size(config, "port");
	d->output = host->conf_int(config, "output");
	d->path = host->conf_str(config, "path", 0);
	if (d->output == TO_FILE && !d->path)
		return host->fail(dev, -EINVAL, "`output = \"file\"` needs `path`");
	if (d->output != TO_FILE && d->path)
		return host->fail(dev, -EINVAL, "`path` is for `output = \"file\"`");
	return 0;
}

static int debugcon_attach(struct tenon_dev *dev)
{
	struct debugcon *d = host->priv(dev);
	const struct tenon_region_desc desc = {
		.struct_size = sizeof(desc),
		.space = TENON_SPACE_PIO,
		.size = 1,
		.name = "debug console",
		.ops = &port_ops,
	};
	int ret;

	if (d->output == TO_FILE) {
		d->fd = open(d->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		if (d->fd < 0)
			return tenon_failf(host, dev, -errno, "cannot open \"%s\": %s", d->path,
				strerror(errno));
	} else {
		ret = terminal->open(dev, &terminal_ops);
		if (ret < 0)
			return host->fail(dev, ret, "the terminal cannot be had");
	}
	ret = mmio->region_create(dev, &desc, &d->region);
	if (ret == -ENOTSUP)
		return host->fail(dev, ret, "it is a port, and this platform has none");
	return ret < 0 ? ret : mmio->map(d->region, d->port);
}

static int debugcon_quiesce(struct tenon_dev *dev)
{
	drain(dev, host->priv(dev));
	return 0;
}

static void debugcon_detach(struct tenon_dev *dev)
{
	struct debugcon *d = host->priv(dev);

	drain(dev, d);
	mmio->region_destroy(d->region);
	d->region = NULL;
	if (d->fd >= 0)
		(void)close(d->fd);
	d->fd = -1;
}

static const struct tenon_key debugcon_keys[] = {
	{ "port", TENON_KEY_ADDR, 0, "0x402", NULL, "the port" },
	{ "output", TENON_KEY_ENUM, 0, "terminal", "terminal|file",
		"where what the guest writes goes" },
	{ "path", TENON_KEY_PATH, 0, NULL, NULL, "the file that is appended to" },
	{ 0 },
};

static const struct tenon_device_class debugcon_class = {
	.struct_size = sizeof(debugcon_class),
	.threads = TENON_SERIAL,
	.name = "debugcon",
	.summary = "debug console of PC firmware",
	.keys = debugcon_keys,
	.priv_size = sizeof(struct debugcon),
	.create = debugcon_create,
	.attach = debugcon_attach,
	.quiesce = debugcon_quiesce,
	.detach = debugcon_detach,
};

static int debugcon_init(const struct tenon_host *h)
{
	host = h;
	return TENON_FIND(h, mmio, TENON_SVC_MMIO, region_destroy) |
	       TENON_FIND(h, terminal, TENON_SVC_TERMINAL, write);
}

TENON_PLUGIN_CLASS(
	"org.tenon.debugcon", "0.1.0", "Apache-2.0", debugcon_init, debugcon_class, "debugcon");

/* SPDX-License-Identifier: Apache-2.0 */
/* The host side that is the terminal `tenon` was started on. */
#include "console.h"

#include <errno.h>

static struct port *port_of(struct tenon_dev *dev)
{
	struct console *c = console_host->priv(dev);

	return c->terminal_port;
}

static size_t typed(struct tenon_dev *dev, const void *bytes, size_t size)
{
	return port_input(port_of(dev), bytes, size);
}

static void writable(struct tenon_dev *dev)
{
	port_writable(port_of(dev));
}

static void resized(struct tenon_dev *dev, uint32_t columns, uint32_t rows)
{
	port_resized(port_of(dev), columns, rows);
}

static void closed(struct tenon_dev *dev)
{
	port_of(dev)->complained = true; /* no more input, ever */
}

static const struct tenon_terminal_ops ops = {
	.struct_size = sizeof(ops),
	.input = typed,
	.writable = writable,
	.resized = resized,
	.closed = closed,
};

static int attach(struct port *p)
{
	int ret;

	p->console->terminal_port = p;
	ret = console_terminal->open(p->dev, &ops);
	if (ret < 0)
		return tenon_failf(console_host, p->dev, ret, "the terminal cannot be had");
	p->sized = console_terminal->size(p->dev, &p->columns, &p->rows) == 0;
	p->host_open = true;
	return 0;
}

/* Claimed before there is a driver, so that the escape key works from the beginning. */
static int start(struct port *p)
{
	port_want_input(p);
	return 0;
}

static void detach(struct port *p)
{
	p->complained = false;
}

static size_t write_out(struct port *p, const void *bytes, size_t size)
{
	return console_terminal->write(p->dev, bytes, size);
}

static void want_input(struct port *p, bool want)
{
	if (want && (!p->console->wants_input || p->complained))
		return;
	if (console_terminal->want_input(p->dev, want) == -EBUSY && want)
		console_host->log(
			p->dev, TENON_LOG_DEBUG, "another device has the terminal's input");
}

const struct port_backend port_terminal = {
	.word = "terminal",
	.is_console = true,
	.attach = attach,
	.start = start,
	.detach = detach,
	.write = write_out,
	.want_input = want_input,
};

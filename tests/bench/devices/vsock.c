/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes through the vsock device beside the same bytes through the bare unix socket, with the same
 * program at its other end.  An operation is a MiB; CPU time is that of the driver and the device,
 * or of the bare copy.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <tenon/testkit.h>

#include "devices.h"
#include "ring.h"
#include "served.h"
#include "vsock_run.h"

#define CHUNK    65536u
#define HEADER   44u
#define CREDIT   262144u
#define MOST     64u /* packets of the guest that are out */
#define MEMORY   ((size_t)12 * (CHUNK + 64))
#define MIB      1048576.0
#define RX       0u
#define TX       1u
#define LIMIT    80 /* per cent */
#define CONTROLS 4u /* of the guest's packets, those without data */

#define OP_REQUEST       1
#define OP_RW            5
#define OP_CREDIT_UPDATE 6

static const struct vsock_load loads[] = {
	{ "to the host, MiB, packets of 64 KiB", false, CHUNK },
	{ "to the host, MiB, packets of 4 KiB", false, 4096 },
	{ "to the guest, MiB, buffers of 64 KiB", true, CHUNK },
	{ "to the guest, MiB, buffers of 4 KiB", true, 4096 },
};

#define N_LOADS (sizeof(loads) / sizeof(loads[0]))

static char folder[] = "/tmp/bench-vsock-XXXXXX", path[64];

/* ---- the other end ---- */

static void other_end(int listener, bool sinks)
{
	static char bytes[CHUNK];
	int fd = accept(listener, NULL, NULL);
	ssize_t n = 1;

	while (fd >= 0 && n > 0)
		n = sinks ? read(fd, bytes, sizeof(bytes)) : write(fd, bytes, sizeof(bytes));
	_exit(0);
}

/* It ends with the connection, and with this process. */
static void start_other_end(bool sinks)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	(void)unlink(path);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&un, sizeof(un)) < 0 || listen(fd, 1) < 0)
		TK_FAIL("%s: %s", path, strerror(errno));
	if (fork() == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)signal(SIGPIPE, SIG_DFL);
		other_end(fd, sinks);
	}
	(void)close(fd);
}

/* ---- bare ---- */

static int dial(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&un, sizeof(un)) < 0)
		TK_FAIL("connect: %s", strerror(errno));
	return fd;
}

static uint64_t bare_copy(const struct vsock_load *l, double until)
{
	static char bytes[CHUNK];
	uint64_t done = 0;
	int fd = dial();

	while (devices_clock(CLOCK_MONOTONIC) < until)
		for (unsigned i = 0; i < 16; i++) {
			ssize_t n =
				l->to_guest ? read(fd, bytes, l->size) : write(fd, bytes, l->size);

			TK_TRUE(n > 0);
			done += (size_t)n;
		}
	return done;
}

/* ---- the guest ---- */

struct guest {
	struct tk_dev *d;
	struct ring rx, tx;
	uint64_t rx_at, tx_at, control_at; /* guest memory: buffers, headers */
	uint32_t rx_size, n_tx;            /* of a buffer; packets with data that may be out */
	uint16_t free[MOST];               /* of them */
	uint32_t n_free, n_controls;       /* which are not out */
	pid_t child;                       /* of a device that does not live here; 0 = it does */
};

static void put_le(uint8_t *at, uint64_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		at[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t get_le32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put_header(uint64_t at, uint16_t op, uint32_t len, uint32_t fwd_cnt)
{
	uint8_t raw[HEADER] = { 0 };

	put_le(raw, 3, 8);
	put_le(raw + 8, 2, 8);
	put_le(raw + 16, 1, 4);
	put_le(raw + 20, 1000, 4);
	put_le(raw + 24, len, 4);
	put_le(raw + 28, 1, 2);
	put_le(raw + 30, op, 2);
	put_le(raw + 36, CREDIT, 4);
	put_le(raw + 40, fwd_cnt, 4);
	tk_put(at, raw, sizeof(raw));
}

/* Packets with data have two descriptors each, and lie behind those without. */
static uint16_t head_of(uint16_t slot)
{
	return (uint16_t)(CONTROLS + 2 * slot);
}

static void collect_tx(struct guest *g)
{
	uint16_t head;
	uint32_t size;

	while (ring_take(&g->tx, &head, &size))
		if (head < CONTROLS)
			g->n_controls++;
		else
			g->free[g->n_free++] = (uint16_t)((head - CONTROLS) / 2);
}

static void wait_for_device(struct guest *g)
{
	const uint32_t back = g->n_free + g->n_controls;

	collect_tx(g);
	if (g->n_free + g->n_controls != back)
		return;
	if (g->child ? !(ring_arm(&g->rx) && ring_arm(&g->tx)) : tk_step())
		return;
	TK_TRUE(tk_wait(10000));
	(void)tk_step();
}

/* One that lives elsewhere works by itself. */
static void let_work(const struct guest *g)
{
	if (!g->child)
		(void)tk_step();
}

/* The controls go round: one that is wanted anew has come back long ago. */
static void control(struct guest *g, uint16_t op, uint32_t fwd_cnt)
{
	static unsigned next;
	unsigned i = next++ % CONTROLS;

	collect_tx(g);
	TK_TRUE(g->n_controls > 0);
	g->n_controls--;
	put_header(g->control_at + i * 64ull, op, 0, fwd_cnt);
	tk_set_desc(g->d, TX, i, g->control_at + i * 64ull, HEADER, 0, 0);
	ring_offer(&g->tx, (uint16_t)i);
	ring_kick(&g->tx);
	let_work(g);
}

/* The next packet of the device; NULL when there is none.  Its buffer is the device's again with
 * the next ring_kick(). */
static const uint8_t *next_packet(struct guest *g)
{
	uint16_t head;
	uint32_t size;

	if (!ring_take(&g->rx, &head, &size))
		return NULL;
	ring_offer(&g->rx, head);
	return tk_mem(g->rx_at + (uint64_t)head * g->rx_size, HEADER);
}

static void open_queues(struct guest *g, const struct vsock_load *l)
{
	uint64_t memory = tk_alloc(MEMORY, 64), headers = tk_alloc((MOST + CONTROLS) * 64ull, 64);
	uint32_t n_rx = l->to_guest ? (l->size == CHUNK ? 8 : 128) : 16;

	ring_open(&g->rx, g->d, RX);
	ring_open(&g->tx, g->d, TX);
	g->rx_at = memory;
	g->rx_size = l->to_guest ? l->size + 64 : 256;
	for (unsigned i = 0; i < n_rx; i++) {
		tk_set_desc(g->d, RX, i, memory + (uint64_t)i * g->rx_size,
			l->to_guest ? l->size + HEADER : 256, RING_DESC_WRITE, 0);
		ring_offer(&g->rx, (uint16_t)i);
	}
	g->control_at = headers + MOST * 64ull;
	g->n_controls = CONTROLS;
	g->n_tx = CREDIT / l->size < MOST ? CREDIT / l->size : MOST;
	for (uint32_t i = 0; i < g->n_tx; i++) {
		uint16_t head = head_of((uint16_t)i);

		put_header(headers + i * 64ull, OP_RW, l->size, 0);
		tk_set_desc(g->d, TX, head, headers + i * 64ull, HEADER, RING_DESC_NEXT,
			(uint16_t)(head + 1));
		tk_set_desc(g->d, TX, head + 1u, memory + CHUNK, l->size, 0, 0);
		g->free[g->n_free++] = (uint16_t)i;
	}
	ring_kick(&g->rx);
}

static void open_guest(struct guest *g, const struct vsock_load *l, const struct served_by *by)
{
	char text[128];
	const char *const settings[] = { text, NULL };

	*g = (struct guest){ .d = NULL };
	if (by) {
		(void)snprintf(text, sizeof(text), "socket=%s/v", folder);
		g->d = served_open(by, "vsock", settings, &g->child);
	} else {
		(void)tk_plugin(VSOCK_PLUGIN);
		(void)snprintf(text, sizeof(text), "socket = \"%s/v\";", folder);
		g->d = tk_device("vsock", text);
	}
	open_queues(g, l);
	control(g, OP_REQUEST, 0);
	while (!next_packet(g)) /* accepted */
		wait_for_device(g);
	ring_kick(&g->rx);
}

/* ---- through the device ---- */

static uint64_t guest_sends(struct guest *g, const struct vsock_load *l, double until)
{
	uint32_t sent = 0, taken = 0;
	uint64_t done = 0;

	while (devices_clock(CLOCK_MONOTONIC) < until) {
		uint32_t before = sent;
		const uint8_t *p;

		collect_tx(g);
		while (g->n_free > 0 && sent - taken + l->size <= CREDIT) {
			ring_offer(&g->tx, head_of(g->free[--g->n_free]));
			sent += l->size;
		}
		ring_kick(&g->tx);
		if (sent == before)
			wait_for_device(g);
		else
			let_work(g);
		while ((p = next_packet(g))) {
			done += get_le32(p + 40) - taken;
			taken = get_le32(p + 40);
		}
		ring_kick(&g->rx);
	}
	return done;
}

static uint64_t guest_receives(struct guest *g, const struct vsock_load *l, double until)
{
	uint32_t told = 0;
	uint64_t done = 0;

	(void)l;
	while (devices_clock(CLOCK_MONOTONIC) < until) {
		uint64_t before = done;
		const uint8_t *p;

		while ((p = next_packet(g)))
			if (p[30] == OP_RW)
				done += get_le32(p + 24);
		ring_kick(&g->rx);
		if ((uint32_t)done - told >= CREDIT / 4) {
			told = (uint32_t)done;
			control(g, OP_CREDIT_UPDATE, told);
		} else if (done == before) {
			wait_for_device(g);
		} else {
			let_work(g);
		}
	}
	return done;
}

/* ---- measuring ---- */

static void tell(uint64_t bytes, double took, double busy, struct devices_result *ret)
{
	ret->cpu_us = busy * 1e6 / ((double)bytes / MIB);
	ret->per_second = (double)bytes / MIB / took;
}

void vsock_run(const struct vsock_load *l, const struct served_by *by, unsigned ms,
	struct devices_result *ret)
{
	struct guest g;
	double began, busy;
	uint64_t bytes;

	start_other_end(!l->to_guest);
	open_guest(&g, l, by);
	began = devices_clock(CLOCK_MONOTONIC);
	busy = served_cpu(g.child);
	bytes = l->to_guest ? guest_receives(&g, l, began + ms / 1e3)
			    : guest_sends(&g, l, began + ms / 1e3);
	busy = served_cpu(g.child) - busy;
	tell(bytes, devices_clock(CLOCK_MONOTONIC) - began, busy, ret);
	served_end(g.child);
}

static void measure_bare(const void *load, unsigned ms, struct devices_result *ret)
{
	const struct vsock_load *l = load;
	double began, busy;
	uint64_t bytes;

	start_other_end(!l->to_guest);
	began = devices_clock(CLOCK_MONOTONIC);
	busy = devices_clock(CLOCK_THREAD_CPUTIME_ID);
	bytes = bare_copy(l, began + ms / 1e3);
	busy = devices_clock(CLOCK_THREAD_CPUTIME_ID) - busy;
	tell(bytes, devices_clock(CLOCK_MONOTONIC) - began, busy, ret);
}

static void measure_device(const void *load, unsigned ms, struct devices_result *ret)
{
	vsock_run(load, NULL, ms, ret);
}

static int run_bare(const void *load, unsigned ms, struct devices_result *ret)
{
	return devices_isolated(measure_bare, load, ms, ret);
}

static int run_device(const void *load, unsigned ms, struct devices_result *ret)
{
	return devices_isolated(measure_device, load, ms, ret);
}

int vsock_open(void)
{
	if (!mkdtemp(folder)) {
		(void)fprintf(stderr, "vsock: cannot make %s: %s\n", folder, strerror(errno));
		return -EIO;
	}
	(void)snprintf(path, sizeof(path), "%s/v_1000", folder);
	return 0;
}

void vsock_close(void)
{
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/v", folder);
	(void)unlink(path);
	(void)rmdir(folder);
}

int vsock_part(struct devices_options *o)
{
	int ret = vsock_open();

	if (ret < 0)
		return 1;
	for (size_t i = 0; i < N_LOADS && ret == 0; i++) {
		const struct devices_row row = { "vsock", loads[i].name, LIMIT, run_bare,
			run_device, &loads[i] };

		ret = devices_row(o, &row);
	}
	vsock_close();
	return ret < 0 ? 1 : 0;
}

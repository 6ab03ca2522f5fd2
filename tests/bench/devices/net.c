/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames between a guest's queues and a unix socket or a TAP, beside a plain loop that sends or
 * receives the same frames on the same kind of wire.  CPU is that of the thread that moves the
 * frames, the driver's side and the test kit's loop included.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <tenon/testkit.h>

#include "devices.h"
#include "net_run.h"
#include "ring.h"
#include "served.h"
#include "wire.h"

#define QUEUE     256u
#define HEADER    12u
#define BUFFER    2048u /* of guest memory for each frame, its header included */
#define LIMIT     80
#define LIMIT_TAP 70

static const struct net_load loads[] = {
	{ "from the guest, datagrams of 60 bytes", WIRE_DGRAM, false, 60 },
	{ "from the guest, datagrams of 1514 bytes", WIRE_DGRAM, false, 1514 },
	{ "to the guest, datagrams of 60 bytes", WIRE_DGRAM, true, 60 },
	{ "to the guest, datagrams of 1514 bytes", WIRE_DGRAM, true, 1514 },
	{ "from the guest, stream, 60 bytes", WIRE_STREAM, false, 60 },
	{ "from the guest, stream, 1514 bytes", WIRE_STREAM, false, 1514 },
	{ "to the guest, stream, 60 bytes", WIRE_STREAM, true, 60 },
	{ "to the guest, stream, 1514 bytes", WIRE_STREAM, true, 1514 },
	{ "from the guest, TAP, 60 bytes", WIRE_TAP, false, 60 },
	{ "from the guest, TAP, 1514 bytes", WIRE_TAP, false, 1514 },
	{ "to the guest, TAP, 60 bytes", WIRE_TAP, true, 60 },
	{ "to the guest, TAP, 1514 bytes", WIRE_TAP, true, 1514 },
};

#define N_LOADS (sizeof(loads) / sizeof(loads[0]))

/* ---- the plain loop ---- */

/* False when the wire must be waited for. */
static bool plain_sends(const struct wire *w, uint8_t *buffer)
{
	uint8_t head[WIRE_VNET] = { 0 };
	size_t n_head = w->kind == WIRE_DGRAM ? 0 : w->kind == WIRE_TAP ? WIRE_VNET : WIRE_PREFIX;
	size_t total = w->size + n_head;
	uint32_t length = htonl(w->size);

	if (w->kind == WIRE_STREAM)
		memcpy(head, &length, sizeof(length));
	for (size_t at = 0; at < total;) {
		size_t skip = at < n_head ? at : n_head;
		struct iovec v[2] = { { head + skip, n_head - skip },
			{ buffer + (at - skip), w->size - (at - skip) } };
		ssize_t n = writev(w->near, v + (n_head == 0), 2 - (n_head == 0));
		if (n < 0 && at == 0)
			return false;
		if (n < 0)
			wire_wait(w);
		else
			at += (size_t)n;
	}
	return true;
}

static bool plain_takes(const struct wire *w, uint8_t *buffer, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = read(w->near, buffer + at, size - at);

		if (n < 0 && at == 0)
			return false;
		if (n < 0)
			wire_wait(w);
		else
			at += (size_t)n;
	}
	return true;
}

static bool plain_receives(const struct wire *w, uint8_t *buffer)
{
	uint8_t prefix[WIRE_PREFIX];

	if (w->kind != WIRE_STREAM)
		return read(w->near, buffer, BUFFER) > 0;
	if (!plain_takes(w, prefix, WIRE_PREFIX))
		return false;
	while (!plain_takes(w, buffer, w->size))
		wire_wait(w);
	return true;
}

static uint64_t run_plain(struct wire *w, double until)
{
	static uint8_t buffers[QUEUE][BUFFER];
	uint64_t done = 0;

	for (unsigned i = 0; i < QUEUE; i++)
		wire_frame(buffers[i], w->size);
	while (devices_clock(CLOCK_MONOTONIC) < until)
		for (unsigned i = 0; i < QUEUE; i++) {
			if (!(w->to_guest ? plain_receives(w, buffers[i])
					  : plain_sends(w, buffers[i]))) {
				wire_wait(w);
				break;
			}
			done++;
		}
	return done;
}

/* ---- the device ---- */

static struct tk_dev *open_net(const struct wire *w, const struct served_by *by, pid_t *ret_pid)
{
	const char *backend = w->kind == WIRE_TAP      ? "tap"
			      : w->kind == WIRE_STREAM ? "stream"
						       : "dgram";
	char text[100], fd[32];
	const char *const settings[] = { text, fd, NULL };

	if (by) {
		(void)snprintf(text, sizeof(text), "backend=%s", backend);
		(void)snprintf(fd, sizeof(fd), "fd=%d", w->near);
		return served_open(by, "net", settings, ret_pid);
	}
	(void)tk_plugin(NET_PLUGIN);
	(void)snprintf(text, sizeof(text), "backend = \"%s\"; fd = %d;", backend, w->near);
	return tk_device("net", text);
}

static void open_device(
	struct ring *r, const struct wire *w, const struct served_by *by, pid_t *ret_pid)
{
	struct tk_dev *d = open_net(w, by, ret_pid);
	uint32_t size = w->to_guest ? BUFFER : HEADER + w->size;
	unsigned queue = w->to_guest ? 0 : 1;
	uint8_t frame[BUFFER] = { 0 };

	ring_open(r, d, queue);
	TK_EQ(r->size, QUEUE);
	wire_frame(frame + HEADER, w->size);
	for (unsigned i = 0; i < QUEUE; i++) {
		tk_put(TK_RAM_A + (uint64_t)i * BUFFER, frame, HEADER + w->size);
		tk_set_desc(d, queue, i, TK_RAM_A + (uint64_t)i * BUFFER, size,
			w->to_guest ? RING_DESC_WRITE : 0, 0);
		ring_offer(r, (uint16_t)i);
	}
}

static uint64_t run_device(const struct wire *w, struct ring *r, bool here, double until)
{
	uint64_t done = 0;

	while (devices_clock(CLOCK_MONOTONIC) < until) {
		uint64_t before = done;
		uint16_t head;
		uint32_t size;

		ring_kick(r);
		if (here)
			(void)tk_step();
		for (; ring_take(r, &head, &size); done++)
			ring_offer(r, head);
		if (done != before)
			continue;
		if (here)
			wire_wait(w);
		else
			ring_wait(r);
	}
	return done;
}

/* ---- measuring ---- */

void net_run(const struct net_load *l, const struct served_by *by, unsigned ms,
	struct devices_result *ret)
{
	struct wire w = { .kind = l->kind, .to_guest = l->to_guest, .size = l->size };
	struct ring r = { .d = NULL };
	pid_t child = 0;
	double began, cpu;
	uint64_t done;

	wire_open(&w);
	open_device(&r, &w, by, &child);
	wire_start(&w);
	began = devices_clock(CLOCK_MONOTONIC);
	cpu = served_cpu(child);
	done = run_device(&w, &r, !by, began + ms / 1e3);
	ret->cpu_us = (served_cpu(child) - cpu) * 1e6 / (double)(done ? done : 1);
	ret->per_second = (double)done / (devices_clock(CLOCK_MONOTONIC) - began);
	served_end(child);
}

static void measure_plain(const void *load, unsigned ms, struct devices_result *ret)
{
	const struct net_load *l = load;
	struct wire w = { .kind = l->kind, .to_guest = l->to_guest, .size = l->size };
	double began, cpu;
	uint64_t done;

	wire_open(&w);
	(void)fcntl(w.near, F_SETFL, O_NONBLOCK);
	wire_start(&w);
	began = devices_clock(CLOCK_MONOTONIC);
	cpu = devices_clock(CLOCK_THREAD_CPUTIME_ID);
	done = run_plain(&w, began + ms / 1e3);
	cpu = devices_clock(CLOCK_THREAD_CPUTIME_ID) - cpu;
	ret->cpu_us = cpu * 1e6 / (double)(done ? done : 1);
	ret->per_second = (double)done / (devices_clock(CLOCK_MONOTONIC) - began);
}

static void measure_device(const void *load, unsigned ms, struct devices_result *ret)
{
	net_run(load, NULL, ms, ret);
}

static int run_isolated_plain(const void *load, unsigned ms, struct devices_result *ret)
{
	return devices_isolated(measure_plain, load, ms, ret);
}

static int run_isolated_device(const void *load, unsigned ms, struct devices_result *ret)
{
	return devices_isolated(measure_device, load, ms, ret);
}

int net_part(struct devices_options *o)
{
	const char *no_tap = wire_no_tap();
	int ret = 0;

	for (size_t i = 0; i < N_LOADS && ret == 0; i++) {
		const struct devices_row row = { "net", loads[i].name,
			loads[i].kind == WIRE_TAP ? LIMIT_TAP : LIMIT, run_isolated_plain,
			run_isolated_device, &loads[i] };

		if (loads[i].kind == WIRE_TAP && no_tap)
			devices_skip("net", loads[i].name, no_tap);
		else
			ret = devices_row(o, &row);
	}
	return ret < 0 ? 1 : 0;
}

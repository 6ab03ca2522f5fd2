/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to a front end: what comes in, what goes back, and how it ends.
 *
 * Whoever is at the other end is not trusted: a message that is not as the protocol says ends the
 * connection with a sentence, unless the front end asked to be told (REPLY_ACK).
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/config.h"
#include "core/event_loop.h"
#include "core/serve.h"

/* So many messages in one turn: others wait for theirs. */
#define MESSAGES_AT_ONCE 64

void serve_say(struct serve *serve, enum log_level level, const char *format, ...)
{
	char text[1200];
	va_list args;

	if (!log_enabled(level))
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_limited(&serve->log_limit, level, "%s: %s", serve->dev->config->name, text);
}

/* ---- what the device tells the driver ---- */

static void home_call(void *opaque, uint32_t index)
{
	struct serve *serve = opaque;
	const int fd = serve->rings[index].call;
	const uint64_t one = 1;

	serve->rings[index].missed = fd < 0;
	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		serve_say(serve, LOG_LEVEL_WARN, "queue %u cannot interrupt: %s", index,
			strerror(errno));
	serve_note_lost(serve);
}

static void home_interrupt(void *opaque)
{
	struct serve *serve = opaque;
	unsigned bits;

	if (!serve->vd)
		return; /* before attach ends, and after the front end is gone */
	bits = atomic_exchange_explicit(&serve->vd->interrupt_status, 0, memory_order_seq_cst);
	if (virtio_served_is_faulty(serve->vd))
		loop_timer_set(serve->trouble, 1);
	if ((bits & VIRTIO_INT_CONFIG) && serve->back >= 0 &&
		serve_send(serve->back, VHOST_USER_BACKEND_CONFIG_CHANGE_MSG, 0, NULL, 0, -1) < 0)
		serve_say(serve, LOG_LEVEL_WARN, "the front end does not read what changes");
}

/* In the middle of a device's callback nothing can be stopped: this comes after it. */
static void trouble(void *arg)
{
	struct serve *serve = arg;

	if (serve->lost && serve->wire.fd >= 0) {
		serve_say(serve, LOG_LEVEL_ERR,
			"the front end took memory away that it had shared; its file is shorter "
			"than it was");
		serve_disconnect(serve);
	}
	serve->lost = false;
	if (!serve->faulty && virtio_served_is_faulty(serve->vd))
		serve_ring_fault(serve);
}

/* ---- life ---- */

int serve_init(struct serve *serve, struct event_loop *loop)
{
	int ret = serve_memory_init(&serve->memory);

	if (ret == 0)
		ret = loop_timer_add(loop, trouble, serve, &serve->trouble);
	serve->loop = loop;
	serve->back = serve->wire.fd = -1;
	serve->home = (struct virtio_home){
		.interrupt = home_interrupt,
		.call = home_call,
		.mark_dirty = serve_mark_dirty,
		.opaque = serve,
	};
	for (uint32_t i = 0; i < VIRTIO_MAX_QUEUES; i++)
		serve->rings[i] = (struct serve_ring){
			.serve = serve, .index = i, .kick = -1, .call = -1, .err = -1
		};
	return ret;
}

void serve_finish(struct serve *serve)
{
	if (serve->vd)
		serve_disconnect(serve);
	serve->vd = NULL;
}

void serve_free(struct serve *serve)
{
	loop_timer_remove(serve->trouble);
	serve_memory_finish(&serve->memory);
}

void serve_disconnect(struct serve *serve)
{
	const bool was_connected = serve->wire.fd >= 0;

	loop_fd_remove(serve->wire_watch);
	serve->wire_watch = NULL;
	serve_wire_close(&serve->wire);
	serve_reset(serve);
	for (uint32_t i = 0; i < VIRTIO_MAX_QUEUES; i++)
		serve_ring_forget(&serve->rings[i]);
	if (serve->back >= 0)
		(void)close(serve->back);
	serve->back = -1;
	serve_memory_clear(&serve->memory);
	serve_memory_release(&serve->memory);
	serve_map_close(&serve->log);
	serve_map_close(&serve->ledger);
	serve->features = serve->protocol_features = 0;
	if (was_connected && serve->gone)
		serve->gone(serve->opaque);
}

/* ---- the socket ---- */

/* Ends with -EPIPE for a front end that has gone, and with a sentence otherwise. */
static int read_messages(struct serve *serve, struct error *err)
{
	for (int n = 0; n < MESSAGES_AT_ONCE; n++) {
		int ret = serve_wire_read(&serve->wire, err);

		if (ret <= 0)
			return ret;
		ret = serve_handle(serve, &serve->wire.message, err);
		serve_wire_next(&serve->wire);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static void wire_ready(void *arg, uint32_t events)
{
	struct serve *serve = arg;
	struct error err = { 0 };
	int ret = read_messages(serve, &err);

	(void)events;
	serve_note_lost(serve);
	if (ret == 0)
		return;
	if (err.text[0])
		serve_say(serve, LOG_LEVEL_WARN, "%s; the connection is closed", err.text);
	serve_disconnect(serve);
}

int serve_connect(struct serve *serve, int fd, struct error *err)
{
	int ret;

	serve_wire_init(&serve->wire, fd);
	ret = loop_fd_add(serve->loop, fd, LOOP_READ, wire_ready, serve, &serve->wire_watch);
	if (ret < 0) {
		serve_wire_close(&serve->wire);
		return error_set(
			err, EXIT_HOST, ret, "cannot wait for the front end: %s", strerror(-ret));
	}
	return 0;
}

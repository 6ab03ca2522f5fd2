/* SPDX-License-Identifier: Apache-2.0 */
/* Rings: when they run, where they are, and what must stand still while that changes. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/config.h"
#include "core/event_loop.h"
#include "core/serve.h"

static uint32_t n_rings(const struct serve *serve)
{
	return serve->vd->desc.n_queues;
}

static bool should_run(const struct serve *serve, const struct serve_ring *ring)
{
	return ring->started && ring->enabled && ring->num && ring->has_addr && !serve->faulty;
}

/* ---- standing still ---- */

int serve_hold(struct serve *serve, struct error *err)
{
	if (serve->held)
		return 0;
	serve->held = true;
	return serve->vd->activated ? device_quiesce(serve->dev, err) : 0;
}

int serve_release(struct serve *serve, struct error *err)
{
	serve->held = false;
	if (!serve->vd->activated)
		serve_memory_release(&serve->memory);
	/* Looks at every queue that runs. */
	return device_resume(serve->dev, err);
}

/* ---- what a device sees ---- */

static bool to_gpa(
	const struct serve *serve, const struct serve_ring *ring, struct vring_setup *ret_setup)
{
	*ret_setup = (struct vring_setup){ .size = ring->num };
	return serve_memory_gpa(&serve->memory, ring->desc, &ret_setup->desc) &&
	       serve_memory_gpa(&serve->memory, ring->avail, &ret_setup->avail) &&
	       serve_memory_gpa(&serve->memory, ring->used, &ret_setup->used);
}

static int cannot_run(const struct serve_ring *ring, const char *why, struct error *err)
{
	return error_set(err, EXIT_HOST, -EPROTO, "queue %u cannot be used: %s", ring->index, why);
}

static int start_ring(struct serve *serve, struct serve_ring *ring, struct error *err)
{
	struct virtio_served_ring from = {
		.features = serve->features,
		.base = ring->base,
		.ledger = serve_ledger_of(serve, ring->index),
		.inflight = &ring->inflight,
	};
	const char *why = "its addresses are not in the front end's memory";

	if (!to_gpa(serve, ring, &from.setup) ||
		virtio_served_start(serve->vd, ring->index, &from, &why) < 0)
		return cannot_run(ring, why, err);
	/* Whoever was here before may not have said all that it had done. */
	if (serve->vd->queues[ring->index].ring.next_used != 0)
		serve->home.call(serve, ring->index);
	return 0;
}

static int activate(struct serve *serve, struct error *err)
{
	const uint64_t features = serve->features & serve->vd->offered;

	if (!virtio_served_features_ok(serve->vd, features))
		return error_set(err, EXIT_HOST, -EPROTO,
			"the driver does not speak virtio 1.0, and nothing else is spoken here");
	device_lock(serve->dev);
	(void)virtio_served_activate(serve->vd, features); /* an error is a fault of the device */
	device_unlock(serve->dev);
	return 0;
}

static void look_at(struct serve *serve, uint32_t index)
{
	device_lock(serve->dev);
	virtio_device_queue_ready(serve->vd, index);
	device_unlock(serve->dev);
}

int serve_ring_start_all(struct serve *serve, struct error *err)
{
	bool fresh[VIRTIO_MAX_QUEUES] = { false }, any = false;
	int ret = 0;

	for (uint32_t i = 0; i < n_rings(serve) && ret == 0; i++) {
		if (virtio_served_runs(serve->vd, i) || !should_run(serve, &serve->rings[i]))
			continue;
		ret = start_ring(serve, &serve->rings[i], err);
		fresh[i] = ret == 0;
		any |= fresh[i];
	}
	if (ret == 0 && any && !serve->vd->activated)
		ret = activate(serve, err);
	for (uint32_t i = 0; i < n_rings(serve) && ret == 0; i++)
		if (fresh[i])
			look_at(serve, i);
	return ret;
}

void serve_ring_stop(struct serve *serve, uint32_t index)
{
	struct serve_ring *ring = &serve->rings[index];

	if (virtio_served_runs(serve->vd, index))
		ring->base = virtio_served_stop(serve->vd, index);
}

/* ---- chains that outlast a quiesce ---- */

static bool any_in_use(const struct serve *serve)
{
	for (uint32_t i = 0; i < n_rings(serve); i++)
		if (virtio_served_in_use(serve->vd, i) > 0)
			return true;
	return false;
}

/* The device is made to forget them, and takes them again. */
int serve_ring_take_back(struct serve *serve, struct error *err)
{
	int ret = 0;

	if (!any_in_use(serve))
		return 0;
	device_lock(serve->dev);
	virtio_served_let_go(serve->vd);
	device_unlock(serve->dev);
	for (uint32_t i = 0; i < n_rings(serve); i++) {
		if (virtio_served_rewind(serve->vd, i) < 0)
			ret = error_set(err, EXIT_HOST, -EBUSY,
				"the device has not given back all that came before what it gave "
				"back of queue %u",
				i);
		serve_ring_stop(serve, i);
	}
	return ret;
}

int serve_ring_move_all(struct serve *serve, struct error *err)
{
	int ret = serve_ring_take_back(serve, err);

	for (uint32_t i = 0; i < n_rings(serve) && ret == 0; i++) {
		struct serve_ring *ring = &serve->rings[i];
		const char *why = "its addresses are not in the front end's memory";
		struct vring_setup setup;

		if (!virtio_served_runs(serve->vd, i))
			continue;
		if (to_gpa(serve, ring, &setup) &&
			virtio_served_move(serve->vd, i, &setup, &why) == 0)
			continue;
		/* It may be that the front end tells of the new addresses next. */
		serve_ring_stop(serve, i);
		serve_say(serve, LOG_LEVEL_INFO, "queue %u stops: %s", i, why);
	}
	if (ret == 0)
		serve_memory_release(&serve->memory);
	return ret;
}

/* ---- descriptors ---- */

void serve_ring_set_fd(int *place, int fd)
{
	if (*place >= 0)
		(void)close(*place);
	*place = fd;
	/* A counter that is full must not stop us. */
	if (fd >= 0)
		(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void kicked(void *arg, uint32_t events)
{
	struct serve_ring *ring = arg;
	struct serve *serve = ring->serve;
	uint64_t count;
	ssize_t n = read(ring->kick, &count, sizeof(count));

	(void)events;
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		serve_say(serve, LOG_LEVEL_WARN, "queue %u can be kicked no more: %s", ring->index,
			n == 0 ? "its notifier has ended" : strerror(errno));
		loop_fd_remove(ring->watch);
		ring->watch = NULL;
		return;
	}
	if (n < 0 || serve->held)
		return;
	look_at(serve, ring->index);
	serve_note_lost(serve);
}

int serve_ring_set_kick(struct serve *serve, uint32_t index, int fd, struct error *err)
{
	struct serve_ring *ring = &serve->rings[index];
	int ret;

	loop_fd_remove(ring->watch);
	ring->watch = NULL;
	serve_ring_set_fd(&ring->kick, fd);
	ret = loop_fd_add(serve->loop, fd, LOOP_READ, kicked, ring, &ring->watch);
	if (ret < 0)
		return error_set(err, EXIT_HOST, ret,
			"the kick descriptor of queue %u cannot be waited for: %s", index,
			strerror(-ret));
	ring->started = true;
	return 0;
}

void serve_ring_forget(struct serve_ring *ring)
{
	loop_fd_remove(ring->watch);
	ring->watch = NULL;
	serve_ring_set_fd(&ring->kick, -1);
	serve_ring_set_fd(&ring->call, -1);
	serve_ring_set_fd(&ring->err, -1);
	*ring = (struct serve_ring){
		.serve = ring->serve, .index = ring->index, .kick = -1, .call = -1, .err = -1
	};
}

/* ---- the driver's reset, and its faults ---- */

static void stop_all(struct serve *serve)
{
	device_lock(serve->dev);
	virtio_served_let_go(serve->vd);
	device_unlock(serve->dev);
	for (uint32_t i = 0; i < n_rings(serve); i++)
		serve_ring_stop(serve, i);
}

void serve_reset(struct serve *serve)
{
	stop_all(serve);
	for (uint32_t i = 0; i < n_rings(serve); i++) {
		struct serve_ring *ring = &serve->rings[i];

		loop_fd_remove(ring->watch);
		ring->watch = NULL;
		ring->started = ring->enabled = false;
	}
	device_lock(serve->dev);
	virtio_device_machine_reset(serve->vd);
	device_unlock(serve->dev);
	serve->faulty = false;
	serve->status = 0;
	(void)serve_release(serve, NULL);
}

void serve_ring_fault(struct serve *serve)
{
	const uint64_t one = 1;

	serve->faulty = true; /* the layer has said why */
	stop_all(serve);
	for (uint32_t i = 0; i < n_rings(serve); i++) {
		const int err = serve->rings[i].err;

		if (err >= 0 && write(err, &one, sizeof(one)) < 0)
			continue; /* full, or gone: it has been told */
	}
}

void serve_note_lost(struct serve *serve)
{
	if (!serve_map_lost())
		return;
	serve->lost = true;
	loop_timer_set(serve->trouble, 1);
}

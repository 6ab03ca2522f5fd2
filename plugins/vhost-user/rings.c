/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handing the rings over and taking them back.
 *
 * The back end finds memory and rings by "user addresses", of which we are free to make up our own:
 * a guest address plus VIEW.  Memory that the guest itself may only read stays with us.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "vu.h"

#define VIEW 0x100000000000ull

#define STATUS_BEFORE 11u /* ACKNOWLEDGE, DRIVER, FEATURES_OK */
#define STATUS_OK     15u

static struct wire_msg message(uint32_t request, size_t size)
{
	return (struct wire_msg){ .head = { request, VHOST_USER_VERSION, (uint32_t)size } };
}

/* ---- what the driver set up ---- */

static void call_came(struct tenon_dev *dev, void *arg, uint32_t events)
{
	struct vu_ring *r = arg;

	(void)dev;
	(void)events;
	if (!notifier->drain(r->call))
		return;
	track_scan(&r->track);
	virtio->interrupt(r->vq);
}

static int keep_track(struct vu *vu, struct vu_ring *r)
{
	uint32_t n = r->setup.size;
	void *avail =
		mem->map(vu->dev, r->setup.avail, 6 + n * 2ul, TENON_PROT_READ | TENON_PROT_WRITE);
	void *used = mem->map(vu->dev, r->setup.used, 6 + n * 8ul, TENON_PROT_READ);
	int ret = avail && used ? track_init(&r->track, n, avail, used) : -EFAULT;

	if (ret == 0)
		ret = notifier->create(&r->call);
	if (ret == 0)
		ret = event->fd_add(vu->dev, notifier->fd(r->call), TENON_FD_READ, call_came, r,
			&r->call_watch);
	return ret;
}

static void stop_tracking(struct vu_ring *r)
{
	if (r->call_watch)
		event->fd_remove(r->call_watch);
	notifier->destroy(r->call);
	r->call_watch = NULL;
	r->call = NULL;
	track_finish(&r->track);
}

int rings_adopt(struct vu *vu)
{
	bool recorded = peer_has(&vu->peer, VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD);

	for (uint32_t i = 0; i < vu->n_queues; i++) {
		struct vu_ring *r = &vu->rings[i];
		int ret;

		r->setup = (struct tenon_vq_setup){ .struct_size = sizeof(r->setup) };
		(void)virtio->queue_setup(r->vq, &r->setup);
		if (r->setup.size == 0 || recorded || vu->delay_ms == 0)
			continue;
		ret = keep_track(vu, r);
		if (ret < 0)
			return ret;
	}
	return 0;
}

void rings_forget(struct vu *vu)
{
	for (uint32_t i = 0; i < vu->n_queues; i++) {
		stop_tracking(&vu->rings[i]);
		vu->rings[i].setup.size = 0;
		vu->rings[i].started = false;
	}
	if (vu->inflight_fd >= 0)
		(void)close(vu->inflight_fd);
	vu->inflight_fd = -1;
	vu->lost = false;
}

/* ---- memory ---- */

static int note_region(void *arg, const struct tenon_mem_region *r)
{
	struct vu *vu = arg;

	if (!(r->prot & TENON_PROT_WRITE))
		return 0;
	if (vu->n_regions == VU_MAX_REGIONS)
		return -E2BIG;
	vu->regions[vu->n_regions++] =
		(struct vu_region){ { r->gpa, r->size, r->gpa + VIEW, r->fd_offset }, r->fd };
	return 0;
}

int rings_note_memory(struct vu *vu)
{
	vu->n_regions = 0;
	return mem->regions(vu->dev, note_region, vu);
}

static int send_one_by_one(struct vu *vu)
{
	int ret = 0;

	for (uint32_t i = 0; i < vu->n_regions && ret == 0; i++) {
		struct wire_msg msg = message(VHOST_USER_ADD_MEM_REG, sizeof(msg.p.memory_one));

		msg.p.memory_one.region = vu->regions[i].wire;
		msg.fds[0] = vu->regions[i].fd;
		msg.n_fds = 1;
		ret = peer_tell(&vu->peer, &msg);
	}
	vu->peer.knows_memory = ret == 0;
	return ret;
}

static int send_memory(struct vu *vu)
{
	uint32_t n = vu->n_regions;
	struct wire_msg msg = message(VHOST_USER_SET_MEM_TABLE,
		offsetof(struct vhost_user_memory, regions) + n * sizeof(msg.p.memory.regions[0]));

	if (vu->peer.knows_memory)
		return 0; /* slots are added once */
	if (n > VHOST_USER_MAX_FDS && vu->peer.n_slots >= n)
		return send_one_by_one(vu);
	if (n > VHOST_USER_MAX_FDS)
		return peer_fail(&vu->peer, -E2BIG,
			"the guest's memory has %u parts, more than it takes", n);
	for (uint32_t i = 0; i < n; i++) {
		msg.p.memory.regions[i] = vu->regions[i].wire;
		msg.fds[i] = vu->regions[i].fd;
	}
	msg.p.memory.n_regions = msg.n_fds = n;
	return peer_tell(&vu->peer, &msg);
}

/* ---- requests in flight ---- */

static struct wire_msg inflight_message(const struct vu *vu, uint32_t request)
{
	struct wire_msg msg = message(request, sizeof(msg.p.inflight));

	msg.p.inflight = vu->inflight;
	return msg;
}

static int get_inflight(struct vu *vu)
{
	struct wire_msg msg, reply;
	const char *why;
	int ret;

	vu->inflight = (struct vhost_user_inflight){ .n_queues = (uint16_t)vu->n_queues };
	for (uint32_t i = 0; i < vu->n_queues; i++)
		if (vu->rings[i].setup.size > vu->inflight.queue_size)
			vu->inflight.queue_size = (uint16_t)vu->rings[i].setup.size;
	msg = inflight_message(vu, VHOST_USER_GET_INFLIGHT_FD);
	ret = peer_ask(&vu->peer, &msg, &reply);
	if (ret < 0)
		return ret;
	why = wire_check_inflight(&reply);
	if (why) {
		wire_drop_fds(&reply);
		return peer_fail(&vu->peer, -EPROTO, "it sent %s", why);
	}
	vu->inflight.size = reply.p.inflight.size;
	vu->inflight.fd_offset = reply.p.inflight.fd_offset;
	vu->inflight_fd = reply.fds[0];
	return 0;
}

static int send_inflight(struct vu *vu)
{
	struct wire_msg msg;
	int ret = 0;

	if (!peer_has(&vu->peer, VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD))
		return 0;
	if (vu->inflight_fd < 0)
		ret = get_inflight(vu);
	if (ret < 0)
		return ret;
	msg = inflight_message(vu, VHOST_USER_SET_INFLIGHT_FD);
	msg.fds[0] = vu->inflight_fd;
	msg.n_fds = 1;
	return peer_tell(&vu->peer, &msg);
}

/* ---- starting ---- */

static int send_address(struct vu *vu, const struct vu_ring *r)
{
	struct wire_msg msg = message(VHOST_USER_SET_VRING_ADDR, sizeof(msg.p.addr));

	msg.p.addr = (struct vhost_user_vring_addr){ .index = r->index,
		.desc = r->setup.desc + VIEW,
		.used = r->setup.used + VIEW,
		.avail = r->setup.avail + VIEW };
	return peer_tell(&vu->peer, &msg);
}

/* A back end may begin as soon as it has the kick: that comes last. */
static int start_ring(struct vu *vu, struct vu_ring *r)
{
	struct tenon_notifier *call = r->call ? r->call : virtio->queue_call(r->vq);
	struct tenon_notifier *kick = virtio->queue_kick(r->vq);
	struct peer *p = &vu->peer;
	uint32_t base = virtio->queue_base(r->vq);
	int ret = peer_tell_state(p, VHOST_USER_SET_VRING_NUM, r->index, r->setup.size);

	if (r->track.size)
		track_begin(&r->track, (uint16_t)base);
	if (ret == 0)
		ret = peer_tell_state(p, VHOST_USER_SET_VRING_BASE, r->index, base);
	if (ret == 0)
		ret = send_address(vu, r);
	if (ret == 0)
		ret = peer_tell_vring_fd(
			p, VHOST_USER_SET_VRING_CALL, r->index, notifier->fd(call));
	if (ret == 0)
		ret = peer_tell_vring_fd(
			p, VHOST_USER_SET_VRING_ERR, r->index, notifier->fd(vu->err));
	if (ret == 0)
		ret = peer_tell_vring_fd(
			p, VHOST_USER_SET_VRING_KICK, r->index, notifier->fd(kick));
	if (ret == 0)
		r->started = true;
	return ret;
}

static int send_status(struct vu *vu, unsigned status)
{
	if (!peer_has(&vu->peer, VHOST_USER_PROTOCOL_F_STATUS))
		return 0;
	return peer_tell_number(&vu->peer, VHOST_USER_SET_STATUS, status);
}

/* Once for a driver: features, status and memory do not change while it runs the device. */
static int prepare(struct vu *vu)
{
	uint64_t own = vu->peer.features & VHOST_USER_F_PROTOCOL_FEATURES;
	int ret;

	if (vu->peer.is_prepared)
		return 0;
	ret = send_status(vu, STATUS_BEFORE & ~8u);
	if (ret == 0)
		ret = peer_tell_number(&vu->peer, VHOST_USER_SET_FEATURES, vu->acked | own);
	if (ret == 0)
		ret = send_status(vu, STATUS_BEFORE);
	return ret < 0 ? ret : send_memory(vu);
}

/* Only with the protocol's features are rings born disabled. */
static int enable(struct vu *vu)
{
	int ret = 0;

	for (uint32_t i = 0; i < vu->n_queues && ret == 0; i++)
		if (vu->rings[i].started && (vu->peer.features & VHOST_USER_F_PROTOCOL_FEATURES))
			ret = peer_tell_state(&vu->peer, VHOST_USER_SET_VRING_ENABLE, i, 1);
	return ret;
}

int rings_start(struct vu *vu)
{
	int ret;

	peer_begin(&vu->peer);
	ret = prepare(vu);
	if (ret == 0)
		ret = send_inflight(vu);
	for (uint32_t i = 0; i < vu->n_queues && ret == 0; i++)
		if (vu->rings[i].setup.size)
			ret = start_ring(vu, &vu->rings[i]);
	if (ret == 0)
		ret = enable(vu);
	if (ret == 0 && !vu->peer.is_prepared)
		ret = send_status(vu, STATUS_OK);
	vu->peer.is_prepared = ret == 0;
	/* What became available meanwhile was kicked for, perhaps to one who is gone. */
	for (uint32_t i = 0; i < vu->n_queues && ret == 0; i++)
		if (vu->rings[i].started)
			notifier->signal(virtio->queue_kick(vu->rings[i].vq));
	return ret;
}

/* ---- stopping ---- */

static uint16_t index_in(struct vu *vu, uint64_t gpa)
{
	uint8_t raw[2] = { 0, 0 };

	(void)mem->read(vu->dev, gpa + 2, raw, sizeof(raw));
	return (uint16_t)(raw[0] | raw[1] << 8);
}

/*
 * There are back ends that answer while requests are still under way: without a record of those,
 * what they have taken must come back before the ring is at rest.
 */
static int wait_for_used(struct vu *vu, const struct vu_ring *r, uint16_t base)
{
	bool recorded = peer_has(&vu->peer, VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD);

	while (!recorded && index_in(vu, r->setup.used) != base) {
		int64_t soon = wire_now_ms() + 1;

		if (soon > vu->peer.deadline_ms)
			return peer_fail(&vu->peer, -ETIMEDOUT,
				"it has not finished the requests of queue %u", r->index);
		if (wire_wait(vu->peer.fd, -1, soon) != -ETIMEDOUT)
			return peer_fail(&vu->peer, -EPROTO, "it went away while it stopped");
	}
	return 0;
}

static int stop_ring(struct vu *vu, struct vu_ring *r)
{
	struct wire_msg msg = message(VHOST_USER_GET_VRING_BASE, sizeof(msg.p.state)), reply;
	int ret;

	msg.p.state.index = r->index;
	ret = peer_ask(&vu->peer, &msg, &reply);
	if (ret == 0 && reply.p.state.index != r->index)
		ret = peer_fail(&vu->peer, -EPROTO, "it stopped another queue than was asked for");
	if (ret < 0)
		return ret;
	virtio->queue_set_base(r->vq, reply.p.state.number & 0xffff);
	ret = wait_for_used(vu, r, (uint16_t)reply.p.state.number);
	r->started = ret < 0; /* then what it was doing is to be found out */
	return ret;
}

static bool has_work(struct vu *vu)
{
	for (uint32_t i = 0; i < vu->n_queues; i++) {
		const struct vu_ring *r = &vu->rings[i];

		if (r->started && index_in(vu, r->setup.used) != index_in(vu, r->setup.avail))
			return true;
	}
	return false;
}

/*
 * There are back ends that fail when they are stopped with requests under way.  Where all of those
 * end by themselves they get some time for it first.
 */
static void let_work_end(struct vu *vu)
{
	int64_t until = wire_now_ms() + vu->peer.timeout_ms / 2;

	if (!vu->kind.all_end || peer_has(&vu->peer, VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD))
		return;
	while (has_work(vu) && wire_now_ms() < until)
		if (wire_wait(vu->peer.fd, -1, wire_now_ms() + 1) != -ETIMEDOUT)
			return;
}

int rings_stop(struct vu *vu)
{
	int ret = 0;

	peer_begin(&vu->peer);
	let_work_end(vu);
	for (uint32_t i = 0; i < vu->n_queues && ret == 0; i++)
		if (vu->rings[i].started)
			ret = stop_ring(vu, &vu->rings[i]);
	return ret;
}

int rings_reset(struct vu *vu)
{
	const struct wire_msg msg = message(VHOST_USER_RESET_DEVICE, 0);

	vu->peer.is_prepared = false;
	if (peer_has(&vu->peer, VHOST_USER_PROTOCOL_F_STATUS))
		return send_status(vu, 0);
	if (peer_has(&vu->peer, VHOST_USER_PROTOCOL_F_RESET_DEVICE))
		return peer_tell(&vu->peer, &msg);
	return 0;
}

/* ---- after a death ---- */

static bool recover_ring(struct vu *vu, struct vu_ring *r)
{
	uint16_t used = index_in(vu, r->setup.used), base = used;

	r->started = false;
	if (vu->inflight_fd < 0 && index_in(vu, r->setup.avail) != used &&
		(!r->track.size || !track_recover(&r->track, &base)))
		return false;
	virtio->queue_set_base(r->vq, base);
	virtio->interrupt(r->vq); /* of what was used last nobody may have told */
	return true;
}

bool rings_recover(struct vu *vu)
{
	bool known = true;

	for (uint32_t i = 0; i < vu->n_queues; i++)
		if (vu->rings[i].started)
			known &= recover_ring(vu, &vu->rings[i]);
	return known;
}

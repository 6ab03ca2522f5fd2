/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The requests of a front end: one row of a table and one function each.
 *
 * The table says how long a payload may be and how many descriptors come with it, so that the
 * functions see nothing of another shape.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "core/event_loop.h"
#include "core/serve.h"

#define PROTOCOL(name) (1ull << VHOST_USER_PROTOCOL_F_##name)
#define OUR_PROTOCOL                                                                               \
	(PROTOCOL(MQ) | PROTOCOL(LOG_SHMFD) | PROTOCOL(REPLY_ACK) | PROTOCOL(BACKEND_REQ) |        \
		PROTOCOL(CONFIG) | PROTOCOL(INFLIGHT_SHMFD) | PROTOCOL(RESET_DEVICE) |             \
		PROTOCOL(CONFIGURE_MEM_SLOTS) | PROTOCOL(STATUS))
/* Front ends that know of no configuration of a device complain about one. */
static uint64_t our_protocol(const struct serve *serve)
{
	return serve->vd->desc.config_size ? OUR_PROTOCOL : OUR_PROTOCOL & ~PROTOCOL(CONFIG);
}

#define REG_CONFIG 0x100u /* in the register's space, where the layer takes a driver's writes */

static int refuse(struct error *err, const char *what)
{
	return error_set(err, EXIT_HOST, -EPROTO, "%s", what);
}

static int reply(struct serve *serve, const struct serve_message *m, const void *payload,
	size_t size, int fd, struct error *err)
{
	int ret = serve_send(
		serve->wire.fd, m->header.request, VHOST_USER_FLAG_REPLY, payload, size, fd);

	return ret < 0 ? error_set(err, EXIT_HOST, ret,
				 "the front end does not take the answer: %s", strerror(-ret))
		       : 0;
}

static int reply_u64(
	struct serve *serve, const struct serve_message *m, uint64_t value, struct error *err)
{
	return reply(serve, m, &value, sizeof(value), -1, err);
}

/* The ring that a message is about. */
static int ring_of(
	struct serve *serve, uint64_t index, struct serve_ring **ret_ring, struct error *err)
{
	if (index >= serve->vd->desc.n_queues)
		return error_set(err, EXIT_HOST, -EPROTO,
			"the front end speaks of queue %" PRIu64 ", the device has %u", index,
			serve->vd->desc.n_queues);
	*ret_ring = &serve->rings[index];
	return 0;
}

/* ---- features ---- */

static uint64_t our_features(const struct serve *serve)
{
	return serve->vd->offered | VHOST_USER_F_LOG_ALL | VHOST_USER_F_PROTOCOL_FEATURES;
}

static int get_features(struct serve *serve, struct serve_message *m, struct error *err)
{
	return reply_u64(serve, m, our_features(serve), err);
}

static bool any_runs(const struct serve *serve)
{
	for (uint32_t i = 0; i < serve->vd->desc.n_queues; i++)
		if (virtio_served_runs(serve->vd, i))
			return true;
	return false;
}

static int set_features(struct serve *serve, struct serve_message *m, struct error *err)
{
	if (m->payload.u64 & ~our_features(serve))
		return refuse(err, "the front end takes features that were not offered");
	/* A driver other than the one that the device was activated for; the log comes and goes. */
	if (serve->vd->activated &&
		(serve->features ^ m->payload.u64) & ~(uint64_t)VHOST_USER_F_LOG_ALL) {
		if (any_runs(serve))
			return refuse(err, "the front end changes the features while rings run");
		serve_reset(serve);
	}
	serve->features = m->payload.u64;
	return 0;
}

static int get_protocol_features(struct serve *serve, struct serve_message *m, struct error *err)
{
	return reply_u64(serve, m, our_protocol(serve), err);
}

static int set_protocol_features(struct serve *serve, struct serve_message *m, struct error *err)
{
	if (m->payload.u64 & ~our_protocol(serve))
		return refuse(err, "the front end takes protocol features that were not offered");
	serve->protocol_features = m->payload.u64;
	return 0;
}

static int set_owner(struct serve *serve, struct serve_message *m, struct error *err)
{
	(void)serve;
	(void)m;
	(void)err;
	return 0;
}

static int get_queue_num(struct serve *serve, struct serve_message *m, struct error *err)
{
	return reply_u64(serve, m, serve->vd->desc.n_queues, err);
}

/* ---- memory: nothing runs while it changes ---- */

static int change_memory(struct serve *serve, struct serve_message *m,
	int (*change)(struct serve *serve, struct serve_message *m, struct error *err),
	struct error *err)
{
	int ret = serve_hold(serve, err), moved, released;

	/* What could not be given back must not lose the memory that it is in. */
	if (ret == 0)
		ret = serve_ring_take_back(serve, err);
	if (ret == 0)
		ret = change(serve, m, err);
	moved = serve_ring_move_all(serve, err);
	released = serve_release(serve, err);
	if (ret == 0)
		ret = moved;
	if (ret == 0)
		ret = released;
	return ret < 0 ? ret : serve_ring_start_all(serve, err);
}

static int replace_table(struct serve *serve, struct serve_message *m, struct error *err)
{
	const struct vhost_user_memory *table = &m->payload.memory;
	int ret = 0;

	serve_memory_clear(&serve->memory);
	for (uint32_t i = 0; i < table->n_regions && ret == 0; i++)
		ret = serve_memory_add(
			&serve->memory, &table->regions[i], serve_message_take_fd(m, i), err);
	if (ret < 0)
		serve_memory_clear(&serve->memory);
	return ret;
}

static int set_mem_table(struct serve *serve, struct serve_message *m, struct error *err)
{
	const struct vhost_user_memory *table = &m->payload.memory;

	if (table->n_regions > VHOST_USER_MAX_FDS || table->n_regions != m->n_fds ||
		m->header.size != 8 + table->n_regions * sizeof(table->regions[0]))
		return error_set(err, EXIT_HOST, -EPROTO,
			"the front end's table of memory has %u regions, %u descriptors and %u "
			"bytes, which do not fit together",
			table->n_regions, m->n_fds, m->header.size);
	return change_memory(serve, m, replace_table, err);
}

static int add_region(struct serve *serve, struct serve_message *m, struct error *err)
{
	return serve_memory_add(
		&serve->memory, &m->payload.memory_one.region, serve_message_take_fd(m, 0), err);
}

static int add_mem_reg(struct serve *serve, struct serve_message *m, struct error *err)
{
	return change_memory(serve, m, add_region, err);
}

static int remove_region(struct serve *serve, struct serve_message *m, struct error *err)
{
	return serve_memory_remove(&serve->memory, &m->payload.memory_one.region, err);
}

static int rem_mem_reg(struct serve *serve, struct serve_message *m, struct error *err)
{
	return change_memory(serve, m, remove_region, err);
}

static int get_max_mem_slots(struct serve *serve, struct serve_message *m, struct error *err)
{
	return reply_u64(serve, m, SERVE_MAX_REGIONS, err);
}

/* ---- rings ---- */

static int set_vring_num(struct serve *serve, struct serve_message *m, struct error *err)
{
	const uint32_t num = m->payload.state.number;
	struct serve_ring *ring = NULL;
	int ret = ring_of(serve, m->payload.state.index, &ring, err);

	if (ret < 0)
		return ret;
	if (virtio_served_runs(serve->vd, ring->index))
		return refuse(err, "the front end changes the size of a ring that runs");
	if (num == 0 || num > serve->vd->queues[ring->index].max_size || (num & (num - 1)) != 0)
		return error_set(err, EXIT_HOST, -EPROTO,
			"the front end wants queue %u with %u entries; wanted a power of two up to "
			"%u",
			ring->index, num, serve->vd->queues[ring->index].max_size);
	ring->num = num;
	return 0;
}

/* While the ring runs this is how a front end turns the log of its own pages on and off. */
static int set_vring_addr(struct serve *serve, struct serve_message *m, struct error *err)
{
	const struct vhost_user_vring_addr *addr = &m->payload.addr;
	struct serve_ring *ring = NULL;
	int ret = ring_of(serve, addr->index, &ring, err);

	if (ret < 0)
		return ret;
	if (virtio_served_runs(serve->vd, ring->index) &&
		(ring->desc != addr->desc || ring->avail != addr->avail ||
			ring->used != addr->used))
		return refuse(err, "the front end moves a ring that runs");
	ring->desc = addr->desc;
	ring->avail = addr->avail;
	ring->used = addr->used;
	ring->has_addr = true;
	return serve_ring_start_all(serve, err);
}

static int set_vring_base(struct serve *serve, struct serve_message *m, struct error *err)
{
	struct serve_ring *ring = NULL;
	int ret = ring_of(serve, m->payload.state.index, &ring, err);

	if (ret < 0)
		return ret;
	if (virtio_served_runs(serve->vd, ring->index))
		return refuse(err, "the front end sets a ring back that runs");
	ring->base = (uint16_t)m->payload.state.number;
	return 0;
}

/* Nothing of the ring is with the device afterwards; the others go on. */
static int stop_ring(struct serve *serve, struct serve_ring *ring, struct error *err)
{
	int ret = 0, released;

	if (!virtio_served_runs(serve->vd, ring->index))
		return 0;
	ret = serve_hold(serve, err);
	if (ret == 0 && virtio_served_in_use(serve->vd, ring->index) > 0)
		ret = serve_ring_take_back(serve, err);
	if (ret == 0)
		serve_ring_stop(serve, ring->index);
	released = serve_release(serve, err);
	return ret < 0 ? ret : released;
}

static bool any_started(const struct serve *serve)
{
	for (uint32_t i = 0; i < serve->vd->desc.n_queues; i++)
		if (serve->rings[i].started)
			return true;
	return false;
}

/* With the last ring the driver has gone, unless the front end says when it does: by its status. */
static int get_vring_base(struct serve *serve, struct serve_message *m, struct error *err)
{
	struct vhost_user_vring_state state = m->payload.state;
	struct serve_ring *ring = NULL;
	int ret = ring_of(serve, state.index, &ring, err);

	if (ret == 0)
		ret = stop_ring(serve, ring, err);
	if (ret < 0)
		return ret;
	loop_fd_remove(ring->watch);
	ring->watch = NULL;
	ring->started = false;
	state.number = ring->base;
	if (any_started(serve))
		ret = serve_ring_start_all(serve, err); /* what stood still for it */
	else if (!(serve->status & VIRTIO_STATUS_DRIVER_OK))
		serve_reset(serve);
	return ret < 0 ? ret : reply(serve, m, &state, sizeof(state), -1, err);
}

static int set_vring_enable(struct serve *serve, struct serve_message *m, struct error *err)
{
	struct serve_ring *ring = NULL;
	int ret = ring_of(serve, m->payload.state.index, &ring, err);

	if (ret < 0)
		return ret;
	if (m->payload.state.number > 1)
		return refuse(err, "the front end enables a ring with neither 0 nor 1");
	ring->enabled = m->payload.state.number;
	if (!ring->enabled)
		ret = stop_ring(serve, ring, err);
	return ret < 0 ? ret : serve_ring_start_all(serve, err);
}

/* The descriptor of a KICK, CALL or ERR, or -1 where none is to be. */
static int vring_fd(struct serve *serve, struct serve_message *m, struct serve_ring **ret_ring,
	int *ret_fd, struct error *err)
{
	const bool none = m->payload.u64 & VHOST_USER_VRING_NOFD;
	int ret = ring_of(serve, m->payload.u64 & VHOST_USER_VRING_MASK, ret_ring, err);

	if (ret < 0)
		return ret;
	if (m->payload.u64 & ~(uint64_t)(VHOST_USER_VRING_MASK | VHOST_USER_VRING_NOFD))
		return refuse(
			err, "the front end sets bits of a ring's descriptor that mean nothing");
	if (none != (m->n_fds == 0))
		return refuse(err,
			"the front end sends a ring's descriptor and says that it does not, "
			"or the other way round");
	*ret_fd = serve_message_take_fd(m, 0);
	return 0;
}

static int set_vring_kick(struct serve *serve, struct serve_message *m, struct error *err)
{
	struct serve_ring *ring = NULL;
	int fd, ret = vring_fd(serve, m, &ring, &fd, err);

	if (ret < 0)
		return ret;
	if (fd < 0)
		return refuse(err,
			"the front end wants a ring looked at without being kicked, which "
			"is not done here");
	ret = serve_ring_set_kick(serve, ring->index, fd, err);
	if (ret < 0)
		return ret;
	/* Without the second set of features a ring is enabled from the beginning. */
	if (!(serve->features & VHOST_USER_F_PROTOCOL_FEATURES))
		ring->enabled = true;
	return serve_ring_start_all(serve, err);
}

static int set_vring_call(struct serve *serve, struct serve_message *m, struct error *err)
{
	struct serve_ring *ring = NULL;
	int fd, ret = vring_fd(serve, m, &ring, &fd, err);

	if (ret < 0)
		return ret;
	serve_ring_set_fd(&ring->call, fd);
	if (fd >= 0 && ring->missed)
		serve->home.call(serve, ring->index);
	return 0;
}

static int set_vring_err(struct serve *serve, struct serve_message *m, struct error *err)
{
	struct serve_ring *ring = NULL;
	int fd, ret = vring_fd(serve, m, &ring, &fd, err);

	if (ret == 0)
		serve_ring_set_fd(&ring->err, fd);
	return ret;
}

/* ---- the device ---- */

static int get_config(struct serve *serve, struct serve_message *m, struct error *err)
{
	struct vhost_user_config *config = &m->payload.config;
	const uint32_t there = serve->vd->desc.config_size;
	uint32_t n = 0;

	if (config->size > VHOST_USER_MAX_CONFIG ||
		m->header.size != VHOST_USER_CONFIG_HEAD + config->size)
		return refuse(err,
			"the front end asks for more of the configuration than the message "
			"holds");
	memset(config->bytes, 0, config->size);
	/* Past its end there are zeros: front ends ask for fields of features they do not have. */
	if (config->offset < there)
		n = there - config->offset < config->size ? there - config->offset : config->size;
	(void)virtio_config_get(serve->vd, config->offset, config->bytes, n);
	return reply(serve, m, config, m->header.size, -1, err);
}

/* The layer takes up to eight bytes as one write. */
static int set_config(struct serve *serve, struct serve_message *m, struct error *err)
{
	const struct vhost_user_config *config = &m->payload.config;
	const uint32_t there = serve->vd->desc.config_size;

	if (config->size > VHOST_USER_MAX_CONFIG ||
		m->header.size != VHOST_USER_CONFIG_HEAD + config->size)
		return refuse(err,
			"the front end writes more of the configuration than the message "
			"holds");
	if (config->offset > there || config->size > there - config->offset)
		return error_set(err, EXIT_HOST, -EPROTO,
			"the front end writes %u bytes at %u of the configuration, which has %u",
			config->size, config->offset, there);
	for (uint32_t at = 0; at < config->size;) {
		const uint32_t n = config->size - at < 8 ? config->size - at : 8;
		uint64_t value = 0;

		for (uint32_t i = 0; i < n; i++)
			value |= (uint64_t)config->bytes[at + i] << (8 * i);
		virtio_mmio_write(serve->vd, REG_CONFIG + config->offset + at, n, value);
		at += n;
	}
	device_lock(serve->dev);
	virtio_device_run_deferred(serve->vd);
	device_unlock(serve->dev);
	return 0;
}

static int reset_device(struct serve *serve, struct serve_message *m, struct error *err)
{
	(void)m;
	(void)err;
	serve_reset(serve);
	return 0;
}

static int set_status(struct serve *serve, struct serve_message *m, struct error *err)
{
	const uint64_t status = m->payload.u64;

	if (status > 0xff)
		return refuse(err, "the front end sets a status of more than eight bits");
	if (status == 0) {
		serve_reset(serve);
		return 0;
	}
	serve->status = (uint32_t)status;
	if ((status & VIRTIO_STATUS_FEATURES_OK) &&
		!virtio_served_features_ok(serve->vd, serve->features & serve->vd->offered))
		serve->status &= ~(VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK);
	return serve_ring_start_all(serve, err);
}

static int get_status(struct serve *serve, struct serve_message *m, struct error *err)
{
	const uint64_t faulty = virtio_served_is_faulty(serve->vd) ? VIRTIO_STATUS_NEEDS_RESET : 0;

	return reply_u64(serve, m, serve->status | faulty, err);
}

static int set_backend_req_fd(struct serve *serve, struct serve_message *m, struct error *err)
{
	(void)err;
	serve_ring_set_fd(&serve->back, serve_message_take_fd(m, 0));
	return 0;
}

/* ---- what is shared beside memory ---- */

static int set_log_base(struct serve *serve, struct serve_message *m, struct error *err)
{
	int ret = serve_log_open(serve, &m->payload.log, m->fds[0], err);

	return ret < 0 ? ret : reply_u64(serve, m, 0, err);
}

/* Whoever reads the log does not need to be told when it was written. */
static int set_log_fd(struct serve *serve, struct serve_message *m, struct error *err)
{
	(void)serve;
	(void)m;
	(void)err;
	return 0;
}

static int get_inflight_fd(struct serve *serve, struct serve_message *m, struct error *err)
{
	int fd, ret = serve_ledger_make(serve, &m->payload.inflight, &fd, err);

	if (ret < 0)
		return ret;
	ret = reply(serve, m, &m->payload, m->header.size, fd, err);
	(void)close(fd);
	return ret;
}

static int set_inflight_fd(struct serve *serve, struct serve_message *m, struct error *err)
{
	return serve_ledger_open(serve, &m->payload.inflight, m->fds[0], err);
}

/* ---- the table ---- */

struct request {
	const char *name; /* NULL = not known */
	int (*handle)(struct serve *serve, struct serve_message *m, struct error *err);
	uint32_t least, most; /* bytes of the payload */
	uint32_t fds, most_fds;
	bool answers; /* it has an answer of its own */
};

#define U64   sizeof(uint64_t)
#define STATE sizeof(struct vhost_user_vring_state)

static const struct request requests[] = {
	[VHOST_USER_GET_FEATURES] = { "GET_FEATURES", get_features, 0, 0, 0, 0, true },
	[VHOST_USER_SET_FEATURES] = { "SET_FEATURES", set_features, U64, U64, 0, 0, false },
	[VHOST_USER_SET_OWNER] = { "SET_OWNER", set_owner, 0, 0, 0, 0, false },
	[VHOST_USER_RESET_OWNER] = { "RESET_OWNER", reset_device, 0, 0, 0, 0, false },
	[VHOST_USER_SET_MEM_TABLE] = { "SET_MEM_TABLE", set_mem_table, 8,
		sizeof(struct vhost_user_memory), 0, VHOST_USER_MAX_FDS, false },
	[VHOST_USER_SET_LOG_BASE] = { "SET_LOG_BASE", set_log_base, sizeof(struct vhost_user_log),
		sizeof(struct vhost_user_log), 1, 1, true },
	[VHOST_USER_SET_LOG_FD] = { "SET_LOG_FD", set_log_fd, 0, U64, 1, 1, false },
	[VHOST_USER_SET_VRING_NUM] = { "SET_VRING_NUM", set_vring_num, STATE, STATE, 0, 0, false },
	[VHOST_USER_SET_VRING_ADDR] = { "SET_VRING_ADDR", set_vring_addr,
		sizeof(struct vhost_user_vring_addr), sizeof(struct vhost_user_vring_addr), 0, 0,
		false },
	[VHOST_USER_SET_VRING_BASE] = { "SET_VRING_BASE", set_vring_base, STATE, STATE, 0, 0,
		false },
	[VHOST_USER_GET_VRING_BASE] = { "GET_VRING_BASE", get_vring_base, STATE, STATE, 0, 0,
		true },
	[VHOST_USER_SET_VRING_KICK] = { "SET_VRING_KICK", set_vring_kick, U64, U64, 0, 1, false },
	[VHOST_USER_SET_VRING_CALL] = { "SET_VRING_CALL", set_vring_call, U64, U64, 0, 1, false },
	[VHOST_USER_SET_VRING_ERR] = { "SET_VRING_ERR", set_vring_err, U64, U64, 0, 1, false },
	[VHOST_USER_GET_PROTOCOL_FEATURES] = { "GET_PROTOCOL_FEATURES", get_protocol_features, 0, 0,
		0, 0, true },
	[VHOST_USER_SET_PROTOCOL_FEATURES] = { "SET_PROTOCOL_FEATURES", set_protocol_features, U64,
		U64, 0, 0, false },
	[VHOST_USER_GET_QUEUE_NUM] = { "GET_QUEUE_NUM", get_queue_num, 0, 0, 0, 0, true },
	[VHOST_USER_SET_VRING_ENABLE] = { "SET_VRING_ENABLE", set_vring_enable, STATE, STATE, 0, 0,
		false },
	[VHOST_USER_SET_BACKEND_REQ_FD] = { "SET_BACKEND_REQ_FD", set_backend_req_fd, 0, U64, 1, 1,
		false },
	[VHOST_USER_GET_CONFIG] = { "GET_CONFIG", get_config, VHOST_USER_CONFIG_HEAD,
		sizeof(struct vhost_user_config), 0, 0, true },
	[VHOST_USER_SET_CONFIG] = { "SET_CONFIG", set_config, VHOST_USER_CONFIG_HEAD,
		sizeof(struct vhost_user_config), 0, 0, false },
	/* With or without what a compiler puts behind the last member. */
	[VHOST_USER_GET_INFLIGHT_FD] = { "GET_INFLIGHT_FD", get_inflight_fd, 20,
		sizeof(struct vhost_user_inflight), 0, 0, true },
	[VHOST_USER_SET_INFLIGHT_FD] = { "SET_INFLIGHT_FD", set_inflight_fd, 20,
		sizeof(struct vhost_user_inflight), 1, 1, false },
	[VHOST_USER_RESET_DEVICE] = { "RESET_DEVICE", reset_device, 0, 0, 0, 0, false },
	[VHOST_USER_GET_MAX_MEM_SLOTS] = { "GET_MAX_MEM_SLOTS", get_max_mem_slots, 0, 0, 0, 0,
		true },
	[VHOST_USER_ADD_MEM_REG] = { "ADD_MEM_REG", add_mem_reg,
		sizeof(struct vhost_user_memory_one), sizeof(struct vhost_user_memory_one), 1, 1,
		false },
	[VHOST_USER_REM_MEM_REG] = { "REM_MEM_REG", rem_mem_reg,
		sizeof(struct vhost_user_memory_one), sizeof(struct vhost_user_memory_one), 0, 1,
		false },
	[VHOST_USER_SET_STATUS] = { "SET_STATUS", set_status, U64, U64, 0, 0, false },
	[VHOST_USER_GET_STATUS] = { "GET_STATUS", get_status, 0, 0, 0, 0, true },
};

static int check_shape(
	const struct request *request, const struct serve_message *m, struct error *err)
{
	if (m->header.size < request->least || m->header.size > request->most)
		return error_set(err, EXIT_HOST, -EPROTO,
			"the front end sent %s with %u bytes; wanted %u", request->name,
			m->header.size, request->least);
	if (m->n_fds < request->fds || m->n_fds > request->most_fds)
		return error_set(err, EXIT_HOST, -EPROTO,
			"the front end sent %s with %u descriptors; wanted %u", request->name,
			m->n_fds, request->fds);
	return 0;
}

int serve_handle(struct serve *serve, struct serve_message *m, struct error *err)
{
	const uint32_t number = m->header.request;
	const bool acks = (m->header.flags & VHOST_USER_FLAG_NEED) &&
			  (serve->protocol_features & PROTOCOL(REPLY_ACK));
	const struct request *request = NULL;
	int ret;

	if (number < sizeof(requests) / sizeof(requests[0]) && requests[number].name)
		request = &requests[number];
	if (request)
		serve_say(serve, LOG_LEVEL_DEBUG, "%s, %u bytes: %" PRIx64 ", %u descriptors",
			request->name, m->header.size, m->header.size >= 8 ? m->payload.u64 : 0,
			m->n_fds);
	if (request)
		ret = check_shape(request, m, err);
	else
		ret = error_set(err, EXIT_HOST, -EPROTO,
			"the front end sent request %u, which is not known here", number);
	if (ret == 0)
		ret = request->handle(serve, m, err);
	if (!acks || (request && request->answers))
		return ret;
	if (ret < 0) {
		serve_say(serve, LOG_LEVEL_WARN, "%s", err->text);
		err->text[0] = '\0';
	}
	return reply_u64(serve, m, ret < 0, err);
}

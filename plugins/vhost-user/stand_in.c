/* SPDX-License-Identifier: Apache-2.0 */
#include "stand_in.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wire.h"

#define MAX_RINGS   4u
#define FOR_EVER_MS (1ll << 40)

struct ring {
	uint32_t size;
	uint16_t next, used;
	uint8_t *desc, *avail, *used_ring;
	int kick, call, err;
	bool broken;
	struct vhost_user_inflight_ring *record;
	uint64_t counter;
};

struct serving {
	const struct stand_in *s;
	int fd, back;
	struct vhost_user_memory memory;
	uint8_t *mapped[VHOST_USER_MAX_FDS];
	struct ring rings[MAX_RINGS];
	uint8_t *record;
	struct vhost_user_inflight inflight;
	uint32_t taken, times;
};

struct stand_in stand_in_default(void)
{
	return (struct stand_in){
		.features = 1ull << 32 | VHOST_USER_F_PROTOCOL_FEATURES,
		.protocol = 1u << VHOST_USER_PROTOCOL_F_MQ | 1u << VHOST_USER_PROTOCOL_F_REPLY_ACK |
			    1u << VHOST_USER_PROTOCOL_F_CONFIG |
			    1u << VHOST_USER_PROTOCOL_F_BACKEND_REQ |
			    1u << VHOST_USER_PROTOCOL_F_STATUS |
			    1u << VHOST_USER_PROTOCOL_F_RESET_DEVICE |
			    1u << VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD,
		.n_queues = 1,
	};
}

/* ---- rings ---- */

static uint8_t *at(struct serving *v, uint64_t address, bool guest)
{
	for (uint32_t i = 0; i < v->memory.n_regions; i++) {
		const struct vhost_user_memory_region *r = &v->memory.regions[i];
		uint64_t from = guest ? r->gpa : r->user_address;

		if (address >= from && address - from < r->size)
			return v->mapped[i] + (address - from);
	}
	return NULL;
}

static uint16_t load16(const uint8_t *p)
{
	return __atomic_load_n((const uint16_t *)(const void *)p, __ATOMIC_ACQUIRE);
}

/* The bytes that were written, or -1 for a chain that is not one. */
static int64_t fill_chain(struct serving *v, struct ring *r, uint16_t head)
{
	uint32_t written = 0, seen = 0;

	for (uint16_t i = head, flags = 1; flags & 1;) {
		const uint8_t *d = r->desc + (size_t)i * 16;
		uint64_t address;
		uint32_t size;
		uint8_t *to;

		if (i >= r->size || ++seen > r->size)
			return -1;
		memcpy(&address, d, 8);
		memcpy(&size, d + 8, 4);
		flags = load16(d + 12);
		i = load16(d + 14);
		to = at(v, address, true);
		if (!to || size == 0 || address + size < address ||
			at(v, address + size - 1, true) != to + size - 1)
			return -1;
		if (!(flags & 2))
			continue;
		memset(to, 0x5a, size);
		written += size;
	}
	return written;
}

static void break_ring(struct ring *r)
{
	r->broken = true;
	(void)!write(r->err, &(uint64_t){ 1 }, 8);
}

static struct vhost_user_inflight_desc *record_of(struct ring *r)
{
	return (struct vhost_user_inflight_desc *)(void *)(r->record + 1);
}

static void answer(struct serving *v, struct ring *r, uint16_t head)
{
	uint8_t *entry = r->used_ring + 4 + (size_t)(r->used % r->size) * 8;
	int64_t filled = fill_chain(v, r, head);
	uint32_t id = head, written = (uint32_t)filled;

	if (filled < 0) {
		break_ring(r);
		return;
	}
	memcpy(entry, &id, 4);
	memcpy(entry + 4, &written, 4);
	r->used++;
	__atomic_store_n((uint16_t *)(void *)(r->used_ring + 2), r->used, __ATOMIC_RELEASE);
	if (r->record) {
		record_of(r)[head].inflight = 0;
		r->record->used_idx = r->used;
	}
	if (r->call >= 0 && !(load16(r->avail) & 1))
		(void)!write(r->call, &(uint64_t){ 1 }, 8);
}

static void work(struct serving *v, struct ring *r)
{
	while (!r->broken && r->next != load16(r->avail + 2)) {
		uint16_t head = load16(r->avail + 4 + (size_t)(r->next % r->size) * 2);

		if (head >= r->size || (uint16_t)(load16(r->avail + 2) - r->next) > r->size) {
			break_ring(r);
			return;
		}
		r->next++;
		if (r->record) {
			record_of(r)[head].inflight = 1;
			record_of(r)[head].counter = r->counter++;
		}
		if (!v->s->takes) {
			answer(v, r, head);
			continue;
		}
		if (v->s->answers >> v->taken & 1)
			answer(v, r, head);
		if (++v->taken == v->s->takes)
			_exit(0);
	}
}

/* What the one before us had taken. */
static void resubmit(struct serving *v, struct ring *r)
{
	for (uint16_t i = 0; r->record && i < r->size; i++) {
		if (!record_of(r)[i].inflight)
			continue;
		if (v->s->resubmitted)
			(*v->s->resubmitted)++;
		r->next++; /* the base was the used index */
		answer(v, r, i);
	}
}

/* ---- messages ---- */

static void reply(struct serving *v, struct wire_msg *m, uint32_t size, int fd)
{
	enum misdeed how = m->head.request == v->s->at && ++v->times == (v->s->nth ? v->s->nth : 1)
				   ? v->s->misdeed
				   : BEHAVES;
	const char *why;

	m->head.flags = VHOST_USER_VERSION | VHOST_USER_FLAG_REPLY;
	m->head.size = size;
	m->n_fds = 0;
	if (fd >= 0)
		m->fds[m->n_fds++] = fd;
	switch (how) {
	case DIES:
		_exit(0);
	case STALLS:
		for (;;)
			(void)pause();
	case REFUSES:
		m->p.number = 1;
		if (m->head.request == VHOST_USER_GET_CONFIG)
			m->head.size = 0;
		break;
	case WRONG_SIZE:
		m->head.size++;
		break;
	case TOO_LONG:
		m->head.size = VHOST_USER_MAX_PAYLOAD + 1;
		(void)!write(v->fd, &m->head, sizeof(m->head));
		return;
	case TOO_SHORT:
		(void)!write(v->fd, m, sizeof(m->head) + size - 1);
		return;
	case WRONG_REQUEST:
		m->head.request++;
		break;
	case NO_REPLY_FLAG:
		m->head.flags = VHOST_USER_VERSION;
		break;
	case BAD_VERSION:
		m->head.flags = 2 | VHOST_USER_FLAG_REPLY;
		break;
	case EXTRA_FDS:
		while (m->n_fds < 3)
			m->fds[m->n_fds++] = v->fd;
		break;
	default:
		break;
	}
	if (wire_send(v->fd, m, FOR_EVER_MS, &why) < 0)
		_exit(0);
	m->n_fds = 0;
}

static void map_memory(struct serving *v, struct wire_msg *m)
{
	v->memory = m->p.memory;
	for (uint32_t i = 0; i < m->n_fds; i++) {
		const struct vhost_user_memory_region *r = &v->memory.regions[i];

		v->mapped[i] = mmap(NULL, r->size, PROT_READ | PROT_WRITE, MAP_SHARED, m->fds[i],
			(off_t)r->fd_offset);
		if (v->mapped[i] == MAP_FAILED)
			_exit(4);
	}
	wire_drop_fds(m);
}

static size_t record_size(uint32_t size)
{
	return sizeof(struct vhost_user_inflight_ring) +
	       size * sizeof(struct vhost_user_inflight_desc);
}

static void make_record(struct serving *v, struct wire_msg *m)
{
	int fd = memfd_create("inflight", MFD_CLOEXEC);

	m->p.inflight.size = m->p.inflight.n_queues * record_size(m->p.inflight.queue_size);
	m->p.inflight.fd_offset = 0;
	if (fd < 0 || ftruncate(fd, (off_t)m->p.inflight.size) < 0)
		_exit(4);
	reply(v, m, sizeof(m->p.inflight), fd);
	(void)close(fd);
}

static void take_record(struct serving *v, struct wire_msg *m)
{
	v->inflight = m->p.inflight;
	v->record = mmap(NULL, v->inflight.size, PROT_READ | PROT_WRITE, MAP_SHARED, m->fds[0],
		(off_t)v->inflight.fd_offset);
	if (v->record == MAP_FAILED)
		_exit(4);
	wire_drop_fds(m);
}

static void take_addresses(struct serving *v, const struct vhost_user_vring_addr *a)
{
	struct ring *r = &v->rings[a->index % MAX_RINGS];

	r->desc = at(v, a->desc, false);
	r->avail = at(v, a->avail, false);
	r->used_ring = at(v, a->used, false);
	r->used = load16(r->used_ring + 2);
}

static void take_fd(struct serving *v, struct wire_msg *m)
{
	struct ring *r = &v->rings[(m->p.number & 0xff) % MAX_RINGS];
	int fd = m->n_fds ? dup(m->fds[0]) : -1;

	wire_drop_fds(m);
	if (m->head.request == VHOST_USER_SET_VRING_CALL) {
		r->call = fd;
	} else if (m->head.request == VHOST_USER_SET_VRING_ERR) {
		r->err = fd;
	} else {
		r->kick = fd;
		r->broken = false;
		r->record =
			v->record
				? (void *)(v->record + (m->p.number & 0xff) *
							       record_size(v->inflight.queue_size))
				: NULL;
		resubmit(v, r);
	}
}

static void stop_ring(struct serving *v, struct wire_msg *m)
{
	struct ring *r = &v->rings[m->p.state.index % MAX_RINGS];

	if (r->kick >= 0)
		(void)close(r->kick);
	if (r->call >= 0)
		(void)close(r->call);
	if (r->err >= 0)
		(void)close(r->err);
	r->kick = r->call = r->err = -1;
	m->p.state.number = r->next;
	reply(v, m, sizeof(m->p.state), -1);
}

static void answer_config(struct serving *v, struct wire_msg *m)
{
	if (m->p.config.size > v->s->config_size)
		m->p.config.size = 0;
	memcpy(m->p.config.bytes, v->s->config_now ? v->s->config_now : v->s->config,
		m->p.config.size);
	reply(v, m, VHOST_USER_CONFIG_HEAD + m->p.config.size, -1);
}

static void reply_number(struct serving *v, struct wire_msg *m, uint64_t number)
{
	m->p.number = number;
	reply(v, m, sizeof(number), -1);
}

static void act(struct serving *v, struct wire_msg *m)
{
	bool need = m->head.flags & VHOST_USER_FLAG_NEED;
	struct ring *r = &v->rings[m->p.state.index % MAX_RINGS];

	switch (m->head.request) {
	case VHOST_USER_GET_FEATURES:
		reply_number(v, m, v->s->features);
		return;
	case VHOST_USER_GET_PROTOCOL_FEATURES:
		reply_number(v, m, v->s->protocol);
		return;
	case VHOST_USER_GET_QUEUE_NUM:
		reply_number(v, m, v->s->n_queues);
		return;
	case VHOST_USER_GET_CONFIG:
		answer_config(v, m);
		return;
	case VHOST_USER_GET_INFLIGHT_FD:
		make_record(v, m);
		return;
	case VHOST_USER_GET_VRING_BASE:
		stop_ring(v, m);
		return;
	case VHOST_USER_SET_BACKEND_REQ_FD:
		v->back = dup(m->fds[0]);
		break;
	case VHOST_USER_SET_MEM_TABLE:
		map_memory(v, m);
		break;
	case VHOST_USER_SET_INFLIGHT_FD:
		take_record(v, m);
		break;
	case VHOST_USER_SET_VRING_NUM:
		r->size = m->p.state.number;
		break;
	case VHOST_USER_SET_VRING_BASE:
		r->next = (uint16_t)m->p.state.number;
		break;
	case VHOST_USER_SET_VRING_ADDR:
		take_addresses(v, &m->p.addr);
		break;
	case VHOST_USER_SET_VRING_CALL:
	case VHOST_USER_SET_VRING_KICK:
	case VHOST_USER_SET_VRING_ERR:
		take_fd(v, m);
		break;
	default:
		break;
	}
	wire_drop_fds(m);
	if (need)
		reply_number(v, m, 0);
}

/* ---- serving ---- */

static void announce(struct serving *v)
{
	struct wire_msg m = {
		.head = { VHOST_USER_BACKEND_CONFIG_CHANGE_MSG,
			VHOST_USER_VERSION | (v->s->wants_ack ? VHOST_USER_FLAG_NEED : 0), 0 }
	};
	const char *why;

	if (wire_send(v->back, &m, FOR_EVER_MS, &why) < 0)
		_exit(5);
	if (v->s->wants_ack &&
		(wire_receive(v->back, &m, wire_now_ms() + 5000, &why) < 0 || m.p.number != 0))
		_exit(5);
}

static void kicked(struct serving *v, struct ring *r)
{
	uint64_t count;

	if (read(r->kick, &count, 8) != 8)
		return;
	work(v, r);
	if (v->s->announces && r == &v->rings[1])
		announce(v);
}

void stand_in_serve(const struct stand_in *s, int fd)
{
	struct serving *v = calloc(1, sizeof(*v));
	const char *why;

	if (!v)
		_exit(6);
	v->s = s;
	v->fd = fd;
	v->back = -1;
	for (unsigned i = 0; i < MAX_RINGS; i++)
		v->rings[i].kick = v->rings[i].call = v->rings[i].err = -1;
	for (;;) {
		struct pollfd p[1 + MAX_RINGS] = { { fd, POLLIN, 0 } };
		struct wire_msg m;

		for (unsigned i = 0; i < MAX_RINGS; i++)
			p[1 + i] = (struct pollfd){ v->rings[i].kick, POLLIN, 0 };
		(void)poll(p, 1 + MAX_RINGS, -1);
		if (p[0].revents) {
			if (wire_receive(fd, &m, FOR_EVER_MS, &why) < 0)
				_exit(0);
			if (s->seen && m.head.request < 64)
				*s->seen |= 1ull << m.head.request;
			act(v, &m);
			continue;
		}
		for (unsigned i = 0; i < MAX_RINGS; i++)
			if (p[1 + i].revents)
				kicked(v, &v->rings[i]);
	}
}

void stand_in_listen(const struct stand_in *s, int listener)
{
	const struct stand_in own = *s; /* the test goes on to change it */

	(void)signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			_exit(0);
		if (own.takes || fork() == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			(void)close(listener);
			stand_in_serve(&own, fd);
		}
		(void)close(fd);
	}
}

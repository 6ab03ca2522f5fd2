/* SPDX-License-Identifier: Apache-2.0 */
/* The connection: made, watched, lost, and made again. */
#include <errno.h>
#include <string.h>

#include "vu.h"

#define STALL_SHARE 4u /* of the time that a silent one is waited for, it is let alone */
/* One that lived for so long is not one that dies of what it is given. */
#define SOUND_NS 5000000000ull

/* ---- making one ---- */

static int shake_hands(struct vu *vu)
{
	int ret = peer_handshake(&vu->peer);

	if (ret == 0 && !(vu->peer.features & VU_F_VERSION_1))
		ret = peer_fail(&vu->peer, -ENOTSUP,
			"it offers only devices from before version 1 of virtio");
	return ret;
}

int link_open(struct vu *vu)
{
	int ret;

	if (vu->fd >= 0) {
		peer_take(&vu->peer, vu->fd);
		vu->fd = -1;
	} else {
		ret = peer_connect(&vu->peer, vu->socket);
		if (ret < 0)
			return ret;
	}
	ret = peer_greet(&vu->peer);
	return ret < 0 ? ret : shake_hands(vu);
}

/* What came, or the end of the connection. */
static void peer_ready(struct tenon_dev *dev, void *arg, uint32_t events)
{
	struct vu *vu = arg;

	(void)dev;
	peer_begin(&vu->peer);
	if (events & TENON_FD_HUP)
		(void)peer_fail(&vu->peer, -ECONNRESET, "it has closed the connection");
	else
		(void)peer_fail(&vu->peer, -EPROTO, "it sent an answer that nobody asked for");
	link_lost(vu);
}

static void back_ready(struct tenon_dev *dev, void *arg, uint32_t events)
{
	struct vu *vu = arg;
	int ret;

	(void)dev;
	(void)events;
	peer_begin(&vu->peer);
	ret = peer_serve(&vu->peer);
	if (ret == 0 && vu->peer.config_changed)
		ret = config_refresh(vu);
	if (ret < 0)
		link_lost(vu);
}

int link_watch(struct vu *vu)
{
	int ret = event->fd_add(vu->dev, vu->peer.fd, TENON_FD_READ, peer_ready, vu, &vu->watch);

	if (ret == 0 && vu->peer.back >= 0)
		ret = event->fd_add(
			vu->dev, vu->peer.back, TENON_FD_READ, back_ready, vu, &vu->back_watch);
	return ret < 0 ? peer_fail(&vu->peer, ret, "it cannot be watched") : 0;
}

void link_close(struct vu *vu)
{
	if (vu->watch)
		event->fd_remove(vu->watch);
	if (vu->back_watch)
		event->fd_remove(vu->back_watch);
	vu->watch = vu->back_watch = NULL;
	peer_close(&vu->peer);
	link_drop_next(vu);
}

void link_drop_next(struct vu *vu)
{
	if (vu->next_watch)
		event->fd_remove(vu->next_watch);
	vu->next_watch = NULL;
	peer_close(&vu->next);
}

/* ---- losing it ---- */

static bool may_retry(const struct vu *vu)
{
	return vu->socket && vu->delay_ms && (!vu->limit || vu->tries < vu->limit);
}

bool link_is_over(const struct vu *vu)
{
	return vu->peer.fd < 0 && vu->next.fd < 0 && !may_retry(vu);
}

void link_retry(struct vu *vu)
{
	uint64_t delay = vu->delay_ms;

	if (vu->peer.fd >= 0 || vu->next.fd >= 0 || vu->paused || !may_retry(vu))
		return;
	for (uint32_t i = 0; i < vu->tries && delay < vu->most_delay_ms; i++)
		delay *= 2;
	if (delay > vu->most_delay_ms)
		delay = vu->most_delay_ms;
	/* Others share the loop, which has waited for it. */
	if (vu->peer.has_stalled && delay < STALL_SHARE * (uint64_t)vu->peer.timeout_ms)
		delay = STALL_SHARE * (uint64_t)vu->peer.timeout_ms;
	event->timer_set(vu->timer, vu_clock->monotonic_ns() + delay * 1000000);
}

/* Nobody will come back for the driver's requests. */
static void give_up(struct vu *vu, const char *why)
{
	if (vu->active && !vu->lost)
		virtio->fault(vu->dev, why);
	vu->lost = true;
}

void link_lost(struct vu *vu)
{
	bool again;

	if (vu_clock->monotonic_ns() - vu->since_ns > SOUND_NS)
		vu->tries = 0;
	again = may_retry(vu);
	tenon_logf(host, vu->dev, TENON_LOG_WARN, "the back end is lost: %s%s", vu->peer.why,
		again ? "; waiting for it to come back" : "");
	link_close(vu);
	if (!again)
		give_up(vu, "the back end is lost for good");
	else if (vu->active && !rings_recover(vu))
		give_up(vu, "the back end is lost, and so is what it was working on");
	link_retry(vu);
}

/* ---- making it again ---- */

/* The driver has seen a device: it must be the same. */
static int compare(struct vu *vu)
{
	uint64_t missing = vu->offered & ~vu->peer.features;
	int ret;

	if (missing)
		return peer_fail(&vu->peer, -EPROTO,
			"it has come back without features 0x%llx, which the driver was offered",
			(unsigned long long)missing);
	if (vu->peer.n_queues && vu->peer.n_queues < vu->n_queues)
		return peer_fail(&vu->peer, -EPROTO,
			"it has come back with %u queues, the driver was offered %u",
			vu->peer.n_queues, vu->n_queues);
	if (vu->inflight_fd >= 0 && !peer_has(&vu->peer, VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD))
		return peer_fail(&vu->peer, -EPROTO,
			"it has come back without the record of requests in flight");
	ret = config_refresh(vu);
	return ret;
}

void link_run(struct vu *vu)
{
	if (vu->peer.fd < 0 || !vu->active || vu->paused || vu->lost)
		return;
	if (rings_start(vu) < 0 || (vu->peer.config_changed && config_refresh(vu) < 0))
		link_lost(vu);
}

/* It is of no use, with the reason in peer.why. */
static void refuse(struct vu *vu, bool is_there)
{
	link_close(vu);
	/* That nobody is there was said when it went; what is wrong with one who is, is said. */
	if (is_there || !may_retry(vu))
		tenon_logf(host, vu->dev, TENON_LOG_WARN, "the back end is refused: %s%s",
			vu->peer.why, may_retry(vu) ? "" : "; it is given up");
	if (!may_retry(vu))
		give_up(vu, "the back end is lost for good");
	link_retry(vu);
}

/* It has answered the greeting, and from now on has its time for each answer. */
static void answered(struct tenon_dev *dev, void *arg, uint32_t events)
{
	struct vu *vu = arg;
	int ret;

	(void)events;
	vu->peer = vu->next;
	vu->next.fd = -1;
	link_drop_next(vu);
	event->timer_set(vu->timer, 0);
	peer_begin(&vu->peer);
	ret = shake_hands(vu);
	if (ret == 0)
		ret = compare(vu);
	if (ret == 0)
		ret = link_watch(vu);
	if (ret < 0) {
		refuse(vu, true);
		return;
	}
	tenon_logf(host, dev, TENON_LOG_INFO, "the back end is back");
	vu->since_ns = vu_clock->monotonic_ns();
	link_run(vu);
}

static void greet(struct vu *vu)
{
	int ret;

	vu->tries++;
	ret = peer_connect(&vu->next, vu->socket);
	if (ret == 0)
		ret = peer_greet(&vu->next);
	if (ret == 0)
		ret = event->fd_add(
			vu->dev, vu->next.fd, TENON_FD_READ, answered, vu, &vu->next_watch);
	if (ret == 0) {
		event->timer_set(vu->timer,
			vu_clock->monotonic_ns() + (uint64_t)vu->next.timeout_ms * 1000000);
		return;
	}
	peer_begin(&vu->peer);
	(void)peer_fail(&vu->peer, ret, "%s", vu->next.why[0] ? vu->next.why : strerror(-ret));
	refuse(vu, vu->next.fd >= 0);
}

void link_expired(struct tenon_dev *dev, void *arg)
{
	struct vu *vu = arg;

	(void)dev;
	if (vu->next.fd < 0) {
		greet(vu);
		return;
	}
	peer_begin(&vu->peer);
	(void)peer_fail(&vu->peer, -ETIME, "it did not answer request %u within %d ms",
		VHOST_USER_GET_FEATURES, vu->next.timeout_ms);
	refuse(vu, true);
}

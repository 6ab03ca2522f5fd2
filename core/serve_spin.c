/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking at rings before the loop sleeps.
 *
 * To wake a process takes longer than many a request.  A driver whose chains were just given back
 * is likely to have new ones soon: for some microseconds the loop looks for them in memory, and the
 * driver is told that it need not kick.  The processor time that this may cost is bounded: it
 * happens only after a chain was given back; for WINDOW_MAX_NS at most, which grow from nothing
 * when kicks come soon after the loop fell asleep and are nothing again when one comes late; and
 * where another process takes the processor away meanwhile, not at all for a time.
 */
#include <sched.h>

#include "core/event_loop.h"
#include "core/serve.h"

#define WINDOW_MIN_NS 8000u
#define WINDOW_MAX_NS 50000u
/* Two looks that are so far apart: others ran in between. */
#define PREEMPTED_NS 200000u
#define HOLD_OFF_NS  5000000u
#define LOOKS        32 /* in one go, before other descriptors are looked at */

#if defined(__x86_64__)
#define pause_briefly() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define pause_briefly() __asm__ volatile("yield")
#else
#define pause_briefly() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#endif

/* Takes what is there, if anything; whether it was. */
static bool look(struct serve *serve)
{
	bool any = false;

	for (uint32_t i = 0; i < serve->vd->desc.n_queues; i++) {
		if (!serve->rings[i].hushed || !virtio_served_has_chains(serve->vd, i))
			continue;
		serve_ring_look(serve, i);
		any = true;
	}
	return any;
}

/* Whether chains were given back since this was asked last. */
static bool has_given_back(struct serve *serve)
{
	bool any = false;

	for (uint32_t i = 0; i < serve->vd->desc.n_queues; i++) {
		struct serve_ring *ring = &serve->rings[i];
		const uint16_t used = virtio_served_used(serve->vd, i);

		any |= used != ring->seen_used;
		ring->seen_used = used;
	}
	return any;
}

static void hush(struct serve *serve)
{
	for (uint32_t i = 0; i < serve->vd->desc.n_queues; i++)
		if (virtio_served_hush(serve->vd, i))
			serve->rings[i].hushed = true;
}

/* Whether something came that nobody kicked for. */
static bool unhush(struct serve *serve)
{
	bool any = false;

	for (uint32_t i = 0; i < serve->vd->desc.n_queues; i++) {
		struct serve_ring *ring = &serve->rings[i];

		if (!ring->hushed)
			continue;
		ring->hushed = false;
		if (!virtio_served_runs(serve->vd, i) || !virtio_served_unhush(serve->vd, i))
			continue;
		serve_ring_look(serve, i);
		any = true;
	}
	return any;
}

/* One go; whether there is to be another before the loop may sleep. */
static bool spin(struct serve *serve, uint64_t now)
{
	struct serve_spin *s = &serve->spin;

	if (s->checked_ns && now - s->checked_ns > PREEMPTED_NS)
		s->not_till_ns = now + HOLD_OFF_NS;
	if (s->window_ns == 0 || now < s->not_till_ns || now - s->since_ns > s->window_ns)
		return false;
	hush(serve);
	for (int i = 0; i < LOOKS; i++) {
		if (look(serve)) {
			s->since_ns = 0; /* the next turn is the device's */
			break;
		}
		pause_briefly();
	}
	s->checked_ns = now;
	return true;
}

bool serve_spin_before_sleep(struct serve *serve, uint64_t now)
{
	struct serve_spin *s = &serve->spin;

	if (!serve->vd || !serve->vd->activated || serve->held)
		return false;
	if (has_given_back(serve))
		s->since_ns = now;
	if (spin(serve, now))
		return true;
	s->checked_ns = 0;
	if (unhush(serve)) {
		serve_note_lost(serve);
		return true;
	}
	s->asleep_ns = now;
	return false;
}

void serve_spin_kicked(struct serve *serve, uint64_t now)
{
	struct serve_spin *s = &serve->spin;
	uint64_t asleep;

	if (s->asleep_ns == 0)
		return;
	asleep = now - s->asleep_ns;
	s->asleep_ns = 0;
	if (asleep > WINDOW_MAX_NS)
		s->window_ns = 0;
	else if (s->window_ns == 0)
		s->window_ns = WINDOW_MIN_NS;
	else if (2 * s->window_ns <= WINDOW_MAX_NS)
		s->window_ns *= 2;
	else
		s->window_ns = WINDOW_MAX_NS;
}

static bool before_sleep(void *arg)
{
	return serve_spin_before_sleep(arg, monotonic_ns());
}

void serve_spin_init(struct serve *serve)
{
	cpu_set_t cpus;

	/* On one processor the driver cannot do anything meanwhile. */
	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0 || CPU_COUNT(&cpus) > 1)
		event_loop_set_keen(serve->loop, before_sleep, serve);
}

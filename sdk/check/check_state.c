/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is saved and loaded is the same when it is saved again, whether the device is idle or has
 * requests outstanding; and what is loaded may be damaged.
 */
#include <stdio.h>

#include <tenon/testkit.h>

#include "sdk/check/check.h"

#define REQUESTS 4u  /* for each queue */
#define BYTES    64u /* of each, both ways */

static struct tk_dev *fresh(const struct surveyed *c)
{
	struct tk_dev *d = tk_create(c->type, c->settings);

	if (!d || tk_attach(d) < 0)
		CHECK_FAIL("a fresh one cannot be attached: %s", tk_error());
	return d;
}

static struct tk_state *saved(struct tk_dev *d, const char *when)
{
	struct tk_state *s = tk_save(d);

	if (!s)
		CHECK_FAIL("%s it cannot be saved: %s", when, tk_error());
	return s;
}

/* Every queue has requests, and some of them are under way. */
static void make_traffic(struct tk_dev *d, unsigned steps)
{
	static const uint8_t zeroes[BYTES];
	unsigned n = tk_n_queues(d);

	if (tk_driver(d, UINT64_MAX, 0) < 0)
		CHECK_FAIL("a driver cannot take it over");
	for (unsigned q = 0; q < n; q++) {
		for (unsigned i = 0; i < REQUESTS; i++)
			(void)tk_request(d, q, zeroes, BYTES, BYTES);
		tk_kick(d, q);
	}
	while (steps-- > 0)
		(void)tk_step();
}

/* The state of one that is gone, and what its driver was. */
static struct tk_state *save_one(
	const struct surveyed *c, bool traffic, unsigned steps, struct tk_driver **ret_driver)
{
	struct tk_dev *d = fresh(c);
	struct tk_state *s;

	if (tk_start(d) < 0)
		CHECK_FAIL("it cannot be started: %s", tk_error());
	if (traffic)
		make_traffic(d, steps);
	else
		tk_run_until_idle(d);
	if (tk_quiesce(d) < 0)
		CHECK_FAIL("it cannot be quiesced: %s", tk_error());
	s = saved(d, traffic ? "with requests outstanding" : "idle");
	*ret_driver = tk_take_driver(d);
	tk_destroy(d);
	return s;
}

/* Loads it, saves it again, and lets it go on. */
static void load_one(const struct surveyed *c, const struct tk_state *s, struct tk_driver *driver,
	const char *when)
{
	struct tk_dev *d = fresh(c);
	struct tk_state *again;
	const char *differs;

	tk_give_driver(d, driver);
	if (tk_load(d, s) < 0)
		CHECK_FAIL("%s: what it saved it does not load: %s", when, tk_error());
	again = saved(d, "loaded");
	differs = tk_state_differs(s, again);
	if (differs)
		CHECK_FAIL("%s: saved, loaded and saved it differs in \"%s\"", when, differs);
	if (tk_start(d) < 0)
		CHECK_FAIL("%s: loaded, it cannot be started: %s", when, tk_error());
	tk_run_until_idle(d);
	for (unsigned q = 0; driver && q < tk_n_queues(d); q++)
		(void)tk_reap(d, q); /* finds chains that are returned twice */
	if (tk_is_virtio(d) && tk_driver(d, UINT64_MAX, 0) < 0)
		CHECK_FAIL("%s: loaded, it works for no other driver", when);
	tk_destroy(d);
}

struct count {
	unsigned states, loads;
	size_t bytes;
};

static void one(const struct surveyed *c, bool traffic, unsigned steps, struct count *count)
{
	char when[64] = "idle";
	struct tk_driver *driver;
	struct tk_state *s = save_one(c, traffic, steps, &driver);

	if (traffic)
		(void)snprintf(when, sizeof(when), "%u steps after requests came", steps);
	count->states++;
	if (tk_state_size(s) > count->bytes)
		count->bytes = tk_state_size(s);
	load_one(c, s, driver, when);
}

/* What the device saw when it was saved is in memory no more: a driver's rings of nothing. */
static unsigned damage(const struct surveyed *c, bool traffic)
{
	struct tk_driver *driver;
	struct tk_state *s = save_one(c, traffic, 0, &driver);

	return tk_state_sweep(s, c->type, c->settings);
}

void check_state(const struct subject *s)
{
	const struct surveyed *c = s->cls;
	struct count count = { 0, 0, 0 };
	struct tk_dev *d;
	bool is_virtio;

	(void)tk_plugin(s->options->full_path);
	d = fresh(c);
	is_virtio = tk_is_virtio(d);
	tk_destroy(d);
	one(c, false, 0, &count);
	for (unsigned steps = 0; is_virtio && steps < 4; steps++)
		one(c, true, steps, &count);
	count.loads = damage(c, false);
	if (is_virtio)
		count.loads += damage(c, true);
	check_passed("%u states of up to %zu bytes came back the same%s; %u damaged ones broke "
		     "nothing",
		count.states, count.bytes, is_virtio ? ", requests outstanding" : "", count.loads);
}

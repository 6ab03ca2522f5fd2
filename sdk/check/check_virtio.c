/* SPDX-License-Identifier: Apache-2.0 */
/* Virtio devices: the conformance suite and the hostile driver. */
#include <string.h>

#include <tenon/testkit.h>

#include "sdk/check/check.h"
#include "sdk/check/conformance.h"

struct one {
	const struct subject *s;
	const struct conformance *test;
};

static struct tk_dev *started(const struct subject *s)
{
	(void)tk_plugin(s->options->full_path);
	tk_patience(s->options->patience_ms);
	return tk_started(s->cls->type, s->cls->settings);
}

/* What is not applicable comes out as a failure with this in front. */
#define NOT_APPLICABLE "not applicable: "

static void run_one(void *arg)
{
	const struct one *o = arg;
	struct tk_dev *d = started(o->s);
	const char *why = o->test->run(d);

	if (why)
		CHECK_FAIL(NOT_APPLICABLE "%s", why);
}

static bool is_virtio(const struct subject *s)
{
	struct tk_dev *d = started(s);
	bool is = tk_is_virtio(d);

	tk_destroy(d);
	return is;
}

void check_conformance(const struct subject *s)
{
	char why[MAX_TEXT], failures[MAX_TEXT] = "";
	unsigned passed = 0, failed = 0, skipped = 0;

	if (!is_virtio(s)) {
		check_skipped("not a virtio device");
		return;
	}
	for (unsigned i = 0; i < n_conformance; i++) {
		struct one o = { s, &conformance[i] };
		size_t n = strlen(NOT_APPLICABLE);
		bool ok = tk_isolated(run_one, &o, why, sizeof(why)) == 0;

		if (ok) {
			passed++;
			check_detail(o.test->name, "passed", "");
		} else if (strncmp(why, NOT_APPLICABLE, n) == 0) {
			skipped++;
			check_detail(o.test->name, "skipped", why + n);
		} else {
			check_detail(o.test->name, "failed", why);
			if (failed++ < 3)
				(void)snprintf(failures + strlen(failures),
					sizeof(failures) - strlen(failures), "; %s (%s): %.200s",
					o.test->name, o.test->section, why);
		}
	}
	if (failed)
		CHECK_FAIL("%u of %u tests failed%s", failed, passed + failed, failures);
	check_passed("%u tests of virtio 1.2 passed, %u do not apply", passed, skipped);
}

void check_hostile(const struct subject *s)
{
	unsigned n = tk_hostile_run(started(s));

	check_passed("%u hostile cases, none of which broke it", n);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an instance: in order, in odd orders, many times, and with every call failing. */
#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <string.h>

#include <tenon/testkit.h>

#include "sdk/check/check.h"

#define CREATIONS 1000u
#define LIVES     200u
#define MANY      100u

static const struct surveyed *begin(const struct subject *s)
{
	(void)tk_plugin(s->options->full_path);
	return s->cls;
}

/* How to help a device whose settings were made up. */
static const char *hint(const struct surveyed *c)
{
	static char text[2 * MAX_TEXT + 100];

	text[0] = '\0';
	if (c->unmade[0])
		(void)snprintf(text, sizeof(text), "; no value could be made for %s: give --set",
			c->unmade);
	else if (c->made[0])
		(void)snprintf(text, sizeof(text), "; made up was %s: give better ones with --set",
			c->made);
	return text;
}

static struct tk_dev *created(const struct surveyed *c)
{
	struct tk_dev *d = tk_create(c->type, c->settings);

	if (!d)
		CHECK_FAIL("it cannot be created: %s%s", tk_error(), hint(c));
	return d;
}

static struct tk_dev *attached(const struct surveyed *c)
{
	struct tk_dev *d = created(c);

	if (tk_attach(d) < 0)
		CHECK_FAIL("it cannot be attached: %s%s", tk_error(), hint(c));
	return d;
}

/* ---- one after the other ---- */

void check_create(const struct subject *s)
{
	const struct surveyed *c = begin(s);

	tk_destroy(created(c));
	check_passed("created and destroyed%s%s", c->made[0] ? ", with " : "", c->made);
}

void check_attach(const struct subject *s)
{
	struct tk_dev *d = attached(begin(s));
	const char *text = tk_describe(d);

	if (!text)
		CHECK_FAIL("it cannot describe itself to the firmware: %s", tk_error());
	tk_detach(d);
	tk_destroy(d);
	check_passed("attached, described and detached");
}

void check_running(const struct subject *s)
{
	struct tk_dev *d = attached(begin(s));

	if (tk_start(d) < 0)
		CHECK_FAIL("it cannot be started: %s", tk_error());
	tk_run_until_idle(d);
	if (tk_quiesce(d) < 0)
		CHECK_FAIL("it cannot be quiesced: %s", tk_error());
	if (tk_resume(d) < 0)
		CHECK_FAIL("it cannot be resumed: %s", tk_error());
	tk_run_until_idle(d);
	tk_destroy(d);
	check_passed("started, quiesced, resumed and stopped");
}

/* ---- leaks ---- */

static size_t heap(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static unsigned threads(void)
{
	DIR *folder = opendir("/proc/self/task");
	unsigned n = 0;

	for (const struct dirent *e; folder && (e = readdir(folder));)
		n += e->d_name[0] != '.';
	if (folder)
		(void)closedir(folder);
	return n;
}

#ifdef __SANITIZE_ADDRESS__
/* Its allocator maps as it likes. */
static unsigned mappings(void)
{
	return 0;
}
#else
static unsigned mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned n = 0;

	for (int c; f && (c = fgetc(f)) != EOF;)
		n += c == '\n';
	if (f)
		(void)fclose(f);
	return n;
}
#endif

static void live(const struct surveyed *c, bool whole)
{
	struct tk_dev *d = whole ? attached(c) : created(c);

	if (whole && tk_start(d) < 0)
		CHECK_FAIL("it cannot be started: %s", tk_error());
	if (whole && tk_is_virtio(d) && tk_driver(d, UINT64_MAX, 0) < 0)
		CHECK_FAIL("a driver cannot take it over");
	tk_run_until_idle(d);
	tk_destroy(d); /* finds descriptors, windows, interrupts, timers that are left */
	tk_log_clear();
}

/* The plugin's own blocks are counted to the last; of the whole process, libraries and the kit
 * included, only what grows by more than a little in each life. */
#define LITTLE 64u

struct usage {
	size_t blocks, heap;
	unsigned threads, mappings;
};

static void run_lives(const struct surveyed *c, unsigned n, bool whole, struct usage *ret_usage)
{
	for (unsigned i = 0; i < n; i++)
		live(c, whole);
	*ret_usage = (struct usage){ tk_live_blocks(), heap(), threads(), mappings() };
}

/* Whether it grew from each to the next, by more than @most: a table that grows once is no leak. */
static bool grew(size_t a, size_t b, size_t c, size_t most)
{
	return b > a + most && c > b + most;
}

static void measure(const struct surveyed *c, unsigned n, bool whole)
{
	const char *what = whole ? "lives" : "creations";
	struct usage u[3];

	run_lives(c, n / 4, whole, &u[0]);
	run_lives(c, n / 2, whole, &u[1]);
	run_lives(c, n / 2, whole, &u[2]);
	if (grew(u[0].threads, u[1].threads, u[2].threads, 0))
		CHECK_FAIL("after %u %s there are %u more threads", n, what,
			u[2].threads - u[0].threads);
	if (grew(u[0].blocks, u[1].blocks, u[2].blocks, n / 4))
		CHECK_FAIL("after %u %s the plugin has %zu more blocks of memory", n, what,
			u[2].blocks - u[0].blocks);
	if (grew(u[0].heap, u[1].heap, u[2].heap, (size_t)n / 2 * LITTLE))
		CHECK_FAIL("after %u %s %zu more bytes are allocated: %zu each time", n, what,
			u[2].heap - u[0].heap, (u[2].heap - u[0].heap) / n);
	if (grew(u[0].mappings, u[1].mappings, u[2].mappings, n / 4))
		CHECK_FAIL("after %u %s there are %u more mappings", n, what,
			u[2].mappings - u[0].mappings);
}

void check_leaks(const struct subject *s)
{
	const struct surveyed *c = begin(s);

	measure(c, CREATIONS, false);
	measure(c, LIVES, true);
	check_passed(
		"%u creations and %u whole lives left no memory, descriptor, thread or mapping",
		CREATIONS, LIVES);
}

/* ---- faults ---- */

void check_faults(const struct subject *s)
{
	const struct surveyed *c = begin(s);
	unsigned n = tk_fault_sweep(c->type, c->settings);

	check_passed("%u calls were made to fail, each was survived and undone", n);
}

/* ---- odd orders ---- */

static void must(int ret, const char *what)
{
	if (ret < 0)
		CHECK_FAIL("%s: %s", what, tk_error());
}

static void take_over(struct tk_dev *d, const char *when)
{
	if (tk_is_virtio(d) && tk_driver(d, UINT64_MAX, 0) < 0)
		CHECK_FAIL("%s a driver cannot take it over", when);
}

static void stopped_early(const struct surveyed *c)
{
	struct tk_dev *d = attached(c);

	tk_detach(d); /* attached, never started */
	tk_destroy(d);
	d = attached(c);
	must(tk_start(d), "start");
	must(tk_quiesce(d), "quiesce");
	tk_detach(d); /* quiesced, never resumed */
	tk_destroy(d);
}

static void resets(const struct surveyed *c)
{
	struct tk_dev *d = attached(c);

	must(tk_start(d), "start");
	for (int i = 0; i < 3; i++) {
		tk_reset(d);
		tk_run_until_idle(d);
		take_over(d, "after a reset of the machine");
	}
	must(tk_quiesce(d), "quiesce after a reset");
	for (int i = 0; i < 3; i++)
		tk_reset(d);
	must(tk_resume(d), "resume after a reset that came while it was quiesced");
	take_over(d, "after a reset that came while it was quiesced");
	tk_reset(d);
	tk_destroy(d);
}

static void pauses(const struct surveyed *c)
{
	struct tk_dev *d = attached(c);

	must(tk_start(d), "start");
	take_over(d, "after start");
	for (unsigned i = 0; i < MANY; i++) {
		must(tk_quiesce(d), "quiesce");
		tk_irqs_clear(d);
		tk_type("x");
		tk_advance_ms(1000);
		if (tk_irqs(d) > 0)
			CHECK_FAIL("it interrupts the guest while it is quiesced");
		must(tk_resume(d), "resume");
		tk_run_until_idle(d);
		if (tk_is_virtio(d) && !(tk_status(d) & TK_S_DRIVER_OK))
			CHECK_FAIL("the driver is gone after pause %u", i + 1);
	}
	tk_destroy(d);
}

/* Two of a kind may be more than a machine has room for; then the second says so. */
static void two_of_them(const struct surveyed *c, bool first_goes_first)
{
	char settings[MAX_SETTINGS + 32];
	struct tk_dev *a = attached(c), *b;
	bool both;

	(void)snprintf(settings, sizeof(settings), "name = \"second\"; %s", c->settings);
	b = tk_create(c->type, settings);
	if (!b)
		CHECK_FAIL("a second one cannot be created: %s", tk_error());
	both = tk_attach(b) == 0;
	if (!both)
		TK_TRUE(tk_error()[0] != '\0');
	must(tk_start(a), "start");
	if (both)
		must(tk_start(b), "start the second");
	tk_run_until_idle(a);
	tk_destroy(first_goes_first ? a : b);
	tk_run_until_idle(NULL);
	tk_destroy(first_goes_first ? b : a);
}

static void describes_twice(const struct surveyed *c)
{
	struct tk_dev *d = attached(c);
	const char *text = tk_describe(d);
	char first[4096];

	if (!text)
		CHECK_FAIL("describe: %s", tk_error());
	(void)snprintf(first, sizeof(first), "%s", text);
	text = tk_describe(d);
	if (!text || strncmp(text, first, sizeof(first) - 1) != 0)
		CHECK_FAIL("it describes itself differently the second time");
	tk_destroy(d);
}

static void lives_long(const struct surveyed *c)
{
	struct tk_dev *d = attached(c);

	must(tk_start(d), "start");
	take_over(d, "after start");
	for (int i = 0; i < 60; i++)
		tk_advance_ms(60000);
	tk_destroy(d);
}

void check_lifecycle(const struct subject *s)
{
	const struct surveyed *c = begin(s);

	stopped_early(c);
	resets(c);
	pauses(c);
	two_of_them(c, true);
	two_of_them(c, false);
	describes_twice(c);
	lives_long(c);
	check_passed(
		"stopped early, reset in every state, paused %u times, two at once, an hour", MANY);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The devices of a machine, on the null backend and with the plugins that ship, are saved and
 * loaded into another machine of the same configuration: saved there they are the same, and they go
 * on. The test plays the guest on the buses.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/bus.h"
#include "core/config.h"
#include "core/device.h"
#include "core/error.h"
#include "core/event_loop.h"
#include "core/guest_memory.h"
#include "core/state.h"
#include "core/vm.h"

#include <cmocka.h> /* last: it has a macro named fail */

#define VM(devices)                                                                                \
	"vm: { name = \"state\"; vcpus = 1; memory = \"64M\"; hypervisor = \"null\"; "             \
	"sandbox = \"off\"; };\n"                                                                  \
	"payload: { kernel = \"" KERNEL "\"; };\n"                                                 \
	"devices = ( " devices " );\n"

#define MOST                                                                                       \
	"{ type = \"rng\"; }, { type = \"console\"; input = false; }, { type = \"vsock\"; },"      \
	"{ type = \"block\"; path = \"" KERNEL "\"; read_only = true; },"                          \
	"{ type = \"power\"; }, { type = \"rtc\"; }"
#define SERIAL ", { type = \"serial\"; output = \"none\"; iothread = \"other\"; }"

#define RNG_WINDOW 0xd0000000ull

/* Of the driver's one queue, in guest memory that nothing else uses. */
#define DESC   0x2000000ull
#define AVAIL  0x2001000ull
#define USED   0x2002000ull
#define BUFFER 0x2003000ull

struct machine_under_test {
	struct vm_config *config;
	struct vm vm;
	bool built;
};

static void build(struct machine_under_test *m, const char *text)
{
	struct error err = { .text = "" };

	memset(m, 0, sizeof(*m));
	if (vm_config_read_string(text, strlen(text), "state.cfg", NULL, 0, &m->config, &err) < 0)
		fail_msg("%s", err.text);
	m->vm.config = m->config;
	if (vm_build(&m->vm, &err) < 0)
		fail_msg("%s", err.text);
	m->built = true;
}

static void end(struct machine_under_test *m)
{
	if (m->built)
		vm_destroy(&m->vm);
	vm_config_free(m->config);
	memset(m, 0, sizeof(*m));
}

static void each(struct machine_under_test *m, int (*fn)(struct tenon_dev *, struct error *))
{
	struct error err = { .text = "" };

	for (struct tenon_dev *d = m->vm.devices; d; d = d->next)
		if (fn(d, &err) < 0)
			fail_msg("%s", err.text);
}

static void settle(struct machine_under_test *m)
{
	while (event_loop_poll(m->vm.loop) > 0)
		continue;
}

static struct state_bytes save(struct machine_under_test *m)
{
	struct state_bytes s = { .bytes = NULL };
	struct error err = { .text = "" };

	if (devices_save(m->vm.devices, &s, &err) < 0)
		fail_msg("%s", err.text);
	return s;
}

static void copy_memory(const struct machine_under_test *from, struct machine_under_test *to)
{
	for (size_t i = 0; i < guest_memory_count(from->vm.gm); i++) {
		const struct guest_region *r = guest_memory_region(from->vm.gm, i);
		const struct guest_region *t = guest_memory_region(to->vm.gm, i);

		assert_int_equal(r->size, t->size);
		memcpy(t->host, r->host, r->size);
	}
}

/* ---- the guest ---- */

static void set(struct machine_under_test *m, uint64_t offset, uint32_t value)
{
	assert_true(bus_write(m->vm.mmio, RNG_WINDOW + offset, 4, value));
}

static uint32_t get(struct machine_under_test *m, uint64_t offset)
{
	uint64_t value = 0;

	assert_true(bus_read(m->vm.mmio, RNG_WINDOW + offset, 4, &value));
	return (uint32_t)value;
}

static void put(struct machine_under_test *m, uint64_t gpa, const void *bytes, size_t n)
{
	assert_int_equal(guest_memory_write(m->vm.gm, gpa, bytes, n), 0);
}

/* A driver for the rng, whose one request nobody has looked at yet. */
static void take_over(struct machine_under_test *m)
{
	const uint64_t desc[2] = { BUFFER, 64 | 2ull << 32 };
	const uint16_t avail[3] = { 0, 1, 0 };

	set(m, 0x70, 1);
	set(m, 0x70, 3);
	set(m, 0x24, 1);
	set(m, 0x20, 1);
	set(m, 0x70, 11);
	set(m, 0x38, 8);
	set(m, 0x80, (uint32_t)DESC);
	set(m, 0x90, (uint32_t)AVAIL);
	set(m, 0xa0, (uint32_t)USED);
	set(m, 0x44, 1);
	set(m, 0x70, 15);
	settle(m);
	assert_int_equal(get(m, 0x70), 15);
	put(m, DESC, desc, sizeof(desc));
	put(m, AVAIL, avail, sizeof(avail));
}

static void touch_ports(struct machine_under_test *m)
{
	assert_true(bus_write(m->vm.pio, 0x3f8 + 7, 1, 0x5a));
	assert_true(bus_write(m->vm.pio, 0x70, 1, 0x20));
	assert_true(bus_write(m->vm.pio, 0x71, 1, 0x77));
}

/* A machine that was used, at rest. */
static void make_used(struct machine_under_test *m)
{
	build(m, VM(MOST SERIAL));
	each(m, device_start);
	take_over(m);
	touch_ports(m);
	each(m, device_quiesce);
}

/* ---- tests ---- */

static void another_machine_goes_on(void **unused)
{
	struct machine_under_test a, b;
	struct state_bytes first, second;
	struct error err = { .text = "" };
	uint64_t value = 0;
	uint16_t used[2];
	uint8_t random[64];

	(void)unused;
	make_used(&a);
	first = save(&a);
	build(&b, VM(MOST SERIAL));
	copy_memory(&a, &b);
	end(&a);
	if (devices_load(b.vm.devices, first.bytes, first.size, &err) < 0)
		fail_msg("%s", err.text);
	second = save(&b);
	assert_int_equal(first.size, second.size);
	assert_memory_equal(first.bytes, second.bytes, first.size);
	assert_int_equal(get(&b, 0x70), 15);
	each(&b, device_start);
	settle(&b);
	assert_int_equal(guest_memory_read(b.vm.gm, USED, used, sizeof(used)), 0);
	assert_int_equal(used[1], 1);
	assert_int_equal(guest_memory_read(b.vm.gm, BUFFER, random, sizeof(random)), 0);
	assert_memory_not_equal(random, (const uint8_t[64]){ 0 }, sizeof(random));
	assert_int_equal(get(&b, 0x60), 1);
	assert_true(bus_read(b.vm.pio, 0x3f8 + 7, 1, &value));
	assert_int_equal(value, 0x5a);
	assert_true(bus_read(b.vm.pio, 0x71, 1, &value));
	assert_int_equal(value, 0x77);
	end(&b);
	free(first.bytes);
	free(second.bytes);
}

/* What a machine of these devices says to the state of the other one. */
static void refused(const char *text, const struct state_bytes *s, int code, const char *why)
{
	struct machine_under_test m;
	struct error err = { .text = "" };

	build(&m, text);
	assert_int_equal(devices_load(m.vm.devices, s->bytes, s->size, &err), code);
	assert_string_equal(err.text, why);
	assert_int_equal(err.exit_code, EXIT_USAGE);
	end(&m);
}

static void other_devices_are_refused(void **unused)
{
	struct machine_under_test m;
	struct state_bytes s;

	(void)unused;
	make_used(&m);
	s = save(&m);
	end(&m);
	refused(VM(MOST), &s, -EPROTO,
		"the saved state cannot be used: there is a device \"serial\" of type \"serial\", "
		"which this machine does not have");
	refused(VM(MOST ", { type = \"serial\"; output = \"none\"; }, { type = \"bootmark\"; }"),
		&s, -ENODATA,
		"the saved state cannot be used: device \"bootmark\" of type \"bootmark\" is not "
		"in it");
	refused(VM("{ type = \"vsock\"; name = \"rng\"; }"), &s, -EPROTO,
		"the saved state cannot be used: device \"rng\" is of type \"rng\"; in this "
		"machine "
		"it is of type \"vsock\"");
	free(s.bytes);
}

static uint8_t *find(const struct state_bytes *s, const char *part, size_t n)
{
	uint8_t *at = memmem(s->bytes, s->size, part, n);

	if (!at)
		fail_msg("the state has no such part");
	return at;
}

static void what_is_newer_is_refused(void **unused)
{
	struct machine_under_test m;
	struct state_bytes s;
	uint8_t *at;

	(void)unused;
	make_used(&m);
	s = save(&m);
	end(&m);
	at = find(&s, "\1\0\0\0\6serial", 11);
	at[0] = 7;
	refused(VM(MOST SERIAL), &s, -ENOTSUP,
		"serial: its state cannot be loaded: section \"serial\" is of version 7, which is "
		"newer than 1, the newest that is known here");
	at[0] = 1;
	at = find(&s, "\1\0\0\0\6device", 11);
	at[0] = 2;
	refused(VM(MOST SERIAL), &s, -ENOTSUP,
		"the saved state cannot be used: section \"device\" is of version 2, which is "
		"newer "
		"than 1, the newest that is known here");
	at[0] = 1;
	s.bytes[8] = 2;
	refused(VM(MOST SERIAL), &s, -ENOTSUP,
		"the saved state cannot be used: its format is version 2; wanted 1");
	free(s.bytes);
}

static void a_device_comes_once(void **unused)
{
	struct machine_under_test m;
	struct state_bytes s;
	uint8_t *twice;
	size_t one;

	(void)unused;
	build(&m, VM("{ type = \"power\"; }"));
	each(&m, device_start);
	each(&m, device_quiesce);
	s = save(&m);
	end(&m);
	one = s.size - 16;
	twice = realloc(s.bytes, s.size + one);
	assert_non_null(twice);
	memcpy(twice + s.size, twice + 16, one);
	twice[s.size] = 2; /* the tag */
	s = (struct state_bytes){ twice, s.size + one };
	refused(VM("{ type = \"power\"; }"), &s, -EPROTO,
		"the saved state cannot be used: device \"power\" comes twice");
	free(s.bytes);
}

static void a_device_that_runs_is_not_saved(void **unused)
{
	struct machine_under_test m;
	struct state_bytes s = { .bytes = NULL };
	struct error err = { .text = "" };

	(void)unused;
	build(&m, VM("{ type = \"power\"; }"));
	each(&m, device_start);
	assert_int_equal(devices_save(m.vm.devices, &s, &err), -EBUSY);
	assert_string_equal(err.text, "power: it cannot be saved while it runs");
	assert_null(s.bytes);
	err.text[0] = '\0';
	assert_int_equal(devices_load(m.vm.devices, "tenonst\n\1\0\0\0\0\0\0", 16, &err), -ENODATA);
	end(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_machine_goes_on),
		cmocka_unit_test(other_devices_are_refused),
		cmocka_unit_test(what_is_newer_is_refused),
		cmocka_unit_test(a_device_comes_once),
		cmocka_unit_test(a_device_that_runs_is_not_saved),
	};
	char path[] = "/tmp/tenon-state-XXXXXX";
	int fd = mkstemp(path), ret;

	if (fd < 0 || write(fd, "halt\n", 5) < 0)
		return 1;
	(void)close(fd);
	/* What the machines print is not looked at. */
	if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "r", stdin))
		return 1;
	(void)setenv("TENON_NULL_SCRIPT", path, 1);
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	return ret;
}

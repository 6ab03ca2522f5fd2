/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hand-written guests on the kvm backend, used only through its table: exits, doorbells,
 * interrupts, several processors, resets and the ways in which a guest ends.
 */
#include "tests/guests/guest.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define GSI           5
#define MANY_VCPUS    64
#define FLOOD_EXITS   2000
#define SYSENTER_CS   0x174
#define MSR_EFER_FAKE 0xdeadbeef

static const struct backend_module *kvm;
static struct backend_caps caps;

/* ---- exits ---- */

static void mmio_has_every_size(void **state)
{
	struct guest g;

	guest_create(&g, kvm, "mmio");
	guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO, 1, 0x11);
	guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO + 2, 2, 0x2222);
	guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO + 4, 4, 0x44444444);
	guest_answer_read(&g, VCPU_MMIO, GUEST_MMIO + 8, 1, 0xa1);
	guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO + 9, 1, 0xa1);
	guest_answer_read(&g, VCPU_MMIO, GUEST_MMIO + 10, 2, 0xb2b1);
	guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO + 12, 2, 0xb2b1);
	guest_answer_read(&g, VCPU_MMIO, GUEST_MMIO + 16, 4, 0xc4c3c2c1);
	guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO + 20, 4, 0xc4c3c2c1);
	guest_expect_mark(&g, 1);
	guest_destroy(&g);
}

static void mmio_of_8_bytes_and_across_pages(void **state)
{
	const uint64_t value = 0x8877665544332211;
	struct guest g;

	guest_create(&g, kvm, "mmio64");
	guest_set_long_mode(&g, g.vcpu);
	guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO, 8, 0x1122334455667788);
	guest_answer_read(&g, VCPU_MMIO, GUEST_MMIO + 8, 8, value);
	guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO + 16, 8, value);
	/* Three bytes on one page, one on the next. */
	guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO + 0xffd, 2, 0xccdd);
	guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO + 0xfff, 1, 0xbb);
	guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO + 0x1000, 1, 0xaa);
	guest_answer_read(&g, VCPU_MMIO, GUEST_MMIO + 0xffd, 2, 0x2211);
	guest_answer_read(&g, VCPU_MMIO, GUEST_MMIO + 0xfff, 1, 0x33);
	guest_answer_read(&g, VCPU_MMIO, GUEST_MMIO + 0x1000, 1, 0x44);
	guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO + 24, 4, 0x44332211);
	guest_expect_mark(&g, 1);
	guest_destroy(&g);
}

static void ports_have_every_size(void **state)
{
	uint32_t stored[3];
	struct guest g;

	guest_create(&g, kvm, "pio");
	guest_expect_write(&g, VCPU_PIO, 0x510, 1, 0x11);
	guest_expect_write(&g, VCPU_PIO, 0x510, 2, 0x2211);
	guest_expect_write(&g, VCPU_PIO, 0x510, 4, 0x44332211);
	guest_answer_read(&g, VCPU_PIO, 0x511, 1, 0xa1);
	guest_answer_read(&g, VCPU_PIO, 0x511, 2, 0xb2b1);
	guest_answer_read(&g, VCPU_PIO, 0x511, 4, 0xc4c3c2c1);
	guest_expect_mark(&g, 1);
	memcpy(stored, g.ram + GUEST_BUFFER, sizeof(stored));
	assert_int_equal(stored[0], 0x443322a1);
	assert_int_equal(stored[1], 0x4433b2b1);
	assert_int_equal(stored[2], 0xc4c3c2c1);
	guest_destroy(&g);
}

static void string_ports_come_item_by_item(void **state)
{
	const char *text = "tenon";
	struct guest g;
	int i;

	guest_create(&g, kvm, "string");
	memcpy(g.ram + GUEST_BUFFER, "tenon, a joint", 15);
	for (i = 0; i < 5; i++)
		guest_expect_write(&g, VCPU_PIO, 0x510, 1, (uint8_t)text[i]);
	guest_expect_write(&g, VCPU_PIO, 0x510, 2, 0x6574);
	guest_expect_write(&g, VCPU_PIO, 0x510, 2, 0x6f6e);
	guest_expect_write(&g, VCPU_PIO, 0x510, 4, 0x6f6e6574);
	guest_expect_write(&g, VCPU_PIO, 0x510, 4, 0x61202c6e);
	for (i = 0; i < 4; i++)
		guest_answer_read(&g, VCPU_PIO, 0x510, 1, (uint64_t)'w' + (uint64_t)i);
	guest_answer_read(&g, VCPU_PIO, 0x510, 4, 0x31302e2e);
	guest_answer_read(&g, VCPU_PIO, 0x510, 4, 0x35343332);
	guest_expect_mark(&g, 1);
	assert_memory_equal(g.ram + GUEST_BUFFER + 0x100, "wxyz..012345", 12);
	guest_destroy(&g);
}

static void triple_fault_is_death(void **state)
{
	struct guest g;

	guest_create(&g, kvm, "triple");
	guest_run(&g, VCPU_DEAD);
	assert_non_null(strstr(g.exit.text, "triple fault"));
	guest_destroy(&g);
}

static void code_outside_memory_fails_with_a_sentence(void **state)
{
	struct guest g;

	guest_create(&g, kvm, "nowhere");
	assert_true(g.ops->vcpu_run(g.vcpu, &g.exit) < 0 || g.exit.kind == VCPU_DEAD);
	assert_true(g.exit.kind == VCPU_FAILED || g.exit.kind == VCPU_DEAD);
	assert_true(g.exit.text[0] != '\0');
	guest_destroy(&g);
}

/* ---- wires ---- */

static uint64_t rung(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static void doorbells_ring(void **state)
{
	const uint64_t seven = 7, three = 3;
	int fds[3], i;
	struct guest g;

	for (i = 0; i < 3; i++)
		fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	guest_create(&g, kvm, "doorbell");
	assert_int_equal(g.ops->doorbell(g.vm, GUEST_MMIO, 4, &seven, false, fds[0], true), 0);
	assert_int_equal(g.ops->doorbell(g.vm, GUEST_MMIO + 4, 4, NULL, false, fds[1], true), 0);
	assert_int_equal(g.ops->doorbell(g.vm, 0x520, 2, &three, true, fds[2], true), 0);
	/* Only what does not match exits. */
	guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO, 4, 8);
	guest_expect_write(&g, VCPU_PIO, 0x520, 2, 4);
	guest_expect_mark(&g, 1);
	for (i = 0; i < 3; i++)
		assert_int_equal(rung(fds[i]), 1);
	assert_int_equal(g.ops->doorbell(g.vm, GUEST_MMIO, 4, &seven, false, fds[0], false), 0);
	assert_true(g.ops->doorbell(g.vm, GUEST_MMIO, 4, &seven, false, fds[0], false) < 0);
	guest_set_entry(&g, g.vcpu);
	guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO, 4, 7);
	guest_destroy(&g);
	for (i = 0; i < 3; i++)
		close(fds[i]);
}

static void irqfd_wakes_a_sleeping_guest(void **state)
{
	const uint64_t one = 1;
	struct guest g;
	int fd = eventfd(0, EFD_CLOEXEC), i;

	guest_create(&g, kvm, "irq");
	assert_int_equal(g.ops->irqfd(g.vm, GSI, fd, true), 0);
	guest_expect_mark(&g, 1);
	for (i = 0; i < 3; i++) {
		assert_int_equal(write(fd, &one, sizeof(one)), sizeof(one));
		guest_expect_mark(&g, 3);
		guest_expect_mark(&g, 2);
	}
	assert_int_equal(g.ops->irqfd(g.vm, GSI, fd, false), 0);
	guest_destroy(&g);
	close(fd);
}

static void irq_line_wakes_a_sleeping_guest(void **state)
{
	struct guest g;

	guest_create(&g, kvm, "irq");
	guest_expect_mark(&g, 1);
	assert_int_equal(g.ops->irq_line(g.vm, GSI, true), 0);
	guest_expect_mark(&g, 3);
	guest_expect_mark(&g, 2);
	/* An edge: nothing more comes until the line was low. */
	assert_int_equal(g.ops->irq_line(g.vm, GSI, false), 0);
	assert_int_equal(g.ops->irq_line(g.vm, GSI, true), 0);
	guest_expect_mark(&g, 3);
	guest_destroy(&g);
}

/* ---- kicks ---- */

struct kicker {
	struct guest *guest;
	atomic_uint returns; /* how often the run returned */
	atomic_bool stop;
};

static void *kick_until_told(void *data)
{
	struct kicker *k = data;

	while (!atomic_load(&k->stop)) {
		unsigned int before = atomic_load(&k->returns);

		k->guest->ops->vcpu_kick(k->guest->vcpu);
		/* Each kick must bring the vCPU back, or this thread waits for ever. */
		while (atomic_load(&k->returns) == before && !atomic_load(&k->stop))
			sched_yield();
	}
	return NULL;
}

static void kick_a_lot(const char *image, int times)
{
	struct guest g;
	struct kicker k = { .guest = &g };
	pthread_t thread;
	int i;

	guest_create(&g, kvm, image);
	if (strcmp(image, "halt") == 0)
		guest_expect_mark(&g, 1);
	assert_int_equal(pthread_create(&thread, NULL, kick_until_told, &k), 0);
	for (i = 0; i < times; i++) {
		guest_run(&g, VCPU_INTERRUPTED);
		atomic_fetch_add(&k.returns, 1);
	}
	atomic_store(&k.stop, true);
	pthread_join(thread, NULL);
	guest_destroy(&g);
}

static void kicks_reach_a_guest_that_computes(void **state)
{
	kick_a_lot("spin", 200);
}

static void kicks_reach_a_guest_that_sleeps(void **state)
{
	kick_a_lot("halt", 200);
}

static void a_kick_before_the_run_is_not_lost(void **state)
{
	struct guest g;

	guest_create(&g, kvm, "spin");
	g.ops->vcpu_kick(g.vcpu);
	guest_run(&g, VCPU_INTERRUPTED);
	g.ops->vcpu_kick(g.vcpu);
	g.ops->vcpu_kick(g.vcpu);
	guest_run(&g, VCPU_INTERRUPTED);
	guest_destroy(&g);
}

static void a_kick_does_not_disturb_an_access(void **state)
{
	struct guest g;

	guest_create(&g, kvm, "mmio");
	guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO, 1, 0x11);
	guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO + 2, 2, 0x2222);
	guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO + 4, 4, 0x44444444);
	guest_answer_read(&g, VCPU_MMIO, GUEST_MMIO + 8, 1, 0xa1);
	g.ops->vcpu_kick(g.vcpu);
	guest_run(&g, VCPU_INTERRUPTED);
	guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO + 9, 1, 0xa1);
	guest_destroy(&g);
}

static void a_flood_of_writes_loses_none(void **state)
{
	struct guest g;
	uint64_t first;
	int i;

	guest_create(&g, kvm, "flood");
	guest_run(&g, VCPU_MMIO);
	first = g.exit.bus.value;
	for (i = 1; i < FLOOD_EXITS; i++)
		guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO, 4, first + (uint64_t)i);
	guest_destroy(&g);
}

/* ---- processors ---- */

struct second {
	struct guest *guest;
	struct backend_vcpu *vcpu;
	pthread_barrier_t created, ended;
	struct vcpu_exit started, kicked;
};

static void *run_second(void *data)
{
	struct second *s = data;
	const struct backend_ops *ops = s->guest->ops;
	struct backend_error err;

	if (ops->vcpu_create(s->guest->vm, 1, &s->vcpu, &err) < 0)
		abort();
	guest_set_cpuid(s->guest, s->vcpu);
	pthread_barrier_wait(&s->created);
	(void)ops->vcpu_run(s->vcpu, &s->started);
	pthread_barrier_wait(&s->ended);
	s->kicked = s->started;
	(void)ops->vcpu_run(s->vcpu, &s->kicked);
	/* A kick must have returned before what it kicks goes. */
	pthread_barrier_wait(&s->ended);
	ops->vcpu_destroy(s->vcpu);
	return NULL;
}

static void a_guest_starts_its_second_processor(void **state)
{
	struct guest g;
	struct second s = { .guest = &g };
	pthread_t thread;

	guest_create(&g, kvm, "smp");
	pthread_barrier_init(&s.created, NULL, 2);
	pthread_barrier_init(&s.ended, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, run_second, &s), 0);
	pthread_barrier_wait(&s.created);
	guest_expect_mark(&g, 1);
	pthread_barrier_wait(&s.ended);
	assert_int_equal(s.started.kind, VCPU_PIO);
	assert_int_equal(s.started.bus.value, 0x5a);
	g.ops->vcpu_kick(s.vcpu);
	pthread_barrier_wait(&s.ended);
	pthread_join(thread, NULL);
	assert_int_equal(s.kicked.kind, VCPU_INTERRUPTED);
	guest_destroy(&g);
	pthread_barrier_destroy(&s.created);
	pthread_barrier_destroy(&s.ended);
}

static void sixty_four_processors(void **state)
{
	struct backend_vcpu *vcpus[MANY_VCPUS] = { NULL };
	struct backend_error err = { "" };
	struct guest g;
	uint32_t i;

	assert_true(caps.max_vcpus >= MANY_VCPUS);
	guest_create(&g, kvm, "halt");
	for (i = 1; i < MANY_VCPUS; i++)
		if (g.ops->vcpu_create(g.vm, i, &vcpus[i], &err) < 0)
			fail_msg("%s", err.text);
	guest_expect_mark(&g, 1);
	assert_true(g.ops->vcpu_create(g.vm, 1, &vcpus[0], &err) < 0);
	assert_true(err.text[0] != '\0');
	for (i = 1; i < MANY_VCPUS; i++)
		g.ops->vcpu_destroy(vcpus[i]);
	guest_destroy(&g);
}

/* ---- registers ---- */

static void registers_read_back(void **state)
{
	const struct backend_reg want[] = {
		{ X86_REG(X86_RAX), 0, 0x1111222233334444 },
		{ X86_REG(X86_R15), 0, 0xfeedfeedfeed },
		{ X86_SEG_REG(X86_FS, X86_BASE), 0, 0x1000 },
		{ X86_SEG_REG(X86_TR, X86_ATTR), 0, 0x008b },
		{ X86_SEG_REG(X86_GDT, X86_BASE), 0, 0x5000 },
		{ X86_SEG_REG(X86_GDT, X86_LIMIT), 0, 0x27 },
		{ X86_CR(2), 0, 0x77 },
		{ X86_MXCSR, 0, 0x1f80 },
		{ X86_FCW, 0, 0x37f },
		{ X86_LVT(0x350), 0, 0x700 },
		{ X86_LVT(0x360), 0, 0x400 },
	};
	const size_t n = sizeof(want) / sizeof(want[0]);
	struct backend_error err = { "" };
	struct backend_reg bad = { .id = REG_ID(0x7f, 1) };
	struct guest g;
	size_t i;

	guest_create(&g, kvm, "halt");
	if (g.ops->vcpu_set_regs(g.vcpu, want, n, &err) < 0)
		fail_msg("%s", err.text);
	for (i = 0; i < n; i++)
		assert_int_equal(guest_reg(&g, want[i].id), want[i].value);
	assert_int_equal(g.ops->vcpu_get_regs(g.vcpu, &bad, 1), -ENOENT);
	assert_int_equal(g.ops->vcpu_set_regs(g.vcpu, &bad, 1, &err), -ENOENT);
	assert_non_null(strstr(err.text, "0x7f000001"));
	guest_destroy(&g);
}

static void a_refused_msr_is_named(void **state)
{
	const struct backend_msr msrs[] = { { SYSENTER_CS, 0, 8 }, { MSR_EFER_FAKE, 0, 1 } };
	struct backend_error err = { "" };
	struct guest g;

	guest_create(&g, kvm, "halt");
	assert_int_equal(g.ops->vcpu_set_msrs(g.vcpu, msrs, 1, &err), 0);
	assert_true(g.ops->vcpu_set_msrs(g.vcpu, msrs, 2, &err) < 0);
	assert_non_null(strstr(err.text, "0xdeadbeef"));
	guest_destroy(&g);
}

/* ---- reset ---- */

#define TOLD 6

static void hear(struct guest *g, uint64_t told[TOLD])
{
	int i;

	for (i = 0; i < TOLD; i++) {
		guest_run(g, VCPU_PIO);
		assert_int_equal(g->exit.bus.address, 0x530);
		told[i] = g->exit.bus.value;
	}
	guest_expect_mark(g, 1);
	guest_answer_read(g, VCPU_PIO, 0x81, 1, 0);
}

static void start_again(struct guest *g)
{
	struct backend_error err = { "" };

	if (g->ops->vm_reset(g->vm, &err) < 0 || g->ops->vcpu_reset(g->vcpu, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(guest_reg(g, X86_REG(X86_RIP)), 0xfff0);
	guest_set_entry(g, g->vcpu);
}

static void reset_puts_everything_back(void **state)
{
	uint64_t first[TOLD], second[TOLD];
	struct guest g;

	guest_create(&g, kvm, "reset");
	hear(&g, first);
	/* Without a reset the guest finds what it left: the test would see a difference. */
	g.ops->vcpu_kick(g.vcpu);
	guest_run(&g, VCPU_INTERRUPTED);
	guest_set_entry(&g, g.vcpu);
	hear(&g, second);
	assert_memory_not_equal(first, second, sizeof(first));
	/* The unfinished read of a port does not reach into the new start. */
	start_again(&g);
	hear(&g, second);
	assert_memory_equal(first, second, sizeof(first));
	guest_destroy(&g);
}

/* KVM finishes an access when it is entered again: that must not happen upon the new state. */
static void reset_in_the_middle_of_an_mmio_read(void **state)
{
	struct guest g;

	guest_create(&g, kvm, "mmio");
	guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO, 1, 0x11);
	guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO + 2, 2, 0x2222);
	guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO + 4, 4, 0x44444444);
	guest_answer_read(&g, VCPU_MMIO, GUEST_MMIO + 8, 1, 0xa1);
	start_again(&g);
	guest_expect_write(&g, VCPU_MMIO, GUEST_MMIO, 1, 0x11);
	guest_destroy(&g);
}

static void reset_after_a_triple_fault(void **state)
{
	struct guest g;

	guest_create(&g, kvm, "triple");
	guest_run(&g, VCPU_DEAD);
	start_again(&g);
	guest_run(&g, VCPU_DEAD);
	guest_destroy(&g);
}

static void reset_after_sleep_and_between_string_items(void **state)
{
	struct guest g;

	guest_create(&g, kvm, "string");
	memcpy(g.ram + GUEST_BUFFER, "tenon", 6);
	guest_expect_write(&g, VCPU_PIO, 0x510, 1, 't');
	start_again(&g);
	guest_expect_write(&g, VCPU_PIO, 0x510, 1, 't');
	guest_expect_write(&g, VCPU_PIO, 0x510, 1, 'e');
	guest_destroy(&g);
	guest_create(&g, kvm, "halt");
	guest_expect_mark(&g, 1);
	g.ops->vcpu_kick(g.vcpu);
	guest_run(&g, VCPU_INTERRUPTED);
	start_again(&g);
	guest_expect_mark(&g, 1);
	guest_destroy(&g);
}

static void a_kick_survives_a_reset(void **state)
{
	struct guest g;

	guest_create(&g, kvm, "spin");
	g.ops->vcpu_kick(g.vcpu);
	start_again(&g);
	guest_run(&g, VCPU_INTERRUPTED);
	guest_destroy(&g);
}

/* ---- memory ---- */

static void read_only_memory_exits_and_logged_memory_is_marked(void **state)
{
	const size_t size = 0x200000;
	uint64_t dirty[8] = { 0 };
	struct backend_error err = { "" };
	struct guest g;
	uint8_t *more;

	if (!(caps.features & BACKEND_READONLY))
		skip();
	more = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(more != MAP_FAILED);
	more[0] = 0x55;
	guest_create(&g, kvm, "memory");
	assert_int_equal(
		g.ops->mem_map(g.vm, 0x300000, 0x1000, more, BACKEND_MAP_READONLY, &err), 0);
	assert_int_equal(g.ops->mem_map(g.vm, 0x400000, size, more, BACKEND_MAP_LOG, &err), 0);
	assert_true(g.ops->mem_map(g.vm, 0x500000, 0x1000, more, 0, &err) < 0);
	assert_non_null(strstr(err.text, "overlaps"));
	guest_expect_write(&g, VCPU_MMIO, 0x300000, 1, 0x77);
	guest_expect_mark(&g, 0x55);
	assert_int_equal(more[0x2000], 0x66);
	assert_int_equal(g.ops->mem_dirty(g.vm, 0x400000, size, dirty), 0);
	assert_int_equal(dirty[0], 1u << 2);
	assert_int_equal(g.ops->mem_dirty(g.vm, 0x400000, size, dirty), 0);
	assert_int_equal(dirty[0], 0);
	assert_int_equal(g.ops->mem_dirty(g.vm, 0, GUEST_RAM, dirty), -ENOTSUP);
	assert_int_equal(g.ops->mem_unmap(g.vm, 0x400000, size), 0);
	assert_int_equal(g.ops->mem_unmap(g.vm, 0x400000, size), -ENOENT);
	guest_destroy(&g);
	munmap(more, size);
}

/* ---- the probe ---- */

static void probe_describes_the_host(void **state)
{
	print_message("kvm: %s\n", caps.detail);
	assert_true(caps.features & BACKEND_IRQCHIP);
	assert_int_equal(caps.isas, 1u << ISA_X86_64);
	assert_true(caps.phys_bits >= 32 && caps.phys_bits <= 57);
	assert_true(caps.speed > 0);
	assert_true(caps.detail[0] != '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probe_describes_the_host),
		cmocka_unit_test(mmio_has_every_size),
		cmocka_unit_test(mmio_of_8_bytes_and_across_pages),
		cmocka_unit_test(ports_have_every_size),
		cmocka_unit_test(string_ports_come_item_by_item),
		cmocka_unit_test(triple_fault_is_death),
		cmocka_unit_test(code_outside_memory_fails_with_a_sentence),
		cmocka_unit_test(doorbells_ring),
		cmocka_unit_test(irqfd_wakes_a_sleeping_guest),
		cmocka_unit_test(irq_line_wakes_a_sleeping_guest),
		cmocka_unit_test(kicks_reach_a_guest_that_computes),
		cmocka_unit_test(kicks_reach_a_guest_that_sleeps),
		cmocka_unit_test(a_kick_before_the_run_is_not_lost),
		cmocka_unit_test(a_kick_does_not_disturb_an_access),
		cmocka_unit_test(a_flood_of_writes_loses_none),
		cmocka_unit_test(a_guest_starts_its_second_processor),
		cmocka_unit_test(sixty_four_processors),
		cmocka_unit_test(registers_read_back),
		cmocka_unit_test(a_refused_msr_is_named),
		cmocka_unit_test(reset_puts_everything_back),
		cmocka_unit_test(reset_in_the_middle_of_an_mmio_read),
		cmocka_unit_test(reset_after_a_triple_fault),
		cmocka_unit_test(reset_after_sleep_and_between_string_items),
		cmocka_unit_test(a_kick_survives_a_reset),
		cmocka_unit_test(read_only_memory_exits_and_logged_memory_is_marked),
	};

	kvm = backend_load("kvm");
	if (!backend_usable(kvm, &caps))
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

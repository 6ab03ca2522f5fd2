/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine that guest.h describes.
 */
#include "tests/emu/machine.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/guests/guest.h"

#define CALL_WRITE 64u
#define CALL_EXIT  93u
#define CALL_TEST  0x74657374u

#define SSTATUS_FS_INITIAL (1ull << 13)

enum test_call { TEST_START, TEST_INTERRUPT, TEST_FENCE, TEST_KICK, TEST_DEVICE, TEST_YIELD };

/* ---- loading ---- */

static void load(struct emu_machine *m, const char *path)
{
	Elf64_Ehdr header = { .e_phnum = 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, &header, sizeof(header), 0) != sizeof(header))
		fail_msg("cannot read %s", path);
	for (int i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr p;

		assert_int_equal(pread(fd, &p, sizeof(p), (off_t)(header.e_phoff + i * sizeof(p))),
			sizeof(p));
		if (p.p_type != PT_LOAD)
			continue;
		assert_true(p.p_paddr >= MACHINE_RAM);
		assert_true(p.p_paddr - MACHINE_RAM + p.p_memsz <= MACHINE_RAM_SIZE);
		assert_int_equal(pread(fd, m->ram + (p.p_paddr - MACHINE_RAM), p.p_filesz,
					 (off_t)p.p_offset),
			p.p_filesz);
	}
	m->entry = header.e_entry;
	close(fd);
}

static uint8_t *map(struct emu_machine *m, uint64_t gpa, size_t size, uint32_t flags)
{
	struct backend_error err = { "" };
	uint8_t *host =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(host != MAP_FAILED);
	if (m->ops->mem_map(m->vm, gpa, size, host, flags, &err) < 0)
		fail_msg("%s", err.text);
	return host;
}

void machine_create(struct emu_machine *m, const char *path, uint32_t harts, bool deterministic)
{
	struct backend_vm_config config = { .struct_size = sizeof(config),
		.isa = ISA_RISCV64,
		.vcpus = harts,
		.deterministic = deterministic };
	struct backend_error err = { "" };

	memset(m, 0, sizeof(*m));
	m->module = backend_load("emu");
	m->ops = m->module->ops;
	m->harts = harts;
	if (m->ops->vm_create(&config, &m->vm, &err) < 0)
		fail_msg("%s", err.text);
	m->ram = map(m, MACHINE_RAM, MACHINE_RAM_SIZE, 0);
	m->rom = map(m, MACHINE_ROM, 8192, BACKEND_MAP_READONLY);
	memset(m->rom, 0xa5, 8192);
	(void)pthread_mutex_init(&m->lock, NULL);
	(void)pthread_cond_init(&m->changed, NULL);
	load(m, path);
}

/* ---- what the guest asks for ---- */

static void end(struct emu_machine *m, int status, const char *why)
{
	(void)pthread_mutex_lock(&m->lock);
	if (!m->ended) {
		m->ended = true;
		m->status = status;
		(void)snprintf(m->why, sizeof(m->why), "%s", why);
	}
	(void)pthread_cond_broadcast(&m->changed);
	for (uint32_t i = 0; i < m->harts; i++)
		m->ops->vcpu_kick(m->hart[i].vcpu);
	(void)pthread_mutex_unlock(&m->lock);
}

static void say(struct emu_machine *m, uint64_t at, uint64_t size)
{
	char *grown;

	if (at < MACHINE_RAM || size > MACHINE_RAM_SIZE ||
		at - MACHINE_RAM > MACHINE_RAM_SIZE - size)
		return;
	(void)pthread_mutex_lock(&m->lock);
	grown = realloc(m->said, m->said_size + size + 1);
	if (grown) {
		memcpy(grown + m->said_size, m->ram + (at - MACHINE_RAM), size);
		m->said = grown;
		m->said_size += size;
		m->said[m->said_size] = '\0';
	}
	(void)pthread_mutex_unlock(&m->lock);
}

static uint64_t serve_test(struct emu_machine *m, uint64_t function, const uint64_t *args)
{
	struct machine_hart *h = args[0] < m->harts ? &m->hart[args[0]] : NULL;

	if (!h)
		return (uint64_t)-EINVAL;
	switch (function) {
	case TEST_START:
		(void)pthread_mutex_lock(&m->lock);
		h->started = true;
		(void)pthread_cond_broadcast(&m->changed);
		(void)pthread_mutex_unlock(&m->lock);
		return 0;
	case TEST_INTERRUPT:
		return (uint64_t)m->ops->vcpu_interrupt(h->vcpu, (uint32_t)args[1], args[2] != 0);
	case TEST_FENCE:
		return (uint64_t)m->ops->vcpu_fence(h->vcpu, (uint32_t)args[1]);
	case TEST_KICK:
		m->ops->vcpu_kick(h->vcpu);
		return 0;
	case TEST_YIELD:
		(void)sched_yield();
		return 0;
	case TEST_DEVICE:
		return __atomic_load_n(&m->written, __ATOMIC_RELAXED);
	default:
		return (uint64_t)-ENOSYS;
	}
}

static void serve_call(struct emu_machine *m, struct vcpu_exit *exit)
{
	uint64_t extension = exit->call.function >> 32;

	exit->call.ret[0] = 0;
	exit->call.ret[1] = 0;
	if (extension == CALL_WRITE)
		say(m, exit->call.args[1], exit->call.args[2]);
	else if (extension == CALL_EXIT)
		end(m, (int)exit->call.args[0], "");
	else if (extension == CALL_TEST)
		exit->call.ret[0] =
			serve_test(m, exit->call.function & 0xffffffff, exit->call.args);
	else
		exit->call.ret[0] = (uint64_t)-ENOSYS;
}

static void serve_device(struct emu_machine *m, struct vcpu_exit *exit)
{
	if (exit->bus.write)
		__atomic_store_n(
			&m->written, exit->bus.value << 8 | exit->bus.size, __ATOMIC_RELAXED);
	else
		exit->bus.value = (exit->bus.address << 8 | exit->bus.size) * 0x0101010101010101u;
}

/* ---- harts ---- */

static void create(struct machine_hart *h)
{
	struct emu_machine *m = h->machine;
	const struct backend_reg regs[] = {
		{ RISCV_PC, 0, m->entry },
		{ RISCV_X(10), 0, h->index },
		{ RISCV_X(11), 0, m->argument },
		{ RISCV_CSR(0x100), 0, SSTATUS_FS_INITIAL },
	};
	struct backend_error err = { "" };

	if (m->ops->vcpu_create(m->vm, h->index, &h->vcpu, &err) < 0 ||
		m->ops->vcpu_set_regs(h->vcpu, regs, 4, &err) < 0) {
		(void)fprintf(stderr, "hart %u: %s\n", h->index, err.text);
		abort();
	}
}

/* False when the machine ended before. */
static bool wait_for_start(struct machine_hart *h)
{
	struct emu_machine *m = h->machine;
	bool go;

	(void)pthread_mutex_lock(&m->lock);
	m->ready++;
	(void)pthread_cond_broadcast(&m->changed);
	while (!m->ended && !(m->ready == m->harts && h->started))
		(void)pthread_cond_wait(&m->changed, &m->lock);
	go = !m->ended;
	(void)pthread_mutex_unlock(&m->lock);
	return go;
}

static bool ended(struct emu_machine *m)
{
	bool yes;

	(void)pthread_mutex_lock(&m->lock);
	yes = m->ended;
	(void)pthread_mutex_unlock(&m->lock);
	return yes;
}

static void run(struct machine_hart *h)
{
	struct emu_machine *m = h->machine;
	struct vcpu_exit exit = { .kind = VCPU_INTERRUPTED };

	while (!ended(m)) {
		if (m->ops->vcpu_run(h->vcpu, &exit) < 0)
			exit.kind = VCPU_FAILED;
		if (exit.kind == VCPU_CALL)
			serve_call(m, &exit);
		else if (exit.kind == VCPU_MMIO)
			serve_device(m, &exit);
		else if (exit.kind == VCPU_INTERRUPTED)
			__atomic_add_fetch(&m->kicks, 1, __ATOMIC_RELAXED);
		else
			end(m, -1, exit.text[0] ? exit.text : "an exit of another kind");
	}
}

static void *hart_main(void *arg)
{
	struct machine_hart *h = arg;
	struct emu_machine *m = h->machine;

	create(h);
	if (wait_for_start(h))
		run(h);
	/* Others may kick it till they have left, too. */
	(void)pthread_mutex_lock(&m->lock);
	m->left++;
	(void)pthread_cond_broadcast(&m->changed);
	while (m->left < m->harts)
		(void)pthread_cond_wait(&m->changed, &m->lock);
	(void)pthread_mutex_unlock(&m->lock);
	m->ops->vcpu_destroy(h->vcpu);
	return NULL;
}

int machine_run(struct emu_machine *m)
{
	for (uint32_t i = 0; i < m->harts; i++) {
		struct machine_hart *h = &m->hart[i];

		h->machine = m;
		h->index = i;
		h->started = i == 0;
		assert_int_equal(pthread_create(&h->thread, NULL, hart_main, h), 0);
	}
	for (uint32_t i = 0; i < m->harts; i++)
		(void)pthread_join(m->hart[i].thread, NULL);
	if (m->status != 0)
		print_message("%s%s\n", m->said ? m->said : "", m->why);
	return m->status;
}

void machine_destroy(struct emu_machine *m)
{
	m->ops->vm_destroy(m->vm);
	(void)munmap(m->ram, MACHINE_RAM_SIZE);
	(void)munmap(m->rom, 8192);
	(void)pthread_cond_destroy(&m->changed);
	(void)pthread_mutex_destroy(&m->lock);
	free(m->said);
}

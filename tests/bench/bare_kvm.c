/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a VM costs without a VMM: a bare KVM program that builds the machine which `tenon run` would
 * build (memory from a memfd, interrupt controllers, timer, vCPUs on threads of their own with the
 * host's CPUID), starts a guest in it and stops at its first mark.  It prints where the time went
 * as key=value lines, in microseconds of wall-clock and of CPU time, so that start-up can be
 * compared on the same host in the same run.
 *
 *   bare_kvm [--memory MIB] [--cpus N] [--port PORT] [--pvh] [--hold] GUEST
 *
 * GUEST is a 64-bit ELF file, or else a flat image that is loaded at 64 KiB and started in 32-bit
 * mode.  With --hold the machine stands after the mark until standard input ends, so that the
 * memory of the process can be looked at.
 *
 * Whoever has started the program may say when in the environment; otherwise it starts itself once
 * more, so that what the loader takes has a beginning.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MIB          (UINT64_C(1) << 20)
#define HOLE         UINT64_C(0xc0000000)
#define FOUR_GIB     (UINT64_C(1) << 32)
#define RESERVED_GPA UINT64_C(0xfffbc000)
#define FLAT_LOAD    0x10000u
#define TABLES       0x9000u
#define BOOT_DATA    0x7000u
#define LARGE        UINT64_C(0x200000)
#define CPUID_ROOM   256
#define MAX_CPUS     256
#define NOTE_PHYS32  18
#define STAMP        "BARE_KVM_STAMP"
#define SKIPPED      77

struct options {
	uint64_t memory;
	uint32_t cpus;
	uint16_t port;
	bool pvh, hold;
	const char *guest;
};

struct machine {
	struct options options;
	int kvm, vm, memfd;
	size_t run_size;
	uint8_t *ram;
	uint64_t entry;
	bool long_mode;
	struct kvm_cpuid2 *cpuid;
	pthread_barrier_t ready;
};

struct cpu {
	struct machine *m;
	uint32_t index;
	int fd;
	pthread_t thread;
	struct kvm_run *run;
};

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)fputs("bare_kvm: ", stderr);
	(void)vfprintf(stderr, format, args);
	(void)fprintf(stderr, ": %s\n", strerror(errno));
	va_end(args);
	exit(1);
}

static int call(int fd, unsigned long request, const char *name, void *arg)
{
	int r;

	do
		r = ioctl(fd, request, arg);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		die("%s", name);
	return r;
}

#define CALL(fd, request, arg)          call(fd, request, #request, arg)
#define CALL_NUMBER(fd, request, value) call(fd, request, #request, (void *)(uintptr_t)(value))

/* ---- time ---- */

struct moment {
	uint64_t wall, cpu; /* ns */
};

static uint64_t read_clock(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct moment now(void)
{
	return (struct moment){ read_clock(CLOCK_MONOTONIC), read_clock(CLOCK_PROCESS_CPUTIME_ID) };
}

static void print_span(const char *name, struct moment from, struct moment to)
{
	(void)printf("%s_wall_us=%.1f\n%s_cpu_us=%.1f\n", name, (double)(to.wall - from.wall) / 1e3,
		name, (double)(to.cpu - from.cpu) / 1e3);
}

static void phase(const char *name, struct moment *last)
{
	struct moment t = now();

	print_span(name, *last, t);
	*last = now(); /* printing is nobody's time */
}

/* When the program was started, on both clocks. */
static struct moment stamp(char **argv)
{
	const char *text = getenv(STAMP);
	struct moment t = { 0, 0 };
	char buffer[64];

	/* NOLINTNEXTLINE(cert-err34-c): what stands there was printed below */
	if (text && sscanf(text, "%" SCNu64 " %" SCNu64, &t.wall, &t.cpu) == 2)
		return t;
	t = now();
	(void)snprintf(buffer, sizeof(buffer), "%" PRIu64 " %" PRIu64, t.wall, t.cpu);
	(void)setenv(STAMP, buffer, 1);
	(void)execv("/proc/self/exe", argv);
	die("cannot start again");
}

/* ---- memory ---- */

static void map_slot(struct machine *m, uint32_t slot, uint64_t gpa, uint64_t offset, uint64_t size)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)m->ram + offset,
	};

	if (size)
		CALL(m->vm, KVM_SET_USER_MEMORY_REGION, &region);
}

static void make_memory(struct machine *m)
{
	uint64_t size = m->options.memory, low = size < HOLE ? size : HOLE;

	m->memfd = memfd_create("ram", MFD_CLOEXEC);
	if (m->memfd < 0 || ftruncate(m->memfd, (off_t)size) < 0)
		die("guest memory");
	m->ram = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, m->memfd, 0);
	if (m->ram == MAP_FAILED)
		die("guest memory");
	map_slot(m, 0, 0, 0, low);
	map_slot(m, 1, FOUR_GIB, low, size - low);
}

static void copy_in(struct machine *m, uint64_t gpa, const uint8_t *data, uint64_t size)
{
	uint64_t end;

	errno = ERANGE;
	if (__builtin_add_overflow(gpa, size, &end) || end > m->options.memory || end > HOLE)
		die("the guest does not fit");
	memcpy(m->ram + gpa, data, size);
}

/* The address that a PVH note in the segment names, or 0. */
static uint64_t find_pvh(const uint8_t *note, uint64_t size)
{
	while (size >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr header;
		uint64_t name, total;
		uint32_t entry;

		memcpy(&header, note, sizeof(header));
		name = sizeof(header) + (((uint64_t)header.n_namesz + 3) & ~UINT64_C(3));
		total = name + (((uint64_t)header.n_descsz + 3) & ~UINT64_C(3));
		if (total > size)
			return 0;
		if (header.n_type == NOTE_PHYS32 && header.n_descsz >= sizeof(entry)) {
			memcpy(&entry, note + name, sizeof(entry));
			return entry;
		}
		note += total;
		size -= total;
	}
	return 0;
}

static void load_elf(struct machine *m, const uint8_t *file, uint64_t size)
{
	Elf64_Ehdr header;
	uint32_t i;

	memcpy(&header, file, sizeof(header));
	m->entry = m->options.pvh ? 0 : header.e_entry;
	m->long_mode = !m->options.pvh;
	for (i = 0; i < header.e_phnum; i++) {
		uint64_t at = header.e_phoff + (uint64_t)i * sizeof(Elf64_Phdr), end;
		Elf64_Phdr segment;

		errno = EINVAL;
		if (at > size || size - at < sizeof(segment))
			die("%s", m->options.guest);
		memcpy(&segment, file + at, sizeof(segment));
		if (__builtin_add_overflow(segment.p_offset, segment.p_filesz, &end) || end > size)
			die("%s", m->options.guest);
		if (segment.p_type == PT_LOAD)
			copy_in(m, segment.p_paddr, file + segment.p_offset, segment.p_filesz);
		if (segment.p_type == PT_NOTE && m->options.pvh && !m->entry)
			m->entry = find_pvh(file + segment.p_offset, segment.p_filesz);
	}
	errno = EINVAL;
	if (!m->entry)
		die("%s has no entry", m->options.guest);
}

static void load_guest(struct machine *m)
{
	int fd = open(m->options.guest, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *file;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0)
		die("%s", m->options.guest);
	file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file == MAP_FAILED)
		die("%s", m->options.guest);
	if ((size_t)st.st_size > sizeof(Elf64_Ehdr) && memcmp(file, ELFMAG, SELFMAG) == 0 &&
		file[EI_CLASS] == ELFCLASS64) {
		load_elf(m, file, (uint64_t)st.st_size);
	} else {
		m->entry = FLAT_LOAD;
		copy_in(m, FLAT_LOAD, file, (uint64_t)st.st_size);
	}
	(void)munmap(file, (size_t)st.st_size);
	close(fd);
}

/* 4 GiB one to one in pages of 2 MiB. */
static void make_page_tables(struct machine *m)
{
	uint64_t *top = (uint64_t *)(void *)(m->ram + TABLES), *middle = top + 512, i;

	top[0] = (TABLES + 0x1000) | 3;
	for (i = 0; i < 4; i++)
		middle[i] = (TABLES + 0x2000 + i * 0x1000ull) | 3;
	for (i = 0; i < 4ull * 512; i++)
		middle[512 + i] = (uint64_t)i * LARGE | 0x83;
}

/* ---- processors ---- */

static struct kvm_segment flat(bool code, bool long_mode)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = code ? 0x10 : 0x18,
		.type = code ? 11 : 3,
		.present = 1,
		.s = 1,
		.g = 1,
		.l = code && long_mode,
		.db = !(code && long_mode),
	};
}

static void set_state(struct cpu *cpu)
{
	const struct machine *m = cpu->m;
	struct kvm_regs regs = { .rip = m->entry, .rflags = 2, .rsi = BOOT_DATA, .rbx = BOOT_DATA };
	struct kvm_sregs sregs;

	CALL(cpu->fd, KVM_GET_SREGS, &sregs);
	sregs.cs = flat(true, m->long_mode);
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = flat(false, m->long_mode);
	sregs.idt.base = 0;
	sregs.idt.limit = 0;
	sregs.cr0 = 0x11;
	if (m->long_mode) {
		sregs.cr0 |= 0x80000000;
		sregs.cr3 = TABLES;
		sregs.cr4 = 0x20;
		sregs.efer = 0x500;
	}
	CALL(cpu->fd, KVM_SET_SREGS, &sregs);
	CALL(cpu->fd, KVM_SET_REGS, &regs);
}

static void set_cpuid(struct cpu *cpu)
{
	size_t size =
		sizeof(*cpu->m->cpuid) + cpu->m->cpuid->nent * sizeof(cpu->m->cpuid->entries[0]);
	struct kvm_cpuid2 *table = malloc(size);
	uint32_t i;

	if (!table)
		die("CPUID");
	memcpy(table, cpu->m->cpuid, size);
	for (i = 0; i < table->nent; i++) {
		if (table->entries[i].function == 1)
			table->entries[i].ebx =
				(table->entries[i].ebx & 0x00ffffff) | cpu->index << 24;
		if (table->entries[i].function == 0xb || table->entries[i].function == 0x1f)
			table->entries[i].edx = cpu->index;
	}
	CALL(cpu->fd, KVM_SET_CPUID2, table);
	free(table);
}

static void run_to_mark(struct cpu *cpu)
{
	const struct kvm_run *run = cpu->run;

	for (;;) {
		if (ioctl(cpu->fd, KVM_RUN, 0) < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			die("KVM_RUN");
		}
		if (run->exit_reason == KVM_EXIT_IO && run->io.direction == KVM_EXIT_IO_OUT &&
			run->io.port == cpu->m->options.port)
			return;
		errno = EIO;
		if (run->exit_reason != KVM_EXIT_IO && run->exit_reason != KVM_EXIT_MMIO)
			die("the guest ended with exit %u before its mark", run->exit_reason);
	}
}

/* The others sleep in KVM until the guest would start them. */
static void sleep_until_told(struct cpu *cpu)
{
	while (!__atomic_load_n(&cpu->run->immediate_exit, __ATOMIC_ACQUIRE))
		(void)ioctl(cpu->fd, KVM_RUN, 0);
}

static void *cpu_thread(void *data)
{
	struct cpu *cpu = data;
	struct machine *m = cpu->m;

	cpu->fd = CALL_NUMBER(m->vm, KVM_CREATE_VCPU, cpu->index);
	cpu->run = mmap(NULL, m->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu->fd, 0);
	if (cpu->run == MAP_FAILED)
		die("vCPU %u", cpu->index);
	set_cpuid(cpu);
	if (cpu->index == 0)
		set_state(cpu);
	(void)pthread_barrier_wait(&m->ready); /* all are there */
	(void)pthread_barrier_wait(&m->ready); /* the time was taken */
	if (cpu->index == 0)
		run_to_mark(cpu);
	else
		sleep_until_told(cpu);
	return NULL;
}

static void on_signal(int number)
{
	(void)number;
}

/* ---- the whole ---- */

static void make_vm(struct machine *m)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	uint64_t identity = RESERVED_GPA;

	m->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (m->kvm < 0) {
		(void)printf("skipped: no usable /dev/kvm: %s\n", strerror(errno));
		exit(SKIPPED);
	}
	m->vm = CALL_NUMBER(m->kvm, KVM_CREATE_VM, 0);
	CALL(m->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity);
	CALL_NUMBER(m->vm, KVM_SET_TSS_ADDR, RESERVED_GPA + 0x1000);
	CALL_NUMBER(m->vm, KVM_CREATE_IRQCHIP, 0);
	CALL(m->vm, KVM_CREATE_PIT2, &pit);
	m->run_size = (size_t)CALL_NUMBER(m->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	m->cpuid = calloc(1, sizeof(*m->cpuid) + CPUID_ROOM * sizeof(m->cpuid->entries[0]));
	if (!m->cpuid)
		die("CPUID");
	m->cpuid->nent = CPUID_ROOM;
	CALL(m->kvm, KVM_GET_SUPPORTED_CPUID, m->cpuid);
}

static void tear_down(struct machine *m, struct cpu *cpus)
{
	uint32_t i;

	for (i = 0; i < m->options.cpus; i++) {
		if (i > 0) {
			__atomic_store_n(&cpus[i].run->immediate_exit, 1, __ATOMIC_RELEASE);
			(void)pthread_kill(cpus[i].thread, SIGUSR1);
			(void)pthread_join(cpus[i].thread, NULL);
		}
		(void)munmap(cpus[i].run, m->run_size);
		close(cpus[i].fd);
	}
	close(m->vm);
	close(m->kvm);
	(void)munmap(m->ram, m->options.memory);
	close(m->memfd);
	(void)pthread_barrier_destroy(&m->ready);
	free(m->cpuid);
}

/* What was printed so far tells the other side that the machine stands. */
static void hold(void)
{
	char c;

	(void)fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
}

static struct options parse(int argc, char **argv)
{
	static const struct option table[] = {
		{ "memory", required_argument, NULL, 'm' },
		{ "cpus", required_argument, NULL, 'c' },
		{ "port", required_argument, NULL, 'p' },
		{ "pvh", no_argument, NULL, 'v' },
		{ "hold", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o = { .memory = 512 * MIB, .cpus = 1, .port = 0x80 };
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 'm')
			o.memory = strtoull(optarg, NULL, 0) * MIB;
		else if (c == 'c')
			o.cpus = (uint32_t)strtoul(optarg, NULL, 0);
		else if (c == 'p')
			o.port = (uint16_t)strtoul(optarg, NULL, 0);
		else if (c == 'v')
			o.pvh = true;
		else if (c == 'h')
			o.hold = true;
	}
	o.guest = optind + 1 == argc ? argv[optind] : NULL;
	if (o.guest && o.memory >= 2 * MIB && o.cpus >= 1 && o.cpus <= MAX_CPUS)
		return o;
	(void)fprintf(stderr, "usage: bare_kvm [--memory MIB] [--cpus N] [--port PORT] [--pvh] "
			      "[--hold] GUEST\n");
	exit(2);
}

int main(int argc, char **argv)
{
	static struct cpu cpus[MAX_CPUS];
	struct moment exec = stamp(argv), start = now(), last = start, end;
	struct sigaction action = { .sa_handler = on_signal };
	struct machine m = { .options = parse(argc, argv) };
	uint32_t i;

	(void)sigaction(SIGUSR1, &action, NULL);
	print_span("exec_main", exec, start);
	last = now();
	make_vm(&m);
	phase("vm", &last);
	make_memory(&m);
	load_guest(&m);
	if (m.long_mode)
		make_page_tables(&m);
	phase("memory", &last);
	(void)pthread_barrier_init(&m.ready, NULL, m.options.cpus + 1);
	for (i = 0; i < m.options.cpus; i++) {
		cpus[i] = (struct cpu){ .m = &m, .index = i };
		if (pthread_create(&cpus[i].thread, NULL, cpu_thread, &cpus[i]) != 0)
			die("threads");
	}
	(void)pthread_barrier_wait(&m.ready);
	phase("vcpus", &last);
	(void)pthread_barrier_wait(&m.ready);
	(void)pthread_join(cpus[0].thread, NULL);
	phase("first_instruction", &last);
	end = last;
	if (m.options.hold)
		hold();
	(void)printf("mark=0x%x\n", ((const uint8_t *)cpus[0].run)[cpus[0].run->io.data_offset]);
	last = now();
	tear_down(&m, cpus);
	phase("teardown", &last);
	print_span("start_up", exec, end);
	return 0;
}

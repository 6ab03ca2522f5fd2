/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `tenon run` on a terminal of its own: what reaches the guest, what comes back, and that the
 * terminal is as it was on every way out.  The guest is a script of the null backend; one test runs
 * a real one, which echoes its serial port, where there is a /dev/kvm.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 30000
#define MOST_ARGS   24

/* Says 'R', then gives back what comes on the serial port; 'q' powers off. */
static const unsigned char echo_code[] = {
	0x66, 0xba, 0xf8, 0x03, /* mov $0x3f8, %dx */
	0xb0, 0x52, 0xee,       /* mov $'R', %al; out %al, %dx */
	0x66, 0xba, 0xfd, 0x03, /* 0: mov $0x3fd, %dx */
	0xec, 0xa8, 0x01,       /* in %dx, %al; test $1, %al */
	0x74, 0xf7,             /* jz 0b */
	0x66, 0xba, 0xf8, 0x03, /* mov $0x3f8, %dx */
	0xec, 0xee,             /* in %dx, %al; out %al, %dx */
	0x3c, 0x71, 0x75, 0xed, /* cmp $'q', %al; jne 0b */
	0x66, 0xba, 0x04, 0x06, /* mov $0x604, %dx */
	0xb0, 0x34, 0xee,       /* mov $0x34, %al; out %al, %dx */
	0xf4, 0xeb, 0xfd,       /* 1: hlt; jmp 1b */
};

/* The driver of the console, the first device, as far as it must exist. */
#define DRIVER                                                                                     \
	"mmio-write 0xd0000070 4 1\nmmio-write 0xd0000070 4 3\n"                                   \
	"mmio-write 0xd0000024 4 1\nmmio-write 0xd0000020 4 1\n" /* VERSION_1 */                   \
	"mmio-write 0xd0000024 4 0\nmmio-write 0xd0000020 4 1\n" /* SIZE */                        \
	"mmio-write 0xd0000070 4 11\n"
#define DRIVER_OK "mmio-write 0xd0000070 4 15\n"

/* Its second queue, with one buffer of one byte, whose use need not be told. */
#define TRANSMIT                                                                                   \
	"store 0x200000 8 0x210000\nstore 0x200008 4 1\nstore 0x20000c 4 0\n"                      \
	"store 0x201000 4 0x10001\nstore 0x201004 2 0\nstore 0x210000 1 0x2a\n"                    \
	"mmio-write 0xd0000030 4 1\nmmio-write 0xd0000038 4 8\n"                                   \
	"mmio-write 0xd0000080 4 0x200000\nmmio-write 0xd0000090 4 0x201000\n"                     \
	"mmio-write 0xd00000a0 4 0x202000\nmmio-write 0xd0000044 4 1\n"
#define KICK "mmio-write 0xd0000050 4 1\n"

#define SAY(c)      "pio-write 0x3f8 1 " #c "\n"
#define SAY_OK      SAY(0x4f) SAY(0x4b) /* "OK" */
#define WAIT_SERIAL "pio-write 0x3f9 1 1\n" SAY_OK "wait-irq 4\n"

struct session {
	int master, slave;
	pid_t pid;
	struct termios before;
	char out[16384];
	size_t n;
};

static char folder[] = "/tmp/tenon-terminal-XXXXXX";
static char kernel[64], script_file[64];

/* ---- a terminal and tenon on it ---- */

static void write_file(const char *path, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	(void)close(fd);
}

static int make_kernel(void **state)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr load;
		unsigned char code[sizeof(echo_code)];
	} elf = {
		.header = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
				    ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_entry = 0x100000,
			.e_phoff = sizeof(Elf64_Ehdr),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 1 },
		.load = { .p_type = PT_LOAD,
			.p_flags = PF_R | PF_X,
			.p_offset = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr),
			.p_vaddr = 0x100000,
			.p_paddr = 0x100000,
			.p_filesz = sizeof(echo_code),
			.p_memsz = sizeof(echo_code) },
	};

	(void)state;
	memcpy(elf.code, echo_code, sizeof(echo_code));
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(kernel, sizeof(kernel), "%s/kernel", folder);
	(void)snprintf(script_file, sizeof(script_file), "%s/script", folder);
	write_file(kernel, &elf, sizeof(elf));
	return 0;
}

static int remove_kernel(void **state)
{
	(void)state;
	(void)unlink(kernel);
	(void)unlink(script_file);
	return rmdir(folder);
}

static void become_tenon(const struct session *s, const char *hypervisor, const char *const more[])
{
	const char *args[MOST_ARGS] = { "tenon", "run", "--kernel", kernel, "--memory", "64M",
		"--hypervisor", hypervisor };
	size_t n = 8;

	while (*more && n < MOST_ARGS - 1)
		args[n++] = *more++;
	(void)setsid();
	(void)ioctl(s->slave, TIOCSCTTY, 0);
	for (int fd = 0; fd <= 2; fd++)
		(void)dup2(s->slave, fd);
	(void)setenv("TENON_NULL_SCRIPT", script_file, 1);
	(void)execv(TENON, (char *const *)(uintptr_t)args);
	_exit(126);
}

static void start_on(
	struct session *s, const char *hypervisor, const char *script, const char *const more[])
{
	const struct winsize size = { .ws_row = 24, .ws_col = 80 };

	memset(s, 0, sizeof(*s));
	write_file(script_file, script, strlen(script));
	s->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(s->master >= 0);
	assert_int_equal(grantpt(s->master), 0);
	assert_int_equal(unlockpt(s->master), 0);
	s->slave = open(ptsname(s->master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(s->slave >= 0);
	assert_int_equal(ioctl(s->slave, TIOCSWINSZ, &size), 0);
	assert_int_equal(tcgetattr(s->slave, &s->before), 0);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0)
		become_tenon(s, hypervisor, more);
}

/* Both devices; what is typed goes to the serial port. */
static const char *const serial[] = { "--device", "serial,input=true", NULL };

static void start(struct session *s, const char *script)
{
	start_on(s, "null", script, serial);
}

/* Reads until @text was seen. */
static void until(struct session *s, const char *text)
{
	while (!memmem(s->out, s->n, text, strlen(text))) {
		struct pollfd p = { .fd = s->master, .events = POLLIN };
		ssize_t n = -1;

		if (poll(&p, 1, PATIENCE_MS) > 0 && s->n < sizeof(s->out) - 1)
			n = read(s->master, s->out + s->n, sizeof(s->out) - 1 - s->n);
		if (n <= 0) {
			(void)kill(s->pid, SIGKILL);
			fail_msg("waited for \"%s\", there is \"%s\"", text, s->out);
		}
		s->n += (size_t)n;
	}
}

static void type(const struct session *s, const char *keys)
{
	assert_int_equal(write(s->master, keys, strlen(keys)), strlen(keys));
}

static void is_raw(const struct session *s)
{
	struct termios now;

	assert_int_equal(tcgetattr(s->slave, &now), 0);
	assert_int_equal(now.c_lflag & (ICANON | ECHO | ISIG), 0);
}

/* Waits for the end; the terminal must be what it was. */
static int end(struct session *s)
{
	struct termios now;
	int status;

	(void)alarm(PATIENCE_MS / 1000);
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	(void)alarm(0);
	assert_int_equal(tcgetattr(s->slave, &now), 0);
	assert_int_equal(now.c_iflag, s->before.c_iflag);
	assert_int_equal(now.c_oflag, s->before.c_oflag);
	assert_int_equal(now.c_cflag, s->before.c_cflag);
	assert_int_equal(now.c_lflag, s->before.c_lflag);
	assert_memory_equal(now.c_cc, s->before.c_cc, sizeof(now.c_cc));
	(void)close(s->slave);
	(void)close(s->master);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- ways out ---- */

static void the_guest_powers_off(void **state)
{
	struct session s;

	(void)state;
	start(&s, WAIT_SERIAL "off\n");
	until(&s, "OK");
	is_raw(&s);
	type(&s, "x");
	assert_int_equal(end(&s), 0);
}

static void the_guest_dies(void **state)
{
	struct session s;

	(void)state;
	start(&s, WAIT_SERIAL "dead\n");
	until(&s, "OK");
	type(&s, "x");
	until(&s, "the guest died");
	assert_int_equal(end(&s), 4);
}

static void the_escape_key_leaves(void **state)
{
	struct session s;

	(void)state;
	start(&s, WAIT_SERIAL "halt\n");
	until(&s, "OK");
	type(&s, "\001x");
	until(&s, "OK\r\n"); /* the shell's prompt begins at the left */
	assert_int_equal(end(&s), 0);
}

/* A guest that hangs before it has a driver can be left all the same. */
static void the_escape_key_works_before_there_is_a_driver(void **state)
{
	static const char *const both[] = { "--device", "console", "--device", "serial", NULL };
	struct session s;

	(void)state;
	start_on(&s, "null", SAY_OK "halt\n", both);
	until(&s, "OK");
	is_raw(&s);
	type(&s, "abc\001x");
	assert_int_equal(end(&s), 0);
}

static void signals_end_it(void **state)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct session s;

		start(&s, WAIT_SERIAL "halt\n");
		until(&s, "OK");
		/* The first asks the guest, which is deaf; the second does not. */
		assert_int_equal(kill(s.pid, numbers[i]), 0);
		assert_int_equal(waitpid(s.pid, NULL, WNOHANG), 0);
		type(&s, "\001h");
		until(&s, "leave tenon");
		assert_int_equal(kill(s.pid, numbers[i]), 0);
		assert_int_equal(end(&s), 0);
	}
}

/* Signals that end a program on the spot leave the terminal as it was, too. */
static void fatal_signals_restore(void **state)
{
	static const int numbers[] = { SIGSEGV, SIGABRT, SIGQUIT };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct session s;

		if (SANITIZED && numbers[i] == SIGSEGV)
			continue; /* the sanitizer's own */
		start(&s, WAIT_SERIAL "halt\n");
		until(&s, "OK");
		is_raw(&s);
		assert_int_equal(kill(s.pid, numbers[i]), 0);
		assert_int_equal(end(&s), -numbers[i]);
	}
}

#if !SANITIZED /* such a build has no sandbox */
/* So does the sandbox, before it says what it caught. */
static void a_forbidden_call_restores(void **state)
{
	static const char *const hostile[] = { "--device", "serial,input=true", "--device",
		/* NOLINTNEXTLINE(bugprone-suspicious-missing-comma) */
		"hostile,name=evil,attempt=open,plugin=" HOSTILE, NULL };
	struct session s;

	(void)state;
	start_on(&s, "null", WAIT_SERIAL "pio-write 0x9200 1 1\n", hostile);
	until(&s, "OK");
	is_raw(&s);
	type(&s, "x");
	until(&s, "tenon: sandbox: \"evil\" made the system call openat on a vcpu thread");
	assert_int_equal(end(&s), 1);
}
#endif

static void a_vm_that_cannot_start_leaves_it_alone(void **state)
{
	static const char *const wrong[] = { "--device", "serial,input=true", "--device",
		"serial,name=second", NULL };
	struct session s;

	(void)state;
	start_on(&s, "null", SAY_OK, wrong);
	until(&s, "tenon: ");
	assert_true(end(&s) > 0);
}

/* ---- what goes through ---- */

static void control_keys_belong_to_the_guest(void **state)
{
	struct session s;

	(void)state;
	start(&s, WAIT_SERIAL "pio-read 0x3f8 1 expect 3\n" SAY(
			  0x31) "wait-irq 4\n"
				"pio-read 0x3f8 1 expect 1\n" SAY(
					0x32) "wait-irq 4\n"
					      "pio-read 0x3f8 1 expect 13\noff\n");
	until(&s, "OK");
	type(&s, "\003"); /* Ctrl-C */
	until(&s, "1");
	type(&s, "\001\001"); /* Ctrl-A, sent */
	until(&s, "2");
	type(&s, "\r");
	assert_int_equal(end(&s), 0);
}

static void output_goes_through_unchanged(void **state)
{
	struct session s;

	(void)state;
	start(&s, SAY(0x61) SAY(10) SAY(0x62) SAY(13) SAY(10) SAY(0x63) WAIT_SERIAL "off\n");
	until(&s, "OK");
	assert_int_equal(s.n, strlen("a\nb\r\ncOK"));
	assert_memory_equal(s.out, "a\nb\r\ncOK", s.n);
	type(&s, "x");
	assert_int_equal(end(&s), 0);
}

static void messages_begin_at_the_left(void **state)
{
	static const char *const talkative[] = { "--device", "serial,input=true", "-v", NULL };
	struct session s;

	(void)state;
	start_on(&s, "null", WAIT_SERIAL "halt\n", talkative);
	until(&s, "OK");
	assert_int_equal(kill(s.pid, SIGTERM), 0);
	until(&s, "tenon: the guest is asked to shut down\r\n");
	type(&s, "\001x");
	assert_int_equal(end(&s), 0);
}

/* ---- size ---- */

static const char *const console[] = { "--device", "console", "--device", "serial", NULL };

static void a_new_size_is_told(void **state)
{
	const struct winsize size = { .ws_row = 42, .ws_col = 100 };
	struct session s;

	(void)state;
	start_on(&s, "null",
		DRIVER DRIVER_OK SAY_OK "wait-irq 5\nmmio-read 0xd0000100 4 expect 0x2a0064\noff\n",
		console);
	until(&s, "OK");
	assert_int_equal(ioctl(s.master, TIOCSWINSZ, &size), 0);
	assert_int_equal(end(&s), 0);
}

static void the_first_size_is_told_without_a_change(void **state)
{
	struct session s;

	(void)state;
	start_on(&s, "null", DRIVER TRANSMIT DRIVER_OK KICK "wait-irq 5\noff\n", console);
	until(&s, "*");
	assert_int_equal(end(&s), 0);
}

/* ---- a real guest ---- */

static void a_guest_echoes(void **state)
{
	struct session s;

	(void)state;
	if (access("/dev/kvm", R_OK | W_OK) < 0)
		skip();
	start_on(&s, "kvm", "", serial);
	until(&s, "R");
	type(&s, "hello");
	until(&s, "hello");
	type(&s, "\003");
	until(&s, "\003");
	type(&s, "q");
	assert_int_equal(end(&s), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_guest_powers_off),
		cmocka_unit_test(the_guest_dies),
		cmocka_unit_test(the_escape_key_leaves),
		cmocka_unit_test(the_escape_key_works_before_there_is_a_driver),
		cmocka_unit_test(signals_end_it),
		cmocka_unit_test(fatal_signals_restore),
#if !SANITIZED
		cmocka_unit_test(a_forbidden_call_restores),
#endif
		cmocka_unit_test(a_vm_that_cannot_start_leaves_it_alone),
		cmocka_unit_test(control_keys_belong_to_the_guest),
		cmocka_unit_test(output_goes_through_unchanged),
		cmocka_unit_test(messages_begin_at_the_left),
		cmocka_unit_test(a_new_size_is_told),
		cmocka_unit_test(the_first_size_is_told_without_a_change),
		cmocka_unit_test(a_guest_echoes),
	};

	return cmocka_run_group_tests(tests, make_kernel, remove_kernel);
}

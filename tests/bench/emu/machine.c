/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts a machine, reads its console line by line, and takes the CPU time of its process where a
 * loop begins and ends, or at the end of all.
 */
#include "tests/bench/emu/machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_S 600 /* of a run; then the machine is killed */

/* ---- the guest ---- */

bool machine_has(const char *program)
{
	const char *path = getenv("PATH");
	char file[512];

	while (path && *path) {
		size_t n = strcspn(path, ":");

		(void)snprintf(file, sizeof(file), "%.*s/%s", (int)n, path, program);
		if (access(file, X_OK) == 0)
			return true;
		path += n + (path[n] == ':');
	}
	return false;
}

int machine_guest_make(struct machine_guest *guest)
{
	char command[1024];
	FILE *said;
	int fd;

	(void)snprintf(guest->initrd, sizeof(guest->initrd), "/tmp/tenon-bench-XXXXXX");
	fd = mkstemp(guest->initrd);
	if (fd < 0) {
		perror("emu: a file in /tmp");
		return -1;
	}
	(void)close(fd);
	(void)snprintf(
		command, sizeof(command), "'%s' '%s' '%s'", GUEST_SCRIPT, LOOPS, guest->initrd);
	said = popen(command, "re"); /* NOLINT(cert-env33-c): its parts are ours */
	guest->kernel[0] = '\0';
	if (said && !fgets(guest->kernel, sizeof(guest->kernel), said))
		guest->kernel[0] = '\0';
	guest->kernel[strcspn(guest->kernel, "\n")] = '\0';
	if (said && pclose(said) == 0 && guest->kernel[0])
		return 0;
	(void)fprintf(stderr, "emu: the guest could not be made\n");
	machine_guest_remove(guest);
	return -1;
}

void machine_guest_remove(const struct machine_guest *guest)
{
	(void)unlink(guest->initrd);
}

/* ---- clocks ---- */

static double seconds(const struct timespec *t)
{
	return (double)t->tv_sec + (double)t->tv_nsec / 1e9;
}

static struct machine_times now(pid_t pid)
{
	struct machine_times t = { 0 };
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &ts) == 0)
		t.cpu_s = seconds(&ts);
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	t.wall_s = seconds(&ts);
	return t;
}

/* ---- a run ---- */

static pid_t start(char *const *argv, FILE **ret_console)
{
	int fds[2];
	pid_t pid;

	if (pipe(fds) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		(void)dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
		(void)dup2(fds[1], STDOUT_FILENO);
		(void)close(fds[0]);
		(void)close(fds[1]);
		(void)alarm(LIMIT_S);
		(void)execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	(void)close(fds[1]);
	*ret_console = pid < 0 ? NULL : fdopen(fds[0], "r");
	if (!*ret_console)
		(void)close(fds[0]);
	return pid;
}

/* What the console says of the loop; 2 = begun, 3 = and ended. */
static int watch(FILE *console, pid_t pid, struct machine_times *t)
{
	struct machine_times begin = { 0 }, end;
	int seen = 0;
	char line[512];

	while (fgets(line, sizeof(line), console)) {
		const char *sum;

		if (strncmp(line, "bench: begin ", 13) == 0) {
			begin = now(pid);
			seen = 2;
		} else if (strncmp(line, "bench: end ", 11) == 0 && seen == 2) {
			end = now(pid);
			sum = strrchr(line, ' ');
			*t = (struct machine_times){ end.cpu_s - begin.cpu_s,
				end.wall_s - begin.wall_s, strtoull(sum, NULL, 16) };
			seen = 3;
		} else if (strncmp(line, "exec: 0", 7) == 0 && seen == 0) {
			seen = 1;
		}
	}
	return seen;
}

static int run(char *const *argv, const struct machine_load *load, struct machine_times *ret)
{
	struct timespec ts;
	struct rusage usage;
	FILE *console;
	double began;
	int seen, status = 0;
	pid_t pid;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	began = seconds(&ts);
	pid = start(argv, &console);
	if (pid < 0 || !console)
		return -1;
	seen = watch(console, pid, ret);
	(void)fclose(console);
	if (wait4(pid, &status, 0, &usage) != pid || status != 0 || seen != (load->loop ? 3 : 1)) {
		(void)fprintf(stderr, "emu: %s did not come to its end (status %d, seen %d)\n",
			argv[0], status, seen);
		return -1;
	}
	if (load->loop)
		return 0;
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	ret->wall_s = seconds(&ts) - began;
	ret->cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		     (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	return 0;
}

/* ---- command lines ---- */

/* The kernel's; what the guest shall do is in it, as the lab's init wants it. */
static void command_line(const struct machine_load *load, char *text, size_t size)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char script[64], base64[96];
	size_t n, at = 0;

	if (load->loop)
		(void)snprintf(
			script, sizeof(script), "loops %s %lu\n  ", load->loop, load->rounds);
	else
		(void)snprintf(script, sizeof(script), ":\n ");
	/* Blanks at the end make it whole groups of three bytes. */
	n = strlen(script) / 3 * 3;
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)(uint8_t)script[i] << 16 |
			     (uint32_t)(uint8_t)script[i + 1] << 8 | (uint8_t)script[i + 2];

		for (int shift = 18; shift >= 0; shift -= 6)
			base64[at++] = digits[v >> shift & 63];
	}
	base64[at] = '\0';
	(void)snprintf(
		text, size, "console=hvc0 quiet panic=-1 tenon.mode=exec tenon.exec=%s", base64);
}

int machine_run_tenon(const struct machine_guest *guest, const struct machine_load *load,
	struct machine_times *ret)
{
	char line[256], harts[32], kernel[600], initrd[200];
	char *argv[] = { TENON, "run", "--kernel", kernel, "--initrd", initrd, "--append", line,
		"--set", "vm.hypervisor=emu", "--set", "vm.memory=256M", "--set", harts, "--device",
		"console", "--device", "rng", NULL };

	command_line(load, line, sizeof(line));
	(void)snprintf(kernel, sizeof(kernel), "%s", guest->kernel);
	(void)snprintf(initrd, sizeof(initrd), "%s", guest->initrd);
	(void)snprintf(harts, sizeof(harts), "vm.vcpus=%u", load->harts);
	return run(argv, load, ret);
}

int machine_run_qemu(const struct machine_guest *guest, const struct machine_load *load,
	struct machine_times *ret)
{
	char line[256], harts[16], kernel[600], initrd[200];
	char *argv[] = { "qemu-system-riscv64", "-M", "virt", "-cpu", "rv64", "-accel", "tcg", "-m",
		"256", "-smp", harts, "-kernel", kernel, "-initrd", initrd, "-append", line,
		"-nodefaults", "-display", "none", "-no-reboot", "-chardev",
		"stdio,id=c,signal=off", "-device", "virtio-serial-device", "-device",
		"virtconsole,chardev=c", "-device", "virtio-rng-device", NULL };

	command_line(load, line, sizeof(line));
	(void)snprintf(kernel, sizeof(kernel), "%s", guest->kernel);
	(void)snprintf(initrd, sizeof(initrd), "%s", guest->initrd);
	(void)snprintf(harts, sizeof(harts), "%u", load->harts);
	return run(argv, load, ret);
}

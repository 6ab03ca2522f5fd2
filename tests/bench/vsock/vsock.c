/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock [MIB]: bytes through the vsock device, driven by the test kit, beside the same bytes
 * through the bare unix socket, with the same program at its other end.  The runs take turns; the
 * medians are printed.  CPU time is this process's: the driver's and the device's, or the bare
 * copy's.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <tenon/testkit.h>

#define RUNS   5
#define CHUNK  65536u
#define HEADER 44u
#define CREDIT 262144u
#define MOST   128u /* chains that are out */
#define AIM    80   /* per cent */

#define OP_REQUEST       1
#define OP_RW            5
#define OP_CREDIT_UPDATE 6

struct figure {
	double mib_s, cpu_us; /* CPU time for each MiB */
};

static size_t total = 256u << 20;
static char folder[] = "/tmp/bench-vsock-XXXXXX", path[64], settings[128];

/* ---- the other end ---- */

static void other_end(int listener, bool sinks)
{
	static char bytes[CHUNK];
	int fd = accept(listener, NULL, NULL);
	size_t done = 0;
	ssize_t n = 1;

	while (fd >= 0 && n > 0 && done < total) {
		n = sinks ? read(fd, bytes, sizeof(bytes)) : write(fd, bytes, sizeof(bytes));
		done += n > 0 ? (size_t)n : 0;
	}
	_exit(done == total ? 0 : 1);
}

static pid_t start_other_end(bool sinks)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	(void)unlink(path);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&un, sizeof(un)) < 0 || listen(fd, 1) < 0)
		TK_FAIL("%s: %s", path, strerror(errno));
	pid = fork();
	if (pid == 0)
		other_end(fd, sinks);
	(void)close(fd);
	return pid;
}

static void end_other_end(pid_t pid)
{
	int status;

	TK_TRUE(waitpid(pid, &status, 0) == pid && status == 0);
}

/* ---- time ---- */

static double now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double cpu(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct figure measure(void (*copy)(size_t), size_t size, bool sinks)
{
	pid_t pid = start_other_end(sinks);
	double began = now(), busy = cpu();

	copy(size);
	busy = cpu() - busy;
	end_other_end(pid);
	return (struct figure){ (double)(total >> 20) / (now() - began),
		busy * 1e6 / (double)(total >> 20) };
}

/* ---- bare ---- */

static int dial(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&un, sizeof(un)) < 0)
		TK_FAIL("connect: %s", strerror(errno));
	return fd;
}

static void bare_out(size_t size)
{
	static char bytes[CHUNK];
	int fd = dial();

	for (size_t done = 0; done < total; done += size)
		TK_EQ(write(fd, bytes, size), size);
	(void)close(fd);
}

static void bare_in(size_t size)
{
	static char bytes[CHUNK];
	int fd = dial();
	size_t done = 0;

	while (done < total) {
		ssize_t n = read(fd, bytes, size);

		TK_TRUE(n > 0);
		done += (size_t)n;
	}
	(void)close(fd);
}

/* ---- through the device ---- */

static struct tk_dev *dev;
static struct tk_buf *rx[MOST], *tx[MOST];
static uint64_t rx_at[MOST], tx_at[MOST], header_at; /* guest memory */
static unsigned rx_first, n_rx, rx_most, tx_first, n_tx;
static size_t rx_size;
static int poll_fd; /* what the device waits for */

static void put_le(uint8_t *at, uint64_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		at[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t get_le32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put_header(uint64_t at, uint16_t op, uint32_t len, uint32_t fwd_cnt)
{
	uint8_t raw[HEADER] = { 0 };

	put_le(raw, 3, 8);
	put_le(raw + 8, 2, 8);
	put_le(raw + 16, 1, 4);
	put_le(raw + 20, 1000, 4);
	put_le(raw + 24, len, 4);
	put_le(raw + 28, 1, 2);
	put_le(raw + 30, op, 2);
	put_le(raw + 36, CREDIT, 4);
	put_le(raw + 40, fwd_cnt, 4);
	tk_put(at, raw, sizeof(raw));
}

static void add_rx(unsigned i)
{
	const struct tk_part part = { rx_at[i], NULL, (uint32_t)(HEADER + rx_size), 1 };

	rx[i] = tk_chain(dev, 0, &part, 1);
	n_rx++;
}

static void control(uint16_t op, uint32_t fwd_cnt)
{
	uint8_t raw[HEADER];
	struct tk_buf *b;

	put_header(header_at, op, 0, fwd_cnt);
	memcpy(raw, tk_mem(header_at, HEADER), HEADER);
	b = tk_out(dev, 1, raw, HEADER);
	tk_kick(dev, 1);
	tk_run_until_idle(dev);
	TK_TRUE(tk_used_len(b) >= 0);
	tk_free(b);
}

/* The device's own set of sockets, so that one can wait as the core's loop does. */
static int find_poll(void)
{
	char link[32], what[64];
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	int found = -1;

	while (d && (e = readdir(d))) {
		ssize_t n;

		(void)snprintf(link, sizeof(link), "/proc/self/fd/%.10s", e->d_name);
		n = readlink(link, what, sizeof(what) - 1);
		what[n > 0 ? n : 0] = '\0';
		if (strstr(what, "eventpoll"))
			found = (int)strtol(e->d_name, NULL, 10);
	}
	if (d)
		(void)closedir(d);
	TK_TRUE(found >= 0);
	return found;
}

/* The next packet of the device; NULL when there is none now.  It stays until done(). */
static const uint8_t *next_packet(void)
{
	if (n_rx == 0 || tk_used_len(rx[rx_first % rx_most]) < 0)
		return NULL;
	return tk_mem(rx_at[rx_first % rx_most], HEADER);
}

static void done(void)
{
	unsigned i = rx_first++ % rx_most;

	tk_free(rx[i]);
	n_rx--;
	add_rx(i);
}

static void wait_for_device(void)
{
	struct pollfd p = { .fd = poll_fd, .events = POLLIN };

	TK_EQ(poll(&p, 1, 10000), 1);
	tk_run_until_idle(dev);
}

static void begin(size_t size, unsigned n)
{
	static uint64_t memory;

	dev = tk_device("vsock", settings);
	if (!memory)
		memory = tk_alloc((size_t)12 * (CHUNK + 64), 64);
	if (!header_at)
		header_at = tk_alloc(64, 64);
	poll_fd = find_poll();
	rx_size = size;
	rx_first = n_rx = tx_first = n_tx = 0;
	rx_most = n;
	for (unsigned i = 0; i < n; i++) {
		rx_at[i] = memory + i * (size + 64);
		add_rx(i);
	}
	tk_kick(dev, 0);
	control(OP_REQUEST, 0);
	TK_TRUE(next_packet() != NULL); /* accepted */
	done();
}

static void device_out(size_t size)
{
	uint32_t sent = 0, taken = 0;
	uint64_t data, bytes;

	begin(256, 16);
	data = tk_alloc(8 * 64ull, 64);
	bytes = tk_alloc(size, 64);
	for (unsigned i = 0; i < 8; i++) {
		tx_at[i] = data + i * 64ull;
		put_header(tx_at[i], OP_RW, (uint32_t)size, 0);
	}
	while (taken < total) {
		bool more = false;
		const uint8_t *p;

		while (n_tx > 0 && tk_used_len(tx[tx_first % 8]) >= 0) {
			tk_free(tx[tx_first++ % 8]);
			n_tx--;
		}
		while (sent < total && n_tx < 8 && sent - taken + size <= CREDIT) {
			const struct tk_part parts[] = {
				{ tx_at[(tx_first + n_tx) % 8], NULL, HEADER, 0 },
				{ bytes, NULL, (uint32_t)size, 0 },
			};

			tx[(tx_first + n_tx++) % 8] = tk_chain(dev, 1, parts, 2);
			sent += (uint32_t)size;
			more = true;
		}
		if (more) {
			tk_kick(dev, 1);
			tk_run_until_idle(dev);
		}
		while ((p = next_packet())) {
			taken = get_le32(p + 40);
			done();
			more = true;
		}
		if (!more && sent == total)
			control(7, 0); /* how far is it? */
		else if (!more)
			wait_for_device();
	}
	tk_destroy(dev);
	tk_release(bytes);
	tk_release(data);
}

static void device_in(size_t size)
{
	uint32_t received = 0, told = 0;
	const uint8_t *p;

	begin(size, size > 8192 ? 8 : 128);
	while (received < total) {
		bool any = false;

		while ((p = next_packet())) {
			if (p[30] == OP_RW)
				received += get_le32(p + 24);
			done();
			any = true;
		}
		if (received - told >= CREDIT / 4) {
			told = received;
			control(OP_CREDIT_UPDATE, told);
		}
		if (any) {
			tk_kick(dev, 0);
			tk_run_until_idle(dev);
		} else {
			wait_for_device();
		}
	}
	tk_destroy(dev);
}

/* ---- the table ---- */

static int compare(const void *a, const void *b)
{
	double x = ((const struct figure *)a)->mib_s, y = ((const struct figure *)b)->mib_s;

	return (x > y) - (x < y);
}

static void row(
	const char *what, void (*bare)(size_t), void (*device)(size_t), size_t size, bool sinks)
{
	struct figure b[RUNS], d[RUNS];
	double ratio;

	for (int i = 0; i < RUNS; i++) {
		b[i] = measure(bare, size, sinks);
		d[i] = measure(device, size, sinks);
	}
	qsort(b, RUNS, sizeof(b[0]), compare);
	qsort(d, RUNS, sizeof(d[0]), compare);
	ratio = d[RUNS / 2].mib_s / b[RUNS / 2].mib_s * 100;
	(void)printf("%-34s %8.0f %8.0f %6.0f %% %9.0f %9.0f\n", what, b[RUNS / 2].mib_s,
		d[RUNS / 2].mib_s, ratio, b[RUNS / 2].cpu_us, d[RUNS / 2].cpu_us);
	(void)fflush(stdout);
}

static void table(void *arg)
{
	(void)arg;
	if (!mkdtemp(folder))
		TK_FAIL("%s: %s", folder, strerror(errno));
	(void)snprintf(path, sizeof(path), "%s/v_1000", folder);
	(void)snprintf(settings, sizeof(settings), "socket = \"%s/v\";", folder);
	(void)tk_plugin(BENCH_PLUGIN);
	(void)printf("vsock beside the bare unix socket, %zu MiB, median of %d, aim %d %%\n",
		total >> 20, RUNS, AIM);
	(void)printf("%-34s %8s %8s %8s %9s %9s\n", "", "bare", "vsock", "ratio", "bare CPU",
		"vsock CPU");
	(void)printf("%-34s %8s %8s %8s %9s %9s\n", "", "MiB/s", "MiB/s", "", "us/MiB", "us/MiB");
	row("to the host, packets of 64 KiB", bare_out, device_out, CHUNK, true);
	row("to the host, packets of 4 KiB", bare_out, device_out, 4096, true);
	row("to the guest, buffers of 64 KiB", bare_in, device_in, CHUNK, false);
	row("to the guest, buffers of 4 KiB", bare_in, device_in, 4096, false);
	(void)unlink(path);
	(void)rmdir(folder);
}

int main(int argc, char **argv)
{
	char why[512];

	long mib = argc > 1 ? strtol(argv[1], NULL, 10) : (long)(total >> 20);

	if (argc > 2 || mib < 1 || mib > 2047) {
		(void)fprintf(stderr, "usage: vsock [MIB]\n");
		return 2;
	}
	total = (size_t)mib << 20;
	(void)setenv("TENON_TESTKIT_TIMEOUT", "600", 0);
	if (tk_isolated(table, NULL, why, sizeof(why)) == 0)
		return 0;
	(void)fprintf(stderr, "vsock: %s\n", why);
	return 1;
}

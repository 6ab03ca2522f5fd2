/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast the network device moves frames between a guest's queues and a unix socket, beside a
 * plain loop that sends or receives the same frames on the same kind of socket, in one run.
 *
 *   net [--seconds N] [--rounds N]
 *
 * The driver's side is a ring that is refilled in place; the other end of the socket is served by a
 * second thread, the same for both.  The rounds of the two alternate; the table shows medians.  CPU
 * is that of the thread that moves the frames, the driver's side and the test kit's loop included.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <tenon/testkit.h>

#define QUEUE       256u
#define HEADER      12u
#define PREFIX      4u
#define BUFFER      2048u /* of guest memory for each frame, its header included */
#define DESC_WRITE  2u
#define MOST_ROUNDS 15u

struct load {
	const char *name;
	bool stream, to_guest;
	uint32_t size;
};

static const struct load loads[] = {
	{ "from the guest, datagrams, 60", false, false, 60 },
	{ "from the guest, datagrams, 1514", false, false, 1514 },
	{ "to the guest, datagrams, 60", false, true, 60 },
	{ "to the guest, datagrams, 1514", false, true, 1514 },
	{ "from the guest, stream, 60", true, false, 60 },
	{ "from the guest, stream, 1514", true, false, 1514 },
	{ "to the guest, stream, 60", true, true, 60 },
	{ "to the guest, stream, 1514", true, true, 1514 },
};

#define N_LOADS (sizeof(loads) / sizeof(loads[0]))

struct result {
	double per_second, cpu_ns;
};

struct run {
	const struct load *load;
	bool plain;
	unsigned seconds;
	struct result *result; /* in memory that is shared */
};

/* ---- time ---- */

static double seconds_of(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the wire ---- */

struct wire {
	const struct load *load;
	int near, far;
};

static void open_wire(struct wire *w, const struct load *load)
{
	const int size = 1 << 20;
	int fds[2];

	w->load = load;
	if (socketpair(AF_UNIX, load->stream ? SOCK_STREAM : SOCK_DGRAM, 0, fds) < 0)
		TK_FAIL("socketpair: %s", strerror(errno));
	for (int i = 0; i < 2; i++)
		(void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	w->near = fds[0];
	w->far = fds[1];
}

static void *far_reads(void *arg)
{
	const struct wire *w = arg;
	static uint8_t in[1 << 18];

	while (recv(w->far, in, sizeof(in), 0) > 0)
		;
	return NULL;
}

static void *far_writes(void *arg)
{
	const struct wire *w = arg;
	static uint8_t out[64 * (1514 + PREFIX)];
	struct mmsghdr m[64];
	struct iovec v[64];
	size_t step = w->load->size + PREFIX;
	uint32_t length = htonl(w->load->size);

	memset(m, 0, sizeof(m));
	for (unsigned i = 0; i < 64; i++) {
		memcpy(out + i * step, &length, PREFIX);
		v[i] = (struct iovec){ out + i * step + PREFIX, w->load->size };
		m[i].msg_hdr = (struct msghdr){ .msg_iov = &v[i], .msg_iovlen = 1 };
	}
	for (;;) {
		size_t at = 0;

		if (!w->load->stream) {
			if (sendmmsg(w->far, m, 64, MSG_NOSIGNAL) < 0)
				return NULL;
			continue;
		}
		while (at < 64 * step) {
			ssize_t n = send(w->far, out + at, 64 * step - at, MSG_NOSIGNAL);

			if (n < 0)
				return NULL;
			at += (size_t)n;
		}
	}
}

static void start_far(struct wire *w)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, w->load->to_guest ? far_writes : far_reads, w) != 0)
		TK_FAIL("no thread");
	(void)pthread_detach(thread); /* ends with the process */
}

static void wait_near(const struct wire *w)
{
	struct pollfd p = { .fd = w->near, .events = w->load->to_guest ? POLLIN : POLLOUT };

	if (poll(&p, 1, 10000) <= 0)
		TK_FAIL("the wire is silent");
}

/* ---- the plain loop ---- */

/* One frame; false when the wire must be waited for. */
static bool plain_sends(const struct wire *w, uint8_t *buffer)
{
	uint32_t length = htonl(w->load->size);
	struct iovec v[2] = { { &length, PREFIX }, { buffer, w->load->size } };
	size_t skip = w->load->stream ? 0 : 1, at = 0, total = w->load->size + (skip ? 0 : PREFIX);
	struct msghdr m = { .msg_iov = v + skip, .msg_iovlen = 2 - skip };

	for (;;) {
		ssize_t n = sendmsg(w->near, &m, MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN && at == 0)
			return false;
		if (n < 0)
			wait_near(w);
		else
			at += (size_t)n;
		if (at == total)
			return true;
		/* a part: the rest goes from the buffer alone */
		v[1] = (struct iovec){ buffer, total - at };
		m.msg_iov = v + 1;
		m.msg_iovlen = 1;
	}
}

static bool plain_takes(const struct wire *w, uint8_t *buffer, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = recv(w->near, buffer + at, size - at, MSG_DONTWAIT);

		if (n < 0 && at == 0)
			return false;
		if (n < 0)
			wait_near(w);
		else
			at += (size_t)n;
	}
	return true;
}

static bool plain_receives(const struct wire *w, uint8_t *buffer)
{
	uint8_t prefix[PREFIX];

	if (w->load->stream) {
		if (!plain_takes(w, prefix, PREFIX))
			return false;
		while (!plain_takes(w, buffer, w->load->size))
			wait_near(w);
		return true;
	}
	return recv(w->near, buffer, BUFFER, MSG_DONTWAIT) > 0;
}

static uint64_t run_plain(struct wire *w, double until)
{
	static uint8_t buffers[QUEUE][BUFFER];
	uint64_t done = 0;

	while (seconds_of(CLOCK_MONOTONIC) < until)
		for (unsigned i = 0; i < QUEUE; i++) {
			bool some = w->load->to_guest ? plain_receives(w, buffers[i])
						      : plain_sends(w, buffers[i]);

			if (!some) {
				wait_near(w);
				break;
			}
			done++;
		}
	return done;
}

/* ---- the device ---- */

struct driver {
	struct tk_dev *d;
	unsigned queue;
	volatile uint16_t *avail, *used;
	uint16_t made, seen, kicked;
};

static void set_up(struct driver *v, const struct wire *w)
{
	uint32_t size = w->load->to_guest ? BUFFER : HEADER + w->load->size;
	char settings[100];
	struct tk_ring r;

	(void)snprintf(settings, sizeof(settings), "backend = \"%s\"; fd = %d;",
		w->load->stream ? "stream" : "dgram", w->near);
	v->d = tk_device("net", settings);
	v->queue = w->load->to_guest ? 0 : 1;
	r = tk_ring(v->d, v->queue);
	v->avail = tk_mem(r.avail, 6 + 2 * QUEUE);
	v->used = tk_mem(r.used, 6 + 8 * QUEUE);
	for (unsigned i = 0; i < QUEUE; i++) {
		tk_set_desc(v->d, v->queue, i, TK_RAM_A + (uint64_t)i * BUFFER, size,
			w->load->to_guest ? DESC_WRITE : 0, 0);
		v->avail[2 + i] = (uint16_t)i;
	}
	v->made = QUEUE;
	__atomic_store_n(&v->avail[1], v->made, __ATOMIC_SEQ_CST);
}

/* Makes what came back available again; how many. */
static unsigned refill(struct driver *v)
{
	uint16_t upto = __atomic_load_n(&v->used[1], __ATOMIC_ACQUIRE), n = 0;

	for (; v->seen != upto; v->seen++, n++) {
		uint32_t head;

		memcpy(&head, (const uint8_t *)(uintptr_t)&v->used[2 + v->seen % QUEUE * 4], 4);
		v->avail[2 + v->made++ % QUEUE] = (uint16_t)head;
	}
	if (n > 0)
		__atomic_store_n(&v->avail[1], v->made, __ATOMIC_SEQ_CST);
	return n;
}

static bool must_kick(const struct driver *v)
{
	uint16_t event = __atomic_load_n(&v->used[2 + 4 * QUEUE], __ATOMIC_SEQ_CST);

	return (uint16_t)(v->made - event - 1) < (uint16_t)(v->made - v->kicked);
}

static uint64_t run_device(struct wire *w, const struct driver *set, double until)
{
	struct driver v = *set;
	uint64_t done = 0;

	while (seconds_of(CLOCK_MONOTONIC) < until) {
		unsigned n;

		if (v.made != v.kicked && must_kick(&v))
			tk_set_reg(v.d, 0x50, v.queue);
		v.kicked = v.made;
		(void)tk_step();
		n = refill(&v);
		done += n;
		if (n == 0)
			wait_near(w);
	}
	return done;
}

/* ---- one measurement, in a process of its own ---- */

static void measure(void *arg)
{
	struct run *r = arg;
	struct driver v = { .d = NULL };
	struct wire w;
	double began, cpu;
	uint64_t done;

	open_wire(&w, r->load);
	if (!r->plain)
		set_up(&v, &w);
	start_far(&w);
	began = seconds_of(CLOCK_MONOTONIC);
	cpu = seconds_of(CLOCK_THREAD_CPUTIME_ID);
	done = r->plain ? run_plain(&w, began + r->seconds)
			: run_device(&w, &v, began + r->seconds);
	cpu = seconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu;
	*r->result = (struct result){
		(double)done / (seconds_of(CLOCK_MONOTONIC) - began),
		cpu * 1e9 / (double)(done ? done : 1),
	};
	_exit(0); /* the other thread and the device end here */
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, unsigned n)
{
	qsort(values, n, sizeof(*values), by_value);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static int run_load(const struct load *load, unsigned seconds, unsigned rounds,
	struct result *shared, struct result ret[2])
{
	double rates[2][MOST_ROUNDS], cpus[2][MOST_ROUNDS];

	for (unsigned i = 0; i < rounds; i++)
		for (int plain = 0; plain < 2; plain++) {
			struct run r = { load, plain != 0, seconds, shared };
			char why[500];

			if (tk_isolated(measure, &r, why, sizeof(why)) != 0) {
				(void)fprintf(stderr, "net: %s: %s\n", load->name, why);
				return 1;
			}
			rates[plain][i] = shared->per_second;
			cpus[plain][i] = shared->cpu_ns;
		}
	for (int plain = 0; plain < 2; plain++)
		ret[plain] = (struct result){ median(rates[plain], rounds),
			median(cpus[plain], rounds) };
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option table[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "rounds", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned long seconds = 1, rounds = 5;
	struct result *shared;
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1)
		*(c == 's' ? &seconds : &rounds) = c == '?' ? 0 : strtoul(optarg, NULL, 10);
	if (seconds < 1 || seconds > 20 || rounds < 1 || rounds > MOST_ROUNDS) {
		(void)fputs("usage: net [--seconds 1..20] [--rounds 1..15]\n", stderr);
		return 2;
	}
	(void)tk_plugin(NET_PLUGIN);
	shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	(void)printf("%-34s %12s %12s %7s %10s %10s\n", "frames, bytes", "device/s", "plain/s",
		"ratio", "device ns", "plain ns");
	for (size_t i = 0; i < N_LOADS; i++) {
		struct result r[2];

		if (run_load(&loads[i], (unsigned)seconds, (unsigned)rounds, shared, r) != 0)
			return 1;
		(void)printf("%-34s %12.0f %12.0f %6.0f%% %10.0f %10.0f\n", loads[i].name,
			r[0].per_second, r[1].per_second, r[0].per_second * 100 / r[1].per_second,
			r[0].cpu_ns, r[1].cpu_ns);
		(void)fflush(stdout);
	}
	return 0;
}

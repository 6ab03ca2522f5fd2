/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The front end before a back end that does what the test wants: in order, out of order, late,
 * never, and with every kind of lie at every message.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "real.h"
#include "stand_in.h"

/* Of one that does not answer; the others may take their time on a busy machine. */
#define SHORT "timeout = 300;"

struct bench {
	struct stand_in *s; /* shared with the back end, which has it as it was when it started */
	uint64_t *seen;     /* shared */
	pid_t pid;
};

static struct bench bench_new(void)
{
	struct bench b = { .pid = -1 };
	uint8_t *shared =
		mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	TK_TRUE(shared != MAP_FAILED);
	tk_log_clear();
	b.s = (struct stand_in *)(void *)shared;
	b.seen = (uint64_t *)(void *)(shared + 4096);
	*b.s = stand_in_default();
	b.s->seen = b.seen;
	b.s->config_now = b.s->config;
	b.s->resubmitted = b.seen + 1;
	return b;
}

/* Those that connect from now on meet what *b->s says. */
static void bench_listen(struct bench *b)
{
	int listener = listen_at(in_folder("peer"));

	b->pid = fork();
	TK_TRUE(b->pid >= 0);
	if (b->pid == 0) {
		for (int fd = 3; fd < 1024; fd++)
			if (fd != listener)
				(void)close(fd);
		for (int fd = 0; fd < 3; fd++)
			(void)close(fd);
		(void)open("/dev/null", O_RDWR);
		(void)dup2(0, 1);
		(void)dup2(0, 2);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		stand_in_listen(b->s, listener);
	}
	(void)close(listener);
}

static const char *settings_of(const char *device, const char *more)
{
	static char text[512];

	(void)snprintf(text, sizeof(text), "socket = \"%s\"; device = \"%s\"; %s %s",
		in_folder("peer"), device, strstr(more, "timeout") ? "" : "timeout = 10000;", more);
	return text;
}

static const char *settings(const char *more)
{
	return settings_of("rng", more);
}

static const char *vsock_settings(const char *more)
{
	return settings_of("vsock", more);
}

static void bench_end(struct bench *b)
{
	if (b->pid > 0)
		kill_back_end(b->pid);
	shell("rm -rf %s", folder());
}

/* Lets time pass, for both, until @done says so. */
static void run_until(struct tk_dev *d, int (*done)(struct tk_dev *d, void *arg), void *arg)
{
	for (int i = 0; !done(d, arg); i++) {
		if (i == 400)
			TK_FAIL("what was waited for does not come");
		tk_run_until_idle(d);
		tk_advance_ms(40);
		if (!done(d, arg))
			(void)poll(NULL, 0, 5);
	}
}

static int is_used(struct tk_dev *d, void *arg)
{
	(void)d;
	return tk_used_len(arg) >= 0;
}

static int was_logged(struct tk_dev *d, void *arg)
{
	(void)d;
	return tk_log_has(arg);
}

static int was_interrupted(struct tk_dev *d, void *arg)
{
	(void)arg;
	return tk_irqs(d) > 0;
}

static int wants_reset(struct tk_dev *d, void *arg)
{
	(void)arg;
	return (tk_status(d) & TK_S_NEEDS_RESET) != 0;
}

static void works(struct tk_dev *d)
{
	struct tk_buf *b = tk_in(d, 0, 64);

	tk_kick(d, 0);
	run_until(d, is_used, b);
	TK_EQ(tk_used_len(b), 64);
	TK_EQ(((const uint8_t *)tk_in_data(b))[63], 0x5a);
}

/* ---- a good one ---- */

TK_TEST(serves)
{
	struct bench b = bench_new();
	struct tk_dev *d;

	bench_listen(&b);
	d = tk_device("vhost-user", settings(""));
	works(d);
	run_until(d, was_interrupted, NULL); /* the call comes after the used index */
	/* A pause sends what has to do with the rings, another driver brings all of it anew. */
	*b.seen = 0;
	TK_EQ(tk_quiesce(d), 0);
	TK_EQ(tk_resume(d), 0);
	works(d);
	TK_EQ(*b.seen >> VHOST_USER_GET_VRING_BASE & 1, 1);
	TK_EQ(*b.seen >> VHOST_USER_SET_FEATURES & 1, 0);
	tk_driver_reset(d);
	TK_EQ(*b.seen >> VHOST_USER_SET_STATUS & 1, 1);
	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	works(d);
	TK_EQ(*b.seen >> VHOST_USER_SET_FEATURES & 1, 1);
	TK_EQ(*b.seen >> VHOST_USER_SET_MEM_TABLE & 1, 1);
	bench_end(&b);
}

/* Without features of the protocol, and with those that replace one another. */
TK_TEST(serves_with_less)
{
	static const uint64_t less[] = { 0, 1u << VHOST_USER_PROTOCOL_F_REPLY_ACK,
		1u << VHOST_USER_PROTOCOL_F_RESET_DEVICE | 1u << VHOST_USER_PROTOCOL_F_REPLY_ACK,
		1u << VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD };

	for (unsigned i = 0; i < 5; i++) {
		struct bench b = bench_new();
		struct tk_dev *d;

		b.s->protocol = i < 4 ? less[i] : 0;
		if (i == 4)
			b.s->features = 1ull << 32;
		bench_listen(&b);
		d = tk_device("vhost-user", settings(""));
		works(d);
		tk_driver_reset(d);
		TK_EQ(*b.seen >> VHOST_USER_RESET_DEVICE & 1, i == 2);
		tk_destroy(d);
		kill_back_end(b.pid);
	}
	shell("rm -rf %s", folder());
}

TK_TEST(takes_a_connection_that_is_there)
{
	struct stand_in s = stand_in_default();
	char text[128];
	struct tk_dev *d;
	int pair[2];
	pid_t pid;

	TK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		(void)close(pair[0]);
		stand_in_serve(&s, pair[1]);
	}
	(void)close(pair[1]);
	(void)snprintf(text, sizeof(text), "fd = %d; device = \"4\";", pair[0]);
	d = tk_device("vhost-user", text);
	works(d);
	/* There is no other. */
	kill_back_end(pid);
	run_until(d, wants_reset, NULL);
	TK_TRUE(tk_log_has("the back end is lost for good"));
}

static const char *refusal(const char *text)
{
	struct tk_dev *d = tk_create("vhost-user", text);

	TK_TRUE(!d || tk_attach(d) < 0);
	return tk_error();
}

TK_TEST(settings_that_cannot_be)
{
	TK_HAS_TEXT(refusal("device = \"rng\";"), "give \"socket\" or \"fd\"");
	TK_HAS_TEXT(refusal("device = \"disk\"; socket = \"/x\";"), "\"disk\" is no device");
	TK_HAS_TEXT(refusal("device = \"64\"; socket = \"/x\";"), "\"64\" is no device");
	TK_HAS_TEXT(refusal("device = \"rng\"; socket = \"/x\"; queue_size = 100;"),
		"not a power of two");
	TK_HAS_TEXT(
		refusal("device = \"rng\"; socket = \"/x\"; tag = \"a\";"), "for device \"fs\"");
	TK_HAS_TEXT(refusal("device = \"rng\"; socket = \"/x\"; config = \"0g\";"), "hex digits");
	TK_HAS_TEXT(refusal("device = \"rng\"; socket = \"/nowhere/at/all\";"),
		"cannot connect to the back end at \"/nowhere/at/all\": No such file or directory");
}

TK_TEST(what_the_back_end_cannot_do_is_said)
{
	struct bench b = bench_new();

	b.s->features &= ~(1ull << 32);
	bench_listen(&b);
	TK_HAS_TEXT(refusal(settings("")), "before version 1");
	kill_back_end(b.pid);
	*b.s = stand_in_default();
	bench_listen(&b);
	TK_HAS_TEXT(refusal(settings("queues = 5;")), "it has 1 queues, the device needs 5");
	kill_back_end(b.pid);
	b.s->protocol = 0;
	bench_listen(&b);
	TK_HAS_TEXT(refusal(vsock_settings("")), "declare one with \"config\"");
	bench_end(&b);
}

/* ---- the configuration ---- */

TK_TEST(a_declared_configuration)
{
	struct bench b = bench_new();
	char text[256];
	struct tk_dev *d;

	b.s->n_queues = 3;
	b.s->protocol &= ~(1u << VHOST_USER_PROTOCOL_F_CONFIG);
	bench_listen(&b);
	(void)snprintf(text, sizeof(text),
		"socket = \"%s\"; device = \"fs\"; tag = \"shared\"; queues = 3;",
		in_folder("peer"));
	d = tk_started("vhost-user", text);
	TK_EQ(tk_config(d, 0, 4), 0x72616873);
	TK_EQ(tk_config(d, 36, 4), 2);
	tk_destroy(d);
	(void)snprintf(text, sizeof(text),
		"socket = \"%s\"; device = \"vsock\"; config = \"0300000000000000\";",
		in_folder("peer"));
	d = tk_started("vhost-user", text);
	TK_EQ(tk_config(d, 0, 8), 3);
	bench_end(&b);
}

static int config_is_9(struct tk_dev *d, void *arg)
{
	(void)arg;
	return tk_config(d, 0, 1) == 9;
}

TK_TEST(a_change_of_the_configuration)
{
	for (int ack = 0; ack < 2; ack++) {
		struct bench b = bench_new();
		char text[256];
		struct tk_dev *d;

		b.s->n_queues = 3;
		b.s->config_size = 8;
		b.s->config[0] = 3;
		b.s->announces = true;
		b.s->wants_ack = ack;
		bench_listen(&b);
		(void)snprintf(text, sizeof(text), "socket = \"%s\"; device = \"vsock\";",
			in_folder("peer"));
		d = tk_device("vhost-user", text);
		TK_EQ(tk_config(d, 0, 8), 3);
		b.s->config[0] = 9; /* the page is shared */
		tk_kick(d, 1);
		run_until(d, config_is_9, NULL);
		works(d);
		tk_destroy(d);
		bench_end(&b);
	}
}

/* ---- bad ones ---- */

static const uint32_t at_attach[] = { VHOST_USER_GET_FEATURES, VHOST_USER_GET_PROTOCOL_FEATURES,
	VHOST_USER_GET_QUEUE_NUM, VHOST_USER_SET_BACKEND_REQ_FD, VHOST_USER_GET_CONFIG };
static const uint32_t at_start[] = { VHOST_USER_SET_FEATURES, VHOST_USER_SET_STATUS,
	VHOST_USER_SET_MEM_TABLE, VHOST_USER_GET_INFLIGHT_FD, VHOST_USER_SET_INFLIGHT_FD,
	VHOST_USER_SET_VRING_NUM, VHOST_USER_SET_VRING_BASE, VHOST_USER_SET_VRING_ADDR,
	VHOST_USER_SET_VRING_CALL, VHOST_USER_SET_VRING_ERR, VHOST_USER_SET_VRING_KICK,
	VHOST_USER_SET_VRING_ENABLE };

static void make_vsock(struct bench *b)
{
	b->s->n_queues = 3;
	b->s->config_size = 8;
}

/* The others are seen at once. */
static int never_ends(unsigned how)
{
	return how == STALLS || how == TOO_SHORT;
}

TK_TEST(misdeeds_at_attach)
{
	struct bench b = bench_new();

	make_vsock(&b);
	for (unsigned i = 0; i < sizeof(at_attach) / sizeof(at_attach[0]); i++)
		for (unsigned how = DIES; how < MISDEEDS; how++) {
			int is_number = at_attach[i] != VHOST_USER_GET_CONFIG &&
					at_attach[i] != VHOST_USER_SET_BACKEND_REQ_FD;
			struct tk_dev *d;

			if (how == REFUSES && is_number)
				continue; /* there is no such answer */
			b.s->at = at_attach[i];
			b.s->misdeed = (enum misdeed)how;
			bench_listen(&b);
			d = tk_create("vhost-user", vsock_settings(never_ends(how) ? SHORT : ""));
			if (tk_attach(d) == 0)
				TK_FAIL("request %u, misdeed %u was let pass", at_attach[i], how);
			TK_HAS_TEXT(tk_error(), "the back end cannot be used: it");
			tk_destroy(d);
			kill_back_end(b.pid);
		}
	shell("rm -rf %s", folder());
}

/* The device lives on, and works when a better one comes. */
TK_TEST(misdeeds_when_the_driver_starts)
{
	struct bench b = bench_new();

	for (unsigned i = 0; i < sizeof(at_start) / sizeof(at_start[0]); i++)
		for (unsigned how = DIES; how < MISDEEDS; how++) {
			struct tk_dev *d;

			int is_ack = at_start[i] != VHOST_USER_GET_INFLIGHT_FD;

			if (is_ack ? how == TOO_SHORT || (how == STALLS && i % 3) : how == REFUSES)
				continue; /* no such answer; the same for all */
			*b.s = stand_in_default();
			b.s->at = at_start[i];
			b.s->misdeed = (enum misdeed)how;
			bench_listen(&b);
			d = tk_device(
				"vhost-user", settings(never_ends(how) ? "reconnect = 1;" SHORT
								       : "reconnect = 1;"));
			if (!tk_log_has("the back end is lost: it"))
				TK_FAIL("request %u, misdeed %u was let pass", at_start[i], how);
			TK_EQ(tk_status(d) & TK_S_NEEDS_RESET, 0);
			kill_back_end(b.pid);
			b.s->misdeed = BEHAVES;
			bench_listen(&b);
			works(d);
			tk_destroy(d);
			tk_log_clear();
			kill_back_end(b.pid);
		}
	shell("rm -rf %s", folder());
}

TK_TEST(a_reset_that_is_not_answered)
{
	static const uint32_t at[] = { VHOST_USER_GET_VRING_BASE, VHOST_USER_SET_STATUS };

	for (unsigned i = 0; i < 2; i++) {
		struct bench b = bench_new();
		struct tk_dev *d;

		b.s->at = at[i];
		b.s->nth = at[i] == VHOST_USER_SET_STATUS ? 4 : 1;
		b.s->misdeed = STALLS;
		bench_listen(&b);
		d = tk_device("vhost-user", settings("reconnect = 1;" SHORT));
		works(d);
		tk_driver_reset(d);
		TK_TRUE(tk_log_has("it is cut off, and may still write there"));
		TK_EQ(tk_status(d), 0);
		tk_log_clear();
		tk_destroy(d);
		bench_end(&b);
	}
}

TK_TEST(a_ring_that_is_broken)
{
	struct bench b = bench_new();
	struct tk_dev *d;

	bench_listen(&b);
	d = tk_device("vhost-user", settings(""));
	tk_set_desc(d, 0, 0, TK_HOLE, 64, 2, 0);
	tk_set_avail(d, 0, 0, 0);
	tk_set_avail_idx(d, 0, 1);
	tk_kick(d, 0);
	run_until(d, wants_reset, NULL);
	TK_TRUE(tk_log_has("the back end says that a ring is broken"));
	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	works(d);
	bench_end(&b);
}

/* ---- death ---- */

/* Of twelve requests the back end takes ten and answers some, in any order; the next has the rest
 * to do, and none of those that were done. */
static void dies_with_requests(uint64_t protocol, uint64_t answers, bool known)
{
	struct bench b = bench_new();
	struct tk_buf *bufs[12];
	struct tk_dev *d;

	b.s->protocol = protocol;
	b.s->takes = 10;
	b.s->answers = answers;
	bench_listen(&b);
	d = tk_device("vhost-user", settings("reconnect = 1;"));
	for (unsigned i = 0; i < 12; i++)
		bufs[i] = tk_in(d, 0, 16 + i);
	tk_kick(d, 0);
	run_until(d, was_logged, (void *)(uintptr_t) "the back end is lost");
	kill_back_end(b.pid);
	b.s->takes = 0;
	bench_listen(&b);
	if (!known) {
		run_until(d, wants_reset, NULL);
		tk_destroy(d);
		bench_end(&b);
		return;
	}
	for (unsigned i = 0; i < 12; i++) {
		run_until(d, is_used, bufs[i]);
		TK_EQ(tk_used_len(bufs[i]), 16 + i);
	}
	TK_EQ(tk_used_idx(d, 0), 12);
	if (protocol >> VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD & 1)
		TK_EQ(b.seen[1], 10 - __builtin_popcountll(answers));
	works(d);
	tk_destroy(d);
	bench_end(&b);
}

TK_TEST(dies_and_has_a_record)
{
	dies_with_requests(stand_in_default().protocol, 0, true);
	dies_with_requests(stand_in_default().protocol, 0x07, true);
	dies_with_requests(stand_in_default().protocol, 0x2d2, true);
}

TK_TEST(dies_and_has_no_record)
{
	uint64_t none =
		stand_in_default().protocol & ~(1ull << VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD);

	dies_with_requests(none, 0, true);
	dies_with_requests(none, 0x07, true);
	dies_with_requests(none, 0x2d2, true);
}

/* One that is silent is waited for on the loop, which others need more than it. */
TK_TEST(a_silent_one_is_asked_rarely)
{
	struct bench b = bench_new();
	struct tk_dev *d;

	b.s->at = VHOST_USER_SET_FEATURES;
	b.s->misdeed = STALLS;
	bench_listen(&b);
	d = tk_device("vhost-user", settings("reconnect = 1;" SHORT));
	TK_TRUE(tk_log_has("it did not answer request 2 within 300 ms"));
	kill_back_end(b.pid);
	b.s->misdeed = BEHAVES;
	bench_listen(&b);
	*b.seen = 0;
	tk_advance_ms(1150);
	TK_EQ(*b.seen, 0);
	works(d);
	bench_end(&b);
}

/* Nor does the loop wait for one that takes a connection and is silent. */
TK_TEST(a_greeting_is_not_waited_for)
{
	struct bench b = bench_new();
	struct timespec began, ended;
	struct tk_dev *d;

	bench_listen(&b);
	d = tk_device("vhost-user", settings("reconnect = 1; timeout = 20000;"));
	works(d);
	kill_back_end(b.pid);
	run_until(d, was_logged, (void *)(uintptr_t) "the back end is lost");
	b.s->at = VHOST_USER_GET_FEATURES;
	b.s->misdeed = STALLS;
	bench_listen(&b);
	(void)clock_gettime(CLOCK_MONOTONIC, &began);
	tk_advance_ms(19000);
	(void)clock_gettime(CLOCK_MONOTONIC, &ended);
	TK_TRUE(ended.tv_sec - began.tv_sec < 15);
	TK_TRUE(!tk_log_has("it did not answer request 1"));
	tk_advance_ms(21000);
	TK_TRUE(tk_log_has("it did not answer request 1 within 20000 ms"));
	kill_back_end(b.pid);
	b.s->misdeed = BEHAVES;
	bench_listen(&b);
	works(d);
	/* While one is greeted everything else goes on, and it is forgotten with the device. */
	kill_back_end(b.pid);
	b.s->misdeed = STALLS;
	bench_listen(&b);
	run_until(d, was_logged, (void *)(uintptr_t) "the back end is lost");
	tk_advance_ms(1000);
	TK_EQ(tk_quiesce(d), 0);
	TK_EQ(tk_resume(d), 0);
	tk_advance_ms(1000);
	tk_destroy(d);
	bench_end(&b);
}

/* What kills each that takes it is not given out for ever. */
TK_TEST(dies_of_what_it_is_given)
{
	struct bench b = bench_new();
	struct tk_dev *d;

	b.s->at = VHOST_USER_SET_VRING_KICK;
	b.s->misdeed = DIES;
	bench_listen(&b);
	d = tk_device("vhost-user", settings("reconnect = 1; reconnect_limit = 5;"));
	run_until(d, wants_reset, NULL);
	TK_TRUE(tk_log_has("the back end is lost for good"));
	tk_destroy(d);
	bench_end(&b);
}

TK_TEST(comes_back_with_less)
{
	struct bench b = bench_new();
	struct tk_dev *d;

	b.s->features |= 1ull << 5;
	bench_listen(&b);
	d = tk_device("vhost-user", settings("reconnect = 1;"));
	works(d);
	kill_back_end(b.pid);
	run_until(d, was_logged, (void *)(uintptr_t) "the back end is lost");
	b.s->features &= ~(1ull << 5);
	bench_listen(&b);
	run_until(d, was_logged,
		(void *)(uintptr_t) "it has come back without features 0x20, which the driver was");
	kill_back_end(b.pid);
	b.s->features |= 1ull << 5;
	bench_listen(&b);
	works(d);
	bench_end(&b);
}

TK_TEST(does_not_come_back)
{
	struct bench b = bench_new();
	struct tk_dev *d;

	bench_listen(&b);
	d = tk_device("vhost-user", settings("reconnect = 100; reconnect_limit = 3;"));
	works(d);
	kill_back_end(b.pid);
	run_until(d, was_logged, (void *)(uintptr_t) "the back end is lost");
	TK_EQ(tk_log_count(TENON_LOG_WARN), 1);
	tk_advance_ms(500); /* two attempts of three */
	TK_EQ(tk_status(d) & TK_S_NEEDS_RESET, 0);
	tk_advance_ms(1000);
	TK_TRUE(tk_log_has("it is given up"));
	TK_TRUE(wants_reset(d, NULL));
	/* Nor for another driver, who is told at once. */
	TK_EQ(tk_driver(d, UINT64_MAX, 0), -EIO);
	TK_TRUE(wants_reset(d, NULL));
	shell("rm -rf %s", folder());
}

TK_TEST(dies_before_there_is_a_driver)
{
	struct bench b = bench_new();
	struct tk_dev *d;

	bench_listen(&b);
	d = tk_started("vhost-user", settings("reconnect = 1;"));
	kill_back_end(b.pid);
	run_until(d, was_logged, (void *)(uintptr_t) "the back end is lost");
	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	bench_listen(&b);
	works(d);
	bench_end(&b);
}

TK_TEST(dies_while_it_is_paused)
{
	struct bench b = bench_new();
	struct tk_dev *d;

	bench_listen(&b);
	d = tk_device("vhost-user", settings("reconnect = 1;"));
	works(d);
	TK_EQ(tk_quiesce(d), 0);
	kill_back_end(b.pid);
	bench_listen(&b);
	tk_advance_ms(1000);
	TK_EQ(tk_resume(d), 0);
	works(d);
	bench_end(&b);
}

TK_MAIN()

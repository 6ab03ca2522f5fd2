/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk whose process is killed two hundred times while it works.
 *
 * A driver keeps requests under way, reads back what it wrote and flushes; the process that serves
 * the disk gets SIGKILL at moments that are drawn, and another takes its place.  Nothing that was
 * answered may be lost, nothing may be answered twice, every request must end well, and the image
 * must hold what the driver was told that it holds.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tenon/testkit.h>

#define KILLS     200u
#define UNDER_WAY 16u
#define SLOTS     256u /* places on the disk, each with one writer at a time */
#define PLACE     8u   /* sectors of one */
#define BYTES     4096 /* the same */

enum { READ = 0, WRITE = 1, FLUSH = 4 };

struct request {
	struct tk_buf *buf;
	uint32_t type, slot, round;
};

static struct {
	char folder[64], image[80], socket[80];
	int fd;
	pid_t pid;
	struct timespec since; /* when the socket of the last process was made */
	struct tk_dev *d;
	struct request requests[UNDER_WAY];
	uint32_t written[SLOTS]; /* the round whose write was answered last; 0 = none */
	bool busy[SLOTS];
	uint32_t round, answered, random;
} t;

static uint32_t draw(uint32_t n)
{
	t.random = t.random * 1664525u + 1013904223u;
	return (t.random >> 8) % n;
}

/* ---- the process ---- */

static void start_process(void)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "path=%s", t.image);
	t.pid = fork();
	TK_TRUE(t.pid >= 0);
	if (t.pid > 0)
		return;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)execl(TENON_PROGRAM, "tenon", "serve", "block", "--socket", t.socket, path,
		"lock=false", (char *)NULL);
	_exit(127);
}

static bool is_last(const struct stat *st)
{
	return st->st_ctim.tv_sec == t.since.tv_sec && st->st_ctim.tv_nsec == t.since.tv_nsec;
}

/* Each process makes a socket of its own. */
static void wait_for_socket(void)
{
	struct stat st;

	for (int i = 0; stat(t.socket, &st) != 0 || is_last(&st); i++) {
		TK_TRUE(i < 5000);
		(void)poll(NULL, 0, 1);
	}
	t.since = st.st_ctim;
}

static void kill_process(void)
{
	int status;

	TK_EQ(kill(t.pid, SIGKILL), 0);
	TK_EQ(waitpid(t.pid, &status, 0), t.pid);
	TK_TRUE(WIFSIGNALED(status)); /* it was alive till now */
}

/* ---- requests ---- */

static uint8_t pattern(uint32_t slot, uint32_t round, uint32_t i)
{
	return (uint8_t)(slot * 7 + round * 101 + i * 13 + (i >> 8));
}

static void fill(uint8_t *bytes, uint32_t slot, uint32_t round)
{
	for (uint32_t i = 0; i < BYTES; i++)
		bytes[i] = pattern(slot, round, i);
}

static void begin(struct request *r)
{
	uint8_t bytes[16 + BYTES] = { 0 };
	uint64_t sector;

	*r = (struct request){ .slot = draw(SLOTS), .round = ++t.round };
	while (t.busy[r->slot])
		r->slot = (r->slot + 1) % SLOTS;
	r->type = draw(8) == 0 ? FLUSH : t.written[r->slot] && draw(2) ? READ : WRITE;
	sector = (uint64_t)r->slot * PLACE;
	bytes[0] = (uint8_t)r->type;
	if (r->type != FLUSH)
		memcpy(bytes + 8, &sector, 8);
	if (r->type == WRITE)
		fill(bytes + 16, r->slot, r->round);
	t.busy[r->slot] = true;
	r->buf = tk_request(t.d, 0, bytes, r->type == WRITE ? sizeof(bytes) : 16,
		r->type == READ ? BYTES + 1 : 1);
}

static void check(struct request *r)
{
	uint8_t bytes[BYTES + 1] = { 0 }, wanted[BYTES];
	const size_t n = tk_in_bytes(r->buf, bytes, sizeof(bytes));

	TK_EQ(n, r->type == READ ? BYTES + 1 : 1);
	TK_EQ(bytes[n - 1], 0); /* its status */
	if (r->type == WRITE)
		t.written[r->slot] = r->round;
	if (r->type == READ) {
		fill(wanted, r->slot, t.written[r->slot]);
		TK_MEM_EQ(bytes, wanted, BYTES);
	}
	tk_free(r->buf);
	t.busy[r->slot] = false;
	r->buf = NULL;
	t.answered++;
}

/* One look at what is done; @again: what is done makes room for more. */
static void turn(bool again)
{
	bool begun = false;

	for (uint32_t i = 0; i < UNDER_WAY; i++) {
		struct request *r = &t.requests[i];

		if (r->buf && tk_used_len(r->buf) >= 0)
			check(r);
		if (!r->buf && again) {
			begin(r);
			begun = true;
		}
	}
	if (begun)
		tk_kick(t.d, 0);
	(void)tk_step();
}

static bool all_done(void)
{
	for (uint32_t i = 0; i < UNDER_WAY; i++)
		if (t.requests[i].buf)
			return false;
	return true;
}

/* Works till @n more requests are answered, or @ms are over. */
static void work(uint32_t n, int ms)
{
	const uint32_t until = t.answered + n;

	for (int i = 0; t.answered < until && i < ms; i++) {
		turn(true);
		tk_advance_ms(1);
		(void)poll(NULL, 0, 1);
	}
}

static void image_holds_what_was_answered(void)
{
	uint8_t bytes[BYTES], wanted[BYTES];

	for (uint32_t slot = 0; slot < SLOTS; slot++) {
		if (!t.written[slot])
			continue;
		TK_EQ(pread(t.fd, bytes, BYTES, (off_t)slot * BYTES), BYTES);
		fill(wanted, slot, t.written[slot]);
		TK_MEM_EQ(bytes, wanted, BYTES);
	}
}

TK_TEST(killed_two_hundred_times)
{
	char settings[256];
	uint32_t before;

	(void)snprintf(t.folder, sizeof(t.folder), "/tmp/survive-XXXXXX");
	TK_TRUE(mkdtemp(t.folder) != NULL);
	(void)snprintf(t.image, sizeof(t.image), "%s/disk", t.folder);
	(void)snprintf(t.socket, sizeof(t.socket), "%s/socket", t.folder);
	t.random = 1;
	tk_patience(4);
	t.fd = open(t.image, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	TK_TRUE(t.fd >= 0 && ftruncate(t.fd, (off_t)SLOTS * BYTES) == 0);
	start_process();
	wait_for_socket();
	(void)snprintf(settings, sizeof(settings),
		"socket = \"%s\"; device = \"block\"; reconnect = 1; reconnect_max = 1;", t.socket);
	t.d = tk_device("vhost-user", settings);

	for (uint32_t k = 0; k < KILLS; k++) {
		before = t.answered;
		work(1 + draw(40), 5000);
		TK_TRUE(t.answered > before); /* it works again each time */
		turn(true);
		if (draw(2))
			(void)poll(NULL, 0, (int)draw(3));
		kill_process();
		start_process();
		wait_for_socket();
		tk_advance_ms(10);
	}
	for (int i = 0; !all_done(); i++) {
		TK_TRUE(i < 10000);
		turn(false);
		tk_advance_ms(1);
		(void)poll(NULL, 0, 1);
	}
	TK_EQ(tk_status(t.d) & TK_S_NEEDS_RESET, 0);
	image_holds_what_was_answered();
	tk_note("%u requests were answered, %u processes killed", t.answered, KILLS);
	TK_TRUE(t.answered > KILLS);
	tk_destroy(t.d);
	kill_process();
	(void)unlink(t.image);
	(void)unlink(t.socket);
	(void)rmdir(t.folder);
	(void)close(t.fd);
}

TK_MAIN()

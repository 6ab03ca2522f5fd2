/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A front end that says anything.  The bytes are operations: messages with descriptors of several
 * kinds, stores into the memory that it shares, kicks, the end of the connection.  The device is
 * one that holds chains or gives them back, as the bytes say.
 */
#include "tests/serve/lent.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/fuzz/input.h"

#define MEMORY 0x10000u

enum op {
	OP_MESSAGE, /* request 1, flags 1, size 1, kinds of descriptors 2, the payload */
	OP_STORE,   /* address 2, size 1, bytes */
	OP_KICK,
	OP_HANG_UP,
	OP_HOLD,
	OP_GIVE_BACK, /* which 1 */
	OP_PIECE,     /* size 1, bytes that need be no message */
	N_OPS,
};

struct front {
	struct lent lent;
	int fd, memory, kick, call, other;
	uint8_t *at;
};

static void connect_front_end(struct front *f)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		abort();
	f->fd = pair[0];
	f->lent.gone = false;
	if (serve_connect(&f->lent.serve, pair[1], NULL) < 0)
		abort();
}

static void hang_up(struct front *f)
{
	(void)close(f->fd);
	lent_run(&f->lent);
	if (!f->lent.gone || f->lent.serve.memory.n_regions || f->lent.serve.vd->activated)
		abort();
	connect_front_end(f);
}

static int some_fd(const struct front *f, unsigned kind)
{
	switch (kind % 4) {
	case 0:
		return f->memory;
	case 1:
		return f->kick;
	case 2:
		return f->call;
	default:
		return f->other;
	}
}

static void message(struct front *f, struct input *in)
{
	struct vhost_user_header h = { .request = input_u8(in), .flags = input_u8(in) };
	const uint32_t size = input_u8(in);
	const uint16_t kinds = input_u16(in); /* how many in 4 bits, then two bits for each */
	const uint32_t n_fds = kinds & 15;
	char control[CMSG_SPACE(sizeof(int) * 16)] = { 0 };
	struct cmsghdr *c = (struct cmsghdr *)(void *)control;
	uint8_t bytes[12 + 256];
	struct iovec iov = { bytes, sizeof(h) + size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	size_t n;
	const uint8_t *payload = input_bytes(in, size, &n);

	h.size = size;
	memcpy(bytes, &h, sizeof(h));
	memset(bytes + sizeof(h), 0, size);
	memcpy(bytes + sizeof(h), payload, n);
	if (n_fds) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		for (uint32_t i = 0; i < n_fds; i++) {
			int fd = some_fd(f, i < 6 ? kinds >> (4 + 2 * i) : 0);

			memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(fd));
		}
	}
	(void)sendmsg(f->fd, &msg, MSG_NOSIGNAL);
}

static void store(struct front *f, struct input *in)
{
	const uint16_t at = input_u16(in);
	size_t n;
	const uint8_t *bytes = input_bytes(in, input_u8(in), &n);

	if (n <= MEMORY - at)
		memcpy(f->at + at, bytes, n);
}

static void piece(struct front *f, struct input *in)
{
	size_t n;
	const uint8_t *bytes = input_bytes(in, input_u8(in), &n);

	if (n > 0)
		(void)send(f->fd, bytes, n, MSG_NOSIGNAL);
}

/* Answers are not what this is about; a socket that is full of them would be. */
static void drop_answers(const struct front *f)
{
	char bytes[4096], control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { bytes, sizeof(bytes) };

	for (;;) {
		struct msghdr msg = { .msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(f->fd, &msg, MSG_DONTWAIT);
		const struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
		int fd;

		if (c) {
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
			(void)close(fd);
		}
		if (n <= 0)
			return;
	}
}

static void operate(struct front *f, struct input *in)
{
	const uint64_t one = 1;

	switch (input_u8(in) % N_OPS) {
	case OP_MESSAGE:
		message(f, in);
		break;
	case OP_STORE:
		store(f, in);
		break;
	case OP_KICK:
		(void)!write(f->kick, &one, sizeof(one));
		break;
	case OP_HANG_UP:
		hang_up(f);
		break;
	case OP_HOLD:
		f->lent.holds = !f->lent.holds;
		break;
	case OP_GIVE_BACK: {
		const uint8_t which = input_u8(in);

		if (which < f->lent.n_held)
			lent_give_back(&f->lent, which);
		break;
	}
	case OP_PIECE:
		piece(f, in);
		break;
	}
	lent_run(&f->lent);
	drop_answers(f);
	if (f->lent.gone)
		hang_up(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	static struct front f;

	log_set_level(LOG_LEVEL_ERR);
	memset(&f, 0, sizeof(f));
	if (lent_create(&f.lent) < 0)
		abort();
	f.memory = memfd_create("guest", MFD_CLOEXEC);
	f.kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f.call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (f.memory < 0 || ftruncate(f.memory, MEMORY) < 0)
		abort();
	f.at = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, f.memory, 0);
	if (f.at == MAP_FAILED)
		abort();
	f.other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	connect_front_end(&f);
	while (in.left > 0)
		operate(&f, &in);
	(void)close(f.fd);
	lent_destroy(&f.lent);
	(void)munmap(f.at, MEMORY);
	(void)close(f.memory);
	(void)close(f.kick);
	(void)close(f.other);
	(void)close(f.call);
	return 0;
}

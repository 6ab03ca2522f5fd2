/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtio device behind its registers, driven by a hostile driver: any sequence of register
 * accesses, kicks, stores into guest memory, resets of the device and of the machine.  The device
 * is a small one of three queues that uses what it pops and keeps some of it, and is at times slow:
 * deferred work then runs later, or while the driver waits for a reset, or not before that wait is
 * given up.
 */
#include "tests/fuzz/fake_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/virtio/virtio_device.h"

enum op {
	OP_WRITE,
	OP_READ,
	OP_WRITE_ANY,
	OP_READ_ANY,
	OP_KICK,
	OP_RUN_DEFERRED,
	OP_STORE,
	OP_BRING_UP,
	OP_OFFER,
	OP_COMPLETE,
	OP_CONFIG_SET,
	OP_FAULT,
	OP_QUIET,
	OP_PATIENCE,
	OP_MACHINE_RESET,
	OP_SHM,
	OP_RESET_SOON,
	N_OPS,
};

#define N_QUEUES    3u
#define CONFIG_SIZE 24u
#define MAX_HELD    8

/* How the device's loop keeps up with the registers. */
enum pace {
	PACE_AT_ONCE,  /* deferred work runs inside of the access */
	PACE_IN_WAIT,  /* it runs while the driver waits for a reset */
	PACE_TOO_SLOW, /* the wait is given up first */
	N_PACES,
};

static struct device_run {
	struct virtio_device vd;
	enum pace pace;
	bool active;       /* between activate and reset */
	uint32_t reset_in; /* so many times that the lock is let go, the driver resets */
	bool up_again;     /* and then brings the device up at once, as none should */
	bool refuse;       /* the next activation fails */
	bool keep;         /* chains are kept, not pushed */
	struct tenon_chain held[MAX_HELD];
	uint32_t held_queue[MAX_HELD];
	size_t n_stale; /* of those, the oldest ones are from before a reset */
	size_t n_held;
	uint16_t avail_idx[N_QUEUES];
} run;

/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's */
int __wrap_pthread_cond_timedwait(
	pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until);
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);

static void bring_up(uint8_t choice);

/* ---- the loop ---- */

static void run_deferred(void)
{
	virtio_device_run_deferred(&run.vd);
}

/* The layer waits here for a reset, with its lock held; the linker puts this in place. */
int __wrap_pthread_cond_timedwait(
	pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until)
{
	(void)cond;
	(void)until;
	if (run.pace == PACE_TOO_SLOW)
		return ETIMEDOUT;
	(void)pthread_mutex_unlock(mutex);
	run_deferred();
	(void)pthread_mutex_lock(mutex);
	return 0;
}

/* Whenever a thread lets go of the lock, another may come: a CPU that resets the device. */
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	int ret = __real_pthread_mutex_unlock(mutex);
	enum pace pace = run.pace;

	if (run.reset_in == 0 || --run.reset_in > 0)
		return ret;
	run.pace = PACE_TOO_SLOW;
	if (run.up_again)
		bring_up(3);
	else
		virtio_mmio_write(&run.vd, 0x70, 4, 0);
	run.pace = pace;
	return ret;
}

static void env_interrupt(void *opaque)
{
	(void)opaque;
}

static void env_defer(void *opaque)
{
	(void)opaque;
	if (run.pace == PACE_AT_ONCE)
		run_deferred();
}

static void env_kick(void *opaque, uint32_t index)
{
	(void)opaque;
	if (index >= N_QUEUES)
		abort();
	virtio_device_queue_ready(&run.vd, index);
}

static void env_log(void *opaque, const char *text)
{
	(void)opaque;
	if (!text[0])
		abort();
}

/* ---- the device ---- */

static int dev_activate(struct tenon_dev *dev, uint64_t features)
{
	(void)dev;
	if (run.active || !(features & VIRTIO_F_VERSION_1) || (features & ~run.vd.offered))
		abort();
	if (run.refuse)
		return -EIO;
	run.active = true;
	return 0;
}

/* Reads what may be read and writes what may be written, to the last byte. */
static uint32_t use(const struct tenon_chain *c)
{
	uint8_t sum = 0;

	fake_memory_check(c);
	for (uint32_t i = 0; i < c->n_out; i++)
		sum ^= ((const uint8_t *)c->out[i].iov_base)[c->out[i].iov_len - 1];
	for (uint32_t i = 0; i < c->n_in; i++)
		memset(c->in[i].iov_base, sum, c->in[i].iov_len);
	return (uint32_t)c->in_bytes;
}

static void dev_queue_ready(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index)
{
	struct tenon_chain c;

	(void)dev;
	if (!run.active || index >= N_QUEUES || vq_size(vq) == 0)
		abort();
	while (run.n_held < MAX_HELD && vq_pop(vq, &c) > 0) {
		uint32_t written;

		if (run.vd.status == 0 || run.vd.want_reset)
			abort(); /* the driver has taken its memory back */
		written = use(&c);
		if (run.keep) {
			run.held_queue[run.n_held] = index;
			run.held[run.n_held++] = c;
			continue;
		}
		vq_push(vq, &c, written);
	}
	vq_notify(vq);
}

static void dev_config_written(struct tenon_dev *dev, uint32_t offset, uint32_t size)
{
	(void)dev;
	if (size == 0 || size > CONFIG_SIZE || offset > CONFIG_SIZE - size)
		abort();
}

/* What was kept stays kept: pushing it later must do nothing, whatever the rings are then. */
static void dev_reset(struct tenon_dev *dev)
{
	(void)dev;
	if (!run.active)
		abort();
	run.active = false;
	run.n_stale = run.n_held;
}

static const struct tenon_virtio_ops dev_ops = {
	.struct_size = sizeof(dev_ops),
	.activate = dev_activate,
	.queue_ready = dev_queue_ready,
	.config_written = dev_config_written,
	.reset = dev_reset,
};

static void create(void)
{
	static const uint16_t sizes[N_QUEUES] = { 8, 16, 256 };
	static const uint8_t config[CONFIG_SIZE] = "configuration";
	const struct tenon_virtio_desc desc = {
		.struct_size = sizeof(desc),
		.device_id = 4,
		.features = 0x3,
		.n_queues = N_QUEUES,
		.config_size = CONFIG_SIZE,
		.queue_sizes = sizes,
		.config = config,
		.ops = &dev_ops,
	};
	const struct virtio_env env = {
		.memory = fake_memory,
		.interrupt = env_interrupt,
		.defer = env_defer,
		.kick = env_kick,
		.log = env_log,
	};

	run = (struct device_run){ .pace = PACE_AT_ONCE };
	if (virtio_device_init(&run.vd, NULL, &desc, &env) < 0)
		abort();
}

/* ---- the driver ---- */

static void reg(uint64_t offset, uint32_t value)
{
	virtio_mmio_write(&run.vd, offset, 4, value);
}

static void set_queue(uint32_t index, uint32_t size, uint64_t gpa)
{
	reg(0x30, index);
	reg(0x38, size);
	reg(0x80, (uint32_t)gpa);
	reg(0x84, (uint32_t)(gpa >> 32));
	reg(0x90, (uint32_t)gpa + size * 16);
	reg(0x94, (uint32_t)(gpa >> 32));
	reg(0xa0, (uint32_t)gpa + size * 16 + 0x40);
	reg(0xa4, (uint32_t)(gpa >> 32));
	reg(0x44, 1);
}

/* What an honest driver does, up to DRIVER_OK. */
static void bring_up(uint8_t choice)
{
	uint32_t size = 1u << (choice & 3);

	reg(0x70, 0);
	memset(run.avail_idx, 0, sizeof(run.avail_idx));
	reg(0x70, 1);
	reg(0x70, 3);
	reg(0x24, 0);
	reg(0x20, (uint32_t)(choice >> 2 & 3) << 28 | (choice >> 4 & 3));
	reg(0x24, 1);
	reg(0x20, 1);
	reg(0x70, 11);
	for (uint32_t i = 0; i < N_QUEUES; i++)
		set_queue(i, size, 0x400ull * i);
	reg(0x70, 15);
}

/* One head more, where bring_up() put the rings. */
static void offer(struct input *in)
{
	uint8_t choice = input_u8(in), head = input_u8(in);
	uint32_t index = choice % N_QUEUES, size = 1u << (choice >> 6);
	uint64_t avail = 0x400ull * index + size * 16ull;
	const uint8_t entry[2] = { head, 0 };
	uint8_t idx[2];

	fake_memory_store(avail + 4 + (run.avail_idx[index] & (size - 1)) * 2ull, entry, 2);
	run.avail_idx[index]++;
	idx[0] = (uint8_t)run.avail_idx[index];
	idx[1] = (uint8_t)(run.avail_idx[index] >> 8);
	fake_memory_store(avail + 2, idx, 2);
}

/* The device finishes the oldest that it kept; nothing may change if that is from before a reset.
 */
static void complete(void)
{
	uint64_t before = 0;
	bool stale;

	if (run.n_held == 0)
		return;
	stale = run.n_stale > 0 || !run.active || !(run.vd.status & VIRTIO_STATUS_DRIVER_OK);
	if (stale)
		before = fake_memory_sum();
	vq_push(virtio_queue(&run.vd, run.held_queue[0]), &run.held[0],
		(uint32_t)run.held[0].in_bytes);
	if (stale && fake_memory_sum() != before)
		abort();
	run.n_stale -= run.n_stale > 0;
	run.n_held--;
	memmove(&run.held[0], &run.held[1], run.n_held * sizeof(run.held[0]));
	memmove(&run.held_queue[0], &run.held_queue[1], run.n_held * sizeof(run.held_queue[0]));
}

static void config_set(struct input *in)
{
	uint32_t offset = input_u32(in), size = input_u8(in);
	uint8_t bytes[256] = { 0 };

	bytes[0] = input_u8(in);
	(void)virtio_config_set(&run.vd, offset, bytes, size);
	if (virtio_config_get(&run.vd, offset, bytes, size) == 0 &&
		(size > CONFIG_SIZE || offset > CONFIG_SIZE - size))
		abort();
}

static void quiet(uint8_t choice)
{
	struct tenon_vq *vq = virtio_queue(&run.vd, choice % N_QUEUES);

	run.keep = choice & 0x40;
	run.refuse = choice & 0x20;
	(void)vq_want_kicks(vq, choice & 0x80);
	vq_notify(vq);
}

static void access_any(struct input *in, bool write)
{
	uint64_t offset = input_u16(in) & 0xfff, value;
	uint32_t size = 1u << (input_u8(in) & 3);

	if (write) {
		value = input_u64(in);
		virtio_mmio_write(&run.vd, offset, size, value);
		return;
	}
	value = virtio_mmio_read(&run.vd, offset, size);
	if (size < 8 && value >> (8 * size))
		abort(); /* more bits than were asked for */
}

static void step(struct input *in)
{
	uint32_t offset;

	switch (input_u8(in) % N_OPS) {
	case OP_WRITE:
		offset = input_u8(in) * 4u;
		reg(offset, input_u32(in));
		break;
	case OP_READ:
		(void)virtio_mmio_read(&run.vd, input_u8(in) * 4ull, 4);
		break;
	case OP_WRITE_ANY:
		access_any(in, true);
		break;
	case OP_READ_ANY:
		access_any(in, false);
		break;
	case OP_KICK:
		reg(0x50, input_u8(in));
		break;
	case OP_RUN_DEFERRED:
		run_deferred();
		break;
	case OP_STORE:
		fake_memory_take(in);
		break;
	case OP_BRING_UP:
		bring_up(input_u8(in));
		break;
	case OP_OFFER:
		offer(in);
		break;
	case OP_COMPLETE:
		complete();
		break;
	case OP_CONFIG_SET:
		config_set(in);
		break;
	case OP_FAULT:
		virtio_fault(&run.vd, "the fuzzer says so");
		break;
	case OP_QUIET:
		quiet(input_u8(in));
		break;
	case OP_PATIENCE:
		run.pace = input_u8(in) % N_PACES;
		break;
	case OP_MACHINE_RESET:
		virtio_device_machine_reset(&run.vd);
		break;
	case OP_SHM:
		offset = input_u8(in);
		(void)virtio_device_set_shm(&run.vd, offset, input_u64(in), input_u64(in));
		break;
	case OP_RESET_SOON:
		run.reset_in = input_u8(in);
		run.up_again = run.reset_in & 0x80;
		run.reset_in &= 0x7f;
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };

	fake_memory_reset();
	create();
	while (in.left > 0)
		step(&in);
	run.reset_in = 0;
	/* Whatever was asked for, the loop comes round to it, and a reset brings it all back. */
	run_deferred();
	run.pace = PACE_AT_ONCE;
	reg(0x70, 0);
	if (run.active || run.vd.running || virtio_mmio_read(&run.vd, 0x70, 4) != 0)
		abort();
	virtio_device_finish(&run.vd);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device's saved state, written by anybody, over guest memory of anybody's.  What is refused has
 * a sentence and leaves a device that no driver has.  What is accepted is the same when it is
 * saved, loaded and saved again, and the device goes on: its chains lie in memory, its driver can
 * reset it.
 *
 * The input is {flags 1, stores 1, so many times {address 2, size 2, bytes}} and the state, without
 * its header unless the flags say so.
 */
#include "tests/fuzz/state_device.h"

#define FLAG_HEADER 1u /* the state has its own */
#define FLAG_KEEPS  2u /* the device keeps chains and returns them late */

#define MOST_STORES 16u

static int load(struct state_device *d, const void *bytes, size_t size)
{
	const struct saved_device parts = state_device_parts(d);
	char name[DEVICE_STATE_NAME], type[DEVICE_STATE_TYPE];
	struct tenon_state_r r;
	uint32_t version;
	int ret = state_read_begin(&r, bytes, size);

	if (ret == 0)
		ret = state_service.enter(&r, TENON_STATE_NEED | 1, DEVICE_STATE_SECTION,
			DEVICE_STATE_VERSION, &version);
	if (ret > 0)
		ret = device_state_identity(&r, name, type);
	if (ret == 0)
		ret = device_state_load(&r, &parts);
	if (ret < 0 && (!r.why[0] || r.error != ret))
		abort();
	if (ret < 0 && (d->vd.activated || d->vd.running || d->vd.held))
		abort();
	return ret;
}

static void save(struct state_device *d, struct tenon_state_w *w)
{
	if (state_device_save(d, w) < 0)
		abort();
}

/* Loaded once more it is accepted, and saved as the same. */
static void go_round(struct state_device *d)
{
	struct tenon_state_w first, second;
	static struct state_device other;

	save(d, &first);
	state_device_make(&other);
	if (load(&other, first.bytes, first.size) < 0)
		abort();
	save(&other, &second);
	if (first.size != second.size || memcmp(first.bytes, second.bytes, first.size) != 0)
		abort();
	virtio_device_finish(&other.vd);
	state_write_free(&first);
	state_write_free(&second);
}

static void live(struct state_device *d, bool keeps)
{
	struct tenon_state_w w;

	d->keeps = keeps;
	virtio_device_go(&d->vd);
	virtio_device_run_deferred(&d->vd);
	save(d, &w); /* with what it keeps */
	state_write_free(&w);
	for (uint32_t i = 0; i < d->n_held; i++)
		vq_push(virtio_queue(&d->vd, d->held_queue[i]), &d->held[i], 1);
	virtio_device_machine_reset(&d->vd);
	if (virtio_mmio_read(&d->vd, 0x70, 4) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t header[STATE_HEADER] = "tenonst\n\1";
	struct input in = { data, size };
	uint8_t flags = input_u8(&in), stores = input_u8(&in) % MOST_STORES;
	size_t begin = flags & FLAG_HEADER ? 0 : STATE_HEADER, n;
	static struct state_device d;
	uint8_t *bytes;

	fake_memory_reset();
	while (stores-- > 0)
		fake_memory_take(&in);
	n = begin + in.left;
	bytes = malloc(n ? n : 1); /* an edge behind it */
	if (!bytes)
		abort();
	memcpy(bytes, header, begin);
	memcpy(bytes + begin, in.at, in.left);
	state_device_make(&d);
	if (load(&d, bytes, n) == 0) {
		go_round(&d);
		live(&d, flags & FLAG_KEEPS);
	}
	virtio_device_finish(&d.vd);
	free(bytes);
	return 0;
}

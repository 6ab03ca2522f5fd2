/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registers of virtio over MMIO, version 2 (4.2.2).  Registers are 32 bits wide and take only
 * whole accesses; the configuration space from 0x100 on takes 1, 2, 4 and 8 bytes.
 */
#include <string.h>

#include "sdk/virtio/virtio_device.h"

enum {
	REG_MAGIC = 0x000,
	REG_VERSION = 0x004,
	REG_DEVICE_ID = 0x008,
	REG_VENDOR_ID = 0x00c,
	REG_DEVICE_FEATURES = 0x010,
	REG_DEVICE_FEATURES_SEL = 0x014,
	REG_DRIVER_FEATURES = 0x020,
	REG_DRIVER_FEATURES_SEL = 0x024,
	REG_QUEUE_SEL = 0x030,
	REG_QUEUE_NUM_MAX = 0x034,
	REG_QUEUE_NUM = 0x038,
	REG_QUEUE_READY = 0x044,
	REG_QUEUE_NOTIFY = 0x050,
	REG_INTERRUPT_STATUS = 0x060,
	REG_INTERRUPT_ACK = 0x064,
	REG_STATUS = 0x070,
	REG_QUEUE_DESC_LOW = 0x080,
	REG_QUEUE_DESC_HIGH = 0x084,
	REG_QUEUE_DRIVER_LOW = 0x090,
	REG_QUEUE_DRIVER_HIGH = 0x094,
	REG_QUEUE_DEVICE_LOW = 0x0a0,
	REG_QUEUE_DEVICE_HIGH = 0x0a4,
	REG_SHM_SEL = 0x0ac,
	REG_SHM_LEN_LOW = 0x0b0,
	REG_SHM_LEN_HIGH = 0x0b4,
	REG_SHM_BASE_LOW = 0x0b8,
	REG_SHM_BASE_HIGH = 0x0bc,
	REG_CONFIG_GENERATION = 0x0fc,
	REG_CONFIG = 0x100,
};

#define MAGIC     0x74726976u /* "virt" */
#define VERSION   2u
#define VENDOR_ID 0x4e4e4554u /* "TENN" */

static uint32_t half(uint64_t value, bool high)
{
	return high ? (uint32_t)(value >> 32) : (uint32_t)value;
}

static void set_half(uint64_t *value, bool high, uint32_t bits)
{
	if (high)
		*value = (*value & 0xffffffffu) | (uint64_t)bits << 32;
	else
		*value = (*value & ~0xffffffffull) | bits;
}

/* ---- reading; the lock is held ---- */

static struct tenon_vq *selected(struct virtio_device *vd)
{
	return virtio_queue(vd, vd->queue_sel);
}

static uint32_t read_shm(const struct virtio_device *vd, uint64_t offset)
{
	const struct virtio_shm *s = vd->shm_sel < VIRTIO_MAX_SHM ? &vd->shm[vd->shm_sel] : NULL;

	if (!s || !s->present)
		return UINT32_MAX; /* both halves all ones: there is no such region */
	if (offset == REG_SHM_LEN_LOW || offset == REG_SHM_LEN_HIGH)
		return half(s->size, offset == REG_SHM_LEN_HIGH);
	return half(s->gpa, offset == REG_SHM_BASE_HIGH);
}

static uint32_t read_register(struct virtio_device *vd, uint64_t offset)
{
	const struct tenon_vq *vq = selected(vd);

	switch (offset) {
	case REG_MAGIC:
		return MAGIC;
	case REG_VERSION:
		return VERSION;
	case REG_DEVICE_ID:
		return vd->desc.device_id;
	case REG_VENDOR_ID:
		return VENDOR_ID;
	case REG_DEVICE_FEATURES:
		return vd->device_features_sel < 2 ? half(vd->offered, vd->device_features_sel) : 0;
	case REG_QUEUE_NUM_MAX:
		return vq ? vq->max_size : 0;
	case REG_QUEUE_READY:
		return vq ? vq->regs_ready : 0;
	case REG_INTERRUPT_STATUS:
		return virtio_interrupts(vd);
	case REG_STATUS:
		/* 2.4.1: 0 only when the device has let go of the driver's memory. */
		return vd->status | (vd->want_reset ? VIRTIO_STATUS_NEEDS_RESET : 0);
	case REG_SHM_LEN_LOW:
	case REG_SHM_LEN_HIGH:
	case REG_SHM_BASE_LOW:
	case REG_SHM_BASE_HIGH:
		return read_shm(vd, offset);
	case REG_CONFIG_GENERATION:
		return vd->config_generation;
	default:
		return 0;
	}
}

static uint64_t read_config(const struct virtio_device *vd, uint64_t offset, uint32_t size)
{
	uint8_t bytes[8] = { 0 };
	uint64_t value = 0;

	if (size > sizeof(bytes) || size > vd->desc.config_size ||
		offset > vd->desc.config_size - size)
		return 0;
	memcpy(bytes, vd->config + offset, size);
	for (uint32_t i = 0; i < size; i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return value;
}

uint64_t virtio_mmio_read(struct virtio_device *vd, uint64_t offset, uint32_t size)
{
	uint64_t value = 0;

	(void)pthread_mutex_lock(&vd->lock);
	if (offset >= REG_CONFIG)
		value = read_config(vd, offset - REG_CONFIG, size);
	else if (size == 4 && offset % 4 == 0)
		value = read_register(vd, offset);
	(void)pthread_mutex_unlock(&vd->lock);
	return value;
}

/* ---- writing; the lock is held ---- */

/* The driver sets queues up before DRIVER_OK and not after. */
static void write_queue(struct virtio_device *vd, uint64_t offset, uint32_t value)
{
	struct tenon_vq *vq = selected(vd);

	if (!vq || vd->running)
		return;
	switch (offset) {
	case REG_QUEUE_NUM:
		if (value <= vq->max_size)
			vq->regs.size = value;
		break;
	case REG_QUEUE_READY:
		vq->regs_ready = value & 1;
		break;
	case REG_QUEUE_DESC_LOW:
	case REG_QUEUE_DESC_HIGH:
		set_half(&vq->regs.desc, offset == REG_QUEUE_DESC_HIGH, value);
		break;
	case REG_QUEUE_DRIVER_LOW:
	case REG_QUEUE_DRIVER_HIGH:
		set_half(&vq->regs.avail, offset == REG_QUEUE_DRIVER_HIGH, value);
		break;
	case REG_QUEUE_DEVICE_LOW:
	case REG_QUEUE_DEVICE_HIGH:
		set_half(&vq->regs.used, offset == REG_QUEUE_DEVICE_HIGH, value);
		break;
	}
}

static void write_driver_features(struct virtio_device *vd, uint32_t value)
{
	if (vd->driver_features_sel < 2 && !(vd->status & VIRTIO_STATUS_FEATURES_OK))
		set_half(&vd->acked, vd->driver_features_sel, value);
}

static void write_register(struct virtio_device *vd, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case REG_DEVICE_FEATURES_SEL:
		vd->device_features_sel = value;
		break;
	case REG_DRIVER_FEATURES:
		write_driver_features(vd, value);
		break;
	case REG_DRIVER_FEATURES_SEL:
		vd->driver_features_sel = value;
		break;
	case REG_QUEUE_SEL:
		vd->queue_sel = value;
		break;
	case REG_INTERRUPT_ACK:
		virtio_interrupts_ack(vd, value);
		break;
	case REG_STATUS:
		virtio_device_write_status(vd, value & 0xff);
		break;
	case REG_SHM_SEL:
		vd->shm_sel = value;
		break;
	default:
		write_queue(vd, offset, value);
		break;
	}
}

/* The last place takes all that come after it. */
static void note_write(struct virtio_device *vd, uint32_t offset, uint32_t size)
{
	struct virtio_write *w = &vd->writes[VIRTIO_MAX_WRITES - 1];
	uint32_t end = offset + size;

	if (vd->n_writes < VIRTIO_MAX_WRITES) {
		w = &vd->writes[vd->n_writes++];
		*w = (struct virtio_write){ .offset = offset, .size = size };
		memcpy(w->bytes, vd->config + offset, size);
		return;
	}
	if (w->offset + w->size > end)
		end = w->offset + w->size;
	if (offset < w->offset)
		w->offset = offset;
	w->size = end - w->offset;
	w->together = true;
}

/* The driver's next read finds the page (5.8.4), so that it cannot wait for the loop. */
static void show_page(struct virtio_device *vd)
{
	const struct tenon_virtio_desc *d = &vd->desc;

	memset(vd->config + d->page_key, 0, d->config_size - d->page_key);
	for (uint32_t i = 0; i < d->n_pages; i++) {
		const struct tenon_virtio_page *page = &d->pages[i];

		if (memcmp(page->key, vd->config, d->page_key) != 0)
			continue;
		if (page->size > 0)
			memcpy(vd->config + d->page_key, page->bytes, page->size);
		return;
	}
}

/* True when the device is to be told. */
static bool write_config(struct virtio_device *vd, uint64_t offset, uint32_t size, uint64_t value)
{
	const struct tenon_virtio_desc *d = &vd->desc;
	bool tells = TENON_HAS(d->ops, config_written), selects;

	if (size == 0 || size > 8 || size > d->config_size || offset > d->config_size - size)
		return false;
	selects = offset + size <= d->page_key;
	if (!tells && !selects)
		return false; /* a configuration that the driver cannot write */
	for (uint32_t i = 0; i < size; i++)
		vd->config[offset + i] = (uint8_t)(value >> (8 * i));
	if (selects)
		show_page(vd);
	if (!tells)
		return false;
	note_write(vd, (uint32_t)offset, size);
	return true;
}

void virtio_mmio_write(struct virtio_device *vd, uint64_t offset, uint32_t size, uint64_t value)
{
	bool tell = false;

	if (offset == REG_QUEUE_NOTIFY && size == 4) {
		if (value < vd->desc.n_queues && vd->env.kick)
			vd->env.kick(vd->env.opaque, (uint32_t)value);
		return;
	}
	(void)pthread_mutex_lock(&vd->lock);
	if (offset >= REG_CONFIG)
		tell = write_config(vd, offset - REG_CONFIG, size, value);
	else if (size == 4 && offset % 4 == 0)
		write_register(vd, offset, (uint32_t)value);
	(void)pthread_mutex_unlock(&vd->lock);
	if (tell)
		vd->env.defer(vd->env.opaque);
}

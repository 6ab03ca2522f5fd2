/* SPDX-License-Identifier: Apache-2.0 */
/* The driver's side of virtio-mmio: probing, negotiating, setting up, resetting (4.2.3). */
#include <errno.h>
#include <stdlib.h>

#include "core/config.h"
#include "sdk/testkit/driver.h"

#define DEFAULT_MOST 1024u /* entries of a queue, unless the test says otherwise */

struct kit_driver *driver_of(struct tk_dev *d)
{
	struct kit_driver **at = kit_driver_of(d);

	if (!*at)
		*at = kit_alloc(sizeof(**at));
	return *at;
}

uint32_t tk_reg(struct tk_dev *d, uint32_t offset)
{
	return (uint32_t)kit_region_read(kit_virtio_window(d), offset, 4);
}

void tk_set_reg(struct tk_dev *d, uint32_t offset, uint32_t value)
{
	kit_region_write(kit_virtio_window(d), offset, 4, value);
}

uint32_t tk_device_id(struct tk_dev *d)
{
	return tk_reg(d, REG_DEVICE_ID);
}

uint32_t tk_status(struct tk_dev *d)
{
	return tk_reg(d, REG_STATUS);
}

unsigned tk_n_queues(struct tk_dev *d)
{
	unsigned n = 0;

	for (;; n++) {
		tk_set_reg(d, REG_QUEUE_SEL, n);
		if (tk_reg(d, REG_QUEUE_NUM_MAX) == 0)
			return n;
	}
}

uint64_t tk_features(struct tk_dev *d)
{
	uint64_t features;

	tk_set_reg(d, REG_DEVICE_FEATURES_SEL, 1);
	features = (uint64_t)tk_reg(d, REG_DEVICE_FEATURES) << 32;
	tk_set_reg(d, REG_DEVICE_FEATURES_SEL, 0);
	return features | tk_reg(d, REG_DEVICE_FEATURES);
}

int tk_negotiate(struct tk_dev *d, uint64_t features)
{
	struct kit_driver *drv = driver_of(d);

	if (tk_reg(d, REG_MAGIC) != 0x74726976 || tk_reg(d, REG_VERSION) != 2)
		kit_fail("%s: its registers are not those of virtio-mmio", d->cd->name);
	tk_set_reg(d, REG_STATUS, TK_S_ACKNOWLEDGE);
	tk_set_reg(d, REG_STATUS, TK_S_ACKNOWLEDGE | TK_S_DRIVER);
	features &= tk_features(d);
	tk_set_reg(d, REG_DRIVER_FEATURES_SEL, 1);
	tk_set_reg(d, REG_DRIVER_FEATURES, (uint32_t)(features >> 32));
	tk_set_reg(d, REG_DRIVER_FEATURES_SEL, 0);
	tk_set_reg(d, REG_DRIVER_FEATURES, (uint32_t)features);
	tk_set_reg(d, REG_STATUS, TK_S_ACKNOWLEDGE | TK_S_DRIVER | TK_S_FEATURES_OK);
	if (!(tk_status(d) & TK_S_FEATURES_OK))
		return -EINVAL;
	drv->features = features;
	drv->indirect = false;
	return 0;
}

static void write_address(struct tk_dev *d, uint32_t offset, uint64_t gpa)
{
	tk_set_reg(d, offset, (uint32_t)gpa);
	tk_set_reg(d, offset + 4, (uint32_t)(gpa >> 32));
}

static void make_queue(struct driver_queue *q, uint32_t size)
{
	q->ring = (struct tk_ring){ size, tk_alloc((size_t)size * 16, 16),
		tk_alloc(6 + (size_t)size * 2, 2), tk_alloc(6 + (size_t)size * 8, 4) };
	q->next_free = kit_alloc(size * sizeof(*q->next_free));
	q->by_head = kit_alloc(size * sizeof(*q->by_head));
	for (uint32_t i = 0; i < size; i++)
		q->next_free[i] = (uint16_t)(i + 1);
	q->n_free = size;
	tk_mem_allow(q->ring.used, 6 + (uint64_t)size * 8);
}

void driver_forget_queue(struct driver_queue *q)
{
	if (!q->ring.size)
		return;
	tk_release(q->ring.desc);
	tk_release(q->ring.avail);
	tk_release(q->ring.used);
	free(q->next_free);
	free(q->by_head);
	*q = (struct driver_queue){ .ring = { .size = 0 } };
}

int tk_queue(struct tk_dev *d, unsigned queue, uint32_t size)
{
	struct driver_queue *q = &driver_of(d)->queues[queue % VIRTIO_MAX_QUEUES];
	uint32_t most;

	tk_set_reg(d, REG_QUEUE_SEL, queue);
	most = tk_reg(d, REG_QUEUE_NUM_MAX);
	if (most == 0 || tk_reg(d, REG_QUEUE_READY) != 0)
		return -EINVAL;
	if (size == 0)
		size = most < DEFAULT_MOST ? most : DEFAULT_MOST;
	driver_forget_queue(q);
	make_queue(q, size);
	tk_set_reg(d, REG_QUEUE_NUM, size);
	write_address(d, REG_QUEUE_DESC, q->ring.desc);
	write_address(d, REG_QUEUE_DRIVER, q->ring.avail);
	write_address(d, REG_QUEUE_DEVICE, q->ring.used);
	tk_set_reg(d, REG_QUEUE_READY, 1);
	return tk_reg(d, REG_QUEUE_READY) == 1 ? 0 : -EINVAL;
}

int tk_driver_ok(struct tk_dev *d)
{
	tk_set_reg(d, REG_STATUS, tk_status(d) | TK_S_DRIVER_OK);
	tk_run_until_idle(d);
	return (tk_status(d) & (TK_S_DRIVER_OK | TK_S_NEEDS_RESET)) == TK_S_DRIVER_OK ? 0 : -EIO;
}

int tk_driver(struct tk_dev *d, uint64_t features, uint32_t queue_size)
{
	unsigned n = tk_n_queues(d);
	int ret;

	tk_driver_reset(d);
	ret = tk_negotiate(d, features);
	for (unsigned i = 0; i < n && ret == 0; i++) {
		uint32_t most;

		tk_set_reg(d, REG_QUEUE_SEL, i);
		most = tk_reg(d, REG_QUEUE_NUM_MAX);
		ret = tk_queue(d, i, queue_size < most ? queue_size : most);
	}
	return ret < 0 ? ret : tk_driver_ok(d);
}

void kit_driver_forget(struct tk_dev *d)
{
	struct kit_driver *drv;

	if (!d->virtio || !*kit_driver_of(d))
		return;
	drv = *kit_driver_of(d);
	for (struct tk_buf *b = drv->bufs; b; b = b->next)
		b->lost = true;
	for (unsigned i = 0; i < VIRTIO_MAX_QUEUES; i++)
		driver_forget_queue(&drv->queues[i]);
}

void kit_driver_destroy(struct tk_dev *d)
{
	struct kit_driver *drv;

	kit_driver_forget(d);
	if (!d->virtio || !*kit_driver_of(d))
		return;
	drv = *kit_driver_of(d);
	while (drv->bufs)
		tk_free(drv->bufs);
	free(drv);
	*kit_driver_of(d) = NULL;
}

/* ---- from one device to another ---- */

static struct kit_driver *homeless;

struct tk_driver *tk_take_driver(struct tk_dev *d)
{
	struct kit_driver *drv = d->virtio ? *kit_driver_of(d) : NULL;

	if (!drv)
		return NULL;
	*kit_driver_of(d) = NULL;
	drv->next = homeless;
	homeless = drv;
	return (struct tk_driver *)(void *)drv;
}

void tk_give_driver(struct tk_dev *d, struct tk_driver *driver)
{
	struct kit_driver *drv = (struct kit_driver *)(void *)driver, **at = &homeless;

	if (!drv)
		return;
	while (*at && *at != drv)
		at = &(*at)->next;
	if (!*at)
		kit_fail("%s is given a driver that another device has", d->cd->name);
	*at = drv->next;
	kit_driver_destroy(d);
	*kit_driver_of(d) = drv;
	for (struct tk_buf *b = drv->bufs; b; b = b->next)
		b->dev = d;
}

void kit_drivers_free(void)
{
	while (homeless) {
		struct kit_driver *drv = homeless;

		homeless = drv->next;
		for (unsigned i = 0; i < VIRTIO_MAX_QUEUES; i++)
			driver_forget_queue(&drv->queues[i]);
		while (drv->bufs) {
			struct tk_buf *b = drv->bufs;

			drv->bufs = b->next;
			free(b->parts);
			free(b);
		}
		free(drv);
	}
}

void tk_driver_reset(struct tk_dev *d)
{
	tk_set_reg(d, REG_STATUS, 0);
	kit_driver_forget(d);
}

uint64_t tk_config(struct tk_dev *d, uint32_t offset, uint32_t size)
{
	return kit_region_read(kit_virtio_window(d), REG_CONFIG + (uint64_t)offset, size);
}

void tk_set_config(struct tk_dev *d, uint32_t offset, uint32_t size, uint64_t value)
{
	kit_region_write(kit_virtio_window(d), REG_CONFIG + (uint64_t)offset, size, value);
}

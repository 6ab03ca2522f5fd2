/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of size while the guest runs.
 *
 * Whoever makes an image longer opens it for writing and closes it again (truncate, dd, fallocate),
 * of which the host tells; of what the guest itself does, whose descriptor stays open, nobody is to
 * hear.  A block device tells nobody; its size is looked at every second, as is a file's where the
 * host has no room to watch it.  The guest hears of a longer image by a change of the
 * configuration.  One that became shorter keeps its size for the guest, whose file system is there:
 * what lies past the end fails.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "block.h"
#include "watch.h"

#define LOOK_NS 1000000000ull

static bool is_raw(const struct block *b)
{
	return strcmp(b->image->ops->format, "raw") == 0;
}

static void tell(struct tenon_dev *dev)
{
	struct block *b = block_of(dev);
	uint8_t raw[8];

	for (unsigned i = 0; i < 8; i++)
		raw[i] = (uint8_t)(b->capacity / BLK_SECTOR >> (8 * i));
	if (block_virtio->config_set(dev, BLK_CFG_CAPACITY, raw, sizeof(raw)) < 0)
		block_host->log(dev, TENON_LOG_WARN, "the guest could not be told of the new size");
	else
		tenon_logf(block_host, dev, TENON_LOG_INFO, "the disk is now %llu bytes long",
			(unsigned long long)b->capacity);
}

static void look(struct tenon_dev *dev)
{
	struct block *b = block_of(dev);
	uint64_t size, capacity;

	if (host_file_size(&b->image->file, &size) < 0)
		return;
	b->image->size = size;
	capacity = config_capacity(b, size);
	if (capacity < b->capacity) {
		if (!b->shrunk)
			tenon_logf(block_host, dev, TENON_LOG_WARN,
				"\"%s\" became shorter than the disk, %llu bytes of %llu: what "
				"lies "
				"past its end fails",
				b->set.path, (unsigned long long)size,
				(unsigned long long)b->capacity);
		b->shrunk = true;
		return;
	}
	b->shrunk = false;
	if (capacity == b->capacity)
		return;
	b->capacity = capacity;
	tell(dev);
}

static void file_closed(struct tenon_dev *dev, void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	watch_drain(block_of(dev)->notify_fd);
	look(dev);
}

static void time_to_look(struct tenon_dev *dev, void *arg)
{
	(void)arg;
	look(dev);
	block_event->timer_set(block_of(dev)->size_timer, block_clock->monotonic_ns() + LOOK_NS);
}

/* -errno where the host has nobody to watch it. */
static int watch_file(struct block *b)
{
	b->notify_fd = watch_open(b->image->file.fd);
	return b->notify_fd;
}

int resize_attach(struct tenon_dev *dev)
{
	struct block *b = block_of(dev);

	if (!is_raw(b))
		return 0; /* its size is in its header, which nobody else may write */
	if (!b->image->file.is_device && watch_file(b) >= 0)
		return block_event->fd_add(
			dev, b->notify_fd, TENON_FD_READ, file_closed, NULL, &b->size_watch);
	return block_event->timer_add(dev, time_to_look, NULL, &b->size_timer);
}

int resize_resume(struct tenon_dev *dev)
{
	struct block *b = block_of(dev);

	if (!is_raw(b))
		return 0;
	look(dev);
	if (b->size_timer)
		block_event->timer_set(b->size_timer, block_clock->monotonic_ns() + LOOK_NS);
	return b->size_watch ? block_event->fd_modify(b->size_watch, TENON_FD_READ) : 0;
}

int resize_pause(struct tenon_dev *dev)
{
	struct block *b = block_of(dev);

	if (b->size_timer)
		block_event->timer_set(b->size_timer, 0);
	return b->size_watch ? block_event->fd_modify(b->size_watch, 0) : 0;
}

void resize_detach(struct tenon_dev *dev)
{
	struct block *b = block_of(dev);

	block_event->fd_remove(b->size_watch);
	b->size_watch = NULL;
	block_event->timer_remove(b->size_timer);
	b->size_timer = NULL;
	if (b->notify_fd >= 0)
		(void)close(b->notify_fd);
	b->notify_fd = -1;
}

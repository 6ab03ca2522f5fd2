/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State: whether writes are kept back.  Requests have ended when the device is saved, and the disk
 * is what it is where the device is loaded: the driver is told of a size that is another.
 */
#include "block.h"

#define TAG_WRITEBACK 1u

const struct tenon_state *block_state;

int block_save(struct tenon_dev *dev, struct tenon_state_w *w)
{
	return block_state->put_u8(w, TAG_WRITEBACK, block_of(dev)->writeback);
}

/* All but what the driver wrote. */
static int tell_disk(struct tenon_dev *dev)
{
	uint8_t config[BLK_CFG_SIZE];
	int ret;

	config_fill(block_of(dev), config);
	ret = block_virtio->config_get(dev, BLK_CFG_WRITEBACK, &config[BLK_CFG_WRITEBACK], 1);
	return ret < 0 ? ret : block_virtio->config_set(dev, 0, config, sizeof(config));
}

int block_load(struct tenon_dev *dev, struct tenon_state_r *r, uint32_t version)
{
	struct block *b = block_of(dev);
	uint8_t writeback = b->writeback;
	int ret = block_state->get_u8(r, TAG_WRITEBACK, &writeback);

	(void)version;
	if (ret < 0)
		return ret;
	/* Who cannot flush gets every write on the disk, whatever is said here. */
	b->writeback = b->active && writeback && (b->acked & BLK_F_FLUSH);
	return tell_disk(dev);
}

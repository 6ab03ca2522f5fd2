/* SPDX-License-Identifier: Apache-2.0 */
/* Features and configuration: what the driver is told of the disk, and no more than is true. */
#include <string.h>

#include "block.h"

#define SEG_MAX (BLOCK_QUEUE_SIZE - 2u) /* header and status take two descriptors */

static void put_le(uint8_t *config, uint32_t at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		config[at + i] = (uint8_t)(value >> (8 * i));
}

uint64_t config_capacity(const struct block *b, uint64_t size)
{
	return size - size % b->set.sector_size;
}

uint64_t config_features(const struct block *b)
{
	uint64_t f = BLK_F_SEG_MAX | BLK_F_BLK_SIZE | BLK_F_TOPOLOGY;

	if (b->set.n_queues > 1)
		f |= BLK_F_MQ;
	if (b->set.read_only)
		return f | BLK_F_RO;
	/* Without a flush there is nothing to choose; the driver then sends none. */
	if (b->set.cache != CACHE_UNSAFE)
		f |= BLK_F_FLUSH | BLK_F_CONFIG_WCE;
	if (b->set.discard && b->image->can_discard)
		f |= BLK_F_DISCARD;
	return f | BLK_F_WRITE_ZEROES;
}

static unsigned log2_of(uint32_t value)
{
	return value ? 31u - (unsigned)__builtin_clz(value) : 0;
}

void config_fill(const struct block *b, uint8_t config[BLK_CFG_SIZE])
{
	uint32_t sector = b->set.sector_size;
	uint32_t physical = b->image->file.physical > sector ? b->image->file.physical : sector;
	uint32_t best = b->image->best_size > physical ? b->image->best_size : physical;
	uint32_t most = BLOCK_RANGE_SECTORS - BLOCK_RANGE_SECTORS % (sector / BLK_SECTOR);

	memset(config, 0, BLK_CFG_SIZE);
	put_le(config, BLK_CFG_CAPACITY, b->capacity / BLK_SECTOR, 8);
	put_le(config, BLK_CFG_SEG_MAX, SEG_MAX, 4);
	put_le(config, BLK_CFG_BLK_SIZE, sector, 4);
	put_le(config, BLK_CFG_PHYSICAL_EXP, log2_of(physical / sector), 1);
	put_le(config, BLK_CFG_MIN_IO, physical / sector, 2);
	put_le(config, BLK_CFG_OPT_IO, best > physical ? best / sector : 0, 4);
	put_le(config, BLK_CFG_WRITEBACK, b->set.cache == CACHE_WRITEBACK, 1);
	put_le(config, BLK_CFG_NUM_QUEUES, b->set.n_queues, 2);
	if (b->features & BLK_F_DISCARD) {
		put_le(config, BLK_CFG_DISCARD_SECTORS, most, 4);
		put_le(config, BLK_CFG_DISCARD_SEGS, REQUEST_RANGES, 4);
		put_le(config, BLK_CFG_DISCARD_ALIGN, best / BLK_SECTOR, 4);
	}
	if (b->features & BLK_F_WRITE_ZEROES) {
		put_le(config, BLK_CFG_ZEROES_SECTORS, most, 4);
		put_le(config, BLK_CFG_ZEROES_SEGS, REQUEST_RANGES, 4);
		put_le(config, BLK_CFG_ZEROES_UNMAP, (b->features & BLK_F_DISCARD) != 0, 1);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the driver can ask of the device (5.8.4, 5.8.5): a page for each pair of select and subsel.
 */
#include <endian.h>
#include <linux/virtio_input.h>
#include <string.h>

#include "input.h"

static struct input_page *add(struct input_pages *pages, uint8_t select, uint8_t subsel)
{
	struct input_page *page = &pages->page[pages->n];

	pages->table[pages->n++] = (struct tenon_virtio_page){
		.key = { select, subsel }, .size = sizeof(*page), .bytes = page
	};
	return page;
}

/* Nothing at all stands for what the device has not got. */
static void add_bytes(
	struct input_pages *pages, uint8_t select, uint8_t subsel, const void *bytes, size_t size)
{
	struct input_page *page;

	if (size == 0)
		return;
	page = add(pages, select, subsel);
	memcpy(page->bytes, bytes, size);
	page->size = (uint8_t)size;
}

/* Up to the last byte that is not 0. */
static void add_bits(
	struct input_pages *pages, uint8_t select, uint8_t subsel, const struct input_bits *bits)
{
	size_t size = INPUT_BYTES;

	while (size > 0 && bits->bytes[size - 1] == 0)
		size--;
	add_bytes(pages, select, subsel, bits->bytes, size);
}

static void add_axis(struct input_pages *pages, uint8_t code, const struct input_axis *axis)
{
	const struct virtio_input_absinfo info = {
		.min = htole32((uint32_t)axis->min),
		.max = htole32((uint32_t)axis->max),
		.fuzz = htole32((uint32_t)axis->fuzz),
		.flat = htole32((uint32_t)axis->flat),
		.res = htole32((uint32_t)axis->resolution),
	};

	add_bytes(pages, VIRTIO_INPUT_CFG_ABS_INFO, code, &info, sizeof(info));
}

void pages_make(struct input_pages *pages, const struct input_abilities *can)
{
	const struct virtio_input_devids ids = {
		.bustype = htole16(can->bus),
		.vendor = htole16(can->vendor),
		.product = htole16(can->product),
		.version = htole16(can->version),
	};

	memset(pages, 0, sizeof(*pages));
	add_bytes(pages, VIRTIO_INPUT_CFG_ID_NAME, 0, can->name, strlen(can->name));
	add_bytes(pages, VIRTIO_INPUT_CFG_ID_SERIAL, 0, can->serial, strlen(can->serial));
	add_bytes(pages, VIRTIO_INPUT_CFG_ID_DEVIDS, 0, &ids, sizeof(ids));
	add_bits(pages, VIRTIO_INPUT_CFG_PROP_BITS, 0, &can->properties);
	for (unsigned type = EV_SYN + 1; type < EV_CNT; type++)
		if (bit_is_set(&can->types, type))
			add_bits(pages, VIRTIO_INPUT_CFG_EV_BITS, (uint8_t)type, &can->codes[type]);
	for (unsigned code = 0; code < ABS_CNT; code++)
		if (input_can(can, EV_ABS, code))
			add_axis(pages, (uint8_t)code, &can->axes[code]);
}

bool input_can(const struct input_abilities *can, unsigned type, unsigned code)
{
	return type < EV_CNT && bit_is_set(&can->types, type) &&
	       bit_is_set(&can->codes[type], code);
}

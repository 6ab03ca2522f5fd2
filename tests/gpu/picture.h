/* SPDX-License-Identifier: Apache-2.0 */
/* The picture that the guest draws and the host expects, pixel for pixel, and what is written of
 * it. */
#ifndef TESTS_GPU_PICTURE_H
#define TESTS_GPU_PICTURE_H

#include <stdint.h>

#define CURSOR_ARGB 0xff20c040u
#define CURSOR_X    37
#define CURSOR_Y    41

/* XRGB8888: no two rows, columns or sizes are alike. */
static inline uint32_t picture_pixel(uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	return ((x * 2654435761u ^ y * 40503u ^ width << 7 ^ height << 3) >> 3) & 0xffffffu;
}

/* In front of the pixels in the file, all 32 bits in the host's order. */
struct picture_head {
	uint32_t width, height, format;
	uint32_t cursor_visible, cursor_argb;
	int32_t cursor_x, cursor_y;
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* tenon/pixels.h - for viewers: the pixels of a surface, whatever their format, as XRGB8888. */
#ifndef TENON_PIXELS_H
#define TENON_PIXELS_H

#include <tenon/display.h>

/* One pixel of TENON_FORMAT_* @format, as 0x00RRGGBB. */
static inline uint32_t tenon_pixel_rgb(uint32_t format, uint32_t word)
{
	switch (format) {
	case TENON_FORMAT_XBGR8888:
	case TENON_FORMAT_ABGR8888:
		return (word & 0xff) << 16 | (word & 0xff00) | (word >> 16 & 0xff);
	case TENON_FORMAT_RGBX8888:
	case TENON_FORMAT_RGBA8888:
		return word >> 8;
	case TENON_FORMAT_BGRX8888:
	case TENON_FORMAT_BGRA8888:
		return (word & 0xff00) << 8 | (word >> 8 & 0xff00) | word >> 24;
	default:
		return word & 0xffffff;
	}
}

/*
 * Copies what @rect has of the surface, which it must lie in, between lock() and unlock(); @to is
 * where the surface's first pixel goes, and @stride is in pixels.
 */
static inline void tenon_surface_copy(const struct tenon_surface *surface,
	const struct tenon_rect *rect, uint32_t *to, size_t stride)
{
	const unsigned char *from = (const unsigned char *)surface->pixels;
	uint32_t x, y;

	for (y = rect->y; y < rect->y + rect->height; y++) {
		const unsigned char *p = from + (size_t)y * surface->stride + (size_t)rect->x * 4;
		uint32_t *line = to + y * stride;

		for (x = rect->x; x < rect->x + rect->width; x++, p += 4)
			line[x] = tenon_pixel_rgb(surface->format,
				(uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
					(uint32_t)p[3] << 24);
	}
}

#endif

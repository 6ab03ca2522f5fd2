/* SPDX-License-Identifier: Apache-2.0 */
/* compare FILE WIDTH HEIGHT: whether FILE, as `look` wrote it, is the picture of that size. */
#include <stdio.h>
#include <stdlib.h>

#include "picture.h"

static int wrong(const char *what, long long found, long long wanted)
{
	printf("compare: %s is 0x%llx, wanted 0x%llx\n", what, found, wanted);
	return 1;
}

int main(int argc, char **argv)
{
	struct picture_head head;
	uint32_t width, height, pixel;
	FILE *f = argc == 4 ? fopen(argv[1], "rb") : NULL;
	char where[64];

	if (!f || fread(&head, sizeof(head), 1, f) != 1) {
		puts("compare: there is no picture");
		return 1;
	}
	width = (uint32_t)strtoul(argv[2], NULL, 10);
	height = (uint32_t)strtoul(argv[3], NULL, 10);
	if (head.width != width || head.height != height)
		return wrong("the size", (long long)head.width << 32 | head.height,
			(long long)width << 32 | height);
	if (head.format != 0x34325258u)
		return wrong("the format", head.format, 0x34325258u);
	for (uint32_t i = 0; i < width * height; i++) {
		if (fread(&pixel, sizeof(pixel), 1, f) != 1)
			return wrong("the length", i, (long long)width * height);
		if ((pixel & 0xffffffu) == picture_pixel(i % width, i / width, width, height))
			continue;
		(void)snprintf(where, sizeof(where), "pixel %u, %u", i % width, i / width);
		return wrong(where, pixel, picture_pixel(i % width, i / width, width, height));
	}
	if (!head.cursor_visible || head.cursor_argb != CURSOR_ARGB)
		return wrong("the cursor", head.cursor_argb, CURSOR_ARGB);
	if (head.cursor_x != CURSOR_X || head.cursor_y != CURSOR_Y)
		return wrong("its place", head.cursor_x << 16 | head.cursor_y,
			CURSOR_X << 16 | CURSOR_Y);
	printf("%ux%u pixels and the cursor are right\n", width, height);
	return 0;
}

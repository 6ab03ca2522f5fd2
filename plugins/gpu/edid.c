/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a monitor says of itself: VESA Enhanced EDID, release A revision 2 (EDID 1.4), of one block.
 * Its preferred timing is computed by VESA's Coordinated Video Timings 1.1 with reduced blanking,
 * at 60 Hz, or at a part of that where the pixel clock would not fit.
 */
#include <stdio.h>
#include <string.h>

#include "gpu.h"

#define DESCRIPTOR    18u
#define DESCRIPTORS   54u /* where they begin */
#define MAX_CLOCK_KHZ 655350u
#define DPI           96u

/* CVT 1.1, 3.4.1: reduced blanking. */
#define H_BLANK            160u
#define H_FRONT            48u
#define H_SYNC             32u
#define V_FRONT            3u
#define V_BACK_MIN         6u
#define V_BLANK_MIN_NS     460000u
#define CLOCK_STEP_KHZ     250u
#define NS_PER_S           1000000000ull
#define MIN_LINES(v_sync_) (V_FRONT + (v_sync_) + V_BACK_MIN)

struct timing {
	uint32_t width, height, v_blank, v_sync, hz, clock_khz;
};

/* The width of the vertical sync tells the aspect ratio (CVT 1.1, table 3-2). */
static uint32_t v_sync_of(uint32_t width, uint32_t height)
{
	static const struct {
		uint8_t w, h, lines;
	} ratios[] = { { 4, 3, 4 }, { 16, 9, 5 }, { 16, 10, 6 }, { 5, 4, 7 }, { 15, 9, 7 } };

	for (size_t i = 0; i < sizeof(ratios) / sizeof(ratios[0]); i++)
		if (width * ratios[i].h == height * ratios[i].w)
			return ratios[i].lines;
	return 10;
}

static void compute(struct timing *t, uint32_t width, uint32_t height, uint32_t hz)
{
	const uint64_t shown_ns = NS_PER_S / hz - V_BLANK_MIN_NS;
	uint64_t clock_khz;

	t->width = width;
	t->height = height;
	t->hz = hz;
	t->v_sync = v_sync_of(width, height);
	t->v_blank = (uint32_t)((uint64_t)V_BLANK_MIN_NS * height / shown_ns) + 1;
	if (t->v_blank < MIN_LINES(t->v_sync))
		t->v_blank = MIN_LINES(t->v_sync);
	clock_khz = (uint64_t)(width + H_BLANK) * (height + t->v_blank) * hz / 1000;
	t->clock_khz = (uint32_t)(clock_khz / CLOCK_STEP_KHZ * CLOCK_STEP_KHZ);
	if (t->clock_khz == 0)
		t->clock_khz = CLOCK_STEP_KHZ;
}

static void put16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

/* A detailed timing (3.10.2). */
static void put_timing(uint8_t *d, const struct timing *t)
{
	const uint32_t width_mm = t->width * 254 / (DPI * 10),
		       height_mm = t->height * 254 / (DPI * 10);

	put16(d, t->clock_khz / 10);
	d[2] = (uint8_t)t->width;
	d[3] = (uint8_t)H_BLANK;
	d[4] = (uint8_t)(t->width >> 8 << 4 | H_BLANK >> 8);
	d[5] = (uint8_t)t->height;
	d[6] = (uint8_t)t->v_blank;
	d[7] = (uint8_t)(t->height >> 8 << 4 | t->v_blank >> 8);
	d[8] = H_FRONT;
	d[9] = H_SYNC;
	d[10] = (uint8_t)((V_FRONT & 15) << 4 | (t->v_sync & 15));
	d[12] = (uint8_t)width_mm;
	d[13] = (uint8_t)height_mm;
	d[14] = (uint8_t)(width_mm >> 8 << 4 | height_mm >> 8);
	d[17] = 0x1a; /* not interlaced, digital separate sync: horizontal positive, vertical not */
}

/* A descriptor of text (3.10.3). */
static void put_text(uint8_t *d, uint8_t tag, const char *text)
{
	const size_t n = strlen(text);

	d[3] = tag;
	memset(d + 5, ' ', 13);
	memcpy(d + 5, text, n < 13 ? n : 13);
	if (n < 13)
		d[5 + n] = '\n';
}

/* What the monitor can follow (3.10.3.3): wide enough for its one timing. */
static void put_limits(uint8_t *d, const struct timing *t)
{
	const uint32_t h_khz = t->clock_khz / (t->width + H_BLANK);

	d[3] = 0xfd;
	d[4] = h_khz + 1 > 255 ? 0x08 : 0; /* the maximum is that and 255 */
	d[5] = 1;
	d[6] = 75;
	d[7] = 1;
	d[8] = (uint8_t)(h_khz + 1 > 255 ? h_khz + 1 - 255 : h_khz + 1 > 32 ? h_khz + 1 : 32);
	d[9] = (uint8_t)((t->clock_khz + 9999) / 10000);
	d[10] = 0x01; /* range limits only */
	d[11] = '\n';
	memset(d + 12, ' ', 6);
}

void edid_make(uint8_t edid[EDID_SIZE], uint32_t width, uint32_t height, uint32_t serial)
{
	/* Up to the descriptors: header, "TNN", product 1, version 1.4, digital with 8 bits for
	 * each colour, sRGB, the three oldest timings. */
	static const uint8_t head[DESCRIPTORS] = { 0, 255, 255, 255, 255, 255, 255, 0, 0x51, 0xce,
		1, 0, 0, 0, 0, 0, 255, 36, 1, 4, 0xa0, 0, 0, 120, 0x06, 0xee, 0x91, 0xa3, 0x54,
		0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54, 0x21, 0x08, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		1, 1, 1, 1, 1 };
	uint32_t hz = 60, cm;
	uint8_t sum = 0;
	struct timing t;
	char text[16];

	do {
		compute(&t, width, height, hz);
		hz /= 2;
	} while (t.clock_khz > MAX_CLOCK_KHZ);
	memset(edid, 0, EDID_SIZE);
	memcpy(edid, head, sizeof(head));
	put16(edid + 12, serial);
	cm = width * 254 / (DPI * 100);
	edid[21] = (uint8_t)(cm > 255 ? 255 : cm > 0 ? cm : 1);
	cm = height * 254 / (DPI * 100);
	edid[22] = (uint8_t)(cm > 255 ? 255 : cm > 0 ? cm : 1);
	(void)snprintf(text, sizeof(text), "screen-%u", serial % 1000);
	put_timing(edid + DESCRIPTORS, &t);
	put_limits(edid + DESCRIPTORS + DESCRIPTOR, &t);
	put_text(edid + DESCRIPTORS + 2ull * DESCRIPTOR, 0xfc, "Tenon");
	put_text(edid + DESCRIPTORS + 3ull * DESCRIPTOR, 0xff, text);
	for (unsigned i = 0; i < EDID_SIZE - 1; i++)
		sum = (uint8_t)(sum + edid[i]);
	edid[EDID_SIZE - 1] = (uint8_t)-sum;
}

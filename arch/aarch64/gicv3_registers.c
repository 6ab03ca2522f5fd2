/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The GICv3's registers in memory (IHI 0069, chapters 12.9 to 12.11).
 *
 * Registers are served byte by byte, so that accesses of every aligned width do what the same bytes
 * of the architecture's own width would: each byte of a bitmap has eight interrupts, of IPRIORITYR
 * one, of ICFGR four.  What is not there reads as zero and takes no writes.
 */
#include "arch/aarch64/aarch64.h"
#include "arch/aarch64/gicv3_private.h"
#include "core/bus.h"

/* Of the distributor. */
#define GICD_CTLR    0x0000u
#define GICD_TYPER   0x0004u
#define GICD_IROUTER 0x6000u

#define CTLR_GROUPS 0x03u
#define CTLR_ARE    0x10u
#define CTLR_DS     0x40u

#define TYPER_LINES   (GIC_WORDS - 1)
#define TYPER_ID_BITS (9u << 19) /* 10 bits */
#define TYPER_A3V     (1u << 24)
#define TYPER_NO_1N   (1u << 25)

#define ROUTER_BITS 0xff00ffffffull

/* Of a redistributor: two pages of 64 KiB. */
#define GICR_IIDR     0x0004u
#define GICR_TYPER    0x0008u
#define GICR_WAKER    0x0014u
#define GICR_SGI_PAGE 0x10000u

#define TYPER_LAST   (1u << 4)
#define WAKER_SLEEP  (1u << 1)
#define WAKER_ASLEEP (1u << 2)

/* Of both. */
#define GIC_IIDR    0x0008u
#define IIDR        0x54000000u /* a product of nobody who is registered */
#define BITMAPS     0x0080u
#define BITMAP_SIZE 0x0080u
#define IPRIORITYR  0x0400u
#define ICFGR       0x0c00u
#define PIDR2       0xffe8u
#define ARCH_REV    0x30u
#define CIDR0       0xfff0u

enum bitmap {
	GROUP,
	SET_ENABLE,
	CLEAR_ENABLE,
	SET_PENDING,
	CLEAR_PENDING,
	SET_ACTIVE,
	CLEAR_ACTIVE
};

/* Interrupts of a window: of the distributor all but the first 32, which are in the other one. */
struct view {
	struct arch_irqchip *gic;
	struct gic_word *words;
	uint32_t first, end; /* words that are there */
};

static struct gic_word *word_at(const struct view *v, uint32_t index)
{
	return index >= v->first && index < v->end ? &v->words[index] : NULL;
}

static uint8_t byte_of(uint64_t value, uint32_t index)
{
	return (uint8_t)(value >> 8 * index);
}

/* ---- what both have ---- */

static uint8_t read_id(uint32_t at)
{
	static const uint8_t cidr[] = { 0x0d, 0xf0, 0x05, 0xb1 };

	if (at == PIDR2)
		return ARCH_REV;
	return at >= CIDR0 && at % 4 == 0 ? cidr[(at - CIDR0) / 4] : 0;
}

static uint8_t read_bitmap(const struct view *v, uint32_t at)
{
	uint32_t byte = at % BITMAP_SIZE, shift = byte % 4 * 8;
	const struct gic_word *w = word_at(v, byte / 4);

	if (!w)
		return 0;
	switch ((enum bitmap)((at - BITMAPS) / BITMAP_SIZE)) {
	case GROUP:
		return (uint8_t)(w->group >> shift);
	case SET_ENABLE:
	case CLEAR_ENABLE:
		return (uint8_t)(w->enabled >> shift);
	case SET_PENDING:
	case CLEAR_PENDING:
		return (uint8_t)(gic_pending(w) >> shift);
	case SET_ACTIVE:
	case CLEAR_ACTIVE:
		return (uint8_t)(w->active >> shift);
	}
	return 0;
}

static void write_bitmap(const struct view *v, uint32_t at, uint8_t value)
{
	uint32_t byte = at % BITMAP_SIZE, shift = byte % 4 * 8, bits = (uint32_t)value << shift;
	struct gic_word *w = word_at(v, byte / 4);

	if (!w)
		return;
	switch ((enum bitmap)((at - BITMAPS) / BITMAP_SIZE)) {
	case GROUP:
		w->group = (w->group & ~(0xffu << shift)) | bits;
		return;
	case SET_ENABLE:
		w->enabled |= bits;
		return;
	case CLEAR_ENABLE:
		w->enabled &= ~bits;
		return;
	case SET_PENDING:
		w->latched |= bits;
		return;
	case CLEAR_PENDING:
		w->latched &= ~bits;
		return;
	case SET_ACTIVE:
		w->active |= bits;
		return;
	case CLEAR_ACTIVE:
		w->active &= ~bits;
		return;
	}
}

/* Two bits for each of four interrupts, of which the upper one counts. */
static uint8_t read_config(const struct view *v, uint32_t first)
{
	const struct gic_word *w = word_at(v, first / 32);
	uint8_t value = 0;

	for (uint32_t i = 0; w && i < 4; i++)
		value |= (uint8_t)((w->edge >> (first + i) % 32 & 1) << (2 * i + 1));
	return value;
}

static void write_config(const struct view *v, uint32_t first, uint8_t value)
{
	struct gic_word *w = word_at(v, first / 32);

	if (!w || first < GIC_SGIS)
		return;
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t bit = 1u << (first + i) % 32;

		w->edge = value >> (2 * i + 1) & 1 ? w->edge | bit : w->edge & ~bit;
	}
}

static uint8_t read_common(const struct view *v, uint32_t at)
{
	const struct gic_word *w = word_at(v, (at - IPRIORITYR) / 32);

	if (at >= BITMAPS && at < IPRIORITYR)
		return read_bitmap(v, at);
	if (at >= IPRIORITYR && at < IPRIORITYR + GIC_INTIDS)
		return w ? w->priority[at % 32] : 0;
	if (at >= ICFGR && at < ICFGR + GIC_INTIDS / 4)
		return read_config(v, (at - ICFGR) * 4);
	return 0;
}

static void write_common(const struct view *v, uint32_t at, uint8_t value)
{
	struct gic_word *w = word_at(v, (at - IPRIORITYR) / 32);

	if (at >= BITMAPS && at < IPRIORITYR)
		write_bitmap(v, at, value);
	else if (at >= IPRIORITYR && at < IPRIORITYR + GIC_INTIDS && w)
		w->priority[at % 32] = value & GIC_PRIORITY;
	else if (at >= ICFGR && at < ICFGR + GIC_INTIDS / 4)
		write_config(v, (at - ICFGR) * 4, value);
}

/* ---- the distributor ---- */

static struct view distributor(struct arch_irqchip *gic)
{
	return (struct view){ gic, gic->state->spis, 1, GIC_WORDS };
}

static bool is_router(uint32_t at, uint32_t *ret_intid)
{
	*ret_intid = (at - GICD_IROUTER) / 8;
	return at >= GICD_IROUTER && *ret_intid >= GIC_OWN && *ret_intid < GIC_INTIDS;
}

static uint8_t read_distributor(const struct view *v, uint32_t at)
{
	const struct gic_state *s = v->gic->state;
	uint32_t intid;

	if (is_router(at, &intid))
		return byte_of(s->router[intid], at % 8);
	switch (at & ~3u) {
	case GICD_CTLR:
		return byte_of(CTLR_DS | CTLR_ARE | s->groups_on, at % 4);
	case GICD_TYPER:
		return byte_of(TYPER_LINES | TYPER_ID_BITS | TYPER_A3V | TYPER_NO_1N, at % 4);
	case GIC_IIDR:
		return byte_of(IIDR, at % 4);
	default:
		return at >= PIDR2 ? read_id(at) : read_common(v, at);
	}
}

static void write_router(struct arch_irqchip *gic, uint32_t intid, uint32_t byte, uint8_t value)
{
	uint64_t *router = &gic->state->router[intid];

	*router = (*router & ~(UINT64_C(0xff) << 8 * byte)) | (uint64_t)value << 8 * byte;
	*router &= ROUTER_BITS;
	gic->state->target[intid] = gic_vcpu_of(gic, *router);
}

static void write_distributor(const struct view *v, uint32_t at, uint8_t value)
{
	uint32_t intid;

	if (is_router(at, &intid))
		write_router(v->gic, intid, at % 8, value);
	else if (at == GICD_CTLR)
		v->gic->state->groups_on = value & CTLR_GROUPS;
	else
		write_common(v, at, value);
}

/* ---- redistributors ---- */

static struct view redistributor(struct arch_irqchip *gic, uint32_t vcpu)
{
	return (struct view){ gic, &gic->state->cpus[vcpu].own, 0, 1 };
}

static uint64_t typer(const struct arch_irqchip *gic, uint32_t vcpu)
{
	return (uint64_t)arm_mpidr(vcpu) << 32 | vcpu << 8 | (vcpu + 1 == gic->n ? TYPER_LAST : 0);
}

static uint8_t read_redistributor(const struct view *v, uint32_t vcpu, uint32_t at)
{
	if (at >= GICR_SGI_PAGE)
		return read_common(v, at - GICR_SGI_PAGE);
	switch (at & ~3u) {
	case GICR_IIDR:
		return byte_of(IIDR, at % 4);
	case GICR_TYPER:
	case GICR_TYPER + 4:
		return byte_of(typer(v->gic, vcpu), at % 8);
	case GICR_WAKER:
		return byte_of(
			v->gic->state->cpus[vcpu].asleep ? WAKER_SLEEP | WAKER_ASLEEP : 0, at % 4);
	default:
		return read_id(at);
	}
}

static void write_redistributor(const struct view *v, uint32_t vcpu, uint32_t at, uint8_t value)
{
	if (at >= GICR_SGI_PAGE)
		write_common(v, at - GICR_SGI_PAGE, value);
	else if (at == GICR_WAKER)
		v->gic->state->cpus[vcpu].asleep = value & WAKER_SLEEP;
}

/* ---- accesses ---- */

static uint64_t distributor_read(void *opaque, uint64_t offset, uint32_t size)
{
	struct arch_irqchip *gic = opaque;
	struct view v = distributor(gic);
	uint64_t value = 0;

	if (offset % size)
		return 0;
	(void)pthread_mutex_lock(&gic->lock);
	for (uint32_t i = 0; i < size; i++)
		value |= (uint64_t)read_distributor(&v, (uint32_t)offset + i) << 8 * i;
	(void)pthread_mutex_unlock(&gic->lock);
	return value;
}

static void distributor_write(void *opaque, uint64_t offset, uint32_t size, uint64_t value)
{
	struct arch_irqchip *gic = opaque;
	struct view v = distributor(gic);

	if (offset % size)
		return;
	(void)pthread_mutex_lock(&gic->lock);
	for (uint32_t i = 0; i < size; i++)
		write_distributor(&v, (uint32_t)offset + i, byte_of(value, i));
	gic_update_all(gic);
	(void)pthread_mutex_unlock(&gic->lock);
}

static uint64_t redistributor_read(void *opaque, uint64_t offset, uint32_t size)
{
	struct arch_irqchip *gic = opaque;
	uint32_t vcpu = (uint32_t)(offset / ARM_GICR_SIZE), at = (uint32_t)(offset % ARM_GICR_SIZE);
	struct view v = redistributor(gic, vcpu);
	uint64_t value = 0;

	if (offset % size)
		return 0;
	(void)pthread_mutex_lock(&gic->lock);
	for (uint32_t i = 0; i < size; i++)
		value |= (uint64_t)read_redistributor(&v, vcpu, at + i) << 8 * i;
	(void)pthread_mutex_unlock(&gic->lock);
	return value;
}

static void redistributor_write(void *opaque, uint64_t offset, uint32_t size, uint64_t value)
{
	struct arch_irqchip *gic = opaque;
	uint32_t vcpu = (uint32_t)(offset / ARM_GICR_SIZE), at = (uint32_t)(offset % ARM_GICR_SIZE);
	struct view v = redistributor(gic, vcpu);

	if (offset % size)
		return;
	(void)pthread_mutex_lock(&gic->lock);
	for (uint32_t i = 0; i < size; i++)
		write_redistributor(&v, vcpu, at + i, byte_of(value, i));
	gic_update(gic, vcpu);
	(void)pthread_mutex_unlock(&gic->lock);
}

const struct bus_ops gic_distributor_ops = { distributor_read, distributor_write };
const struct bus_ops gic_redistributor_ops = { redistributor_read, redistributor_write };

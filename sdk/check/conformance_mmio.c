/* SPDX-License-Identifier: Apache-2.0 */
/* The registers of virtio over MMIO and the configuration behind them (4.2.2, 2.5). */
#include <string.h>

#include "sdk/check/conformance.h"

#define MAX_CONFIG 256u

/* ---- what is always there ---- */

const char *magic_value(struct tk_dev *d)
{
	TK_EQ(tk_reg(d, REG_MAGIC), 0x74726976);
	return NULL;
}

const char *version_2(struct tk_dev *d)
{
	TK_EQ(tk_reg(d, REG_VERSION), 2);
	return NULL;
}

const char *device_id_is_set(struct tk_dev *d)
{
	TK_TRUE(tk_device_id(d) != 0);
	return NULL;
}

const char *feature_words_past_the_end_are_zero(struct tk_dev *d)
{
	for (uint32_t word = 2; word != 0; word <<= 1) {
		tk_set_reg(d, REG_DEVICE_FEATURES_SEL, word);
		TK_EQ(tk_reg(d, REG_DEVICE_FEATURES), 0);
	}
	tk_set_reg(d, REG_DEVICE_FEATURES_SEL, UINT32_MAX);
	TK_EQ(tk_reg(d, REG_DEVICE_FEATURES), 0);
	return NULL;
}

const char *queues_past_the_end_have_no_size(struct tk_dev *d)
{
	uint32_t n = tk_n_queues(d);

	TK_TRUE(n > 0);
	for (uint32_t queue = n; queue < n + 3; queue++) {
		tk_set_reg(d, REG_QUEUE_SEL, queue);
		TK_EQ(tk_reg(d, REG_QUEUE_NUM_MAX), 0);
		tk_set_reg(d, REG_QUEUE_READY, 1);
		TK_EQ(tk_reg(d, REG_QUEUE_READY), 0);
	}
	tk_set_reg(d, REG_QUEUE_SEL, UINT32_MAX);
	TK_EQ(tk_reg(d, REG_QUEUE_NUM_MAX), 0);
	return NULL;
}

const char *shm_that_is_not_there_has_all_ones(struct tk_dev *d)
{
	tk_set_reg(d, REG_SHM_SEL, 255);
	TK_EQ(tk_reg(d, REG_SHM_LEN_LOW), UINT32_MAX);
	TK_EQ(tk_reg(d, REG_SHM_LEN_HIGH), UINT32_MAX);
	return NULL;
}

/* ---- interrupt status ---- */

const char *interrupt_status_lasts_until_ack(struct tk_dev *d)
{
	struct willing w;

	if (!find_willing(d, &w))
		return NOT_WILLING;
	(void)ask_willing(d, &w);
	for (int i = 0; i < 3; i++)
		TK_TRUE(tk_reg(d, REG_INTERRUPT_STATUS) & INT_QUEUE);
	tk_set_reg(d, REG_INTERRUPT_ACK, INT_CONFIG); /* another event's */
	TK_TRUE(tk_reg(d, REG_INTERRUPT_STATUS) & INT_QUEUE);
	tk_set_reg(d, REG_INTERRUPT_ACK, INT_QUEUE);
	TK_EQ(tk_reg(d, REG_INTERRUPT_STATUS) & INT_QUEUE, 0);
	(void)ask_willing(d, &w);
	TK_TRUE(tk_reg(d, REG_INTERRUPT_STATUS) & INT_QUEUE);
	return NULL;
}

/* The events are a used buffer and, where the generation says so, a changed configuration. */
static void only_events(struct tk_dev *d, uint32_t generation, uint32_t queue)
{
	uint32_t config = tk_reg(d, REG_CONFIG_GENERATION) != generation ? INT_CONFIG : 0;

	TK_EQ(tk_reg(d, REG_INTERRUPT_STATUS) & ~config, queue);
}

const char *interrupt_status_has_no_other_bits(struct tk_dev *d)
{
	uint32_t generation = tk_reg(d, REG_CONFIG_GENERATION);
	struct willing w;

	TK_EQ(tk_reg(d, REG_INTERRUPT_STATUS), 0);
	if (!find_willing(d, &w))
		return NOT_WILLING;
	only_events(d, generation, 0);
	for (int i = 0; i < 3; i++) {
		tk_set_reg(d, REG_INTERRUPT_ACK, INT_QUEUE | INT_CONFIG);
		TK_EQ(tk_reg(d, REG_INTERRUPT_STATUS), 0);
		generation = tk_reg(d, REG_CONFIG_GENERATION);
		(void)ask_willing(d, &w);
		only_events(d, generation, INT_QUEUE);
	}
	return NULL;
}

const char *reset_clears_interrupt_status(struct tk_dev *d)
{
	struct willing w;

	if (!find_willing(d, &w))
		return NOT_WILLING;
	(void)ask_willing(d, &w);
	TK_TRUE(tk_reg(d, REG_INTERRUPT_STATUS) != 0);
	tk_driver_reset(d);
	TK_EQ(tk_reg(d, REG_INTERRUPT_STATUS), 0);
	return NULL;
}

/* ---- queues ---- */

const char *reset_clears_queue_ready(struct tk_dev *d)
{
	unsigned n = tk_n_queues(d);

	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	for (unsigned i = 0; i < n; i++) {
		tk_set_reg(d, REG_QUEUE_SEL, i);
		TK_EQ(tk_reg(d, REG_QUEUE_READY), 1);
	}
	tk_driver_reset(d);
	for (unsigned i = 0; i < n; i++) {
		tk_set_reg(d, REG_QUEUE_SEL, i);
		TK_EQ(tk_reg(d, REG_QUEUE_READY), 0);
	}
	return NULL;
}

/* Everything about the queue is told but that it is ready. */
const char *queue_that_is_not_ready_is_left_alone(struct tk_dev *d)
{
	struct willing w;
	struct tk_buf *b;

	if (!find_willing(d, &w))
		return NOT_WILLING;
	tk_driver_reset(d);
	TK_EQ(tk_negotiate(d, UINT64_MAX), 0);
	for (unsigned i = 0; i < tk_n_queues(d); i++)
		TK_EQ(tk_queue(d, i, 0), 0);
	tk_set_reg(d, REG_QUEUE_SEL, w.queue);
	tk_set_reg(d, REG_QUEUE_READY, 0);
	TK_EQ(tk_reg(d, REG_QUEUE_READY), 0);
	b = add_willing(d, &w);
	tk_mem_watch();
	tk_set_reg(d, REG_STATUS, tk_status(d) | TK_S_DRIVER_OK);
	tk_kick(d, w.queue);
	tk_run_until_idle(d);
	tk_advance_ms(1000);
	tk_mem_check();
	if (tk_used_len(b) >= 0)
		CHECK_FAIL("a queue was used that is not ready");
	return NULL;
}

/* ---- configuration ---- */

static unsigned read_config(struct tk_dev *d, uint8_t *to)
{
	unsigned size = 0;

	for (unsigned i = 0; i < MAX_CONFIG; i++) {
		to[i] = (uint8_t)tk_config(d, i, 1);
		if (to[i])
			size = i + 1;
	}
	return size;
}

#define NO_CONFIG "it has no configuration, or one of zeroes"

const char *config_is_readable_before_features_ok(struct tk_dev *d)
{
	uint8_t first[MAX_CONFIG], acknowledged[MAX_CONFIG], running[MAX_CONFIG];
	unsigned size = read_config(d, first);

	tk_set_reg(d, REG_STATUS, TK_S_ACKNOWLEDGE | TK_S_DRIVER);
	(void)read_config(d, acknowledged);
	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	if (read_config(d, running) == 0 && size == 0)
		return NO_CONFIG;
	TK_MEM_EQ(acknowledged, running, MAX_CONFIG);
	TK_MEM_EQ(first, running, MAX_CONFIG);
	return NULL;
}

static uint64_t little_endian(const uint8_t *bytes, unsigned n)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < n; i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return value;
}

/* As far as a whole access fits into the configuration, whose end nothing tells. */
const char *config_reads_alike_in_every_width(struct tk_dev *d)
{
	uint8_t bytes[MAX_CONFIG];
	unsigned size = read_config(d, bytes);

	if (size == 0)
		return NO_CONFIG;
	for (unsigned width = 2; width <= 4; width *= 2)
		for (unsigned i = 0; i + width <= size; i += width)
			if (tk_config(d, i, width) != little_endian(bytes + i, width))
				CHECK_FAIL(
					"%u bytes at %u of the configuration read as 0x%llx, byte "
					"by "
					"byte as 0x%llx",
					width, i, (unsigned long long)tk_config(d, i, width),
					(unsigned long long)little_endian(bytes + i, width));
	return NULL;
}

const char *generation_rests_while_config_does(struct tk_dev *d)
{
	uint8_t before[MAX_CONFIG], after[MAX_CONFIG];
	uint32_t generation;

	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	generation = tk_reg(d, REG_CONFIG_GENERATION);
	(void)read_config(d, before);
	for (int i = 0; i < 10; i++) {
		(void)tk_step();
		(void)read_config(d, after);
	}
	TK_MEM_EQ(before, after, MAX_CONFIG);
	TK_EQ(tk_reg(d, REG_CONFIG_GENERATION), generation);
	return NULL;
}

/* What may make a device change its configuration: its terminal's size, what its driver writes. */
static int change_config(struct tk_dev *d)
{
	uint8_t before[MAX_CONFIG], after[MAX_CONFIG];

	tk_resize(80, 24);
	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	(void)read_config(d, before);
	tk_set_reg(d, REG_INTERRUPT_ACK, INT_QUEUE | INT_CONFIG);
	tk_irqs_clear(d);
	tk_resize(132, 43);
	tk_run_until_idle(d);
	(void)read_config(d, after);
	return memcmp(before, after, MAX_CONFIG) != 0;
}

#define NO_CHANGE "nothing that the suite can do changes its configuration"

const char *generation_follows_config(struct tk_dev *d)
{
	uint32_t before = tk_reg(d, REG_CONFIG_GENERATION);

	if (!change_config(d))
		return NO_CHANGE;
	if (tk_reg(d, REG_CONFIG_GENERATION) == before)
		CHECK_FAIL("the configuration changed and its generation did not");
	return NULL;
}

const char *config_change_is_notified(struct tk_dev *d)
{
	if (!change_config(d))
		return NO_CHANGE;
	TK_EQ(tk_reg(d, REG_INTERRUPT_STATUS) & INT_CONFIG, INT_CONFIG);
	TK_TRUE(tk_irqs(d) > 0);
	return NULL;
}

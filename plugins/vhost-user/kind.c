/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds. */
#include "kind.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CONSOLE_F_MULTIPORT (1ull << 1)
#define BLOCK_F_MQ          (1ull << 12)
#define NET_F_MQ            (1ull << 22)

static const struct kind kinds[] = {
	{ "net", 1, 24, 2, 8, 2, 0, 2, 0, NET_F_MQ },
	{ "block", 2, 60, 1, 34, 2, 0, 1, 1, BLOCK_F_MQ },
	{ "console", 3, 12, 2, 4, 4, 2, 2, 0, CONSOLE_F_MULTIPORT },
	{ "rng", 4, 0, 1, 0, 0, 0, 0, 1, 0 },
	{ "scsi", 8, 36, 3, 0, 4, 2, 1, 1, 0 },
	{ "gpu", 16, 16, 2, 0, 0, 0, 0, 0, 0 },
	{ "input", 18, 136, 2, 0, 0, 0, 0, 0, 0 },
	{ "vsock", 19, 8, 3, 0, 0, 0, 0, 0, 0 },
	{ "crypto", 20, 56, 0, 0, 0, 0, 0, 1, 0 },
	{ "sound", 25, 12, 4, 0, 0, 0, 0, 0, 0 },
	{ "fs", 26, 40, 2, 36, 4, 1, 1, 0, 0 },
	{ "i2c", 34, 0, 1, 0, 0, 0, 0, 1, 0 },
	{ "gpio", 41, 8, 2, 0, 0, 0, 0, 0, 0 },
};

int kind_find(const char *text, struct kind *ret_kind)
{
	char *end;
	unsigned long id = strtoul(text, &end, 10);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(text, kinds[i].name) == 0 || (*end == '\0' && kinds[i].id == id)) {
			*ret_kind = kinds[i];
			return 0;
		}
	if (*text < '1' || *text > '9' || *end != '\0' || id > 63)
		return -EINVAL;
	*ret_kind = (struct kind){ .id = (uint32_t)id };
	return 0;
}

static int counts(const struct kind *k, uint64_t features)
{
	return k->count_size && k->count_at + k->count_size <= k->config_size &&
	       (!k->count_feature || (features & k->count_feature));
}

uint32_t kind_count(const struct kind *k, const uint8_t *config, uint64_t features)
{
	uint64_t n = 0;

	if (!counts(k, features))
		return 0;
	for (uint32_t i = k->count_size; i-- > 0;)
		n = n << 8 | config[k->count_at + i];
	if (n == 0)
		return 0; /* a configuration that was declared without it */
	n = n * k->count_each + k->count_fixed;
	return n < 1000 ? (uint32_t)n : 1000;
}

void kind_set_count(const struct kind *k, uint8_t *config, uint64_t features, uint32_t n_queues)
{
	uint32_t n;

	if (!counts(k, features) || n_queues <= k->count_fixed)
		return;
	n = (n_queues - k->count_fixed) / k->count_each;
	for (uint32_t i = 0; i < k->count_size; i++)
		config[k->count_at + i] = (uint8_t)(n >> (8 * i));
}

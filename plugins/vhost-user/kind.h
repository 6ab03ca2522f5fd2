/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of virtio devices: what a front end must know of one before it asks the back end. */
#ifndef VHOST_USER_KIND_H
#define VHOST_USER_KIND_H

#include <stdint.h>

struct kind {
	const char *name; /* NULL: known by its number alone */
	uint32_t id;      /* section 5 of the specification */
	uint32_t config_size;
	uint32_t n_queues; /* unless the settings say so; 0 = as many as the back end has */
	/* Where the configuration says how many queues there are: 2 or 4 bytes, 0 = nowhere; there
	 * stand (queues - fixed) / each. */
	uint32_t count_at, count_size, count_fixed, count_each;
	int all_end;            /* each request ends by itself, nothing waits for the world */
	uint64_t count_feature; /* which must be there for the count; 0 = always */
};

/* By name ("block") or by number ("2"); -EINVAL for one that is neither. */
int kind_find(const char *text, struct kind *ret_kind);
/* How many queues the configuration speaks of; 0 = it does not. */
uint32_t kind_count(const struct kind *k, const uint8_t *config, uint64_t features);
/* Makes it speak of @n_queues. */
void kind_set_count(const struct kind *k, uint8_t *config, uint64_t features, uint32_t n_queues);

#endif

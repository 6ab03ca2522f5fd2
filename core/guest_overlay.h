/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What devices map into their shared-memory regions: over the region's own memory, at the same host
 * addresses, so that whoever runs the guest need not be told.
 */
#ifndef TENON_CORE_GUEST_OVERLAY_H
#define TENON_CORE_GUEST_OVERLAY_H

#include <stdbool.h>
#include <stdint.h>

struct guest_region;

/*
 * Maps @size bytes of @fd at @offset of the region.  @shared: what is written reaches the file;
 * else the writer gets copies of its own.  -EINVAL, -ERANGE where the file is shorter, or the
 * host's refusal.  [any, not twice at once for one region]
 */
int guest_overlay_map(const struct guest_region *region, uint64_t offset, int fd,
	uint64_t fd_offset, uint64_t size, bool shared);
/* The region's own memory is there again, zeroed.  -EINVAL. */
int guest_overlay_unmap(const struct guest_region *region, uint64_t offset, uint64_t size);

#endif

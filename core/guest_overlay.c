/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings over shared-memory regions. */
#include "core/guest_overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "core/guest_memory.h"
#include "core/shared_memory.h"

#define PAGE 4096u

static bool is_inside(const struct guest_region *r, uint64_t offset, uint64_t size)
{
	return r->kind == GUEST_SHM && size > 0 && size % PAGE == 0 && offset % PAGE == 0 &&
	       offset < r->size && size <= r->size - offset;
}

int guest_overlay_map(const struct guest_region *region, uint64_t offset, int fd,
	uint64_t fd_offset, uint64_t size, bool shared)
{
	struct stat st;

	if (!is_inside(region, offset, size) || fd_offset % PAGE || fd_offset > INT64_MAX - size)
		return -EINVAL;
	if (fstat(fd, &st) < 0)
		return -errno;
	/* Past the end of a file an access is the end of whoever makes it. */
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size < fd_offset + size)
		return -ERANGE;
	/* Writable in any case: a guest that may not write would be stopped by its hypervisor. */
	if (mmap(region->host + offset, size, PROT_READ | PROT_WRITE,
		    (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED | MAP_NORESERVE, fd,
		    (off_t)fd_offset) == MAP_FAILED)
		return -errno;
	shared_memory_hide(region->host + offset, size);
	return 0;
}

int guest_overlay_unmap(const struct guest_region *region, uint64_t offset, uint64_t size)
{
	if (!is_inside(region, offset, size))
		return -EINVAL;
	if (mmap(region->host + offset, size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_FIXED | MAP_NORESERVE, region->fd,
		    (off_t)(region->fd_offset + offset)) == MAP_FAILED)
		return -errno;
	/* What the guest wrote there before is given back to the host. */
	shared_memory_clear(region->fd, region->fd_offset + offset, region->host + offset, size);
	shared_memory_hide(region->host + offset, size);
	return 0;
}

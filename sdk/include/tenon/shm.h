/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/shm.h - shared memory regions of virtio devices (Virtual I/O Device specification 1.2,
 * section 2.10).
 *
 * A region is a window in the guest's address space, beside its RAM, into which the device maps
 * what the guest shall reach directly: buffers of a graphics card, pages of a file.  Where nothing
 * is mapped the guest finds memory that holds zeroes at first and that nobody else looks at.
 */
#ifndef TENON_SHM_H
#define TENON_SHM_H

#include <tenon/abi.h>
#include <tenon/mem.h> /* TENON_PROT_READ, TENON_PROT_WRITE */

#define TENON_SVC_SHM "tenon.shm/1"

struct tenon_shm_region; /* opaque; the device's until it is detached */

struct tenon_shm {
	uint32_t struct_size;

	/*
	 * Gives the device region @id, as its section in the specification numbers them, of @size
	 * bytes; after tenon_virtio.add, from attach.  The core chooses the address, and takes the
	 * region back after detach.  -EINVAL for a size that is not made of whole 4096-byte pages
	 * or an id past 3, -ENODEV for a device that is no virtio device, -EEXIST when it has that
	 * region, -ENOSPC when the guest's address space has no room, -ENOMEM.  [main]
	 */
	int (*create)(struct tenon_dev *dev, uint32_t id, uint64_t size,
		struct tenon_shm_region **ret_region);
	/* Where the guest finds it: a guest physical address.  [any] */
	uint64_t (*address)(const struct tenon_shm_region *region);
	/* Where the device finds what the guest finds; valid as long as the region.  [any] */
	void *(*host)(const struct tenon_shm_region *region);
	/*
	 * Maps @size bytes of @fd from @fd_offset on at @offset of the region, in place of what is
	 * there.  All three are multiples of 4096.  @prot: TENON_PROT_READ, with TENON_PROT_WRITE
	 * if what the guest writes shall reach the file; without, the guest that writes gets a copy
	 * of its own.  The descriptor is the caller's and may be closed.  -EINVAL for numbers that
	 * are not such or leave the region, -ERANGE where the file is shorter, and what the host
	 * refuses with.  [main] [loop]
	 */
	int (*map)(struct tenon_shm_region *region, uint64_t offset, int32_t fd, uint64_t fd_offset,
		uint64_t size, uint32_t prot);
	/*
	 * Takes away what is mapped in that part, whole mappings or pieces; zeroes are there
	 * afterwards.  -EINVAL for numbers that are not multiples of 4096 or leave the region; what
	 * is inside of it does not fail.  [main] [loop]
	 */
	int (*unmap)(struct tenon_shm_region *region, uint64_t offset, uint64_t size);
};

#endif

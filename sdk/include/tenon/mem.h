/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/mem.h - guest physical memory for devices.
 *
 * Addresses are guest physical, sizes in bytes.  Memory is a set of regions with holes between
 * them; what the guest finds at an address never moves while the VM lives.  The guest reads and
 * writes its memory at any time: read a value once, check the copy.
 *
 * A virtio device rarely needs this: its chains arrive as mapped iovecs.
 */
#ifndef TENON_MEM_H
#define TENON_MEM_H

#include <tenon/abi.h>

#define TENON_SVC_MEM "tenon.mem/1"

/* What a mapping or a region allows. */
#define TENON_PROT_READ  1u
#define TENON_PROT_WRITE 2u

/*
 * One stretch of guest memory, as regions() reports it; valid during the call.  Another process can
 * map it: @size bytes of @fd from @fd_offset on.
 */
struct tenon_mem_region {
	uint32_t struct_size;
	uint32_t prot; /* TENON_PROT_* that the guest has */
	uint64_t gpa, size;
	int32_t fd;        /* borrowed; lives until the device is detached */
	uint32_t reserved; /* 0 */
	uint64_t fd_offset;
};

struct tenon_mem {
	uint32_t struct_size;

	/*
	 * Copies @size bytes out of guest memory.  The range may cross from one region into an
	 * adjacent one.  0, or -EFAULT where part of it is no memory; nothing is copied then.
	 * [any]
	 */
	int (*read)(struct tenon_dev *dev, uint64_t gpa, void *to, size_t size);
	/*
	 * Copies @size bytes into guest memory and marks them dirty.  0, or -EFAULT where part of
	 * the range is no memory or the guest may only read it; nothing is copied then.  [any]
	 */
	int (*write)(struct tenon_dev *dev, uint64_t gpa, const void *from, size_t size);

	/*
	 * The host's address of a range that lies inside one region; NULL where it leaves the
	 * region or @prot (TENON_PROT_*) asks for more than the guest may do.  Valid until unmap or
	 * detach. [any]
	 */
	void *(*map)(struct tenon_dev *dev, uint64_t gpa, size_t size, uint32_t prot);
	/*
	 * Ends the use of a mapping made by map(), with the @size that it was made with; what was
	 * mapped for writing is marked dirty.  Cannot fail.  [any]
	 */
	void (*unmap)(struct tenon_dev *dev, void *host, size_t size);
	/*
	 * Says that the device wrote through a mapping that it keeps, so that a copy of the guest's
	 * memory is not missing it.  Call it after the write.  Cannot fail.  [any]
	 */
	void (*mark_dirty)(struct tenon_dev *dev, uint64_t gpa, size_t size);

	/*
	 * Calls @each with @arg for every region but shared memory (tenon/shm.h), by ascending
	 * address, and stops at the first answer that is not 0, which it returns; 0 after the last.
	 * For devices that hand the memory on to somebody else, such as vhost.  [main]
	 */
	int (*regions)(struct tenon_dev *dev,
		int (*each)(void *arg, const struct tenon_mem_region *region), void *arg);
};

#endif

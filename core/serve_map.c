/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings of a peer's descriptors, and what happens when it takes the memory away. */
#include "core/serve_map.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define PAGE      4096u
#define MAX_MAPS  128u
#define HUGETLBFS 0x958458f6

/* The handler reads it: a place is in use when its end is not 0, which is written last. */
static struct {
	_Atomic uintptr_t begin, end;
} places[MAX_MAPS];

static atomic_bool lost;

/* ---- SIGBUS ---- */

static bool is_ours(uintptr_t at)
{
	for (unsigned i = 0; i < MAX_MAPS; i++) {
		uintptr_t end = atomic_load_explicit(&places[i].end, memory_order_acquire);

		if (end && at < end &&
			at >= atomic_load_explicit(&places[i].begin, memory_order_relaxed))
			return true;
	}
	return false;
}

static void replace(int number, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr & ~(uintptr_t)(PAGE - 1);
	int saved = errno;

	(void)context;
	/* With huge pages no small one fits: then there is nothing left but the end. */
	if (is_ours(at) && mmap((void *)at, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED)
		atomic_store_explicit(&lost, true, memory_order_relaxed);
	else
		(void)signal(number, SIG_DFL); /* the access is made again, and ends it */
	errno = saved;
}

int serve_map_guard(void)
{
	struct sigaction action = { .sa_sigaction = replace, .sa_flags = SA_SIGINFO };

	(void)sigemptyset(&action.sa_mask);
	return sigaction(SIGBUS, &action, NULL) < 0 ? -errno : 0;
}

bool serve_map_lost(void)
{
	return atomic_exchange_explicit(&lost, false, memory_order_relaxed);
}

/* ---- mapping ---- */

static int take_place(uintptr_t begin, uintptr_t end)
{
	for (unsigned i = 0; i < MAX_MAPS; i++) {
		if (atomic_load_explicit(&places[i].end, memory_order_relaxed))
			continue;
		atomic_store_explicit(&places[i].begin, begin, memory_order_relaxed);
		atomic_store_explicit(&places[i].end, end, memory_order_release);
		return 0;
	}
	return -ENOSPC;
}

static void leave_place(uintptr_t begin)
{
	for (unsigned i = 0; i < MAX_MAPS; i++) {
		if (atomic_load_explicit(&places[i].begin, memory_order_relaxed) != begin)
			continue;
		atomic_store_explicit(&places[i].end, 0, memory_order_release);
		atomic_store_explicit(&places[i].begin, 0, memory_order_relaxed);
	}
}

/* Files of huge pages are mapped by whole ones. */
static uint64_t unit_of(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) == 0 && fs.f_type == HUGETLBFS && fs.f_bsize > (long)PAGE)
		return (uint64_t)fs.f_bsize;
	return PAGE;
}

int serve_map_open(
	int fd, uint64_t offset, uint64_t size, struct serve_map *ret_map, uint64_t *ret_there)
{
	uint64_t unit = unit_of(fd), end, first;
	struct serve_map map;
	struct stat st;
	int ret;

	*ret_there = 0;
	if (size == 0 || __builtin_add_overflow(offset, size, &end) ||
		end > (uint64_t)INT64_MAX - unit)
		return -EINVAL;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size < end) {
		*ret_there = (uint64_t)st.st_size > offset ? (uint64_t)st.st_size - offset : 0;
		return -ENXIO;
	}
	first = offset & ~(unit - 1);
	map.size = (size_t)(((end - first) + unit - 1) & ~(unit - 1));
	map.base = mmap(NULL, map.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd,
		(off_t)first);
	if (map.base == MAP_FAILED)
		return -errno;
	map.host = map.base + (offset - first);
	ret = take_place((uintptr_t)map.base, (uintptr_t)map.base + map.size);
	if (ret < 0) {
		(void)munmap(map.base, map.size);
		return ret;
	}
	(void)madvise(map.base, map.size, MADV_DONTDUMP);
	*ret_map = map;
	return 0;
}

void serve_map_close(struct serve_map *map)
{
	if (!map->base)
		return;
	(void)munmap(map->base, map->size);
	leave_place((uintptr_t)map->base);
	*map = (struct serve_map){ .base = NULL };
}

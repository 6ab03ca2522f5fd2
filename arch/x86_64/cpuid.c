/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a vCPU sees through CPUID: the hypervisor's table with the identity of the vCPU, the
 * topology of the machine, and without what the machine does not have (performance counters,
 * power management).
 *
 * The local APIC of vCPU n has the ID n.  IDs are split into bits for thread, core and package, so
 * counts of threads, and of CPUs in a package where there are several, must be powers of two; what
 * the machine asks for beyond that is flattened: threads become cores, packages become one.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "arch/arch.h"
#include "arch/x86_64/x86_64.h"
#include "core/machine.h"

#define LEAF_VENDOR       0x0u
#define LEAF_FEATURES     0x1u
#define LEAF_CACHES       0x4u
#define LEAF_POWER        0x6u
#define LEAF_COUNTERS     0xau
#define LEAF_TOPOLOGY     0xbu
#define LEAF_TOPOLOGY_V2  0x1fu
#define LEAF_EXT          0x80000000u
#define LEAF_EXT_FEATURES 0x80000001u
#define LEAF_ADDRESS      0x80000008u
#define LEAF_AMD_CACHES   0x8000001du
#define LEAF_AMD_TOPOLOGY 0x8000001eu
#define LEAF_AMD_COUNTERS 0x80000022u

#define ECX_MONITOR        (1u << 3)
#define ECX_DEBUG_STORE    (1u << 2 | 1u << 4)
#define ECX_SMX            (1u << 6)
#define ECX_SPEEDSTEP      (1u << 7)
#define ECX_THERMAL        (1u << 8)
#define ECX_PDCM           (1u << 15)
#define ECX_OSXSAVE        (1u << 27) /* mirrors CR4, which starts without it */
#define ECX_HYPERVISOR     (1u << 31)
#define EDX_DEBUG_STORE    (1u << 21)
#define EDX_ACPI_THERMAL   (1u << 22)
#define EDX_HTT            (1u << 28)
#define EDX_THERMAL        (1u << 29)
#define EAX_ARAT           (1u << 2) /* the APIC timer does not stop */
#define EXT_ECX_CMP_LEGACY (1u << 1)
#define EXT_ECX_TOPOLOGY   (1u << 22)
#define EXT_ECX_COUNTERS   (1u << 23 | 1u << 24 | 1u << 28)
#define CACHE_LINE_8_BYTES 8u
#define LEVEL_SMT          1u
#define LEVEL_CORE         2u

struct topology {
	uint32_t threads; /* per core */
	uint32_t logical; /* threads per package */
	uint32_t smt_shift, package_shift;
};

struct table {
	struct backend_cpuid *entries;
	size_t n, room;
};

/* ---- topology ---- */

static bool is_power_of_two(uint64_t v)
{
	return (v & (v - 1)) == 0;
}

/* Bits that number @count things. */
static uint32_t bits_for(uint64_t count)
{
	uint32_t bits = 0;

	while (bits < 32 && 1ull << bits < count)
		bits++;
	return bits;
}

static struct topology topology_of(const struct machine *machine)
{
	uint64_t threads = machine->threads_per_core ? machine->threads_per_core : 1;
	uint64_t cores = machine->cores_per_socket;
	uint64_t logical = cores ? threads * cores : machine->vcpus;

	if (!is_power_of_two(threads))
		threads = 1;
	if (logical > machine->vcpus || (!is_power_of_two(logical) && logical < machine->vcpus))
		logical = machine->vcpus;
	if (logical % threads)
		threads = 1;
	return (struct topology){
		.threads = (uint32_t)threads,
		.logical = (uint32_t)logical,
		.smt_shift = bits_for(threads),
		.package_shift = bits_for(logical),
	};
}

static uint32_t at_most(uint32_t value, uint32_t limit)
{
	return value < limit ? value : limit;
}

/* ---- the table ---- */

static struct backend_cpuid *find(struct table *t, uint32_t leaf)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->entries[i].leaf == leaf)
			return &t->entries[i];
	return NULL;
}

static void remove_leaf(struct table *t, uint32_t leaf)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n; i++)
		if (t->entries[i].leaf != leaf)
			t->entries[kept++] = t->entries[i];
	t->n = kept;
}

static int append(struct table *t, const struct backend_cpuid *entry)
{
	if (t->n == t->room)
		return -E2BIG;
	t->entries[t->n++] = *entry;
	return 0;
}

/* ---- leaves ---- */

static bool is_amd(struct table *t)
{
	const struct backend_cpuid *e = find(t, LEAF_VENDOR);
	char name[12];

	if (!e)
		return false;
	memcpy(name, &e->ebx, 4);
	memcpy(name + 4, &e->edx, 4);
	memcpy(name + 8, &e->ecx, 4);
	return memcmp(name, "AuthenticAMD", 12) == 0 || memcmp(name, "HygonGenuine", 12) == 0;
}

static void features(
	struct backend_cpuid *e, const struct topology *topology, uint32_t id, bool amd)
{
	uint32_t count = amd ? topology->logical : 1u << at_most(topology->package_shift, 8);

	e->ebx = (e->ebx & 0xffu) | CACHE_LINE_8_BYTES << 8 | at_most(count, 255) << 16 | id << 24;
	e->ecx &= ~(ECX_MONITOR | ECX_DEBUG_STORE | ECX_SMX | ECX_SPEEDSTEP | ECX_THERMAL |
		    ECX_PDCM | ECX_OSXSAVE);
	e->ecx |= ECX_HYPERVISOR;
	e->edx &= ~(EDX_DEBUG_STORE | EDX_ACPI_THERMAL | EDX_HTT | EDX_THERMAL);
	if (topology->logical > 1)
		e->edx |= EDX_HTT;
}

/* First two levels belong to a core, the others to the package; no type: end of the list. */
static void cache_sharing(struct backend_cpuid *e, const struct topology *topology, bool amd)
{
	uint32_t level = e->eax >> 5 & 7;
	uint32_t sharing, cores;

	if ((e->eax & 0x1f) == 0)
		return;
	if (amd)
		sharing = level <= 2 ? topology->threads : topology->logical;
	else
		sharing = 1u << at_most(
				  level <= 2 ? topology->smt_shift : topology->package_shift, 12);
	e->eax = (e->eax & 0x3fffu) | (at_most(sharing, 4096) - 1) << 14;
	if (amd)
		return;
	cores = 1u << at_most(topology->package_shift - topology->smt_shift, 6);
	e->eax |= (cores - 1) << 26;
}

/* AMD: numbers of threads in the package, and where in it this one is. */
static void amd_address(struct backend_cpuid *e, const struct topology *topology)
{
	e->ecx = (e->ecx & ~0xf0ffu) | at_most(topology->logical - 1, 255) |
		 at_most(topology->package_shift, 15) << 12;
}

static void amd_features(struct backend_cpuid *e, const struct topology *topology)
{
	e->ecx &= ~(EXT_ECX_CMP_LEGACY | EXT_ECX_COUNTERS);
	if (topology->logical > 1)
		e->ecx |= EXT_ECX_CMP_LEGACY;
}

static void zero(struct backend_cpuid *e)
{
	e->eax = e->ebx = e->ecx = e->edx = 0;
}

static void edit(struct backend_cpuid *e, const struct topology *topology, uint32_t id, bool amd)
{
	switch (e->leaf) {
	case LEAF_FEATURES:
		features(e, topology, id, amd);
		break;
	case LEAF_CACHES:
		if (!amd)
			cache_sharing(e, topology, false);
		break;
	case LEAF_POWER:
		e->eax &= EAX_ARAT;
		e->ebx = e->ecx = e->edx = 0;
		break;
	case LEAF_COUNTERS:
	case LEAF_AMD_COUNTERS:
		zero(e);
		break;
	case LEAF_EXT_FEATURES:
		if (amd)
			amd_features(e, topology);
		break;
	case LEAF_ADDRESS:
		if (amd)
			amd_address(e, topology);
		break;
	case LEAF_AMD_CACHES:
		if (amd)
			cache_sharing(e, topology, true);
		break;
	default:
		break;
	}
}

/* Threads of a core, then threads of a package, then the end. */
static int add_levels(struct table *t, uint32_t leaf, const struct topology *topology, uint32_t id)
{
	const struct backend_cpuid levels[] = {
		{ .eax = topology->smt_shift, .ebx = topology->threads, .ecx = LEVEL_SMT << 8 },
		{ .eax = topology->package_shift,
			.ebx = topology->logical,
			.ecx = LEVEL_CORE << 8 },
		{ 0 },
	};

	remove_leaf(t, leaf);
	for (uint32_t i = 0; i < 3; i++) {
		struct backend_cpuid e = levels[i];
		int ret;

		e.leaf = leaf;
		e.subleaf = i;
		e.flags = BACKEND_CPUID_SUBLEAF;
		e.ecx |= i;
		e.edx = id;
		ret = append(t, &e);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int add_amd_topology(struct table *t, const struct topology *topology, uint32_t id)
{
	const struct backend_cpuid *ext = find(t, LEAF_EXT), *f = find(t, LEAF_EXT_FEATURES);
	uint32_t in_package = id & (uint32_t)((1ull << topology->package_shift) - 1);
	struct backend_cpuid e = {
		.leaf = LEAF_AMD_TOPOLOGY,
		.eax = id,
		.ebx = (in_package >> topology->smt_shift & 0xff) |
		       at_most(topology->threads - 1, 255) << 8,
		.ecx = at_most(id >> topology->package_shift, 255),
	};

	remove_leaf(t, LEAF_AMD_TOPOLOGY);
	if (!ext || ext->eax < LEAF_AMD_TOPOLOGY || !f || !(f->ecx & EXT_ECX_TOPOLOGY))
		return 0;
	return append(t, &e);
}

int x86_cpuid(const struct machine *machine, uint32_t index, struct backend_cpuid *entries,
	size_t *n, size_t room)
{
	struct table t = { .entries = entries, .n = *n, .room = room };
	struct topology topology;
	const struct backend_cpuid *first;
	uint32_t highest;
	bool amd;
	int ret = 0;

	if (index >= machine->vcpus || *n > room)
		return -EINVAL;
	topology = topology_of(machine);
	amd = is_amd(&t);
	first = find(&t, LEAF_VENDOR);
	highest = first ? first->eax : 0;
	for (size_t i = 0; i < t.n; i++)
		edit(&entries[i], &topology, index, amd);
	if (highest >= LEAF_TOPOLOGY)
		ret = add_levels(&t, LEAF_TOPOLOGY, &topology, index);
	if (ret == 0 && highest >= LEAF_TOPOLOGY_V2)
		ret = add_levels(&t, LEAF_TOPOLOGY_V2, &topology, index);
	if (ret == 0 && amd)
		ret = add_amd_topology(&t, &topology, index);
	*n = t.n;
	return ret;
}

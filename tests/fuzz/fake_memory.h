/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest memory with hard edges: every region is an allocation of exactly its size, so that one byte
 * too far is one that the address sanitizer sees.  Two regions adjoin in the guest's addresses but
 * not in the host's, one is read-only, one ends the address space, and there are holes.
 */
#ifndef TENON_TESTS_FUZZ_FAKE_MEMORY_H
#define TENON_TESTS_FUZZ_FAKE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/virtio/vring.h"
#include "tests/fuzz/input.h"

#define FAKE_LOW_GPA  0x0ull /* the two that adjoin */
#define FAKE_NEXT_GPA 0x2000ull
#define FAKE_ROM_GPA  0x4000ull
#define FAKE_END_GPA  0xfffffffffffff000ull

/* Allocates the regions at the first call, zeroes them at each. */
void fake_memory_reset(void);
/* For the code under test. */
extern const struct vring_memory fake_memory;
/* As the guest would; what does not lie in memory is left out. */
void fake_memory_store(uint64_t gpa, const uint8_t *bytes, size_t size);
/* Takes {address 2, size 2, bytes} off @in and stores them. */
void fake_memory_take(struct input *in);
/* A number for the whole contents: equal before and after means untouched. */
uint64_t fake_memory_sum(void);
/* Aborts unless the chain's pieces lie in memory, may be used so, and add up. */
void fake_memory_check(const struct tenon_chain *chain);

#endif

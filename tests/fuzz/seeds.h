/* SPDX-License-Identifier: Apache-2.0 */
/* Writing seeds; see seeds.c. */
#ifndef TENON_TESTS_FUZZ_SEEDS_H
#define TENON_TESTS_FUZZ_SEEDS_H

#include <stddef.h>
#include <stdint.h>

/* One that is being made; zeroed is empty. */
struct seed {
	uint8_t at[65536];
	size_t n;
};

/* Appends; too much is a bug of the generator. */
void seed_put(struct seed *s, const void *bytes, size_t n);
void seed_le(struct seed *s, uint64_t value, unsigned bytes);
void seed_save(const char *target, const char *name, const struct seed *s);

void seeds_block(void);
void seeds_config(void);
void seeds_console(void);
void seeds_gicv3(void);
void seeds_emu(void);
void seeds_kernel(void);
void seeds_serve(void);
void seeds_unpack(void);
void seeds_virtio(void);
void seeds_state(void);
void seeds_vhost_user(void);
void seeds_vsock(void);

#endif

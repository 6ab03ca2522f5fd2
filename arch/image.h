/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernels of the kind `Image`: a header of 64 bytes in front of what runs where it is put, nearly
 * alike on arm64 and riscv64, which are told apart by their magic.  Linux:
 * Documentation/arm64/booting.rst, Documentation/riscv/boot-image-header.rst.
 */
#ifndef TENON_ARCH_IMAGE_H
#define TENON_ARCH_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/backend.h"

struct blob;
struct error;
struct guest_memory;
struct loaded;

/* Kernels are loaded at a multiple of this, plus their text_offset. */
#define IMAGE_ALIGN 0x200000ull

struct image {
	enum isa isa;
	uint64_t text_offset; /* from a multiple of IMAGE_ALIGN */
	uint64_t image_size;  /* memory it uses, file and zeroed rest */
	uint64_t flags;
};

/* ISA_AARCH64, ISA_RISCV64, or 0 where @kernel is no Image.  [any] */
enum isa image_isa(const struct blob *kernel);
/* Reads and checks the header of an Image for @isa.  [any] */
int image_parse(
	const struct blob *kernel, enum isa isa, struct image *ret_image, struct error *err);
/*
 * Puts it at @base (a multiple of IMAGE_ALIGN) plus its text_offset, claims and clears all that it
 * uses, and fills in protocol, entry and place.  [main]
 */
int image_load(struct guest_memory *gm, const struct blob *kernel, const struct image *image,
	uint64_t base, struct loaded *loaded, struct error *err);

#endif

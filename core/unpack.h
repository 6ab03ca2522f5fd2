/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels that are wrapped: gzip, xz, zstd, lz4, bzip2, EFI zboot. */
#ifndef TENON_CORE_UNPACK_H
#define TENON_CORE_UNPACK_H

#include "core/payload.h"

struct error;

/* What a wrapped kernel may unpack to. */
#define UNPACK_MAX ((size_t)1024 * 1024 * 1024)

/*
 * 0: @image is not wrapped.  1: *ret_memory (the caller's, free()) holds what was in it, and
 * *ret_inner describes it.  -errno with a sentence: wrapped, but damaged or too large.  The format
 * is told by the first bytes alone.  [any]
 */
int unpack_kernel(
	const struct blob *image, void **ret_memory, struct blob *ret_inner, struct error *err);
/* The same with a limit of one's own, in whole MiB.  [any] */
int unpack_bounded(const struct blob *image, size_t most, void **ret_memory, struct blob *ret_inner,
	struct error *err);

#endif

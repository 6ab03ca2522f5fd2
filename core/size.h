/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sizes and addresses as people write them: "512M", "4G", "64K", "0x1000", plain bytes.
 * K, M, G and T (either case, optionally followed by "iB" or "B") are powers of 1024.
 */
#ifndef TENON_CORE_SIZE_H
#define TENON_CORE_SIZE_H

#include <stddef.h>
#include <stdint.h>

/* Longest text of size_format() with its zero. */
#define SIZE_TEXT_MAX 24

/*
 * Reads the whole of @text.  -EINVAL: not a size; -ERANGE: more than 64 bits hold.
 * *ret_bytes is written only on success.  [any]
 */
int size_parse(const char *text, uint64_t *ret_bytes);

/*
 * Writes @bytes into @text, exactly and with the largest unit that divides it ("512M", "1536K",
 * "4097"), so that size_parse() reads the same number back.  Returns @text.  [any]
 */
const char *size_format(uint64_t bytes, char text[SIZE_TEXT_MAX]);

#endif

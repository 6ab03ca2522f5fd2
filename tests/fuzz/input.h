/* SPDX-License-Identifier: Apache-2.0 */
/* Taking values off the front of a fuzzer's bytes; past the end everything is zero. */
#ifndef TENON_TESTS_FUZZ_INPUT_H
#define TENON_TESTS_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

struct input {
	const uint8_t *at;
	size_t left;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline uint8_t input_u8(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

static inline uint16_t input_u16(struct input *in)
{
	uint16_t low = input_u8(in);

	return (uint16_t)(low | input_u8(in) << 8);
}

static inline uint32_t input_u32(struct input *in)
{
	uint32_t low = input_u16(in);

	return low | (uint32_t)input_u16(in) << 16;
}

static inline uint64_t input_u64(struct input *in)
{
	uint64_t low = input_u32(in);

	return low | (uint64_t)input_u32(in) << 32;
}

/* Up to @most bytes, where they lie; *@ret_n of them. */
static inline const uint8_t *input_bytes(struct input *in, size_t most, size_t *ret_n)
{
	const uint8_t *at = in->at;

	*ret_n = most < in->left ? most : in->left;
	in->at += *ret_n;
	in->left -= *ret_n;
	return at;
}

#endif

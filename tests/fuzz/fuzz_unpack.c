/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a wrapped kernel: gzip, xz, zstd, lz4 (both), bzip2, and EFI zboot around them.  The
 * limit on what comes out is low here, so that running into it is an ordinary case.
 */
#include "core/unpack.h"

#include <stdlib.h>

#include "core/error.h"
#include "tests/fuzz/input.h"

#define MOST ((size_t)8 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct blob image = { data, size, "fuzz" };
	struct blob inner = { .bytes = NULL };
	struct error err = { 0 };
	void *memory = NULL;
	int r = unpack_bounded(&image, MOST, &memory, &inner, &err);

	if (r < 0 && !err.text[0])
		abort();
	if (r > 0 && (inner.size > MOST || (inner.size && !inner.bytes)))
		abort();
	if (r != 1 && memory)
		abort();
	free(memory);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the compiler expects to be there. */
#include "tests/emu/guest.h"

void *memcpy(void *to, const void *from, u64 n)
{
	u8 *t = to;
	const u8 *f = from;

	while (n--)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int byte, u64 n)
{
	u8 *t = to;

	while (n--)
		*t++ = (u8)byte;
	return to;
}

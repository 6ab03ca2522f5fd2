/* SPDX-License-Identifier: Apache-2.0 */
/* The library that the stand-in needs. */
int heavy_lifting(void);

__attribute__((visibility("default"))) int heavy_lifting(void)
{
	return 0;
}

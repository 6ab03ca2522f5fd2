/* SPDX-License-Identifier: Apache-2.0 */
/* The library that is not to be found. */
int tenon_test_gone(void);

__attribute__((visibility("default"))) int tenon_test_gone(void)
{
	return 0;
}

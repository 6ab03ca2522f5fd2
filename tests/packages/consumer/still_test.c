/* SPDX-License-Identifier: Apache-2.0 */
#include <tenon/testkit.h>

TK_TEST(says_that_it_is_there)
{
	(void)tk_started("still", "");
	TK_TRUE(tk_log_has("here"));
}

TK_MAIN()

/* SPDX-License-Identifier: Apache-2.0 */
/* Every macro of tenon/testkit.h, compiled and not run. */
#include <tenon/testkit.h>

TK_TEST(one)
{
	struct tk_dev *d = tk_device("x", "");
	struct tk_buf *b = tk_in(d, 0, 64);

	TK_EQ(tk_used_len(b), 64);
	TK_TRUE(tk_in_data(b) != NULL);
	TK_STR(tk_error(), "");
	TK_HAS_TEXT(tk_output(), "");
	TK_MEM_EQ(tk_output(), "a", 1);
}

TK_TEST_FAILS(two, "no")
{
	TK_FAIL("%s", "no");
}

TK_MAIN()

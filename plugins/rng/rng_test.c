/* SPDX-License-Identifier: Apache-2.0 */
#include <tenon/testkit.h>

TK_TEST(serves_a_request)
{
	struct tk_dev *d = tk_device("rng", "source = \"/dev/zero\";");
	struct tk_buf *b = tk_in(d, 0, 64);

	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 64);
	TK_EQ(tk_irqs(d), 1);
}

TK_MAIN()
TK_TEST(hostile)
{
	TK_TRUE(tk_hostile_run(tk_device("rng", "")) > 200);
}

TK_TEST(sweep)
{
	TK_EQ(tk_fault_sweep("rng", "source = \"/dev/zero\"; rate = \"1K\";"), 6);
}

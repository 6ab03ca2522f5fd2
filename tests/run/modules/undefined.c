/* SPDX-License-Identifier: Apache-2.0 */
/* Calls a function that nobody has. */
#include "tests/run/modules/plain.h"

int tenon_test_nowhere(void);

static int init(const struct tenon_host *host)
{
	(void)host;
	return tenon_test_nowhere();
}

TENON_PLUGIN("org.tenon.undefined", "1", "Apache-2.0", init, plain_classes, "undefined");

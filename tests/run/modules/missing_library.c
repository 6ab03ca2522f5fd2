/* SPDX-License-Identifier: Apache-2.0 */
/* Needs a library that is not to be found. */
#include "tests/run/modules/plain.h"

int tenon_test_gone(void);

static int init(const struct tenon_host *host)
{
	(void)host;
	return tenon_test_gone();
}

TENON_PLUGIN("org.tenon.missing", "1", "Apache-2.0", init, plain_classes, "missing-library");

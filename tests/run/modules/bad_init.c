/* SPDX-License-Identifier: Apache-2.0 */
/* Does not start. */
#include "tests/run/modules/plain.h"

static int init(const struct tenon_host *host)
{
	(void)host;
	return -ENOTSUP;
}

TENON_PLUGIN("org.tenon.bad-init", "1", "Apache-2.0", init, plain_classes, "plain");

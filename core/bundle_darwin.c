/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles are written as ELF libraries, which this host's linker does not load. */
#include "core/bundle.h"

#include <errno.h>

#include "core/error.h"

int bundle_write(const char *path, const struct bundle_contents *contents, struct error *err)
{
	(void)contents;
	return error_set(err, EXIT_HOST, -ENOTSUP,
		"%s: a bundle is an ELF library, which takes Linux to be made and to be loaded",
		path);
}

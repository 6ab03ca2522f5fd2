/* SPDX-License-Identifier: Apache-2.0 */
/* See process_name.h.  There are no processes of devices here that would want a name. */
#include "core/process_name.h"

void process_name_init(int argc, char **argv)
{
	(void)argc;
	(void)argv;
}

void process_name_set_short(const char *text)
{
	(void)text;
}

void process_name_set(const char *text)
{
	(void)text;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See process_name.h. */
#include "core/process_name.h"

#include <string.h>
#include <sys/prctl.h>

static char *place;
static size_t room;

void process_name_init(int argc, char **argv)
{
	if (argc < 1)
		return;
	place = argv[0];
	/* They lie one behind the other (the kernel puts them there), the last one's end included.
	 */
	room = (size_t)(argv[argc - 1] - argv[0]) + strlen(argv[argc - 1]) + 1;
}

void process_name_set_short(const char *text)
{
	(void)prctl(PR_SET_NAME, text); /* which takes 15 bytes of it */
}

void process_name_set(const char *text)
{
	const size_t n = strlen(text);

	process_name_set_short(text);
	if (room == 0)
		return;
	memset(place, 0, room);
	memcpy(place, text, n < room ? n : room - 1);
}

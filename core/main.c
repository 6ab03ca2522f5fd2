/* SPDX-License-Identifier: Apache-2.0 */
/* The program: a command line in, an exit code out. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "core/cli.h"
#include "core/error.h"
#include "core/log.h"
#include "core/process_name.h"
#include "core/timing.h"

/* What is opened later must not become a standard stream: messages would be written into it. */
static bool hold_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		/* The wrong way round, so that using it still fails. */
		int flags = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", flags) != fd)
			return false;
	}
	return true;
}

int main(int argc, char *argv[])
{
	struct timing_moment start = timing_now();
	struct error err = { 0 };
	struct cli cli;
	int r;

	if (!hold_streams())
		return EXIT_HOST;
	process_name_init(argc, argv);
	r = cli_parse(argc, argv, &cli, &err);
	cli.run.start = start;
	if (!r)
		r = cli_execute(&cli, &err);
	cli_finish(&cli);

	/* Output that did not arrive is a failure too. */
	if (fflush(stdout) != 0 && !r)
		r = error_set(&err, EXIT_INTERNAL, -1, "cannot write to standard output");
	if (!r)
		return EXIT_GUEST_OFF;

	log_msg(LOG_LEVEL_ERR, "%s", err.text[0] ? err.text : "failed without saying why");
	return err.text[0] ? (int)err.exit_code : EXIT_INTERNAL;
}

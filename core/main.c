/* SPDX-License-Identifier: Apache-2.0 */
/* The program: a command line in, an exit code out. */
#include <stdio.h>

#include "core/cli.h"
#include "core/error.h"
#include "core/log.h"
#include "core/timing.h"

int main(int argc, char *argv[])
{
	struct timing_moment start = timing_now();
	struct error err = { 0 };
	struct cli cli;
	int r = cli_parse(argc, argv, &cli, &err);

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

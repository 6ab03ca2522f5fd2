/* SPDX-License-Identifier: Apache-2.0 */
/* tenon run */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/commands.h"
#include "core/config.h"
#include "core/error.h"
#include "core/timing.h"
#include "core/vm.h"

int cmd_run(const struct vm_config *config, const struct run_options *options, struct error *err)
{
	struct vm *vm = calloc(1, sizeof(*vm));
	int ret;

	if (!vm)
		return error_set(err, EXIT_HOST, -ENOMEM, "out of memory");
	(void)signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an error of one write */
	vm->config = config;
	if (options->timing || config->timing)
		vm->timing = timing_create(&options->start);
	timing_phase(vm->timing, "config");
	ret = vm_build(vm, err);
	if (ret == 0) {
		ret = vm_run(vm, err);
		vm_destroy(vm);
	}
	timing_print(vm->timing, stderr);
	timing_destroy(vm->timing);
	free(vm);
	return ret;
}

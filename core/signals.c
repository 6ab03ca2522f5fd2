/* SPDX-License-Identifier: Apache-2.0 */
/* What is the same of signals on every host. */
#include "core/signals.h"

#include <stddef.h>

void signals_block(sigset_t *ret_old)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT };
	sigset_t most;

	(void)sigfillset(&most);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		(void)sigdelset(&most, faults[i]);
	(void)pthread_sigmask(SIG_SETMASK, &most, ret_old);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* macOS's clock as its documentation has it, for compiling where there is no Mac. */
#ifndef MACH_MACH_TIME_H
#define MACH_MACH_TIME_H

#include <stdint.h>

typedef int kern_return_t;

typedef struct mach_timebase_info {
	uint32_t numer, denom; /* ticks * numer / denom are nanoseconds */
} mach_timebase_info_data_t;

uint64_t mach_absolute_time(void);
kern_return_t mach_timebase_info(mach_timebase_info_data_t *info);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* tenon/tenon.h - the whole contract. */
#ifndef TENON_TENON_H
#define TENON_TENON_H

#include <tenon/abi.h>
#include <tenon/clock.h>
#include <tenon/display.h>
#include <tenon/event.h>
#include <tenon/file.h>
#include <tenon/firmware.h>
#include <tenon/iov.h>
#include <tenon/irq.h>
#include <tenon/mem.h>
#include <tenon/mmio.h>
#include <tenon/notifier.h>
#include <tenon/pixels.h>
#include <tenon/plugin.h>
#include <tenon/power.h>
#include <tenon/ratelimit.h>
#include <tenon/shm.h>
#include <tenon/state.h>
#include <tenon/terminal.h>
#include <tenon/virtio.h>
#include <tenon/work.h>

#endif

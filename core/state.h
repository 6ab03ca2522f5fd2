/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of all devices of a machine, as one piece of bytes.
 *
 * It holds one section for each device, with its name and its type.  It is loaded into a machine of
 * the same configuration: every device must be there, and no other.  vCPUs, interrupt controllers
 * and guest memory are not part of it.
 */
#ifndef TENON_CORE_STATE_H
#define TENON_CORE_STATE_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct tenon_dev;

struct state_bytes {
	uint8_t *bytes; /* owned; free() */
	size_t size;
};

/* Every device is quiesced.  [main] */
int devices_save(struct tenon_dev *first, struct state_bytes *ret_state, struct error *err);
/*
 * Every device is attached and none is started.  @bytes may come from anywhere.  After an error
 * some devices have their state and some do not: the machine is to be given up.  [main]
 */
int devices_load(struct tenon_dev *first, const void *bytes, size_t size, struct error *err);

#endif

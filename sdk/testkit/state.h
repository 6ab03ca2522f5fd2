/* SPDX-License-Identifier: Apache-2.0 */
/* A saved state of the test kit, for state.c and state_edit.c. */
#ifndef TENON_TESTKIT_STATE_H
#define TENON_TESTKIT_STATE_H

#include "sdk/state/state.h"
#include "sdk/testkit/kit.h"

struct tk_state {
	struct tk_state *next;
	uint8_t *bytes; /* owned */
	size_t size;
};

/* Zeroed. */
struct tk_state *kit_state_new(size_t size);

#endif

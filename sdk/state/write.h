/* SPDX-License-Identifier: Apache-2.0 */
/* The two halves of the service, for the table in read.c; tenon/state.h says what they do. */
#ifndef TENON_SDK_STATE_WRITE_H
#define TENON_SDK_STATE_WRITE_H

#include <tenon/state.h>

#define STATE_MAGIC "tenonst\n"

int state_put_u8(struct tenon_state_w *w, uint32_t tag, uint8_t value);
int state_put_u16(struct tenon_state_w *w, uint32_t tag, uint16_t value);
int state_put_u32(struct tenon_state_w *w, uint32_t tag, uint32_t value);
int state_put_u64(struct tenon_state_w *w, uint32_t tag, uint64_t value);
int state_put_bytes(struct tenon_state_w *w, uint32_t tag, const void *bytes, uint32_t size);
int state_put_string(struct tenon_state_w *w, uint32_t tag, const char *text);
int state_begin(struct tenon_state_w *w, uint32_t tag, const char *name, uint32_t version);
int state_end(struct tenon_state_w *w);

#endif

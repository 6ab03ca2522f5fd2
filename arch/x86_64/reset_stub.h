/* SPDX-License-Identifier: Apache-2.0 */
/* The code where a PC without firmware is reset: see reset_stub.c. */
#ifndef TENON_ARCH_X86_64_RESET_STUB_H
#define TENON_ARCH_X86_64_RESET_STUB_H

struct error;
struct guest_memory;
struct machine;

/* Writes and claims it; nothing for a machine without a reset port.  [main] */
int reset_stub_write(struct guest_memory *gm, const struct machine *machine, struct error *err);

#endif

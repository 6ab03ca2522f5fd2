/* SPDX-License-Identifier: Apache-2.0 */
/* The registers of a vCPU as text, for the message that ends a VM. */
#ifndef TENON_CORE_VCPU_DUMP_H
#define TENON_CORE_VCPU_DUMP_H

#include "core/backend.h"

/* Writes at most @room bytes with the zero; "" when the backend has none.  [thread of the vCPU] */
void vcpu_dump(const struct backend_ops *ops, struct backend_vcpu *vcpu, enum isa isa, char *to,
	size_t room);

#endif

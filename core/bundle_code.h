/* SPDX-License-Identifier: Apache-2.0 */
/* The two functions of a bundle, in the machine code of each kind of CPU. */
#ifndef TENON_CORE_BUNDLE_CODE_H
#define TENON_CORE_BUNDLE_CODE_H

#include <stdint.h>

#include "core/backend.h"

/* What they give out; addresses are the library's own, those of data begin a page. */
struct bundle_values {
	uint64_t load_gpa, entry_gpa, kernel_room, initrd_size;
	uint64_t kernel_at, initrd_at;
};

struct bundle_code {
	enum isa isa;
	uint16_t machine; /* of the ELF header, as are the flags */
	uint32_t flags;
	/* Writes both into the page that lies at @address; returns where the second one is. */
	uint64_t (*write)(uint8_t *page, uint64_t address, const struct bundle_values *values);
};

/* NULL for an unknown one. */
const struct bundle_code *bundle_code_of(enum isa isa);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The note without the object. */
#include <tenon/tenon.h>

static const struct tenon_note note __attribute__((section(".note.tenon"), used, aligned(4))) = { 6,
	sizeof(struct tenon_note) - offsetof(struct tenon_note, abi_major), TENON_NOTE_PLUGIN,
	"tenon", TENON_ABI_MAJOR, TENON_ABI_MINOR, "org.tenon.empty", "1", "no-symbol" };
extern int not_the_one TENON_EXPORT;
int not_the_one;

/* SPDX-License-Identifier: Apache-2.0 */
/* The note says another version than the object. */
#include "tests/run/modules/plain.h"

static const struct tenon_note note __attribute__((section(".note.tenon"), used, aligned(4))) = { 6,
	sizeof(struct tenon_note) - offsetof(struct tenon_note, abi_major), TENON_NOTE_PLUGIN,
	"tenon", TENON_ABI_MAJOR, TENON_ABI_MINOR, "org.tenon.lying", "1", "lying-note" };
extern const struct tenon_plugin TENON_PLUGIN_SYMBOL TENON_EXPORT;
const struct tenon_plugin TENON_PLUGIN_SYMBOL = { sizeof(struct tenon_plugin), 7, 3,
	"org.tenon.lying", "1", "Apache-2.0", plain_init, NULL, plain_classes };

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables that plugins hand over (tenon/abi.h): they begin with their size as the plugin's compiler
 * saw it, which may be less or more than ours.
 */
#ifndef TENON_SDK_VIRTIO_TABLE_H
#define TENON_SDK_VIRTIO_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Copies the table @from to one of @room bytes: members that it lacks are 0, those that it has
 * beyond are left out, and the copy's size says how much of it is there.
 */
static inline void table_copy(void *to, size_t room, const void *from)
{
	uint32_t size;

	memcpy(&size, from, sizeof(size));
	if (size > room)
		size = (uint32_t)room;
	memset(to, 0, room);
	memcpy(to, from, size);
	memcpy(to, &size, sizeof(size));
}

/* True when table @t holds all of @member, whatever its value. */
#define TABLE_COVERS(t, member)                                                                    \
	((t)->struct_size >= offsetof(__typeof__(*(t)), member) + sizeof((t)->member))

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which blocks of memory the plugin's own code has allocated and not given back: a table of
 * addresses, open addressing, grown at two thirds.  What it frees that it did not allocate itself,
 * such as a line from getline(), is none of our business.
 *
 * The addresses are kept inverted: a leak detector must not take the table for a user of them.
 */
#include <stdlib.h>
#include <string.h>

#include "sdk/testkit/hook.h"
#include "sdk/testkit/kit.h"

#define EMPTY 0u
#define GONE  1u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uintptr_t *slots;
static size_t n_slots, n_taken, n_live; /* taken: live and gone */

static uintptr_t key_of(const void *p)
{
	return ~(uintptr_t)p;
}

static size_t home(uintptr_t key)
{
	return (size_t)((key >> 4) * 0x9e3779b97f4a7c15u) & (n_slots - 1);
}

static void put(uintptr_t key)
{
	size_t i = home(key);

	while (slots[i] != EMPTY)
		i = (i + 1) & (n_slots - 1);
	slots[i] = key;
	n_taken++;
}

static void grow(void)
{
	uintptr_t *old = slots;
	size_t n = n_slots;

	n_slots = n ? n * 2 : 256;
	n_taken = 0;
	slots = kit_alloc(n_slots * sizeof(*slots));
	for (size_t i = 0; i < n; i++)
		if (old[i] != EMPTY && old[i] != GONE)
			put(old[i]);
	free(old);
}

void *blocks_add(void *p)
{
	if (!p)
		return NULL;
	(void)pthread_mutex_lock(&lock);
	if (n_taken * 3 >= n_slots * 2)
		grow();
	put(key_of(p));
	n_live++;
	(void)pthread_mutex_unlock(&lock);
	return p;
}

void blocks_remove(const void *p)
{
	uintptr_t key = key_of(p);

	(void)pthread_mutex_lock(&lock);
	for (size_t i = n_slots ? home(key) : 0; n_slots && slots[i] != EMPTY;
		i = (i + 1) & (n_slots - 1)) {
		if (slots[i] != key)
			continue;
		slots[i] = GONE;
		n_live--;
		break;
	}
	(void)pthread_mutex_unlock(&lock);
}

size_t tk_live_blocks(void)
{
	size_t n;

	(void)pthread_mutex_lock(&lock);
	n = n_live;
	(void)pthread_mutex_unlock(&lock);
	return n;
}

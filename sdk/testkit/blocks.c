/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which blocks of memory the plugin's own code has allocated and not given back: a table of
 * addresses, open addressing, grown at two thirds.  What it frees that it did not allocate itself,
 * such as a line from getline(), is none of our business.
 */
#include <stdlib.h>
#include <string.h>

#include "sdk/testkit/hook.h"
#include "sdk/testkit/kit.h"

#define GONE ((void *)1)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void **slots;
static size_t n_slots, n_taken, n_live; /* taken: live and gone */

static size_t home(const void *p)
{
	return (size_t)((uintptr_t)p >> 4) * 0x9e3779b97f4a7c15u & (n_slots - 1);
}

static void put(void *p)
{
	size_t i = home(p);

	while (slots[i])
		i = (i + 1) & (n_slots - 1);
	slots[i] = p;
	n_taken++;
}

static void grow(void)
{
	void **old = slots;
	size_t n = n_slots;

	n_slots = n ? n * 2 : 256;
	n_taken = 0;
	slots = kit_alloc(n_slots * sizeof(*slots));
	for (size_t i = 0; i < n; i++)
		if (old[i] && old[i] != GONE)
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
	put(p);
	n_live++;
	(void)pthread_mutex_unlock(&lock);
	return p;
}

void blocks_remove(const void *p)
{
	(void)pthread_mutex_lock(&lock);
	for (size_t i = n_slots ? home(p) : 0; p && n_slots && slots[i];
		i = (i + 1) & (n_slots - 1)) {
		if (slots[i] != p)
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

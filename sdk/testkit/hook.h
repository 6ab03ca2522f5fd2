/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin's memory, for hook.c. */
#ifndef TENON_TESTKIT_HOOK_H
#define TENON_TESTKIT_HOOK_H

void *blocks_add(void *p);         /* returns @p; NULL is fine [any] */
void blocks_remove(const void *p); /* one that is not known is fine [any] */

#endif

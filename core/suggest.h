/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Did you mean ...": the known word that is nearest to what was typed.
 */
#ifndef TENON_CORE_SUGGEST_H
#define TENON_CORE_SUGGEST_H

#include <stddef.h>

/* The best of the candidates so far; start with { .word = typed }. */
struct suggestion {
	const char *word;
	const char *best; /* NULL = nothing is near */
	size_t distance;
};

/* Considers one candidate (borrowed as long as the suggestion is used). */
void suggest_consider(struct suggestion *suggestion, const char *candidate);

/* " (did you mean \"path\"?)", or "" if nothing is near.  Returns @text. */
#define SUGGEST_TEXT_MAX 128
const char *suggest_text(const struct suggestion *suggestion, char text[SUGGEST_TEXT_MAX]);

#endif

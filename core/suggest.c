/* SPDX-License-Identifier: Apache-2.0 */
/* Nearness is the edit distance in which two swapped neighbours count as one slip. */
#include "core/suggest.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX 32

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Words past WORD_MAX are never near anything. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2];
	size_t n_a = strlen(a), n_b = strlen(b);

	if (n_a > WORD_MAX || n_b > WORD_MAX)
		return WORD_MAX;

	memset(rows, 0, sizeof(rows));
	for (size_t j = 0; j <= n_b; j++)
		last[j] = j;
	for (size_t i = 1; i <= n_a; i++) {
		size_t *free_row = before;

		row[0] = i;
		for (size_t j = 1; j <= n_b; j++) {
			size_t change = last[j - 1] + (a[i - 1] != b[j - 1]);

			row[j] = min3(change, last[j] + 1, row[j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		before = last;
		last = row;
		row = free_row;
	}
	return last[n_b];
}

void suggest_consider(struct suggestion *suggestion, const char *candidate)
{
	size_t distance = edit_distance(suggestion->word, candidate);
	size_t length = strlen(suggestion->word);
	/* A third of the word may be wrong; of a short one, one letter, and never all of it. */
	size_t near = length <= 4 ? 1 : length / 3;

	if (length < 2 || distance > near)
		return;
	if (!suggestion->best || distance < suggestion->distance) {
		suggestion->best = candidate;
		suggestion->distance = distance;
	}
}

const char *suggest_text(const struct suggestion *suggestion, char text[SUGGEST_TEXT_MAX])
{
	if (suggestion->best)
		(void)snprintf(text, SUGGEST_TEXT_MAX, " (did you mean \"%s\"?)", suggestion->best);
	else
		text[0] = '\0';
	return text;
}

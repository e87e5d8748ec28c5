/* SPDX-License-Identifier: MIT */
/* Sets of 64-bit signatures. Full sets stop growing: what is not in one has to be looked at again. */
#ifndef EXPLORE_SEEN_H
#define EXPLORE_SEEN_H

#include <stdbool.h>
#include <stdint.h>

struct seen {
	uint64_t *slot;
	uint16_t *used; /* which slots, in order of their use */
	unsigned count;
};

void seen_clear(struct seen *seen);
bool seen_has(const struct seen *seen, uint64_t signature);
/* Of those that are in @some, how many are not in @all? */
unsigned seen_missing(const struct seen *all, const struct seen *some);
bool seen_full(const struct seen *seen);
void seen_add(struct seen *seen, uint64_t signature);

#endif

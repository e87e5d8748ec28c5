/* SPDX-License-Identifier: MIT */
#include "seen.h"

#include <stdlib.h>

#define SLOTS (1u << 16)

void seen_clear(struct seen *seen)
{
	if (!seen->slot) {
		seen->slot = calloc(SLOTS, sizeof(*seen->slot));
		seen->used = calloc(SLOTS, sizeof(*seen->used));
	}
	/* Most sets stay small: what is in them is far less than what could be. */
	for (unsigned i = 0; i < seen->count; i++)
		seen->slot[seen->used[i]] = 0;
	seen->count = 0;
}

/* Where @signature is or belongs; 0 marks a free slot, so 0 itself is taken for 1. */
static uint64_t *find(const struct seen *seen, uint64_t signature)
{
	uint64_t i = signature & (SLOTS - 1);

	while (seen->slot[i] && seen->slot[i] != signature)
		i = (i + 1) & (SLOTS - 1);
	return &seen->slot[i];
}

bool seen_has(const struct seen *seen, uint64_t signature)
{
	signature += !signature;
	return seen->slot && *find(seen, signature) == signature;
}

bool seen_full(const struct seen *seen)
{
	return seen->count > SLOTS / 2;
}

unsigned seen_missing(const struct seen *all, const struct seen *some)
{
	unsigned missing = 0;

	for (unsigned i = 0; i < some->count; i++)
		missing += !seen_has(all, some->slot[some->used[i]]);
	return missing;
}

void seen_add(struct seen *seen, uint64_t signature)
{
	uint64_t *slot;

	signature += !signature;
	if (!seen->slot || !seen->used || seen_full(seen))
		return;
	slot = find(seen, signature);
	if (!*slot)
		seen->used[seen->count++] = (uint16_t)(slot - seen->slot);
	*slot = signature;
}

/* SPDX-License-Identifier: MIT */
#include "seen.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS (1u << 16)

void seen_clear(struct seen *seen)
{
	if (!seen->slot)
		seen->slot = calloc(SLOTS, sizeof(*seen->slot));
	else if (seen->count)
		memset(seen->slot, 0, SLOTS * sizeof(*seen->slot));
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

	for (unsigned i = 0; some->slot && i < SLOTS; i++)
		missing += some->slot[i] && !seen_has(all, some->slot[i]);
	return missing;
}

void seen_add(struct seen *seen, uint64_t signature)
{
	uint64_t *slot;

	signature += !signature;
	if (!seen->slot || seen_full(seen))
		return;
	slot = find(seen, signature);
	seen->count += !*slot;
	*slot = signature;
}

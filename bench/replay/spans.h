/* SPDX-License-Identifier: MIT */
/*
 * An ordered map from disjoint half-open ranges [start, end) of numbers to values. The planner
 * keeps three of them for each address space: protections, resident pages, and who touched a page
 * last. Neighbours with equal values stay apart.
 */
#ifndef REPLAY_SPANS_H
#define REPLAY_SPANS_H

#include <stdint.h>

struct span {
	uint64_t start, end;
	uint64_t value;
	struct span *left, *right;
	uint32_t priority;
};

/* All-zero is an empty map. */
struct spans {
	struct span *root;
	uint64_t covered; /* numbers that some range contains */
	uint32_t random;
};

/* The first range that ends behind @from; NULL when there is none. Its value may be changed. */
struct span *spans_next(const struct spans *s, uint64_t from);

/* No range contains both @at - 1 and @at afterwards. */
void spans_cut(struct spans *s, uint64_t at);

/* Forget [start, end), cutting ranges that reach across its edges. */
void spans_erase(struct spans *s, uint64_t start, uint64_t end);

/* Exactly [start, end), not empty, becomes one range. */
void spans_assign(struct spans *s, uint64_t start, uint64_t end, uint64_t value);

/* @to must be empty. */
void spans_copy(struct spans *to, const struct spans *from);

void spans_clear(struct spans *s);

#endif

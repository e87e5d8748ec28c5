/* SPDX-License-Identifier: MIT */
/* Vector clocks: one component per coroutine, in one vector register. */
#ifndef EXPLORE_CLOCK_H
#define EXPLORE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_THREADS 8
#define CLOCK_MAX INT16_MAX

typedef int16_t clock_vec __attribute__((vector_size(2 * CLOCK_THREADS)));

union clock {
	clock_vec v;
	int16_t of[CLOCK_THREADS];
	uint64_t word[2];
};

static inline void clock_join(union clock *to, const union clock *from)
{
	clock_vec later = from->v > to->v;

	to->v = (from->v & later) | (to->v & ~later);
}

/* Is a component of @a later than in @b? */
static inline bool clock_exceeds(const union clock *a, const union clock *b)
{
	union clock later = {.v = a->v > b->v};

	return later.word[0] | later.word[1];
}

#endif

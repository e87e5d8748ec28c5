/* SPDX-License-Identifier: MIT */
/*
 * What a step of a thread does that others might notice, as bits. Two steps conflict if one sees
 * what the other changes; a write sees, too, so that two writes conflict. Each location that
 * threads conflict on has a bit; two may share one, which only makes more conflicts. A call's
 * response sees the time, an invocation changes it: only a response and an invocation conflict.
 */
#ifndef EXPLORE_FOOTPRINT_H
#define EXPLORE_FOOTPRINT_H

#include <stdbool.h>
#include <stdint.h>

#define FOOTPRINT_BITS 128

/* Bits that are not of memory: of the pseudo cells, in their order, and the time. */
enum { BIT_PSEUDO = 0, BIT_TIME = 6, BIT_MEMORY = 8 };

struct footprint {
	uint64_t sees[FOOTPRINT_BITS / 64], changes[FOOTPRINT_BITS / 64];
};

static inline void footprint_sees(struct footprint *f, unsigned bit)
{
	f->sees[bit / 64] |= UINT64_C(1) << bit % 64;
}

static inline void footprint_changes(struct footprint *f, unsigned bit)
{
	f->changes[bit / 64] |= UINT64_C(1) << bit % 64;
}

static inline void footprint_add(struct footprint *f, unsigned bit, bool write)
{
	footprint_sees(f, bit);
	if (write)
		footprint_changes(f, bit);
}

static inline void footprint_join(struct footprint *to, const struct footprint *from)
{
	for (unsigned i = 0; i < FOOTPRINT_BITS / 64; i++) {
		to->sees[i] |= from->sees[i];
		to->changes[i] |= from->changes[i];
	}
}

static inline bool footprints_conflict(const struct footprint *a, const struct footprint *b)
{
	uint64_t both = 0;

	for (unsigned i = 0; i < FOOTPRINT_BITS / 64; i++)
		both |= (a->sees[i] & b->changes[i]) | (a->changes[i] & b->sees[i]);
	return both;
}

static inline bool footprint_empty(const struct footprint *f)
{
	uint64_t any = 0;

	for (unsigned i = 0; i < FOOTPRINT_BITS / 64; i++)
		any |= f->sees[i] | f->changes[i];
	return !any;
}

#endif

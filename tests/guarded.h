/* SPDX-License-Identifier: MIT */
/* What a lock is to protect, for tests of locks by themselves: two plain numbers that belong together. */
#ifndef TEST_GUARDED_H
#define TEST_GUARDED_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct guarded {
	uint64_t twice, half;
	_Atomic bool wrong; /* somebody saw them apart */
	_Atomic unsigned arrived;
};

/* Begin together: wait until @threads have come. */
static inline void guarded_arrive(struct guarded *g, unsigned threads)
{
	atomic_fetch_add(&g->arrived, 1);
	while (atomic_load(&g->arrived) < threads)
		sched_yield();
}

/* Others must not come in now: give them the time to do so. */
static inline void guarded_linger(unsigned round)
{
	if (round % 64 < 4)
		sched_yield();
}

/* The lock is held, shared or not. */
static inline void guarded_look(struct guarded *g, unsigned round)
{
	uint64_t half = g->half;

	guarded_linger(round);
	if (g->half != half || g->twice != 2 * half)
		atomic_store(&g->wrong, true);
}

/* The lock is held exclusively. */
static inline void guarded_change(struct guarded *g, unsigned round)
{
	uint64_t half = g->half;

	guarded_linger(round);
	g->half = half + 1;
	g->twice += 2;
}

#endif

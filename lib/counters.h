/* SPDX-License-Identifier: MIT */
/* What is counted, and a line of counters that one thread writes. */
#ifndef PT_COUNTERS_H
#define PT_COUNTERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum stat {
	STAT_NODES_TAKEN,
	STAT_NODES_GIVEN,
	STAT_LOCKS,
	STAT_CONTENDED,
	STAT_RETRIES,
	STAT_PATH,
	STAT_LOST,
	STAT_SPLITS,
	STAT_DETACHES,
	STAT_REVOCATIONS,
	STAT_APPENDED,
	STAT_COMBINED,
	STAT_REPLAYED,
	STAT_PASSED,
	NR_STATS,
};

/* Those that calls on one page add to are in its first cache line. */
struct stats_line {
	_Alignas(64) _Atomic uint64_t count[NR_STATS];
	uint64_t owner; /* `id` of the thread that counts here; this and base are its own */
	uint64_t base[NR_STATS];
};

/* Without asking whether anybody wants to know: threads have a line for what nobody does. */
static inline void stat_add(struct stats_line *line, enum stat stat, uint64_t n)
{
	atomic_store_explicit(&line->count[stat],
			      atomic_load_explicit(&line->count[stat], memory_order_relaxed) + n,
			      memory_order_relaxed);
}

/* A lock has been taken, and the thread had to wait for it or not. */
static inline void stat_lock(struct stats_line *line, bool waited)
{
	stat_add(line, STAT_LOCKS, 1);
	if (waited)
		stat_add(line, STAT_CONTENDED, 1);
}

#endif

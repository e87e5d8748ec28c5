/* SPDX-License-Identifier: MIT */
/*
 * Counters of a table that was created with statistics.
 *
 * Each registered thread has a slot number of its pool, the lowest free one. A table that counts has
 * a line of counters for each slot number, in groups made on first use, so that threads never write
 * to a common line and neither tables nor threads must know of one another's end. Only the thread
 * that has the slot number writes the line: relaxed loads and stores make an increment. Anybody may
 * read; each figure is exact, together they are approximate while threads run.
 *
 * A slot number is used again after its thread has unregistered [ORD-slot]: the line goes on
 * counting for the table, and `base` keeps where the new owner began.
 *
 * A thread remembers the table that it counted for last, and the line, so that finding it costs a
 * comparison. Tables are told apart by a number that the pool never gives out again: addresses recur.
 *
 * Without memory for a group a call goes uncounted, and that is counted: a cursor must not fail
 * for want of a counter.
 */
#ifndef PT_STATS_H
#define PT_STATS_H

#include "thread.h"

enum stat {
	STAT_NODES_TAKEN,
	STAT_NODES_GIVEN,
	STAT_LOCKS,
	STAT_CONTENDED,
	STAT_RETRIES,
	STAT_SPLITS,
	STAT_DETACHES,
	NR_STATS,
};

struct stats_line {
	_Alignas(64) _Atomic uint64_t count[NR_STATS];
	uint64_t owner; /* `id` of the thread that counts here; this and base are its own */
	uint64_t base[NR_STATS];
};

#define STATS_GROUP_LINES 64u
#define STATS_GROUPS (POOL_SLOTS / STATS_GROUP_LINES)

struct stats_group {
	struct stats_line lines[STATS_GROUP_LINES];
};

struct table_stats {
	_Atomic(struct stats_group *) groups[STATS_GROUPS];
	_Atomic uint64_t uncounted;
};

/* Make counters for a new table; NULL when out of memory. And free them. */
struct table_stats *pt_stats_create(void);
void pt_stats_destroy(struct table_stats *stats);

/* The line of a thread that has counted elsewhere; NULL without memory or slot number. */
struct stats_line *pt_stats_switch(struct pt_thread *self, const struct pt_table *t);

/* Where @self counts what it does on @t; NULL: nowhere. */
static inline struct stats_line *stats_of(struct pt_thread *self, const struct pt_table *t)
{
	if (__builtin_expect(!t->stats_id, 1))
		return NULL;
	return __builtin_expect(self->counts_for == t->stats_id, 1) ? self->counts_on
								    : pt_stats_switch(self, t);
}

static inline void stat_add(struct stats_line *line, enum stat stat, uint64_t n)
{
	if (__builtin_expect(!line, 1))
		return;
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

/* SPDX-License-Identifier: MIT */
/*
 * Counters of tables.
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
 * comparison. Tables are told apart by a number that is never given out again: addresses recur.
 *
 * Without memory for a group a call goes uncounted, and that is counted: a cursor must not fail
 * for want of a counter.
 */
#ifndef PT_STATS_H
#define PT_STATS_H

#include "thread.h"

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

/*
 * Make @t the table that @self has worked on last: where it counts from now on, which is also the
 * return value.
 */
struct stats_line *pt_stats_switch(struct pt_thread *self, const struct pt_table *t);

/* Where @self counts what it does on @t. */
static inline struct stats_line *stats_of(struct pt_thread *self, const struct pt_table *t)
{
	return __builtin_expect(self->works_on == t->id, 1) ? self->counts_on
							    : pt_stats_switch(self, t);
}

#endif

/* SPDX-License-Identifier: MIT */
/* A cursor: the range it holds, where it stands, and what its strategy keeps for it. */
#ifndef PT_CURSOR_H
#define PT_CURSOR_H

#include "access.h"
#include "stats.h"
#include "table.h"
#include "thread.h"

struct cursor {
	const struct pt_ops *ops; /* first: see PT_OPS() */
	struct pt_thread *self;
	struct pt_table *table;
	pt_va_t first, last;    /* the range held, both inclusive */
	pt_va_t va;             /* position; last + 1 (which may wrap to 0) at the end */
	struct node *node;      /* the covering node, */
	slot_t *slots;          /* what it holds; set by strategy_lock_page() only */
	struct node *displaced; /* subtrees that gave way to a leaf or mark, by `next` */
	uint8_t level;          /* and its level */
	uint8_t top;
	uint8_t floor;     /* the lowest level at which one node can cover the range; >= top */
	uint8_t mode;      /* enum pt_mode */
	uint8_t node_lock; /* of the table, a load nearer */
	bool try_only;     /* the strategy may not wait for anybody */
	bool must_wake;    /* a call on one page ends with port_rcu_wake() */
	struct stats_line *stats; /* where this thread counts for the table; see cursor_stats() */
	struct cursor *next_held; /* another cursor that this thread holds */
	/* MAY_LOSE: what a visit found frozen, and where it is to go on, or ended with an error */
	pt_va_t lost_at, stopped_at;
	uint64_t strategy[8];
};

static_assert(sizeof(struct cursor) <= sizeof(struct pt_cursor), "storage is too small");

/* Does the thread hold a cursor on @table, or on a copy of it, which has the same number? */
static inline bool thread_holds(const struct pt_thread *self, const struct pt_table *table)
{
	const struct cursor *c = self->holds;

	while (c && c->table->id != table->id)
		c = c->next_held;
	return c;
}

/* Take @c out of the cursors that the thread holds. They may end in any order. */
static inline void thread_lets_go(struct pt_thread *self, struct cursor *c)
{
	struct cursor **link = &self->holds;

	while (*link != c)
		link = &(*link)->next_held;
	*link = c->next_held;
}

/*
 * On the short way of calls on one page the line is not kept, but found when it is needed: the
 * thread has no other cursor, so it still counts there.
 */
static inline struct stats_line *cursor_stats(const struct cursor *c)
{
	return c->stats ? c->stats : c->self->counts_on;
}

static inline bool cursor_at_end(const struct cursor *c)
{
	return c->va == c->last + 1;
}

#endif

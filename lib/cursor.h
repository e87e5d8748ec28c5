/* SPDX-License-Identifier: MIT */
/* A cursor: the range it holds, where it stands, and what its strategy keeps for it. */
#ifndef PT_CURSOR_H
#define PT_CURSOR_H

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
	struct node *displaced; /* subtrees that gave way to a leaf or mark, by `next` */
	uint8_t level;          /* and its level */
	uint8_t top;
	uint8_t floor; /* the lowest level at which one node can cover the range; >= top */
	uint8_t mode;  /* enum pt_mode */
	struct stats_line *stats; /* where this thread counts for the table; NULL: nowhere */
	uint64_t strategy[4];
};

static_assert(sizeof(struct cursor) <= sizeof(struct pt_cursor), "storage is too small");

static inline bool cursor_at_end(const struct cursor *c)
{
	return c->va == c->last + 1;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * bare: no synchronisation at all; what the others are compared to.
 *
 * One thread uses the table. Publication and reclamation are nobody's concern: nodes are free the
 * moment they have been flushed. The hardware may still walk and set accessed and dirty bits, so
 * leaves change by compare-exchange, as everywhere.
 *
 * A. Between begin and end no call of another thread is in progress, by the caller's promise.
 */
#ifndef PT_STRATEGY_BARE_H
#define PT_STRATEGY_BARE_H

#include "global.h"
#include "zeroed.h"

#define STRATEGY_NAME "bare"
#define STRATEGY_SUMMARY "no synchronisation, one thread: what the others are compared to"
#define STRATEGY_ISOLATION PT_ISOLATION_NONE
#define STRATEGY_READERS_SHARE 0
#define STRATEGY_LOCK_FREE_QUERY 1
#define STRATEGY_DISJOINT_PARALLEL 0
#define STRATEGY_NODE_LOCKS 0
#define STRATEGY_CONCURRENT 0
#define STRATEGY_SOFTWARE_BITS 0
#define STRATEGY_NODE_BYTES 0

struct strategy_query {
	char unused;
};

static inline bool strategy_table_is_free(struct pt_table *table)
{
	(void)table;
	return true;
}

static inline slot_t *strategy_query_begin(struct strategy_query *q, struct pt_thread *self,
					   struct pt_table *table)
{
	(void)q;
	(void)self;
	return root_slots(table);
}

static inline pte_t strategy_query_step(struct strategy_query *q, slot_t *slot, unsigned level)
{
	(void)q;
	(void)level;
	return slot_load_locked(slot);
}

static inline bool strategy_query_end(struct strategy_query *q)
{
	(void)q;
	return true;
}

static inline bool strategy_lock_range(struct cursor *c)
{
	walk_to_cover(c);
	return true;
}

static inline void strategy_unlock_range(struct cursor *c)
{
	(void)c;
}

static PT_INLINE bool strategy_lock_page(struct cursor *c)
{
	return walk_to_leaf_table(c);
}

static PT_INLINE void strategy_unlock_page(struct cursor *c)
{
	(void)c;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Parts that strategies share in which one lock, a word of the table, covers everything. Included
 * after lock_table(word, shared), which tells whether it had to wait, try_lock_table(word, shared) and
 * unlock_table(word, shared); a zero word is a free lock.
 */
#ifndef PT_STRATEGY_TABLELOCK_H
#define PT_STRATEGY_TABLELOCK_H

#include "global.h"
#include "zeroed.h"

#define STRATEGY_ISOLATION PT_ISOLATION_RANGE
#define STRATEGY_LOCK_FREE_QUERY 0
#define STRATEGY_DISJOINT_PARALLEL 0
#define STRATEGY_NODE_LOCKS 0
#define STRATEGY_CONCURRENT 1
#define STRATEGY_SOFTWARE_BITS 0
#define STRATEGY_NODE_BYTES 0

struct strategy_query {
	_Atomic uint32_t *lock;
};

static inline _Atomic uint32_t *table_lock(struct pt_table *table)
{
	return (_Atomic uint32_t *)table->strategy;
}

static inline bool strategy_table_is_free(struct pt_table *table)
{
	return !atomic_load_explicit(table_lock(table), memory_order_relaxed);
}

static inline slot_t *strategy_query_begin(struct strategy_query *q, struct pt_thread *self,
					   struct pt_table *table)
{
	(void)self;
	q->lock = table_lock(table);
	lock_table(q->lock, true);
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
	unlock_table(q->lock, true);
	return true;
}

static inline bool strategy_lock_range(struct cursor *c)
{
	_Atomic uint32_t *lock = table_lock(c->table);
	const bool shared = c->mode == PT_READ_ONLY;
	bool waited = false;

	if (!c->try_only)
		waited = lock_table(lock, shared);
	else if (!try_lock_table(lock, shared))
		return false;
	stat_lock(cursor_stats(c), waited);
	walk_to_cover(c);
	return true;
}

static inline void strategy_unlock_range(struct cursor *c)
{
	unlock_table(table_lock(c->table), c->mode == PT_READ_ONLY);
}

static PT_INLINE bool strategy_lock_page(struct cursor *c)
{
	bool waited = false;

	if (!c->try_only)
		waited = lock_table(table_lock(c->table), false);
	else if (unlikely(!try_lock_table(table_lock(c->table), false)))
		return false;
	stat_lock(cursor_stats(c), waited);
	if (likely(walk_to_leaf_table(c)))
		return true;
	unlock_table(table_lock(c->table), false);
	return false;
}

static PT_INLINE void strategy_unlock_page(struct cursor *c)
{
	unlock_table(table_lock(c->table), false);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * mutex: one sleeping mutex for the whole table. Cursors and queries of every kind exclude one
 * another.
 *
 * Invariants
 * A. Whoever reads or changes metadata, or changes a slot, holds the mutex; the hardware aside.
 * B. Lock order: there is one lock. A thread with a cursor open takes no second one (-EDEADLK).
 *
 * Publication: queries are ordered by the mutex. pt_walk() is not: it loads slots with acquire
 * while slots are stored with release [ORD-publish], so it sees nodes complete.
 *
 * Reclamation: pt_walk() runs in an RCU read section, and unlinked nodes wait for a grace period
 * after the flush (R1). A query holds the mutex, so no node on its path is unlinked meanwhile.
 *
 * Source: the giant lock of early kernels; here as the lower bound of concurrency.
 */
#ifndef PT_STRATEGY_MUTEX_H
#define PT_STRATEGY_MUTEX_H

#include "global.h"
#include "sync/mutex.h"

#define STRATEGY_NAME "mutex"
#define STRATEGY_SUMMARY "one mutex for all"
#define STRATEGY_ISOLATION PT_ISOLATION_RANGE
#define STRATEGY_READERS_SHARE 0
#define STRATEGY_LOCK_FREE_QUERY 0
#define STRATEGY_CONCURRENT 1
#define STRATEGY_SOFTWARE_BITS 0
#define STRATEGY_NODE_BYTES 0

struct strategy_query {
	_Atomic uint32_t *mutex;
};

static inline _Atomic uint32_t *table_mutex(struct pt_table *table)
{
	return (_Atomic uint32_t *)table->strategy;
}

static inline int strategy_table_init(struct pt_table *table)
{
	(void)table; /* zero is a free mutex */
	return 0;
}

static inline void strategy_table_exit(struct pt_table *table)
{
	(void)table;
}

static inline bool strategy_table_is_free(struct pt_table *table)
{
	return !atomic_load_explicit(table_mutex(table), memory_order_relaxed);
}

static inline slot_t *strategy_query_begin(struct strategy_query *q, struct pt_thread *self,
					   struct pt_table *table)
{
	(void)self;
	q->mutex = table_mutex(table);
	mutex_lock(q->mutex);
	return slots_of_pa(table->phys_off, table->root_pa);
}

static inline pte_t strategy_query_step(struct strategy_query *q, slot_t *slot, unsigned level)
{
	(void)q;
	(void)level;
	return slot_load_locked(slot);
}

static inline bool strategy_query_end(struct strategy_query *q)
{
	mutex_unlock(q->mutex);
	return true;
}

static inline void strategy_lock_range(struct cursor *c)
{
	mutex_lock(table_mutex(c->table));
	global_walk_to_cover(c);
}

static inline void strategy_unlock_range(struct cursor *c)
{
	mutex_unlock(table_mutex(c->table));
}

#endif

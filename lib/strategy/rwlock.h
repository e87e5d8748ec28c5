/* SPDX-License-Identifier: MIT */
/*
 * rwlock: one sleeping reader/writer lock for the whole table, as Linux' mmap_lock before per-VMA
 * locks. Queries and read cursors share it; cursors that change take it exclusively.
 *
 * Invariants
 * A. Whoever changes metadata or a slot holds the lock exclusively; the hardware aside. Whoever
 *    reads metadata holds it at least shared.
 * B. Lock order: there is one lock. A thread with a cursor open takes no second one (-EDEADLK); in
 *    particular no reader asks again while a writer waits for it to leave.
 *
 * Publication and reclamation: as in mutex.h.
 *
 * Source: Linux mmap_lock (include/linux/mmap_lock.h), rw_semaphore with writer preference.
 */
#ifndef PT_STRATEGY_RWLOCK_H
#define PT_STRATEGY_RWLOCK_H

#include "global.h"
#include "sync/rwlock.h"

#define STRATEGY_NAME "rwlock"
#define STRATEGY_SUMMARY "one reader/writer lock for all, as Linux' mmap_lock"
#define STRATEGY_ISOLATION PT_ISOLATION_RANGE
#define STRATEGY_READERS_SHARE 1
#define STRATEGY_LOCK_FREE_QUERY 0
#define STRATEGY_CONCURRENT 1
#define STRATEGY_SOFTWARE_BITS 0
#define STRATEGY_NODE_BYTES 0

struct strategy_query {
	_Atomic uint32_t *lock;
};

static inline _Atomic uint32_t *table_rwlock(struct pt_table *table)
{
	return (_Atomic uint32_t *)table->strategy;
}

static inline int strategy_table_init(struct pt_table *table)
{
	(void)table; /* zero is a free lock */
	return 0;
}

static inline void strategy_table_exit(struct pt_table *table)
{
	(void)table;
}

static inline bool strategy_table_is_free(struct pt_table *table)
{
	return !atomic_load_explicit(table_rwlock(table), memory_order_relaxed);
}

static inline slot_t *strategy_query_begin(struct strategy_query *q, struct pt_thread *self,
					   struct pt_table *table)
{
	(void)self;
	q->lock = table_rwlock(table);
	rwlock_read_lock(q->lock);
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
	rwlock_read_unlock(q->lock);
	return true;
}

static inline void strategy_lock_range(struct cursor *c)
{
	if (c->mode == PT_READ_ONLY)
		rwlock_read_lock(table_rwlock(c->table));
	else
		rwlock_write_lock(table_rwlock(c->table));
	global_walk_to_cover(c);
}

static inline void strategy_unlock_range(struct cursor *c)
{
	if (c->mode == PT_READ_ONLY)
		rwlock_read_unlock(table_rwlock(c->table));
	else
		rwlock_write_unlock(table_rwlock(c->table));
}

#endif

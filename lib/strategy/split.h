/* SPDX-License-Identifier: MIT */
/*
 * split: a sleeping reader/writer lock for the table, and a spinlock for each node under it. Cursors of
 * top 1, which can neither take a table away nor put a huge leaf in its place, share the table and
 * lock the nodes of their range; those of a higher top have the table for themselves.
 *
 * Invariants
 * A. A table leaves the tree only while its table's lock is held exclusively. So whoever shares the lock
 *    may follow what it has read, and nothing is ever stray.
 * B. A slot and the counts of a node change only under the table's lock held exclusively, or held shared
 *    and the node's lock held exclusively; the hardware's accessed and dirty bits aside.
 *
 * Lock order: the table's lock, then nodes as in nodelocks.h. Nobody takes the table's lock with a node
 * held: a thread with a cursor open waits for no other lock (-EDEADLK).
 *
 * Publication: a child is complete, adopted and zeroed or filled before the store that links it
 * [ORD-publish]. Whoever shares the table loads slots on the way with acquire, for others who share it
 * may have just linked what they refer to; so does pt_walk(), which takes no lock.
 *
 * Reclamation: only pt_walk() looks at nodes without the table's lock, in an RCU read section; unlinked
 * nodes wait for a grace period after the flush, for its sake (R1).
 *
 * Guarantees: Q1; C1 range: two cursors that overlap need the table's lock, one of them exclusively, or a
 * common node's. P1: nobody goes back on his way.
 *
 * Source: Linux, Documentation/mm/split_page_table_lock: a lock for each PTE and each PMD table, held
 * under mmap_lock. What faults do, which fill and change entries, shares mmap_lock; what mmap() and
 * munmap() do, which may free tables, excludes. Different here: upper tables have locks of their own,
 * too, in place of one page_table_lock for all of them; and reads share a node (sharedlock.h).
 */
#ifndef PT_STRATEGY_SPLIT_H
#define PT_STRATEGY_SPLIT_H

#include "cover.h"
#include "nodelocks.h"
#include "sync/rwlock.h"
#include "zeroed.h"

#define STRATEGY_NAME "split"
#define STRATEGY_SUMMARY \
	"a reader/writer lock, and under it one of each node, as Linux' split locks"
#define STRATEGY_READERS_SHARE 1
#define STRATEGY_LOCK_FREE_QUERY 0
#define STRATEGY_DISJOINT_PARALLEL 0
#define STRATEGY_CONCURRENT 1
#define STRATEGY_SOFTWARE_BITS 0

struct strategy_query {
	_Atomic uint32_t *lock;
};

static inline _Atomic uint32_t *split_lock(struct pt_table *table)
{
	return (_Atomic uint32_t *)table->strategy;
}

static inline bool strategy_table_is_free(struct pt_table *table)
{
	return !atomic_load_explicit(split_lock(table), memory_order_relaxed);
}

/* Does the cursor have the table for itself? Then it locks no node. */
static inline bool split_excludes(const struct cursor *c)
{
	return c->mode != PT_READ_ONLY && c->top > 1;
}

static inline slot_t *strategy_query_begin(struct strategy_query *q, struct pt_thread *self,
					   struct pt_table *table)
{
	(void)self;
	q->lock = split_lock(table);
	rwlock_read_lock(q->lock);
	return root_slots(table);
}

static inline pte_t strategy_query_step(struct strategy_query *q, slot_t *slot, unsigned level)
{
	(void)q;
	(void)level;
	return slot_load_walk(slot);
}

static inline bool strategy_query_end(struct strategy_query *q)
{
	rwlock_read_unlock(q->lock);
	return true;
}

/* Lock the table; false if the cursor may only try and would have to wait. */
static PT_INLINE bool split_lock_table(struct cursor *c, bool shared)
{
	_Atomic uint32_t *lock = split_lock(c->table);
	bool waited = false;

	if (c->try_only) {
		if (!(shared ? rwlock_try_read_lock(lock) : rwlock_try_write_lock(lock)))
			return false;
	} else {
		waited = shared ? rwlock_read_lock(lock) : rwlock_write_lock(lock);
	}
	stat_lock(cursor_stats(c), waited);
	return true;
}

static inline bool strategy_lock_range(struct cursor *c)
{
	const bool excludes = split_excludes(c);

	if (!split_lock_table(c, !excludes))
		return false;
	if (excludes) {
		walk_to_cover(c);
		return true;
	}
	if (cursor_lock_cover(c) == GOT_LOCKED && cursor_lock_rest(c))
		return true;
	rwlock_read_unlock(split_lock(c->table));
	return false;
}

static inline void strategy_unlock_range(struct cursor *c)
{
	if (split_excludes(c)) {
		rwlock_write_unlock(split_lock(c->table));
		return;
	}
	cursor_unlock_nodes(c);
	rwlock_read_unlock(split_lock(c->table));
}

static PT_INLINE bool strategy_lock_page(struct cursor *c)
{
	if (unlikely(!split_lock_table(c, true)))
		return false;
	if (likely(walk_to_leaf_table(c)) && likely(cursor_lock_node(c, c->node)))
		return true;
	rwlock_read_unlock(split_lock(c->table));
	return false;
}

static PT_INLINE void strategy_unlock_page(struct cursor *c)
{
	cursor_unlock_node(c, c->node);
	rwlock_read_unlock(split_lock(c->table));
}

static inline void strategy_adopt_child(struct cursor *c, struct slot *s, struct node *child)
{
	(void)s;
	if (!split_excludes(c))
		sharedlock_init_locked(lock_of(child));
}

static inline void strategy_detach_subtree(struct cursor *c, struct slot *s, pte_t pte)
{
	(void)c;
	slot_publish(s->ref, pte);
}

#endif

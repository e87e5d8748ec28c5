/* SPDX-License-Identifier: MIT */
/*
 * rcu: walk lock-free to the covering node, take its spinlock, look whether it is still part of the
 * tree, then lock what lies below in depth-first order. Queries take no lock at all.
 *
 * Invariants
 * A. A node is stray from the moment it is unlinked; `stray` is plain and read and written under the
 *    node's lock. The root is never stray.
 * B. A slot and the counts of a node change only under its lock, held exclusively, while the node is
 *    not stray; the hardware's accessed and dirty bits aside.
 * C. A cursor holds exactly: its covering node, and every table below it that overlaps its range.
 *    Tables born in the range are born locked.
 * D. Whoever unlinks a node holds it and everything below, exclusively.
 *
 * Lock order: preorder of the tree. From the root to the covering node at most one node is locked at
 * a time (a newborn is locked before its parent is released); below it, parents before children,
 * left to right. A waiter holds only nodes that come before the one it waits for, so there is no
 * deadlock; shared holders obey the same order. Who holds a cursor already waits for no node at all,
 * so the order is needed within one table only. Two cursors whose ranges overlap both need the lock
 * of some common node: their covering nodes both lie on the path to any common page, and the lower
 * one is among what the holder of the upper one locks. So their transactions are serialised (C1).
 *
 * Publication: a child is complete, adopted and zeroed or filled before the store that links it
 * [ORD-publish]; walks load slots with acquire.
 *
 * Reclamation: between reading a reference and holding the node's lock a walker is in an RCU read
 * section, so the node, stray or not, is not reused (R1). Once it holds the lock of a node that is
 * not stray, D keeps the node in the tree, and the read section may end. A waiter that wakes on a
 * stray node releases it and starts again from the root; its lock is the
 * last thing an unlinking cursor writes of what waiters look at.
 *
 * Guarantees: Q1, Q2 (a query that reads a leaf in a stray node is linearised just before the
 * unlinking: its content is frozen, and the reference was read before). C1 range. P1: a query takes
 * one load per level; starting again implies that another cursor unlinked something.
 *
 * Source: CortenMM-adv (SOSP 2025), Asterinas ostd::mm::page_table::cursor::locking. Different here:
 * read cursors share and never allocate, change cursors do not allocate on the way down, the read
 * section ends when the covering node is locked, and aligned leaf tables are detached whole.
 */
#ifndef PT_STRATEGY_RCU_H
#define PT_STRATEGY_RCU_H

#include "exclusive.h"
#include "sync/sharedlock.h"
#include "zeroed.h"

#define STRATEGY_NAME "rcu"
#define STRATEGY_SUMMARY "lock-free walk to the covering node, its spinlock, then depth first below"
#define STRATEGY_ISOLATION PT_ISOLATION_RANGE
#define STRATEGY_READERS_SHARE 1
#define STRATEGY_LOCK_FREE_QUERY 1
#define STRATEGY_NODE_LOCKS 1
#define STRATEGY_CONCURRENT 1
#define STRATEGY_SOFTWARE_BITS 0
#define STRATEGY_NODE_BYTES sizeof(struct rcu_node)

struct rcu_node {
	struct nodelock lock;
};

struct strategy_query {
	struct port_thread *port;
};

static inline struct rcu_node *rcu_node(struct node *node)
{
	return (struct rcu_node *)node->strategy;
}

static inline bool strategy_table_is_free(struct pt_table *table)
{
	(void)table;
	return true;
}

static inline slot_t *strategy_query_begin(struct strategy_query *q, struct pt_thread *self,
					   struct pt_table *table)
{
	q->port = &self->port;
	port_rcu_read_lock(q->port);
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
	return port_rcu_read_unlock_quick(q->port);
}

/* Lock @node; false if the cursor may only try and would have to wait. */
static PT_INLINE bool rcu_lock_node(struct cursor *c, struct node *node)
{
	struct nodelock *lock = &rcu_node(node)->lock;
	struct queued_waiter *me = &c->self->waiter;
	enum nodelock_kind kind = c->node_lock;
	bool waited = false;

	if (c->try_only) {
		if (unlikely(c->mode == PT_READ_ONLY ? !sharedlock_try_lock_shared(lock, kind)
						     : !sharedlock_try_lock(lock, kind)))
			return false;
	} else if (c->mode == PT_READ_ONLY) {
		waited = sharedlock_lock_shared(lock, kind, me);
	} else {
		waited = sharedlock_lock(lock, kind, me);
	}
	stat_lock(cursor_stats(c), waited);
	return true;
}

static PT_INLINE void rcu_unlock_node(struct cursor *c, struct node *node)
{
	if (c->mode == PT_READ_ONLY)
		sharedlock_unlock_shared(&rcu_node(node)->lock);
	else
		sharedlock_unlock(&rcu_node(node)->lock, c->node_lock);
}

/* How an attempt to lock a node on the way went; all but LOCKED leave it unlocked. */
enum rcu_got {
	RCU_LOCKED,
	RCU_PASSED, /* there is a table below by now: the walk goes on */
	RCU_STRAY,  /* it is no longer part of the tree */
	RCU_BUSY,   /* it would have to be waited for, and the cursor may only try */
};

static PT_INLINE enum rcu_got rcu_lock_unless_stray(struct cursor *c, struct node *node)
{
	if (unlikely(!rcu_lock_node(c, node)))
		return RCU_BUSY;
	if (likely(!rcu_node(node)->lock.stray))
		return RCU_LOCKED;
	rcu_unlock_node(c, node);
	return RCU_STRAY;
}

static inline void strategy_adopt_child(struct cursor *c, struct slot *s, struct node *child)
{
	(void)c;
	(void)s;
	sharedlock_init_locked(&rcu_node(child)->lock);
}

/*
 * Link a new table under the EMPTY slot of the locked @node; it is born locked. So are those that
 * follow below it, and nothing else is there: whoever has come so far need not wait any more.
 */
static inline struct node *rcu_build_child(struct cursor *c, struct node *node, unsigned level,
					   slot_t *slot)
{
	struct node *child = node_take(c->self, level - 1);

	stat_add(c->stats, STAT_NODES_TAKEN, 1);
	sharedlock_init_locked(&rcu_node(child)->lock);
	slot_publish(slot, fmt_table(node_to_pa(c->table, child)));
	exclusive_live_add(node, 1, 0);
	return child;
}

/*
 * The slot on the way down holds no table. Lock its node and look again, now that it cannot change.
 * Return RCU_PASSED if the walk goes on, with the state of the walk advanced; RCU_LOCKED if @node is
 * the covering node.
 */
static enum rcu_got rcu_settle(struct cursor *c, struct node **node, unsigned level, slot_t *slot,
			       bool *held)
{
	struct node *parent = *node;
	enum rcu_got got = RCU_LOCKED;
	pte_t pte;

	if (!*held)
		got = rcu_lock_unless_stray(c, parent);
	if (got != RCU_LOCKED)
		return got;
	*held = true;
	pte = slot_load_locked(slot);
	if (fmt_is_table(pte, level)) {
		*node = child_of(c->table, pte);
		*held = false;
	} else if (c->mode == PT_BUILD && fmt_kind(pte, level) == PT_KIND_EMPTY) {
		*node = rcu_build_child(c, parent, level, slot);
	} else {
		return RCU_LOCKED;
	}
	rcu_unlock_node(c, parent);
	return RCU_PASSED;
}

/* Find and lock the covering node; RCU_STRAY if it was lost to an unlinking cursor. */
static inline enum rcu_got rcu_lock_cover(struct cursor *c)
{
	const struct pt_table *t = c->table;
	pt_pa_t pa = t->root_pa;
	bool held = false;
	unsigned level;

	_Pragma("GCC unroll 8") for (level = FMT_LEVELS; level > 1; level--)
	{
		slot_t *slot = &slots_of_pa(t->phys_off, pa)[slot_index(c->first, level)];
		enum rcu_got got;
		struct node *node;
		pte_t pte;

		if (level == c->floor)
			break;
		pte = slot_load_walk(slot);
		if (!held && fmt_is_table(pte, level)) {
			pa = fmt_table_pa(pte);
			continue;
		}
		node = node_at_pa(t, pa);
		got = rcu_settle(c, &node, level, slot, &held);
		if (got == RCU_LOCKED)
			break;
		if (got != RCU_PASSED)
			return got;
		pa = node_to_pa(t, node);
	}
	c->node = node_at_pa(t, pa);
	c->level = (uint8_t)level;
	return held ? RCU_LOCKED : rcu_lock_unless_stray(c, c->node);
}

/* Unlock every table below @node, which is locked and no leaf table, that overlaps first..last. */
static void rcu_unlock_below(struct cursor *c, struct node *node, unsigned level, pt_va_t first,
			     pt_va_t last)
{
	const pt_va_t mask = level_size(level) - 1;
	slot_t *slot = &node_slots(c->table, node)[slot_index(first, level)];

	for (;; first = (first | mask) + 1, slot++) {
		pt_va_t end = (first | mask) < last ? first | mask : last;
		pte_t pte = slot_load_locked(slot);

		if (fmt_is_table(pte, level)) {
			if (level > 2)
				rcu_unlock_below(c, child_of(c->table, pte), level - 1, first, end);
			rcu_unlock_node(c, child_of(c->table, pte));
		}
		if (end == last)
			return;
	}
}

static bool rcu_lock_below(struct cursor *c, struct node *node, unsigned level, pt_va_t first,
			   pt_va_t last);

/* Lock the table behind @pte and, if it is one, what of it overlaps first..last. */
static inline bool rcu_lock_child(struct cursor *c, pte_t pte, unsigned level, pt_va_t first,
				  pt_va_t last)
{
	struct node *child;

	if (!fmt_is_table(pte, level))
		return true;
	child = child_of(c->table, pte);
	if (!rcu_lock_node(c, child))
		return false;
	if (level == 2 || rcu_lock_below(c, child, level - 1, first, last))
		return true;
	rcu_unlock_node(c, child);
	return false;
}

/* Lock them: all, or none. */
static bool rcu_lock_below(struct cursor *c, struct node *node, unsigned level, pt_va_t first,
			   pt_va_t last)
{
	const pt_va_t mask = level_size(level) - 1;
	slot_t *slot = &node_slots(c->table, node)[slot_index(first, level)];

	for (pt_va_t at = first;; at = (at | mask) + 1, slot++) {
		pt_va_t end = (at | mask) < last ? at | mask : last;

		if (!rcu_lock_child(c, slot_load_locked(slot), level, at, end)) {
			if (at != first)
				rcu_unlock_below(c, node, level, first, at - 1);
			return false;
		}
		if (end == last)
			return true;
	}
}

static inline bool strategy_lock_range(struct cursor *c)
{
	enum rcu_got got;

	port_rcu_read_lock(&c->self->port);
	while ((got = rcu_lock_cover(c)) == RCU_STRAY) {
		stat_add(c->stats, STAT_RETRIES, 1);
		/* A new section for each attempt, so that strays met on the way can be freed. */
		port_rcu_read_unlock(&c->self->port);
		port_rcu_read_lock(&c->self->port);
	}
	port_rcu_read_unlock(&c->self->port);
	if (got != RCU_LOCKED)
		return false;
	if (c->level == 1 || rcu_lock_below(c, c->node, c->level, c->first, c->last))
		return true;
	rcu_unlock_node(c, c->node);
	return false;
}

static inline void strategy_unlock_range(struct cursor *c)
{
	if (c->level > 1)
		rcu_unlock_below(c, c->node, c->level, c->first, c->last);
	rcu_unlock_node(c, c->node);
}

/*
 * The page is not to be had. Whoever may only try is not to call the system either: the long way,
 * which follows, does it instead. Behind that nobody does, for the call may fail or wait.
 */
static PT_INLINE void rcu_leave_in_vain(struct cursor *c)
{
	if (c->try_only)
		port_rcu_read_unlock_quick(&c->self->port);
	else
		port_rcu_read_unlock(&c->self->port);
}

static PT_INLINE bool strategy_lock_page(struct cursor *c)
{
	enum rcu_got got;

	port_rcu_read_lock(&c->self->port);
	if (unlikely(!walk_to_leaf_table(c))) {
		rcu_leave_in_vain(c);
		return false;
	}
	got = rcu_lock_unless_stray(c, c->node);
	if (unlikely(got != RCU_LOCKED)) {
		stat_add(cursor_stats(c), STAT_RETRIES, got == RCU_STRAY);
		rcu_leave_in_vain(c);
		return false;
	}
	if (!c->try_only) {
		port_rcu_read_unlock(&c->self->port);
	} else if (unlikely(!port_rcu_read_unlock_quick(&c->self->port))) {
		rcu_unlock_node(c, c->node);
		return false;
	}
	return true;
}

static PT_INLINE void strategy_unlock_page(struct cursor *c)
{
	rcu_unlock_node(c, c->node);
}

static PT_INLINE void strategy_live_add(struct cursor *c, struct node *node, int slots, int marks)
{
	(void)c;
	exclusive_live_add(node, slots, marks);
}

/* Mark @node and all below as stray and let waiters see it. All of it is locked. */
static void rcu_mark_stray(struct cursor *c, struct node *node, unsigned level)
{
	rcu_node(node)->lock.stray = true;
	if (level > 1) {
		slot_t *slots = node_slots(c->table, node);

		for (unsigned i = 0; i < FAN_OUT; i++) {
			pte_t pte = slot_load_locked(&slots[i]);

			if (fmt_is_table(pte, level))
				rcu_mark_stray(c, child_of(c->table, pte), level - 1);
		}
	}
	rcu_unlock_node(c, node);
}

static inline bool strategy_detach_subtree(struct cursor *c, struct slot *s, pte_t pte)
{
	slot_publish(s->ref, pte);
	rcu_mark_stray(c, child_of(c->table, s->pte), s->level - 1);
	return true;
}

static inline bool strategy_node_is_free(struct node *node)
{
	return sharedlock_is_free(&rcu_node(node)->lock) && !rcu_node(node)->lock.stray;
}

#endif

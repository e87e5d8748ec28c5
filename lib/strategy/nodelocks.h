/* SPDX-License-Identifier: MIT */
/*
 * Parts that strategies share in which each node has a lock, and a cursor holds the covering node and
 * every table below it that overlaps its range.
 *
 * A slot and the counts of a node change only under its lock, held exclusively; the hardware's accessed
 * and dirty bits aside. Tables born in the range are born locked.
 *
 * Lock order: preorder of the tree. From the root to the covering node at most one node is locked at
 * a time (a newborn is locked before its parent is released); below it, parents before children,
 * left to right. A waiter holds only nodes that come before the one it waits for, so there is no
 * deadlock; shared holders obey the same order. Who holds a cursor already waits for no node at all,
 * so the order is needed within one table only. Two cursors whose ranges overlap both need the lock
 * of some common node: their covering nodes both lie on the path to any common page, and the lower
 * one is among what the holder of the upper one locks. So their transactions are serialised (C1).
 *
 * What keeps a node that a walk has come to from being reused, or what marks it as stray when it has
 * left the tree, is the strategy's.
 */
#ifndef PT_STRATEGY_NODELOCKS_H
#define PT_STRATEGY_NODELOCKS_H

#include "exclusive.h"
#include "reuse.h"
#include "sync/sharedlock.h"

#define STRATEGY_ISOLATION PT_ISOLATION_RANGE
#define STRATEGY_NODE_LOCKS NODELOCKS_EXCLUSIVE
#define STRATEGY_NODE_BYTES sizeof(struct nodelock)

static inline struct nodelock *lock_of(struct node *node)
{
	return (struct nodelock *)node->strategy;
}

/* Lock @node; false if the cursor may only try and would have to wait. */
static PT_INLINE bool cursor_lock_node(struct cursor *c, struct node *node)
{
	struct nodelock *lock = lock_of(node);
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

static PT_INLINE void cursor_unlock_node(struct cursor *c, struct node *node)
{
	if (c->mode == PT_READ_ONLY)
		sharedlock_unlock_shared(lock_of(node), c->node_lock);
	else
		sharedlock_unlock(lock_of(node), c->node_lock);
}

/* A table that is about to be linked is locked. */
static inline void node_born_locked(struct cursor *c, struct node *node)
{
	/* Who looked for it in its last life may lock it for a moment, and then waits for nobody. */
	if (STRATEGY_REUSES)
		sharedlock_lock(lock_of(node), c->node_lock, &c->self->waiter);
	else
		sharedlock_init_locked(lock_of(node));
}

#include "preorder.h"

/*
 * What a walk notes of a node when it comes to it; whether that still holds, so that what it has read
 * there was in the tree; and whether the node, now locked, has left the tree since. Where no node
 * that a walk can come to begins a new life, there is nothing to note, and a mark under the lock says
 * that it has left.
 */
#if !STRATEGY_REUSES
static PT_INLINE uint64_t node_look(struct node *node)
{
	(void)node;
	return 0;
}

static PT_INLINE bool node_is_as_seen(struct node *node, uint64_t seen)
{
	(void)node;
	(void)seen;
	return true;
}

static PT_INLINE bool node_has_left(struct node *node, uint64_t seen)
{
	(void)seen;
	return lock_of(node)->stray;
}
#endif

/* How an attempt to lock a node on the way went; all but LOCKED leave it unlocked. */
enum got {
	GOT_LOCKED,
	GOT_PASSED, /* there is a table below by now: the walk goes on */
	GOT_STRAY,  /* it is no longer part of the tree */
	GOT_BUSY,   /* it would have to be waited for, and the cursor may only try */
};

static PT_INLINE enum got cursor_lock_unless_stray(struct cursor *c, struct node *node,
						   uint64_t seen)
{
	if (unlikely(!cursor_lock_node(c, node)))
		return GOT_BUSY;
	if (likely(!node_has_left(node, seen)))
		return GOT_LOCKED;
	cursor_unlock_node(c, node);
	return GOT_STRAY;
}

/*
 * Link a new table under the EMPTY slot of the locked @node; it is born locked. So are those that
 * follow below it, and nothing else is there: whoever has come so far need not wait any more.
 */
static inline struct node *cursor_build_child(struct cursor *c, struct node *node, unsigned level,
					      slot_t *slot)
{
	struct node *child = table_take(c->self, c->table, level - 1);

	stat_add(c->stats, STAT_NODES_TAKEN, 1);
	node_born_locked(c, child);
	slot_publish(slot, fmt_table(node_to_pa(c->table, child)));
	strategy_live_add(c, node, 1, 0);
	return child;
}

/*
 * The slot on the way down holds no table. Lock its node and look again, now that it cannot change.
 * Return GOT_PASSED if the walk goes on, with the state of the walk advanced; GOT_LOCKED if @node is
 * the covering node.
 */
static enum got cursor_settle(struct cursor *c, struct node **node, uint64_t *seen, unsigned level,
			      slot_t *slot, bool *held)
{
	struct node *parent = *node;
	enum got got = GOT_LOCKED;
	pte_t pte;

	if (!*held)
		got = cursor_lock_unless_stray(c, parent, *seen);
	if (got != GOT_LOCKED)
		return got;
	*held = true;
	pte = slot_load_locked(slot);
	if (fmt_is_table(pte, level)) {
		*node = child_of(c->table, pte);
		*seen = node_look(*node);
		*held = false;
	} else if (c->mode == PT_BUILD && fmt_kind(pte, level) == PT_KIND_EMPTY) {
		*node = cursor_build_child(c, parent, level, slot);
	} else {
		return GOT_LOCKED;
	}
	cursor_unlock_node(c, parent);
	return GOT_PASSED;
}

/* Find and lock the covering node; GOT_STRAY if it was lost to an unlinking cursor. */
static inline enum got cursor_lock_cover(struct cursor *c)
{
	const struct pt_table *t = c->table;
	pt_pa_t pa = t->root_pa;
	uint64_t seen = node_look(t->root);
	bool held = false;
	unsigned level;

	_Pragma("GCC unroll 8") for (level = FMT_LEVELS; level > 1; level--)
	{
		slot_t *slot = &slots_of_pa(t->phys_off, pa)[slot_index(c->first, level)];
		enum got got;
		struct node *node;
		pte_t pte;

		if (level == c->floor)
			break;
		pte = slot_load_walk(slot);
		node = node_at_pa(t, pa);
		if (!held && fmt_is_table(pte, level)) {
			const uint64_t before = seen;

			pa = fmt_table_pa(pte);
			seen = node_look(node_at_pa(t, pa));
			if (unlikely(!node_is_as_seen(node, before)))
				return GOT_STRAY;
			continue;
		}
		got = cursor_settle(c, &node, &seen, level, slot, &held);
		if (got == GOT_LOCKED)
			break;
		if (got != GOT_PASSED)
			return got;
		pa = node_to_pa(t, node);
	}
	c->node = node_at_pa(t, pa);
	c->level = (uint8_t)level;
	return held ? GOT_LOCKED : cursor_lock_unless_stray(c, c->node, seen);
}

static inline bool strategy_node_is_free(struct node *node)
{
	return sharedlock_is_free(lock_of(node)) && !lock_of(node)->stray;
}

#endif

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
 * C. Whoever unlinks a node holds it and everything below, exclusively.
 *
 * Lock order, and why overlapping cursors are serialised: see nodelocks.h.
 *
 * Publication: a child is complete, adopted and zeroed or filled before the store that links it
 * [ORD-publish]; walks load slots with acquire.
 *
 * Reclamation: between reading a reference and holding the node's lock a walker is in an RCU read
 * section, so the node, stray or not, is not reused (R1). Once it holds the lock of a node that is
 * not stray, C keeps the node in the tree, and the read section may end. A waiter that wakes on a
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

#include "lockfreequery.h"
#include "walk.h"

#define STRATEGY_NAME "rcu"
#define STRATEGY_SUMMARY "lock-free walk to the covering node, its spinlock, then depth first below"

static PT_INLINE bool look_for_leaf_table(struct cursor *c, uint64_t *seen)
{
	*seen = 0;
	return walk_to_leaf_table(c);
}

#include "lockfreecover.h"

/* Mark @node and all below as stray and let waiters see it. All of it is locked. */
static void rcu_mark_stray(struct cursor *c, struct node *node, unsigned level)
{
	lock_of(node)->stray = true;
	if (level > 1) {
		slot_t *slots = node_slots(c->table, node);

		for (unsigned i = 0; i < FAN_OUT; i++) {
			pte_t pte = slot_load_locked(&slots[i]);

			if (fmt_is_table(pte, level))
				rcu_mark_stray(c, child_of(c->table, pte), level - 1);
		}
	}
	cursor_unlock_node(c, node);
}

static inline bool strategy_detach_subtree(struct cursor *c, struct slot *s, pte_t pte)
{
	slot_publish(s->ref, pte);
	rcu_mark_stray(c, child_of(c->table, s->pte), s->level - 1);
	return true;
}

#endif

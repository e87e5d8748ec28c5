/* SPDX-License-Identifier: MIT */
/*
 * optimistic: nodes have versions. Queries and walks lock and write nothing; they look at the version of
 * each node on the way, and begin again if one has changed. So tables that have been unlinked and
 * flushed are used again at once, without a grace period. Changes lock nodes, as in `rcu`.
 *
 * Invariants
 * A. The version of a node changes only under its lock, held exclusively, when the node, or one that it
 *    refers to, has been unlinked. See generation.h.
 * B. A slot and the counts of a node change only under its lock, held exclusively, while the node is
 *    part of the tree; the hardware's accessed and dirty bits aside.
 * C. Whoever unlinks a node holds its parent, it and everything below, exclusively.
 * D. A node begins a new life only as a table of the same format, strategy and level, see reuse.h: what
 *    a late walk reads there, before it notices, leads to other such nodes, never astray.
 *
 * Lock order, and why overlapping cursors are serialised: see nodelocks.h. Whoever locks a node that has
 * left the tree, or leads another life by now, finds its version not as seen, and lets go
 * without having waited for anything else. So who makes a table of a node may wait for its lock, which
 * nobody keeps.
 *
 * Publication: as in `rcu` [ORD-publish]; and what is written to a node in its new life is released after
 * its last life's end [ORD-generation].
 *
 * Reclamation: R1 by its second half, every walk detects reuse before it uses what it has read: (1) it
 * reads the version of a node before any slot of it, and after that finds the version of the node above
 * unchanged, so the reference still held then, and the version is that of the life the reference
 * leads to; (2) it reads a slot, and after that finds the node's version unchanged, so what it read is of
 * that life. Walks are in a read section all the same. What the thread does not use again itself goes to
 * the pool, through a grace period; tables with tracked items always do (R2).
 *
 * Guarantees: Q1; Q2: what a query reports was in the slot during its call, in a table that had not
 * left the tree when the reference to it was read: it comes just before the unlinking if it
 * found that too late. C1 range. T2: pt_access() keeps the node from a new life while it sets bits, or it could
 * set them in what the node has become. P1: a query begins again only if something was unlinked
 * below a node of its path, not for a change of a page; it waits for nobody.
 *
 * Source: optimistic lock coupling (Leis, Scheibner, Kemper, Neumann: The ART of Practical
 * Synchronization, DaMoN 2016, section 3), in which versions and locks of nodes are one word and
 * readers restart. Different here: a slot is atomic by itself, so a change of a slot is no change of
 * version; the version is apart from the lock, so that every kind of node lock can be had; versions of a
 * whole path are compared once at its end, for no step can lead astray (D); and memory leaves for other
 * uses through a grace period, where ART-OLC has an epoch for every node.
 */
#ifndef PT_STRATEGY_OPTIMISTIC_H
#define PT_STRATEGY_OPTIMISTIC_H

#include "generation.h"

#define STRATEGY_NAME "optimistic"
#define STRATEGY_SUMMARY \
	"versions of nodes, which readers compare; tables are reused without grace periods"
#define STRATEGY_LOCK_FREE_QUERY 1
#define STRATEGY_DISJOINT_BUILDING 0 /* who comes by looks at the version, beside the lock */

/* Where a walk is: the node of the slot that is read next, its version, and whether one has changed. */
struct strategy_query {
	struct port_thread *port;
	const struct pt_table *table;
	struct node *node;
	uint64_t seen;
	uint64_t difference;
};

static PT_INLINE slot_t *optimistic_begin(struct strategy_query *q, const struct pt_table *table)
{
	q->table = table;
	q->node = table->root;
	q->seen = node_look(q->node);
	q->difference = 0;
	return root_slots(table);
}

static PT_INLINE pte_t strategy_query_step(struct strategy_query *q, slot_t *slot, unsigned level)
{
	pte_t pte = slot_load_walk(slot);
	struct node *child;
	uint64_t seen;

	if (level == 1 || !fmt_is_table(pte, level))
		return pte;
	child = node_at_pa(q->table, fmt_table_pa_clean(pte));
	seen = node_look(child);
	q->difference |= generation_difference(q->node, q->seen);
	q->node = child;
	q->seen = seen;
	return pte;
}

/* Has all that was read been in the tree? */
static PT_INLINE bool optimistic_valid(const struct strategy_query *q)
{
	return generation_same(q->difference | generation_difference(q->node, q->seen));
}

static inline slot_t *strategy_query_begin(struct strategy_query *q, struct pt_thread *self,
					   struct pt_table *table)
{
	q->port = &self->port;
	port_rcu_read_lock(q->port);
	return optimistic_begin(q, table);
}

static inline bool strategy_query_end(struct strategy_query *q)
{
	bool valid = optimistic_valid(q);

	return port_rcu_read_unlock_quick(q->port) && valid;
}

/* Set bits in the slot that was read last, where the hardware would; false if it has changed. */
static inline bool strategy_query_touch(struct strategy_query *q, slot_t *slot, pte_t pte,
					pte_t touched)
{
	bool done;

	if (!optimistic_valid(q) || !generation_enter(q->node, q->seen))
		return false;
	done = slot_exchange_if(slot, &pte, touched);
	generation_leave(q->node);
	return done;
}

static PT_INLINE bool look_for_leaf_table(struct cursor *c, uint64_t *seen)
{
	struct strategy_query q;
	slot_t *slots = optimistic_begin(&q, c->table);

	_Pragma("GCC unroll 8") for (unsigned level = FMT_LEVELS; level > 1; level--)
	{
		pte_t pte = strategy_query_step(&q, &slots[slot_index(c->first, level)], level);

		if (unlikely(!fmt_is_table(pte, level)))
			return false;
		slots = slots_of_pa(c->table->phys_off, fmt_table_pa_clean(pte));
	}
	c->node = q.node;
	c->slots = slots;
	*seen = q.seen;
	return generation_same(q.difference);
}

#include "lockfreecover.h"

static inline void strategy_abandon_child(struct cursor *c, struct node *child)
{
	cursor_unlock_node(c, child);
}

/* The end of @node and of all below, which is locked. */
static void optimistic_end_lives(struct cursor *c, struct node *node, unsigned level)
{
	slot_t *slots = node_slots(c->table, node);

	generation_end(node);
	for (unsigned i = 0; level > 1 && i < FAN_OUT; i++) {
		pte_t pte = slot_load_locked(&slots[i]);

		if (fmt_is_table(pte, level))
			optimistic_end_lives(c, child_of(c->table, pte), level - 1);
	}
}

static inline bool strategy_detach_subtree(struct cursor *c, struct slot *s, pte_t pte)
{
	struct node *top = child_of(c->table, s->pte);
	const pt_va_t first = slot_first_va(s);

	slot_publish(s->ref, pte);
	generation_change(s->node);
	optimistic_end_lives(c, top, s->level - 1);
	if (s->level > 2)
		cursor_unlock_below(c, top, s->level - 1, first, first + level_size(s->level) - 1);
	cursor_unlock_node(c, top);
	return true;
}

#endif

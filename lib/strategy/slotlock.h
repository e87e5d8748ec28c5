/* SPDX-License-Identifier: MIT */
/*
 * slotlock: each slot has a lock, a bit of its own. A cursor locks, left to right, the slots of its range,
 * and nothing else; nobody counts. So calls on different pages share nothing, not even in one leaf table.
 * Queries take no lock.
 *
 * Invariants
 * A. A slot that holds no table changes only by who has locked it; the hardware's accessed and dirty bits
 *    aside. One that refers to a table is never locked: who wants it locks what lies below.
 * B. A table leaves the tree only by a cursor that has locked every slot of it, and of all tables below. They
 *    stay locked for ever, and each of these tables is `stray` from just after the store that unlinks.
 * C. So whoever has locked a slot is in the tree, and every table above it stays as long as he does.
 * D. A slot that a cursor has locked becomes a reference to a table only by that cursor. Of the new table
 *    the slots of its range are born locked, the others free: who waited for the whole goes down.
 *
 * Why overlapping cursors are serialised (C1): the way to a common page ends at one slot. Who has locked it
 * keeps it at the end of that way (C); or puts there a slot of a table below it, locked, too (D); or takes
 * its table away, whose slots are never to be had again (B), and has locked what is there instead.
 *
 * Lock order: slots by address. A slot that is split has waiters who hold only what lies left of it, and so
 * have its parts. Who holds a range waits for nothing. So there is no deadlock.
 *
 * Waiting is for a locked slot, or until its table is stray; then the way begins at the root again. A slot
 * of which the range covers a part is locked as a whole: until it is split its parts cannot be had apart.
 *
 * Publication: a child is complete, and its slots are born locked, before the store that links it
 * [ORD-publish]; walks load slots with acquire. Locking acquires and unlocking releases, by the slot
 * itself. That goes for building, too, which locks the EMPTY slot first: a compare-exchange that only
 * released would not be ordered behind a cursor that came and went since the look.
 *
 * Reclamation: who goes down, or waits, is in a read section, so no table it has come to is reused (R1).
 * With the first slot locked the way to it stays (C). Unlocking needs no section: what it reads to the right
 * of what it has unlocked is above a slot of the range that is still locked.
 *
 * Guarantees: Q1. Q2: a query in a stray table comes just before the unlinking; its content was final
 * then, and the reference was read before. C1 range. T2: a leaf that the hardware may write is changed and
 * unlocked by read-modify-write; what else there is by a store, since nobody else writes it. P1: a query
 * takes one load a level; who begins at the root again does so because another cursor has unlinked something.
 *
 * A call on one page unlocks by the store that changes the page.
 *
 * Source: RadixVM (Clements, Kaashoek, Zeldovich, EuroSys 2013), sections 3.2 to 3.4; sv6,
 * kernel/radix_array.hh: a lock bit in each slot, locked left to right, passed on to the slots of a new node.
 * Different here:
 *  - RadixVM expands to pages where it locks; here only building does, so that cursors that look or
 *    change allocate nothing.
 *  - RadixVM's tables are counted (Refcache, by deltas of each core), and go when they are empty. Here
 *    nobody counts: what wants to know whether a table is empty has locked it, and looks.
 *  - There nothing but an empty table leaves the tree; here one may with all that it maps.
 */
#ifndef PT_STRATEGY_SLOTLOCK_H
#define PT_STRATEGY_SLOTLOCK_H

#include "isolated.h"
#include "lockfreequery.h"
#include "section.h"
#include "uncounted.h"
#include "zeroed.h"

#define STRATEGY_NAME "slotlock"
#define STRATEGY_SUMMARY "a lock bit in each slot, as in RadixVM: left to right, exactly the range"
#define STRATEGY_ISOLATION PT_ISOLATION_RANGE
#define STRATEGY_READERS_SHARE 0
#define STRATEGY_DISJOINT_PARALLEL 1
#define STRATEGY_DISJOINT_SLOTS 1
#define STRATEGY_NODE_LOCKS 0
#define STRATEGY_CONCURRENT 1
#define STRATEGY_SOFTWARE_BITS 1
#define STRATEGY_TABLE_BITS 0
#define STRATEGY_NODE_BYTES sizeof(struct slotlock_node)

/* The lowest of the format's bits. */
#define SLOTLOCK_BIT (FMT_STRATEGY_MASK & -FMT_STRATEGY_MASK)

struct slotlock_node {
	_Atomic uint32_t stray;
};

/* What a cursor keeps. */
struct slotlock_cursor {
	bool one_page;
	bool changed; /* that, and thereby unlocked it */
};

static inline struct slotlock_node *slotlock_of(struct node *node)
{
	return (struct slotlock_node *)node->strategy;
}

static PT_INLINE struct slotlock_cursor *slotlock_kept(struct cursor *c)
{
	return (struct slotlock_cursor *)c->strategy;
}

static inline bool slotlock_is_stray(struct node *node)
{
	/* [ORD-stray] acq: the way from the root avoids it; pairs with slotlock_mark_stray() */
	return atomic_load_explicit(&slotlock_of(node)->stray, memory_order_acquire);
}

static inline bool strategy_node_is_free(struct node *node)
{
	return !slotlock_is_stray(node);
}

/* Unlock a slot that this thread has locked. */
static inline void slotlock_unlock(slot_t *slot)
{
	pte_t pte = slot_load_locked(slot);

	if (fmt_hw_writes(pte))
		slot_thaw(slot, SLOTLOCK_BIT);
	else
		slot_publish(slot, pte & ~SLOTLOCK_BIT);
}

/* ---- ranges ---- */

/* Where a cursor that locks its range has come to: the slot for `va`, in a node on the way down. */
struct slotlock_place {
	pt_va_t va;
	struct node *node;
	unsigned level;
	slot_t *slot;
};

enum slotlock_got {
	SLOTLOCK_LOCKED,
	SLOTLOCK_PASSED, /* it refers to a table, to which the place has moved */
	SLOTLOCK_STRAY,  /* its table has left the tree */
	SLOTLOCK_BUSY,   /* it would have to be waited for, and the cursor may only try */
};

/* Move to @node. The lowest that can cover the range is the covering node. */
static inline void slotlock_move(struct cursor *c, struct slotlock_place *p, struct node *node,
				 unsigned level)
{
	p->node = node;
	p->level = level;
	p->slot = &node_slots(c->table, node)[slot_index(p->va, level)];
	if (level >= c->floor) {
		c->node = node;
		c->level = (uint8_t)level;
	}
}

static inline enum slotlock_got slotlock_lock(struct cursor *c, struct slotlock_place *p)
{
	pte_t pte = slot_load_walk(p->slot);
	bool waited = false;

	for (;;) {
		if (fmt_is_table(pte, p->level)) {
			slotlock_move(c, p, child_of(c->table, pte), p->level - 1);
			return SLOTLOCK_PASSED;
		}
		if (pte & SLOTLOCK_BIT) {
			if (slotlock_is_stray(p->node))
				return SLOTLOCK_STRAY;
			if (c->try_only)
				return SLOTLOCK_BUSY;
			waited = true;
			port_wait_until(!((pte = slot_load_walk(p->slot)) & SLOTLOCK_BIT) ||
					slotlock_is_stray(p->node));
		} else if (slot_claim(p->slot, &pte, pte | SLOTLOCK_BIT)) {
			stat_lock(c->stats, waited);
			return SLOTLOCK_LOCKED;
		} else {
			pte = slot_load_walk(p->slot);
		}
	}
}

/*
 * The slots of @child, whose first address is @va, are born locked where the cursor's range covers them and
 * they hold no table. What a call visits may be less than that range.
 */
static inline void slotlock_adopt(struct cursor *c, struct node *child, unsigned level, pt_va_t va)
{
	slot_t *slots = node_slots(c->table, child);
	const pt_va_t end = va + (level_size(level + 1) - 1);
	const unsigned last = slot_index(end < c->last ? end : c->last, level);

	for (unsigned i = slot_index(va > c->first ? va : c->first, level); i <= last; i++) {
		pte_t pte = slot_load_locked(&slots[i]);

		if (!fmt_is_table(pte, level))
			slot_init(&slots[i], pte | SLOTLOCK_BIT);
	}
}

static inline void strategy_adopt_child(struct cursor *c, struct slot *s, struct node *child)
{
	slotlock_adopt(c, child, s->level - 1, slot_first_va(s));
}

/* The way goes on from the locked slot, which is EMPTY, by tables that are made for it. */
static void slotlock_build(struct cursor *c, struct slotlock_place *p)
{
	while (p->level > c->floor) {
		struct node *child = node_take(c->self, p->level - 1);

		stat_add(c->stats, STAT_NODES_TAKEN, 1);
		slotlock_adopt(c, child, p->level - 1, p->va & ~(level_size(p->level) - 1));
		slot_publish(p->slot, fmt_table(node_to_pa(c->table, child)));
		slotlock_move(c, p, child, p->level - 1);
	}
}

/* The slot is locked. Move on to the right; false if the range ends here. */
static inline bool slotlock_next(struct cursor *c, struct slotlock_place *p)
{
	const pt_va_t end = p->va | (level_size(p->level) - 1);

	if (end >= c->last)
		return false;
	p->va = end + 1;
	if (slot_index(p->va, p->level))
		p->slot++;
	else
		slotlock_move(c, p, c->table->root, FMT_LEVELS);
	return true;
}

/* Unlock first..last below @node, of which all is locked, left to right. */
static void slotlock_unlock_below(const struct pt_table *t, struct node *node, unsigned level,
				  pt_va_t first, pt_va_t last)
{
	const pt_va_t mask = level_size(level) - 1;
	slot_t *slot = &node_slots(t, node)[slot_index(first, level)];

	for (;; slot++) {
		pt_va_t end = (first | mask) < last ? first | mask : last;
		pte_t pte = slot_load_locked(slot);

		if (fmt_is_table(pte, level))
			slotlock_unlock_below(t, child_of(t, pte), level - 1, first, end);
		else
			slotlock_unlock(slot);
		if (end == last)
			return;
		first = end + 1;
	}
}

/* Lock slot after slot, until all or one that is not to be had. */
static inline enum slotlock_got slotlock_lock_all(struct cursor *c, struct slotlock_place *p)
{
	enum slotlock_got got;

	slotlock_move(c, p, c->table->root, FMT_LEVELS);
	do
		got = slotlock_lock(c, p);
	while (got == SLOTLOCK_PASSED || (got == SLOTLOCK_LOCKED && slotlock_next(c, p)));
	return got;
}

static inline bool strategy_lock_range(struct cursor *c)
{
	struct slotlock_place p = {.va = c->first};
	enum slotlock_got got;

	slotlock_kept(c)->one_page = false;
	port_rcu_read_lock(&c->self->port);
	while ((got = slotlock_lock_all(c, &p)) == SLOTLOCK_STRAY) {
		stat_add(c->stats, STAT_RETRIES, 1);
		/* A new section for each attempt, so that strays met on the way can be freed. */
		port_rcu_read_unlock(&c->self->port);
		port_rcu_read_lock(&c->self->port);
	}
	port_rcu_read_unlock(&c->self->port);
	if (got == SLOTLOCK_BUSY) {
		if (p.va != c->first)
			slotlock_unlock_below(c->table, c->node, c->level, c->first, p.va - 1);
		return false;
	}
	/* Above the floor one slot spans the range. */
	if (c->mode == PT_BUILD && slot_load_locked(p.slot) == SLOTLOCK_BIT)
		slotlock_build(c, &p);
	return true;
}

static inline void strategy_unlock_range(struct cursor *c)
{
	slotlock_unlock_below(c->table, c->node, c->level, c->first, c->last);
}

static PT_INLINE bool strategy_lock_page(struct cursor *c)
{
	port_rcu_read_lock(&c->self->port);
	if (likely(walk_to_leaf_table(c))) {
		slot_t *slot = &c->slots[slot_index(c->first, 1)];
		pte_t pte = slot_load_walk(slot);

		if (likely(!(pte & SLOTLOCK_BIT)) &&
		    likely(slot_claim(slot, &pte, pte | SLOTLOCK_BIT))) {
			*slotlock_kept(c) = (struct slotlock_cursor){.one_page = true};
			stat_lock(cursor_stats(c), false);
			return true;
		}
	}
	leave_in_vain(c);
	return false;
}

static PT_INLINE void strategy_unlock_page(struct cursor *c)
{
	if (!slotlock_kept(c)->changed)
		slotlock_unlock(&c->slots[slot_index(c->first, 1)]);
	leave_page(c);
}

/* ---- slots ---- */

static PT_INLINE pte_t strategy_slot_read(struct cursor *c, slot_t *slot)
{
	(void)c;
	return slot_load_locked(slot) & ~SLOTLOCK_BIT;
}

/* Replace what the locked slot holds by @pte, lock bit included. Return as strategy_slot_change(). */
static PT_INLINE bool slotlock_replace(struct slot *s, pte_t pte)
{
	/* Compare-exchange where a plain store would lose a bit that the hardware sets (T2). */
	if (fmt_hw_writes(s->pte)) {
		pte_t seen = s->pte | SLOTLOCK_BIT; /* so that *s need not be in memory */

		return slot_exchange_if(s->ref, &seen, pte);
	}
	slot_publish(s->ref, pte);
	return true;
}

/* A call on one page does nothing more with it. */
static PT_INLINE bool strategy_slot_change(struct cursor *c, struct slot *s, pte_t pte)
{
	if (!slotlock_kept(c)->one_page)
		return slotlock_replace(s, pte | SLOTLOCK_BIT);
	slotlock_kept(c)->changed = slotlock_replace(s, pte);
	return slotlock_kept(c)->changed;
}

static inline bool strategy_child_install(struct cursor *c, struct slot *s, struct node *child)
{
	return slotlock_replace(s, fmt_table(node_to_pa(c->table, child)));
}

/* ---- subtrees ---- */

static void slotlock_mark_stray(const struct pt_table *t, struct node *node, unsigned level)
{
	slot_t *slots = node_slots(t, node);

	/* [ORD-stray] rel: it has been unlinked; pairs with slotlock_is_stray() */
	atomic_store_explicit(&slotlock_of(node)->stray, true, memory_order_release);
	for (unsigned i = 0; level > 1 && i < FAN_OUT; i++) {
		pte_t pte = slot_load_locked(&slots[i]);

		if (fmt_is_table(pte, level))
			slotlock_mark_stray(t, child_of(t, pte), level - 1);
	}
}

/* What takes the table's place is locked; what lies below stays so. */
static inline void strategy_detach_subtree(struct cursor *c, struct slot *s, pte_t pte)
{
	slot_publish(s->ref, pte | SLOTLOCK_BIT);
	slotlock_mark_stray(c->table, child_of(c->table, s->pte), s->level - 1);
}

#endif

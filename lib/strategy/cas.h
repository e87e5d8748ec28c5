/* SPDX-License-Identifier: MIT */
/*
 * cas: no locks. A slot changes by compare-exchange from what was read; a subtree is frozen before it is
 * taken away, so that nobody changes a page in a table that is gone.
 *
 * One strategy bit, FREEZE, says that only one thread, who has set it, may change the slot. The slot
 * keeps its content. FREEZE is in no value that anybody expects, so every exchange by others fails.
 *
 * Invariants
 * A. A slot without FREEZE is in the tree, or its table has never been. (A table is frozen, all its slots,
 *    before the store that unlinks it, and stays so.)
 * B. A claim is FREEZE in a slot that refers to a table, and then in all slots below. It is set from the
 *    top down, and taken back from the bottom up; the claim's own slot is the first and the last.
 * C. Who holds a claim waits for deeper ones in its subtree only, and has no other.
 *
 * A change therefore succeeds only in the tree (A), whatever way led to the slot and however long ago:
 * that is why neither calls on one page nor covering nodes look whether the tables they came through are
 * frozen. Whoever finds a slot frozen starts from the root, waits there for what is frozen first on its
 * way, and goes on (VISIT_LOST).
 *
 * Waiting: a slot that is frozen in a table that has left the tree never changes. So who waits watches
 * the slot that led to the table as well: it was not frozen when it was read, and must be before
 * the table goes; nor does it ever refer to that table again once it is gone, for the table is not reused
 * while anybody waits in a read section.
 *
 * No deadlock: claims end without waiting for anybody but deeper claims (C), which do likewise; a merge
 * keeps its slot over a flush, for which CPUs acknowledge while their threads wait (see pt_flush_fn).
 * Nobody else keeps anything: a cursor holds no slot, and therefore pt_cursor_try_begin() is never refused
 * because of another cursor.
 *
 * Publication: a child is complete before the exchange that links it [ORD-publish]. Who freezes a slot
 * acquires what it refers to, and is in the release sequence of who published it.
 *
 * Reclamation: a cursor is in a read section as long as it is open, so no node it can come to is
 * reused (R1), and no item it can see is dropped (R2). A cursor that stays open holds up grace periods.
 *
 * Guarantees: Q1. Q2: queries ignore FREEZE; in a table that has left the tree they see what was final
 * before it was unlinked, after they had read the reference. C1 slot: each slot changes at one moment, a
 * subtree that is taken away at one moment for all its pages; a call on a range is not one moment. C2: per
 * slot; see pt_thread_done(). T2: whatever changes a leaf is a compare-exchange. P1: a query never waits; a
 * change waits for claims only, which are part of one call.
 *
 * Nobody counts: counts would be one more locked instruction for each change, on a line that threads share
 * who work in one leaf table, and could not be trusted before the table is frozen. What wants to know
 * whether a table is empty looks at its slots.
 *
 * Source: KVM's TDP MMU, arch/x86/kvm/mmu/tdp_mmu.c: tdp_mmu_set_spte_atomic() under a shared lock,
 * FROZEN_SPTE, RCU. Different here:
 *  - KVM exchanges the content for a frozen value. Here it stays, for the gather reads accessed and dirty
 *    bits and items of stray tables after the flush.
 *  - KVM unlinks a table and freezes its entries then (handle_removed_pt()). Somebody already below could
 *    change a page that a query has found gone, or another thread has mapped anew.
 *  - KVM keeps the slot of a table frozen until the flush; here it may be used again at once: T1 promises
 *    only that the old entry is gone when pt_gather_sync() has returned.
 *  - There is no shared lock, and so none to take exclusively for what is not atomic (KVM's zap of a root).
 */
#ifndef PT_STRATEGY_CAS_H
#define PT_STRATEGY_CAS_H

#include "lockfreequery.h"
#include "meetingcover.h"
#include "plainnodes.h"
#include "section.h"
#include "uncounted.h"
#include "zeroed.h"

#define STRATEGY_NAME "cas"
#define STRATEGY_SUMMARY "compare-exchange per slot; subtrees are frozen before they go"
#define STRATEGY_ISOLATION PT_ISOLATION_SLOT
#define STRATEGY_READERS_SHARE 1
#define STRATEGY_DISJOINT_PARALLEL 1
#define STRATEGY_DISJOINT_SLOTS 1
#define STRATEGY_NODE_LOCKS 0
#define STRATEGY_CONCURRENT 1
#define STRATEGY_SOFTWARE_BITS 1
#define STRATEGY_NODE_BYTES 0

/* The lowest of the format's bits. */
#define CAS_FREEZE (FMT_STRATEGY_MASK & -FMT_STRATEGY_MASK)

/* ---- ranges ---- */

static inline bool strategy_lock_range(struct cursor *c)
{
	port_rcu_read_lock(&c->self->port);
	walk_to_meeting_cover(c);
	return true;
}

static inline void strategy_unlock_range(struct cursor *c)
{
	port_rcu_read_unlock(&c->self->port);
}

static PT_INLINE bool strategy_lock_page(struct cursor *c)
{
	const struct pt_table *t = c->table;
	const uintptr_t phys_off = t->phys_off;
	slot_t *slots = root_slots(t);

	port_rcu_read_lock(&c->self->port);
	_Pragma("GCC unroll 8") for (unsigned level = FMT_LEVELS; level > 1; level--)
	{
		pte_t pte = slot_load_walk(&slots[slot_index(c->first, level)]);

		if (unlikely(!fmt_is_table(pte, level))) {
			leave_in_vain(c);
			return false;
		}
		slots = slots_of_pa(phys_off, fmt_table_pa(pte));
	}
	c->node = NULL; /* nobody counts */
	c->slots = slots;
	return true;
}

static PT_INLINE void strategy_unlock_page(struct cursor *c)
{
	leave_page(c);
}

/*
 * Wait for what is frozen first on the way to @va, if anything is. Return: there was nothing; then the
 * lowest node on the way that can cover the range is the covering node.
 */
static bool cas_find_thawed(struct cursor *c, pt_va_t va)
{
	const struct pt_table *t = c->table;
	slot_t *above = NULL;
	pte_t led_here = 0;
	struct node *node = t->root;

	for (unsigned level = FMT_LEVELS;; level--) {
		slot_t *slot = &node_slots(t, node)[slot_index(va, level)];
		pte_t pte = slot_load_walk(slot);

		if (pte & CAS_FREEZE) {
			port_wait_until(slot_load_walk(slot) != pte ||
					(above && slot_load_walk(above) != led_here));
			return false;
		}
		if (level >= c->floor) {
			c->node = node;
			c->level = (uint8_t)level;
		}
		if (!fmt_is_table(pte, level))
			return true;
		above = slot;
		led_here = pte;
		node = child_of(t, pte);
	}
}

static inline void strategy_lock_again(struct cursor *c, pt_va_t va)
{
	do {
		/* A new section for each attempt, so that strays met on the way can be freed. */
		port_rcu_read_unlock(&c->self->port);
		port_rcu_read_lock(&c->self->port);
	} while (!cas_find_thawed(c, va));
}

/* ---- slots ---- */

static PT_INLINE pte_t strategy_slot_read(struct cursor *c, slot_t *slot)
{
	(void)c;
	return slot_load_walk(slot);
}

static PT_INLINE bool strategy_is_frozen(pte_t pte)
{
	return pte & CAS_FREEZE;
}

static PT_INLINE bool strategy_slot_change(struct cursor *c, struct slot *s, pte_t pte)
{
	pte_t seen = s->pte; /* so that *s need not be in memory */

	if (likely(slot_exchange_if(s->ref, &seen, pte)))
		return true;
	stat_add(cursor_stats(c), STAT_LOST, 1);
	return false;
}

static inline bool strategy_child_install(struct cursor *c, struct slot *s, struct node *child)
{
	return strategy_slot_change(c, s, fmt_table(node_to_pa(c->table, child)));
}

/* ---- subtrees ---- */

/* Freeze a slot above the leaf tables. Return: what it held; claims that are there already end first. */
static pte_t cas_freeze_slot(slot_t *slot, bool *waited)
{
	pte_t pte = slot_load_walk(slot);

	for (;;) {
		if (pte & CAS_FREEZE) {
			*waited = true;
			port_wait_until(!((pte = slot_load_walk(slot)) & CAS_FREEZE));
		}
		if (slot_claim(slot, &pte, pte | CAS_FREEZE))
			return pte;
	}
}

static void cas_freeze(const struct pt_table *t, struct node *node, unsigned level, bool *waited)
{
	slot_t *slots = node_slots(t, node);

	for (unsigned i = 0; i < FAN_OUT; i++) {
		pte_t pte;

		if (level == 1) {
			slot_freeze(&slots[i], CAS_FREEZE);
			continue;
		}
		pte = cas_freeze_slot(&slots[i], waited);
		if (fmt_is_table(pte, level))
			cas_freeze(t, child_of(t, pte), level - 1, waited);
	}
}

static void cas_thaw(const struct pt_table *t, struct node *node, unsigned level)
{
	slot_t *slots = node_slots(t, node);

	for (unsigned i = 0; i < FAN_OUT; i++) {
		pte_t pte = slot_load_locked(&slots[i]);

		if (fmt_is_table(pte, level))
			cas_thaw(t, child_of(t, pte), level - 1);
		slot_thaw(&slots[i], CAS_FREEZE);
	}
}

static inline bool strategy_claim_subtree(struct cursor *c, struct slot *s)
{
	pte_t seen = s->pte;
	bool waited = false;

	if (!slot_claim(s->ref, &seen, s->pte | CAS_FREEZE)) {
		stat_add(c->stats, STAT_LOST, 1);
		return false;
	}
	cas_freeze(c->table, child_of(c->table, s->pte), s->level - 1, &waited);
	stat_lock(c->stats, waited);
	return true;
}

static inline void strategy_release_subtree(struct cursor *c, struct slot *s)
{
	cas_thaw(c->table, child_of(c->table, s->pte), s->level - 1);
	slot_thaw(s->ref, CAS_FREEZE);
}

static inline void strategy_detach_subtree(struct cursor *c, struct slot *s, pte_t pte)
{
	(void)c;
	slot_publish(s->ref, pte);
}

static inline void strategy_detach_keeping(struct cursor *c, struct slot *s, pte_t leaf)
{
	(void)c;
	slot_publish(s->ref, leaf | CAS_FREEZE);
	s->pte = leaf;
}

static inline bool strategy_release_leaf(struct cursor *c, struct slot *s, pte_t leaf)
{
	pte_t seen = s->pte | CAS_FREEZE;
	bool released = slot_exchange_if(s->ref, &seen, leaf);

	(void)c;
	s->pte = seen & ~CAS_FREEZE;
	return released;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * rangelock: a lock for each range of addresses that somebody holds, and none for nodes. Ranges that do not
 * overlap are held, and changed, at the same time, also in one leaf table. Queries take no lock at all.
 *
 * What is held is an entry in the table's list, see rangelist.h.
 *
 * Invariants
 * A. Who holds a range holds each slot of it, and each slot that sticks out of it and has a leaf or a mark:
 *    then the entry is wider than the cursor's range, as wide as that slot.
 * B. A slot that reaches into ranges of others is therefore EMPTY or refers to a table. It changes once, from
 *    the one to the other, by compare-exchange; who loses uses the other's table.
 * C. A table leaves the tree by the hand of who holds all that it spans. So nobody else is in it, and tables
 *    on the way to what is held stay: cursors walk without a read section.
 *
 * By B a table that the range covers in part may be made, or filled, while a call looks: what the call
 * reserves counts it as if it were there.
 *
 * Which slots stick out is looked up before the range is held, and again when it is, for until then they
 * change. If one does by then, the range is let go, and had again with the whole of the slot. No table is
 * made before, so trying leaves nothing.
 *
 * Lock order: who waits holds no range of the table, and none of another, for then it may only try. Waiting
 * is looking, from the head of the list and in a read section of its own each time: nobody waits in a read
 * section, so no grace period waits for a cursor. (With the RCU flavour qsbr it does if the cursor's thread
 * is not quiescent.) Who waits has no place in the list: others may come first.
 *
 * Publication: a child is complete before the exchange that links it [ORD-publish]. Slots are read with
 * acquire, since neighbours link tables that both use; below a slot that is held whole the lock orders all.
 *
 * Reclamation: of nodes, a grace period, for queries and pt_walk() (R1). Of entries, too. A thread has
 * THREAD_RANGES of them and uses each once; when more than half have been used and none is in a list, it
 * waits for one grace period and begins again: when a call that may wait begins, or its last cursor ends.
 * The other half is for calls on single pages, and for who only tries, which never waits: a thread that holds
 * one range, and tries for hundreds before it lets that go, is refused in the end.
 *
 * Guarantees: Q1, Q2 as in `rcu`. C1 range: of two cursors that overlap, the entries overlap. P1: a query
 * takes one load per level. The lock is not fair. Readers do not share it: one that steps over another could
 * be passed by a writer while both get into the list, and then one of them would have to leave again, also
 * where it only tries.
 *
 * Nobody counts: counts of tables that ranges share would be one more locked instruction each, and tell
 * nothing of a part; see `cas`.
 *
 * Source: Kogan, Dice, Issa: Scalable Range Locks for Scalable Address Spaces and Beyond (EuroSys 2020), the
 * exclusive lock. Different here:
 *  - An entry is taken out by its owner before the call goes on; there the next who comes by does it, and
 *    gets the entry. So entries stay with their threads, and a table's list is empty when nobody holds anything.
 *  - One grace period of the library's RCU stands for their epochs.
 *  - Insertion takes out released entries by the same exchange; who waits does so outside the list.
 *  - What is locked there is an address space, whose tree has a lock of its own; here it is the tree.
 */
#ifndef PT_STRATEGY_RANGELOCK_H
#define PT_STRATEGY_RANGELOCK_H

#include "lockfreequery.h"
#include "meetingcover.h"
#include "owned.h"
#include "plainnodes.h"
#include "uncounted.h"
#include "zeroed.h"

#define STRATEGY_NAME "rangelock"
#define STRATEGY_SUMMARY \
	"a list of held ranges, changed by compare-exchange; disjoint ranges run together"
#define STRATEGY_ISOLATION PT_ISOLATION_RANGE
#define STRATEGY_READERS_SHARE 0
#define STRATEGY_DISJOINT_PARALLEL 0 /* all change the list */
#define STRATEGY_NODE_LOCKS 0
#define STRATEGY_CONCURRENT 1
#define STRATEGY_SOFTWARE_BITS 0
#define STRATEGY_NODE_BYTES 0

static inline _Atomic uintptr_t *held_ranges(struct pt_table *table)
{
	return (_Atomic uintptr_t *)table->strategy;
}

static inline bool strategy_table_is_free(struct pt_table *table)
{
	return !atomic_load_explicit(held_ranges(table), memory_order_relaxed);
}

/* ---- ranges ---- */

static PT_INLINE bool entries_used_up(const struct pt_thread *self)
{
	return self->ranges_used == THREAD_RANGES;
}

/*
 * Where nothing is held and the thread may wait: see to it that it has entries for this call, and for others
 * that only try meanwhile.
 */
static inline void renew_entries(struct pt_thread *self)
{
	if (likely(self->ranges_used <= THREAD_RANGES / 2))
		return;
	port_rcu_synchronize(&self->port);
	self->ranges_used = 0;
}

/* End a read section. The short way does not call the system: whoever must be woken is so at its end. */
static PT_INLINE void leave_section(struct cursor *c, bool is_short)
{
	if (!is_short)
		port_rcu_read_unlock(&c->self->port);
	else if (unlikely(!port_rcu_read_unlock_quick(&c->self->port)))
		c->must_wake = true;
}

/* Hold first..last unless somebody holds some of it. There is an entry. */
static PT_INLINE bool hold_range(struct cursor *c, pt_va_t first, pt_va_t last, bool is_short)
{
	struct range_entry *entry = &c->self->ranges[c->self->ranges_used];
	unsigned passed;
	bool held;

	entry->first = first;
	entry->last = last;
	port_rcu_read_lock(&c->self->port);
	held = rangelist_insert(held_ranges(c->table), entry, &passed);
	leave_section(c, is_short);
	if (unlikely(!held))
		return false;
	c->self->ranges_used++;
	c->strategy[0] = (uintptr_t)entry;
	if (passed)
		stat_add(cursor_stats(c), STAT_PASSED, passed);
	return true;
}

static PT_INLINE void let_go_range(struct cursor *c, bool is_short)
{
	port_rcu_read_lock(&c->self->port);
	rangelist_remove(held_ranges(c->table), (struct range_entry *)(uintptr_t)c->strategy[0]);
	leave_section(c, is_short);
}

static inline bool range_is_free(struct cursor *c, pt_va_t first, pt_va_t last)
{
	bool is_free;

	port_rcu_read_lock(&c->self->port);
	is_free = rangelist_is_free(held_ranges(c->table), first, last);
	port_rcu_read_unlock(&c->self->port);
	return is_free;
}

/* Hold first..last; false if the cursor may only try and would have to wait. */
static inline bool get_range(struct cursor *c, pt_va_t first, pt_va_t last)
{
	bool waited = false;

	if (!c->try_only)
		renew_entries(c->self);
	else if (entries_used_up(c->self))
		return false;
	while (!hold_range(c, first, last, false)) {
		if (c->try_only)
			return false;
		waited = true;
		/* with qsbr others' grace periods wait for who is not quiescent */
		port_wait_until(
			(port_rcu_quiescent(&c->self->port), range_is_free(c, first, last)));
	}
	stat_lock(c->stats, waited);
	return true;
}

/* Widen first..last by the leaf or mark at its edge @va that sticks out; false: none does. */
static bool widen_at(const struct pt_table *t, pt_va_t va, pt_va_t *first, pt_va_t *last)
{
	slot_t *slots = root_slots(t);

	for (unsigned level = FMT_LEVELS; level > 1; level--) {
		const pt_va_t mask = level_size(level) - 1;
		pte_t pte;

		if ((va & ~mask) >= *first && (va | mask) <= *last)
			return false;
		pte = slot_load_walk(&slots[slot_index(va, level)]);
		if (!pte)
			return false;
		if (!fmt_is_table(pte, level)) {
			*first = *first < (va & ~mask) ? *first : va & ~mask;
			*last = *last > (va | mask) ? *last : va | mask;
			return true;
		}
		slots = slots_of_pa(t->phys_off, fmt_table_pa(pte));
	}
	return false;
}

/* Widen first..last by what sticks out of the cursor's range; false: nothing does. In a section, or held. */
static inline bool widen(const struct cursor *c, pt_va_t *first, pt_va_t *last)
{
	bool left = widen_at(c->table, c->first, first, last);

	return widen_at(c->table, c->last, first, last) || left;
}

static inline bool strategy_lock_range(struct cursor *c)
{
	pt_va_t first = c->first, last = c->last;

	for (;;) {
		port_rcu_read_lock(&c->self->port);
		widen(c, &first, &last);
		port_rcu_read_unlock(&c->self->port);
		if (!get_range(c, first, last))
			return false;
		if (!widen(c, &first, &last))
			break;
		let_go_range(c, false);
		stat_add(c->stats, STAT_RETRIES, 1);
	}
	walk_to_meeting_cover(c);
	return true;
}

static inline void strategy_unlock_range(struct cursor *c)
{
	struct pt_thread *self = c->self;

	let_go_range(c, false);
	if (self->holds == c && !c->next_held)
		renew_entries(self);
}

static PT_INLINE bool strategy_lock_page(struct cursor *c)
{
	if (unlikely(entries_used_up(c->self)) ||
	    unlikely(!hold_range(c, c->first, c->last, c->try_only)))
		return false;
	stat_lock(cursor_stats(c), false);
	if (likely(walk_to_leaf_table(c)))
		return true;
	let_go_range(c, c->try_only);
	return false;
}

static PT_INLINE void strategy_unlock_page(struct cursor *c)
{
	let_go_range(c, c->try_only);
}

/* ---- slots ---- */

static PT_INLINE pte_t strategy_slot_read(struct cursor *c, slot_t *slot)
{
	(void)c;
	return slot_load_walk(slot);
}

/* The slot may reach into ranges of others, who put a table there, too. */
static inline bool strategy_child_install(struct cursor *c, struct slot *s, struct node *child)
{
	if (slot_exchange_if(s->ref, &s->pte, fmt_table(node_to_pa(c->table, child))))
		return true;
	stat_add(c->stats, STAT_LOST, 1);
	return false;
}

static inline void strategy_detach_subtree(struct cursor *c, struct slot *s, pte_t pte)
{
	(void)c;
	slot_publish(s->ref, pte);
}

#endif

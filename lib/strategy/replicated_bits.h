/* SPDX-License-Identifier: MIT */
/* Accessed and dirty bits of all trees, and subtrees of all trees, together: see replicated.h. */
#ifndef PT_STRATEGY_REPLICATED_BITS_H
#define PT_STRATEGY_REPLICATED_BITS_H

#include "replicated_log.h"

static inline uint64_t replicas_tail(struct replicas *s)
{
	/* [ORD-tail] acq: what has begun can be found; pairs with record_begin() */
	return atomic_load_explicit(&s->tail, memory_order_acquire);
}

static inline uint64_t replicas_ready(struct replicas *s)
{
	/* [ORD-ready] acq: pairs with record_complete() */
	return atomic_load_explicit(&s->ready, memory_order_acquire);
}

/* ---- looking at other trees ---- */

/* Is the leaf at @va another one since? */
static bool record_is_about(struct record *record, pt_va_t va)
{
	/* [ORD-record] acq: what is loaded later is no older; pairs with record_concerns() */
	uint32_t kind = atomic_load_explicit(&record->kind, memory_order_acquire);
	/* [ORD-record] acq */
	pt_va_t first = atomic_load_explicit(&record->first, memory_order_acquire);
	/* [ORD-record] acq */
	pt_va_t last = atomic_load_explicit(&record->last, memory_order_acquire);

	return kind != CALL_NOTHING && kind != CALL_BUILD && kind != CALL_PROTECT &&
	       kind != CALL_PROTECT_NEXT && kind != CALL_PRUNE && va >= first && va <= last;
}

/* The bits that the tree of @r knows of the leaf at @va, if that is the same as after @ready records. */
static pt_prop_t used_in_tree(struct replicas *s, struct replica *r, struct pt_thread *self,
			      pt_va_t va, uint64_t ready)
{
	/* [ORD-applied] acq: as replica_has() */
	uint64_t has = atomic_load_explicit(&r->applied, memory_order_acquire);
	pt_prop_t used = 0;
	struct hardware_walk w;
	unsigned level;
	slot_t *slots;
	pte_t pte;

	while (has < ready)
		if (record_is_about(record_at(s, ++has), va))
			return 0;
	slots = walk_enter(&w, self, &r->first);
	walk_to_slot(&w, &r->first, slots, va, &level, &pte);
	if (fmt_kind(pte, level) == PT_KIND_LEAF)
		used = fmt_leaf_prop(pte, level) & USED_BITS;
	walk_leave(&w);
	return used;
}

/*
 * Add to *@prop, of a leaf found at @va in the tree of @home, the bits that other trees have. Nothing
 * is written that others see. @tail: records that had begun before the leaf was found; the last one may
 * be happening, and cannot replace a leaf by another one. Return: false if more have begun meanwhile,
 * so that what was read may be of different leaves.
 */
static bool unite_used(struct replicas *s, const struct replica *home, struct pt_thread *self,
		       pt_va_t va, uint64_t tail, pt_prop_t *prop)
{
	const uint64_t ready = replicas_ready(s);

	if (s->nr == 1 || (*prop & USED_BITS) == USED_BITS)
		return true;
	for (unsigned i = 0; i < s->nr; i++)
		if (&s->of[i] != home)
			*prop |= used_in_tree(s, &s->of[i], self, va, ready);
	return replicas_tail(s) == tail;
}

/* The same for what a query has found. */
static bool unite_found(struct replicas *s, const struct replica *home, struct pt_thread *self,
			pt_va_t va, struct pt_mapping *m)
{
	return m->kind != PT_KIND_LEAF ||
	       unite_used(s, home, self, va,
			  atomic_load_explicit(&home->applied, memory_order_relaxed),
			  &m->item.prop);
}

/* ---- moving bits to one tree, with all trees locked and in the same state ---- */

static VISITOR int unite_slot(struct cursor *c, struct slot *s, void *arg)
{
	enum pt_kind kind = fmt_kind(s->pte, s->level);
	pt_prop_t prop;

	if (kind != PT_KIND_LEAF)
		return kind == PT_KIND_TABLE ? VISIT_DOWN : VISIT_NEXT;
	prop = fmt_leaf_prop(s->pte, s->level);
	if (!(prop & USED_BITS))
		return VISIT_NEXT;
	/* Set there before it is cleared here: it is known all the time. */
	add_used_bits(arg, slot_first_va(s), prop & USED_BITS);
	return strategy_slot_change(
		       c, s, fmt_leaf(fmt_leaf_pa(s->pte, s->level), prop & ~USED_BITS, s->level))
		       ? VISIT_NEXT
		       : VISIT_AGAIN;
}

DEFINE_VISIT(visit_unite, unite_slot)

/* Move all bits of leaves in first..last to the tree of @home. */
static void unite_range(struct replicas *s, struct replica *home, struct pt_thread *self,
			pt_va_t first, pt_va_t last)
{
	struct cursor to, from;

	if (s->nr == 1)
		return;
	range_lock(&to, self, &home->first, first, last, PT_CHANGE, 1, false);
	for (unsigned i = 0; i < s->nr; i++) {
		if (&s->of[i] == home)
			continue;
		range_lock(&from, self, &s->of[i].copy, first, last, PT_CHANGE, 1, false);
		visit_unite(&from, from.node, from.level, first, last, &to);
		range_close(&from);
	}
	range_close(&to);
}

/* ---- what was unlinked ---- */

/* Set in the leaves below @top the bits of those below @twin, to which no CPU comes any more. */
static void unite_subtree(const struct pt_table *t, struct node *top, struct node *twin)
{
	slot_t *slots = node_slots(t, top), *others = node_slots(t, twin);
	const unsigned level = top->level;

	for (unsigned i = 0; i < FAN_OUT; i++) {
		pte_t pte = slot_load_locked(&slots[i]), other = slot_load_locked(&others[i]);
		enum pt_kind kind = fmt_kind(pte, level);

		if (kind == PT_KIND_TABLE)
			unite_subtree(t, child_of(t, pte), child_of(t, other));
		else if (kind == PT_KIND_LEAF)
			leaf_add_used(&slots[i], level, fmt_leaf_prop(other, level) & USED_BITS);
	}
}

static void strategy_unite(struct gather *g)
{
	struct pt_thread *self = g->self;
	struct node_chain *chain = retired_chain(self, g->table);
	unsigned before = chain->count;

	for (struct node *top = g->subtrees; top; top = top->next) {
		/* [ORD-twins] acq: pairs with add_twins() */
		struct node *twin = atomic_load_explicit(&top->twins, memory_order_acquire);

		while (twin) {
			struct node *next = twin->next;

			if (g->removed)
				unite_subtree(g->table, top, twin);
			collect_subtree(g->table, twin, chain);
			twin = next;
		}
	}
	stat_add(stats_of(self, g->table), STAT_NODES_GIVEN, chain->count - before);
}

static void strategy_settle(struct pt_thread *self, struct pt_table *table)
{
	replay_everywhere(replicas_of(table), self);
}

#endif

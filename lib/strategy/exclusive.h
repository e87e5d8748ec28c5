/* SPDX-License-Identifier: MIT */
/*
 * Parts that strategies share in which a cursor has its range for itself: only the hardware can
 * change a slot meanwhile, and only accessed and dirty bits of leaves that it uses.
 */
#ifndef PT_STRATEGY_EXCLUSIVE_H
#define PT_STRATEGY_EXCLUSIVE_H

#include "walk.h"

#define STRATEGY_COUNTS_EXACT 1

static PT_INLINE pte_t strategy_slot_read(struct cursor *c, slot_t *slot)
{
	(void)c;
	return slot_load_locked(slot);
}

static PT_INLINE bool strategy_is_frozen(pte_t pte)
{
	(void)pte;
	return false;
}

static PT_INLINE bool strategy_slot_change(struct cursor *c, struct slot *s, pte_t pte)
{
	(void)c;
	/* Compare-exchange where a plain store would lose a bit that the hardware sets (T2). */
	if (fmt_hw_writes(s->pte)) {
		pte_t seen = s->pte; /* so that *s need not be in memory */
		bool changed = slot_exchange_if(s->ref, &seen, pte);

		if (!changed)
			s->pte = seen;
		return changed;
	}
	slot_publish(s->ref, pte);
	return true;
}

static inline bool strategy_child_install(struct cursor *c, struct slot *s, struct node *child)
{
	return strategy_slot_change(c, s, fmt_table(node_to_pa(c->table, child)));
}

static inline void strategy_lock_again(struct cursor *c, pt_va_t va)
{
	(void)c;
	(void)va;
}

/* What is in the range is the cursor's, unasked. */
static inline bool strategy_claim_subtree(struct cursor *c, struct slot *s)
{
	(void)c;
	(void)s;
	return true;
}

static inline void strategy_release_subtree(struct cursor *c, struct slot *s)
{
	(void)c;
	(void)s;
}

static inline void strategy_detach_keeping(struct cursor *c, struct slot *s, pte_t leaf)
{
	(void)c;
	(void)s;
	(void)leaf;
}

static inline bool strategy_release_leaf(struct cursor *c, struct slot *s, pte_t leaf)
{
	(void)c;
	(void)s;
	(void)leaf;
	return true;
}

static PT_INLINE void exclusive_live_add(struct node *node, int slots, int marks)
{
	node->live = (uint16_t)(node->live + slots);
	if (marks) /* seldom, and where it never is the compiler sees that */
		node->marks = (uint16_t)(node->marks + marks);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Parts that strategies share in which a cursor has its range for itself, by locks that lie beside the
 * slots: only the hardware can change a slot meanwhile, and only accessed and dirty bits of leaves that it
 * uses.
 */
#ifndef PT_STRATEGY_EXCLUSIVE_H
#define PT_STRATEGY_EXCLUSIVE_H

#include "isolated.h"

#define STRATEGY_COUNTS_EXACT 1

static PT_INLINE pte_t strategy_slot_read(struct cursor *c, slot_t *slot)
{
	(void)c;
	return slot_load_locked(slot);
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

static PT_INLINE void exclusive_live_add(struct node *node, int slots, int marks)
{
	node->live = (uint16_t)(node->live + slots);
	if (marks) /* seldom, and where it never is the compiler sees that */
		node->marks = (uint16_t)(node->marks + marks);
}

#endif

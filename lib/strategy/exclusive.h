/* SPDX-License-Identifier: MIT */
/*
 * Parts that strategies share in which a cursor has its range for itself: only the hardware can
 * change a slot meanwhile, and only accessed and dirty bits of leaves that it uses.
 */
#ifndef PT_STRATEGY_EXCLUSIVE_H
#define PT_STRATEGY_EXCLUSIVE_H

#include "walk.h"

#define STRATEGY_COUNTS_EXACT 1

static inline bool exclusive_slot_change(struct slot *s, pte_t pte)
{
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

static inline void exclusive_live_add(struct node *node, int slots, int marks)
{
	node->live = (uint16_t)(node->live + slots);
	node->marks = (uint16_t)(node->marks + marks);
}

#endif

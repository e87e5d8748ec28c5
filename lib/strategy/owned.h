/* SPDX-License-Identifier: MIT */
/*
 * Parts that strategies share in which a cursor has its range for itself, by locks that lie beside the
 * slots: only the hardware can change a slot meanwhile, and only accessed and dirty bits of leaves that it
 * uses.
 */
#ifndef PT_STRATEGY_OWNED_H
#define PT_STRATEGY_OWNED_H

#include "isolated.h"

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

#endif

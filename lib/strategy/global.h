/* SPDX-License-Identifier: MIT */
/*
 * Parts that strategies share in which one lock, or none, covers the whole table: nodes have no lock
 * state.
 */
#ifndef PT_STRATEGY_GLOBAL_H
#define PT_STRATEGY_GLOBAL_H

#include "cover.h"
#include "plainnodes.h"

static inline void strategy_detach_subtree(struct cursor *c, struct slot *s, pte_t pte)
{
	(void)c;
	slot_publish(s->ref, pte);
}

#endif

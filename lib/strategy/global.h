/* SPDX-License-Identifier: MIT */
/*
 * Parts that strategies share in which one lock, or none, covers the whole table: nodes have no lock
 * state.
 */
#ifndef PT_STRATEGY_GLOBAL_H
#define PT_STRATEGY_GLOBAL_H

#include "cover.h"

static inline void strategy_adopt_child(struct cursor *c, struct slot *s, struct node *child)
{
	(void)c;
	(void)s;
	(void)child;
}

static PT_INLINE void strategy_live_add(struct cursor *c, struct node *node, int slots, int marks)
{
	(void)c;
	exclusive_live_add(node, slots, marks);
}

static inline void strategy_detach_subtree(struct cursor *c, struct slot *s, pte_t pte)
{
	(void)c;
	slot_publish(s->ref, pte);
}

static inline bool strategy_node_is_free(struct node *node)
{
	(void)node;
	return true;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Parts that strategies share in which a cursor has all tables that its range reaches into for itself, so
 * that nobody else changes any slot or count of theirs.
 */
#ifndef PT_STRATEGY_EXCLUSIVE_H
#define PT_STRATEGY_EXCLUSIVE_H

#include "owned.h"

#define STRATEGY_COUNTS_EXACT 1

static PT_INLINE pte_t strategy_slot_read(struct cursor *c, slot_t *slot)
{
	(void)c;
	return slot_load_locked(slot);
}

static inline bool strategy_child_install(struct cursor *c, struct slot *s, struct node *child)
{
	return strategy_slot_change(c, s, fmt_table(node_to_pa(c->table, child)));
}

static PT_INLINE void strategy_live_add(struct cursor *c, struct node *node, int slots, int marks)
{
	(void)c;
	node->live = (uint16_t)(node->live + slots);
	if (marks) /* seldom, and where it never is the compiler sees that */
		node->marks = (uint16_t)(node->marks + marks);
}

#endif

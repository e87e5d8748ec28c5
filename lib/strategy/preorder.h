/* SPDX-License-Identifier: MIT */
/*
 * Parts that strategies share in which a cursor locks all tables of its range below the covering node:
 * parents before children, left to right, and unlocks them in an order that leaves what it still has
 * to follow locked. Included after cursor_lock_node(c, node), which returns false only if the cursor may
 * only try and would have to wait, and cursor_unlock_node(c, node).
 */
#ifndef PT_STRATEGY_PREORDER_H
#define PT_STRATEGY_PREORDER_H

#include "walk.h"

/* Unlock every table below @node, which is locked and no leaf table, that overlaps first..last. */
static void cursor_unlock_below(struct cursor *c, struct node *node, unsigned level, pt_va_t first,
				pt_va_t last)
{
	const pt_va_t mask = level_size(level) - 1;
	slot_t *slot = &node_slots(c->table, node)[slot_index(first, level)];

	for (;; first = (first | mask) + 1, slot++) {
		pt_va_t end = (first | mask) < last ? first | mask : last;
		pte_t pte = slot_load_locked(slot);

		if (fmt_is_table(pte, level)) {
			if (level > 2)
				cursor_unlock_below(c, child_of(c->table, pte), level - 1, first,
						    end);
			cursor_unlock_node(c, child_of(c->table, pte));
		}
		if (end == last)
			return;
	}
}

static bool cursor_lock_below(struct cursor *c, struct node *node, unsigned level, pt_va_t first,
			      pt_va_t last);

/* Lock the table behind @pte and, if it is one, what of it overlaps first..last. */
static inline bool cursor_lock_child(struct cursor *c, pte_t pte, unsigned level, pt_va_t first,
				     pt_va_t last)
{
	struct node *child;

	if (!fmt_is_table(pte, level))
		return true;
	child = child_of(c->table, pte);
	if (!cursor_lock_node(c, child))
		return false;
	if (level == 2 || cursor_lock_below(c, child, level - 1, first, last))
		return true;
	cursor_unlock_node(c, child);
	return false;
}

/* Lock them: all, or none. */
static bool cursor_lock_below(struct cursor *c, struct node *node, unsigned level, pt_va_t first,
			      pt_va_t last)
{
	const pt_va_t mask = level_size(level) - 1;
	slot_t *slot = &node_slots(c->table, node)[slot_index(first, level)];

	for (pt_va_t at = first;; at = (at | mask) + 1, slot++) {
		pt_va_t end = (at | mask) < last ? at | mask : last;

		if (!cursor_lock_child(c, slot_load_locked(slot), level, at, end)) {
			if (at != first)
				cursor_unlock_below(c, node, level, first, at - 1);
			return false;
		}
		if (end == last)
			return true;
	}
}

/* Lock what lies below the covering node, which is held; or else let go of that, too. */
static inline bool cursor_lock_rest(struct cursor *c)
{
	if (c->level == 1 || cursor_lock_below(c, c->node, c->level, c->first, c->last))
		return true;
	cursor_unlock_node(c, c->node);
	return false;
}

static inline void cursor_unlock_nodes(struct cursor *c)
{
	if (c->level > 1)
		cursor_unlock_below(c, c->node, c->level, c->first, c->last);
	cursor_unlock_node(c, c->node);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Parts that strategies share in which one lock, or none, covers the whole table: nodes have no
 * lock state, and the way to the covering node needs no care.
 */
#ifndef PT_STRATEGY_GLOBAL_H
#define PT_STRATEGY_GLOBAL_H

#include "exclusive.h"

/* Walk from the root to the covering node. The table's lock is held. */
static inline void global_walk_to_cover(struct cursor *c)
{
	struct node *node = c->table->root;
	unsigned level = FMT_LEVELS;

	while (level > c->top) {
		unsigned index = slot_index(c->first, level);
		slot_t *slot = &node_slots(c->table, node)[index];
		pte_t pte;

		if (index != slot_index(c->last, level))
			break;
		pte = slot_load_locked(slot);
		if (fmt_is_table(pte, level)) {
			node = child_of(c->table, pte);
		} else if (c->mode == PT_BUILD && fmt_kind(pte, level) == PT_KIND_EMPTY) {
			struct node *child = node_take(c->self, level - 1);

			slot_publish(slot, fmt_table(node_to_pa(c->table, child)));
			exclusive_live_add(node, 1, 0);
			node = child;
		} else {
			break;
		}
		level--;
	}
	c->node = node;
	c->level = (uint8_t)level;
}

static inline pte_t strategy_slot_read(struct cursor *c, slot_t *slot)
{
	(void)c;
	return slot_load_locked(slot);
}

static inline bool strategy_slot_change(struct cursor *c, struct slot *s, pte_t pte)
{
	(void)c;
	return exclusive_slot_change(s, pte);
}

static inline bool strategy_child_install(struct cursor *c, struct slot *s, struct node *child)
{
	return exclusive_slot_change(s, fmt_table(node_to_pa(c->table, child)));
}

static inline void strategy_adopt_child(struct cursor *c, struct slot *s, struct node *child)
{
	(void)c;
	(void)s;
	(void)child;
}

static inline void strategy_live_add(struct cursor *c, struct node *node, int slots, int marks)
{
	(void)c;
	exclusive_live_add(node, slots, marks);
}

static inline bool strategy_detach_subtree(struct cursor *c, struct slot *s, pte_t pte)
{
	(void)c;
	slot_publish(s->ref, pte);
	return true;
}

static inline bool strategy_node_is_free(struct node *node)
{
	(void)node;
	return true;
}

#endif

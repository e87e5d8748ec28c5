/* SPDX-License-Identifier: MIT */
/*
 * The way to the covering node of who may meet others on it: they link tables under the same slots. Whoever
 * is faster links his, and the others use it.
 */
#ifndef PT_STRATEGY_MEETINGCOVER_H
#define PT_STRATEGY_MEETINGCOVER_H

#include "walk.h"

/*
 * Put a table under an EMPTY slot on the way. Return: what the slot holds then, whoever was faster; if
 * that is no table, whoever fills the range will build.
 */
static inline pte_t build_beside_others(struct cursor *c, slot_t *slot, unsigned level)
{
	struct node *child = node_take(c->self, level - 1);
	pte_t seen = 0, pte = fmt_table(node_to_pa(c->table, child));

	if (slot_exchange_if(slot, &seen, pte)) {
		stat_add(c->stats, STAT_NODES_TAKEN, 1);
		return pte;
	}
	node_put(c->self, child);
	stat_add(c->stats, STAT_LOST, 1);
	return slot_load_walk(slot);
}

/* Find the covering node: the walk ends where no table is. It waits for nobody. */
static inline void walk_to_meeting_cover(struct cursor *c)
{
	const struct pt_table *t = c->table;
	pt_pa_t pa = t->root_pa;
	unsigned level;

	_Pragma("GCC unroll 8") for (level = FMT_LEVELS; level > 1; level--)
	{
		slot_t *slot = &slots_of_pa(t->phys_off, pa)[slot_index(c->first, level)];
		pte_t pte;

		if (level == c->floor)
			break;
		pte = slot_load_walk(slot);
		if (!pte && c->mode == PT_BUILD)
			pte = build_beside_others(c, slot, level);
		if (!fmt_is_table(pte, level))
			break;
		pa = fmt_table_pa(pte);
	}
	c->node = node_at_pa(t, pa);
	c->level = (uint8_t)level;
}

#endif

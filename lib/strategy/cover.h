/* SPDX-License-Identifier: MIT */
/* The way to the covering node of whoever holds the whole table, which needs no care. */
#ifndef PT_STRATEGY_COVER_H
#define PT_STRATEGY_COVER_H

#include "exclusive.h"

/* Walk from the root to the covering node. The table's lock is held. */
static inline void walk_to_cover(struct cursor *c)
{
	const struct pt_table *t = c->table;
	pt_pa_t pa = t->root_pa;
	unsigned level;

	_Pragma("GCC unroll 8") for (level = FMT_LEVELS; level > 1; level--)
	{
		slot_t *slot = &slots_of_pa(t->phys_off, pa)[slot_index(c->first, level)];
		struct node *child;
		pte_t pte;

		if (level == c->floor)
			break;
		pte = slot_load_locked(slot);
		if (fmt_is_table(pte, level)) {
			pa = fmt_table_pa(pte);
			continue;
		}
		if (c->mode != PT_BUILD || fmt_kind(pte, level) != PT_KIND_EMPTY)
			break;
		child = node_take(c->self, level - 1);
		stat_add(c->stats, STAT_NODES_TAKEN, 1);
		strategy_live_add(c, node_at_pa(t, pa), 1, 0);
		pa = node_to_pa(t, child);
		slot_publish(slot, fmt_table(pa));
	}
	c->node = node_at_pa(t, pa);
	c->level = (uint8_t)level;
}

#endif

/* SPDX-License-Identifier: MIT */
/* Collecting, for any format. What must understand PTEs is in ops_gather.h. */
#include "gather.h"

void pt_gather_init(struct pt_gather *storage, struct pt_thread *self, struct pt_table *table,
		    pt_removed_fn removed, void *ctx)
{
	gather_init((struct gather *)storage, self, table, removed, ctx);
}

/* Widen @range to include first..last if they touch. */
static bool range_join(struct gather_range *range, pt_va_t first, pt_va_t last)
{
	if (first > range->last ? first - range->last > 1
				: range->first > last && range->first - last > 1)
		return false;
	if (first < range->first)
		range->first = first;
	if (last > range->last)
		range->last = last;
	return true;
}

void pt_gather_flush_later(struct gather *g, pt_va_t first, pt_va_t last)
{
	struct gather_range *range = &g->ranges[g->nr_ranges];

	if (!g->table->flush)
		return;
	if (g->nr_ranges && range_join(range - 1, first, last))
		return;
	if (g->nr_ranges < GATHER_RANGES) {
		range->first = first;
		range->last = last;
		g->nr_ranges++;
		return;
	}
	/* Too many pieces: one range over all of them. */
	for (unsigned i = 0; i < GATHER_RANGES; i++) {
		if (g->ranges[i].first < first)
			first = g->ranges[i].first;
		if (g->ranges[i].last > last)
			last = g->ranges[i].last;
	}
	g->ranges[0].first = first;
	g->ranges[0].last = last;
	g->nr_ranges = 1;
}

void pt_gather_leaf(struct gather *g, pt_va_t va, unsigned level, pte_t pte)
{
	struct node *store = g->items;
	struct gathered_leaf *leaves;

	if (g->sink) {
		g->sink(g, va, level, pte);
		return;
	}
	if (!store || store->live == leaves_per_node(g->table->pool)) {
		store = node_take(g->self, 0);
		g->self->taken--; /* it is of no tree */
		stat_add(stats_of(g->self, g->table), STAT_NODES_TAKEN, 1);
		store->state = NODE_ITEMS;
		store->next = g->items;
		g->items = store;
	}
	leaves = node_memory(g->table->pool, store);
	leaves[store->live++] = (struct gathered_leaf){.va_level = va | level, .pte = pte};
}

void pt_gather_subtree(struct gather *g, struct node *top, pt_va_t first, pt_va_t last)
{
	top->va = first;
	top->next = g->subtrees;
	g->subtrees = top;
	g->tables = true;
	pt_gather_flush_later(g, first, last);
}

void pt_gather_flush(struct gather *g)
{
	for (unsigned i = 0; i < g->nr_ranges; i++)
		g->table->flush(g->table->flush_ctx, g->ranges[i].first,
				g->ranges[i].last - g->ranges[i].first + 1, g->tables);
	g->nr_ranges = 0;
	g->tables = false;
}

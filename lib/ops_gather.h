/* SPDX-License-Identifier: MIT */
/*
 * The end of a gather's way, where PTEs must be understood: report what was removed with its final
 * accessed and dirty bits, then retire.
 */
#ifndef PT_OPS_GATHER_H
#define PT_OPS_GATHER_H

#include "ops_fill.h"

/* Is @g, the caller's @gather if not NULL, one for this thread and table? */
static inline int check_gather(const struct gather *g, const struct pt_gather *gather,
			       const struct pt_thread *self, const struct pt_table *t)
{
	return gather && (g->self != self || g->table->id != t->id) ? -EINVAL : 0;
}

static inline void report_leaf(const struct gather *g, pt_va_t va, unsigned level, pte_t pte)
{
	struct pt_item item = {
		.pa = fmt_leaf_pa(pte, level),
		.prop = fmt_leaf_prop(pte, level),
		.level = level,
	};

	g->removed(g->ctx, va, &item);
}

/* Report the leaves of a subtree. The hardware has been flushed from it: their bits are final. */
static void report_subtree(const struct gather *g, struct node *node, unsigned level, pt_va_t va)
{
	slot_t *slots = node_slots(g->table, node);

	for (unsigned i = 0; i < FAN_OUT; i++, va += level_size(level)) {
		pte_t pte = slot_load_locked(&slots[i]);
		enum pt_kind kind = fmt_kind(pte, level);

		if (kind == PT_KIND_TABLE)
			report_subtree(g, child_of(g->table, pte), level - 1, va);
		else if (kind == PT_KIND_LEAF)
			report_leaf(g, va, level, pte);
	}
}

static void report_removed(const struct gather *g)
{
	for (struct node *store = g->items; store; store = store->next) {
		const struct gathered_leaf *leaves = node_memory(g->table->pool, store);

		for (unsigned i = 0; i < store->live; i++)
			report_leaf(g, leaves[i].va_level & ~PAGE_MASK,
				    (unsigned)(leaves[i].va_level & PAGE_MASK), leaves[i].pte);
	}
	for (struct node *top = g->subtrees; top; top = top->next)
		report_subtree(g, top, top->level, top->va);
}

/* Push @node and every table below on @chain. Their slots stay as they are: walks may be there. */
static void collect_subtree(const struct pt_table *t, struct node *node, struct node_chain *chain)
{
	slot_t *slots = node_slots(t, node);
	unsigned level = node->level;

	if (level > 1)
		for (unsigned i = 0; i < FAN_OUT; i++) {
			pte_t pte = slot_load_locked(&slots[i]);

			if (fmt_is_table(pte, level))
				collect_subtree(t, child_of(t, pte), chain);
		}
	node_chain_push(chain, node);
}

static void collect_subtrees(struct gather *g, struct node_chain *chain)
{
	while (g->subtrees) {
		struct node *top = g->subtrees;

		g->subtrees = top->next;
		collect_subtree(g->table, top, chain);
	}
}

static inline void drop_leaf(struct pt_table *t, pte_t pte, unsigned level)
{
	if (fmt_leaf_prop(pte, level) & PT_TRACKED)
		t->item_ops->drop(t->item_ctx, fmt_leaf_pa(pte, level), level);
}

/* Drop what a node still holds whose grace period is over: a table, or a gather's storage. */
static void drop_items(struct pt_table *t, struct node *node)
{
	if (node->state == NODE_ITEMS) {
		const struct gathered_leaf *leaves = node_memory(t->pool, node);

		for (unsigned i = 0; i < node->live; i++)
			drop_leaf(t, leaves[i].pte, (unsigned)(leaves[i].va_level & PAGE_MASK));
	} else {
		slot_t *slots = node_slots(t, node);

		for (unsigned i = 0; i < FAN_OUT; i++) {
			pte_t pte = slot_load_locked(&slots[i]);

			if (fmt_kind(pte, node->level) == PT_KIND_LEAF)
				drop_leaf(t, pte, node->level);
		}
	}
}

/* Free what nobody else can reach any more: but who is late may still be there. */
static void free_chain(struct pt_thread *self, struct pt_table *t, struct node_chain *chain)
{
	while (chain->head) {
		struct node *node = node_chain_pop(chain);

		if (t->item_ops)
			drop_items(t, node);
		table_put(self, t, node);
	}
}

/*
 * Hand over what was removed. Without items to drop, tables join what the thread has retired
 * before, and storage, which nobody else ever saw, is free at once.
 */
static void retire_removed(struct gather *g)
{
	struct pt_table *t = g->table;
	struct pt_thread *self = g->self;
	struct node_chain with_items = {0};
	bool apart = t->item_ops || !STRATEGY_CONCURRENT;
	struct node_chain *chain = apart ? &with_items : retired_chain(self, t);
	unsigned before = chain->count, storage = 0;

	collect_subtrees(g, chain);
	while (g->items) {
		struct node *store = g->items;

		g->items = store->next;
		if (apart)
			node_chain_push(chain, store);
		else
			node_put(self, store);
		storage += !apart;
	}
	stat_add(stats_of(self, t), STAT_NODES_GIVEN, chain->count - before + storage);
	if (!STRATEGY_CONCURRENT)
		free_chain(self, t, chain);
	else if (apart)
		pt_thread_retire(self, chain, t);
	else if (retired_enough(self))
		pt_thread_hand_over(self);
}

static int op_gather_sync(struct pt_gather *storage)
{
	struct gather *g = (struct gather *)storage;

	if (g->self->holds)
		return -EDEADLK;
	if (gather_is_empty(g))
		return 0;
	strategy_settle(g->self, g->table);
	if (g->nr_ranges)
		pt_gather_flush(g);
	if (!g->subtrees && !g->items)
		return 0;
	strategy_unite(g);
	if (g->removed)
		report_removed(g);
	retire_removed(g);
	return 0;
}

/*
 * Retire subtrees, flushed, of which nobody must be told and nothing dropped, though there may be
 * items. Who holds other cursors must not wait, as handing over may: that is for a later call.
 */
static void retire_tables(struct gather *g)
{
	struct pt_thread *self = g->self;
	struct node_chain unused = {0};
	struct node_chain *chain = STRATEGY_CONCURRENT ? retired_chain(self, g->table) : &unused;
	unsigned before = chain->count;

	collect_subtrees(g, chain);
	stat_add(stats_of(self, g->table), STAT_NODES_GIVEN, chain->count - before);
	while (unused.head)
		node_put(self, node_chain_pop(&unused));
	if (retired_enough(self) && !self->holds && !self->wrapped)
		pt_thread_hand_over(self);
}

/*
 * Flush and retire the subtrees @top, by `next`, that gave way in @t; they map nothing. Locks of other
 * cursors that the thread holds do not keep it from flushing: see pt_flush_fn.
 */
static void retire_displaced(struct pt_thread *self, struct pt_table *t, struct node *top)
{
	struct pt_gather own;
	struct gather *g = (struct gather *)&own;

	strategy_settle(self, t);
	pt_gather_init(&own, self, t, NULL, NULL);
	while (top) {
		struct node *next = top->next;

		pt_gather_subtree(g, top, top->va,
				  top->va + (level_size(top->level) << FMT_INDEX_BITS) - 1);
		top = next;
	}
	pt_gather_flush(g);
	strategy_unite(g);
	retire_tables(g);
}

/* What gave way while the cursor was open; it is closed, but a wrapper may hold locks. */
static void let_go_displaced(struct cursor *c)
{
	struct node *last = c->displaced;

	if (!c->self->wrapped) {
		retire_displaced(c->self, c->table, c->displaced);
		return;
	}
	while (last->next)
		last = last->next;
	last->next = c->self->displaced;
	c->self->displaced = c->displaced;
}

#endif

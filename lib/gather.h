/* SPDX-License-Identifier: MIT */
/*
 * A gather carries what was unlinked through the only order in which it may be freed:
 *
 *   unlink -> stray -> unlock -> flush -> acknowledgement -> read back accessed/dirty
 *          -> retire -> grace period -> drop items, free nodes
 *
 * It holds address ranges to flush; subtrees, by their top node; and, if somebody must be told or an
 * item dropped, leaves that were removed one by one, in nodes used as storage.
 */
#ifndef PT_GATHER_H
#define PT_GATHER_H

#include "pte.h"
#include "stats.h"
#include "table.h"
#include "thread.h"

#define GATHER_RANGES 8

struct gather_range {
	pt_va_t first, last;
};

struct gather {
	const struct pt_ops *ops; /* first: see PT_OPS() */
	struct pt_thread *self;
	struct pt_table *table;
	pt_removed_fn removed;
	void *ctx;
	/* Takes the leaves that are removed one by one; NULL: the gather's own storage does. */
	void (*sink)(struct gather *g, pt_va_t va, unsigned level, pte_t pte);
	struct node *subtrees; /* by `next`; `va` says where each was */
	struct node *items;    /* nodes of storage, by `next`; the first is the one not full */
	uint32_t nr_ranges;
	bool tables; /* table entries were removed */
	struct gather_range ranges[GATHER_RANGES];
};

static_assert(sizeof(struct gather) <= sizeof(struct pt_gather), "storage is too small");

static inline void gather_init(struct gather *g, struct pt_thread *self, struct pt_table *table,
			       pt_removed_fn removed, void *ctx)
{
	g->ops = table->ops;
	g->self = self;
	g->table = table;
	g->removed = removed;
	g->ctx = ctx;
	g->sink = NULL;
	g->subtrees = NULL;
	g->items = NULL;
	g->nr_ranges = 0;
	g->tables = false;
}

/* A leaf removed by itself, as a gather's storage keeps it. */
struct gathered_leaf {
	pt_va_t va_level; /* the level in the bits below the page */
	pte_t pte;
};

static inline unsigned leaves_per_node(const struct pt_pool *pool)
{
	return (unsigned)(pool->node_bytes / sizeof(struct gathered_leaf));
}

/* Must leaves that are removed one by one be remembered? */
static inline bool gather_wants_leaves(const struct gather *g)
{
	return g->removed || g->table->item_ops;
}

/* Must the next leaf have a new node of storage, if it is to be remembered at all? */
static inline bool gather_is_full(const struct gather *g)
{
	return gather_wants_leaves(g) &&
	       (!g->items || g->items->live == leaves_per_node(g->table->pool));
}

/* Nodes of storage that @leaves more leaves need. */
static inline uint64_t gather_nodes_for(const struct gather *g, uint64_t leaves)
{
	unsigned per_node = leaves_per_node(g->table->pool);
	uint64_t room = g->items ? per_node - g->items->live : 0;

	return leaves <= room ? 0 : (leaves - room + per_node - 1) / per_node;
}

/* Translations of first..last must be flushed; ranges that touch are joined. */
void pt_gather_flush_later(struct gather *g, pt_va_t first, pt_va_t last);

/* Remember a removed leaf. Its storage has been reserved. */
void pt_gather_leaf(struct gather *g, pt_va_t va, unsigned level, pte_t pte);

/* Remember an unlinked subtree, by its top node, that covered first..last. */
void pt_gather_subtree(struct gather *g, struct node *top, pt_va_t first, pt_va_t last);

/* Call the flush hook for all that was collected. */
void pt_gather_flush(struct gather *g);

static inline bool gather_is_empty(const struct gather *g)
{
	return !g->nr_ranges && !g->subtrees && !g->items;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Merging: a table of leaves that together say what one huge leaf says gives way to that leaf, from
 * the bottom up.
 *
 * Nobody sees a hole, or another translation (Q2): one store puts the leaf in the table's place. The
 * old leaves stay as they are in the stray table, where walks may be, until a grace period is over.
 *
 * No accessed or dirty bit is lost (T2): the huge leaf begins with those that the old leaves have.
 * Until the flush a CPU may set more of them in the stray table, through a cached reference to it or
 * in the middle of its walk; after the flush none can, and what came late is added to the huge leaf.
 * The range is held over the flush: if the huge leaf could be removed or split in between, whoever did
 * it would report, or hand on, bits that are not final. All tables are merged first, so that the
 * flushes are few. With slot isolation it is the huge leaf that is kept, so one table after the other
 * is merged and flushed.
 *
 * References of tracked items become one by the merge hook, under the locks, as split makes many of
 * one. So a stray table holds none: it is retired without its items being dropped.
 */
#ifndef PT_OPS_MERGE_H
#define PT_OPS_MERGE_H

#include "ops_harvest.h"

struct merging {
	struct gather *g; /* its subtrees: the stray tables, each of leaves only */
	uint64_t merged;
};

/* Accessed and dirty bits that any leaf of @node has, all of whose slots are leaves. */
static pt_prop_t used_bits(struct cursor *c, struct node *node)
{
	slot_t *slots = node_slots(c->table, node);
	pt_prop_t used = 0;

	for (unsigned i = 0; i < FAN_OUT; i++)
		used |= fmt_leaf_prop(slot_load_subtree(&slots[i]), node->level);
	return used & USED_BITS;
}

/*
 * The huge leaf of @level that says what @node says; EMPTY if none does: all slots are leaves,
 * contiguous, of the same properties but for accessed and dirty, and begin where a huge page may.
 */
static pte_t merged_leaf(struct cursor *c, struct node *node, unsigned level)
{
	const struct pt_table *t = c->table;
	slot_t *slots = node_slots(t, node);
	pte_t pte = slot_load_subtree(&slots[0]);
	pt_prop_t prop;
	pt_pa_t pa;

	if (STRATEGY_COUNTS_EXACT
		    ? node->live != FAN_OUT || node->marks || fmt_is_table(pte, level - 1)
		    : fmt_kind(pte, level - 1) != PT_KIND_LEAF)
		return 0;
	pa = fmt_leaf_pa(pte, level - 1);
	prop = fmt_leaf_prop(pte, level - 1) & ~USED_BITS;
	if ((pa & (level_size(level) - 1)) || !fmt_prop_valid(prop | USED_BITS, level) ||
	    ((prop & PT_TRACKED) && !t->item_ops->merge))
		return 0;
	for (unsigned i = 1; i < FAN_OUT; i++) {
		pte = slot_load_subtree(&slots[i]);
		if (fmt_kind(pte, level - 1) != PT_KIND_LEAF ||
		    fmt_leaf_pa(pte, level - 1) != pa + i * level_size(level - 1) ||
		    (fmt_leaf_prop(pte, level - 1) & ~USED_BITS) != prop)
			return 0;
	}
	return fmt_leaf(pa, prop | used_bits(c, node), level);
}

static int visit_merge_below(struct cursor *c, struct node *node, unsigned level, pt_va_t first,
			     pt_va_t last, void *arg);

/*
 * With slot isolation: @s holds a huge leaf that nobody else changes, in the place of @child. Flush, add
 * what came late, and let others have it.
 */
static void merge_settle(struct cursor *c, struct slot *s, struct node *child, struct gather *g)
{
	pte_t leaf;

	pt_gather_flush(g);
	do
		leaf = fmt_leaf(fmt_leaf_pa(s->pte, s->level),
				fmt_leaf_prop(s->pte, s->level) | used_bits(c, child), s->level);
	while (!strategy_release_leaf(c, s, leaf));
}

/* Put @leaf, which says the same, in the place of the claimed @child. */
static void merge_child(struct cursor *c, struct slot *s, struct node *child, pte_t leaf,
			struct merging *m)
{
	if (fmt_leaf_prop(leaf, s->level) & PT_TRACKED)
		c->table->item_ops->merge(c->table->item_ctx, fmt_leaf_pa(leaf, s->level),
					  s->level);
	if (MAY_LOSE)
		strategy_detach_keeping(c, s, leaf);
	else
		strategy_detach_subtree(c, s, leaf);
	stat_add(c->stats, STAT_DETACHES, 1);
	pt_gather_subtree(m->g, child, s->first, s->last);
	if (MAY_LOSE)
		merge_settle(c, s, child, m->g);
	m->merged++;
}

static VISITOR int merge_slot(struct cursor *c, struct slot *s, void *arg)
{
	struct merging *m = arg;
	struct node *child;
	pte_t leaf;

	if (!fmt_is_table(s->pte, s->level))
		return VISIT_NEXT;
	child = child_of(c->table, s->pte);
	if (s->level > 2 &&
	    visit_merge_below(c, child, s->level - 1, s->first, s->last, m) == VISIT_LOST)
		return VISIT_LOST;
	if (!may_detach(c, s) || !(FMT_LEAF_LEVELS >> s->level & 1))
		return VISIT_NEXT;
	leaf = merged_leaf(c, child, s->level);
	if (!leaf)
		return VISIT_NEXT;
	if (!strategy_claim_subtree(c, s))
		return VISIT_AGAIN;
	if (MAY_LOSE)
		leaf = merged_leaf(c, child, s->level);
	if (leaf)
		merge_child(c, s, child, leaf, m);
	else
		strategy_release_subtree(c, s);
	return VISIT_NEXT;
}

DEFINE_VISIT(visit_merge, merge_slot)

/* Add @used to the leaf that maps @va by now. */
static void add_used_bits(struct cursor *c, pt_va_t va, pt_prop_t used)
{
	struct slot s = {.node = c->node, .level = c->level};
	pte_t pte;

	for (;;) {
		s.ref = &node_slots(c->table, s.node)[slot_index(va, s.level)];
		s.pte = strategy_slot_read(c, s.ref);
		if (!fmt_is_table(s.pte, s.level))
			break;
		s.node = child_of(c->table, s.pte);
		s.level--;
	}
	for (;;) {
		pte = fmt_leaf(fmt_leaf_pa(s.pte, s.level), fmt_leaf_prop(s.pte, s.level) | used,
			       s.level);
		if (pte == s.pte || strategy_slot_change(c, &s, pte))
			return;
		s.pte = strategy_slot_read(c, s.ref);
	}
}

/* Flush, and move what came late from the stray tables to where their pages are mapped now. */
static void collect_late_bits(struct cursor *c, struct gather *g)
{
	if (g->nr_ranges)
		pt_gather_flush(g);
	for (struct node *stray = g->subtrees; stray; stray = stray->next)
		add_used_bits(c, stray->va, used_bits(c, stray));
}

static int op_merge(struct pt_thread *self, struct pt_table *t, pt_va_t va, uint64_t len,
		    unsigned max_level, uint64_t *ret_merged)
{
	struct pt_gather own;
	struct merging m = {.g = (struct gather *)&own};
	struct cursor c;
	pt_va_t last;
	unsigned top;
	int rc = check_range(t, va, len, &last);

	if (!rc && (max_level < 1 || max_level > FMT_LEVELS))
		rc = -EINVAL;
	if (rc)
		return rc;
	top = largest_block(va, last);
	rc = range_open(&c, self, t, va, last, PT_CHANGE, top < max_level ? top : max_level);
	if (rc)
		return rc;
	pt_gather_init(&own, self, t, NULL, NULL);
	if (c.level > 1)
		visit_merge(&c, c.node, c.level, va, last, &m);
	if (!MAY_LOSE)
		collect_late_bits(&c, m.g);
	range_close(&c);
	retire_tables(m.g); /* the items of their leaves live on in the huge leaves */
	if (ret_merged)
		*ret_merged = m.merged;
	return 0;
}

#endif

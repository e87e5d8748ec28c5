/* SPDX-License-Identifier: MIT */
/* Emptying a range: unmap, and the cursor's take next. What is removed goes into a gather. */
#ifndef PT_OPS_REMOVE_H
#define PT_OPS_REMOVE_H

#include "ops_gather.h"

struct removal {
	struct gather *g;       /* NULL: nothing must be remembered, but `stale` */
	bool stale;             /* a page was removed, whose translation may be cached */
	uint64_t pages;         /* base pages that were mapped */
	struct pt_taken *taken; /* stop after one, and describe it */
	uint64_t leaves;        /* that will be removed one by one */
};

static inline int remove_subtree(struct cursor *c, struct slot *s, struct removal *r)
{
	struct node *child = child_of(c->table, s->pte);
	uint64_t pages;

	if (!strategy_claim_subtree(c, s))
		return VISIT_AGAIN;
	pages = count_pages(c->table, child, s->level - 1);
	strategy_detach_subtree(c, s, 0);
	s->live--;
	stat_add(c->stats, STAT_DETACHES, 1);
	pt_gather_subtree(r->g, child, s->first, s->last);
	r->pages += pages;
	if (!r->taken || !pages)
		return VISIT_NEXT;
	*r->taken = (struct pt_taken){
		.va = s->first,
		.len = level_size(s->level),
		.subtree = true,
		.pages = pages,
	};
	return VISIT_STOP;
}

/*
 * Also a leaf that does not translate is flushed: the call that forbade its use may be about to, and
 * what it mapped must not be handed back before (R2).
 */
static PT_INLINE void remember_leaf(struct gather *g, const struct slot *s)
{
	pt_gather_flush_later(g, s->first, s->last);
	if (gather_wants_leaves(g))
		pt_gather_leaf(g, s->first, s->level, s->pte);
}

static VISITOR int remove_leaf(struct cursor *c, struct slot *s, struct removal *r)
{
	if (MAY_LOSE && r->g && gather_is_full(r->g) && node_ensure(c->self))
		return -ENOMEM;
	if (!strategy_slot_change(c, s, 0))
		return VISIT_AGAIN;
	s->live--;
	if (r->g)
		remember_leaf(r->g, s);
	else if (unlikely(c->table->flush))
		r->stale = true;
	r->pages += base_pages(s->level);
	if (!r->taken)
		return VISIT_NEXT;
	*r->taken = (struct pt_taken){
		.va = s->first,
		.len = level_size(s->level),
		.item = {.pa = fmt_leaf_pa(s->pte, s->level),
			 .prop = fmt_leaf_prop(s->pte, s->level),
			 .level = s->level},
		.pages = base_pages(s->level),
	};
	return VISIT_STOP;
}

static VISITOR int remove_mark(struct cursor *c, struct slot *s)
{
	if (!strategy_slot_change(c, s, 0))
		return VISIT_AGAIN;
	s->live--;
	s->marks--;
	return VISIT_NEXT;
}

/* In leaf tables nothing sticks out of the range and nothing lies below. */
static VISITOR int remove_page(struct cursor *c, struct slot *s, struct removal *r)
{
	enum pt_kind kind = fmt_kind(s->pte, 1);

	if (likely(kind == PT_KIND_LEAF))
		return remove_leaf(c, s, r);
	return kind == PT_KIND_MARK ? remove_mark(c, s) : VISIT_NEXT;
}

static inline int remove_any(struct cursor *c, struct slot *s, struct removal *r)
{
	switch (fmt_kind(s->pte, s->level)) {
	case PT_KIND_TABLE:
		return may_detach(c, s) ? remove_subtree(c, s, r) : VISIT_DOWN;
	case PT_KIND_LEAF:
		return s->whole ? remove_leaf(c, s, r) : split_slot(c, s);
	case PT_KIND_MARK:
		return s->whole ? remove_mark(c, s) : split_slot(c, s);
	default:
		return VISIT_NEXT;
	}
}

static VISITOR int remove_slot(struct cursor *c, struct slot *s, void *arg)
{
	return s->level == 1 ? remove_page(c, s, arg) : remove_any(c, s, arg);
}

DEFINE_VISIT(visit_remove, remove_slot)

/* Into how many leaves is a leaf that sticks out split, counting those inside the range? */
static inline uint64_t pieces_at_most(const struct slot *s)
{
	uint64_t pages = (s->last - s->first + 1) >> FMT_PAGE_SHIFT;
	uint64_t most = UINT64_C(2) * (FAN_OUT - 1) * (s->level - 1); /* two edges, each level */

	return pages < most ? pages : most;
}

/* Count the leaves that remove_slot() will remove one by one. */
static VISITOR int count_leaf_slot(struct cursor *c, struct slot *s, void *arg)
{
	struct removal *r = arg;

	switch (fmt_kind(s->pte, s->level)) {
	case PT_KIND_TABLE:
		return may_detach(c, s) ? VISIT_NEXT : VISIT_DOWN;
	case PT_KIND_LEAF:
		r->leaves += s->whole ? 1 : pieces_at_most(s);
		return r->taken ? VISIT_STOP : VISIT_NEXT;
	default:
		return VISIT_NEXT;
	}
}

DEFINE_VISIT(visit_count_leaves, count_leaf_slot)

/*
 * Reserve all that removing first..last, or what comes first in it, can need: tables for splits,
 * storage of the gather.
 */
static inline int removal_reserve(struct cursor *c, pt_va_t first, pt_va_t last, struct removal *r)
{
	uint64_t storage = 0;

	if (gather_wants_leaves(r->g)) {
		visit_count_leaves(c, c->node, c->level, first, last, r);
		storage = gather_nodes_for(r->g, r->leaves);
	}
	return reserve_splits(c, first, last, r->taken, storage);
}

static PT_APART int unmap_range(struct pt_thread *self, struct pt_table *t, pt_va_t va,
				pt_va_t last, struct pt_gather *gather, uint64_t *ret_pages)
{
	struct pt_gather own;
	struct removal r = {.g = (struct gather *)(gather ? gather : &own)};
	struct cursor c;
	int rc = check_gather(r.g, gather, self, t);

	if (!rc)
		rc = range_open(&c, self, t, va, last, PT_CHANGE, largest_block(va, last));
	if (rc)
		return rc;
	if (!gather)
		gather_init(r.g, self, t, NULL, NULL);
	rc = removal_reserve(&c, va, last, &r);
	if (!rc)
		rc = end_call(&c, va, visit_remove(&c, c.node, c.level, va, last, &r));
	range_close(&c);
	if (rc < 0 && !MAY_LOSE)
		return rc;
	if (!gather && !gather_is_empty(r.g))
		op_gather_sync(&own);
	if (MAY_LOSE && rc < 0)
		return rc;
	if (ret_pages)
		*ret_pages = r.pages;
	return 0;
}

static PT_APART int flush_page(struct pt_table *t, pt_va_t va)
{
	t->flush(t->flush_ctx, va, level_size(1), false);
	return 0;
}

static PT_APART int wake_and_flush(struct pt_thread *self, struct pt_table *t, pt_va_t va,
				   bool stale)
{
	page_wake(self, 0);
	return stale ? flush_page(t, va) : 0;
}

/*
 * Empty the page that @c holds, in a table of untracked items, and let it go. If the slot changes
 * meanwhile, unmap_range() does it.
 */
static PT_INLINE int unmap_page(struct cursor *c, uint64_t *ret_pages)
{
	struct removal r = {0};
	int next = visit_page(c, remove_slot, &r);

	page_close(c);
	if (unlikely(next == VISIT_AGAIN))
		return unmap_range(c->self, c->table, c->first, c->first | PAGE_MASK, NULL,
				   ret_pages);
	if (ret_pages)
		*ret_pages = r.pages;
	if (unlikely(c->must_wake))
		return wake_and_flush(c->self, c->table, c->first, r.stale);
	return unlikely(r.stale) ? flush_page(c->table, c->first) : 0;
}

static PT_APART int unmap_any(struct pt_thread *self, struct pt_table *t, pt_va_t va, uint64_t len,
			      struct pt_gather *gather, uint64_t *ret_pages)
{
	struct cursor c;
	pt_va_t last;
	int rc = check_range(t, va, len, &last);

	begin_call(self);
	if (rc)
		return rc;
	if (!gather && !t->item_ops && page_open_long(&c, self, t, va, last))
		return unmap_page(&c, ret_pages);
	return unmap_range(self, t, va, last, gather, ret_pages);
}

static int op_unmap(struct pt_thread *self, struct pt_table *t, pt_va_t va, uint64_t len,
		    struct pt_gather *gather, uint64_t *ret_pages)
{
	struct cursor c;

	if (!way_is_short(self, t->short_unmap_id, t, va, len) || gather)
		return unmap_any(self, t, va, len, gather, ret_pages);
	if (unlikely(!page_open_short(&c, self, t, va)))
		return unmap_any(self, t, va, level_size(1), NULL, ret_pages);
	return unmap_page(&c, ret_pages);
}

static int op_cursor_take_next(struct pt_cursor *storage, uint64_t len, struct pt_gather *gather,
			       struct pt_taken *ret)
{
	struct cursor *c = (struct cursor *)storage;
	struct pt_taken taken;
	struct removal r = {.g = (struct gather *)gather, .taken = &taken};
	pt_va_t last;
	int rc;

	begin_call(c->self);
	if (c->mode == PT_READ_ONLY || !gather || check_gather(r.g, gather, c->self, c->table))
		return -EINVAL;
	rc = check_reach(c, len, &last);
	if (!rc)
		rc = removal_reserve(c, c->va, last, &r);
	if (rc)
		return rc;
	rc = end_call(c, c->va, visit_remove(c, c->node, c->level, c->va, last, &r));
	if (MAY_LOSE && rc < 0)
		return rc;
	if (rc != VISIT_STOP) {
		c->va = last + 1;
		return -ENOENT;
	}
	c->va = taken.va + taken.len;
	*ret = taken;
	return 0;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Filling a range: map and mark. Both put values into slots that hold no mapping, in the largest
 * slots that fit, and both first look at the whole range: an error must leave nothing behind (C2).
 */
#ifndef PT_OPS_FILL_H
#define PT_OPS_FILL_H

#include "ops_query.h"

struct fill {
	pt_va_t va; /* of the first byte; `pa` belongs to it */
	pt_pa_t pa;
	pt_prop_t prop;
	unsigned max_level;
	bool is_mark;
	bool one_item;   /* the range is one leaf: mappings below it are in the way */
	bool keep_marks; /* marks are, too: only for fill_displace() */
	pte_t page;      /* what goes into a slot of level 1: the mark, or the leaf at `va` */
	uint64_t stride; /* by which it grows from page to page; 0: a mark */
	uint64_t nodes;  /* tables that must be created */
};

/* Can the value stand in a slot of @level that the range covers? The same for all of them. */
static inline bool fill_fits(const struct fill *f, unsigned level)
{
	if (level > f->max_level)
		return false;
	if (f->is_mark || level == 1)
		return true;
	return (FMT_LEAF_LEVELS >> level & 1) && !((f->pa - f->va) & (level_size(level) - 1));
}

/* Tables below and including one of @level whose whole span is filled. */
static uint64_t fill_whole_tables(const struct fill *f, unsigned level)
{
	if (level == 1 || fill_fits(f, level))
		return 1;
	return 1 + FAN_OUT * fill_whole_tables(f, level - 1);
}

/* The same for one of which only first..last, which may be all of it, is filled. */
static uint64_t fill_tables(const struct fill *f, unsigned level, pt_va_t first, pt_va_t last)
{
	const pt_va_t mask = level_size(level) - 1;
	uint64_t slots = ((last - (first & ~mask)) >> level_shift(level)) + 1;
	uint64_t tables = 1;

	if (level == 1)
		return 1;
	if (first & mask) {
		pt_va_t end = (first | mask) < last ? first | mask : last;

		tables += fill_tables(f, level - 1, first, end);
		slots--;
	}
	if (slots && (last & mask) != mask) {
		tables += fill_tables(f, level - 1, last & ~mask, last);
		slots--;
	}
	return fill_fits(f, level) ? tables : tables + slots * fill_whole_tables(f, level - 1);
}

/*
 * Does the value replace the table behind this slot? Only one without mappings, of which at most
 * marks are lost; all below is counted, not looked at.
 */
static inline bool fill_displaces(const struct cursor *c, const struct slot *s, bool fits)
{
	struct node *child = child_of(c->table, s->pte);

	return fits && may_detach(c, s) && !count_pages(c->table, child, s->level - 1);
}

/* A tracked item is one reference for one leaf; below there would be many. */
static inline bool fill_needs_whole(const struct fill *f)
{
	return f->one_item || (f->prop & PT_TRACKED);
}

/* The look before: is the range free of mappings, and how many tables does it lack? */
static VISITOR int fill_check_slot(struct cursor *c, struct slot *s, void *arg)
{
	struct fill *f = arg;
	bool fits = s->whole && fill_fits(f, s->level);

	if (s->level == 1)
		return s->pte && fmt_kind(s->pte, 1) == PT_KIND_LEAF ? -EEXIST : VISIT_NEXT;
	switch (fmt_kind(s->pte, s->level)) {
	case PT_KIND_LEAF:
		return -EEXIST;
	case PT_KIND_TABLE:
		if (fill_displaces(c, s, fits))
			return VISIT_NEXT;
		if (fits && fill_needs_whole(f))
			return -EEXIST;
		return VISIT_DOWN;
	default:
		if (!fits)
			f->nodes += fill_tables(f, s->level - 1, s->first, s->last);
		return VISIT_NEXT;
	}
}

/* With slot isolation: does the claimed @child still hold nothing that is to stay? */
static inline bool fill_may_displace(const struct cursor *c, struct node *child, unsigned level,
				     const struct fill *f)
{
	return f->keep_marks ? subtree_is_empty(c->table, child, level)
			     : !count_pages(c->table, child, level);
}

/* Put the value in the place of a table without mappings, which is retired when the call ends. */
static inline int fill_displace(struct cursor *c, struct slot *s, const struct fill *f, pte_t pte)
{
	struct node *child = child_of(c->table, s->pte);

	if (!strategy_claim_subtree(c, s))
		return VISIT_AGAIN;
	if (MAY_LOSE && !fill_may_displace(c, child, s->level - 1, f)) {
		strategy_release_subtree(c, s);
		return f->keep_marks ? -EEXIST : VISIT_AGAIN;
	}
	strategy_detach_subtree(c, s, pte);
	s->marks += f->is_mark;
	stat_add(c->stats, STAT_DETACHES, 1);
	child->va = s->first;
	child->next = c->displaced;
	c->displaced = child;
	return VISIT_NEXT;
}

/* In leaf tables, where nearly all slots are: no decision but what is there now. */
static VISITOR int fill_page(struct cursor *c, struct slot *s, const struct fill *f)
{
	pte_t pte = f->page + f->stride * ((s->first - f->va) >> FMT_PAGE_SHIFT);
	bool replaces = s->pte;

	if (unlikely(replaces) && fmt_kind(s->pte, 1) == PT_KIND_LEAF)
		return -EEXIST;
	if (!strategy_slot_change(c, s, pte))
		return VISIT_AGAIN;
	if (unlikely(replaces)) {
		s->marks -= !f->is_mark;
		return VISIT_NEXT;
	}
	s->live++;
	s->marks += f->is_mark;
	return VISIT_NEXT;
}

/* The same for any level. */
static inline int fill_any(struct cursor *c, struct slot *s, const struct fill *f)
{
	enum pt_kind kind = fmt_kind(s->pte, s->level);
	bool fits = s->whole && fill_fits(f, s->level);
	pte_t pte;

	if (kind == PT_KIND_LEAF)
		return -EEXIST; /* only without range isolation */
	if (kind == PT_KIND_TABLE && !fill_displaces(c, s, fits))
		return MAY_LOSE && fits && fill_needs_whole(f) ? -EEXIST : VISIT_DOWN;
	if (!fits)
		return split_slot(c, s);
	pte = f->is_mark ? f->page : fmt_leaf(f->pa + (s->first - f->va), f->prop, s->level);
	if (kind == PT_KIND_TABLE)
		return fill_displace(c, s, f, pte);
	if (!strategy_slot_change(c, s, pte))
		return VISIT_AGAIN;
	s->live += kind == PT_KIND_EMPTY;
	s->marks += f->is_mark - (kind == PT_KIND_MARK);
	return VISIT_NEXT;
}

static VISITOR int fill_slot(struct cursor *c, struct slot *s, void *arg)
{
	return s->level == 1 ? fill_page(c, s, arg) : fill_any(c, s, arg);
}

DEFINE_VISIT(visit_fill_check, fill_check_slot)
DEFINE_VISIT(visit_fill, fill_slot)

/* Fill first..last, which begins at f->va, of the empty leaf table that covers an open range. */
static inline void fill_empty_table(struct cursor *c, pt_va_t first, pt_va_t last,
				    const struct fill *f)
{
	slot_t *slots = &node_slots(c->table, c->node)[slot_index(first, 1)];
	const unsigned count = (unsigned)((last - first) >> FMT_PAGE_SHIFT) + 1;
	const uint64_t stride = f->stride;
	pte_t pte = f->page;

	_Pragma("GCC unroll 4") for (unsigned i = 0; i < count; i++, pte += stride)
		slot_publish(&slots[i], pte);
	strategy_live_add(c, c->node, (int)count, f->is_mark ? (int)count : 0);
}

/* Fill first..last, within an open range. */
static inline int fill_range(struct cursor *c, pt_va_t first, pt_va_t last, struct fill *f)
{
	int rc;

	if (STRATEGY_COUNTS_EXACT && c->level == 1 && !c->node->live) {
		fill_empty_table(c, first, last, f);
		return 0;
	}
	rc = visit_fill_check(c, c->node, c->level, first, last, f);
	if (rc)
		return rc;
	if (f->nodes) {
		rc = node_reserve(c->self, f->nodes);
		if (rc)
			return rc;
	}
	rc = visit_fill(c, c->node, c->level, first, last, f);
	return end_call(c, first, rc);
}

/* Can [pa, pa + len) be mapped with @prop at all? */
static inline int check_item(const struct pt_table *t, pt_pa_t pa, uint64_t len, pt_prop_t prop)
{
	const uint64_t pa_end = UINT64_C(1) << FMT_PA_BITS;

	if ((pa & PAGE_MASK) || pa >= pa_end || len > pa_end - pa || !fmt_prop_valid(prop, 1))
		return -EINVAL;
	if ((prop & PT_TRACKED) && !t->item_ops)
		return -EINVAL;
	return 0;
}

static PT_APART int map_range(struct pt_thread *self, struct pt_table *t, pt_va_t va, pt_va_t last,
			      pt_pa_t pa, pt_prop_t prop, unsigned max_level)
{
	struct fill f = {.va = va, .pa = pa, .prop = prop, .max_level = max_level};
	unsigned top = largest_block(va, last);
	struct cursor c;
	int rc;

	f.page = fmt_leaf(pa, prop, 1);
	f.stride = fmt_leaf_stride(f.page, level_size(1));
	rc = range_open(&c, self, t, va, last, PT_BUILD, top < max_level ? top : max_level);
	if (rc)
		return rc;
	rc = fill_range(&c, va, last, &f);
	range_close(&c);
	return rc;
}

/*
 * Map the page that @c holds, by the leaf @page, and let it go.
 * Return: 0; -EEXIST; VISIT_AGAIN: the slot has changed, nothing is held.
 */
static PT_INLINE int map_page(struct cursor *c, pte_t page)
{
	struct fill f = {.va = c->first, .page = page};
	int rc = visit_page(c, fill_slot, &f);

	page_close(c);
	return rc;
}

static PT_APART int map_any(struct pt_thread *self, struct pt_table *t, pt_va_t va, uint64_t len,
			    pt_pa_t pa, pt_prop_t prop, unsigned max_level)
{
	struct cursor c;
	pt_va_t last;
	int rc = check_range(t, va, len, &last);

	begin_call(self);
	if (!rc)
		rc = check_item(t, pa, len, prop);
	if (!rc && (max_level < 1 || max_level > FMT_LEVELS))
		rc = -EINVAL;
	if (rc)
		return rc;
	if (page_open_long(&c, self, t, va, last)) {
		if (self->short_way) {
			self->page_prop = prop;
			self->page_leaf = fmt_leaf(0, prop, 1);
		}
		rc = map_page(&c, fmt_leaf(pa, prop, 1));
		if (c.must_wake)
			page_wake(self, rc);
		if (rc != VISIT_AGAIN)
			return rc;
	}
	return map_range(self, t, va, last, pa, prop, max_level);
}

/* Where the short way ends, what is known by then is repeated, so that it need not be kept. */
static int op_map(struct pt_thread *self, struct pt_table *t, pt_va_t va, uint64_t len, pt_pa_t pa,
		  pt_prop_t prop, unsigned max_level)
{
	struct cursor c;
	int rc;

	if (!way_is_short(self, t->short_id, t, va, len) || prop != self->page_prop ||
	    (pa & ~PAGE_PAS) || max_level - 1 >= FMT_LEVELS)
		return map_any(self, t, va, len, pa, prop, max_level);
	if (unlikely(!page_open_short(&c, self, t, va)))
		return map_any(self, t, va, level_size(1), pa, (pt_prop_t)self->page_prop,
			       max_level);
	rc = map_page(&c, fmt_leaf_move(self->page_leaf, pa));
	if (MAY_LOSE && unlikely(rc)) /* otherwise no mapping was there, or there is one */
		return map_any(self, t, va, level_size(1), pa, (pt_prop_t)self->page_prop,
			       max_level);
	return unlikely(c.must_wake) ? page_wake(self, rc) : rc;
}

static int op_mark(struct pt_thread *self, struct pt_table *t, pt_va_t va, uint64_t len,
		   uint64_t mark)
{
	struct fill f = {.va = va, .is_mark = true};
	struct cursor c;
	pt_va_t last;
	int rc = check_range(t, va, len, &last);

	begin_call(self);
	if (rc)
		return rc;
	if (mark >> FMT_MARK_BITS)
		return -EINVAL;
	f.page = fmt_mark(mark);
	f.max_level = largest_block(va, last);
	rc = range_open(&c, self, t, va, last, PT_BUILD, f.max_level);
	if (rc)
		return rc;
	rc = fill_range(&c, va, last, &f);
	range_close(&c);
	return rc;
}

static int op_cursor_map(struct pt_cursor *storage, const struct pt_item *item)
{
	struct cursor *c = (struct cursor *)storage;
	struct fill f = {.va = c->va, .pa = item->pa, .prop = item->prop};
	pt_va_t last;
	uint64_t size;
	int rc;

	begin_call(c->self);
	if (c->mode != PT_BUILD || item->level < 1 || item->level > FMT_LEVELS ||
	    !(FMT_LEAF_LEVELS >> item->level & 1))
		return -EINVAL;
	size = level_size(item->level);
	rc = check_item(c->table, item->pa, size, item->prop);
	if (rc)
		return rc;
	if ((c->va | item->pa) & (size - 1))
		return -EINVAL;
	if (item->level > c->top)
		return -ERANGE;
	rc = check_reach(c, size, &last);
	if (rc)
		return rc;
	f.page = fmt_leaf(item->pa, item->prop, 1);
	f.stride = fmt_leaf_stride(f.page, level_size(1));
	f.max_level = item->level;
	f.one_item = true;
	rc = fill_range(c, c->va, last, &f);
	if (!rc)
		c->va = last + 1;
	return rc;
}

static int op_cursor_mark(struct pt_cursor *storage, uint64_t len, uint64_t mark)
{
	struct cursor *c = (struct cursor *)storage;
	struct fill f = {.va = c->va, .is_mark = true, .max_level = c->top};
	pt_va_t last;
	int rc;

	begin_call(c->self);
	if (c->mode != PT_BUILD || mark >> FMT_MARK_BITS)
		return -EINVAL;
	rc = check_reach(c, len, &last);
	if (rc)
		return rc;
	f.page = fmt_mark(mark);
	rc = fill_range(c, c->va, last, &f);
	if (!rc)
		c->va = last + 1;
	return rc;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * New properties for what is mapped: protect, and the cursor's protect next. A leaf changes by
 * compare-exchange from the value whose properties were looked at, so accessed and dirty bits that
 * the hardware sets in between are seen, not overwritten (T2).
 */
#ifndef PT_OPS_PROTECT_H
#define PT_OPS_PROTECT_H

#include "ops_remove.h"

struct protection {
	struct gather *g; /* NULL: nothing must be remembered, but `stale` */
	bool stale;       /* translations of the page that was changed may be cached */
	pt_prop_t set, clear;
	uint64_t pages;   /* base pages mapped in the range */
	pt_protect_fn fn; /* instead of set and clear: and stop after one */
	void *ctx;
	pt_va_t va; /* what was changed */
	uint64_t len;
};

/* What @fn makes of the properties of the leaf @item at @va. Return: 0, or -EINVAL if it must not. */
static VISITOR int ask_prop(const struct protection *p, pt_va_t va, const struct pt_item *item,
			    pt_prop_t *ret_prop)
{
	*ret_prop = p->fn(p->ctx, va, item);
	return ((*ret_prop ^ item->prop) & PT_TRACKED) || !fmt_prop_valid(*ret_prop, item->level)
		       ? -EINVAL
		       : 0;
}

static PT_INLINE bool change_is_bits(pt_prop_t set, pt_prop_t clear)
{
	return !((set | clear) & ~FMT_BIT_PROPS);
}

/* The leaf @pte with properties (old & ~clear) | set, which check_change() permits. */
static VISITOR pte_t leaf_change(pte_t pte, pt_prop_t set, pt_prop_t clear, unsigned level)
{
	if (change_is_bits(set, clear))
		return fmt_leaf_set_bits(pte, set, clear);
	return fmt_leaf(fmt_leaf_pa(pte, level), (fmt_leaf_prop(pte, level) & ~clear) | set, level);
}

/* What the leaf in @s becomes. Set and clear have been checked at the start of the call. */
static VISITOR int changed_leaf(const struct slot *s, const struct protection *p, pte_t *ret_pte)
{
	struct pt_item item;
	pt_prop_t prop;
	int rc;

	if (!p->fn) {
		*ret_pte = leaf_change(s->pte, p->set, p->clear, s->level);
		return 0;
	}
	item.pa = fmt_leaf_pa(s->pte, s->level);
	item.prop = fmt_leaf_prop(s->pte, s->level);
	item.level = s->level;
	rc = ask_prop(p, s->first, &item, &prop);
	if (!rc)
		*ret_pte = fmt_leaf(item.pa, prop, s->level);
	return rc;
}

static VISITOR int protect_leaf(struct cursor *c, struct slot *s, struct protection *p)
{
	pte_t pte;
	int rc = changed_leaf(s, p, &pte);

	if (rc)
		return rc;
	if (pte != s->pte) {
		if (!strategy_slot_change(c, s, pte))
			return VISIT_AGAIN;
		if (p->g) {
			if (fmt_needs_flush(s->pte, pte))
				pt_gather_flush_later(p->g, s->first, s->last);
		} else if (unlikely(c->table->flush)) {
			p->stale = fmt_needs_flush(s->pte, pte);
		}
	}
	p->pages += base_pages(s->level);
	p->va = s->first;
	p->len = level_size(s->level);
	return p->fn ? VISIT_STOP : VISIT_NEXT;
}

/* Split a leaf that sticks out, unless its first part inside the range will be refused anyway. */
static inline int protect_split(struct cursor *c, struct slot *s, const struct protection *p)
{
	struct pt_item part = {
		.pa = fmt_leaf_pa(s->pte, s->level) + (s->first - slot_first_va(s)),
		.prop = fmt_leaf_prop(s->pte, s->level),
		.level = s->level - 1,
	};
	pt_prop_t prop;
	int rc;

	while ((s->first & (level_size(part.level) - 1)) ||
	       s->last - s->first < level_size(part.level) - 1)
		part.level--;
	rc = p->fn ? ask_prop(p, s->first, &part, &prop) : 0;
	return rc ? rc : split_slot(c, s);
}

static VISITOR int protect_slot(struct cursor *c, struct slot *s, void *arg)
{
	enum pt_kind kind = fmt_kind(s->pte, s->level);

	if (likely(kind == PT_KIND_LEAF))
		return s->whole ? protect_leaf(c, s, arg) : protect_split(c, s, arg);
	return kind == PT_KIND_TABLE ? VISIT_DOWN : VISIT_NEXT;
}

DEFINE_VISIT(visit_protect, protect_slot)

/*
 * Can the change be made to any leaf? A cache policy is replaced as a whole or left alone; other
 * bits are independent of one another.
 */
static inline int check_change(pt_prop_t set, pt_prop_t clear)
{
	bool new_cache = (set | clear) & PT_CACHE_MASK;

	if (((set | clear) & PT_TRACKED) || !fmt_prop_valid(set, 1))
		return -EINVAL;
	if (new_cache && (clear & PT_CACHE_MASK) != PT_CACHE_MASK)
		return -EINVAL;
	return 0;
}

static PT_APART int protect_range(struct pt_thread *self, struct pt_table *t, pt_va_t va,
				  pt_va_t last, pt_prop_t set, pt_prop_t clear,
				  struct pt_gather *gather, uint64_t *ret_pages)
{
	struct pt_gather own;
	struct protection p = {
		.g = (struct gather *)(gather ? gather : &own),
		.set = set,
		.clear = clear,
	};
	struct cursor c;
	int rc = check_gather((struct gather *)gather, gather, self, t);

	if (!rc)
		rc = range_open(&c, self, t, va, last, PT_CHANGE, largest_block(va, last));
	if (rc)
		return rc;
	if (!gather)
		gather_init(p.g, self, t, NULL, NULL);
	rc = reserve_splits(&c, va, last, false, 0);
	if (!rc)
		rc = end_call(&c, va, visit_protect(&c, c.node, c.level, va, last, &p));
	range_close(&c);
	if (rc < 0 && !MAY_LOSE)
		return rc;
	if (!gather && !gather_is_empty(p.g))
		op_gather_sync(&own);
	if (MAY_LOSE && rc < 0)
		return rc;
	if (ret_pages)
		*ret_pages = p.pages;
	return 0;
}

/* Protect the page that @c holds, and let it go. Otherwise as unmap_page(). */
static PT_INLINE int protect_page(struct cursor *c, pt_prop_t set, pt_prop_t clear,
				  uint64_t *ret_pages)
{
	struct protection p = {.set = set, .clear = clear};
	int next = visit_page(c, protect_slot, &p);

	page_close(c);
	if (unlikely(next == VISIT_AGAIN))
		return protect_range(c->self, c->table, c->first, c->first | PAGE_MASK, set, clear,
				     NULL, ret_pages);
	if (ret_pages)
		*ret_pages = p.pages;
	if (unlikely(c->must_wake))
		return wake_and_flush(c->self, c->table, c->first, p.stale);
	return unlikely(p.stale) ? flush_page(c->table, c->first) : 0;
}

static PT_APART int protect_any(struct pt_thread *self, struct pt_table *t, pt_va_t va,
				uint64_t len, pt_prop_t set, pt_prop_t clear,
				struct pt_gather *gather, uint64_t *ret_pages)
{
	struct cursor c;
	pt_va_t last;
	int rc = check_range(t, va, len, &last);

	begin_call(self);
	if (!rc)
		rc = check_change(set, clear);
	if (rc)
		return rc;
	if (!gather && page_open_long(&c, self, t, va, last))
		return protect_page(&c, set, clear, ret_pages);
	return protect_range(self, t, va, last, set, clear, gather, ret_pages);
}

static int op_protect(struct pt_thread *self, struct pt_table *t, pt_va_t va, uint64_t len,
		      pt_prop_t set, pt_prop_t clear, struct pt_gather *gather, uint64_t *ret_pages)
{
	struct cursor c;

	if (!way_is_short(self, t->short_id, t, va, len) || gather || !change_is_bits(set, clear))
		return protect_any(self, t, va, len, set, clear, gather, ret_pages);
	if (unlikely(!page_open_short(&c, self, t, va)))
		return protect_any(self, t, va, level_size(1), set, clear, NULL, ret_pages);
	return protect_page(&c, set, clear, ret_pages);
}

static int op_cursor_protect_next(struct pt_cursor *storage, uint64_t len, pt_protect_fn fn,
				  void *ctx, struct pt_gather *gather, pt_va_t *ret_va,
				  uint64_t *ret_len)
{
	struct cursor *c = (struct cursor *)storage;
	struct protection p = {.g = (struct gather *)gather, .fn = fn, .ctx = ctx};
	pt_va_t last;
	int rc;

	begin_call(c->self);
	if (c->mode == PT_READ_ONLY || !gather || !fn ||
	    check_gather(p.g, gather, c->self, c->table))
		return -EINVAL;
	rc = check_reach(c, len, &last);
	if (!rc)
		rc = reserve_splits(c, c->va, last, true, 0);
	if (rc)
		return rc;
	rc = end_call(c, c->va, visit_protect(c, c->node, c->level, c->va, last, &p));
	if (rc < 0)
		return rc;
	if (rc != VISIT_STOP) {
		c->va = last + 1;
		return -ENOENT;
	}
	c->va = p.va + p.len;
	*ret_va = p.va;
	*ret_len = p.len;
	return 0;
}

#endif

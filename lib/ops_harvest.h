/* SPDX-License-Identifier: MIT */
/*
 * The accessed and dirty harvest. Bits are cleared by compare-exchange from the value that is
 * reported: one that the hardware sets in between makes it fail, and the leaf is looked at again (T2).
 *
 * A huge leaf may stick out of the range, and be harvested by two threads at a time if the strategy
 * locks less than its node; then, too, each bit is reported by exactly one of them, since
 * strategy_slot_change() must not overwrite what it has not seen.
 */
#ifndef PT_OPS_HARVEST_H
#define PT_OPS_HARVEST_H

#include "ops_gather.h"

#define USED_BITS (PT_ACCESSED | PT_DIRTY)

struct harvest {
	struct gather *g;
	pt_prop_t clear;
	pt_harvest_fn fn;
	void *ctx;
	uint64_t leaves; /* reported */
};

static inline int harvest_leaf(struct cursor *c, struct slot *s, struct harvest *h)
{
	pte_t old = s->pte;
	struct pt_item item = {
		.pa = fmt_leaf_pa(old, s->level),
		.prop = fmt_leaf_prop(old, s->level),
		.level = s->level,
	};
	pt_va_t va = slot_first_va(s);
	pte_t pte;

	if (!(item.prop & USED_BITS))
		return VISIT_NEXT;
	if (item.prop & h->clear) {
		pte = fmt_leaf(item.pa, item.prop & ~h->clear, s->level);
		if (!strategy_slot_change(c, s, pte))
			return VISIT_AGAIN;
		if (fmt_needs_flush(old, pte))
			pt_gather_flush_later(h->g, va, va + (level_size(s->level) - 1));
	}
	if (h->fn)
		h->fn(h->ctx, va, &item);
	h->leaves++;
	return VISIT_NEXT;
}

static VISITOR int harvest_slot(struct cursor *c, struct slot *s, void *arg)
{
	const struct node *child;

	switch (fmt_kind(s->pte, s->level)) {
	case PT_KIND_TABLE:
		child = child_of(c->table, s->pte);
		return STRATEGY_COUNTS_EXACT && child->live == child->marks ? VISIT_NEXT
									    : VISIT_DOWN;
	case PT_KIND_LEAF:
		return harvest_leaf(c, s, arg);
	default:
		return VISIT_NEXT;
	}
}

DEFINE_VISIT(visit_harvest, harvest_slot)

static int op_harvest(struct pt_thread *self, struct pt_table *t, pt_va_t va, uint64_t len,
		      pt_prop_t clear, pt_harvest_fn fn, void *ctx, struct pt_gather *gather,
		      uint64_t *ret_leaves)
{
	struct pt_gather own;
	struct harvest h = {
		.g = (struct gather *)(gather ? gather : &own),
		.clear = clear,
		.fn = fn,
		.ctx = ctx,
	};
	struct cursor c;
	pt_va_t last;
	int rc = check_range(t, va, len, &last);

	if (!rc && (clear & ~USED_BITS))
		rc = -EINVAL;
	if (!rc)
		rc = check_gather(h.g, gather, self, t);
	if (!rc)
		rc = range_open(&c, self, t, va, last, clear ? PT_CHANGE : PT_READ_ONLY, 1);
	if (rc)
		return rc;
	if (!gather)
		pt_gather_init(&own, self, t, NULL, NULL);
	visit_harvest(&c, c.node, c.level, va, last, &h);
	range_close(&c);
	if (!gather && !gather_is_empty(h.g))
		op_gather_sync(&own);
	if (ret_leaves)
		*ret_leaves = h.leaves;
	return 0;
}

#endif

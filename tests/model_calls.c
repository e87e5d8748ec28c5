/* SPDX-License-Identifier: MIT */
/* The one-shot calls of the model test, and which of all calls comes next. */
#include "model.h"

/* ---- one-shot calls ---- */

/* May a leaf or a mark reach over an edge of the range? */
static bool sticks_out(struct world *w, pt_va_t va, pt_va_t last)
{
	const struct extent *left = flat_at(&w->map, va), *right = flat_at(&w->map, last);

	return (left && left->first < va) || (right && right->last > last);
}

/* Leaves that mapping the range takes, up to a bound: more would take their time. */
static bool too_many_leaves(struct world *w, pt_va_t first, pt_va_t last, pt_pa_t pa,
			    unsigned max_level)
{
	uint64_t pages = ((last - first) >> w->fx->format->page_shift) + 1;
	unsigned n;

	for (n = 0; pages && n < 3000; n++) {
		unsigned level = flat_largest(&w->map, first, pa, pages, max_level);
		uint64_t size = pt_page_size(w->fx->format, level);

		first += size;
		pa += size;
		pages -= size >> w->fx->format->page_shift;
	}
	return pages != 0;
}

void model_map(struct world *w, pt_va_t va, pt_va_t last, pt_pa_t pa, pt_prop_t prop,
	       unsigned max_level)
{
	uint64_t errors = flat_any_leaf(&w->map, va, last) ? ERROR_BIT(EEXIST) : 0;
	int rc;

	if (prop & PT_TRACKED)
		give_items(w, va, last, pa, max_level);
	rc = pt_map(w->fx->self, w->fx->table, va, last - va + 1, pa, prop, max_level);
	if (!succeeded(w, rc, errors)) {
		if (prop & PT_TRACKED)
			take_back_items(w, va, last, pa, max_level);
		return;
	}
	w->changes++;
	flat_clear(&w->map, va, last);
	flat_map(&w->map, va, last, pa, prop, max_level);
}

static void call_map(struct world *w)
{
	unsigned levels = w->fx->format->levels;
	unsigned max_level = one_in(w, 4) ? 1 + (unsigned)random_below(w, levels) : levels;
	pt_prop_t prop = random_prop(w);
	pt_va_t va, last;
	pt_pa_t pa;

	random_range(w, &va, &last);
	pa = random_frame(w, va);
	prop = trackable(w, prop, va, last);
	if (!too_many_leaves(w, va, last, pa, max_level))
		model_map(w, va, last, pa, prop, max_level);
}

void model_unmap(struct world *w, pt_va_t va, pt_va_t last, bool gather)
{
	uint64_t pages = 0;
	int rc;

	w->fx->flushes.n = gather ? w->fx->flushes.n : 0;
	rc = pt_unmap(w->fx->self, w->fx->table, va, last - va + 1, gather ? &w->gather : NULL,
		      &pages);
	/* Nodes are for splits, and to remember leaves in. */
	if (rc == -ENOMEM)
		assert_true(flat_any_leaf(&w->map, va, last) || sticks_out(w, va, last));
	if (!succeeded(w, rc, 0))
		return;
	w->changes += pages != 0;
	assert_int_equal(pages, flat_pages(&w->map, va, last));
	flat_cut_range(&w->map, va, last);
	note_removed(w, va, last);
	flat_clear(&w->map, va, last);
	if (gather)
		return;
	expect_removed_flushed(w);
	w->expected.n = 0;
}

static void call_unmap(struct world *w)
{
	pt_va_t va, last;
	bool gather;

	random_range(w, &va, &last);
	gather = one_in(w, 2);
	if (gather)
		open_gather(w);
	else if (w->gather_open)
		sync_gather(w);
	model_unmap(w, va, last, gather);
}

void model_protect(struct world *w, pt_va_t va, pt_va_t last, pt_prop_t set, pt_prop_t clear)
{
	uint64_t pages = 0;
	int rc = pt_protect(w->fx->self, w->fx->table, va, last - va + 1, set, clear,
			    w->gather_open ? &w->gather : NULL, &pages);

	if (rc == -ENOMEM)
		assert_true(sticks_out(w, va, last));
	if (!succeeded(w, rc, 0))
		return;
	w->changes += pages != 0;
	assert_int_equal(pages, flat_pages(&w->map, va, last));
	flat_protect(&w->map, va, last, set, clear);
}

static void call_protect(struct world *w)
{
	pt_prop_t set = random_prop(w) & ~PT_TRACKED;
	pt_prop_t clear = random_prop(w) & ~(PT_TRACKED | PT_CACHE_MASK);
	pt_va_t va, last;

	if ((set & PT_CACHE_MASK) || one_in(w, 8))
		clear |= PT_CACHE_MASK;
	random_range(w, &va, &last);
	model_protect(w, va, last, set, clear);
}

void model_mark(struct world *w, pt_va_t va, pt_va_t last, uint64_t mark)
{
	uint64_t errors = flat_any_leaf(&w->map, va, last) ? ERROR_BIT(EEXIST) : 0;

	if (!succeeded(w, pt_mark(w->fx->self, w->fx->table, va, last - va + 1, mark), errors))
		return;
	w->changes++;
	flat_mark(&w->map, va, last, mark);
}

static void call_mark(struct world *w)
{
	uint64_t mark = random_mark(w);
	pt_va_t va, last;

	random_range(w, &va, &last);
	model_mark(w, va, last, mark);
}

/* ---- upkeep: nothing that is mapped changes ---- */

void model_prune(struct world *w, pt_va_t va, pt_va_t last, bool gather, bool counted)
{
	struct pt_check_report before;
	uint64_t nodes = 0;

	if (counted)
		before = check(w->fx);
	succeeded_anyway(w,
			 pt_prune(w->fx->self, w->fx->table, va, last - va + 1,
				  gather ? &w->gather : NULL, &nodes),
			 0);
	if (counted)
		assert_int_equal(before.nodes - nodes, check(w->fx).nodes);
}

static void call_prune(struct world *w)
{
	bool gather = w->gather_open && one_in(w, 2), counted = one_in(w, 4);
	pt_va_t va, last;

	random_range(w, &va, &last);
	model_prune(w, va, last, gather, counted);
}

/* Random calls seldom leave a table full of leaves that belong together. */
static void map_small_leaves(struct world *w, pt_va_t va, pt_va_t last)
{
	pt_prop_t prop = trackable(w, random_prop(w), va, last);
	pt_pa_t pa = random_frame(w, va);

	if (!flat_any_leaf(&w->map, va, last) && !too_many_leaves(w, va, last, pa, 1))
		model_map(w, va, last, pa, prop, 1);
}

void model_merge(struct world *w, pt_va_t va, pt_va_t last, unsigned max_level)
{
	uint64_t merged = 0;

	succeeded_anyway(
		w, pt_merge(w->fx->self, w->fx->table, va, last - va + 1, max_level, &merged), 0);
	assert_int_equal(merged, flat_merge(&w->map, va, last, max_level));
	w->merged += merged;
}

static void call_merge(struct world *w)
{
	unsigned max_level = 1 + (unsigned)random_below(w, w->fx->format->levels);
	pt_va_t va, last;

	random_range(w, &va, &last);
	if (one_in(w, 4) && (last | (w->fx->huge - 1)) <= w->fx->last) {
		va &= ~(w->fx->huge - 1);
		last |= w->fx->huge - 1;
		map_small_leaves(w, va, last);
	}
	model_merge(w, va, last, max_level);
}

static void on_used(void *ctx, pt_va_t va, const struct pt_item *item)
{
	struct world *w = ctx;
	struct leaf leaf = model_leaf(w, va);

	/* each leaf once, in order, as it is before its bits are cleared */
	assert_true(va >= w->harvested_to || !w->harvested);
	assert_int_equal(leaf.va, va);
	expect_item(&leaf.item, item);
	assert_true(item->prop & (PT_ACCESSED | PT_DIRTY));
	flat_protect_leaf(&w->map, va, 0, w->clear);
	w->harvested_to = va + 1;
	w->harvested++;
}

/* Leaves that overlap the range and have one of @bits. */
static uint64_t used_leaves(struct world *w, pt_va_t first, pt_va_t last, pt_prop_t bits)
{
	uint64_t n = 0;

	while (flat_next(&w->map, first, last, &first)) {
		const struct extent *e = flat_at(&w->map, first);
		pt_va_t end = e->last < last ? e->last : last;
		uint64_t size = pt_page_size(w->fx->format, e->level);

		if (e->prop & bits)
			n += end / size - first / size + 1;
		if (end == last)
			break;
		first = end + 1;
	}
	return n;
}

void model_harvest(struct world *w, pt_va_t va, pt_va_t last, pt_prop_t clear, bool gather)
{
	uint64_t leaves = 0, want = used_leaves(w, va, last, PT_ACCESSED | PT_DIRTY);

	w->clear = clear;
	w->harvested = 0;
	succeeded_anyway(w,
			 pt_harvest(w->fx->self, w->fx->table, va, last - va + 1, clear, on_used, w,
				    gather ? &w->gather : NULL, &leaves),
			 0);
	assert_int_equal(leaves, want);
	assert_int_equal(w->harvested, want);
	assert_int_equal(used_leaves(w, va, last, clear), 0);
}

static void call_harvest(struct world *w)
{
	bool gather = w->gather_open && one_in(w, 2);
	pt_va_t va, last;

	random_range(w, &va, &last);
	model_harvest(w, va, last,
		      (PT_ACCESSED | PT_DIRTY) & (pt_prop_t)random_below(w, PT_DIRTY << 1), gather);
}

/* ---- looking ---- */

static void call_query(struct world *w)
{
	pt_va_t va = random_page(w) + random_below(w, w->fx->page);
	struct pt_mapping m;

	if (succeeded_anyway(w, pt_query(w->fx->self, random_view(w), va, &m), 0))
		expect_mapping(w, va, &m);
}

static void call_query_get(struct world *w)
{
	pt_va_t va = random_page(w) + random_below(w, w->fx->page);
	struct pt_mapping m;

	succeeded_anyway(w, pt_query_get(w->fx->self, random_view(w), va, &m), 0);
	expect_mapping(w, va, &m);
	if (m.kind == PT_KIND_LEAF && (m.item.prop & PT_TRACKED))
		keep(w, &m.item);
	else if (w->nr_handles)
		let_go(w);
}

static void call_walk(struct world *w)
{
	pt_va_t va = random_page(w) + random_below(w, w->fx->page);
	const struct extent *e = flat_at(&w->map, va);
	bool translates = e && e->kind == PT_KIND_LEAF && (e->prop & PT_READ);
	pt_prop_t prop;
	pt_pa_t pa;

	if (!succeeded_anyway(w, pt_walk(w->fx->self, random_view(w), va, &pa, &prop),
			      translates ? 0 : ERROR_BIT(ENOENT)))
		return;
	assert_int_equal(pa, e->pa + (va - e->first));
	assert_int_equal(prop, e->prop);
}

void model_access(struct world *w, struct pt_table *view, pt_va_t va, enum pt_access access,
		  bool user)
{
	static const pt_prop_t needs[] = {
		[PT_ACCESS_READ] = PT_READ,
		[PT_ACCESS_WRITE] = PT_WRITE,
		[PT_ACCESS_EXEC] = PT_EXEC,
	};
	const struct extent *e = flat_at(&w->map, va);
	pt_prop_t need = needs[access] | (user ? PT_USER : 0);
	uint64_t errors = 0;
	pt_pa_t pa;

	if (!e || e->kind != PT_KIND_LEAF || !(e->prop & PT_READ))
		errors = ERROR_BIT(ENOENT);
	else if ((e->prop & need) != need)
		errors = ERROR_BIT(EACCES);
	if (!succeeded_anyway(w, pt_access(w->fx->self, view, va, access, user, &pa), errors))
		return;
	assert_int_equal(pa, e->pa + (va - e->first));
	flat_protect_leaf(&w->map, va, PT_ACCESSED | (access == PT_ACCESS_WRITE ? PT_DIRTY : 0), 0);
}

static void call_access(struct world *w)
{
	enum pt_access access = (enum pt_access)random_below(w, 3);
	bool user = one_in(w, 2);
	pt_va_t va = random_page(w) + random_below(w, w->fx->page);

	model_access(w, random_view(w), va, access, user);
}

/* ---- which ---- */

const model_call model_calls[] = {
	call_map,     call_map,           call_map,           call_map,     call_unmap,
	call_unmap,   call_unmap,         call_unmap,         call_protect, call_protect,
	call_mark,    call_query,         call_query,         call_walk,    call_access,
	call_access,  random_transaction, random_transaction, call_prune,   call_merge,
	call_harvest, call_query_get,
};
const unsigned nr_model_calls = sizeof(model_calls) / sizeof(model_calls[0]);

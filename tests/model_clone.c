/* SPDX-License-Identifier: MIT */
/* Clones: another table for a moment, which must hold what the map says of the range. */
#include "model.h"

#define USED (PT_ACCESSED | PT_DIRTY)

/* A table like the one that the model describes; what it flushes is no matter. */
static struct fixture open_target(struct world *w)
{
	struct fixture target = *w->fx;

	target.config.flush = NULL;
	expect_ok(pt_table_create(w->fx->self, &target.config, &target.table));
	return target;
}

/* Tables without content, as a table that was in use has them; or something in the way. */
static bool prepare_target(struct world *w, struct fixture *target, pt_va_t va)
{
	if (one_in(w, 4)) {
		expect_ok(pt_mark(w->fx->self, target->table, va, w->fx->page, 1));
		return true;
	}
	if (one_in(w, 2)) {
		map(target, va, w->fx->page, FRAMES, RW);
		unmap(target, va, w->fx->page);
	}
	return false;
}

static void expect_copy(struct world *w, const struct fixture *target, pt_va_t first, pt_va_t last,
			pt_prop_t set, pt_prop_t clear)
{
	const struct fixture *fx = w->fx;
	struct fixture look = *target;
	struct flatmap copy;

	flat_init(&copy, fx->format);
	flat_copy(&copy, &w->map);
	flat_cut_range(&copy, first, last);
	if (first > fx->first)
		flat_clear(&copy, fx->first, first - 1);
	if (last < fx->last)
		flat_clear(&copy, last + 1, fx->last);
	flat_protect(&copy, first, last, set, clear | USED);
	dump_expect_model(&look, &copy);
	flat_free(&copy);
}

void call_clone(struct world *w)
{
	pt_prop_t set = random_prop(w) & ~(PT_TRACKED | USED);
	pt_prop_t clear = random_prop(w) & ~(PT_TRACKED | USED | PT_CACHE_MASK);
	struct pt_check_report report;
	struct fixture target;
	uint64_t pages = 0;
	pt_va_t va, last;
	bool occupied, cloned;
	int rc;

	if ((set & PT_CACHE_MASK) || one_in(w, 8))
		clear |= PT_CACHE_MASK;
	if (one_in(w, 4))
		set = clear = 0;
	random_range(w, &va, &last);
	end_failure(w);
	target = open_target(w);
	occupied = prepare_target(w, &target, one_in(w, 2) ? va : last - (w->fx->page - 1));
	random_failure(w);
	rc = pt_clone(w->fx->self, w->fx->table, target.table, va, last - va + 1, set, clear,
		      w->gather_open ? &w->gather : NULL, &pages);
	cloned = succeeded(w, rc, occupied ? ERROR_BIT(EEXIST) : 0);
	end_failure(w);
	if (cloned) {
		assert_int_equal(pages, flat_pages(&w->map, va, last));
		expect_copy(w, &target, va, last, set, clear);
		if (set | clear)
			flat_protect(&w->map, va, last, set, clear);
	}
	report = check(&target);
	assert_true(!rc || report.leaves + report.marks == occupied);
	expect_ok(pt_table_destroy(w->fx->self, target.table));
}

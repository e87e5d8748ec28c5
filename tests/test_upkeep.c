/* SPDX-License-Identifier: MIT */
/* Pruning empty tables, harvesting accessed and dirty bits, merging leaves. None may allocate. */
#include "support.h"

static uint64_t prune(struct fixture *fx, pt_va_t va, uint64_t len)
{
	uint64_t nodes;

	pt_thread_fail_alloc(fx->self, 0);
	expect_ok(pt_prune(fx->self, fx->table, va, len, NULL, &nodes));
	pt_thread_fail_alloc(fx->self, UINT64_MAX);
	return nodes;
}

static uint64_t merge(struct fixture *fx, pt_va_t va, uint64_t len, unsigned max_level)
{
	uint64_t merged;

	pt_thread_fail_alloc(fx->self, 0);
	expect_ok(pt_merge(fx->self, fx->table, va, len, max_level, &merged));
	pt_thread_fail_alloc(fx->self, UINT64_MAX);
	check(fx);
	return merged;
}

static uint64_t harvest(struct fixture *fx, pt_va_t va, uint64_t len, pt_prop_t clear,
			pt_harvest_fn fn, void *ctx)
{
	uint64_t leaves;

	pt_thread_fail_alloc(fx->self, 0);
	expect_ok(pt_harvest(fx->self, fx->table, va, len, clear, fn, ctx, NULL, &leaves));
	pt_thread_fail_alloc(fx->self, UINT64_MAX);
	return leaves;
}

/* Map [va, va + len) by leaves of @level; tracked ones get their references. */
static void map_leaves(struct fixture *fx, pt_va_t va, uint64_t len, pt_pa_t pa, pt_prop_t prop,
		       unsigned level)
{
	if (prop & PT_TRACKED)
		get_items(fx, va, len, pa, level);
	expect_ok(pt_map(fx->self, fx->table, va, len, pa, prop, level));
}

static void use(struct fixture *fx, pt_va_t va, enum pt_access access)
{
	pt_pa_t pa;

	expect_ok(pt_access(fx->self, fx->table, va, access, false, &pa));
}

/* ---- prune ---- */

static void prune_frees_what_single_unmaps_leave(struct fixture *fx)
{
	uint64_t nodes = check(fx).nodes;
	pt_va_t va;

	map_leaves(fx, fx->base, 2 * fx->huge, FRAMES, RW, 1);
	for (va = fx->base; va < fx->base + 2 * fx->huge; va += fx->page)
		assert_int_equal(unmap(fx, va, fx->page), 1);
	assert_int_equal(check(fx).nodes, nodes + fx->format->levels);
	fx->flushes.n = 0;
	assert_int_equal(prune(fx, fx->first, fx->last - fx->first + 1), fx->format->levels);
	assert_true(was_flushed(fx, fx->base, 2 * fx->huge, true));
	assert_int_equal(check(fx).nodes, nodes);
	assert_int_equal(prune(fx, fx->first, fx->last - fx->first + 1), 0);
}

static void prune_keeps_what_holds_something(struct fixture *fx)
{
	expect_ok(pt_mark(fx->self, fx->table, fx->base, fx->page, 5));
	map(fx, fx->base + fx->huge, fx->page, FRAMES, RW);
	map(fx, fx->base + 2 * fx->huge, fx->page, FRAMES, RW);
	unmap(fx, fx->base + 2 * fx->huge, fx->page);
	/* all it spans, or it stays */
	assert_int_equal(prune(fx, fx->base + 2 * fx->huge, fx->huge - fx->page), 0);
	assert_int_equal(prune(fx, fx->base + 2 * fx->huge + fx->page, fx->huge), 0);
	assert_int_equal(prune(fx, fx->base, 4 * fx->huge), 1);
	expect_mark(fx, fx->base, 5);
	expect_leaf(fx, fx->base + fx->huge, FRAMES, RW, 1);
	check(fx);
}

static void prune_leaves_pinned_root_slots(struct fixture *fx)
{
	fx->config.top_pinned = true;
	fixture_new_table(fx);
	map(fx, fx->base, fx->page, FRAMES, RW);
	unmap(fx, fx->base, fx->page);
	assert_int_equal(prune(fx, fx->first, fx->last - fx->first + 1), fx->format->levels - 2);
	assert_int_equal(check(fx).nodes, 2);
}

/* ---- harvest ---- */

struct seen {
	pt_va_t va;
	struct pt_item item;
	unsigned n;
};

static void on_used(void *ctx, pt_va_t va, const struct pt_item *item)
{
	struct seen *s = ctx;

	*s = (struct seen){.va = va, .item = *item, .n = s->n + 1};
}

static void harvest_reports_and_clears(struct fixture *fx)
{
	pt_va_t va = fx->base + fx->page;
	struct seen seen = {0};

	map_leaves(fx, fx->base, fx->huge, FRAMES, RW, 1);
	assert_int_equal(harvest(fx, fx->base, fx->huge, 0, on_used, &seen), 0);
	use(fx, va, PT_ACCESS_WRITE);
	fx->flushes.n = 0;
	assert_int_equal(harvest(fx, fx->base, fx->huge, 0, on_used, &seen), 1);
	assert_int_equal(seen.va, va);
	assert_int_equal(seen.item.pa, FRAMES + fx->page);
	assert_int_equal(seen.item.prop, RW | PT_ACCESSED | PT_DIRTY);
	assert_int_equal(harvest(fx, fx->base, fx->huge, PT_ACCESSED, on_used, &seen), 1);
	assert_int_equal(fx->flushes.n, 0);
	expect_leaf(fx, va, FRAMES + fx->page, RW | PT_DIRTY, 1);
	assert_int_equal(harvest(fx, fx->base, fx->huge, PT_DIRTY, on_used, &seen), 1);
	assert_int_equal(seen.item.prop, RW | PT_DIRTY);
	assert_true(was_flushed(fx, va, fx->page, false));
	assert_int_equal(harvest(fx, fx->base, fx->huge, PT_DIRTY, NULL, NULL), 0);
	assert_int_equal(seen.n, 3);
}

static void harvest_takes_a_huge_leaf_whole(struct fixture *fx)
{
	struct seen seen = {0};

	map(fx, fx->base, fx->huge, FRAMES, RW);
	use(fx, fx->base, PT_ACCESS_WRITE);
	fx->flushes.n = 0;
	assert_int_equal(
		harvest(fx, fx->base + fx->page, fx->page, PT_ACCESSED | PT_DIRTY, on_used, &seen),
		1);
	assert_int_equal(seen.va, fx->base);
	assert_int_equal(seen.item.level, 2);
	assert_true(was_flushed(fx, fx->base, fx->huge, false));
	expect_leaf(fx, fx->base, FRAMES, RW, 2);
	expect_error(pt_harvest(fx->self, fx->table, fx->base, fx->page, PT_WRITE, NULL, NULL, NULL,
				NULL),
		     EINVAL);
}

/* ---- merge ---- */

static void merge_goes_up_to_the_largest_leaf(struct fixture *fx)
{
	const uint64_t fan_out = UINT64_C(1) << fx->format->index_bits;
	uint64_t tables = fx->giant_level == 2 ? 1 : fan_out + 1;

	map_leaves(fx, fx->base, fx->giant, FRAMES, RW, 1);
	use(fx, fx->base + fx->giant - fx->page, PT_ACCESS_WRITE);
	use(fx, fx->base, PT_ACCESS_READ);
	assert_int_equal(merge(fx, fx->base, fx->giant, 1), 0);
	fx->flushes.n = 0;
	assert_int_equal(merge(fx, fx->base, fx->giant, fx->format->levels), tables);
	assert_true(was_flushed(fx, fx->base, fx->giant, true));
	expect_leaf(fx, fx->base, FRAMES, RW | PT_ACCESSED | PT_DIRTY, fx->giant_level);
	/* a page in the middle goes: a split at each level; what is left does not merge */
	assert_int_equal(unmap(fx, fx->base + fx->giant / 2, fx->page), 1);
	expect_leaf(fx, fx->base + fx->giant / 2 + fx->page, FRAMES + fx->giant / 2 + fx->page,
		    RW | PT_ACCESSED | PT_DIRTY, 1);
	assert_int_equal(merge(fx, fx->base, fx->giant, fx->format->levels), 0);
	assert_int_equal(unmap(fx, fx->base, fx->giant), fx->giant / fx->page - 1);
}

static void merge_wants_equal_properties(struct fixture *fx)
{
	static const pt_prop_t props[] = {PT_WRITE,
					  PT_USER,
					  PT_EXEC,
					  PT_GLOBAL,
					  PT_SOFT0,
					  PT_SOFT1,
					  PT_CACHE(PT_CACHE_UNCACHED)};
	pt_va_t odd = fx->base + fx->huge - fx->page;
	unsigned i;

	for (i = 0; i < sizeof(props) / sizeof(props[0]); i++) {
		pt_prop_t mask = props[i] & PT_CACHE_MASK ? PT_CACHE_MASK : 0;

		map_leaves(fx, fx->base, fx->huge, FRAMES, PT_READ, 1);
		protect(fx, odd, fx->page, props[i], mask);
		assert_int_equal(merge(fx, fx->base, fx->huge, 2), 0);
		expect_leaf(fx, odd, FRAMES + fx->huge - fx->page, PT_READ | props[i], 1);
		protect(fx, odd, fx->page, 0, props[i] | mask);
		assert_int_equal(merge(fx, fx->base, fx->huge, 2), 1);
		expect_leaf(fx, odd, FRAMES + fx->huge - fx->page, PT_READ, 2);
		unmap(fx, fx->base, fx->huge);
	}
}

static void merge_wants_contiguous_aligned_whole_tables(struct fixture *fx)
{
	map_leaves(fx, fx->base, fx->huge, FRAMES + fx->page, RW, 1); /* not aligned */
	assert_int_equal(merge(fx, fx->base, fx->huge, 2), 0);
	unmap(fx, fx->base, fx->huge);
	map_leaves(fx, fx->base, fx->huge, FRAMES, RW, 1);
	unmap(fx, fx->base + fx->page, fx->page); /* a hole, */
	assert_int_equal(merge(fx, fx->base, fx->huge, 2), 0);
	expect_ok(pt_mark(fx->self, fx->table, fx->base + fx->page, fx->page, 1)); /* a mark, */
	assert_int_equal(merge(fx, fx->base, fx->huge, 2), 0);
	map(fx, fx->base + fx->page, fx->page, FRAMES, RW); /* another frame */
	assert_int_equal(merge(fx, fx->base, fx->huge, 2), 0);
	unmap(fx, fx->base + fx->page, fx->page);
	map(fx, fx->base + fx->page, fx->page, FRAMES + fx->page, RW);
	assert_int_equal(merge(fx, fx->base, fx->huge - fx->page, 2), 0);
	assert_int_equal(merge(fx, fx->base + fx->page, fx->huge, 2), 0);
	assert_int_equal(merge(fx, fx->base, fx->huge, 2), 1);
	expect_error(pt_merge(fx->self, fx->table, fx->base, fx->huge, 0, NULL), EINVAL);
	expect_error(
		pt_merge(fx->self, fx->table, fx->base, fx->huge, fx->format->levels + 1, NULL),
		EINVAL);
}

static void merge_keeps_what_is_not_for_the_mmu(struct fixture *fx)
{
	map_leaves(fx, fx->base, fx->huge, FRAMES, PT_WRITE, 1);
	assert_int_equal(merge(fx, fx->base, fx->huge, 2), 1);
	expect_leaf(fx, fx->base + fx->page, FRAMES + fx->page, PT_WRITE, 2);
}

static void merge_and_split_balance(struct fixture *fx)
{
	static struct pt_item_ops no_merge;

	map_leaves(fx, fx->base, fx->huge, FRAMES, RW | PT_TRACKED, 1);
	assert_int_equal(merge(fx, fx->base, fx->huge, 2), 1);
	assert_int_equal(fx->ledger.merges, 1);
	reclaim(fx); /* the stray table holds no reference */
	assert_int_equal(fx->ledger.drops, 0);
	assert_int_equal(ledger_count(&fx->ledger, FRAMES, 2), 1);
	assert_int_equal(ledger_total(&fx->ledger), 1);
	protect(fx, fx->base, fx->page, PT_SOFT0, 0);
	assert_int_equal(fx->ledger.splits, 1);
	protect(fx, fx->base, fx->page, 0, PT_SOFT0);
	assert_int_equal(merge(fx, fx->base, fx->huge, 2), 1);
	unmap(fx, fx->base, fx->huge);
	reclaim(fx);
	assert_int_equal(ledger_total(&fx->ledger), 0);
	assert_null(fx->ledger.error);

	no_merge = ledger_ops;
	no_merge.merge = NULL;
	fx->config.item_ops = &no_merge;
	fixture_new_table(fx);
	map_leaves(fx, fx->base, fx->huge, FRAMES, RW | PT_TRACKED, 1);
	assert_int_equal(merge(fx, fx->base, fx->huge, 2), 0);
}

struct busy_cpu {
	struct fixture *fx;
	bool merging;
};

/* A CPU that uses a page while the others are being told. */
static void use_in_flush(void *ctx, pt_va_t va, uint64_t len, bool tables)
{
	struct busy_cpu *cpu = ctx;
	struct fixture *fx = cpu->fx;

	(void)va;
	(void)len;
	if (!cpu->merging)
		return;
	assert_true(tables);
	use(fx, fx->base + fx->page, PT_ACCESS_WRITE);
	expect_error(pt_prune(fx->self, fx->table, fx->base, fx->page, NULL, NULL), EDEADLK);
}

static void merge_keeps_bits_set_during_its_flush(struct fixture *fx)
{
	struct busy_cpu cpu = {.fx = fx};

	fx->config.flush = use_in_flush;
	fx->config.flush_ctx = &cpu;
	fixture_new_table(fx);
	map_leaves(fx, fx->base, fx->huge, FRAMES, RW | PT_ACCESSED, 1);
	cpu.merging = true;
	assert_int_equal(merge(fx, fx->base, fx->huge, 2), 1);
	cpu.merging = false;
	expect_leaf(fx, fx->base, FRAMES, RW | PT_ACCESSED | PT_DIRTY, 2);
	fx->config.flush = NULL;
	fixture_new_table(fx);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(prune_frees_what_single_unmaps_leave),
		TEST(prune_keeps_what_holds_something),
		TEST(prune_leaves_pinned_root_slots),
		TEST(harvest_reports_and_clears),
		TEST(harvest_takes_a_huge_leaf_whole),
		TEST(merge_goes_up_to_the_largest_leaf),
		TEST(merge_wants_equal_properties),
		TEST(merge_wants_contiguous_aligned_whole_tables),
		TEST(merge_keeps_what_is_not_for_the_mmu),
		TEST_SYNC(merge_and_split_balance),
		TEST(merge_keeps_bits_set_during_its_flush),
	};

	return run_on_all_pairs("upkeep", cases, sizeof(cases) / sizeof(cases[0]));
}

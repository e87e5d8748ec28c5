/* SPDX-License-Identifier: MIT */
/*
 * Bugs that the origin had (numbers are those of its issue tracker, or of its commits) and that this
 * code could have: one test each. docs/ORIGIN.md lists all, and those that are tested elsewhere.
 */
#include "dump.h"

#define TRACKED (RW | PT_TRACKED)

/* #1416: a page without any permission looked absent, was mapped over, and its frame leaked. */
static void a_page_without_permissions_is_not_forgotten(struct fixture *fx)
{
	map(fx, fx->base, fx->page, FRAMES, TRACKED);
	assert_int_equal(protect(fx, fx->base, fx->page, 0, RW), 1);
	expect_error(pt_map(fx->self, fx->table, fx->base, fx->page, FRAMES + fx->page, RW, 1),
		     EEXIST);
	assert_int_equal(ledger_count(&fx->ledger, FRAMES, 1), 1);
	assert_int_equal(unmap(fx, fx->base, fx->page), 1);
	reclaim(fx);
	assert_int_equal(ledger_count(&fx->ledger, FRAMES, 1), 0);
}

/*
 * #2709, #2613: at the end of a range that ends with a table, moving on left the covering node. The
 * range here ends with a table of each level, also with the last one of the address space.
 */
static void the_end_of_a_range_may_be_the_end_of_tables(struct fixture *fx)
{
	for (unsigned level = 1; level <= fx->format->levels; level++) {
		pt_va_t end = fx->base + pt_page_size(fx->format, level);
		struct pt_mapping m;
		struct pt_cursor c;
		pt_va_t va;

		if (level == fx->format->levels)
			end = fx->last + 1;
		begin_cursor(fx, end - 2 * fx->page, 2 * fx->page, PT_BUILD, &c);
		expect_error(pt_cursor_find_next(&c, 2 * fx->page, &va), ENOENT);
		assert_int_equal(pt_cursor_va(&c), end);
		expect_error(pt_cursor_query(&c, &m), ERANGE);
		expect_ok(pt_cursor_jump(&c, end - 2 * fx->page));
		expect_ok(map_at_cursor(&c, FRAMES, RW, 1));
		expect_ok(map_at_cursor(&c, FRAMES + fx->page, RW, 1));
		expect_error(map_at_cursor(&c, FRAMES, RW, 1), ERANGE);
		assert_int_equal(pt_cursor_va(&c), end);
		pt_cursor_end(&c);
		expect_leaf(fx, end - fx->page, FRAMES + fx->page, RW, 1);
		assert_int_equal(unmap(fx, end - 2 * fx->page, 2 * fx->page), 2);
	}
}

/* #1285, #1323, f19211b8f, 88975690e, 9ed6b760b: ends of ranges were computed past the top. */
static void no_end_is_computed_past_the_top(struct fixture *fx)
{
	const uint64_t most = 0 - fx->page;
	struct pt_gather g;
	struct pt_taken taken;
	struct pt_cursor c;
	uint64_t size, len;
	pt_va_t va;

	map(fx, fx->base, fx->page, FRAMES, RW);
	expect_error(pt_map(fx->self, fx->table, fx->base, most, FRAMES, RW, 1), EINVAL);
	expect_error(pt_mark(fx->self, fx->table, fx->base, most, 1), EINVAL);
	expect_error(pt_unmap(fx->self, fx->table, fx->base, most, NULL, NULL), EINVAL);
	expect_error(pt_protect(fx->self, fx->table, fx->base, most, 0, PT_WRITE, NULL, NULL),
		     EINVAL);
	assert_int_equal(pt_largest_page(fx->format, fx->base, FRAMES, most, 1, &size), -EINVAL);
	pt_gather_init(&g, fx->self, fx->table, NULL, NULL);
	begin_cursor(fx, fx->base, 2 * fx->page, PT_BUILD, &c);
	expect_error(pt_cursor_find_next(&c, most, &va), ERANGE);
	expect_error(pt_cursor_take_next(&c, most, &g, &taken), ERANGE);
	expect_error(pt_cursor_mark(&c, most, 1), ERANGE);
	expect_error(pt_cursor_protect_next(&c, most, (pt_protect_fn)NULL, NULL, &g, &va, &len),
		     EINVAL);
	pt_cursor_end(&c);
	expect_ok(pt_gather_sync(&g));
	expect_leaf(fx, fx->base, FRAMES, RW, 1);
}

/* #3610: the physical end of what is mapped, too. */
static void no_physical_end_is_computed_past_the_top(struct fixture *fx)
{
	const pt_pa_t last = (UINT64_C(1) << fx->format->pa_bits) - fx->page;
	struct pt_cursor c;

	expect_error(pt_map(fx->self, fx->table, fx->base, 2 * fx->page, last, RW, 1), EINVAL);
	expect_error(pt_map(fx->self, fx->table, fx->base, fx->page, 0 - fx->page, RW, 1), EINVAL);
	begin_cursor(fx, fx->base, fx->page, PT_BUILD, &c);
	expect_error(map_at_cursor(&c, 0 - fx->page, RW, 1), EINVAL);
	expect_ok(map_at_cursor(&c, last, RW, 1));
	pt_cursor_end(&c);
	expect_leaf(fx, fx->base, last, RW, 1);
}

/* vostd #603: the half-open range of a table that ends at 2^64 cannot be written down. */
static void the_last_byte_of_the_address_space_can_be_managed(struct fixture *fx)
{
	pt_va_t first, last;

	fixture_use_upper_half(fx);
	pt_table_range(fx->table, &first, &last);
	assert_int_equal(last, UINT64_MAX);
	map(fx, 0 - 2 * fx->huge, 2 * fx->huge, FRAMES, RW);
	expect_leaf(fx, UINT64_MAX, FRAMES + 2 * fx->huge - 1, RW, 2);
	assert_int_equal(protect(fx, 0 - fx->page, fx->page, 0, PT_WRITE), 1);
	assert_int_equal(unmap(fx, first, last - first + 1), 2 * fx->huge / fx->page);
	assert_int_equal(check(fx).nodes, 1);
}

/* #3680: jumping on from the end, as a copy of an area does that ends with an unmapped part. */
static void a_cursor_that_is_through_can_go_back_but_not_on(struct fixture *fx)
{
	const pt_va_t end = fx->base + 2 * fx->huge;
	struct pt_mapping m;
	struct pt_cursor c;
	pt_va_t va;

	map(fx, fx->base, fx->page, FRAMES, RW);
	begin_cursor(fx, fx->base, 2 * fx->huge, PT_CHANGE, &c);
	expect_ok(pt_cursor_jump(&c, fx->base + fx->page));
	expect_error(pt_cursor_find_next(&c, 2 * fx->huge - fx->page, &va), ENOENT);
	assert_int_equal(pt_cursor_va(&c), end);
	expect_error(pt_cursor_jump(&c, end), ERANGE);
	assert_int_equal(pt_cursor_va(&c), end);
	expect_ok(pt_cursor_jump(&c, fx->base));
	expect_ok(pt_cursor_query(&c, &m));
	assert_int_equal(m.item.pa, FRAMES);
	pt_cursor_end(&c);
}

/* #1088, #1556: tables that had become empty were walked slot by slot, or stayed for ever. */
static void empty_tables_are_passed_over_and_cleared(struct fixture *fx)
{
	struct pt_gather g;
	struct pt_taken taken;
	struct pt_cursor c;

	map(fx, fx->base + fx->page, fx->page, FRAMES, RW);
	map(fx, fx->base + 2 * fx->huge, fx->page, FRAMES, RW);
	unmap(fx, fx->base + fx->page, fx->page);
	pt_gather_init(&g, fx->self, fx->table, NULL, NULL);
	expect_ok(pt_cursor_begin(fx->self, fx->table, fx->base, 3 * fx->huge, PT_CHANGE, 2, &c));
	expect_ok(pt_cursor_take_next(&c, 3 * fx->huge, &g, &taken));
	pt_cursor_end(&c);
	expect_ok(pt_gather_sync(&g));
	assert_int_equal(taken.va, fx->base + 2 * fx->huge);
	assert_int_equal(taken.pages, 1);
	/* both leaf tables are gone, the path to them is not: it lies above top */
	assert_int_equal(check(fx).nodes, fx->format->levels - 1);
	unmap(fx, fx->first, fx->last - fx->first + 1);
	assert_int_equal(check(fx).nodes, 1);
}

/*
 * 1ed023f41: a comparison of levels was off by one when a subtree was marked stray, so tables were
 * left out. All of a subtree of every height comes back. (That each is marked: mutants 02 and 03.)
 */
static void all_tables_of_a_subtree_come_back(struct fixture *fx)
{
	fx->config.stats = true;
	fx->config.item_ops = NULL;
	fixture_new_table(fx);
	for (unsigned level = 2; level <= fx->format->levels; level++) {
		const uint64_t span = pt_page_size(fx->format, level);
		struct pt_stats before, after;

		map(fx, fx->base, fx->page, FRAMES, RW);
		map(fx, fx->base + span - fx->page, fx->page, FRAMES, RW);
		expect_ok(pt_table_get_stats(fx->table, &before));
		assert_int_equal(unmap(fx, fx->base, span), 2);
		expect_ok(pt_table_get_stats(fx->table, &after));
		/* one table at the top, two at each level below it */
		assert_int_equal(after.nodes_given - before.nodes_given,
				 trees(fx) * (2 * (level - 1) - 1));
		assert_int_equal(after.nodes_taken - after.nodes_given,
				 trees(fx) * check(fx).nodes);
	}
}

static pt_prop_t toggle(void *ctx, pt_va_t va, const struct pt_item *old)
{
	pt_prop_t *seen = ctx;

	(void)va;
	*seen = old->prop;
	return old->prop ^ (PT_WRITE | PT_SOFT0);
}

/* 6a4d8d113: after a change the entry that was read before was used again. */
static void what_a_cursor_changed_it_sees_at_once(struct fixture *fx)
{
	pt_prop_t seen, expected = RW;
	struct pt_mapping m;
	struct pt_gather g;
	struct pt_cursor c;
	uint64_t len;
	pt_va_t va;

	map(fx, fx->base, fx->huge, FRAMES, RW);
	pt_gather_init(&g, fx->self, fx->table, NULL, NULL);
	begin_cursor(fx, fx->base, fx->huge, PT_CHANGE, &c);
	for (unsigned i = 0; i < 3; i++) {
		expect_ok(pt_cursor_jump(&c, fx->base + fx->page));
		expect_ok(pt_cursor_protect_next(&c, fx->page, toggle, &seen, &g, &va, &len));
		assert_int_equal(seen, expected);
		expected ^= PT_WRITE | PT_SOFT0;
		expect_ok(pt_cursor_jump(&c, fx->base + fx->page));
		expect_ok(pt_cursor_query(&c, &m));
		assert_int_equal(m.item.prop, expected);
		assert_int_equal(m.item.level, 1);
	}
	pt_cursor_end(&c);
	expect_ok(pt_gather_sync(&g));
}

/* 78831bc80: take next told the address of the cursor, not that of what it took. */
static void take_next_tells_where_what_it_took_was(struct fixture *fx)
{
	struct pt_gather g;
	struct pt_taken taken;
	struct pt_cursor c;

	map(fx, fx->base + fx->page, fx->page, FRAMES, RW);
	map(fx, fx->base + fx->huge, fx->huge, FRAMES, RW);
	map(fx, fx->base + 2 * fx->huge + fx->page, fx->page, FRAMES, RW);
	pt_gather_init(&g, fx->self, fx->table, NULL, NULL);
	expect_ok(pt_cursor_begin(fx->self, fx->table, fx->base, 3 * fx->huge, PT_CHANGE, 2, &c));
	expect_ok(pt_cursor_take_next(&c, 2 * fx->page, &g, &taken)); /* behind a hole */
	assert_int_equal(taken.va, fx->base + fx->page);
	assert_int_equal(pt_cursor_va(&c), fx->base + 2 * fx->page);
	expect_ok(pt_cursor_jump(&c, fx->base + fx->huge + fx->page));
	expect_ok(pt_cursor_take_next(&c, fx->page, &g, &taken)); /* out of a huge leaf */
	assert_int_equal(taken.va, fx->base + fx->huge + fx->page);
	assert_int_equal(taken.item.pa, FRAMES + fx->page);
	expect_ok(pt_cursor_jump(&c, fx->base + 2 * fx->huge));
	expect_ok(pt_cursor_take_next(&c, fx->huge, &g, &taken)); /* a table */
	assert_true(taken.subtree);
	assert_int_equal(taken.va, fx->base + 2 * fx->huge);
	pt_cursor_end(&c);
	expect_ok(pt_gather_sync(&g));
}

/* #2042: whether a frame is counted is a matter of each mapping, not of the table or the caller. */
static void only_what_was_counted_is_given_back(struct fixture *fx)
{
	map(fx, fx->base, fx->page, FRAMES, TRACKED);
	map(fx, fx->base + fx->page, fx->page, FRAMES, RW);
	map(fx, fx->base + fx->huge, fx->page, FRAMES, RW);
	assert_int_equal(unmap(fx, fx->base + fx->page, fx->page), 1);
	assert_int_equal(unmap(fx, fx->base + fx->huge, fx->huge), 1);
	reclaim(fx);
	assert_int_equal(fx->ledger.drops, 0);
	assert_int_equal(unmap(fx, fx->base, fx->huge), 1);
	reclaim(fx);
	assert_int_equal(fx->ledger.drops, 1);
}

struct watched {
	struct fixture *fx;
	uint64_t retired, drops;
	unsigned calls;
};

static void watch_flush(void *ctx, pt_va_t va, uint64_t len, bool tables)
{
	struct watched *w = ctx;
	struct pt_pool_stats stats;

	(void)va;
	(void)len;
	(void)tables;
	pt_pool_get_stats(w->fx->pool, &stats);
	w->retired += stats.retired_bytes;
	w->drops += w->fx->ledger.drops;
	w->calls++;
}

/* #1387: page tables and frames were given back before other CPUs had flushed. */
static void nothing_is_given_back_before_the_flush(struct fixture *fx)
{
	struct watched w = {.fx = fx};

	fx->config.flush = watch_flush;
	fx->config.flush_ctx = &w;
	fixture_new_table(fx);
	w = (struct watched){.fx = fx};
	map(fx, fx->base, fx->page, FRAMES, TRACKED);
	map(fx, fx->base + fx->huge, fx->page, FRAMES, TRACKED);
	unmap(fx, fx->base, 2 * fx->huge);
	assert_true(w.calls > 0);
	assert_int_equal(w.retired, 0);
	assert_int_equal(w.drops, 0);
	reclaim(fx);
	assert_int_equal(fx->ledger.drops, 2);
	fixture_new_table(fx); /* the last flush, while `w` exists */
	fx->config.flush = NULL;
	fixture_new_table(fx);
}

/* #3589, #3856: what the MMU sets, or an accessed fault handler, must survive other changes. */
static void accessed_and_dirty_survive_splits_and_changes(struct fixture *fx)
{
	pt_pa_t pa;

	map(fx, fx->base, fx->giant, FRAMES, RW);
	expect_ok(pt_access(fx->self, fx->table, fx->base, PT_ACCESS_WRITE, false, &pa));
	protect(fx, fx->base + fx->page, fx->page, PT_SOFT0, 0);
	expect_leaf(fx, fx->base, FRAMES, RW | PT_ACCESSED | PT_DIRTY, 1);
	expect_leaf(fx, fx->base + fx->page, FRAMES + fx->page,
		    RW | PT_ACCESSED | PT_DIRTY | PT_SOFT0, 1);
	if (fx->giant_level > 2)
		expect_leaf(fx, fx->base + fx->huge, FRAMES + fx->huge, RW | PT_ACCESSED | PT_DIRTY,
			    2);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(a_page_without_permissions_is_not_forgotten),
		TEST(the_end_of_a_range_may_be_the_end_of_tables),
		TEST(no_end_is_computed_past_the_top),
		TEST(no_physical_end_is_computed_past_the_top),
		TEST(the_last_byte_of_the_address_space_can_be_managed),
		TEST(a_cursor_that_is_through_can_go_back_but_not_on),
		TEST(empty_tables_are_passed_over_and_cleared),
		TEST(all_tables_of_a_subtree_come_back),
		TEST(what_a_cursor_changed_it_sees_at_once),
		TEST(take_next_tells_where_what_it_took_was),
		TEST(only_what_was_counted_is_given_back),
		TEST(nothing_is_given_back_before_the_flush),
		TEST(accessed_and_dirty_survive_splits_and_changes),
	};

	return run_on_all_pairs("regress origin", cases, sizeof(cases) / sizeof(cases[0]));
}

/* SPDX-License-Identifier: MIT */
/* pt_unmap(): what is gone, what is left, and what happens to huge leaves at the edges. */
#include "dump.h"

static void a_page_goes_and_its_neighbours_stay(struct fixture *fx)
{
	map(fx, fx->base, 3 * fx->page, FRAMES, RW);
	assert_int_equal(unmap(fx, fx->base + fx->page, fx->page), 1);
	expect_leaf(fx, fx->base, FRAMES, RW, 1);
	expect_empty(fx, fx->base + fx->page);
	expect_leaf(fx, fx->base + 2 * fx->page, FRAMES + 2 * fx->page, RW, 1);
	assert_int_equal(check(fx).leaves, 2);
}

static void nothing_mapped_is_nothing_to_do(struct fixture *fx)
{
	assert_int_equal(unmap(fx, fx->base, fx->page), 0);
	assert_int_equal(unmap(fx, fx->base + fx->page, fx->giant), 0);
	assert_int_equal(unmap(fx, fx->first, fx->last - fx->first + 1), 0);
	map(fx, fx->base, fx->page, FRAMES, RW);
	assert_int_equal(unmap(fx, fx->base + fx->page, fx->page), 0);
	expect_leaf(fx, fx->base, FRAMES, RW, 1);
}

static void unmapping_twice_finds_nothing_the_second_time(struct fixture *fx)
{
	map(fx, fx->base, 2 * fx->page, FRAMES, RW);
	assert_int_equal(unmap(fx, fx->base, 2 * fx->page), 2);
	assert_int_equal(unmap(fx, fx->base, 2 * fx->page), 0);
}

static void pages_are_counted_across_holes_and_sizes(struct fixture *fx)
{
	map(fx, fx->base + fx->page, fx->page, FRAMES, RW);
	map(fx, fx->base + fx->huge - fx->page, fx->page, FRAMES, RW);
	map(fx, fx->base + fx->giant, fx->giant, FRAMES, RW);
	assert_int_equal(unmap(fx, fx->base, 3 * fx->giant), 2 + fx->giant / fx->page);
	assert_int_equal(check(fx).leaves, 0);
}

static void the_page_count_is_optional(struct fixture *fx)
{
	map(fx, fx->base, fx->page, FRAMES, RW);
	expect_ok(pt_unmap(fx->self, fx->table, fx->base, fx->page, NULL, NULL));
	expect_empty(fx, fx->base);
}

/*
 * The leaf at fx->base of the largest size, with the pages [at, at + n) taken out: the rest is what
 * it was, in the fewest leaves.
 */
static void expect_hole_in_giant(struct fixture *fx, uint64_t at, uint64_t n, pt_prop_t prop)
{
	struct flatmap model;

	flat_init(&model, fx->format);
	flat_map(&model, fx->base, fx->base + (fx->giant - 1), FRAMES, prop, fx->giant_level);
	flat_clear(&model, fx->base + at * fx->page, fx->base + (at + n) * fx->page - 1);
	dump_expect_model(fx, &model);
	assert_int_equal(check(fx).mapped_bytes, fx->giant - n * fx->page);
	flat_free(&model);
}

static void a_hole_in_a_huge_leaf_leaves_the_rest_as_it_was(struct fixture *fx)
{
	const uint64_t pages = fx->giant / fx->page;
	const uint64_t at[] = {0, 1, pages / 2, pages - 2, pages - 1};
	const pt_prop_t prop = RWU | PT_EXEC | PT_GLOBAL | PT_ACCESSED | PT_DIRTY | PT_SOFT1 |
			       PT_CACHE(PT_CACHE_WRITE_PROTECTED);
	unsigned i;

	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		map(fx, fx->base, fx->giant, FRAMES, prop);
		assert_int_equal(unmap(fx, fx->base + at[i] * fx->page, fx->page), 1);
		expect_hole_in_giant(fx, at[i], 1, prop);
		assert_int_equal(unmap(fx, fx->base, fx->giant), pages - 1);
	}
}

static void a_split_keeps_a_mapping_without_read(struct fixture *fx)
{
	const pt_prop_t prop = PT_WRITE | PT_EXEC | PT_CACHE(PT_CACHE_UNCACHED);

	map(fx, fx->base, fx->giant, FRAMES, prop);
	assert_int_equal(unmap(fx, fx->base + fx->page, fx->page), 1);
	expect_hole_in_giant(fx, 1, 1, prop);
}

static void a_range_may_cut_a_huge_leaf_at_each_end(struct fixture *fx)
{
	map(fx, fx->base, 2 * fx->giant, FRAMES, RW);
	assert_int_equal(unmap(fx, fx->base + fx->giant - fx->page, 2 * fx->page), 2);
	expect_leaf(fx, fx->base + fx->giant - 2 * fx->page, FRAMES + fx->giant - 2 * fx->page, RW,
		    1);
	expect_empty(fx, fx->base + fx->giant - fx->page);
	expect_empty(fx, fx->base + fx->giant);
	expect_leaf(fx, fx->base + fx->giant + fx->page, FRAMES + fx->giant + fx->page, RW, 1);
	assert_int_equal(check(fx).mapped_bytes, 2 * fx->giant - 2 * fx->page);
}

static void whole_huge_leaves_are_not_split(struct fixture *fx)
{
	map(fx, fx->base, 3 * fx->giant, FRAMES, RW);
	assert_int_equal(unmap(fx, fx->base + fx->giant, fx->giant), fx->giant / fx->page);
	assert_int_equal(check(fx).leaves, 2);
	expect_leaf(fx, fx->base, FRAMES, RW, fx->giant_level);
	expect_leaf(fx, fx->base + 2 * fx->giant, FRAMES + 2 * fx->giant, RW, fx->giant_level);
}

static void tables_inside_the_range_are_freed(struct fixture *fx)
{
	uint64_t nodes = check(fx).nodes;

	assert_int_equal(nodes, 1);
	expect_ok(pt_map(fx->self, fx->table, fx->base, fx->huge, FRAMES, RW, 1));
	expect_ok(pt_map(fx->self, fx->table, fx->base + 2 * fx->huge, fx->huge, FRAMES, RW, 1));
	assert_true(check(fx).nodes > nodes + 2);
	unmap(fx, fx->base, pt_page_size(fx->format, fx->format->levels));
	assert_int_equal(check(fx).nodes, nodes);
}

/* A single-page unmap never frees a table: the next page in it is faulted in soon. */
static void the_table_of_a_single_page_stays(struct fixture *fx)
{
	uint64_t nodes;

	map(fx, fx->base, fx->page, FRAMES, RW);
	nodes = check(fx).nodes;
	unmap(fx, fx->base, fx->page);
	assert_int_equal(check(fx).nodes, nodes);
	expect_ok(pt_map(fx->self, fx->table, fx->base, fx->page, FRAMES, RW, 1));
	assert_int_equal(check(fx).nodes, nodes);
}

static void root_slots_of_a_pinned_table_are_not_cleared(struct fixture *fx)
{
	uint64_t nodes;

	fx->config.top_pinned = true;
	fixture_new_table(fx);
	map(fx, fx->base, fx->page, FRAMES, RW);
	nodes = check(fx).nodes;
	assert_int_equal(unmap(fx, fx->first, fx->last - fx->first + 1), 1);
	expect_empty(fx, fx->base);
	/* The child of the root is still there. */
	assert_true(check(fx).nodes >= 2 && check(fx).nodes <= nodes);
}

static void everything_goes_at_once(struct fixture *fx)
{
	map(fx, fx->first, fx->page, FRAMES, RW);
	map(fx, fx->base, fx->giant, FRAMES, RW);
	map(fx, fx->last - (fx->page - 1), fx->page, FRAMES, RW);
	expect_ok(pt_mark(fx->self, fx->table, fx->base + fx->giant, 3 * fx->page, 3));
	assert_int_equal(unmap(fx, fx->first, fx->last - fx->first + 1), 2 + fx->giant / fx->page);
	assert_int_equal(check(fx).leaves, 0);
	assert_int_equal(check(fx).marks, 0);
	assert_int_equal(check(fx).nodes, 1);
}

static void the_upper_half_is_unmapped_to_its_last_byte(struct fixture *fx)
{
	fixture_use_upper_half(fx);
	everything_goes_at_once(fx);
	map(fx, 0 - fx->giant, fx->giant, FRAMES, RW);
	assert_int_equal(unmap(fx, 0 - fx->page, fx->page), 1);
	expect_leaf(fx, 0 - 2 * fx->page, FRAMES + fx->giant - 2 * fx->page, RW, 1);
	expect_empty(fx, UINT64_MAX);
	assert_int_equal(unmap(fx, 0 - fx->giant, fx->giant), fx->giant / fx->page - 1);
}

static void malformed_ranges_are_refused(struct fixture *fx)
{
	const pt_va_t last_page = fx->last - (fx->page - 1);
	struct pt_table *t = fx->table;
	struct dump before;
	uint64_t pages = 77;

	map(fx, fx->base, fx->page, FRAMES, RW);
	map(fx, last_page, fx->page, FRAMES, RW);
	dump_take(fx, &before);
	expect_error(pt_unmap(fx->self, t, fx->base + 1, fx->page, NULL, &pages), EINVAL);
	expect_error(pt_unmap(fx->self, t, fx->base, fx->page - 1, NULL, &pages), EINVAL);
	expect_error(pt_unmap(fx->self, t, fx->base, 0, NULL, &pages), EINVAL);
	expect_error(pt_unmap(fx->self, t, last_page, 2 * fx->page, NULL, &pages), ERANGE);
	expect_error(pt_unmap(fx->self, t, fx->last + 1, fx->page, NULL, &pages), ERANGE);
	expect_error(pt_unmap(fx->self, t, fx->base, 0 - fx->page, NULL, &pages), EINVAL);
	assert_int_equal(pages, 77);
	assert_int_equal(fx->flushes.n, 0);
	dump_expect_unchanged(fx, &before);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(a_page_goes_and_its_neighbours_stay),
		TEST(nothing_mapped_is_nothing_to_do),
		TEST(unmapping_twice_finds_nothing_the_second_time),
		TEST(pages_are_counted_across_holes_and_sizes),
		TEST(the_page_count_is_optional),
		TEST(a_hole_in_a_huge_leaf_leaves_the_rest_as_it_was),
		TEST(a_split_keeps_a_mapping_without_read),
		TEST(a_range_may_cut_a_huge_leaf_at_each_end),
		TEST(whole_huge_leaves_are_not_split),
		TEST(tables_inside_the_range_are_freed),
		TEST(the_table_of_a_single_page_stays),
		TEST(root_slots_of_a_pinned_table_are_not_cleared),
		TEST(everything_goes_at_once),
		TEST(the_upper_half_is_unmapped_to_its_last_byte),
		TEST(malformed_ranges_are_refused),
	};

	return run_on_all_pairs("unmap", cases, sizeof(cases) / sizeof(cases[0]));
}

/* SPDX-License-Identifier: MIT */
/* pt_protect(): which properties change, on which pages, and what stays. */
#include "dump.h"

#define ALL (RWU | PT_EXEC | PT_GLOBAL | PT_ACCESSED | PT_DIRTY | PT_SOFT0 | PT_SOFT1)

static void only_the_named_bits_change(struct fixture *fx)
{
	const pt_prop_t before = RWU | PT_ACCESSED | PT_DIRTY | PT_SOFT0;

	map(fx, fx->base, fx->page, FRAMES, before);
	assert_int_equal(protect(fx, fx->base, fx->page, PT_EXEC, PT_WRITE), 1);
	expect_leaf(fx, fx->base, FRAMES, (before & ~PT_WRITE) | PT_EXEC, 1);
	assert_int_equal(protect(fx, fx->base, fx->page, PT_WRITE, PT_EXEC), 1);
	expect_leaf(fx, fx->base, FRAMES, before, 1);
}

static void each_bit_can_be_set_and_cleared(struct fixture *fx)
{
	unsigned bit;

	map(fx, fx->base, fx->page, FRAMES, 0);
	for (bit = 0; bit < 32; bit++) {
		pt_prop_t prop = 1u << bit;

		if (!(ALL & fx->format->props & prop))
			continue;
		protect(fx, fx->base, fx->page, prop, 0);
		expect_leaf(fx, fx->base, FRAMES, prop, 1);
		protect(fx, fx->base, fx->page, 0, prop);
		expect_leaf(fx, fx->base, FRAMES, 0, 1);
	}
}

static void a_bit_both_set_and_cleared_is_set(struct fixture *fx)
{
	map(fx, fx->base, fx->page, FRAMES, PT_READ);
	protect(fx, fx->base, fx->page, PT_WRITE, PT_WRITE);
	expect_leaf(fx, fx->base, FRAMES, RW, 1);
}

static void the_cache_policy_is_replaced(struct fixture *fx)
{
	const pt_prop_t write_combining = PT_CACHE(PT_CACHE_WRITE_COMBINING);
	const pt_prop_t uncached = PT_CACHE(PT_CACHE_UNCACHED);

	map(fx, fx->base, fx->giant, FRAMES, RW | write_combining);
	protect(fx, fx->base, fx->giant, uncached, PT_CACHE_MASK);
	expect_leaf(fx, fx->base, FRAMES, RW | uncached, fx->giant_level);
	protect(fx, fx->base, fx->giant, 0, PT_CACHE_MASK);
	expect_leaf(fx, fx->base, FRAMES, RW, fx->giant_level);
}

static void without_read_it_is_still_a_mapping(struct fixture *fx)
{
	const pt_prop_t prop = RWU | PT_ACCESSED | PT_DIRTY;
	pt_pa_t pa;

	map(fx, fx->base, 2 * fx->giant, FRAMES, prop);
	protect(fx, fx->base, fx->giant, 0, PT_READ);
	expect_leaf(fx, fx->base + fx->page, FRAMES + fx->page, prop & ~PT_READ, fx->giant_level);
	expect_error(pt_access(fx->self, fx->table, fx->base, PT_ACCESS_READ, true, &pa), ENOENT);
	assert_int_equal(check(fx).mapped_bytes, 2 * fx->giant);
	protect(fx, fx->base, fx->giant, PT_READ, 0);
	expect_leaf(fx, fx->base, FRAMES, prop, fx->giant_level);
	assert_int_equal(unmap(fx, fx->base, 2 * fx->giant), 2 * fx->giant / fx->page);
}

static void holes_and_marks_are_skipped(struct fixture *fx)
{
	map(fx, fx->base + fx->page, fx->page, FRAMES, RW);
	expect_ok(pt_mark(fx->self, fx->table, fx->base + 2 * fx->page, fx->page, 9));
	map(fx, fx->base + 2 * fx->huge, fx->huge, FRAMES, RW);
	assert_int_equal(protect(fx, fx->base, 3 * fx->huge, 0, PT_WRITE), 1 + fx->huge / fx->page);
	expect_empty(fx, fx->base);
	expect_leaf(fx, fx->base + fx->page, FRAMES, PT_READ, 1);
	expect_mark(fx, fx->base + 2 * fx->page, 9);
	expect_empty(fx, fx->base + fx->huge);
	expect_leaf(fx, fx->base + 2 * fx->huge, FRAMES, PT_READ, 2);
}

static void an_empty_range_is_fine_and_creates_nothing(struct fixture *fx)
{
	uint64_t nodes = check(fx).nodes;

	assert_int_equal(protect(fx, fx->first, fx->last - fx->first + 1, 0, PT_WRITE), 0);
	assert_int_equal(protect(fx, fx->base + fx->page, fx->page, 0, PT_WRITE), 0);
	expect_ok(pt_protect(fx->self, fx->table, fx->base, fx->page, 0, PT_WRITE, NULL, NULL));
	assert_int_equal(check(fx).nodes, nodes);
	assert_int_equal(fx->flushes.n, 0);
}

static void huge_leaves_at_the_edges_are_split(struct fixture *fx)
{
	const pt_va_t va = fx->base + fx->giant - fx->page;
	const pt_prop_t prop = ALL | PT_CACHE(PT_CACHE_WRITE_PROTECTED);
	struct flatmap model;

	map(fx, fx->base, 3 * fx->giant, FRAMES, prop);
	assert_int_equal(protect(fx, va, fx->giant + 2 * fx->page, 0, PT_WRITE | PT_DIRTY),
			 fx->giant / fx->page + 2);
	flat_init(&model, fx->format);
	flat_map(&model, fx->base, fx->base + 3 * fx->giant - 1, FRAMES, prop, fx->giant_level);
	flat_protect(&model, va, va + fx->giant + 2 * fx->page - 1, 0, PT_WRITE | PT_DIRTY);
	dump_expect_model(fx, &model);
	assert_int_equal(check(fx).mapped_bytes, 3 * fx->giant);
	flat_free(&model);
}

/* A page, nine leaves of level 2, a page: all change, none is split. */
/* A page far inside the largest leaf: a split at each level, all or none; what the hardware set stays. */
static void a_page_of_the_largest_leaf_is_split_out(struct fixture *fx)
{
	const unsigned splits = fx->giant_level - 1;
	const pt_va_t va = fx->base + fx->giant - fx->huge / 2;
	const pt_prop_t prop = RW | PT_ACCESSED | PT_DIRTY;
	struct pt_stats before, after;
	struct flatmap model;

	fx->config.stats = true;
	fixture_new_table(fx);
	map(fx, fx->base, fx->giant, FRAMES, prop);
	expect_leaf(fx, va, FRAMES + (va - fx->base), prop, fx->giant_level);
	for (unsigned nodes = 0; nodes < splits; nodes++) {
		pt_thread_fail_alloc(fx->self, nodes);
		expect_error(pt_protect(fx->self, fx->table, va, fx->page, PT_SOFT0, PT_WRITE, NULL,
					NULL),
			     ENOMEM);
		expect_leaf(fx, va, FRAMES + (va - fx->base), prop, fx->giant_level);
	}
	pt_thread_fail_alloc(fx->self, UINT64_MAX);
	expect_ok(pt_table_get_stats(fx->table, &before));
	fx->flushes.n = 0;
	assert_int_equal(protect(fx, va, fx->page, PT_SOFT0, PT_WRITE), 1);
	assert_true(was_flushed(fx, va, fx->page, false));
	expect_ok(pt_table_get_stats(fx->table, &after));
	assert_int_equal(after.splits - before.splits, splits);
	assert_int_equal(after.nodes_taken - before.nodes_taken, trees(fx) * splits);
	flat_init(&model, fx->format);
	flat_map(&model, fx->base, fx->base + fx->giant - 1, FRAMES, prop, fx->giant_level);
	flat_protect(&model, va, va + fx->page - 1, PT_SOFT0, PT_WRITE);
	dump_expect_model(fx, &model);
	flat_free(&model);
}

static void leaves_of_mixed_size_change_alike(struct fixture *fx)
{
	const pt_va_t va = fx->base + fx->huge - fx->page;
	const uint64_t len = 2 * fx->page + 9 * fx->huge;
	uint64_t at;

	expect_ok(pt_map(fx->self, fx->table, va, len, FRAMES - fx->page, RWU, 2));
	assert_int_equal(check(fx).leaves, 2 + 9);
	assert_int_equal(protect(fx, va, len, PT_EXEC, PT_WRITE), len / fx->page);
	for (at = 0; at < len; at += fx->page) {
		unsigned level = at == 0 || at == len - fx->page ? 1 : 2;

		expect_leaf(fx, va + at, FRAMES - fx->page + at, PT_READ | PT_EXEC | PT_USER,
			    level);
	}
	assert_int_equal(unmap(fx, va, len), len / fx->page);
}

static void accessed_and_dirty_stay_unless_cleared(struct fixture *fx)
{
	pt_pa_t pa;

	map(fx, fx->base, fx->page, FRAMES, RWU);
	expect_ok(pt_access(fx->self, fx->table, fx->base, PT_ACCESS_WRITE, true, &pa));
	protect(fx, fx->base, fx->page, PT_EXEC, PT_WRITE);
	expect_leaf(fx, fx->base, FRAMES, PT_READ | PT_EXEC | PT_USER | PT_ACCESSED | PT_DIRTY, 1);
	protect(fx, fx->base, fx->page, 0, PT_DIRTY);
	expect_leaf(fx, fx->base, FRAMES, PT_READ | PT_EXEC | PT_USER | PT_ACCESSED, 1);
	protect(fx, fx->base, fx->page, 0, PT_ACCESSED);
	expect_leaf(fx, fx->base, FRAMES, PT_READ | PT_EXEC | PT_USER, 1);
}

static void what_is_not_a_property_is_refused(struct fixture *fx)
{
	struct pt_table *t = fx->table;
	uint64_t pages = 77;
	unsigned bit;

	map(fx, fx->base, fx->page, FRAMES, RW);
	for (bit = 0; bit < 32; bit++) {
		if ((fx->format->props | PT_CACHE_MASK) >> bit & 1)
			continue;
		expect_error(
			pt_protect(fx->self, t, fx->base, fx->page, 1u << bit, 0, NULL, &pages),
			EINVAL);
	}
	expect_error(pt_protect(fx->self, t, fx->base, fx->page, PT_TRACKED, 0, NULL, &pages),
		     EINVAL);
	expect_error(pt_protect(fx->self, t, fx->base, fx->page, 0, PT_TRACKED, NULL, &pages),
		     EINVAL);
	assert_int_equal(pages, 77);
	expect_leaf(fx, fx->base, FRAMES, RW, 1);
}

/*
 * Uncached or-ed to write-through is no policy. The page that makes it so is the last of three; the
 * first two must not change, nor may the huge leaf at the edge be split.
 */
static void a_result_that_cannot_be_expressed_changes_nothing_at_all(struct fixture *fx)
{
	const pt_va_t bad = fx->base + fx->giant + 2 * fx->page;
	const pt_prop_t uncached = PT_CACHE(PT_CACHE_UNCACHED);
	struct dump before;

	map(fx, fx->base, fx->giant, FRAMES, RW);
	map(fx, fx->base + fx->giant, 2 * fx->page, FRAMES, RW);
	map(fx, bad, fx->page, FRAMES, RW | PT_CACHE(PT_CACHE_WRITE_THROUGH));
	dump_take(fx, &before);
	expect_error(pt_protect(fx->self, fx->table, fx->base + fx->page, fx->giant + 2 * fx->page,
				uncached, 0, NULL, NULL),
		     EINVAL);
	dump_expect_unchanged(fx, &before);
	assert_int_equal(fx->flushes.n, 0);
}

static void malformed_ranges_are_refused(struct fixture *fx)
{
	const pt_va_t last_page = fx->last - (fx->page - 1);
	struct pt_table *t = fx->table;

	map(fx, last_page, fx->page, FRAMES, RW);
	expect_error(pt_protect(fx->self, t, last_page + 1, fx->page, 0, PT_WRITE, NULL, NULL),
		     EINVAL);
	expect_error(pt_protect(fx->self, t, last_page, fx->page + 1, 0, PT_WRITE, NULL, NULL),
		     EINVAL);
	expect_error(pt_protect(fx->self, t, last_page, 0, 0, PT_WRITE, NULL, NULL), EINVAL);
	expect_error(pt_protect(fx->self, t, last_page, 2 * fx->page, 0, PT_WRITE, NULL, NULL),
		     ERANGE);
	expect_error(pt_protect(fx->self, t, fx->last + 1, fx->page, 0, PT_WRITE, NULL, NULL),
		     ERANGE);
	expect_leaf(fx, last_page, FRAMES, RW, 1);
}

static void the_last_page_of_the_address_space_can_be_protected(struct fixture *fx)
{
	fixture_use_upper_half(fx);
	map(fx, 0 - fx->giant, fx->giant, FRAMES, RW);
	assert_int_equal(protect(fx, 0 - fx->page, fx->page, 0, PT_WRITE), 1);
	expect_leaf(fx, UINT64_MAX, FRAMES + fx->giant - 1, PT_READ, 1);
	expect_leaf(fx, 0 - 2 * fx->page, FRAMES + fx->giant - 2 * fx->page, RW, 1);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(only_the_named_bits_change),
		TEST(each_bit_can_be_set_and_cleared),
		TEST(a_bit_both_set_and_cleared_is_set),
		TEST(the_cache_policy_is_replaced),
		TEST(without_read_it_is_still_a_mapping),
		TEST(holes_and_marks_are_skipped),
		TEST(an_empty_range_is_fine_and_creates_nothing),
		TEST(huge_leaves_at_the_edges_are_split),
		TEST(a_page_of_the_largest_leaf_is_split_out),
		TEST(leaves_of_mixed_size_change_alike),
		TEST(accessed_and_dirty_stay_unless_cleared),
		TEST(what_is_not_a_property_is_refused),
		TEST(a_result_that_cannot_be_expressed_changes_nothing_at_all),
		TEST(malformed_ranges_are_refused),
		TEST(the_last_page_of_the_address_space_can_be_protected),
	};

	return run_on_all_pairs("protect", cases, sizeof(cases) / sizeof(cases[0]));
}

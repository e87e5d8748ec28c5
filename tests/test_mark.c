/* SPDX-License-Identifier: MIT */
/* pt_mark(): software state of what is not mapped. */
#include "dump.h"

static int mark(struct fixture *fx, pt_va_t va, uint64_t len, uint64_t value)
{
	return pt_mark(fx->self, fx->table, va, len, value);
}

static void a_mark_is_seen_by_queries_and_not_by_the_mmu(struct fixture *fx)
{
	pt_pa_t pa;

	expect_ok(mark(fx, fx->base, 2 * fx->page, 42));
	expect_mark(fx, fx->base, 42);
	expect_mark(fx, fx->base + 2 * fx->page - 1, 42);
	expect_empty(fx, fx->base + 2 * fx->page);
	expect_empty(fx, fx->base - 1);
	expect_error(pt_access(fx->self, fx->table, fx->base, PT_ACCESS_READ, false, &pa), ENOENT);
}

static void zero_and_the_largest_value_are_marks_like_others(struct fixture *fx)
{
	const uint64_t largest = (UINT64_C(1) << fx->format->mark_bits) - 1;

	expect_ok(mark(fx, fx->base, fx->page, 0));
	expect_ok(mark(fx, fx->base + fx->page, fx->page, largest));
	expect_mark(fx, fx->base, 0);
	expect_mark(fx, fx->base + fx->page, largest);
	assert_int_equal(check(fx).marks, 2);
	expect_error(mark(fx, fx->base, fx->page, largest + 1), EINVAL);
	expect_error(mark(fx, fx->base, fx->page, UINT64_MAX), EINVAL);
	expect_mark(fx, fx->base, 0);
}

static void a_mark_replaces_a_mark(struct fixture *fx)
{
	expect_ok(mark(fx, fx->base, 3 * fx->page, 1));
	expect_ok(mark(fx, fx->base + fx->page, fx->page, 2));
	expect_mark(fx, fx->base, 1);
	expect_mark(fx, fx->base + fx->page, 2);
	expect_mark(fx, fx->base + 2 * fx->page, 1);
}

static void large_marks_take_few_slots(struct fixture *fx)
{
	const pt_va_t va = fx->base - fx->page;
	const uint64_t len = pt_page_size(fx->format, fx->format->levels) + 2 * fx->page;
	struct pt_check_report report;

	expect_ok(mark(fx, va, len, 5));
	report = check(fx);
	assert_int_equal(report.marks, 3);
	expect_mark(fx, va, 5);
	expect_mark(fx, fx->base, 5);
	expect_mark(fx, va + len - 1, 5);
	expect_empty(fx, va - 1);
	expect_empty(fx, va + len);
	assert_true(query(fx, fx->base).len > fx->huge);
}

static void mapping_into_a_large_mark_keeps_the_rest(struct fixture *fx)
{
	const pt_va_t va = fx->base + fx->giant + fx->page;

	expect_ok(mark(fx, fx->base, 3 * fx->giant, 6));
	map(fx, va, fx->page, FRAMES, RW);
	expect_leaf(fx, va, FRAMES, RW, 1);
	expect_mark(fx, va - 1, 6);
	expect_mark(fx, va + fx->page, 6);
	expect_mark(fx, fx->base, 6);
	expect_mark(fx, fx->base + 2 * fx->giant, 6);
	expect_mark(fx, fx->base + 3 * fx->giant - 1, 6);
	expect_empty(fx, fx->base + 3 * fx->giant);
	check(fx);
}

static void a_huge_leaf_replaces_a_table_of_marks(struct fixture *fx)
{
	expect_ok(mark(fx, fx->base, fx->page, 1));
	expect_ok(mark(fx, fx->base + fx->page, fx->huge, 2));
	map(fx, fx->base, fx->giant, FRAMES, RW);
	expect_leaf(fx, fx->base, FRAMES, RW, fx->giant_level);
	assert_int_equal(check(fx).leaves, 1);
	if (fx->giant > fx->huge)
		assert_int_equal(check(fx).marks, 0);
}

static void unmapping_removes_marks_and_counts_no_page(struct fixture *fx)
{
	expect_ok(mark(fx, fx->base, 2 * fx->giant, 7));
	assert_int_equal(unmap(fx, fx->base + fx->page, fx->page), 0);
	expect_mark(fx, fx->base, 7);
	expect_empty(fx, fx->base + fx->page);
	expect_mark(fx, fx->base + 2 * fx->page, 7);
	expect_mark(fx, fx->base + fx->giant, 7);
	assert_int_equal(fx->flushes.n, 0);
	assert_int_equal(unmap(fx, fx->base, 2 * fx->giant), 0);
	assert_int_equal(check(fx).marks, 0);
}

static void what_is_mapped_is_not_marked(struct fixture *fx)
{
	struct dump before;

	map(fx, fx->base + fx->page, fx->page, FRAMES, 0);
	map(fx, fx->base + fx->giant, fx->giant, FRAMES, RW);
	dump_take(fx, &before);
	expect_error(mark(fx, fx->base, 2 * fx->page, 1), EEXIST);
	expect_error(mark(fx, fx->base + fx->page, 2 * fx->page, 1), EEXIST);
	expect_error(mark(fx, fx->base + fx->giant + fx->page, fx->page, 1), EEXIST);
	expect_error(mark(fx, fx->base + fx->giant - fx->huge, 2 * fx->huge, 1), EEXIST);
	expect_error(mark(fx, fx->first, fx->last - fx->first + 1, 1), EEXIST);
	dump_expect_unchanged(fx, &before);
}

static void the_whole_address_space_can_be_marked(struct fixture *fx)
{
	expect_ok(mark(fx, fx->first, fx->last - fx->first + 1, 8));
	expect_mark(fx, fx->first, 8);
	expect_mark(fx, fx->last, 8);
	expect_mark(fx, fx->base + fx->page, 8);
	assert_int_equal(unmap(fx, fx->last - (fx->page - 1), fx->page), 0);
	expect_empty(fx, fx->last);
	expect_mark(fx, fx->last - fx->page, 8);
	expect_mark(fx, fx->first, 8);
}

static void the_upper_half_can_be_marked_to_its_last_byte(struct fixture *fx)
{
	fixture_use_upper_half(fx);
	the_whole_address_space_can_be_marked(fx);
}

static void malformed_ranges_are_refused(struct fixture *fx)
{
	expect_error(mark(fx, fx->base + 1, fx->page, 1), EINVAL);
	expect_error(mark(fx, fx->base, fx->page + 1, 1), EINVAL);
	expect_error(mark(fx, fx->base, 0, 1), EINVAL);
	expect_error(mark(fx, fx->last - (fx->page - 1), 2 * fx->page, 1), ERANGE);
	expect_error(mark(fx, fx->last + 1, fx->page, 1), ERANGE);
	assert_int_equal(check(fx).marks, 0);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(a_mark_is_seen_by_queries_and_not_by_the_mmu),
		TEST(zero_and_the_largest_value_are_marks_like_others),
		TEST(a_mark_replaces_a_mark),
		TEST(large_marks_take_few_slots),
		TEST(mapping_into_a_large_mark_keeps_the_rest),
		TEST(a_huge_leaf_replaces_a_table_of_marks),
		TEST(unmapping_removes_marks_and_counts_no_page),
		TEST(what_is_mapped_is_not_marked),
		TEST(the_whole_address_space_can_be_marked),
		TEST(the_upper_half_can_be_marked_to_its_last_byte),
		TEST(malformed_ranges_are_refused),
	};

	return run_on_all_pairs("mark", cases, sizeof(cases) / sizeof(cases[0]));
}

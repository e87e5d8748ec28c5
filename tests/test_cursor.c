/* SPDX-License-Identifier: MIT */
/* Cursors: opening, where they stand, query, find next, jump. */
#include "support.h"

/* ---- opening ---- */

static void malformed_ranges_are_refused(struct fixture *fx)
{
	const pt_va_t last_page = fx->last - (fx->page - 1);
	const struct {
		pt_va_t va;
		uint64_t len;
		int error;
	} cases[] = {
		{fx->base, 0, EINVAL},
		{fx->base + 1, fx->page, EINVAL},
		{fx->base, fx->page + 1, EINVAL},
		{fx->base, 0 - fx->page, EINVAL},
		{fx->last + 1, fx->page, ERANGE},
		{last_page, 2 * fx->page, ERANGE},
		{fx->first, fx->last - fx->first + 1 + fx->page, ERANGE},
	};
	struct pt_cursor c;
	unsigned i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_error(pt_cursor_begin(fx->self, fx->table, cases[i].va, cases[i].len,
					     PT_READ_ONLY, 1, &c),
			     cases[i].error);
	/* Nothing was left open. */
	map(fx, fx->base, fx->page, FRAMES, RW);
}

static void modes_and_levels_that_do_not_exist_are_refused(struct fixture *fx)
{
	struct pt_table *t = fx->table;
	struct pt_cursor c;

	expect_error(pt_cursor_begin(fx->self, t, fx->base, fx->page, PT_BUILD, 0, &c), EINVAL);
	expect_error(pt_cursor_begin(fx->self, t, fx->base, fx->page, PT_BUILD,
				     fx->format->levels + 1, &c),
		     EINVAL);
	expect_error(pt_cursor_begin(fx->self, t, fx->base, fx->page, (enum pt_mode)3, 1, &c),
		     EINVAL);
	assert_int_equal(check(fx).nodes, 1);
}

static void any_range_of_the_table_can_be_held(struct fixture *fx)
{
	struct pt_cursor c;

	begin_cursor(fx, fx->first, fx->last - fx->first + 1, PT_CHANGE, &c);
	pt_cursor_end(&c);
	begin_cursor(fx, fx->first, fx->page, PT_BUILD, &c);
	pt_cursor_end(&c);
	begin_cursor(fx, fx->last - (fx->page - 1), fx->page, PT_READ_ONLY, &c);
	pt_cursor_end(&c);
	check(fx);
}

static void a_thread_has_one_cursor_at_a_time(struct fixture *fx)
{
	struct pt_check_report report;
	struct pt_mapping before = query(fx, fx->base);
	struct pt_cursor c, second;
	struct pt_table *t = fx->table;

	begin_cursor(fx, fx->base, fx->page, PT_READ_ONLY, &c);
	expect_error(pt_cursor_begin(fx->self, t, fx->base + fx->giant, fx->page, PT_READ_ONLY, 1,
				     &second),
		     EDEADLK);
	expect_error(pt_map(fx->self, t, fx->base, fx->page, FRAMES, RW, 1), EDEADLK);
	expect_error(pt_unmap(fx->self, t, fx->base, fx->page, NULL, NULL), EDEADLK);
	expect_error(pt_protect(fx->self, t, fx->base, fx->page, 0, PT_WRITE, NULL, NULL), EDEADLK);
	expect_error(pt_mark(fx->self, t, fx->base, fx->page, 1), EDEADLK);
	expect_error(pt_check(fx->self, t, &report), EDEADLK);
	pt_cursor_end(&c);
	assert_int_equal(query(fx, fx->base).kind, before.kind);
	begin_cursor(fx, fx->base, fx->page, PT_CHANGE, &c);
	pt_cursor_end(&c);
}

/* Modes: what each may do. */
static void a_read_cursor_changes_nothing(struct fixture *fx)
{
	struct pt_gather g;
	struct pt_taken taken;
	struct pt_cursor c;

	map(fx, fx->base, fx->page, FRAMES, RW);
	pt_gather_init(&g, fx->self, fx->table, NULL, NULL);
	begin_cursor(fx, fx->base, 2 * fx->page, PT_READ_ONLY, &c);
	expect_error(pt_cursor_take_next(&c, fx->page, &g, &taken), EINVAL);
	expect_ok(pt_cursor_jump(&c, fx->base + fx->page));
	expect_error(map_at_cursor(&c, FRAMES, RW, 1), EINVAL);
	expect_error(pt_cursor_mark(&c, fx->page, 1), EINVAL);
	assert_int_equal(pt_cursor_va(&c), fx->base + fx->page);
	pt_cursor_end(&c);
	expect_ok(pt_gather_sync(&g));
	expect_leaf(fx, fx->base, FRAMES, RW, 1);
	expect_empty(fx, fx->base + fx->page);
}

static void a_change_cursor_maps_and_marks_nothing(struct fixture *fx)
{
	struct pt_cursor c;

	begin_cursor(fx, fx->base, fx->page, PT_CHANGE, &c);
	expect_error(map_at_cursor(&c, FRAMES, RW, 1), EINVAL);
	expect_error(pt_cursor_mark(&c, fx->page, 1), EINVAL);
	pt_cursor_end(&c);
	assert_int_equal(check(fx).nodes, 1);
}

static void read_and_change_cursors_create_no_tables(struct fixture *fx)
{
	struct pt_mapping m;
	struct pt_cursor c;
	pt_va_t va;

	pt_thread_fail_alloc(fx->self, 0);
	begin_cursor(fx, fx->base, fx->page, PT_READ_ONLY, &c);
	expect_ok(pt_cursor_query(&c, &m));
	expect_error(pt_cursor_find_next(&c, fx->page, &va), ENOENT);
	pt_cursor_end(&c);
	begin_cursor(fx, fx->base, fx->page, PT_CHANGE, &c);
	pt_cursor_end(&c);
	pt_thread_fail_alloc(fx->self, UINT64_MAX);
	assert_int_equal(check(fx).nodes, 1);
}

/* ---- query ---- */

static void a_query_may_reach_beyond_the_range_on_both_sides(struct fixture *fx)
{
	struct pt_mapping m;
	struct pt_cursor c;

	map(fx, fx->base, fx->giant, FRAMES, RW);
	begin_cursor(fx, fx->base + fx->page, fx->page, PT_READ_ONLY, &c);
	expect_ok(pt_cursor_query(&c, &m));
	pt_cursor_end(&c);
	assert_int_equal(m.kind, PT_KIND_LEAF);
	assert_int_equal(m.va, fx->base);
	assert_int_equal(m.len, fx->giant);
	assert_int_equal(m.item.pa, FRAMES);
	assert_int_equal(m.item.level, fx->giant_level);
}

static void a_query_does_not_move_the_cursor(struct fixture *fx)
{
	struct pt_mapping m;
	struct pt_cursor c;

	map(fx, fx->base, fx->page, FRAMES, RW);
	begin_cursor(fx, fx->base, 2 * fx->page, PT_READ_ONLY, &c);
	expect_ok(pt_cursor_query(&c, &m));
	expect_ok(pt_cursor_query(&c, &m));
	assert_int_equal(pt_cursor_va(&c), fx->base);
	assert_int_equal(m.va, fx->base);
	pt_cursor_end(&c);
}

static void at_the_end_there_is_nothing_to_do(struct fixture *fx)
{
	struct pt_mapping m = {.va = 77};
	struct pt_taken taken;
	struct pt_gather g;
	struct pt_cursor c;
	pt_va_t va = 77;

	pt_gather_init(&g, fx->self, fx->table, NULL, NULL);
	begin_cursor(fx, fx->base, fx->page, PT_BUILD, &c);
	expect_ok(map_at_cursor(&c, FRAMES, RW, 1));
	assert_int_equal(pt_cursor_va(&c), fx->base + fx->page);
	expect_error(pt_cursor_query(&c, &m), ERANGE);
	expect_error(pt_cursor_find_next(&c, fx->page, &va), ERANGE);
	expect_error(pt_cursor_take_next(&c, fx->page, &g, &taken), ERANGE);
	expect_error(pt_cursor_mark(&c, fx->page, 1), ERANGE);
	expect_error(map_at_cursor(&c, FRAMES, RW, 1), ERANGE);
	assert_int_equal(pt_cursor_va(&c), fx->base + fx->page);
	pt_cursor_end(&c);
	assert_int_equal(m.va, 77);
	assert_int_equal(va, 77);
	assert_int_equal(check(fx).leaves, 1);
}

static void the_end_of_the_address_space_is_an_end_like_any_other(struct fixture *fx)
{
	struct pt_mapping m;
	struct pt_cursor c;
	pt_va_t va;

	fixture_use_upper_half(fx);
	begin_cursor(fx, 0 - 2 * fx->page, 2 * fx->page, PT_BUILD, &c);
	expect_ok(map_at_cursor(&c, FRAMES, RW, 1));
	expect_ok(map_at_cursor(&c, FRAMES + fx->page, RW, 1));
	assert_int_equal(pt_cursor_va(&c), 0);
	expect_error(pt_cursor_query(&c, &m), ERANGE);
	expect_error(map_at_cursor(&c, FRAMES, RW, 1), ERANGE);
	expect_error(pt_cursor_find_next(&c, fx->page, &va), ERANGE);
	expect_ok(pt_cursor_jump(&c, 0 - fx->page));
	expect_ok(pt_cursor_query(&c, &m));
	assert_int_equal(m.item.pa, FRAMES + fx->page);
	expect_ok(pt_cursor_jump(&c, 0 - 2 * fx->page));
	expect_ok(pt_cursor_find_next(&c, 2 * fx->page, &va));
	assert_int_equal(va, 0 - 2 * fx->page);
	pt_cursor_end(&c);
}

/* ---- find next ---- */

static void find_next_skips_holes_marks_and_empty_tables(struct fixture *fx)
{
	const uint64_t len = 3 * fx->giant;
	struct pt_cursor c;
	pt_va_t va;

	map(fx, fx->base + fx->page, fx->page, FRAMES, RW);
	unmap(fx, fx->base + fx->page, fx->page); /* an empty table stays */
	expect_ok(pt_mark(fx->self, fx->table, fx->base + 2 * fx->page, fx->page, 1));
	map(fx, fx->base + 2 * fx->giant, fx->giant, FRAMES,
	    0); /* no PT_READ: mapped all the same */
	begin_cursor(fx, fx->base, len, PT_READ_ONLY, &c);
	expect_ok(pt_cursor_find_next(&c, len, &va));
	assert_int_equal(va, fx->base + 2 * fx->giant);
	assert_int_equal(pt_cursor_va(&c), va);
	pt_cursor_end(&c);
}

static void find_next_stays_on_a_mapped_address(struct fixture *fx)
{
	struct pt_cursor c;
	pt_va_t va;

	map(fx, fx->base, fx->giant, FRAMES, RW);
	/* in the middle of a huge leaf, which is not split */
	begin_cursor(fx, fx->base + fx->page, 2 * fx->page, PT_CHANGE, &c);
	expect_ok(pt_cursor_find_next(&c, fx->page, &va));
	assert_int_equal(va, fx->base + fx->page);
	assert_int_equal(pt_cursor_va(&c), va);
	pt_cursor_end(&c);
	expect_leaf(fx, fx->base, FRAMES, RW, fx->giant_level);
}

static void find_next_looks_no_further_than_asked(struct fixture *fx)
{
	struct pt_cursor c;
	pt_va_t va = 77;

	map(fx, fx->base + 2 * fx->page, fx->page, FRAMES, RW);
	begin_cursor(fx, fx->base, 3 * fx->page, PT_READ_ONLY, &c);
	expect_error(pt_cursor_find_next(&c, 2 * fx->page, &va), ENOENT);
	assert_int_equal(va, 77);
	assert_int_equal(pt_cursor_va(&c), fx->base + 2 * fx->page);
	expect_ok(pt_cursor_find_next(&c, fx->page, &va));
	assert_int_equal(va, fx->base + 2 * fx->page);
	pt_cursor_end(&c);
}

static void find_next_does_not_see_what_lies_behind_the_range(struct fixture *fx)
{
	struct pt_cursor c;
	pt_va_t va;

	map(fx, fx->base - fx->page, fx->page, FRAMES, RW);
	map(fx, fx->base + fx->huge, fx->page, FRAMES, RW);
	begin_cursor(fx, fx->base, fx->huge, PT_READ_ONLY, &c);
	expect_error(pt_cursor_find_next(&c, fx->huge, &va), ENOENT);
	assert_int_equal(pt_cursor_va(&c), fx->base + fx->huge);
	pt_cursor_end(&c);
}

static void find_next_refuses_lengths_that_are_malformed_or_too_long(struct fixture *fx)
{
	struct pt_cursor c;
	pt_va_t va;

	map(fx, fx->base, fx->page, FRAMES, RW);
	begin_cursor(fx, fx->base, 2 * fx->page, PT_READ_ONLY, &c);
	expect_error(pt_cursor_find_next(&c, 0, &va), EINVAL);
	expect_error(pt_cursor_find_next(&c, fx->page + 1, &va), EINVAL);
	expect_error(pt_cursor_find_next(&c, 3 * fx->page, &va), ERANGE);
	expect_error(pt_cursor_find_next(&c, 0 - fx->page, &va), ERANGE);
	assert_int_equal(pt_cursor_va(&c), fx->base);
	pt_cursor_end(&c);
}

/* ---- jump ---- */

static void jump_goes_anywhere_in_the_range_and_nowhere_else(struct fixture *fx)
{
	const uint64_t len = 2 * fx->giant;
	struct pt_cursor c;

	begin_cursor(fx, fx->base, len, PT_READ_ONLY, &c);
	expect_ok(pt_cursor_jump(&c, fx->base + len - fx->page));
	assert_int_equal(pt_cursor_va(&c), fx->base + len - fx->page);
	expect_ok(pt_cursor_jump(&c, fx->base + fx->page));
	expect_ok(pt_cursor_jump(&c, fx->base));
	expect_error(pt_cursor_jump(&c, fx->base + len), ERANGE);
	expect_error(pt_cursor_jump(&c, fx->base - fx->page), ERANGE);
	expect_error(pt_cursor_jump(&c, fx->base + 1), EINVAL);
	expect_error(pt_cursor_jump(&c, UINT64_MAX - (fx->page - 1)), ERANGE);
	assert_int_equal(pt_cursor_va(&c), fx->base);
	pt_cursor_end(&c);
}

static void jump_back_and_map_what_was_left_out(struct fixture *fx)
{
	struct pt_cursor c;

	begin_cursor(fx, fx->base, 2 * fx->huge, PT_BUILD, &c);
	expect_ok(pt_cursor_jump(&c, fx->base + fx->huge));
	expect_ok(map_at_cursor(&c, FRAMES + fx->huge, RW, 2));
	expect_ok(pt_cursor_jump(&c, fx->base));
	expect_ok(map_at_cursor(&c, FRAMES, RW, 2));
	assert_int_equal(pt_cursor_va(&c), fx->base + fx->huge);
	pt_cursor_end(&c);
	expect_leaf(fx, fx->base, FRAMES, RW, 2);
	expect_leaf(fx, fx->base + fx->huge, FRAMES + fx->huge, RW, 2);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(malformed_ranges_are_refused),
		TEST(modes_and_levels_that_do_not_exist_are_refused),
		TEST(any_range_of_the_table_can_be_held),
		TEST(a_thread_has_one_cursor_at_a_time),
		TEST(a_read_cursor_changes_nothing),
		TEST(a_change_cursor_maps_and_marks_nothing),
		TEST(read_and_change_cursors_create_no_tables),
		TEST(a_query_may_reach_beyond_the_range_on_both_sides),
		TEST(a_query_does_not_move_the_cursor),
		TEST(at_the_end_there_is_nothing_to_do),
		TEST(the_end_of_the_address_space_is_an_end_like_any_other),
		TEST(find_next_skips_holes_marks_and_empty_tables),
		TEST(find_next_stays_on_a_mapped_address),
		TEST(find_next_looks_no_further_than_asked),
		TEST(find_next_does_not_see_what_lies_behind_the_range),
		TEST(find_next_refuses_lengths_that_are_malformed_or_too_long),
		TEST(jump_goes_anywhere_in_the_range_and_nowhere_else),
		TEST(jump_back_and_map_what_was_left_out),
	};

	return run_on_all_pairs("cursor", cases, sizeof(cases) / sizeof(cases[0]));
}

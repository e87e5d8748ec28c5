/* SPDX-License-Identifier: MIT */
/* What a cursor maps and marks, and what it refuses. */
#include "dump.h"

/* ---- map ---- */

static void map_moves_behind_what_it_mapped(struct fixture *fx)
{
	const pt_va_t end = fx->base + fx->giant + 2 * fx->page;
	struct pt_cursor c;

	begin_cursor(fx, fx->base, fx->giant + 2 * fx->page, PT_BUILD, &c);
	expect_ok(map_at_cursor(&c, FRAMES, RWU, fx->giant_level));
	assert_int_equal(pt_cursor_va(&c), fx->base + fx->giant);
	expect_ok(map_at_cursor(&c, FRAMES + fx->giant, PT_READ, 1));
	expect_ok(map_at_cursor(&c, FRAMES + 7 * fx->page, RW, 1));
	assert_int_equal(pt_cursor_va(&c), end);
	pt_cursor_end(&c);
	expect_leaf(fx, fx->base, FRAMES, RWU, fx->giant_level);
	expect_leaf(fx, fx->base + fx->giant, FRAMES + fx->giant, PT_READ, 1);
	expect_leaf(fx, end - fx->page, FRAMES + 7 * fx->page, RW, 1);
	expect_empty(fx, end);
}

static void map_refuses_what_does_not_fit(struct fixture *fx)
{
	struct pt_cursor c;

	begin_cursor(fx, fx->base + fx->page, fx->giant, PT_BUILD, &c);
	/* misaligned address, then misaligned frame */
	expect_error(map_at_cursor(&c, FRAMES, RW, 2), EINVAL);
	expect_error(map_at_cursor(&c, FRAMES + 1, RW, 1), EINVAL);
	expect_ok(pt_cursor_jump(&c, fx->base + fx->giant));
	expect_error(map_at_cursor(&c, FRAMES + fx->page, RW, 2), EINVAL);
	/* longer than what is left */
	expect_error(map_at_cursor(&c, FRAMES, RW, 2), ERANGE);
	/* levels without leaves */
	expect_error(map_at_cursor(&c, FRAMES, RW, 0), EINVAL);
	expect_error(map_at_cursor(&c, FRAMES, RW, fx->format->levels), EINVAL);
	expect_error(map_at_cursor(&c, FRAMES, RW, fx->format->levels + 1), EINVAL);
	expect_error(map_at_cursor(&c, FRAMES, 1u << 30, 1), EINVAL);
	expect_error(map_at_cursor(&c, UINT64_C(1) << fx->format->pa_bits, RW, 1), EINVAL);
	assert_int_equal(pt_cursor_va(&c), fx->base + fx->giant);
	pt_cursor_end(&c);
	assert_int_equal(check(fx).leaves, 0);
}

static void map_and_mark_do_not_reach_above_top(struct fixture *fx)
{
	struct pt_mapping m;
	struct pt_cursor c;

	expect_ok(pt_cursor_begin(fx->self, fx->table, fx->base, 2 * fx->huge, PT_BUILD, 1, &c));
	expect_error(map_at_cursor(&c, FRAMES, RW, 2), ERANGE);
	expect_ok(map_at_cursor(&c, FRAMES, RW, 1));
	expect_ok(pt_cursor_jump(&c, fx->base + fx->huge));
	expect_ok(pt_cursor_mark(&c, fx->huge, 5));
	expect_ok(pt_cursor_jump(&c, fx->base + fx->huge));
	expect_ok(pt_cursor_query(&c, &m));
	assert_int_equal(m.kind, PT_KIND_MARK);
	assert_int_equal(m.len, fx->page);
	pt_cursor_end(&c);
	assert_int_equal(check(fx).marks, fx->huge / fx->page);
}

static void map_does_not_replace_what_is_mapped(struct fixture *fx)
{
	struct dump before;
	struct pt_cursor c;

	map(fx, fx->base + fx->page, fx->page, FRAMES, RW);
	map(fx, fx->base + fx->giant, fx->giant, FRAMES, RW);
	dump_take(fx, &before);
	begin_cursor(fx, fx->base, 2 * fx->giant, PT_BUILD, &c);
	expect_error(map_at_cursor(&c, FRAMES, RW, 2), EEXIST); /* over a table that is in use */
	assert_int_equal(pt_cursor_va(&c), fx->base);
	expect_ok(pt_cursor_jump(&c, fx->base + fx->page));
	expect_error(map_at_cursor(&c, FRAMES, RW, 1), EEXIST);
	expect_ok(pt_cursor_jump(&c, fx->base + fx->giant + fx->page));
	expect_error(map_at_cursor(&c, FRAMES, RW, 1), EEXIST); /* a piece of a huge leaf */
	expect_ok(pt_cursor_jump(&c, fx->base + fx->giant));
	expect_error(map_at_cursor(&c, FRAMES, RW, fx->giant_level), EEXIST);
	pt_cursor_end(&c);
	dump_expect_unchanged(fx, &before);
}

static void map_replaces_a_table_that_is_empty(struct fixture *fx)
{
	struct pt_cursor c;

	map(fx, fx->base, fx->page, FRAMES, RW);
	unmap(fx, fx->base, fx->page);
	begin_cursor(fx, fx->base, fx->giant, PT_BUILD, &c);
	expect_ok(map_at_cursor(&c, FRAMES, RW, fx->giant_level));
	pt_cursor_end(&c);
	expect_leaf(fx, fx->base + fx->page, FRAMES + fx->page, RW, fx->giant_level);
}

static void map_replaces_marks_and_splits_larger_ones(struct fixture *fx)
{
	struct pt_cursor c;

	expect_ok(pt_mark(fx->self, fx->table, fx->base, fx->giant, 4));
	begin_cursor(fx, fx->base + fx->page, fx->page, PT_BUILD, &c);
	expect_ok(map_at_cursor(&c, FRAMES, RW, 1));
	pt_cursor_end(&c);
	expect_mark(fx, fx->base, 4);
	expect_leaf(fx, fx->base + fx->page, FRAMES, RW, 1);
	expect_mark(fx, fx->base + 2 * fx->page, 4);
	expect_mark(fx, fx->base + fx->giant - 1, 4);
}

/* ---- mark ---- */

static void mark_moves_behind_what_it_marked(struct fixture *fx)
{
	struct pt_cursor c;

	begin_cursor(fx, fx->base, fx->giant + fx->page, PT_BUILD, &c);
	expect_ok(pt_cursor_mark(&c, fx->page, 1));
	assert_int_equal(pt_cursor_va(&c), fx->base + fx->page);
	expect_ok(pt_cursor_mark(&c, fx->giant, 2));
	assert_int_equal(pt_cursor_va(&c), fx->base + fx->giant + fx->page);
	pt_cursor_end(&c);
	expect_mark(fx, fx->base, 1);
	expect_mark(fx, fx->base + fx->page, 2);
	expect_mark(fx, fx->base + fx->giant, 2);
	expect_empty(fx, fx->base + fx->giant + fx->page);
}

static void mark_refuses_what_is_mapped_malformed_or_too_long(struct fixture *fx)
{
	struct pt_cursor c;

	map(fx, fx->base + fx->page, fx->page, FRAMES, RW);
	begin_cursor(fx, fx->base, 2 * fx->page, PT_BUILD, &c);
	expect_error(pt_cursor_mark(&c, 2 * fx->page, 1), EEXIST);
	expect_error(pt_cursor_mark(&c, 0, 1), EINVAL);
	expect_error(pt_cursor_mark(&c, fx->page + 1, 1), EINVAL);
	expect_error(pt_cursor_mark(&c, 3 * fx->page, 1), ERANGE);
	expect_error(pt_cursor_mark(&c, fx->page, UINT64_C(1) << fx->format->mark_bits), EINVAL);
	assert_int_equal(pt_cursor_va(&c), fx->base);
	pt_cursor_end(&c);
	expect_empty(fx, fx->base);
	assert_int_equal(check(fx).marks, 0);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(map_moves_behind_what_it_mapped),
		TEST(map_refuses_what_does_not_fit),
		TEST(map_and_mark_do_not_reach_above_top),
		TEST(map_does_not_replace_what_is_mapped),
		TEST(map_replaces_a_table_that_is_empty),
		TEST(map_replaces_marks_and_splits_larger_ones),
		TEST(mark_moves_behind_what_it_marked),
		TEST(mark_refuses_what_is_mapped_malformed_or_too_long),
	};

	return run_on_all_pairs("cursor fill", cases, sizeof(cases) / sizeof(cases[0]));
}

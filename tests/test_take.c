/* SPDX-License-Identifier: MIT */
/* What a cursor takes out and what it protects, one mapping at a time. */
#include "dump.h"

struct session {
	struct fixture *fx;
	struct pt_cursor c;
	struct pt_gather g;
	struct pt_taken taken;
	pt_va_t va;
	uint64_t len;
};

static void open_session(struct session *s, struct fixture *fx, pt_va_t va, uint64_t len,
			 unsigned top)
{
	s->fx = fx;
	pt_gather_init(&s->g, fx->self, fx->table, NULL, NULL);
	expect_ok(pt_cursor_begin(fx->self, fx->table, va, len, PT_CHANGE, top, &s->c));
}

static void close_session(struct session *s)
{
	pt_cursor_end(&s->c);
	expect_ok(pt_gather_sync(&s->g));
	check(s->fx);
}

static int take(struct session *s, uint64_t len)
{
	return pt_cursor_take_next(&s->c, len, &s->g, &s->taken);
}

static void expect_taken_leaf(struct session *s, pt_va_t va, pt_pa_t pa, pt_prop_t prop,
			      unsigned level)
{
	uint64_t size = pt_page_size(s->fx->format, level);

	assert_false(s->taken.subtree);
	assert_int_equal(s->taken.va, va);
	assert_int_equal(s->taken.len, size);
	assert_int_equal(s->taken.item.pa, pa);
	assert_int_equal(s->taken.item.prop, prop);
	assert_int_equal(s->taken.item.level, level);
	assert_int_equal(s->taken.pages, size / s->fx->page);
	assert_int_equal(pt_cursor_va(&s->c), va + size);
}

/* ---- take ---- */

static void take_finds_the_next_page_and_moves_behind_it(struct fixture *fx)
{
	struct session s;

	map(fx, fx->base + fx->page, fx->page, FRAMES, RWU | PT_DIRTY);
	map(fx, fx->base + 2 * fx->page, fx->page, FRAMES + fx->page, RW);
	open_session(&s, fx, fx->base, 3 * fx->page, 1);
	expect_ok(take(&s, 3 * fx->page));
	expect_taken_leaf(&s, fx->base + fx->page, FRAMES, RWU | PT_DIRTY, 1);
	close_session(&s);
	expect_empty(fx, fx->base + fx->page);
	expect_leaf(fx, fx->base + 2 * fx->page, FRAMES + fx->page, RW, 1);
}

static void take_finds_a_page_without_read(struct fixture *fx)
{
	struct session s;

	map(fx, fx->base, fx->page, FRAMES, PT_WRITE);
	open_session(&s, fx, fx->base, fx->page, 1);
	expect_ok(take(&s, fx->page));
	expect_taken_leaf(&s, fx->base, FRAMES, PT_WRITE, 1);
	close_session(&s);
	expect_empty(fx, fx->base);
}

static void take_removes_marks_it_passes(struct fixture *fx)
{
	struct session s;

	expect_ok(pt_mark(fx->self, fx->table, fx->base, 2 * fx->page, 3));
	expect_ok(pt_mark(fx->self, fx->table, fx->base + 3 * fx->page, fx->page, 3));
	map(fx, fx->base + 2 * fx->page, fx->page, FRAMES, RW);
	open_session(&s, fx, fx->base + fx->page, 3 * fx->page, 1);
	expect_ok(take(&s, 3 * fx->page));
	expect_taken_leaf(&s, fx->base + 2 * fx->page, FRAMES, RW, 1);
	close_session(&s);
	expect_mark(fx, fx->base, 3); /* before the cursor */
	expect_empty(fx, fx->base + fx->page);
	expect_mark(fx, fx->base + 3 * fx->page, 3); /* behind what was taken */
}

static void with_nothing_mapped_take_stands_behind_the_length(struct fixture *fx)
{
	struct session s;

	expect_ok(pt_mark(fx->self, fx->table, fx->base, 3 * fx->page, 3));
	map(fx, fx->base + 3 * fx->page, fx->page, FRAMES, RW);
	open_session(&s, fx, fx->base, 4 * fx->page, 1);
	s.taken.va = 77;
	expect_error(take(&s, 2 * fx->page), ENOENT);
	assert_int_equal(s.taken.va, 77);
	assert_int_equal(pt_cursor_va(&s.c), fx->base + 2 * fx->page);
	close_session(&s);
	expect_empty(fx, fx->base);
	expect_empty(fx, fx->base + fx->page);
	expect_mark(fx, fx->base + 2 * fx->page, 3);
}

static void take_hands_over_a_whole_table(struct fixture *fx)
{
	struct session s;

	expect_ok(pt_map(fx->self, fx->table, fx->base, 2 * fx->page, FRAMES, RW, 1));
	expect_ok(pt_map(fx->self, fx->table, fx->base + fx->huge - fx->page, 2 * fx->page, FRAMES,
			 RW, 1));
	open_session(&s, fx, fx->base, 2 * fx->huge, 2);
	expect_ok(take(&s, 2 * fx->huge));
	assert_true(s.taken.subtree);
	assert_int_equal(s.taken.va, fx->base);
	assert_int_equal(s.taken.len, fx->huge);
	assert_int_equal(s.taken.pages, 3);
	assert_int_equal(pt_cursor_va(&s.c), fx->base + fx->huge);
	close_session(&s);
	expect_empty(fx, fx->base);
	expect_empty(fx, fx->base + fx->huge - 1);
	expect_leaf(fx, fx->base + fx->huge, FRAMES + fx->page, RW, 1);
	assert_int_equal(check(fx).leaves, 1);
}

static void take_goes_into_a_table_that_is_not_wholly_in_reach(struct fixture *fx)
{
	struct session s;

	map(fx, fx->base, fx->huge, FRAMES + fx->page, RW);
	open_session(&s, fx, fx->base, fx->huge, fx->format->levels);
	expect_ok(take(&s, fx->huge - fx->page));
	expect_taken_leaf(&s, fx->base, FRAMES + fx->page, RW, 1);
	close_session(&s);
	assert_int_equal(check(fx).leaves, fx->huge / fx->page - 1);
}

static void take_leaves_tables_above_top_alone(struct fixture *fx)
{
	struct session s;

	map(fx, fx->base, fx->huge, FRAMES + fx->page, RW);
	open_session(&s, fx, fx->base, fx->huge, 1);
	expect_ok(take(&s, fx->huge));
	expect_taken_leaf(&s, fx->base, FRAMES + fx->page, RW, 1);
	close_session(&s);
}

static void take_passes_over_an_empty_table(struct fixture *fx)
{
	struct session s;

	map(fx, fx->base, fx->page, FRAMES, RW);
	unmap(fx, fx->base, fx->page);
	map(fx, fx->base + fx->giant, fx->giant, FRAMES, RW);
	open_session(&s, fx, fx->base, 2 * fx->giant, fx->giant_level);
	expect_ok(take(&s, 2 * fx->giant));
	expect_taken_leaf(&s, fx->base + fx->giant, FRAMES, RW, fx->giant_level);
	expect_error(pt_cursor_take_next(&s.c, fx->page, &s.g, &s.taken), ERANGE);
	close_session(&s);
}

static void take_counts_the_pages_of_huge_leaves_below(struct fixture *fx)
{
	const uint64_t root_slot = pt_page_size(fx->format, fx->format->levels);
	struct session s;

	map(fx, fx->base, fx->giant, FRAMES, RW);
	map(fx, fx->base + fx->giant, fx->huge, FRAMES, RW);
	map(fx, fx->base + 2 * fx->giant, fx->page, FRAMES, RW);
	expect_ok(pt_mark(fx->self, fx->table, fx->base + 3 * fx->giant, fx->page, 1));
	open_session(&s, fx, fx->base, root_slot, fx->format->levels);
	expect_ok(take(&s, root_slot));
	assert_true(s.taken.subtree);
	assert_int_equal(s.taken.pages, (fx->giant + fx->huge) / fx->page + 1);
	close_session(&s);
	assert_int_equal(check(fx).nodes, 1);
}

static void take_splits_a_leaf_that_reaches_beyond(struct fixture *fx)
{
	struct flatmap model;
	struct session s;

	map(fx, fx->base, fx->giant, FRAMES, RWU | PT_ACCESSED);
	open_session(&s, fx, fx->base + fx->page, fx->page, 1);
	expect_ok(take(&s, fx->page));
	expect_taken_leaf(&s, fx->base + fx->page, FRAMES + fx->page, RWU | PT_ACCESSED, 1);
	close_session(&s);
	flat_init(&model, fx->format);
	flat_map(&model, fx->base, fx->base + (fx->giant - 1), FRAMES, RWU | PT_ACCESSED,
		 fx->giant_level);
	flat_clear(&model, fx->base + fx->page, fx->base + 2 * fx->page - 1);
	dump_expect_model(fx, &model);
	flat_free(&model);
}

static void take_empties_the_last_page_of_the_address_space(struct fixture *fx)
{
	struct session s;

	fixture_use_upper_half(fx);
	map(fx, 0 - fx->huge, fx->huge, FRAMES, RW);
	open_session(&s, fx, 0 - fx->page, fx->page, 1);
	expect_ok(take(&s, fx->page));
	expect_taken_leaf(&s, 0 - fx->page, FRAMES + fx->huge - fx->page, RW, 1);
	assert_int_equal(pt_cursor_va(&s.c), 0);
	expect_error(take(&s, fx->page), ERANGE);
	close_session(&s);
	expect_empty(fx, UINT64_MAX);
	expect_leaf(fx, 0 - 2 * fx->page, FRAMES + fx->huge - 2 * fx->page, RW, 1);
}

static void the_table_of_a_pinned_root_slot_is_not_taken(struct fixture *fx)
{
	const uint64_t root_slot = pt_page_size(fx->format, fx->format->levels);
	struct session s;

	fx->config.top_pinned = true;
	fixture_new_table(fx);
	map(fx, fx->base + fx->page, fx->page, FRAMES, RW);
	open_session(&s, fx, fx->base, root_slot, fx->format->levels);
	expect_ok(take(&s, root_slot));
	assert_true(!s.taken.subtree || s.taken.len < root_slot);
	assert_int_equal(s.taken.pages, 1);
	close_session(&s);
	assert_true(check(fx).nodes >= 2);
}

static void take_refuses_malformed_requests(struct fixture *fx)
{
	struct session s;

	map(fx, fx->base, fx->page, FRAMES, RW);
	open_session(&s, fx, fx->base, 2 * fx->page, 1);
	expect_error(take(&s, 0), EINVAL);
	expect_error(take(&s, fx->page + 1), EINVAL);
	expect_error(take(&s, 3 * fx->page), ERANGE);
	expect_error(pt_cursor_take_next(&s.c, fx->page, NULL, &s.taken), EINVAL);
	assert_int_equal(pt_cursor_va(&s.c), fx->base);
	close_session(&s);
	expect_leaf(fx, fx->base, FRAMES, RW, 1);
}

/* ---- protect next ---- */

struct wish {
	pt_prop_t set, clear;
	pt_va_t va; /* of the last call, */
	struct pt_item item;
	unsigned calls;
};

static pt_prop_t grant(void *ctx, pt_va_t va, const struct pt_item *old)
{
	struct wish *w = ctx;

	w->va = va;
	w->item = *old;
	w->calls++;
	return (old->prop & ~w->clear) | w->set;
}

static int protect_next(struct session *s, uint64_t len, struct wish *w)
{
	return pt_cursor_protect_next(&s->c, len, grant, w, &s->g, &s->va, &s->len);
}

static void protect_next_changes_one_mapping(struct fixture *fx)
{
	struct wish w = {.clear = PT_WRITE};
	struct session s;

	map(fx, fx->base + fx->page, fx->page, FRAMES, RWU);
	map(fx, fx->base + 2 * fx->page, fx->page, FRAMES + fx->page, RWU);
	open_session(&s, fx, fx->base, 3 * fx->page, 1);
	expect_ok(protect_next(&s, 3 * fx->page, &w));
	assert_int_equal(w.calls, 1);
	assert_int_equal(w.va, fx->base + fx->page);
	assert_int_equal(w.item.pa, FRAMES);
	assert_int_equal(w.item.prop, RWU);
	assert_int_equal(w.item.level, 1);
	assert_int_equal(s.va, fx->base + fx->page);
	assert_int_equal(s.len, fx->page);
	assert_int_equal(pt_cursor_va(&s.c), fx->base + 2 * fx->page);
	close_session(&s);
	expect_leaf(fx, fx->base + fx->page, FRAMES, PT_READ | PT_USER, 1);
	expect_leaf(fx, fx->base + 2 * fx->page, FRAMES + fx->page, RWU, 1);
	assert_true(was_flushed(fx, fx->base + fx->page, fx->page, false));
}

static void protect_next_skips_holes_and_marks(struct fixture *fx)
{
	struct wish w = {.clear = PT_WRITE};
	struct session s;

	expect_ok(pt_mark(fx->self, fx->table, fx->base, fx->page, 2));
	map(fx, fx->base + fx->giant, fx->giant, FRAMES, RW);
	open_session(&s, fx, fx->base, 2 * fx->giant, fx->giant_level);
	expect_ok(protect_next(&s, 2 * fx->giant, &w));
	assert_int_equal(s.va, fx->base + fx->giant);
	assert_int_equal(s.len, fx->giant);
	close_session(&s);
	expect_mark(fx, fx->base, 2);
	expect_leaf(fx, fx->base + fx->giant, FRAMES, PT_READ, fx->giant_level);
}

static void with_nothing_mapped_protect_next_stands_behind_the_length(struct fixture *fx)
{
	struct wish w = {.clear = PT_WRITE};
	struct session s;

	open_session(&s, fx, fx->base, 3 * fx->page, 1);
	s.va = 77;
	expect_error(protect_next(&s, 2 * fx->page, &w), ENOENT);
	assert_int_equal(s.va, 77);
	assert_int_equal(w.calls, 0);
	assert_int_equal(pt_cursor_va(&s.c), fx->base + 2 * fx->page);
	close_session(&s);
	assert_int_equal(check(fx).nodes, 1);
}

static void protect_next_splits_at_both_edges(struct fixture *fx)
{
	struct wish w = {.set = PT_EXEC, .clear = PT_WRITE};
	struct flatmap model;
	struct session s;

	map(fx, fx->base, fx->giant, FRAMES, RW | PT_DIRTY);
	open_session(&s, fx, fx->base + fx->page, fx->page, 1);
	expect_ok(protect_next(&s, fx->page, &w));
	assert_int_equal(s.va, fx->base + fx->page);
	assert_int_equal(s.len, fx->page);
	close_session(&s);
	flat_init(&model, fx->format);
	flat_map(&model, fx->base, fx->base + (fx->giant - 1), FRAMES, RW | PT_DIRTY,
		 fx->giant_level);
	flat_protect(&model, fx->base + fx->page, fx->base + 2 * fx->page - 1, PT_EXEC, PT_WRITE);
	dump_expect_model(fx, &model);
	flat_free(&model);
}

static void protect_next_refuses_what_it_must_not_change(struct fixture *fx)
{
	struct wish tracked = {.set = PT_TRACKED};
	struct wish unknown = {.set = 1u << 30};
	struct session s;

	map(fx, fx->base, fx->page, FRAMES, RW);
	open_session(&s, fx, fx->base, fx->page, 1);
	expect_error(protect_next(&s, fx->page, &tracked), EINVAL);
	expect_error(protect_next(&s, fx->page, &unknown), EINVAL);
	expect_error(pt_cursor_protect_next(&s.c, fx->page, NULL, NULL, &s.g, &s.va, &s.len),
		     EINVAL);
	assert_int_equal(pt_cursor_va(&s.c), fx->base);
	close_session(&s);
	expect_leaf(fx, fx->base, FRAMES, RW, 1);
}

static void a_refused_change_does_not_even_split(struct fixture *fx)
{
	struct wish tracked = {.set = PT_TRACKED};
	struct dump before;
	struct session s;

	map(fx, fx->base, fx->giant, FRAMES, RW);
	dump_take(fx, &before);
	open_session(&s, fx, fx->base + fx->page, fx->page, 1);
	expect_error(protect_next(&s, fx->page, &tracked), EINVAL);
	assert_int_equal(pt_cursor_va(&s.c), fx->base + fx->page);
	close_session(&s);
	dump_expect_unchanged(fx, &before);
}

static void protect_next_harvests_accessed_and_dirty(struct fixture *fx)
{
	struct wish w = {.clear = PT_ACCESSED | PT_DIRTY};
	struct session s;
	pt_pa_t pa;

	map(fx, fx->base, fx->page, FRAMES, RW);
	expect_ok(pt_access(fx->self, fx->table, fx->base, PT_ACCESS_WRITE, false, &pa));
	open_session(&s, fx, fx->base, fx->page, 1);
	expect_ok(protect_next(&s, fx->page, &w));
	assert_int_equal(w.item.prop, RW | PT_ACCESSED | PT_DIRTY);
	close_session(&s);
	expect_leaf(fx, fx->base, FRAMES, RW, 1);
	/* or the next write would go unseen */
	assert_true(was_flushed(fx, fx->base, fx->page, false));
}

/* The hardware sets a bit while the function decides: it is asked again. */
struct race {
	struct fixture *fx;
	unsigned calls;
};

static pt_prop_t touch_then_clear_write(void *ctx, pt_va_t va, const struct pt_item *old)
{
	struct race *r = ctx;
	pt_pa_t pa;

	if (r->calls++ == 0)
		expect_ok(pt_access(r->fx->self, r->fx->table, va, PT_ACCESS_WRITE, false, &pa));
	return old->prop & ~PT_WRITE;
}

static void bits_set_while_protect_next_decides_are_not_lost(struct fixture *fx)
{
	struct race r = {.fx = fx};
	struct session s;

	map(fx, fx->base, fx->page, FRAMES, RW);
	open_session(&s, fx, fx->base, fx->page, 1);
	expect_ok(pt_cursor_protect_next(&s.c, fx->page, touch_then_clear_write, &r, &s.g, &s.va,
					 &s.len));
	assert_int_equal(r.calls, 2);
	close_session(&s);
	expect_leaf(fx, fx->base, FRAMES, PT_READ | PT_ACCESSED | PT_DIRTY, 1);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(take_finds_the_next_page_and_moves_behind_it),
		TEST(take_finds_a_page_without_read),
		TEST(take_removes_marks_it_passes),
		TEST(with_nothing_mapped_take_stands_behind_the_length),
		TEST(take_hands_over_a_whole_table),
		TEST(take_goes_into_a_table_that_is_not_wholly_in_reach),
		TEST(take_leaves_tables_above_top_alone),
		TEST(take_passes_over_an_empty_table),
		TEST(take_counts_the_pages_of_huge_leaves_below),
		TEST(take_splits_a_leaf_that_reaches_beyond),
		TEST(take_empties_the_last_page_of_the_address_space),
		TEST(the_table_of_a_pinned_root_slot_is_not_taken),
		TEST(take_refuses_malformed_requests),
		TEST(protect_next_changes_one_mapping),
		TEST(protect_next_skips_holes_and_marks),
		TEST(with_nothing_mapped_protect_next_stands_behind_the_length),
		TEST(protect_next_splits_at_both_edges),
		TEST(protect_next_refuses_what_it_must_not_change),
		TEST(a_refused_change_does_not_even_split),
		TEST(protect_next_harvests_accessed_and_dirty),
		TEST(bits_set_while_protect_next_decides_are_not_lost),
	};

	return run_on_all_pairs("take", cases, sizeof(cases) / sizeof(cases[0]));
}

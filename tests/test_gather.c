/* SPDX-License-Identifier: MIT */
/* What is flushed, when, and what a gather reports. */
#include <string.h>

#include "support.h"

#define REPORTS 64

struct report {
	pt_va_t va;
	struct pt_item item;
};

struct reports {
	struct fixture *fx;
	struct report of[REPORTS];
	unsigned n;
	unsigned flushes_before; /* calls of the flush hook before the first report */
};

static void on_removed(void *ctx, pt_va_t va, const struct pt_item *item)
{
	struct reports *r = ctx;

	if (!r->n)
		r->flushes_before = r->fx->flushes.n;
	if (r->n < REPORTS)
		r->of[r->n] = (struct report){va, *item};
	r->n++;
}

static void expect_report(const struct reports *r, pt_va_t va, pt_pa_t pa, pt_prop_t prop,
			  unsigned level)
{
	const struct report *found = NULL;
	unsigned i;

	for (i = 0; i < r->n && i < REPORTS; i++) {
		if (r->of[i].va != va)
			continue;
		assert_null(found); /* once */
		found = &r->of[i];
	}
	assert_non_null(found);
	assert_int_equal(found->item.pa, pa);
	assert_int_equal(found->item.prop, prop);
	assert_int_equal(found->item.level, level);
}

static void open_gather(struct fixture *fx, struct pt_gather *g, struct reports *r)
{
	memset(r, 0, sizeof(*r));
	r->fx = fx;
	fx->flushes.n = 0;
	pt_gather_init(g, fx->self, fx->table, on_removed, r);
}

static uint64_t unmap_into(struct fixture *fx, struct pt_gather *g, pt_va_t va, uint64_t len)
{
	uint64_t pages;

	expect_ok(pt_unmap(fx->self, fx->table, va, len, g, &pages));
	return pages;
}

/* ---- when ---- */

static void without_a_gather_the_call_flushes_before_it_returns(struct fixture *fx)
{
	map(fx, fx->base, 3 * fx->page, FRAMES, RW);
	unmap(fx, fx->base, fx->page);
	assert_true(was_flushed(fx, fx->base, fx->page, false));
	assert_false(was_flushed(fx, fx->base + 2 * fx->page, fx->page, false));
	protect(fx, fx->base + 2 * fx->page, fx->page, 0, PT_WRITE);
	assert_true(was_flushed(fx, fx->base + 2 * fx->page, fx->page, false));
}

static void with_a_gather_nothing_is_flushed_until_sync(struct fixture *fx)
{
	struct reports r;
	struct pt_gather g;

	map(fx, fx->base, 3 * fx->page, FRAMES, RW);
	open_gather(fx, &g, &r);
	unmap_into(fx, &g, fx->base, fx->page);
	expect_ok(pt_protect(fx->self, fx->table, fx->base + 2 * fx->page, fx->page, 0, PT_WRITE,
			     &g, NULL));
	assert_int_equal(fx->flushes.n, 0);
	assert_int_equal(r.n, 0);
	expect_ok(pt_gather_sync(&g));
	assert_true(was_flushed(fx, fx->base, fx->page, false));
	assert_true(was_flushed(fx, fx->base + 2 * fx->page, fx->page, false));
	assert_int_equal(r.n, 1);
}

static void a_synced_gather_is_empty_and_can_be_used_again(struct fixture *fx)
{
	struct reports r;
	struct pt_gather g;

	map(fx, fx->base, 2 * fx->page, FRAMES, RW);
	open_gather(fx, &g, &r);
	unmap_into(fx, &g, fx->base, fx->page);
	expect_ok(pt_gather_sync(&g));
	fx->flushes.n = 0;
	expect_ok(pt_gather_sync(&g));
	assert_int_equal(fx->flushes.n, 0);
	assert_int_equal(r.n, 1);
	unmap_into(fx, &g, fx->base + fx->page, fx->page);
	expect_ok(pt_gather_sync(&g));
	assert_true(was_flushed(fx, fx->base + fx->page, fx->page, false));
	assert_false(was_flushed(fx, fx->base, fx->page, false));
	assert_int_equal(r.n, 2);
}

/* ---- what is flushed ---- */

static void many_scattered_pages_are_all_flushed(struct fixture *fx)
{
	const unsigned n = (unsigned)(fx->last - fx->base > 64 * fx->huge ? 40 : 12);
	const uint64_t stride =
		fx->last - fx->base > 64 * fx->huge ? fx->huge + fx->page : 2 * fx->page;
	struct reports r;
	struct pt_gather g;
	unsigned i, way;

	/* upwards, downwards, from both ends: ranges cannot simply grow in one direction */
	for (way = 0; way < 3; way++) {
		open_gather(fx, &g, &r);
		for (i = 0; i < n; i++)
			map(fx, fx->base + i * stride, fx->page, FRAMES, RW);
		for (i = 0; i < n; i++) {
			unsigned from_ends = i % 2 ? i / 2 : n - 1 - i / 2;
			unsigned at = way == 0 ? i : way == 1 ? n - 1 - i : from_ends;

			assert_int_equal(unmap_into(fx, &g, fx->base + at * stride, fx->page), 1);
		}
		expect_ok(pt_gather_sync(&g));
		for (i = 0; i < n; i++)
			assert_true(was_flushed(fx, fx->base + i * stride, fx->page, false));
		assert_int_equal(r.n, n);
	}
}

static void tables_that_go_are_flushed_as_tables(struct fixture *fx)
{
	const uint64_t root_slot = pt_page_size(fx->format, fx->format->levels);

	map(fx, fx->base, fx->page, FRAMES, RW);
	unmap(fx, fx->base, fx->page);
	fx->flushes.n = 0;
	/* no leaf left, but the hardware may have cached the way */
	unmap(fx, fx->base, root_slot);
	assert_int_equal(check(fx).nodes, 1);
	assert_true(was_flushed(fx, fx->base, fx->huge, true));
}

static void what_did_not_translate_is_not_flushed(struct fixture *fx)
{
	map(fx, fx->base, 2 * fx->page, FRAMES, PT_WRITE);
	expect_ok(pt_mark(fx->self, fx->table, fx->base + 2 * fx->page, fx->page, 1));
	protect(fx, fx->base, fx->page, PT_READ, 0);
	unmap(fx, fx->base + 2 * fx->page, 2 * fx->page);
	assert_int_equal(fx->flushes.n, 0);
}

/* Who forbade its use may not have flushed yet, and the frame may go to somebody else next. */
static void a_page_that_goes_is_flushed_even_if_nobody_may_use_it(struct fixture *fx)
{
	map(fx, fx->base, 2 * fx->page, FRAMES, PT_WRITE);
	unmap(fx, fx->base, 2 * fx->page);
	assert_true(was_flushed(fx, fx->base, 2 * fx->page, false));
}

static void granting_is_not_flushed_and_taking_away_is(struct fixture *fx)
{
	map(fx, fx->base, fx->page, FRAMES, PT_READ);
	protect(fx, fx->base, fx->page, PT_WRITE | PT_EXEC | PT_SOFT0, 0);
	assert_int_equal(fx->flushes.n, 0);
	protect(fx, fx->base, fx->page, 0, PT_EXEC);
	assert_true(was_flushed(fx, fx->base, fx->page, false));
	fx->flushes.n = 0;
	protect(fx, fx->base, fx->page, 0, PT_READ);
	assert_true(was_flushed(fx, fx->base, fx->page, false));
}

static void the_last_page_of_the_address_space_is_flushed(struct fixture *fx)
{
	fixture_use_upper_half(fx);
	map(fx, 0 - fx->huge, fx->huge, FRAMES + fx->page, RW);
	unmap(fx, 0 - fx->page, fx->page);
	assert_true(was_flushed(fx, 0 - fx->page, fx->page, false));
	unmap(fx, 0 - fx->huge, fx->huge);
	assert_true(was_flushed(fx, 0 - fx->huge, fx->huge, true));
}

static void a_piece_of_a_huge_leaf_is_flushed_by_its_range(struct fixture *fx)
{
	map(fx, fx->base, fx->giant, FRAMES, RW);
	unmap(fx, fx->base + fx->page, fx->page);
	assert_true(was_flushed(fx, fx->base + fx->page, fx->page, false));
}

/* ---- what is reported ---- */

static void every_removed_leaf_is_reported_once_after_the_flush(struct fixture *fx)
{
	struct reports r;
	struct pt_gather g;

	map(fx, fx->base, 2 * fx->page, FRAMES, RWU);
	map(fx, fx->base + fx->giant, fx->giant, FRAMES, PT_READ);
	map(fx, fx->base + 2 * fx->giant, fx->page, FRAMES + fx->page, PT_WRITE);
	open_gather(fx, &g, &r);
	unmap_into(fx, &g, fx->base, 2 * fx->giant + fx->page);
	expect_ok(pt_gather_sync(&g));
	assert_int_equal(r.n, 4);
	assert_true(r.flushes_before > 0);
	expect_report(&r, fx->base, FRAMES, RWU, 1);
	expect_report(&r, fx->base + fx->page, FRAMES + fx->page, RWU, 1);
	expect_report(&r, fx->base + fx->giant, FRAMES, PT_READ, fx->giant_level);
	expect_report(&r, fx->base + 2 * fx->giant, FRAMES + fx->page, PT_WRITE, 1);
}

static void leaves_of_a_subtree_are_reported_at_every_level(struct fixture *fx)
{
	const uint64_t root_slot = pt_page_size(fx->format, fx->format->levels);
	struct reports r;
	struct pt_gather g;

	map(fx, fx->base + fx->page, fx->page, FRAMES, RW);
	map(fx, fx->base + fx->huge, fx->huge, FRAMES, RW);
	map(fx, fx->base + 2 * fx->giant, fx->giant, FRAMES, RW);
	expect_ok(pt_mark(fx->self, fx->table, fx->base, fx->page, 1));
	open_gather(fx, &g, &r);
	assert_int_equal(unmap_into(fx, &g, fx->base, root_slot),
			 1 + (fx->huge + fx->giant) / fx->page);
	expect_ok(pt_gather_sync(&g));
	assert_int_equal(r.n, 3);
	expect_report(&r, fx->base + fx->page, FRAMES, RW, 1);
	expect_report(&r, fx->base + fx->huge, FRAMES, RW, 2);
	expect_report(&r, fx->base + 2 * fx->giant, FRAMES, RW, fx->giant_level);
}

static void only_the_piece_of_a_split_leaf_is_reported(struct fixture *fx)
{
	struct reports r;
	struct pt_gather g;

	map(fx, fx->base, fx->giant, FRAMES, RW);
	open_gather(fx, &g, &r);
	unmap_into(fx, &g, fx->base + fx->giant - fx->page, fx->page);
	expect_ok(pt_gather_sync(&g));
	assert_int_equal(r.n, 1);
	expect_report(&r, fx->base + fx->giant - fx->page, FRAMES + fx->giant - fx->page, RW, 1);
}

static void accessed_and_dirty_are_reported(struct fixture *fx)
{
	const pt_va_t in_table = fx->base + fx->giant;
	struct reports r;
	struct pt_gather g;
	pt_pa_t pa;

	map(fx, fx->base, 3 * fx->page, FRAMES, RW);
	map(fx, in_table, fx->page, FRAMES, RW);
	expect_ok(pt_access(fx->self, fx->table, fx->base, PT_ACCESS_WRITE, false, &pa));
	expect_ok(pt_access(fx->self, fx->table, fx->base + fx->page, PT_ACCESS_READ, false, &pa));
	expect_ok(pt_access(fx->self, fx->table, in_table, PT_ACCESS_WRITE, false, &pa));
	open_gather(fx, &g, &r);
	unmap_into(fx, &g, fx->base, 3 * fx->page);
	unmap_into(fx, &g, in_table, fx->giant);
	expect_ok(pt_gather_sync(&g));
	assert_int_equal(r.n, 4);
	expect_report(&r, fx->base, FRAMES, RW | PT_ACCESSED | PT_DIRTY, 1);
	expect_report(&r, fx->base + fx->page, FRAMES + fx->page, RW | PT_ACCESSED, 1);
	expect_report(&r, fx->base + 2 * fx->page, FRAMES + 2 * fx->page, RW, 1);
	expect_report(&r, in_table, FRAMES, RW | PT_ACCESSED | PT_DIRTY, 1);
}

static void pieces_of_a_huge_leaf_inherit_accessed_and_dirty(struct fixture *fx)
{
	struct reports r;
	struct pt_gather g;
	pt_pa_t pa;

	map(fx, fx->base, fx->giant, FRAMES, RW);
	expect_ok(pt_access(fx->self, fx->table, fx->base + fx->page, PT_ACCESS_WRITE, false, &pa));
	open_gather(fx, &g, &r);
	unmap_into(fx, &g, fx->base, fx->page);
	expect_ok(pt_gather_sync(&g));
	expect_report(&r, fx->base, FRAMES, RW | PT_ACCESSED | PT_DIRTY, 1);
	expect_leaf(fx, fx->base + fx->page, FRAMES + fx->page, RW | PT_ACCESSED | PT_DIRTY, 1);
}

/* A gather is for one table and one thread. */
static void a_gather_of_another_table_is_refused(struct fixture *fx)
{
	struct pt_table *other;
	struct pt_gather g;

	expect_ok(pt_table_create(fx->self, &fx->config, &other));
	pt_gather_init(&g, fx->self, other, NULL, NULL);
	map(fx, fx->base, fx->page, FRAMES, RW);
	expect_error(pt_unmap(fx->self, fx->table, fx->base, fx->page, &g, NULL), EINVAL);
	expect_error(pt_protect(fx->self, fx->table, fx->base, fx->page, 0, PT_WRITE, &g, NULL),
		     EINVAL);
	expect_ok(pt_gather_sync(&g));
	expect_ok(pt_table_destroy(fx->self, other));
	expect_leaf(fx, fx->base, FRAMES, RW, 1);
}

static void a_gather_is_not_synced_under_a_cursor(struct fixture *fx)
{
	struct reports r;
	struct pt_gather g;
	struct pt_cursor c;

	map(fx, fx->base, fx->page, FRAMES, RW);
	open_gather(fx, &g, &r);
	unmap_into(fx, &g, fx->base, fx->page);
	expect_ok(pt_cursor_begin(fx->self, fx->table, fx->base, fx->page, PT_READ_ONLY, 1, &c));
	expect_error(pt_gather_sync(&g), EDEADLK);
	assert_int_equal(fx->flushes.n, 0);
	assert_int_equal(r.n, 0);
	pt_cursor_end(&c);
	expect_ok(pt_gather_sync(&g));
	assert_int_equal(r.n, 1);
}

/* ---- hooks that call back ---- */

struct caller_back {
	struct fixture *fx;
	pt_va_t va;
	unsigned flushes, removals;
};

static void flush_and_query(void *ctx, pt_va_t va, uint64_t len, bool tables)
{
	struct caller_back *b = ctx;
	struct pt_mapping m;

	(void)va;
	(void)len;
	(void)tables;
	expect_ok(pt_query(b->fx->self, b->fx->table, b->va, &m));
	assert_int_equal(m.kind, PT_KIND_EMPTY);
	b->flushes++;
}

static void removed_and_query(void *ctx, pt_va_t va, const struct pt_item *item)
{
	struct caller_back *b = ctx;
	struct pt_mapping m;

	(void)item;
	expect_ok(pt_query(b->fx->self, b->fx->table, va, &m));
	assert_int_equal(m.kind, PT_KIND_EMPTY);
	b->removals++;
}

static void the_hooks_run_without_locks(struct fixture *fx)
{
	struct caller_back b = {.fx = fx, .va = fx->base};
	struct pt_gather g;

	fx->config.flush = flush_and_query;
	fx->config.flush_ctx = &b;
	fixture_new_table(fx);
	map(fx, fx->base, fx->page, FRAMES, RW);
	pt_gather_init(&g, fx->self, fx->table, removed_and_query, &b);
	unmap_into(fx, &g, fx->base, fx->page);
	expect_ok(pt_gather_sync(&g));
	assert_int_equal(b.flushes, 1);
	assert_int_equal(b.removals, 1);
	map(fx, fx->base, fx->page, FRAMES, RW);
	unmap(fx, fx->base, fx->page);
	assert_int_equal(b.flushes, 2);
	/* The table outlives this function, its hook's context does not. */
	fx->config.flush = NULL;
	fixture_new_table(fx);
}

static void without_a_flush_hook_everything_else_works(struct fixture *fx)
{
	struct reports r;
	struct pt_gather g;

	fx->config.flush = NULL;
	fixture_new_table(fx);
	map(fx, fx->base, fx->giant, FRAMES, RW | PT_TRACKED);
	open_gather(fx, &g, &r);
	unmap_into(fx, &g, fx->base, fx->page);
	expect_ok(pt_gather_sync(&g));
	assert_int_equal(r.n, 1);
	assert_int_equal(unmap(fx, fx->base, fx->giant), fx->giant / fx->page - 1);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(without_a_gather_the_call_flushes_before_it_returns),
		TEST(with_a_gather_nothing_is_flushed_until_sync),
		TEST(a_synced_gather_is_empty_and_can_be_used_again),
		TEST(many_scattered_pages_are_all_flushed),
		TEST(tables_that_go_are_flushed_as_tables),
		TEST(what_did_not_translate_is_not_flushed),
		TEST(a_page_that_goes_is_flushed_even_if_nobody_may_use_it),
		TEST(granting_is_not_flushed_and_taking_away_is),
		TEST(the_last_page_of_the_address_space_is_flushed),
		TEST(a_piece_of_a_huge_leaf_is_flushed_by_its_range),
		TEST(every_removed_leaf_is_reported_once_after_the_flush),
		TEST(leaves_of_a_subtree_are_reported_at_every_level),
		TEST(only_the_piece_of_a_split_leaf_is_reported),
		TEST(accessed_and_dirty_are_reported),
		TEST(pieces_of_a_huge_leaf_inherit_accessed_and_dirty),
		TEST(a_gather_of_another_table_is_refused),
		TEST(a_gather_is_not_synced_under_a_cursor),
		TEST(the_hooks_run_without_locks),
		TEST(without_a_flush_hook_everything_else_works),
	};

	return run_on_all_pairs("gather", cases, sizeof(cases) / sizeof(cases[0]));
}

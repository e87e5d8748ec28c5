/* SPDX-License-Identifier: MIT */
/* Copy on write: what a clone maps, what it leaves alone, and that one that fails has done nothing. */
#include "dump.h"
#include "thread.h"

#define TRACKED (RW | PT_TRACKED)
#define READ_ONLY PT_READ

/* The source is the fixture's table; the target is described by a fixture of its own, for looking. */
static struct fixture target_of(struct fixture *fx, const struct pt_config *config)
{
	struct fixture dst = *fx;

	expect_ok(pt_table_create(fx->self, config, &dst.table));
	return dst;
}

static struct fixture new_target(struct fixture *fx)
{
	return target_of(fx, &fx->config);
}

static void drop_target(struct fixture *fx, struct fixture *dst)
{
	check(fx);
	check(dst);
	expect_ok(pt_table_destroy(fx->self, dst->table));
	reclaim(fx);
	assert_null(fx->ledger.error);
}

static uint64_t clone_clearing(struct fixture *fx, struct fixture *dst, pt_va_t va, uint64_t len,
			       pt_prop_t clear)
{
	uint64_t pages = 77;

	expect_ok(pt_clone(fx->self, fx->table, dst->table, va, len, 0, clear, NULL, &pages));
	check(fx);
	check(dst);
	return pages;
}

static uint64_t clone(struct fixture *fx, struct fixture *dst, pt_va_t va, uint64_t len)
{
	return clone_clearing(fx, dst, va, len, PT_WRITE);
}

static void expect_both(struct fixture *fx, struct fixture *dst, pt_va_t va, pt_pa_t pa,
			pt_prop_t prop, unsigned level)
{
	expect_leaf(fx, va, pa, prop, level);
	expect_leaf(dst, va, pa, prop, level);
}

static int64_t references(struct fixture *fx, pt_pa_t pa, unsigned level)
{
	return ledger_count(&fx->ledger, pa, level);
}

/* ---- what is copied ---- */

static void both_lose_the_right_to_write(struct fixture *fx)
{
	struct fixture dst = new_target(fx);
	const pt_va_t va = fx->base - fx->page; /* over the boundary of two leaf tables */

	map(fx, va - fx->page, 4 * fx->page, FRAMES, RWU);
	fx->flushes.n = 0;
	assert_int_equal(clone(fx, &dst, va, 2 * fx->page), 2);
	assert_true(was_flushed(fx, va, 2 * fx->page, false));
	expect_both(fx, &dst, va, FRAMES + fx->page, PT_READ | PT_USER, 1);
	expect_both(fx, &dst, fx->base, FRAMES + 2 * fx->page, PT_READ | PT_USER, 1);
	expect_leaf(fx, va - fx->page, FRAMES, RWU, 1);
	expect_leaf(fx, fx->base + fx->page, FRAMES + 3 * fx->page, RWU, 1);
	expect_empty(&dst, va - fx->page);
	expect_empty(&dst, fx->base + fx->page);
	drop_target(fx, &dst);
}

static void properties_may_be_set_or_left_alone(struct fixture *fx)
{
	struct fixture dst = new_target(fx);

	map(fx, fx->base, fx->giant, FRAMES, RW);
	fx->flushes.n = 0;
	assert_int_equal(clone_clearing(fx, &dst, fx->base + fx->page, fx->page, 0), 1);
	assert_int_equal(fx->flushes.n, 0);
	expect_leaf(fx, fx->base, FRAMES, RW, fx->giant_level); /* not even split */
	expect_leaf(&dst, fx->base + fx->page, FRAMES + fx->page, RW, 1);
	unmap(&dst, fx->base, fx->giant);
	expect_ok(pt_clone(fx->self, fx->table, dst.table, fx->base, fx->giant, PT_SOFT0, PT_WRITE,
			   NULL, NULL));
	expect_both(fx, &dst, fx->base, FRAMES, PT_READ | PT_SOFT0, fx->giant_level);
	drop_target(fx, &dst);
}

static void huge_leaves_stay_huge(struct fixture *fx)
{
	const uint64_t pages = 3 * fx->giant / fx->page + 2 * fx->huge / fx->page;
	struct fixture dst = new_target(fx);

	map(fx, fx->base, 3 * fx->giant, FRAMES, RW);
	map(fx, fx->base + 3 * fx->giant, 2 * fx->huge, FRAMES, RW);
	assert_int_equal(clone(fx, &dst, fx->first, fx->last - fx->first + 1), pages);
	expect_both(fx, &dst, fx->base + 2 * fx->giant, FRAMES + 2 * fx->giant, READ_ONLY,
		    fx->giant_level);
	expect_both(fx, &dst, fx->base + 3 * fx->giant + fx->huge, FRAMES + fx->huge, READ_ONLY, 2);
	drop_target(fx, &dst);
}

static void over_the_edges_they_are_split(struct fixture *fx)
{
	const pt_va_t middle = fx->base + fx->giant, va = middle - fx->page;
	struct fixture dst = new_target(fx);

	map(fx, fx->base, 3 * fx->giant, FRAMES, RW);
	assert_int_equal(clone(fx, &dst, va, fx->huge + 2 * fx->page), fx->huge / fx->page + 2);
	expect_both(fx, &dst, va, FRAMES + fx->giant - fx->page, READ_ONLY, 1);
	expect_leaf(fx, va - fx->page, FRAMES + fx->giant - 2 * fx->page, RW, 1);
	expect_empty(&dst, va - fx->page);
	expect_both(fx, &dst, middle, FRAMES + fx->giant, READ_ONLY, 2);
	expect_both(fx, &dst, middle + fx->huge, FRAMES + fx->giant + fx->huge, READ_ONLY, 1);
	expect_empty(&dst, middle + fx->huge + fx->page);
	drop_target(fx, &dst);
}

/* Both edges in one giant leaf, which is where the source is held. */
static void a_page_of_a_giant_leaf(struct fixture *fx)
{
	struct fixture dst = new_target(fx);

	map(fx, fx->base, fx->giant, FRAMES, TRACKED);
	assert_int_equal(clone(fx, &dst, fx->base + fx->page, fx->page), 1);
	expect_both(fx, &dst, fx->base + fx->page, FRAMES + fx->page, READ_ONLY | PT_TRACKED, 1);
	expect_empty(&dst, fx->base);
	reclaim(fx);
	assert_int_equal(references(fx, FRAMES, 1), 1);
	assert_int_equal(references(fx, FRAMES + fx->page, 1), 2);
	drop_target(fx, &dst);
}

static void marks_are_copied(struct fixture *fx)
{
	struct fixture dst = new_target(fx);

	expect_ok(pt_mark(fx->self, fx->table, fx->base, fx->giant, 5));
	expect_ok(pt_mark(fx->self, fx->table, fx->base + fx->giant, fx->page, 0));
	map(fx, fx->base + fx->giant + fx->page, fx->page, FRAMES, RW);
	assert_int_equal(clone(fx, &dst, fx->base + fx->page, fx->giant + fx->page), 1);
	expect_empty(&dst, fx->base);
	expect_mark(&dst, fx->base + fx->page, 5);
	expect_mark(&dst, fx->base + fx->giant - fx->page, 5);
	expect_mark(&dst, fx->base + fx->giant, 0);
	expect_mark(fx, fx->base, 5);
	drop_target(fx, &dst);
}

static void accessed_and_dirty_stay_where_they_are(struct fixture *fx)
{
	const pt_prop_t used = PT_ACCESSED | PT_DIRTY;
	struct fixture dst = new_target(fx);
	pt_pa_t pa;

	map(fx, fx->base, 2 * fx->page, FRAMES, RW);
	map(fx, fx->base + fx->huge, fx->huge, FRAMES, RW);
	expect_ok(pt_access(fx->self, fx->table, fx->base, PT_ACCESS_WRITE, false, &pa));
	expect_ok(pt_access(fx->self, fx->table, fx->base + fx->huge, PT_ACCESS_WRITE, false, &pa));
	clone(fx, &dst, fx->base, 2 * fx->huge);
	expect_leaf(fx, fx->base, FRAMES, READ_ONLY | used, 1);
	expect_leaf(&dst, fx->base, FRAMES, READ_ONLY, 1);
	expect_both(fx, &dst, fx->base + fx->page, FRAMES + fx->page, READ_ONLY, 1);
	expect_leaf(fx, fx->base + fx->huge, FRAMES, READ_ONLY | used, 2);
	expect_leaf(&dst, fx->base + fx->huge, FRAMES, READ_ONLY, 2);
	drop_target(fx, &dst);
}

static void where_nothing_is_nothing_comes(struct fixture *fx)
{
	struct fixture dst = new_target(fx);

	map(fx, fx->base + fx->giant, fx->page, FRAMES, RW);
	unmap(fx, fx->base + fx->giant, fx->page); /* an empty table stays */
	assert_int_equal(clone(fx, &dst, fx->base, fx->page), 0);
	assert_int_equal(clone(fx, &dst, fx->first, fx->last - fx->first + 1), 0);
	assert_int_equal(check(&dst).leaves, 0);
	drop_target(fx, &dst);
}

static void references_are_cloned(struct fixture *fx)
{
	struct fixture dst = new_target(fx);

	map(fx, fx->base, fx->page, FRAMES, TRACKED);
	map(fx, fx->base + fx->huge, fx->huge, FRAMES + fx->huge, TRACKED);
	assert_int_equal(clone(fx, &dst, fx->base, 2 * fx->huge), fx->huge / fx->page + 1);
	assert_int_equal(references(fx, FRAMES, 1), 2);
	assert_int_equal(references(fx, FRAMES + fx->huge, 2), 2);
	unmap(fx, fx->base, 2 * fx->huge);
	reclaim(fx);
	assert_int_equal(references(fx, FRAMES, 1), 1);
	assert_int_equal(references(fx, FRAMES + fx->huge, 2), 1);
	expect_leaf(&dst, fx->base + fx->huge, FRAMES + fx->huge, READ_ONLY | PT_TRACKED, 2);
	drop_target(fx, &dst);
	assert_int_equal(ledger_total(&fx->ledger), 0);
}

/* The origin's test, with what becomes of the reference. */
static void a_page_survives_its_parents(struct fixture *fx)
{
	struct fixture child = new_target(fx), sibling = new_target(fx);
	const pt_prop_t prop = READ_ONLY | PT_TRACKED;

	map(fx, fx->base, fx->page, FRAMES, TRACKED);
	unmap(fx, fx->base, fx->page);
	map(fx, fx->base, fx->page, FRAMES, TRACKED);
	clone(fx, &child, fx->base, fx->giant);
	expect_both(fx, &child, fx->base, FRAMES, prop, 1);
	unmap(fx, fx->base, fx->page);
	expect_empty(fx, fx->base);
	expect_leaf(&child, fx->base, FRAMES, prop, 1);
	clone(&child, &sibling, fx->base, fx->giant);
	reclaim(fx);
	assert_int_equal(references(fx, FRAMES, 1), 2);
	unmap(&child, fx->base, fx->giant);
	expect_leaf(&sibling, fx->base, FRAMES, prop, 1);
	clone(&sibling, fx, fx->base, fx->giant);
	expect_both(fx, &sibling, fx->base, FRAMES, prop, 1);
	drop_target(fx, &child);
	drop_target(fx, &sibling);
	assert_int_equal(references(fx, FRAMES, 1), 1);
}

/* ---- what the target has already ---- */

static void what_lies_beside_the_range_stays(struct fixture *fx)
{
	struct fixture dst = new_target(fx);

	map(fx, fx->base, fx->huge, FRAMES, RW);
	protect(fx, fx->base, fx->page, 0, PT_WRITE); /* splits it */
	map(&dst, fx->base, fx->page, FRAMES + fx->giant, RW);
	expect_ok(pt_mark(fx->self, dst.table, fx->base + 3 * fx->page, fx->page, 9));
	assert_int_equal(clone(fx, &dst, fx->base + fx->page, 2 * fx->page), 2);
	expect_leaf(&dst, fx->base, FRAMES + fx->giant, RW, 1);
	expect_mark(&dst, fx->base + 3 * fx->page, 9);
	expect_both(fx, &dst, fx->base + 2 * fx->page, FRAMES + 2 * fx->page, READ_ONLY, 1);
	drop_target(fx, &dst);
}

static void a_mapping_or_mark_in_the_way_is_an_error(struct fixture *fx)
{
	struct fixture dst = new_target(fx);
	const pt_va_t last = fx->base + 2 * fx->giant - fx->page;
	struct dump src_before, dst_before;

	map(fx, fx->base, fx->huge, FRAMES, TRACKED);
	for (unsigned i = 0; i < 4; i++) {
		unmap(&dst, fx->base, 2 * fx->giant);
		if (i & 1)
			expect_ok(
				pt_mark(fx->self, dst.table, i & 2 ? last : fx->base, fx->page, 1));
		else
			map(&dst, i & 2 ? last : fx->base, fx->page, FRAMES + fx->giant, RW);
		dump_take(fx, &src_before);
		dump_take(&dst, &dst_before);
		expect_error(pt_clone(fx->self, fx->table, dst.table, fx->base, 2 * fx->giant, 0,
				      PT_WRITE, NULL, NULL),
			     EEXIST);
		dump_expect_unchanged(fx, &src_before);
		dump_expect_unchanged(&dst, &dst_before);
	}
	unmap(&dst, fx->base, 2 * fx->giant);
	expect_ok(pt_mark(fx->self, dst.table, fx->base, fx->giant, 1));
	expect_error(pt_clone(fx->self, fx->table, dst.table, fx->base + fx->page, fx->page, 0,
			      PT_WRITE, NULL, NULL),
		     EEXIST);
	drop_target(fx, &dst);
	assert_int_equal(references(fx, FRAMES, 2), 1);
}

static void empty_tables_are_filled_or_give_way(struct fixture *fx)
{
	struct fixture dst = new_target(fx);

	map(fx, fx->base, fx->page, FRAMES, RW);
	map(fx, fx->base + fx->huge, fx->huge, FRAMES + fx->huge, RW);
	for (unsigned i = 0; i < 2; i++) {
		map(&dst, fx->base + i * fx->huge, fx->page, FRAMES, RW);
		unmap(&dst, fx->base + i * fx->huge, fx->page);
	}
	fx->flushes.n = 0;
	clone(fx, &dst, fx->base, 2 * fx->huge);
	expect_both(fx, &dst, fx->base, FRAMES, READ_ONLY, 1);
	expect_both(fx, &dst, fx->base + fx->huge, FRAMES + fx->huge, READ_ONLY, 2);
	assert_true(was_flushed(fx, fx->base + fx->huge, fx->huge, true));
	drop_target(fx, &dst);
}

/* A mark that fills a root slot of the source, whose table in the target stays. */
static void a_pinned_table_is_filled(struct fixture *fx)
{
	const uint64_t slot = pt_page_size(fx->format, fx->format->levels);
	struct pt_config config = fx->config;
	struct fixture dst;
	uint64_t nodes;

	config.top_pinned = true;
	dst = target_of(fx, &config);
	map(&dst, fx->base, fx->page, FRAMES, RW);
	unmap(&dst, fx->base, slot);
	nodes = check(&dst).nodes;
	assert_true(nodes > 1);
	expect_ok(pt_mark(fx->self, fx->table, fx->base, slot, 3));
	assert_int_equal(clone(fx, &dst, fx->base, slot), 0);
	expect_mark(&dst, fx->base, 3);
	expect_mark(&dst, fx->base + slot - fx->page, 3);
	assert_int_equal(query(&dst, fx->base).len, slot >> fx->format->index_bits);
	drop_target(fx, &dst);
}

/* ---- failing ---- */

static void tables_that_do_not_fit_are_refused(struct fixture *fx)
{
	struct fixture dst = new_target(fx);
	struct pt_config config = fx->config;
	struct pt_gather g;
	struct pt_table *t;
	struct pt_cursor c;

	map(fx, fx->base, fx->page, FRAMES, RW);
	expect_error(pt_clone(fx->self, fx->table, fx->table, fx->base, fx->page, 0, PT_WRITE, NULL,
			      NULL),
		     EINVAL);
	config.item_ops = NULL;
	expect_ok(pt_table_create(fx->self, &config, &t));
	expect_error(pt_clone(fx->self, fx->table, t, fx->base, fx->page, 0, PT_WRITE, NULL, NULL),
		     EINVAL);
	expect_ok(pt_table_destroy(fx->self, t));
	config = fx->config;
	for (unsigned i = 0; pt_strategy_at(i); i++) {
		config.strategy = pt_strategy_at(i)->name;
		if (pt_strategy_at(i) == fx->strategy)
			continue;
		expect_ok(pt_table_create(fx->self, &config, &t));
		expect_error(pt_clone(fx->self, fx->table, t, fx->base, fx->page, 0, PT_WRITE, NULL,
				      NULL),
			     EINVAL);
		expect_ok(pt_table_destroy(fx->self, t));
	}
	pt_gather_init(&g, fx->self, dst.table, NULL, NULL);
	expect_error(
		pt_clone(fx->self, fx->table, dst.table, fx->base, fx->page, 0, PT_WRITE, &g, NULL),
		EINVAL);
	begin_cursor(fx, fx->base, fx->page, PT_READ_ONLY, &c);
	expect_error(pt_clone(fx->self, fx->table, dst.table, fx->base, fx->page, 0, PT_WRITE, NULL,
			      NULL),
		     EDEADLK);
	pt_cursor_end(&c);
	expect_leaf(fx, fx->base, FRAMES, RW, 1);
	drop_target(fx, &dst);
}

static void arguments_are_checked(struct fixture *fx)
{
	struct pt_config config = fx->config;
	struct fixture dst;
	const struct {
		pt_va_t va;
		uint64_t len;
		pt_prop_t set, clear;
		int error;
	} cases[] = {
		{fx->base + 1, fx->page, 0, PT_WRITE, EINVAL},
		{fx->base, 0, 0, PT_WRITE, EINVAL},
		{fx->base, fx->page, 0, PT_DIRTY, EINVAL},
		{fx->base, fx->page, PT_ACCESSED, 0, EINVAL},
		{fx->base, fx->page, 0, PT_TRACKED, EINVAL},
		{fx->last + 1, fx->page, 0, PT_WRITE, ERANGE},
		{fx->base + 2 * fx->giant, fx->page, 0, PT_WRITE, ERANGE}, /* in the target */
	};

	config.bound = fx->base + fx->giant - 1;
	dst = target_of(fx, &config);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_error(pt_clone(fx->self, fx->table, dst.table, cases[i].va, cases[i].len,
				      cases[i].set, cases[i].clear, NULL, NULL),
			     cases[i].error);
	drop_target(fx, &dst);
}

static void with_a_gather_the_caller_flushes(struct fixture *fx)
{
	struct fixture dst = new_target(fx);
	struct pt_gather g;

	map(fx, fx->base, fx->page, FRAMES, RW);
	pt_gather_init(&g, fx->self, fx->table, NULL, NULL);
	fx->flushes.n = 0;
	expect_ok(pt_clone(fx->self, fx->table, dst.table, fx->base, fx->page, 0, PT_WRITE, &g,
			   NULL));
	assert_int_equal(fx->flushes.n, 0);
	expect_ok(pt_gather_sync(&g));
	assert_true(was_flushed(fx, fx->base, fx->page, false));
	drop_target(fx, &dst);
}

/* A state with whole leaves, pages, marks, and huge leaves over both edges of what is cloned. */
static void prepare(struct fixture *fx)
{
	map(fx, fx->base, 2 * fx->giant, FRAMES, TRACKED);
	map(fx, fx->base + 2 * fx->giant, fx->page, FRAMES + 2 * fx->giant, TRACKED);
	expect_ok(pt_mark(fx->self, fx->table, fx->base + 2 * fx->giant + fx->huge, fx->page, 4));
	map(fx, fx->base + 3 * fx->giant, fx->giant, FRAMES + 3 * fx->giant, TRACKED);
}

static int clone_prepared(struct fixture *fx, struct fixture *dst)
{
	return pt_clone(fx->self, fx->table, dst->table, fx->base + fx->page, 3 * fx->giant, 0,
			PT_WRITE, NULL, NULL);
}

/* It failed: nothing is otherwise in either table, and all references are back. */
static void expect_nothing_done(struct fixture *fx, struct fixture *dst, struct dump *before,
				uint64_t splits_of_source)
{
	struct pt_check_report report = check(dst);

	reclaim(fx);
	dump_expect_unchanged(fx, before);
	assert_int_equal(report.leaves + report.marks, 0);
	assert_int_equal(ledger_total(&fx->ledger), splits_of_source);
	assert_int_equal(fx->flushes.n, 0);
	assert_null(fx->ledger.error);
}

static void without_nodes_nothing_is_done(struct fixture *fx)
{
	struct fixture dst = new_target(fx);
	uint64_t nodes;
	int rc;

	prepare(fx);
	fx->flushes.n = 0;
	for (nodes = 0;; nodes++) {
		const int64_t total = ledger_total(&fx->ledger);
		struct dump before;

		dump_take(fx, &before);
		pt_thread_fail_alloc(fx->self, nodes);
		rc = clone_prepared(fx, &dst);
		assert_true(fx->self->fail_after <= nodes); /* it used what it had reserved */
		pt_thread_fail_alloc(fx->self, UINT64_MAX);
		if (!rc) {
			dump_free(&before);
			break;
		}
		assert_int_equal(rc, -ENOMEM);
		expect_nothing_done(fx, &dst, &before, (uint64_t)total);
	}
	assert_true(nodes > 3);
	drop_target(fx, &dst);
}

/* ---- an item that cannot be cloned any more ---- */

static unsigned clones_left;

static int clone_or_refuse(void *ctx, pt_pa_t pa, unsigned level)
{
	return clones_left-- ? ledger_ops.clone(ctx, pa, level) : -EOVERFLOW;
}

static void a_refused_reference_undoes_all(struct fixture *fx)
{
	struct pt_item_ops ops = ledger_ops;
	struct fixture dst;
	unsigned refused;
	int rc;

	ops.clone = clone_or_refuse;
	fx->config.item_ops = &ops;
	fixture_new_table(fx);
	dst = new_target(fx);
	prepare(fx);
	fx->flushes.n = 0;
	for (refused = 0;; refused++) {
		const int64_t total = ledger_total(&fx->ledger);
		struct dump before;

		dump_take(fx, &before);
		clones_left = refused;
		rc = clone_prepared(fx, &dst);
		if (!rc) {
			dump_free(&before);
			break;
		}
		assert_int_equal(rc, -EOVERFLOW);
		expect_nothing_done(fx, &dst, &before, (uint64_t)total);
	}
	assert_int_equal(refused, 4); /* leaves that overlap the range */
	drop_target(fx, &dst);
	fx->config.item_ops = &ledger_ops;
	fixture_new_table(fx);
}

/* Their images go where the next ones take them from, or where others can: not onto an ever longer chain. */
static void refused_clones_keep_no_memory(struct fixture *fx)
{
	const uint64_t enough = 1000 * fx->page; /* the images have 8,000 nodes (x86-64) */
	struct pt_item_ops ops = ledger_ops;
	struct pt_pool_stats before, after;
	struct fixture dst;

	ops.clone = clone_or_refuse;
	fx->config.item_ops = &ops;
	fixture_new_table(fx);
	dst = new_target(fx);
	prepare(fx);
	pt_pool_get_stats(fx->pool, &before);
	for (unsigned i = 0; i < 2000; i++) {
		clones_left = 3; /* of 4: the image is nearly complete */
		assert_int_equal(clone_prepared(fx, &dst), -EOVERFLOW);
	}
	pt_pool_get_stats(fx->pool, &after);
	assert_true(after.node_bytes - after.retired_bytes < before.node_bytes + enough);
	drop_target(fx, &dst);
	fx->config.item_ops = &ledger_ops;
	fixture_new_table(fx);
}

static void items_that_cannot_be_split_are_cloned_whole_or_not(struct fixture *fx)
{
	struct pt_item_ops ops = ledger_ops;
	struct fixture dst;

	ops.split = NULL;
	fx->config.item_ops = &ops;
	fixture_new_table(fx);
	dst = new_target(fx);
	map(fx, fx->base, fx->huge, FRAMES, TRACKED);
	expect_error(pt_clone(fx->self, fx->table, dst.table, fx->base, fx->page, 0, PT_WRITE, NULL,
			      NULL),
		     EINVAL);
	assert_int_equal(clone(fx, &dst, fx->base, fx->huge), fx->huge / fx->page);
	drop_target(fx, &dst);
	fx->config.item_ops = &ledger_ops;
	fixture_new_table(fx);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(both_lose_the_right_to_write),
		TEST(properties_may_be_set_or_left_alone),
		TEST(huge_leaves_stay_huge),
		TEST(over_the_edges_they_are_split),
		TEST(a_page_of_a_giant_leaf),
		TEST(marks_are_copied),
		TEST(accessed_and_dirty_stay_where_they_are),
		TEST(where_nothing_is_nothing_comes),
		TEST(references_are_cloned),
		TEST_SYNC(references_are_cloned),
		TEST(a_page_survives_its_parents),
		TEST(what_lies_beside_the_range_stays),
		TEST(a_mapping_or_mark_in_the_way_is_an_error),
		TEST(empty_tables_are_filled_or_give_way),
		TEST_SYNC(empty_tables_are_filled_or_give_way),
		TEST(a_pinned_table_is_filled),
		TEST(tables_that_do_not_fit_are_refused),
		TEST(arguments_are_checked),
		TEST(with_a_gather_the_caller_flushes),
		TEST(without_nodes_nothing_is_done),
		TEST_SYNC(a_refused_reference_undoes_all),
		TEST(refused_clones_keep_no_memory),
		TEST(items_that_cannot_be_split_are_cloned_whole_or_not),
	};

	return run_on_all_pairs("clone", cases, sizeof(cases) / sizeof(cases[0]));
}

/* SPDX-License-Identifier: MIT */
/* Tracked items: every reference that goes into a table comes out of it, once and not too early. */
#include "dump.h"

#define TRACKED (RW | PT_TRACKED)

static int64_t count(struct fixture *fx, pt_pa_t pa, unsigned level)
{
	return ledger_count(&fx->ledger, pa, level);
}

static void sync_and_reclaim(struct fixture *fx, struct pt_gather *g)
{
	expect_ok(pt_gather_sync(g));
	reclaim(fx);
}

static void one_reference_for_each_leaf_comes_back(struct fixture *fx)
{
	map(fx, fx->base, fx->giant + fx->page, FRAMES, TRACKED);
	assert_int_equal(ledger_total(&fx->ledger), 2);
	unmap(fx, fx->base, fx->giant);
	reclaim(fx);
	assert_int_equal(count(fx, FRAMES, fx->giant_level), 0);
	assert_int_equal(count(fx, FRAMES + fx->giant, 1), 1);
	assert_int_equal(fx->ledger.drops, 1);
}

static void a_reference_is_not_dropped_before_the_gather_is_synced(struct fixture *fx)
{
	struct pt_gather g;

	map(fx, fx->base, fx->page, FRAMES, TRACKED);
	map(fx, fx->base + fx->giant, fx->page, FRAMES + fx->page, TRACKED);
	pt_gather_init(&g, fx->self, fx->table, NULL, NULL);
	/* a leaf by itself, and one inside a table */
	expect_ok(pt_unmap(fx->self, fx->table, fx->base, fx->page, &g, NULL));
	expect_ok(pt_unmap(fx->self, fx->table, fx->base + fx->giant, fx->giant, &g, NULL));
	reclaim(fx);
	assert_int_equal(fx->ledger.drops, 0);
	sync_and_reclaim(fx, &g);
	assert_int_equal(fx->ledger.drops, 2);
	assert_int_equal(ledger_total(&fx->ledger), 0);
}

struct order {
	struct fixture *fx;
	bool flushed;
	unsigned drops, early;
};

static void note_flush(void *ctx, pt_va_t va, uint64_t len, bool tables)
{
	struct order *o = ctx;

	(void)va;
	(void)len;
	(void)tables;
	o->flushed = true;
}

static void note_drop(void *ctx, pt_pa_t pa, unsigned level)
{
	struct order *o = ctx;

	(void)pa;
	(void)level;
	o->drops++;
	o->early += !o->flushed;
}

static void ignore_item(void *ctx, pt_pa_t pa, unsigned level)
{
	(void)ctx;
	(void)pa;
	(void)level;
}

static int take_item(void *ctx, pt_pa_t pa, unsigned level)
{
	ignore_item(ctx, pa, level);
	return 0;
}

static void every_drop_comes_after_the_flush(struct fixture *fx)
{
	static const struct pt_item_ops ops = {
		.clone = take_item, .drop = note_drop, .split = ignore_item};
	struct order o = {.fx = fx};
	struct pt_config config = fx->config;
	struct pt_table *t;

	config.item_ops = &ops;
	config.item_ctx = &o;
	config.flush = note_flush;
	config.flush_ctx = &o;
	expect_ok(pt_table_create(fx->self, &config, &t));
	expect_ok(pt_map(fx->self, t, fx->base, 2 * fx->page, FRAMES, TRACKED, 1));
	expect_ok(pt_map(fx->self, t, fx->base + fx->giant, fx->page, FRAMES, TRACKED, 1));
	expect_ok(pt_unmap(fx->self, t, fx->base, fx->page, NULL, NULL));
	reclaim(fx);
	assert_int_equal(o.drops, 1);
	o.flushed = false;
	expect_ok(pt_unmap(fx->self, t, fx->base + fx->giant, fx->giant, NULL, NULL));
	reclaim(fx);
	assert_int_equal(o.drops, 2);
	o.flushed = false;
	expect_ok(pt_table_destroy(fx->self, t));
	assert_int_equal(o.drops, 3);
	assert_int_equal(o.early, 0);
}

static void a_failed_map_leaves_the_references_with_the_caller(struct fixture *fx)
{
	struct pt_item item = {.pa = FRAMES, .prop = TRACKED, .level = 1};
	struct pt_cursor c;

	map(fx, fx->base + fx->page, fx->page, FRAMES, RW);
	ledger_get(&fx->ledger, FRAMES, 1);
	ledger_get(&fx->ledger, FRAMES + fx->page, 1);
	expect_error(pt_map(fx->self, fx->table, fx->base, 2 * fx->page, FRAMES, TRACKED, 1),
		     EEXIST);
	expect_ok(pt_cursor_begin(fx->self, fx->table, fx->base, 2 * fx->page, PT_BUILD, 1, &c));
	expect_ok(pt_cursor_jump(&c, fx->base + fx->page));
	expect_error(pt_cursor_map(&c, &item), EEXIST);
	pt_cursor_end(&c);
	reclaim(fx);
	assert_int_equal(fx->ledger.drops, 0);
	assert_int_equal(count(fx, FRAMES, 1), 1);
	ledger_put(&fx->ledger, FRAMES, 1);
	ledger_put(&fx->ledger, FRAMES + fx->page, 1);
}

static void a_cursor_moves_the_reference_in_and_out(struct fixture *fx)
{
	struct pt_item item = {.pa = FRAMES, .prop = TRACKED, .level = 2};
	struct pt_taken taken;
	struct pt_cursor c;
	struct pt_gather g;

	ledger_get(&fx->ledger, FRAMES, 2);
	expect_ok(pt_cursor_begin(fx->self, fx->table, fx->base, fx->huge, PT_BUILD, 2, &c));
	expect_ok(pt_cursor_map(&c, &item));
	pt_cursor_end(&c);
	pt_gather_init(&g, fx->self, fx->table, NULL, NULL);
	expect_ok(pt_cursor_begin(fx->self, fx->table, fx->base, fx->huge, PT_CHANGE, 2, &c));
	expect_ok(pt_cursor_take_next(&c, fx->huge, &g, &taken));
	pt_cursor_end(&c);
	assert_int_equal(taken.item.prop, TRACKED);
	assert_int_equal(fx->ledger.drops, 0);
	sync_and_reclaim(fx, &g);
	assert_int_equal(fx->ledger.drops, 1);
	assert_int_equal(count(fx, FRAMES, 2), 0);
}

/* One reference on the whole becomes one on each part, level by level. */
static void a_split_hands_on_references_to_the_parts(struct fixture *fx)
{
	const unsigned splits = fx->giant_level - 1;
	const uint64_t parts = (UINT64_C(1) << fx->format->index_bits) - 1;

	map(fx, fx->base, fx->giant, FRAMES, TRACKED);
	unmap(fx, fx->base + fx->page, fx->page);
	reclaim(fx);
	assert_int_equal(fx->ledger.splits, splits);
	assert_int_equal(fx->ledger.drops, 1);
	assert_int_equal(count(fx, FRAMES, fx->giant_level), 0);
	assert_int_equal(count(fx, FRAMES, 1), 1);
	assert_int_equal(count(fx, FRAMES + fx->page, 1), 0);
	/* all parts but one at each level, and the last one is gone, too */
	assert_int_equal(ledger_total(&fx->ledger), parts * splits);
	expect_leaf(fx, fx->base, FRAMES, TRACKED, 1);
	unmap(fx, fx->base, fx->giant);
	reclaim(fx);
	assert_int_equal(ledger_total(&fx->ledger), 0);
	assert_int_equal(fx->ledger.splits, splits);
}

static void protect_splits_references_and_drops_none(struct fixture *fx)
{
	map(fx, fx->base, fx->giant, FRAMES, TRACKED);
	protect(fx, fx->base, fx->page, 0, PT_WRITE);
	expect_leaf(fx, fx->base, FRAMES, PT_READ | PT_TRACKED, 1);
	expect_leaf(fx, fx->base + fx->page, FRAMES + fx->page, TRACKED, 1);
	assert_int_equal(fx->ledger.splits, fx->giant_level - 1);
	protect(fx, fx->base, fx->giant, 0, PT_READ);
	reclaim(fx);
	assert_int_equal(fx->ledger.drops, 0);
	expect_leaf(fx, fx->base, FRAMES, PT_TRACKED, 1);
}

static void without_a_split_hook_a_tracked_huge_leaf_stays_whole(struct fixture *fx)
{
	struct pt_item_ops ops = ledger_ops;
	struct dump before;

	ops.split = NULL;
	fx->config.item_ops = &ops;
	fixture_new_table(fx);
	map(fx, fx->base, fx->giant, FRAMES, TRACKED);
	dump_take(fx, &before);
	expect_error(pt_unmap(fx->self, fx->table, fx->base, fx->page, NULL, NULL), EINVAL);
	expect_error(pt_unmap(fx->self, fx->table, fx->base + fx->giant - fx->page, 2 * fx->page,
			      NULL, NULL),
		     EINVAL);
	expect_error(pt_protect(fx->self, fx->table, fx->base + fx->page, fx->page, 0, PT_WRITE,
				NULL, NULL),
		     EINVAL);
	dump_expect_unchanged(fx, &before);
	/* as a whole it can change and go */
	protect(fx, fx->base, fx->giant, 0, PT_WRITE);
	assert_int_equal(unmap(fx, fx->base, fx->giant), fx->giant / fx->page);
	/* and untracked ones can be split */
	map(fx, fx->base, fx->giant, FRAMES, RW);
	assert_int_equal(unmap(fx, fx->base, fx->page), 1);
	fx->config.item_ops = &ledger_ops;
	fixture_new_table(fx);
}

/* What lies beyond the first mapping is none of take_next()'s business. */
static void take_next_minds_only_the_mapping_it_takes(struct fixture *fx)
{
	struct pt_item_ops ops = ledger_ops;
	struct pt_taken taken;
	struct pt_gather g;
	struct pt_cursor c;

	ops.split = NULL;
	fx->config.item_ops = &ops;
	fixture_new_table(fx);
	map(fx, fx->base, fx->page, FRAMES + fx->page, TRACKED);
	map(fx, fx->base + fx->giant, fx->giant, FRAMES, TRACKED);
	pt_gather_init(&g, fx->self, fx->table, NULL, NULL);
	expect_ok(pt_cursor_begin(fx->self, fx->table, fx->base, 2 * fx->giant, PT_CHANGE, 1, &c));
	expect_ok(pt_cursor_take_next(&c, fx->giant + fx->page, &g, &taken));
	assert_int_equal(taken.va, fx->base);
	/* now it would have to be split */
	expect_ok(pt_cursor_jump(&c, fx->base + fx->giant));
	expect_error(pt_cursor_take_next(&c, fx->page, &g, &taken), EINVAL);
	assert_int_equal(pt_cursor_va(&c), fx->base + fx->giant);
	pt_cursor_end(&c);
	sync_and_reclaim(fx, &g);
	expect_leaf(fx, fx->base + fx->giant, FRAMES, TRACKED, fx->giant_level);
	fx->config.item_ops = &ledger_ops;
	fixture_new_table(fx);
}

static void without_item_hooks_nothing_is_tracked(struct fixture *fx)
{
	struct pt_item item = {.pa = FRAMES, .prop = TRACKED, .level = 1};
	struct pt_cursor c;

	fx->config.item_ops = NULL;
	fixture_new_table(fx);
	expect_error(pt_map(fx->self, fx->table, fx->base, fx->page, FRAMES, TRACKED, 1), EINVAL);
	expect_ok(pt_cursor_begin(fx->self, fx->table, fx->base, fx->page, PT_BUILD, 1, &c));
	expect_error(pt_cursor_map(&c, &item), EINVAL);
	pt_cursor_end(&c);
	map(fx, fx->base, fx->giant, FRAMES, RW);
	unmap(fx, fx->base, fx->page);
	expect_empty(fx, fx->base);
}

static void untracked_leaves_have_no_references(struct fixture *fx)
{
	map(fx, fx->base, fx->giant, FRAMES, RW);
	map(fx, fx->base + fx->giant, fx->page, FRAMES, TRACKED);
	unmap(fx, fx->base + fx->page, fx->page);
	unmap(fx, fx->base, 2 * fx->giant);
	reclaim(fx);
	assert_int_equal(fx->ledger.splits, 0);
	assert_int_equal(fx->ledger.drops, 1);
}

static void one_item_may_be_mapped_twice(struct fixture *fx)
{
	map(fx, fx->base, fx->page, FRAMES, TRACKED);
	map(fx, fx->base + fx->page, fx->page, FRAMES, TRACKED);
	assert_int_equal(count(fx, FRAMES, 1), 2);
	unmap(fx, fx->base, fx->page);
	reclaim(fx);
	assert_int_equal(count(fx, FRAMES, 1), 1);
}

static void a_query_can_take_a_reference_of_its_own(struct fixture *fx)
{
	struct pt_mapping m;

	map(fx, fx->base, fx->giant, FRAMES, TRACKED);
	map(fx, fx->base + fx->giant, fx->page, FRAMES, RW);
	expect_ok(pt_query_get(fx->self, fx->table, fx->base + fx->page, &m));
	assert_int_equal(m.va, fx->base);
	assert_int_equal(m.item.pa, FRAMES);
	assert_int_equal(count(fx, FRAMES, fx->giant_level), 2);
	/* nothing to take where nothing is tracked */
	expect_ok(pt_query_get(fx->self, fx->table, fx->base + fx->giant, &m));
	assert_int_equal(m.kind, PT_KIND_LEAF);
	expect_ok(pt_query_get(fx->self, fx->table, fx->base - 1, &m));
	assert_int_equal(m.kind, PT_KIND_EMPTY);
	expect_error(pt_query_get(fx->self, fx->table, fx->last + 1, &m), ERANGE);
	assert_int_equal(fx->ledger.clones, 1);
	unmap(fx, fx->base, fx->giant);
	reclaim(fx);
	assert_int_equal(count(fx, FRAMES, fx->giant_level), 1);
	ledger_put(&fx->ledger, FRAMES, fx->giant_level);
}

/* With PT_RECLAIM_SYNC all hooks have run when the call returns. */
static void waiting_reclamation_drops_before_it_returns(struct fixture *fx)
{
	struct pt_pool_config pool = {
		.size = sizeof(pool),
		.node_shift = fx->format->node_shift,
		.max_bytes = 4 << 20,
		.reclaim = PT_RECLAIM_SYNC,
	};
	struct pt_config config = fx->config;
	struct pt_thread *self;
	struct pt_table *t;

	expect_ok(pt_pool_create(&pool, &config.pool));
	expect_ok(pt_thread_register(config.pool, &self));
	expect_ok(pt_table_create(self, &config, &t));
	ledger_get(&fx->ledger, FRAMES, 1);
	expect_ok(pt_map(self, t, fx->base, fx->page, FRAMES, TRACKED, 1));
	expect_ok(pt_unmap(self, t, fx->base, fx->huge, NULL, NULL));
	assert_int_equal(fx->ledger.drops, 1);
	assert_int_equal(ledger_total(&fx->ledger), 0);
	expect_ok(pt_table_destroy(self, t));
	expect_ok(pt_thread_unregister(self));
	expect_ok(pt_pool_destroy(config.pool));
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(one_reference_for_each_leaf_comes_back),
		TEST(a_reference_is_not_dropped_before_the_gather_is_synced),
		TEST(every_drop_comes_after_the_flush),
		TEST(a_failed_map_leaves_the_references_with_the_caller),
		TEST(a_cursor_moves_the_reference_in_and_out),
		TEST(a_split_hands_on_references_to_the_parts),
		TEST(protect_splits_references_and_drops_none),
		TEST(without_a_split_hook_a_tracked_huge_leaf_stays_whole),
		TEST(take_next_minds_only_the_mapping_it_takes),
		TEST(without_item_hooks_nothing_is_tracked),
		TEST(untracked_leaves_have_no_references),
		TEST(one_item_may_be_mapped_twice),
		TEST(a_query_can_take_a_reference_of_its_own),
		TEST(waiting_reclamation_drops_before_it_returns),
	};

	return run_on_all_pairs("items", cases, sizeof(cases) / sizeof(cases[0]));
}

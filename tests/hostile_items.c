/* SPDX-License-Identifier: MIT */
/* Tracked leaves: where nobody can count them, split them, or take one more reference. */
#include "hostile.h"

#define TRACKED (RW | PT_TRACKED)

/* A table like the scene's whose item hooks are @ops; and its end. */
static struct fixture open_table(struct scene *s, const struct pt_item_ops *ops, void *ctx)
{
	struct fixture fx = *s->fx;

	fx.config.item_ops = ops;
	fx.config.item_ctx = ctx;
	expect_ok(pt_table_create(fx.self, &fx.config, &fx.table));
	return fx;
}

static void close_table(struct scene *s, struct fixture *fx)
{
	check(fx);
	expect_ok(pt_table_destroy(fx->self, fx->table));
	s->fx->flushes.n = 0;
}

/* ---- no hooks ---- */

static void nobody_counts(struct scene *s)
{
	struct fixture fx = open_table(s, NULL, NULL);
	const struct pt_item item = {FRAMES, TRACKED, 1};
	struct pt_cursor c;

	refuse(pt_map(fx.self, fx.table, fx.base, fx.page, FRAMES, TRACKED, 1), EINVAL);
	refuse(pt_map(fx.self, fx.table, fx.base, fx.giant, FRAMES, TRACKED, fx.giant_level),
	       EINVAL);
	begin_cursor(&fx, fx.base, fx.page, PT_BUILD, &c);
	refuse(pt_cursor_map(&c, &item), EINVAL);
	pt_cursor_end(&c);
	assert_int_equal(check(&fx).leaves, 0);
	close_table(s, &fx);
}

/* ---- no split hook ---- */

static pt_prop_t take_write_away(void *ctx, pt_va_t va, const struct pt_item *old)
{
	(void)ctx;
	(void)va;
	return old->prop & ~PT_WRITE;
}

/* A piece at @va of a tracked leaf that cannot be split. */
static void refuse_piece(struct fixture *fx, struct pt_table *copy, pt_va_t va, uint64_t len)
{
	struct pt_thread *self = fx->self;
	struct pt_table *t = fx->table;
	struct pt_taken taken = {.va = 77};
	struct pt_gather g;
	struct pt_cursor c;
	uint64_t n = 77;
	pt_va_t at = 77;

	refuse(pt_unmap(self, t, va, len, NULL, &n), EINVAL);
	refuse(pt_protect(self, t, va, len, 0, PT_WRITE, NULL, &n), EINVAL);
	refuse(pt_clone(self, t, copy, va, len, 0, PT_WRITE, NULL, &n), EINVAL);
	refuse(pt_clone(self, t, copy, va, len, 0, 0, NULL, &n), EINVAL);
	pt_gather_init(&g, self, t, NULL, NULL);
	begin_cursor(fx, va, len, PT_CHANGE, &c);
	refuse(pt_cursor_take_next(&c, len, &g, &taken), EINVAL);
	refuse(pt_cursor_protect_next(&c, len, take_write_away, NULL, &g, &at, &n), EINVAL);
	assert_int_equal(pt_cursor_va(&c), va);
	pt_cursor_end(&c);
	expect_ok(pt_gather_sync(&g));
	assert_true(n == 77 && at == 77 && taken.va == 77);
}

static void nobody_splits(struct scene *s)
{
	const uint64_t drops = s->fx->ledger.drops;
	struct pt_item_ops hooks = ledger_ops;
	struct fixture fx, copy;

	hooks.split = NULL;
	fx = open_table(s, &hooks, &s->fx->ledger);
	copy = open_table(s, &hooks, &s->fx->ledger);
	get_items(s->fx, fx.base, fx.giant, FRAMES, fx.giant_level);
	expect_ok(pt_map(fx.self, fx.table, fx.base, fx.giant, FRAMES, TRACKED, fx.giant_level));
	refuse_piece(&fx, copy.table, fx.base, fx.page);
	refuse_piece(&fx, copy.table, fx.base + fx.page, fx.page);
	refuse_piece(&fx, copy.table, fx.base, fx.giant - fx.page);
	refuse_piece(&fx, copy.table, fx.base + fx.giant - fx.page, 2 * fx.page);
	refuse_piece(&fx, copy.table, fx.base - fx.page, 2 * fx.page);
	assert_int_equal(check(&copy).leaves, 0);
	expect_leaf(&fx, fx.base, FRAMES, TRACKED, fx.giant_level);
	expect_ok(pt_clone(fx.self, fx.table, copy.table, fx.base, fx.giant, 0, 0, NULL, NULL));
	close_table(s, &copy);
	close_table(s, &fx);
	reclaim(s->fx);
	assert_int_equal(ledger_total(&s->fx->ledger), 0);
	s->fx->ledger.drops = drops; /* it was not the scene's table */
}

/* ---- counted frames ---- */

/* References at their bound, and a leaf that maps what the frames do not manage. */
static void frames_are_full(struct scene *s)
{
	const struct pt_frames_config config = {
		.size = sizeof(config),
		.first = FRAMES,
		.bytes = 2 * s->fx->page,
		.page_shift = s->fx->format->page_shift,
		.index_bits = s->fx->format->index_bits,
		.max_count = 2,
	};
	struct pt_mapping m = {.va = 77};
	struct pt_frames *frames;
	struct fixture fx, copy;
	uint64_t count, pages = 77;

	expect_ok(pt_frames_create(&config, &frames));
	fx = open_table(s, pt_frame_item_ops(), frames);
	copy = open_table(s, pt_frame_item_ops(), frames);
	expect_ok(pt_frame_get_unused(frames, FRAMES, 2 * fx.page));
	expect_ok(pt_map(fx.self, fx.table, fx.base, 3 * fx.page, FRAMES, TRACKED, 1));
	refuse(pt_query_get(fx.self, fx.table, fx.base + 2 * fx.page, &m), ERANGE);
	refuse(pt_clone(fx.self, fx.table, copy.table, fx.base, 3 * fx.page, 0, 0, NULL, &pages),
	       ERANGE);
	expect_ok(pt_frame_get(frames, FRAMES + fx.page, fx.page));
	refuse(pt_query_get(fx.self, fx.table, fx.base + fx.page, &m), EOVERFLOW);
	refuse(pt_frame_get(frames, FRAMES, 2 * fx.page), EOVERFLOW);
	refuse(pt_clone(fx.self, fx.table, copy.table, fx.base, 2 * fx.page, 0, PT_WRITE, NULL,
			&pages),
	       EOVERFLOW);
	expect_leaf(&fx, fx.base, FRAMES, TRACKED, 1);
	assert_int_equal(check(&copy).leaves, 0);
	assert_true(m.va == 77 && pages == 77);
	reclaim(&fx);
	expect_ok(pt_frame_count(frames, FRAMES, &count));
	assert_int_equal(count, 1);
	expect_ok(pt_frame_put(frames, FRAMES + fx.page, fx.page));
	close_table(s, &copy);
	close_table(s, &fx);
	reclaim(s->fx);
	expect_ok(pt_frames_destroy(frames));
}

const struct hostile_case hostile_items[] = {
	{nobody_counts, "pt_map pt_cursor_map "},
	{nobody_splits, "pt_unmap pt_protect pt_clone pt_cursor_take_next pt_cursor_protect_next "},
	{frames_are_full, "pt_query_get pt_clone pt_frame_get "},
	{NULL, NULL},
};

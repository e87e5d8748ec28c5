/* SPDX-License-Identifier: MIT */
/* Counted frames by themselves, and as what tracked items are, on every pair. */
#include <string.h>

#include "support.h"

#define FRAME UINT64_C(4096)

struct log {
	unsigned drops, frees;
	unsigned char last; /* first byte of the storage dropped last */
};

static void on_drop(void *ctx, pt_pa_t pa, void *storage)
{
	struct log *log = ctx;

	(void)pa;
	log->drops++;
	log->last = *(unsigned char *)storage;
}

static void on_free(void *ctx, pt_pa_t pa)
{
	(void)pa;
	((struct log *)ctx)->frees++;
}

static const struct pt_frame_ops log_ops = {.on_drop = on_drop, .free = on_free};

static struct pt_frames *make(struct fixture *fx, struct log *log, uint64_t bytes, uint64_t max)
{
	struct pt_frames_config config = {
		.size = sizeof(config),
		.first = FRAMES,
		.bytes = bytes,
		.page_shift = fx->format->page_shift,
		.index_bits = fx->format->index_bits,
		.max_count = max,
		.ops = &log_ops,
		.ctx = log,
	};
	struct pt_frames *frames;

	expect_ok(pt_frames_create(&config, &frames));
	return frames;
}

static uint64_t count_of(struct pt_frames *frames, pt_pa_t pa)
{
	uint64_t count = 0;
	int rc = pt_frame_count(frames, pa, &count);

	assert_true(rc == 0 || rc == -ENOENT);
	return count;
}

static void each_state_has_its_error(struct fixture *fx)
{
	struct log log = {0};
	uint64_t page = fx->page;
	struct pt_frames *f = make(fx, &log, 8 * page, 3);

	expect_error(pt_frame_get(f, FRAMES, page), ENOENT);
	expect_error(pt_frame_to_unique(f, FRAMES), ENOENT);
	expect_error(pt_frame_to_shared(f, FRAMES), ENOENT);
	expect_ok(pt_frame_get_unused(f, FRAMES, page));
	expect_error(pt_frame_get_unused(f, FRAMES, page), EEXIST);
	expect_error(pt_frame_get_unique(f, FRAMES), EEXIST);
	expect_error(pt_frames_destroy(f), EBUSY);
	expect_ok(pt_frame_get(f, FRAMES, page));
	expect_error(pt_frame_to_unique(f, FRAMES), EEXIST);
	expect_ok(pt_frame_get(f, FRAMES, page));
	expect_error(pt_frame_get(f, FRAMES, page), EOVERFLOW);
	assert_int_equal(count_of(f, FRAMES), 3);
	expect_error(pt_frame_get(f, FRAMES + 1, page), EINVAL);
	expect_error(pt_frame_get(f, FRAMES, 0), EINVAL);
	expect_error(pt_frame_get(f, FRAMES + 8 * page, page), ERANGE);
	expect_error(pt_frame_get(f, FRAMES - page, page), ERANGE);
	expect_error(pt_frame_get(f, FRAMES + 7 * page, 2 * page), ERANGE);
	expect_error(pt_frame_get(f, FRAMES, -page), ERANGE);
	expect_ok(pt_frame_put(f, FRAMES, page));
	expect_ok(pt_frame_put(f, FRAMES, page));
	expect_ok(pt_frame_to_unique(f, FRAMES));
	expect_error(pt_frame_get(f, FRAMES, page), EBUSY);
	expect_error(pt_frame_get_unused(f, FRAMES, page), EBUSY);
	expect_ok(pt_frame_to_shared(f, FRAMES));
	assert_int_equal(count_of(f, FRAMES), 1);
	assert_int_equal(log.drops, 0);
	expect_ok(pt_frame_put(f, FRAMES, page));
	assert_int_equal(log.drops, 1);
	assert_int_equal(log.frees, 1);
	expect_ok(pt_frames_destroy(f));
}

static void a_range_is_taken_as_a_whole_or_not_at_all(struct fixture *fx)
{
	struct log log = {0};
	uint64_t page = fx->page;
	struct pt_frames *f = make(fx, &log, 8 * page, 0);

	expect_ok(pt_frame_get_unused(f, FRAMES + 2 * page, page));
	expect_error(pt_frame_get_unused(f, FRAMES, 4 * page), EEXIST);
	assert_int_equal(count_of(f, FRAMES), 0);
	expect_ok(pt_frame_get_unused(f, FRAMES, 2 * page));
	expect_error(pt_frame_get(f, FRAMES, 4 * page), ENOENT);
	assert_int_equal(count_of(f, FRAMES + page), 1);
	assert_int_equal(log.drops, 0);
	expect_ok(pt_frame_put(f, FRAMES, 3 * page));
	assert_int_equal(log.frees, 3);
	expect_ok(pt_frames_destroy(f));
}

static void the_owner_may_use_a_frame_for_something_else(struct fixture *fx)
{
	struct log log = {0};
	struct pt_frames *f = make(fx, &log, fx->page, 0);
	unsigned char *storage = pt_frame_storage(f, FRAMES);

	assert_null(pt_frame_storage(f, FRAMES + fx->page));
	expect_ok(pt_frame_get_unique(f, FRAMES));
	storage[0] = 7;
	expect_ok(pt_frame_repurpose(f, FRAMES));
	assert_int_equal(log.last, 7);
	assert_int_equal(storage[0], 0);
	storage[0] = 8;
	expect_ok(pt_frame_reset_as_unused(f, FRAMES));
	assert_int_equal(log.last, 8);
	assert_int_equal(log.frees, 0);
	expect_error(pt_frame_reset_as_unused(f, FRAMES), ENOENT);
	expect_ok(pt_frame_get_unused(f, FRAMES, fx->page));
	expect_error(pt_frame_repurpose(f, FRAMES), EEXIST);
	expect_ok(pt_frame_put(f, FRAMES, fx->page));
	expect_ok(pt_frames_destroy(f));
}

static void the_embedder_may_give_the_metadata(struct fixture *fx)
{
	static _Alignas(64) unsigned char meta[4 * 64];
	struct pt_frames_config config = {
		.size = sizeof(config), .first = 0x10000, .bytes = 4 * FRAME, .meta = meta};
	struct pt_frames *f;

	(void)fx;
	memset(meta, 0xff, sizeof(meta));
	expect_ok(pt_frames_create(&config, &f));
	expect_error(pt_frame_get(f, 0x13000, FRAME), ENOENT);
	assert_ptr_equal((char *)pt_frame_storage(f, 0x13000) - (char *)meta, 3 * 64 + 8);
	expect_ok(pt_frames_destroy(f));
	config.meta = meta + 1;
	expect_error(pt_frames_create(&config, &f), EINVAL);
	config.meta = NULL;
	config.first = 1;
	expect_error(pt_frames_create(&config, &f), EINVAL);
	config.first = 0;
	config.bytes = 0;
	expect_error(pt_frames_create(&config, &f), EINVAL);
}

/* ---- as items ---- */

static void use_frames(struct fixture *fx, struct pt_frames *f)
{
	fx->config.item_ops = pt_frame_item_ops();
	fx->config.item_ctx = f;
	fixture_new_table(fx);
}

static void done_with_frames(struct fixture *fx, struct pt_frames *f)
{
	fx->config.item_ops = &ledger_ops;
	fx->config.item_ctx = &fx->ledger;
	fixture_new_table(fx);
	expect_ok(pt_frames_destroy(f));
}

static void map_frames(struct fixture *fx, struct pt_frames *f, pt_va_t va, uint64_t len)
{
	expect_ok(pt_frame_get_unused(f, FRAMES, len));
	expect_ok(pt_map(fx->self, fx->table, va, len, FRAMES, RW | PT_TRACKED, 2));
}

static void a_mapped_frame_is_in_use_until_reclaimed(struct fixture *fx)
{
	struct log log = {0};
	struct pt_frames *f = make(fx, &log, fx->huge, 0);

	use_frames(fx, f);
	map_frames(fx, f, fx->base, fx->page);
	assert_int_equal(count_of(f, FRAMES), 1);
	unmap(fx, fx->base, fx->page);
	reclaim(fx);
	assert_int_equal(count_of(f, FRAMES), 0);
	assert_int_equal(log.frees, 1);
	done_with_frames(fx, f);
}

/* A part lives on while the rest, and the whole held elsewhere, come and go. */
static void parts_of_a_huge_item_outlive_one_another(struct fixture *fx)
{
	struct log log = {0};
	struct pt_frames *f = make(fx, &log, fx->huge, 0);
	uint64_t n = fx->huge / fx->page;
	struct pt_mapping m;

	use_frames(fx, f);
	map_frames(fx, f, fx->base, fx->huge);
	expect_ok(pt_query_get(fx->self, fx->table, fx->base + fx->page, &m));
	assert_int_equal(m.item.level, 2);
	assert_int_equal(count_of(f, FRAMES + fx->huge - fx->page), 2);
	unmap(fx, fx->base + fx->page, fx->page); /* splits */
	reclaim(fx);
	assert_int_equal(count_of(f, FRAMES), 2);
	assert_int_equal(count_of(f, FRAMES + fx->page), 1);
	assert_int_equal(log.frees, 0);
	expect_ok(pt_frame_put(f, m.item.pa, fx->huge));
	assert_int_equal(log.frees, 1);
	unmap(fx, fx->base, fx->huge);
	reclaim(fx);
	assert_int_equal(log.frees, n);
	done_with_frames(fx, f);
}

/* The huge item holds what its pages held, and a page held elsewhere outlives it. */
static void merging_moves_no_reference(struct fixture *fx)
{
	struct log log = {0};
	struct pt_frames *f = make(fx, &log, fx->huge, 0);
	uint64_t n = fx->huge / fx->page, merged;
	struct pt_mapping m;

	use_frames(fx, f);
	expect_ok(pt_frame_get_unused(f, FRAMES, fx->huge));
	expect_ok(pt_map(fx->self, fx->table, fx->base, fx->huge, FRAMES, RW | PT_TRACKED, 1));
	expect_ok(pt_query_get(fx->self, fx->table, fx->base + fx->page, &m));
	expect_ok(pt_merge(fx->self, fx->table, fx->base, fx->huge, 2, &merged));
	assert_int_equal(merged, 1);
	expect_leaf(fx, fx->base, FRAMES, RW | PT_TRACKED, 2);
	reclaim(fx);
	assert_int_equal(log.drops, 0);
	assert_int_equal(count_of(f, FRAMES), 1);
	assert_int_equal(count_of(f, FRAMES + fx->page), 2);
	unmap(fx, fx->base, fx->huge);
	reclaim(fx);
	assert_int_equal(log.frees, n - 1);
	assert_int_equal(count_of(f, FRAMES + fx->page), 1);
	expect_ok(pt_frame_put(f, m.item.pa, fx->page));
	done_with_frames(fx, f);
}

static void a_full_count_refuses_a_query_that_takes_a_reference(struct fixture *fx)
{
	struct log log = {0};
	struct pt_frames *f = make(fx, &log, fx->huge, 2);
	pt_pa_t last = FRAMES + fx->huge - fx->page;
	struct pt_mapping m = {.va = 1};

	use_frames(fx, f);
	map_frames(fx, f, fx->base, fx->huge);
	expect_ok(pt_frame_get(f, last, fx->page));
	expect_error(pt_query_get(fx->self, fx->table, fx->base, &m), EOVERFLOW);
	assert_int_equal(m.va, 1);
	assert_int_equal(count_of(f, FRAMES), 1);
	assert_int_equal(count_of(f, last), 2);
	expect_ok(pt_frame_put(f, last, fx->page));
	expect_ok(pt_query_get(fx->self, fx->table, fx->base, &m));
	expect_ok(pt_frame_put(f, m.item.pa, fx->huge));
	done_with_frames(fx, f);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(each_state_has_its_error),
		TEST(a_range_is_taken_as_a_whole_or_not_at_all),
		TEST(the_owner_may_use_a_frame_for_something_else),
		TEST(the_embedder_may_give_the_metadata),
		TEST(a_mapped_frame_is_in_use_until_reclaimed),
		TEST(parts_of_a_huge_item_outlive_one_another),
		TEST(merging_moves_no_reference),
		TEST(a_full_count_refuses_a_query_that_takes_a_reference),
	};

	return run_on_all_pairs("frame", cases, sizeof(cases) / sizeof(cases[0]));
}

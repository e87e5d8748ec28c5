/* SPDX-License-Identifier: MIT */
/*
 * Running out of nodes: each call is run with its first, second, third... node missing, until it
 * succeeds. Whenever it fails, nothing must have changed (C2); what leaks is found at the end.
 */
#include "dump.h"

#define TRACKED (RW | PT_TRACKED)

struct script {
	void (*prepare)(struct fixture *fx);
	/* The call under test; it limits the nodes itself. */
	int (*call)(struct fixture *fx, uint64_t nodes);
};

static void limit(struct fixture *fx, uint64_t nodes)
{
	pt_thread_fail_alloc(fx->self, nodes);
}

static void no_limit(struct fixture *fx)
{
	pt_thread_fail_alloc(fx->self, UINT64_MAX);
}

/* Run with @nodes nodes; true when that was enough. */
static bool attempt(struct fixture *fx, const struct script *s, uint64_t nodes)
{
	struct before before;
	int rc;

	unmap(fx, fx->first, fx->last - fx->first + 1);
	assert_int_equal(ledger_total(&fx->ledger), 0);
	s->prepare(fx);
	before_take(fx, &before);
	rc = s->call(fx, nodes);
	no_limit(fx);
	if (!rc) {
		before_free(&before);
		check(fx);
		return true;
	}
	assert_int_equal(rc, -ENOMEM);
	before_expect_unchanged(fx, &before);
	expect_ok(s->call(fx, UINT64_MAX));
	check(fx);
	return false;
}

static void run(struct fixture *fx, void (*prepare)(struct fixture *fx),
		int (*call)(struct fixture *fx, uint64_t nodes))
{
	const struct script s = {.prepare = prepare, .call = call};
	uint64_t nodes;

	for (nodes = 0; !attempt(fx, &s, nodes); nodes++)
		assert_true(nodes < 100000);
	assert_true(nodes > 0); /* else nothing was tested */
}

/* ---- states to begin with ---- */

static void nothing(struct fixture *fx)
{
	(void)fx;
}

static void three_huge_leaves(struct fixture *fx)
{
	map(fx, fx->base, 3 * fx->giant, FRAMES, RW);
}

static void three_tracked_leaves(struct fixture *fx)
{
	map(fx, fx->base, 3 * fx->giant, FRAMES, TRACKED);
}

static void a_large_mark(struct fixture *fx)
{
	expect_ok(pt_mark(fx->self, fx->table, fx->base, 3 * fx->giant, 5));
}

static void a_tracked_page_in_a_table(struct fixture *fx)
{
	map(fx, fx->base + fx->page, fx->page, FRAMES, TRACKED);
}

/* ---- calls ---- */

static int map_a_page(struct fixture *fx, uint64_t nodes)
{
	limit(fx, nodes);
	return pt_map(fx->self, fx->table, fx->base + fx->page, fx->page, FRAMES, RW, 1);
}

static void mapping_a_page(struct fixture *fx)
{
	run(fx, nothing, map_a_page);
}

static void mapping_into_a_large_mark(struct fixture *fx)
{
	run(fx, a_large_mark, map_a_page);
}

static int map_over_three_tables(struct fixture *fx, uint64_t nodes)
{
	limit(fx, nodes);
	return pt_map(fx->self, fx->table, fx->base + fx->huge - fx->page, fx->huge + 2 * fx->page,
		      FRAMES, RW, 1);
}

static void mapping_over_three_tables(struct fixture *fx)
{
	run(fx, nothing, map_over_three_tables);
}

static int unmap_a_page(struct fixture *fx, uint64_t nodes)
{
	limit(fx, nodes);
	return pt_unmap(fx->self, fx->table, fx->base + fx->page, fx->page, NULL, NULL);
}

static void unmapping_a_piece_of_a_huge_leaf(struct fixture *fx)
{
	run(fx, three_huge_leaves, unmap_a_page);
}

static void unmapping_a_piece_of_a_tracked_leaf(struct fixture *fx)
{
	run(fx, three_tracked_leaves, unmap_a_page);
}

static void unmapping_a_piece_of_a_large_mark(struct fixture *fx)
{
	run(fx, a_large_mark, unmap_a_page);
}

static void unmapping_a_tracked_page(struct fixture *fx)
{
	run(fx, a_tracked_page_in_a_table, unmap_a_page);
}

static int unmap_across_two(struct fixture *fx, uint64_t nodes)
{
	limit(fx, nodes);
	return pt_unmap(fx->self, fx->table, fx->base + fx->giant - fx->page, fx->giant + fx->huge,
			NULL, NULL);
}

static void unmapping_pieces_of_two_huge_leaves(struct fixture *fx)
{
	run(fx, three_huge_leaves, unmap_across_two);
}

static void unmapping_pieces_of_two_tracked_leaves(struct fixture *fx)
{
	run(fx, three_tracked_leaves, unmap_across_two);
}

static int protect_across_two(struct fixture *fx, uint64_t nodes)
{
	limit(fx, nodes);
	return pt_protect(fx->self, fx->table, fx->base + fx->giant - fx->page,
			  fx->giant + 2 * fx->page, 0, PT_WRITE, NULL, NULL);
}

static void protecting_pieces_of_two_huge_leaves(struct fixture *fx)
{
	run(fx, three_huge_leaves, protect_across_two);
}

static void protecting_pieces_of_two_tracked_leaves(struct fixture *fx)
{
	run(fx, three_tracked_leaves, protect_across_two);
}

static int mark_a_piece(struct fixture *fx, uint64_t nodes)
{
	limit(fx, nodes);
	return pt_mark(fx->self, fx->table, fx->base + fx->page, fx->giant, 6);
}

static void marking_from_the_middle_of_a_block(struct fixture *fx)
{
	run(fx, nothing, mark_a_piece);
}

static void marking_a_piece_of_a_large_mark(struct fixture *fx)
{
	run(fx, a_large_mark, mark_a_piece);
}

/* ---- cursors: nodes are missing after the cursor has begun ---- */

static int begin_to_build(struct fixture *fx, uint64_t nodes)
{
	struct pt_cursor c;
	int rc;

	limit(fx, nodes);
	rc = pt_cursor_begin(fx->self, fx->table, fx->base, fx->page, PT_BUILD, 1, &c);
	if (!rc)
		pt_cursor_end(&c);
	return rc;
}

static void beginning_to_build(struct fixture *fx)
{
	run(fx, nothing, begin_to_build);
}

struct step {
	struct pt_cursor c;
	struct pt_gather g;
};

static void step_begin(struct fixture *fx, struct step *s, enum pt_mode mode, uint64_t nodes)
{
	pt_gather_init(&s->g, fx->self, fx->table, NULL, NULL);
	expect_ok(pt_cursor_begin(fx->self, fx->table, fx->base, 3 * fx->giant, mode,
				  fx->giant_level, &s->c));
	expect_ok(pt_cursor_jump(&s->c, fx->base + fx->page));
	limit(fx, nodes);
}

static int step_end(struct fixture *fx, struct step *s, int rc)
{
	no_limit(fx);
	/* A call that failed has not moved the cursor. */
	if (rc)
		assert_int_equal(pt_cursor_va(&s->c), fx->base + fx->page);
	pt_cursor_end(&s->c);
	expect_ok(pt_gather_sync(&s->g));
	return rc;
}

static int cursor_map_a_page(struct fixture *fx, uint64_t nodes)
{
	struct pt_item item = {.pa = FRAMES, .prop = RW, .level = 1};
	struct step s;

	step_begin(fx, &s, PT_BUILD, nodes);
	return step_end(fx, &s, pt_cursor_map(&s.c, &item));
}

static void mapping_by_a_cursor(struct fixture *fx)
{
	run(fx, nothing, cursor_map_a_page);
	run(fx, a_large_mark, cursor_map_a_page);
}

static int cursor_mark_a_piece(struct fixture *fx, uint64_t nodes)
{
	struct step s;

	step_begin(fx, &s, PT_BUILD, nodes);
	return step_end(fx, &s, pt_cursor_mark(&s.c, fx->giant, 9));
}

static void marking_by_a_cursor(struct fixture *fx)
{
	run(fx, nothing, cursor_mark_a_piece);
	run(fx, a_large_mark, cursor_mark_a_piece);
}

static int cursor_take_a_page(struct fixture *fx, uint64_t nodes)
{
	struct pt_taken taken;
	struct step s;

	step_begin(fx, &s, PT_CHANGE, nodes);
	return step_end(fx, &s, pt_cursor_take_next(&s.c, fx->page, &s.g, &taken));
}

static int cursor_take_across_two(struct fixture *fx, uint64_t nodes)
{
	struct pt_taken taken;
	struct step s;

	step_begin(fx, &s, PT_CHANGE, nodes);
	return step_end(fx, &s, pt_cursor_take_next(&s.c, 2 * fx->giant, &s.g, &taken));
}

static void taking_a_piece_of_a_huge_leaf(struct fixture *fx)
{
	run(fx, three_huge_leaves, cursor_take_a_page);
	run(fx, three_huge_leaves, cursor_take_across_two);
}

static void taking_a_piece_of_a_tracked_leaf(struct fixture *fx)
{
	run(fx, three_tracked_leaves, cursor_take_a_page);
	run(fx, three_tracked_leaves, cursor_take_across_two);
}

static pt_prop_t take_write_away(void *ctx, pt_va_t va, const struct pt_item *old)
{
	(void)ctx;
	(void)va;
	return old->prop & ~PT_WRITE;
}

static int cursor_protect_a_page(struct fixture *fx, uint64_t nodes)
{
	struct step s;
	uint64_t len;
	pt_va_t va;

	step_begin(fx, &s, PT_CHANGE, nodes);
	return step_end(
		fx, &s,
		pt_cursor_protect_next(&s.c, fx->page, take_write_away, NULL, &s.g, &va, &len));
}

static void protecting_a_piece_of_a_huge_leaf_by_a_cursor(struct fixture *fx)
{
	run(fx, three_huge_leaves, cursor_protect_a_page);
	run(fx, three_tracked_leaves, cursor_protect_a_page);
}

/* ---- without any limit of the test's own ---- */

/* A pool that is too small for what is asked; what is given back can be used again. */
static void a_small_pool_runs_out_and_recovers(struct fixture *fx)
{
	const unsigned nodes = fx->format->node_shift < 6 ? 128 : 64;
	struct pt_pool_config pool = {
		.size = sizeof(pool),
		.node_shift = fx->format->node_shift,
		.chunk_bytes = (size_t)nodes << fx->format->node_shift,
		.max_bytes = (size_t)nodes << fx->format->node_shift,
		.magazine = 8,
	};
	struct fixture small = *fx;
	unsigned tables = 0, i;
	struct pt_table *t[129];

	expect_ok(pt_pool_create(&pool, &small.config.pool));
	expect_ok(pt_thread_register(small.config.pool, &small.self));
	while (!pt_table_create(small.self, &small.config, &t[tables]))
		assert_true(++tables <= nodes);
	expect_ok(pt_table_destroy(small.self, t[--tables]));
	small.table = t[0];
	expect_error(pt_map(small.self, t[0], fx->base, fx->page, FRAMES, RW, 1), ENOMEM);
	assert_int_equal(check(&small).nodes, 1);
	while (tables > 1)
		expect_ok(pt_table_destroy(small.self, t[--tables]));
	for (i = 0; i < 3; i++) {
		expect_ok(pt_map(small.self, t[0], fx->base, fx->page, FRAMES, RW, 1));
		assert_int_equal(unmap(&small, fx->base, fx->giant), 1);
		reclaim(&small);
	}
	expect_ok(pt_table_destroy(small.self, t[0]));
	expect_ok(pt_thread_unregister(small.self));
	expect_ok(pt_pool_destroy(small.config.pool));
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST_SYNC(mapping_a_page),
		TEST_SYNC(mapping_into_a_large_mark),
		TEST_SYNC(mapping_over_three_tables),
		TEST_SYNC(unmapping_a_piece_of_a_huge_leaf),
		TEST_SYNC(unmapping_a_piece_of_a_tracked_leaf),
		TEST_SYNC(unmapping_a_piece_of_a_large_mark),
		TEST_SYNC(unmapping_a_tracked_page),
		TEST_SYNC(unmapping_pieces_of_two_huge_leaves),
		TEST_SYNC(unmapping_pieces_of_two_tracked_leaves),
		TEST_SYNC(protecting_pieces_of_two_huge_leaves),
		TEST_SYNC(protecting_pieces_of_two_tracked_leaves),
		TEST_SYNC(marking_from_the_middle_of_a_block),
		TEST_SYNC(marking_a_piece_of_a_large_mark),
		TEST_SYNC(beginning_to_build),
		TEST_SYNC(mapping_by_a_cursor),
		TEST_SYNC(marking_by_a_cursor),
		TEST_SYNC(taking_a_piece_of_a_huge_leaf),
		TEST_SYNC(taking_a_piece_of_a_tracked_leaf),
		TEST_SYNC(protecting_a_piece_of_a_huge_leaf_by_a_cursor),
		TEST_SYNC(a_small_pool_runs_out_and_recovers),
	};

	return run_on_all_pairs("nomem", cases, sizeof(cases) / sizeof(cases[0]));
}

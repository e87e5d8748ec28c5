/* SPDX-License-Identifier: MIT */
/*
 * Cursors that only try: when they are refused, that nothing is held then, and what a thread may do
 * that holds ranges of two tables. Another thread is another registration of this one: nobody waits.
 */
#include "support.h"
#include "thread.h"

struct pair {
	struct pt_thread *other;
	struct pt_cursor theirs;
};

static void other_begins(struct fixture *fx, struct pair *p, pt_va_t va, uint64_t len,
			 enum pt_mode mode)
{
	expect_ok(pt_thread_register(fx->pool, &p->other));
	expect_ok(pt_cursor_begin(p->other, fx->table, va, len, mode, 1, &p->theirs));
}

static void other_ends(struct pair *p)
{
	pt_cursor_end(&p->theirs);
	expect_ok(pt_thread_unregister(p->other));
}

static int try_begin(struct fixture *fx, pt_va_t va, uint64_t len, enum pt_mode mode,
		     struct pt_cursor *c)
{
	return pt_cursor_try_begin(fx->self, fx->table, va, len, mode, fx->format->levels, c);
}

/* Nothing excludes anybody in a table that one thread uses, or where cursors hold nothing. */
static void need_isolation(struct fixture *fx)
{
	if (fx->strategy->isolation != PT_ISOLATION_RANGE)
		skip();
}

static void on_each_node_lock(struct fixture *fx, void (*test)(struct fixture *fx))
{
	need_isolation(fx);
	for (unsigned i = 0; pt_node_lock_at(i); i++) {
		fx->config.node_lock = pt_node_lock_at(i);
		fixture_new_table(fx);
		test(fx);
		check(fx);
	}
}

/* ---- alone ---- */

static void alone_it_is_a_begin_like_any_other(struct fixture *fx)
{
	struct pt_cursor c;

	expect_ok(try_begin(fx, fx->base, 2 * fx->page, PT_BUILD, &c));
	assert_int_equal(pt_cursor_va(&c), fx->base);
	expect_ok(map_at_cursor(&c, FRAMES, RW, 1));
	pt_cursor_end(&c);
	expect_leaf(fx, fx->base, FRAMES, RW, 1);
	expect_ok(try_begin(fx, fx->first, fx->last - fx->first + 1, PT_READ_ONLY, &c));
	pt_cursor_end(&c);
	check(fx);
}

static void arguments_are_checked_as_by_begin(struct fixture *fx)
{
	struct pt_table *t = fx->table;
	struct pt_cursor c;

	expect_error(try_begin(fx, fx->base + 1, fx->page, PT_BUILD, &c), EINVAL);
	expect_error(try_begin(fx, fx->last + 1, fx->page, PT_BUILD, &c), ERANGE);
	expect_error(try_begin(fx, fx->base, fx->page, (enum pt_mode)3, &c), EINVAL);
	expect_error(pt_cursor_try_begin(fx->self, t, fx->base, fx->page, PT_BUILD, 0, &c), EINVAL);
	check(fx);
}

static void without_nodes_nothing_is_held(struct fixture *fx)
{
	struct pt_cursor c;

	pt_thread_fail_alloc(fx->self, 0);
	expect_error(try_begin(fx, fx->base, fx->page, PT_BUILD, &c), ENOMEM);
	expect_ok(try_begin(fx, fx->base, fx->page, PT_CHANGE, &c));
	pt_cursor_end(&c);
	pt_thread_fail_alloc(fx->self, UINT64_MAX);
	assert_int_equal(check(fx).nodes, 1);
}

/* ---- refused ---- */

static void refuse_each_mode(struct fixture *fx)
{
	static const enum pt_mode modes[] = {PT_READ_ONLY, PT_CHANGE, PT_BUILD};
	struct pt_cursor c;
	struct pair p;

	map(fx, fx->base, fx->page, FRAMES, RW);
	other_begins(fx, &p, fx->base, fx->page, PT_CHANGE);
	for (unsigned i = 0; i < 3; i++) {
		expect_error(try_begin(fx, fx->base, fx->page, modes[i], &c), EBUSY);
		expect_error(try_begin(fx, fx->first, fx->last - fx->first + 1, modes[i], &c),
			     EBUSY);
	}
	other_ends(&p);
	for (unsigned i = 0; i < 3; i++) {
		expect_ok(try_begin(fx, fx->base, fx->page, modes[i], &c));
		pt_cursor_end(&c);
	}
}

static void a_range_that_another_changes_is_busy(struct fixture *fx)
{
	on_each_node_lock(fx, refuse_each_mode);
}

static void meet_a_reader(struct fixture *fx)
{
	struct pt_cursor c;
	struct pair p;
	int rc;

	map(fx, fx->base, fx->page, FRAMES, RW);
	other_begins(fx, &p, fx->base, fx->page, PT_READ_ONLY);
	expect_error(try_begin(fx, fx->base, fx->page, PT_CHANGE, &c), EBUSY);
	rc = try_begin(fx, fx->base, fx->page, PT_READ_ONLY, &c);
	assert_int_equal(rc, fx->strategy->readers_share ? 0 : -EBUSY);
	if (!rc)
		pt_cursor_end(&c);
	expect_error(try_begin(fx, fx->base, fx->page, PT_BUILD, &c), EBUSY);
	other_ends(&p);
}

static void beside_a_reader_only_readers_begin(struct fixture *fx)
{
	on_each_node_lock(fx, meet_a_reader);
}

/* The tables of the range that come before the one that is held were locked, and must be free. */
static void refuse_half_way(struct fixture *fx)
{
	const uint64_t all = 4 * fx->huge;
	struct pt_cursor c;
	struct pair p;

	for (unsigned i = 0; i < 4; i++)
		map(fx, fx->base + i * fx->huge, fx->page, FRAMES, RW);
	for (unsigned i = 0; i < 4; i++) {
		other_begins(fx, &p, fx->base + i * fx->huge, fx->page, PT_CHANGE);
		expect_error(try_begin(fx, fx->base, all, PT_CHANGE, &c), EBUSY);
		expect_error(try_begin(fx, fx->base, all, PT_READ_ONLY, &c), EBUSY);
		other_ends(&p);
		check(fx);
	}
	other_begins(fx, &p, fx->base, all, PT_READ_ONLY);
	expect_error(try_begin(fx, fx->base, all, PT_CHANGE, &c), EBUSY);
	other_ends(&p);
}

/* Another cursor may be as near as the next page. */
static void beside_a_neighbour_all_calls_go_on(struct fixture *fx)
{
	pt_va_t va = fx->base + fx->page;
	struct pair p;
	struct pt_cursor c;

	if (!fx->strategy->disjoint_slots)
		skip();
	map(fx, fx->base, fx->page, FRAMES, RW);
	other_begins(fx, &p, fx->base, fx->page, PT_CHANGE);
	expect_ok(try_begin(fx, va, 2 * fx->page, PT_BUILD, &c));
	expect_ok(map_at_cursor(&c, FRAMES, RW, 1));
	pt_cursor_end(&c);
	map(fx, va + fx->page, fx->page, FRAMES, RW);
	assert_int_equal(protect(fx, va, fx->page, 0, PT_WRITE), 1);
	assert_int_equal(unmap(fx, va, 2 * fx->page), 2);
	other_ends(&p);
	check(fx);
}

static void refused_half_way_it_holds_nothing(struct fixture *fx)
{
	on_each_node_lock(fx, refuse_half_way);
}

static void refused_it_has_built_nothing(struct fixture *fx)
{
	const uint64_t nodes = check(fx).nodes;
	struct pt_cursor c;
	struct pair p;

	need_isolation(fx);
	other_begins(fx, &p, fx->base, fx->page, PT_CHANGE);
	expect_error(try_begin(fx, fx->base, fx->page, PT_BUILD, &c), EBUSY);
	other_ends(&p);
	assert_int_equal(check(fx).nodes, nodes);
}

static void over_the_bound_of_retired_memory_it_is_busy(struct fixture *fx)
{
	struct pt_pool_config pool = {
		.size = sizeof(pool),
		.node_shift = fx->format->node_shift,
		.max_bytes = 1 << 20,
		.retired_bound = 1,
		.retire_batch = 1,
	};
	struct fixture few = *fx;
	struct pt_cursor c;

	need_isolation(fx);
	expect_ok(pt_pool_create(&pool, &few.config.pool));
	expect_ok(pt_thread_register(few.config.pool, &few.self));
	expect_ok(pt_table_create(few.self, &few.config, &few.table));
	map(&few, fx->base, fx->page, FRAMES, RW);
	port_rcu_read_lock(&few.self->port); /* no grace period ends */
	unmap(&few, fx->base, fx->huge);
	expect_error(try_begin(&few, fx->base, fx->page, PT_READ_ONLY, &c), EBUSY);
	port_rcu_read_unlock(&few.self->port);
	reclaim(&few);
	expect_ok(try_begin(&few, fx->base, fx->page, PT_READ_ONLY, &c));
	pt_cursor_end(&c);
	expect_ok(pt_table_destroy(few.self, few.table));
	expect_ok(pt_thread_unregister(few.self));
	expect_ok(pt_pool_destroy(few.config.pool));
}

/* ---- two tables ---- */

static struct pt_table *second_table(struct fixture *fx)
{
	struct pt_table *table;

	expect_ok(pt_table_create(fx->self, &fx->config, &table));
	return table;
}

static void move_a_page_between_tables(struct fixture *fx)
{
	struct pt_table *second = second_table(fx);
	struct pt_cursor from, to;
	struct pt_mapping m;
	struct pt_taken taken;
	struct pt_gather g;

	map(fx, fx->base, fx->page, FRAMES, RW);
	pt_gather_init(&g, fx->self, fx->table, NULL, NULL);
	begin_cursor(fx, fx->base, fx->page, PT_CHANGE, &from);
	expect_ok(pt_cursor_try_begin(fx->self, second, fx->base, fx->page, PT_BUILD, 1, &to));
	expect_ok(pt_cursor_take_next(&from, fx->page, &g, &taken));
	expect_ok(pt_cursor_map(&to, &taken.item));
	expect_error(pt_gather_sync(&g), EDEADLK);
	pt_cursor_end(&from); /* in any order */
	expect_error(pt_gather_sync(&g), EDEADLK);
	pt_cursor_end(&to);
	expect_ok(pt_gather_sync(&g));
	expect_empty(fx, fx->base);
	expect_ok(pt_query(fx->self, second, fx->base, &m));
	assert_int_equal(m.item.pa, FRAMES);
	expect_ok(pt_table_destroy(fx->self, second));
}

static void other_calls_are_refused_while_any_cursor_is_open(struct fixture *fx)
{
	struct pt_table *second = second_table(fx), *third = second_table(fx);
	struct pt_cursor a, b, c;
	struct pt_mapping m;

	begin_cursor(fx, fx->base, fx->page, PT_CHANGE, &a);
	expect_ok(pt_cursor_try_begin(fx->self, second, fx->base, fx->page, PT_CHANGE, 1, &b));
	for (unsigned left = 2; left; left--) {
		expect_error(pt_cursor_begin(fx->self, third, fx->base, fx->page, PT_CHANGE, 1, &c),
			     EDEADLK);
		expect_error(pt_map(fx->self, third, fx->base, fx->page, FRAMES, RW, 1), EDEADLK);
		expect_error(pt_query_get(fx->self, third, fx->base, &m), EDEADLK);
		assert_int_equal(pt_query(fx->self, third, fx->base, &m),
				 fx->strategy->lock_free_query ? 0 : -EDEADLK);
		expect_error(pt_thread_reclaim(fx->self), EDEADLK);
		expect_error(pt_thread_set_home(fx->self, 1), EBUSY);
		expect_error(pt_thread_unregister(fx->self), EBUSY);
		expect_error(pt_table_destroy(fx->self, third), EDEADLK);
		expect_error(pt_table_destroy(fx->self, second), EBUSY);
		expect_error(pt_table_destroy(fx->self, fx->table), left == 2 ? EBUSY : EDEADLK);
		if (left == 2)
			pt_cursor_end(&a);
	}
	pt_cursor_end(&b);
	expect_ok(pt_table_destroy(fx->self, third));
	expect_ok(pt_table_destroy(fx->self, second));
}

static void a_table_is_held_once(struct fixture *fx)
{
	struct pt_table *second = second_table(fx);
	struct pt_cursor a, b, c;

	expect_ok(try_begin(fx, fx->base, fx->page, PT_READ_ONLY, &a));
	expect_error(try_begin(fx, fx->base + fx->giant, fx->page, PT_READ_ONLY, &c), EDEADLK);
	expect_ok(pt_cursor_try_begin(fx->self, second, fx->base, fx->page, PT_BUILD, 1, &b));
	expect_error(try_begin(fx, fx->base, fx->page, PT_READ_ONLY, &c), EDEADLK);
	expect_error(pt_cursor_try_begin(fx->self, second, fx->base, fx->page, PT_BUILD, 1, &c),
		     EDEADLK);
	pt_cursor_end(&a);
	expect_ok(try_begin(fx, fx->base, fx->page, PT_READ_ONLY, &a));
	pt_cursor_end(&b);
	pt_cursor_end(&a);
	begin_cursor(fx, fx->base, fx->page, PT_CHANGE, &a);
	pt_cursor_end(&a);
	expect_ok(pt_table_destroy(fx->self, second));
}

/* Flushed at the cursor's end, freed when the thread waits for nobody any more. */
static void an_empty_table_gives_way_while_more_is_held(struct fixture *fx)
{
	struct pt_table *second = second_table(fx);
	struct pt_cursor a, b;

	map(fx, fx->base, fx->page, FRAMES, RW);
	unmap(fx, fx->base, fx->page);
	expect_ok(pt_cursor_try_begin(fx->self, second, fx->base, fx->page, PT_BUILD, 1, &b));
	expect_ok(try_begin(fx, fx->base, fx->huge, PT_BUILD, &a));
	expect_ok(map_at_cursor(&a, FRAMES, RW, 2));
	fx->flushes.n = 0;
	pt_cursor_end(&a);
	assert_true(was_flushed(fx, fx->base, fx->huge, true));
	pt_cursor_end(&b);
	expect_leaf(fx, fx->base, FRAMES, RW, 2);
	check(fx);
	expect_ok(pt_table_destroy(fx->self, second));
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(alone_it_is_a_begin_like_any_other),
		TEST(arguments_are_checked_as_by_begin),
		TEST(without_nodes_nothing_is_held),
		TEST(a_range_that_another_changes_is_busy),
		TEST(beside_a_reader_only_readers_begin),
		TEST(beside_a_neighbour_all_calls_go_on),
		TEST(refused_half_way_it_holds_nothing),
		TEST(refused_it_has_built_nothing),
		TEST(over_the_bound_of_retired_memory_it_is_busy),
		TEST(move_a_page_between_tables),
		TEST(other_calls_are_refused_while_any_cursor_is_open),
		TEST(a_table_is_held_once),
		TEST(an_empty_table_gives_way_while_more_is_held),
		TEST_SYNC(an_empty_table_gives_way_while_more_is_held),
	};

	return run_on_all_pairs("try begin", cases, sizeof(cases) / sizeof(cases[0]));
}

/* SPDX-License-Identifier: MIT */
/*
 * The end of a pool, a table, frames: whoever destroys them may do so the moment the last user has left,
 * without having waited for that thread by other means. Whatever the thread did with them is over by
 * then; a checker of races sees it, or not. The same for what is retired: whoever has waited for it
 * sees what the callbacks have done, also if he finds that they had ended before.
 *
 * test_smoke_pool [milliseconds]
 */
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "smoke.h"

struct visit {
	struct pt_pool *pool;
	const char *strategy;
	_Atomic bool registered;
	int failed;
};

/* A thread that makes a table, uses and destroys it, and is gone. */
static void *use_and_leave(void *arg)
{
	struct visit *v = arg;
	struct pt_config config = {
		.size = sizeof(config),
		.format = "toy",
		.strategy = v->strategy,
		.pool = v->pool,
	};
	struct pt_table *table;
	struct pt_thread *self;

	v->failed = pt_thread_register(v->pool, &self);
	if (v->failed)
		return NULL;
	/* Relaxed: the pool itself must make the order. */
	atomic_store_explicit(&v->registered, true, memory_order_relaxed);
	v->failed |= pt_table_create(self, &config, &table);
	v->failed |= pt_map(self, table, 0, 2 << 12, FRAMES, RW, 1);
	v->failed |= pt_unmap(self, table, 0, 4 << 12, NULL, NULL);
	v->failed |= pt_table_destroy(self, table);
	v->failed |= pt_thread_unregister(self);
	return NULL;
}

static void one_pool(const char *strategy)
{
	struct pt_pool_config config = {.size = sizeof(config), .node_shift = 5};
	struct visit v = {.strategy = strategy};
	pthread_t thread;
	int rc;

	expect_ok(pt_pool_create(&config, &v.pool));
	assert_int_equal(pthread_create(&thread, NULL, use_and_leave, &v), 0);
	while (!atomic_load_explicit(&v.registered, memory_order_relaxed))
		sched_yield();
	while ((rc = pt_pool_destroy(v.pool)) == -EBUSY)
		sched_yield();
	expect_ok(rc);
	assert_int_equal(pthread_join(thread, NULL), 0);
	expect_ok(v.failed);
}

struct last {
	struct pt_frames *frames;
	_Atomic unsigned freed;
	_Atomic bool started;
	int failed;
};

static void count_free(void *ctx, pt_pa_t pa)
{
	(void)pa;
	atomic_fetch_add_explicit((_Atomic unsigned *)ctx, 1, memory_order_relaxed);
}

static void *put_last(void *arg)
{
	struct last *l = arg;

	atomic_store_explicit(&l->started, true, memory_order_relaxed);
	l->failed = pt_frame_put(l->frames, FRAMES, 2 << 12);
	return NULL;
}

static void one_set_of_frames(void)
{
	const struct pt_frame_ops ops = {.free = count_free};
	struct last l = {.failed = 0};
	struct pt_frames_config config = {
		.size = sizeof(config),
		.first = FRAMES,
		.bytes = 2 << 12,
		.ops = &ops,
		.ctx = &l.freed,
	};
	pthread_t thread;
	int rc;

	expect_ok(pt_frames_create(&config, &l.frames));
	expect_ok(pt_frame_get_unused(l.frames, FRAMES, 2 << 12));
	assert_int_equal(pthread_create(&thread, NULL, put_last, &l), 0);
	while (!atomic_load_explicit(&l.started, memory_order_relaxed))
		sched_yield();
	while ((rc = pt_frames_destroy(l.frames)) == -EBUSY)
		sched_yield();
	expect_ok(rc);
	assert_int_equal(pthread_join(thread, NULL), 0);
	expect_ok(l.failed);
	assert_int_equal(l.freed, 2);
}

struct guest {
	struct pt_pool *pool;
	struct pt_table *table; /* with a reference for the thread */
	int failed;
};

static void *use_and_put(void *arg)
{
	struct guest *g = arg;
	struct pt_thread *self;

	g->failed = pt_thread_register(g->pool, &self);
	if (g->failed)
		return NULL;
	g->failed |= pt_map(self, g->table, 0, 2 << 12, FRAMES, RW, 1);
	g->failed |= pt_unmap(self, g->table, 0, 4 << 12, NULL, NULL);
	g->failed |= pt_table_put(self, g->table);
	g->failed |= pt_thread_unregister(self);
	return NULL;
}

static void one_table(const char *strategy)
{
	struct pt_pool_config config = {.size = sizeof(config), .node_shift = 5};
	struct guest g = {0};
	struct pt_config table = {.size = sizeof(table), .format = "toy", .strategy = strategy};
	struct pt_thread *self;
	pthread_t thread;
	int rc;

	expect_ok(pt_pool_create(&config, &g.pool));
	expect_ok(pt_thread_register(g.pool, &self));
	table.pool = g.pool;
	expect_ok(pt_table_create(self, &table, &g.table));
	expect_ok(pt_table_get(g.table));
	assert_int_equal(pthread_create(&thread, NULL, use_and_put, &g), 0);
	while ((rc = pt_table_destroy(self, g.table)) == -EBUSY) {
		pt_thread_quiescent(self);
		sched_yield();
	}
	expect_ok(rc);
	assert_int_equal(pthread_join(thread, NULL), 0);
	expect_ok(g.failed);
	expect_ok(pt_thread_unregister(self));
	expect_ok(pt_pool_destroy(g.pool));
}

static int clone_item(void *ctx, pt_pa_t pa, unsigned level)
{
	(void)ctx;
	(void)pa;
	(void)level;
	return 0;
}

/* Plain: who reads it must have waited for who writes it. */
static void drop_item(void *ctx, pt_pa_t pa, unsigned level)
{
	(void)pa;
	(void)level;
	++*(unsigned *)ctx;
}

/* @late: only when there is nothing left to wait for. */
static void one_item(const char *strategy, bool late)
{
	const struct pt_pool_config config = {.size = sizeof(config), .node_shift = 5};
	const struct pt_item_ops ops = {.clone = clone_item, .drop = drop_item};
	unsigned drops = 0;
	struct pt_config table = {
		.size = sizeof(table),
		.format = "toy",
		.strategy = strategy,
		.item_ops = &ops,
		.item_ctx = &drops,
	};
	struct pt_pool_stats stats;
	struct pt_thread *self;
	struct pt_table *t;

	expect_ok(pt_pool_create(&config, &table.pool));
	expect_ok(pt_thread_register(table.pool, &self));
	expect_ok(pt_table_create(self, &table, &t));
	expect_ok(pt_map(self, t, 0, 1 << 12, FRAMES, RW | PT_TRACKED, 1));
	expect_ok(pt_unmap(self, t, 0, 4 << 12, NULL, NULL));
	do {
		pt_thread_quiescent(self);
		pt_pool_get_stats(table.pool, &stats);
	} while (late && stats.retired_bytes);
	pt_thread_reclaim(self);
	assert_int_equal(drops, 1);
	expect_ok(pt_table_destroy(self, t));
	expect_ok(pt_thread_unregister(self));
	expect_ok(pt_pool_destroy(table.pool));
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void a_pool_goes_when_the_last_user_has_left(void **state)
{
	const uint64_t until = now_ms() + smoke_ms;
	const struct pt_strategy_info *strategy;

	(void)state;
	do
		for (unsigned i = 0; (strategy = pt_strategy_at(i)); i++)
			one_pool(strategy->name);
	while (now_ms() < until);
}

static void frames_go_when_the_last_reference_is_back(void **state)
{
	const uint64_t until = now_ms() + smoke_ms;

	(void)state;
	do
		one_set_of_frames();
	while (now_ms() < until);
}

static void a_table_goes_when_its_last_user_has_put_it(void **state)
{
	const uint64_t until = now_ms() + smoke_ms;
	const struct pt_strategy_info *strategy;

	(void)state;
	do
		for (unsigned i = 0; (strategy = pt_strategy_at(i)); i++)
			one_table(strategy->name);
	while (now_ms() < until);
}

static void what_is_dropped_is_seen_by_who_has_waited(void **state)
{
	const uint64_t until = now_ms() + smoke_ms;
	const struct pt_strategy_info *strategy;

	(void)state;
	do
		for (unsigned i = 0; (strategy = pt_strategy_at(i)); i++)
			for (unsigned late = 0; late < 2; late++)
				one_item(strategy->name, late);
	while (now_ms() < until);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pool_goes_when_the_last_user_has_left),
		cmocka_unit_test(a_table_goes_when_its_last_user_has_put_it),
		cmocka_unit_test(frames_go_when_the_last_reference_is_back),
		cmocka_unit_test(what_is_dropped_is_seen_by_who_has_waited),
	};

	smoke_arguments(argc, argv);
	return cmocka_run_group_tests_name("smoke_pool", tests, NULL, NULL);
}

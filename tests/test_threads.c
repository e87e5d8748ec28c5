/* SPDX-License-Identifier: MIT */
/* Two threads: who waits for whom. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "support.h"

#define PATIENCE_MS 20 /* how long the test watches another thread wait */

struct other {
	struct fixture *fx;
	pt_va_t va;
	uint64_t len;
	enum pt_mode mode;
	pthread_t id;
	_Atomic bool begun;
	_Atomic int rc;
};

static void *hold_and_release(void *arg)
{
	struct other *o = arg;
	struct pt_thread *self;
	struct pt_cursor c;
	int rc = pt_thread_register(o->fx->pool, &self);

	if (!rc)
		rc = pt_cursor_begin(self, o->fx->table, o->va, o->len, o->mode, 1, &c);
	if (!rc) {
		atomic_store(&o->begun, true);
		pt_cursor_end(&c);
	}
	if (!rc)
		rc = pt_thread_unregister(self);
	atomic_store(&o->rc, rc);
	return NULL;
}

static void start(struct other *o, struct fixture *fx, pt_va_t va, uint64_t len, enum pt_mode mode)
{
	*o = (struct other){.fx = fx, .va = va, .len = len, .mode = mode};
	assert_int_equal(pthread_create(&o->id, NULL, hold_and_release, o), 0);
}

static void finish(struct other *o)
{
	join(o->fx, o->id);
	assert_int_equal(atomic_load(&o->rc), 0);
	assert_true(atomic_load(&o->begun));
}

static void be_patient(void)
{
	const struct timespec pause = {0, PATIENCE_MS * 1000000L};

	nanosleep(&pause, NULL);
}

/* A cursor in @mode is open here; one in @other_mode begins there, on an overlapping range. */
static bool waits(struct fixture *fx, enum pt_mode mode, enum pt_mode other_mode)
{
	struct pt_cursor c;
	struct other o;
	bool waited;

	expect_ok(pt_cursor_begin(fx->self, fx->table, fx->base, 2 * fx->page, mode, 1, &c));
	start(&o, fx, fx->base + fx->page, 2 * fx->page, other_mode);
	be_patient();
	waited = !atomic_load(&o.begun);
	pt_cursor_end(&c);
	finish(&o);
	return waited;
}

static void skip_unless_concurrent(struct fixture *fx)
{
	if (fx->strategy->isolation == PT_ISOLATION_NONE)
		skip();
	map(fx, fx->base, 3 * fx->page, FRAMES, RW);
}

static void overlapping_changes_wait_for_one_another(struct fixture *fx)
{
	skip_unless_concurrent(fx);
	if (fx->strategy->isolation != PT_ISOLATION_RANGE)
		skip();
	assert_true(waits(fx, PT_CHANGE, PT_CHANGE));
	assert_true(waits(fx, PT_BUILD, PT_CHANGE));
	assert_true(waits(fx, PT_CHANGE, PT_BUILD));
}

static void readers_and_changers_exclude_one_another(struct fixture *fx)
{
	skip_unless_concurrent(fx);
	if (fx->strategy->isolation != PT_ISOLATION_RANGE)
		skip();
	assert_true(waits(fx, PT_CHANGE, PT_READ_ONLY));
	assert_true(waits(fx, PT_READ_ONLY, PT_CHANGE));
}

/* Where readers share, the second one need not wait: the join would hang. */
static void readers_run_together_where_the_strategy_says_so(struct fixture *fx)
{
	struct pt_cursor c;
	struct other o;

	skip_unless_concurrent(fx);
	if (!fx->strategy->readers_share)
		skip();
	expect_ok(pt_cursor_begin(fx->self, fx->table, fx->base, fx->page, PT_READ_ONLY, 1, &c));
	start(&o, fx, fx->base, fx->page, PT_READ_ONLY);
	finish(&o);
	pt_cursor_end(&c);
}

static void *query_once(void *arg)
{
	struct other *o = arg;
	struct pt_thread *self;
	struct pt_mapping m;
	int rc = pt_thread_register(o->fx->pool, &self);

	if (!rc)
		rc = pt_query(self, o->fx->table, o->va, &m);
	if (!rc && m.kind == PT_KIND_LEAF)
		atomic_store(&o->begun, true);
	if (!rc)
		rc = pt_thread_unregister(self);
	atomic_store(&o->rc, rc);
	return NULL;
}

/* P1: a query that is said to be lock-free does not wait for a cursor; else the join would hang. */
static void lock_free_queries_do_not_wait(struct fixture *fx)
{
	struct other o = {.fx = fx, .va = fx->base};
	struct pt_cursor c;

	skip_unless_concurrent(fx);
	if (!fx->strategy->lock_free_query)
		skip();
	expect_ok(pt_cursor_begin(fx->self, fx->table, fx->base, fx->page, PT_CHANGE, 1, &c));
	assert_int_equal(pthread_create(&o.id, NULL, query_once, &o), 0);
	finish(&o);
	pt_cursor_end(&c);
}

/* What a cursor did is there for the next one, whichever thread it belongs to. */
static void a_waiting_cursor_sees_what_it_waited_for(struct fixture *fx)
{
	struct pt_item item = {.pa = FRAMES, .prop = RW, .level = 1};
	struct pt_cursor c;
	struct other o;

	skip_unless_concurrent(fx);
	unmap(fx, fx->base, fx->giant);
	expect_ok(pt_cursor_begin(fx->self, fx->table, fx->base, fx->page, PT_BUILD, 1, &c));
	start(&o, fx, fx->base, fx->page, PT_BUILD);
	be_patient();
	expect_ok(pt_cursor_map(&c, &item));
	pt_cursor_end(&c);
	finish(&o);
	expect_leaf(fx, fx->base, FRAMES, RW, 1);
	assert_int_equal(check(fx).leaves, 1);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(overlapping_changes_wait_for_one_another),
		TEST(readers_and_changers_exclude_one_another),
		TEST(readers_run_together_where_the_strategy_says_so),
		TEST(lock_free_queries_do_not_wait),
		TEST(a_waiting_cursor_sees_what_it_waited_for),
	};

	return run_on_all_pairs("threads", cases, sizeof(cases) / sizeof(cases[0]));
}

/* SPDX-License-Identifier: MIT */
/* The locks of nodes: their names, that each excludes, and in which order it serves. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "guarded.h"
#include "support.h"
#include "sync/sharedlock.h"

#define THREADS 3
#define ROUNDS 20000

/* ---- through tables ---- */

static void test_names(struct fixture *fx)
{
	unsigned n = 0;

	for (const char *name; (name = pt_node_lock_at(n)); n++) {
		unsigned has = fx->strategy->node_locks;

		fx->config.node_lock = name;
		fixture_new_table(fx);
		/* another strategy's kind is as none */
		if (has && !(has >> n & 1))
			name = pt_node_lock_at((unsigned)__builtin_ctz(has));
		assert_string_equal(pt_table_node_lock(fx->table), name);
	}
	assert_int_equal(n, NR_NODELOCK_KINDS);
	assert_string_equal(pt_node_lock_at(0), "ttas");
	fx->config.node_lock = NULL;
	fixture_new_table(fx);
	assert_string_equal(pt_table_node_lock(fx->table),
			    strcmp(fx->strategy->name, "coupling") ? "ttas" : "phasefair");
}

static void test_unknown(struct fixture *fx)
{
	struct pt_table *table = fx->table;

	fx->config.node_lock = "spin";
	expect_error(pt_table_create(fx->self, &fx->config, &fx->table), EINVAL);
	assert_ptr_equal(fx->table, table);
}

/* Every call takes and releases; S1 says that nobody holds a lock afterwards. */
static void test_calls(struct fixture *fx)
{
	for (unsigned n = 0; pt_node_lock_at(n); n++) {
		struct pt_cursor c;
		struct pt_mapping m;

		fx->config.node_lock = pt_node_lock_at(n);
		fixture_new_table(fx);
		map(fx, fx->base, fx->huge, FRAMES, RW);
		protect(fx, fx->base, fx->page, 0, PT_WRITE);
		begin_cursor(fx, fx->base, fx->huge, PT_READ_ONLY, &c);
		expect_ok(pt_cursor_query(&c, &m));
		pt_cursor_end(&c);
		check(fx);
		unmap(fx, fx->base, fx->huge);
		map(fx, fx->base + fx->page, fx->page, FRAMES, RW);
		check(fx);
		unmap(fx, fx->base + fx->page, fx->page);
	}
}

/* ---- by themselves ---- */

struct contest {
	struct nodelock lock;
	enum nodelock_kind kind;
	struct guarded guarded;
	unsigned order[THREADS];
	_Atomic unsigned served;
};

struct contestant {
	struct contest *contest;
	unsigned index;
	struct queued_waiter waiter;
};

static void *change_and_look(void *arg)
{
	struct contestant *t = arg;
	struct contest *c = t->contest;

	guarded_arrive(&c->guarded, THREADS);
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (i % 4 == t->index) {
			sharedlock_lock_shared(&c->lock, c->kind, &t->waiter);
			guarded_look(&c->guarded, i);
			sharedlock_unlock_shared(&c->lock, c->kind);
		} else {
			sharedlock_lock(&c->lock, c->kind, &t->waiter);
			guarded_change(&c->guarded, i);
			sharedlock_unlock(&c->lock, c->kind);
		}
	}
	return NULL;
}

static void run_contest(struct contest *c, void *(*run)(void *arg),
			void (*started)(struct contest *), struct contestant *threads,
			pthread_t *ids)
{
	for (unsigned i = 0; i < THREADS; i++) {
		threads[i] = (struct contestant){.contest = c, .index = i};
		assert_int_equal(pthread_create(&ids[i], NULL, run, &threads[i]), 0);
		if (started)
			started(c);
	}
}

static void test_excludes(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind <= NODELOCK_MUTEX; kind++) {
		struct contest c = {.kind = (enum nodelock_kind)kind};
		struct contestant threads[THREADS];
		pthread_t ids[THREADS];

		run_contest(&c, change_and_look, NULL, threads, ids);
		for (unsigned i = 0; i < THREADS; i++)
			pthread_join(ids[i], NULL);
		assert_false(c.guarded.wrong);
		assert_int_equal(c.guarded.half, THREADS * ROUNDS * 3 / 4);
		assert_int_equal(c.guarded.twice, 2 * c.guarded.half);
		assert_true(sharedlock_is_free(&c.lock));
	}
}

static void *arrive(void *arg)
{
	struct contestant *t = arg;
	struct contest *c = t->contest;

	sharedlock_lock(&c->lock, c->kind, &t->waiter);
	c->order[c->served++] = t->index;
	sharedlock_unlock(&c->lock, c->kind);
	return NULL;
}

/* The thread just started has joined the queue when the queue's word has changed. */
static void wait_until_queued(struct contest *c)
{
	static uint64_t seen;

	if (!atomic_load(&c->guarded.arrived))
		seen = c->kind == NODELOCK_TICKET ? (uint64_t)-1 : 0;
	while (atomic_load(&c->lock.queue) == seen)
		sched_yield();
	seen = atomic_load(&c->lock.queue);
	atomic_fetch_add(&c->guarded.arrived, 1);
}

/* Fair kinds serve in the order of arrival. */
static void test_order(void **state)
{
	(void)state;
	for (unsigned kind = NODELOCK_TICKET; kind <= NODELOCK_QUEUED; kind++) {
		struct contest c = {.kind = (enum nodelock_kind)kind};
		struct contestant threads[THREADS];
		struct queued_waiter me;
		pthread_t ids[THREADS];

		assert_false(sharedlock_lock(&c.lock, c.kind, &me));
		run_contest(&c, arrive, wait_until_queued, threads, ids);
		assert_int_equal(atomic_load(&c.served), 0);
		sharedlock_unlock(&c.lock, c.kind);
		for (unsigned i = 0; i < THREADS; i++)
			pthread_join(ids[i], NULL);
		for (unsigned i = 0; i < THREADS; i++)
			assert_int_equal(c.order[i], i);
		assert_true(sharedlock_is_free(&c.lock));
	}
}

/* Tickets go through zero and below; a lock that is born held is like one that was taken. */
static void test_wrap_and_birth(void **state)
{
	struct queued_waiter me;

	(void)state;
	for (unsigned kind = 0; kind <= NODELOCK_MUTEX; kind++) {
		struct nodelock lock = {0};

		sharedlock_init_locked(&lock);
		assert_false(sharedlock_is_free(&lock));
		sharedlock_unlock(&lock, kind);
		for (unsigned i = 0; i < 3; i++) {
			assert_true(sharedlock_is_free(&lock));
			assert_false(sharedlock_lock(&lock, kind, &me));
			assert_false(sharedlock_is_free(&lock));
			sharedlock_unlock(&lock, kind);
		}
		assert_true(sharedlock_is_free(&lock));
	}
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(test_names),
		TEST(test_unknown),
		TEST(test_calls),
	};
	static const struct CMUnitTest alone[] = {
		cmocka_unit_test(test_excludes),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_wrap_and_birth),
	};
	int failed = run_on_all_pairs("node_lock", cases, sizeof(cases) / sizeof(cases[0]));

	return failed + cmocka_run_group_tests_name("node_lock alone", alone, NULL, NULL);
}

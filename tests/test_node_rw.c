/* SPDX-License-Identifier: MIT */
/* The reader/writer locks of nodes by themselves: that each kind excludes, and what BRAVO's marks mean. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "guarded.h"
#include "support.h"
#include "sync/bravo.h"
#include "sync/noderw.h"

#define THREADS 3
#define ROUNDS 20000

#define MARK UINT64_C(1)

/* ---- threads ---- */

struct contest {
	union noderw lock;
	enum nodelock_kind kind;
	struct bravo *bravo;
	struct guarded guarded;
	_Atomic unsigned tried, marked;
};

struct contestant {
	struct contest *contest;
	struct bravo_row *row;
	unsigned index;
	pthread_t id;
};

static void read_by_mark_or_lock(struct contestant *t, unsigned round)
{
	struct contest *c = t->contest;

	if (t->row) {
		bravo_claim(t->row, MARK);
		if (bravo_is_biased(&c->lock.fair)) {
			guarded_look(&c->guarded, round);
			atomic_fetch_add(&c->marked, 1);
			bravo_unclaim(t->row, 0);
			return;
		}
		bravo_unclaim(t->row, 0);
	}
	if (round & 1)
		noderw_read_lock(&c->lock, c->kind);
	else if (!noderw_try_read_lock(&c->lock, c->kind))
		return;
	if (t->row)
		bravo_read_slowly(&c->lock.fair);
	guarded_look(&c->guarded, round);
	noderw_read_unlock(&c->lock, c->kind);
}

/* Return: is it had? */
static bool exclude(struct contestant *t, bool try)
{
	struct contest *c = t->contest;

	if (!try)
		noderw_write_lock(&c->lock, c->kind);
	else if (!noderw_try_write_lock(&c->lock, c->kind))
		return false;
	if (!bravo_seems_biased(&c->lock.fair) ||
	    bravo_revoke(c->bravo, &c->lock.fair, MARK, MARK, try))
		return true;
	noderw_write_unlock(&c->lock, c->kind);
	return false;
}

static void write_and_perhaps_read(struct contestant *t, unsigned round)
{
	struct contest *c = t->contest;

	if (!exclude(t, round % 3 == 0))
		return;
	guarded_change(&c->guarded, round);
	atomic_fetch_add(&c->tried, 1);
	if (round & 1) {
		noderw_write_unlock(&c->lock, c->kind);
		return;
	}
	noderw_downgrade(&c->lock, c->kind);
	guarded_look(&c->guarded, round);
	noderw_read_unlock(&c->lock, c->kind);
}

static void *use(void *arg)
{
	struct contestant *t = arg;
	struct contest *c = t->contest;

	guarded_arrive(&c->guarded, THREADS);
	for (unsigned i = 0; i < ROUNDS; i++)
		if (i / 16 % 4 == t->index)
			write_and_perhaps_read(t, i);
		else
			read_by_mark_or_lock(t, i);
	return NULL;
}

static void test_excludes(void **state)
{
	(void)state;
	for (unsigned kind = NODELOCK_PHASEFAIR; kind < NR_NODELOCK_KINDS; kind++) {
		struct contest c = {.kind = (enum nodelock_kind)kind};
		struct contestant threads[THREADS];

		c.bravo = bravo_create(THREADS);
		assert_non_null(c.bravo);
		for (unsigned i = 0; i < THREADS; i++) {
			threads[i] = (struct contestant){.contest = &c, .index = i};
			if (noderw_has_bravo(c.kind))
				threads[i].row = bravo_make_row(c.bravo, i);
			assert_int_equal(pthread_create(&threads[i].id, NULL, use, &threads[i]), 0);
		}
		for (unsigned i = 0; i < THREADS; i++)
			pthread_join(threads[i].id, NULL);
		assert_false(c.guarded.wrong);
		assert_int_equal(c.guarded.half, c.tried);
		assert_int_equal(c.guarded.twice, 2 * c.guarded.half);
		assert_int_equal(c.marked > 0, noderw_has_bravo(c.kind));
		assert_true(noderw_is_free(&c.lock));
		assert_true(bravo_is_free(c.bravo));
		bravo_destroy(c.bravo);
	}
}

/* ---- one thread ---- */

static void test_states(void **state)
{
	(void)state;
	for (unsigned kind = NODELOCK_PHASEFAIR; kind < NR_NODELOCK_KINDS; kind++) {
		union noderw lock = {0};

		noderw_init_locked(&lock, kind);
		assert_false(noderw_is_free(&lock));
		assert_false(noderw_try_read_lock(&lock, kind));
		noderw_downgrade(&lock, kind);
		assert_false(noderw_is_free(&lock));
		assert_false(noderw_try_write_lock(&lock, kind));
		assert_true(noderw_try_read_lock(&lock, kind));
		noderw_read_unlock(&lock, kind);
		noderw_read_unlock(&lock, kind);
		assert_true(noderw_is_free(&lock));
		assert_true(noderw_try_write_lock(&lock, kind));
		noderw_write_unlock(&lock, kind);
		assert_true(noderw_is_free(&lock));
	}
}

static void *want_to_write(void *arg)
{
	struct contest *c = arg;

	noderw_write_lock(&c->lock, c->kind);
	noderw_write_unlock(&c->lock, c->kind);
	return NULL;
}

/* As pthread_rwlock_t has it, a reader comes in beside a writer that waits; phase-fair it does not. */
static void test_readers_first(void **state)
{
	(void)state;
	for (unsigned kind = NODELOCK_PHASEFAIR; kind <= NODELOCK_PTHREAD; kind++) {
		struct contest c = {.kind = (enum nodelock_kind)kind};
		uint64_t seen;
		pthread_t id;

		noderw_read_lock(&c.lock, c.kind);
		seen = atomic_load(&c.lock.fair.word);
		assert_int_equal(pthread_create(&id, NULL, want_to_write, &c), 0);
		while (atomic_load(&c.lock.fair.word) == seen)
			sched_yield();
		assert_int_equal(noderw_try_read_lock(&c.lock, c.kind), kind == NODELOCK_PTHREAD);
		if (kind == NODELOCK_PTHREAD)
			noderw_read_unlock(&c.lock, c.kind);
		noderw_read_unlock(&c.lock, c.kind);
		pthread_join(id, NULL);
		assert_true(noderw_is_free(&c.lock));
	}
}

/* Which marks hold up a writer that only tries, and what is left of the bias. */
static void test_marks(void **state)
{
	struct bravo *b = bravo_create(130);
	struct phasefair lock = {0};
	struct bravo_row *row;

	(void)state;
	assert_non_null(b);
	assert_null(bravo_row(b, 129));
	assert_null(bravo_make_row(b, 192));
	row = bravo_make_row(b, 129);
	assert_non_null(row);
	assert_ptr_equal(bravo_row(b, 129), row);
	bravo_read_slowly(&lock);
	assert_true(bravo_is_biased(&lock));
	bravo_claim(row, 0x1203);
	assert_false(bravo_is_free(b));
	assert_false(bravo_revoke(b, &lock, 0x1202, 0xff02, true));
	assert_true(bravo_is_biased(&lock));
	assert_true(bravo_revoke(b, &lock, 0x1302, 0xff02, true));
	assert_false(bravo_is_biased(&lock));
	bravo_unclaim(row, 0x1201);
	/* as many ordinary reads as can be counted, and then one more */
	for (unsigned i = 0; i < UINT8_MAX; i++) {
		bravo_read_slowly(&lock);
		assert_false(bravo_is_biased(&lock));
	}
	bravo_read_slowly(&lock);
	assert_true(bravo_is_biased(&lock));
	assert_true(bravo_revoke(b, &lock, 0x1202, 0xff02, true));
	bravo_unclaim(row, 0);
	assert_true(bravo_is_free(b));
	bravo_destroy(b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_excludes),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_readers_first),
		cmocka_unit_test(test_marks),
	};

	return cmocka_run_group_tests_name("node_rw", tests, NULL, NULL);
}

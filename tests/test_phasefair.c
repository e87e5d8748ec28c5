/* SPDX-License-Identifier: MIT */
/* The phase-fair lock by itself: that it excludes, whose turn it is, and that its counters go round. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "guarded.h"
#include "support.h"
#include "sync/phasefair.h"

#define THREADS 3
#define ROUNDS 20000

/* As after so many writers and readers that the next few make every counter go round. */
static void make_old(struct phasefair *lock)
{
	const uint32_t ticket = PHASEFAIR_TICKETS - 1;

	/* an even ticket: ENTERED is not set */
	lock->word = -2 * PHASEFAIR_READER + ticket;
	lock->served = ticket;
	lock->left = (uint16_t)-2;
	assert_true(phasefair_is_free(lock));
}

/* ---- threads ---- */

struct contest {
	struct phasefair lock;
	struct guarded guarded;
	_Atomic unsigned tried;
};

struct contestant {
	struct contest *contest;
	unsigned index;
	pthread_t id;
};

static void change_and_keep_looking(struct contest *c, unsigned round)
{
	uint64_t half;

	guarded_change(&c->guarded, round);
	half = c->guarded.half;
	phasefair_downgrade(&c->lock);
	guarded_look(&c->guarded, round);
	if (c->guarded.half != half)
		atomic_store(&c->guarded.wrong, true);
	phasefair_read_unlock(&c->lock);
}

static void try_both(struct contest *c, unsigned round)
{
	if (phasefair_try_write_lock(&c->lock)) {
		guarded_change(&c->guarded, round);
		phasefair_write_unlock(&c->lock);
		atomic_fetch_add(&c->tried, 1);
	}
	if (phasefair_try_read_lock(&c->lock)) {
		guarded_look(&c->guarded, round);
		phasefair_read_unlock(&c->lock);
	}
}

static void *contend(void *arg)
{
	struct contestant *t = arg;
	struct contest *c = t->contest;

	guarded_arrive(&c->guarded, THREADS);
	for (unsigned i = 0; i < ROUNDS; i++) {
		switch ((i + t->index) % 4) {
		case 0:
			phasefair_read_lock(&c->lock);
			guarded_look(&c->guarded, i);
			phasefair_read_unlock(&c->lock);
			break;
		case 1:
			phasefair_write_lock(&c->lock);
			guarded_change(&c->guarded, i);
			phasefair_write_unlock(&c->lock);
			break;
		case 2:
			phasefair_write_lock(&c->lock);
			change_and_keep_looking(c, i);
			break;
		default:
			try_both(c, i);
		}
	}
	return NULL;
}

static void test_excludes(void **state)
{
	struct contest c = {.guarded = {0}};
	struct contestant threads[THREADS];

	(void)state;
	make_old(&c.lock);
	for (unsigned i = 0; i < THREADS; i++) {
		threads[i] = (struct contestant){.contest = &c, .index = i};
		assert_int_equal(pthread_create(&threads[i].id, NULL, contend, &threads[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i].id, NULL);
	assert_false(c.guarded.wrong);
	assert_int_equal(c.guarded.half, THREADS * ROUNDS / 2 + c.tried);
	assert_int_equal(c.guarded.twice, 2 * c.guarded.half);
	assert_true(phasefair_is_free(&c.lock));
}

/* ---- one thread ---- */

/* What somebody who only tries finds. */
static void expect_open(struct phasefair *lock, bool to_readers, bool to_writers)
{
	bool reads = phasefair_try_read_lock(lock);
	bool writes;

	if (reads)
		phasefair_read_unlock(lock);
	writes = phasefair_try_write_lock(lock);
	if (writes)
		phasefair_write_unlock(lock);
	assert_int_equal(reads, to_readers);
	assert_int_equal(writes, to_writers);
}

static void test_who_gets_in(void **state)
{
	struct phasefair lock = {0};

	(void)state;
	for (unsigned round = 0; round < 5; round++) {
		assert_true(phasefair_is_free(&lock));
		expect_open(&lock, true, true);
		assert_false(phasefair_write_lock(&lock));
		assert_false(phasefair_is_free(&lock));
		expect_open(&lock, false, false);
		phasefair_downgrade(&lock);
		expect_open(&lock, true, false);
		assert_false(phasefair_read_lock(&lock));
		phasefair_read_unlock(&lock);
		assert_false(phasefair_is_free(&lock));
		phasefair_read_unlock(&lock);
		if (!round)
			make_old(&lock);
	}
	assert_true(phasefair_is_free(&lock));
}

/* Tickets go round and keep their order, an odd one and an even one in turn. */
static void test_rounds(void **state)
{
	struct phasefair lock = {0};

	(void)state;
	make_old(&lock);
	for (unsigned i = 0; i < 6; i++) {
		assert_false(phasefair_write_lock(&lock));
		expect_open(&lock, false, false);
		phasefair_write_unlock(&lock);
		expect_open(&lock, true, true);
	}
	assert_true(phasefair_is_free(&lock));
	assert_int_equal(phasefair_next(lock.word), 10); /* with those of expect_open() */
}

static void test_born_held(void **state)
{
	struct phasefair lock = {0};

	(void)state;
	phasefair_init_locked(&lock);
	assert_false(phasefair_is_free(&lock));
	expect_open(&lock, false, false);
	phasefair_write_unlock(&lock);
	expect_open(&lock, true, true);
	assert_true(phasefair_is_free(&lock));
}

/* ---- turns ---- */

struct turns {
	struct phasefair lock;
	_Atomic unsigned served; /* how many had their turn */
	unsigned turn[2];        /* of the writer, of the reader */
};

static void *write_in_turn(void *arg)
{
	struct turns *t = arg;

	phasefair_write_lock(&t->lock);
	t->turn[0] = atomic_fetch_add(&t->served, 1);
	phasefair_write_unlock(&t->lock);
	return NULL;
}

static void *read_in_turn(void *arg)
{
	struct turns *t = arg;

	phasefair_read_lock(&t->lock);
	t->turn[1] = atomic_fetch_add(&t->served, 1);
	phasefair_read_unlock(&t->lock);
	return NULL;
}

/* Start a thread, which will have to wait, and return when it has joined those who wait. */
static void start_waiter(struct turns *t, pthread_t *id, void *(*run)(void *arg))
{
	const uint64_t before = t->lock.word;

	assert_int_equal(pthread_create(id, NULL, run, t), 0);
	while (atomic_load(&t->lock.word) == before)
		sched_yield();
}

/* Behind a writer: the readers that wait come before the next writer, though that came first. */
static void test_readers_after_a_writer(void **state)
{
	struct turns t = {.served = 0};
	pthread_t writer, reader;

	(void)state;
	assert_false(phasefair_write_lock(&t.lock));
	start_waiter(&t, &writer, write_in_turn);
	start_waiter(&t, &reader, read_in_turn);
	phasefair_write_unlock(&t.lock);
	pthread_join(writer, NULL);
	pthread_join(reader, NULL);
	assert_int_equal(t.turn[1], 0);
	assert_int_equal(t.turn[0], 1);
	assert_true(phasefair_is_free(&t.lock));
}

/* Behind a reader: a reader that comes after a writer that waits does not overtake it. */
static void test_a_writer_after_readers(void **state)
{
	struct turns t = {.served = 0};
	pthread_t writer, reader;

	(void)state;
	assert_false(phasefair_read_lock(&t.lock));
	start_waiter(&t, &writer, write_in_turn);
	start_waiter(&t, &reader, read_in_turn);
	assert_int_equal(atomic_load(&t.served), 0);
	phasefair_read_unlock(&t.lock);
	pthread_join(writer, NULL);
	pthread_join(reader, NULL);
	assert_int_equal(t.turn[0], 0);
	assert_int_equal(t.turn[1], 1);
	assert_true(phasefair_is_free(&t.lock));
}

int main(void)
{
	static const struct CMUnitTest cases[] = {
		cmocka_unit_test(test_excludes),
		cmocka_unit_test(test_who_gets_in),
		cmocka_unit_test(test_rounds),
		cmocka_unit_test(test_born_held),
		cmocka_unit_test(test_readers_after_a_writer),
		cmocka_unit_test(test_a_writer_after_readers),
	};

	return cmocka_run_group_tests_name("phasefair", cases, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Judges of histories: known ones; random small ones, against trying all orders; large ones made by
 * letting threads run one after the other, into which stale reads are put.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "history/sweep.h"
#include "history/wgl.h"
#include "history/zones.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_STATES 1000000

static struct zones *zones;
static struct wgl *wgl;
static struct sweep *sweep;
static uint64_t random_state = 1;

static uint64_t random_below(uint64_t bound)
{
	uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % bound;
}

/* ---- all orders ---- */

struct orders {
	const struct operation *ops;
	size_t n;
	bool used[16];
};

static bool may_be_next(const struct orders *o, size_t candidate)
{
	for (size_t i = 0; i < o->n; i++)
		if (!o->used[i] && op_before(&o->ops[i], &o->ops[candidate]))
			return false;
	return true;
}

static bool some_order(struct orders *o, size_t taken, uint64_t value)
{
	if (taken == o->n)
		return true;
	for (size_t i = 0; i < o->n; i++) {
		const struct operation *op = &o->ops[i];
		bool found;

		if (o->used[i] || !may_be_next(o, i) ||
		    (op->kind == HISTORY_READ && op->value != value) ||
		    (op->kind == HISTORY_CHANGE && op->before != value))
			continue;
		o->used[i] = true;
		found = some_order(o, taken + 1, op_writes(op) ? op->value : value);
		o->used[i] = false;
		if (found)
			return true;
	}
	return false;
}

static enum verdict brute(const struct operation *ops, size_t n)
{
	struct orders o = {.ops = ops, .n = n};

	return some_order(&o, 0, HISTORY_NOTHING) ? HISTORY_RIGHT : HISTORY_WRONG;
}

/* ---- known histories ---- */

#define FIRST(v)                                                                      \
	{                                                                             \
		.call = 0, .ret = 0, .value = (v), .kind = HISTORY_WRITE, .thread = 9 \
	}
#define WRITES(t, from, to, v)                                                                  \
	{                                                                                       \
		.call = (from), .ret = (to), .value = (v), .kind = HISTORY_WRITE, .thread = (t) \
	}
#define READS(t, from, to, v)                                                                  \
	{                                                                                      \
		.call = (from), .ret = (to), .value = (v), .kind = HISTORY_READ, .thread = (t) \
	}
#define CHANGES(t, from, to, b, v)                                                                \
	{                                                                                         \
		.call = (from), .ret = (to), .before = (b), .value = (v), .kind = HISTORY_CHANGE, \
		.thread = (t)                                                                     \
	}

struct known {
	const char *name;
	bool right, right_by_zones, right_by_sweep;
	struct operation ops[8];
	size_t n;
};

static const struct known histories[] = {
	{"nothing but the first value", true, true, true, {FIRST(1), READS(0, 5, 6, 1)}, 2},
	{"a read beside a write sees the old value",
	 true,
	 true,
	 true,
	 {FIRST(1), WRITES(0, 5, 9, 2), READS(1, 6, 7, 1)},
	 3},
	{"a read beside a write sees the new value",
	 true,
	 true,
	 true,
	 {FIRST(1), WRITES(0, 5, 9, 2), READS(1, 6, 7, 2)},
	 3},
	{"stale read", false, false, false, {FIRST(1), WRITES(0, 5, 6, 2), READS(1, 7, 8, 1)}, 3},
	{"a stamp that is equal is not before",
	 true,
	 true,
	 true,
	 {FIRST(1), WRITES(0, 5, 7, 2), READS(1, 7, 8, 1)},
	 3},
	{"read of the future",
	 false,
	 false,
	 false,
	 {FIRST(1), READS(1, 3, 4, 2), WRITES(0, 5, 6, 2)},
	 3},
	{"a value from nowhere",
	 false,
	 false,
	 false,
	 {FIRST(1), WRITES(0, 5, 6, 2), READS(1, 7, 8, 3)},
	 3},
	{"back and forth beside a write",
	 false,
	 false,
	 false,
	 {FIRST(1), WRITES(0, 5, 20, 2), READS(1, 6, 7, 2), READS(2, 8, 9, 1)},
	 4},
	{"two writes at once, either may have been last",
	 true,
	 true,
	 true,
	 {FIRST(1), WRITES(0, 5, 9, 2), WRITES(1, 5, 9, 3), READS(2, 10, 11, 3)},
	 4},
	{"two writes at once, the first one by version was last",
	 true,
	 true,
	 false,
	 {FIRST(1), WRITES(0, 5, 9, 2), WRITES(1, 5, 9, 3), READS(2, 10, 11, 2)},
	 4},
	{"readers disagree which write was last",
	 false,
	 false,
	 false,
	 {FIRST(1), WRITES(0, 5, 9, 2), WRITES(1, 5, 9, 3), READS(2, 10, 11, 2),
	  READS(3, 12, 13, 3)},
	 5},
	{"a write within another value's time",
	 false,
	 false,
	 false,
	 {FIRST(1), WRITES(0, 5, 6, 2), WRITES(1, 8, 9, 3), READS(2, 10, 11, 2)},
	 4},
	{"two changes of one value",
	 false,
	 true,
	 true,
	 {FIRST(1), CHANGES(0, 5, 9, 1, 2), CHANGES(1, 5, 9, 1, 3)},
	 3},
	{"a change of what is gone",
	 false,
	 false,
	 false,
	 {FIRST(1), WRITES(0, 5, 6, 2), CHANGES(1, 7, 8, 1, 3)},
	 3},
	{"a value that comes back",
	 true,
	 true,
	 true,
	 {FIRST(1), CHANGES(0, 5, 6, 1, 2), READS(1, 7, 8, 2)},
	 3},
};

static void expect(enum verdict verdict, bool right, const char *judge, const char *name)
{
	if (verdict != (right ? HISTORY_RIGHT : HISTORY_WRONG))
		fail_msg("%s by %s: %d", name, judge, verdict);
}

static void test_known(void **state)
{
	struct violation v;

	(void)state;
	for (size_t i = 0; i < COUNT(histories); i++) {
		const struct known *k = &histories[i];

		expect(brute(k->ops, k->n), k->right, "all orders", k->name);
		expect(wgl_check(wgl, k->ops, k->n, &v), k->right, "wgl", k->name);
		expect(zones_check(zones, k->ops, k->n, &v), k->right_by_zones, "zones", k->name);
		expect(sweep_check(sweep, k->ops, k->n, &v), k->right_by_sweep, "sweep", k->name);
	}
}

/* Values written more than once: only what is surely wrong is found by zones. */
static void test_repeated(void **state)
{
	const struct operation right[] = {FIRST(0), WRITES(0, 1, 2, 7), WRITES(0, 3, 4, 0),
					  READS(1, 5, 6, 0)};
	const struct operation hole[] = {FIRST(0),          WRITES(0, 1, 2, 7), READS(1, 3, 4, 7),
					 READS(2, 4, 5, 0), READS(1, 6, 7, 7),  WRITES(0, 8, 9, 0)};
	const struct operation missed[] = {FIRST(0), CHANGES(0, 1, 2, 0, 7), WRITES(0, 3, 4, 8),
					   READS(1, 5, 6, 0), WRITES(0, 9, 9, 0)};
	struct violation v;

	(void)state;
	expect(zones_check(zones, right, COUNT(right), &v), true, "zones", "right");
	expect(wgl_check(wgl, right, COUNT(right), &v), true, "wgl", "right");
	expect(zones_check(zones, hole, COUNT(hole), &v), false, "zones", "hole");
	assert_int_equal(v.nr_shown, 3); /* the writes of 0 and 7, and who still reads 0 */
	expect(wgl_check(wgl, hole, COUNT(hole), &v), false, "wgl", "hole");
	expect(zones_check(zones, missed, COUNT(missed), &v), true, "zones", "missed");
	expect(wgl_check(wgl, missed, COUNT(missed), &v), false, "wgl", "missed");
}

/* ---- random small histories ---- */

#define SMALL_THREADS 3
#define SMALL_OPS 7
#define SMALL_ROUNDS 40000

struct small {
	struct operation ops[SMALL_OPS + 1];
	size_t n;
	uint64_t values; /* written so far, if all differ */
	bool distinct, changes;
};

static void random_operation(struct small *s, struct operation *o)
{
	uint64_t values = s->distinct ? s->values + 2 : 3;

	o->kind = (uint8_t)random_below(s->changes ? 3 : 2);
	o->before = random_below(values);
	o->value = o->kind == HISTORY_READ ? random_below(values)
		   : s->distinct           ? ++s->values
					   : random_below(values);
}

/* Stamps are few, so that most operations overlap and some stamps are equal. */
static void random_small(struct small *s)
{
	size_t want = 2 + random_below(SMALL_OPS - 1);

	s->ops[0] = (struct operation){.kind = HISTORY_WRITE, .thread = SMALL_THREADS};
	s->n = 1;
	s->values = 0;
	for (unsigned t = 0; t < SMALL_THREADS; t++) {
		uint64_t now = 1 + random_below(4);
		size_t share = (want - (s->n - 1)) / (SMALL_THREADS - t);

		for (size_t i = 0; i < share; i++) {
			struct operation *o = &s->ops[s->n++];

			*o = (struct operation){.thread = (uint16_t)t, .call = now};
			now += random_below(8);
			o->ret = now;
			now += 1 + random_below(3);
			random_operation(s, o);
		}
	}
}

/* What is shown must be wrong by itself. */
static void expect_proof(const struct violation *v)
{
	if (v->all_shown && v->what[0] != 'n' /* body, or no order: shown as it is */)
		assert_int_equal(brute(v->shown, v->nr_shown), HISTORY_WRONG);
}

static void compare_small(bool distinct, bool changes)
{
	struct small s = {.distinct = distinct, .changes = changes};
	size_t right = 0;

	for (unsigned round = 0; round < SMALL_ROUNDS; round++) {
		struct violation v;
		enum verdict want, got;

		random_small(&s);
		want = brute(s.ops, s.n);
		right += want == HISTORY_RIGHT;
		got = wgl_check(wgl, s.ops, s.n, &v);
		assert_int_equal(got, want);
		if (got == HISTORY_WRONG)
			assert_int_equal(brute(v.shown, v.nr_shown), HISTORY_WRONG);
		got = zones_check(zones, s.ops, s.n, &v);
		if (got == HISTORY_WRONG)
			expect_proof(&v);
		if (got == want)
			continue;
		/* they may miss what hangs on changes or on values that come again, never invent it */
		assert_int_equal(want, HISTORY_WRONG);
		assert_true(!distinct || changes);
	}
	print_message("# %zu of %u histories were right\n", right, SMALL_ROUNDS);
	assert_in_range(right, SMALL_ROUNDS / 50, SMALL_ROUNDS / 50 * 49);
}

static void test_small_distinct(void **state)
{
	(void)state;
	compare_small(true, false);
}

static void test_small_changes(void **state)
{
	(void)state;
	compare_small(true, true);
}

static void test_small_any(void **state)
{
	(void)state;
	compare_small(false, true);
}

/* Versions are values whose order is known: a sweep says at least what zones say. */
static void test_small_versions(void **state)
{
	struct small s = {.distinct = true};
	unsigned stronger = 0;

	(void)state;
	for (unsigned round = 0; round < SMALL_ROUNDS; round++) {
		enum verdict by_sweep, by_all;
		struct violation v;

		random_small(&s);
		by_sweep = sweep_check(sweep, s.ops, s.n, &v);
		by_all = brute(s.ops, s.n);
		if (by_sweep == HISTORY_RIGHT)
			assert_int_equal(by_all, HISTORY_RIGHT);
		stronger += by_sweep != by_all;
	}
	print_message("# %u histories were wrong by versions only\n", stronger);
	assert_true(stronger > 0);
}

/* ---- large histories ---- */

/*
 * One register, as threads would use it: each operation takes place at one moment of its time.
 * Versions follow these moments.
 */
struct large {
	struct operation *ops; /* by thread */
	size_t n, per_thread;
	unsigned threads;
};

struct moment {
	uint64_t at;
	struct operation *op;
};

static int compare_moments(const void *left, const void *right)
{
	const struct moment *a = left, *b = right;

	return a->at < b->at ? -1 : a->at > b->at;
}

static void large_make(struct large *l, unsigned threads, size_t per_thread, unsigned writes)
{
	const size_t n = threads * per_thread;
	struct moment *moments = malloc(n * sizeof(*moments));
	uint64_t version = 1;

	l->n = n + 1;
	l->threads = threads;
	l->per_thread = per_thread;
	l->ops = malloc(l->n * sizeof(*l->ops));
	assert_non_null(l->ops);
	assert_non_null(moments);
	l->ops[0] =
		(struct operation){.kind = HISTORY_WRITE, .value = 1, .thread = (uint16_t)threads};
	for (unsigned t = 0; t < threads; t++) {
		uint64_t now = 1 + random_below(50);

		for (size_t i = 0; i < per_thread; i++) {
			struct operation *o = &l->ops[1 + t * per_thread + i];
			uint64_t length = 10 + random_below(90);

			*o = (struct operation){
				.call = now,
				.ret = now + length,
				.thread = (uint16_t)t,
				.kind = random_below(100) < writes ? HISTORY_WRITE : HISTORY_READ,
			};
			moments[t * per_thread + i] =
				(struct moment){now + random_below(length), o};
			now += length + 1 + random_below(30);
		}
	}
	qsort(moments, n, sizeof(*moments), compare_moments);
	for (size_t i = 0; i < n; i++)
		moments[i].op->value = op_writes(moments[i].op) ? ++version : version;
	free(moments);
}

/* A read in the second half sees what was there some versions ago. */
static void make_stale(struct large *l)
{
	struct operation *o;

	do
		o = &l->ops[1 + l->n / 2 + random_below(l->n / 2 - 1)];
	while (o->kind != HISTORY_READ || o->value < 4);
	o->value -= 1 + random_below(3);
}

static void test_large(void **state)
{
	static const unsigned threads[] = {2, 4, 8};
	unsigned found[3] = {0}, rounds = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(threads); i++)
		for (unsigned round = 0; round < 40; round++, rounds++) {
			struct violation v;
			struct large l;
			enum verdict by[3];

			large_make(&l, threads[i], 400, 20);
			assert_int_equal(sweep_check(sweep, l.ops, l.n, &v), HISTORY_RIGHT);
			assert_int_equal(zones_check(zones, l.ops, l.n, &v), HISTORY_RIGHT);
			assert_int_equal(wgl_check(wgl, l.ops, l.n, &v), HISTORY_RIGHT);
			make_stale(&l);
			by[0] = sweep_check(sweep, l.ops, l.n, &v);
			by[1] = zones_check(zones, l.ops, l.n, &v);
			by[2] = wgl_check(wgl, l.ops, l.n, &v);
			for (unsigned j = 0; j < 3; j++)
				found[j] += by[j] == HISTORY_WRONG;
			assert_int_equal(by[1], by[2]);
			assert_true(by[0] == HISTORY_WRONG || by[1] == HISTORY_RIGHT);
			if (by[2] == HISTORY_WRONG) {
				assert_true(v.all_shown);
				assert_true(v.nr_shown <= 8);
			}
			free(l.ops);
		}
	print_message("# of %u stale reads: sweep %u, zones %u, wgl %u\n", rounds, found[0],
		      found[1], found[2]);
	assert_true(found[0] >= found[1]);
	assert_true(found[1] > rounds / 3);
}

/* Who may remember little gives up, and does not guess. */
static void test_gives_up(void **state)
{
	struct wgl *few = wgl_create(100);
	struct violation v;
	struct large l;

	(void)state;
	large_make(&l, 8, 400, 50);
	assert_int_equal(wgl_check(few, l.ops, l.n, &v), HISTORY_GAVE_UP);
	free(l.ops);
	wgl_destroy(few);
}

static int set_up(void **state)
{
	(void)state;
	zones = zones_create();
	wgl = wgl_create(MAX_STATES);
	sweep = sweep_create();
	return !zones || !wgl || !sweep;
}

static int tear_down(void **state)
{
	(void)state;
	zones_destroy(zones);
	wgl_destroy(wgl);
	sweep_destroy(sweep);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),          cmocka_unit_test(test_repeated),
		cmocka_unit_test(test_small_distinct), cmocka_unit_test(test_small_changes),
		cmocka_unit_test(test_small_any),      cmocka_unit_test(test_small_versions),
		cmocka_unit_test(test_large),          cmocka_unit_test(test_gives_up),
	};

	if (argc > 1)
		random_state = strtoull(argv[1], NULL, 10);
	return cmocka_run_group_tests_name("history judges", tests, set_up, tear_down);
}

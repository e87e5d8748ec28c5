/* SPDX-License-Identifier: MIT */
/* What a table counts: exactly, by thread, and nothing unless asked. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "support.h"

/* Without item hooks: gathers need no storage then. */
static void count(struct fixture *fx)
{
	fx->config.stats = true;
	fx->config.item_ops = NULL;
	fx->config.flush = NULL; /* the fixture's log is for one thread */
	fixture_new_table(fx);
}

static struct pt_stats counted(struct fixture *fx)
{
	struct pt_stats s;

	expect_ok(pt_table_get_stats(fx->table, &s));
	return s;
}

/* What a lock is taken for. */
static const struct lock_cost {
	const char *strategy;
	bool call;   /* one for each call, on the whole table */
	bool nodes;  /* one for each node of its range */
	bool slots;  /* one for each slot of its range that holds no table */
	bool alone;  /* but none of these by a call that may take tables away */
	bool path;   /* each node on the way, the lowest of its range being the last */
	bool claims; /* one for each subtree that goes, whatever is below; nobody holds a range */
	bool once;   /* one for each call, whatever it finds out */
	bool stray;  /* the table whose lock it waits for may leave the tree meanwhile */
} lock_costs[] = {
	{.strategy = "bare"},
	{.strategy = "mutex", .call = true},
	{.strategy = "rwlock", .call = true},
	{.strategy = "coupling", .path = true},
	{.strategy = "split", .call = true, .nodes = true, .alone = true},
	{.strategy = "rangelock", .call = true},
	{.strategy = "optimistic", .nodes = true, .stray = true},
	{.strategy = "rcu", .nodes = true, .stray = true},
	{.strategy = "cas", .claims = true},
	{.strategy = "slotlock", .slots = true, .stray = true},
	{.strategy = "replicated", .once = true},
};

static const struct lock_cost *lock_cost(const struct fixture *fx)
{
	const struct lock_cost *cost = lock_costs;

	while (strcmp(cost->strategy, fx->strategy->name))
		if (++cost == lock_costs + sizeof(lock_costs) / sizeof(lock_costs[0]))
			fail_msg("what does %s lock?", fx->strategy->name);
	return cost;
}

/*
 * Of calls on single pages, or within leaf tables, whose range has so many nodes. There is one call more
 * for each that finds out that there is no leaf table yet.
 */
static uint64_t locks(const struct fixture *fx, uint64_t calls, uint64_t nodes)
{
	uint64_t builds = calls - nodes;

	if (lock_cost(fx)->once)
		return calls - builds;
	/* Who builds a way holds the root: as it finds out, as it looks again, and then exclusively. */
	if (lock_cost(fx)->path)
		return 3 * builds + fx->format->levels * (nodes - builds);
	/* Who builds a way holds what comes of the slot where it begins. */
	return (lock_cost(fx)->call ? calls : 0) +
	       (lock_cost(fx)->nodes || lock_cost(fx)->slots ? nodes : 0);
}

/* Of one that may take full tables away, as many as are below its covering node, of level 3, and that. */
static uint64_t locks_to_take(const struct fixture *fx, uint64_t nodes)
{
	if (lock_cost(fx)->path)
		return fx->format->levels - 3 + 1;
	if (lock_cost(fx)->claims || lock_cost(fx)->once)
		return 1;
	if (lock_cost(fx)->slots)
		return UINT64_C(1) << 2 * fx->format->index_bits;
	return locks(fx, 1, lock_cost(fx)->alone ? 0 : nodes);
}

static void nothing_is_counted_unless_asked(struct fixture *fx)
{
	struct pt_stats s = {.locks = 77};

	map(fx, fx->base, fx->page, FRAMES, RW);
	expect_error(pt_table_get_stats(fx->table, &s), EINVAL);
	expect_error(pt_thread_get_stats(fx->self, fx->table, &s), EINVAL);
	expect_error(pt_table_get_stats(NULL, &s), EINVAL);
	expect_error(pt_thread_get_stats(fx->self, NULL, &s), EINVAL);
	assert_int_equal(s.locks, 77);
}

static void a_new_table_has_taken_its_root(struct fixture *fx)
{
	struct pt_stats s;

	count(fx);
	s = counted(fx);
	assert_int_equal(s.nodes_taken, trees(fx));
	assert_int_equal(s.nodes_given + s.locks + s.splits + s.detaches + s.uncounted, 0);
}

static void one_page_takes_a_path_and_one_lock_a_call(struct fixture *fx)
{
	struct pt_stats s;

	count(fx);
	map(fx, fx->base, fx->page, FRAMES, RW);
	s = counted(fx);
	assert_int_equal(s.nodes_taken, trees(fx) * fx->format->levels);
	assert_int_equal(s.locks, locks(fx, 2, 1));
	unmap(fx, fx->base, fx->page);
	map(fx, fx->base, fx->page, FRAMES, RW);
	protect(fx, fx->base, fx->page, 0, PT_WRITE);
	s = counted(fx);
	assert_int_equal(s.nodes_taken, trees(fx) * fx->format->levels);
	assert_int_equal(s.nodes_given, 0);
	assert_int_equal(s.locks, locks(fx, 5, 4));
	assert_int_equal(s.contended + s.retries + s.splits + s.detaches, 0);
}

/* Locks that calls on one page of @table took since @before. */
static uint64_t locks_of_an_unmap(struct fixture *fx, struct pt_table *table)
{
	struct pt_stats before, after;

	expect_ok(pt_table_get_stats(table, &before));
	expect_ok(pt_unmap(fx->self, table, fx->base + fx->page, fx->page, NULL, NULL));
	expect_ok(pt_table_get_stats(table, &after));
	return after.locks - before.locks;
}

/* Whatever the thread did in between that was not a call on one page. */
static void one_page_counts_for_its_table(struct fixture *fx)
{
	struct pt_table *second;
	struct pt_thread *other;
	struct pt_cursor theirs, c;
	struct pt_stats s;

	count(fx);
	map(fx, fx->base, fx->page, FRAMES, RW);
	unmap(fx, fx->base + fx->page, fx->page);
	expect_ok(pt_table_create(fx->self, &fx->config, &second));
	assert_int_equal(locks_of_an_unmap(fx, fx->table), locks(fx, 1, 1));
	expect_ok(pt_thread_get_stats(fx->self, second, &s));
	assert_int_equal(locks_of_an_unmap(fx, fx->table), locks(fx, 1, 1));
	assert_int_equal(s.locks, 0);
	if (fx->strategy->isolation == PT_ISOLATION_RANGE) {
		expect_ok(pt_thread_register(fx->pool, &other));
		expect_ok(
			pt_cursor_begin(other, second, fx->base, fx->page, PT_CHANGE, 1, &theirs));
		expect_error(
			pt_cursor_try_begin(fx->self, second, fx->base, fx->page, PT_CHANGE, 1, &c),
			EBUSY);
		pt_cursor_end(&theirs);
		expect_ok(pt_thread_unregister(other));
	}
	expect_ok(pt_thread_get_stats(fx->self, second, &s));
	/* Who could not have the node has had the table. */
	assert_int_equal(s.locks, lock_cost(fx)->call && lock_cost(fx)->nodes);
	assert_int_equal(locks_of_an_unmap(fx, fx->table), locks(fx, 1, 1));
	expect_ok(pt_table_destroy(fx->self, second));
	assert_int_equal(locks_of_an_unmap(fx, fx->table), locks(fx, 1, 1));
}

static void looking_counts_nothing(struct fixture *fx)
{
	struct pt_stats before, after;
	pt_prop_t prop;
	pt_pa_t pa;

	count(fx);
	map(fx, fx->base, fx->page, FRAMES, RW);
	before = counted(fx);
	query(fx, fx->base);
	expect_ok(pt_walk(fx->self, fx->table, fx->base, &pa, &prop));
	after = counted(fx);
	assert_memory_equal(&before, &after, sizeof(before));
}

static void a_hole_in_a_huge_leaf_is_one_split(struct fixture *fx)
{
	struct pt_stats s;

	count(fx);
	map(fx, fx->base, fx->huge, FRAMES, RW);
	unmap(fx, fx->base + fx->page, fx->page);
	s = counted(fx);
	assert_int_equal(s.splits, 1);
	assert_int_equal(s.nodes_taken, trees(fx) * fx->format->levels);
	/* the other pieces are still there: unmapping them all detaches the new table */
	unmap(fx, fx->base, fx->huge);
	s = counted(fx);
	assert_int_equal(s.splits, 1);
	assert_int_equal(s.detaches, 1);
	assert_int_equal(s.nodes_given, trees(fx));
}

/*
 * 1 GiB of 4 KiB pages (x86-64) goes by one store, one lock for each node, and no look at a slot; unless it
 * is slots that have locks.
 */
static void a_call_on_whole_tables_costs_nodes_not_pages(struct fixture *fx)
{
	uint64_t fan_out = UINT64_C(1) << fx->format->index_bits;
	uint64_t len = pt_page_size(fx->format, 3);
	struct pt_stats before, s;

	count(fx);
	expect_ok(pt_map(fx->self, fx->table, fx->base, len, FRAMES, RW, 1));
	before = counted(fx);
	assert_int_equal(before.nodes_taken, trees(fx) * (fx->format->levels - 2 + 1 + fan_out));
	assert_int_equal(unmap(fx, fx->base, len), fan_out * fan_out);
	s = counted(fx);
	assert_int_equal(s.detaches, 1);
	assert_int_equal(s.nodes_given, trees(fx) * (1 + fan_out));
	/* the covering node, the table below its slot, and the leaf tables */
	assert_int_equal(s.locks - before.locks, locks_to_take(fx, 2 + fan_out));
	assert_int_equal(s.nodes_taken, before.nodes_taken);
	assert_int_equal(s.splits, 0);
}

static void drop_it(void *ctx, pt_va_t va, const struct pt_item *item)
{
	(void)ctx;
	(void)va;
	(void)item;
}

/* Storage of gathers is given back too, with and without items to drop. */
static void what_is_held_is_what_the_checker_reaches(struct fixture *fx)
{
	const struct pt_item_ops *hooks = fx->config.item_ops;
	uint64_t node = UINT64_C(1) << fx->format->node_shift;
	uint64_t storage = (3 * 16 + node - 1) / node; /* three leaves */
	struct pt_gather g;
	struct pt_stats s;

	for (unsigned with_items = 0; with_items < 2; with_items++) {
		count(fx);
		fx->config.item_ops = with_items ? hooks : NULL;
		fixture_new_table(fx);
		map(fx, fx->base, fx->giant, FRAMES, RW);
		map(fx, fx->base + fx->giant, 3 * fx->page, FRAMES, RW);
		pt_gather_init(&g, fx->self, fx->table, drop_it, NULL);
		expect_ok(pt_unmap(fx->self, fx->table, fx->base + fx->page, fx->page, &g, NULL));
		expect_ok(pt_unmap(fx->self, fx->table, fx->base + fx->giant, 2 * fx->page, &g,
				   NULL));
		s = counted(fx);
		assert_int_equal(s.nodes_taken - s.nodes_given,
				 trees(fx) * check(fx).nodes + storage);
		pt_gather_sync(&g);
		s = counted(fx);
		assert_int_equal(s.nodes_taken - s.nodes_given, trees(fx) * check(fx).nodes);
		unmap(fx, fx->first, fx->last - fx->first + 1);
		s = counted(fx);
		assert_int_equal(s.nodes_taken - s.nodes_given, trees(fx) * check(fx).nodes);
	}
}

/* A leaf or mark that takes the place of an empty table detaches it. */
static void displacing_a_table_is_a_detachment(struct fixture *fx)
{
	struct pt_stats s;

	count(fx);
	map(fx, fx->base, fx->page, FRAMES, RW);
	unmap(fx, fx->base, fx->page);
	map(fx, fx->base, fx->huge, FRAMES, RW);
	s = counted(fx);
	assert_int_equal(s.detaches, 1);
	assert_int_equal(s.nodes_given, trees(fx));
	assert_int_equal(s.nodes_taken - s.nodes_given, trees(fx) * check(fx).nodes);
}

/* The table that a huge leaf replaces is given back. */
static void merging_gives_the_table_back(struct fixture *fx)
{
	struct pt_stats s;

	count(fx);
	expect_ok(pt_map(fx->self, fx->table, fx->base, fx->huge, FRAMES, RW, 1));
	expect_ok(pt_merge(fx->self, fx->table, fx->base, fx->huge, 2, NULL));
	s = counted(fx);
	assert_int_equal(s.nodes_given, trees(fx));
	assert_int_equal(s.detaches, 1);
	assert_int_equal(s.nodes_taken - s.nodes_given, trees(fx) * check(fx).nodes);
}

struct worker {
	struct fixture *fx;
	pt_va_t va;
	unsigned rounds;
	uint64_t len;
	pthread_t id;
	_Atomic int rc;
	struct pt_stats before, after;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	struct fixture *fx = w->fx;
	struct pt_thread *self;
	int rc = pt_thread_register(fx->pool, &self);

	if (!rc)
		rc = pt_thread_get_stats(self, fx->table, &w->before);
	for (unsigned i = 0; !rc && i < w->rounds; i++) {
		rc = pt_map(self, fx->table, w->va, w->len, FRAMES, RW, 1);
		if (!rc)
			rc = pt_unmap(self, fx->table, w->va, w->len, NULL, NULL);
	}
	if (!rc)
		rc = pt_thread_get_stats(self, fx->table, &w->after);
	if (!rc)
		rc = pt_thread_unregister(self);
	w->rc = rc;
	return NULL;
}

static void start(struct worker *w)
{
	assert_int_equal(pthread_create(&w->id, NULL, work, w), 0);
}

static void finish(struct worker *w)
{
	join(w->fx, w->id);
	expect_ok(w->rc);
}

static void add(struct pt_stats *sum, const struct pt_stats *s)
{
	sum->nodes_taken += s->nodes_taken;
	sum->nodes_given += s->nodes_given;
	sum->locks += s->locks;
	sum->contended += s->contended;
	sum->retries += s->retries;
	sum->splits += s->splits;
	sum->detaches += s->detaches;
	sum->path += s->path;
	sum->revocations += s->revocations;
	sum->lost += s->lost;
	sum->passed += s->passed;
	sum->appended += s->appended;
	sum->combined += s->combined;
	sum->replayed += s->replayed;
}

/* Also of threads that have gone, and whose place others have taken. */
static void shares_sum_up_to_what_the_table_says(struct fixture *fx)
{
	struct worker w[4];
	struct pt_stats sum, own, zero = {0};

	if (fx->strategy->isolation == PT_ISOLATION_NONE)
		skip();
	count(fx);
	map(fx, fx->base, fx->page, FRAMES, RW);
	for (unsigned i = 0; i < 4; i += 2) {
		for (unsigned k = i; k < i + 2; k++) {
			w[k] = (struct worker){.fx = fx,
					       .va = fx->base + (k + 1) * fx->huge,
					       .len = fx->huge,
					       .rounds = 100};
			start(&w[k]);
		}
		finish(&w[i]);
		finish(&w[i + 1]);
	}
	expect_ok(pt_thread_get_stats(fx->self, fx->table, &sum));
	own = sum;
	assert_int_equal(own.locks, locks(fx, 2, 1));
	for (unsigned i = 0; i < 4; i++) {
		assert_memory_equal(&w[i].before, &zero, sizeof(zero));
		assert_true(w[i].after.detaches == 100 &&
			    w[i].after.nodes_given == 100 * trees(fx));
		add(&sum, &w[i].after);
	}
	own = counted(fx);
	assert_memory_equal(&sum, &own, sizeof(sum));
}

/* Hold the range, take what is in it if asked, while another thread wants a page of it. */
static struct pt_stats collide(struct fixture *fx, bool take)
{
	const struct timespec pause = {0, 5000000L};
	struct worker w = {.fx = fx, .va = fx->base, .len = fx->page, .rounds = 1};
	struct pt_cursor c;
	struct pt_gather g;
	struct pt_taken taken;

	pt_gather_init(&g, fx->self, fx->table, NULL, NULL);
	map(fx, fx->base + fx->page, fx->page, FRAMES, RW);
	expect_ok(pt_cursor_begin(fx->self, fx->table, fx->base, fx->huge, PT_CHANGE, 2, &c));
	start(&w);
	nanosleep(&pause, NULL);
	if (take)
		expect_ok(pt_cursor_take_next(&c, fx->huge, &g, &taken));
	pt_cursor_end(&c);
	finish(&w);
	pt_gather_sync(&g);
	unmap(fx, fx->base, fx->huge);
	return w.after;
}

/* The other thread may come late on a busy machine: try until it did not. */
static void whoever_waits_is_contended(struct fixture *fx)
{
	uint64_t contended = 0;

	if (fx->strategy->isolation != PT_ISOLATION_RANGE)
		skip();
	count(fx);
	for (unsigned i = 0; i < 1000 && !contended; i++) {
		struct pt_stats s = collide(fx, false);

		assert_true(s.contended <= s.locks);
		contended = s.contended;
	}
	assert_true(contended > 0);
	assert_true(counted(fx).contended >= contended);
}

static void whoever_waits_for_a_table_that_goes_begins_again(struct fixture *fx)
{
	uint64_t retries = 0;

	if (!lock_cost(fx)->stray)
		skip();
	count(fx);
	for (unsigned i = 0; i < 1000 && !retries; i++)
		retries = collide(fx, true).retries;
	assert_true(retries > 0);
	assert_true(counted(fx).retries >= retries);
}

static void chains_handed_over_are_counted_by_the_pool(struct fixture *fx)
{
	struct pt_pool_stats before, after;

	if (fx->strategy->isolation == PT_ISOLATION_NONE)
		skip(); /* frees at once */
	fx->config.item_ops = NULL;
	fixture_new_table(fx);
	pt_pool_get_stats(fx->pool, &before);
	map(fx, fx->base, 2 * fx->huge, FRAMES + fx->page, RW);
	unmap(fx, fx->base, 2 * fx->huge);
	reclaim(fx);
	pt_pool_get_stats(fx->pool, &after);
	assert_int_equal(after.retired_chains - before.retired_chains, 1);
}

/* A new table may lie where the last one did, and a thread remembers where it counted. */
/* The thread works on the one, looks at the other, and goes on: not even then are they confused. */
static void looking_at_another_table_counts_on_neither(struct fixture *fx)
{
	struct pt_table *other;
	struct pt_stats a, b;

	count(fx);
	expect_ok(pt_table_create(fx->self, &fx->config, &other));
	map(fx, fx->base, 2 * fx->page, FRAMES, RW);
	unmap(fx, fx->base, fx->page);
	a = counted(fx);
	expect_ok(pt_thread_get_stats(fx->self, other, &b));
	assert_int_equal(b.locks, 0);
	assert_int_equal(protect(fx, fx->base + fx->page, fx->page, 0, PT_WRITE), 1);
	assert_int_equal(unmap(fx, fx->base + fx->page, fx->page), 1);
	assert_int_equal(counted(fx).locks, a.locks + locks(fx, 2, 2));
	expect_ok(pt_thread_get_stats(fx->self, other, &b));
	assert_int_equal(b.locks, 0);
	expect_ok(pt_table_destroy(fx->self, other));
	map(fx, fx->base, fx->page, FRAMES, RW);
	assert_int_equal(counted(fx).locks, a.locks + locks(fx, 3, 3));
}

static void tables_in_turn_are_told_apart(struct fixture *fx)
{
	struct pt_table *first, *second;
	struct pt_stats a, b;

	count(fx);
	for (unsigned round = 0; round < 8; round++) {
		map(fx, fx->base, fx->page, FRAMES, RW);
		assert_int_equal(counted(fx).nodes_taken, trees(fx) * fx->format->levels);
		fixture_new_table(fx);
		assert_int_equal(counted(fx).locks, 0);
	}
	first = fx->table;
	expect_ok(pt_table_create(fx->self, &fx->config, &second));
	for (unsigned round = 1; round < 8; round++) {
		map(fx, fx->base, fx->page, FRAMES, RW);
		unmap(fx, fx->base, fx->page);
		fx->table = second;
		map(fx, fx->base, fx->page, FRAMES, RW);
		unmap(fx, fx->base, fx->page);
		fx->table = first;
		expect_ok(pt_thread_get_stats(fx->self, first, &a));
		expect_ok(pt_thread_get_stats(fx->self, second, &b));
		assert_int_equal(a.locks, locks(fx, 2 * round + 1, 2 * round));
		assert_int_equal(b.locks, a.locks);
		assert_int_equal(a.nodes_taken, trees(fx) * fx->format->levels);
		assert_int_equal(b.nodes_taken, a.nodes_taken);
	}
	expect_ok(pt_table_destroy(fx->self, second));
}

int main(void)
{
	const struct test_case cases[] = {
		TEST(nothing_is_counted_unless_asked),
		TEST(a_new_table_has_taken_its_root),
		TEST(one_page_takes_a_path_and_one_lock_a_call),
		TEST(one_page_counts_for_its_table),
		TEST(looking_counts_nothing),
		TEST(a_hole_in_a_huge_leaf_is_one_split),
		TEST(a_call_on_whole_tables_costs_nodes_not_pages),
		TEST(what_is_held_is_what_the_checker_reaches),
		TEST(displacing_a_table_is_a_detachment),
		TEST(merging_gives_the_table_back),
		TEST(shares_sum_up_to_what_the_table_says),
		TEST(whoever_waits_is_contended),
		TEST(whoever_waits_for_a_table_that_goes_begins_again),
		TEST(looking_at_another_table_counts_on_neither),
		TEST(tables_in_turn_are_told_apart),
		TEST(chains_handed_over_are_counted_by_the_pool),
	};

	return run_on_all_pairs("stats", cases, sizeof(cases) / sizeof(cases[0]));
}

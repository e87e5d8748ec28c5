/* SPDX-License-Identifier: MIT */
/*
 * One thread changes the kernel half, one makes user tables that share it and gives them up, one looks
 * through whichever there is just now; the last of them, or a CPU that runs on a table, takes it apart.
 * Kernel pages map counted frames, whose storage says where: whoever gets a reference through a user
 * table reads it in plain loads, and a race detector watches.
 *
 * test_smoke_role [milliseconds]
 */
#include <pthread.h>

#include "smoke.h"

#define BLOCKS 3      /* of level 2, of the kernel half */
#define NR_FRAMES 128 /* counted, for single pages */
#define HUGE_FRAMES (FRAMES << 1)
#define ROUNDS 64

struct roles {
	struct fixture *fx;
	struct pt_config user; /* of user tables */
	unsigned nr_strategies;
	struct pt_frames *frames;
	pt_va_t base;
	uint64_t len;
	/* Under the lock, with a reference that belongs to this place. */
	pthread_mutex_t lock;
	struct pt_table *current;
	struct pt_cpu cpus[SMOKE_THREADS];
	_Atomic uint64_t loads; /* of root registers */
	_Atomic uint64_t tables;
};

static struct roles *test_of(struct smoke_thread *t)
{
	return t->smoke->test;
}

/* ---- the kernel half ---- */

static void map_page(struct smoke_thread *t, pt_va_t va)
{
	struct roles *x = test_of(t);
	uint64_t page = x->fx->page;
	pt_pa_t pa = FRAMES + smoke_random(t, NR_FRAMES) * page;
	pt_va_t *place = pt_frame_storage(x->frames, pa);
	int rc;

	if (pt_frame_get_unique(x->frames, pa))
		return;
	*place = va;
	require(t, pt_frame_to_shared(x->frames, pa) == 0);
	rc = pt_map(t->self, x->fx->table, va, page, pa, RW | PT_TRACKED, 1);
	require(t, rc == 0 || rc == -EEXIST);
	if (rc)
		pt_frame_put(x->frames, pa, page);
}

/* Where a frame lies in its block follows from its address, in any round. */
static void map_block(struct smoke_thread *t, pt_va_t block)
{
	struct roles *x = test_of(t);
	pt_pa_t pa = HUGE_FRAMES + smoke_random(t, ROUNDS) * x->fx->huge;
	int rc = pt_map(t->self, x->fx->table, block, x->fx->huge, pa, RW, 2);

	require(t, rc == 0 || rc == -EEXIST);
}

static void change_kernel(struct smoke_thread *t)
{
	struct roles *x = test_of(t);
	struct pt_table *kernel = x->fx->table;
	uint64_t page = x->fx->page, huge = x->fx->huge;
	pt_va_t block = x->base + smoke_random(t, BLOCKS) * huge;
	pt_va_t va = block + smoke_random(t, 4) * page;

	switch (smoke_random(t, 8)) {
	case 0:
		map_block(t, block);
		break;
	case 1:
		require(t, pt_unmap(t->self, kernel, va, page, NULL, NULL) == 0);
		break;
	case 2:
		require(t, pt_unmap(t->self, kernel, block, huge, NULL, NULL) == 0);
		break;
	case 3:
		require(t, pt_protect(t->self, kernel, va, page, 0, PT_WRITE, NULL, NULL) == 0);
		break;
	case 4:
		require(t, pt_unmap(t->self, kernel, block, 4 * page, NULL, NULL) == 0);
		require(t, pt_prune(t->self, kernel, x->base, x->len, NULL, NULL) == 0);
		break;
	default:
		map_page(t, va);
	}
}

/* ---- looking ---- */

static void look_at_leaf(struct smoke_thread *t, pt_va_t va, const struct pt_item *item,
			 uint64_t offset)
{
	struct roles *x = test_of(t);

	require(t, item->prop & PT_READ);
	if (item->prop & PT_TRACKED)
		require(t, item->pa - FRAMES < NR_FRAMES * x->fx->page && item->level == 1);
	else
		require(t, ((item->pa + offset) & (x->fx->huge - 1)) == (va & (x->fx->huge - 1)));
}

static void get_and_look(struct smoke_thread *t, struct pt_table *user, pt_va_t va)
{
	struct roles *x = test_of(t);
	struct pt_mapping m;

	require(t, pt_query_get(t->self, user, va, &m) == 0);
	if (m.kind != PT_KIND_LEAF || !(m.item.prop & PT_TRACKED))
		return;
	require(t, *(pt_va_t *)pt_frame_storage(x->frames, m.item.pa) == va);
	pt_frame_put(x->frames, m.item.pa, x->fx->page);
	atomic_fetch_add_explicit(&t->smoke->seen, 1, memory_order_relaxed);
}

static void look_through(struct smoke_thread *t, struct pt_table *user)
{
	struct roles *x = test_of(t);
	pt_va_t va =
		x->base + smoke_random(t, BLOCKS) * x->fx->huge + smoke_random(t, 4) * x->fx->page;
	struct pt_mapping m;
	struct pt_item walked = {.level = 1};
	int rc;

	require(t, pt_query(t->self, user, va, &m) == 0);
	require(t, va - m.va < m.len);
	if (m.kind == PT_KIND_LEAF)
		look_at_leaf(t, va, &m.item, va - m.va);
	rc = pt_walk(t->self, user, va, &walked.pa, &walked.prop);
	require(t, rc == 0 || rc == -ENOENT);
	if (!rc)
		look_at_leaf(t, va, &walked, 0);
	rc = pt_access(t->self, user, va, PT_ACCESS_WRITE, false, &walked.pa);
	require(t, rc == 0 || rc == -ENOENT || rc == -EACCES);
	get_and_look(t, user, va);
	require(t, pt_map(t->self, user, va, x->fx->page, FRAMES, RW, 1) == -ERANGE);
}

/* ---- user tables ---- */

static void load_root(void *ctx, pt_pa_t root)
{
	struct roles *x = ctx;

	(void)root;
	atomic_fetch_add_explicit(&x->loads, 1, memory_order_relaxed);
}

/* Of any strategy that may share. */
static struct pt_table *new_user(struct smoke_thread *t)
{
	struct roles *x = test_of(t);
	struct pt_config config = x->user;
	const struct pt_strategy_info *strategy;
	struct pt_table *made = NULL;
	pt_va_t first, last;

	strategy = pt_strategy_at((unsigned)smoke_random(t, x->nr_strategies));
	if (strategy->isolation != PT_ISOLATION_NONE && strategy->reuses >= x->fx->strategy->reuses)
		config.strategy = strategy->name;
	if (pt_table_create(t->self, &config, &made)) {
		smoke_violation(t->smoke, "a user table cannot be created");
		return NULL;
	}
	pt_table_range(made, &first, &last);
	require(t, pt_map(t->self, made, first, x->fx->page, HUGE_FRAMES, RW, 1) == 0);
	atomic_fetch_add_explicit(&x->tables, 1, memory_order_relaxed);
	return made;
}

static void come_and_go(struct smoke_thread *t)
{
	struct roles *x = test_of(t);
	struct pt_table *made = new_user(t), *old;

	if (!made)
		return;
	look_through(t, made);
	pthread_mutex_lock(&x->lock);
	old = x->current;
	x->current = made;
	pthread_mutex_unlock(&x->lock);
	if (smoke_random(t, 2))
		require(t, pt_table_activate(t->self, &x->cpus[t->index], old) == 0);
	require(t, pt_table_put(t->self, old) == 0);
}

static void look_at_current(struct smoke_thread *t)
{
	struct roles *x = test_of(t);
	struct pt_table *user;
	pt_va_t first, last;
	struct pt_mapping m;

	pthread_mutex_lock(&x->lock);
	user = x->current;
	require(t, pt_table_get(user) == 0);
	pthread_mutex_unlock(&x->lock);
	for (unsigned i = 0; i < 8; i++)
		look_through(t, user);
	pt_table_range(user, &first, &last);
	require(t, pt_query(t->self, user, first, &m) == 0 && m.item.pa == HUGE_FRAMES);
	if (smoke_random(t, 2))
		require(t, pt_table_activate(t->self, &x->cpus[t->index],
					     smoke_random(t, 4) ? user : NULL) == 0);
	require(t, pt_table_put(t->self, user) == 0);
	if (pt_cpu_table(&x->cpus[t->index]))
		look_through(t, pt_cpu_table(&x->cpus[t->index]));
}

/* ---- the test ---- */

static void open_tables(struct fixture *fx, struct roles *x)
{
	struct pt_frames_config frames = {
		.size = sizeof(frames),
		.first = FRAMES,
		.bytes = NR_FRAMES * fx->page,
		.page_shift = fx->format->page_shift,
		.index_bits = fx->format->index_bits,
	};

	expect_ok(pt_frames_create(&frames, &x->frames));
	fx->config.item_ops = pt_frame_item_ops();
	fx->config.item_ctx = x->frames;
	fx->config.flush = NULL;
	fx->config.role = PT_ROLE_KERNEL;
	fixture_new_table(fx);
	x->base = fx->base;
	x->len = BLOCKS * fx->huge;
	x->user = fx->config;
	x->user.role = PT_ROLE_USER;
	x->user.kernel = fx->table;
	x->user.activate = load_root;
	x->user.activate_ctx = x;
	expect_ok(pt_table_create(fx->self, &x->user, &x->current));
	expect_ok(pt_map(fx->self, x->current, 0, fx->page, HUGE_FRAMES, RW, 1));
}

/* The kernel's table is the last one, and no frame is in use without it. */
static void close_tables(struct fixture *fx, struct roles *x)
{
	struct pt_pool_stats stats;

	for (unsigned i = 0; i < SMOKE_THREADS; i++)
		expect_ok(pt_table_activate(fx->self, &x->cpus[i], NULL));
	expect_ok(pt_table_destroy(fx->self, x->current));
	pt_pool_get_stats(fx->pool, &stats);
	assert_int_equal(stats.tables, 1);
	check(fx);
	unmap(fx, fx->first, fx->last - fx->first + 1);
	reclaim(fx);
	fx->config.role = PT_ROLE_USER;
	fx->config.item_ops = &ledger_ops;
	fx->config.item_ctx = &fx->ledger;
	fixture_new_table(fx);
	expect_ok(pt_frames_destroy(x->frames));
}

static void tables_share_what_changes_and_come_and_go(struct fixture *fx)
{
	struct roles x = {.fx = fx, .lock = PTHREAD_MUTEX_INITIALIZER};
	struct smoke s = {
		.fx = fx,
		.test = &x,
		.functions = {change_kernel, come_and_go, look_at_current},
		.seen_at_least = 20, /* references taken through user tables */
	};

	if (fx->strategy->isolation == PT_ISOLATION_NONE)
		skip();
	while (pt_strategy_at(x.nr_strategies))
		x.nr_strategies++;
	open_tables(fx, &x);
	smoke_run(&s);
	close_tables(fx, &x);
	assert_true(x.tables >= 10 && x.loads > 0);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		TEST(tables_share_what_changes_and_come_and_go),
		TEST_SYNC(tables_share_what_changes_and_come_and_go),
	};

	smoke_arguments(argc, argv);
	return run_on_all_pairs("smoke role", cases, sizeof(cases) / sizeof(cases[0]));
}

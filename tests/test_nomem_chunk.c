/* SPDX-License-Identifier: MIT */
/*
 * A chunk provider that refuses: nodes have run out, and each call is run with no chunk to be had,
 * with one, with two... until it succeeds. Whenever it fails, nothing must have changed (C2), and in
 * the end every node and every chunk is back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"

#define TRACKED (RW | PT_TRACKED)
#define CHUNKS 16
#define MANY_TABLES 200
#define HOGS_MOST 256

struct provider {
	uint64_t left;  /* chunks that it still gives */
	uint64_t given; /* and that have not come back */
};

struct script {
	void (*prepare)(struct fixture *fx);
	int (*call)(struct fixture *fx);
};

/* A table of a pool with small chunks, and what its nodes lie in. */
struct scene {
	struct fixture fx;
	struct provider provider;
	void *region;
	struct pt_table *hogs[HOGS_MOST];
	unsigned nr_hogs;
};

static int get_chunk(void *ctx, void *addr, size_t bytes, unsigned home)
{
	struct provider *p = ctx;

	(void)home;
	if (!p->left)
		return -ENOMEM;
	p->left--;
	p->given++;
	memset(addr, 0, bytes);
	return 0;
}

static void put_chunk(void *ctx, void *addr, size_t bytes)
{
	struct provider *p = ctx;

	(void)addr;
	(void)bytes;
	p->given--;
}

static const struct pt_chunk_ops chunk_ops = {.get = get_chunk, .put = put_chunk};

static void scene_open(struct scene *s, const struct fixture *fx)
{
	const size_t nodes = fx->format->node_shift < 6 ? 128 : 64;
	const size_t chunk_bytes = nodes << fx->format->node_shift;
	struct pt_pool_config pool = {
		.size = sizeof(pool),
		.node_shift = fx->format->node_shift,
		.chunk_bytes = chunk_bytes,
		.max_bytes = CHUNKS * chunk_bytes,
		.magazine = 8,
		.reclaim = PT_RECLAIM_SYNC,
		.chunk_ops = &chunk_ops,
		.chunk_ctx = &s->provider,
	};

	*s = (struct scene){.fx = *fx, .provider.left = UINT64_MAX};
	s->region = aligned_alloc(chunk_bytes, CHUNKS * chunk_bytes);
	assert_non_null(s->region);
	pool.region = s->region;
	expect_ok(pt_pool_create(&pool, &s->fx.pool));
	expect_ok(pt_thread_register(s->fx.pool, &s->fx.self));
	s->fx.config.pool = s->fx.pool;
	s->fx.config.item_ctx = &s->fx.ledger;
	s->fx.config.flush_ctx = &s->fx.flushes;
	ledger_init(&s->fx.ledger, fx->format);
	expect_ok(pt_table_create(s->fx.self, &s->fx.config, &s->fx.table));
}

static void scene_close(struct scene *s)
{
	struct pt_pool_stats stats;

	while (s->nr_hogs)
		expect_ok(pt_table_destroy(s->fx.self, s->hogs[--s->nr_hogs]));
	expect_ok(pt_table_destroy(s->fx.self, s->fx.table));
	expect_ok(pt_thread_unregister(s->fx.self));
	pt_pool_get_stats(s->fx.pool, &stats);
	assert_int_equal(stats.node_bytes + stats.retired_bytes, 0);
	expect_ok(pt_pool_destroy(s->fx.pool));
	assert_int_equal(s->provider.given, 0);
	assert_null(s->fx.ledger.error);
	assert_int_equal(ledger_total(&s->fx.ledger), 0);
	ledger_free(&s->fx.ledger);
	free(s->region);
}

/* No node is left, not in the thread's magazine either. */
static void exhaust(struct scene *s)
{
	s->provider.left = 0;
	while (!pt_table_create(s->fx.self, &s->fx.config, &s->hogs[s->nr_hogs]))
		assert_true(++s->nr_hogs < HOGS_MOST);
}

/* Run with @chunks more chunks; true when that was enough. */
static bool attempt(const struct fixture *fx, const struct script *script, uint64_t chunks)
{
	struct scene *s = malloc(sizeof(*s));
	struct pt_pool_stats before_stats, stats;
	struct before before;
	int rc;

	assert_non_null(s);
	scene_open(s, fx);
	script->prepare(&s->fx);
	exhaust(s);
	before_take(&s->fx, &before);
	pt_pool_get_stats(s->fx.pool, &before_stats);
	s->provider.left = chunks;
	rc = script->call(&s->fx);
	s->provider.left = UINT64_MAX;
	if (rc) {
		assert_int_equal(rc, -ENOMEM);
		before_expect_unchanged(&s->fx, &before);
		pt_pool_get_stats(s->fx.pool, &stats);
		assert_int_equal(stats.tables, before_stats.tables);
		expect_ok(script->call(&s->fx));
	} else {
		before_free(&before);
	}
	check(&s->fx);
	scene_close(s);
	free(s);
	return !rc;
}

static void run(struct fixture *fx, void (*prepare)(struct fixture *fx),
		int (*call)(struct fixture *fx))
{
	const struct script script = {.prepare = prepare, .call = call};
	uint64_t chunks;

	for (chunks = 0; !attempt(fx, &script, chunks); chunks++)
		assert_true(chunks < CHUNKS);
	assert_true(chunks > 0); /* else nothing was tested */
}

/* ---- states to begin with ---- */

static void nothing(struct fixture *fx)
{
	(void)fx;
}

static void a_tracked_huge_leaf(struct fixture *fx)
{
	map(fx, fx->base, fx->giant, FRAMES, TRACKED);
}

static void a_large_mark(struct fixture *fx)
{
	expect_ok(pt_mark(fx->self, fx->table, fx->base, fx->giant, 5));
}

/* ---- calls ---- */

static uint64_t many_tables(const struct fixture *fx)
{
	uint64_t len = MANY_TABLES * fx->huge;

	return len < 3 * fx->giant ? len : 3 * fx->giant;
}

static int map_many_tables(struct fixture *fx)
{
	return pt_map(fx->self, fx->table, fx->base, many_tables(fx), FRAMES, RW, 1);
}

static int unmap_a_page(struct fixture *fx)
{
	return pt_unmap(fx->self, fx->table, fx->base + fx->page, fx->page, NULL, NULL);
}

static int protect_a_page(struct fixture *fx)
{
	return pt_protect(fx->self, fx->table, fx->base + fx->page, fx->page, 0, PT_WRITE, NULL,
			  NULL);
}

static int mark_a_page(struct fixture *fx)
{
	return pt_mark(fx->self, fx->table, fx->base + fx->page, fx->page, 6);
}

static int begin_to_build(struct fixture *fx)
{
	struct pt_cursor c;
	int rc = pt_cursor_begin(fx->self, fx->table, fx->base, fx->page, PT_BUILD, 1, &c);

	if (!rc)
		pt_cursor_end(&c);
	return rc;
}

static int create_in_role(struct fixture *fx, enum pt_role role)
{
	struct pt_config config = fx->config;
	struct pt_table *made = NULL;
	int rc;

	config.role = role;
	rc = pt_table_create(fx->self, &config, &made);
	if (rc)
		assert_null(made);
	else
		expect_ok(pt_table_destroy(fx->self, made));
	fx->flushes.n = 0; /* of what was destroyed */
	return rc;
}

static int create_user(struct fixture *fx)
{
	return create_in_role(fx, PT_ROLE_USER);
}

static int create_kernel(struct fixture *fx)
{
	return create_in_role(fx, PT_ROLE_KERNEL);
}

static int create_device(struct fixture *fx)
{
	return create_in_role(fx, PT_ROLE_DEVICE);
}

/* ---- cases ---- */

static void mapping(struct fixture *fx)
{
	run(fx, nothing, map_many_tables);
	run(fx, a_large_mark, map_many_tables);
}

static void unmapping(struct fixture *fx)
{
	run(fx, a_tracked_huge_leaf, unmap_a_page);
	run(fx, a_large_mark, unmap_a_page);
}

static void protecting(struct fixture *fx)
{
	run(fx, a_tracked_huge_leaf, protect_a_page);
}

static void marking(struct fixture *fx)
{
	run(fx, nothing, mark_a_page);
	run(fx, a_large_mark, mark_a_page);
}

static void beginning_to_build(struct fixture *fx)
{
	run(fx, nothing, begin_to_build);
}

static void creating_tables(struct fixture *fx)
{
	run(fx, nothing, create_user);
	run(fx, nothing, create_kernel);
	run(fx, nothing, create_device);
}

/* What only looks, or takes away whole slots without items, needs no node. */
static void what_needs_no_node_succeeds_without(struct fixture *fx)
{
	struct scene *s = malloc(sizeof(*s));
	struct pt_mapping m;
	pt_prop_t prop;
	pt_pa_t pa;

	assert_non_null(s);
	scene_open(s, fx);
	map(&s->fx, fx->base, fx->giant, FRAMES, RW);
	exhaust(s);
	pt_thread_fail_alloc(s->fx.self, 0);
	expect_ok(pt_walk(s->fx.self, s->fx.table, fx->base, &pa, &prop));
	expect_ok(pt_query(s->fx.self, s->fx.table, fx->base, &m));
	expect_ok(
		pt_protect(s->fx.self, s->fx.table, fx->base, fx->giant, 0, PT_WRITE, NULL, NULL));
	expect_leaf(&s->fx, fx->base, FRAMES, PT_READ, fx->giant_level);
	pt_thread_fail_alloc(s->fx.self, UINT64_MAX);
	scene_close(s);
	free(s);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(mapping),
		TEST(unmapping),
		TEST(protecting),
		TEST(marking),
		TEST(beginning_to_build),
		TEST(creating_tables),
		TEST(what_needs_no_node_succeeds_without),
	};

	return run_on_all_pairs("nomem chunk", cases, sizeof(cases) / sizeof(cases[0]));
}

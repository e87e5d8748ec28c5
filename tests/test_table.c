/* SPDX-License-Identifier: MIT */
/* Pools, threads and tables: creation, destruction, and what their configurations may say. */
#include <sys/mman.h>

#include "support.h"

static void a_new_table_is_empty(struct fixture *fx)
{
	struct pt_check_report report = check(fx);
	pt_va_t first, last;

	assert_int_equal(report.nodes, 1);
	assert_int_equal(report.leaves, 0);
	assert_int_equal(report.marks, 0);
	assert_int_equal(report.mapped_bytes, 0);
	pt_table_range(fx->table, &first, &last);
	expect_empty(fx, first);
	expect_empty(fx, last);
}

static void a_table_knows_what_it_is(struct fixture *fx)
{
	assert_ptr_equal(pt_table_format(fx->table), fx->format);
	assert_ptr_equal(pt_table_strategy(fx->table), fx->strategy);
}

static void the_default_range_is_all_or_the_lower_half(struct fixture *fx)
{
	unsigned bits = fx->format->va_bits - fx->format->sign_extended;

	assert_int_equal(fx->first, 0);
	assert_int_equal(fx->last, (UINT64_C(1) << bits) - 1);
}

static void without_a_name_the_strategy_is_rcu(struct fixture *fx)
{
	fx->config.strategy = NULL;
	fixture_new_table(fx);
	assert_string_equal(pt_table_strategy(fx->table)->name, "rcu");
}

/* Homes share a tree, or each has its own. */
static void the_root_is_that_of_home_0(struct fixture *fx)
{
	assert_int_equal(pt_table_root_at(fx->table, 0), pt_table_root(fx->table));
	assert_int_equal(pt_table_root_at(fx->table, 1) == pt_table_root(fx->table),
			 !fx->strategy->replicates);
	assert_int_equal(pt_table_root_at(fx->table, ~0u), pt_table_root(fx->table));
}

static void bad_configurations_are_refused(struct fixture *fx)
{
	static const struct pt_item_ops no_hooks;
	struct pt_table *t = NULL;
	struct pt_config c;

	c = fx->config;
	c.format = "x86_65";
	expect_error(pt_table_create(fx->self, &c, &t), EINVAL);
	c = fx->config;
	c.strategy = "hope";
	expect_error(pt_table_create(fx->self, &c, &t), EINVAL);
	c = fx->config;
	c.top_first = 1;
	c.top_end = 1;
	expect_error(pt_table_create(fx->self, &c, &t), EINVAL);
	c.top_end = (1u << fx->format->index_bits) + 1;
	expect_error(pt_table_create(fx->self, &c, &t), EINVAL);
	if (fx->format->sign_extended) {
		c.top_end = 1u << fx->format->index_bits;
		expect_error(pt_table_create(fx->self, &c, &t), EINVAL);
	}
	c = fx->config;
	c.item_ops = &no_hooks;
	expect_error(pt_table_create(fx->self, &c, &t), EINVAL);
	c = fx->config;
	c.size = 0;
	expect_error(pt_table_create(fx->self, &c, &t), EINVAL);
	assert_null(t);
}

/* No table of the fixture's format has its nodes in a pool of this kind. */
static void expect_unfit(struct fixture *fx, const struct pt_pool_config *pool)
{
	struct pt_config config = fx->config;
	struct pt_thread *self;
	struct pt_table *t;

	expect_ok(pt_pool_create(pool, &config.pool));
	expect_ok(pt_thread_register(config.pool, &self));
	expect_error(pt_table_create(self, &config, &t), EINVAL);
	expect_ok(pt_thread_unregister(self));
	expect_ok(pt_pool_destroy(config.pool));
}

static void a_pool_of_another_node_size_is_refused(struct fixture *fx)
{
	struct pt_pool_config config = {
		.size = sizeof(config),
		.node_shift = fx->format->node_shift + 1,
		.max_bytes = 4 << 20,
	};

	expect_unfit(fx, &config);
}

static void a_thread_of_another_pool_is_refused(struct fixture *fx)
{
	struct pt_pool_config config = {
		.size = sizeof(config),
		.node_shift = fx->format->node_shift,
		.max_bytes = 4 << 20,
	};
	struct pt_thread *self;
	struct pt_pool *pool;
	struct pt_table *t;

	expect_ok(pt_pool_create(&config, &pool));
	expect_ok(pt_thread_register(pool, &self));
	expect_error(pt_table_create(self, &fx->config, &t), EINVAL);
	expect_error(pt_table_destroy(self, fx->table), EINVAL);
	expect_error(pt_map(self, fx->table, fx->base, fx->page, FRAMES, RW, 1), EINVAL);
	expect_error(pt_unmap(self, fx->table, fx->base, fx->page, NULL, NULL), EINVAL);
	expect_ok(pt_thread_unregister(self));
	expect_ok(pt_pool_destroy(pool));
	assert_int_equal(check(fx).leaves, 0);
}

static void a_pool_beyond_the_physical_address_width_is_refused(struct fixture *fx)
{
	struct pt_pool_config config = {
		.size = sizeof(config),
		.node_shift = fx->format->node_shift,
		.max_bytes = 4 << 20,
		.phys_base = UINT64_C(1) << fx->format->pa_bits,
	};
	struct pt_pool *pool;

	expect_unfit(fx, &config);
	config.phys_base = -(UINT64_C(2) << 20); /* beyond all addresses */
	expect_error(pt_pool_create(&config, &pool), EINVAL);
}

static void two_tables_of_a_pool_are_apart(struct fixture *fx)
{
	struct pt_table *first = fx->table, *second;

	expect_ok(pt_table_create(fx->self, &fx->config, &second));
	assert_true(pt_table_root(first) != pt_table_root(second));
	map(fx, fx->base, fx->page, FRAMES, RW);
	fx->table = second;
	expect_empty(fx, fx->base);
	map(fx, fx->base, fx->page, FRAMES + fx->page, RW);
	fx->table = first;
	expect_leaf(fx, fx->base, FRAMES, RW, 1);
	expect_ok(pt_table_destroy(fx->self, second));
	expect_leaf(fx, fx->base, FRAMES, RW, 1);
}

static void destroying_flushes_everything_and_drops_every_item(struct fixture *fx)
{
	map(fx, fx->base, fx->page, FRAMES, RW | PT_TRACKED);
	map(fx, fx->base + fx->giant, fx->giant, FRAMES, RW | PT_TRACKED);
	map(fx, fx->base + 2 * fx->giant, fx->page, FRAMES + fx->page, PT_TRACKED);
	assert_int_equal(ledger_total(&fx->ledger), 3);
	fx->flushes.n = 0;
	fixture_new_table(fx); /* checks that all references are back */
	assert_int_equal(fx->ledger.drops, 3);
	assert_true(was_flushed(fx, fx->base, fx->page, true));
	assert_true(was_flushed(fx, fx->base + fx->giant, fx->giant, true));
}

static void an_open_cursor_keeps_table_and_thread(struct fixture *fx)
{
	struct pt_cursor c;

	expect_ok(pt_cursor_begin(fx->self, fx->table, fx->base, fx->page, PT_CHANGE, 1, &c));
	expect_error(pt_table_destroy(fx->self, fx->table), EBUSY);
	expect_error(pt_thread_unregister(fx->self), EBUSY);
	expect_error(pt_thread_reclaim(fx->self), EDEADLK);
	pt_cursor_end(&c);
	map(fx, fx->base, fx->page, FRAMES, RW);
}

static void a_cursor_on_one_table_keeps_its_thread_from_destroying_others(struct fixture *fx)
{
	struct pt_table *other;
	struct pt_cursor c;

	expect_ok(pt_table_create(fx->self, &fx->config, &other));
	begin_cursor(fx, fx->base, fx->page, PT_READ_ONLY, &c);
	expect_error(pt_table_destroy(fx->self, other), EDEADLK);
	pt_cursor_end(&c);
	expect_ok(pt_table_destroy(fx->self, other));
}

static void a_pool_in_use_is_not_destroyed(struct fixture *fx)
{
	struct pt_pool_config config = {
		.size = sizeof(config),
		.node_shift = fx->format->node_shift,
		.max_bytes = 4 << 20,
	};
	struct pt_pool_stats stats;
	struct pt_thread *self;
	struct pt_pool *pool;

	expect_error(pt_pool_destroy(fx->pool), EBUSY); /* tables and threads */
	expect_ok(pt_pool_create(&config, &pool));
	expect_ok(pt_thread_register(pool, &self));
	expect_error(pt_pool_destroy(pool), EBUSY); /* a thread */
	pt_pool_get_stats(pool, &stats);
	assert_int_equal(stats.threads, 1);
	assert_int_equal(stats.tables, 0);
	expect_ok(pt_thread_unregister(self));
	expect_ok(pt_pool_destroy(pool));
}

static void bad_pool_configurations_are_refused(struct fixture *fx)
{
	const struct pt_pool_config good = {.size = sizeof(good), .max_bytes = 4 << 20};
	struct pt_pool_config c;
	struct pt_pool *pool = NULL;

	(void)fx;
	c = good;
	c.size = 1;
	expect_error(pt_pool_create(&c, &pool), EINVAL);
	c = good;
	c.chunk_bytes = 3 << 20;
	expect_error(pt_pool_create(&c, &pool), EINVAL);
	c = good;
	c.chunk_bytes = 4096;
	expect_error(pt_pool_create(&c, &pool), EINVAL);
	c = good;
	c.node_shift = 5;
	c.chunk_bytes = 2048; /* 64 nodes, but half a page */
	expect_error(pt_pool_create(&c, &pool), EINVAL);
	c = good;
	c.node_shift = 63;
	expect_error(pt_pool_create(&c, &pool), EINVAL);
	c = good;
	c.magazine = 7;
	expect_error(pt_pool_create(&c, &pool), EINVAL);
	c = good;
	c.magazine = 1025;
	expect_error(pt_pool_create(&c, &pool), EINVAL);
	c = good;
	c.retire_batch = 1025;
	expect_error(pt_pool_create(&c, &pool), EINVAL);
	c = good;
	c.reclaim = (enum pt_reclaim)2;
	expect_error(pt_pool_create(&c, &pool), EINVAL);
	c = good;
	c.phys_base = 4096;
	expect_error(pt_pool_create(&c, &pool), EINVAL);
	assert_null(pool);
}

/* ---- chunks ---- */

struct chunk_log {
	size_t bytes;   /* handed out and not taken back */
	size_t allowed; /* more than this is refused */
	unsigned gets, puts;
	bool misaligned;
};

static int log_get(void *ctx, void *addr, size_t bytes, unsigned home)
{
	struct chunk_log *log = ctx;

	(void)home;
	if (log->bytes + bytes > log->allowed)
		return -ENOMEM;
	log->misaligned |= (uintptr_t)addr % bytes != 0;
	log->bytes += bytes;
	log->gets++;
	return mmap(addr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		    -1, 0) == addr
		       ? 0
		       : -ENOMEM;
}

static void log_put(void *ctx, void *addr, size_t bytes)
{
	struct chunk_log *log = ctx;

	log->bytes -= bytes;
	log->puts++;
	mmap(addr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
	     0);
}

static void chunks_come_from_the_configured_operations(struct fixture *fx)
{
	static const struct pt_chunk_ops ops = {.get = log_get, .put = log_put};
	const unsigned per_chunk =
		fx->format->node_shift < 6 ? 128 : 64; /* of whole system pages */
	const size_t chunk = (size_t)per_chunk << fx->format->node_shift;
	struct chunk_log log = {.allowed = 4 * chunk};
	struct pt_pool_config config = {
		.size = sizeof(config),
		.node_shift = fx->format->node_shift,
		.chunk_bytes = chunk,
		.max_bytes = 64 * chunk,
		.magazine = 8,
		.chunk_ops = &ops,
		.chunk_ctx = &log,
	};
	struct pt_config c = fx->config;
	struct pt_pool_stats stats;
	struct pt_thread *self;
	struct pt_table *t[4 * 128 + 1];
	unsigned n = 0, i;
	int rc;

	expect_ok(pt_pool_create(&config, &c.pool));
	expect_ok(pt_thread_register(c.pool, &self));
	do {
		rc = pt_table_create(self, &c, &t[n]);
		n += !rc;
	} while (!rc && n <= 4 * per_chunk);
	/* Each table takes one node, and all of them could be used. */
	assert_int_equal(rc, -ENOMEM);
	assert_int_equal(n, 4 * per_chunk);
	assert_int_equal(log.gets, 4);
	assert_false(log.misaligned);
	pt_pool_get_stats(c.pool, &stats);
	assert_int_equal(stats.chunk_bytes, log.bytes);
	assert_int_equal(stats.node_bytes, log.bytes);
	assert_int_equal(stats.tables, n);
	for (i = 0; i < n; i++)
		expect_ok(pt_table_destroy(self, t[i]));
	expect_ok(pt_thread_unregister(self));
	expect_ok(pt_pool_destroy(c.pool));
	assert_int_equal(log.bytes, 0);
	assert_int_equal(log.gets, log.puts);
}

/* ---- running out ---- */

static void an_exhausted_pool_works_again_after_something_was_freed(struct fixture *fx)
{
	struct pt_table *t[128];
	unsigned n = 0;
	int rc;

	pt_thread_fail_alloc(fx->self, 100);
	do {
		rc = pt_table_create(fx->self, &fx->config, &t[n]);
		n += !rc;
	} while (!rc && n < 128);
	assert_int_equal(rc, -ENOMEM);
	assert_int_equal(n, 100 / trees(fx));
	pt_thread_fail_alloc(fx->self, UINT64_MAX);
	while (n)
		expect_ok(pt_table_destroy(fx->self, t[--n]));
	map(fx, fx->base, fx->page, FRAMES, RW);
	expect_leaf(fx, fx->base, FRAMES, RW, 1);
}

static void statistics_follow_the_nodes(struct fixture *fx)
{
	struct pt_pool_stats stats;
	uint64_t nodes;

	expect_ok(pt_map(fx->self, fx->table, fx->base, 4 * fx->huge, FRAMES, RW, 1));
	nodes = check(fx).nodes;
	pt_pool_get_stats(fx->pool, &stats);
	assert_true(stats.node_bytes >= nodes << fx->format->node_shift);
	assert_true(stats.chunk_bytes >= stats.node_bytes);
	assert_int_equal(stats.retired_bytes, 0);
	assert_int_equal(stats.tables, 1);
	assert_int_equal(stats.threads, 1);
	unmap(fx, fx->first, fx->last - fx->first + 1);
	reclaim(fx);
	pt_pool_get_stats(fx->pool, &stats);
	assert_int_equal(stats.retired_bytes, 0);
	if (fx->strategy->isolation != PT_ISOLATION_NONE)
		assert_true(stats.retired_bytes_max >= (nodes - 1) << fx->format->node_shift);
}

/* A thread that is ahead of reclamation waits when it begins the next call. */
static void retired_memory_stays_within_its_bound(struct fixture *fx)
{
	const uint64_t node = UINT64_C(1) << fx->format->node_shift;
	struct pt_pool_config pool = {
		.size = sizeof(pool),
		.node_shift = fx->format->node_shift,
		.max_bytes = 64 << 20,
		.retired_bound = 8 * node,
		.retire_batch = 4,
	};
	struct fixture bounded = *fx;
	struct pt_pool_stats stats;
	unsigned i;

	expect_ok(pt_pool_create(&pool, &bounded.pool));
	bounded.config.pool = bounded.pool;
	expect_ok(pt_thread_register(bounded.pool, &bounded.self));
	expect_ok(pt_table_create(bounded.self, &bounded.config, &bounded.table));
	for (i = 0; i < 100; i++) {
		map(&bounded, fx->base, fx->page, FRAMES, RW);
		unmap(&bounded, fx->base, fx->giant);
	}
	pt_pool_get_stats(bounded.pool, &stats);
	/* the bound, and what one call can add */
	assert_true(stats.retired_bytes_max <= (8 + 4 + fx->format->levels) * node);
	if (fx->strategy->isolation != PT_ISOLATION_NONE)
		assert_true(stats.retired_bytes_max >= 4 * node);
	expect_ok(pt_table_destroy(bounded.self, bounded.table));
	expect_ok(pt_thread_unregister(bounded.self));
	expect_ok(pt_pool_destroy(bounded.pool));
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(a_new_table_is_empty),
		TEST(a_table_knows_what_it_is),
		TEST(the_default_range_is_all_or_the_lower_half),
		TEST(without_a_name_the_strategy_is_rcu),
		TEST(the_root_is_that_of_home_0),
		TEST(bad_configurations_are_refused),
		TEST(a_pool_of_another_node_size_is_refused),
		TEST(a_thread_of_another_pool_is_refused),
		TEST(a_pool_beyond_the_physical_address_width_is_refused),
		TEST(two_tables_of_a_pool_are_apart),
		TEST(destroying_flushes_everything_and_drops_every_item),
		TEST(an_open_cursor_keeps_table_and_thread),
		TEST(a_cursor_on_one_table_keeps_its_thread_from_destroying_others),
		TEST(a_pool_in_use_is_not_destroyed),
		TEST(bad_pool_configurations_are_refused),
		TEST(chunks_come_from_the_configured_operations),
		TEST(an_exhausted_pool_works_again_after_something_was_freed),
		TEST(statistics_follow_the_nodes),
		TEST(retired_memory_stays_within_its_bound),
	};

	return run_on_all_pairs("table", cases, sizeof(cases) / sizeof(cases[0]));
}

/* SPDX-License-Identifier: MIT */
/* Node memory: which chunk a node comes from, where it goes, and how much of it there is. */
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "support.h"

#define CHUNKS 8
#define PHYS_BASE (UINT64_C(1) << 30)
#define ALL_TABLES (CHUNKS * 128)

/* A pool of a few chunks, that knows for which home each was asked. A root's address tells the chunk. */
struct homes {
	struct fixture *fx;
	struct pt_pool *pool;
	struct pt_thread *self;
	struct pt_config config;
	size_t chunk_bytes;
	unsigned per_chunk;
	char *region;
	unsigned home_of[CHUNKS];
	_Atomic unsigned chunks;
	unsigned refused; /* this home gets no memory; none: UINT_MAX */
	struct pt_table *tables[ALL_TABLES];
	unsigned nr_tables;
};

static int home_get(void *ctx, void *addr, size_t bytes, unsigned home)
{
	struct homes *h = ctx;

	if (home == h->refused)
		return -ENOMEM;
	if (!h->chunks)
		h->region = addr;
	assert_ptr_equal(addr, h->region + h->chunks * bytes);
	h->home_of[h->chunks++] = home;
	return mprotect(addr, bytes, PROT_READ | PROT_WRITE) ? -ENOMEM : 0;
}

static void home_put(void *ctx, void *addr, size_t bytes)
{
	struct homes *h = ctx;

	h->chunks--;
	mprotect(addr, bytes, PROT_NONE);
}

static void open_homes(struct homes *h, struct fixture *fx, unsigned homes)
{
	static const struct pt_chunk_ops ops = {.get = home_get, .put = home_put};
	struct pt_pool_config config = {
		.size = sizeof(config),
		.node_shift = fx->format->node_shift,
		.magazine = 8,
		.homes = homes,
		.phys_base = PHYS_BASE,
		.chunk_ops = &ops,
		.chunk_ctx = h,
	};

	if (fx->strategy->replicates)
		skip(); /* tables have a node in each home: see test_replicated.c */
	*h = (struct homes){.fx = fx, .config = fx->config, .refused = UINT_MAX};
	h->per_chunk = fx->format->node_shift < 6 ? 128 : 64; /* whole system pages */
	h->chunk_bytes = (size_t)h->per_chunk << fx->format->node_shift;
	config.chunk_bytes = h->chunk_bytes;
	config.max_bytes = CHUNKS * h->chunk_bytes;
	expect_ok(pt_pool_create(&config, &h->pool));
	h->config.pool = h->pool;
	h->config.item_ops = NULL;
	h->config.flush = NULL;
	expect_ok(pt_thread_register(h->pool, &h->self));
}

static void destroy_tables(struct homes *h)
{
	while (h->nr_tables)
		expect_ok(pt_table_destroy(h->self, h->tables[--h->nr_tables]));
	expect_ok(pt_thread_reclaim(h->self)); /* who reuses tables frees them like retired ones */
}

static struct pt_home_stats home_stats(struct homes *h, unsigned home)
{
	struct pt_home_stats stats;

	expect_ok(pt_pool_get_home_stats(h->pool, home, &stats));
	return stats;
}

static void close_homes(struct homes *h)
{
	destroy_tables(h);
	expect_ok(pt_thread_unregister(h->self));
	for (unsigned home = 0; home < 2; home++)
		assert_int_equal(home_stats(h, home).node_bytes, 0);
	expect_ok(pt_pool_destroy(h->pool));
	assert_int_equal(h->chunks, 0);
}

static unsigned chunk_of(struct homes *h, const struct pt_table *table)
{
	uint64_t chunk = (pt_table_root(table) - PHYS_BASE) / h->chunk_bytes;

	assert_true(chunk < h->chunks);
	return (unsigned)chunk;
}

/* Create a table, which takes one node. Returns the home its node is of; -1: there is none left. */
static int take_node(struct homes *h)
{
	struct pt_table **t = &h->tables[h->nr_tables];
	int rc = pt_table_create(h->self, &h->config, t);

	if (rc) {
		assert_int_equal(rc, -ENOMEM);
		return -1;
	}
	h->nr_tables++;
	return (int)h->home_of[chunk_of(h, *t)];
}

static void set_home(struct homes *h, unsigned home)
{
	expect_ok(pt_thread_set_home(h->self, home));
}

static void nodes_are_taken_from_the_home_of_the_thread(struct fixture *fx)
{
	struct homes h;

	open_homes(&h, fx, 2);
	for (unsigned i = 0; i < 5 * h.per_chunk; i++) {
		if (i % 7 == 0)
			set_home(&h, i / 7 % 2);
		assert_int_equal(take_node(&h), i / 7 % 2);
	}
	assert_true(h.chunks <= 6);
	for (unsigned home = 0; home < 2; home++) {
		assert_int_equal(home_stats(&h, home).strayed_bytes, 0);
		assert_true(home_stats(&h, home).chunk_bytes == 3 * h.chunk_bytes);
	}
	close_homes(&h);
}

static void freed_nodes_go_home(struct fixture *fx)
{
	struct homes h;

	open_homes(&h, fx, 2);
	set_home(&h, 1);
	for (unsigned i = 0; i < 2 * h.per_chunk; i++)
		assert_int_equal(take_node(&h), 1);
	set_home(&h, 0); /* frees what is of home 1 */
	destroy_tables(&h);
	set_home(&h, 1); /* and gives its magazine back */
	set_home(&h, 0);
	assert_int_equal(home_stats(&h, 1).node_bytes, 0);
	for (unsigned i = 0; i < h.per_chunk; i++)
		assert_int_equal(take_node(&h), 0);
	assert_int_equal(h.chunks, 3);
	set_home(&h, 1);
	for (unsigned i = 0; i < 2 * h.per_chunk; i++)
		assert_int_equal(take_node(&h), 1);
	assert_int_equal(h.chunks, 3);
	close_homes(&h);
}

static void a_home_without_memory_takes_from_others(struct fixture *fx)
{
	struct homes h;
	unsigned strayed;

	open_homes(&h, fx, 3);
	h.refused = 1;
	set_home(&h, 1);
	assert_int_equal(take_node(&h), 2);
	assert_true(home_stats(&h, 2).strayed_bytes >= UINT64_C(1) << fx->format->node_shift);
	h.refused = UINT_MAX;
	for (strayed = 0; take_node(&h) == 2; strayed++)
		assert_true(strayed < 8); /* what the magazine held */
	assert_int_equal(take_node(&h), 1);
	close_homes(&h);
}

static void memory_is_out_when_no_home_has_any(struct fixture *fx)
{
	struct homes h;
	int home;

	open_homes(&h, fx, 2);
	set_home(&h, 1);
	assert_int_equal(take_node(&h), 1);
	set_home(&h, 0);
	while ((home = take_node(&h)) == 0)
		;
	assert_int_equal(home, 1);
	while (take_node(&h) == 1)
		;
	assert_int_equal(h.chunks, CHUNKS);
	assert_int_equal(h.nr_tables, CHUNKS * h.per_chunk);
	/* the node that the first call left in home 1, and what was never taken there */
	assert_int_equal(home_stats(&h, 1).strayed_bytes,
			 h.chunk_bytes - (UINT64_C(1) << fx->format->node_shift));
	destroy_tables(&h);
	set_home(&h, 1);
	assert_int_equal(take_node(&h), 1);
	close_homes(&h);
}

static void homes_that_are_not_there_are_refused(struct fixture *fx)
{
	struct pt_pool_config config = {.size = sizeof(config), .homes = 65};
	struct pt_home_stats stats;
	struct pt_pool *pool;
	struct pt_cursor c;
	struct homes h;

	expect_error(pt_pool_create(&config, &pool), EINVAL);
	open_homes(&h, fx, 64);
	expect_error(pt_thread_set_home(h.self, 64), EINVAL);
	expect_error(pt_pool_get_home_stats(h.pool, 64, &stats), EINVAL);
	set_home(&h, 63);
	assert_int_equal(take_node(&h), 63);
	expect_ok(pt_cursor_begin(h.self, h.tables[0], 0, fx->page, PT_READ_ONLY, 1, &c));
	expect_error(pt_thread_set_home(h.self, 0), EBUSY);
	pt_cursor_end(&c);
	close_homes(&h);
}

/* ---- with threads ---- */

struct resident {
	struct homes *h;
	unsigned home;
	unsigned abroad; /* nodes of another home, or failures */
	pthread_t id;
};

static void *live(void *argument)
{
	struct resident *r = argument;
	struct pt_thread *self;
	struct pt_table *tables[16];
	unsigned i, n;
	/* Where freed tables have to wait, home has enough only if they are waited for, which takes long. */
	bool waits = r->h->fx->strategy->reuses;

	if (pt_thread_register(r->h->pool, &self) || pt_thread_set_home(self, r->home))
		return r;
	for (i = 0; i < (waits ? 100 : 2000); i++) {
		r->abroad += waits && i % 16 == 0 && pt_thread_reclaim(self) != 0;
		for (n = 0; n < 1 + i % 16; n++) {
			if (pt_table_create(self, &r->h->config, &tables[n]))
				break;
			r->abroad += r->h->home_of[chunk_of(r->h, tables[n])] != r->home;
		}
		r->abroad += n != 1 + i % 16;
		while (n)
			r->abroad += pt_table_destroy(self, tables[--n]) != 0;
	}
	return pt_thread_unregister(self) ? r : NULL;
}

static void threads_stay_at_home(struct fixture *fx)
{
	struct resident residents[4];
	struct homes h;

	open_homes(&h, fx, 2);
	for (unsigned i = 0; i < 4; i++) {
		residents[i] = (struct resident){.h = &h, .home = i % 2};
		expect_ok(pthread_create(&residents[i].id, NULL, live, &residents[i]));
	}
	for (unsigned i = 0; i < 4; i++) {
		assert_null(join(fx, residents[i].id));
		assert_int_equal(residents[i].abroad, 0);
	}
	close_homes(&h);
}

/* ---- memory that the embedder gives ---- */

#define GARBAGE 0xa5

static size_t one_chunk(struct fixture *fx)
{
	return (size_t)(fx->format->node_shift < 6 ? 128 : 64) << fx->format->node_shift;
}

static void bad_regions_are_refused(struct fixture *fx)
{
	const size_t chunk = one_chunk(fx), meta_bytes = (chunk >> fx->format->node_shift) * 64;
	char *memory = aligned_alloc(chunk, 4 * chunk);
	const struct pt_pool_config good = {
		.size = sizeof(good),
		.node_shift = fx->format->node_shift,
		.chunk_bytes = chunk,
		.max_bytes = chunk,
		.region = memory,
		.meta = memory + chunk,
	};
	struct pt_pool_config c;
	struct pt_pool *pool;

	assert_non_null(memory);
	c = good;
	c.region = memory + chunk / 2;
	expect_error(pt_pool_create(&c, &pool), EINVAL);
	c = good;
	c.meta = memory + chunk + 8;
	expect_error(pt_pool_create(&c, &pool), EINVAL);
	c = good;
	c.max_bytes = 0; /* no default: the embedder's memory ends somewhere */
	expect_error(pt_pool_create(&c, &pool), EINVAL);
	c.max_bytes = chunk + 1;
	expect_error(pt_pool_create(&c, &pool), EINVAL);
	c = good;
	c.region = (void *)-chunk;
	c.max_bytes = 2 * chunk;
	expect_error(pt_pool_create(&c, &pool), EINVAL);
	c = good;
	c.meta = (void *)(64 - meta_bytes);
	expect_error(pt_pool_create(&c, &pool), EINVAL);
	c = good;
	c.meta = memory + chunk - 64;
	expect_error(pt_pool_create(&c, &pool), EINVAL);
	c.region = memory + chunk;
	c.meta = memory + chunk - meta_bytes + 64;
	expect_error(pt_pool_create(&c, &pool), EINVAL);
	c.meta = memory + chunk - meta_bytes; /* they may touch */
	expect_ok(pt_pool_create(&c, &pool));
	expect_ok(pt_pool_destroy(pool));
	expect_ok(pt_pool_create(&good, &pool));
	expect_ok(pt_pool_destroy(pool));
	free(memory);
}

static void given_memory_is_used_and_stays_with_the_embedder(struct fixture *fx)
{
	const size_t chunk = one_chunk(fx), meta_bytes = (chunk >> fx->format->node_shift) * 64;
	struct pt_pool_config config = {
		.size = sizeof(config),
		.node_shift = fx->format->node_shift,
		.chunk_bytes = chunk,
		.max_bytes = 2 * chunk,
		.magazine = 8,
		.phys_base = PHYS_BASE,
		.region = aligned_alloc(chunk, 2 * chunk),
		.meta = aligned_alloc(64, 2 * meta_bytes),
	};
	struct fixture given = *fx;
	struct pt_pool_stats stats;
	const char *byte;

	assert_non_null(config.region);
	assert_non_null(config.meta);
	memset(config.region, GARBAGE, 2 * chunk);
	memset(config.meta, GARBAGE, 2 * meta_bytes);
	expect_ok(pt_pool_create(&config, &given.pool));
	given.config.pool = given.pool;
	expect_ok(pt_thread_register(given.pool, &given.self));
	expect_ok(pt_table_create(given.self, &given.config, &given.table));
	map(&given, fx->base, 2 * fx->page, FRAMES, RW);
	expect_leaf(&given, fx->base + fx->page, FRAMES + fx->page, RW, 1);
	unmap(&given, fx->base, fx->page);
	expect_empty(&given, fx->base);
	check(&given);
	reclaim(&given);
	pt_pool_get_stats(given.pool, &stats);
	assert_int_equal(stats.chunk_bytes, chunk);
	assert_int_equal(stats.meta_bytes, meta_bytes);
	assert_true(pt_table_root(given.table) - PHYS_BASE < chunk);
	expect_ok(pt_table_destroy(given.self, given.table));
	expect_ok(pt_thread_unregister(given.self));
	expect_ok(pt_pool_destroy(given.pool));
	/* what was not needed has not been touched, and all of it is there */
	for (byte = (char *)config.region + chunk; byte < (char *)config.region + 2 * chunk; byte++)
		assert_int_equal((unsigned char)*byte, GARBAGE);
	for (byte = (char *)config.meta + meta_bytes; byte < (char *)config.meta + 2 * meta_bytes;
	     byte++)
		assert_int_equal((unsigned char)*byte, GARBAGE);
	memset(config.region, 0, chunk);
	memset(config.meta, 0, meta_bytes);
	free(config.region);
	free(config.meta);
}

/* ---- how much ---- */

/* A dense mapping of a slot of the highest leaf level, by base pages, takes its tables and no more. */
static void a_dense_mapping_takes_its_tables_and_no_more(struct fixture *fx)
{
	unsigned levels = fx->format->levels, level;
	struct pt_pool_stats stats;
	uint64_t nodes = 0;

	for (level = 1; level <= levels; level++)
		nodes += level < fx->giant_level ? fx->giant / pt_page_size(fx->format, level + 1)
						 : 1;
	if (fx->format->levels == 4)
		assert_int_equal(nodes, 512 + 1 + 1 + 1); /* of 1 GiB */
	expect_ok(pt_map(fx->self, fx->table, fx->base, fx->giant, FRAMES, RW, 1));
	assert_int_equal(check(fx).nodes, nodes);
	/* without what the magazine holds */
	expect_ok(pt_thread_unregister(fx->self));
	pt_pool_get_stats(fx->pool, &stats);
	assert_int_equal(stats.node_bytes, trees(fx) * nodes << fx->format->node_shift);
	assert_int_equal(stats.meta_bytes, (stats.chunk_bytes >> fx->format->node_shift) * 64);
	/* one chunk is open; so it is for each tree, whose nodes have also been reserved at one home */
	assert_true(stats.chunk_bytes - stats.node_bytes < (2 * trees(fx) - 1) * (2 << 20));
	expect_ok(pt_thread_register(fx->pool, &fx->self));
	/* and with it: beyond twice its size it is given back, at the end of a call */
	unmap(fx, fx->base, fx->giant);
	reclaim(fx);
	unmap(fx, fx->base, fx->giant);
	pt_pool_get_stats(fx->pool, &stats);
	assert_true(stats.node_bytes <= (levels + 2 * 64) << fx->format->node_shift);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(nodes_are_taken_from_the_home_of_the_thread),
		TEST(freed_nodes_go_home),
		TEST(a_home_without_memory_takes_from_others),
		TEST(memory_is_out_when_no_home_has_any),
		TEST(homes_that_are_not_there_are_refused),
		TEST(threads_stay_at_home),
		TEST(bad_regions_are_refused),
		TEST(given_memory_is_used_and_stays_with_the_embedder),
		TEST(a_dense_mapping_takes_its_tables_and_no_more),
	};

	return run_on_all_pairs("pool", cases, sizeof(cases) / sizeof(cases[0]));
}

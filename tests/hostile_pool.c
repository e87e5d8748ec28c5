/* SPDX-License-Identifier: MIT */
/* Pools and threads. */
#include "hostile.h"

static void refuse_pool(const struct pt_pool_config *config)
{
	struct pt_pool *pool = NULL;

	refuse(pt_pool_create(config, &pool), EINVAL);
	assert_null(pool);
}

#define POOL_WITH(field, value)         \
	do {                            \
		config = fits;          \
		config.field = (value); \
		refuse_pool(&config);   \
	} while (0)

static void numbers_are_refused(struct scene *s)
{
	const struct pt_pool_config fits = {.size = sizeof(fits), .chunk_bytes = 1 << 20};
	struct pt_pool_config config;

	(void)s;
	refuse_pool(NULL);
	POOL_WITH(size, 0);
	POOL_WITH(size, sizeof(config) - 1);
	POOL_WITH(size, sizeof(config) + 1);
	POOL_WITH(node_shift, 3);
	POOL_WITH(node_shift, 17);
	POOL_WITH(node_shift, UINT32_MAX);
	POOL_WITH(chunk_bytes, 1);
	POOL_WITH(chunk_bytes, 63 << 12);
	POOL_WITH(chunk_bytes, 32 << 12);
	POOL_WITH(chunk_bytes, 3 << 20);
	POOL_WITH(chunk_bytes, SIZE_MAX);
	POOL_WITH(max_bytes, SIZE_MAX);
	POOL_WITH(max_bytes, ((size_t)1 << 43) + 1);
	POOL_WITH(magazine, 7);
	POOL_WITH(magazine, 1025);
	POOL_WITH(magazine, UINT32_MAX);
	POOL_WITH(retire_batch, 1025);
	POOL_WITH(retire_batch, UINT32_MAX);
	POOL_WITH(reclaim, (enum pt_reclaim) - 1);
	POOL_WITH(reclaim, (enum pt_reclaim)(PT_RECLAIM_SYNC + 1));
	POOL_WITH(homes, 65);
	POOL_WITH(homes, UINT32_MAX);
	POOL_WITH(phys_base, 1);
	POOL_WITH(phys_base, 1 << 19);
	POOL_WITH(phys_base, -(pt_pa_t)(1 << 20)); /* and 64 GiB from there */
	config = fits;
	config.node_shift = 4; /* 256 of them, of less than a page of the system */
	config.chunk_bytes = 1 << 8;
	refuse_pool(&config);
}

/* Memory that the embedder gives. Nothing of it is touched. */
static void places_are_refused(struct scene *s)
{
	const size_t chunk = 1 << 20;
	char *const region = (char *)((uintptr_t)16 << 20);
	const struct pt_pool_config fits = {.size = sizeof(fits),
					    .chunk_bytes = chunk,
					    .max_bytes = 2 * chunk,
					    .region = region};
	struct pt_pool_config config;

	(void)s;
	POOL_WITH(region, (void *)(region + 4096));
	POOL_WITH(region, (void *)-(uintptr_t)chunk); /* wraps around */
	POOL_WITH(max_bytes, 0);
	POOL_WITH(max_bytes, 2 * chunk - 1);
	POOL_WITH(max_bytes, 2 * chunk + 4096);
	POOL_WITH(meta, (void *)(region + 2 * chunk + 1));
	POOL_WITH(meta, (void *)(region + 2 * chunk + 32));
	POOL_WITH(meta, (void *)-(uintptr_t)64); /* wraps around */
	/* They overlap: by the last byte, by the first ones. */
	POOL_WITH(meta, (void *)(region + 2 * chunk - 64));
	POOL_WITH(meta, (void *)(region - 64));
	POOL_WITH(meta, (void *)region);
}

/* On the bounds. */
static void pools_are_made(struct scene *s)
{
	const struct pt_pool_config least = {.size = sizeof(least),
					     .node_shift = 4,
					     .chunk_bytes = 1 << 12,
					     .max_bytes = 1,
					     .magazine = 8,
					     .retire_batch = 1,
					     .homes = 1};
	const struct pt_pool_config most = {.size = sizeof(most),
					    .node_shift = 16,
					    .chunk_bytes = 1 << 22,
					    .max_bytes = 1 << 22,
					    .magazine = 1024,
					    .retired_bound = SIZE_MAX,
					    .retire_batch = 1024,
					    .homes = 64,
					    .phys_base = -(pt_pa_t)(1 << 22)};
	struct pt_home_stats home;
	struct pt_pool *pool;

	(void)s;
	expect_ok(pt_pool_create(&least, &pool));
	refuse(pt_pool_get_home_stats(pool, 1, &home), EINVAL);
	expect_ok(pt_pool_destroy(pool));
	expect_ok(pt_pool_create(&most, &pool));
	expect_ok(pt_pool_get_home_stats(pool, 63, &home));
	refuse(pt_pool_get_home_stats(pool, 64, &home), EINVAL);
	expect_ok(pt_pool_destroy(pool));
}

static void users_keep_a_pool(struct scene *s)
{
	const struct pt_pool_config config = {.size = sizeof(config), .max_bytes = 1};
	struct pt_thread *self;
	struct pt_pool *pool;

	refuse(pt_pool_destroy(s->fx->pool), EBUSY);
	expect_ok(pt_pool_create(&config, &pool));
	expect_ok(pt_thread_register(pool, &self));
	refuse(pt_pool_destroy(pool), EBUSY); /* a thread, no table */
	expect_ok(pt_thread_unregister(self));
	expect_ok(pt_pool_destroy(pool));
}

static void homes_are_refused(struct scene *s)
{
	struct pt_home_stats home = {.chunk_bytes = 77};
	struct fixture *fx = s->fx;

	refuse(pt_thread_set_home(fx->self, 2), EINVAL); /* the pool has two */
	refuse(pt_thread_set_home(fx->self, UINT32_MAX), EINVAL);
	refuse(pt_pool_get_home_stats(fx->pool, 2, &home), EINVAL);
	refuse(pt_pool_get_home_stats(fx->pool, UINT32_MAX, &home), EINVAL);
	assert_int_equal(home.chunk_bytes, 77);
}

const struct hostile_case hostile_pools[] = {
	{numbers_are_refused, "pt_pool_create "},
	{places_are_refused, "pt_pool_create "},
	{pools_are_made, "pt_pool_create pt_pool_get_home_stats "},
	{users_keep_a_pool, "pt_pool_destroy "},
	{homes_are_refused, "pt_thread_set_home pt_pool_get_home_stats "},
	{NULL, NULL},
};

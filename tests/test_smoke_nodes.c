/* SPDX-License-Identifier: MIT */
/*
 * No node of a pool is lost, whoever takes and gives back at the same time. A small pool of several chunks
 * is fought for; then, when everything has been given back, one thread must get each of its nodes, once.
 *
 * test_smoke_nodes [milliseconds]
 */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "smoke.h"

#define NODE_BYTES 32u
#define CHUNK_BYTES 4096u
#define CHUNKS 8u
#define NODES (CHUNKS * CHUNK_BYTES / NODE_BYTES)
#define THREADS 3u
#define TURNS 100u
#define FIGHTS 4u /* for one pool: what is fresh is fought for but once */

struct user {
	struct pt_pool *pool;
	const char *strategy;
	int failed;
};

static struct pt_table *new_table(struct pt_thread *self, struct pt_pool *pool,
				  const char *strategy)
{
	struct pt_config config = {
		.size = sizeof(config),
		.format = "toy",
		.strategy = strategy,
		.pool = pool,
	};
	struct pt_table *table;
	int rc = pt_table_create(self, &config, &table);

	return rc ? NULL : table;
}

/* Tables of its own, which it fills and empties: more nodes than a magazine keeps come and go. */
static void *take_and_give(void *arg)
{
	struct user *u = arg;
	struct pt_table *table = NULL;
	struct pt_thread *self;

	u->failed = pt_thread_register(u->pool, &self);
	if (u->failed)
		return NULL;
	for (unsigned turn = 0; turn < TURNS; turn++) {
		if (!table)
			table = new_table(self, u->pool, u->strategy);
		if (!table)
			continue; /* others have what there is, or it is not free yet */
		if (!pt_map(self, table, 0, 64 << 12, FRAMES, RW, 1))
			u->failed |= pt_unmap(self, table, 0, 64 << 12, NULL, NULL);
		u->failed |= pt_prune(self, table, 0, 64 << 12, NULL, NULL);
		if (turn % 8 == 7) {
			u->failed |= pt_table_destroy(self, table);
			table = NULL;
		}
		pt_thread_quiescent(self);
	}
	if (table)
		u->failed |= pt_table_destroy(self, table);
	u->failed |= pt_thread_unregister(self);
	return NULL;
}

/* A table that maps nothing is one node. */
static void every_node_can_be_had(struct pt_pool *pool)
{
	static struct pt_table *tables[NODES + 1];
	struct pt_thread *self;
	unsigned n = 0;

	expect_ok(pt_thread_register(pool, &self));
	expect_ok(pt_thread_reclaim(self));
	while (n <= NODES && (tables[n] = new_table(self, pool, "bare")))
		n++;
	assert_int_equal(n, NODES);
	while (n)
		expect_ok(pt_table_destroy(self, tables[--n]));
	expect_ok(pt_thread_unregister(self));
}

static void fight(struct pt_pool *pool, const char *strategy)
{
	struct user users[THREADS];
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		users[i] = (struct user){.pool = pool, .strategy = strategy};
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &users[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		expect_ok(users[i].failed);
	}
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void one_pool(const char *strategy)
{
	struct pt_pool_config config = {
		.size = sizeof(config),
		.node_shift = 5,
		.chunk_bytes = CHUNK_BYTES,
		.max_bytes = CHUNKS * CHUNK_BYTES,
		.magazine = 8,
		.retire_batch = 4,
	};
	struct pt_pool *pool;

	expect_ok(pt_pool_create(&config, &pool));
	for (unsigned i = 0; i < FIGHTS; i++) {
		fight(pool, strategy);
		every_node_can_be_had(pool);
	}
	expect_ok(pt_pool_destroy(pool));
}

static void no_node_is_lost(void **state)
{
	const uint64_t until = now_ms() + smoke_ms;

	do
		one_pool(*state);
	while (now_ms() < until);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		/* tables of one thread free at once; those of several after a grace period */
		{"no_node_is_lost/bare", no_node_is_lost, NULL, NULL, "bare"},
		{"no_node_is_lost/rcu", no_node_is_lost, NULL, NULL, "rcu"},
	};

	smoke_arguments(argc, argv);
	return cmocka_run_group_tests_name("smoke_nodes", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Node memory of ptbench: homes of a planned machine, and what jemalloc's hooks ask hwloc for. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "support.h"

#include "node_memory.h"
#include "place.h"

#ifdef HAVE_JEMALLOC
#include "arena.h"
#endif

#define CHUNK ((size_t)2 << 20)
#define CHUNKS 8

/* Two packages with two NUMA nodes of two CPUs each. */
static struct place *plan_machine(const char *policy)
{
	struct place *place;

	setenv("HWLOC_SYNTHETIC", "pack:2 numa:2 core:2 pu:1", 1);
	assert_int_equal(place_create(policy, &place), 0);
	unsetenv("HWLOC_SYNTHETIC");
	return place;
}

static void each_numa_node_is_a_home(void **state)
{
	struct place *place = plan_machine("compact");
	int cpu;

	(void)state;
	assert_int_equal(place_homes(place), 4);
	for (cpu = 0; cpu < 8; cpu++)
		assert_int_equal(place_home(place, cpu), cpu / 2);
	assert_int_equal(place_home(place, -1), 0);
	place_destroy(place);
}

static void pools_get_a_home_for_each_numa_node(void **state)
{
	struct place *place = plan_machine("scatter");
	struct pt_pool_config config = {.size = sizeof(config)};
	struct node_memory *memory;

	(void)state;
	assert_int_equal(node_memory_create("default", place, &memory), EXIT_FINE);
	node_memory_configure(memory, &config);
	assert_int_equal(config.homes, 4);
	assert_null(config.chunk_ops);
	node_memory_destroy(memory, false);
	assert_int_equal(node_memory_create("fast", place, &memory), EXIT_USAGE);
	place_destroy(place);
}

#ifdef HAVE_JEMALLOC
/* What hwloc was asked for, in place of hwloc. */
static struct {
	struct {
		const char *addr;
		size_t bytes;
		int node; /* the only one in the set */
	} calls[64];
	unsigned n;
	int node_that_fails; /* for chunks; -1: none */
} asked;

static int spy(hwloc_topology_t topology, const void *addr, size_t bytes, hwloc_const_bitmap_t set,
	       hwloc_membind_policy_t policy, int flags)
{
	int node = hwloc_bitmap_first(set);

	assert_non_null(topology);
	assert_int_equal(hwloc_bitmap_weight(set), 1);
	assert_int_equal(policy, HWLOC_MEMBIND_BIND);
	assert_int_equal(flags, HWLOC_MEMBIND_BYNODESET);
	assert_true(asked.n < 64);
	asked.calls[asked.n].addr = addr;
	asked.calls[asked.n].bytes = bytes;
	asked.calls[asked.n++].node = node;
	return bytes == CHUNK && node == asked.node_that_fails ? -1 : 0;
}

static void was_bound(const char *addr, unsigned node)
{
	unsigned i, found = 0;

	for (i = 0; i < asked.n; i++)
		if (asked.calls[i].addr == addr && asked.calls[i].bytes == CHUNK) {
			assert_int_equal(asked.calls[i].node, node);
			found++;
		}
	assert_int_equal(found, 1);
}

static struct arenas *open_arenas(struct place *place)
{
	struct arenas *arenas = NULL;

	memset(&asked, 0, sizeof(asked));
	asked.node_that_fails = -1;
	assert_int_equal(arenas_create(place, spy, &arenas), 0);
	return arenas;
}

/* Address space as a pool has it: aligned, without memory. */
static char *reserve(char **ret_room)
{
	size_t bytes = (CHUNKS + 1) * CHUNK;
	char *room =
		mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_true(room != MAP_FAILED);
	*ret_room = room;
	return room + (-(uintptr_t)room & (CHUNK - 1));
}

static bool is_zero(const char *chunk)
{
	return !chunk[0] && !memcmp(chunk, chunk + 1, CHUNK - 1);
}

static void chunks_lie_where_they_are_wanted_and_are_bound(void **state)
{
	struct place *place = plan_machine("compact");
	struct arenas *arenas = open_arenas(place);
	char *room, *region = reserve(&room);
	unsigned round, i;

	(void)state;
	for (round = 0; round < 3; round++) {
		asked.n = 0;
		for (i = 0; i < CHUNKS; i++)
			assert_int_equal(arenas_chunk_ops.get(arenas, region + i * CHUNK, CHUNK,
							      (i + round) % 4),
					 0);
		for (i = 0; i < CHUNKS; i++) {
			was_bound(region + i * CHUNK, (i + round) % 4);
			assert_true(is_zero(region + i * CHUNK));
			memset(region + i * CHUNK, 0xff, CHUNK);
		}
		assert_int_equal(asked.n, CHUNKS);
		for (i = CHUNKS; i--;)
			arenas_chunk_ops.put(arenas, region + i * CHUNK, CHUNK);
		/* Nothing is left where they were: it can become address space of others. */
		assert_int_equal(mprotect(region, CHUNKS * CHUNK, PROT_READ), 0);
		for (i = 0; i < CHUNKS; i++)
			assert_true(is_zero(region + i * CHUNK));
		assert_int_equal(mprotect(region, CHUNKS * CHUNK, PROT_NONE), 0);
	}
	arenas_destroy(arenas);
	munmap(room, (CHUNKS + 1) * CHUNK);
	place_destroy(place);
}

static void a_chunk_that_cannot_be_bound_is_refused(void **state)
{
	struct place *place = plan_machine("compact");
	struct arenas *arenas = open_arenas(place);
	char *room, *region = reserve(&room);

	(void)state;
	asked.node_that_fails = 2;
	assert_int_equal(arenas_chunk_ops.get(arenas, region, CHUNK, 2), -ENOMEM);
	assert_int_equal(arenas_chunk_ops.get(arenas, region, CHUNK, 3), 0);
	memset(region, 1, CHUNK);
	asked.node_that_fails = -1;
	assert_int_equal(arenas_chunk_ops.get(arenas, region + CHUNK, CHUNK, 2), 0);
	memset(region + CHUNK, 1, CHUNK);
	arenas_chunk_ops.put(arenas, region, CHUNK);
	arenas_chunk_ops.put(arenas, region + CHUNK, CHUNK);
	arenas_destroy(arenas);
	munmap(room, (CHUNKS + 1) * CHUNK);
	place_destroy(place);
}

/* A pool over them: every node of a home lies in memory that was bound there. */
static void a_pool_has_its_nodes_bound(void **state)
{
	struct place *place = plan_machine("compact");
	struct arenas *arenas = open_arenas(place);
	struct pt_pool_config config = {
		.size = sizeof(config),
		.max_bytes = CHUNKS * CHUNK,
		.homes = 4,
		.chunk_ops = &arenas_chunk_ops,
		.chunk_ctx = arenas,
	};
	struct pt_config table = {.size = sizeof(table), .format = "x86_64"};
	struct pt_table *tables[4];
	struct pt_thread *self;
	unsigned home;

	(void)state;
	assert_int_equal(pt_pool_create(&config, &table.pool), 0);
	assert_int_equal(pt_thread_register(table.pool, &self), 0);
	asked.n = 0;
	for (home = 4; home--;) {
		assert_int_equal(pt_thread_set_home(self, home), 0);
		assert_int_equal(pt_table_create(self, &table, &tables[home]), 0);
		assert_int_equal(pt_map(self, tables[home], 0, CHUNK, 0, PT_READ, 1), 0);
		/* one chunk each, in the order of asking */
		assert_int_equal(asked.n, 4 - home);
		assert_int_equal(asked.calls[asked.n - 1].node, home);
		assert_int_equal(pt_table_root(tables[home]) / CHUNK,
				 (size_t)(asked.calls[asked.n - 1].addr - asked.calls[0].addr) /
					 CHUNK);
	}
	for (home = 0; home < 4; home++)
		assert_int_equal(pt_table_destroy(self, tables[home]), 0);
	assert_int_equal(pt_thread_unregister(self), 0);
	assert_int_equal(pt_pool_destroy(table.pool), 0);
	arenas_destroy(arenas);
	place_destroy(place);
}
#else
static void without_jemalloc_it_cannot_be_chosen(void **state)
{
	struct place *place = plan_machine("compact");
	struct node_memory *memory;

	(void)state;
	assert_int_equal(node_memory_create("jemalloc", place, &memory), EXIT_UNSUPPORTED);
	place_destroy(place);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_numa_node_is_a_home),
		cmocka_unit_test(pools_get_a_home_for_each_numa_node),
#ifdef HAVE_JEMALLOC
		cmocka_unit_test(chunks_lie_where_they_are_wanted_and_are_bound),
		cmocka_unit_test(a_chunk_that_cannot_be_bound_is_refused),
		cmocka_unit_test(a_pool_has_its_nodes_bound),
#else
		cmocka_unit_test(without_jemalloc_it_cannot_be_chosen),
#endif
	};

	return cmocka_run_group_tests_name("node memory", tests, NULL, NULL);
}

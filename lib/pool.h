/* SPDX-License-Identifier: MIT */
/*
 * Node memory: one reserved region of chunks, metadata beside it, so that physical address, node
 * and metadata are one computation apart. See pool.c for how nodes move.
 */
#ifndef PT_POOL_H
#define PT_POOL_H

#include "node.h"

struct chunk;

/* Registered threads at a time that have a slot number of their own; see stats.h. */
#define POOL_SLOTS 16384u

/* What is taken from, and comes back to, the chunks of one NUMA home. */
struct pool_home {
	_Alignas(64) _Atomic uint64_t partial; /* tagged stack of chunks that have free nodes */
	_Atomic uint64_t fresh;                /* of the newest chunk: see pool_take_fresh() */
	_Atomic uint64_t taken;                /* nodes of its chunks that are out */
	_Atomic uint64_t strayed;              /* of these, ever taken for other homes */
	_Atomic uint64_t chunks;
};

struct pt_pool {
	/* read by every call, constant */
	uintptr_t phys_off; /* node address - physical address */
	uintptr_t meta_off; /* metadata of physical address 0 */
	size_t node_bytes;
	size_t retired_bound;
	enum pt_reclaim reclaim;
	unsigned node_shift;
	unsigned chunk_shift;
	unsigned magazine;
	unsigned retire_batch;
	unsigned nr_homes;
	size_t nr_chunks_max;
	bool region_given; /* by the embedder, and stays with it */
	bool meta_given;
	char *region;
	char *meta;
	struct chunk *chunks;
	pt_pa_t phys_base;
	struct pt_chunk_ops chunk_ops;
	void *chunk_ctx;

	/* changed when the pool grows, tables and threads come and go */
	_Alignas(64) _Atomic uint32_t grow_lock;
	_Atomic uint32_t tables;
	_Atomic uint32_t threads;
	_Atomic uint64_t backed; /* chunks below this index have memory */

	_Alignas(64) _Atomic uint64_t retired; /* bytes handed over, not yet free */
	_Atomic uint64_t retired_max;
	_Atomic uint64_t retired_chains;

	/* changed when threads register */
	_Alignas(64) _Atomic uint64_t registered;     /* threads so far */
	_Atomic uint64_t slots_used[POOL_SLOTS / 64]; /* a bit for each slot number */

	/* changed when magazines are filled and chains are freed */
	struct pool_home homes[];
};

static inline struct node *node_of_pa(const struct pt_pool *pool, pt_pa_t pa)
{
	return (struct node *)(pool->meta_off + (pa >> pool->node_shift) * NODE_META_BYTES);
}

static inline pt_pa_t node_pa(const struct pt_pool *pool, const struct node *node)
{
	return ((uintptr_t)node - pool->meta_off) / NODE_META_BYTES << pool->node_shift;
}

static inline void *node_memory(const struct pt_pool *pool, const struct node *node)
{
	return (void *)(node_pa(pool, node) + pool->phys_off);
}

/* A free node must not be touched, but for `next`, which lists of free nodes are made of. */
static inline void pool_poison(const struct pt_pool *pool, struct node *node)
{
	port_freed(node_memory(pool, node), pool->node_bytes);
	port_poison(node_memory(pool, node), pool->node_bytes);
	port_poison((char *)node + sizeof(node->next), sizeof(*node) - sizeof(node->next));
}

static inline void pool_unpoison(const struct pt_pool *pool, struct node *node)
{
	port_unpoison((char *)node + sizeof(node->next), sizeof(*node) - sizeof(node->next));
	port_unpoison(node_memory(pool, node), pool->node_bytes);
}

/*
 * Move at least one and at most @want free nodes to @chain, in state NODE_FREE and
 * poisoned; of chunks of @home, or of others' when it has none left and cannot grow.
 * Return: how many; 0 when the pool is exhausted.
 */
unsigned pt_pool_take(struct pt_pool *pool, unsigned home, struct node_chain *chain, unsigned want);

/* How many nodes could be taken, if nobody else took or gave any. */
uint64_t pt_pool_available(struct pt_pool *pool);

/* Free every node of @chain, which becomes empty. Content and metadata may be anything. */
void pt_pool_give(struct pt_pool *pool, struct node_chain *chain);

/* Count a chain that begins, has ended, to wait for its grace period. */
void pt_pool_retire_begin(struct pt_pool *pool, unsigned nodes);
void pt_pool_retire_end(struct pt_pool *pool, unsigned nodes);

/* Is there any? If not, all that happened to those there were has happened before. */
bool pt_pool_has_retired(struct pt_pool *pool);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * How nodes move, at each NUMA home:
 *
 *      fresh ------.                      .---- alloc ----> trees, gathers
 *                   +--> magazine (thread) <--- unused ---'      |
 *   chunk lists ---'          |                                 retire
 *        ^------- surplus ----'                                  |
 *        '---------------------------- grace period -------------'
 *
 * A chunk belongs to one home, for which it was asked of the chunk operations, as long as the pool
 * lives. It has a stack of its free nodes, so that memory goes home by chunk, whoever frees it;
 * chunks that have free nodes are on one stack of their home. Both are lock-free. Nodes are pushed as runs and popped
 * all at once; what is too much goes back. So no thread ever reads the link of a node it does not
 * own, and there is no ABA. Chunks are popped one at a time, so the head of their stack carries a
 * tag that each push and pop increments.
 *
 * A chunk is on its home's stack at most once: whoever turns its `listed` from 0 to 1 pushes it.
 * Nodes are pushed on the chunk before `listed` is examined, and `listed` is cleared before the
 * chunk's nodes are examined, so one of the two sides sees the other.
 *
 * Nodes never handed out are taken from the home's newest chunk by advancing `fresh`; the system
 * zeroed them. Only when they have run out the home grows, so nodes of no other chunk are fresh.
 *
 * A home that has neither and cannot grow takes from the others, in turn: a remote node is slower,
 * but the alternative is a call that fails while memory is left. Such a node still goes home to its
 * own chunk. The chunk operations are asked again at each refill, so that a home which has got
 * memory meanwhile returns to it.
 *
 * Whoever uses a node zeroes it: see thread.h.
 */
#include "pool.h"

#include <errno.h>
#include <string.h>

#include "sync/ttas.h"

struct chunk {
	_Atomic(struct node *) free; /* stack of nodes, linked through `next` */
	_Atomic uint32_t listed;     /* on its home's stack, or about to be */
	_Atomic uint32_t next;       /* there: the chunk below, + 1 */
	unsigned home;               /* constant once there is memory */
};

#define HEAD(tag, link) ((uint64_t)(uint32_t)(tag) << 32 | (uint32_t)(link))
#define HEAD_TAG(head) ((uint32_t)((head) >> 32))
#define HEAD_LINK(head) ((uint32_t)(head))

#define DEFAULT_NODE_SHIFT 12
#define DEFAULT_CHUNK_BYTES ((size_t)2 << 20)
#define DEFAULT_MAX_BYTES ((size_t)64 << 30)
#define DEFAULT_MAGAZINE 64
#define DEFAULT_RETIRE_BATCH 32
#define MAX_RETIRED_BOUND ((size_t)64 << 20) /* unless configured */
#define MIN_NODES_PER_CHUNK 64               /* so that their metadata fills whole pages */
#define MAX_NODES (UINT64_C(1) << 31)
#define MAX_HOMES 64

/* The nodes [next, end) of a chunk, by index. No value recurs: chunks are opened in order. */
#define FRESH(next, end) ((uint64_t)(end) << 32 | (uint64_t)(next))
#define FRESH_NEXT(fresh) ((fresh)&UINT32_MAX)
#define FRESH_END(fresh) ((fresh) >> 32)

static struct chunk *chunk_of(const struct pt_pool *pool, const struct node *node)
{
	size_t index = ((uintptr_t)node - (uintptr_t)pool->meta) / NODE_META_BYTES;

	return &pool->chunks[index >> (pool->chunk_shift - pool->node_shift)];
}

/* ---- the stack of chunks ---- */

static void partial_push(struct pt_pool *pool, struct chunk *chunk)
{
	_Atomic uint64_t *partial = &pool->homes[chunk->home].partial;
	uint32_t self = (uint32_t)(chunk - pool->chunks) + 1;
	uint64_t head = atomic_load_explicit(partial, memory_order_relaxed);

	do {
		atomic_store_explicit(&chunk->next, HEAD_LINK(head), memory_order_relaxed);
		/* [ORD-partial] rel: the link is visible to partial_pop() */
	} while (!atomic_compare_exchange_weak_explicit(
		partial, &head, HEAD(HEAD_TAG(head) + 1, self), memory_order_release,
		memory_order_relaxed));
}

static struct chunk *partial_pop(struct pt_pool *pool, struct pool_home *home)
{
	/* [ORD-partial] acq: pairs with partial_push() */
	uint64_t head = atomic_load_explicit(&home->partial, memory_order_acquire);
	struct chunk *chunk;
	uint32_t next;

	do {
		if (!HEAD_LINK(head))
			return NULL;
		chunk = &pool->chunks[HEAD_LINK(head) - 1];
		next = atomic_load_explicit(&chunk->next, memory_order_relaxed);
		/* [ORD-partial] acq on both paths: the next round follows a new link */
	} while (!atomic_compare_exchange_weak_explicit(
		&home->partial, &head, HEAD(HEAD_TAG(head) + 1, next), memory_order_acquire,
		memory_order_acquire));
	return chunk;
}

static void chunk_list(struct pt_pool *pool, struct chunk *chunk)
{
	/* [ORD-listed] acq_rel: orders this against the clearing in take_from_chunk() */
	if (!atomic_exchange_explicit(&chunk->listed, 1, memory_order_acq_rel))
		partial_push(pool, chunk);
}

/* ---- a chunk's stack of nodes ---- */

/* Push the run first..last of nodes of one chunk. */
static void chunk_push(struct pt_pool *pool, struct chunk *chunk, struct node *first,
		       struct node *last)
{
	struct node *head = atomic_load_explicit(&chunk->free, memory_order_relaxed);

	do {
		last->next = head;
		/* [ORD-free] rel: whatever was done with the nodes comes before their reuse */
	} while (!atomic_compare_exchange_weak_explicit(
		&chunk->free, &head, first, memory_order_release, memory_order_relaxed));
	chunk_list(pool, chunk);
}

static struct node *chunk_pop_all(struct chunk *chunk)
{
	/* [ORD-free] acq: pairs with chunk_push() and chunk_put_back() */
	return atomic_exchange_explicit(&chunk->free, NULL, memory_order_acquire);
}

/* Put the run that begins at @run back below what others have pushed meanwhile. */
static void chunk_put_back(struct pt_pool *pool, struct chunk *chunk, struct node *run)
{
	struct node *none = NULL;

	/* [ORD-free] rel: as chunk_push(); its end need not be known if nobody pushed */
	while (!atomic_compare_exchange_strong_explicit(
		&chunk->free, &none, run, memory_order_release, memory_order_relaxed)) {
		struct node *pushed = chunk_pop_all(chunk);
		struct node *last = pushed;

		none = NULL;
		if (!pushed)
			continue;
		while (last->next)
			last = last->next;
		last->next = run;
		run = pushed;
	}
	chunk_list(pool, chunk);
}

/* ---- taking ---- */

static unsigned take_from_chunk(struct pt_pool *pool, struct chunk *chunk, struct node_chain *chain,
				unsigned want)
{
	struct node *node;
	unsigned count = 0;

	/* [ORD-listed] acq_rel: orders this before the look at the chunk's nodes */
	atomic_exchange_explicit(&chunk->listed, 0, memory_order_acq_rel);
	node = chunk_pop_all(chunk);
	for (; node && count < want; count++) {
		struct node *next = node->next;

		node_chain_push(chain, node);
		node = next;
	}
	if (node)
		chunk_put_back(pool, chunk, node);
	return count;
}

static unsigned pool_take_listed(struct pt_pool *pool, struct pool_home *home,
				 struct node_chain *chain, unsigned want)
{
	struct chunk *chunk;
	unsigned count = 0;

	/* Others may have emptied a chunk before it got on the stack. */
	while (!count && (chunk = partial_pop(pool, home)))
		count = take_from_chunk(pool, chunk, chain, want);
	return count;
}

/* Give the next chunk of the region memory. Return: 0 or a negative errno. */
static int chunk_back(struct pt_pool *pool, size_t index, unsigned home)
{
	size_t chunk_bytes = (size_t)1 << pool->chunk_shift;
	size_t meta_bytes = (chunk_bytes >> pool->node_shift) * NODE_META_BYTES;
	char *meta = pool->meta + index * meta_bytes;
	int rc;

	if (index == pool->nr_chunks_max)
		return -ENOMEM;
	rc = pool->meta_given ? 0 : port_commit(meta, meta_bytes);
	if (rc)
		return rc;
	rc = pool->chunk_ops.get(pool->chunk_ctx, pool->region + (index << pool->chunk_shift),
				 chunk_bytes, home);
	if (!rc)
		pool->chunks[index].home = home;
	else if (!pool->meta_given)
		port_decommit(meta, meta_bytes);
	return rc;
}

/* Open one more chunk if fresh nodes of @home have run out. Return: 0 or a negative errno. */
static int pool_grow(struct pt_pool *pool, struct pool_home *home)
{
	unsigned chunk_lg2 = pool->chunk_shift - pool->node_shift;
	uint64_t index, fresh;
	int rc = 0;

	ttas_lock(&pool->grow_lock);
	index = atomic_load_explicit(&pool->backed, memory_order_relaxed);
	fresh = atomic_load_explicit(&home->fresh, memory_order_relaxed);
	if (FRESH_NEXT(fresh) == FRESH_END(fresh)) {
		rc = chunk_back(pool, index, (unsigned)(home - pool->homes));
		if (!rc) {
			atomic_store_explicit(&pool->backed, index + 1, memory_order_relaxed);
			atomic_fetch_add_explicit(&home->chunks, 1, memory_order_relaxed);
			/* [ORD-fresh] rel: the chunk is there before its nodes can be taken */
			atomic_store_explicit(&home->fresh,
					      FRESH(index << chunk_lg2, (index + 1) << chunk_lg2),
					      memory_order_release);
		}
	}
	ttas_unlock(&pool->grow_lock);
	return rc;
}

static unsigned pool_take_fresh(struct pt_pool *pool, struct pool_home *home,
				struct node_chain *chain, unsigned want)
{
	uint64_t fresh = atomic_load_explicit(&home->fresh, memory_order_relaxed);
	uint64_t left;

	do {
		left = FRESH_END(fresh) - FRESH_NEXT(fresh);
		if (!left)
			return 0;
		if (want > left)
			want = (unsigned)left;
		/* [ORD-fresh] acq: pairs with pool_grow(); takers in between only add to it */
	} while (!atomic_compare_exchange_weak_explicit(
		&home->fresh, &fresh, fresh + want, memory_order_acquire, memory_order_relaxed));
	for (unsigned i = 0; i < want; i++) {
		size_t index = FRESH_NEXT(fresh) + i;
		struct node *node = (struct node *)(pool->meta + index * NODE_META_BYTES);

		/* an embedder's metadata need not be zero */
		node->state = NODE_FREE;
		atomic_store_explicit(&node->generation, 0, memory_order_relaxed);
		pool_poison(pool, node);
		node_chain_push(chain, node);
	}
	return want;
}

static unsigned take_at(struct pt_pool *pool, struct pool_home *home, struct node_chain *chain,
			unsigned want)
{
	unsigned count;

	do {
		count = pool_take_listed(pool, home, chain, want);
		if (!count)
			count = pool_take_fresh(pool, home, chain, want);
	} while (!count && !pool_grow(pool, home));
	/* Counted when it is done, and in pt_pool_give() before: never too many are out. */
	atomic_fetch_add_explicit(&home->taken, count, memory_order_relaxed);
	return count;
}

unsigned pt_pool_take(struct pt_pool *pool, unsigned home, struct node_chain *chain, unsigned want)
{
	unsigned count = take_at(pool, &pool->homes[home], chain, want);

	for (unsigned i = 1; !count && i < pool->nr_homes; i++) {
		struct pool_home *other = &pool->homes[(home + i) % pool->nr_homes];

		count = take_at(pool, other, chain, want);
		atomic_fetch_add_explicit(&other->strayed, count, memory_order_relaxed);
	}
	return count;
}

static uint64_t pool_taken(const struct pt_pool *pool)
{
	uint64_t taken = 0;

	for (unsigned i = 0; i < pool->nr_homes; i++)
		taken += atomic_load_explicit(&pool->homes[i].taken, memory_order_relaxed);
	return taken;
}

uint64_t pt_pool_available(struct pt_pool *pool)
{
	uint64_t most = (uint64_t)pool->nr_chunks_max << (pool->chunk_shift - pool->node_shift);

	return most - pool_taken(pool);
}

/* ---- giving ---- */

void pt_pool_give(struct pt_pool *pool, struct node_chain *chain)
{
	struct node *node = chain->head;

	while (node) {
		struct chunk *chunk = chunk_of(pool, node);
		struct node *first = node;
		struct node *last;
		unsigned count = 0;

		/* the longest run of nodes of one chunk */
		do {
			last = node;
			node = node->next;
			pool_unpoison(pool, last); /* spare nodes are poisoned already */
			last->state = NODE_FREE;
			pool_poison(pool, last);
			count++;
		} while (node && chunk_of(pool, node) == chunk);
		atomic_fetch_sub_explicit(&pool->homes[chunk->home].taken, count,
					  memory_order_relaxed);
		chunk_push(pool, chunk, first, last);
	}
	chain->head = NULL;
	chain->count = 0;
}

void pt_pool_retire_begin(struct pt_pool *pool, unsigned nodes)
{
	uint64_t bytes = (uint64_t)nodes << pool->node_shift;
	uint64_t now =
		atomic_fetch_add_explicit(&pool->retired, bytes, memory_order_relaxed) + bytes;
	uint64_t max = atomic_load_explicit(&pool->retired_max, memory_order_relaxed);

	atomic_fetch_add_explicit(&pool->retired_chains, 1, memory_order_relaxed);
	while (max < now &&
	       !atomic_compare_exchange_weak_explicit(&pool->retired_max, &max, now,
						      memory_order_relaxed, memory_order_relaxed))
		;
}

void pt_pool_retire_end(struct pt_pool *pool, unsigned nodes)
{
	/* [ORD-retired] rel: items are dropped and nodes free; pairs with pt_pool_has_retired() */
	atomic_fetch_sub_explicit(&pool->retired, (uint64_t)nodes << pool->node_shift,
				  memory_order_release);
}

bool pt_pool_has_retired(struct pt_pool *pool)
{
	/* [ORD-retired] acq: pairs with pt_pool_retire_end() */
	return atomic_load_explicit(&pool->retired, memory_order_acquire);
}

/* ---- the public calls ---- */

static int default_get(void *ctx, void *addr, size_t bytes, unsigned home)
{
	(void)ctx;
	(void)home;
	return port_commit(addr, bytes);
}

static void default_put(void *ctx, void *addr, size_t bytes)
{
	(void)ctx;
	port_decommit(addr, bytes);
}

static const struct pt_chunk_ops default_chunk_ops = {.get = default_get, .put = default_put};

/* For memory that the embedder has given: it is there. */
static int given_get(void *ctx, void *addr, size_t bytes, unsigned home)
{
	(void)ctx;
	(void)home;
	memset(addr, 0, bytes);
	return 0;
}

static void given_put(void *ctx, void *addr, size_t bytes)
{
	(void)ctx;
	(void)addr;
	(void)bytes;
}

static const struct pt_chunk_ops given_chunk_ops = {.get = given_get, .put = given_put};

static bool is_power_of_two(uint64_t value)
{
	return value && !(value & (value - 1));
}

static size_t region_bytes(const struct pt_pool *pool)
{
	return pool->nr_chunks_max << pool->chunk_shift;
}

/* Fill in defaults and check bounds. */
static int pool_configure(struct pt_pool *pool, const struct pt_pool_config *config)
{
	size_t chunk_bytes = config->chunk_bytes ? config->chunk_bytes : DEFAULT_CHUNK_BYTES;
	size_t max_bytes = config->max_bytes ? config->max_bytes : DEFAULT_MAX_BYTES;

	pool->node_shift = config->node_shift ? config->node_shift : DEFAULT_NODE_SHIFT;
	if (chunk_bytes & (port_page_bytes() - 1))
		return -EINVAL;
	if (pool->node_shift < 4 || pool->node_shift > 16 || !is_power_of_two(chunk_bytes) ||
	    chunk_bytes >> pool->node_shift < MIN_NODES_PER_CHUNK)
		return -EINVAL;
	pool->chunk_shift = (unsigned)__builtin_ctzll(chunk_bytes);
	if (config->phys_base & (chunk_bytes - 1))
		return -EINVAL;
	pool->nr_chunks_max = (max_bytes >> pool->chunk_shift) + !!(max_bytes & (chunk_bytes - 1));
	if ((uint64_t)pool->nr_chunks_max << (pool->chunk_shift - pool->node_shift) > MAX_NODES)
		return -EINVAL;
	if (config->phys_base + (((uint64_t)pool->nr_chunks_max << pool->chunk_shift) - 1) <
	    config->phys_base)
		return -EINVAL;
	pool->magazine = config->magazine ? config->magazine : DEFAULT_MAGAZINE;
	if (pool->magazine < 8 || pool->magazine > 1024)
		return -EINVAL;
	pool->retire_batch = config->retire_batch ? config->retire_batch : DEFAULT_RETIRE_BATCH;
	if (pool->retire_batch > 1024)
		return -EINVAL;
	if (config->reclaim != PT_RECLAIM_CALLBACK && config->reclaim != PT_RECLAIM_SYNC)
		return -EINVAL;
	pool->node_bytes = (size_t)1 << pool->node_shift;
	pool->retired_bound = config->retired_bound;
	if (!pool->retired_bound) {
		size_t quarter = region_bytes(pool) / 4;

		pool->retired_bound = quarter < MAX_RETIRED_BOUND ? quarter : MAX_RETIRED_BOUND;
	}
	pool->reclaim = config->reclaim;
	pool->phys_base = config->phys_base;
	if (config->chunk_ops)
		pool->chunk_ops = *config->chunk_ops;
	else
		pool->chunk_ops = config->region ? given_chunk_ops : default_chunk_ops;
	pool->chunk_ctx = config->chunk_ctx;
	return 0;
}

static size_t meta_bytes(const struct pt_pool *pool)
{
	return (region_bytes(pool) >> pool->node_shift) * NODE_META_BYTES;
}

static size_t chunks_bytes(const struct pt_pool *pool)
{
	return pool->nr_chunks_max * sizeof(struct chunk);
}

static void pool_release(struct pt_pool *pool)
{
	if (pool->chunks) {
		port_decommit(pool->chunks, chunks_bytes(pool));
		port_unreserve(pool->chunks, chunks_bytes(pool));
	}
	if (pool->meta && !pool->meta_given)
		port_unreserve(pool->meta, meta_bytes(pool));
	if (pool->region && !pool->region_given)
		port_unreserve(pool->region, region_bytes(pool));
	port_free(pool);
}

/* Take over what the embedder gives. Return: 0 or -EINVAL. */
static int pool_adopt(struct pt_pool *pool, const struct pt_pool_config *config)
{
	uintptr_t region = (uintptr_t)config->region, region_last = region + region_bytes(pool) - 1;
	uintptr_t meta = (uintptr_t)config->meta, meta_last = meta + meta_bytes(pool) - 1;
	size_t chunk_mask = ((size_t)1 << pool->chunk_shift) - 1;

	if (region && ((region & chunk_mask) || region_last < region || !config->max_bytes ||
		       (config->max_bytes & chunk_mask)))
		return -EINVAL;
	if (meta && (meta % NODE_META_BYTES || meta_last < meta))
		return -EINVAL;
	if (region && meta && region <= meta_last && meta <= region_last)
		return -EINVAL;
	pool->region = config->region;
	pool->region_given = region;
	pool->meta = config->meta;
	pool->meta_given = meta;
	return 0;
}

/* Reserve the address space that was not given, and make room for the chunks' heads. */
static int pool_reserve(struct pt_pool *pool)
{
	if (!pool->region)
		pool->region = port_reserve(region_bytes(pool), (size_t)1 << pool->chunk_shift);
	if (pool->region && !pool->meta)
		pool->meta = port_reserve(meta_bytes(pool), NODE_META_BYTES);
	if (pool->meta)
		pool->chunks = port_reserve(chunks_bytes(pool), NODE_META_BYTES);
	if (!pool->region || !pool->chunks)
		return -ENOMEM;
	return port_commit(pool->chunks, chunks_bytes(pool));
}

int pt_pool_create(const struct pt_pool_config *config, struct pt_pool **ret_pool)
{
	struct pt_pool *pool;
	unsigned nr_homes;
	int rc;

	if (!config || config->size != sizeof(*config) || config->homes > MAX_HOMES)
		return -EINVAL;
	nr_homes = config->homes ? config->homes : 1;
	pool = port_alloc(sizeof(*pool) + nr_homes * sizeof(pool->homes[0]));
	if (!pool)
		return -ENOMEM;
	pool->nr_homes = nr_homes;
	rc = pool_configure(pool, config);
	if (!rc)
		rc = pool_adopt(pool, config);
	if (!rc)
		rc = pool_reserve(pool);
	if (rc) {
		pool_release(pool);
		return rc;
	}
	pool->phys_off = (uintptr_t)pool->region - pool->phys_base;
	pool->meta_off = (uintptr_t)pool->meta -
			 (uintptr_t)(pool->phys_base >> pool->node_shift) * NODE_META_BYTES;
	port_describe("node", pool->region, pool->node_bytes,
		      region_bytes(pool) >> pool->node_shift);
	port_describe("meta", pool->meta, NODE_META_BYTES, region_bytes(pool) >> pool->node_shift);
	port_describe("chunk", pool->chunks, sizeof(*pool->chunks), pool->nr_chunks_max);
	*ret_pool = pool;
	return 0;
}

int pt_pool_destroy(struct pt_pool *pool)
{
	uint64_t chunks, nodes;

	/* Relaxed: who destroyed the last one is a thread, for which the next load waits. */
	if (atomic_load_explicit(&pool->tables, memory_order_relaxed))
		return -EBUSY;
	/* [ORD-users] acq: whatever threads did is over; pairs with pt_thread_unregister() */
	if (atomic_load_explicit(&pool->threads, memory_order_acquire))
		return -EBUSY;
	port_rcu_barrier(NULL);
	chunks = atomic_load_explicit(&pool->backed, memory_order_relaxed);
	nodes = chunks << (pool->chunk_shift - pool->node_shift);
	port_unpoison(pool->region, chunks << pool->chunk_shift);
	port_unpoison(pool->meta, nodes * NODE_META_BYTES);
	for (uint64_t chunk = 0; chunk < chunks; chunk++)
		pool->chunk_ops.put(pool->chunk_ctx, pool->region + (chunk << pool->chunk_shift),
				    (size_t)1 << pool->chunk_shift);
	if (!pool->meta_given)
		port_decommit(pool->meta, nodes * NODE_META_BYTES);
	pool_release(pool);
	return 0;
}

void pt_pool_get_stats(struct pt_pool *pool, struct pt_pool_stats *ret_stats)
{
	uint64_t chunks = atomic_load_explicit(&pool->backed, memory_order_relaxed);

	*ret_stats = (struct pt_pool_stats){
		.node_bytes = pool_taken(pool) << pool->node_shift,
		.retired_bytes = atomic_load_explicit(&pool->retired, memory_order_relaxed),
		.retired_bytes_max = atomic_load_explicit(&pool->retired_max, memory_order_relaxed),
		.retired_chains = atomic_load_explicit(&pool->retired_chains, memory_order_relaxed),
		.chunk_bytes = chunks << pool->chunk_shift,
		.meta_bytes = (chunks << (pool->chunk_shift - pool->node_shift)) * NODE_META_BYTES,
		.tables = atomic_load_explicit(&pool->tables, memory_order_relaxed),
		.threads = atomic_load_explicit(&pool->threads, memory_order_relaxed),
	};
}

int pt_pool_get_home_stats(struct pt_pool *pool, unsigned home, struct pt_home_stats *ret_stats)
{
	const struct pool_home *h;

	if (home >= pool->nr_homes)
		return -EINVAL;
	h = &pool->homes[home];
	*ret_stats = (struct pt_home_stats){
		.node_bytes = atomic_load_explicit(&h->taken, memory_order_relaxed)
			      << pool->node_shift,
		.strayed_bytes = atomic_load_explicit(&h->strayed, memory_order_relaxed)
				 << pool->node_shift,
		.chunk_bytes = atomic_load_explicit(&h->chunks, memory_order_relaxed)
			       << pool->chunk_shift,
	};
	return 0;
}

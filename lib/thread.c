/* SPDX-License-Identifier: MIT */
/*
 * Threads and retirement.
 *
 * A retired node has been unlinked and flushed; lock-free walks that began before may still be on
 * it. Nodes collect in a chain per thread, so that one callback or one grace period serves many;
 * chains with items to drop go at once, since their owner waits for the drop hooks.
 */
#include "thread.h"

#include <errno.h>

#include "sync/nodelock.h"
#include "table.h"

static unsigned spare_nodes(const struct pt_thread *self)
{
	return self->clean.count + self->spare.count;
}

/*
 * Have a node near by the time it is zeroed. A node that was freed as part of a subtree has not been
 * looked at, and zeroing it would begin with a wait for each of its lines.
 */
static void prefetch_node(struct pt_pool *pool, struct node *node)
{
	char *memory = node_memory(pool, node);

	for (size_t i = 0; i < pool->node_bytes; i += 64)
		__builtin_prefetch(memory + i, 1, 2);
}

int pt_thread_refill(struct pt_thread *self, unsigned nodes)
{
	unsigned half = self->pool->magazine / 2;
	unsigned want = nodes > half ? nodes : half;

	if (nodes > spare_nodes(self)) {
		/* Better no early than after taking what others could use. */
		if (nodes > spare_nodes(self) + pt_pool_available(self->pool))
			return -ENOMEM;
		while (spare_nodes(self) < want &&
		       pt_pool_take(self->pool, self->home, &self->spare, want - spare_nodes(self)))
			;
		if (nodes > spare_nodes(self))
			return -ENOMEM;
	}
	while (self->clean.count < nodes && self->clean.count < THREAD_CLEAN) {
		struct node *node = node_chain_pop(&self->spare);

		port_unpoison(node_memory(self->pool, node), self->pool->node_bytes);
		memset(node_memory(self->pool, node), 0, self->pool->node_bytes);
		port_poison(node_memory(self->pool, node), self->pool->node_bytes);
		node_chain_push(&self->clean, node);
	}
	if (self->spare.head)
		prefetch_node(self->pool, self->spare.head);
	return 0;
}

void pt_thread_trim(struct pt_thread *self)
{
	struct node_chain surplus = {0};

	if (self->wrapped)
		return;
	while (self->spare.count > self->pool->magazine)
		node_chain_push(&surplus, node_chain_pop(&self->spare));
	pt_pool_give(self->pool, &surplus);
}

static void give_spare(struct pt_thread *self)
{
	pt_pool_give(self->pool, &self->clean);
	pt_pool_give(self->pool, &self->spare);
}

/* Free the chain that begins at @node: its grace period is over. */
static void free_retired(struct node *node)
{
	struct pt_table *table = node->drops ? node->retired.owner : NULL;
	struct pt_pool *pool = table ? table->pool : node->retired.owner;
	struct node_chain chain = {.head = node};
	unsigned count;

	for (; node; node = node->next) {
		if (table)
			table->instance->drop_items(table, node);
		chain.count++;
	}
	count = chain.count;
	pt_pool_give(pool, &chain);
	pt_pool_retire_end(pool, count);
}

static void retired_callback(struct port_rcu_head *head)
{
	port_rcu_called(head);
	free_retired((struct node *)((char *)head - offsetof(struct node, retired.rcu)));
}

void pt_thread_retire(struct pt_thread *self, struct node_chain *chain, struct pt_table *table)
{
	struct node *head = chain->head;

	if (!head)
		return;
	for (struct node *node = head; node; node = node->next)
		node->state = node->state == NODE_ITEMS ? NODE_ITEMS : NODE_RETIRED;
	head->drops = table != NULL;
	head->retired.owner = table ? (void *)table : (void *)self->pool;
	pt_pool_retire_begin(self->pool, chain->count);
	chain->head = NULL;
	chain->count = 0;
	if (self->pool->reclaim == PT_RECLAIM_SYNC) {
		port_rcu_synchronize(&self->port);
		free_retired(head);
	} else {
		port_rcu_call(&self->port, &head->retired.rcu, retired_callback);
	}
}

void pt_thread_hand_over(struct pt_thread *self)
{
	pt_thread_retire(self, &self->retired, NULL);
}

void pt_thread_wait_callbacks(struct pt_thread *self)
{
	/* A barrier sets threads going and takes a grace period, so better know that it is needed. */
	if (self->pool->reclaim == PT_RECLAIM_CALLBACK && pt_pool_has_retired(self->pool))
		port_rcu_barrier(&self->port);
}

void pt_thread_wait_backlog(struct pt_thread *self)
{
	struct pt_pool *pool = self->pool;

	if (self->wrapped)
		return;
	if (atomic_load_explicit(&pool->retired, memory_order_relaxed) > pool->retired_bound)
		pt_thread_hand_over(self);
	for (;;) {
		uint64_t seen = atomic_load_explicit(&pool->retired, memory_order_relaxed);

		if (seen <= pool->retired_bound)
			return;
		if (pool->reclaim == PT_RECLAIM_SYNC)
			port_rcu_synchronize(&self->port);
		else
			port_rcu_barrier(&self->port);
		/*
		 * A chain that is counted may not have been handed in yet: give way to its owner,
		 * whose grace period must not wait for this thread.
		 */
		port_wait_until(
			(port_rcu_quiescent(&self->port),
			 atomic_load_explicit(&pool->retired, memory_order_relaxed) != seen));
	}
}

/* The lowest slot number that nobody has; POOL_SLOTS if all are in use. */
static unsigned slot_number_get(struct pt_pool *pool)
{
	for (unsigned i = 0; i < POOL_SLOTS / 64; i++) {
		uint64_t used = atomic_load_explicit(&pool->slots_used[i], memory_order_relaxed);

		while (~used) {
			uint64_t bit = ~used & (used + 1);

			/* [ORD-slot] acq: what the last owner counted; pairs with slot_number_put() */
			if (atomic_compare_exchange_weak_explicit(&pool->slots_used[i], &used,
								  used | bit, memory_order_acquire,
								  memory_order_relaxed))
				return i * 64 + (unsigned)__builtin_ctzll(bit);
		}
	}
	return POOL_SLOTS;
}

static void slot_number_put(struct pt_pool *pool, unsigned slot)
{
	/* [ORD-slot] rel: pairs with slot_number_get() */
	if (slot < POOL_SLOTS)
		atomic_fetch_and_explicit(&pool->slots_used[slot / 64], ~(UINT64_C(1) << slot % 64),
					  memory_order_release);
}

int pt_thread_register(struct pt_pool *pool, struct pt_thread **ret_self)
{
	struct pt_thread *self = port_alloc(sizeof(*self));

	if (!self)
		return -ENOMEM;
	if (atomic_fetch_add_explicit(&pool->threads, 1, memory_order_relaxed) >=
	    NODELOCK_READERS_MAX) {
		atomic_fetch_sub_explicit(&pool->threads, 1, memory_order_relaxed);
		port_free(self);
		return -ENOMEM;
	}
	self->pool = pool;
	self->fail_after = UINT64_MAX;
	self->copies = 1;
	self->slot = slot_number_get(pool);
	self->id = atomic_fetch_add_explicit(&pool->registered, 1, memory_order_relaxed) + 1;
	port_thread_register(&self->port);
	port_ignore(&self->nowhere, sizeof(self->nowhere));
	*ret_self = self;
	return 0;
}

int pt_thread_unregister(struct pt_thread *self)
{
	struct pt_pool *pool = self->pool;

	if (self->holds)
		return -EBUSY;
	pt_thread_hand_over(self);
	give_spare(self);
	slot_number_put(pool, self->slot);
	if (self->ranges_used)
		port_rcu_synchronize(&self->port); /* others may still look at what it has held */
	port_thread_unregister(&self->port);
	port_free(self);
	/* [ORD-users] rel: this thread has left the pool; pairs with pt_pool_destroy() */
	atomic_fetch_sub_explicit(&pool->threads, 1, memory_order_release);
	return 0;
}

int pt_thread_set_home(struct pt_thread *self, unsigned home)
{
	if (home >= self->pool->nr_homes)
		return -EINVAL;
	if (self->holds)
		return -EBUSY;
	if (home != self->home) {
		give_spare(self);
		self->retired_of = NULL; /* of the old home, so not to be used again */
	}
	self->home = home;
	return 0;
}

void pt_thread_quiescent(struct pt_thread *self)
{
	port_rcu_quiescent(&self->port);
}

int pt_thread_reclaim(struct pt_thread *self)
{
	if (self->holds)
		return -EDEADLK;
	pt_thread_hand_over(self);
	pt_thread_wait_callbacks(self);
	return 0;
}

uint64_t pt_thread_done(const struct pt_thread *self)
{
	return self->done;
}

void pt_thread_fail_alloc(struct pt_thread *self, uint64_t after)
{
	self->fail_after = after;
}

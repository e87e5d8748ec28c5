/* SPDX-License-Identifier: MIT */
/*
 * What one registered thread keeps: nodes ready for use, and nodes it has retired. Only the thread
 * itself touches it, so all of it is plain, but `waiter`, `request` and `ranges`, which others look at.
 *
 * Nodes are reserved before the first store of a call (C2), then taken without failing. They are
 * zeroed as late as can be, so that whoever fills one finds it in cache; only what a call builds on
 * its way down, with a lock held, is zeroed when it is reserved.
 */
#ifndef PT_THREAD_H
#define PT_THREAD_H

#include <string.h>

#include "counters.h"
#include "table.h"
#include "sync/queued.h"
#include "sync/rangelist.h"

/* As many nodes as one call builds on its way down. */
#define THREAD_CLEAN 4

/* Entries of range locks that a thread uses before it waits for a grace period. */
#ifndef THREAD_RANGES
#define THREAD_RANGES 512
#endif

struct cursor;

#define THREAD_REQUEST_BYTES 80

/* A call that another thread may make on behalf of this one, which waits meanwhile. */
struct thread_request {
	struct pt_thread *next;  /* another one that waits, in the same list */
	_Atomic uint32_t served; /* written by whoever makes the call, the rest by who wants it */
	_Alignas(8) unsigned char call[THREAD_REQUEST_BYTES];
};

/* In `page_prop`: nothing is known to be valid. No pt_prop_t is like it. */
#define THREAD_NO_PROP (~UINT64_C(0))

struct pt_thread {
	struct port_thread port;
	struct pt_pool *pool;
	/*
	 * `short_id` of the table in which a call on one page may take the short way; 0: none. It says
	 * at once that the thread has no cursor open, that the table is of its pool and the one it
	 * works on, and that the table permits it.
	 */
	uint64_t short_way;
	uint64_t
		works_on; /* `id` of the table it worked on last; 0: none. The next three are its: */
	struct stats_line *counts_on; /* where it counts, while the table exists; never NULL */
	uint64_t page_prop;           /* properties that are valid for a page, */
	uint64_t page_leaf;           /* and the leaf they make for the physical address 0 */
	struct queued_waiter waiter;  /* for the node lock it waits for: others write to it */
	uint64_t id;                  /* of this registration, never used again; not 0 */
	unsigned slot; /* slot number, below POOL_SLOTS; or POOL_SLOTS: there was none left */
	unsigned home; /* whose chunks spare nodes are taken from */
	struct node_chain clean;         /* zeroed and poisoned, at most THREAD_CLEAN */
	struct node_chain spare;         /* poisoned, content and metadata of an earlier life */
	struct node_chain retired;       /* unlinked and flushed, to be handed over as one chain; */
	const struct pt_ops *retired_of; /* all of one instance, this; or NULL */
	uint64_t fail_after;             /* node allocations left before they fail; for tests */
	uint64_t done;                   /* see pt_thread_done() */
	struct cursor *holds; /* cursors it has open, by `next_held`, on different tables */
	/*
	 * For strategies that wrap calls. `copies` trees make what a call makes in one, so that many
	 * nodes are reserved; 0: whoever replays a call has been given them.
	 */
	unsigned copies;
	bool wrapped;           /* locks are held around the call: it neither waits nor flushes */
	unsigned taken;         /* nodes, since the wrapper's call began */
	struct node *displaced; /* by the wrapper's call, by `next` */
	struct thread_request request;
	/* Of the strategy `rangelock`: how many of its entries have been in a list since no one looks at any. */
	unsigned ranges_used;
	struct range_entry ranges[THREAD_RANGES];
	struct stats_line nowhere; /* where it counts what nobody wants to know */
};

/* Get at least @nodes, and the first THREAD_CLEAN of them zeroed. Return: 0 or -ENOMEM. */
int pt_thread_refill(struct pt_thread *self, unsigned nodes);

/* Give surplus spare nodes back to the pool; not while a wrapper's copies may need them. */
void pt_thread_trim(struct pt_thread *self);

/*
 * Wait for the grace period of @chain and free it; before that, when @table is given, drop the
 * items its nodes hold. The chain becomes empty. May wait in PT_RECLAIM_SYNC mode: no locks.
 */
void pt_thread_retire(struct pt_thread *self, struct node_chain *chain, struct pt_table *table);

/* Retire what has collected in self->retired. */
void pt_thread_hand_over(struct pt_thread *self);

/* Wait for the callbacks that free what was handed over before. Without locks. */
void pt_thread_wait_callbacks(struct pt_thread *self);

/*
 * Wait until the pool's backlog is below its bound. Outside read sections, without locks: if a
 * wrapper holds some, it has waited before, and this does not.
 */
void pt_thread_wait_backlog(struct pt_thread *self);

/*
 * What @nodes come to when each copy of the tree needs as many. The copies' share of those that the
 * call has taken before is still to be had, too.
 */
static inline uint64_t nodes_of_copies(const struct pt_thread *self, uint64_t nodes)
{
	return self->copies ? self->copies * nodes + (self->copies - 1) * self->taken : 0;
}

/* Make sure that @nodes calls of node_take() succeed, in each copy. Return: 0 or -ENOMEM. */
static inline int node_reserve(struct pt_thread *self, uint64_t nodes)
{
	if (__builtin_expect(self->copies != 1, 0))
		nodes = nodes_of_copies(self, nodes);
	if (nodes > self->fail_after || (nodes && port_alloc_fails()))
		return -ENOMEM;
	if (nodes <= self->clean.count)
		return 0;
	if (nodes > UINT32_MAX / 2)
		return -ENOMEM;
	return pt_thread_refill(self, (unsigned)nodes);
}

/* Take a reserved node: zeroed, its metadata that of an empty table of @level. */
static inline struct node *node_take(struct pt_thread *self, unsigned level)
{
	bool clean = self->clean.count;
	struct node *node = node_chain_pop(clean ? &self->clean : &self->spare);

	port_point(PORT_POINT_NODE);
	self->taken++;
	if (self->fail_after != UINT64_MAX)
		self->fail_after--;
	pool_unpoison(self->pool, node);
	if (!clean)
		memset(node_memory(self->pool, node), 0, self->pool->node_bytes);
	node->live = 0;
	node->marks = 0;
	node->level = (uint8_t)level;
	node->state = NODE_TABLE;
	node->drops = 0;
	memset(node->strategy, 0, sizeof(node->strategy));
	return node;
}

/* Free a node that no other thread can reach, keeping it for the next use. */
static inline void node_put(struct pt_thread *self, struct node *node)
{
	port_point(PORT_POINT_NODE);
	node->state = NODE_FREE;
	pool_poison(self->pool, node);
	node_chain_push(&self->spare, node);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Metadata of a node. The node itself is PTEs and nothing else, because hardware walks it; what the
 * library knows about it lies here, 64 bytes at meta_base + (physical address >> node_shift) * 64.
 */
#ifndef PT_NODE_H
#define PT_NODE_H

#include <assert.h>
#include <stdint.h>

#include "pagetree.h"
#include "port.h"

enum node_state {
	NODE_FREE,    /* in a chunk or a magazine */
	NODE_TABLE,   /* a table of some tree, or about to become one */
	NODE_ITEMS,   /* storage of a gather: removed items, not PTEs */
	NODE_RETIRED, /* unlinked and flushed, waiting for its grace period */
};

#define NODE_META_SHIFT 6
#define NODE_META_BYTES (1 << NODE_META_SHIFT)
#define NODE_STRATEGY_BYTES 16

/*
 * Who may touch what: `next` belongs to whoever holds the node outside a tree (pool, magazine,
 * gather, retired chain). live, marks and level are plain: they are written before the node is
 * published and then only by the cursor that holds it exclusively. `strategy` is the strategy's, and
 * zero when a life begins; `generation` is, too, but goes on from one life to the next.
 */
struct node {
	struct node *next; /* not poisoned while free: the pool's lists need it */
	union {
		struct {            /* detached: */
			pt_va_t va; /* first address the node covered */
			/* what other copies of the tree had there, by `next`: see strategy_unite() */
			_Atomic(struct node *) twins;
		};
		struct {
			union {
				struct port_rcu_head rcu;
				unsigned char room[16]; /* what a port may use */
			};
			void *owner; /* the pool, or the table if items must be dropped */
		} retired;           /* meaningful in the first node of a retired chain */
	};
	uint16_t live;  /* slots that are not EMPTY; in a node of items: how many */
	uint16_t marks; /* of these, slots that hold a MARK */
	uint8_t level;
	uint8_t state; /* enum node_state */
	uint8_t drops; /* first of a retired chain: `owner` is a table whose items must be dropped */
	_Atomic uint64_t generation;
	_Alignas(8) unsigned char strategy[NODE_STRATEGY_BYTES];
};

static_assert(sizeof(struct node) == NODE_META_BYTES, "metadata must be one cache line");

/* A singly linked list of nodes through `next`. */
struct node_chain {
	struct node *head;
	unsigned count;
};

static inline void node_chain_push(struct node_chain *chain, struct node *node)
{
	node->next = chain->head;
	chain->head = node;
	chain->count++;
}

static inline struct node *node_chain_pop(struct node_chain *chain)
{
	struct node *node = chain->head;

	chain->head = node->next;
	/* Whoever freed it may have done so on another CPU: have it here when it is needed. */
	__builtin_prefetch(chain->head, 1);
	chain->count--;
	return node;
}

#endif

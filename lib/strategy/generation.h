/* SPDX-License-Identifier: MIT */
/*
 * Versions of nodes, in node->generation: which life a node leads, and how many threads are setting bits
 * in it as the hardware does.
 *
 * The upper part is the version. When something has been unlinked from a node its version changes, then
 * those of all nodes that were unlinked. So a walk that has read the version of a node, a reference in
 * it, the version of the node behind that, and then finds the first version as before, knows that the
 * second is of the life the reference leads to: a later one, released after the change above, would
 * show that change [ORD-generation]. Whatever is written to a node in its new life is released
 * after the change of its version: a walk that reads it, by a load that acquires, finds the version
 * changed. What a walk reads in an unlinked node before that is final, and was in the tree when the
 * reference was read.
 *
 * The lower part counts who is about to change a slot by compare-exchange without holding the node: with
 * another version they do not begin. Whoever begins the node's new life waits for them, a few
 * instructions each.
 */
#ifndef PT_STRATEGY_GENERATION_H
#define PT_STRATEGY_GENERATION_H

#include "walk.h"

#define STRATEGY_REUSES 1

/* At most NODELOCK_READERS_MAX threads are in a pool. */
#define GENERATION_SHIFT 16
#define GENERATION_ONE (UINT64_C(1) << GENERATION_SHIFT)
#define GENERATION_TOUCHERS (GENERATION_ONE - 1)

static PT_INLINE uint64_t node_look(struct node *node)
{
	/* [ORD-generation] acq: what is read next is read after this; pairs with generation_change(), generation_end() */
	return atomic_load_explicit(&node->generation, memory_order_acquire);
}

/* Do two looks at a node, by their exclusive or, show one version? */
static PT_INLINE bool generation_same(uint64_t difference)
{
	return !(difference >> GENERATION_SHIFT);
}

/* Behind loads that acquire. */
static PT_INLINE uint64_t generation_difference(struct node *node, uint64_t seen)
{
	return atomic_load_explicit(&node->generation, memory_order_relaxed) ^ seen;
}

static PT_INLINE bool node_is_as_seen(struct node *node, uint64_t seen)
{
	return generation_same(generation_difference(node, seen));
}

/* Under the node's lock, which who ends its life holds. */
static PT_INLINE bool node_has_left(struct node *node, uint64_t seen)
{
	return !node_is_as_seen(node, seen);
}

/* Something has been unlinked from @node, which is locked: walks on the way through it begin again. */
static inline void generation_change(struct node *node)
{
	/* [ORD-generation] rel: who sees it sees what was unlinked; pairs with node_look() */
	atomic_fetch_add_explicit(&node->generation, GENERATION_ONE, memory_order_release);
}

/* The end of a node's life: it is locked, and has been unlinked. */
static inline void generation_end(struct node *node)
{
	/* [ORD-generation] rel: comes after generation_change() above; pairs with node_look() */
	atomic_fetch_add_explicit(&node->generation, GENERATION_ONE, memory_order_release);
}

static inline bool generation_has_touchers(struct node *node)
{
	/* [ORD-generation] acq: what they did comes before; pairs with generation_leave() */
	return atomic_load_explicit(&node->generation, memory_order_acquire) & GENERATION_TOUCHERS;
}

/* The node begins a new life. Nothing of it is written yet. */
static inline void generation_begin(struct node *node)
{
	if (unlikely(generation_has_touchers(node)))
		port_wait_until(!generation_has_touchers(node));
}

/* Keep @node from beginning a new life; false if its version is not as @seen any more. */
static inline bool generation_enter(struct node *node, uint64_t seen)
{
	uint64_t now = atomic_load_explicit(&node->generation, memory_order_relaxed);

	do {
		if (!generation_same(now ^ seen))
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&node->generation, &now, now + 1, memory_order_relaxed, memory_order_relaxed));
	return true;
}

static inline void generation_leave(struct node *node)
{
	/* [ORD-generation] rel: the slot has been changed; pairs with generation_has_touchers() */
	atomic_fetch_sub_explicit(&node->generation, 1, memory_order_release);
}

#endif

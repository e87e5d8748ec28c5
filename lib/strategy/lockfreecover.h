/* SPDX-License-Identifier: MIT */
/*
 * Parts that strategies share which walk lock-free to the covering node, in an RCU read section, lock
 * it, and look whether it is still part of the tree; what lies below is locked in preorder.
 *
 * Included after look_for_leaf_table(c, &seen), which is walk_to_leaf_table() with a look at the leaf
 * table.
 */
#ifndef PT_STRATEGY_LOCKFREECOVER_H
#define PT_STRATEGY_LOCKFREECOVER_H

#include "nodelocks.h"
#include "section.h"
#include "zeroed.h"

#define STRATEGY_READERS_SHARE 1
#define STRATEGY_DISJOINT_PARALLEL 1
#define STRATEGY_CONCURRENT 1
#define STRATEGY_SOFTWARE_BITS 0

static inline void strategy_adopt_child(struct cursor *c, struct slot *s, struct node *child)
{
	(void)s;
	node_born_locked(c, child);
}

static inline bool strategy_lock_range(struct cursor *c)
{
	enum got got;

	port_rcu_read_lock(&c->self->port);
	while ((got = cursor_lock_cover(c)) == GOT_STRAY) {
		stat_add(c->stats, STAT_RETRIES, 1);
		/* A new section for each attempt, so that strays met on the way can be freed. */
		port_rcu_read_unlock(&c->self->port);
		port_rcu_read_lock(&c->self->port);
	}
	port_rcu_read_unlock(&c->self->port);
	if (got != GOT_LOCKED)
		return false;
	return cursor_lock_rest(c);
}

static inline void strategy_unlock_range(struct cursor *c)
{
	cursor_unlock_nodes(c);
}

static PT_INLINE bool strategy_lock_page(struct cursor *c)
{
	uint64_t seen;
	enum got got;

	port_rcu_read_lock(&c->self->port);
	if (unlikely(!look_for_leaf_table(c, &seen))) {
		leave_in_vain(c);
		return false;
	}
	got = cursor_lock_unless_stray(c, c->node, seen);
	if (unlikely(got != GOT_LOCKED)) {
		stat_add(cursor_stats(c), STAT_RETRIES, got == GOT_STRAY);
		leave_in_vain(c);
		return false;
	}
	if (!c->try_only) {
		port_rcu_read_unlock(&c->self->port);
	} else if (unlikely(!port_rcu_read_unlock_quick(&c->self->port))) {
		cursor_unlock_node(c, c->node);
		return false;
	}
	return true;
}

static PT_INLINE void strategy_unlock_page(struct cursor *c)
{
	cursor_unlock_node(c, c->node);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Where tables come from and go to. A table that has been unlinked and flushed waits on its thread's
 * chain to be handed over, and then for its grace period. Where walks notice that a node has begun
 * a new life (STRATEGY_REUSES), it need not: the next table of the same kind is made of it at once.
 *
 * Only of the same kind: of the same format, strategy and level. So whatever a late walk reads is an entry
 * of its level, and leads to a node of the next. Slots are filled by release stores: who reads one that
 * belongs to the new life, by a load that acquires, sees that the old one is over [ORD-generation].
 * Such a node is never freed but through a grace period, so what memory is reused for otherwise, by
 * plain stores, meets no late walk.
 */
#ifndef PT_REUSE_H
#define PT_REUSE_H

#include "walk.h"

#ifndef STRATEGY_REUSES
#define STRATEGY_REUSES 0

static inline void generation_begin(struct node *node)
{
	(void)node;
}
#endif

/* The chain for what @t has unlinked and flushed. */
static inline struct node_chain *retired_chain(struct pt_thread *self, const struct pt_table *t)
{
	if (!self->retired.head)
		self->retired_of = t->ops;
	else if (self->retired_of != t->ops)
		self->retired_of = NULL;
	return &self->retired;
}

/* Hand it over when it is as long as this; what is to be reused may be as much as what is spare. */
static inline bool retired_enough(const struct pt_thread *self)
{
	return self->retired.count >=
	       (STRATEGY_REUSES ? 2 * self->pool->magazine : self->pool->retire_batch);
}

/* Make a table of what was retired last; NULL if it cannot be. */
static inline struct node *table_reuse(struct pt_thread *self, const struct pt_table *t,
				       unsigned level)
{
	struct node *node = self->retired.head;
	slot_t *slots;

	if (!node || node->level != level || self->retired_of != t->ops)
		return NULL;
	port_point(PORT_POINT_NODE);
	if (self->fail_after != UINT64_MAX)
		self->fail_after--;
	node_chain_pop(&self->retired);
	generation_begin(node);
	slots = node_slots(t, node);
	for (unsigned i = 0; i < FAN_OUT; i++)
		slot_init(&slots[i], 0);
	node->live = 0;
	node->marks = 0;
	return node;
}

/* Take a node that has been reserved for a table of @level. */
static inline struct node *table_take(struct pt_thread *self, const struct pt_table *t,
				      unsigned level)
{
	struct node *node = STRATEGY_REUSES ? table_reuse(self, t, level) : NULL;

	return node ? node : node_take(self, level);
}

/* Give back what nobody has seen in this life. */
static inline void table_put(struct pt_thread *self, const struct pt_table *t, struct node *node)
{
	if (STRATEGY_REUSES)
		node_chain_push(retired_chain(self, t), node);
	else
		node_put(self, node);
}

#endif

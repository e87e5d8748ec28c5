/* SPDX-License-Identifier: MIT */
/*
 * Queries that take no lock and write nothing shared: an RCU read section, in which no node that the walk
 * can come to is reused (R1), and loads that acquire [ORD-publish]. One that reads a leaf in a node
 * that has left the tree comes just before the unlinking: the content was final by then, and the
 * reference was read before (Q2).
 */
#ifndef PT_STRATEGY_LOCKFREEQUERY_H
#define PT_STRATEGY_LOCKFREEQUERY_H

#include "walk.h"

#define STRATEGY_LOCK_FREE_QUERY 1

struct strategy_query {
	struct port_thread *port;
};

static inline slot_t *strategy_query_begin(struct strategy_query *q, struct pt_thread *self,
					   struct pt_table *table)
{
	q->port = &self->port;
	port_rcu_read_lock(q->port);
	return root_slots(table);
}

static inline pte_t strategy_query_step(struct strategy_query *q, slot_t *slot, unsigned level)
{
	(void)q;
	(void)level;
	return slot_load_walk(slot);
}

static inline bool strategy_query_end(struct strategy_query *q)
{
	return port_rcu_read_unlock_quick(q->port);
}

#endif

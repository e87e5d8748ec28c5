/* SPDX-License-Identifier: MIT */
/*
 * Freeing tables that hold nothing, from the bottom up: when a table's last child has gone, it holds
 * nothing either. They are detached like those of an unmap, by one store, and go through a gather,
 * because CPUs may have cached references to them.
 */
#ifndef PT_OPS_PRUNE_H
#define PT_OPS_PRUNE_H

#include "ops_gather.h"

struct pruning {
	struct gather *g;
	uint64_t nodes; /* tables detached */
};

static int visit_prune_below(struct cursor *c, struct node *node, unsigned level, pt_va_t first,
			     pt_va_t last, void *arg);

static VISITOR int prune_slot(struct cursor *c, struct slot *s, void *arg)
{
	struct pruning *p = arg;
	struct node *child;

	if (!fmt_is_table(s->pte, s->level))
		return VISIT_NEXT;
	child = child_of(c->table, s->pte);
	if (s->level > 2 && !node_is_empty(c->table, child) &&
	    visit_prune_below(c, child, s->level - 1, s->first, s->last, p) == VISIT_LOST)
		return VISIT_LOST;
	if (!node_is_empty(c->table, child) || !may_detach(c, s))
		return VISIT_NEXT;
	if (!strategy_claim_subtree(c, s))
		return VISIT_AGAIN;
	if (MAY_LOSE && !node_is_empty(c->table, child)) {
		strategy_release_subtree(c, s);
		return VISIT_NEXT;
	}
	strategy_detach_subtree(c, s, 0);
	strategy_live_add(c, s->node, -1, 0);
	pt_gather_subtree(p->g, child, s->first, s->last);
	p->nodes++;
	return VISIT_NEXT;
}

DEFINE_VISIT(visit_prune, prune_slot)

static int op_prune(struct pt_thread *self, struct pt_table *t, pt_va_t va, uint64_t len,
		    struct pt_gather *gather, uint64_t *ret_nodes)
{
	struct pt_gather own;
	struct pruning p = {.g = (struct gather *)(gather ? gather : &own)};
	struct cursor c;
	pt_va_t last;
	int rc = check_range(t, va, len, &last);

	if (!rc)
		rc = check_gather(p.g, gather, self, t);
	if (!rc)
		rc = range_open(&c, self, t, va, last, PT_CHANGE, largest_block(va, last));
	if (rc)
		return rc;
	if (!gather)
		pt_gather_init(&own, self, t, NULL, NULL);
	if (c.level > 1)
		visit_prune(&c, c.node, c.level, va, last, &p);
	range_close(&c);
	if (!gather && !gather_is_empty(p.g))
		op_gather_sync(&own);
	if (ret_nodes)
		*ret_nodes = p.nodes;
	return 0;
}

#endif

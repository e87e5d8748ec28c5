/* SPDX-License-Identifier: MIT */
#include "spares.h"

#include "pool.h"
#include "trace.h"

#define MAX_NODES 512

static struct spares {
	struct node_chain held[MAX_THREADS];
	uint8_t owner[MAX_NODES]; /* thread + 1; 0: nobody */
} now, snapshot;

static uint8_t *owner_of(const struct program *p, const struct node *node)
{
	return &now.owner[((uintptr_t)node - (uintptr_t)p->pool->meta) / NODE_META_BYTES];
}

/* Whoever owns a node writes to it, so that handing it over without order is a race. */
static void take(struct program *p, struct call *call, unsigned t)
{
	struct node_chain *held = &now.held[t + call->step->frame];
	struct node *node;
	unsigned i;

	call->pages = pt_pool_take(p->pool, 0, held, call->step->pages);
	for (node = held->head, i = 0; i < call->pages; node = node->next, i++) {
		uint8_t *owner = owner_of(p, node);

		if (*owner)
			rt_fail("R1", "a node of %s is handed out again", trace_thread(*owner - 1));
		*owner = (uint8_t)(held - now.held + 1);
		pool_unpoison(p->pool, node);
		access_plain(node_memory(p->pool, node), 8, true, __builtin_return_address(0));
	}
}

static void give(struct program *p, const struct call *call, unsigned t)
{
	struct node_chain *held = &now.held[t + call->step->frame];
	struct node_chain given = {0};

	while (given.count < call->step->pages && held->count) {
		struct node *node = node_chain_pop(held);

		*owner_of(p, node) = 0;
		/* What the explorer does not see being written it does not restore. */
		access_plain(&node->next, sizeof(node->next), true, __builtin_return_address(0));
		node_chain_push(&given, node);
	}
	pt_pool_give(p->pool, &given);
}

void spares_run(struct program *p, struct call *call, unsigned t)
{
	if (call->step->kind == STEP_NODES_TAKE)
		take(p, call, t);
	else
		give(p, call, t);
}

void spares_setup(void)
{
	now = (struct spares){0};
}

void spares_snapshot(void)
{
	snapshot = now;
}

void spares_restore(void)
{
	now = snapshot;
}

void spares_tear_down(struct program *p)
{
	struct node_chain all = {0};
	uint64_t left = pt_pool_available(p->pool);
	unsigned count;

	for (; left; left -= count) {
		count = pt_pool_take(p->pool, 0, &all, left < 64 ? (unsigned)left : 64);
		if (!count)
			rt_fail("R1", "%llu free nodes of the pool are lost",
				(unsigned long long)left);
	}
	pt_pool_give(p->pool, &all);
	for (unsigned t = 0; t < MAX_THREADS; t++)
		if (now.held[t].count)
			pt_pool_give(p->pool, &now.held[t]);
}

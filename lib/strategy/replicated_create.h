/* SPDX-License-Identifier: MIT */
/* A replicated table is made and destroyed: its trees, its log, and hooks for those that only follow. See replicated.h. */
#ifndef PT_STRATEGY_REPLICATED_CREATE_H
#define PT_STRATEGY_REPLICATED_CREATE_H

#include "replicated_bits.h"

static int silent_clone(void *ctx, pt_pa_t pa, unsigned level)
{
	(void)ctx;
	(void)pa;
	(void)level;
	return 0;
}

static void silent_change(void *ctx, pt_pa_t pa, unsigned level)
{
	(void)ctx;
	(void)pa;
	(void)level;
}

static int strategy_table_init(struct pt_table *table)
{
	const unsigned nr = strategy_copies(table);
	const struct pt_item_ops *ops = table->item_ops;
	struct replicas *s = port_alloc(sizeof(*s) + nr * sizeof(s->of[0]));

	if (!s)
		return -ENOMEM;
	s->nr = nr;
	/* As small as its nodes where these are. */
	s->length = table->pool->node_bytes / 16;
	if (nr > 1) {
		s->log = port_alloc(s->length * record_bytes(nr));
		if (!s->log) {
			port_free(s);
			return -ENOMEM;
		}
	}
	if (ops)
		s->silent = (struct pt_item_ops){
			.clone = silent_clone,
			.drop = silent_change,
			.split = ops->split ? silent_change : NULL,
			.merge = ops->merge ? silent_change : NULL,
		};
	memcpy(table->strategy, &s, sizeof(s));
	return 0;
}

static void strategy_table_exit(struct pt_table *table)
{
	struct replicas *s = replicas_of(table);

	port_free(s->log);
	port_free(s);
}

/* Who replays takes only nodes that records bring, and counts nothing. */
static void replayer_init(struct pt_thread *self, const struct pt_table *t, unsigned home)
{
	self->pool = t->pool;
	self->home = home;
	self->fail_after = UINT64_MAX;
	self->slot = POOL_SLOTS;
	self->works_on = t->id;
	self->counts_on = &self->nowhere;
	self->page_prop = THREAD_NO_PROP;
	self->copies = 0;
	self->wrapped = true;
	port_ignore(&self->nowhere, sizeof(self->nowhere));
}

/* Its root is of the home's memory, if there is any. (A kernel table has one tree, and more nodes.) */
static void create_tree(struct pt_thread *self, struct pt_table *tree, unsigned home)
{
	struct node_chain clean = self->clean;

	if (home != self->home && tree->role != PT_ROLE_KERNEL &&
	    pt_pool_take(self->pool, home, &self->spare, 1)) {
		self->clean = (struct node_chain){0};
		op_create(self, tree);
		self->clean = clean;
	} else {
		op_create(self, tree);
	}
}

static void replicated_create(struct pt_thread *self, struct pt_table *t)
{
	struct replicas *s = replicas_of(t);

	for (unsigned i = 0; i < s->nr; i++) {
		struct replica *r = &s->of[i];

		memcpy(&r->first, t, sizeof(*t));
		create_tree(self, &r->first, i);
		memcpy(&r->copy, &r->first, sizeof(*t));
		if (t->item_ops)
			r->copy.item_ops = &s->silent;
		replayer_init(&r->replayer, t, i);
	}
	t->root = s->of[0].first.root;
	t->root_pa = s->of[0].first.root_pa;
	t->root_slots = s->of[0].first.root_slots;
}

static void replicated_destroy(struct pt_thread *self, struct pt_table *t)
{
	struct replicas *s = replicas_of(t);

	replay_everywhere(s, self);
	for (unsigned i = 0; i < s->nr; i++) {
		struct replica *r = &s->of[i];

		op_destroy(self, i ? &r->copy : &r->first);
		pt_pool_give(t->pool, &r->replayer.clean);
		pt_pool_give(t->pool, &r->replayer.spare);
	}
	t->root = NULL;
}

#endif

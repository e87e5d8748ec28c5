/* SPDX-License-Identifier: MIT */
/* Records of calls, and replaying them on trees that are behind: see replicated.h. */
#ifndef PT_STRATEGY_REPLICATED_LOG_H
#define PT_STRATEGY_REPLICATED_LOG_H

#include "ops_merge.h"

enum call_kind {
	CALL_NOTHING, /* it changed nothing, or all trees at once */
	CALL_MAP,
	CALL_MARK,
	CALL_UNMAP,
	CALL_PROTECT,
	CALL_PRUNE,
	/* by a cursor on va, len */
	CALL_BUILD, /* only open it */
	CALL_CURSOR_MAP,
	CALL_CURSOR_MARK,
	CALL_TAKE_NEXT,
	CALL_PROTECT_NEXT,
};

struct call {
	uint32_t kind;
	uint32_t level; /* max_level of a map, level of an item, or top of the cursor */
	pt_va_t va;
	uint64_t len;
	uint64_t value; /* physical address; mark; properties that the cursor's caller wants */
	pt_prop_t set, clear;
	struct pt_gather *gather;
	uint64_t count;                  /* results */
	pt_va_t other_first, other_last; /* pages whose leaf, if there is one, is another one now */
	int rc;
	bool as_it_is; /* CALL_PROTECT_NEXT: it was refused, but has split a leaf */
};

static_assert(sizeof(struct call) <= THREAD_REQUEST_BYTES, "storage is too small");

/*
 * Complete once `ready` counts it, and constant until all trees have it. Those who look whether it
 * concerns a page do not know how long that is, so they load `kind`, `first` and `last` as atomics.
 */
struct record {
	struct call call;
	struct node
		*tops; /* what was unlinked by the first to make the call: subtrees, by `next`, */
	unsigned nr_tops;
	struct node *leaves; /* and single leaves: in the storage of a gather, up to the entry */
	unsigned leaves_end; /* before this one of the last node */
	uint64_t nr_leaves;
	_Atomic uint32_t kind;
	_Atomic pt_va_t first, last; /* as call.other_first, other_last */
	struct node *spares[];       /* for each tree to come, by `next` */
};

static inline size_t record_bytes(unsigned trees)
{
	return sizeof(struct record) + trees * sizeof(struct node *);
}

static inline struct record *record_at(struct replicas *s, uint64_t number)
{
	return (struct record *)((char *)s->log + number % s->length * record_bytes(s->nr));
}

/* ---- making a call ---- */

static pt_prop_t prop_as_recorded(void *ctx, pt_va_t va, const struct pt_item *old)
{
	const struct call *call = ctx;

	(void)va;
	if (call->as_it_is)
		return old->prop;
	return ((pt_prop_t)call->value & ~USED_BITS) | (old->prop & USED_BITS);
}

/* Calls of cursors, when they are replayed. */
static int call_by_cursor(struct call *call, struct pt_thread *self, struct pt_table *t,
			  struct pt_gather *gather)
{
	bool builds = call->kind != CALL_TAKE_NEXT && call->kind != CALL_PROTECT_NEXT;
	const struct pt_item item = {.pa = call->value, .prop = call->set, .level = call->level};
	struct pt_taken taken;
	struct pt_cursor storage;
	pt_va_t va;
	uint64_t len;
	int rc = 0;

	range_lock((struct cursor *)&storage, self, t, call->va, call->va + (call->len - 1),
		   builds ? PT_BUILD : PT_CHANGE, call->level, false);
	if (call->kind == CALL_CURSOR_MAP)
		rc = op_cursor_map(&storage, &item);
	else if (call->kind == CALL_CURSOR_MARK)
		rc = op_cursor_mark(&storage, call->len, call->value);
	else if (call->kind == CALL_TAKE_NEXT)
		rc = op_cursor_take_next(&storage, call->len, gather, &taken);
	else if (call->kind == CALL_PROTECT_NEXT)
		rc = op_cursor_protect_next(&storage, call->len, prop_as_recorded, call, gather,
					    &va, &len);
	range_close((struct cursor *)&storage);
	return rc;
}

/* Make @call, on behalf of @self, on one tree. */
static int call_make(struct call *call, struct pt_thread *self, struct pt_table *t,
		     struct pt_gather *gather, uint64_t *ret_count)
{
	switch (call->kind) {
	case CALL_NOTHING:
		return 0;
	case CALL_MAP:
		return op_map(self, t, call->va, call->len, call->value, call->set, call->level);
	case CALL_MARK:
		return op_mark(self, t, call->va, call->len, call->value);
	case CALL_UNMAP:
		return op_unmap(self, t, call->va, call->len, gather, ret_count);
	case CALL_PROTECT:
		return op_protect(self, t, call->va, call->len, call->set, call->clear, gather,
				  ret_count);
	case CALL_PRUNE:
		return op_prune(self, t, call->va, call->len, gather, ret_count);
	default:
		return call_by_cursor(call, self, t, gather);
	}
}

/* ---- what trees that follow unlink ---- */

/* Set @used in *@pte of @level, a leaf. Others may do the same, nobody does anything else. */
static void leaf_add_used(slot_t *slot, unsigned level, pt_prop_t used)
{
	pte_t pte = slot_load_locked(slot), more;

	do
		more = fmt_leaf(fmt_leaf_pa(pte, level), fmt_leaf_prop(pte, level) | used, level);
	while (more != pte && !slot_exchange_if(slot, &pte, more));
}

struct replay {
	struct gather g; /* first: see replay_leaf() */
	struct record *record;
	uint64_t seen; /* leaves removed one by one */
};

/* The @i-th leaf that the call removed by itself, where it was the first to do so. */
static struct gathered_leaf *record_leaf(const struct pt_pool *pool, struct record *record,
					 uint64_t i)
{
	uint64_t back = record->nr_leaves - i; /* from the end, at least 1 */
	struct node *store = record->leaves;
	unsigned end = record->leaves_end;

	while (back > end) {
		back -= end;
		store = store->next;
		end = leaves_per_node(pool);
	}
	return &((struct gathered_leaf *)node_memory(pool, store))[end - back];
}

static void replay_leaf(struct gather *g, pt_va_t va, unsigned level, pte_t pte)
{
	struct replay *replay = (struct replay *)g;
	pt_prop_t used = fmt_leaf_prop(pte, level) & USED_BITS;
	struct gathered_leaf *leaf;

	if (replay->seen == replay->record->nr_leaves)
		return; /* nobody wanted to know */
	leaf = record_leaf(g->table->pool, replay->record, replay->seen++);
	(void)va;
	if (used)
		leaf_add_used((slot_t *)&leaf->pte, level, used);
}

static void nobody_is_told(void *ctx, pt_va_t va, const struct pt_item *item)
{
	(void)ctx;
	(void)va;
	(void)item;
}

/* The subtrees @twin, by `next`, were what the record's are in another tree, in the same order. */
static void add_twins(struct record *record, struct node *twin)
{
	struct node *top = record->tops;

	for (; twin; top = top->next) {
		struct node *next = twin->next;

		twin->next = atomic_load_explicit(&top->twins, memory_order_relaxed);
		/* [ORD-twins] rel: links are seen with it; pairs with strategy_unite() */
		while (!atomic_compare_exchange_weak_explicit(
			&top->twins, &twin->next, twin, memory_order_release, memory_order_relaxed))
			;
		twin = next;
	}
}

/* Make the call of @record on the tree of @r, which is locked, by what its replayer has. */
static void record_replay(struct record *record, struct replicas *s, struct replica *r)
{
	struct pt_thread *self = &r->replayer;
	struct node *node = record->spares[r - s->of];
	struct replay replay = {.record = record};
	uint64_t count;

	/* The record itself is not written to: other trees read it, too. */
	while (node) {
		struct node *next = node->next;

		node_chain_push(&self->spare, node);
		node = next;
	}
	gather_init(&replay.g, self, &r->copy, record->nr_leaves ? nobody_is_told : NULL, NULL);
	replay.g.sink = replay_leaf;
	self->displaced = NULL;
	/* It returns what it did before. */
	(void)call_make(&record->call, self, &r->copy, (struct pt_gather *)&replay.g, &count);
	add_twins(record, replay.g.subtrees ? replay.g.subtrees : self->displaced);
	if (self->spare.count > 2 * self->pool->magazine) {
		self->wrapped = false;
		pt_thread_trim(self);
		self->wrapped = true;
	}
}

static void replica_catch_up(struct replicas *s, struct replica *r, struct pt_thread *self)
{
	/* [ORD-ready] acq: records are complete; pairs with record_end() */
	const uint64_t ready = atomic_load_explicit(&s->ready, memory_order_acquire);
	uint64_t applied = atomic_load_explicit(&r->applied, memory_order_relaxed);

	if (applied < ready)
		stat_add(stats_of(self, &r->first), STAT_REPLAYED, ready - applied);
	while (applied < ready) {
		record_replay(record_at(s, ++applied), s, r);
		/* [ORD-applied] rel: what was replayed, and twins; pairs with replica_has() */
		atomic_store_explicit(&r->applied, applied, memory_order_release);
	}
}

static void replica_replay(struct replicas *s, struct replica *r, struct pt_thread *self)
{
	rwlock_write_lock(&r->lock);
	replica_catch_up(s, r, self);
	rwlock_write_unlock(&r->lock);
}

/* Is record @number, and all before, in the tree; or happening there just now? */
static inline bool replica_has(struct replica *r, uint64_t number)
{
	/* [ORD-applied] acq: what they changed is visible; pairs with replica_catch_up() */
	return atomic_load_explicit(&r->applied, memory_order_acquire) >= number;
}

/* All records so far are in all trees when this returns. Without locks of trees. */
static void replay_everywhere(struct replicas *s, struct pt_thread *self)
{
	/* [ORD-ready] acq: as replica_catch_up(); this thread's own are among them */
	const uint64_t ready = atomic_load_explicit(&s->ready, memory_order_acquire);

	for (unsigned i = 0; i < s->nr; i++)
		if (!replica_has(&s->of[i], ready))
			replica_replay(s, &s->of[i], self);
}

/* ---- appending, with the tail's lock and that of the home's tree held ---- */

/* What a gather was before the call. */
struct before {
	const struct gather *g; /* NULL: not that of the thread and table */
	struct node *subtrees, *items;
	unsigned live;
};

static struct before look_before(const struct pt_gather *gather, const struct pt_thread *self,
				 const struct pt_table *t)
{
	struct before before = {.g = NULL};
	const struct gather *g = (const struct gather *)gather;

	if (!g || check_gather(g, gather, self, t))
		return before;
	before.g = g;
	before.subtrees = g->subtrees;
	before.items = g->items;
	before.live = g->items ? g->items->live : 0;
	return before;
}

/* Say in @record what has been added since. */
static void record_unlinked(struct record *record, const struct pt_pool *pool,
			    const struct before *before, struct node *displaced)
{
	const struct gather *g = before->g;
	const struct node *node;

	record->tops = g && g->subtrees != before->subtrees ? g->subtrees : displaced;
	record->nr_leaves = 0;
	if (!g || !g->items)
		return;
	record->leaves = g->items;
	record->leaves_end = g->items->live;
	for (node = g->items; node != before->items; node = node->next)
		record->nr_leaves += node == g->items ? node->live : leaves_per_node(pool);
	if (!node)
		return;
	record->nr_leaves += node == g->items ? node->live : leaves_per_node(pool);
	record->nr_leaves -= before->live;
}

/* @nodes nodes for the tree of @home: from there, or, if there are none, those that are reserved. */
static struct node *nodes_for(struct pt_thread *self, unsigned home, unsigned nodes)
{
	struct node_chain chain = {0};

	while (chain.count < nodes && pt_pool_take(self->pool, home, &chain, nodes - chain.count))
		;
	while (chain.count < nodes)
		node_chain_push(&chain,
				node_chain_pop(self->spare.head ? &self->spare : &self->clean));
	if (self->fail_after != UINT64_MAX)
		self->fail_after -= nodes;
	return chain.head;
}

/* Give each tree to come as many nodes as the call has taken. */
static void record_spares(struct record *record, struct replicas *s, struct replica *home,
			  struct pt_thread *self)
{
	for (unsigned i = 0; i < s->nr; i++)
		record->spares[i] = &s->of[i] != home ? nodes_for(self, i, self->taken) : NULL;
	stat_add(stats_of(self, &home->first), STAT_NODES_TAKEN, (s->nr - 1) * self->taken);
}

/*
 * A record begins: from now on queries wait for it, and walks go to the home's tree, where it will
 * happen. Return: its number, 0 if there is no log.
 */
static uint64_t record_begin(struct replicas *s, struct replica *home, struct pt_thread *self)
{
	const uint64_t number = atomic_load_explicit(&s->tail, memory_order_relaxed) + 1;

	if (s->nr == 1)
		return 0;
	self->taken = 0;
	/* What the log has no room for is in all trees. */
	for (unsigned i = 0; number > s->length && i < s->nr; i++)
		if (!replica_has(&s->of[i], number - s->length))
			replica_replay(s, &s->of[i], self);
	/* [ORD-applied] rel: pairs with replica_has(); this tree is the first that has it, */
	atomic_store_explicit(&home->applied, number, memory_order_release);
	/* [ORD-tail] rel: as whoever sees the tail finds; pairs with replicas_tail() */
	atomic_store_explicit(&s->tail, number, memory_order_release);
	return number;
}

/* Pages first..last may have other leaves because of the record. */
static void record_concerns(struct record *record, enum call_kind kind, pt_va_t first, pt_va_t last)
{
	/* [ORD-record] rel: the tail has gone on since the record's place was another's */
	atomic_store_explicit(&record->kind, kind, memory_order_release);
	/* [ORD-record] rel: pairs with record_is_about() */
	atomic_store_explicit(&record->first, first, memory_order_release);
	/* [ORD-record] rel */
	atomic_store_explicit(&record->last, last, memory_order_release);
}

static void record_complete(struct replicas *s, uint64_t number)
{
	/* [ORD-ready] rel: pairs with replica_catch_up() */
	atomic_store_explicit(&s->ready, number, memory_order_release);
}

/* What is left of a call that failed: it may have built a way, or split a leaf, before. */
static void call_that_failed(struct call *call, bool made_nodes)
{
	unsigned block = largest_block(call->va, call->va + (call->len - 1));

	call->rc = 0;
	if (!made_nodes) {
		call->kind = CALL_NOTHING;
	} else if (call->kind == CALL_PROTECT_NEXT) {
		call->as_it_is = true;
	} else {
		call->kind = CALL_BUILD;
		if (call->level > block)
			call->level = block;
	}
}

/* @call has been made on the home's tree; the last tables that gave way are @displaced, newest first. */
static void record_end(struct replicas *s, struct replica *home, struct pt_thread *self,
		       uint64_t number, const struct call *call, const struct before *before,
		       struct node *displaced)
{
	struct record *record;

	if (!number)
		return;
	record = record_at(s, number);
	record->call = *call;
	if (call->rc && !(call->kind == CALL_TAKE_NEXT && call->rc == -ENOENT))
		call_that_failed(&record->call, self->taken);
	record_unlinked(record, home->first.pool, before, displaced);
	record_spares(record, s, home, self);
	stat_add(stats_of(self, &home->first), STAT_APPENDED, 1);
	record_concerns(record, record->call.kind, call->other_first, call->other_last);
	record_complete(s, number);
}

#endif

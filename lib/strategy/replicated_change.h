/* SPDX-License-Identifier: MIT */
/* Calls that change a replicated table: the locks around them, combining, and calls on all trees at once. See replicated.h. */
#ifndef PT_STRATEGY_REPLICATED_CHANGE_H
#define PT_STRATEGY_REPLICATED_CHANGE_H

#include "replicated_create.h"

/* ---- locks around calls ---- */

static inline struct replica *home_of(struct replicas *s, const struct pt_thread *self)
{
	return replica_near(s, self->home);
}

static void wrap(struct pt_thread *self, const struct replicas *s)
{
	self->copies = s->nr;
	self->taken = 0;
	self->wrapped = true;
}

static void unwrap(struct pt_thread *self)
{
	self->copies = 1;
	self->wrapped = false;
}

/* May the thread wait now? If not, the tree's own call refuses, before it looks at anything. */
static bool may_wait(struct pt_thread *self, const struct pt_table *t)
{
	if (self->pool != t->pool || self->holds)
		return false;
	if (retired_too_much(self->pool))
		pt_thread_wait_backlog(self);
	return true;
}

/* All trees, in the same state. The tail's lock is held. */
static void lock_trees(struct replicas *s, struct pt_thread *self)
{
	for (unsigned i = 0; i < s->nr; i++) {
		rwlock_write_lock(&s->of[i].lock);
		replica_catch_up(s, &s->of[i], self);
	}
}

static void unlock_trees(struct replicas *s)
{
	for (unsigned i = 0; i < s->nr; i++)
		rwlock_write_unlock(&s->of[i].lock);
}

static void lock_all(struct replicas *s, struct pt_thread *self)
{
	stat_lock(stats_of(self, &s->of[0].first), rwlock_write_lock(&s->tail_lock));
	lock_trees(s, self);
}

static void unlock_all(struct replicas *s)
{
	unlock_trees(s);
	rwlock_write_unlock(&s->tail_lock);
}

/* All trees will have changed in the same way: until then the home's tree is ahead of the others. */
static uint64_t change_all_begin(struct replicas *s, struct replica *home, struct pt_thread *self)
{
	return record_begin(s, home, self);
}

static void change_all_end(struct replicas *s, uint64_t number)
{
	struct record *record;

	if (!number)
		return;
	record = record_at(s, number);
	record->call = (struct call){.kind = CALL_NOTHING};
	record_concerns(record, CALL_NOTHING, 0, 0);
	record_complete(s, number);
	for (unsigned i = 0; i < s->nr; i++)
		/* [ORD-applied] rel: pairs with replica_has() */
		atomic_store_explicit(&s->of[i].applied, number, memory_order_release);
}

/* Trees that follow count nodes only: splits and the like are counted once. */
struct aside {
	struct stats_line line, *real;
};

static void count_aside(struct aside *aside, struct pt_thread *self, const struct pt_table *t)
{
	aside->line = (struct stats_line){.owner = 0};
	aside->real = stats_of(self, t);
	self->counts_on = &aside->line;
}

static void count_again(struct aside *aside, struct pt_thread *self)
{
	static const enum stat nodes[] = {STAT_NODES_TAKEN, STAT_NODES_GIVEN};

	for (unsigned i = 0; i < 2; i++)
		stat_add(aside->real, nodes[i],
			 atomic_load_explicit(&aside->line.count[nodes[i]], memory_order_relaxed));
	self->counts_on = aside->real;
}

/* ---- combining ---- */

/* Make the call that @self has asked for. */
static void serve(struct replicas *s, struct replica *home, struct pt_thread *self)
{
	struct call *call = (struct call *)self->request.call;
	uint64_t number = record_begin(s, home, self);
	struct before before = look_before(call->gather, self, &home->first);

	call->rc = call_make(call, self, &home->first, call->gather, &call->count);
	record_end(s, home, self, number, call, &before, self->displaced);
}

/* Make the calls of all who wait at @home. */
static void serve_waiting(struct replicas *s, struct replica *home)
{
	/* [ORD-waiting] acq: the requests; pairs with ask_for_service() */
	struct pt_thread *self =
		atomic_exchange_explicit(&home->waiting, NULL, memory_order_acquire);

	while (self) {
		struct pt_thread *next = self->request.next;

		serve(s, home, self);
		/* [ORD-served] rel: the call; pairs with rwlock_write_lock_unless() */
		atomic_store_explicit(&self->request.served, 1, memory_order_release);
		self = next;
	}
}

static void ask_for_service(struct replica *home, struct pt_thread *self)
{
	struct pt_thread *next = atomic_load_explicit(&home->waiting, memory_order_relaxed);

	atomic_store_explicit(&self->request.served, 0, memory_order_relaxed);
	do
		self->request.next = next;
	/* [ORD-waiting] rel: the request; pairs with serve_waiting() */
	while (!atomic_compare_exchange_weak_explicit(&home->waiting, &next, self,
						      memory_order_release, memory_order_relaxed));
}

/* Have the call made that @self has prepared, by this thread or another one. */
static void have_served(struct replicas *s, struct pt_thread *self)
{
	struct replica *home = home_of(s, self);
	bool waits = !rwlock_try_write_lock(&s->tail_lock);

	stat_lock(stats_of(self, &home->first), waits);
	if (waits) {
		ask_for_service(home, self);
		if (!rwlock_write_lock_unless(&s->tail_lock, &self->request.served)) {
			stat_add(stats_of(self, &home->first), STAT_COMBINED, 1);
			return;
		}
	}
	rwlock_write_lock(&home->lock);
	replica_catch_up(s, home, self);
	if (!waits)
		serve(s, home, self);
	serve_waiting(s, home);
	rwlock_write_unlock(&home->lock);
	rwlock_write_unlock(&s->tail_lock);
}

/* What the call has left to be done without locks. */
static int after_call(struct pt_thread *self, struct pt_table *t, int rc, struct pt_gather *own)
{
	struct node *displaced = self->displaced;

	self->displaced = NULL;
	if (displaced)
		retire_displaced(self, t, displaced);
	if (own && !rc)
		op_gather_sync(own);
	if (self->spare.count > 2 * self->pool->magazine)
		pt_thread_trim(self);
	return rc;
}

static int call_logged(struct pt_thread *self, struct pt_table *t, struct call want, bool gathers,
		       uint64_t *ret_count)
{
	struct replicas *s = replicas_of(t);
	struct call *call = (struct call *)self->request.call;
	struct pt_gather own;
	bool syncs = gathers && !want.gather;

	if (!may_wait(self, t))
		return call_make(&want, self, &s->of[0].first, want.gather, ret_count);
	if (syncs) {
		gather_init((struct gather *)&own, self, t, NULL, NULL);
		want.gather = &own;
	}
	want.other_first = want.va;
	want.other_last = want.va + (want.len - 1);
	*call = want;
	wrap(self, s);
	have_served(s, self);
	unwrap(self);
	if (ret_count && !call->rc)
		*ret_count = call->count;
	return after_call(self, t, call->rc, syncs ? &own : NULL);
}

static int replicated_map(struct pt_thread *self, struct pt_table *t, pt_va_t va, uint64_t len,
			  pt_pa_t pa, pt_prop_t prop, unsigned max_level)
{
	return call_logged(self, t,
			   (struct call){.kind = CALL_MAP,
					 .va = va,
					 .len = len,
					 .value = pa,
					 .set = prop,
					 .level = max_level},
			   false, NULL);
}

static int replicated_mark(struct pt_thread *self, struct pt_table *t, pt_va_t va, uint64_t len,
			   uint64_t mark)
{
	return call_logged(self, t,
			   (struct call){.kind = CALL_MARK,
					 .va = va,
					 .len = len,
					 .value = mark,
					 .level = FMT_LEVELS},
			   false, NULL);
}

static int replicated_unmap(struct pt_thread *self, struct pt_table *t, pt_va_t va, uint64_t len,
			    struct pt_gather *gather, uint64_t *ret_pages)
{
	return call_logged(
		self, t, (struct call){.kind = CALL_UNMAP, .va = va, .len = len, .gather = gather},
		true, ret_pages);
}

static int replicated_prune(struct pt_thread *self, struct pt_table *t, pt_va_t va, uint64_t len,
			    struct pt_gather *gather, uint64_t *ret_nodes)
{
	return call_logged(
		self, t, (struct call){.kind = CALL_PRUNE, .va = va, .len = len, .gather = gather},
		true, ret_nodes);
}

/* ---- calls on all trees ---- */

/* The tree on which a call on all of them comes as the @i-th, after the home's. */
static struct pt_table *tree_in_turn(struct replicas *s, const struct replica *home, unsigned i)
{
	return &s->of[i <= (unsigned)(home - s->of) ? i - 1 : i].copy;
}

/* Protect that sets or clears accessed and dirty bits, which the log knows nothing of. */
static int protect_all(struct pt_thread *self, struct pt_table *t, const struct call *call,
		       uint64_t *ret_pages)
{
	struct replicas *s = replicas_of(t);
	struct replica *home = home_of(s, self);
	struct pt_gather own, *g = call->gather ? call->gather : &own;
	struct aside aside;
	uint64_t number;
	pt_va_t last;
	int rc;

	if (!may_wait(self, t))
		return op_protect(self, &home->first, call->va, call->len, call->set, call->clear,
				  call->gather, ret_pages);
	if (!call->gather)
		gather_init((struct gather *)&own, self, t, NULL, NULL);
	wrap(self, s);
	lock_all(s, self);
	if (!check_range(t, call->va, call->len, &last))
		unite_range(s, home, self, call->va, last);
	number = change_all_begin(s, home, self);
	rc = op_protect(self, &home->first, call->va, call->len, call->set, call->clear, g,
			ret_pages);
	self->copies = 0; /* nodes are reserved for all */
	count_aside(&aside, self, t);
	for (unsigned i = 1; i < s->nr && !rc; i++)
		rc = op_protect(self, tree_in_turn(s, home, i), call->va, call->len, call->set,
				call->clear, g, NULL);
	count_again(&aside, self);
	change_all_end(s, number);
	unlock_all(s);
	unwrap(self);
	return after_call(self, t, rc, call->gather ? NULL : &own);
}

static int replicated_protect(struct pt_thread *self, struct pt_table *t, pt_va_t va, uint64_t len,
			      pt_prop_t set, pt_prop_t clear, struct pt_gather *gather,
			      uint64_t *ret_pages)
{
	const struct call call = {.kind = CALL_PROTECT,
				  .va = va,
				  .len = len,
				  .set = set,
				  .clear = clear,
				  .gather = gather};

	if ((set | clear) & USED_BITS)
		return protect_all(self, t, &call, ret_pages);
	return call_logged(self, t, call, true, ret_pages);
}

static int replicated_harvest(struct pt_thread *self, struct pt_table *t, pt_va_t va, uint64_t len,
			      pt_prop_t clear, pt_harvest_fn fn, void *ctx,
			      struct pt_gather *gather, uint64_t *ret_leaves)
{
	struct replicas *s = replicas_of(t);
	struct replica *home = home_of(s, self);
	struct pt_gather own, *g = gather ? gather : &own;
	pt_va_t last;
	int rc;

	if (!may_wait(self, t))
		return op_harvest(self, &home->first, va, len, clear, fn, ctx, gather, ret_leaves);
	if (!gather)
		gather_init((struct gather *)&own, self, t, NULL, NULL);
	wrap(self, s);
	lock_all(s, self);
	if (!check_range(t, va, len, &last))
		unite_range(s, home, self, va, last);
	rc = op_harvest(self, &home->first, va, len, clear, fn, ctx, g, ret_leaves);
	unlock_all(s);
	unwrap(self);
	return after_call(self, t, rc, gather ? NULL : &own);
}

/* Each tree flushes what it merges: translations stay what they are, so their order is all the same. */
static int replicated_merge(struct pt_thread *self, struct pt_table *t, pt_va_t va, uint64_t len,
			    unsigned max_level, uint64_t *ret_merged)
{
	struct replicas *s = replicas_of(t);
	struct replica *home = home_of(s, self);
	struct aside aside;
	int rc;

	if (!may_wait(self, t))
		return op_merge(self, &home->first, va, len, max_level, ret_merged);
	wrap(self, s);
	lock_all(s, self);
	rc = op_merge(self, &home->first, va, len, max_level, ret_merged);
	count_aside(&aside, self, t);
	for (unsigned i = 1; i < s->nr && !rc; i++)
		rc = op_merge(self, tree_in_turn(s, home, i), va, len, max_level, NULL);
	count_again(&aside, self);
	unlock_all(s);
	unwrap(self);
	if (retired_enough(self))
		pt_thread_hand_over(self);
	return after_call(self, t, rc, NULL);
}

#endif

/* SPDX-License-Identifier: MIT */
/* The calls of a replicated table, in terms of those of one tree: see replicated.h. */
#ifndef PT_STRATEGY_REPLICATED_CALLS_H
#define PT_STRATEGY_REPLICATED_CALLS_H

#include "replicated_bits.h"

/* ---- creation ---- */

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
	struct record *record = record_at(s, number);

	if (!number)
		return;
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

/* ---- clone ---- */

/* Wait for one table with nothing held and only try for the other: see clone_open(). */
static void lock_both(struct replicas *a, struct replicas *b, struct pt_thread *self)
{
	for (;;) {
		struct replicas *first = b;

		stat_lock(stats_of(self, &b->of[0].first), rwlock_write_lock(&b->tail_lock));
		if (rwlock_try_write_lock(&a->tail_lock))
			break;
		rwlock_write_unlock(&b->tail_lock);
		b = a;
		a = first;
	}
	stat_lock(stats_of(self, &a->of[0].first), false);
	lock_trees(a, self);
	lock_trees(b, self);
}

/* Clone one tree. @k: what is left to be cleaned up if it is the first. */
static int clone_tree(struct cloning *k, struct pt_thread *self, struct pt_table *src,
		      struct pt_table *dst, pt_va_t va, pt_va_t last, struct gather *g)
{
	int rc = clone_open(k, self, src, dst, va, last);

	if (rc)
		return rc;
	k->change = (struct protection){.g = g, .set = k->set, .clear = k->clear};
	rc = clone_range(k, va, last);
	range_close(&k->src);
	range_close(&k->dst);
	return rc;
}

/* In trees that follow: the way that a clone that failed has built in the first. */
static void clone_build(struct pt_thread *self, struct pt_table *dst, pt_va_t va, pt_va_t last)
{
	struct cursor c;

	range_lock(&c, self, dst, va, last, PT_BUILD, largest_block(va, last), false);
	range_close(&c);
}

static int clone_all(struct cloning *k, struct pt_thread *self, struct replicas *src,
		     struct replicas *dst, pt_va_t va, pt_va_t last, struct gather *g)
{
	struct replica *src_home = home_of(src, self), *dst_home = home_of(dst, self);
	const struct cloning want = *k;
	int rc = clone_tree(k, self, &src_home->first, &dst_home->first, va, last, g);
	bool built = rc && self->taken;

	self->copies = 0; /* nodes are reserved for all */
	for (unsigned i = 1; i < src->nr; i++) {
		struct pt_table *from = tree_in_turn(src, src_home, i);
		struct pt_table *to = tree_in_turn(dst, dst_home, i);
		struct cloning copy = want;

		if (!rc && !clone_tree(&copy, self, from, to, va, last, g) && copy.surplus)
			clone_clean_up(&copy, self, to, false);
		if (built)
			clone_build(self, to, va, last);
	}
	return rc;
}

static int replicated_clone(struct pt_thread *self, struct pt_table *src, struct pt_table *dst,
			    pt_va_t va, uint64_t len, pt_prop_t set, pt_prop_t clear,
			    struct pt_gather *gather, uint64_t *ret_pages)
{
	struct replicas *from = replicas_of(src), *to;
	struct pt_gather own, *g = gather ? gather : &own;
	struct cloning k = {.set = set, .clear = clear};
	uint64_t numbers[2];
	pt_va_t last;
	int rc = check_clone(self, src, dst, set, clear);

	if (rc)
		return rc;
	if (!may_wait(self, src))
		return op_clone(self, &from->of[0].first, &replicas_of(dst)->of[0].first, va, len,
				set, clear, gather, ret_pages);
	rc = check_range(src, va, len, &last);
	if (!rc)
		rc = check_range(dst, va, len, &last);
	if (!rc)
		rc = check_gather((struct gather *)g, gather, self, src);
	if (rc)
		return rc;
	if (!gather)
		gather_init((struct gather *)&own, self, src, NULL, NULL);
	to = replicas_of(dst);
	wrap(self, from);
	lock_both(from, to, self);
	numbers[0] = change_all_begin(from, home_of(from, self), self);
	numbers[1] = change_all_begin(to, home_of(to, self), self);
	rc = clone_all(&k, self, from, to, va, last, (struct gather *)g);
	change_all_end(from, numbers[0]);
	change_all_end(to, numbers[1]);
	unlock_all(from);
	unlock_all(to);
	unwrap(self);
	if (k.surplus || (rc && k.image))
		clone_clean_up(&k, self, dst, rc);
	if (ret_pages && !rc)
		*ret_pages = k.pages;
	if (self->displaced)
		after_call(self, dst, 0, NULL);
	return after_call(self, src, rc, gather ? NULL : &own);
}

/* ---- looking ---- */

/* A tree that has the records up to @tail: the home's, if it has. */
static struct replica *replica_to_walk(struct replicas *s, struct pt_thread *self, uint64_t tail)
{
	struct replica *home = home_of(s, self);

	if (likely(replica_has(home, tail)))
		return home;
	for (unsigned i = 0; i < s->nr; i++)
		if (replica_has(&s->of[i], tail))
			return &s->of[i];
	return home; /* cannot be: the first to have a record has it before the tail does */
}

static int replicated_walk(struct pt_thread *self, struct pt_table *t, pt_va_t va, pt_pa_t *ret_pa,
			   pt_prop_t *ret_prop)
{
	struct replicas *s = replicas_of(t);

	for (;;) {
		const uint64_t tail = replicas_tail(s);
		struct replica *r = replica_to_walk(s, self, tail);
		pt_prop_t prop;
		int rc = op_walk(self, &r->first, va, ret_pa, &prop);

		if (rc)
			return rc;
		if (table_manages(t, va) && !unite_used(s, r, self, va, tail, &prop))
			continue;
		*ret_prop = prop;
		return 0;
	}
}

static int replicated_access(struct pt_thread *self, struct pt_table *t, pt_va_t va,
			     enum pt_access access, bool user, pt_pa_t *ret_pa)
{
	struct replicas *s = replicas_of(t);
	struct replica *r = replica_to_walk(s, self, replicas_tail(s));

	return op_access(self, &r->first, va, access, user, ret_pa);
}

/* Share the home's tree, which has all that has begun when this is called. */
static void look_begin(struct replicas *s, struct replica *home, struct pt_thread *self)
{
	const uint64_t tail = replicas_tail(s);

	if (unlikely(!replica_has(home, tail))) {
		port_wait_until(replicas_ready(s) >= tail);
		replica_replay(s, home, self);
	}
	rwlock_read_lock(&home->lock);
}

static int replicated_query(struct pt_thread *self, struct pt_table *t, pt_va_t va,
			    struct pt_mapping *ret)
{
	struct replicas *s = replicas_of(t);
	struct replica *home = home_of(s, self);
	bool whole;

	if (!table_manages(t, va))
		return query_borrowed(self, t, va, ret);
	if (self->holds)
		return -EDEADLK;
	do {
		look_begin(s, home, self);
		(void)op_query(self, &home->first, va, ret);
		whole = unite_found(s, home, self, va, ret);
		rwlock_read_unlock(&home->lock);
	} while (!whole);
	return 0;
}

static int replicated_query_get(struct pt_thread *self, struct pt_table *t, pt_va_t va,
				struct pt_mapping *ret)
{
	struct replicas *s = replicas_of(t);
	struct replica *home = home_of(s, self);
	pt_va_t first = va & ~PAGE_MASK;
	struct pt_mapping m;
	struct cursor c;
	int rc;

	if (!table_manages(t, va))
		return op_query_get(self, &home->first, va, ret);
	rc = range_open(&c, self, &home->first, first, first | PAGE_MASK, PT_READ_ONLY, 1);
	if (rc)
		return rc;
	rc = cursor_get(&c, &m);
	unite_found(s, home, self, va, &m);
	range_close(&c);
	if (!rc)
		*ret = m;
	return rc;
}

/* All trees, which are alike. */
static int replicated_check(struct pt_thread *self, struct pt_table *t, struct pt_check_report *ret)
{
	struct replicas *s = replicas_of(t);
	struct pt_check_report first, r;

	if (self->holds)
		return -EDEADLK;
	replay_everywhere(s, self);
	(void)op_check(self, &s->of[0].first, &first);
	for (unsigned i = 1; i < s->nr && !first.violation; i++) {
		(void)op_check(self, &s->of[i].first, &r);
		if (r.violation)
			first = r;
		else if (r.nodes != first.nodes || r.leaves != first.leaves ||
			 r.marks != first.marks || r.mapped_bytes != first.mapped_bytes)
			check_fails(&first, "the trees of two homes differ", t->first, FMT_LEVELS);
	}
	*ret = first;
	return 0;
}

/* ---- cursors ---- */

static int cursor_open(struct pt_thread *self, struct pt_table *t, pt_va_t va, uint64_t len,
		       enum pt_mode mode, unsigned top, struct pt_cursor *storage, bool try_only)
{
	struct replicas *s = replicas_of(t);
	struct replica *home = home_of(s, self);
	struct before before = {0};
	struct call call = {.kind = CALL_BUILD, .va = va, .len = len, .level = top};
	unsigned taken;
	int rc;

	self->copies = s->nr;
	self->taken = 0;
	rc = try_only ? op_cursor_try_begin(self, &home->first, va, len, mode, top, storage)
		      : op_cursor_begin(self, &home->first, va, len, mode, top, storage);
	if (!rc && self->taken && s->nr > 1) {
		uint64_t number;

		taken = self->taken;
		rwlock_write_lock(&home->lock);
		number = record_begin(s, home, self);
		self->taken = taken;
		record_end(s, home, self, number, &call, &before, NULL);
		rwlock_write_unlock(&home->lock);
	}
	self->copies = 1;
	return rc;
}

static int replicated_cursor_begin(struct pt_thread *self, struct pt_table *t, pt_va_t va,
				   uint64_t len, enum pt_mode mode, unsigned top,
				   struct pt_cursor *storage)
{
	return cursor_open(self, t, va, len, mode, top, storage, false);
}

static int replicated_cursor_try_begin(struct pt_thread *self, struct pt_table *t, pt_va_t va,
				       uint64_t len, enum pt_mode mode, unsigned top,
				       struct pt_cursor *storage)
{
	return cursor_open(self, t, va, len, mode, top, storage, true);
}

static int replicated_cursor_query(struct pt_cursor *storage, struct pt_mapping *ret)
{
	struct cursor *c = (struct cursor *)storage;
	int rc = op_cursor_query(storage, ret);

	if (!rc)
		unite_found(replicas_of(c->table), replica_of_cursor(c), c->self, c->va, ret);
	return rc;
}

/* A call of a cursor that may change something is about to be made; and has been. */
struct change {
	struct replicas *s;
	struct replica *home;
	uint64_t number;
	struct before before;
};

static struct change cursor_change_begin(struct cursor *c, struct pt_gather *gather)
{
	struct change change = {
		.s = replicas_of(c->table),
		.home = replica_of_cursor(c),
	};

	c->self->copies = change.s->nr;
	rwlock_write_lock(&change.home->lock);
	change.number = record_begin(change.s, change.home, c->self);
	change.before = look_before(gather, c->self, c->table);
	return change;
}

static void cursor_change_end(struct cursor *c, const struct change *change, struct call *call)
{
	record_end(change->s, change->home, c->self, change->number, call, &change->before,
		   c->displaced);
	rwlock_write_unlock(&change->home->lock);
	c->self->copies = 1;
}

static int replicated_cursor_map(struct pt_cursor *storage, const struct pt_item *item)
{
	struct cursor *c = (struct cursor *)storage;
	struct call call = {.kind = CALL_CURSOR_MAP,
			    .va = c->va,
			    .level = item->level,
			    .value = item->pa,
			    .set = item->prop};
	struct change change;

	if (c->mode != PT_BUILD || item->level < 1 || item->level > FMT_LEVELS)
		return op_cursor_map(storage, item);
	call.len = level_size(item->level);
	call.other_first = call.va;
	call.other_last = call.va + (call.len - 1);
	change = cursor_change_begin(c, NULL);
	call.rc = op_cursor_map(storage, item);
	cursor_change_end(c, &change, &call);
	return call.rc;
}

/* Of these three the record concerns no page (first > last), but what was taken. */
static int replicated_cursor_mark(struct pt_cursor *storage, uint64_t len, uint64_t mark)
{
	struct cursor *c = (struct cursor *)storage;
	struct call call = {.other_first = 1,
			    .kind = CALL_CURSOR_MARK,
			    .va = c->va,
			    .len = len,
			    .level = c->top,
			    .value = mark};
	struct change change;

	if (c->mode != PT_BUILD)
		return op_cursor_mark(storage, len, mark);
	change = cursor_change_begin(c, NULL);
	call.rc = op_cursor_mark(storage, len, mark);
	cursor_change_end(c, &change, &call);
	return call.rc;
}

/* Is there a mapping within @len bytes, if there are trees to be asked about it? */
static bool find_next(struct cursor *c, uint64_t len, struct found *found)
{
	pt_va_t last;

	return replicas_of(c->table)->nr > 1 && !check_reach(c, len, &last) &&
	       visit_find(c, c->node, c->level, c->va, last, found) == VISIT_STOP;
}

static int replicated_cursor_take_next(struct pt_cursor *storage, uint64_t len,
				       struct pt_gather *gather, struct pt_taken *ret)
{
	struct cursor *c = (struct cursor *)storage;
	struct call call = {
		.other_first = 1, .kind = CALL_TAKE_NEXT, .va = c->va, .len = len, .level = c->top};
	struct found found = {.first = c->va};
	struct change change;
	pt_prop_t used = 0;

	if (c->mode == PT_READ_ONLY || !gather)
		return op_cursor_take_next(storage, len, gather, ret);
	if (find_next(c, len, &found))
		unite_used(replicas_of(c->table), replica_of_cursor(c), c->self, found.first, 0,
			   &used);
	change = cursor_change_begin(c, gather);
	call.rc = op_cursor_take_next(storage, len, gather, ret);
	if (!call.rc) {
		call.other_first = ret->va;
		call.other_last = ret->va + (ret->len - 1);
		ret->item.prop |= ret->subtree ? 0 : used;
	}
	cursor_change_end(c, &change, &call);
	return call.rc;
}

/* Who asks for the properties of a leaf sees what all trees know of it. */
static void unite_next(struct cursor *c, uint64_t len)
{
	struct replicas *s = replicas_of(c->table);
	struct found found;

	if (!find_next(c, len, &found))
		return;
	c->self->wrapped = true;
	lock_trees(s, c->self);
	unite_range(s, replica_of_cursor(c), c->self, found.first, found.last);
	unlock_trees(s);
	c->self->wrapped = false;
}

/* Hands on a cursor's question, and remembers the answer. */
struct asking {
	pt_protect_fn fn;
	void *ctx;
	pt_prop_t answer;
};

static pt_prop_t ask_and_remember(void *ctx, pt_va_t va, const struct pt_item *old)
{
	struct asking *asking = ctx;

	asking->answer = asking->fn(asking->ctx, va, old);
	return asking->answer;
}

static int replicated_cursor_protect_next(struct pt_cursor *storage, uint64_t len, pt_protect_fn fn,
					  void *ctx, struct pt_gather *gather, pt_va_t *ret_va,
					  uint64_t *ret_len)
{
	struct cursor *c = (struct cursor *)storage;
	struct call call = {.other_first = 1,
			    .kind = CALL_PROTECT_NEXT,
			    .va = c->va,
			    .len = len,
			    .level = c->top};
	struct asking asking = {.fn = fn, .ctx = ctx};
	struct change change;

	if (c->mode == PT_READ_ONLY || !gather || !fn)
		return op_cursor_protect_next(storage, len, fn, ctx, gather, ret_va, ret_len);
	unite_next(c, len);
	change = cursor_change_begin(c, NULL);
	call.rc = op_cursor_protect_next(storage, len, ask_and_remember, &asking, gather, ret_va,
					 ret_len);
	call.value = asking.answer;
	cursor_change_end(c, &change, &call);
	return call.rc;
}

#define replicated_cursor_end op_cursor_end
#define replicated_cursor_find_next op_cursor_find_next
#define replicated_cursor_jump op_cursor_jump
#define replicated_gather_sync op_gather_sync

#define OP(name) replicated_##name

#endif

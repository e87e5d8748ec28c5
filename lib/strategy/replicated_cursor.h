/* SPDX-License-Identifier: MIT */
/* Cursors of a replicated table: they hold the log, and what each call does is appended to it. See replicated.h. */
#ifndef PT_STRATEGY_REPLICATED_CURSOR_H
#define PT_STRATEGY_REPLICATED_CURSOR_H

#include "replicated_look.h"

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

#endif

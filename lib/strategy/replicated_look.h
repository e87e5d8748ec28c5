/* SPDX-License-Identifier: MIT */
/* Looking at a replicated table: queries, walks and accesses stay in the tree of their home. See replicated.h. */
#ifndef PT_STRATEGY_REPLICATED_LOOK_H
#define PT_STRATEGY_REPLICATED_LOOK_H

#include "replicated_clone.h"

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

#endif

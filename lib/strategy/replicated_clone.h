/* SPDX-License-Identifier: MIT */
/* Cloning a range from one replicated table into another one: tree by tree. See replicated.h. */
#ifndef PT_STRATEGY_REPLICATED_CLONE_H
#define PT_STRATEGY_REPLICATED_CLONE_H

#include "replicated_change.h"

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

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Looking: the hardware's walk and access, the strategy's query, a cursor's query and search.
 */
#ifndef PT_OPS_QUERY_H
#define PT_OPS_QUERY_H

#include "ops_range.h"

/*
 * A lock-free walk of any strategy: nodes it can hold are not reused before it ends (R1); or if they may
 * be, it is the strategy's query.
 */
struct hardware_walk {
	struct pt_thread *self;
	struct strategy_query q;
};

static PT_INLINE slot_t *walk_enter(struct hardware_walk *w, struct pt_thread *self,
				    struct pt_table *t)
{
	w->self = self;
	if (STRATEGY_REUSES)
		return strategy_query_begin(&w->q, self, t);
	if (STRATEGY_CONCURRENT)
		port_rcu_read_lock(&self->port);
	return root_slots(t);
}

static PT_INLINE pte_t walk_step(struct hardware_walk *w, slot_t *slot, unsigned level)
{
	return STRATEGY_REUSES ? strategy_query_step(&w->q, slot, level) : slot_load_walk(slot);
}

/* Set bits in the slot read last; false if it has changed. */
static inline bool walk_touch(struct hardware_walk *w, slot_t *slot, pte_t pte, pte_t touched)
{
#if STRATEGY_REUSES
	return strategy_query_touch(&w->q, slot, pte, touched);
#else
	(void)w;
	return slot_exchange_if(slot, &pte, touched);
#endif
}

/* Does what was read hold? */
static inline bool walk_leave(struct hardware_walk *w)
{
	if (STRATEGY_REUSES && !strategy_query_end(&w->q)) {
		port_rcu_wake(&w->self->port);
		return false;
	}
	if (!STRATEGY_REUSES && STRATEGY_CONCURRENT)
		port_rcu_read_unlock(&w->self->port);
	return true;
}

static inline pt_pa_t walked_table_pa(pte_t pte)
{
	return STRATEGY_TABLE_BITS ? fmt_table_pa(pte) : fmt_table_pa_clean(pte);
}

/* The same; also false if somebody has to be woken. */
static PT_INLINE bool walk_leave_quick(struct hardware_walk *w)
{
	if (STRATEGY_REUSES)
		return strategy_query_end(&w->q);
	return !STRATEGY_CONCURRENT || port_rcu_read_unlock_quick(&w->self->port);
}

/*
 * The slot that ends the walk of @va from the root's @slots, its level and what it held. Unrolled, so
 * that each level has its constants.
 */
static inline slot_t *walk_to_slot(struct hardware_walk *w, const struct pt_table *t, slot_t *slots,
				   pt_va_t va, unsigned *ret_level, pte_t *ret_pte)
{
	const uintptr_t phys_off = t->phys_off; /* loads that acquire would have it loaded again */
	slot_t *slot = &slots[slot_index(va, FMT_LEVELS)];
	pte_t pte = walk_step(w, slot, FMT_LEVELS);
	unsigned level;

	_Pragma("GCC unroll 8") for (level = FMT_LEVELS; level > 1; level--)
	{
		if (!fmt_is_table(pte, level))
			break;
		slot = &slots_of_pa(phys_off, fmt_table_pa(pte))[slot_index(va, level - 1)];
		pte = walk_step(w, slot, level - 1);
	}
	*ret_level = level;
	*ret_pte = pte;
	return slot;
}

static inline bool table_manages(const struct pt_table *t, pt_va_t va)
{
	return va - t->first <= t->span;
}

/* What a walk that ended with @pte says of @va. */
static VISITOR int translate(pte_t pte, unsigned level, pt_va_t va, pt_pa_t *ret_pa,
			     pt_prop_t *ret_prop)
{
	if (!fmt_translates(pte))
		return -ENOENT;
	*ret_pa = fmt_leaf_pa(pte, level) + (va & (level_size(level) - 1));
	*ret_prop = fmt_leaf_prop(pte, level);
	return 0;
}

/* Does @va, which the table does not manage, lie in what it borrows? */
static inline bool table_borrows(const struct pt_table *t, pt_va_t va)
{
	return t->kernel && table_manages(t->kernel, va);
}

/* Is this root slot a copy of the kernel table's? */
static inline bool table_borrows_slot(const struct pt_table *t, unsigned index)
{
	return t->kernel && index >= slot_index(t->kernel->first, FMT_LEVELS) &&
	       index <= slot_index(t->kernel->last, FMT_LEVELS);
}

/* A walk that ended above the leaf tables. */
static PT_APART int translate_huge(pte_t pte, unsigned level, pt_va_t va, pt_pa_t *ret_pa,
				   pt_prop_t *ret_prop)
{
	return translate(pte, level, va, ret_pa, ret_prop);
}

/* One at whose end somebody had to be woken. */
static PT_APART int walk_again(struct pt_thread *self, struct pt_table *t, pt_va_t va,
			       pt_pa_t *ret_pa, pt_prop_t *ret_prop)
{
	port_rcu_wake(&self->port);
	return t->ops->walk(self, t, va, ret_pa, ret_prop);
}

/* One of what the table does not manage: entries may carry bits of the kernel table's strategy. */
static PT_APART int walk_borrowed(struct pt_thread *self, struct pt_table *t, pt_va_t va,
				  pt_pa_t *ret_pa, pt_prop_t *ret_prop)
{
	struct hardware_walk w;
	unsigned level;
	slot_t *slots;
	pte_t pte;

	if (!table_borrows(t, va))
		return -ERANGE;
	do {
		slots = walk_enter(&w, self, t);
		walk_to_slot(&w, t, slots, va, &level, &pte);
	} while (!walk_leave(&w));
	return translate(pte, level, va, ret_pa, ret_prop);
}

/*
 * Walks that end in a leaf table, as most do, know the level all the way as a constant. All that
 * happens otherwise is a call in the end, so that nothing must be saved for it. op_query() likewise.
 */
static int op_walk(struct pt_thread *self, struct pt_table *t, pt_va_t va, pt_pa_t *ret_pa,
		   pt_prop_t *ret_prop)
{
	const uintptr_t phys_off = t->phys_off; /* loads that acquire would have it loaded again */
	struct hardware_walk w;
	slot_t *slots;
	pte_t pte;

	if (unlikely(!table_manages(t, va)))
		return walk_borrowed(self, t, va, ret_pa, ret_prop);
	slots = walk_enter(&w, self, t);
	_Pragma("GCC unroll 8") for (unsigned level = FMT_LEVELS; level > 1; level--)
	{
		pte = walk_step(&w, &slots[slot_index(va, level)], level);
		if (unlikely(!fmt_is_table(pte, level)))
			return walk_leave_quick(&w)
				       ? translate_huge(pte, level, va, ret_pa, ret_prop)
				       : walk_again(self, t, va, ret_pa, ret_prop);
		slots = slots_of_pa(phys_off, walked_table_pa(pte));
	}
	pte = walk_step(&w, &slots[slot_index(va, 1)], 1);
	return walk_leave_quick(&w) ? translate(pte, 1, va, ret_pa, ret_prop)
				    : walk_again(self, t, va, ret_pa, ret_prop);
}

static inline bool access_permitted(pt_prop_t prop, enum pt_access access, bool user)
{
	pt_prop_t need = access == PT_ACCESS_WRITE  ? PT_WRITE
			 : access == PT_ACCESS_EXEC ? PT_EXEC
						    : PT_READ;

	return (prop & need) && (!user || (prop & PT_USER));
}

static int op_access(struct pt_thread *self, struct pt_table *t, pt_va_t va, enum pt_access access,
		     bool user, pt_pa_t *ret_pa)
{
	struct hardware_walk w;
	unsigned level;
	pte_t pte, touched;
	slot_t *slot, *slots;
	bool holds;
	int rc;

	if (!table_manages(t, va) && !table_borrows(t, va))
		return -ERANGE;
	do {
		slots = walk_enter(&w, self, t);
		slot = walk_to_slot(&w, t, slots, va, &level, &pte);
		rc = !fmt_translates(pte)                                        ? -ENOENT
		     : access_permitted(fmt_leaf_prop(pte, level), access, user) ? 0
										 : -EACCES;
		touched = fmt_touched(pte, access == PT_ACCESS_WRITE);
		if (rc || touched == pte) {
			holds = walk_leave(&w);
		} else {
			holds = walk_touch(&w, slot, pte, touched);
			walk_leave(&w);
		}
	} while (!holds);
	if (!rc)
		*ret_pa = fmt_leaf_pa(pte, level) + (va & (level_size(level) - 1));
	return rc;
}

/*
 * Describe what a slot of @level that covers @va held. Field by field: a literal would be built on
 * the stack in small stores and copied by wide loads, which must wait for the stores.
 */
static PT_APART int describe_slot(pt_va_t va, unsigned level, pte_t pte, struct pt_mapping *ret)
{
	enum pt_kind kind = fmt_kind(pte, level);
	bool leaf = kind == PT_KIND_LEAF;

	ret->va = va & ~(level_size(level) - 1);
	ret->len = level_size(level);
	ret->kind = kind == PT_KIND_FROZEN ? PT_KIND_EMPTY : kind;
	ret->item.pa = leaf ? fmt_leaf_pa(pte, level) : 0;
	ret->item.prop = leaf ? fmt_leaf_prop(pte, level) : 0;
	ret->item.level = leaf ? level : 0;
	ret->mark = kind == PT_KIND_MARK ? fmt_mark_value(pte) : 0;
	return 0;
}

/* The same in fewer instructions for what most queries find, in a leaf table. */
static VISITOR int describe_page(pt_va_t va, pte_t pte, struct pt_mapping *ret)
{
	if (unlikely(!fmt_translates(pte)))
		return describe_slot(va, 1, pte, ret);
	ret->va = va & ~PAGE_MASK;
	ret->len = level_size(1);
	ret->kind = PT_KIND_LEAF;
	ret->item.pa = fmt_leaf_pa(pte, 1);
	ret->item.prop = fmt_leaf_prop(pte, 1);
	ret->item.level = 1;
	ret->mark = 0;
	return 0;
}

/* A query of an address that @t does not manage. */
static PT_APART int query_borrowed(struct pt_thread *self, struct pt_table *t, pt_va_t va,
				   struct pt_mapping *ret)
{
	return table_borrows(t, va) ? t->kernel->ops->query(self, t->kernel, va, ret) : -ERANGE;
}

/* A query that its strategy wants to be run again, perhaps because somebody had to be woken. */
static PT_APART int query_again(struct pt_thread *self, struct pt_table *t, pt_va_t va,
				struct pt_mapping *ret)
{
	if (STRATEGY_REUSES)
		stat_add(stats_of(self, t), STAT_RETRIES, 1);
	port_rcu_wake(&self->port);
	return t->ops->query(self, t, va, ret);
}

static int op_query(struct pt_thread *self, struct pt_table *t, pt_va_t va, struct pt_mapping *ret)
{
	const uintptr_t phys_off = t->phys_off;
	struct strategy_query q;
	slot_t *slots;
	pte_t pte;

	if (!table_manages(t, va))
		return query_borrowed(self, t, va, ret);
	if (!STRATEGY_LOCK_FREE_QUERY && self->holds)
		return -EDEADLK;
	slots = strategy_query_begin(&q, self, t);
	STRATEGY_QUERY_AT(&q, va);
	_Pragma("GCC unroll 8") for (unsigned level = FMT_LEVELS; level > 1; level--)
	{
		pte = strategy_query_step(&q, &slots[slot_index(va, level)], level);
		if (unlikely(!fmt_is_table(pte, level)))
			return strategy_query_end(&q) ? describe_slot(va, level, pte, ret)
						      : query_again(self, t, va, ret);
		slots = slots_of_pa(phys_off, walked_table_pa(pte));
	}
	pte = strategy_query_step(&q, &slots[slot_index(va, 1)], 1);
	return strategy_query_end(&q) ? describe_page(va, pte, ret) : query_again(self, t, va, ret);
}

/* What covers the cursor's address. */
static void cursor_describe(struct cursor *c, struct pt_mapping *ret)
{
	struct node *node = c->node;
	unsigned level = c->level;
	pte_t pte;

	for (;; level--) {
		slot_t *slots = node_slots(c->table, node);

		pte = strategy_slot_read(c, &slots[slot_index(c->va, level)]);
		if (level == 1 || !fmt_is_table(pte, level))
			break;
		node = child_of(c->table, pte);
	}
	if (MAY_LOSE && strategy_is_frozen(pte)) {
		c->lost_at = c->va;
		visit_lock_again(c);
		cursor_describe(c, ret);
		return;
	}
	describe_slot(c->va, level, pte, ret);
}

/* What covers the cursor's address, and a reference of it. */
static inline int cursor_get(struct cursor *c, struct pt_mapping *ret)
{
	const struct pt_table *t = c->table;

	cursor_describe(c, ret);
	return ret->item.prop & PT_TRACKED
		       ? t->item_ops->clone(t->item_ctx, ret->item.pa, ret->item.level)
		       : 0;
}

/*
 * Holds the page like a read cursor: a lock-free query could clone a huge item that a split is just
 * turning into parts.
 */
static int op_query_get(struct pt_thread *self, struct pt_table *t, pt_va_t va,
			struct pt_mapping *ret)
{
	pt_va_t first = va & ~PAGE_MASK;
	struct pt_mapping m;
	struct cursor c;
	int rc;

	if (!table_manages(t, va))
		return table_borrows(t, va) ? t->kernel->ops->query_get(self, t->kernel, va, ret)
					    : -ERANGE;
	rc = range_open(&c, self, t, first, first | PAGE_MASK, PT_READ_ONLY, 1);
	if (rc)
		return rc;
	rc = cursor_get(&c, &m);
	range_close(&c);
	if (!rc)
		*ret = m;
	return rc;
}

static int op_cursor_query(struct pt_cursor *storage, struct pt_mapping *ret)
{
	struct cursor *c = (struct cursor *)storage;

	if (cursor_at_end(c))
		return -ERANGE;
	cursor_describe(c, ret);
	return 0;
}

/* @len bytes from where the cursor stands: inside its range? */
static inline int check_reach(const struct cursor *c, uint64_t len, pt_va_t *ret_last)
{
	if (!len || (len & PAGE_MASK))
		return -EINVAL;
	if (cursor_at_end(c) || len - 1 > c->last - c->va)
		return -ERANGE;
	*ret_last = c->va + (len - 1);
	return 0;
}

static int op_cursor_find_next(struct pt_cursor *storage, uint64_t len, pt_va_t *ret_va)
{
	struct cursor *c = (struct cursor *)storage;
	struct found found;
	pt_va_t last;
	int rc = check_reach(c, len, &last);

	if (rc)
		return rc;
	if (visit_find(c, c->node, c->level, c->va, last, &found) != VISIT_STOP) {
		c->va = last + 1;
		return -ENOENT;
	}
	c->va = found.first;
	*ret_va = found.first;
	return 0;
}

#endif

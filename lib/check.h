/* SPDX-License-Identifier: MIT */
/*
 * The invariant checker: S1 of the correctness contract, on a table that nobody changes.
 *
 *   - levels fall by one per step, and a node's metadata agrees
 *   - nobody holds the table's lock
 *   - every node is a table's, is held by nobody, is not stray, lies in the pool
 *   - one path per node: nodes reached are as many as distinct ones (marked on the way, then
 *     unmarked, in `drops`, which only retired chains use)
 *   - live and marks equal the slots that are not EMPTY, that hold a MARK, if anybody counts
 *   - no slot is FROZEN, or carries a strategy's bits
 *   - leaves only where the format allows them, aligned and inside the physical address space
 *   - root slots outside the managed range are EMPTY, or equal the kernel table's if borrowed, and
 *     then they are not counted and not followed; those of a kernel table all refer to tables
 *   - tracked leaves only in tables with item hooks
 */
#ifndef PT_CHECK_H
#define PT_CHECK_H

#include "ops_cursor.h"
#include "ops_role.h"

static bool check_fails(struct pt_check_report *r, const char *violation, pt_va_t va,
			unsigned level)
{
	r->violation = violation;
	r->va = va;
	r->level = level;
	return false;
}

static const char *check_leaf(const struct pt_table *t, pte_t pte, unsigned level)
{
	pt_pa_t pa = fmt_leaf_pa(pte, level);
	pt_prop_t prop = fmt_leaf_prop(pte, level);

	if (!(FMT_LEAF_LEVELS >> level & 1))
		return "a leaf at a level that may hold none";
	if (pa & (level_size(level) - 1))
		return "a leaf's physical address is not aligned to its size";
	if (pa >> FMT_PA_BITS)
		return "a leaf's physical address is out of range";
	if (fmt_leaf(pa, prop, level) != pte)
		return "a leaf has bits that its meaning does not explain";
	if ((prop & PT_TRACKED) && !t->item_ops)
		return "a tracked leaf in a table without item hooks";
	return NULL;
}

/* What is wrong with a root slot because of the table's role. */
static const char *check_root_slot(const struct pt_table *t, pte_t pte, unsigned index)
{
	bool managed = index >= slot_index(t->first, FMT_LEVELS) &&
		       index <= slot_index(t->last, FMT_LEVELS);

	if (table_borrows_slot(t, index)) {
		slot_t *theirs = node_slots(t->kernel, t->kernel->root);

		return pte != slot_load_locked(&theirs[index])
			       ? "a borrowed root slot differs from the kernel table's"
			       : NULL;
	}
	if (!managed)
		return pte ? "a root slot outside the managed range is in use" : NULL;
	if (t->role == PT_ROLE_KERNEL && !fmt_is_table(pte, FMT_LEVELS))
		return "a root slot of a kernel table refers to no table";
	return NULL;
}

/* Is there metadata to look at? */
static bool check_in_pool(const struct pt_table *t, const struct node *node)
{
	const struct pt_pool *pool = t->pool;
	uint64_t backed = atomic_load_explicit(&pool->backed, memory_order_relaxed);

	return node_to_pa(t, node) - pool->phys_base < backed << pool->chunk_shift;
}

static const char *check_node(const struct pt_table *t, struct node *node, unsigned level)
{
	if (!check_in_pool(t, node))
		return "a table entry refers to memory outside the pool";
	if (node->state != NODE_TABLE)
		return "a table entry refers to a node that is not a table";
	if (node->level != level)
		return "a node's level is not one below its parent's";
	if (node->drops)
		return "two paths lead to one node";
	if (!strategy_node_is_free(node))
		return "a node is held or stray though no cursor is open";
	return NULL;
}

static bool check_tree(const struct pt_table *t, struct node *node, unsigned level, pt_va_t va,
		       struct pt_check_report *r);

/* One slot; adds to @live and @marks what it counts for. */
static bool check_slot(const struct pt_table *t, pte_t pte, unsigned level, pt_va_t va,
		       struct pt_check_report *r, unsigned *live, unsigned *marks)
{
	enum pt_kind kind = fmt_kind(pte, level);
	const char *wrong = NULL;

	if (pte & FMT_STRATEGY_MASK)
		return check_fails(r, "a slot carries bits of a strategy", va, level);
	if (kind == PT_KIND_EMPTY)
		return pte ? check_fails(r, "an empty slot is not zero", va, level) : true;
	++*live;
	switch (kind) {
	case PT_KIND_TABLE:
		if (level == 1)
			wrong = "a table entry in a leaf table";
		else
			return check_tree(t, child_of(t, pte), level - 1, va, r);
		break;
	case PT_KIND_LEAF:
		wrong = check_leaf(t, pte, level);
		r->leaves++;
		r->mapped_bytes += level_size(level);
		break;
	case PT_KIND_MARK:
		++*marks;
		r->marks++;
		break;
	default:
		wrong = "a frozen slot though no cursor is open";
	}
	return wrong ? check_fails(r, wrong, va, level) : true;
}

static bool check_tree(const struct pt_table *t, struct node *node, unsigned level, pt_va_t va,
		       struct pt_check_report *r)
{
	const char *wrong = check_node(t, node, level);
	unsigned live = 0, marks = 0;
	slot_t *slots = node_slots(t, node);
	bool right = true;

	if (wrong)
		return check_fails(r, wrong, va, level);
	r->nodes++;
	node->drops = 1;
	for (unsigned i = 0; i < FAN_OUT && right; i++) {
		if (level == FMT_LEVELS) {
			wrong = check_root_slot(t, slot_load_locked(&slots[i]), i);
			if (wrong)
				return check_fails(r, wrong, va + i * level_size(level), level);
			if (table_borrows_slot(t, i))
				continue;
		}
		right = check_slot(t, slot_load_locked(&slots[i]), level,
				   va + i * level_size(level), r, &live, &marks);
	}
	if (STRATEGY_COUNTS_EXACT && right && (live != node->live || marks != node->marks))
		right = check_fails(r, "a node's counts differ from its slots", va, level);
	return right;
}

static void check_unmark(const struct pt_table *t, struct node *node, unsigned level)
{
	slot_t *slots = node_slots(t, node);

	if (!check_in_pool(t, node) || !node->drops)
		return;
	node->drops = 0;
	for (unsigned i = 0; i < FAN_OUT && level > 1; i++) {
		pte_t pte = slot_load_locked(&slots[i]);

		if (level == FMT_LEVELS && table_borrows_slot(t, i))
			continue;
		if (fmt_is_table(pte, level))
			check_unmark(t, child_of(t, pte), level - 1);
	}
}

static int op_check(struct pt_thread *self, struct pt_table *t, struct pt_check_report *ret)
{
	struct pt_check_report r = {0};
	pt_va_t root_va = t->first & ~((level_size(FMT_LEVELS) << FMT_INDEX_BITS) - 1);

	if (self->holds)
		return -EDEADLK;
	if (strategy_table_is_free(t))
		check_tree(t, t->root, FMT_LEVELS, root_va, &r);
	else
		check_fails(&r, "the table is locked though no cursor is open", t->first,
			    FMT_LEVELS);
	check_unmark(t, t->root, FMT_LEVELS);
	*ret = r;
	return 0;
}

#endif

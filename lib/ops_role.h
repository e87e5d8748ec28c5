/* SPDX-License-Identifier: MIT */
/*
 * The root of a table whose role gives it more than an empty one: a kernel table's root refers to a
 * node in every slot of its range, and the roots of tables that share it hold copies of those slots.
 *
 * A copy never goes stale. A kernel table's root slots are filled before the table is known to
 * anybody, and then only a reference to a table is in them; the tree replaces such a slot in two
 * places, removal and the displacement of a table without mappings by a huge leaf or mark, and both
 * ask may_detach(), which says no in the root of a pinned table. So a huge leaf at the level of the
 * root, for which some format may have a bit, does not get in there either: it is mapped by leaves
 * one level down, or -EEXIST for one item. The nodes go when the kernel table is destroyed, and each
 * table that borrows from it holds a reference of it until its own root is gone.
 *
 * Borrowed slots belong to nobody who counts: they are not in root->live, and the root loses them
 * before anything is collected from it. A walk through them is in a read section (R1) of the same
 * RCU that the kernel table's nodes wait for; hence tables share only if both are used by many
 * threads, or both (`bare`) by one.
 */
#ifndef PT_OPS_ROLE_H
#define PT_OPS_ROLE_H

#include "ops_gather.h"

/* A table below every root slot that @t manages. The nodes have been reserved; nobody sees @t yet. */
static void root_fill(struct pt_thread *self, struct pt_table *t)
{
	slot_t *slots = node_slots(t, t->root);

	for (unsigned i = slot_index(t->first, FMT_LEVELS); i <= slot_index(t->last, FMT_LEVELS);
	     i++) {
		slot_init(&slots[i], fmt_table(node_to_pa(t, table_take(self, t, FMT_LEVELS - 1))));
		t->root->live++;
	}
}

/* Borrow the root slots of t->kernel, which never change. */
static void root_borrow(struct pt_table *t)
{
	const struct pt_table *kernel = t->kernel;
	slot_t *slots = node_slots(t, t->root), *theirs = node_slots(kernel, kernel->root);

	for (unsigned i = 0; i < FAN_OUT; i++)
		if (table_borrows_slot(t, i))
			slot_init(&slots[i], slot_load_locked(&theirs[i]));
}

/* Give @t a root, for which enough nodes have been reserved. */
static void op_create(struct pt_thread *self, struct pt_table *t)
{
	t->root = table_take(self, t, FMT_LEVELS);
	t->root_pa = node_to_pa(t, t->root);
	t->root_slots = (uintptr_t)node_slots(t, t->root);
	if (t->role == PT_ROLE_KERNEL)
		root_fill(self, t);
	if (t->kernel)
		root_borrow(t);
}

/* Nobody uses the table any more, and its translations have been flushed. */
static void op_destroy(struct pt_thread *self, struct pt_table *t)
{
	slot_t *slots = node_slots(t, t->root);
	struct node_chain chain = {0};

	for (unsigned i = 0; i < FAN_OUT; i++)
		if (table_borrows_slot(t, i))
			slot_init(&slots[i], 0);
	collect_subtree(t, t->root, &chain);
	free_chain(self, t, &chain);
	if (STRATEGY_REUSES && !self->holds && retired_enough(self))
		pt_thread_hand_over(self);
	t->root = NULL;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Stepping through the tree: arithmetic on levels, and from slots to nodes.
 */
#ifndef PT_WALK_H
#define PT_WALK_H

#include "access.h"
#include "cursor.h"

#define FAN_OUT (1u << FMT_INDEX_BITS)

static inline unsigned level_shift(unsigned level)
{
	return FMT_PAGE_SHIFT + FMT_INDEX_BITS * (level - 1);
}

/* Bytes that one slot of `level` spans. */
static inline uint64_t level_size(unsigned level)
{
	return UINT64_C(1) << level_shift(level);
}

static inline unsigned slot_index(pt_va_t va, unsigned level)
{
	return (unsigned)(va >> level_shift(level)) & (FAN_OUT - 1);
}

static inline struct node *node_at_pa(const struct pt_table *t, pt_pa_t pa)
{
	return (struct node *)(t->meta_off + (pa >> FMT_NODE_SHIFT) * NODE_META_BYTES);
}

static inline slot_t *node_slots(const struct pt_table *t, const struct node *node)
{
	pt_pa_t pa = ((uintptr_t)node - t->meta_off) / NODE_META_BYTES << FMT_NODE_SHIFT;

	return slots_of_pa(t->phys_off, pa);
}

static inline pt_pa_t node_to_pa(const struct pt_table *t, const struct node *node)
{
	return ((uintptr_t)node - t->meta_off) / NODE_META_BYTES << FMT_NODE_SHIFT;
}

static inline struct node *child_of(const struct pt_table *t, pte_t pte)
{
	return node_at_pa(t, fmt_table_pa(pte));
}

/* One slot as a visit of a range sees it. */
struct slot {
	struct node *node;
	unsigned level;
	slot_t *ref;
	pte_t pte;           /* as last read */
	pt_va_t first, last; /* the part of the slot that lies in the range */
	bool whole;          /* the range covers the slot */
};

static inline pt_va_t slot_first_va(const struct slot *s)
{
	return s->first & ~(level_size(s->level) - 1);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Stepping through the tree: arithmetic on levels, and from slots to nodes.
 */
#ifndef PT_WALK_H
#define PT_WALK_H

#include "access.h"
#include "cursor.h"

/* What must be inlined, so that a level is a constant and no cursor or slot is in memory. */
#define PT_INLINE inline __attribute__((always_inline))
/* And what must not, lest its frame be set up on the short way. */
#define PT_APART __attribute__((noinline))

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

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

/* (pa >> FMT_NODE_SHIFT) * NODE_META_BYTES, of an address whose low bits are zero. */
#if FMT_NODE_SHIFT >= NODE_META_SHIFT
#define NODE_META_OFFSET(pa) ((pa) >> (FMT_NODE_SHIFT - NODE_META_SHIFT))
#else
#define NODE_META_OFFSET(pa) ((pa) << (NODE_META_SHIFT - FMT_NODE_SHIFT))
#endif

static inline struct node *node_at_pa(const struct pt_table *t, pt_pa_t pa)
{
	return (struct node *)(t->meta_off + NODE_META_OFFSET(pa));
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

static inline slot_t *root_slots(const struct pt_table *t)
{
	return (slot_t *)t->root_slots;
}

/*
 * Walk without locks to the leaf table that covers the cursor's first address, and note it there.
 * Return: is there one? For strategies that have no bits in slots that refer to
 * tables.
 */
static PT_INLINE bool walk_to_leaf_table(struct cursor *c)
{
	const struct pt_table *t = c->table;
	const uintptr_t phys_off = t->phys_off;
	slot_t *slots = root_slots(t);
	pt_pa_t pa = 0;

	_Pragma("GCC unroll 8") for (unsigned level = FMT_LEVELS; level > 1; level--)
	{
		pte_t pte = slot_load_walk(&slots[slot_index(c->first, level)]);

		if (unlikely(!fmt_is_table(pte, level)))
			return false;
		pa = fmt_table_pa_clean(pte);
		slots = slots_of_pa(phys_off, pa);
	}
	c->node = node_at_pa(t, pa);
	c->slots = slots;
	return true;
}

/* One slot as a visit of a range sees it. */
struct slot {
	struct node *node;
	unsigned level;
	slot_t *ref;
	pte_t pte;           /* as last read */
	pt_va_t first, last; /* the part of the slot that lies in the range */
	bool whole;          /* the range covers the slot */
	int live, marks;     /* what the visit of @node has to add to its counts when it ends */
};

static inline pt_va_t slot_first_va(const struct slot *s)
{
	return s->first & ~(level_size(s->level) - 1);
}

#endif

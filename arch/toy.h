/* SPDX-License-Identifier: MIT */
/*
 * No real MMU: 3 levels of 4 slots, so that a program that walks off the end of a node, splits,
 * merges or fills a table needs a few calls only. Accessed and dirty work as on x86-64.
 *
 *   bit     0: present, a table or a leaf
 *   bit     1: this is a leaf, above level 1 only: as on x86-64, what is a leaf in level 1 says
 *              "table" to whoever takes it for an entry of a level above
 *   bit     2, 3: not present, and a MARK or FROZEN
 *   4-18    leaf: properties and cache policy as in pagetree.h
 *   20-55   leaf: frame (that is, the address times 256)
 *   13-55   table: address times 256
 *   8-39    mark: payload
 *   62, 63  left to strategies
 */
#ifndef PT_ARCH_TOY_H
#define PT_ARCH_TOY_H

#include "pte.h"

#define FMT_NAME "toy"
#define FMT_LEVELS 3
#define FMT_INDEX_BITS 2
#define FMT_PAGE_SHIFT 12
#define FMT_VA_BITS 18
#define FMT_PA_BITS 48
#define FMT_SIGN_EXTENDED 0
#define FMT_LEAF_LEVELS 0x06u
#define FMT_NODE_SHIFT 5
#define FMT_PROPS                                                                                 \
	(PT_READ | PT_WRITE | PT_EXEC | PT_USER | PT_GLOBAL | PT_ACCESSED | PT_DIRTY | PT_SOFT0 | \
	 PT_SOFT1 | PT_TRACKED)
#define FMT_BIT_PROPS (FMT_PROPS & ~PT_TRACKED)
#define FMT_CACHES 0x1fu
#define FMT_MARK_BITS 32
#define FMT_STRATEGY_MASK (UINT64_C(3) << 62)

#define TOY_PRESENT (UINT64_C(1) << 0)
#define TOY_HUGE (UINT64_C(1) << 1)
#define TOY_MARK (UINT64_C(1) << 2)
#define TOY_FROZEN (UINT64_C(1) << 3)
#define TOY_PROP_SHIFT 4
#define TOY_PROP_MASK ((pte_t)(FMT_PROPS | PT_CACHE_MASK) << TOY_PROP_SHIFT)
#define TOY_PAYLOAD_SHIFT 8
#define TOY_PAYLOAD_MASK (((UINT64_C(1) << FMT_PA_BITS) - 1) << TOY_PAYLOAD_SHIFT)

#define FMT_FROZEN TOY_FROZEN

#define TOY_PROP(prop) ((pte_t)(prop) << TOY_PROP_SHIFT)

static inline bool fmt_is_table(pte_t pte, unsigned level)
{
	return level > 1 && (pte & (TOY_PRESENT | TOY_HUGE)) == TOY_PRESENT;
}

static FMT_INLINE enum pt_kind fmt_kind(pte_t pte, unsigned level)
{
	if (fmt_is_table(pte, level))
		return PT_KIND_TABLE;
	if (pte & TOY_PRESENT)
		return PT_KIND_LEAF;
	if (!(pte & ~FMT_STRATEGY_MASK))
		return PT_KIND_EMPTY;
	return pte & TOY_FROZEN ? PT_KIND_FROZEN : PT_KIND_MARK;
}

static inline bool fmt_prop_valid(pt_prop_t prop, unsigned level)
{
	(void)level;
	return !(prop & ~(FMT_PROPS | PT_CACHE_MASK)) && PT_CACHE_OF(prop) < PT_CACHE_NR;
}

static inline pte_t fmt_leaf(pt_pa_t pa, pt_prop_t prop, unsigned level)
{
	return pa << TOY_PAYLOAD_SHIFT | TOY_PROP(prop) | TOY_PRESENT | (level > 1 ? TOY_HUGE : 0);
}

static inline pt_pa_t fmt_leaf_pa(pte_t pte, unsigned level)
{
	pt_pa_t page = UINT64_C(1) << (FMT_PAGE_SHIFT + FMT_INDEX_BITS * (level - 1));

	return (pte & TOY_PAYLOAD_MASK) >> TOY_PAYLOAD_SHIFT & ~(page - 1);
}

static inline pt_prop_t fmt_leaf_prop(pte_t pte, unsigned level)
{
	(void)level;
	return (pt_prop_t)((pte & TOY_PROP_MASK) >> TOY_PROP_SHIFT);
}

static FMT_INLINE pte_t fmt_leaf_set_bits(pte_t pte, pt_prop_t set, pt_prop_t clear)
{
	return (pte & ~TOY_PROP(clear)) | TOY_PROP(set);
}

static inline uint64_t fmt_leaf_stride(pte_t pte, uint64_t bytes)
{
	(void)pte;
	return bytes << TOY_PAYLOAD_SHIFT;
}

static inline pte_t fmt_leaf_move(pte_t pte, pt_pa_t pa)
{
	return pte + (pa << TOY_PAYLOAD_SHIFT);
}

static inline pte_t fmt_table(pt_pa_t pa)
{
	return pa << TOY_PAYLOAD_SHIFT | TOY_PRESENT;
}

static inline pt_pa_t fmt_table_pa(pte_t pte)
{
	return (pte & TOY_PAYLOAD_MASK) >> TOY_PAYLOAD_SHIFT;
}

static inline pt_pa_t fmt_table_pa_clean(pte_t pte)
{
	return fmt_table_pa(pte);
}

static inline pte_t fmt_mark(uint64_t mark)
{
	return mark << TOY_PAYLOAD_SHIFT | TOY_MARK;
}

static inline uint64_t fmt_mark_value(pte_t pte)
{
	return (pte & TOY_PAYLOAD_MASK) >> TOY_PAYLOAD_SHIFT;
}

static inline bool fmt_translates(pte_t pte)
{
	return pte & TOY_PROP(PT_READ);
}

/* As on x86-64: D may come late, after W has gone. */
static inline bool fmt_hw_writes(pte_t pte)
{
	const pte_t both = TOY_PROP(PT_ACCESSED | PT_DIRTY);

	return fmt_translates(pte) && (pte & both) != both;
}

static inline pte_t fmt_touched(pte_t pte, bool write)
{
	return pte | TOY_PROP(PT_ACCESSED) | (write ? TOY_PROP(PT_DIRTY) : 0);
}

/* As on x86-64, see there. */
static FMT_INLINE bool fmt_needs_flush(pte_t old, pte_t new)
{
	const pte_t granted = TOY_PROP(PT_WRITE | PT_EXEC | PT_DIRTY);
	const pte_t ignored = TOY_PROP(PT_ACCESSED | PT_SOFT0 | PT_SOFT1 | PT_TRACKED);

	if (!fmt_translates(old))
		return false;
	if ((old ^ new) & ~(granted | ignored | FMT_STRATEGY_MASK))
		return true;
	return (old & granted) & ~new;
}

#endif

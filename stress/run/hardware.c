/* SPDX-License-Identifier: MIT */
/* Compiled with the header of a format, and HARDWARE_NAME. */
#include <stdatomic.h>

#include "frames.h"
#include "hardware.h"
#include "inject.h"

static inline unsigned shift_of(unsigned level)
{
	return FMT_PAGE_SHIFT + FMT_INDEX_BITS * (level - 1);
}

/* What the address has in common with all that a table of @level spans. */
static inline uint64_t tag_of(pt_va_t va, unsigned level)
{
	uint64_t inside = va & ((UINT64_C(1) << FMT_VA_BITS) - 1);

	return (inside >> shift_of(level + 1)) + 1;
}

static inline bool is_memory(const struct memory *m, pt_pa_t pa)
{
	return pa >= m->first && pa <= m->last - ((UINT64_C(1) << FMT_NODE_SHIFT) - 1);
}

/* The lowest table that is cached, else the root. */
static unsigned begin_at(const struct structure_cache *cache, pt_pa_t root, pt_va_t va,
			 pt_pa_t *ret_table)
{
	for (unsigned level = 1; level < FMT_LEVELS; level++) {
		uint64_t tag = tag_of(va, level);
		unsigned way = tag % STRUCTURE_WAYS;

		if (cache->of[level - 1][way].tag == tag) {
			*ret_table = cache->of[level - 1][way].table;
			return level;
		}
	}
	*ret_table = root;
	return FMT_LEVELS;
}

static void keep(struct structure_cache *cache, unsigned level, pt_va_t va, pt_pa_t table)
{
	uint64_t tag = tag_of(va, level);
	unsigned way = tag % STRUCTURE_WAYS;

	cache->of[level - 1][way].tag = tag;
	cache->of[level - 1][way].table = table;
}

static inline _Atomic pte_t *entry_of(const struct memory *m, pt_pa_t table, pt_va_t va,
				      unsigned level)
{
	unsigned index = (unsigned)(va >> shift_of(level)) & ((1u << FMT_INDEX_BITS) - 1);

	return (_Atomic pte_t *)(table + m->offset) + index;
}

/* Set what the access sets. Return: is the entry still what it was? */
static bool touch(_Atomic pte_t *entry, pte_t pte, bool write, struct translation *ret)
{
	pte_t touched = fmt_touched(pte, write);

	inject_here();
	if (touched != pte &&
	    !atomic_compare_exchange_strong_explicit(entry, &pte, touched, memory_order_acq_rel,
						     memory_order_relaxed))
		return false;
	ret->dirty = fmt_leaf_prop(touched, 1) & PT_DIRTY;
	ret->dirtied = ret->dirty && !(fmt_leaf_prop(pte, 1) & PT_DIRTY);
	return true;
}

static enum walked walk(const struct memory *m, struct structure_cache *cache, pt_pa_t root,
			pt_va_t va, bool write, struct translation *ret)
{
	_Atomic pte_t *entry;
	unsigned level;
	pt_pa_t table;
	pte_t pte;

again:
	level = begin_at(cache, root, va, &table);
	for (;; level--) {
		if (!is_memory(m, table))
			return WALK_WILD;
		entry = entry_of(m, table, va, level);
		/* Acquire, as hardware follows pointers in order. */
		pte = atomic_load_explicit(entry, memory_order_acquire);
		if (!fmt_is_table(pte, level))
			break;
		table = fmt_table_pa(pte);
		keep(cache, level - 1, va, table);
	}
	if (!fmt_translates(pte))
		return WALK_ABSENT;
	ret->write = fmt_leaf_prop(pte, level) & PT_WRITE;
	if (write && !ret->write)
		return WALK_DENIED;
	if (!touch(entry, pte, write, ret))
		goto again;
	ret->pa = fmt_leaf_pa(pte, level) + (va & ((UINT64_C(1) << shift_of(level)) - 1));
	return WALK_DONE;
}

static void forget(struct structure_cache *cache, pt_va_t first, pt_va_t last)
{
	for (unsigned level = 1; level < FMT_LEVELS; level++) {
		uint64_t from = tag_of(first, level), to = tag_of(last, level);

		for (unsigned way = 0; way < STRUCTURE_WAYS; way++)
			if (cache->of[level - 1][way].tag >= from &&
			    cache->of[level - 1][way].tag <= to)
				cache->of[level - 1][way].tag = 0;
	}
}

static uint64_t garbage(void)
{
	return fmt_leaf(GARBAGE_PA, PT_READ | PT_WRITE | PT_USER, 1);
}

extern const struct hardware HARDWARE_NAME;
const struct hardware HARDWARE_NAME = {
	.format = FMT_NAME,
	.walk = walk,
	.forget = forget,
	.garbage = garbage,
};

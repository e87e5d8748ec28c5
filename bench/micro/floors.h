/* SPDX-License-Identifier: MIT */
/*
 * Floors: what each operation costs at least, to measure the library by. A hand-written page table
 * in the format of x86-64, 4 levels, that leaves out whatever a single thread that makes no mistakes
 * could do without: no lock, no RCU, no second format, no counts, no range but a page and a table,
 * no check of alignment. Its functions are inlined into the loops that measure them.
 *
 * What it keeps is what no implementation can do without:
 *   - entries are physical addresses, and hardware reads them, so accesses are atomic;
 *   - hardware also writes accessed and dirty bits, so protect is a compare-exchange and unmap an
 *     exchange;
 *   - mapping what is mapped, and unmapping what is not, is noticed; tables are built on demand;
 *   - a table is complete before it is published; one that is used again is zeroed first;
 *   - the number of pages removed is known: counted, because nothing else knows it.
 * Nodes lie in one piece of memory for which huge pages are asked.
 */
#ifndef BENCH_MICRO_FLOORS_H
#define BENCH_MICRO_FLOORS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FLOOR_LEVELS 4
#define FLOOR_SLOTS 512u
#define FLOOR_NODE_BYTES 4096u
#define FLOOR_PAGE UINT64_C(4096)
#define FLOOR_TABLE_SPAN (FLOOR_SLOTS * FLOOR_PAGE)

#define FLOOR_P (UINT64_C(1) << 0)
#define FLOOR_W (UINT64_C(1) << 1)
#define FLOOR_U (UINT64_C(1) << 2)
#define FLOOR_A (UINT64_C(1) << 5)
#define FLOOR_PS (UINT64_C(1) << 7)
#define FLOOR_TABLE (UINT64_C(1) << 9) /* ignored by hardware: one test tells tables from leaves */
#define FLOOR_NX (UINT64_C(1) << 63)
#define FLOOR_ADDRESS UINT64_C(0x000ffffffffff000)

typedef _Atomic uint64_t floor_slot;

/* Physical address 0 is no node. */
struct floor {
	uintptr_t off;  /* address of a node - its physical address */
	uint64_t root;  /* physical, as all addresses of nodes below */
	uint64_t free;  /* given back; the first word of each is the next one; 0: none */
	uint64_t fresh; /* never used, zeroed by the system, up to: */
	uint64_t end;
	void *memory;
	size_t bytes;
};

/* Room for @nodes nodes, the root included. Return: 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int floor_create(struct floor *f, size_t nodes);
void floor_destroy(struct floor *f);

static inline floor_slot *floor_node(const struct floor *f, uint64_t pa)
{
	return (floor_slot *)(f->off + pa);
}

static inline unsigned floor_index(uint64_t va, unsigned level)
{
	return (va >> (12 + 9 * (level - 1))) & (FLOOR_SLOTS - 1);
}

/* The slot of `level` that covers @va, in the node at @pa. */
static inline floor_slot *floor_slot_of(const struct floor *f, uint64_t pa, uint64_t va,
					unsigned level)
{
	return &floor_node(f, pa)[floor_index(va, level)];
}

static inline uint64_t floor_load(floor_slot *slot)
{
	return atomic_load_explicit(slot, memory_order_acquire);
}

/* A zeroed node, or 0. */
static inline uint64_t floor_take(struct floor *f)
{
	uint64_t pa = f->free;

	if (pa) {
		f->free = atomic_load_explicit(floor_node(f, pa), memory_order_relaxed);
		memset((void *)floor_node(f, pa), 0, FLOOR_NODE_BYTES);
	} else if (f->fresh < f->end) {
		pa = f->fresh;
		f->fresh += FLOOR_NODE_BYTES;
	}
	return pa;
}

static inline void floor_give(struct floor *f, uint64_t pa)
{
	atomic_store_explicit(floor_node(f, pa), f->free, memory_order_relaxed);
	f->free = pa;
}

/*
 * Physical address of @va, and the bits of its entry that are no address; false if nothing is mapped.
 */
static inline bool floor_query(const struct floor *f, uint64_t va, uint64_t *ret_pa,
			       uint64_t *ret_flags)
{
	uint64_t pte = f->root, inside;
	unsigned level = FLOOR_LEVELS + 1;

	_Pragma("GCC unroll 4") do
	{
		level--;
		pte = floor_load(floor_slot_of(f, pte & FLOOR_ADDRESS, va, level));
	}
	while (level > 1 && (pte & FLOOR_TABLE))
		;
	if (!(pte & FLOOR_P))
		return false;
	inside = (FLOOR_PAGE << (9 * (level - 1))) - 1;
	*ret_pa = (pte & FLOOR_ADDRESS & ~inside) | (va & inside);
	*ret_flags = pte & ~FLOOR_ADDRESS;
	return true;
}

/* The slot of `to` that covers @va; NULL if there is no table for it. */
static inline floor_slot *floor_find(const struct floor *f, uint64_t va, unsigned to)
{
	uint64_t pte = f->root | FLOOR_TABLE;
	unsigned level;

	_Pragma("GCC unroll 4") for (level = FLOOR_LEVELS; level > to; level--)
	{
		pte = floor_load(floor_slot_of(f, pte & FLOOR_ADDRESS, va, level));
		if (!(pte & FLOOR_TABLE))
			return NULL;
	}
	return floor_slot_of(f, pte & FLOOR_ADDRESS, va, to);
}

/* The same, building tables on the way; NULL if a huge page is in the way or there is no node. */
static inline floor_slot *floor_build(struct floor *f, uint64_t va, unsigned to)
{
	uint64_t node = f->root;
	unsigned level;

	_Pragma("GCC unroll 4") for (level = FLOOR_LEVELS; level > to; level--)
	{
		floor_slot *slot = floor_slot_of(f, node, va, level);
		uint64_t pte = floor_load(slot);

		if (!(pte & FLOOR_TABLE)) {
			if (pte)
				return NULL;
			pte = floor_take(f);
			if (!pte)
				return NULL;
			pte |= FLOOR_P | FLOOR_W | FLOOR_U | FLOOR_A | FLOOR_TABLE;
			atomic_store_explicit(slot, pte, memory_order_release);
		}
		node = pte & FLOOR_ADDRESS;
	}
	return floor_slot_of(f, node, va, to);
}

/* Map one page; false if something is mapped there, or there is no node. */
static inline bool floor_map(struct floor *f, uint64_t va, uint64_t pte)
{
	floor_slot *slot = floor_build(f, va, 1);

	if (!slot || atomic_load_explicit(slot, memory_order_relaxed))
		return false;
	atomic_store_explicit(slot, pte, memory_order_release);
	return true;
}

/* Unmap one page; false if none is mapped. */
static inline bool floor_unmap(struct floor *f, uint64_t va)
{
	floor_slot *slot = floor_find(f, va, 1);

	return slot && (atomic_exchange_explicit(slot, 0, memory_order_relaxed) & FLOOR_P);
}

/* Map the 512 pages of a leaf table that does not exist yet. */
static inline bool floor_map_table(struct floor *f, uint64_t va, uint64_t pte)
{
	floor_slot *slot = floor_build(f, va, 2), *leaf;
	uint64_t node;
	unsigned i;

	if (!slot || atomic_load_explicit(slot, memory_order_relaxed))
		return false;
	node = floor_take(f);
	if (!node)
		return false;
	leaf = floor_node(f, node);
	for (i = 0; i < FLOOR_SLOTS; i++, pte += FLOOR_PAGE)
		atomic_store_explicit(&leaf[i], pte, memory_order_relaxed);
	node |= FLOOR_P | FLOOR_W | FLOOR_U | FLOOR_A | FLOOR_TABLE;
	atomic_store_explicit(slot, node, memory_order_release);
	return true;
}

/* Detach a leaf table whole. Return: pages that were mapped in it. */
static inline unsigned floor_unmap_table(struct floor *f, uint64_t va)
{
	floor_slot *slot = floor_find(f, va, 2), *leaf;
	unsigned i, pages = 0;
	uint64_t pte;

	if (!slot)
		return 0;
	pte = atomic_load_explicit(slot, memory_order_relaxed);
	if (!(pte & FLOOR_TABLE))
		return 0;
	leaf = floor_node(f, pte & FLOOR_ADDRESS);
	for (i = 0; i < FLOOR_SLOTS; i++)
		pages += atomic_load_explicit(&leaf[i], memory_order_relaxed) & FLOOR_P;
	atomic_store_explicit(slot, 0, memory_order_relaxed);
	floor_give(f, pte & FLOOR_ADDRESS);
	return pages;
}

/* New flags (old & ~clear) | set for one page; false if none is mapped. */
static inline bool floor_protect(struct floor *f, uint64_t va, uint64_t set, uint64_t clear)
{
	floor_slot *slot = floor_find(f, va, 1);
	uint64_t pte;

	if (!slot)
		return false;
	pte = atomic_load_explicit(slot, memory_order_relaxed);
	do {
		if (!(pte & FLOOR_P))
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		slot, &pte, (pte & ~clear) | set, memory_order_relaxed, memory_order_relaxed));
	return true;
}

#endif

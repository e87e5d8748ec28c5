/* SPDX-License-Identifier: MIT */
/*
 * What a format is: a pure codec between PTE values and their meaning. No memory access.
 *
 * A format header defines the constants below and the functions as `static inline`. This file is
 * included after it and declares them again, so that a wrong signature is a compile error.
 *
 *   FMT_NAME          "x86_64"
 *   FMT_LEVELS        levels of the tree; the root is at this level, leaf tables at level 1
 *   FMT_INDEX_BITS    log2 of slots per node, the same at each level
 *   FMT_PAGE_SHIFT    log2 of the base page
 *   FMT_VA_BITS       bits of a virtual address that the tree translates
 *   FMT_PA_BITS       physical addresses are below 1 << FMT_PA_BITS
 *   FMT_SIGN_EXTENDED 1: the bits above are copies of the highest translated bit; 0: each table
 *                     has its own, pt_config.leading
 *   FMT_LEAF_LEVELS   bit l set: level l may hold leaves
 *   FMT_NODE_SHIFT    log2 of the bytes of a node
 *   FMT_PROPS         property bits a leaf can carry, cache policies aside
 *   FMT_BIT_PROPS     those of them that are bits of an entry, independent of all else in it
 *   FMT_CACHES        bit p set: enum pt_cache value p can be expressed
 *   FMT_MARK_BITS     marks are below 1 << FMT_MARK_BITS
 *   FMT_STRATEGY_MASK bits of every slot kind that no encoding uses: free for strategies
 *   FMT_FROZEN        the value of a FROZEN slot
 *
 * EMPTY is the all-zero value with every format. Every encoding of MARK, LEAF, TABLE and FROZEN is
 * non-zero, and leaves the FMT_STRATEGY_MASK bits zero. Decoders ignore those bits.
 */
#ifndef PT_ARCH_CONTRACT_H
#define PT_ARCH_CONTRACT_H

#include "pte.h"

/* What kind of slot content `pte` is, in a node of `level`; at level 1 never a TABLE. */
static FMT_INLINE enum pt_kind fmt_kind(pte_t pte, unsigned level);

/* fmt_kind(pte, level) == PT_KIND_TABLE, in as few instructions as possible. */
static inline bool fmt_is_table(pte_t pte, unsigned level);

/*
 * Can a leaf of `level` have these properties? PT_ACCESSED, PT_DIRTY and the software bits
 * included.
 */
static inline bool fmt_prop_valid(pt_prop_t prop, unsigned level);

/* A leaf of `level`; `pa` aligned to its size and in range, `prop` valid. */
static inline pte_t fmt_leaf(pt_pa_t pa, pt_prop_t prop, unsigned level);
static inline pt_pa_t fmt_leaf_pa(pte_t pte, unsigned level);
static inline pt_prop_t fmt_leaf_prop(pte_t pte, unsigned level);

/*
 * The leaf with properties (old & ~clear) | set, all else the same, without decoding it. All of @set
 * and @clear is among FMT_BIT_PROPS, and what results is valid.
 */
static FMT_INLINE pte_t fmt_leaf_set_bits(pte_t pte, pt_prop_t set, pt_prop_t clear);

/*
 * What to add to this leaf, and to any that differs from it in its address only, so that it maps
 * what lies `bytes` behind, a multiple of its size. So a run of leaves takes one addition each.
 */
static inline uint64_t fmt_leaf_stride(pte_t pte, uint64_t bytes);

/* The leaf for `pa`, of what fmt_leaf() makes for address 0. */
static inline pte_t fmt_leaf_move(pte_t pte, pt_pa_t pa);

/* A reference to the node at `pa`, permitting everything its leaves permit. */
static inline pte_t fmt_table(pt_pa_t pa);
static inline pt_pa_t fmt_table_pa(pte_t pte);

/* The same of an entry that carries no bits of a strategy. */
static inline pt_pa_t fmt_table_pa_clean(pte_t pte);

/* Software state, `mark` < 1 << FMT_MARK_BITS. */
static inline pte_t fmt_mark(uint64_t mark);
static inline uint64_t fmt_mark_value(pte_t pte);

/* Does the MMU use this leaf? (A leaf without PT_READ, say, it may not.) */
static inline bool fmt_translates(pte_t pte);

/*
 * May the hardware change this leaf, setting accessed or dirty? If so, software must change it by
 * compare-exchange.
 */
static inline bool fmt_hw_writes(pte_t pte);

/* The leaf after the hardware has used it. */
static inline pte_t fmt_touched(pte_t pte, bool write);

/* Must cached translations of `old` be flushed when it becomes `new`? Both leaves or EMPTY. */
static FMT_INLINE bool fmt_needs_flush(pte_t old, pte_t new);

#endif

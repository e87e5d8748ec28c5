/* SPDX-License-Identifier: MIT */
/*
 * x86-64, 4-level paging. Source: Intel SDM volume 3, chapter 4.5, tables 4-15 to 4-20.
 *
 *   bit     leaf                         table       absent leaf    mark         frozen
 *   0       P = 1                        P = 1       0              0            0
 *   1       W                            1           W              0            0
 *   2       U                            1           U              0            0
 *   3, 4    PWT, PCD: PAT index 0 and 1  0           like a leaf    0            0
 *   5       A                            1           A              0            0
 *   6       D                            0           D              0            0
 *   7       level 1: PAT index 2; else PS = 1   0    like a leaf    0            0
 *   8       G                            0           G              0            0
 *   9       0                            1           0              0            0
 *   10, 11  PT_SOFT0, PT_SOFT1           0           like a leaf    0            0
 *   12      level > 1: PAT index 2       address     like a leaf    payload      1
 *   12-51   frame                        address     ~frame         ~payload     1
 *   52      PT_TRACKED                   0           PT_TRACKED     0            0
 *   53      0                            0           1              0            0
 *   54      0                            0           0              1            0
 *   55      0                            0           0              0            1
 *   57, 58  left to strategies           the same    the same       the same     the same
 *   63      NX                           0           NX             0            0
 *
 * Bits 9-11 and 52-58 are ignored by the MMU. So one of them says that an entry is a table, and the
 * walk's test is a single instruction that needs no level.
 *
 * The embedder programs the PAT register as write-back, write-through, write-combining, uncached,
 * write-protected, uncached, uncached, uncached, sets CR0.WP and CR4.PGE, and leaves shadow stacks
 * off (they give W = 0, D = 1 a meaning of its own) as well as protection keys.
 */
#ifndef PT_ARCH_X86_64_H
#define PT_ARCH_X86_64_H

#include "pte.h"

#define FMT_NAME "x86_64"
#define FMT_LEVELS 4
#define FMT_INDEX_BITS 9
#define FMT_PAGE_SHIFT 12
#define FMT_VA_BITS 48
#define FMT_PA_BITS 52
#define FMT_SIGN_EXTENDED 1
#define FMT_LEAF_LEVELS 0x0eu
#define FMT_NODE_SHIFT 12
#define FMT_PROPS                                                                                 \
	(PT_READ | PT_WRITE | PT_EXEC | PT_USER | PT_GLOBAL | PT_ACCESSED | PT_DIRTY | PT_SOFT0 | \
	 PT_SOFT1 | PT_TRACKED)
/* P decides about the address, and cache policies are no single bits. */
#define FMT_BIT_PROPS (FMT_PROPS & ~(PT_READ | PT_TRACKED))
#define FMT_CACHES 0x1fu
#define FMT_MARK_BITS 32
#define FMT_STRATEGY_MASK (UINT64_C(3) << 57)

#define X86_P (UINT64_C(1) << 0)
#define X86_W (UINT64_C(1) << 1)
#define X86_U (UINT64_C(1) << 2)
#define X86_PWT (UINT64_C(1) << 3)
#define X86_PCD (UINT64_C(1) << 4)
#define X86_A (UINT64_C(1) << 5)
#define X86_D (UINT64_C(1) << 6)
#define X86_PS (UINT64_C(1) << 7)
#define X86_G (UINT64_C(1) << 8)
#define X86_TABLE (UINT64_C(1) << 9)
#define X86_SOFT0 (UINT64_C(1) << 10)
#define X86_SOFT1 (UINT64_C(1) << 11)
#define X86_TRACKED (UINT64_C(1) << 52)
#define X86_ABSENT (UINT64_C(1) << 53)
#define X86_MARK (UINT64_C(1) << 54)
#define X86_FROZEN (UINT64_C(1) << 55)
#define X86_NX (UINT64_C(1) << 63)
#define X86_ADDRESS UINT64_C(0x000ffffffffff000)

/*
 * Some processors load speculatively through entries that are not present, with the address they
 * hold (L1TF). Every non-present kind but EMPTY therefore has ones in the highest address bits, or
 * the inverse of a frame that exists.
 */
#define FMT_FROZEN (X86_FROZEN | X86_ADDRESS)

static inline bool fmt_translates(pte_t pte)
{
	return pte & X86_P;
}

static inline bool fmt_is_table(pte_t pte, unsigned level)
{
	return level > 1 && (pte & X86_TABLE);
}

static FMT_INLINE enum pt_kind fmt_kind(pte_t pte, unsigned level)
{
	if (fmt_is_table(pte, level))
		return PT_KIND_TABLE;
	if (pte & (X86_P | X86_ABSENT))
		return PT_KIND_LEAF;
	if (!(pte & ~FMT_STRATEGY_MASK))
		return PT_KIND_EMPTY;
	return pte & X86_FROZEN ? PT_KIND_FROZEN : PT_KIND_MARK;
}

static inline bool fmt_prop_valid(pt_prop_t prop, unsigned level)
{
	(void)level;
	return !(prop & ~(FMT_PROPS | PT_CACHE_MASK)) && PT_CACHE_OF(prop) < PT_CACHE_NR;
}

/* The address bits of a leaf; bit 12 of a huge one is not among them. */
static inline pte_t x86_frame_mask(unsigned level)
{
	return X86_ADDRESS & (~UINT64_C(0) << (FMT_PAGE_SHIFT + FMT_INDEX_BITS * (level - 1)));
}

/* PAT index bit 2 makes way for PS in huge leaves. */
static inline unsigned x86_pat_shift(unsigned level)
{
	return level > 1 ? 12 : 7;
}

/*
 * PAT index of each enum pt_cache value and back, a hexadecimal digit each, the lowest for 0: write
 * protected is 3 here and 4 there, uncached 4 and 3, and indices above 4 are uncached, too.
 */
#define X86_PAT_OF_CACHE 0x34210u
#define X86_CACHE_OF_PAT 0x44434210u

static inline pte_t x86_cache_bits(enum pt_cache cache, unsigned level)
{
	pte_t index = X86_PAT_OF_CACHE >> 4 * cache & 7;

	return (index & 3) << 3 | (index >> 2) << x86_pat_shift(level);
}

static inline enum pt_cache x86_cache_of(pte_t pte, unsigned level)
{
	unsigned index = (pte >> 3 & 3) | (pte >> x86_pat_shift(level) & 1) << 2;

	return (enum pt_cache)(X86_CACHE_OF_PAT >> 4 * index & 7);
}

/* Properties that are the same bit in an entry: P, W, U, A, D, G and the software bits. */
#define X86_SAME \
	(PT_READ | PT_WRITE | PT_USER | PT_ACCESSED | PT_DIRTY | PT_GLOBAL | PT_SOFT0 | PT_SOFT1)

static inline pte_t fmt_leaf(pt_pa_t pa, pt_prop_t prop, unsigned level)
{
	pte_t pte = prop & X86_SAME;

	pte |= (pte_t)(prop & PT_TRACKED) << 43;
	pte |= (pte_t)(~prop & PT_EXEC) << 60;
	if (prop & PT_CACHE_MASK)
		pte |= x86_cache_bits(PT_CACHE_OF(prop), level);
	if (level > 1)
		pte |= X86_PS;
	if (prop & PT_READ)
		return pte | pa;
	return pte | X86_ABSENT | (~pa & x86_frame_mask(level));
}

static inline pt_pa_t fmt_leaf_pa(pte_t pte, unsigned level)
{
	return (fmt_translates(pte) ? pte : ~pte) & x86_frame_mask(level);
}

static inline pt_prop_t fmt_leaf_prop(pte_t pte, unsigned level)
{
	pt_prop_t prop = (pt_prop_t)pte & X86_SAME;

	prop |= (pt_prop_t)(pte >> 43) & PT_TRACKED;
	prop |= (pt_prop_t)(~pte >> 60) & PT_EXEC;
	/* Nearly all memory is write-back, and a test is cheaper than the look-up. */
	if (pte & (UINT64_C(3) << 3 | UINT64_C(1) << x86_pat_shift(level)))
		prop |= PT_CACHE(x86_cache_of(pte, level));
	return prop;
}

static FMT_INLINE pte_t fmt_leaf_set_bits(pte_t pte, pt_prop_t set, pt_prop_t clear)
{
	pt_prop_t same =
		X86_SAME; /* need not be masked where EXEC, the only other, does not occur */

	if (__builtin_expect(!((set | clear) & PT_EXEC), 1))
		return (pte & ~(pte_t)clear) | set;
	pte = (pte & ~(pte_t)(clear & same)) | (set & same);
	pte |= (pte_t)(clear & PT_EXEC) << 60;
	return pte & ~((pte_t)(set & PT_EXEC) << 60);
}

/* Of a leaf that is not present, all address bits are inverted. */
static inline uint64_t fmt_leaf_stride(pte_t pte, uint64_t bytes)
{
	return pte & X86_P ? bytes : -bytes;
}

/* Address bits are all zero; or, as they are inverted, all one. */
static inline pte_t fmt_leaf_move(pte_t pte, pt_pa_t pa)
{
	return pte ^ pa;
}

/* A is set at once, so that the MMU never has to write to a table entry. */
static inline pte_t fmt_table(pt_pa_t pa)
{
	return pa | X86_P | X86_W | X86_U | X86_A | X86_TABLE;
}

static inline pt_pa_t fmt_table_pa(pte_t pte)
{
	return pte & X86_ADDRESS;
}

/* Nobody, not even the MMU, changes these flags: what is subtracted becomes a displacement. */
static inline pt_pa_t fmt_table_pa_clean(pte_t pte)
{
	return pte - fmt_table(0);
}

static inline pte_t fmt_mark(uint64_t mark)
{
	return X86_MARK | (X86_ADDRESS ^ mark << FMT_PAGE_SHIFT);
}

static inline uint64_t fmt_mark_value(pte_t pte)
{
	return (pte & X86_ADDRESS) >> FMT_PAGE_SHIFT ^ X86_ADDRESS >> FMT_PAGE_SHIFT;
}

/*
 * Also true of a leaf that is not writable: a processor that found it writable may still be about
 * to set D, and some do so without looking at W again.
 */
static inline bool fmt_hw_writes(pte_t pte)
{
	return (pte & X86_P) && (pte & (X86_A | X86_D)) != (X86_A | X86_D);
}

static inline pte_t fmt_touched(pte_t pte, bool write)
{
	return pte | X86_A | (write ? X86_D : 0);
}

/*
 * The MMU caches what translates. A processor that holds on to less than the new entry permits
 * faults, looks again and is right, so granting W or execution needs no flush. Granting U does: it
 * takes execution (SMEP) and data access (SMAP) from the kernel. D that is cleared must not stay
 * cached, or the next write would not set it. A is cleared without a flush: that at worst hides a
 * use of a page still in the TLB from the next look at the bit, which is only a hint for choosing
 * victims, while a flush per look is what would cost. Hence A = 0 does not mean `not cached`.
 */
static FMT_INLINE bool fmt_needs_flush(pte_t old, pte_t new)
{
	const pte_t granted = X86_W | X86_D; /* may be set without a flush, not cleared */
	const pte_t ignored = X86_A | X86_SOFT0 | X86_SOFT1 | X86_TRACKED | FMT_STRATEGY_MASK;
	pte_t cleared = old & ~new;
	pte_t set = new & ~old;

	if (!fmt_translates(old))
		return false;
	if ((set | cleared) & ~(granted | X86_NX | ignored))
		return true;
	return (cleared & granted) || (set & X86_NX);
}

#endif

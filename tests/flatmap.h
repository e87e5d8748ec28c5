/* SPDX-License-Identifier: MIT */
/*
 * The sequential specification: what a table maps, as a sorted list of extents. It knows leaves and
 * marks but no nodes, and does each thing in the plainest way.
 */
#ifndef PT_TESTS_FLATMAP_H
#define PT_TESTS_FLATMAP_H

#include "pagetree.h"

/* Leaves of one level, side by side in both address spaces; or marked pages. */
struct extent {
	pt_va_t first, last;
	enum pt_kind kind; /* LEAF or MARK */
	unsigned level;    /* of the leaves */
	pt_pa_t pa;        /* at `first` */
	pt_prop_t prop;
	uint64_t mark;
};

struct flatmap {
	const struct pt_format_info *format;
	struct extent *extents;
	size_t n, capacity;
};

void flat_init(struct flatmap *m, const struct pt_format_info *format);
void flat_free(struct flatmap *m);
void flat_copy(struct flatmap *to, const struct flatmap *from);

/* The extent that covers @va, or NULL. */
const struct extent *flat_at(const struct flatmap *m, pt_va_t va);
/* Index of the first extent that ends at or behind @va. */
size_t flat_lower(const struct flatmap *m, pt_va_t va);

/* Address of the leaf of extent @e that covers @va. */
pt_va_t flat_leaf_va(const struct flatmap *m, const struct extent *e, pt_va_t va);

bool flat_any_leaf(const struct flatmap *m, pt_va_t first, pt_va_t last);
/* Base pages mapped. */
uint64_t flat_pages(const struct flatmap *m, pt_va_t first, pt_va_t last);
/* First mapped address in the range; false if there is none. */
bool flat_next(const struct flatmap *m, pt_va_t first, pt_va_t last, pt_va_t *ret_va);

/* Does a leaf begin before @va and end behind it? */
bool flat_cuts_leaf(const struct flatmap *m, pt_va_t va);

/* Replace the huge leaf that covers @va by leaves one level down. */
void flat_split_leaf(struct flatmap *m, pt_va_t va);
/* No extent, and no leaf, crosses the boundary before @va any more. */
void flat_cut(struct flatmap *m, pt_va_t va);
/* Cut at both ends. */
void flat_cut_range(struct flatmap *m, pt_va_t first, pt_va_t last);

/* Cuts at both ends and leaves the range empty. */
void flat_clear(struct flatmap *m, pt_va_t first, pt_va_t last);
/* Into an empty range. */
void flat_insert(struct flatmap *m, const struct extent *e);
/* Cut at both ends, then (prop & ~clear) | set for all leaves in the range. */
void flat_protect(struct flatmap *m, pt_va_t first, pt_va_t last, pt_prop_t set, pt_prop_t clear);
/* The same for the one leaf that covers @va. */
void flat_protect_leaf(struct flatmap *m, pt_va_t va, pt_prop_t set, pt_prop_t clear);

/* Level of the largest leaf at the front of a mapping of @pages base pages. */
unsigned flat_largest(const struct flatmap *m, pt_va_t va, pt_pa_t pa, uint64_t pages,
		      unsigned max_level);
/* Map an empty range by the largest leaves. */
void flat_map(struct flatmap *m, pt_va_t first, pt_va_t last, pt_pa_t pa, pt_prop_t prop,
	      unsigned max_level);
/*
 * Merge blocks of the range whose leaves are one level lower, contiguous, and equal but for PT_ACCESSED
 * and PT_DIRTY, up to leaves of @max_level. Return: how many huge leaves were made.
 */
uint64_t flat_merge(struct flatmap *m, pt_va_t first, pt_va_t last, unsigned max_level);
void flat_mark(struct flatmap *m, pt_va_t first, pt_va_t last, uint64_t mark);

#endif

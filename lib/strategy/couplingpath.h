/* SPDX-License-Identifier: MIT */
/*
 * The nodes that a cursor or query of `coupling` holds on its way: in the ordinary way, or by a mark of its
 * thread (sync/bravo.h) if that is how the table's nodes are locked. What it holds is kept in words:
 *
 *   PATH_ROW   the thread's row of marks; 0: it has none, and all is held in the ordinary way
 *   PATH_MARK  what the mark is
 *   PATH_HELD  of the levels in it, those whose nodes are held by it; for the others it only asks
 *   PATH_NODES the nodes on the way, that of level 1 first; the root is known
 *
 * A mark is a bit for each level and above them the number of a page: who holds the nodes above a page shares
 * the slots that lead to it, so level and page name a node. A mark is left for all that is below at once, as
 * far as it may come to be held; so who finds all of it biased leaves one mark and takes it back, where
 * it would have changed two words of each node. While it waits for anything it asks for nothing:
 * path_settle() comes before.
 */
#ifndef PT_STRATEGY_COUPLINGPATH_H
#define PT_STRATEGY_COUPLINGPATH_H

#include "sync/bravo.h"
#include "sync/noderw.h"
#include "walk.h"

enum { PATH_ROW, PATH_MARK, PATH_HELD, PATH_NODES, PATH_WORDS = PATH_NODES + FMT_LEVELS - 1 };

#define PATH_LEVELS ((UINT64_C(1) << FMT_LEVELS) - 1)
#define PATH_PAGE_SHIFT 8

static_assert(FMT_LEVELS <= PATH_PAGE_SHIFT && FMT_PAGE_SHIFT >= PATH_PAGE_SHIFT,
	      "a mark has no room for levels and page");
static_assert(PATH_WORDS <= sizeof(((struct cursor *)0)->strategy) / sizeof(uint64_t),
	      "a cursor has too few words for its path");

static inline union noderw *lock_of(struct node *node)
{
	return (union noderw *)node->strategy;
}

static inline struct bravo *bravo_of(const struct pt_table *t)
{
	return *(struct bravo *const *)t->strategy;
}

static inline uint64_t path_bit(unsigned level)
{
	return UINT64_C(1) << (level - 1);
}

static inline uint64_t path_page(pt_va_t va)
{
	return va >> FMT_PAGE_SHIFT << PATH_PAGE_SHIFT;
}

/* Which marks concern the node of @level above @va: those that are like this in the bits of the mask. */
static inline uint64_t path_want(pt_va_t va, unsigned level)
{
	return path_page(va) | path_bit(level);
}

static inline uint64_t path_mask(unsigned level)
{
	return (level < FMT_LEVELS ? path_page(-level_size(level + 1)) : 0) | path_bit(level);
}

static PT_INLINE struct bravo_row *path_row(const uint64_t *path)
{
	return (struct bravo_row *)(uintptr_t)path[PATH_ROW];
}

/* Nothing is held yet. @make: the thread may get itself a row, which takes memory. */
static PT_INLINE void path_begin(uint64_t *path, const struct pt_table *t, unsigned slot,
				 enum nodelock_kind kind, bool make)
{
	struct bravo_row *row = NULL;

	if (noderw_has_bravo(kind)) {
		row = bravo_row(bravo_of(t), slot);
		if (make && unlikely(!row))
			row = bravo_make_row(bravo_of(t), slot);
	}
	path[PATH_ROW] = (uintptr_t)row;
	path[PATH_MARK] = 0;
	path[PATH_HELD] = 0;
	/* For compilers that do not see that what is read later has been written. */
	_Pragma("GCC unroll 8") for (unsigned i = PATH_NODES; i < PATH_WORDS; i++) path[i] = 0;
}

static PT_INLINE bool path_is_marked(const uint64_t *path, unsigned level)
{
	return path[PATH_HELD] & path_bit(level);
}

/* Ask by the mark for nothing more than what is held by it. */
static PT_INLINE void path_settle(uint64_t *path)
{
	uint64_t page = path[PATH_MARK] & ~PATH_LEVELS;
	uint64_t mark = path[PATH_HELD] ? page | path[PATH_HELD] : 0;

	if (likely(path[PATH_MARK] == mark))
		return;
	bravo_unclaim(path_row(path), mark);
	path[PATH_MARK] = mark;
}

/*
 * Get @lock, of the node of @level above @va, by a mark, which is left for the levels below, too, down to
 * @lowest. Return false, with nothing asked for any more, if it is not biased.
 */
static PT_INLINE bool path_mark(uint64_t *path, union noderw *lock, pt_va_t va, unsigned level,
				unsigned lowest)
{
	if (!path[PATH_ROW])
		return false;
	if (likely(bravo_seems_biased(&lock->fair))) {
		if (!(path[PATH_MARK] & path_bit(level))) {
			path[PATH_MARK] = path_page(va) | path[PATH_HELD] |
					  ((path_bit(level + 1) - 1) & ~(path_bit(lowest) - 1));
			bravo_claim(path_row(path), path[PATH_MARK]);
		}
		if (likely(bravo_is_biased(&lock->fair))) {
			path[PATH_HELD] |= path_bit(level);
			return true;
		}
	}
	path_settle(path);
	return false;
}

/* A reader has @lock in the ordinary way, and passes or reads. */
static PT_INLINE void path_passed(const uint64_t *path, union noderw *lock)
{
	if (path[PATH_ROW])
		bravo_read_slowly(&lock->fair);
}

/* Let go of all marks. What is held in the ordinary way has been released. */
static PT_INLINE void path_end(uint64_t *path)
{
	if (path[PATH_MARK])
		bravo_unclaim(path_row(path), 0);
}

static PT_INLINE struct node *path_node(const uint64_t *path, const struct pt_table *t,
					unsigned level)
{
	return level == FMT_LEVELS ? t->root
				   : (struct node *)(uintptr_t)path[PATH_NODES + level - 1];
}

static PT_INLINE void path_note(uint64_t *path, struct node *node, unsigned level)
{
	if (level < FMT_LEVELS)
		path[PATH_NODES + level - 1] = (uintptr_t)node;
}

/*
 * Release the nodes of @lowest and above, the lowest first; marks go last, and touch no node that by then may
 * be somebody's own.
 */
static PT_INLINE void path_leave(uint64_t *path, const struct pt_table *t, enum nodelock_kind kind,
				 unsigned lowest)
{
	_Pragma("GCC unroll 8") for (unsigned level = 1; level <= FMT_LEVELS; level++)
	{
		if (level >= lowest && !path_is_marked(path, level))
			noderw_read_unlock(lock_of(path_node(path, t, level)), kind);
	}
	path_end(path);
}

#endif

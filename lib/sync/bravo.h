/* SPDX-License-Identifier: MIT */
/*
 * BRAVO: a reader/writer lock whose readers, while it is *biased* to them, do not touch it. Each leaves a mark
 * where only it writes, and writers look for marks. What is here is for locks that form a path: one mark of a
 * reader names many of them, and is left and taken back by one store each.
 *
 * A mark is a word: a bit for each level of the path on which the reader holds, or is about to ask for, the
 * lock; above these the path. `want` and `mask` tell a writer which marks concern its lock: those that
 * agree with `want` in all bits of `mask`, which are the level's and the path's down to that level. So
 * no mark is taken for one of another lock, as it is where locks are hashed to marks; holders of two locks
 * that share a mark could wait for one another.
 *
 * 1. A reader has the lock if it has left its mark and *then* found the lock biased. Else it takes back what
 *    it has left, before it waits for anything: marks of who only asks hold up a writer, but nobody who waits.
 * 2. A lock is made biased only by who holds it as a reader in the ordinary way, and ends being so only by a
 *    writer, who has it for itself in the ordinary way. It clears the bias and *then* looks for marks, waiting
 *    for each to change (it revokes the bias). As these four are seq_cst [ORD-bias], either the reader's look
 *    at the bias comes after its clearing, and it has no lock, or its mark before the writer's look.
 * 3. A writer that finds no bias need not look for marks: who revoked it has waited for all of them, and none
 *    has been valid since. So whoever clears the bias and does not wait, since it only tries, puts it back
 *    before it leaves.
 * 4. What a writer did is known to readers that find the lock biased, because who made it so knew; what a
 *    reader did to the writer that reads what the mark has become [ORD-mark].
 *
 * Revoking costs a look at each thread's mark. For a while after that the lock is not biased again: until
 * BRAVO_INHIBIT ordinary reads have been made for each mark that was looked at, so that writers spend a small
 * part of the time so. They are counted loosely, by loads and stores of readers that may be many, and no
 * further than 255, for which there is room.
 *
 * Source: Dice and Kogan, BRAVO: biased locking for reader-writer locks (ATC 2019). Different here: marks
 * belong to threads and name locks exactly; there a mark is a place in a table of the process, by a hash of
 * thread and lock. Inhibition is by counting; there it is by a clock.
 */
#ifndef PT_SYNC_BRAVO_H
#define PT_SYNC_BRAVO_H

#include "phasefair.h"

#define BRAVO_INHIBIT 9u /* as in the paper, where it is of time */

#define BRAVO_GROUP_ROWS 64u

/* A thread's. It has at most one cursor, or one query, on a table at a time. */
struct bravo_row {
	_Alignas(64) _Atomic uint64_t mark; /* 0: none. Written by the thread only */
	bool counted;                       /* `rows` says so; the thread's */
};

struct bravo_group {
	struct bravo_row rows[BRAVO_GROUP_ROWS];
};

/* Of a table. Threads have numbers, and groups of these are made on first use, as those of counters. */
struct bravo {
	_Atomic uint32_t rows; /* all marks are in rows below this */
	uint32_t nr_groups;
	_Atomic(struct bravo_group *) groups[];
};

/* Marks for threads with numbers below @threads; NULL when out of memory. */
static inline struct bravo *bravo_create(unsigned threads)
{
	unsigned nr_groups = (threads + BRAVO_GROUP_ROWS - 1) / BRAVO_GROUP_ROWS;
	struct bravo *b = port_alloc(sizeof(*b) + nr_groups * sizeof(b->groups[0]));

	if (b)
		b->nr_groups = nr_groups;
	return b;
}

static inline void bravo_destroy(struct bravo *b)
{
	for (unsigned i = 0; i < b->nr_groups; i++)
		port_free(atomic_load_explicit(&b->groups[i], memory_order_relaxed));
	port_free(b);
}

/* ---- rows ---- */

/* The row of thread number @slot; NULL if it has none. */
static PORT_INLINE struct bravo_row *bravo_row(struct bravo *b, unsigned slot)
{
	struct bravo_group *group;

	if (__builtin_expect(slot / BRAVO_GROUP_ROWS >= b->nr_groups, 0))
		return NULL;
	/* [ORD-rows] acq: the group is zeroed, by whichever thread made it; pairs with bravo_make_row() */
	group = atomic_load_explicit(&b->groups[slot / BRAVO_GROUP_ROWS], memory_order_acquire);
	if (__builtin_expect(!group || !group->rows[slot % BRAVO_GROUP_ROWS].counted, 0))
		return NULL;
	return &group->rows[slot % BRAVO_GROUP_ROWS];
}

/*
 * What readers write here, and writers read, is seq_cst as the marks are, and comes before them.
 */
static inline struct bravo_group *bravo_make_group(_Atomic(struct bravo_group *) *place)
{
	/* [ORD-rows] acq: as bravo_row() */
	struct bravo_group *seen = atomic_load_explicit(place, memory_order_acquire);
	struct bravo_group *made;

	if (seen)
		return seen;
	made = port_alloc(sizeof(*made));
	if (!made)
		return NULL;
	/* [ORD-rows] seq_cst: the group is zeroed; pairs with bravo_row(), bravo_mark_of() */
	if (atomic_compare_exchange_strong_explicit(place, &seen, made, memory_order_seq_cst,
						    memory_order_seq_cst))
		return made;
	port_free(made);
	return seen;
}

/* Make the row of the calling thread, whose number is @slot; NULL without memory or number. */
static PORT_COLD struct bravo_row *bravo_make_row(struct bravo *b, unsigned slot)
{
	struct bravo_group *group;
	struct bravo_row *row;
	uint32_t rows;

	if (slot / BRAVO_GROUP_ROWS >= b->nr_groups)
		return NULL;
	group = bravo_make_group(&b->groups[slot / BRAVO_GROUP_ROWS]);
	if (!group)
		return NULL;
	/* [ORD-rows] seq_cst: pairs with bravo_rows() */
	rows = atomic_load_explicit(&b->rows, memory_order_seq_cst);
	/* [ORD-rows] seq_cst: as before */
	while (rows <= slot &&
	       !atomic_compare_exchange_weak_explicit(&b->rows, &rows, slot + 1,
						      memory_order_seq_cst, memory_order_seq_cst))
		;
	row = &group->rows[slot % BRAVO_GROUP_ROWS];
	row->counted = true;
	return row;
}

/* ---- readers ---- */

/* Ask for, or hold, by @mark, which names more than the mark before. */
static PORT_INLINE void bravo_claim(struct bravo_row *row, uint64_t mark)
{
	/* [ORD-bias] seq_cst: before the look at the bias; pairs with bravo_revoke() */
	atomic_store_explicit(&row->mark, mark, memory_order_seq_cst);
}

/* The mark names less from now on; or nothing. */
static PORT_INLINE void bravo_unclaim(struct bravo_row *row, uint64_t mark)
{
	/* [ORD-mark] rel: what the reader did came before; pairs with bravo_concerns() */
	atomic_store_explicit(&row->mark, mark, memory_order_release);
}

/* Before a mark is left: is it worth it? */
static PORT_INLINE bool bravo_seems_biased(struct phasefair *lock)
{
	return atomic_load_explicit(&lock->bias, memory_order_relaxed);
}

/* And then: is the lock had by the mark? */
static PORT_INLINE bool bravo_is_biased(struct phasefair *lock)
{
	/* [ORD-bias] seq_cst: after the mark; and acq: as who made it biased; pairs with bravo_revoke() */
	return atomic_load_explicit(&lock->bias, memory_order_seq_cst);
}

/* A reader has the lock in the ordinary way. */
static inline void bravo_read_slowly(struct phasefair *lock)
{
	uint8_t slow = atomic_load_explicit(&lock->slow, memory_order_relaxed);

	if (slow)
		atomic_store_explicit(&lock->slow, (uint8_t)(slow - 1), memory_order_relaxed);
	else if (!bravo_seems_biased(lock))
		/* [ORD-bias] seq_cst: what writers did so far came before; pairs with bravo_is_biased() */
		atomic_store_explicit(&lock->bias, 1, memory_order_seq_cst);
}

/* ---- writers: who has the lock in the ordinary way ---- */

static inline bool bravo_concerns(_Atomic uint64_t *mark, uint64_t want, uint64_t mask)
{
	/* [ORD-bias] seq_cst: after the bias was cleared; [ORD-mark] acq: what the reader did is over */
	return !((atomic_load_explicit(mark, memory_order_seq_cst) ^ want) & mask);
}

static inline uint32_t bravo_rows(struct bravo *b)
{
	/* [ORD-rows] seq_cst: after the bias was cleared, pairs with bravo_make_row() */
	return atomic_load_explicit(&b->rows, memory_order_seq_cst);
}

static inline _Atomic uint64_t *bravo_mark_of(struct bravo *b, unsigned slot)
{
	/* [ORD-rows] seq_cst: as bravo_rows() */
	struct bravo_group *group =
		atomic_load_explicit(&b->groups[slot / BRAVO_GROUP_ROWS], memory_order_seq_cst);

	return group ? &group->rows[slot % BRAVO_GROUP_ROWS].mark : NULL;
}

/* Set or clear the bias. */
static inline void bravo_set_bias(struct phasefair *lock, bool biased)
{
	/* [ORD-bias] seq_cst: cleared before the look for marks; pairs with bravo_is_biased() */
	atomic_store_explicit(&lock->bias, biased, memory_order_seq_cst);
}

static inline void bravo_inhibit(struct phasefair *lock, uint32_t rows)
{
	uint32_t slow = rows < UINT8_MAX / BRAVO_INHIBIT ? rows * BRAVO_INHIBIT : UINT8_MAX;

	atomic_store_explicit(&lock->slow, (uint8_t)slow, memory_order_relaxed);
}

/*
 * End the bias, and wait for those who hold the lock by a mark; or, with @try, undo that and return false if
 * somebody does.
 */
static PORT_COLD bool bravo_revoke(struct bravo *b, struct phasefair *lock, uint64_t want,
				   uint64_t mask, bool try)
{
	uint32_t rows;

	bravo_set_bias(lock, false);
	rows = bravo_rows(b);
	for (uint32_t slot = 0; slot < rows; slot++) {
		_Atomic uint64_t *mark = bravo_mark_of(b, slot);

		if (!mark || !bravo_concerns(mark, want, mask))
			continue;
		if (try) {
			bravo_set_bias(lock, true);
			return false;
		}
		port_wait_until(!bravo_concerns(mark, want, mask));
	}
	bravo_inhibit(lock, rows);
	return true;
}

static inline bool bravo_is_free(struct bravo *b)
{
	for (uint32_t slot = 0; slot < bravo_rows(b); slot++) {
		_Atomic uint64_t *mark = bravo_mark_of(b, slot);

		if (mark && atomic_load_explicit(mark, memory_order_relaxed))
			return false;
	}
	return true;
}

#endif

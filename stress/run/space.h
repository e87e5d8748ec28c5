/* SPDX-License-Identifier: MIT */
/*
 * The pages that threads fight for, and what each must hold.
 *
 * A shape is a row of blocks, each what an entry of level 2 spans. Hot shapes have a few pages at the
 * edges of each block; what lies between is one more, wide page, which calls cover wholly or not at
 * all. So a block of 512 pages costs the model five, and still is split, merged and removed as a whole.
 *
 * Writers leave a trace in the page, by which readers are judged (Q2): a writer who holds a cursor
 * writes what will be there into `ring`, counts it in `begun`, makes the call, and counts `done`.
 * What a reader finds must be one of the values from the last one done when it began to the last one
 * begun when it ended. Calls without a cursor (`shots`) leave no value, only that they were there;
 * then nothing is exact until a cursor has looked.
 *
 * Where a strategy isolates slots, a cursor excludes nobody. So that values are exact all the same,
 * threads reserve the pages first, in the harness; shots have phases to themselves. What the library is
 * left with is all that is shared beside pages: tables that are claimed, merged, split and pruned under
 * cursors, in them and around them.
 *
 * All of it but `reserved` is relaxed, lest the harness order what the library should (and ThreadSanitizer believe
 * that). x86 keeps the order of stores and that of loads; elsewhere the fields would need more.
 */
#ifndef RUN_SPACE_H
#define RUN_SPACE_H

#include <stdatomic.h>

#include "value.h"

#define RING 32u

struct page {
	pt_va_t va;
	uint32_t pages; /* base pages it has: 1, or those between the edges of a block */
	uint32_t block;
	_Atomic uint64_t begun, done; /* values, by threads that hold the page */
	_Atomic uint64_t synced;      /* no CPU translates by values before this one */
	_Atomic uint64_t goal;        /* what will be synced when `unsynced` is 0 */
	_Atomic uint64_t unsynced;    /* threads that have not flushed yet what they removed */
	_Atomic uint64_t settled;     /* `ring` is right if that many shots have begun */
	_Atomic uint64_t shots_begun, shots_done;
	_Atomic uint64_t
		reserved; /* with slot isolation: one thread at a time has a cursor over it */
	/* plain: whoever has a cursor over the page */
	uint64_t owner;
	value_t value;
	_Atomic value_t ring[RING];
};

struct space {
	const struct pt_format_info *format;
	pt_va_t base;
	uint64_t page_bytes, block_bytes, outer_bytes; /* of an entry of level 1, 2 and 3 */
	uint32_t block_pages;
	uint32_t nr_pages, nr_blocks;
	struct page *pages;
	uint32_t *first; /* of each block: index of its first page; one more at the end */
};

/*
 * @text: hot, hot:16, wide. Return: 0; -EINVAL: no such shape, message printed; -ENOMEM.
 */
int space_create(const struct pt_format_info *format, const char *text, struct space *ret);
void space_destroy(struct space *s);
int space_parse(const char *what, const char *text, bool *ret_wide, uint64_t *ret_hot);

/* All pages are empty, and everybody knows. */
void space_clear(struct space *s);

static inline uint64_t load64(_Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void store64(_Atomic uint64_t *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

/* ---- writers who hold the page ---- */

static inline void page_write_begin(struct page *p, value_t value)
{
	uint64_t next = load64(&p->begun) + 1;

	store64(&p->ring[next % RING], value);
	store64(&p->begun, next);
	p->value = value;
}

static inline void page_write_end(struct page *p)
{
	store64(&p->done, load64(&p->begun));
}

/*
 * The present value needs a flush that somebody will do later. @first: by this thread it is the first
 * one since page_synced().
 */
static inline void page_stale(struct page *p, bool first)
{
	if (first)
		atomic_fetch_add_explicit(&p->unsynced, 1, memory_order_relaxed);
	store64(&p->goal, load64(&p->begun));
}

/*
 * A thread has flushed what it removed. What another one has removed, but not flushed yet, may come
 * back into a cache: by a reference to the table that it was in, which is not flushed either.
 */
static inline void page_synced(struct page *p)
{
	uint64_t goal = load64(&p->goal);

	if (atomic_fetch_sub_explicit(&p->unsynced, 1, memory_order_relaxed) == 1 &&
	    load64(&p->synced) < goal)
		store64(&p->synced, goal);
}

/* Reserve pages from..to, all or none. */
static inline void pages_release(struct space *s, uint32_t from, uint32_t to)
{
	/* Release: what the thread knows of the pages; pairs with pages_reserve(). */
	for (uint32_t i = from; i <= to; i++)
		atomic_store_explicit(&s->pages[i].reserved, 0, memory_order_release);
}

static inline bool pages_reserve(struct space *s, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i <= to; i++)
		if (atomic_exchange_explicit(&s->pages[i].reserved, 1, memory_order_acquire)) {
			if (i > from)
				pages_release(s, from, i - 1);
			return false;
		}
	return true;
}

/* ---- readers ---- */

struct window {
	uint64_t settled, first;
};

enum window_result {
	WINDOW_RIGHT,
	WINDOW_WRONG,
	WINDOW_UNKNOWN, /* shots, or too many values */
};

/* Before a query. */
static inline void window_open(struct page *p, struct window *w)
{
	w->settled = load64(&p->settled);
	w->first = load64(&p->done);
}

/* Before the hardware looks at what it has cached. */
static inline void window_open_cached(struct page *p, struct window *w)
{
	w->settled = load64(&p->settled);
	w->first = load64(&p->synced);
}

/* After it. @cached: judge only what a CPU keeps, and let it permit less. */
enum window_result window_judge(struct page *p, const struct window *w, value_t value, bool cached);

/* The value between the last one done and the last one begun, if that is one; for shots. */
static inline bool page_quiet(struct page *p, value_t *ret_value, uint64_t *ret_begun)
{
	uint64_t settled = load64(&p->settled);
	uint64_t done = load64(&p->done);

	*ret_value = load64(&p->ring[done % RING]);
	*ret_begun = load64(&p->begun);
	return *ret_begun == done && settled == load64(&p->shots_begun);
}

#endif

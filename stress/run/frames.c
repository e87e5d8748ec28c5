/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "verdict.h"

#define SINGLES_FROM ((uint64_t)NR_ROWS * ROW_PAGES)
/* Frames of single pages are apart, so that no two of them ever look like one huge page. */
#define SINGLE_STRIDE 2u
#define ROW_WORDS (ROW_PAGES / 64)

int frames_create(struct frames *f, uint64_t page_bytes, uint32_t block_pages)
{
	memset(f, 0, sizeof(*f));
	f->page_bytes = page_bytes;
	f->block_pages = block_pages;
	f->rows = calloc(NR_ROWS, sizeof(*f->rows));
	f->singles = calloc(NR_SINGLES, sizeof(*f->singles));
	if (!f->rows || !f->singles)
		return -ENOMEM;
	for (uint32_t i = 0; i < NR_ROWS; i++) {
		f->rows[i].frame = (uint64_t)i * ROW_PAGES;
		f->rows[i].dirty = calloc(2 * ROW_WORDS, sizeof(*f->rows[i].dirty));
		if (!f->rows[i].dirty)
			return -ENOMEM;
	}
	for (uint32_t i = 0; i < NR_SINGLES; i++)
		f->singles[i].frame = SINGLES_FROM + SINGLE_STRIDE * i;
	return 0;
}

void frames_destroy(struct frames *f)
{
	for (uint32_t i = 0; f->rows && i < NR_ROWS; i++)
		free(f->rows[i].dirty);
	free(f->rows);
	free(f->singles);
}

void purse_init(struct purse *p, unsigned thread, unsigned threads)
{
	p->rows_from = p->row_next = NR_ROWS / threads * thread;
	p->rows_to = p->rows_from + NR_ROWS / threads;
	p->singles_from = p->single_next = NR_SINGLES / threads * thread;
	p->singles_to = p->singles_from + NR_SINGLES / threads;
}

static bool is_free(struct lease *l)
{
	/* Acquire: whoever gave it back has written its tag. */
	return atomic_load_explicit(&l->state, memory_order_acquire) == LEASE_FREE;
}

static struct lease *find_free(struct lease *all, uint32_t from, uint32_t to, uint32_t *next)
{
	for (uint32_t n = from; n < to; n++) {
		struct lease *l = &all[*next];

		*next = *next + 1 < to ? *next + 1 : from;
		if (is_free(l))
			return l;
	}
	return NULL;
}

struct lease *lease_take(struct frames *f, struct purse *p, pt_va_t va, uint32_t pages,
			 pt_va_t block, uint32_t leaves)
{
	bool row = pages > 1;
	struct lease *l;
	uint32_t life;

	l = row ? find_free(f->rows, p->rows_from, p->rows_to, &p->row_next)
		: find_free(f->singles, p->singles_from, p->singles_to, &p->single_next);
	if (!l)
		return NULL;
	life = atomic_load_explicit(&l->life, memory_order_relaxed) + 1;
	life %= LIFE_MASK; /* which is garbage */
	l->pages = pages;
	l->tag = va;
	if (row) {
		l->frame = l->frame / ROW_PAGES * ROW_PAGES + (va - block) / f->page_bytes;
		for (unsigned i = 0; i < 2 * ROW_WORDS; i++)
			atomic_store_explicit(&l->dirty[i], 0, memory_order_relaxed);
	}
	atomic_store_explicit(&l->va, va, memory_order_relaxed);
	atomic_store_explicit(&l->left, (int32_t)pages, memory_order_relaxed);
	atomic_store_explicit(&l->refs, (int32_t)leaves, memory_order_relaxed);
	atomic_store_explicit(&l->sets, 0, memory_order_relaxed);
	atomic_store_explicit(&l->told, 0, memory_order_relaxed);
	atomic_store_explicit(&l->gone, 0, memory_order_relaxed);
	atomic_store_explicit(&l->life, life, memory_order_relaxed);
	atomic_store_explicit(&l->state, LEASE_LENT, memory_order_relaxed);
	atomic_fetch_add_explicit(&f->lent, 1, memory_order_relaxed);
	return l;
}

pt_pa_t lease_pa(const struct frames *f, const struct lease *l, pt_va_t va)
{
	uint64_t life = atomic_load_explicit(&((struct lease *)l)->life, memory_order_relaxed);
	uint64_t first = atomic_load_explicit(&((struct lease *)l)->va, memory_order_relaxed);

	return life << (12 + FRAME_BITS) | ((l->frame << 12) + (va - first) / f->page_bytes * 4096);
}

struct lease *lease_of(struct frames *f, pt_pa_t pa)
{
	uint64_t frame = FRAME_OF(pa);

	if (LIFE_OF(pa) == LIFE_MASK)
		return NULL;
	if (frame < SINGLES_FROM)
		return &f->rows[frame / ROW_PAGES];
	frame -= SINGLES_FROM;
	if (frame % SINGLE_STRIDE || frame / SINGLE_STRIDE >= NR_SINGLES)
		return NULL;
	return &f->singles[frame / SINGLE_STRIDE];
}

bool lease_is_at(const struct frames *f, struct lease *l, pt_pa_t pa, pt_va_t va)
{
	uint64_t first = atomic_load_explicit(&l->va, memory_order_relaxed);

	return atomic_load_explicit(&l->life, memory_order_relaxed) == LIFE_OF(pa) &&
	       atomic_load_explicit(&l->state, memory_order_relaxed) == LEASE_LENT && va >= first &&
	       (va - first) / f->page_bytes < l->pages && lease_pa(f, l, va) == pa;
}

/* ---- dirty bits ---- */

static bool is_row(const struct lease *l)
{
	return l->dirty;
}

void lease_dirtied(struct frames *f, struct lease *l, pt_va_t va)
{
	uint64_t at = (va - atomic_load_explicit(&l->va, memory_order_relaxed)) / f->page_bytes;

	atomic_fetch_add_explicit(&f->dirtied, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&l->sets, 1, memory_order_relaxed);
	if (is_row(l))
		atomic_fetch_or_explicit(&l->dirty[at / 64], UINT64_C(1) << at % 64,
					 memory_order_relaxed);
}

void lease_dirt_told(struct frames *f, struct lease *l, pt_va_t va, uint32_t pages)
{
	uint64_t at = (va - atomic_load_explicit(&l->va, memory_order_relaxed)) / f->page_bytes;

	atomic_fetch_add_explicit(&l->told, 1, memory_order_relaxed);
	for (; is_row(l) && pages; pages--, at++)
		atomic_fetch_or_explicit(&l->dirty[ROW_WORDS + at / 64], UINT64_C(1) << at % 64,
					 memory_order_relaxed);
}

/* All is removed and told: has every bit that hardware set been reported, and none besides? */
static void settle_dirt(struct frames *f, struct lease *l)
{
	uint32_t sets = atomic_load_explicit(&l->sets, memory_order_relaxed);
	uint32_t told = atomic_load_explicit(&l->told, memory_order_relaxed);
	pt_va_t va = atomic_load_explicit(&l->va, memory_order_relaxed);
	bool lost = is_row(l) ? false : sets > told;
	bool made = is_row(l) ? told && !sets : told > sets;

	for (unsigned i = 0; is_row(l) && i < ROW_WORDS; i++)
		lost |= (atomic_load_explicit(&l->dirty[i], memory_order_relaxed) &
			 ~atomic_load_explicit(&l->dirty[ROW_WORDS + i], memory_order_relaxed)) !=
			0;
	if (lost || made)
		verdict_fail("T2", va,
			     "the hardware set dirty bits of %u page%s %u times, calls reported "
			     "%u: a bit was %s",
			     l->pages, l->pages == 1 ? "" : "s", sets, told,
			     lost ? "lost" : "invented");
	(void)f;
}

/* ---- the end of a loan ---- */

static void give_back(struct frames *f, struct lease *l)
{
	if (atomic_load_explicit(&l->state, memory_order_relaxed) == LEASE_FREE)
		verdict_fail("R2", atomic_load_explicit(&l->va, memory_order_relaxed),
			     "a frame is handed back twice");
	l->tag = 0;
	atomic_fetch_sub_explicit(&f->lent, 1, memory_order_relaxed);
	/* Release: pairs with is_free(). */
	atomic_store_explicit(&l->state, LEASE_FREE, memory_order_release);
}

void lease_return(struct frames *f, struct lease *l)
{
	give_back(f, l);
}

/* Return: these were the last ones. */
static bool take_off(struct lease *l, pt_va_t va, uint32_t pages)
{
	/* Acquire and release: who removes the last ones has all the others behind it. */
	int32_t left = atomic_fetch_sub_explicit(&l->left, (int32_t)pages, memory_order_acq_rel) -
		       (int32_t)pages;

	if (left < 0)
		verdict_fail("C1", va, "a mapping of %u page%s was removed twice", pages,
			     pages == 1 ? "" : "s");
	if (left == 0)
		atomic_store_explicit(&l->gone, 1, memory_order_relaxed);
	return !left;
}

void lease_removed(struct frames *f, struct lease *l, pt_va_t va, uint32_t pages, bool dirty)
{
	if (dirty)
		lease_dirt_told(f, l, va, pages);
	if (!take_off(l, va, pages))
		return;
	settle_dirt(f, l);
	if (!f->tracked)
		give_back(f, l);
}

/* ---- counted items ---- */

static uint32_t pages_of(unsigned level, const struct frames *f)
{
	return level == 1 ? 1 : f->block_pages;
}

static int item_clone(void *ctx, pt_pa_t pa, unsigned level)
{
	struct frames *f = ctx;
	struct lease *l = lease_of(f, pa);

	(void)level;
	if (!l || atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed) < 1)
		verdict_fail("R2", 0, "a reference is taken of %s",
			     l ? "a frame that was handed back" : "what is no frame");
	return 0;
}

/* @pages of it are removed at the same time; 0: it was a reference besides. */
static void drop(struct frames *f, pt_pa_t pa, uint32_t pages)
{
	struct lease *l = lease_of(f, pa);
	int32_t refs;
	pt_va_t va;

	if (!l || atomic_load_explicit(&l->life, memory_order_relaxed) != LIFE_OF(pa)) {
		verdict_fail("R2", 0, "what is dropped is %s (physical address %#" PRIx64 ")",
			     l ? "a frame of an earlier life" : "no frame", pa);
		return;
	}
	va = atomic_load_explicit(&l->va, memory_order_relaxed);
	if (!f->reported && pages)
		take_off(l, va, pages);
	/* Acquire and release: who drops the last one has all the others behind it. */
	refs = atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) - 1;
	if (refs < 0)
		verdict_fail("R2", va, "a reference is dropped that nobody had");
	if (refs)
		return;
	if (!f->destroying && atomic_load_explicit(&l->left, memory_order_relaxed))
		verdict_fail("R2", va,
			     "the last reference is dropped, but %d of its pages are mapped",
			     atomic_load_explicit(&l->left, memory_order_relaxed));
	give_back(f, l);
}

void frames_put(struct frames *f, pt_pa_t pa)
{
	drop(f, pa, 0);
}

void lease_return_rest(struct frames *f, struct lease *l, uint64_t done)
{
	pt_va_t va = atomic_load_explicit(&l->va, memory_order_relaxed) + done;
	uint32_t rest = l->pages - (uint32_t)(done / f->page_bytes);
	pt_pa_t pa = lease_pa(f, l, va);

	if (!done) {
		lease_return(f, l);
		return;
	}
	if (!f->tracked || f->reported)
		lease_removed(f, l, va, rest, false);
	for (; f->tracked && rest; rest--, pa += 4096)
		drop(f, pa, 1);
}

static void item_drop(void *ctx, pt_pa_t pa, unsigned level)
{
	drop(ctx, pa, pages_of(level, ctx));
}

static void add_refs(void *ctx, pt_pa_t pa, int sign)
{
	struct frames *f = ctx;
	struct lease *l = lease_of(f, pa);

	if (!l)
		verdict_fail("R2", 0, "what is split or merged is no frame");
	else
		atomic_fetch_add_explicit(&l->refs, sign * ((int)pages_of(2, f) - 1),
					  memory_order_relaxed);
}

static void item_split(void *ctx, pt_pa_t pa, unsigned level)
{
	(void)level;
	add_refs(ctx, pa, 1);
}

static void item_merge(void *ctx, pt_pa_t pa, unsigned level)
{
	(void)level;
	add_refs(ctx, pa, -1);
}

const struct pt_item_ops frames_item_ops = {
	.clone = item_clone,
	.drop = item_drop,
	.split = item_split,
	.merge = item_merge,
};

/* SPDX-License-Identifier: MIT */
/*
 * Physical memory: what is mapped, by whom, how often, and whether its dirty bits add up.
 *
 * A lease is one frame, or a row of them up to a whole block, on loan for one mapping; each time it
 * is lent it has a new life, which is part of its physical address. So each value that is ever mapped
 * is another one, and an old one is recognised wherever it turns up.
 *
 *   frame number:  life | 18 bits of frame
 */
#ifndef RUN_FRAMES_H
#define RUN_FRAMES_H

#include <stdatomic.h>

#include <pagetree.h>

#define FRAME_BITS 18
#define LIFE_BITS 17
#define LIFE_MASK ((UINT64_C(1) << LIFE_BITS) - 1)
#define FRAME_OF(pa) ((pa) >> 12 & ((UINT64_C(1) << FRAME_BITS) - 1))
#define LIFE_OF(pa) ((pa) >> (12 + FRAME_BITS) & LIFE_MASK)
/* The life that nobody has, in what the harness writes to free nodes. */
#define GARBAGE_PA (LIFE_MASK << (12 + FRAME_BITS) | UINT64_C(0x2bad000))

#define ROW_PAGES 512u
#define NR_ROWS 256u
#define NR_SINGLES 65536u

enum lease_state { LEASE_FREE, LEASE_LENT };

struct lease {
	_Atomic uint32_t state;
	_Atomic uint32_t life;
	_Atomic uint64_t va;     /* where its first page is mapped */
	_Atomic int32_t left;    /* pages not removed yet */
	_Atomic int32_t refs;    /* tracked: references that the table has, and others */
	_Atomic uint32_t sets;   /* dirty bits that hardware has set in its leaves, */
	_Atomic uint32_t told;   /* and that calls have reported */
	_Atomic uint32_t gone;   /* all of it was removed, and that has been flushed */
	uint32_t pages;          /* of this loan */
	uint64_t frame;          /* number of the first one, without life */
	_Atomic uint64_t *dirty; /* rows: a bit for each page written, and as many reported */
	/* Plain: written when lent and given back, read by who uses the memory. */
	uint64_t tag;
};

struct frames {
	struct lease *rows, *singles;
	uint64_t page_bytes;
	uint32_t block_pages;     /* what an item of level 2 has */
	bool tracked;             /* leaves are counted items */
	bool reported;            /* calls tell which leaves they removed */
	bool destroying;          /* what is left goes with the table */
	_Atomic uint64_t lent;    /* leases out */
	_Atomic uint64_t dirtied; /* dirty bits set by hardware, all told */
};

int frames_create(struct frames *f, uint64_t page_bytes, uint32_t block_pages);
void frames_destroy(struct frames *f);

/* A range of leases for one thread. */
struct purse {
	uint32_t rows_from, rows_to, row_next;
	uint32_t singles_from, singles_to, single_next;
};

void purse_init(struct purse *p, unsigned thread, unsigned threads);

/* Lend something for @pages pages at @va; NULL: none is free. For a row, @first is its block's va. */
struct lease *lease_take(struct frames *f, struct purse *p, pt_va_t va, uint32_t pages,
			 pt_va_t block, uint32_t leaves);
/* It was not mapped after all. */
void lease_return(struct frames *f, struct lease *l);
/* Only the first @done bytes were; what was may be gone by now. */
void lease_return_rest(struct frames *f, struct lease *l, uint64_t done);
/* Physical address of its page at @va. */
pt_pa_t lease_pa(const struct frames *f, const struct lease *l, pt_va_t va);
/* Whose frame that is, or was; NULL: nobody's. */
struct lease *lease_of(struct frames *f, pt_pa_t pa);
/* Is it the page at @va in its present life? Of who holds that page, or uses it as hardware. */
bool lease_is_at(const struct frames *f, struct lease *l, pt_pa_t pa, pt_va_t va);

/* The hardware has set the dirty bit of the leaf, writing to the page at @va. */
void lease_dirtied(struct frames *f, struct lease *l, pt_va_t va);
/* A call has reported a leaf that was dirty, and takes the bit along. */
void lease_dirt_told(struct frames *f, struct lease *l, pt_va_t va, uint32_t pages);
/* A leaf of it was removed, and flushed. */
void lease_removed(struct frames *f, struct lease *l, pt_va_t va, uint32_t pages, bool dirty);

/* Give back a reference that query_get took. */
void frames_put(struct frames *f, pt_pa_t pa);

extern const struct pt_item_ops frames_item_ops;

#endif

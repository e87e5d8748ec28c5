/* SPDX-License-Identifier: MIT */
/*
 * The model test: a table and a flat map that must say the same after each of many random calls.
 * model.c has what the calls share, model_cursor.c the cursors, test_model.c the one-shot calls.
 */
#ifndef PT_TESTS_MODEL_H
#define PT_TESTS_MODEL_H

#include "dump.h"

struct leaf {
	pt_va_t va;
	struct pt_item item;
};

struct leaves {
	struct leaf *of;
	size_t n, capacity;
};

struct world {
	struct fixture *fx;
	struct flatmap map;
	uint64_t random;
	bool failing;            /* node allocations may fail in this call */
	struct leaves expected;  /* removed, by what the map says, through the open gather */
	struct leaves reported;  /* by the gather */
	struct pt_gather gather; /* open from time to time, over several calls */
	bool gather_open;
	pt_prop_t clear;      /* of a harvest */
	uint64_t harvested;   /* leaves it has reported, */
	pt_va_t harvested_to; /* and where the next one may begin */
	uint64_t merged;
	uint64_t calls, changes, enomem; /* for the summary: a test that does nothing shows */
};

/* ---- random values ---- */

uint64_t random_below(struct world *w, uint64_t bound);
static inline bool one_in(struct world *w, unsigned n)
{
	return random_below(w, n) == 0;
}
/* Near the ends of the table, or a boundary of blocks. */
void random_range(struct world *w, pt_va_t *ret_va, pt_va_t *ret_last);
pt_va_t random_page(struct world *w);
pt_pa_t random_frame(struct world *w, pt_va_t va);
pt_prop_t random_prop(struct world *w);
uint64_t random_mark(struct world *w);
/* Limit the nodes of the next call, now and then. */
void random_failure(struct world *w);
void end_failure(struct world *w);

/* ---- comparing ---- */

/* @rc is right: 0 if @errors is empty, else one of them; -ENOMEM also while failing. */
bool succeeded(struct world *w, int rc, uint64_t errors);
#define ERROR_BIT(error) (UINT64_C(1) << (error))

void expect_mapping(struct world *w, pt_va_t va, const struct pt_mapping *m);
/* The item that the map has at @va, where a leaf begins or @va lies in it. */
struct leaf model_leaf(struct world *w, pt_va_t va);
void expect_item(const struct pt_item *a, const struct pt_item *b);
void expect_all(struct world *w);

/* ---- what is removed ---- */

/* Note all leaves of the range, which has been cut at both ends, as removed. */
void note_removed(struct world *w, pt_va_t first, pt_va_t last);
void open_gather(struct world *w);
/* Sync; what it reports must be what was noted. */
void sync_gather(struct world *w);
/* Every leaf noted so far that the MMU could have cached was flushed. */
void expect_removed_flushed(struct world *w);

/* References for the leaves of a mapping; the other way round when it has failed. */
void give_items(struct world *w, pt_va_t first, pt_va_t last, pt_pa_t pa, unsigned max_level);
void take_back_items(struct world *w, pt_va_t first, pt_va_t last, pt_pa_t pa, unsigned max_level);

void random_transaction(struct world *w);

#endif

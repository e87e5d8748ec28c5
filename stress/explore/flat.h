/* SPDX-License-Identifier: MIT */
/* The table as its users see it: a register for each page. */
#ifndef EXPLORE_FLAT_H
#define EXPLORE_FLAT_H

#include "oracle.h"

/* A flat table in the middle of an order of transactions. */
struct flat {
	struct page_state page[SCENARIO_PAGES];
	uint32_t at[2]; /* of the cursors of the current transaction, the innermost last */
	unsigned cursors;
};

/* Could @call have returned what it did on @f? Then do to @f what it does. */
bool flat_apply(struct flat *f, const struct call *call);

/* Did @call see what @page says? */
bool flat_same_page(const struct page_state *page, const struct call *call);

#endif

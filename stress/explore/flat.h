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

/* Does a query, walk or access fit a page that is as @page says when it looks? */
bool flat_read_fits(const struct page_state *page, const struct call *read);

/* What a map or mark makes of its first page. */
struct page_state flat_filled(const struct step *s);

/* What a leaf becomes by the properties that @s sets and clears. */
void flat_change(const struct step *s, struct page_state *page);

/* Did @call see what @page says? */
bool flat_same_page(const struct page_state *page, const struct call *call);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The oracle for strategies that isolate slots: what is one moment there is a page, or both pages of a
 * clone, not a transaction.
 */
#ifndef EXPLORE_SLOTS_H
#define EXPLORE_SLOTS_H

#include "flat.h"

enum slots_verdict {
	SLOTS_EXPLAINED,
	SLOTS_BUT_READS, /* each page fits, if queries are left out */
	SLOTS_WRONG,
};

/*
 * Is there for each page an order of what calls did to it, consistent with their times, that ends in
 * @final, such that together the orders explain what each call says of all its pages?
 */
enum slots_verdict slots_explain(const struct program *program, const struct flat *initial,
				 const struct page_state *final);

#endif

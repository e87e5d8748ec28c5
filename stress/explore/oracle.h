/* SPDX-License-Identifier: MIT */
/*
 * Judges an execution by its calls alone: their arguments, results and times, and the table they
 * leave behind.
 */
#ifndef EXPLORE_ORACLE_H
#define EXPLORE_ORACLE_H

#include "program.h"

struct page_state {
	enum pt_kind kind;
	uint64_t value;
	pt_prop_t prop;
};

/*
 * Is there an order of the transactions, consistent with their times, in which a flat table gives
 * the results that they gave and the final state, and do the queries of each page fit? Else fails.
 */
void oracle_judge(const struct program *program, const struct page_state *final);

#endif

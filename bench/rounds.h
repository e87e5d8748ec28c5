/* SPDX-License-Identifier: MIT */
/*
 * Rounds over a private area: one call per page, and before each round what undoes it, which is not
 * timed. The tables stay, because a call on a single page never frees one: so this is the cost of
 * the call itself.
 */
#ifndef BENCH_ROUNDS_H
#define BENCH_ROUNDS_H

#include <stdlib.h>

#include "private.h"

/* All pages in the order in which a round visits them; NULL after a failure was recorded. */
uint32_t *rounds_order(struct worker *worker, uint32_t pages);

static inline __attribute__((always_inline)) bool rounds_visit(struct worker *worker,
							       struct private_pages *pages,
							       const uint32_t *order,
							       private_call *call)
{
	uint32_t i;

	for (i = 0; i < pages->area.pages; i++)
		if (!call(worker, pages, order[i]))
			return false;
	return true;
}

/* Begins and ends with the area as `timed` leaves it. */
static inline __attribute__((always_inline)) void
rounds_run(struct worker *worker, private_call *timed, private_call *undo)
{
	struct private_pages *pages = private_of(worker);
	uint32_t *order = rounds_order(worker, pages->area.pages);
	bool good = order;

	worker->times_itself = true;
	while (good && worker_continues(worker, 0)) {
		good = rounds_visit(worker, pages, order, undo);
		worker_resume(worker);
		good = good && rounds_visit(worker, pages, order, timed);
		worker_pause(worker, pages->area.pages);
	}
	free(order);
}

#endif

/* SPDX-License-Identifier: MIT */
#include "rounds.h"

uint32_t *rounds_order(struct worker *worker, uint32_t pages)
{
	uint32_t *order = malloc(pages * sizeof(*order)), i;

	if (!order) {
		worker_fail_call(worker, 0, "preparing", -ENOMEM);
		return NULL;
	}
	for (i = 0; i < pages; i++)
		order[i] = i;
	if (worker->trial->settings->dist.kind != DIST_SEQUENTIAL)
		rng_shuffle(&worker->rng, order, pages);
	return order;
}

/* SPDX-License-Identifier: MIT */
#include "translate.h"
#include "verify.h"

static uint64_t expected_entry(const struct trial *trial, uint32_t page)
{
	return entry_make(page * trial->shared_area.page, trial->prop);
}

void translate_prepare(struct trial *trial, struct pt_thread *self, struct finding *finding)
{
	const struct area *area = &trial->shared_area;
	/* Neighbours are mapped by one call. */
	uint64_t len = area_is_dense(area) ? area->bytes : area->page;
	uint32_t calls = area_is_dense(area) ? 1 : area->pages, i;
	int error = 0;

	for (i = 0; !error && i < calls; i++) {
		error = pt_map(self, trial->table, area_va(area, i), len, i * area->page,
			       trial->prop, 1);
		if (error)
			finding_set_call(finding, -1, area_va(area, i), "pt_map", error);
	}
}

uint64_t translate_verify(struct trial *trial, struct pt_thread *self, struct finding *finding)
{
	const struct area *area = &trial->shared_area;
	uint32_t i;

	for (i = 0; i < area->pages && !finding->code; i++)
		verify_page(trial, self, area_va(area, i), expected_entry(trial, i), finding);
	return (uint64_t)area->pages * area->page;
}

/*
 * Each result is checked; the branch is always predicted, so loads still overlap. To make each
 * address depend on the result before it, the result is or-ed in under a mask of zero that the
 * compiler does not know.
 */
static inline __attribute__((always_inline)) void run_queries(struct worker *worker, bool dependent)
{
	/* Copies, because the compiler must assume that a call changes everything else. */
	const struct area area = worker->trial->shared_area;
	const pt_prop_t prop = worker->trial->prop;
	struct pt_thread *self = worker->self;
	struct pt_table *table = worker->table;
	struct keys keys = worker->shared_keys;
	uint64_t done = 0, found = 0;
	uint32_t nothing = 0;
	unsigned i;

	__asm__("" : "+r"(nothing));
	while (worker_continues(worker, done)) {
		for (i = 0; i < BATCH; i++) {
			uint32_t page =
				keys_next(&keys) | (dependent ? (uint32_t)found & nothing : 0);
			uint64_t expected = entry_make(page * area.page, prop);
			struct pt_mapping mapping;
			int error;

			error = pt_query(self, table, area_va(&area, page), &mapping);
			found = error ? 0 : entry_of(&mapping);
			if (__builtin_expect(found != expected, 0)) {
				worker_fail_entry(worker, area_va(&area, page), expected, found);
				return;
			}
		}
		done += BATCH;
	}
}

void translate_run(struct worker *worker)
{
	if (worker->trial->settings->dependent)
		run_queries(worker, true);
	else
		run_queries(worker, false);
}

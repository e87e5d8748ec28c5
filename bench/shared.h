/* SPDX-License-Identifier: MIT */
/*
 * Pages that all threads change. Each thread keeps a ledger of what its calls achieved; together
 * they say what must be there in the end: a page on which maps and unmaps balance is empty, one on
 * which there was one map more holds the frame of some thread's last successful map of it.
 */
#ifndef BENCH_SHARED_H
#define BENCH_SHARED_H

#include "workload.h"

struct ledger {
	alignas(128) int32_t *net; /* successful maps less successful unmaps, by page */
	pt_pa_t *last;             /* the frame of the last successful map */
	uint32_t version;
};

/* workload.prepare, verify and release */
void shared_prepare(struct trial *trial, struct pt_thread *self, struct finding *finding);
uint64_t shared_verify(struct trial *trial, struct pt_thread *self, struct finding *finding);
void shared_release(struct trial *trial);

/* workload.enter: map every other page, each thread its part of them. */
void shared_fill_half(struct worker *worker);

static inline struct ledger *shared_ledger(struct worker *worker)
{
	return &((struct ledger *)worker->trial->state)[worker->index];
}

/*
 * One operation on page `i`. False after a failure was recorded; *ret_effective: something was
 * mapped, unmapped, found or protected.
 */
static inline bool shared_map(struct worker *worker, struct ledger *ledger, uint32_t i,
			      bool *ret_effective)
{
	const struct trial *trial = worker->trial;
	pt_va_t va = area_va(&trial->shared_area, i);
	pt_pa_t pa = frame_encode(&trial->frames, worker->index, i, ledger->version++);
	int error = pt_map(worker->self, worker->table, va, trial->shared_area.page, pa,
			   trial->prop, 1);

	*ret_effective = !error;
	if (error == -EEXIST)
		return true;
	if (__builtin_expect(error, 0)) {
		worker_fail_call(worker, va, "pt_map of one page", error);
		return false;
	}
	ledger->net[i]++;
	ledger->last[i] = pa;
	return true;
}

static inline bool shared_unmap(struct worker *worker, struct ledger *ledger, uint32_t i,
				bool *ret_effective)
{
	const struct area *area = &worker->trial->shared_area;
	pt_va_t va = area_va(area, i);
	uint64_t count;
	int error = pt_unmap(worker->self, worker->table, va, area->page, NULL, &count);

	if (__builtin_expect(error || count > 1, 0)) {
		worker_fail_call(worker, va, "pt_unmap of one page", error);
		return false;
	}
	*ret_effective = count;
	ledger->net[i] -= (int32_t)count;
	return true;
}

static inline bool shared_protect(struct worker *worker, uint32_t i, pt_prop_t clear,
				  bool *ret_effective)
{
	const struct area *area = &worker->trial->shared_area;
	pt_va_t va = area_va(area, i);
	uint64_t count;
	int error = pt_protect(worker->self, worker->table, va, area->page, clear ^ PT_WRITE, clear,
			       NULL, &count);

	if (__builtin_expect(error || count > 1, 0)) {
		worker_fail_call(worker, va, "pt_protect of one page", error);
		return false;
	}
	*ret_effective = count;
	return true;
}

static inline bool shared_query(struct worker *worker, uint32_t i, bool *ret_effective)
{
	const struct trial *trial = worker->trial;
	pt_va_t va = area_va(&trial->shared_area, i);
	struct pt_mapping mapping;
	uint64_t entry;
	int error = pt_query(worker->self, worker->table, va, &mapping);

	if (__builtin_expect(error, 0)) {
		worker_fail_call(worker, va, "pt_query", error);
		return false;
	}
	entry = entry_of(&mapping);
	*ret_effective = entry;
	if (__builtin_expect(entry && frame_page(&trial->frames, entry) != i, 0)) {
		worker_fail_entry(worker, va, frame_encode(&trial->frames, worker->index, i, 0),
				  entry);
		return false;
	}
	return true;
}

#endif

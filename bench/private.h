/* SPDX-License-Identifier: MIT */
/*
 * Pages that only one thread changes. It keeps a model of them, a plain array, and so knows what
 * each call must do and what each query must find.
 */
#ifndef BENCH_PRIVATE_H
#define BENCH_PRIVATE_H

#include "workload.h"

struct private_pages {
	alignas(128) struct area area;
	uint64_t *entries; /* what each page should be; see entry_make() */
	unsigned thread;
	uint32_t version;
};

/* One for each thread, over trial->private_areas; trial->state is to be this. NULL: no memory. */
struct private_pages *private_create(const struct trial *trial);
void private_destroy(struct private_pages *pages, unsigned threads);

/* workload.needs, prepare, release and verify for workloads whose only state this is. */
void private_needs(const struct settings *settings, struct area_needs *ret);
void private_prepare(struct trial *trial, struct pt_thread *self, struct finding *finding);
void private_release(struct trial *trial);
uint64_t private_verify(struct trial *trial, struct pt_thread *self, struct finding *finding);

static inline struct private_pages *private_of(struct worker *worker)
{
	return &((struct private_pages *)worker->trial->state)[worker->index];
}

/* The calls below return false after they have recorded what was wrong. */
typedef bool private_call(struct worker *worker, struct private_pages *pages, uint32_t i);

/* Page `i` is not mapped. */
static inline bool private_map(struct worker *worker, struct private_pages *pages, uint32_t i)
{
	const struct trial *trial = worker->trial;
	pt_va_t va = area_va(&pages->area, i);
	pt_pa_t pa = frame_encode(&trial->frames, pages->thread, i, pages->version++);
	int error = pt_map(worker->self, worker->table, va, pages->area.page, pa, trial->prop, 1);

	if (__builtin_expect(error, 0)) {
		worker_fail_call(worker, va, "pt_map of an unmapped page", error);
		return false;
	}
	pages->entries[i] = entry_make(pa, trial->prop);
	return true;
}

/* Page `i` is mapped. */
static inline bool private_unmap(struct worker *worker, struct private_pages *pages, uint32_t i)
{
	pt_va_t va = area_va(&pages->area, i);
	uint64_t count;
	int error = pt_unmap(worker->self, worker->table, va, pages->area.page, NULL, &count);

	if (__builtin_expect(error || count != 1, 0)) {
		worker_fail_call(worker, va, "pt_unmap of a mapped page", error);
		return false;
	}
	pages->entries[i] = 0;
	return true;
}

/* Make page `i` writable if it is not, read-only if it is; no effect if it is not mapped. */
static inline bool private_protect(struct worker *worker, struct private_pages *pages, uint32_t i)
{
	uint64_t entry = pages->entries[i], count;
	pt_va_t va = area_va(&pages->area, i);
	pt_prop_t clear = entry & PT_WRITE;
	int error = pt_protect(worker->self, worker->table, va, pages->area.page, clear ^ PT_WRITE,
			       clear, NULL, &count);

	if (__builtin_expect(error || count != !!entry, 0)) {
		worker_fail_call(worker, va, "pt_protect of one page", error);
		return false;
	}
	if (entry)
		pages->entries[i] = entry ^ PT_WRITE;
	return true;
}

static inline bool private_query(struct worker *worker, struct private_pages *pages, uint32_t i)
{
	pt_va_t va = area_va(&pages->area, i);
	struct pt_mapping mapping;
	int error = pt_query(worker->self, worker->table, va, &mapping);

	if (__builtin_expect(error, 0)) {
		worker_fail_call(worker, va, "pt_query", error);
		return false;
	}
	if (__builtin_expect(entry_of(&mapping) != pages->entries[i], 0)) {
		worker_fail_entry(worker, va, pages->entries[i], entry_of(&mapping));
		return false;
	}
	return true;
}

static inline bool private_toggle(struct worker *worker, struct private_pages *pages, uint32_t i)
{
	return pages->entries[i] ? private_unmap(worker, pages, i) : private_map(worker, pages, i);
}

/* Change random pages for ever. Inlined, so that `change` is no call. */
static inline __attribute__((always_inline)) void private_run(struct worker *worker,
							      private_call *change)
{
	struct private_pages *pages = private_of(worker);
	struct keys keys = worker->private_keys;
	uint64_t done = 0;
	unsigned i;

	while (worker_continues(worker, done)) {
		for (i = 0; i < BATCH; i++)
			if (!change(worker, pages, keys_next(&keys)))
				return;
		done += BATCH;
	}
}

/* workload.enter: map all pages, or each with probability one half. */
void private_fill(struct worker *worker);
void private_fill_half(struct worker *worker);

/* workload.run: toggle random pages for ever. */
void private_run_toggle(struct worker *worker);

#endif

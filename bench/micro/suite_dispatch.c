/* SPDX-License-Identifier: MIT */
/*
 * What it costs to choose format and strategy at run time: a query of the floor called directly, through
 * one pointer as the library does it, and with a pointer for each step of the walk.
 */
#include "must.h"
#include "subject.h"
#include "suite.h"

typedef bool (*query_function)(const struct floor *f, uint64_t va, uint64_t *ret_pa,
			       uint64_t *ret_flags);

__attribute__((noinline)) static bool query(const struct floor *f, uint64_t va, uint64_t *ret_pa,
					    uint64_t *ret_flags)
{
	return floor_query(f, va, ret_pa, ret_flags);
}

/* A format as a table of functions, of which every step calls three. */
struct steps {
	floor_slot *(*slot)(const struct floor *f, uint64_t pa, uint64_t va, unsigned level);
	uint64_t (*load)(floor_slot *slot);
	bool (*is_table)(uint64_t pte);
};

static floor_slot *step_slot(const struct floor *f, uint64_t pa, uint64_t va, unsigned level)
{
	return floor_slot_of(f, pa, va, level);
}

static uint64_t step_load(floor_slot *slot)
{
	return floor_load(slot);
}

static bool step_is_table(uint64_t pte)
{
	return pte & FLOOR_TABLE;
}

static const struct steps steps_of_x86_64 = {step_slot, step_load, step_is_table};

/* Volatile, so that the compiler does not know what they point to. */
static const struct steps *volatile steps = &steps_of_x86_64;
static query_function volatile query_pointer = query;

static bool query_by_steps(const struct floor *f, uint64_t va, uint64_t *ret_pa,
			   uint64_t *ret_flags)
{
	const struct steps *by = steps;
	uint64_t pte = f->root;
	unsigned level = FLOOR_LEVELS + 1;

	do
		pte = by->load(by->slot(f, pte & FLOOR_ADDRESS, va, --level));
	while (level > 1 && by->is_table(pte));
	*ret_pa = pte & FLOOR_ADDRESS;
	*ret_flags = pte & ~FLOOR_ADDRESS;
	return pte & FLOOR_P;
}

static struct subject *subject;

enum dispatch { INLINED, DIRECT, POINTER, STEPS };

static inline void run(struct bm_state *state, enum dispatch how)
{
	uint64_t n, pa, flags;
	struct rng rng;

	if (!subject) {
		subject = must(calloc(1, sizeof(*subject)));
		subject_create(subject, "floor");
		subject_bring(subject, true);
	}
	rng_seed(&rng, 42, 0);
	for (n = bm_loop_begin(state, 1); n; n--) {
		uint64_t va = subject_va(rng_next(&rng) >> (64 - SUBJECT_PAGE_BITS));
		const struct floor *f = &subject->floor;
		bool found = how == INLINED   ? floor_query(f, va, &pa, &flags)
			     : how == DIRECT  ? query(f, va, &pa, &flags)
			     : how == POINTER ? query_pointer(f, va, &pa, &flags)
					      : query_by_steps(f, va, &pa, &flags);

		if (__builtin_expect(!found || pa != va + SUBJECT_FRAMES, 0))
			subject_wrong(subject, "a query", va, (int64_t)pa);
	}
	bm_loop_end(state);
}

static void run_inlined(struct bm_state *state, const void *unused)
{
	(void)unused;
	run(state, INLINED);
}

static void run_direct(struct bm_state *state, const void *unused)
{
	(void)unused;
	run(state, DIRECT);
}

static void run_pointer(struct bm_state *state, const void *unused)
{
	(void)unused;
	run(state, POINTER);
}

static void run_steps(struct bm_state *state, const void *unused)
{
	(void)unused;
	run(state, STEPS);
}

void suite_dispatch(void)
{
	suite_add(run_inlined, NULL, BM_THREAD, 1, "dispatch/by:none");
	suite_add(run_direct, NULL, BM_THREAD, 1, "dispatch/by:call");
	suite_add(run_pointer, NULL, BM_THREAD, 1, "dispatch/by:pointer");
	suite_add(run_steps, NULL, BM_THREAD, 1, "dispatch/by:pointers");
}

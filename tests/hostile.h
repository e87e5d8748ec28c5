/* SPDX-License-Identifier: MIT */
/*
 * Arguments at and behind every bound that the header names. Each hostile_*.c has the cases of one
 * subject, and says which functions they are for; test_hostile.c runs them, sees that the tables
 * are what they were, and that no function and no error of the header was forgotten.
 */
#ifndef PT_TESTS_HOSTILE_H
#define PT_TESTS_HOSTILE_H

#include "dump.h"

#define END UINT64_MAX
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/*
 * A table with all kinds of slots: a giant leaf at its base, single pages and a mark in the next two,
 * nothing behind them. And who has no business with it.
 */
struct scene {
	struct fixture *fx;
	struct fixture other; /* of another pool */
	struct pt_gather gather, foreign_gather;
	struct pt_table *twin; /* empty; of the same pool */
	struct pt_gather twin_gather;
};

struct hostile_case {
	void (*run)(struct scene *s);
	const char *functions; /* that it is for; each name ends with a blank */
};

/* By subject; each list ends with a case that has no functions. */
extern const struct hostile_case hostile_ranges[], hostile_calls[], hostile_edges[],
	hostile_items[], hostile_looks[], hostile_cursors[], hostile_held[], hostile_short[],
	hostile_tables[], hostile_pools[], hostile_frames[], hostile_names[];

/* The other way round: what lies on a bound is accepted. */
void bounds_are_inclusive(struct fixture *fx);

/* Expect @error of @call, of a function by its name, and note that the function has returned it. */
#define refuse(call, error)                 \
	do {                                \
		expect_error(call, error);  \
		hostile_note(#call, error); \
	} while (0)

/* @call: begins with the function's name. */
void hostile_note(const char *call, int error);

/* ---- calls on a range, all alike ---- */

struct range_call {
	const char *name;
	int (*call)(struct scene *s, struct pt_thread *self, struct pt_table *t, pt_va_t va,
		    uint64_t len);
};

extern const struct range_call range_calls[];
extern const unsigned nr_range_calls;

struct bad_range {
	pt_va_t va;
	uint64_t len;
	int error;
};

/* All of them on all of these. */
void refuse_ranges(struct scene *s, struct pt_thread *self, struct pt_table *t,
		   const struct bad_range *bad, size_t n);

#endif

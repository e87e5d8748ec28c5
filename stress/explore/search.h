/* SPDX-License-Identifier: MIT */
/*
 * All schedules of a subject with at most a given number of preemptions: switches away from a
 * thread that could have gone on. Switches where a thread blocks or ends cost nothing.
 *
 * A schedule also says what happens where that is not up to the threads: see search_pick().
 */
#ifndef EXPLORE_SEARCH_H
#define EXPLORE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "runtime.h"

#define SEARCH_MAX_BOUND 8
#define SEARCH_MAX_SWITCHES 256
#define SEARCH_MAX_ALTERNATIVES 32

/* What is picked; each kind has a budget of its own. */
enum pick_kind { PICK_ALLOC_FAILS, PICK_STALE_READ, PICK_NR };

/* How often in one execution the pick of a kind may be another than the default. */
extern unsigned search_budget[PICK_NR];

/* The choices of a schedule that differ from the default, which is to go on if possible. */
struct schedule {
	unsigned count;
	struct schedule_switch {
		uint32_t step; /* before which possible scheduling point */
		uint8_t to;    /* a thread; an alternative */
		bool pick;
		bool uninvoked; /* the call of who is left has not done anything visible */
		bool preempts;
	} at[SEARCH_MAX_SWITCHES];
};

struct search_result {
	uint64_t schedules[SEARCH_MAX_BOUND + 1]; /* by bound, each including the ones below */
	unsigned bounds;                          /* how many of schedules[] count */
	uint64_t executions;                      /* run to their end, altogether */
	uint64_t pruned;                          /* given up */
	double seconds;                           /* of CPU time */
	bool cut;                                 /* max_schedules was reached */
	bool failed;
	uint64_t failed_after; /* executions, the failing one included */
	struct schedule schedule;
	char letter[8];
	char message[512];
};

/* Leave out schedules that are equivalent to others; on by default. */
extern bool search_prunes;

/* Set @subject up and search it. */
void search(const struct subject *subject, unsigned max_bound, uint64_t max_schedules,
	    struct search_result *result);

/* Run one schedule of a subject that is set up; true when it breaks no rule. */
bool search_replay(const struct schedule *schedule, bool record);

/* Set up only. Return: false when that already breaks a rule. */
bool search_prepare(const struct subject *subject);

bool schedule_parse(const char *text, struct schedule *ret);
void schedule_print(const struct schedule *schedule, FILE *out);

/* Which thread goes on; @current can go on, or is THREAD_ALL. Called by the scheduler. */
unsigned search_decide(unsigned enabled, unsigned current);

/*
 * Which of @n alternatives happens to the running thread here; 0 is the default. Which alternatives
 * there are may depend on what the thread has done since its last scheduling point, that one
 * included, and on nothing that others could change without a conflict with that.
 */
unsigned search_pick(enum pick_kind kind, unsigned n);

#endif

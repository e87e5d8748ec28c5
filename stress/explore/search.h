/* SPDX-License-Identifier: MIT */
/*
 * All schedules of a subject with at most a given number of preemptions: switches away from a
 * thread that could have gone on. Switches where a thread blocks or ends cost nothing.
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

/* The switches of a schedule that differ from the default, which is to go on if possible. */
struct schedule {
	unsigned count;
	struct schedule_switch {
		uint32_t step; /* before which possible scheduling point */
		uint8_t to;
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

#endif

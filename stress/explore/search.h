/* SPDX-License-Identifier: MIT */
/*
 * Searches over the schedules of a subject.
 *
 *   bounded  all with at most a number of preemptions: switches away from a thread that could have
 *            gone on. Switches where a thread blocks or ends cost nothing.
 *   dpor     one of each class of equivalent ones, without a bound
 *   random   who goes on is drawn at each choice
 *   pos      partial-order sampling: whoever has the highest of priorities drawn anew after each
 *            conflict
 *
 * A schedule also says what happens where that is not up to the threads: see search_pick().
 */
#ifndef EXPLORE_SEARCH_H
#define EXPLORE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime.h"
#include "schedule.h"

#define SEARCH_MAX_BOUND 8
#define SEARCH_NO_BOUND UINT32_MAX

enum search_kind { SEARCH_BOUNDED, SEARCH_DPOR, SEARCH_RANDOM, SEARCH_POS, SEARCH_NR };

/* What is picked; each kind has a budget of its own. */
enum pick_kind { PICK_ALLOC_FAILS, PICK_STALE_READ, PICK_OVERTAKEN, PICK_NR };

/* How often in one execution the pick of a kind may be another than the default. */
extern unsigned search_budget[PICK_NR];

struct search_limits {
	enum search_kind kind;
	unsigned bound;         /* preemptions: up to SEARCH_MAX_BOUND, or SEARCH_NO_BOUND */
	uint64_t max_schedules; /* 0: all */
	double seconds;         /* of CPU time; 0: no limit */
	uint64_t seed;
};

struct search_result {
	/* bounded: by bound, each including the ones below; no bound and the others: [0] */
	uint64_t schedules[SEARCH_MAX_BOUND + 1];
	unsigned bounds;     /* how many of schedules[] count */
	uint64_t executions; /* run to their end, altogether */
	uint64_t pruned;     /* given up: equivalent to others */
	double seconds;      /* of CPU time */
	bool cut;            /* a limit was reached */
	bool failed;
	uint64_t failed_after; /* executions, the failing one included */
	struct schedule schedule;
	char letter[8];
	char message[512];
};

/* Leave out schedules that are equivalent to others; on by default. */
extern bool search_prunes;

extern const char *const search_names[SEARCH_NR];

/* Set @subject up and search it. */
void search(const struct subject *subject, const struct search_limits *limits,
	    struct search_result *result);

/* Run one schedule of a subject that is set up; true when it breaks no rule. */
bool search_replay(const struct schedule *schedule, bool record);

/* Had the execution that was replayed each step and thread that the schedule names? */
bool search_replay_fits(void);

/* Set up only. Return: false when that already breaks a rule. */
bool search_prepare(const struct subject *subject);

/* Which thread goes on; @current can go on, or is THREAD_ALL. Called by the scheduler. */
unsigned search_decide(unsigned enabled, unsigned current);

/*
 * Which of @n alternatives happens to the running thread here; 0 is the default. Which alternatives
 * there are may depend on what the thread has done since its last scheduling point, that one
 * included, and on nothing that others could change without a conflict with that.
 */
unsigned search_pick(enum pick_kind kind, unsigned n);

#endif

/* SPDX-License-Identifier: MIT */
/* The choices of the current execution, and who makes them: what every search has in common. */
#ifndef EXPLORE_PATH_H
#define EXPLORE_PATH_H

#include "search.h"

#define MAX_CHOICES 4096

struct choice {
	uint32_t step;
	uint8_t chosen, by_default;
	uint32_t todo; /* alternatives left, a bit each */
	bool pick;
	bool uninvoked;
	bool preemptible; /* leaving the default costs a preemption */
};

extern struct choice path[MAX_CHOICES];
extern unsigned path_depth;  /* choices made */
extern unsigned path_prefix; /* of these, how many must be repeated */

/* A way to search; its functions are called in each execution, but for the last two. */
struct searcher {
	/* Who goes on: as search_decide(). */
	unsigned (*decide)(unsigned enabled, unsigned current);
	/* Other picks than the default cost nothing more. */
	unsigned (*pick)(enum pick_kind kind, unsigned n);
	/* An execution begins. */
	void (*begin)(void);
	/* All of it, with the conflicts known so far; new conflicts make it begin again. */
	void (*search)(const struct search_limits *limits, struct search_result *result);
};

extern const struct searcher searcher_bounded, searcher_dpor, searcher_random, searcher_pos;

/* The next choice of the path: as it was made before, or @choice. */
struct choice *path_choose(const struct choice *choice);

/* The choice of a thread: @next, of those in @enabled, by default. */
struct choice path_switch(unsigned enabled, unsigned current, unsigned next);

/* A pick whose alternatives are to be tried one after the other. */
unsigned path_pick(unsigned n);

static inline unsigned path_first_of(unsigned mask)
{
	return (unsigned)__builtin_ctz(mask);
}

/* Who goes on if nothing speaks against it. */
static inline unsigned path_default(unsigned enabled, unsigned current)
{
	return current < THREAD_ALL ? current : path_first_of(enabled);
}

/*
 * Run the current path and count it in @result. Return: whether to go on, because it broke no rule
 * and no limit is reached.
 */
bool path_run(const struct search_limits *limits, struct search_result *result);

/* The last alternative left of a choice that is not a thread's, if there is one. */
bool path_next_alternative(struct choice *choice);

#endif

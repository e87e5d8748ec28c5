/* SPDX-License-Identifier: MIT */
/*
 * Depth-first search over schedules with at most a number of preemptions: at the end of an execution
 * the deepest choice that has an alternative left takes it.
 *
 * A preemption is redundant if nobody, until the thread goes on, does anything that conflicts with
 * what it did last: preempting it before that gives an equivalent schedule, with as many
 * preemptions. So an execution is given up when a thread goes on whose last doings nobody has met.
 * The equivalent schedule may be given up in turn, in favour of one that preempts earlier still;
 * that ends, because places in the program only move towards its beginning.
 */
#include "path.h"

static unsigned preemptions, bound;

static void begin(void)
{
	preemptions = 0;
}

static unsigned choose(unsigned enabled, unsigned current)
{
	unsigned next = path_default(enabled, current);
	const struct choice *c;
	struct choice choice;

	if (!(enabled & ~(1u << next)) || (current < THREAD_ALL && preemptions == bound))
		return next;
	choice = path_switch(enabled, current, next);
	choice.todo = enabled & ~(1u << next);
	c = path_choose(&choice);
	if (c->preemptible && c->chosen != current) {
		preemptions++;
		rt.self->left = rt.doing;
		rt.away |= (uint8_t)(1u << current);
	}
	return c->chosen;
}

static unsigned decide(unsigned enabled, unsigned current)
{
	unsigned next = choose(enabled, current);

	if (unlikely(rt.away & 1u << next) && search_prunes)
		sched_prune();
	return next;
}

static unsigned pick(enum pick_kind kind, unsigned n)
{
	(void)kind;
	return path_pick(n);
}

static bool next_path(void)
{
	for (; path_depth; path_depth--)
		if (path_next_alternative(&path[path_depth - 1])) {
			path_prefix = path_depth;
			return true;
		}
	return false;
}

/* One bound, with the conflicts known so far. Return: schedules. */
static uint64_t search_bound(const struct search_limits *limits, struct search_result *result)
{
	uint64_t before = result->executions;

	path_prefix = 0;
	while (path_run(limits, result) && next_path())
		;
	return result->executions - before;
}

static void search_all(const struct search_limits *limits, struct search_result *result)
{
	bool whole = limits->bound == SEARCH_NO_BOUND;
	unsigned last = whole ? 0 : limits->bound;

	for (unsigned b = 0; b <= last && !result->failed && !result->cut; b++) {
		bound = whole ? SEARCH_NO_BOUND : b;
		result->bounds = b + 1;
		do
			result->schedules[b] = search_bound(limits, result);
		while (memory_learn() && !result->failed && !result->cut);
	}
}

const struct searcher searcher_bounded = {decide, pick, begin, search_all};

/* SPDX-License-Identifier: MIT */
/*
 * Schedules drawn at random, for programs too large for all of them.
 *
 * A random walk draws who goes on at each scheduling point. Partial-order sampling (Yuan, Yang, Gu:
 * Partial order aware concurrency sampling, CAV 2018) gives each thread's next step a priority and
 * runs the highest; whose next step conflicts with what was just done draws again. So the order of
 * steps that conflict is drawn, however many others lie between them.
 */
#include "path.h"

#define LEARN_EVERY 64
#define DEFAULT_SCHEDULES 10000

static uint64_t state; /* of the generator */
static uint64_t priority[MAX_THREADS];

/* splitmix64 */
static uint64_t draw(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static unsigned choose(unsigned enabled, unsigned current, unsigned next)
{
	struct choice choice = path_switch(enabled, current, next);

	choice.chosen = (uint8_t)next;
	return path_choose(&choice)->chosen;
}

static unsigned decide_random(unsigned enabled, unsigned current)
{
	unsigned skip = (unsigned)(draw() % (unsigned)__builtin_popcount(enabled));
	unsigned left = enabled;

	while (skip--)
		left &= left - 1;
	return choose(enabled, current, path_first_of(left));
}

static void redraw(unsigned current)
{
	for (unsigned t = 0; t < rt.subject->threads; t++)
		if (t == current || footprints_conflict(&rt.threads[t].next, &rt.doing))
			priority[t] = draw();
}

static unsigned decide_pos(unsigned enabled, unsigned current)
{
	unsigned next = path_first_of(enabled);

	redraw(current);
	for (unsigned t = 0; t < MAX_THREADS; t++)
		if ((enabled & 1u << t) && priority[t] > priority[next])
			next = t;
	return choose(enabled, current, next);
}

static unsigned pick(enum pick_kind kind, unsigned n)
{
	struct choice choice = {
		.step = rt.step,
		.chosen = (uint8_t)(draw() % n),
		.pick = true,
	};

	(void)kind;
	return path_choose(&choice)->chosen;
}

static void begin(void)
{
	for (unsigned t = 0; t < MAX_THREADS; t++)
		priority[t] = draw();
}

static void search_some(const struct search_limits *limits, struct search_result *result)
{
	struct search_limits own = *limits;

	if (!own.max_schedules && own.seconds <= 0)
		own.max_schedules = DEFAULT_SCHEDULES;
	state = limits->seed;
	path_prefix = 0;
	result->bounds = 1;
	while (path_run(&own, result))
		if (!(result->executions & (LEARN_EVERY - 1)) || result->executions < 4)
			memory_learn();
	result->schedules[0] = result->executions;
}

const struct searcher searcher_random = {decide_random, pick, begin, search_some};
const struct searcher searcher_pos = {decide_pos, pick, begin, search_some};

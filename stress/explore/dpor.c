/* SPDX-License-Identifier: MIT */
/*
 * Source-DPOR with sleep sets (Abdulla, Aronis, Jonsson, Sagonas: Optimal dynamic partial order
 * reduction, POPL 2014): of the schedules that differ only in the order of steps without a conflict,
 * one.
 *
 * A step is what a thread does from one scheduling point up to the next one, with all that runs
 * nested in it; footprint.h says what conflicts. After each execution every pair of steps that
 * conflict and could have come in the other order, a race, makes sure that the other order is
 * explored, too: at the place before the first of them a thread is added with which that can begin.
 * A thread sleeps where all that begins with its next step has been explored already, until
 * somebody else does something that conflicts with that step. When all who could run sleep, the
 * execution is given up.
 *
 * A wait that ends happens after the step that ended it; that is no race, because the waiter could
 * not run before. A step in which nothing happened is part of the next one.
 *
 * Picks are places, too, of which all alternatives are explored. A thread's step sleeps when it has
 * been explored with all its picks, and then conflicts with what conflicts with any of them. That
 * the other thread may spend the budget in between does no harm: a schedule that keeps to the budget
 * has only prefixes and equivalents that do, and the default is always among the alternatives.
 */
#include "path.h"

#include <string.h>

#define NOBODY UINT16_MAX

/* For each choice of the path; a pick uses nothing of it. */
struct place {
	uint8_t enabled, asleep, explore; /* threads, a bit each */
	uint8_t thread;                   /* whose step begins here */
	int16_t count;                    /* it is the thread's so manieth */
	uint16_t waker;                   /* whose step let it run, or NOBODY */
	struct footprint did;             /* this time */
	struct footprint does;            /* whatever its picks */
	union clock clock; /* steps of each thread that happened before, this included */
	struct footprint sleeping[MAX_THREADS]; /* what the next step of who is asleep does */
};

static struct place places[MAX_CHOICES];
static unsigned last; /* the current step's place, or NOBODY */
static uint16_t wakers[MAX_THREADS];
static int16_t counts[MAX_THREADS];

static void begin(void)
{
	last = NOBODY;
	memset(wakers, 0xff, sizeof(wakers));
	memset(counts, 0, sizeof(counts));
}

/* The step has ended, and these can run now. */
static void end_step(unsigned enabled)
{
	struct place *p = &places[last];
	unsigned woken;

	if (last == NOBODY)
		return;
	p->did = rt.doing;
	footprint_join(&p->does, &rt.doing);
	woken = enabled & ~(unsigned)p->enabled;
	for (; woken; woken &= woken - 1)
		wakers[path_first_of(woken)] = (uint16_t)last;
}

/* Who sleeps here: as before, but for whom the last step woke up. */
static void inherit_sleep(struct place *p)
{
	const struct place *before = &places[last];

	p->asleep = 0;
	if (last == NOBODY)
		return;
	for (unsigned q = 0; q < MAX_THREADS; q++)
		if ((before->asleep & 1u << q) && q != before->thread &&
		    !footprints_conflict(&before->sleeping[q], &before->did)) {
			p->asleep |= (uint8_t)(1u << q);
			p->sleeping[q] = before->sleeping[q];
		}
}

/* A place that no execution has been to. Return: who goes on. */
static unsigned arrive(struct place *p, unsigned enabled, unsigned current)
{
	unsigned awake, next;

	p->enabled = (uint8_t)enabled;
	p->does = (struct footprint){0};
	inherit_sleep(p);
	awake = enabled & ~(unsigned)p->asleep;
	if (!awake)
		sched_prune();
	next = current < THREAD_ALL && (awake & 1u << current) ? current : path_first_of(awake);
	p->explore = (uint8_t)(1u << next);
	return next;
}

static unsigned decide(unsigned enabled, unsigned current)
{
	struct place *p = &places[path_depth];
	unsigned next;
	struct choice choice = {0};

	if (current < THREAD_ALL && footprint_empty(&rt.doing))
		return current;
	end_step(enabled);
	if (path_depth >= path_prefix) {
		next = arrive(p, enabled, current);
		choice = path_switch(enabled, current, next);
	}
	last = path_depth;
	next = path_choose(&choice)->chosen;
	p->thread = (uint8_t)next;
	p->count = ++counts[next];
	p->waker = wakers[next];
	wakers[next] = NOBODY;
	return next;
}

static unsigned pick(enum pick_kind kind, unsigned n)
{
	(void)kind;
	return path_pick(n);
}

/* ---- races ---- */

static bool happens_before(unsigned i, const struct place *later)
{
	return later->clock.of[places[i].thread] >= places[i].count;
}

/*
 * Of the steps after @i that do not happen after it, and then @j: which threads have one that no
 * other of these happens before?
 */
static unsigned initials(unsigned i, unsigned j)
{
	int16_t first[MAX_THREADS] = {0};
	unsigned threads = 0;

	for (unsigned k = i + 1; k <= j; k++) {
		const struct place *p = &places[k];
		bool is_first = true;

		if (path[k].pick || first[p->thread] || (k < j && happens_before(i, p)))
			continue;
		for (unsigned t = 0; t < MAX_THREADS; t++)
			is_first &= !first[t] || p->clock.of[t] < first[t];
		first[p->thread] = p->count;
		threads |= (unsigned)is_first << p->thread;
	}
	return threads;
}

/* @j could have come before @i. */
static void reverse(unsigned i, unsigned j)
{
	struct place *p = &places[i];
	unsigned can = initials(i, j);

	if (can & (p->explore | p->asleep))
		return;
	if (can & 1u << places[j].thread)
		can = 1u << places[j].thread;
	p->explore |= (uint8_t)(can & -can);
}

/* What happened before step @j, whose thread's step before it was @before; and its races. */
static void look_at(unsigned j, unsigned before)
{
	struct place *p = &places[j];

	p->clock.v = (clock_vec){0};
	if (before != NOBODY)
		p->clock = places[before].clock;
	p->clock.of[p->thread] = p->count;
	if (p->waker != NOBODY)
		clock_join(&p->clock, &places[p->waker].clock);
	for (unsigned i = j; i-- > 0;) {
		const struct place *q = &places[i];

		if (path[i].pick || happens_before(i, p) || !footprints_conflict(&q->did, &p->did))
			continue;
		reverse(i, j);
		clock_join(&p->clock, &q->clock);
	}
}

/* The first step that is not as it was in the execution before. */
static unsigned first_new(void)
{
	unsigned first = path_prefix ? path_prefix - 1 : 0;

	while (first && path[first].pick)
		first--;
	return first;
}

static void look_at_all(void)
{
	unsigned before[MAX_THREADS], from = first_new();

	memset(before, 0xff, sizeof(before));
	for (unsigned j = 0; j < path_depth; j++) {
		unsigned t = places[j].thread;

		if (path[j].pick)
			continue;
		if (j >= from)
			look_at(j, before[t] > MAX_CHOICES ? NOBODY : before[t]);
		before[t] = j;
	}
}

/* ---- all executions ---- */

/* What begins with the step that was explored here sleeps from now on. Return: is there another? */
static bool next_at(unsigned i)
{
	struct place *p = &places[i];
	unsigned left;

	if (path[i].pick)
		return path_next_alternative(&path[i]);
	p->asleep |= (uint8_t)(1u << p->thread);
	p->sleeping[p->thread] = p->does;
	left = p->explore & ~(unsigned)p->asleep;
	if (!left)
		return false;
	path[i].chosen = (uint8_t)path_first_of(left);
	p->does = (struct footprint){0};
	return true;
}

static bool next_path(void)
{
	for (; path_depth; path_depth--)
		if (next_at(path_depth - 1)) {
			path_prefix = path_depth;
			return true;
		}
	return false;
}

static bool run(const struct search_limits *limits, struct search_result *result)
{
	bool go_on = path_run(limits, result);

	if (!go_on)
		return false;
	if (!sched_pruned())
		end_step(0);
	look_at_all();
	return true;
}

static void search_all(const struct search_limits *limits, struct search_result *result)
{
	result->bounds = 1;
	do {
		uint64_t before = result->executions;

		path_prefix = 0;
		while (run(limits, result) && next_path())
			;
		result->schedules[0] = result->executions - before;
	} while (memory_learn() && !result->failed && !result->cut);
}

const struct searcher searcher_dpor = {decide, pick, begin, search_all};

/* SPDX-License-Identifier: MIT */
/*
 * What all searches share. Each execution starts from the same state and repeats the choices on the
 * current path, up to the one that is to be made differently.
 *
 * An access is a choice point only if threads conflict on its location: somebody writes it and
 * somebody else accesses it, in any execution seen. What is not known to be shared cannot be found
 * out of order, because moving such an access past other threads changes nothing. New conflicts
 * found on the way make the search begin again, so when it ends, no execution had a conflict at a
 * place that was not a choice point.
 *
 * A pick is a choice without a switch. It belongs to what its thread does there: it depends on
 * nothing else, and nothing else depends on it but through what the thread does next. So an
 * equivalent schedule makes the same picks, as many of each kind, and whatever leaves out equivalent
 * schedules does so for each assignment of picks by itself.
 */
#include "search.h"

#include <string.h>
#include <time.h>

#include "guard.h"
#include "interrupt.h"
#include "path.h"
#include "trace.h"

bool search_prunes = true;
unsigned search_budget[PICK_NR] = {
	[PICK_ALLOC_FAILS] = 1, [PICK_STALE_READ] = 1, [PICK_OVERTAKEN] = 1};

const char *const search_names[SEARCH_NR] = {
	[SEARCH_BOUNDED] = "bounded",
	[SEARCH_DPOR] = "dpor",
	[SEARCH_RANDOM] = "random",
	[SEARCH_POS] = "pos",
};

static const struct searcher *const searchers[SEARCH_NR] = {
	[SEARCH_BOUNDED] = &searcher_bounded,
	[SEARCH_DPOR] = &searcher_dpor,
	[SEARCH_RANDOM] = &searcher_random,
	[SEARCH_POS] = &searcher_pos,
};

struct choice path[MAX_CHOICES];
unsigned path_depth, path_prefix;

static const struct searcher *searcher;
static unsigned picked[PICK_NR];
static const struct schedule *replay; /* NULL: search */
static unsigned replayed;
static bool replay_fits; /* each switch of the schedule, so far, could be made */
static double started;
static bool endless_is_fair, too_long;

/* ---- replay ---- */

/* Who spins on what nobody else knows must come to an end, too. */
static void force_next(void)
{
	bool more = replay && replayed < replay->count;

	rt.forced = more ? replay->at[replayed].step : STEP_LIMIT + 1;
}

/* What the schedule says about this step; NULL: the default. */
static const struct schedule_switch *replay_next(bool pick)
{
	const struct schedule_switch *s = &replay->at[replayed];

	if (replayed == replay->count || s->step != rt.step)
		return NULL;
	replayed++;
	force_next();
	replay_fits &= s->pick == pick;
	return s->pick == pick ? s : NULL;
}

static unsigned decide_replay(unsigned enabled, unsigned current)
{
	unsigned next = path_default(enabled, current);
	const struct schedule_switch *s = replay_next(false);

	if (!s)
		return next;
	if (enabled & 1u << s->to)
		next = s->to;
	else
		replay_fits = false;
	/* The search would have noted the call's beginning here, or not yet. */
	if (current < THREAD_ALL && !s->uninvoked && rt.self->invoke_pending)
		sched_stamp();
	return next;
}

static unsigned pick_replay(unsigned n)
{
	const struct schedule_switch *s = replay_next(true);

	replay_fits &= !s || s->to < n;
	return s && s->to < n ? s->to : 0;
}

/* ---- choices ---- */

/* With few preemptions that is no progress; without a bound two threads may hinder each other for ever. */
static _Noreturn void too_many_choices(void)
{
	if (!endless_is_fair)
		rt_fail("P1", "more than %d choices in one execution", MAX_CHOICES);
	too_long = true;
	sched_prune();
}

struct choice *path_choose(const struct choice *choice)
{
	struct choice *c = &path[path_depth];

	if (path_depth == MAX_CHOICES - 1)
		too_many_choices();
	if (path_depth++ >= path_prefix)
		*c = *choice;
	else if (unlikely(c->step != rt.step))
		rt_fail("-", "not repeatable: step %u instead of %u", rt.step, c->step);
	return c;
}

struct choice path_switch(unsigned enabled, unsigned current, unsigned next)
{
	return (struct choice){
		.step = rt.step,
		.chosen = (uint8_t)next,
		.by_default = (uint8_t)path_default(enabled, current),
		.uninvoked = current < THREAD_ALL && rt.self->invoke_pending,
		.preemptible = current < THREAD_ALL,
	};
}

unsigned search_decide(unsigned enabled, unsigned current)
{
	if (unlikely(replay != NULL))
		return decide_replay(enabled, current);
	return searcher->decide(enabled, current);
}

static const char *const pick_names[PICK_NR] = {
	[PICK_ALLOC_FAILS] = "an allocation fails",
	[PICK_STALE_READ] = "an older value is read",
	[PICK_OVERTAKEN] = "the store is overtaken by an earlier one",
};

unsigned path_pick(unsigned n)
{
	const struct choice *c = path_choose(&(struct choice){
		.step = rt.step,
		.todo = (uint32_t)((UINT64_C(1) << n) - 2),
		.pick = true,
	});

	return c->chosen;
}

static unsigned pick(enum pick_kind kind, unsigned n)
{
	unsigned chosen;

	if (n > SCHEDULE_ALTERNATIVES)
		rt_fail("-", "%u alternatives at once", n);
	if (picked[kind] == search_budget[kind])
		return 0;
	chosen = searcher->pick(kind, n);
	picked[kind] += chosen != 0;
	return chosen;
}

unsigned search_pick(enum pick_kind kind, unsigned n)
{
	unsigned chosen;

	if (rt.quiet || rt.me >= MAX_THREADS || n < 2)
		return 0;
	rt.step++;
	chosen = replay ? pick_replay(n) : pick(kind, n);
	if (unlikely(rt.recording) && chosen)
		trace_text("chance:", pick_names[kind]);
	return chosen;
}

bool path_next_alternative(struct choice *c)
{
	if (!c->todo)
		return false;
	c->chosen = (uint8_t)path_first_of(c->todo);
	c->todo &= c->todo - 1;
	return true;
}

/* ---- executions ---- */

/* CPU time: the machine may have other things to do. */
static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void run_once(void)
{
	path_depth = 0;
	memset(picked, 0, sizeof(picked));
	replayed = 0;
	replay_fits = true;
	force_next();
	if (!replay)
		searcher->begin();
	sched_run();
}

bool search_replay(const struct schedule *schedule, bool record)
{
	replay = schedule;
	rt.recording = record;
	if (record)
		trace_begin();
	run_once();
	rt.recording = false;
	replay_fits &= replayed == schedule->count;
	replay = NULL;
	return !sched_failed();
}

bool search_replay_fits(void)
{
	return replay_fits;
}

static void path_to_schedule(struct schedule *schedule)
{
	schedule->count = 0;
	for (unsigned i = 0; i < path_depth && schedule->count < SCHEDULE_MAX; i++)
		if (path[i].chosen != path[i].by_default)
			schedule->at[schedule->count++] = (struct schedule_switch){
				.step = path[i].step,
				.to = path[i].chosen,
				.pick = path[i].pick,
				.uninvoked = path[i].uninvoked,
				.preempts = path[i].preemptible,
			};
}

/* Leave out choices as long as the same rule breaks. */
static void shorten(struct search_result *result)
{
	bool again = true;

	while (again) {
		again = false;
		for (unsigned i = 0; i < result->schedule.count; i++) {
			struct schedule less = result->schedule;

			less.count--;
			memmove(&less.at[i], &less.at[i + 1],
				(less.count - i) * sizeof(less.at[0]));
			if (search_replay(&less, false) || strcmp(sched_letter(), result->letter))
				continue;
			result->schedule = less;
			again = true;
			break;
		}
	}
}

static void failed(struct search_result *result)
{
	result->failed = true;
	result->failed_after = result->executions;
	snprintf(result->letter, sizeof(result->letter), "%s", sched_letter());
	snprintf(result->message, sizeof(result->message), "%s", sched_message());
}

static bool at_limit(const struct search_limits *limits, const struct search_result *result)
{
	uint64_t runs = result->executions + result->pruned;

	return too_long || interrupt_seen() ||
	       (limits->max_schedules && runs >= limits->max_schedules) ||
	       (limits->seconds > 0 && !(runs & 63) && now() - started > limits->seconds);
}

bool path_run(const struct search_limits *limits, struct search_result *result)
{
	run_once();
	if (sched_pruned())
		result->pruned++;
	else
		result->executions++;
	if (sched_failed()) {
		failed(result);
		path_to_schedule(&result->schedule);
		shorten(result);
	}
	result->cut |= at_limit(limits, result);
	return !result->failed && !result->cut;
}

static void setup_entry(void *ctx)
{
	const struct subject *subject = ctx;

	subject->setup(subject->ctx);
}

bool search_prepare(const struct subject *subject)
{
	rt.subject = subject;
	if (subject->as_before) {
		memory_forget();
		subject->renew(subject->ctx);
		return true;
	}
	memory_clear();
	port_model_clear();
	if (!sched_alone(setup_entry, (void *)(uintptr_t)subject))
		return false;
	memory_forget(); /* what set-up did comes before everything */
	memory_snapshot();
	port_model_snapshot();
	return true;
}

void search(const struct subject *subject, const struct search_limits *limits,
	    struct search_result *result)
{
	started = now();
	guard_arm();
	*result = (struct search_result){0};
	replay = NULL;
	searcher = searchers[limits->kind];
	endless_is_fair = limits->kind != SEARCH_BOUNDED || limits->bound == SEARCH_NO_BOUND;
	too_long = false;
	if (search_prepare(subject))
		searcher->search(limits, result);
	else
		failed(result);
	guard_disarm();
	result->seconds = now() - started;
}

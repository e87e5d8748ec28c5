/* SPDX-License-Identifier: MIT */
/*
 * Depth-first search over schedules. Each execution starts from the same state and repeats the
 * choices on the current path; at the end the deepest choice that has an alternative left takes it.
 *
 * An access is a choice point only if threads conflict on its location: somebody writes it and
 * somebody else accesses it, in any execution seen. What is not known to be shared cannot be found
 * out of order, because moving such an access past other threads changes nothing. New conflicts
 * found on the way make the search of this bound start again, so when it ends, no execution had a
 * conflict at a place that was not a choice point.
 *
 * A preemption is redundant if nobody, until the thread goes on, does anything that conflicts with
 * what it did last: preempting it before that gives an equivalent schedule, with as many
 * preemptions. So an execution is given up when a thread goes on whose last doings nobody has met.
 * The equivalent schedule may be given up in turn, in favour of one that preempts earlier still;
 * that ends, because places in the program only move towards its beginning. A call's return counts
 * as a conflict with everything, because the calls' times must stay as they are.
 *
 * A pick is a choice without a switch. It belongs to what its thread does there: it depends on
 * nothing else, and nothing else depends on it but through what the thread does next. So an
 * equivalent schedule makes the same picks, as many of each kind, and the rules above hold for each
 * assignment of picks by itself.
 */
#include "search.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "trace.h"
#include "guard.h"

#define MAX_CHOICES 4096

bool search_prunes = true;
unsigned search_budget[PICK_NR] = {[PICK_ALLOC_FAILS] = 1, [PICK_STALE_READ] = 1};

static struct choice {
	uint32_t step;
	uint8_t chosen, by_default;
	uint32_t todo; /* alternatives left, a bit each */
	bool pick;
	bool uninvoked;
	bool preemptible; /* leaving the default costs a preemption */
} path[MAX_CHOICES];

static unsigned depth, prefix; /* choices made; of these, how many must be repeated */
static unsigned preemptions, bound, picked[PICK_NR];
static const struct schedule *replay; /* NULL: search */
static unsigned replayed;

static unsigned first_of(unsigned mask)
{
	return (unsigned)__builtin_ctz(mask);
}

/* What the schedule says about this step; NULL: the default. */
static const struct schedule_switch *replay_next(bool pick)
{
	const struct schedule_switch *s = &replay->at[replayed];

	if (replayed == replay->count || s->step != rt.step)
		return NULL;
	replayed++;
	rt.forced = replayed < replay->count ? replay->at[replayed].step : UINT32_MAX;
	return s->pick == pick ? s : NULL;
}

static unsigned decide_replay(unsigned enabled, unsigned current)
{
	unsigned next = current < THREAD_ALL ? current : first_of(enabled);
	const struct schedule_switch *s = replay_next(false);

	if (!s)
		return next;
	if (enabled & 1u << s->to)
		next = s->to;
	/* The search would have noted the call's beginning here, or not yet. */
	if (current < THREAD_ALL && !s->uninvoked && rt.self->invoke_pending) {
		sched_stamp();
	}
	return next;
}

/* The next choice of the path: as it was made before, or @new. */
static struct choice *choose(const struct choice *new)
{
	struct choice *c = &path[depth];

	if (depth == MAX_CHOICES - 1)
		rt_fail("P1", "more than %d choices in one execution", MAX_CHOICES);
	if (depth++ >= prefix)
		*c = *new;
	else if (unlikely(c->step != rt.step))
		rt_fail("-", "not repeatable: step %u instead of %u", rt.step, c->step);
	return c;
}

static unsigned decide(unsigned enabled, unsigned current)
{
	const struct choice *c;
	unsigned next = current < THREAD_ALL ? current : first_of(enabled);
	unsigned others = enabled & ~(1u << next);

	if (!others || (current < THREAD_ALL && preemptions == bound))
		return next;
	c = choose(&(struct choice){
		.step = rt.step,
		.chosen = (uint8_t)next,
		.by_default = (uint8_t)next,
		.todo = others,
		.uninvoked = current < THREAD_ALL && rt.self->invoke_pending,
		.preemptible = current < THREAD_ALL,
	});
	if (c->preemptible && c->chosen != current) {
		preemptions++;
		rt.self->left = rt.doing;
		rt.away |= (uint8_t)(1u << current);
	}
	return c->chosen;
}

unsigned search_decide(unsigned enabled, unsigned current)
{
	unsigned next;

	if (unlikely(replay != NULL))
		return decide_replay(enabled, current);
	next = decide(enabled, current);
	if (unlikely(rt.away & 1u << next) && search_prunes)
		sched_prune();
	return next;
}

/* ---- picks ---- */

static const char *const pick_names[PICK_NR] = {
	[PICK_ALLOC_FAILS] = "an allocation fails",
	[PICK_STALE_READ] = "an older value is read",
};

static unsigned pick_replay(unsigned n)
{
	const struct schedule_switch *s = replay_next(true);

	return s && s->to < n ? s->to : 0;
}

static unsigned pick(enum pick_kind kind, unsigned n)
{
	const struct choice *c;

	if (n > SEARCH_MAX_ALTERNATIVES)
		rt_fail("-", "%u alternatives at once", n);
	if (picked[kind] == search_budget[kind])
		return 0;
	c = choose(&(struct choice){
		.step = rt.step,
		.todo = (uint32_t)((UINT64_C(1) << n) - 2),
		.pick = true,
	});
	picked[kind] += c->chosen != 0;
	return c->chosen;
}

unsigned search_pick(enum pick_kind kind, unsigned n)
{
	unsigned picks;

	if (rt.quiet || rt.me >= MAX_THREADS || n < 2)
		return 0;
	rt.step++;
	picks = replay ? pick_replay(n) : pick(kind, n);
	if (unlikely(rt.recording) && picks)
		trace_text("chance:", pick_names[kind]);
	return picks;
}

/* ---- paths ---- */

static bool next_path(void)
{
	while (depth) {
		struct choice *c = &path[depth - 1];

		if (c->todo) {
			c->chosen = (uint8_t)first_of(c->todo);
			c->todo &= c->todo - 1;
			prefix = depth;
			return true;
		}
		depth--;
	}
	return false;
}

static void run_once(void)
{
	depth = 0;
	preemptions = 0;
	memset(picked, 0, sizeof(picked));
	replayed = 0;
	rt.forced = replay && replay->count ? replay->at[0].step : UINT32_MAX;
	sched_run();
}

static void path_to_schedule(struct schedule *schedule)
{
	schedule->count = 0;
	for (unsigned i = 0; i < depth && schedule->count < SEARCH_MAX_SWITCHES; i++)
		if (path[i].chosen != path[i].by_default)
			schedule->at[schedule->count++] = (struct schedule_switch){
				.step = path[i].step,
				.to = path[i].chosen,
				.pick = path[i].pick,
				.uninvoked = path[i].uninvoked,
				.preempts = path[i].preemptible,
			};
}

bool search_replay(const struct schedule *schedule, bool record)
{
	replay = schedule;
	rt.recording = record;
	if (record)
		trace_begin();
	run_once();
	rt.recording = false;
	replay = NULL;
	return !sched_failed();
}

/* Leave out switches as long as the same rule breaks. */
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

/* One bound, with the conflicts known so far. */
static void search_bound(uint64_t max_schedules, struct search_result *result)
{
	uint64_t count = 0;

	prefix = 0;
	do {
		run_once();
		if (sched_pruned()) {
			result->pruned++;
			continue;
		}
		count++;
		result->executions++;
		if (sched_failed()) {
			failed(result);
			path_to_schedule(&result->schedule);
			shorten(result);
			break;
		}
		if (max_schedules && result->executions >= max_schedules) {
			result->cut = true;
			break;
		}
	} while (next_path());
	result->schedules[bound] = count;
}

/* CPU time: the machine may have other things to do. */
static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void setup_entry(void *ctx)
{
	const struct subject *subject = ctx;

	subject->setup(subject->ctx);
}

bool search_prepare(const struct subject *subject)
{
	rt.subject = subject;
	memory_clear();
	port_model_clear();
	if (!sched_alone(setup_entry, (void *)(uintptr_t)subject))
		return false;
	memory_snapshot();
	port_model_snapshot();
	return true;
}

void search(const struct subject *subject, unsigned max_bound, uint64_t max_schedules,
	    struct search_result *result)
{
	double start = now();

	guard_arm();
	*result = (struct search_result){0};
	replay = NULL;
	if (!search_prepare(subject)) {
		failed(result);
		guard_disarm();
		return;
	}
	for (bound = 0; bound <= max_bound && !result->failed && !result->cut; bound++) {
		result->bounds = bound + 1;
		do
			search_bound(max_schedules, result);
		while (memory_learn() && !result->failed && !result->cut);
	}
	guard_disarm();
	result->seconds = now() - start;
}

/*
 * Schedules as text: "step:thread", "step~thread" if the call left is uninvoked, "step=alternative"
 */

static char mark_of(const struct schedule_switch *s)
{
	return s->pick ? '=' : s->uninvoked ? '~' : ':';
}

void schedule_print(const struct schedule *schedule, FILE *out)
{
	if (!schedule->count)
		fputs("serial", out);
	for (unsigned i = 0; i < schedule->count; i++)
		fprintf(out, "%s%u%c%u", i ? "," : "", schedule->at[i].step,
			mark_of(&schedule->at[i]), schedule->at[i].to);
}

static bool parse_number(const char **text, unsigned long limit, unsigned long *ret)
{
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	*ret = strtoul(*text, &end, 10);
	*text = end;
	return *ret < limit;
}

bool schedule_parse(const char *text, struct schedule *ret)
{
	ret->count = 0;
	if (!strcmp(text, "serial"))
		return true;
	for (;;) {
		struct schedule_switch *s = &ret->at[ret->count];
		unsigned long step, to;
		char mark;

		if (ret->count == SEARCH_MAX_SWITCHES || !parse_number(&text, UINT32_MAX, &step))
			return false;
		mark = *text++;
		if (!mark || !strchr(":~=", mark) ||
		    !parse_number(&text, mark == '=' ? SEARCH_MAX_ALTERNATIVES : MAX_THREADS, &to))
			return false;
		*s = (struct schedule_switch){
			.step = (uint32_t)step,
			.to = (uint8_t)to,
			.pick = mark == '=',
			.uninvoked = mark == '~',
		};
		if (ret->count && s->step <= s[-1].step)
			return false;
		ret->count++;
		if (!*text)
			return true;
		if (*text++ != ',')
			return false;
	}
}

/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <stdio.h>
#include <string.h>

#include "trace.h"

void totals_add(struct totals *all, const struct totals *some)
{
	all->passed += some->passed;
	all->failed += some->failed;
	all->cut += some->cut;
	all->lost += some->lost;
	all->executions += some->executions;
	all->pruned += some->pruned;
	all->distinct += some->distinct;
	all->seconds += some->seconds;
}

/* ---- the command line ---- */

/* What changes an execution, whatever its schedule: the line that replays one must have it, too. */
static const char *world_options(void)
{
	static char text[64];
	int n = 0;

	text[0] = '\0';
	if (strcmp(program_node_lock, DEFAULT_NODE_LOCK) != 0)
		n = snprintf(text, sizeof(text), " --node-lock %s", program_node_lock);
	if (rt.weak)
		snprintf(text + n, sizeof(text) - (size_t)n, " --weak %u",
			 search_budget[PICK_STALE_READ]);
	return text;
}

static void print_bound(const struct options *options)
{
	if (options->limits.bound == SEARCH_NO_BOUND)
		printf(" --bound none");
	else
		printf(" --bound %u", options->limits.bound);
}

static void print_search(const struct options *options)
{
	printf(" --search %s", options->both ? "all" : search_names[options->limits.kind]);
	print_bound(options);
	printf(" --max-schedules %llu --seconds %g --seed %llu%s%s",
	       (unsigned long long)options->limits.max_schedules, options->limits.seconds,
	       (unsigned long long)options->limits.seed, search_prunes ? "" : " --no-prune",
	       options->fail_fast ? " --fail-fast" : "");
	if (options->slices > 1)
		printf(" --slice %u/%u", options->slice + 1, options->slices);
	if (options->jobs > 1)
		printf(" --jobs %u", options->jobs);
}

void report_command(const struct options *options)
{
	printf("ptstress explore --strategy %s %s %s%s", options->strategies,
	       options->generate ? "--generate" : "--scenario",
	       options->generate ? options->generate : options->scenarios, world_options());
	if (options->replay)
		printf(" --replay %s", options->replay);
	else
		print_search(options);
	printf(" (format %s)\n", FORMAT);
}

/* ---- results ---- */

static double rate(uint64_t runs, double seconds)
{
	return (double)runs / seconds;
}

/* A clock that is read twice within so little time measures itself. */
static bool is_measured(double seconds)
{
	return seconds >= 0.01;
}

void totals_print(const char *what, const struct totals *t)
{
	printf("%s%llu schedules, ", what, (unsigned long long)t->executions);
	if (t->distinct)
		printf("%llu of them by DPOR's last passes: distinct, ",
		       (unsigned long long)t->distinct);
	printf("%llu more given up as equivalent, in %.1f s of CPU time",
	       (unsigned long long)t->pruned, t->seconds);
	if (is_measured(t->seconds))
		printf(": %.0f runs a second", rate(t->executions + t->pruned, t->seconds));
	printf("\n");
}

/* How many columns of schedules there are. */
static unsigned columns(const struct search_limits *limits)
{
	return limits->kind == SEARCH_BOUNDED && limits->bound != SEARCH_NO_BOUND
		       ? limits->bound + 1
		       : 1;
}

void report_heading(const struct search_limits *limits)
{
	char bound[24];

	printf("%-10s %-22s", "strategy", "scenario");
	if (limits->kind == SEARCH_BOUNDED && limits->bound != SEARCH_NO_BOUND)
		for (unsigned b = 0; b <= limits->bound; b++) {
			snprintf(bound, sizeof(bound), "bound %u", b);
			printf("  %10s", bound);
		}
	else
		printf("  %10s", search_names[limits->kind]);
	printf("  %10s", "given up");
	printf("  %8s  %11s  verdict\n", "outcomes", "runs/CPU s");
}

void report_result(const struct program *program, const struct search_result *result,
		   const struct search_limits *limits)
{
	char speed[24] = "-";

	printf("%-10s %-22s", program->strategy, program->scenario->name);
	for (unsigned b = 0; b < columns(limits); b++)
		if (b < result->bounds)
			printf("  %10llu", (unsigned long long)result->schedules[b]);
		else
			printf("  %10s", "-");
	if (is_measured(result->seconds))
		snprintf(speed, sizeof(speed), "%.0f",
			 rate(result->executions + result->pruned, result->seconds));
	printf("  %10llu  %8u  %11s  %s\n", (unsigned long long)result->pruned, program_outcomes(),
	       speed,
	       result->failed ? "FAILED"
	       : result->cut  ? "passed (cut)"
			      : "passed");
}

static void explain_columns(const struct options *options)
{
	if (options->limits.kind == SEARCH_BOUNDED)
		printf("bound N: schedules with up to N preemptions\n");
	printf("given up: schedules not run to their end, as equivalent to others\n"
	       "outcomes: how many different results of calls and final tables there were\n"
	       "runs/CPU s: schedules and what was given up; - if all took less than 10 ms\n");
	if (options->limits.max_schedules || options->limits.seconds > 0)
		printf("cut: --max-schedules or --seconds ended the search before all were run\n");
}

void report_legend(const struct options *options, const struct totals *totals)
{
	if (!options->generate)
		explain_columns(options);
	if (totals->failed)
		printf("a schedule: 17:1, before step 17 thread 1 goes on; 17~1, the same before the\n"
		       "call that is left has begun; 17=1, a pick: at step 17 happens what may, as an\n"
		       "allocation that fails; serial, none of these. Steps move with the library's code\n");
}

/* ---- a violation ---- */

void report_violation(const struct program *program, const struct search_result *result, bool words)
{
	unsigned preemptions = 0, picks = 0;

	for (unsigned i = 0; i < result->schedule.count; i++) {
		preemptions += result->schedule.at[i].preempts;
		picks += result->schedule.at[i].pick;
	}
	printf("\nviolation of %s: %s\n", result->letter, result->message);
	printf("  strategy %s, scenario %s (%s); found after %llu schedule%s; "
	       "%u preemption%s, %u pick%s\n",
	       program->strategy, program->scenario->name, program->scenario->about,
	       (unsigned long long)result->failed_after, result->failed_after == 1 ? "" : "s",
	       preemptions, preemptions == 1 ? "" : "s", picks, picks == 1 ? "" : "s");
	if (words) {
		search_replay(&result->schedule, true);
		trace_print(stdout);
		printf("  => %s: %s\n", sched_letter(), sched_message());
	}
	printf("replay: ptstress explore --strategy %s --scenario %s%s --replay ",
	       program->strategy, program->scenario->name, world_options());
	schedule_print(&result->schedule, stdout);
	printf("\n\n");
}

/* SPDX-License-Identifier: MIT */
/*
 * ptstress explore: run scenarios under all schedules up to a bound, and report what breaks.
 */
#include "explore.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "search.h"
#include "trace.h"

#define FORMAT "toy"
#define DEFAULT_BOUND 2

enum exit_code { EXIT_FINE = 0, EXIT_USAGE = 1, EXIT_VIOLATION = 2, EXIT_RESOURCES = 3 };

struct options {
	const char *strategies; /* a list, or "all" */
	const char *scenarios;
	unsigned bound;
	uint64_t max_schedules;
	const char *replay;
	bool quiet;
	bool fail_fast;
};

struct totals {
	unsigned passed, failed;
	uint64_t executions, pruned;
	double seconds;
};

/* ---- options ---- */

enum {
	KEY_STRATEGY = 's',
	KEY_SCENARIO = 'n',
	KEY_BOUND = 'b',
	KEY_MAX = 'm',
	KEY_REPLAY = 'r',
	KEY_QUIET = 'q',
	KEY_FAIL_FAST = 'f',
	KEY_NO_PRUNE = 'p',
};

static const struct argp_option argp_options[] = {
	{"strategy", KEY_STRATEGY, "LIST", 0, "rcu,rwlock,... or all (default)", 0},
	{"scenario", KEY_SCENARIO, "LIST", 0, "names from `ptstress list`, or all (default)", 0},
	{"bound", KEY_BOUND, "N", 0, "search with up to N preemptions, 0..8 (default 2)", 0},
	{"max-schedules", KEY_MAX, "N", 0, "stop a search after N executions (default: never)", 0},
	{"replay", KEY_REPLAY, "SCHEDULE", 0,
	 "run one schedule and show it; needs one strategy "
	 "and one scenario",
	 0},
	{"fail-fast", KEY_FAIL_FAST, NULL, 0, "end with the first violation", 0},
	{"no-prune", KEY_NO_PRUNE, NULL, 0, "run equivalent schedules, too", 0},
	{"quiet", KEY_QUIET, NULL, 0, "report violations without the schedule in words", 0},
	{0},
};

static uint64_t parse_number(struct argp_state *state, const char *name, const char *text,
			     uint64_t max)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || value > max)
		argp_error(state, "--%s: '%s' is not a number from 0 to %llu", name, text,
			   (unsigned long long)max);
	return value;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case KEY_STRATEGY:
		options->strategies = arg;
		return 0;
	case KEY_SCENARIO:
		options->scenarios = arg;
		return 0;
	case KEY_BOUND:
		options->bound = (unsigned)parse_number(state, "bound", arg, SEARCH_MAX_BOUND);
		return 0;
	case KEY_MAX:
		options->max_schedules = parse_number(state, "max-schedules", arg, UINT64_MAX);
		return 0;
	case KEY_REPLAY:
		options->replay = arg;
		return 0;
	case KEY_QUIET:
		options->quiet = true;
		return 0;
	case KEY_NO_PRUNE:
		search_prunes = false;
		return 0;
	case KEY_FAIL_FAST:
		options->fail_fast = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp explore_argp = {
	.options = argp_options,
	.parser = parse_option,
	.doc = "Run small concurrent programs on the library under every schedule with a bounded "
	       "number of preemptions, and check each execution against the correctness contract.",
};

/* Is @name in the comma-separated @list? */
static bool listed(const char *list, const char *name)
{
	size_t n = strlen(name);

	if (!strcmp(list, "all"))
		return true;
	for (;;) {
		size_t length = strcspn(list, ",");

		if (length == n && !strncmp(list, name, n))
			return true;
		if (!list[length])
			return false;
		list += length + 1;
	}
}

/* The oracle takes transactions for atomic: it knows strategies with range isolation only. */
static bool strategy_known(const char *name)
{
	const struct pt_strategy_info *strategy = pt_strategy_find(name);

	return strategy && strategy->isolation == PT_ISOLATION_RANGE &&
	       pt_pair_exists(FORMAT, name);
}

static bool scenario_known(const char *name)
{
	return scenario_find(name) != NULL;
}

/* Every name of the list is known; else say which is not. */
static bool check_list(const char *what, const char *list, bool (*known)(const char *name))
{
	char name[64];

	if (!strcmp(list, "all"))
		return true;
	for (;; list++) {
		size_t length = strcspn(list, ",");

		snprintf(name, sizeof(name), "%.*s", (int)length, list);
		if (!known(name)) {
			fprintf(stderr, "ptstress: no %s '%s'; `ptstress list` shows them\n", what,
				name);
			return false;
		}
		list += length;
		if (!*list)
			return true;
	}
}

/* ---- reports ---- */

static void report(const struct program *program, const struct search_result *result, bool words)
{
	unsigned preemptions = 0;

	for (unsigned i = 0; i < result->schedule.count; i++)
		preemptions += result->schedule.at[i].preempts;
	printf("\nviolation of %s: %s\n", result->letter, result->message);
	printf("  strategy %s, scenario %s (%s); found after %llu schedules; %u preemptions\n",
	       program->strategy, program->scenario->name, program->scenario->about,
	       (unsigned long long)result->failed_after, preemptions);
	if (words) {
		search_replay(&result->schedule, true);
		trace_print(stdout);
		printf("  => %s: %s\n", sched_letter(), sched_message());
	}
	printf("replay: ptstress explore --strategy %s --scenario %s --replay ", program->strategy,
	       program->scenario->name);
	schedule_print(&result->schedule, stdout);
	printf("\n\n");
}

static double rate(uint64_t runs, double seconds)
{
	return seconds > 0 ? (double)runs / seconds : 0.0;
}

static void print_heading(unsigned bound)
{
	printf("%-10s %-22s", "strategy", "scenario");
	for (unsigned b = 0; b <= bound; b++)
		printf("  bound %-4u", b);
	printf("  %8s  %11s  verdict\n", "outcomes", "runs/CPU s");
}

static void print_result(const struct program *program, const struct search_result *result,
			 unsigned bound)
{
	printf("%-10s %-22s", program->strategy, program->scenario->name);
	for (unsigned b = 0; b <= bound; b++)
		if (b < result->bounds)
			printf("  %10llu", (unsigned long long)result->schedules[b]);
		else
			printf("  %10s", "-");
	printf("  %8u  %11.0f  %s\n", program_outcomes(),
	       rate(result->executions + result->pruned, result->seconds),
	       result->failed ? "FAILED"
	       : result->cut  ? "passed (cut)"
			      : "passed");
}

/* ---- running ---- */

static struct program program;

static void explore_one(const struct options *options, const char *strategy,
			const struct scenario *scenario, struct totals *totals)
{
	struct subject subject;
	struct search_result result;

	program_subject(&program, scenario, strategy, &subject);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "%s/%s ...\r", strategy, scenario->name);
	search(&subject, options->bound, options->max_schedules, &result);
	print_result(&program, &result, options->bound);
	if (result.failed)
		report(&program, &result, !options->quiet);
	fflush(stdout);
	totals->passed += !result.failed;
	totals->failed += result.failed;
	totals->executions += result.executions;
	totals->pruned += result.pruned;
	totals->seconds += result.seconds;
}

static int replay_one(const struct options *options)
{
	const struct scenario *scenario = scenario_find(options->scenarios);
	struct schedule schedule;
	struct subject subject;
	bool right;

	if (!scenario || !strategy_known(options->strategies)) {
		fprintf(stderr, "ptstress: --replay needs one strategy and one scenario\n");
		return EXIT_USAGE;
	}
	if (!schedule_parse(options->replay, &schedule)) {
		fprintf(stderr, "ptstress: --replay: '%s' is not a schedule such as 17:1,30:0\n",
			options->replay);
		return EXIT_USAGE;
	}
	program_subject(&program, scenario, options->strategies, &subject);
	right = search_prepare(&subject) && search_replay(&schedule, true);
	trace_print(stdout);
	if (!right)
		printf("  => violation of %s: %s\n", sched_letter(), sched_message());
	printf("%d passed, %d failed\n", right, !right);
	return right ? EXIT_FINE : EXIT_VIOLATION;
}

static int explore_all(const struct options *options)
{
	const struct pt_strategy_info *strategy;
	const struct scenario *scenario;
	struct totals totals = {0};

	print_heading(options->bound);
	for (unsigned i = 0; (strategy = pt_strategy_at(i)); i++)
		for (unsigned n = 0; (scenario = scenario_at(n)); n++)
			if (!(options->fail_fast && totals.failed) &&
			    listed(options->strategies, strategy->name) &&
			    listed(options->scenarios, scenario->name) &&
			    strategy_known(strategy->name))
				explore_one(options, strategy->name, scenario, &totals);
	printf("%llu schedules, %llu more given up as equivalent, in %.1f s of CPU time: "
	       "%.0f runs a second\n",
	       (unsigned long long)totals.executions, (unsigned long long)totals.pruned,
	       totals.seconds, rate(totals.executions + totals.pruned, totals.seconds));
	printf("%u passed, %u failed\n", totals.passed, totals.failed);
	return totals.failed ? EXIT_VIOLATION : EXIT_FINE;
}

int explore_setup(void)
{
	int rc = memory_setup();

	return rc ? rc : sched_setup();
}

int explore_main(int argc, char **argv)
{
	struct options options = {.strategies = "all", .scenarios = "all", .bound = DEFAULT_BOUND};

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&explore_argp, argc, argv, 0, NULL, &options);
	if (!check_list("strategy", options.strategies, strategy_known) ||
	    !check_list("scenario", options.scenarios, scenario_known))
		return EXIT_USAGE;
	if (explore_setup()) {
		fprintf(stderr, "ptstress: the explorer's memory at 0x%llx cannot be mapped\n",
			(unsigned long long)ARENA_BASE);
		return EXIT_RESOURCES;
	}
	printf("ptstress explore --strategy %s --scenario %s --bound %u --max-schedules %llu"
	       "%s%s (format %s)\n",
	       options.strategies, options.scenarios, options.bound,
	       (unsigned long long)options.max_schedules, options.replay ? " --replay " : "",
	       options.replay ? options.replay : "", FORMAT);
	return options.replay ? replay_one(&options) : explore_all(&options);
}

int explore_list_main(int argc, char **argv)
{
	const struct pt_strategy_info *strategy;
	const struct scenario *scenario;

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&(struct argp){.doc = "List strategies and scenarios."}, argc, argv, 0, NULL,
		   NULL);
	for (unsigned i = 0; (strategy = pt_strategy_at(i)); i++)
		if (strategy_known(strategy->name))
			printf("strategy  %-22s %s\n", strategy->name, strategy->summary);
	for (unsigned i = 0; (scenario = scenario_at(i)); i++)
		printf("scenario  %-22s %s\n", scenario->name, scenario->about);
	return EXIT_FINE;
}

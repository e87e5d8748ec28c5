/* SPDX-License-Identifier: MIT */
/*
 * ptstress explore: run scenarios under all schedules up to a bound, and report what breaks.
 */
#include "explore.h"

#include <argp.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "generate.h"
#include "guard.h"
#include "interrupt.h"
#include "jobs.h"
#include "list.h"
#include "nodelock.h"
#include "options.h"
#include "program.h"
#include "report.h"
#include "search.h"
#include "trace.h"

/* ---- running ---- */

static struct program program;

static bool done(const struct options *options, const struct totals *so_far)
{
	return interrupt_seen() || (options->fail_fast && so_far->failed);
}

static void explore_one(const struct options *options, const char *strategy,
			const struct scenario *scenario, struct totals *totals)
{
	const struct search_limits *limits = &options->limits;
	struct subject subject;
	struct search_result result;

	program_subject(&program, scenario, strategy, &subject);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "%s/%s ...\r", strategy, scenario->name);
	search(&subject, limits, &result);
	if (result.failed || !options->generate)
		report_result(&program, &result, limits);
	if (result.failed)
		report_violation(&program, &result, !options->quiet);
	fflush(stdout);
	totals->passed += !result.failed;
	totals->failed += result.failed;
	totals->cut += result.cut;
	totals->executions += result.executions;
	totals->pruned += result.pruned;
	if (limits->kind == SEARCH_DPOR)
		totals->distinct += result.schedules[0];
	totals->seconds += result.seconds;
}

static int replay_one(const struct options *options)
{
	const struct scenario *scenario = scenario_find(options->scenarios);
	struct schedule schedule;
	struct subject subject;
	bool right;

	if (!scenario || !options_strategy_known(options->strategies)) {
		command_complain("--replay needs one strategy and one scenario");
		return EXIT_USAGE;
	}
	if (!schedule_parse(options->replay, &schedule)) {
		command_complain("--replay: '%s' is not a schedule such as 17:1,30:0",
				 options->replay);
		return EXIT_USAGE;
	}
	program_subject(&program, scenario, options->strategies, &subject);
	guard_arm();
	right = search_prepare(&subject) && search_replay(&schedule, true);
	guard_disarm();
	if (right && !search_replay_fits()) {
		command_complain(
			"--replay: '%s' is no schedule of %s: it names a step or a "
			"thread that is not there; was it recorded with another program, or other options?",
			options->replay, scenario->name);
		return EXIT_USAGE;
	}
	trace_print(stdout);
	if (!right)
		printf("  => violation of %s: %s\n", sched_letter(), sched_message());
	printf("%d passed, %d failed\n", right, !right);
	return right ? EXIT_FINE : EXIT_VIOLATION;
}

struct share {
	const struct options *options;
	const char *strategy;
};

/* One job's share of the slice. */
static void explore_share(void *ctx, unsigned job, void *result)
{
	const struct share *share = ctx;
	const struct options *options = share->options;
	struct totals *some = result;
	struct generator generator;
	const struct scenario *scenario;

	generate_begin(&generator, options->generate);
	generator.slice = options->slice + options->slices * job;
	generator.slices = options->slices * options->jobs;
	while ((scenario = generate_next(&generator)) && !done(options, some))
		explore_one(options, share->strategy, scenario, some);
}

/* All programs of a shape: one line for all that pass. */
static void explore_generated(const struct options *options, const char *strategy,
			      struct totals *totals)
{
	struct share share = {options, strategy};
	struct totals some[MAX_JOBS] = {{0}};
	char what[80];

	if (options->jobs == 1)
		explore_share(&share, 0, some);
	else
		some[0].lost =
			jobs_run(options->jobs, explore_share, &share, some, sizeof(some[0]));
	some[0].failed += some[0].lost;
	for (unsigned i = 1; i < options->jobs; i++)
		totals_add(&some[0], &some[i]);
	snprintf(what, sizeof(what), "%-10s %u programs%s: ", strategy,
		 some[0].passed + some[0].failed, some[0].cut ? " (some cut)" : "");
	totals_print(what, &some[0]);
	fflush(stdout);
	totals_add(totals, &some[0]);
}

static void print_programs(const struct options *options)
{
	struct generator g;

	generate_begin(&g, options->generate);
	while (generate_next(&g))
		;
	printf("%u calls, %u starting trees: %llu programs of shape %s, and %llu that are these with "
	       "threads swapped, %llu with a gather-sync of nothing; slice %u of %u\n",
	       generate_calls, generate_trees, (unsigned long long)g.number, options->generate,
	       (unsigned long long)g.swapped, (unsigned long long)g.idle, options->slice + 1,
	       options->slices);
}

/* Does the strategy have the kind of node lock that the scenario is about? */
static bool concerns(const struct scenario *scenario, const char *strategy)
{
	return !scenario->node_lock || strategy_has_node_lock(strategy, scenario->node_lock);
}

static void explore_strategy(const struct options *options, const char *strategy,
			     struct totals *totals)
{
	const struct scenario *scenario = scenario_find(options->scenarios);

	if (options->generate) {
		explore_generated(options, strategy, totals);
		return;
	}
	if (scenario) {
		explore_one(options, strategy, scenario, totals);
		return;
	}
	for (unsigned n = 0; (scenario = scenario_at(n)); n++)
		if (!done(options, totals) && list_has(options->scenarios, scenario->name) &&
		    concerns(scenario, strategy))
			explore_one(options, strategy, scenario, totals);
}

static void explore_by(const struct options *options, struct totals *totals)
{
	const struct pt_strategy_info *strategy;

	if (options->generate)
		print_programs(options);
	else
		report_heading(&options->limits);
	for (unsigned i = 0; (strategy = pt_strategy_at(i)); i++)
		if (!done(options, totals) && list_has(options->strategies, strategy->name) &&
		    options_strategy_known(strategy->name))
			explore_strategy(options, strategy->name, totals);
}

static int explore_all(const struct options *options)
{
	struct options by = *options;
	struct totals totals = {0};

	explore_by(&by, &totals);
	by.limits.kind = SEARCH_DPOR;
	if (options->both)
		explore_by(&by, &totals);
	report_legend(options, &totals);
	totals_print("", &totals);
	if (interrupt_seen())
		printf("interrupted: this is what had been run\n");
	else if (done(options, &totals))
		printf("stopped at the first violation: there is more to run\n");
	printf("%u passed, %u failed\n", totals.passed, totals.failed);
	if (totals.failed)
		return totals.failed > totals.lost ? EXIT_VIOLATION : EXIT_RESOURCES;
	if (interrupt_seen())
		return EXIT_SIGNAL;
	if (totals.passed)
		return EXIT_FINE;
	command_complain("there is no program in slice %u of %u", options->slice + 1,
			 options->slices);
	return EXIT_USAGE;
}

int explore_setup(void)
{
	int rc = memory_setup();

	return rc ? rc : sched_setup();
}

int explore_main(int argc, char **argv)
{
	struct options options;

	if (!options_parse(&options, argc, argv))
		return EXIT_USAGE;
	if (explore_setup()) {
		command_complain("the explorer's memory at 0x%llx cannot be mapped",
				 (unsigned long long)ARENA_BASE);
		return EXIT_RESOURCES;
	}
	interrupt_catch();
	report_command(&options);
	return options.replay ? replay_one(&options) : explore_all(&options);
}

static error_t refuse_argument(int key, char *arg, struct argp_state *state)
{
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	argp_error(state, "unexpected argument '%s'", arg);
	return EINVAL;
}

int explore_list_main(int argc, char **argv)
{
	const struct pt_strategy_info *strategy;
	const struct scenario *scenario;

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&(struct argp){.doc = "List strategies, node locks and scenarios.",
				  .parser = refuse_argument},
		   argc, argv, 0, NULL, NULL);
	for (unsigned i = 0; (strategy = pt_strategy_at(i)); i++)
		if (options_strategy_known(strategy->name))
			printf("strategy  %-22s %s\n", strategy->name, strategy->summary);
	for (unsigned i = 0; pt_node_lock_at(i); i++)
		printf("node lock %s\n", pt_node_lock_at(i));
	for (unsigned i = 0; (scenario = scenario_at(i)); i++)
		printf("scenario  %-22s %s\n", scenario->name, scenario->about);
	return EXIT_FINE;
}

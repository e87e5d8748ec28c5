/* SPDX-License-Identifier: MIT */
/*
 * ptstress explore: run scenarios under all schedules up to a bound, and report what breaks.
 */
#include "explore.h"

#include <argp.h>
#include <unistd.h>

#include "generate.h"
#include "interrupt.h"
#include "jobs.h"
#include "list.h"
#include "options.h"
#include "program.h"
#include "search.h"
#include "trace.h"

struct totals {
	unsigned passed, failed, cut;
	unsigned lost; /* of the failed: jobs that handed back no result */
	uint64_t executions, pruned;
	double seconds;
};

/* ---- reports ---- */

/* As the command line has it. */
static const char *weak_option(void)
{
	static char text[24];

	if (!rt.weak)
		return "";
	snprintf(text, sizeof(text), " --weak %u", search_budget[PICK_STALE_READ]);
	return text;
}

static void report(const struct program *program, const struct search_result *result, bool words)
{
	unsigned preemptions = 0, picks = 0;

	for (unsigned i = 0; i < result->schedule.count; i++) {
		preemptions += result->schedule.at[i].preempts;
		picks += result->schedule.at[i].pick;
	}
	printf("\nviolation of %s: %s\n", result->letter, result->message);
	printf("  strategy %s, scenario %s (%s); found after %llu schedules; %u preemption%s, %u pick%s\n",
	       program->strategy, program->scenario->name, program->scenario->about,
	       (unsigned long long)result->failed_after, preemptions, preemptions == 1 ? "" : "s",
	       picks, picks == 1 ? "" : "s");
	if (words) {
		search_replay(&result->schedule, true);
		trace_print(stdout);
		printf("  => %s: %s\n", sched_letter(), sched_message());
	}
	printf("replay: ptstress explore --strategy %s --scenario %s%s --replay ",
	       program->strategy, program->scenario->name, weak_option());
	schedule_print(&result->schedule, stdout);
	printf("\n\n");
}

static double rate(uint64_t runs, double seconds)
{
	return seconds > 0 ? (double)runs / seconds : 0.0;
}

/* How many columns of schedules there are. */
static unsigned columns(const struct search_limits *limits)
{
	return limits->kind == SEARCH_BOUNDED && limits->bound != SEARCH_NO_BOUND
		       ? limits->bound + 1
		       : 1;
}

static void print_heading(const struct search_limits *limits)
{
	printf("%-10s %-22s", "strategy", "scenario");
	if (limits->kind == SEARCH_BOUNDED && limits->bound != SEARCH_NO_BOUND)
		for (unsigned b = 0; b <= limits->bound; b++)
			printf("  bound %-4u", b);
	else
		printf("  %10s", search_names[limits->kind]);
	printf("  %10s", "given up");
	printf("  %8s  %11s  verdict\n", "outcomes", "runs/CPU s");
}

static void print_result(const struct program *program, const struct search_result *result,
			 unsigned nr_columns)
{
	printf("%-10s %-22s", program->strategy, program->scenario->name);
	for (unsigned b = 0; b < nr_columns; b++)
		if (b < result->bounds)
			printf("  %10llu", (unsigned long long)result->schedules[b]);
		else
			printf("  %10s", "-");
	printf("  %10llu  %8u  %11.0f  %s\n", (unsigned long long)result->pruned,
	       program_outcomes(), rate(result->executions + result->pruned, result->seconds),
	       result->failed ? "FAILED"
	       : result->cut  ? "passed (cut)"
			      : "passed");
}

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
		print_result(&program, &result, columns(limits));
	if (result.failed)
		report(&program, &result, !options->quiet);
	fflush(stdout);
	totals->passed += !result.failed;
	totals->failed += result.failed;
	totals->cut += result.cut;
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

	if (!scenario || !options_strategy_known(options->strategies)) {
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
	if (right && !search_replay_fits()) {
		fprintf(stderr,
			"ptstress: --replay: '%s' is no schedule of %s: it names a step or a "
			"thread that is not there\n",
			options->replay, scenario->name);
		return EXIT_USAGE;
	}
	trace_print(stdout);
	if (!right)
		printf("  => violation of %s: %s\n", sched_letter(), sched_message());
	printf("%d passed, %d failed\n", right, !right);
	return right ? EXIT_FINE : EXIT_VIOLATION;
}

static void print_totals(const char *what, const struct totals *t)
{
	printf("%s%llu schedules, %llu more given up as equivalent, in %.1f s of CPU time: "
	       "%.0f runs a second\n",
	       what, (unsigned long long)t->executions, (unsigned long long)t->pruned, t->seconds,
	       rate(t->executions + t->pruned, t->seconds));
}

static void add_totals(struct totals *all, const struct totals *some)
{
	all->passed += some->passed;
	all->failed += some->failed;
	all->cut += some->cut;
	all->lost += some->lost;
	all->executions += some->executions;
	all->pruned += some->pruned;
	all->seconds += some->seconds;
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
		add_totals(&some[0], &some[i]);
	snprintf(what, sizeof(what), "%-10s %u programs%s: ", strategy,
		 some[0].passed + some[0].failed, some[0].cut ? " (some cut)" : "");
	print_totals(what, &some[0]);
	fflush(stdout);
	add_totals(totals, &some[0]);
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
		if (!done(options, totals) && list_has(options->scenarios, scenario->name))
			explore_one(options, strategy, scenario, totals);
}

static void explore_by(const struct options *options, struct totals *totals)
{
	const struct pt_strategy_info *strategy;

	if (options->generate)
		print_programs(options);
	else
		print_heading(&options->limits);
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
	print_totals("", &totals);
	if (interrupt_seen())
		printf("interrupted: this is what had been run\n");
	printf("%u passed, %u failed\n", totals.passed, totals.failed);
	if (totals.failed)
		return totals.failed > totals.lost ? EXIT_VIOLATION : EXIT_RESOURCES;
	if (interrupt_seen())
		return EXIT_SIGNAL;
	if (totals.passed)
		return EXIT_FINE;
	fprintf(stderr, "ptstress: there is no program in slice %u of %u\n", options->slice + 1,
		options->slices);
	return EXIT_USAGE;
}

int explore_setup(void)
{
	int rc = memory_setup();

	return rc ? rc : sched_setup();
}

static const char *bound_name(const struct options *options)
{
	static char number[16];

	if (options->limits.bound == SEARCH_NO_BOUND)
		return "none";
	snprintf(number, sizeof(number), "%u", options->limits.bound);
	return number;
}

int explore_main(int argc, char **argv)
{
	struct options options;

	if (!options_parse(&options, argc, argv))
		return EXIT_USAGE;
	if (explore_setup()) {
		fprintf(stderr, "ptstress: the explorer's memory at 0x%llx cannot be mapped\n",
			(unsigned long long)ARENA_BASE);
		return EXIT_RESOURCES;
	}
	interrupt_catch();
	printf("ptstress explore --search %s --strategy %s %s %s --bound %s --max-schedules %llu "
	       "--seconds %g --seed %llu%s%s%s%s (format %s)\n",
	       options.both ? "all" : search_names[options.limits.kind], options.strategies,
	       options.generate ? "--generate" : "--scenario",
	       options.generate ? options.generate : options.scenarios, bound_name(&options),
	       (unsigned long long)options.limits.max_schedules, options.limits.seconds,
	       (unsigned long long)options.limits.seed, weak_option(),
	       search_prunes ? "" : " --no-prune", options.replay ? " --replay " : "",
	       options.replay ? options.replay : "", FORMAT);
	return options.replay ? replay_one(&options) : explore_all(&options);
}

int explore_list_main(int argc, char **argv)
{
	const struct pt_strategy_info *strategy;
	const struct scenario *scenario;

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&(struct argp){.doc = "List strategies, node locks and scenarios."}, argc, argv,
		   0, NULL, NULL);
	for (unsigned i = 0; (strategy = pt_strategy_at(i)); i++)
		if (options_strategy_known(strategy->name))
			printf("strategy  %-22s %s\n", strategy->name, strategy->summary);
	for (unsigned i = 0; pt_node_lock_at(i); i++)
		printf("node lock %s\n", pt_node_lock_at(i));
	for (unsigned i = 0; (scenario = scenario_at(i)); i++)
		printf("scenario  %-22s %s\n", scenario->name, scenario->about);
	return EXIT_FINE;
}

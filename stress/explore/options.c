/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generate.h"
#include "list.h"
#include "jobs.h"
#include "nodelock.h"
#include "program.h"

#define DEFAULT_BOUND 2
#define MAX_STALE 8
#define MAX_SLICES 1000000u

enum {
	KEY_STRATEGY = 'S',
	KEY_SCENARIO = 'n',
	KEY_BOUND = 'b',
	KEY_MAX = 'm',
	KEY_REPLAY = 'r',
	KEY_QUIET = 'q',
	KEY_FAIL_FAST = 'f',
	KEY_NO_PRUNE = 'p',
	KEY_GENERATE = 'g',
	KEY_NODE_LOCK = 'l',
	KEY_SLICE = 'i',
	KEY_WEAK = 'w',
	KEY_JOBS = 'j',
	KEY_SEARCH = 'a',
	KEY_SECONDS = 't',
	KEY_SEED = 's',
};

static const struct argp_option argp_options[] = {
	{"strategy", KEY_STRATEGY, "LIST", 0, "rcu,rwlock,... or all (default)", 0},
	{"scenario", KEY_SCENARIO, "LIST", 0, "names from `ptstress list`, or all (default)", 0},
	{"generate", KEY_GENERATE, "SHAPE", 0,
	 "instead of scenarios all programs of a shape: 1,2 is two threads of 1 and 2 calls", 0},
	{"weak", KEY_WEAK, "N", 0,
	 "up to N atomic loads of an execution read an older value, and as many stores are overtaken by "
	 "earlier ones, as C11 allows, 0..8 (default 0: sequentially consistent)",
	 0},
	{"slice", KEY_SLICE, "I/N", 0, "of these only the I-th of N parts, 1..N", 0},
	{"jobs", KEY_JOBS, "N", 0, "processes that share them, 1..64 (default 1)", 0},
	{"node-lock", KEY_NODE_LOCK, "NAME", 0,
	 "Of `ptstress list`, where a scenario does not say which and the strategy has it", 0},
	{"search", KEY_SEARCH, "NAME", 0,
	 "bounded (default), dpor, both of them (all), random or pos", 0},
	{"bound", KEY_BOUND, "N", 0, "bounded: with up to N preemptions, 0..8 (default 2), or none",
	 0},
	{"seed", KEY_SEED, "N", 0, "random, pos: another seed than 0", 0},
	{"seconds", KEY_SECONDS, "N", 0, "stop a search after N seconds of CPU time", 0},
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

static void parse_slice(struct argp_state *state, const char *text, struct options *options)
{
	unsigned part, parts;
	char rest;

	if (sscanf(text, "%u/%u%c", &part, &parts, &rest) != 2 || !part || part > parts ||
	    parts > MAX_SLICES)
		argp_error(state, "--slice: '%s' is not I/N with 1 <= I <= N <= %u", text,
			   MAX_SLICES);
	options->slice = part - 1;
	options->slices = parts;
}

static void parse_search(struct argp_state *state, const char *text, struct options *options)
{
	options->both = !strcmp(text, "all");
	if (options->both)
		return;
	for (unsigned i = 0; i < SEARCH_NR; i++)
		if (!strcmp(text, search_names[i])) {
			options->limits.kind = (enum search_kind)i;
			return;
		}
	argp_error(state, "--search: '%s' is not bounded, dpor, random, pos or all", text);
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
		options->limits.bound =
			!strcmp(arg, "none")
				? SEARCH_NO_BOUND
				: (unsigned)parse_number(state, "bound", arg, SEARCH_MAX_BOUND);
		return 0;
	case KEY_MAX:
		options->limits.max_schedules =
			parse_number(state, "max-schedules", arg, UINT64_MAX);
		return 0;
	case KEY_SEARCH:
		parse_search(state, arg, options);
		return 0;
	case KEY_SECONDS:
		options->limits.seconds = (double)parse_number(state, "seconds", arg, 1000000);
		return 0;
	case KEY_SEED:
		options->limits.seed = parse_number(state, "seed", arg, UINT64_MAX);
		return 0;
	case KEY_REPLAY:
		options->replay = arg;
		return 0;
	case KEY_QUIET:
		options->quiet = true;
		return 0;
	case KEY_NODE_LOCK:
		program_node_lock = arg;
		return 0;
	case KEY_GENERATE:
		options->generate = arg;
		return 0;
	case KEY_WEAK:
		search_budget[PICK_STALE_READ] = search_budget[PICK_OVERTAKEN] =
			(unsigned)parse_number(state, "weak", arg, MAX_STALE);
		rt.weak = search_budget[PICK_STALE_READ];
		return 0;
	case KEY_SLICE:
		parse_slice(state, arg, options);
		return 0;
	case KEY_JOBS:
		options->jobs = (unsigned)parse_number(state, "jobs", arg, MAX_JOBS);
		if (!options->jobs)
			argp_error(state, "--jobs: '0' is not a number from 1 to %u", MAX_JOBS);
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
	.doc = "Run small concurrent programs on the library under all schedules, or as many as you "
	       "like, and check each execution against the correctness contract.",
};

/* One thread has one schedule. */
bool options_strategy_known(const char *name)
{
	const struct pt_strategy_info *strategy = pt_strategy_find(name);

	return strategy && strategy->isolation != PT_ISOLATION_NONE && pt_pair_exists(FORMAT, name);
}

static bool node_lock_known(const char *name)
{
	for (unsigned i = 0; pt_node_lock_at(i); i++)
		if (!strcmp(pt_node_lock_at(i), name))
			return true;
	return false;
}

/* A kind that no strategy has would be passed by tables of another kind. */
static bool somebody_has(const char *node_lock, const char *strategies)
{
	const struct pt_strategy_info *strategy;

	if (!strcmp(node_lock, DEFAULT_NODE_LOCK))
		return true;
	for (unsigned i = 0; (strategy = pt_strategy_at(i)); i++)
		if (list_has(strategies, strategy->name) &&
		    strategy_has_node_lock(strategy->name, node_lock))
			return true;
	command_complain("--node-lock: no strategy that is explored has '%s'", node_lock);
	return false;
}

static bool scenario_known(const char *name)
{
	return scenario_find(name) != NULL;
}

static bool can_be_explored(const char *strategies)
{
	if (!strcmp(strategies, "all") || !list_has(strategies, "bare"))
		return true;
	command_complain("'bare' is for one thread, which has one schedule: see `ptstress list`");
	return false;
}

bool options_parse(struct options *options, int argc, char **argv)
{
	struct generator generator;

	*options = (struct options){
		.strategies = "all",
		.limits.bound = DEFAULT_BOUND,
		.slices = 1,
		.jobs = 1,
	};
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&explore_argp, argc, argv, 0, NULL, options);
	if (!options->generate && (options->slices > 1 || options->jobs > 1)) {
		command_complain("--slice and --jobs share the programs of --generate");
		return false;
	}
	if (options->generate && options->scenarios) {
		command_complain("--generate takes the place of --scenario: give one of them");
		return false;
	}
	if (!options->scenarios)
		options->scenarios = "all";
	if (options->generate && !generate_begin(&generator, options->generate)) {
		command_complain("--generate: '%s' is not a shape such as 1,2 of at most 6 calls",
				 options->generate);
		return false;
	}
	return list_check("node lock", program_node_lock, node_lock_known) &&
	       can_be_explored(options->strategies) &&
	       list_check("strategy", options->strategies, options_strategy_known) &&
	       somebody_has(program_node_lock, options->strategies) &&
	       list_check("scenario", options->scenarios, scenario_known);
}

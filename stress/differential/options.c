/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "list.h"

#define MAX_CALLS_EACH (MAX_CALLS / MAX_THREADS)
#define MIN_CALLS_EACH 12 /* one transaction */

enum {
	KEY_STRATEGY = 'S',
	KEY_FORMAT = 'f',
	KEY_NODE_LOCK = 'l',
	KEY_THREADS = 't',
	KEY_SEED = 's',
	KEY_PROGRAMS = 'n',
	KEY_FIRST = 'i',
	KEY_CALLS = 'c',
	KEY_KEEP = 'k',
};

static const struct argp_option argp_options[] = {
	{"strategy", KEY_STRATEGY, "LIST", 0, "rcu,rwlock,... or all (default)", 0},
	{"format", KEY_FORMAT, "LIST", 0, "x86_64,toy,... or all (default)", 0},
	{"node-lock", KEY_NODE_LOCK, "LIST", 0,
	 "Of `ptstress list`, or all (default): each strategy has those that it knows", 0},
	{"threads", KEY_THREADS, "LIST", 0,
	 "1..8 (default 1,2): alone, any calls; more, each on pages of its own, at once", 0},
	{"seed", KEY_SEED, "N", 0, "of the programs (default 1)", 0},
	{"programs", KEY_PROGRAMS, "N", 0, "how many (default 200)", 0},
	{"first", KEY_FIRST, "N", 0, "number of the first one (default 0)", 0},
	{"calls", KEY_CALLS, "N", 0, "of each thread, 12..512 (default 100)", 0},
	{"keep", KEY_KEEP, "LIST", 0, "only these calls, such as 3,7..9: to replay", 0},
	{0},
};

static uint64_t parse_number(struct argp_state *state, const char *name, const char *text,
			     uint64_t min, uint64_t max)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || value < min || value > max)
		argp_error(state, "--%s: '%s' is not a number from %llu to %llu", name, text,
			   (unsigned long long)min, (unsigned long long)max);
	return value;
}

static void parse_threads(struct argp_state *state, const char *text, struct options *o)
{
	if (!list_numbers(text, MAX_THREADS + 1, o->threads) || o->threads[0])
		argp_error(state, "--threads: '%s' is not a list of numbers from 1 to %u", text,
			   MAX_THREADS);
}

static void parse_keep(struct argp_state *state, const char *text, struct options *o)
{
	o->keep = text;
	if (!list_numbers(text, MAX_CALLS, o->kept))
		argp_error(state, "--keep: '%s' is not a list of numbers from 0 to %u", text,
			   MAX_CALLS - 1);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_STRATEGY:
		o->strategies = arg;
		return 0;
	case KEY_FORMAT:
		o->formats = arg;
		return 0;
	case KEY_NODE_LOCK:
		o->node_locks = arg;
		return 0;
	case KEY_THREADS:
		parse_threads(state, arg, o);
		return 0;
	case KEY_SEED:
		o->seed = parse_number(state, "seed", arg, 0, UINT64_MAX);
		return 0;
	case KEY_PROGRAMS:
		o->programs = parse_number(state, "programs", arg, 1, MAX_PROGRAMS);
		return 0;
	case KEY_FIRST:
		o->first = parse_number(state, "first", arg, 0, MAX_PROGRAMS);
		return 0;
	case KEY_CALLS:
		o->calls =
			(unsigned)parse_number(state, "calls", arg, MIN_CALLS_EACH, MAX_CALLS_EACH);
		return 0;
	case KEY_KEEP:
		parse_keep(state, arg, o);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp differential_argp = {
	.options = argp_options,
	.parser = parse_option,
	.doc = "Run the same random programs on every strategy: what calls return, and the table "
	       "in the end, must be the same.",
};

static bool strategy_known(const char *name)
{
	return pt_strategy_find(name) != NULL;
}

static bool format_known(const char *name)
{
	return pt_format_find(name) != NULL;
}

static bool node_lock_known(const char *name)
{
	for (unsigned i = 0; pt_node_lock_at(i); i++)
		if (!strcmp(pt_node_lock_at(i), name))
			return true;
	return false;
}

bool options_parse(struct options *options, int argc, char **argv)
{
	*options = (struct options){
		.strategies = "all",
		.formats = "all",
		.node_locks = "all",
		.seed = 1,
		.programs = 200,
		.calls = 100,
		.threads = {[1] = true, [2] = true},
	};
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&differential_argp, argc, argv, 0, NULL, options);
	return list_check("strategy", options->strategies, strategy_known) &&
	       list_check("format", options->formats, format_known) &&
	       list_check("node lock", options->node_locks, node_lock_known);
}

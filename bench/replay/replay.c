/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interrupt.h"
#include "progress.h"
#include "replay.h"
#include "session.h"
#include "units.h"
#include "xalloc.h"

enum { MOST_THREADS = 1024, MOST_COPIES = 256, MOST_REPS = 1000, MOST_LOOPS_ASKED = 1000000 };

enum key {
	KEY_STRATEGY = 'S',
	KEY_FORMAT = 'f',
	KEY_THREADS = 't',
	KEY_REPS = 'r',
	KEY_OUTPUT = 'o',
	KEY_PLACE = 256,
	KEY_NODE_LOCK,
	KEY_NODE_MEMORY,
	KEY_LOOP,
	KEY_COPIES,
	KEY_WARMUP,
	KEY_SEED,
	KEY_BASELINE,
	KEY_WHY,
};

static const struct argp_option options[] = {
	{"strategy", KEY_STRATEGY, "LIST", 0, "Strategies (all)", 1},
	{"node-lock", KEY_NODE_LOCK, "LIST", 0, "Locks of nodes: ttas, ticket, queued, all (ttas)",
	 1},
	{"format", KEY_FORMAT, "NAME", 0, "PTE format (x86_64)", 1},
	{"threads", KEY_THREADS, "LIST", 0, "Numbers of workers: 1,2,4..8,16..64*2 (1)", 1},
	{"place", KEY_PLACE, "POLICY", 0, "compact, scatter, none, list:0,2 (scatter)", 1},
	{"node-memory", KEY_NODE_MEMORY, "NAME", 0, "default, or jemalloc: bound to NUMA nodes", 1},

	{"loop", KEY_LOOP, "N", 0, "Whole traces per repetition (about 1 million events)", 2},
	{"copies", KEY_COPIES, "N", 0,
	 "Instances at the same time, each with tables of its own and "
	 "as many workers (1)",
	 2},
	{"warmup", KEY_WARMUP, "N", 0, "Loops before that, not measured (1)", 2},
	{"reps", KEY_REPS, "N", 0, "Repetitions, all in random order (5)", 2},
	{"seed", KEY_SEED, "N", 0, "Of that order (1)", 2},
	{"baseline", KEY_BASELINE, "NAME", 0, "Compare with this strategy (rwlock)", 2},
	{"why", KEY_WHY, NULL, 0, "Explain by counting: locks, waits, retries, nodes", 2},
	{"output", KEY_OUTPUT, "FILE", 0, "Write all repetitions as JSON", 2},
	{0},
};

/* Options as text: what they mean together is looked at when all are known. */
struct request {
	struct session *s;
	const char *strategy, *node_lock, *format, *place, *threads, *baseline, *node_memory;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct request *r = state->input;
	struct session *s = r->s;

	switch (key) {
	case KEY_STRATEGY:
		r->strategy = arg;
		return 0;
	case KEY_NODE_LOCK:
		r->node_lock = arg;
		return 0;
	case KEY_FORMAT:
		r->format = arg;
		return 0;
	case KEY_THREADS:
		r->threads = arg;
		return 0;
	case KEY_PLACE:
		r->place = arg;
		return 0;
	case KEY_NODE_MEMORY:
		r->node_memory = arg;
		return 0;
	case KEY_BASELINE:
		r->baseline = arg;
		return 0;
	case KEY_WHY:
		s->why = true;
		return 0;
	case KEY_OUTPUT:
		s->output = arg;
		return 0;
	case KEY_LOOP:
		return parse_number("--loop", arg, 1, MOST_LOOPS_ASKED, &s->loops);
	case KEY_COPIES:
		return parse_number("--copies", arg, 1, MOST_COPIES, &s->copies);
	case KEY_REPS:
		return parse_number("--reps", arg, 1, MOST_REPS, &s->reps);
	case KEY_WARMUP:
		return parse_number("--warmup", arg, 0, MOST_LOOPS_ASKED, &s->warmup);
	case KEY_SEED:
		return parse_number("--seed", arg, 0, INT64_MAX, &s->seed);
	case ARGP_KEY_ARGS:
		s->paths = state->argv + state->next;
		s->nr_paths = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no trace given");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static enum exit_code resolve(struct request *r)
{
	struct session *s = r->s;
	enum exit_code code;

	s->format = select_format("--format", r->format);
	s->baseline = select_strategy("--baseline", r->baseline);
	if (!s->format || !s->baseline ||
	    parse_list("--threads", r->threads, 1, MOST_THREADS, &s->threads, &s->nr_threads) ||
	    place_create(r->place, &s->place))
		return EXIT_USAGE;
	code = select_contenders(r->strategy, r->node_lock, s->format, &s->contenders);
	if (code != EXIT_FINE)
		return code;
	if (s->output && results_check_path(s->output))
		return EXIT_USAGE;
	if (matrix_cells(s) == 0) {
		complain("nothing to run: bare takes --threads 1 and --copies 1");
		return EXIT_USAGE;
	}
	return node_memory_create(r->node_memory, s->place, &s->memory);
}

/* ---- traces ---- */

struct loaded {
	struct trace trace;
	struct script script;
};

static enum exit_code load(const struct session *s, const char *path, struct loaded *l)
{
	struct trace_error error;
	const char *unsupported;

	if (trace_read(path, &l->trace, &error)) {
		complain("%s", error.text);
		return EXIT_USAGE;
	}
	script_build(&l->trace, &l->script);
	if (script_check(&l->script, &error)) {
		complain("%s", error.text);
		return EXIT_VIOLATION;
	}
	unsupported = run_unsupported(&l->script, s->format->name, (unsigned)s->copies);
	if (unsupported) {
		complain("%s: format %s: %s", path, s->format->name, unsupported);
		return EXIT_UNSUPPORTED;
	}
	for (size_t i = 0; i < s->nr_threads; i++) {
		if (s->threads[i] > l->trace.nr_threads)
			warn("%s: the trace has %u threads, so of %u workers some have nothing to do",
			     path, l->trace.nr_threads, s->threads[i]);
	}
	return EXIT_FINE;
}

static void unload(struct loaded *l)
{
	if (l->script.trace)
		script_free(&l->script);
	trace_free(&l->trace);
}

/* All files are read before the first is replayed, so that a bad one costs no time. */
static enum exit_code replay_all(struct session *s)
{
	struct loaded *loaded = xcalloc(s->nr_paths, sizeof(*loaded));
	enum exit_code code = EXIT_FINE;

	for (size_t i = 0; i < s->nr_paths && code == EXIT_FINE; i++)
		code = load(s, s->paths[i], &loaded[i]);
	s->runs_total = (unsigned)(matrix_cells(s) * s->reps * s->nr_paths);
	if (code == EXIT_FINE)
		progress_start(s->runs_total);
	for (size_t i = 0; i < s->nr_paths && code == EXIT_FINE; i++)
		code = matrix_run(s, &loaded[i].trace, &loaded[i].script);
	progress_finish();
	for (size_t i = 0; i < s->nr_paths; i++)
		unload(&loaded[i]);
	free(loaded);
	return code;
}

int replay_command(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse_option,
		.args_doc = "TRACE...",
		.doc = "Replay recorded memory management of real programs, and compare every page "
		       "table with what the recording ended in.",
	};
	struct session s = {.copies = 1, .reps = 5, .warmup = 1, .seed = 1};
	struct request r = {
		.s = &s,
		.strategy = "all",
		.node_lock = "ttas",
		.format = "x86_64",
		.place = "scatter",
		.threads = "1",
		.baseline = "rwlock",
		.node_memory = "default",
	};
	enum exit_code code = EXIT_USAGE;

	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &r) == 0)
		code = resolve(&r);
	if (code == EXIT_FINE) {
		for (size_t i = 0; i < s.nr_threads; i++)
			place_warn_crowded(s.place, s.threads[i] * (unsigned)s.copies);
		if (s.output)
			s.results = results_create(argc, argv, s.seed, s.place);
		if (s.results) {
			results_set(s.results, "counting", json_boolean(s.why));
			results_set(s.results, "node_memory", node_memory_describe(s.memory));
		}
		interrupt_catch();
		code = replay_all(&s);
	}
	if (code == EXIT_FINE)
		replay_legend(&s);
	if (s.disturbed && code == EXIT_FINE)
		warn("%u of %u repetitions were disturbed: other work, or sleeping locks",
		     s.disturbed, s.runs_done);
	/* What was measured before an interruption is right. */
	if (s.results && (code == EXIT_FINE || code == EXIT_SIGNAL) &&
	    results_write(s.results, s.output))
		code = EXIT_RESOURCES;
	if (s.results)
		results_destroy(s.results);
	contender_list_free(&s.contenders);
	free(s.threads);
	if (s.memory)
		node_memory_destroy(s.memory, code == EXIT_VIOLATION || code == EXIT_RESOURCES);
	if (s.place)
		place_destroy(s.place);
	return code;
}

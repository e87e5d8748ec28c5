/* SPDX-License-Identifier: MIT */
/* One call of `ptbench replay`: what was asked for, and what was measured. */
#ifndef REPLAY_SESSION_H
#define REPLAY_SESSION_H

#include "contenders.h"
#include "node_memory.h"
#include "place.h"
#include "results.h"
#include "engine.h"

struct session {
	/* from the command line */
	char **paths;
	size_t nr_paths;
	const char *output; /* NULL: none */
	const struct pt_format_info *format;
	const struct pt_strategy_info *baseline;
	struct contender_list contenders;
	unsigned *threads; /* of one copy */
	size_t nr_threads;
	uint64_t copies, reps, warmup, seed;
	uint64_t loops; /* 0: as many as make a measurement long enough */
	struct place *place;
	struct node_memory *memory;
	bool why;

	/* progress over all traces */
	struct results *results;
	unsigned runs_done, runs_total, families;
	unsigned disturbed; /* repetitions */
};

/* A contender with a number of threads, on one trace. */
struct cell {
	const struct contender *contender;
	unsigned threads;
	struct plan *plan; /* shared by the cells with as many threads */
	struct run_result *reps;
	unsigned family, instance;
};

/* All that is measured on one trace. */
struct matrix {
	struct session *session;
	const struct trace *trace;
	const struct script *script;
	struct plan *plans; /* one for each entry of session->threads */
	struct cell *cells;
	size_t nr_cells;
	unsigned loops;
};

/* How many cells has each trace? */
size_t matrix_cells(const struct session *s);

/* Replay one trace in all cells and print the table. */
enum exit_code matrix_run(struct session *s, const struct trace *t, const struct script *script);

/* Was nothing else in the way of this repetition? */
bool run_is_clean(const struct run_result *r);

/* One repetition as a row of the results; `order` is its place within the block. */
void replay_row(const struct matrix *m, const struct cell *c, unsigned rep, unsigned order);

/* The table of a trace on stdout. */
void replay_table(const struct matrix *m);

/* What the columns mean; once, below all tables. */
void replay_legend(const struct session *s);

#endif

/* SPDX-License-Identifier: MIT */
/* A case: rounds of threads that meet in one table after the other. */
#ifndef RUN_ENGINE_H
#define RUN_ENGINE_H

#include "options.h"
#include "place.h"

struct run_case {
	const char *strategy, *format, *pages;
	unsigned threads;
};

struct outcome {
	bool failed;
	bool stuck; /* threads could not be stopped: end the program */
	uint64_t ops, exact, loose;
	uint64_t hits, walks, flushes, dirtied;
	uint64_t rounds, phases;
	uint64_t logged, gave_up; /* histories: operations on pages, and pages without a verdict */
	uint64_t ns;
};

/* How far a case is, for progress: of its duration or of its operations. */
typedef void (*engine_progress_fn)(double part);

/* Return: EXIT_FINE, whatever the outcome; or what made it impossible, printed. */
enum exit_code engine_run(const struct run_options *options, const struct run_case *c,
			  const struct place *place, engine_progress_fn progress,
			  struct outcome *ret);

#endif

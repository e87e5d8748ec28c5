/* SPDX-License-Identifier: MIT */
/*
 * All repetitions of one variant: every strategy with every number of threads, in blocks. Each
 * block runs each of them once, in an order of its own, so that drift of the machine hits all alike.
 */
#ifndef BENCH_CAMPAIGN_H
#define BENCH_CAMPAIGN_H

#include "results.h"
#include "run_options.h"
#include "stats.h"
#include "trial.h"

/* What is kept of a repetition for the table. */
struct repetition {
	double ops_per_second, background_ops_per_second;
	double wall_ns_per_op, cpu_ns_per_op, cpu_over_wall, fairness;
};

/* Below this a repetition is called disturbed: something else had the CPU, or the threads slept. */
#define UNDISTURBED 0.98

struct configuration {
	const char *workload;
	const struct contender *contender;
	unsigned threads;
	char name[256]; /* mixed/set:2MiB/.../strategy:rcu/format:x86_64/threads:2 */
	struct repetition *repetitions;
	struct result_row *rows;
	size_t count; /* repetitions done */
	uint64_t node_bytes, retired_bytes_max;
	struct why why, background_why; /* with options->why, over all repetitions */
};

struct campaign {
	const struct run_options *options;
	const struct variant *variant;
	unsigned number;                      /* of the variant, from 0 */
	struct configuration *configurations; /* by threads, then by contender */
	size_t count;
	bool single_only; /* a strategy was left out because it allows one thread only */
	unsigned too_few; /* a number of threads that is too low for the workload; 0: none */
};

/* Out of memory ends the program. */
void campaign_init(struct campaign *campaign, const struct run_options *options, unsigned number);
void campaign_free(struct campaign *campaign);

/* Called before each repetition. */
typedef void campaign_progress(void *ctx, const struct configuration *next);

/*
 * Run all repetitions. Failures have been told, with a command that repeats them. EXIT_SIGNAL:
 * interrupted, what is there is right. After EXIT_VIOLATION the program must end at once.
 */
enum exit_code campaign_run(struct campaign *campaign, const struct place *place,
			    struct node_memory *memory, campaign_progress *progress, void *ctx);

enum figure {
	FIGURE_OPS,
	FIGURE_BACKGROUND_OPS,
	FIGURE_WALL,
	FIGURE_CPU,
	FIGURE_CPU_OVER_WALL,
	FIGURE_FAIRNESS,
};

/* Over the repetitions of a configuration. */
struct summary campaign_summary(const struct configuration *configuration, enum figure figure);
size_t campaign_disturbed(const struct configuration *configuration);

/* With the first of its node locks; NULL if it was not run. */
const struct configuration *campaign_find(const struct campaign *campaign,
					  const struct pt_strategy_info *strategy,
					  unsigned threads);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Replay a trace against page tables of one format and strategy.
 *
 * An address space is a table. A loop is the whole trace; a copy is an instance of it with tables
 * of its own. Each loop has three parts, with all workers waiting for each other in between:
 *   1. measured: the events. An exit only ends the use of its table.
 *   2. not measured: every table is compared with what the trace says, and checked (S1).
 *   3. measured: the tables of spaces that have exited are destroyed, each by the worker that had
 *      the exit. Those of spaces that stay live are destroyed unmeasured.
 * So comparing costs no measured time although the work of an exit is counted; the price is that
 * the tables of exited spaces exist until their loop ends, which node_bytes_max includes.
 */
#ifndef REPLAY_ENGINE_H
#define REPLAY_ENGINE_H

#include "plan.h"
#include "script.h"
#include "why.h"

struct run_config {
	const struct script *script;
	const struct plan *plan;
	const char *format, *strategy, *node_lock; /* of pt_config */
	unsigned copies;
	unsigned warmup, loops; /* unmeasured, then measured; both are compared */
	const struct pt_pool_config *pool;
	bool counts; /* tables count: for run_result.why */
	/*
	 * Called first and last on each worker's thread, workers of all copies counted from 0. The
	 * first returns its NUMA home, a home of the pool; the second says whether it has stayed
	 * where it should. Both may be NULL.
	 */
	unsigned (*place)(void *ctx, unsigned worker);
	bool (*in_place)(void *ctx, unsigned worker);
	void *place_ctx;
	bool (*interrupted)(void); /* asked between the parts of a loop; may be NULL */
};

struct run_result {
	uint64_t events;         /* of the measured loops and all copies */
	uint64_t calls;          /* events of them that needed the page table */
	uint64_t wall_ns;        /* of both measured parts */
	uint64_t teardown_ns;    /* of the second of them */
	uint64_t own_ns;         /* all workers' own wall time, from their start to their end */
	uint64_t cpu_ns;         /* all workers' CPU time, waiting for one another included */
	uint64_t wait_cpu_ns;    /* waiting alone */
	uint64_t wait_ns;        /* the same by the wall clock */
	uint64_t waited;         /* waits that were not over when they began */
	uint64_t involuntary;    /* context switches in the measured parts */
	uint64_t node_bytes_max; /* sampled */
	uint64_t retired_bytes_max;
	struct why why;     /* of the events alone; per table from its creation on */
	double balance;     /* own time of the least busy worker over that of the busiest */
	unsigned misplaced; /* workers that were not where they should have been */
	char failure[1024]; /* what went wrong; empty: nothing */
};

enum run_status {
	RUN_OK = 0,
	RUN_VIOLATION = 2, /* a call failed that must not, a table has a wrong shape or content */
	RUN_NO_RESOURCES = 3,
	RUN_INTERRUPTED = 5,
	RUN_UNSUPPORTED = 4, /* the format cannot hold the trace */
};

enum run_status run_replay(const struct run_config *config, struct run_result *ret);

/* Can a format hold the trace? Return: NULL, or why not. */
const char *run_unsupported(const struct script *s, const char *format, unsigned copies);

#endif

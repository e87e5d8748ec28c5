/* SPDX-License-Identifier: MIT */
/* What the parts of a run share: internal to engine.c, execute.c and verify.c. */
#ifndef REPLAY_WORKER_H
#define REPLAY_WORKER_H

#include <stdatomic.h>

#include "engine.h"

/* A page on its way from one place to another. */
struct carried {
	uint64_t va;
	pt_pa_t pa;
	pt_prop_t prop;
};

struct worker {
	/* Events completed in this loop; the only word that other workers poll. */
	_Alignas(64) _Atomic uint32_t done;

	_Alignas(64) struct run *run;
	struct worker *peers;     /* the workers of this copy */
	struct pt_table **tables; /* of this copy, by space */
	unsigned copy;
	unsigned index; /* in the plan */
	struct pt_thread *self;
	struct carried *carried;
	uint64_t nr_carried;
	uint32_t *exited; /* spaces whose exit this worker had in this loop */
	uint32_t nr_exited;
	bool overflow; /* more pages to carry than the script knows of */

	/* of the part being measured */
	uint64_t start_ns, end_ns;
	/* sums over the measured loops */
	uint64_t own_ns, cpu_ns, wait_ns, wait_cpu_ns, waited, involuntary;
	uint64_t node_bytes_max;
	struct why why; /* counts of tables only */
	bool misplaced;
};

struct run {
	const struct run_config *config;
	const struct trace *trace;
	const struct pt_format_info *format;
	struct pt_pool *pool;
	struct worker *workers; /* of all copies */
	unsigned nr_workers;
	struct pt_config table;
	pt_prop_t props; /* property bits that the format can express and a replay uses */

	_Atomic uint32_t gate_arrived, gate_round;
	bool stopped; /* as of the last gate: some worker has failed */
	_Atomic uint32_t failed;
	enum run_status status;
	char failure[1024];
	uint64_t wall_ns, teardown_ns;
	uint64_t chains_before; /* pt_pool_stats.retired_chains when the events began */
	struct why why;         /* of the pool; in the end, all */
};

/* Remember the first failure and make every worker stop. */
__attribute__((format(printf, 3, 4))) void run_fail(struct run *run, enum run_status status,
						    const char *format, ...);

/* "-EEXIST" for -EEXIST. */
const char *run_error_name(int rc);

static inline bool run_failed(const struct run *run)
{
	return atomic_load_explicit(&run->failed, memory_order_relaxed);
}

/* What the page that event @fault brought in maps to: different for each page of each copy. */
static inline pt_pa_t frame_of(const struct worker *w, uint32_t fault)
{
	uint64_t number = (uint64_t)w->copy * w->run->trace->nr_events + fault + 1;

	return number << TRACE_PAGE_SHIFT;
}

/* The thread of a worker; @arg is its struct worker. */
void *replay_worker(void *arg);

/* Execute one event. Failures go to run_fail(). */
void execute_event(struct worker *w, uint32_t event);

/* Create the table of a space that exists from the start. */
void execute_start(struct worker *w, uint32_t space);

/* Compare the table of a space with what the trace says it ends in. */
void verify_space(struct worker *w, uint32_t space);

#endif

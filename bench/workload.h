/* SPDX-License-Identifier: MIT */
/*
 * What a workload is: one file in workloads/ that exports one of these. A trial is one repetition
 * of a workload with one strategy, format and number of threads; it begins with an empty table.
 */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include <stdalign.h>
#include <stdatomic.h>

#include "area.h"
#include "clock.h"
#include "distribution.h"
#include "finding.h"
#include "pagetree.h"
#include "random.h"
#include "settings.h"

#define THREADS_MOST 256u

/* Ordered: a worker never goes back. */
enum phase { PHASE_READY, PHASE_WARMUP, PHASE_MEASURE, PHASE_STOP };

struct worker;
struct trial;
struct crew;

struct workload {
	const char *name;
	const char *summary;
	const char *operation; /* what is counted */
	unsigned settings;     /* which are read: a set of enum setting */
	unsigned min_threads;
	bool each_once; /* visits each page once per round: no Zipf */
	struct settings defaults;

	void (*needs)(const struct settings *settings, struct area_needs *ret);

	/*
	 * Before and after the threads run, by one registered thread. prepare() allocates
	 * trial->state and maps what all share; verify() sets *finding if the table is not what it
	 * should be, and returns how many bytes should be mapped; release() frees trial->state,
	 * also after a prepare() that failed.
	 */
	void (*prepare)(struct trial *trial, struct pt_thread *self, struct finding *finding);
	uint64_t (*verify)(struct trial *trial, struct pt_thread *self, struct finding *finding);
	void (*release)(struct trial *trial);

	/* By each thread: prepare its own part (may be NULL); then run until told to stop. */
	void (*enter)(struct worker *worker);
	void (*run)(struct worker *worker);
};

extern const struct workload *const workloads[]; /* the last is NULL */

const struct workload *workload_find(const char *name);

struct trial {
	const struct workload *workload;
	const struct settings *settings;
	const struct pt_format_info *format;
	const struct key_stream *shared_keys, *private_keys;
	struct pt_table *table;
	bool counts; /* the table does */
	unsigned threads;
	uint64_t seed;
	pt_prop_t prop; /* what pages are mapped with; PT_WRITE is what protecting changes */
	struct frame_code frames;
	struct area shared_area;
	struct area private_areas[THREADS_MOST];
	void *state; /* the workload's own */

	alignas(128) _Atomic(enum phase) phase;
	alignas(128) atomic_uint arrived; /* workers that have seen the current phase */
	atomic_bool failed;
};

/* What a worker has counted while it was measured. */
struct tally {
	uint64_t operations;
	uint64_t wall_ns, cpu_ns;
	uint64_t all_cpu_ns;  /* of the whole phase, also what the workload does not count */
	uint64_t done[OP_NR]; /* mixed operations by kind, and those that changed or found a page */
	uint64_t effective[OP_NR];
	long slept, preempted;  /* context switches: voluntary, involuntary */
	struct pt_stats counts; /* of the table, if it counts */
};

struct worker {
	alignas(128) struct trial *trial;
	struct pt_thread *self;
	struct pt_table *table;
	unsigned index;
	enum phase phase;  /* as the worker knows it */
	bool background;   /* what it does is not what the workload measures */
	bool times_itself; /* counts between worker_resume() and worker_pause() only */
	struct rng rng;
	struct keys shared_keys, private_keys; /* which page is next */
	struct finding finding;
	struct tally tally;
	const struct crew *crew;
	int cpu; /* where it is bound; -1: nowhere */
	int bind_error;
	bool moved; /* it was not there any more in the end */

	uint64_t clocks_ns; /* CPU time that worker_pause() sees although nothing was enclosed */

	/* When what is being measured began. */
	uint64_t start_operations, start_wall_ns, start_cpu_ns, start_all_cpu_ns;
	long start_slept, start_preempted;
	struct pt_stats start_counts;
};

/* What the table counts of this thread, between the two; nothing if it does not count. */
void worker_counts_begin(struct worker *worker);
void worker_counts_end(struct worker *worker);

/* Out of line: once per phase. `done`: operations so far. False when it is time to stop. */
bool worker_change_phase(struct worker *worker, enum phase phase, uint64_t done);

/*
 * The condition of a workload's loop: a batch of operations, then ask. Checking costs a few
 * nanoseconds, so batches of some hundred nanoseconds and more keep it below one per cent.
 * `done`: operations so far, counted by the workload in a local variable.
 */
static inline bool worker_continues(struct worker *worker, uint64_t done)
{
	enum phase phase = atomic_load_explicit(&worker->trial->phase, memory_order_acquire);

	pt_thread_quiescent(worker->self);
	if (__builtin_expect(phase == worker->phase, 1))
		return true;
	return worker_change_phase(worker, phase, done);
}

/*
 * For workloads that have to prepare again and again: set `times_itself`, call worker_continues()
 * with 0, and enclose what is measured. The wall clock is read inside, the CPU clock, a system
 * call, outside; what the CPU clock sees of reading the clocks is taken off.
 */
static inline void worker_resume(struct worker *worker)
{
	worker_counts_begin(worker);
	worker->start_cpu_ns = clock_thread_cpu_ns();
	worker->start_wall_ns = clock_wall_ns();
}

static inline void worker_pause(struct worker *worker, uint64_t operations)
{
	uint64_t wall_ns = clock_wall_ns();
	uint64_t cpu_ns = clock_thread_cpu_ns() - worker->start_cpu_ns;

	if (worker->phase != PHASE_MEASURE)
		return;
	worker->tally.operations += operations;
	worker->tally.wall_ns += wall_ns - worker->start_wall_ns;
	worker->tally.cpu_ns += cpu_ns > worker->clocks_ns ? cpu_ns - worker->clocks_ns : 0;
	worker_counts_end(worker);
}

/* Find out what reading the clocks costs; before the first worker_resume(). */
void worker_calibrate(struct worker *worker);

/* Record what went wrong and stop the trial; the workload returns. */
void worker_fail_call(struct worker *worker, pt_va_t va, const char *call, int error);
void worker_fail_entry(struct worker *worker, pt_va_t va, uint64_t expected, uint64_t found);
void worker_fail(struct worker *worker, pt_va_t va, const char *what, const char *expected,
		 const char *found);

/* Operations between two looks at the phase. */
#define BATCH 128u

#endif

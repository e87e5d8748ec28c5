/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* RUSAGE_THREAD */
#include <sys/resource.h>

#include "why.h"
#include "workload.h"

static void read_switches(long *slept, long *preempted)
{
	struct rusage usage = {0};

	getrusage(RUSAGE_THREAD, &usage);
	*slept = usage.ru_nvcsw;
	*preempted = usage.ru_nivcsw;
}

static void read_counts(struct worker *worker, struct pt_stats *ret)
{
	/* It cannot fail: the table counts, and the thread is of its pool. */
	int error = pt_thread_get_stats(worker->self, worker->table, ret);

	if (error)
		worker_fail_call(worker, 0, "pt_thread_get_stats", error);
}

void worker_counts_begin(struct worker *worker)
{
	if (worker->trial->counts)
		read_counts(worker, &worker->start_counts);
}

void worker_counts_end(struct worker *worker)
{
	struct pt_stats now = worker->start_counts;

	if (!worker->trial->counts)
		return;
	read_counts(worker, &now);
	why_count(&worker->tally.counts, &worker->start_counts, &now);
}

static void begin_measuring(struct worker *worker, uint64_t done)
{
	read_switches(&worker->start_slept, &worker->start_preempted);
	if (!worker->times_itself)
		worker_counts_begin(worker);
	worker->start_operations = done;
	worker->start_wall_ns = clock_wall_ns();
	worker->start_cpu_ns = clock_thread_cpu_ns();
	worker->start_all_cpu_ns = worker->start_cpu_ns;
}

static void end_measuring(struct worker *worker, uint64_t done)
{
	struct tally *tally = &worker->tally;
	uint64_t cpu_ns = clock_thread_cpu_ns(), wall_ns = clock_wall_ns();
	long slept, preempted;

	tally->all_cpu_ns = cpu_ns - worker->start_all_cpu_ns;
	if (!worker->times_itself) {
		tally->operations = done - worker->start_operations;
		tally->cpu_ns = cpu_ns - worker->start_cpu_ns;
		tally->wall_ns = wall_ns - worker->start_wall_ns;
		worker_counts_end(worker);
	}
	read_switches(&slept, &preempted);
	tally->slept = slept - worker->start_slept;
	tally->preempted = preempted - worker->start_preempted;
}

void worker_calibrate(struct worker *worker)
{
	unsigned i;

	worker->clocks_ns = UINT64_MAX;
	for (i = 0; i < 100; i++) {
		uint64_t cpu_ns;

		worker_resume(worker);
		clock_wall_ns();
		cpu_ns = clock_thread_cpu_ns() - worker->start_cpu_ns;
		if (cpu_ns < worker->clocks_ns)
			worker->clocks_ns = cpu_ns;
	}
}

bool worker_change_phase(struct worker *worker, enum phase phase, uint64_t done)
{
	if (worker->phase == PHASE_MEASURE)
		end_measuring(worker, done);
	worker->phase = phase;
	if (phase == PHASE_MEASURE)
		begin_measuring(worker, done);
	atomic_fetch_add_explicit(&worker->trial->arrived, 1, memory_order_release);
	return phase != PHASE_STOP;
}

static void stop(struct worker *worker)
{
	atomic_store_explicit(&worker->trial->failed, true, memory_order_release);
}

void worker_fail_call(struct worker *worker, pt_va_t va, const char *call, int error)
{
	finding_set_call(&worker->finding, (int)worker->index, va, call, error);
	stop(worker);
}

void worker_fail_entry(struct worker *worker, pt_va_t va, uint64_t expected, uint64_t found)
{
	finding_set_entry(&worker->finding, (int)worker->index, va, "pt_query", expected, found);
	stop(worker);
}

void worker_fail(struct worker *worker, pt_va_t va, const char *what, const char *expected,
		 const char *found)
{
	finding_set(&worker->finding, EXIT_VIOLATION, (int)worker->index, va, what, expected,
		    found);
	stop(worker);
}
